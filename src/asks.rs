//! Asks: what the host is sent for, within which time, and what is learned from what it brings back.

use crate::cookie::SetCookie;
use crate::errand::{Checked, Copies, Fetch, Purpose, Reply, Work};
use crate::judge::{Need, Question};
use crate::jwk;
use crate::keys::KeyCache;
use crate::policy::Policy;
use crate::progress::{Mission, Progress, Subject};
use crate::reason::Reason;
use crate::request::RequestHead;
use crate::session;
use crate::sessions::Sessions;
use crate::time::UnixTime;

/// All asks of a request share this budget: people wait for pages.
pub(crate) const REQUEST_BUDGET_MILLIS: i64 = 3000;
/// One fetch may take so long; shorter than the budget, so that another request can take over a lease whose owner died.
const FETCH_TIMEOUT_MILLIS: u32 = 2000;
/// A lease lasts a little longer than its fetch: the answer has a way to go.
const LEASE_MILLIS: i64 = 2250;
/// With less time left an ask is not begun.
const LEAST_ASK_MILLIS: i64 = 50;
/// A new instance starts with a copy of the keys up to this old: as long as a set is fresh by default.
const MAX_COPY_AGE_SECONDS: u32 = 300;
/// A session's answer is small.
const MAX_SESSION_BYTES: u32 = 256 * 1024;
/// The first wait for another request's errand; each further one is twice as long.
const FIRST_WAIT_MILLIS: u32 = 10;
/// Up to this.
const LONGEST_WAIT_MILLIS: u32 = 160;
/// The budget divided by the longest wait, and some: a clock that steps back must not let a request wait for ever.
const MAX_WAITS: u32 = 40;

/// What has been fetched, and who is fetching now.
pub(crate) struct Asks {
    pub(crate) keys: KeyCache,
    pub(crate) sessions: Sessions,
}

impl Asks {
    /// Nothing has been asked yet. `seed` spreads retries over time.
    pub(crate) fn new(policy: &Policy, seed: u64) -> Self {
        let sources = policy.issuers.iter().map(|issuer| (issuer.inline_keys.clone(), issuer.jwks_url.is_some()));
        Self { keys: KeyCache::new(sources, seed), sessions: Sessions::default() }
    }

    /// What to send the host for, or the reason if there is no time for it.
    pub(crate) fn begin(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        need: Need,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Result<(Work, Mission), Reason> {
        let otherwise = need.reason_without_answer();
        let is_waited_out = matches!(need, Need::Wait(_)) && progress.waits >= MAX_WAITS;
        if progress.deadline.millis_since(now) < LEAST_ASK_MILLIS || is_waited_out {
            return Err(otherwise);
        }
        match need {
            Need::Keys { source, copies, kid } => self.fetch_keys(policy, source, copies, kid, progress, now).ok_or(otherwise),
            Need::Session(question) => self.fetch_session(policy, request, question, progress, now).ok_or(otherwise),
            Need::Check(check) => Ok((Work::Check(check), Mission::Check)),
            Need::Sign(request) => {
                progress.asked.push(Subject::Assertion);
                Ok((Work::Sign(request), Mission::Sign))
            }
            Need::Wait(_) => Ok(pause(progress)),
        }
    }

    /// The key set of an issuer.
    pub(crate) fn fetch_keys(
        &mut self,
        policy: &Policy,
        source: usize,
        copies: Copies,
        kid: Option<String>,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Option<(Work, Mission)> {
        let url = policy.issuers.get(source)?.jwks_url.clone()?;
        self.keys.lease(source, now.plus_millis(LEASE_MILLIS));
        progress.asked.push(Subject::Keys(source, copies));
        let fetch = Fetch {
            purpose: Purpose::Keys,
            method: "GET",
            url,
            headers: vec![("accept".to_owned(), "application/jwk-set+json, application/json".to_owned())],
            timeout_ms: FETCH_TIMEOUT_MILLIS,
            max_bytes: jwk::MAX_SET_BYTES,
            max_copy_age_seconds: if copies == Copies::Do { MAX_COPY_AGE_SECONDS } else { 0 },
        };
        Some((Work::Fetch(fetch), Mission::Keys { source, copies, kid }))
    }

    /// The auth service gets the session's credential and whatever it needs to tell clients apart, and nothing else.
    fn fetch_session(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        question: Question,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Option<(Work, Mission)> {
        let Question { issuer, digest, token, header } = question;
        let url = policy.issuers.get(issuer)?.better_auth.as_ref()?.get_session_url.clone();
        self.sessions.lease(digest, now.plus_millis(LEASE_MILLIS));
        progress.asked.push(Subject::Session(digest));
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned()), (header.0.to_owned(), header.1)];
        if let Some((scheme, host)) = request.public_origin.split_once("://") {
            headers.push(("x-forwarded-host".to_owned(), host.to_owned()));
            headers.push(("x-forwarded-proto".to_owned(), scheme.to_owned()));
        }
        // Better Auth counts requests by client, and only believes a single address.
        headers.extend(request.client_address.map(|address| ("x-forwarded-for".to_owned(), address.to_owned())));
        let fetch = Fetch {
            purpose: Purpose::Session,
            method: "GET",
            url,
            headers,
            timeout_ms: FETCH_TIMEOUT_MILLIS,
            max_bytes: MAX_SESSION_BYTES,
            max_copy_age_seconds: 0,
        };
        Some((Work::Fetch(fetch), Mission::Session { issuer, digest, token }))
    }

    /// Learns what an errand has brought, for everybody and for its request.
    pub(crate) fn learn(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        (work, mission): (Work, Mission),
        reply: &Reply<'_>,
        progress: &mut Progress,
        now: UnixTime,
    ) {
        match mission {
            Mission::Keys { source, copies, kid } => self.keys.receive(source, copies, kid.as_deref(), reply, now),
            Mission::Session { issuer, digest, token } => {
                let answer = read_session(policy, issuer, request, &token, reply, progress, now);
                self.sessions.receive(digest, answer.clone(), now);
                progress.answers.extend(answer.map(|answer| (digest, answer)));
            }
            Mission::Check => progress.checked.extend(checked(work, reply)),
            Mission::Sign => progress.signed = signed(work, reply),
            Mission::Wait => {}
        }
    }

    /// Learns what an errand has brought whose request is over.
    pub(crate) fn learn_afterwards(&mut self, mission: Mission, reply: &Reply<'_>, now: UnixTime) {
        match mission {
            Mission::Keys { source, copies, kid } => self.keys.receive(source, copies, kid.as_deref(), reply, now),
            Mission::Session { digest, .. } => self.sessions.receive(digest, None, now),
            Mission::Check | Mission::Sign | Mission::Wait => {}
        }
    }
}

/// Reads the auth service's answer, and keeps the cookies that it wants to set: those of the session only, and only for
/// this host.
fn read_session(
    policy: &Policy,
    issuer: usize,
    request: &RequestHead<'_>,
    token: &str,
    reply: &Reply<'_>,
    progress: &mut Progress,
    now: UnixTime,
) -> Option<session::Answer> {
    let Reply::Answered { status, headers, body } = reply else {
        return None;
    };
    let answer = session::Answer::read(*status, body, token, &policy.named_claims, now)?;
    let service = policy.issuers.get(issuer)?.better_auth.as_ref()?;
    let host = request.public_origin.split_once("://").map_or("", |(_, host)| host);
    let host = host.split(':').next().unwrap_or("");
    let lines = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, line)| *line);
    let ours = lines.filter(|line| {
        SetCookie::parse(line).is_some_and(|cookie| service.cookies.include(cookie.name) && cookie.suits_host(host))
    });
    progress.set_cookies.extend(ours.map(str::to_owned));
    Some(answer)
}

fn pause(progress: &mut Progress) -> (Work, Mission) {
    let millis = FIRST_WAIT_MILLIS
        .checked_shl(progress.waits)
        .unwrap_or(LONGEST_WAIT_MILLIS)
        .clamp(FIRST_WAIT_MILLIS, LONGEST_WAIT_MILLIS);
    progress.waits = progress.waits.saturating_add(1);
    (Work::Wait { millis }, Mission::Wait)
}

/// A signature, with all that it was made over. A failure is no signature.
fn signed(work: Work, reply: &Reply<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    match (work, reply) {
        (Work::Sign(request), Reply::Signed(signature)) => Some((request.input, signature.to_vec())),
        _ => None,
    }
}

/// What was to be checked, and what came of it.
pub(crate) fn checked(work: Work, reply: &Reply<'_>) -> Option<Checked> {
    let Work::Check(check) = work else {
        return None;
    };
    let verdict = match reply {
        Reply::Checked(holds) => Some(*holds),
        _ => None,
    };
    Some(Checked { check, verdict })
}
