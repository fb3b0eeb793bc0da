//! Does the application's page get the cookie and may it read the answers, where it has an origin
//! of its own?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::facts::{Cors, Facts, Relation};
use crate::plan::Plan;
use crate::site;
use crate::url;

pub(super) const RULES: &[Rule] = &[
    (Cause::LocalhostVs127, localhost_vs_127),
    (Cause::SamesiteLaxCrossSite, samesite_lax_cross_site),
    (Cause::ThirdPartyCookie, third_party_cookie),
    (Cause::HostOnlyCookie, host_only_cookie),
    (Cause::CorsMissing, cors_missing),
];

const SIGN_OUT: &[&str] = &["sign-out"];

fn localhost_vs_127(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let app = facts.app.origin.as_ref()?;
    let page = &plan.page;
    if !app.is_loopback() || !page.is_loopback() || app.host == page.host {
        return None;
    }
    let seen = format!("the application is at {} and the service at {}", app.host, page.host);
    Some(Finding::proof(Cause::LocalhostVs127, seen).by(SIGN_OUT).hides(Hides::These(&[
        Cause::SamesiteLaxCrossSite,
        Cause::ThirdPartyCookie,
        Cause::CorsMissing,
    ])))
}

fn same_site(facts: &Facts, relation: Relation) -> Option<&str> {
    if facts.app.relation != Some(relation) {
        return None;
    }
    Some(facts.names.token_line()?.same_site.as_deref().unwrap_or("lax"))
}

fn samesite_lax_cross_site(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let value = same_site(facts, Relation::CrossSite).filter(|value| *value != "none")?;
    let app = &facts.app.origin.as_ref()?.host;
    let seen = format!(
        "{app} and {} are two sites, and the cookie has SameSite={value}: `fetch` never sends it",
        plan.page.host
    );
    Some(
        Finding::proof(Cause::SamesiteLaxCrossSite, seen)
            .by(SIGN_OUT)
            .hides(Hides::These(&[Cause::HostOnlyCookie, Cause::CorsMissing])),
    )
}

fn third_party_cookie(facts: &Facts, plan: &Plan) -> Option<Finding> {
    same_site(facts, Relation::CrossSite).filter(|value| *value == "none")?;
    let app = &facts.app.origin.as_ref()?.host;
    let seen = format!(
        "{app} and {} are two sites, and the cookie has SameSite=None: browsers that block \
         third-party cookies drop it",
        plan.page.host
    );
    let unless = "users' browsers may allow third-party cookies";
    Some(
        Finding::strong(Cause::ThirdPartyCookie, seen, unless)
            .by(SIGN_OUT)
            .hides(Hides::These(&[Cause::CorsMissing])),
    )
}

fn host_only_cookie(facts: &Facts, plan: &Plan) -> Option<Finding> {
    if facts.app.relation != Some(Relation::SameSite) {
        return None;
    }
    let line = facts.names.token_line()?;
    let app = facts.app.origin.as_ref()?;
    let reaches = line.domain.as_ref().is_some_and(|domain| site::covers(domain, &app.host));
    if reaches || url::is_address(&app.host) {
        return None;
    }
    let scope = line.domain.as_ref().map_or_else(
        || format!("has no Domain, so that only {} gets it", plan.page.host),
        |domain| format!("has Domain={domain}"),
    );
    let seen = format!("{} {scope}; {} does not", line.name, app.host);
    let unless = "the application may never read the cookie on its own host";
    Some(
        Finding::strong(Cause::HostOnlyCookie, seen, unless)
            .by(SIGN_OUT)
            .hides(Hides::These(&[Cause::CorsMissing])),
    )
}

fn cors_missing(facts: &Facts, _: &Plan) -> Option<Finding> {
    let app = facts.app.origin.as_ref()?.origin();
    if matches!(facts.app.relation?, Relation::SameOrigin) {
        return None;
    }
    let wrong = |cors: &Cors| match cors.allow_origin.as_deref() {
        None => Some("has no Access-Control-Allow-Origin".to_owned()),
        Some("*") => Some("allows \"*\", which does not count with credentials".to_owned()),
        Some(origin) if origin != app => Some("allows another origin".to_owned()),
        Some(_) if !cors.allow_credentials => {
            Some("has no Access-Control-Allow-Credentials: true".to_owned())
        }
        Some(_) => None,
    };
    let preflight = facts.app.preflight.as_ref()?;
    let refused = (!(200..300).contains(&preflight.status))
        .then(|| format!("is answered with {}", preflight.status));
    let of_preflight = refused.or_else(|| wrong(preflight));
    let of_actual = facts.app.actual.as_ref().and_then(wrong);
    let seen = match (of_preflight, of_actual) {
        (Some(wrong), _) => format!("a preflight of {app} {wrong}"),
        (None, Some(wrong)) => format!("the response to a request of {app} {wrong}"),
        (None, None) => return None,
    };
    Some(Finding::proof(Cause::CorsMissing, seen).by(&["preflight", "cross-origin"]))
}
