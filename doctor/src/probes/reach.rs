//! Is the auth service there, and is it the one that answers? `GET /ok`, which can be disabled, so
//! that `GET /get-session` decides where it is missing.

use crate::answer::{Answer, Body};
use crate::effects::{HttpFailure, Phase};
use crate::facts::{Redirect, SessionAnswer};
use crate::probes::gate::gate_answer;
use crate::probes::{BROWSER_AGENT, Run, Stop};
use crate::wall::Wall;

/// Where Better Auth is usually mounted.
const USUAL_BASES: [&str; 6] =
    ["/api/auth", "/auth", "/api/v1/auth", "/v1/auth", "/better-auth", ""];

/// Looks for the service. Whether it is there decides about every other probe.
pub(crate) async fn run(run: &mut Run<'_>) {
    match run.send_past_walls(run.get("ok", "/ok")).await {
        Err(Stop::Failure(failure)) => no_response(run, failure).await,
        Err(Stop::Wall(wall)) => wall_found(run, wall).await,
        Ok(answer) => look_at(run, &answer).await,
    }
}

async fn look_at(run: &mut Run<'_>, answer: &Answer) {
    if answer.is_ok() {
        found(run, run.base.clone());
        return;
    }
    if let Some(redirect) = redirect(run, answer, "/ok") {
        run.facts.reach.redirect = Some(redirect);
        return;
    }
    if let Some(error) = answer.service_error("/ok") {
        run.facts.reach.service_error = Some(error);
        try_other_host(run).await;
        return;
    }
    let gate = gate_answer(answer, &run.plan.target);
    if let Some(reason) = gate.reason.filter(|_| answer.status() >= 400) {
        run.facts.reach.gate_reason = Some(reason);
        return;
    }
    let is_html = answer.status() == 200 && answer.body() == Body::Html;
    // `/ok` may be disabled, or a gate may want a session for it.
    match run.send_past_walls(run.get("get-session", "/get-session")).await {
        Ok(second) if second.session().is_some() => {
            found(run, run.base.clone());
            run.facts.reach.session = second.session();
            crate::probes::session::look_at_cache(run, &second);
        }
        Ok(second) => {
            if let Some(error) = second.service_error("/get-session") {
                run.facts.reach.service_error = Some(error);
                return;
            }
            if let Some(redirect) = redirect(run, &second, "/get-session") {
                run.facts.reach.redirect = Some(redirect);
                return;
            }
            try_other_bases(run).await;
            run.facts.reach.is_html = run.facts.reach.base.is_none() && is_html;
        }
        Err(Stop::Wall(wall)) => run.facts.reach.wall = Some(wall),
        Err(Stop::Failure(failure)) => run.facts.reach.failure = Some(failure),
    }
}

fn found(run: &mut Run<'_>, base: String) {
    run.facts.reach.base = Some(base.clone());
    run.base = base;
}

fn redirect(run: &Run<'_>, answer: &Answer, path: &str) -> Option<Redirect> {
    if !answer.is_redirect() {
        return None;
    }
    let from = run.plan.target.with_path(&[&run.base, path].concat());
    let to = from.join(answer.header("location")?)?;
    Some(Redirect { status: answer.status(), from, to })
}

/// The service is at none of its base's paths: it may be mounted elsewhere.
async fn try_other_bases(run: &mut Run<'_>) {
    let expected = run.base.clone();
    run.facts.reach.absent_at = Some(expected.clone());
    for base in USUAL_BASES {
        if base == expected || run.left() < 2 {
            continue;
        }
        let ask = run.ask("base", "GET", &[base, "/ok"].concat());
        if run.send_past_walls(ask).await.is_ok_and(|answer| answer.is_ok()) {
            found(run, base.to_owned());
            return;
        }
    }
}

/// The service fails under this host name: it may know itself by another.
async fn try_other_host(run: &mut Run<'_>) {
    let Some(service) = &run.plan.expected.service else { return };
    let service = service.value.clone();
    if service.host == run.plan.target.host {
        return;
    }
    let mut ask = run.get("other-host", "/ok");
    let port = service.port.map(|port| format!(":{port}")).unwrap_or_default();
    ask = ask.header("host", format!("{}{port}", service.host));
    if run.send_past_walls(ask).await.is_ok_and(|answer| answer.is_ok()) {
        run.facts.reach.good_at_host = Some(service.host);
    }
}

async fn no_response(run: &mut Run<'_>, failure: HttpFailure) {
    let may_be_chance = failure.phase == Phase::Http && failure.kind == "closed";
    if !may_be_chance {
        run.facts.reach.failure = Some(failure);
        return;
    }
    // A connection can break once. A service whose handler throws breaks each.
    match run.send_past_walls(run.get("ok", "/ok").fresh()).await {
        Ok(answer) => look_at(run, &answer).await,
        Err(Stop::Wall(wall)) => run.facts.reach.wall = Some(wall),
        Err(Stop::Failure(failure)) => {
            run.facts.reach.failure = Some(failure);
            try_other_host(run).await;
        }
    }
}

/// Something else answers. Whether it tells by the user agent, or answers for one of two instances
/// that is away, is asked once.
async fn wall_found(run: &mut Run<'_>, wall: Wall) {
    if let Wall::Gateway { status } = wall {
        let again = run.send_past_walls(run.get("ok", "/ok").fresh()).await;
        if again.is_ok_and(|answer| answer.is_ok()) {
            run.facts.reach.gateway_by_turns = Some(status);
            found(run, run.base.clone());
            return;
        }
    }
    let tells_by_agent = matches!(wall, Wall::Challenge { .. } | Wall::Forbidden { .. });
    if tells_by_agent {
        let ask = run.get("ok.browser", "/ok").agent(BROWSER_AGENT);
        if let Ok(answer) = run.send_past_walls(ask).await
            && answer.is_ok()
        {
            run.facts.reach.walled_by_agent = Some(wall);
            run.agent = BROWSER_AGENT.to_owned();
            found(run, run.base.clone());
            return;
        }
    }
    // A proxy may forbid `/ok` alone.
    if matches!(wall, Wall::Forbidden { .. }) {
        let second = run.send_past_walls(run.get("get-session", "/get-session")).await;
        if second.is_ok_and(|answer| answer.session() == Some(SessionAnswer::Null)) {
            found(run, run.base.clone());
            return;
        }
        // A server with pages of its own answers 403 where it has none.
        try_other_bases(run).await;
        if run.facts.reach.base.is_some() {
            return;
        }
        run.facts.reach.absent_at = None;
    }
    run.facts.reach.wall = Some(wall);
}
