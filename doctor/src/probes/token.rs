//! A JWT of the service: what it says, and whether a key of the key set has signed it. Its text is
//! kept nowhere but in the request to the API that the command line names.

use doorward::probe::unverified_jws;
use serde_json::Value;

use crate::explanation::moments;
use crate::facts::TokenFacts;
use crate::probes::Run;

/// Looks at a pasted token.
pub(crate) async fn pasted(run: &mut Run<'_>, text: Option<&str>, now: i64) {
    let Some(text) = text else { return };
    look_at(run, text, false, now).await;
}

/// Looks at a token. One that was pasted counts over one that the run has found.
pub(crate) async fn look(run: &mut Run<'_>, text: &str, is_fresh: bool) {
    if is_fresh && run.facts.token.is_some() {
        return;
    }
    let now = run.io.now().await;
    look_at(run, text, is_fresh, now).await;
}

async fn look_at(run: &mut Run<'_>, text: &str, is_fresh: bool, now: i64) {
    let mut facts = TokenFacts { is_fresh, ..TokenFacts::default() };
    if let Some(wrong) = no_jwt(text) {
        facts.not_a_jwt = Some(wrong);
        run.facts.token = Some(facts);
        return;
    }
    let parts = read(&mut facts, text);
    if is_fresh && let Some(iat) = facts.iat {
        // `iat` counts whole seconds.
        let millis = iat.saturating_mul(1000).saturating_add(500).saturating_sub(now);
        run.facts.clock.token_millis = Some(millis);
    } else if let Some(iat) = facts.iat {
        let ahead = iat.saturating_mul(1000).saturating_sub(now);
        run.facts.clock.pasted_ahead_millis = (ahead > 0).then_some(ahead);
    }
    facts.is_expired = facts.exp.map(|exp| exp.saturating_mul(1000) < now);
    if let Some((input, signature)) = parts {
        check(run, &mut facts, &input, &signature).await;
    }
    if facts.is_signed != Some(false) {
        run.token = Some(text.to_owned());
    }
    run.facts.token = Some(facts);
}

/// What it is instead of a JWT.
fn no_jwt(text: &str) -> Option<&'static str> {
    if text.to_ascii_lowercase().starts_with("bearer ") {
        return Some("bearer-prefix");
    }
    if text.starts_with(['"', '\'']) || text.ends_with(['"', '\'']) {
        return Some("quotes");
    }
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match text.split('.').count() {
        1 if is_word && text.len() == 32 => Some("session-token"),
        2 => Some("signed-cookie"),
        3 => None,
        5 => Some("jwe"),
        _ => Some("opaque"),
    }
}

/// Header and claims; the signing input and the signature where the token is whole.
fn read(facts: &mut TokenFacts, text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    use base64::Engine as _;
    let header = text.split('.').next()?;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).ok();
    let header: Value = serde_json::from_slice(&header.unwrap_or_default()).unwrap_or_default();
    let word =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    facts.alg = word(&header, "alg");
    facts.kid = word(&header, "kid");
    facts.typ = word(&header, "typ");
    let Ok(jws) = unverified_jws(text) else {
        facts.not_a_jwt = Some("opaque");
        return None;
    };
    let claims: Value = serde_json::from_slice(&jws.payload).unwrap_or_default();
    let number = |name: &str| {
        let value = claims.get(name)?;
        // A date may have a fraction (RFC 7519 section 2), which does not count here.
        value.as_i64().or_else(|| value.to_string().split('.').next()?.parse().ok())
    };
    facts.iss = word(&claims, "iss");
    facts.aud = match claims.get("aud") {
        Some(Value::Array(all)) => {
            all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    };
    facts.iat = number("iat");
    facts.exp = number("exp");
    facts.dates = moments::dates(&claims);
    facts.has_nonce = claims.get("nonce").is_some() || claims.get("at_hash").is_some();
    Some((jws.signing_input.into_bytes(), jws.signature))
}

/// By the key set that the service has now.
async fn check(run: &mut Run<'_>, facts: &mut TokenFacts, input: &[u8], signature: &[u8]) {
    let Some(keys) = run.facts.keys.keys.clone() else { return };
    let Some(kid) = &facts.kid else { return };
    let Some(key) = keys.iter().find(|key| key.kid.as_ref() == Some(kid)) else {
        facts.kid_is_known = Some(false);
        return;
    };
    facts.kid_is_known = Some(true);
    let Some(alg) = &facts.alg else { return };
    facts.is_signed = run.io.check_signature(alg, &key.jwk, input, signature).await;
}
