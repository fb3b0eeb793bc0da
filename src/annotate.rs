//! Header edits on the way to the origin: first everything that only the gate may say is removed, then the gate says it.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::assertion;
use crate::cookie;
use crate::headers::{HeaderPairs, Joining};
use crate::policy::{Covering, Place, Policy, Treatment};
use crate::proofs::Identity;
use crate::request::RequestHead;
use crate::session::Session;
use crate::text;

/// A claim whose value is longer is left out, and its name told: servers refuse heads of 8 to 16 KiB.
const MAX_CLAIM_BYTES: usize = 4096;
/// All claims together.
const MAX_CLAIMS_BYTES: usize = 6144;

/// Headers by which a client could tell the origin another path, or another method, than the one that was judged. Left alone
/// are `x-nextjs-data`, which the Pages Router's client sends and which names no path, and `next-url`, which is judged.
#[rustfmt::skip]
const INTERNAL_NAMES: [&str; 20] = [
    "x-matched-path", "x-now-route-matches",                             // Next.js behind Vercel: the route and its parameters
    "next-resume", "x-next-resume-state-length",                         // Next.js: the rest of a page, from the request's body
    "x-original-url", "x-rewrite-url",                                   // IIS, Symfony (CVE-2018-14773), Zend
    "x-original-uri", "x-forwarded-uri", "x-envoy-original-path",        // nginx, Traefik (oauth2-proxy CVE-2026-40575), Envoy
    "x-forwarded-path", "x-real-url", "x-request-uri",                   // gateways and connectors of their own making
    "x-forwarded-prefix",                                                // Spring's context path, ASP.NET's PathBase, WSGI's ProxyFix
    "script-name", "path-info", "x-script-name",                         // gunicorn (#2650) and what WSGI apps are told to install
    "daphne-root-path",                                                  // Daphne: taken off the path that Django routes by
    "x-http-method-override", "x-http-method", "x-method-override",      // Rack, Symfony, Laravel, Express, ASP.NET
];
/// How such headers begin: the words between Next.js and its middleware, between its processes, and between Astro and its adapters
/// (CVE-2026-33768).
const INTERNAL_PREFIXES: [&str; 3] = ["x-middleware-", "x-invoke-", "x-astro-"];
/// Where proxies say who was asked, and by whom. Frameworks put their URL together from it.
const FORWARDED_NAMES: [&str; 6] =
    ["forwarded", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server", "x-forwarded-for"];

/// What becomes of `Authorization`.
pub(crate) enum Authorization {
    /// It is a credential like others.
    AsCredential,
    /// It is the token that the origin is to get.
    Kept,
    /// It is the bridge's, and nobody goes over it.
    Removed,
    /// It is the bridge's, with this token.
    Bridged(Arc<str>),
}

/// All edits of a forward: what is removed, and what is set after that. Of several rules the origin gets what all of them
/// let it have.
pub(crate) fn edits(
    head: &RequestHead<'_>,
    policy: &Policy,
    rules: &Covering,
    identity: Option<&Identity>,
    assertion: Option<String>,
    authorization: &Authorization,
) -> (Vec<String>, HeaderPairs) {
    let mut remove = removals(head, policy);
    let identity = identity.map(|identity| identity.headers.clone()).unwrap_or_default();
    let treatment = policy.covered_by(rules).map(|rule| rule.credential).max().unwrap_or_default();
    let is_credential = matches!(authorization, Authorization::AsCredential);
    if treatment == Treatment::Keep && is_credential && assertion.is_none() && tells_all(policy, rules) {
        return (remove, identity);
    }
    let told = identity.iter().filter(|(name, _)| is_told(policy, rules, own_name(policy, name)));
    let mut set: Vec<(String, String)> = told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if treatment != Treatment::Keep {
        let (names, cookies) = without_credential(head, policy, is_credential);
        remove.extend(names);
        set.extend(cookies.map(|cookies| ("cookie".to_owned(), cookies)));
    }
    if matches!(authorization, Authorization::Removed | Authorization::Bridged(_)) {
        remove.extend(head.headers.iter().filter(|(name, _)| is_authorization(name)).map(|(name, _)| (*name).to_owned()));
    }
    if let Authorization::Bridged(jwt) = authorization {
        set.push(("authorization".to_owned(), ["Bearer ", jwt].concat()));
    }
    if let Some(assertion) = assertion {
        if treatment == Treatment::Replace {
            set.push(("authorization".to_owned(), ["Bearer ", &assertion].concat()));
        }
        set.push(([policy.header_prefix.as_str(), "assertion"].concat(), assertion));
    }
    (remove, set.into_iter().collect())
}

/// Whether no rule that covers the request leaves anything out.
fn tells_all(policy: &Policy, rules: &Covering) -> bool {
    policy.covered_by(rules).all(|rule| rule.headers.is_none())
}

/// Whether the origin is told what goes by this name: every rule that covers the request has to let it.
fn is_told(policy: &Policy, rules: &Covering, name: &str) -> bool {
    policy.covered_by(rules).filter_map(|rule| rule.headers.as_ref()).all(|told| told.iter().any(|wanted| wanted == name))
}

/// An identity header's name without its prefix.
fn own_name<'n>(policy: &Policy, name: &'n str) -> &'n str {
    name.strip_prefix(policy.header_prefix.as_str()).unwrap_or(name)
}

/// What an assertion says about somebody under these rules: of what may be missing there, only what the origin is told in headers.
pub(crate) fn statement<'i>(identity: &'i Identity, policy: &Policy, rules: &Covering) -> Cow<'i, str> {
    if tells_all(policy, rules) {
        return Cow::Borrowed(identity.statement.as_deref().unwrap_or_default());
    }
    // A claim that was too long for a header is in neither.
    let has = |wanted: &str| identity.headers.iter().any(|(name, _)| own_name(policy, name) == wanted);
    let is_told = |name: &str| is_told(policy, rules, name);
    let claims = policy.claim_headers.iter().filter(|(name, _)| is_told(name) && has(name));
    let claims: Vec<_> = claims.filter_map(|(name, claim)| Some((name.as_str(), identity.session.facts.claim(claim)?))).collect();
    let issuer = policy.issuers.get(identity.issuer).map_or("", |issuer| issuer.name.as_str());
    Cow::Owned(assertion::statement(&identity.session, issuer, &claims, is_told))
}

/// Names of inbound headers that must not reach the origin, compared as an origin may read them.
fn removals(head: &RequestHead<'_>, policy: &Policy) -> Vec<String> {
    let initials = INITIALS | initial(policy.header_prefix.as_bytes());
    let ours =
        |name: &str| initials & initial(name.as_bytes()) != 0 && (begins_with(name, &policy.header_prefix) || renames(name));
    let mut names: Vec<String> = Vec::new();
    for (name, value) in head.headers {
        if (ours(name) || drops_headers(name, value) || leads_elsewhere(name, value)) && !names.iter().any(|seen| seen == name) {
            names.push((*name).to_owned());
        }
    }
    names
}

/// Initials of all these names: most headers are seen to be none of them at once.
const INITIALS: u32 = {
    let mut initials = 0;
    let mut names = INTERNAL_NAMES.as_slice();
    while let [name, rest @ ..] = names {
        initials |= initial(name.as_bytes());
        names = rest;
    }
    let mut prefixes = INTERNAL_PREFIXES.as_slice();
    while let [prefix, rest @ ..] = prefixes {
        initials |= initial(prefix.as_bytes());
        prefixes = rest;
    }
    initials
};

/// One bit for the first character as an origin may read it; all bits for none, which begins everything.
#[allow(clippy::as_conversions)] // a byte fits; `From` is not const
const fn initial(name: &[u8]) -> u32 {
    match name.first() {
        Some(first) => 1_u32.rotate_left(folded(*first) as u32),
        None => u32::MAX,
    }
}

/// Whether a header of this name tells some origin another path or method.
fn renames(name: &str) -> bool {
    INTERNAL_PREFIXES.iter().any(|prefix| begins_with(name, prefix))
        || INTERNAL_NAMES.iter().any(|internal| name.len() == internal.len() && begins_with(name, internal))
}

/// Whether a name begins so, as an origin may read it. Our own prefixes are in lower case with dashes.
fn begins_with(name: &str, prefix: &str) -> bool {
    name.len() >= prefix.len() && name.bytes().map(folded).zip(prefix.bytes()).all(|(own, wanted)| own == wanted)
}

/// CGI and WSGI know no case and take `-` for `_`; lighttpd makes `_` of every other character as well, and PHP of `.`.
const fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

/// `Connection: x-doorward-subject` would have the next proxy drop what we say (RFC 9110 section 7.6.1).
fn drops_headers(name: &str, value: &str) -> bool {
    let harmless = |option: &str| ["keep-alive", "close", "upgrade"].iter().any(|known| option.eq_ignore_ascii_case(known));
    let is_connection = ["connection", "proxy-connection"].iter().any(|known| name.eq_ignore_ascii_case(known));
    is_connection && !value.split(',').map(str::trim).all(harmless)
}

/// A path in what proxies say about host or port: `X-Forwarded-Host: a:80/admin?` (CVE-2025-31137).
fn leads_elsewhere(name: &str, value: &str) -> bool {
    let is_known = |known: &&str| name.len() == known.len() && begins_with(name, known);
    // Values are long: they are read last.
    (initial(b"x") | initial(b"f")) & initial(name.as_bytes()) != 0
        && FORWARDED_NAMES.iter().any(is_known)
        && value.contains(['/', '\\', '?', '#', '@'])
}

/// What the gate says about a verified session of the issuer of this name: in headers, and in an assertion where there are any.
pub(crate) fn identity(session: &Session, issuer: &str, policy: &Policy) -> (HeaderPairs, Option<String>) {
    let mut headers = Joining::new();
    let mut add = |name: &str, value: &str| {
        headers.add([&policy.header_prefix, name], |text| text::push_header_value(text, value));
    };
    add("subject", &session.subject);
    add("issuer", issuer);
    add("expires", &session.expires.as_seconds().to_string());
    add("source", session.source.name());
    for (name, value) in [("session", &session.id), ("email", &session.email)] {
        value.iter().for_each(|value| add(name, value));
    }
    let (mut omitted, mut told, mut left) = (Vec::new(), Vec::new(), MAX_CLAIMS_BYTES);
    for (name, claim) in &policy.claim_headers {
        let Some(value) = session.facts.claim(claim) else { continue };
        let as_header = claim_value(value);
        match left.checked_sub(as_header.len()) {
            Some(rest) if as_header.len() <= MAX_CLAIM_BYTES => {
                left = rest;
                headers.add([&policy.header_prefix, name], |text| text.push_str(&as_header));
                told.push((name.as_str(), value));
            }
            _ => omitted.push(name.as_str()),
        }
    }
    if !omitted.is_empty() {
        headers.add([&policy.header_prefix, "omitted"], |text| text::push_header_value(text, &omitted.join(",")));
    }
    let statement = policy.assertions.as_ref().map(|_| assertion::statement(session, issuer, &told, |_| true));
    (headers.done(), statement)
}

/// A claim as a header: texts as every other identity header, numbers and flags as they are, lists and objects as JSON in
/// base64url. No value of any of them can end a header.
fn claim_value(value: &Value) -> String {
    match value {
        Value::String(text) => text::header_value(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => text::to_base64url(value.to_string().as_bytes()),
    }
}

/// Under whatever name an origin may read it.
fn is_authorization(name: &str) -> bool {
    name.len() == "authorization".len() && begins_with(name, "authorization")
}

/// The edits that keep the credential itself from the origin: names of headers to remove, and what is left of the cookies.
/// `Authorization` may be somebody else's matter.
fn without_credential(head: &RequestHead<'_>, policy: &Policy, has_authorization: bool) -> (Vec<String>, Option<String>) {
    let holds_token = |name: &str| {
        let places = policy.issuers.iter().flat_map(|issuer| &issuer.places);
        places.into_iter().any(|place| matches!(place, Place::Header(own) if own.eq_ignore_ascii_case(name)))
    };
    let is_session = |name: &str| {
        policy.issuers.iter().any(|issuer| {
            let of_service = issuer.better_auth.as_ref().is_some_and(|service| service.cookies.include(name));
            of_service || issuer.places.iter().any(|place| matches!(place, Place::Cookie(own) if cookie::is_named(name, own)))
        })
    };
    let mut removals: Vec<String> = Vec::new();
    for (name, value) in head.headers {
        // However an origin may split it: `Bearer` and a tab, or nothing between.
        let is_bearer = has_authorization
            && name.eq_ignore_ascii_case("authorization")
            && value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
        if is_bearer || holds_token(name) || name.eq_ignore_ascii_case("cookie") {
            removals.push((*name).to_owned());
        }
    }
    let kept: Vec<String> = cookie::all(head).filter(|cookie| !is_session(cookie.name)).map(|cookie| cookie.as_sent()).collect();
    (removals, Some(kept.join("; ")).filter(|kept| !kept.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_renames_the_request_is_known_in_each_spelling() {
        let names = INTERNAL_NAMES.iter().map(|name| (*name).to_owned());
        let longer = INTERNAL_PREFIXES.iter().map(|prefix| [prefix, "path"].concat());
        for name in names.chain(longer) {
            let capitals = name.to_ascii_uppercase();
            let dashes = [name.replace('-', "_"), name.replacen('-', "_", 1), name.replace('-', "."), capitals.replace('-', "_")];
            for spelling in dashes.into_iter().chain([capitals, name]) {
                assert!(renames(&spelling), "{spelling}");
            }
        }
        for other in ["x-nextjs-data", "next-url", "x-forwarded-proto", "x-matched-paths", "xx-middleware-next", "script", "path"]
        {
            assert!(!renames(other), "{other}");
        }
    }
}
