//! The log: one JSON line for each refusal, and for each forward or renewal that an operator should
//! know of. The query stays out, and so does every header: they may hold secrets. Of cookies it has
//! only the names.

use std::borrow::Cow;

use serde::Serialize;

use crate::better_auth::session_record::LookupFailure;
use crate::effects::learned::{Learned, NearMiss};
use crate::encoding::{json, percent};
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::jose::jwk::LeftOut;
use crate::reason::Reason;

/// The most bytes of a client's text that are logged.
const MAX_LOGGED_BYTES: usize = 300;
/// The hint where the auth service does not know a session whose cookie cache is valid.
const ANOTHER_AUTH_SERVICE: &str = "The cookie cache is valid by this secret: check that this URL \
    is that of the auth service that created the session";

/// A request that is refused, or forwarded in spite of a reason.
pub(super) struct LoggedRequest<'a> {
    pub(super) reason: Reason,
    /// Why each round of a redirect loop ended without a session.
    pub(super) cause: Option<Reason>,
    pub(super) head: &'a RequestHead<'a>,
    pub(super) path: Option<&'a Path<'a>>,
    pub(super) learned: &'a Learned,
}

impl LoggedRequest<'_> {
    /// The line about it.
    pub(super) fn log_line(&self, decision: &str, status: u16) -> String {
        // Both origins are logged, so that two names of one site can be recognized.
        let (head, crosses) = (self.head, self.reason == Reason::CrossSiteRequest);
        let end = self.learned.end.as_deref().filter(|_| self.reason == Reason::SessionEnded);
        // The cookie cache proves that a service with this secret created the session.
        let hint = end.filter(|_| self.learned.has_own_data).map(|_| ANOTHER_AUTH_SERVICE);
        LogLine {
            asked_url: end.map(|end| end.url.as_str()),
            cookies_deleted: end.map(|end| end.has_deleted_cookies),
            hint: hint.or_else(|| {
                self.learned.hint.filter(|_| self.learned.failure == Some(LookupFailure::OddBody))
            }),
            cause: self.cause.or(self.learned.cause).map(Reason::code),
            reason: Some(self.reason.code()),
            status: Some(status),
            method: Some(said(self.head.method)),
            path: self.path.map(Path::spelled),
            origin: head.header("origin").filter(|_| crosses).map(said),
            public_origin: crosses.then(|| said(head.public_origin)),
            sec_fetch_site: head.header("sec-fetch-site").filter(|_| crosses).map(said),
            iss: self.learned.noted.as_ref().and_then(|noted| noted.iss.as_ref()),
            left_out_keys: self.learned.noted.as_ref().map_or(&[], |noted| &noted.left_out),
            ..LogLine::about(decision, self.learned)
        }
        .written()
    }
}

/// The log's line about a request that is forwarded, if there is one: in report mode or by a rule's
/// leniency it is forwarded in spite of a reason, an older answer is used while the auth service
/// fails, cookies of the auth service are dropped, or the deny-list could not be fetched.
pub(crate) fn forward_line(
    in_spite_of: Option<(Reason, &str)>,
    head: &RequestHead<'_>,
    path: &Path<'_>,
    learned: &Learned,
) -> Option<String> {
    let (reason, decision) = match (in_spite_of, learned.failure) {
        (Some(why), _) => why,
        (None, Some(_)) => (Reason::SessionUnavailable, "stale-if-error"),
        (None, None) if learned.dropped.is_empty() && learned.deny_list.is_none() => return None,
        (None, None) => {
            let (method, path) = (Some(said(head.method)), Some(path.spelled()));
            return Some(LogLine { method, path, ..LogLine::about("forward", learned) }.written());
        }
    };
    let request = LoggedRequest { reason, cause: None, head, path: Some(path), learned };
    Some(request.log_line(decision, reason.status()))
}

/// The log's line about a renewal that failed in whole or in part.
pub(crate) fn renewal_line(learned: &Learned) -> Option<String> {
    let says_something = learned.failure.is_some() || !learned.dropped.is_empty();
    says_something.then(|| LogLine::about("renew", learned).written())
}

/// A client's text for the log: shortened, and escaped so that it cannot control a terminal. A host
/// name has at most 253 characters.
fn said(text: &str) -> Cow<'_, str> {
    let end = (0..=MAX_LOGGED_BYTES).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0);
    let start = text.get(..end).unwrap_or(text);
    if start.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(start);
    }
    Cow::Owned(percent::encoded(start, |byte| matches!(byte, b' '..=b'~')))
}

/// A line of the log. Of cookies it has only the names, because their values may be sessions.
#[derive(Default, Serialize)]
struct LogLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies_deleted: Option<bool>,
    decision: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deny_list_failure: Option<&'static str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    dropped_cookies: &'a [String],
    gate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a NearMiss>,
    #[serde(skip_serializing_if = "<[LeftOut]>::is_empty")]
    left_out_keys: &'a [LeftOut],
    #[serde(skip_serializing_if = "Option::is_none")]
    lookup_failure: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_origin: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sec_fetch_site: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

impl<'a> LogLine<'a> {
    fn about(decision: &'a str, learned: &'a Learned) -> Self {
        Self {
            decision,
            gate: "doorward",
            deny_list_failure: learned.deny_list.map(LookupFailure::word),
            lookup_failure: learned.failure.map(LookupFailure::word),
            dropped_cookies: &learned.dropped,
            ..Self::default()
        }
    }

    fn written(&self) -> String {
        json::written(self)
    }
}
