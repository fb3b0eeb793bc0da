//! Which cookies does the service set, and do browsers keep them?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::facts::Facts;
use crate::plan::Plan;
use crate::probes::names::bare;
use crate::site;
use crate::url::{self, Url};

pub(super) const RULES: &[Rule] = &[
    (Cause::SetCookieStripped, set_cookie_stripped),
    (Cause::SetCookieJoined, set_cookie_joined),
    (Cause::CookieAttributesRefused, cookie_attributes_refused),
    (Cause::CookiePathNarrow, cookie_path_narrow),
    (Cause::UrlMissing, url_missing),
    (Cause::HttpBaseUrlBehindTls, http_base_url_behind_tls),
    (Cause::SecureCookieOnHttp, secure_cookie_on_http),
    (Cause::SecurePrefixDiffers, secure_prefix_differs),
    (Cause::CookieNameDiffers, cookie_name_differs),
    (Cause::CookieDomainPublicSuffix, cookie_domain_public_suffix),
    (Cause::RewritesLoseDomain, rewrites_lose_domain),
    (Cause::CookieDomainForeign, cookie_domain_foreign),
    (Cause::SafariLocalhostSecure, safari_localhost_secure),
    (Cause::StatelessByAccident, stateless_by_accident),
];

const SIGN_OUT: &[&str] = &["sign-out"];

fn set_cookie_stripped(facts: &Facts, _: &Plan) -> Option<Finding> {
    let names = &facts.names;
    if !names.is_success || !names.deletions.is_empty() {
        return None;
    }
    let seen =
        "the service signs out and deletes no cookie: its Set-Cookie lines do not arrive here";
    Some(
        Finding::proof(Cause::SetCookieStripped, seen)
            .by(SIGN_OUT)
            .hides(Hides::These(&[Cause::CookieHeaderStripped, Cause::OriginCheckOff])),
    )
}

fn set_cookie_joined(facts: &Facts, _: &Plan) -> Option<Finding> {
    let names = &facts.names;
    if !names.is_success || names.joined_lines == 0 {
        return None;
    }
    let seen = format!(
        "{} cookies come in {} Set-Cookie line(s), joined by commas: browsers read the first",
        names.deletions.len(),
        names.joined_lines
    );
    Some(Finding::proof(Cause::SetCookieJoined, seen).by(SIGN_OUT))
}

/// What a name promises (RFC 6265bis section 4.1.3), and what goes with SameSite=None.
fn cookie_attributes_refused(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let line = facts.names.token_line()?;
    let name = &line.name;
    let has_host = name.starts_with("__Host-");
    let wrong = if !plan.page.is_https {
        return None;
    } else if (name.starts_with("__Secure-") || has_host) && !line.is_secure {
        format!("{name} comes without Secure, which its prefix promises")
    } else if has_host && line.domain.is_some() {
        format!("{name} comes with Domain, which its prefix forbids")
    } else if has_host && line.path.as_deref() != Some("/") {
        format!("{name} comes without Path=/, which its prefix promises")
    } else if line.same_site.as_deref() == Some("none") && !line.is_secure {
        format!("{name} comes with SameSite=None and without Secure")
    } else {
        return None;
    };
    let seen = format!("{wrong}: browsers drop it");
    Some(
        Finding::proof(Cause::CookieAttributesRefused, seen)
            .by(SIGN_OUT)
            .hides(Hides::These(&[Cause::HttpBaseUrlBehindTls])),
    )
}

/// RFC 6265 section 5.1.4.
fn is_below(path: &str, cookie_path: &str) -> bool {
    let rest = path.strip_prefix(cookie_path);
    rest.is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

fn cookie_path_narrow(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let line = facts.names.token_line()?;
    let path = line.path.as_deref().filter(|path| path.starts_with('/'))?;
    let base = facts.reach.base.as_ref()?;
    let session = [base, "/get-session"].concat();
    if !is_below(&session, path) {
        let seen = format!("{} has Path={path}: browsers do not send it to {session}", line.name);
        return Some(Finding::proof(Cause::CookiePathNarrow, seen).by(SIGN_OUT));
    }
    let gate = plan.gate.as_ref()?;
    if is_below(&gate.path, path) {
        return None;
    }
    let seen = format!("{} has Path={path}: browsers do not send it to {}", line.name, gate.path);
    Some(Finding::proof(Cause::CookiePathNarrow, seen).by(SIGN_OUT))
}

/// Neither the page's origin nor the same by http is trusted, and the cookie is made for http: one
/// base URL that is another explains both.
fn base_url_is_another(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let line = facts.names.token_line()?;
    let page = plan.page.origin();
    let trusts = |origin: &str| facts.arrival.origins.get(origin).copied();
    let as_http = page.replacen("https://", "http://", 1);
    let is_plain = !line.is_secure && !line.name.starts_with("__Secure-");
    let is_refused = trusts(&page) == Some(false) && trusts(&as_http) == Some(false);
    if !plan.page.is_https || !is_plain || !is_refused || facts.arrival.origin_varies {
        return None;
    }
    const LOCAL: &str = "http://localhost:3000";
    let seen = format!(
        "the service sets {} without Secure, and does not trust {page} or {as_http}: it takes its \
         own URL for another{}",
        line.name,
        if trusts(LOCAL) == Some(true) { ", and trusts http://localhost:3000" } else { "" }
    );
    let unless = "the base URL may be set to an address of the inside, or Secure may be switched \
                  off and the origin be missing from `trustedOrigins`";
    Some(
        Finding::strong(Cause::UrlMissing, seen, unless)
            .by(&["sign-out", "sign-out.origin", "sign-out.other-origin"])
            .hides(Hides::These(&[
                Cause::HttpBaseUrlBehindTls,
                Cause::SecurePrefixDiffers,
                Cause::OriginNotTrusted,
            ])),
    )
}

/// A fresh token says an address of the inside: the service takes the host that it is asked by.
fn url_missing(facts: &Facts, plan: &Plan) -> Option<Finding> {
    by_issuer(facts, plan).or_else(|| base_url_is_another(facts, plan))
}

fn by_issuer(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let token = facts.token.as_ref().filter(|token| token.is_fresh)?;
    let iss = Url::parse(token.iss.as_ref()?)?;
    let is_stated = plan
        .expected
        .issuer
        .as_ref()
        .is_some_and(|stated| Some(&stated.value) == token.iss.as_ref());
    if plan.page.is_loopback() || is_stated || iss.host == plan.page.host {
        return None;
    }
    let is_internal = iss.is_loopback()
        || url::is_address(&iss.host)
        || !iss.host.contains('.')
        || [".internal", ".local", ".svc"].iter().any(|end| iss.host.ends_with(end));
    if !is_internal {
        return None;
    }
    let seen = format!("`iss` of a fresh token is {}, an address of the inside", iss.origin());
    let unless = "the service's base URL may be set to that address";
    Some(Finding::strong(Cause::UrlMissing, seen, unless).by(&["deep", "sign-in.session"]).hides(
        Hides::These(&[
            Cause::HttpBaseUrlBehindTls,
            Cause::SecurePrefixDiffers,
            Cause::OriginNotTrusted,
            Cause::IssuerHost,
            Cause::IssuerScheme,
            Cause::AudienceDiffers,
        ]),
    ))
}

/// The page is https and the cookie is made for http. The scheme of the service's own URL tells it
/// from `useSecureCookies: false`.
fn http_base_url_behind_tls(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let line = facts.names.token_line()?;
    if !plan.page.is_https || line.is_secure || line.name.starts_with("__Secure-") {
        return None;
    }
    let as_http = plan.page.origin().replacen("https://", "http://", 1);
    let trusts = |origin: &str| facts.arrival.origins.get(origin).copied();
    let says_http = plan.expected.service.as_ref().is_some_and(|url| !url.value.is_https);
    let trusts_http = trusts(&as_http) == Some(true);
    let token_says_http = facts
        .token
        .as_ref()
        .filter(|token| token.is_fresh)
        .and_then(|token| token.iss.as_ref())
        .is_some_and(|iss| iss.starts_with("http://"));
    if !says_http && !trusts_http && !token_says_http {
        return None;
    }
    let seen = format!(
        "the page is https, and the service sets {} without Secure: it takes its own URL for http",
        line.name
    );
    Some(
        Finding::proof(Cause::HttpBaseUrlBehindTls, seen)
            .by(&["sign-out", "sign-out.origin", "sign-out.other-origin"])
            .hides(Hides::These(&[
                Cause::SecurePrefixDiffers,
                Cause::OriginNotTrusted,
                Cause::IssuerScheme,
            ])),
    )
}

fn secure_cookie_on_http(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let line = facts.names.token_line()?;
    let needs_https = line.is_secure || line.name.starts_with("__Secure-");
    if plan.page.is_https || !needs_https {
        return None;
    }
    let seen = format!("the page is http, and {} needs https", line.name);
    Some(
        if plan.page.is_loopback() {
            let unless =
                "Chromium and Firefox keep Secure cookies of http://localhost; Safari does not";
            Finding::strong(Cause::SecureCookieOnHttp, seen, unless).by(SIGN_OUT)
        } else {
            Finding::proof(Cause::SecureCookieOnHttp, seen).by(SIGN_OUT)
        }
        .hides(Hides::These(&[
            Cause::SecurePrefixDiffers,
            Cause::SafariLocalhostSecure,
            Cause::OriginNotTrusted,
        ])),
    )
}

fn secure_prefix_differs(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let real = facts.names.session_token.as_ref()?;
    let pasted = facts.pasted.other_name.as_ref().filter(|_| facts.pasted.token.is_none());
    if let Some(other) = pasted
        && bare(other) == bare(real)
    {
        let seen = format!("the pasted header has {other}, and the service reads {real}");
        return Some(
            Finding::proof(Cause::SecurePrefixDiffers, seen)
                .by(SIGN_OUT)
                .hides(Hides::These(&[Cause::NoSessionCookie])),
        );
    }
    let has = |name: &str| name.starts_with("__Secure-");
    let other = facts.names.other_session_token.as_ref();
    if let Some(other) = other.filter(|other| has(other) != has(real)) {
        let seen = format!(
            "the service sets {real} in some answers and {other} in others: instances have \
             different base URLs or settings"
        );
        return Some(
            Finding::proof(Cause::SecurePrefixDiffers, seen)
                .by(&["sign-out", "sign-out.origin", "sign-out.again"])
                .fix("Give every instance of the auth service the same base URL.")
                .hides(Hides::These(&[Cause::OriginNotTrusted])),
        );
    }
    let expected = plan.expected_token_name();
    if has(real) == has(&expected) {
        return None;
    }
    let seen = format!("the gate looks for {expected}, and the service sets {real}");
    let says = plan.expected.secure_cookies.is_some()
        || plan.expected.service.is_some()
        || plan.page.is_https;
    says.then(|| {
        Finding::proof(Cause::SecurePrefixDiffers, seen).by(SIGN_OUT).fix(format!(
            "Let both follow the same URL, or set `secure_cookies` to {} in the gate's \
             configuration.",
            has(real)
        ))
    })
}

fn cookie_name_differs(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let real = facts.names.session_token.as_ref()?;
    let other = facts.names.other_session_token.as_ref();
    if let Some(other) = other.filter(|other| bare(other) != bare(real)) {
        let seen = format!(
            "the service sets {real} in some answers and {other} in others: instances have \
             different settings"
        );
        return Some(
            Finding::proof(Cause::CookieNameDiffers, seen)
                .by(&["sign-out", "sign-out.origin", "sign-out.again"])
                .fix("Give every instance of the auth service the same `cookiePrefix`."),
        );
    }
    let renamed = facts.gate.renamed.as_ref();
    let expected = plan.expected_token_name();
    if let Some((other, _)) = renamed
        && bare(other) != bare(real)
    {
        let seen = format!("the gate ignores {real}, which the service sets, and reads {other}");
        return Some(
            Finding::proof(Cause::CookieNameDiffers, seen).by(&["gate.signed", "gate.renamed"]),
        );
    }
    if bare(real) == bare(&expected) {
        return None;
    }
    // Variables alone are a gate's configuration; with nothing at hand nobody expects a name.
    let known = &plan.expected;
    let has_own_name = known.cookie_prefix.is_some() || known.session_token_cookie.is_some();
    let has_gate = known.secret.is_some() || known.service.is_some() || plan.gate.is_some();
    let is_expected = has_own_name || has_gate;
    Some(
        if is_expected {
            let seen = format!("the service sets {real}, and the gate looks for {expected}");
            Finding::proof(Cause::CookieNameDiffers, seen)
        } else {
            let seen = format!("the service sets {real}: whoever reads it has to know the name");
            Finding::hint(Cause::CookieNameDiffers, seen)
        }
        .by(SIGN_OUT)
        .fix(fix_name(real)),
    )
}

fn fix_name(real: &str) -> String {
    match bare(real).strip_suffix(".session_token") {
        Some(prefix) => format!("Set `cookie_prefix` to \"{prefix}\" in the gate's configuration."),
        None => {
            format!("Set `session_token_cookie` to \"{}\" in the gate's configuration.", bare(real))
        }
    }
}

fn cookie_domain_public_suffix(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let domain = facts.names.token_line()?.domain.as_ref()?;
    if !plan.suffixes.is_public_suffix(domain) {
        return None;
    }
    let seen = format!("Domain={domain} is a public suffix: browsers drop the cookie");
    Some(
        Finding::proof(Cause::CookieDomainPublicSuffix, seen)
            .by(SIGN_OUT)
            .hides(Hides::These(&[Cause::CookieDomainForeign, Cause::RewritesLoseDomain])),
    )
}

fn is_foreign<'f>(facts: &'f Facts, plan: &Plan) -> Option<&'f str> {
    let domain = facts.names.token_line()?.domain.as_deref()?;
    (!domain.is_empty() && !site::covers(domain, &plan.page.host)).then_some(domain)
}

/// The application's own URL answers with a cookie of the service's host: a rewrite is between.
fn rewrites_lose_domain(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let domain = is_foreign(facts, plan)?;
    let service = plan.expected.service.as_ref()?;
    if service.value.host == plan.page.host || !site::covers(domain, &service.value.host) {
        return None;
    }
    let seen = format!(
        "{} answers for the service at {}, whose cookies have Domain={domain}: browsers drop them here",
        plan.page.host, service.value.host
    );
    Some(
        Finding::proof(Cause::RewritesLoseDomain, seen)
            .by(SIGN_OUT)
            .hides(Hides::These(&[Cause::CookieDomainForeign])),
    )
}

fn cookie_domain_foreign(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let domain = is_foreign(facts, plan)?;
    let host = &plan.page.host;
    let seen = format!("Domain={domain} does not cover {host}: browsers drop the cookie");
    Some(Finding::proof(Cause::CookieDomainForeign, seen).by(SIGN_OUT))
}

fn safari_localhost_secure(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let line = facts.names.token_line()?;
    let is_local_http = !plan.target.is_https && plan.target.is_loopback();
    if !is_local_http || !line.is_secure {
        return None;
    }
    let seen = "the target is http on this machine, and the cookie is Secure: Safari drops it";
    Some(Finding::hint(Cause::SafariLocalhostSecure, seen).by(SIGN_OUT))
}

fn stateless_by_accident(facts: &Facts, plan: &Plan) -> Option<Finding> {
    if !facts.names.is_stateless {
        return None;
    }
    let seen = "the service keeps accounts in cookies (account_data): it has no database";
    Some(if plan.expected.has_database_url {
        let seen = format!("{seen}, although a variable names one");
        let unless = "the database may be the application's alone";
        Finding::strong(Cause::StatelessByAccident, seen, unless).by(SIGN_OUT)
    } else {
        Finding::hint(Cause::StatelessByAccident, seen).by(SIGN_OUT)
    })
}
