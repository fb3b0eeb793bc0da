//! `--deep`: a self-made session without a user, in each strategy of the cookie cache. The service
//! answers the one that it uses, and with the jwt plugin it gives a JWT for it: issuer, audience,
//! algorithm and clock, without anybody who signs in.
//!
//! The session lives for a minute and its subject begins with `doorward-probe-`, which every gate
//! refuses. Nothing of it is kept or printed.

use serde_json::json;

use crate::facts::SessionAnswer;
use crate::probes::{Run, Stop, token};
use crate::report::json::iso;

const LIFE_SECONDS: i64 = 60;

/// Makes the sessions and asks.
pub(crate) async fn run(run: &mut Run<'_>) {
    run.facts.deep.is_asked = true;
    let secret = run.plan.expected.secret.as_ref().map(|stated| stated.value.clone());
    let (Some(secret), Some(true)) = (secret, run.facts.oracle.knows) else {
        run.facts.deep.skipped = Some("the secret is not known to be the service's");
        return;
    };
    let Some(name) = run.facts.names.session_token.clone() else { return };
    let Some(data) = run.facts.names.session_data.clone() else { return };
    let version = run.plan.expected.cache_version.as_ref().map(|stated| stated.value.clone());
    let version = version.unwrap_or_else(|| "1".to_owned());
    for strategy in ["compact", "jwt", "jwe"] {
        let session = run.random_text(32).await;
        let now = run.io.now().await;
        let subject = format!("doorward-probe-{}", run.random_text(16).await);
        let content = content(&session, &subject, &version, now);
        let probe = secret.probe();
        let expires = now.saturating_add(LIFE_SECONDS.saturating_mul(1000));
        let dated = with_dates(&content, now);
        let value = match strategy {
            "compact" => Some(probe.compact(&content, expires)),
            "jwt" => Some(probe.jwt(&dated)),
            _ => match run.io.random(16).await.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()) {
                Some(iv) => probe.jwe(&dated, iv),
                None => None,
            },
        };
        let Some(value) = value else { continue };
        let cookie = format!("{name}={}; {data}={value}", probe.signed_cookie(&session));
        run.facts.deep.tried.push(strategy);
        if ask(run, strategy, cookie).await {
            return;
        }
    }
}

/// The pair as Better Auth writes it.
fn content(session: &str, subject: &str, version: &str, now: i64) -> String {
    let (now_text, ends) = (iso_millis(now), iso_millis(now.saturating_add(60_000)));
    json!({
        "session": {
            "id": subject,
            "token": session,
            "userId": subject,
            "expiresAt": ends,
            "createdAt": now_text,
            "updatedAt": now_text,
            "ipAddress": "",
            "userAgent": "doorward-doctor",
        },
        "user": {
            "id": subject,
            "name": "doorward probe",
            "email": format!("{}@doorward-probe.invalid", subject.to_ascii_lowercase()),
            "emailVerified": false,
            "createdAt": now_text,
            "updatedAt": now_text,
        },
        "updatedAt": now,
        "version": version,
    })
    .to_string()
}

fn with_dates(content: &str, now: i64) -> String {
    let seconds = now.div_euclid(1000);
    let ends = seconds.saturating_add(LIFE_SECONDS);
    let open = content.strip_suffix('}').unwrap_or(content);
    format!("{open},\"iat\":{seconds},\"exp\":{ends}}}")
}

/// As JavaScript's `toISOString`.
fn iso_millis(millis: i64) -> String {
    let text = iso(millis);
    format!("{}.{:03}Z", text.trim_end_matches('Z'), millis.rem_euclid(1000))
}

/// Whether the service has answered with the session.
async fn ask(run: &mut Run<'_>, strategy: &'static str, cookie: String) -> bool {
    let query = run.fresh_query().await;
    let ask = run.get("deep", "/get-session").query(query).header("cookie", cookie.as_str());
    let answer = match run.send_past_walls(ask).await {
        Ok(answer) => answer,
        Err(Stop::Wall(wall)) => {
            run.facts.oracle.wall = Some(wall);
            return true;
        }
        Err(Stop::Failure(_)) => return false,
    };
    if answer.status() >= 500 {
        let code = answer.code().map(str::to_owned);
        run.facts.deep.failed.push((strategy, answer.status(), code));
        return false;
    }
    if answer.session() != Some(SessionAnswer::Session) {
        return false;
    }
    run.facts.deep.answered.push(strategy);
    let from_header = answer.header("set-auth-jwt").map(str::to_owned);
    let text = match from_header {
        Some(text) => Some(text),
        None if run.facts.keys.keys.is_some() || run.facts.keys.token_status == Some(401) => {
            let ask = run.get("deep.token", "/token").header("cookie", cookie);
            let answer = run.send_past_walls(ask).await.ok();
            answer.and_then(|answer| {
                answer.member("token").and_then(serde_json::Value::as_str).map(str::to_owned)
            })
        }
        None => None,
    };
    if let Some(text) = text {
        run.facts.deep.has_token = true;
        token::look(run, &text, true).await;
    }
    true
}
