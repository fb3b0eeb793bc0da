//! What was learned with the results besides, for the response and for logs.

use serde::Serialize;

use crate::better_auth::session_record::LookupFailure;
use crate::cache::session_events::{Number, SessionDigest};
use crate::jose::jwk::LeftOut;
use crate::reason::Reason;

/// What the auth service had to say besides its answers, or why it said nothing.
#[derive(Default)]
pub(crate) struct Learned {
    /// `Set-Cookie` lines for this request's client.
    pub(crate) set_cookies: Vec<String>,
    /// Of which sessions they are, and what had happened last when they were heard of.
    pub(crate) cookies_of: Vec<(SessionDigest, Number)>,
    /// Names of cookies that are not passed on.
    pub(crate) dropped: Vec<String>,
    /// Why it is not known what has become of a session.
    pub(crate) failure: Option<LookupFailure>,
    /// What is wrong with the token that it gave.
    pub(crate) cause: Option<Reason>,
    /// Why there is no newer list of what has been revoked.
    pub(crate) deny_list: Option<LookupFailure>,
    /// What is to be seen of a token that was refused.
    pub(crate) noted: Option<Box<Noted>>,
    /// Who has said that the session has ended, and how.
    pub(crate) end: Option<Box<End>>,
    /// Whether the request's own `session_data` is by the configured secret.
    pub(crate) has_own_data: bool,
    /// What may be behind an answer that says nothing.
    pub(crate) hint: Option<&'static str>,
}

/// The auth service's word that a session has ended.
pub(crate) struct End {
    /// Where it was asked.
    pub(crate) url: String,
    /// Whether it has deleted the session's cookies: then it has recognised them.
    pub(crate) has_deleted_cookies: bool,
}

/// What the log says of a token that was refused, beside the reason. Bounded and escaped: whoever
/// sent it may have made it all up.
#[derive(Default)]
pub(crate) struct Noted {
    /// Keys of the issuer's set that are not used, and by which rule.
    pub(crate) left_out: Vec<LeftOut>,
    /// An `iss` that no issuer has, beside the configured one that it is most like.
    pub(crate) iss: Option<NearMiss>,
}

/// What a token has said, and what would have been right.
#[derive(Serialize)]
pub(crate) struct NearMiss {
    /// In what the two differ; nothing where in more than one thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) differs_in: Option<&'static str>,
    /// As it is configured; nothing where none is near.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<String>,
    /// As it came, shortened and escaped.
    pub(crate) unverified: String,
}
