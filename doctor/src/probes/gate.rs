//! What a gate answers at a protected path: to nothing, and to a made-up session that is signed
//! with the service's own secret. Its reason says whether it has the same one.

use serde_json::Value;

use crate::answer::{Answer, is_word};
use crate::facts::GateAnswer;
use crate::probes::session::{cache_hit, storable};
use crate::probes::{Ask, Run, names};
use crate::secret::Secret;
use crate::url::Url;

/// Asks the gate.
pub(crate) async fn run(run: &mut Run<'_>) {
    let Some(gate) = run.plan.gate.clone() else { return };
    run.facts.gate.is_asked = true;
    let ask = Run::ask_elsewhere("gate.anonymous", "GET", gate.clone());
    let answer = match run.send(ask).await {
        Ok(answer) => answer,
        Err(failure) => {
            run.facts.gate.failure = Some(failure);
            return;
        }
    };
    if answer.status() == 200 {
        run.facts.gate.cached = cache_hit(&answer);
    }
    run.facts.clock.other_millis = answer.clock_millis();
    run.facts.clock.other_host = Some(gate.host.clone());
    let anonymous = gate_answer(&answer, &gate);
    let is_gate = anonymous.reason.is_some();
    let is_open = answer.status() == 200 && !is_gate;
    run.facts.gate.anonymous = Some(anonymous);
    if is_open {
        ambiguous_path(run, &gate).await;
    }
    prefetch(run, &gate).await;
    if is_gate && run.facts.oracle.knows.is_some() {
        signed(run, &gate).await;
    }
}

/// A path with an encoded slash, which every gate refuses whatever its rules say: does one run?
async fn ambiguous_path(run: &mut Run<'_>, gate: &Url) {
    let url = gate.with_path(&[gate.base(), "/%2F"].concat());
    if let Ok(answer) = run.send(Run::ask_elsewhere("gate.ambiguous", "GET", url)).await {
        let reason = gate_answer(&answer, gate).reason;
        run.facts.gate.runs = Some(reason.as_deref() == Some("path_refused"));
    }
}

/// A prefetch of a router: a redirect to it must not be kept.
async fn prefetch(run: &mut Run<'_>, gate: &Url) {
    let ask = Run::ask_elsewhere("gate.prefetch", "GET", gate.clone())
        .header("accept", "*/*")
        .header("rsc", "1")
        .header("next-router-prefetch", "1");
    if let Ok(answer) = run.send(ask).await
        && answer.is_redirect()
    {
        run.facts.gate.prefetch = storable(&answer);
    }
}

/// A session that belongs to no user. The secret is the one that the service has proved to know.
async fn signed(run: &mut Run<'_>, gate: &Url) {
    let (Some(name), Some(secret)) =
        (run.facts.names.session_token.clone(), run.plan.expected.secret.clone())
    else {
        return;
    };
    if run.facts.oracle.knows != Some(true) {
        return;
    }
    let first = with_cookie(run, gate, "gate.signed", &name, &secret.value).await;
    let is_blind = first.as_ref().is_some_and(|answer| {
        matches!(answer.reason.as_deref(), Some("no_credential" | "session_required"))
    });
    run.facts.gate.signed = first;
    if !is_blind {
        return;
    }
    // The gate does not see a cookie of the service's name: does it look for another?
    let bare = names::bare(&name).to_owned();
    let other = if bare == name { format!("__Secure-{bare}") } else { bare };
    let default = other.replace(names::bare(&other), "better-auth.session_token");
    let mut candidates = vec![other, default, run.plan.expected_token_name()];
    candidates.retain(|candidate| *candidate != name);
    candidates.dedup();
    for candidate in candidates {
        let answer = with_cookie(run, gate, "gate.renamed", &candidate, &secret.value).await;
        let Some(answer) = answer else { return };
        if answer.reason.as_deref() != Some("no_credential") {
            run.facts.gate.renamed = Some((candidate, answer));
            return;
        }
    }
}

async fn with_cookie(
    run: &mut Run<'_>,
    gate: &Url,
    id: &'static str,
    name: &str,
    secret: &Secret,
) -> Option<GateAnswer> {
    let token = run.random_text(32).await;
    let cookie = format!("{name}={}", secret.probe().signed_cookie(&token));
    let ask: Ask = Run::ask_elsewhere(id, "GET", gate.clone()).header("cookie", cookie);
    let answer = run.send(ask).await.ok()?;
    Some(gate_answer(&answer, gate))
}

/// The reason is in the problem document (RFC 9457), and with `debug_header` in a header.
pub(crate) fn gate_answer(answer: &Answer, gate: &Url) -> GateAnswer {
    let in_body = answer.member("reason").and_then(Value::as_str);
    let in_header = answer.header("doorward-decision").map(|value| {
        value.split([' ', ';', ',']).find(|word| word.contains('_')).unwrap_or_default()
    });
    let reason = in_body.or(in_header).filter(|reason| is_word(reason) && !reason.is_empty());
    GateAnswer {
        status: answer.status(),
        reason: reason.map(str::to_owned),
        location: answer.header("location").and_then(|location| gate.join(location)),
        platform: answer.platform_error(),
    }
}
