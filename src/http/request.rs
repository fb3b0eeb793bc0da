//! The request's head as the host hands it over, and what kind of request it is.

use std::net::IpAddr;

/// The head of a request: plain borrowed data.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method as received.
    pub method: &'a str,
    /// Path and query as received (origin-form, RFC 9112 section 3.2.1).
    pub target: &'a str,
    /// Header pairs in the order received. A host that has bytes reads them as Latin-1, as Fetch
    /// does.
    pub headers: &'a [(&'a str, &'a str)],
    /// Scheme, host and port under which the client sees this site, as the *platform* knows it,
    /// never from a client's header.
    pub public_origin: &'a str,
    /// The client's network address as the platform knows it.
    pub client_address: Option<&'a str>,
}

impl<'a> RequestHead<'a> {
    /// The value of the first header of this name (lower case), compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(candidate, _)| is_named(candidate, name))
            .map(|(_, value)| *value)
    }

    /// All values of this name, in order.
    pub fn headers_named(&self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(candidate, _)| is_named(candidate, name))
            .map(|(_, value)| *value)
    }

    /// The value of a header that there is one line of. Nothing where there are several: whichever
    /// counted here, another reader might go by another one.
    pub(crate) fn only(&self, name: &'a str) -> Option<&'a str> {
        let mut lines = self.headers_named(name);
        lines.next().filter(|_| lines.next().is_none())
    }

    /// Whether a rule can say anything about the method, and about the one that a preflight asks
    /// for. Methods are compared with regard to case (RFC 9110 section 9.1), but origins have been
    /// seen to read `post` as `POST`; then the rules for that would not have counted. What
    /// registered methods have in common is taken for all: a word in capitals.
    pub(crate) fn has_plain_method(&self) -> bool {
        let mut asked_for = self.headers_named("access-control-request-method");
        is_method(self.method)
            && (!self.is_preflight()
                || asked_for.next().is_some_and(is_method) && asked_for.next().is_none())
    }

    /// Whether it is a true CORS preflight. None asks for another protocol; a server may not look
    /// at the method of who does.
    pub fn is_preflight(&self) -> bool {
        self.method == "OPTIONS"
            && self.header("origin").is_some()
            && self.header("access-control-request-method").is_some()
            && self.header("upgrade").is_none()
    }

    /// The method whose rules count: of a preflight that of the request that it asks for.
    pub(crate) fn asked_method(&self) -> &'a str {
        let asked_for =
            if self.is_preflight() { self.header("access-control-request-method") } else { None };
        asked_for.unwrap_or(self.method)
    }

    /// Whether it is a WebSocket handshake (RFC 6455 section 4.1): `Upgrade` is a list (RFC 9110
    /// section 7.8), in one line or several.
    pub fn is_web_socket(&self) -> bool {
        let protocols = self.headers_named("upgrade").flat_map(|line| line.split(','));
        protocols.map(str::trim).any(|protocol| protocol.eq_ignore_ascii_case("websocket"))
    }

    /// Whether it is fetched ahead of need, by a browser or by Next's router.
    pub(crate) fn is_prefetch(&self) -> bool {
        let says_so = |name: &'static str| {
            self.headers_named(name).any(|value| value.starts_with("prefetch"))
        };
        self.header("next-router-prefetch").is_some()
            || says_so("sec-purpose")
            || says_so("purpose")
    }

    /// Whether the client is on this machine and asks this machine, with no proxy between.
    pub(crate) fn is_own_machine(&self) -> bool {
        let is_forwarded = |name: &str| {
            name.eq_ignore_ascii_case("via")
                || name.eq_ignore_ascii_case("forwarded")
                || name.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("x-forwarded-"))
        };
        self.client_address.is_some_and(is_loopback_address)
            && self.only("host").is_some_and(|host| is_loopback_name(host_and_port(host).0))
            && !self.headers.iter().any(|(name, _)| is_forwarded(name))
    }

    /// Whether the method is safe (RFC 9110 section 9.2.1): it asks for nothing to change.
    pub fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS")
    }
}

/// The address of the machine itself, also where an address of IPv4 is written as one of IPv6.
fn is_loopback_address(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether this host name is one of the machine itself.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.eq_ignore_ascii_case(name))
}

/// Host and port; an address of IPv6 has its brackets.
pub(crate) fn host_and_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            (host, port)
        }
        _ => (authority, ""),
    }
}

/// No registered method is longer.
const MAX_METHOD_BYTES: usize = 32;

/// A token of RFC 9110 section 5.6.2 without small letters.
fn is_method(text: &str) -> bool {
    let may_be = |byte: u8| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    (1..=MAX_METHOD_BYTES).contains(&text.len()) && text.bytes().all(may_be)
}

/// Whether two names are the same without regard to case. Nearly always the length or the first
/// character says no.
#[inline]
fn is_named(candidate: &str, name: &str) -> bool {
    let (candidate, name) = (candidate.as_bytes(), name.as_bytes());
    candidate.len() == name.len()
        && candidate
            .iter()
            .zip(name)
            .all(|(one, other)| one == other || one.eq_ignore_ascii_case(other))
}

impl std::fmt::Debug for RequestHead<'_> {
    /// Header values and the query stay out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestHead").field("method", &self.method).finish_non_exhaustive()
    }
}

/// What kind of request it is. Clients choose these hints freely, so a kind decides the *shape* of
/// a refusal, never *whether* to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive] // browsers invent kinds
pub enum RequestKind {
    /// A page that somebody is looking at.
    Document,
    /// A payload for a client-side navigation: React Server Components, or the Pages Router's data.
    Rsc,
    /// Something fetched ahead of need.
    Prefetch,
    /// A Next.js server action.
    Action,
    /// A script's request, or any API client.
    Fetch,
    /// A WebSocket handshake.
    WebSocket,
    /// A true CORS preflight: `OPTIONS` with `Origin` and `Access-Control-Request-Method` (Fetch
    /// standard, CORS-preflight fetch).
    Preflight,
}

impl RequestKind {
    /// Its name, as a label of measurements.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Rsc => "rsc",
            Self::Prefetch => "prefetch",
            Self::Action => "action",
            Self::Fetch => "fetch",
            Self::WebSocket => "websocket",
            Self::Preflight => "preflight",
        }
    }

    /// The kind of this request.
    pub fn of(head: &RequestHead<'_>) -> Self {
        if head.is_preflight() {
            return Self::Preflight;
        }
        if head.is_web_socket() {
            return Self::WebSocket;
        }
        // Next takes nothing but a POST for one (`dist/server/lib/server-action-request-meta.js`).
        if head.method == "POST" && head.header("next-action").is_some() {
            return Self::Action;
        }
        if head.is_prefetch() {
            return Self::Prefetch;
        }
        // The Pages Router's data has a path of its own, but Next shows a middleware the page's.
        if head.header("rsc").is_some() || head.header("x-nextjs-data").is_some() {
            return Self::Rsc;
        }
        if looks_like_navigation(head) { Self::Document } else { Self::Fetch }
    }
}

fn looks_like_navigation(head: &RequestHead<'_>) -> bool {
    // Of several lines the one that a host with Fetch's `Headers` sees is none of these words.
    match (head.header("sec-fetch-mode"), head.header("sec-fetch-dest")) {
        (Some(_), _) => head.only("sec-fetch-mode") == Some("navigate"),
        (None, Some(_)) => head
            .only("sec-fetch-dest")
            .is_some_and(|word| matches!(word, "document" | "iframe" | "frame")),
        (None, None) => head.headers_named("accept").any(|value| value.contains("text/html")),
    }
}
