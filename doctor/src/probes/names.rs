//! `POST /sign-out` with nothing: the service deletes its cookies by their real names and with
//! their real attributes. It ends no session, because none is sent.

use crate::cookie_line::CookieLine;
use crate::facts::Names;
use crate::probes::{Run, Stop};

/// Asks for the cookies' names and attributes.
pub(crate) async fn run(run: &mut Run<'_>) {
    let answer = match run.send_past_walls(run.post("sign-out", "/sign-out")).await {
        Ok(answer) => answer,
        Err(Stop::Wall(wall)) => {
            run.facts.oracle.wall = Some(wall);
            return;
        }
        Err(Stop::Failure(_)) => return,
    };
    run.facts.clock.service_millis = answer.clock_millis();
    let is_success = answer.status() == 200
        && answer.member("success").and_then(serde_json::Value::as_bool) == Some(true);
    let code = answer.code().unwrap_or_default();
    run.facts.arrival.cookie_is_added = matches!(code, "MISSING_OR_NULL_ORIGIN" | "INVALID_ORIGIN");
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
    run.facts.names = names;
}

/// The name without its prefix (RFC 6265bis section 4.1.3).
pub(crate) fn bare(name: &str) -> &str {
    let name = name.strip_prefix("__Secure-").unwrap_or(name);
    name.strip_prefix("__Host-").unwrap_or(name)
}
