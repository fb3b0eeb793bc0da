//! Asks: what the host is sent for, within which time, and what is learned from what it brings back.

use crate::alg::Algorithm;
use crate::budget::{Budget, Share};
use crate::cookie::SetCookie;
use crate::errand::{Checked, Copies, Fetch, Purpose, Reply, Work};
use crate::judge::{Need, Question};
use crate::jwk;
use crate::keys::KeyCache;
use crate::policy::{BetterAuth, Policy};
use crate::progress::{Errand, Heard, Mission, Progress, Subject};
use crate::reason::Reason;
use crate::request::RequestHead;
use crate::session::{Answer, Doubt};
use crate::sessions::Sessions;
use crate::time::UnixTime;

/// All asks of a request share this budget: people wait for pages.
pub(crate) const REQUEST_BUDGET_MILLIS: i64 = 3000;
/// One fetch may take so long; shorter than the budget, so that another request can take over a lease whose owner died.
const FETCH_TIMEOUT_MILLIS: u32 = 2000;
/// A lease lasts a little longer than its fetch: the answer has a way to go.
const LEASE_MILLIS: i64 = 2250;
/// A renewal may take so long: the answer of the origin waits for it.
const RENEWAL_TIMEOUT_MILLIS: u32 = 1000;
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
    budget: Budget,
}

impl Asks {
    /// Nothing has been asked yet. `seed` spreads retries over time.
    pub(crate) fn new(policy: &Policy, seed: u64) -> Self {
        let sources = policy.issuers.iter().map(|issuer| (issuer.inline_keys.clone(), issuer.jwks_url.is_some()));
        Self { keys: KeyCache::new(sources, seed), sessions: Sessions::default(), budget: Budget::new(policy.asks_per_second) }
    }

    /// What to send the host for, or the reason if there is no time or no budget for it.
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
            progress.heard.doubt = progress.heard.doubt.or(Some(Doubt::OutOfTime));
            return Err(otherwise);
        }
        match need {
            Need::Keys { source, copies, kid } => self.fetch_keys(policy, source, copies, kid, progress, now).ok_or(otherwise),
            Need::Session(question) if !self.budget.draw(question.share, now) => {
                progress.heard.doubt = Some(Doubt::OutOfBudget);
                Err(otherwise)
            }
            Need::Session(question) => {
                progress.asked.push(Subject::Session(question.digest));
                self.fetch_session(policy, request, *question, FETCH_TIMEOUT_MILLIS, now).ok_or(otherwise)
            }
            Need::Check(check) => Ok((Work::Check(*check), Mission::Check)),
            Need::Sign(request) => {
                progress.asked.push(Subject::Assertion);
                Ok((Work::Sign(*request), Mission::Sign))
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

    /// An errand that has the cookies of a session renewed, if there is budget to spare.
    pub(crate) fn renew(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        question: Question,
        now: UnixTime,
    ) -> Option<Errand> {
        if !self.budget.draw_spare(question.share, now) {
            return None;
        }
        let (work, mission) = self.fetch_session(policy, request, question, RENEWAL_TIMEOUT_MILLIS, now)?;
        Some(Errand::new(work, mission, Progress::new(now.plus_millis(LEASE_MILLIS))))
    }

    /// The auth service gets the session's credential and whatever it needs to tell clients apart, and nothing else.
    fn fetch_session(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        question: Question,
        timeout_ms: u32,
        now: UnixTime,
    ) -> Option<(Work, Mission)> {
        let Question { issuer, digest, token, share, header } = question;
        let url = service(policy, issuer)?.get_session_url.clone();
        self.sessions.lease(digest, now.plus_millis(LEASE_MILLIS));
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned()), (header.0.to_owned(), header.1)];
        let (scheme, host) = request.public_origin.split_once("://").unwrap_or_default();
        if !host.is_empty() {
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
            timeout_ms,
            max_bytes: MAX_SESSION_BYTES,
            max_copy_age_seconds: 0,
        };
        let host = host.split(':').next().unwrap_or_default().to_owned();
        let is_renewal = timeout_ms == RENEWAL_TIMEOUT_MILLIS;
        Some((Work::Fetch(fetch), Mission::Session { issuer, digest, token, share, host, is_renewal }))
    }

    /// Learns what an errand has brought, for everybody and for its request.
    pub(crate) fn learn(
        &mut self,
        policy: &Policy,
        (work, mission): (Work, Mission),
        reply: &Reply<'_>,
        progress: &mut Progress,
        now: UnixTime,
    ) {
        match mission {
            Mission::Keys { source, copies, kid } => self.keys.receive(source, copies, kid.as_deref(), reply, now),
            Mission::Session { issuer, digest, token, share, host, is_renewal } => {
                let answer = match reply {
                    Reply::Answered { status, body, .. } => Answer::read(*status, body, &token, &policy.named_claims, now),
                    Reply::TooLarge => Err(Doubt::TooLarge),
                    _ => Err(Doubt::Failed),
                };
                match (&answer, reply, service(policy, issuer)) {
                    (Ok(answer), Reply::Answered { headers, .. }, Some(service)) => {
                        self.budget.settle(share, if *answer == Answer::Ended { Share::Strangers } else { Share::Users });
                        hear(service, &host, headers, &mut progress.heard);
                        progress.answers.push((digest, answer.clone()));
                    }
                    _ => progress.heard.doubt = answer.as_ref().err().copied(),
                }
                if is_renewal && answer.is_err() {
                    self.sessions.pause_renewal(digest, now);
                } else {
                    self.sessions.receive(digest, answer, now);
                }
            }
            Mission::Check => progress.checked.extend(checked(work, reply)),
            Mission::Sign => {
                // Not every WebCrypto has Ed25519, and no host finds out before it tries.
                let is_eddsa = matches!(&work, Work::Sign(request) if request.algorithm == Algorithm::EdDSA);
                progress.signs_inside = is_eddsa && matches!(reply, Reply::Unsupported);
                progress.signed = signed(work, reply);
            }
            Mission::Wait => {}
        }
    }
}

fn service(policy: &Policy, issuer: usize) -> Option<&BetterAuth> {
    policy.issuers.get(issuer)?.better_auth.as_ref()
}

/// Keeps the cookies that the auth service wants to set: those of the session only, and only for this host. The others'
/// names are noted. Its `set-auth-token` and `set-auth-jwt` would give scripts what cookies keep from them: they stop here.
fn hear(service: &BetterAuth, host: &str, headers: &[(&str, &str)], heard: &mut Heard) {
    for (_, line) in headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
        match SetCookie::parse(line) {
            Some(cookie) if service.cookies.include(cookie.name) && cookie.suits_host(host) => {
                heard.set_cookies.push((*line).to_owned());
            }
            cookie => heard.dropped.push(loggable(cookie.map_or("", |cookie| cookie.name)).to_owned()),
        }
    }
}

/// The name of a cookie, without what the multi-session plugin puts behind it: the session's token.
fn loggable(name: &str) -> &str {
    name.split_once("_multi-").map_or(name, |(name, _)| name)
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
