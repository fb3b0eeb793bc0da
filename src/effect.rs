//! Effects: what a host can be sent to do, and what it may come back with.
//!
//! Effects are data. A host does exactly what one describes and hands it back with the answer or
//! the failure; it never looks inside for a decision. A new purpose changes the core and no host.

use std::fmt;

use crate::jose::platform::{SignatureCheck, SignatureRequest};

/// What a host can be sent to do.
#[derive(Debug)]
pub enum Effect {
    /// Send this HTTP request, without following redirects.
    Fetch(Fetch),
    /// Check this signature with the platform's cryptography.
    Check(SignatureCheck),
    /// Make this signature with the platform's cryptography.
    Sign(SignatureRequest),
    /// Read what a store of the host's has under a key.
    Read(StoreRead),
    /// Let this many milliseconds pass.
    Wait {
        /// How long, in milliseconds.
        millis: u32,
    },
}

impl Effect {
    /// About how many bytes it keeps in memory.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Fetch(fetch) => fetch
                .headers
                .iter()
                .map(|(name, value)| name.len().saturating_add(value.len()))
                .sum(),
            // A token is there three times: as what was signed, as itself and by what it proves.
            Self::Check(check) => check.weight().saturating_mul(3),
            Self::Sign(request) => request.input.len().saturating_add(request.key.len()),
            Self::Read(read) => read.key.len(),
            Self::Wait { .. } => 0,
        }
    }
}

/// An HTTP request for the host to send. Redirects are never followed (`redirect: "manual"`); a
/// redirect is an answer.
pub struct Fetch {
    /// What it is for, as logs call it: `keys`, `session`, `token`, `deny-list`, `page`, and
    /// whatever else comes. Hosts decide nothing by it.
    pub purpose: &'static str,
    /// The method, upper case.
    pub method: &'static str,
    /// An absolute URL, from the configuration only; or a path and query, which are for the host's
    /// own origin ([`crate::Capabilities::and_fetching_pages`]).
    pub url: String,
    /// Request headers: nothing else is to be sent. May carry cookies.
    pub headers: Vec<(String, String)>,
    /// Give up after this many milliseconds and answer [`EffectResult::Failed`].
    pub timeout_ms: u32,
    /// Give up when the body grows past this many bytes and answer [`EffectResult::TooLarge`].
    pub max_bytes: u32,
    /// The name under which a cache that instances share may have a copy that will do. A host that
    /// has such a cache looks there first, for a short while, and answers [`EffectResult::Copied`]
    /// with what it finds; nothing: no copy will do.
    pub copy: Option<String>,
}

impl fmt::Debug for Fetch {
    /// Header values stay out: they may be somebody's session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("purpose", &self.purpose)
            .field("url", &self.url)
            .field("timeout_ms", &self.timeout_ms)
            .finish_non_exhaustive()
    }
}

/// A key to look up in a store that the host has under this name
/// ([`crate::Capabilities::and_stores`]).
pub struct StoreRead {
    /// The store's name in the configuration.
    pub store: String,
    /// The key. May be somebody's session token.
    pub key: String,
    /// Give up after this many milliseconds and answer [`EffectResult::Failed`].
    pub timeout_ms: u32,
    /// Give up when the value has more than this many bytes and answer [`EffectResult::TooLarge`].
    pub max_bytes: u32,
}

impl fmt::Debug for StoreRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreRead")
            .field("store", &self.store)
            .field("timeout_ms", &self.timeout_ms)
            .finish_non_exhaustive()
    }
}

/// What came of an effect.
pub enum EffectResult<'a> {
    /// The HTTP answer, whatever its status.
    Answered {
        /// The status code.
        status: u16,
        /// Header pairs; `Set-Cookie` may repeat, one pair each.
        headers: &'a [(&'a str, &'a str)],
        /// The whole body.
        body: &'a [u8],
    },
    /// What was found under the name that the fetch gives, as it was put there
    /// ([`crate::CacheWrite`]), and nothing was sent. It need not be a copy; one of more than
    /// `max_bytes` is not shown.
    Copied(&'a [u8]),
    /// The platform's verdict on a signature.
    Checked(bool),
    /// The signature that the platform made, in the JWS form (for ECDSA: r and s side by side).
    Signed(&'a [u8]),
    /// What the store has under the key.
    Found(&'a [u8]),
    /// The store has nothing under the key: it was asked, and said so.
    Absent,
    /// The wait is over.
    Waited,
    /// The body grew past what the effect allows.
    TooLarge,
    /// The answer's head is larger than what the platform takes.
    HeadTooLarge,
    /// It could not be done: no connection, time-out, an exception. Never used for a bad signature.
    Failed,
    /// The same of a fetch, with the platform's code for it, like `ECONNREFUSED`, for the log: a
    /// word or two and never its message, which may quote the request.
    Unreachable(&'a str),
    /// The platform cannot do this at all.
    Unsupported,
}
