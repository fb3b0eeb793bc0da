//! Errands: what a host can be sent to do, and what it may come back with.
//!
//! Errands are data. A host does exactly what one describes and hands it back with the answer or the failure; it never
//! looks inside for a decision. A new purpose changes the core and no host.

use std::fmt;
use std::sync::Arc;

use crate::alg::Algorithm;

/// What a host can be sent to do.
#[derive(Debug)]
pub enum Work {
    /// Send this HTTP request, without following redirects.
    Fetch(Fetch),
    /// Check this signature with the platform's cryptography.
    Check(SignatureCheck),
    /// Make this signature with the platform's cryptography.
    Sign(SignatureRequest),
    /// Let this many milliseconds pass.
    Wait {
        /// How long, in milliseconds.
        millis: u32,
    },
}

/// What a fetch is for; hosts may use it for logs and caches, never for decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive] // later purposes change no host
pub enum Purpose {
    /// An issuer's key set. Public; a host may keep the answer in a platform cache by URL.
    Keys,
    /// The auth service's word on one session. Private; never to be cached by a host.
    Session,
    /// A token of the auth service for the user of one session. Private; never to be cached by a host.
    Token,
}

impl Purpose {
    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

/// An HTTP request for the host to send. Redirects are never followed (`redirect: "manual"`); a redirect is an answer.
pub struct Fetch {
    /// What it is for.
    pub purpose: Purpose,
    /// The method, upper case.
    pub method: &'static str,
    /// An absolute URL, from the configuration only.
    pub url: String,
    /// Request headers: nothing else is to be sent. May carry cookies.
    pub headers: Vec<(String, String)>,
    /// Give up after this many milliseconds and answer [`Reply::Failed`].
    pub timeout_ms: u32,
    /// Give up when the body grows past this many bytes and answer [`Reply::TooLarge`].
    pub max_bytes: u32,
    /// How old a copy from a shared cache of the platform may be, in seconds; 0: no copy will do. An answer that is a copy
    /// carries its `Age` (RFC 9111 section 5.1).
    pub max_copy_age_seconds: u32,
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

/// A signature for the platform to check.
pub struct SignatureCheck {
    /// The algorithm; its parameters are fixed by RFC 7518.
    pub algorithm: Algorithm,
    /// The public key as a JWK (RFC 7517) with just the members that define it: `kty`, `crv`, `x`, `y`, `n`, `e`.
    pub key: Arc<str>,
    /// The key's thumbprint (RFC 7638, SHA-256, base64url): a name under which an imported key may be kept.
    pub thumbprint: Arc<str>,
    /// What was signed.
    pub signing_input: Vec<u8>,
    /// The signature, in the JWS form (for ECDSA: r and s side by side).
    pub signature: Vec<u8>,
}

impl fmt::Debug for SignatureCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCheck")
            .field("algorithm", &self.algorithm)
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

/// A signature for the platform to make. The key is the gate's own; it comes from the host's environment and goes nowhere
/// else.
pub struct SignatureRequest {
    /// The algorithm; its parameters are fixed by RFC 7518.
    pub algorithm: Algorithm,
    /// The private key as a JWK (RFC 7517). A secret.
    pub key: String,
    /// A name under which an imported key may be kept.
    pub kid: String,
    /// What to sign.
    pub input: Vec<u8>,
}

impl fmt::Debug for SignatureRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureRequest").field("algorithm", &self.algorithm).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// What came of an errand.
pub enum Reply<'a> {
    /// The HTTP answer, whatever its status.
    Answered {
        /// The status code.
        status: u16,
        /// Header pairs; `Set-Cookie` may repeat, one pair each.
        headers: &'a [(&'a str, &'a str)],
        /// The whole body.
        body: &'a [u8],
    },
    /// The platform's verdict on a signature.
    Checked(bool),
    /// The signature that the platform made, in the JWS form (for ECDSA: r and s side by side).
    Signed(&'a [u8]),
    /// The wait is over.
    Waited,
    /// The body grew past what the errand allows.
    TooLarge,
    /// It could not be done: no connection, time-out, an exception. Never used for a bad signature.
    Failed,
    /// The platform cannot do this at all.
    Unsupported,
}

/// Whether a copy of a key set from a shared cache will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copies {
    /// Yes: there are no keys yet, and an instance that starts should not wait for the issuer.
    Do,
    /// No: the keys that we have are the wrong ones or too old, and so may a copy be.
    DoNot,
}

/// What a host was asked to check, and its verdict: it counts for nothing else. A failure is no verdict.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) check: SignatureCheck,
    pub(crate) verdict: Option<bool>,
}
