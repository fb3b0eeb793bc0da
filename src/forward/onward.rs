//! The next hop: header edits for a host that sends the request on over a connection of its own,
//! and for the response that comes back.
//!
//! What concerns one connection ends there (RFC 9110 section 7.6.1), and who the client is, is told
//! by the gate alone. A host that runs in the origin's own process sends nothing on: it applies
//! the [`Forward`] as it is.

use std::collections::BTreeSet;

use crate::decision::Forward;
use crate::encoding::collections::set_of;
use crate::http::header_pairs::{HeaderPairs, Joining, begins_with, is_spelled};
use crate::http::request::RequestHead;
use crate::policy::Policy;

/// All header edits of a forward that is sent on over another connection. `Host`, `Content-Length`
/// and `Transfer-Encoding` are the host's, which says where it sends to and where the body that it
/// sends ends. One that carries no WebSocket leaves out the `upgrade` that is set for it.
#[derive(Debug, Default)]
pub struct Onward {
    /// Names of request headers to remove, exactly as they came in.
    pub remove: Vec<String>,
    /// Request headers to set, after the removals.
    pub set: HeaderPairs,
}

/// Fields of one connection. `Upgrade` is said anew where a WebSocket is asked for, and `Expect`
/// has been answered by whoever reads the body.
const OF_CONNECTION: [&str; 8] = [
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "expect",
];
/// Headers between a client and a proxy that it has configured. `Proxy` is no standard header, but
/// CGI programs take it for the address of a proxy (CVE-2016-5385).
const TO_PROXY: [&str; 4] =
    ["proxy", "proxy-authenticate", "proxy-authorization", "proxy-connection"];
/// The same in responses. `Proxy-Status` is for the client (RFC 9209).
const FROM_PROXY: [&str; 3] =
    ["proxy-authenticate", "proxy-authentication-info", "proxy-connection"];
/// Under these names clients, or proxies that the host knows nothing of, say where a request came
/// from and where to.
pub(crate) const OF_CLIENT: [&str; 8] = [
    "forwarded",
    "x-real-ip",
    "client-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-original-host",
];
/// What says where a message ends or whom it is for. A client may not have these removed by naming
/// them in `Connection`: they are for every recipient, and two of them would disagree.
const FOR_ALL: [&str; 2] = ["content-length", "host"];

/// The edits of a forward for the next hop: what the connection, the client and the gate's decision
/// leave out, and what the gate says. What is named in `Connection` is removed first, so that
/// no client can name what the gate sets.
pub(crate) fn onward(policy: &Policy, head: &RequestHead<'_>, forward: &Forward) -> Onward {
    let named = named_in_connection(head.headers);
    let is_removed = |name: &str| {
        is_one_of(name, [&OF_CONNECTION, &TO_PROXY])
            || describes_client(name) && !policy.keeps_header(name)
            || is_named(&named, name)
    };
    let of_hop = head
        .headers
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| is_removed(name))
        .map(str::to_owned);
    let mut set = Joining::new();
    let mut say = |name: &str, value: &str| set.add([name, ""], |text| text.push_str(value));
    if let Some(address) = head.client_address {
        say("x-forwarded-for", address);
    }
    if let Some((scheme, host)) = head.public_origin.split_once("://") {
        say("x-forwarded-host", host);
        say("x-forwarded-proto", scheme);
    }
    if head.is_web_socket() {
        say("upgrade", "websocket");
    }
    // As one line (RFC 9113 section 8.2.3): an origin that joined them by commas would read other
    // cookies than the gate.
    let is_told =
        forward.set.iter().map(|(name, _)| name).chain(forward.remove.iter().map(String::as_str));
    let cookies: Vec<&str> = head.headers_named("cookie").collect();
    if cookies.len() > 1 && !is_told.into_iter().any(|name| name.eq_ignore_ascii_case("cookie")) {
        say("cookie", &cookies.join("; "));
    }
    forward.set.iter().for_each(|(name, value)| say(name, value));
    Onward { remove: of_hop.chain(forward.remove.iter().cloned()).collect(), set: set.done() }
}

/// Names of headers of an origin's response that end at a host that has a connection of its own to
/// the client, exactly as they came.
pub fn response_removals(headers: &[(&str, &str)]) -> Vec<String> {
    let named = named_in_connection(headers);
    let is_removed =
        |name: &str| is_one_of(name, [&OF_CONNECTION, &FROM_PROXY]) || is_named(&named, name);
    headers
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| is_removed(name))
        .map(str::to_owned)
        .collect()
}

/// What the message calls a matter of its connection (RFC 9110 section 7.6.1), in lower case.
fn named_in_connection(headers: &[(&str, &str)]) -> BTreeSet<String> {
    let lines = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let options = lines
        .flat_map(|(_, value)| value.split(','))
        .map(|option| option.trim().to_ascii_lowercase());
    set_of(options.filter(|option| !FOR_ALL.contains(&option.as_str())))
}

fn is_named(named: &BTreeSet<String>, name: &str) -> bool {
    !named.is_empty() && named.contains(&name.to_ascii_lowercase())
}

/// Whether a client says about itself under this name where it came from, in any spelling that an
/// origin may fold into one.
fn describes_client(name: &str) -> bool {
    begins_with(name, "x-forwarded-") || OF_CLIENT.iter().any(|own| is_spelled(name, own))
}

/// Whether a name is one of these, which are in lower case.
fn is_one_of(name: &str, lists: [&[&str]; 2]) -> bool {
    lists.into_iter().flatten().any(|own| name.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_loses_what_concerns_its_connection_and_nothing_else() {
        let headers = [
            ("Connection", "X-Drop, keep-alive ,Content-Length"),
            ("x-drop", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Content-Length", "3"),
            ("Proxy-Authenticate", "Basic"),
            ("Proxy-Status", "origin; error=dns_error"),
            ("Set-Cookie", "a=b"),
            ("Trailer", "x-sum"),
        ];
        let removed = response_removals(&headers);
        assert_eq!(
            removed,
            ["Connection", "x-drop", "Keep-Alive", "Proxy-Authenticate", "Trailer"]
        );
        assert_eq!(response_removals(&[("content-type", "text/plain")]), Vec::<String>::new());
    }
}
