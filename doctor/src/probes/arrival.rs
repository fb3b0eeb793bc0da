//! Does `Cookie` arrive at the service, and does it trust the application's origin?
//!
//! `POST /sign-out` with a chunk of a cookie cache and an `Origin`: a service that sees the chunk
//! deletes it, and one that does not trust the origin refuses. Then the same without `Origin`,
//! which a service refuses that looks at origins at all. No session is sent, so none ends.

use crate::probes::{Run, Stop, names};

/// Sends the questions.
pub(crate) async fn run(run: &mut Run<'_>) {
    let origin = run.plan.app_origin();
    let chunk = run.facts.names.session_data.as_ref().map(|name| format!("{name}.0"));
    with_origin(run, &origin, chunk.as_deref()).await;
    if run.facts.arrival.origins.get(&origin) == Some(&false) {
        // Of two instances one may trust it.
        with_origin(run, &origin, chunk.as_deref()).await;
        names::again(run).await;
    }
    without_origin(run).await;
    let is_plain = run.facts.names.token_line().is_some_and(|line| !line.is_secure);
    let is_refused = run.facts.arrival.origins.get(&origin) == Some(&false);
    if is_refused || (run.plan.page.is_https && is_plain) {
        try_others(run, &origin, is_refused).await;
    }
}

async fn with_origin(run: &mut Run<'_>, origin: &str, chunk: Option<&str>) {
    let name = chunk.unwrap_or("doorward_probe");
    let ask = run
        .post("sign-out.origin", "/sign-out")
        .header("cookie", format!("{name}=1"))
        .header("origin", origin);
    let answer = match run.send_past_walls(ask).await {
        Ok(answer) => answer,
        Err(stop) => {
            run.facts.oracle.wall = stop.wall();
            return;
        }
    };
    names::compare(run, &answer);
    let is_other = run.facts.names.other_session_token.is_some();
    let arrival = &mut run.facts.arrival;
    // What something adds on the way is no cookie of ours.
    let is_asked = matches!(answer.code(), Some("MISSING_OR_NULL_ORIGIN" | "INVALID_ORIGIN"));
    if is_asked && !arrival.cookie_is_added {
        arrival.cookie = Some(true);
    }
    match answer.code() {
        Some("MISSING_OR_NULL_ORIGIN") => {
            arrival.origin_is_lost = true;
        }
        Some("INVALID_ORIGIN") => {
            let before = arrival.origins.insert(origin.to_owned(), false);
            arrival.origin_varies |= before == Some(true);
        }
        _ if !answer.is_success() => {}
        _ if chunk.is_some_and(|chunk| answer.deletes(chunk)) => {
            arrival.cookie = Some(true);
            let before = arrival.origins.insert(origin.to_owned(), true);
            arrival.origin_varies |= before == Some(false);
        }
        // Without deletion lines nothing can be told from their absence; and an instance with other
        // names deletes others.
        _ if chunk.is_some() && answer.deletion_count() > 0 && !is_other => {
            arrival.cookie = Some(false);
        }
        _ => {}
    }
}

async fn without_origin(run: &mut Run<'_>) {
    let ask = run.post("sign-out.no-origin", "/sign-out").header("cookie", "doorward_probe=1");
    let answer = match run.send_past_walls(ask).await {
        Ok(answer) => answer,
        Err(Stop::Wall(wall)) => {
            run.facts.oracle.wall = Some(wall);
            return;
        }
        Err(Stop::Failure(_)) => return,
    };
    match (answer.status(), answer.code()) {
        (403, Some("MISSING_OR_NULL_ORIGIN" | "INVALID_ORIGIN")) => {
            run.facts.arrival.checks_origin = Some(true);
            if !run.facts.arrival.cookie_is_added {
                run.facts.arrival.cookie = Some(true);
            }
        }
        // A cookie that does not arrive is nothing to ask an origin for.
        (200, _) if run.facts.arrival.cookie == Some(true) && answer.is_success() => {
            run.facts.arrival.checks_origin = Some(false);
        }
        _ => {}
    }
}

/// Does the service take its own URL for http, and whom does it trust instead?
async fn try_others(run: &mut Run<'_>, origin: &str, is_refused: bool) {
    let mut others = Vec::new();
    let page = run.plan.page.origin();
    if let Some(rest) = page.strip_prefix("https://") {
        others.push(format!("http://{rest}"));
    }
    if let Some(service) = &run.plan.expected.service
        && is_refused
    {
        others.push(service.value.origin());
    }
    // A base URL of development is a mistake that many make.
    if is_refused {
        others.push("http://localhost:3000".to_owned());
    }
    others.retain(|other| other != origin);
    others.dedup();
    for other in others {
        let ask = run
            .post("sign-out.other-origin", "/sign-out")
            .header("cookie", "doorward_probe=1")
            .header("origin", other.as_str());
        if let Ok(answer) = run.send_past_walls(ask).await {
            let is_trusted = answer.is_success();
            let is_refused = answer.code() == Some("INVALID_ORIGIN");
            if is_trusted || is_refused {
                run.facts.arrival.origins.insert(other, is_trusted);
            }
        }
    }
}
