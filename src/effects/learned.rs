//! What was learned with the results besides, for the response and for logs.

use std::sync::Arc;

use crate::better_auth::session_record::LookupFailure;
use crate::cache::session_events::{Number, SessionDigest};
use crate::encoding::members::Members;
use crate::metrics::Tally;
use crate::policy::rules::Rule;
use crate::reason::Reason;
use crate::time::UnixTime;

/// What the auth service had to say besides its answers, or why it said nothing.
#[derive(Default)]
pub(crate) struct Learned {
    /// When the request came in.
    pub(crate) arrived: Option<UnixTime>,
    /// How many seconds the clock of whoever answered last is ahead.
    pub(crate) clock_difference: i64,
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
    /// Why the request's `session_data` does not count.
    pub(crate) session_data: Option<Reason>,
    /// What came of the last fetch that has failed, and what to do about it.
    pub(crate) lookup: Option<Box<Members>>,
    /// What the log says beside the reason.
    pub(crate) findings: Option<Box<Members>>,
    /// Which request has brought about the renewal of cookies, for the log.
    pub(crate) request: Option<Box<Members>>,
    /// The rule by which the request is refused, or forwarded in spite of a reason.
    pub(crate) rule: Option<Arc<Rule>>,
    /// Whether the last response was none of its kind.
    pub(crate) is_odd: bool,
    /// The issuer, by its place, whose credential was looked at last.
    pub(crate) issuer: Option<usize>,
    /// What the request is counted for when it is decided.
    pub(crate) tally: Tally,
    /// Who has said that the session has ended, and how.
    pub(crate) end: Option<Box<End>>,
    /// Whether the request's own `session_data` is by the configured secret.
    pub(crate) has_own_data: bool,
    /// The page of the application that is shown in place of the gate's own, or why it is not;
    /// nothing where it has not been fetched. A reason without a word is not logged.
    pub(crate) page: Option<Result<Box<ShownPage>, &'static str>>,
    /// What may be behind an answer that says nothing.
    pub(crate) hint: Option<&'static str>,
}

/// The auth service's word that a session has ended.
pub(crate) struct End {
    /// Where it was asked.
    pub(crate) url: String,
    /// Whether it has deleted the session's cookies: then it has recognised them.
    pub(crate) has_deleted_cookies: bool,
    /// Whether it was asked with cookies, which it deletes where it recognises them.
    pub(crate) is_by_cookies: bool,
}

/// A page of the application that has been fetched.
pub(crate) struct ShownPage {
    /// Its type, and whatever else it says about itself.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}
