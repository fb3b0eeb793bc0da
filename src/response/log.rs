//! The log: one JSON line for each refusal, and for each forward or renewal that an operator should
//! know of. `docs/reference/log.md` has its members. The query stays out, and so does every header
//! that may hold a secret. Of cookies it has only the names.

use crate::better_auth::session_record::LookupFailure;
use crate::effects::learned::Learned;
use crate::encoding::json;
use crate::encoding::members::{Members, list};
use crate::http::path::Path;
use crate::policy::issuer::Issuer;
use crate::reason::Reason;
use crate::response::RequestContext;
use crate::time::{self, UnixTime};

/// What a proxy in front of the gate calls a request: of these headers the first that is there.
const REQUEST_IDS: [&str; 3] = ["x-request-id", "cf-ray", "x-vercel-id"];
/// A longer `traceparent` is none (W3C Trace Context section 3.2).
const TRACEPARENT_BYTES: usize = 55;
/// A difference of clocks below this comes from the way to the other side and back.
const LEAST_DIFFERENCE: i64 = 3;
/// The hint where the auth service does not know a session whose cookie cache is valid.
const ANOTHER_AUTH_SERVICE: &str = "The cookie cache is valid by this secret: check that this URL \
    is that of the auth service that created the session";

/// The hint where the auth service leaves cookies as they are that are no session to it.
const NOT_RECOGNIZED: &str = "The auth service has not recognized the cookies: it has another \
    secret or cookie name (is it that of another environment?), or uses customSession";
/// The hint where both origins may be this site's.
const PUBLIC_ORIGIN: &str = "If \"origin\" is this site, give the host its public origin \
    (publicOrigin, DOORWARD_PUBLIC_ORIGIN or PUBLIC_ORIGIN); if it is another site of yours, list \
    it in allowed_origins";
/// The hint where no visitor can sign in.
const CLOSED_SIGN_IN: &str = "This is the sign-in page (sign_in.path), and a rule protects it: \
    make it public";

/// A request that is refused, or forwarded in spite of a reason.
pub(super) struct LoggedRequest<'a> {
    pub(super) reason: Reason,
    /// Why each round of a redirect loop ended without a session.
    pub(super) cause: Option<Reason>,
    pub(super) request: RequestContext<'a>,
    pub(super) learned: &'a Learned,
}

impl LoggedRequest<'_> {
    /// The line about it.
    #[cold]
    #[inline(never)]
    pub(super) fn log_line(&self, decision: &str, status: u16) -> String {
        let Self { reason, cause, request, learned } = self;
        let head = request.head;
        let mut line = about(decision, request.now, learned);
        request.describe(&mut line, learned);
        line.text("reason", reason.code());
        line.number("status", status.into());
        line.text_if_any("cause", cause.or(learned.cause).map(Reason::code));
        if *reason == Reason::CrossSiteRequest {
            // Both origins are logged, so that two names of one site can be recognized.
            line.shown("public_origin", head.public_origin);
            line.text("hint", PUBLIC_ORIGIN);
            for name in ["origin", "sec-fetch-site"] {
                let member = if name == "origin" { name } else { "sec_fetch_site" };
                if let Some(value) = head.header(name) {
                    line.shown(member, value);
                }
            }
        }
        if let Some(end) = learned.end.as_deref().filter(|_| *reason == Reason::SessionEnded) {
            line.text("asked_url", &end.url);
            line.add("cookies_deleted", end.has_deleted_cookies.to_string());
            // The cookie cache proves that a service with this secret created the session.
            if learned.has_own_data {
                line.text("hint", ANOTHER_AUTH_SERVICE);
            } else if end.is_by_cookies && !end.has_deleted_cookies {
                line.text("hint", NOT_RECOGNIZED);
            }
        }
        let is_about_time = [Reason::TokenExpired, Reason::TokenNotYetValid, Reason::TokenTooOld];
        if is_about_time.contains(reason) && learned.clock_difference.abs() >= LEAST_DIFFERENCE {
            line.number("clock_difference_seconds", learned.clock_difference);
        }
        line.text_if_any("session_data", learned.session_data.map(Reason::code));
        if learned.failure == Some(LookupFailure::OddBody) {
            line.text_if_any("hint", learned.hint);
        }
        if let Some(Err(failure)) = learned.page
            && !failure.is_empty()
        {
            line.text("page_failure", failure);
        }
        if request.is_sign_in() && reason.status() == 401 {
            line.text("hint", CLOSED_SIGN_IN);
        }
        let is_lookup = reason.status() == 503 || learned.failure.is_some();
        let lookup = learned.lookup.as_ref().filter(|_| is_lookup);
        for findings in learned.findings.iter().chain(lookup) {
            line.extend(findings);
        }
        line.written()
    }
}

impl RequestContext<'_> {
    /// Whether it is for the page that visitors without a session are sent to.
    fn is_sign_in(&self) -> bool {
        let sign_in = self.policy.and_then(|policy| policy.sign_in.as_ref());
        sign_in.zip(self.path).is_some_and(|(sign_in, path)| path.segments() == sign_in.segments)
    }

    /// The same for a line that is written when the request is gone.
    #[cold]
    #[inline(never)]
    pub(crate) fn described(&self, learned: &Learned) -> Box<Members> {
        let mut about = Box::default();
        self.describe(&mut about, learned);
        about
    }

    /// Which request it is, and which rule has decided on it.
    #[cold]
    #[inline(never)]
    fn describe(&self, line: &mut Members, learned: &Learned) {
        let Self { policy, head, path, .. } = self;
        line.shown("method", head.method);
        line.text_if_any("path", path.map(Path::spelled).as_deref());
        let matched = || {
            let (policy, path) = policy.zip(*path)?;
            Some(policy.matched_rules(path, head)?.strictest)
        };
        let rule = learned.rule.clone().or_else(matched);
        if let Some(rule) = rule {
            line.shown("rule", &rule.name);
        }
        if let Some(id) = REQUEST_IDS.iter().find_map(|name| head.header(name)) {
            line.shown("request_id", id);
        }
        let is_trace = |trace: &&str| {
            trace.len() == TRACEPARENT_BYTES
                && trace.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        };
        line.text_if_any("traceparent", head.header("traceparent").filter(is_trace));
    }
}

/// The log's line about a request that is forwarded, if there is one: in report mode or by a rule's
/// leniency it is forwarded in spite of a reason, an older answer is used while the auth service
/// fails, cookies of the auth service are dropped, or the deny-list could not be fetched.
pub(crate) fn forward_line(
    in_spite_of: Option<(Reason, &str)>,
    request: RequestContext<'_>,
    learned: &Learned,
) -> Option<String> {
    let (reason, decision) = match (in_spite_of, learned.failure) {
        (Some(why), _) => why,
        (None, Some(_)) => (Reason::SessionUnavailable, "stale-if-error"),
        (None, None) if learned.dropped.is_empty() && learned.deny_list.is_none() => return None,
        (None, None) => {
            let mut line = about("forward", request.now, learned);
            request.describe(&mut line, learned);
            return Some(line.written());
        }
    };
    let request = LoggedRequest { reason, cause: None, request, learned };
    Some(request.log_line(decision, reason.status()))
}

/// The log's line about a request that is forwarded and part of the sample.
#[cold]
#[inline(never)]
pub(crate) fn pass_line(
    request: RequestContext<'_>,
    learned: &Learned,
    issuer: Option<&Issuer>,
) -> String {
    let mut line = line_of("pass", request.now);
    request.describe(&mut line, learned);
    line.text("decision", "forward");
    line.text_if_any("issuer", issuer.map(|issuer| issuer.name.as_str()));
    line.written()
}

/// The log's line about a renewal that failed in whole or in part.
pub(crate) fn renewal_line(learned: &Learned, now: UnixTime) -> Option<String> {
    let says_something = learned.failure.is_some() || !learned.dropped.is_empty();
    says_something.then(|| {
        let mut line = about("renew", now, learned);
        let lookup = learned.lookup.as_ref().filter(|_| learned.failure.is_some());
        for members in learned.request.iter().chain(lookup) {
            line.extend(members);
        }
        line.written()
    })
}

/// A line of the log about something that no request has brought about, in the form of all others:
/// for a host, with what it has to say as JSON.
pub fn event_line(event: &str, members: Vec<(&'static str, String)>, now: UnixTime) -> String {
    let mut line = line_of(event, now);
    for (name, json) in members {
        line.add(name, json);
    }
    line.written()
}

/// A line of the log about an event at this moment.
#[cold]
#[inline(never)]
pub(super) fn line_of(event: &str, now: UnixTime) -> Members {
    let mut line = Members::default();
    line.text("event", event);
    line.text("gate", "doorward");
    line.text_if_any("time", time::to_iso(now).as_deref());
    line
}

/// A line about a decision, with what was learned on the way to it.
#[cold]
#[inline(never)]
fn about(decision: &str, now: UnixTime, learned: &Learned) -> Members {
    let event = match decision {
        "reject" | "redirect" => "refusal",
        "renew" => "renewal",
        _ => "forward",
    };
    let mut line = line_of(event, now);
    line.text("decision", decision);
    line.text_if_any("deny_list_failure", learned.deny_list.map(LookupFailure::word));
    line.text_if_any("lookup_failure", learned.failure.map(LookupFailure::word));
    if !learned.dropped.is_empty() {
        let names: Vec<String> = learned.dropped.iter().map(|name| json::quoted(name)).collect();
        line.add("dropped_cookies", list(&names));
    }
    line
}
