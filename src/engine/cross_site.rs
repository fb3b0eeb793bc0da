//! Whether a request comes from this site itself. `docs/strictness.md`, "Which requests are this
//! site's own", weighs the rule.

use crate::http::request::{RequestHead, host_and_port, is_loopback_name};
use crate::policy::Policy;
use crate::policy::rules::Rule;

/// Whether a request with nothing but a cookie comes from this site itself.
///
/// A browser's own word comes first (Fetch Metadata, `Sec-Fetch-Site`): no script can write a
/// header whose name begins with `Sec-`, and `same-origin` is said only where each hop of a chain
/// of redirects was. Whatever else it says, or where it says nothing (older browsers, and http
/// outside of this machine), `Origin` decides. Of a WebSocket it decides always.
pub(super) fn comes_from_here(request: &RequestHead<'_>, policy: &Policy, rule: &Rule) -> bool {
    let origins = request.headers_named("origin").count();
    // Hosts with Fetch's `Headers` join several lines; no browser sends such an `Origin`.
    let origin = request.only("origin").filter(|origin| !origin.contains([',', ' ']));
    if origins > 0 && origin.is_none() {
        return false;
    }
    if request.is_web_socket() {
        // A browser never leaves `Origin` out of a handshake (RFC 6455 section 4.1).
        return origin.is_none_or(|origin| is_of_this_site(origin, request, policy));
    }
    if request.only("sec-fetch-site") == Some("same-origin") {
        return true;
    }
    match origin {
        Some(origin) => is_of_this_site(origin, request, policy),
        None => rule.has_native_clients && request.header("sec-fetch-site").is_none(),
    }
}

fn is_of_this_site(origin: &str, request: &RequestHead<'_>, policy: &Policy) -> bool {
    let here = request.public_origin;
    origin == here
        || policy.allowed_origins.iter().any(|allowed| allowed == origin)
        // The team of this site runs its auth service. One on this machine says nothing about a
        // site elsewhere.
        || policy.service_origins.iter().any(|service| service == origin && (!is_loopback(service) || is_loopback(here)))
        || policy.is_development && request.is_own_machine() && is_same_but_for_name(origin, here)
}

/// Whether both are loopback names with the same scheme and port: `localhost`, `127.0.0.1` and
/// `[::1]`.
fn is_same_but_for_name(origin: &str, here: &str) -> bool {
    let place = |origin| parts(origin).map(|(scheme, _, port)| (scheme, port));
    is_loopback(origin) && is_loopback(here) && place(origin) == place(here)
}

fn is_loopback(origin: &str) -> bool {
    parts(origin).is_some_and(|(_, host, _)| is_loopback_name(host))
}

/// Scheme, host and port of an origin.
fn parts(origin: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = origin.split_once("://")?;
    let (host, port) = host_and_port(rest);
    Some((scheme, host, port))
}
