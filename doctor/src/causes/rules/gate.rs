//! Does the gate run, and with which secret?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::facts::{Facts, GateAnswer};
use crate::plan::Plan;
use crate::probes::failure_words;

pub(super) const RULES: &[Rule] = &[
    (Cause::GateConfigurationWrong, gate_configuration_wrong),
    (Cause::SecretBundledAtBuild, secret_bundled_at_build),
    (Cause::GateDoubt, gate_doubt),
    (Cause::GateSecretDiffers, gate_secret_differs),
    (Cause::PageCachedStatic, page_cached_static),
    (Cause::ProxyFileNotRun, proxy_file_not_run),
    (Cause::PrefetchRedirectCached, prefetch_redirect_cached),
    (Cause::GateRouteDenied, gate_route_denied),
];

const ASKED: &[&str] = &["gate.anonymous", "gate.signed"];

fn reason(answer: Option<&GateAnswer>) -> Option<&str> {
    answer?.reason.as_deref()
}

/// The reason of either answer, where it is one of these.
fn either<'f>(facts: &'f Facts, reasons: &[&str]) -> Option<&'f str> {
    let gate = &facts.gate;
    let before_service = facts.reach.gate_reason.as_deref();
    [before_service, reason(gate.signed.as_ref()), reason(gate.anonymous.as_ref())]
        .into_iter()
        .flatten()
        .find(|reason| reasons.contains(reason))
}

/// The configuration that is here would not start either.
fn gate_configuration_wrong(facts: &Facts, plan: &Plan) -> Option<Finding> {
    either(facts, &["not_started"])?;
    let mistake = plan.config_mistake.as_ref()?;
    let seen = format!(
        "the gate says not_started, and a gate would not start with what is here: {mistake}"
    );
    let unless = "the gate may have another configuration than the one that is here";
    Some(Finding::strong(Cause::GateConfigurationWrong, seen, unless).by(ASKED).hides(
        Hides::These(&[Cause::SecretBundledAtBuild, Cause::GateDoubt, Cause::GateRouteDenied]),
    ))
}

fn secret_bundled_at_build(facts: &Facts, _: &Plan) -> Option<Finding> {
    either(facts, &["not_started"])?;
    let seen = match facts.reach.base {
        Some(_) => "the gate says not_started, and the auth service answers",
        None => "the gate says not_started",
    };
    let unless =
        "the gate's configuration may be wrong in another way; its first log line says how";
    Some(
        Finding::strong(Cause::SecretBundledAtBuild, seen, unless)
            .by(ASKED)
            .hides(Hides::These(&[Cause::GateDoubt, Cause::GateRouteDenied])),
    )
}

fn gate_doubt(facts: &Facts, _: &Plan) -> Option<Finding> {
    if let Some(failure) = &facts.gate.failure {
        let seen = format!("the gate gives {}", failure_words(failure));
        let unless = "this machine may not reach the gate's address";
        return Some(Finding::strong(Cause::GateDoubt, seen, unless).by(ASKED));
    }
    let reasons = ["session_unavailable", "keys_unavailable", "revocation_unavailable"];
    let reason = either(facts, &reasons)?;
    let seen =
        format!("the gate says {reason}: it cannot ask the auth service, which answers here");
    Some(Finding::proof(Cause::GateDoubt, seen).by(ASKED))
}

/// The service knows the secret: the same made-up session tells whether the gate does.
fn gate_secret_differs(facts: &Facts, _: &Plan) -> Option<Finding> {
    let signed = facts.gate.renamed.as_ref().map(|(_, answer)| answer);
    let signed = signed.or(facts.gate.signed.as_ref());
    if reason(signed) != Some("signature_invalid") || facts.oracle.knows != Some(true) {
        return None;
    }
    let seen = "the service recognises a cookie that is signed with the secret at hand, and the \
                gate says signature_invalid to one";
    Some(Finding::proof(Cause::GateSecretDiffers, seen).by(&[
        "oracle.plain",
        "gate.signed",
        "gate.renamed",
    ]))
}

fn page_cached_static(facts: &Facts, _: &Plan) -> Option<Finding> {
    let (name, value) = facts.gate.cached.as_ref()?;
    let seen =
        format!("the protected page comes from a cache ({name}: {value}), without a session");
    Some(Finding::proof(Cause::PageCachedStatic, seen).by(ASKED))
}

fn proxy_file_not_run(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let answer = facts.gate.anonymous.as_ref()?;
    let is_gated = answer.reason.is_some() || facts.gate.runs == Some(true);
    if answer.status != 200 || is_gated || facts.gate.cached.is_some() {
        return None;
    }
    let path = plan.gate.as_ref().map(|gate| gate.path.clone()).unwrap_or_default();
    let seen =
        format!("{path} is answered with 200 to a request without a session, and no gate shows");
    let unless = "a rule may make this path public";
    Some(Finding::strong(Cause::ProxyFileNotRun, seen, unless).by(ASKED))
}

fn prefetch_redirect_cached(facts: &Facts, _: &Plan) -> Option<Finding> {
    let value = facts.gate.prefetch.as_ref()?;
    let seen = format!("a prefetch without a session gets a redirect that may be kept ({value})");
    let unless = "the router may not keep redirects";
    Some(Finding::strong(Cause::PrefetchRedirectCached, seen, unless).by(&["gate.prefetch"]))
}

fn gate_route_denied(facts: &Facts, plan: &Plan) -> Option<Finding> {
    if let Some(reason) = &facts.reach.gate_reason {
        let base = &plan.base.value;
        let seen = format!("a gate answers {base}/ok in place of the auth service: {reason}");
        return Some(Finding::proof(Cause::GateRouteDenied, seen).by(&["ok"]).fix(format!(
            "Make the paths of the auth service public: {{ \"path\": \"{base}/**\", \"access\": \
             \"public\" }}; the preset `better-auth` does."
        )));
    }
    let reasons = ["route_denied", "forbidden", "cross_site_request"];
    let reason = reason(facts.gate.anonymous.as_ref()).filter(|reason| reasons.contains(reason))?;
    let seen = format!("the gate says {reason} to a plain GET of this path");
    Some(Finding::proof(Cause::GateRouteDenied, seen).by(ASKED))
}
