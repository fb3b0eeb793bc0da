//! What the origin's response will be looked at for.

use std::sync::Arc;

use crate::cache::session_events::{Number, SessionDigest, SessionTrust};
use crate::cache::sessions::CredentialDigest;
use crate::policy::auth_service::AuthService;

/// A session that a request brings along, and that its response may change.
#[derive(Debug)]
pub(crate) struct PresentedSession {
    pub(crate) service: Arc<AuthService>,
    pub(crate) session: SessionDigest,
    /// Its credentials, under which something may be remembered.
    pub(crate) credentials: Vec<CredentialDigest>,
    pub(crate) standing: SessionTrust,
    /// Whether the request goes to the service itself and is not safe: then it may change the
    /// session, whatever its response sets.
    pub(crate) is_for_service: bool,
    /// Whether a cookie names it.
    pub(crate) is_cookie: bool,
}

/// What the origin's response will be looked at for.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) presented: Vec<PresentedSession>,
    /// Of which sessions cookies are waiting for the response, and what had happened last when they
    /// were heard of.
    pub(crate) cookies_of: Vec<(SessionDigest, Number)>,
    /// Scheme, host and port of the site.
    pub(crate) public_origin: String,
}

impl Watch {
    /// Whether there is nothing to look at.
    pub(crate) const fn is_idle(&self) -> bool {
        self.presented.is_empty() && self.cookies_of.is_empty()
    }
}
