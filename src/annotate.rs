//! Header edits on the way to the origin: first everything that only the gate may say is removed, then the gate says it.

use crate::judge::Identity;
use crate::policy::Policy;
use crate::request::RequestHead;
use crate::text;

/// Headers by which frameworks let a client rename the path or skip a middleware.
const INTERNAL_PREFIXES: [&str; 1] = ["x-middleware-"];
/// The same by whole name.
const INTERNAL_NAMES: [&str; 5] = ["x-matched-path", "x-rewrite-url", "x-original-url", "x-invoke-path", "script-name"];

/// Names of inbound headers that must not reach the origin. Names are compared as an origin may read them: CGI, WSGI and
/// some proxies take `_` for `-` and know no case.
pub(crate) fn removals(head: &RequestHead<'_>, policy: &Policy) -> Vec<String> {
    let ours = |name: &str| {
        let name: String =
            name.chars().map(|character| if character == '-' { '_' } else { character.to_ascii_lowercase() }).collect();
        let begins = |prefix: &str| name.starts_with(&prefix.replace('-', "_"));
        begins(&policy.header_prefix)
            || INTERNAL_PREFIXES.iter().any(|prefix| begins(prefix))
            || INTERNAL_NAMES.iter().any(|internal| name == internal.replace('-', "_"))
    };
    let mut names: Vec<String> = Vec::new();
    for (name, value) in head.headers {
        // `Connection: x-doorward-subject` would have the next proxy drop what we say (RFC 9110 section 7.6.1).
        let drops_headers = name.eq_ignore_ascii_case("connection")
            && value
                .split(',')
                .any(|option| !["keep-alive", "close", "upgrade"].contains(&option.trim().to_ascii_lowercase().as_str()));
        if (ours(name) || drops_headers) && !names.iter().any(|seen| seen == name) {
            names.push((*name).to_owned());
        }
    }
    names
}

/// What the gate says about a verified identity.
pub(crate) fn identity(identity: &Identity, policy: &Policy) -> Vec<(String, String)> {
    let session = &identity.session;
    let issuer = policy.issuers.get(identity.issuer).map_or("", |issuer| issuer.name.as_str());
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
