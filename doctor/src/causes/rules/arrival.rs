//! Do cookies arrive at the service, and is the application's origin trusted?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::facts::Facts;
use crate::plan::Plan;
use crate::url::Url;

pub(super) const RULES: &[Rule] = &[
    (Cause::CookieHeaderStripped, cookie_header_stripped),
    (Cause::PreviewHostDiffers, preview_host_differs),
    (Cause::OriginNotTrusted, origin_not_trusted),
    (Cause::OriginCheckOff, origin_check_off),
];

fn cookie_header_stripped(facts: &Facts, _: &Plan) -> Option<Finding> {
    if facts.arrival.cookie != Some(false) {
        return None;
    }
    let seen = "a chunk of a cookie cache was sent with /sign-out, and the service did not delete \
                it, as it does with every chunk that it sees: `Cookie` does not arrive";
    // Chunks are known since 1.4.
    let finding = if facts.reach.forbids_storing {
        Finding::proof(Cause::CookieHeaderStripped, seen)
    } else {
        let unless =
            "Better Auth before 1.4, with its check of origins switched off, answers alike";
        Finding::strong(Cause::CookieHeaderStripped, seen, unless)
    };
    Some(finding.by(&["sign-out.origin", "sign-out.no-origin"]))
}

/// The origin that was refused, where there is one.
fn refused<'f>(facts: &'f Facts, plan: &Plan) -> Option<&'f str> {
    let origin = plan.app_origin();
    let (origin, is_trusted) = facts.arrival.origins.get_key_value(&origin)?;
    (!is_trusted).then_some(origin)
}

/// The page's host is another than that of the service's URL, which the service does trust.
fn preview_host_differs(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let origin = refused(facts, plan)?;
    let service = &plan.expected.service.as_ref()?.value;
    let host = Url::parse(origin)?.host;
    if plan.app.is_some() || service.host == host || plan.target.is_loopback() {
        return None;
    }
    if facts.arrival.origins.get(&service.origin()) != Some(&true) || !is_preview(&host) {
        return None;
    }
    let seen = format!(
        "{host} is a preview of a deployment whose service knows itself as {}: it does not trust \
         {origin}",
        service.origin()
    );
    let unless = "the preview may have an auth service of its own that was given the wrong URL";
    Some(
        Finding::strong(Cause::PreviewHostDiffers, seen, unless)
            .by(&["sign-out.origin", "sign-out.other-origin"]),
    )
}

fn is_preview(host: &str) -> bool {
    [".vercel.app", ".pages.dev", ".netlify.app", ".workers.dev", ".onrender.com", ".fly.dev"]
        .iter()
        .any(|suffix| host.ends_with(suffix))
}

fn origin_not_trusted(facts: &Facts, plan: &Plan) -> Option<Finding> {
    if facts.arrival.origin_is_lost {
        let origin = plan.app_origin();
        let seen = format!(
            "a request with the origin {origin} is refused as one without any \
             (MISSING_OR_NULL_ORIGIN): something on the way removes `Origin`"
        );
        let unless = "something on the way may write `null` there";
        return Some(
            Finding::strong(Cause::OriginNotTrusted, seen, unless)
                .by(&["sign-out.origin", "sign-out.no-origin"])
                .fix("Let the proxy pass `Origin` on.".to_owned()),
        );
    }
    let varies = facts.arrival.origin_varies.then(|| plan.app_origin());
    let origin = varies.as_deref().or_else(|| refused(facts, plan))?;
    if facts.arrival.origin_varies {
        let seen = format!(
            "the service refuses the origin {origin} (INVALID_ORIGIN) in some answers, and trusts \
             it in others: instances have different settings"
        );
        return Some(
            Finding::proof(Cause::OriginNotTrusted, seen)
                .by(&["sign-out.origin"])
                .fix("Give every instance the same base URL and `trustedOrigins`.".to_owned()),
        );
    }
    // The service is looked at from this machine, and its page is elsewhere and trusted.
    let seen = format!("the service refuses the origin {origin} (INVALID_ORIGIN)");
    let trusted: Vec<&str> = facts
        .arrival
        .origins
        .iter()
        .filter(|(_, is_trusted)| **is_trusted)
        .map(|(origin, _)| origin.as_str())
        .collect();
    let seen = match trusted.first() {
        Some(other) => format!("{seen}, and trusts {other}"),
        None => seen,
    };
    Some(
        Finding::proof(Cause::OriginNotTrusted, seen)
            .by(&["sign-out.origin", "sign-out.other-origin"])
            .fix(format!(
                "Add \"{origin}\" to `trustedOrigins` (or give previews by a pattern), or set \
                 BETTER_AUTH_URL to the origin that users see."
            ))
            .hides(Hides::These(&[Cause::HostOnlyCookie, Cause::CorsMissing])),
    )
}

fn origin_check_off(facts: &Facts, _: &Plan) -> Option<Finding> {
    if facts.arrival.checks_origin != Some(false) || facts.arrival.cookie != Some(true) {
        return None;
    }
    let seen = "/sign-out with a cookie and without `Origin` is answered with 200: the service \
                does not look at origins";
    Some(
        Finding::hint(Cause::OriginCheckOff, seen)
            .by(&["sign-out.no-origin", "sign-out.origin"])
            .hides(Hides::Nothing),
    )
}
