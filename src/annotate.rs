//! Header edits on the way to the origin: first everything that only the gate may say is removed, then the gate says it.

use crate::policy::Policy;
use crate::request::RequestHead;
use crate::session::Session;
use crate::text;

/// Headers by which frameworks let a client rename the path or skip a middleware.
const INTERNAL_PREFIXES: [&str; 1] = ["x-middleware-"];
/// The same by whole name.
const INTERNAL_NAMES: [&str; 5] = ["x-matched-path", "x-rewrite-url", "x-original-url", "x-invoke-path", "script-name"];

/// Names of inbound headers that must not reach the origin. Names are compared as an origin may read them: CGI, WSGI and
/// some proxies take `_` for `-` and know no case.
pub(crate) fn removals(head: &RequestHead<'_>, policy: &Policy) -> Vec<String> {
    let ours = |name: &str| {
        begins_with(name, &policy.header_prefix)
            || INTERNAL_PREFIXES.iter().any(|prefix| begins_with(name, prefix))
            || INTERNAL_NAMES.iter().any(|internal| name.len() == internal.len() && begins_with(name, internal))
    };
    let mut names: Vec<String> = Vec::new();
    for (name, value) in head.headers {
        if (ours(name) || drops_headers(name, value)) && !names.iter().any(|seen| seen == name) {
            names.push((*name).to_owned());
        }
    }
    names
}

/// Whether a name begins so, as an origin may read it. Our own prefixes are in lower case with dashes.
fn begins_with(name: &str, prefix: &str) -> bool {
    let folded = name.bytes().map(|byte| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() });
    name.len() >= prefix.len() && folded.zip(prefix.bytes()).all(|(own, wanted)| own == wanted)
}

/// `Connection: x-doorward-subject` would have the next proxy drop what we say (RFC 9110 section 7.6.1).
fn drops_headers(name: &str, value: &str) -> bool {
    let harmless = |option: &str| ["keep-alive", "close", "upgrade"].iter().any(|known| option.eq_ignore_ascii_case(known));
    name.eq_ignore_ascii_case("connection") && !value.split(',').map(str::trim).all(harmless)
}

/// What the gate says about a verified session of the issuer with this number.
pub(crate) fn identity(session: &Session, issuer: usize, policy: &Policy) -> Vec<(String, String)> {
    let issuer = policy.issuers.get(issuer).map_or("", |issuer| issuer.name.as_str());
    let named = |name: &str, value: &str| ([policy.header_prefix.as_str(), name].concat(), text::header_value(value));
    let mut headers = vec![
        named("subject", &session.subject),
        named("issuer", issuer),
        named("expires", &session.expires.as_seconds().to_string()),
        named("source", session.source.name()),
    ];
    headers.extend(session.id.as_deref().map(|id| named("session", id)));
    headers.extend(session.email.as_deref().map(|email| named("email", email)));
    headers
}
