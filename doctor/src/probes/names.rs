//! `POST /sign-out` with nothing: the service deletes its cookies by their real names and with
//! their real attributes. It ends no session, because none is sent.

use crate::answer::Answer;
use crate::cookie_line::CookieLine;
use crate::facts::Names;
use crate::probes::{Ask, Run};

/// Asks for the cookies' names and attributes.
pub(crate) async fn run(run: &mut Run<'_>) {
    let ask = run.post("sign-out", "/sign-out");
    let Some(mut answer) = sign_out(run, ask).await else { return };
    run.facts.clock.service_millis = answer.clock_millis();
    let code = answer.code().unwrap_or_default();
    if matches!(code, "MISSING_OR_NULL_ORIGIN" | "INVALID_ORIGIN") {
        // Something adds a cookie: with an origin the service answers all the same.
        run.facts.arrival.cookie_is_added = true;
        let ask = run.post("sign-out", "/sign-out").header("origin", run.plan.app_origin());
        let Some(second) = sign_out(run, ask).await else { return };
        answer = second;
    }
    run.facts.names = read(&answer);
}

async fn sign_out(run: &mut Run<'_>, ask: Ask) -> Option<Answer> {
    match run.send_past_walls(ask).await {
        Ok(answer) => Some(answer),
        Err(stop) => {
            run.facts.oracle.wall = stop.wall();
            None
        }
    }
}

/// Asks once more, over another connection: does another instance set another name?
pub(crate) async fn again(run: &mut Run<'_>) {
    let ask = run.post("sign-out.again", "/sign-out").fresh();
    if let Ok(answer) = run.send_past_walls(ask).await {
        compare(run, &answer);
    }
}

/// Notes the name of the session cookie in an answer to `/sign-out`, where it is another.
pub(crate) fn compare(run: &mut Run<'_>, answer: &Answer) {
    let other = read(answer).session_token;
    if other.is_some() && other != run.facts.names.session_token {
        run.facts.names.other_session_token = other;
    }
}

fn read(answer: &Answer) -> Names {
    let is_success = answer.is_success();
    let mut names = Names { is_success, joined_lines: answer.joined_lines(), ..Names::default() };
    // Balancers and bot walls set cookies of their own, which they do not delete.
    let deletions: Vec<CookieLine> =
        answer.cookies().into_iter().filter(CookieLine::is_deletion).collect();
    if is_success {
        let ends_with = |end: &str| deletions.iter().find(|line| bare(&line.name).ends_with(end));
        let data = ends_with("session_data");
        // The session cookie comes first; it may have a name that tells nothing.
        let is_other = |line: &&CookieLine| {
            let name = bare(&line.name);
            ["session_data", "dont_remember", "account_data", "oauth_state", "trust_device"]
                .iter()
                .all(|end| !name.ends_with(end))
        };
        let token = ends_with("session_token").or_else(|| deletions.iter().find(is_other));
        names.session_token = token.map(|line| line.name.clone());
        names.session_data = data.map(|line| line.name.clone());
        names.is_stateless = ends_with("account_data").is_some();
    }
    names.deletions = deletions;
    names
}

/// The name without its prefix (RFC 6265bis section 4.1.3).
pub(crate) fn bare(name: &str) -> &str {
    let name = name.strip_prefix("__Secure-").unwrap_or(name);
    name.strip_prefix("__Host-").unwrap_or(name)
}
