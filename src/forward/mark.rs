//! The mark: what the gate says to the application of its own host, across processes, about a
//! request that it has let pass. It shows that the gate ran, and it says who is asking, or that
//! the request is anonymous (RFC 7519, HS256).
//!
//! An assertion is for another origin, which sees method and target; a mark is for code that often
//! sees nothing but headers, like a server component. So it is bound to what is left there: the
//! public host, `Host`, and the credential. It has a type and a key of its own: neither passes for
//! the other.

use crate::authn::identity_headers;
use crate::cache::verified::Identity;
use crate::encoding::{base64, digest, json};
use crate::http::cookie;
use crate::http::header_pairs::HeaderPairs;
use crate::http::request::RequestHead;
use crate::jose::verify::Secret;
use crate::policy::Policy;
use crate::policy::issuer::TokenLocation;
use crate::time::UnixTime;

/// `typ` of a mark (RFC 8725 section 3.11).
const TYPE: &str = "doorward-mark+jwt";
/// A page has begun by then.
const LIFE_SECONDS: i64 = 30;
/// Claims beyond are left out, and their names told: servers refuse heads of 8 to 16 KiB, and the
/// headers say them too.
const MAX_CLAIMS_BYTES: usize = 2048;
/// A request has a cookie and a token at most; what is far beyond is not bound.
const MAX_BOUND: usize = 8;

/// The request as it goes on.
pub(crate) struct Forwarded<'a> {
    pub(crate) head: &'a RequestHead<'a>,
    /// Path and query that were decided about.
    pub(crate) target: &'a str,
    pub(crate) remove: &'a [String],
    pub(crate) set: &'a HeaderPairs,
}

/// The signed mark of a request, and whom it is of.
pub(crate) fn sign(
    key: &Secret,
    forwarded: &Forwarded<'_>,
    identity: Option<&Identity>,
    is_told: impl Fn(&str) -> bool,
    policy: &Policy,
    now: UnixTime,
) -> String {
    let issued = now.as_seconds();
    let host = forwarded
        .head
        .public_origin
        .split_once("://")
        .map_or("", |(_, host)| host)
        .to_ascii_lowercase();
    let path = forwarded.target.split(['?', '#']).next().unwrap_or_default();
    let mut claims = [
        "{\"iat\":",
        &issued.to_string(),
        ",\"exp\":",
        &issued.saturating_add(LIFE_SECONDS).to_string(),
        ",\"host\":",
        &json::quoted(&host),
        ",\"htm\":",
        &json::quoted(forwarded.head.method),
        ",\"path\":\"",
        &digest_of(path),
        "\"",
    ]
    .concat();
    // Next takes the base path off what a route handler sees, and leaves it in what its middleware
    // sees.
    if let Some(inner) = without_base_path(path, policy) {
        claims.push_str(&[",\"inner\":\"", &digest_of(inner), "\""].concat());
    }
    // The public host may be another than the one that a proxy in front says; the application sees
    // the latter.
    if let Some(host) = forwarded.head.header("host") {
        claims.push_str(&[",\"via\":", &json::quoted(&host.to_ascii_lowercase())].concat());
    }
    let bound: Vec<String> = bound(forwarded, policy)
        .into_iter()
        .take(MAX_BOUND)
        .map(|(place, name, value)| {
            ["[\"", place, "\",", &json::quoted(name), ",\"", &digest_of(&value), "\"]"].concat()
        })
        .collect();
    claims.push_str(&[",\"crd\":[", &bound.join(","), "]"].concat());
    if let Some(identity) = identity {
        claims.push_str(&[",\"who\":{", &statement(identity, is_told, policy), "}"].concat());
    }
    claims.push('}');
    let header = ["{\"alg\":\"HS256\",\"typ\":\"", TYPE, "\"}"].concat();
    let input =
        [base64::url_encoded(header.as_bytes()), base64::url_encoded(claims.as_bytes())].join(".");
    let signature = key.mac(input.as_bytes());
    [input.as_str(), ".", &base64::url_encoded(&signature)].concat()
}

/// What an assertion would say, but for claims that are too long for two headers.
fn statement(identity: &Identity, is_told: impl Fn(&str) -> bool, policy: &Policy) -> String {
    let mut left = MAX_CLAIMS_BYTES;
    let (mut told, mut omitted) = (Vec::new(), Vec::new());
    for (name, claim) in policy.claim_headers.iter().filter(|(name, _)| is_told(name)) {
        let Some(value) = identity.session.attributes.claim(claim) else { continue };
        match left.checked_sub(value.to_string().len()) {
            Some(rest) => {
                left = rest;
                told.push((name.as_str(), value));
            }
            None => omitted.push(json::quoted(name)),
        }
    }
    let issuer = &identity.issuer.name;
    let statement = identity_headers::statement(&identity.session, issuer, &told, is_told);
    if omitted.is_empty() {
        statement
    } else {
        [&statement, ",\"omitted\":[", &omitted.join(","), "]"].concat()
    }
}

/// The credentials that the application sees as well: where each is, and its value as it stands
/// there. Not the cookie cache, whose value changes while the session stays the same.
fn bound<'a>(
    forwarded: &'a Forwarded<'_>,
    policy: &'a Policy,
) -> Vec<(&'static str, &'a str, String)> {
    let Forwarded { head, remove, set, .. } = forwarded;
    let is_removed = |name: &str| remove.iter().any(|removed| removed.eq_ignore_ascii_case(name));
    let is_set = |name: &str| set.iter().any(|(own, _)| own == name);
    let mut bound = Vec::new();
    let mut add = |place, name, value: &str| {
        if !bound.iter().any(|(known, own, _)| *known == place && *own == name) {
            bound.push((place, name, value.to_owned()));
        }
    };
    let header = |name: &str| head.header(name).filter(|_| !is_removed(name) && !is_set(name));
    // What is left of the cookies is what the client sent, under the same names.
    let kept = |name: &str| match set.iter().find(|(own, _)| *own == "cookie") {
        Some((_, line)) => cookie::in_line(line, name).map(str::to_owned),
        None if is_removed("cookie") => None,
        None => cookie::first(head, name).map(|cookie| cookie.as_received().to_owned()),
    };
    for issuer in &policy.issuers {
        let session =
            policy.service_of(issuer).map(|service| service.cookies.session_token.as_str());
        let tokens = issuer.places.iter().filter_map(|place| {
            if let TokenLocation::Cookie(name) = place { Some(name.as_str()) } else { None }
        });
        for name in session.into_iter().chain(tokens) {
            if let Some(value) = kept(name) {
                add("cookie", name, &value);
            }
        }
        for place in &issuer.places {
            if let TokenLocation::Header(name) = place
                && let Some(value) = header(name)
            {
                add("header", name, value);
            }
        }
    }
    if let Some(value) = header("authorization") {
        add("header", "authorization", value);
    }
    bound
}

fn digest_of(text: &str) -> String {
    base64::url_encoded(&digest::of(text.as_bytes()))
}

/// The path as the application itself may see it, where that is another one.
fn without_base_path<'p>(path: &'p str, policy: &Policy) -> Option<&'p str> {
    let base: String = policy
        .framework
        .as_ref()?
        .base_path
        .iter()
        .flat_map(|segment| ["/", segment.as_str()])
        .collect();
    let rest = path.strip_prefix(base.as_str()).filter(|_| !base.is_empty())?;
    match rest {
        "" => Some("/"),
        rest => Some(rest).filter(|rest| rest.starts_with('/')),
    }
}
