//! Decisions: what a host does next. A host acts on one and does nothing else.

use std::fmt;

use crate::effects::pending::PendingEffect;
use crate::http::header_pairs::HeaderPairs;
use crate::reason::Reason;
use crate::time::UnixTime;

/// What a host does next.
#[derive(Debug)]
#[must_use = "a request without a decision that is acted on gets no response"]
#[allow(clippy::large_enum_variant)] // one lives at a time, on the stack of one request
pub enum Decision {
    /// Not final: perform the effect, then call `resume`.
    Perform(PendingEffect),
    /// Send the request on to the origin, with these edits.
    Forward(Forward),
    /// Answer with the way to sign in: a `Location`, or what the client of Next.js reads in its
    /// place.
    Redirect(Refusal),
    /// Answer with a refusal.
    Reject(Refusal),
    /// Answer with something that the gate itself serves.
    Respond(Served),
}

/// A request that may go on.
pub struct Forward {
    /// Path and query as the gate understood them: the origin should get what was decided about.
    pub target: String,
    /// Where to, if not to the host's own origin: scheme, host and port, from the configuration
    /// only.
    pub upstream: Option<String>,
    /// Names of request headers to remove, exactly as they came in.
    pub remove: Vec<String>,
    /// Request headers to set, after the removals.
    pub set: HeaderPairs,
    /// Who is asking, as the object in JSON that an assertion would say it with: `sub`, `sid`,
    /// `email`, `idp`, `src`, `sess_exp`, `claims`. Nothing where the request is anonymous,
    /// and where the host passes on no identity ([`crate::Capabilities::and_telling`]).
    pub identity: Option<String>,
    /// Headers for the origin's response, names in lower case: `set-cookie` may repeat, it and
    /// `server-timing` come in addition to the origin's own, and every other replaces it.
    pub response_headers: Vec<(String, String)>,
    /// Something to do while the origin works: perform it, call `finish` with what the origin's
    /// response sets, and add to the response what comes of it. A host that does not see the
    /// response calls `finish_unseen` before it forwards. It takes a second at most.
    pub alongside: Option<PendingEffect>,
    /// Something to do when the response has been sent: perform it, then call `receive`.
    pub after: Option<PendingEffect>,
    /// What a connection that stays open rests on: a WebSocket, an event stream.
    pub connection: ConnectionLimits,
    /// A line for the log, or nothing.
    pub log: Option<String>,
}

impl fmt::Debug for Forward {
    /// The query, header values and the log stay out: a code, a token or a session may be among
    /// them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward")
            .field("path", &self.target.split('?').next().unwrap_or_default())
            .field("upstream", &self.upstream)
            .field("remove", &self.remove)
            .field("set", &self.set)
            .field("alongside", &self.alongside)
            .field("after", &self.after)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// How long a connection may stay open: it has been let through for somebody, or for so long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// It ends then: a second after what it rests on (`exp` of a JWT, the end of a session), or
    /// when the rule's `max_connection_seconds` are over. Nothing: it ends when the two ends of it
    /// say so.
    pub until: Option<UnixTime>,
    /// After so many milliseconds, and again after as many more, the host asks whether it still
    /// stands ([`crate::Engine::recheck`]). Nothing: it is anonymous, so there is no session
    /// that could end.
    pub recheck_after_ms: Option<u32>,
}

/// What there is to say of a connection that is open.
#[derive(Debug)]
#[must_use = "a connection that has lost what it rested on stays open"]
pub enum ConnectionStatus {
    /// Not known yet: perform the effect, then call `rechecked`.
    Perform(PendingEffect),
    /// It stays, also where a lookup failed: an outage ends no connection, its `until` does.
    Open,
    /// It is over: a request like the one that began it would be refused for this reason now.
    Closed(Reason),
}

/// What a response gets besides, from the effect alongside.
#[derive(Default)]
#[must_use = "the client's cookies are not renewed by it"]
pub struct Finish {
    /// Headers for the response, like [`Forward::response_headers`].
    pub headers: Vec<(String, String)>,
    /// Whether the `set-cookie` lines of [`Forward::response_headers`] do not count any more and
    /// stay out: something has happened to their session since, perhaps a sign-out.
    pub withdraws_cookies: bool,
    /// A line for the log, or nothing.
    pub log: Option<String>,
}

impl fmt::Debug for Finish {
    /// Headers stay out: `Set-Cookie` may carry a session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finish").finish_non_exhaustive()
    }
}

/// Something that the gate itself serves: the key set of its assertions.
#[derive(Debug)]
pub struct Served {
    /// The status code.
    pub status: u16,
    /// Response headers.
    pub headers: Vec<(String, String)>,
    /// The body, UTF-8; empty for `HEAD`.
    pub body: String,
}

/// An answer that the gate gives by itself.
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The status code.
    pub status: u16,
    /// Response headers; `Set-Cookie` may repeat.
    pub headers: Vec<(String, String)>,
    /// The body, UTF-8; empty for redirects and `HEAD`.
    pub body: String,
    /// A line for the log, or nothing.
    pub log: Option<String>,
}

impl fmt::Debug for Refusal {
    /// Headers stay out: `Set-Cookie` may carry a session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("reason", &self.reason)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
