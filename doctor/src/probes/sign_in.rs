//! `--sign-in`: the whole way of a sign-in with an account that the command line names: the cookie,
//! lookups over new connections, past the cookie cache, and the sign-out at the end.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::facts::SessionAnswer;
use crate::probes::{Run, Stop, token};

const TRIES: usize = 2;
/// Lookups after a session that was not found: a store that shows late what was written has it from
/// then on, and one of several stores that are asked at random has it by turns.
const LATER_TRIES: usize = 4;
const LATER_MILLIS: u64 = 1_500;

/// Signs in, looks, signs out.
pub(crate) async fn run(run: &mut Run<'_>, email: &str, creates: bool) {
    run.facts.sign_in.is_asked = true;
    if !run.plan.is_local() && !run.plan.is_yes {
        run.facts.sign_in.skipped = Some("another machine: --yes says that it may be done there");
        return;
    }
    let Some(password) = password(run).await else {
        run.facts.sign_in.skipped = Some("no password: DOORWARD_PASSWORD, or a terminal to ask at");
        return;
    };
    if creates {
        let body = json!({ "email": email, "password": password, "name": "doorward" });
        if !enter(run, "sign-up", "/sign-up/email", body.to_string()).await {
            return;
        }
    }
    if run.cookies.is_none() {
        let body = json!({ "email": email, "password": password }).to_string();
        if !enter(run, "sign-in", "/sign-in/email", body).await {
            return;
        }
    }
    look(run).await;
    leave(run).await;
}

async fn password(run: &Run<'_>) -> Option<String> {
    if let Some(password) = run.io.env("DOORWARD_PASSWORD").await {
        return Some(password);
    }
    run.io.prompt("password: ", true).await
}

/// Whether there is something to look at.
async fn enter(run: &mut Run<'_>, id: &'static str, path: &str, body: String) -> bool {
    let origin = run.plan.app_origin();
    let ask = run.post(id, path).header("origin", origin).json(body);
    let answer = match run.send_past_walls(ask).await {
        Ok(answer) => answer,
        Err(Stop::Wall(wall)) => {
            run.facts.oracle.wall = Some(wall);
            return false;
        }
        Err(Stop::Failure(_)) => return false,
    };
    let name = run.facts.names.session_token.clone().unwrap_or_default();
    let sets = |answer: &Answer| {
        answer.cookies().into_iter().find(|line| line.name == name && !line.is_empty)
    };
    let line = sets(&answer);
    let facts = &mut run.facts.sign_in;
    facts.status = Some(answer.status());
    facts.code = answer.code().map(str::to_owned);
    facts.needs_second_factor =
        answer.member("twoFactorRedirect").and_then(Value::as_bool) == Some(true);
    facts.has_cookie = line.is_some();
    facts.has_body_token = answer.member("token").is_some_and(Value::is_string);
    facts.max_age = line.and_then(|line| line.max_age);
    let data = run.facts.names.session_data.as_deref().unwrap_or_default();
    facts.has_cache = answer.cookies().iter().any(|line| {
        let rest = line.name.strip_prefix(data).filter(|_| !data.is_empty() && !line.is_empty);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    facts.error = answer.service_error("/sign-in/email");
    if !facts.has_cookie {
        // After a sign-up that signs nobody in, a sign-in may say why.
        return id == "sign-up" && !facts.has_body_token && facts.status == Some(200);
    }
    run.cookies = Some(cookie_header(&answer));
    true
}

/// The cookies that a browser would send back.
fn cookie_header(answer: &Answer) -> String {
    let lines = answer.response.headers.iter().filter(|(name, _)| name == "set-cookie");
    let pairs = lines.filter_map(|(_, line)| line.split(';').next());
    pairs.filter(|pair| !pair.ends_with('=')).collect::<Vec<_>>().join("; ")
}

async fn look(run: &mut Run<'_>) {
    const PAST_CACHE: &str = "disableCookieCache=true&";
    for _ in 0..TRIES {
        let answer = session(run, "sign-in.session", "").await;
        run.facts.sign_in.tries.push(answer);
    }
    let stored = session(run, "sign-in.store", PAST_CACHE).await;
    run.facts.sign_in.stored.push(stored);
    let facts = &run.facts.sign_in;
    if !facts.tries.iter().chain(&facts.stored).any(|own| *own == Some(SessionAnswer::Null)) {
        return;
    }
    run.io.sleep(LATER_MILLIS).await;
    for _ in 0..LATER_TRIES {
        // One is left for the sign-out.
        if run.left() <= 1 {
            return;
        }
        let answer = session(run, "sign-in.later", PAST_CACHE).await;
        run.facts.sign_in.stored.push(answer);
    }
}

async fn session(run: &mut Run<'_>, id: &'static str, query: &str) -> Option<SessionAnswer> {
    let cookies = run.cookies.clone()?;
    let query = format!("{query}{}", run.fresh_query().await);
    let ask = run.get(id, "/get-session").query(query).header("cookie", cookies).fresh();
    let answer = run.send_past_walls(ask).await.ok()?;
    if run.facts.sign_in.error.is_none() {
        run.facts.sign_in.error = answer.service_error("/get-session");
    }
    if let Some(text) = answer.header("set-auth-jwt").map(str::to_owned) {
        token::look(run, &text, true).await;
    }
    answer.session()
}

async fn leave(run: &mut Run<'_>) {
    let Some(cookies) = run.cookies.take() else { return };
    let origin = run.plan.app_origin();
    let ask = run.post("sign-in.leave", "/sign-out").header("cookie", cookies);
    // Whether it worked is no statement about the deployment.
    let _ = run.send(ask.header("origin", origin)).await;
}
