//! Asks: what the host is sent for, within which time, and what is learned from what it brings
//! back.

use crate::better_auth::session_record::LookupFailure;
use crate::cache::deny_list::{self, DenyList};
use crate::cache::exchanged_tokens::ExchangedTokens;
use crate::cache::keys::KeyCache;
use crate::cache::rate_limit::{Payer, RateClass, RateLimit};
use crate::cache::session_events::{Events, Moment};
use crate::cache::sessions::SessionCache;
use crate::cache::shared::CacheUse;
use crate::cache::shared::{self, CacheWrite};
use crate::effect::{Effect, Fetch, Purpose, StoreRead};
use crate::effects::missing::SessionQuery;
use crate::effects::missing::{Lookup, Missing, Question, TokenQuestion};
use crate::effects::progress::{
    Continuation, CookiesFor, EffectKey, LEAST_ASK_MILLIS, PendingEffect, RequestProgress, Stored,
};
use crate::http::request::RequestHead;
use crate::jose::jwk;
use crate::policy::{BetterAuth, DenyListSource, Policy};
use crate::reason::Reason;
use crate::time::{Seconds, UnixTime};

/// All asks of a request share this budget: people wait for pages.
pub(crate) const REQUEST_BUDGET_MILLIS: i64 = 3000;
/// One fetch may take so long; shorter than the budget, so that another request can take over a
/// lease whose owner died.
const FETCH_TIMEOUT_MILLIS: u32 = 2000;
/// A lease lasts a little longer than its fetch: the answer has a way to go.
const LEASE_MILLIS: i64 = 2250;
/// A renewal may take so long: the answer of the origin waits for it.
const RENEWAL_TIMEOUT_MILLIS: u32 = 1000;
/// A store is near, or of no use: there has to be time left to ask the service.
const STORE_TIMEOUT_MILLIS: u32 = 500;
/// A storage is read so many times as often as the service is asked at most.
const READS_PER_ASK: u32 = 10;
/// A host takes what there is to be kept after each effect; with so much left it does not.
pub(super) const MAX_CACHE_WRITES: usize = 64;
/// So many bytes of it.
pub(super) const MAX_CACHE_WRITES_BYTES: usize = 2 * 1024 * 1024;
/// A session's answer is small.
pub(super) const MAX_SESSION_BYTES: u32 = 256 * 1024;
/// A token has to fit into a header.
const MAX_TOKEN_BYTES: u32 = 16 * 1024;
/// An origin that takes longer to answer is not heard any more.
const WATCH_MILLIS: i64 = 5000;
/// The first wait for another request's effect; each further one is twice as long.
const FIRST_WAIT_MILLIS: u32 = 10;
/// Up to this.
const LONGEST_WAIT_MILLIS: u32 = 160;
/// The budget divided by the longest wait, and some: a clock that steps back must not let a request
/// wait for ever.
const MAX_WAITS: u32 = 40;

/// What has been fetched, and who is fetching now.
pub(crate) struct EffectState {
    pub(crate) events: Events,
    pub(crate) keys: KeyCache,
    pub(crate) sessions: SessionCache,
    pub(crate) tokens: ExchangedTokens,
    pub(crate) deny_list: Option<DenyList>,
    pub(super) rate_limit: RateLimit,
    /// How often storages are read.
    reads: RateLimit,
    /// What is to be kept in the shared cache.
    pub(super) cache_writes: Vec<CacheWrite>,
}

impl EffectState {
    /// Nothing has been asked yet. `seed` spreads retries over time.
    pub(crate) fn new(policy: &Policy, seed: u64) -> Self {
        let sources = policy
            .issuers
            .iter()
            .map(|issuer| (issuer.inline_keys.clone(), issuer.jwks_url.is_some()));
        Self {
            events: Events::default(),
            keys: KeyCache::new(sources, seed),
            sessions: SessionCache::default(),
            tokens: ExchangedTokens::default(),
            deny_list: policy
                .deny_list
                .as_ref()
                .map(|list| DenyList::new(list.refresh, list.max_stale, seed)),
            rate_limit: RateLimit::new(policy.asks_per_second),
            reads: RateLimit::new(policy.asks_per_second.saturating_mul(READS_PER_ASK)),
            cache_writes: Vec::new(),
        }
    }

    /// What is to be kept in the shared cache, since this was asked last.
    pub(crate) fn cache_writes(&mut self) -> Vec<CacheWrite> {
        std::mem::take(&mut self.cache_writes)
    }

    /// What to send the host for.
    ///
    /// # Errors
    /// There is no time or no budget for it: the reason of a refusal, and why.
    pub(crate) fn begin(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        missing: Missing,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) -> Result<(Effect, Continuation), (Reason, LookupFailure)> {
        let reason = missing.reason_without_answer();
        let is_waited_out = matches!(missing, Missing::Wait(_)) && progress.waits >= MAX_WAITS;
        let left = progress.deadline.millis_since(now);
        if left < LEAST_ASK_MILLIS || is_waited_out {
            let failure = match (progress.is_short_of_asks, progress.waits) {
                (true, _) => LookupFailure::OutOfBudget,
                (false, 0) => LookupFailure::OutOfTime,
                (false, _) => LookupFailure::KeptWaiting,
            };
            // What others have failed at is worth knowing, but it does not excuse what is the
            // gate's own.
            let learned = progress.learned.failure.filter(|_| failure == LookupFailure::OutOfTime);
            progress.learned.failure = learned.or(Some(failure));
            return Err((reason, failure));
        }
        let otherwise = (reason, LookupFailure::OutOfTime);
        let begun = match missing {
            Missing::Keys { source, cache_use, kid } => self
                .fetch_keys(policy, request, source, (cache_use, kid), progress, now)
                .ok_or(otherwise),
            // Whoever reads too much of a storage is answered by the service, whose budget is
            // smaller.
            Missing::Storage(lookup) if !self.reads.draw(&lookup.payer, now) => {
                let read = [Stored::Session, Stored::RevokedBefore]
                    .map(|what| EffectKey::Storage(lookup.digest, what));
                progress.asked.extend(read);
                progress.stored.retain(|(digest, ..)| *digest != lookup.digest);
                Ok((Effect::Wait { millis: 0 }, Continuation::Wait))
            }
            Missing::Storage(lookup) => {
                self.read_storage(policy, *lookup, progress, now).ok_or(otherwise)
            }
            Missing::Session(question) if !self.may_ask(&question.payer, progress, now) => {
                in_turn(&question.payer, progress).ok_or((reason, LookupFailure::OutOfBudget))
            }
            Missing::Session(mut question) => {
                if progress.has_asked(&EffectKey::SessionCopy(question.digest))
                    || !policy.capabilities.shares()
                {
                    question.copies_up_to = Seconds::new(0);
                }
                let subject = if question.copies_up_to > Seconds::new(0) {
                    EffectKey::SessionCopy
                } else {
                    EffectKey::Session
                };
                progress.asked.push(subject(question.digest));
                self.fetch_session(policy, request, *question, FETCH_TIMEOUT_MILLIS, now)
                    .ok_or(otherwise)
            }
            Missing::Token(question) if !self.may_ask(&question.payer, progress, now) => {
                in_turn(&question.payer, progress).ok_or((reason, LookupFailure::OutOfBudget))
            }
            Missing::Token(question) => {
                progress.asked.push(EffectKey::Token);
                self.fetch_token(policy, request, *question, now).ok_or(otherwise)
            }
            Missing::DenyList(cache_use) => {
                self.fetch_deny_list(policy, cache_use, progress, now).ok_or(otherwise)
            }
            Missing::Check(wanted) => {
                Ok((Effect::Check(wanted.check), Continuation::Check(wanted.unconfirmed)))
            }
            Missing::Sign(request) => {
                progress.asked.push(EffectKey::Assertion);
                Ok((Effect::Sign(*request), Continuation::Sign))
            }
            Missing::Wait(_) => Ok(pause(progress)),
        };
        begun.map(|(effect, continuation)| (within(effect, left), continuation))
    }

    /// Whether there is an ask left for this request.
    fn may_ask(&mut self, payer: &Payer, progress: &mut RequestProgress, now: UnixTime) -> bool {
        let may_ask = match progress.is_short_of_asks {
            true => self.rate_limit.draw_after_wait(payer, now),
            false => self.rate_limit.draw(payer, now),
        };
        progress.is_short_of_asks &= !may_ask;
        may_ask
    }

    /// The key set of an issuer, for a token with this `kid`.
    pub(crate) fn fetch_keys(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        source: usize,
        (cache_use, kid): (CacheUse, Option<String>),
        progress: &mut RequestProgress,
        now: UnixTime,
    ) -> Option<(Effect, Continuation)> {
        let issuer = policy.issuers.get(source)?;
        let url = issuer.jwks_url.clone()?;
        let mut headers =
            vec![("accept".to_owned(), "application/jwk-set+json, application/json".to_owned())];
        // The set is everybody's, so it must not depend on who comes first: no address is told, by
        // which the service would count, and where it knows nothing of this host (a deployment's
        // own address), the next try is made in the name of its own.
        if let Some(service) =
            issuer.better_auth.as_ref().filter(|service| service.is_asked_at(&url))
        {
            let is_second = self.keys.failures(source) % 2 == 1;
            headers.extend(introduction(if is_second {
                &service.origin
            } else {
                request.public_origin
            }));
        }
        self.keys.lease(source, now.plus_millis(LEASE_MILLIS));
        progress.asked.push(EffectKey::Keys(source, cache_use));
        let copy =
            if cache_use == CacheUse::AllowCached { name_of_keys(policy, source) } else { None };
        let fetch = Fetch {
            purpose: Purpose::Keys,
            method: "GET",
            url,
            headers,
            timeout_ms: FETCH_TIMEOUT_MILLIS,
            max_bytes: jwk::MAX_SET_BYTES,
            copy,
        };
        Some((Effect::Fetch(fetch), Continuation::Keys { source, kid }))
    }

    /// The list of what has been revoked.
    pub(crate) fn fetch_deny_list(
        &mut self,
        policy: &Policy,
        cache_use: CacheUse,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) -> Option<(Effect, Continuation)> {
        self.deny_list.as_mut()?.lease(now.plus_millis(LEASE_MILLIS));
        progress.asked.push(EffectKey::DenyList(cache_use));
        let effect = match &policy.deny_list.as_ref()?.source {
            DenyListSource::Url(url, authorization) => {
                let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
                headers.extend(
                    authorization.iter().map(|value| ("authorization".to_owned(), value.clone())),
                );
                Effect::Fetch(Fetch {
                    purpose: Purpose::DenyList,
                    method: "GET",
                    url: url.clone(),
                    headers,
                    timeout_ms: FETCH_TIMEOUT_MILLIS,
                    max_bytes: deny_list::MAX_LIST_BYTES,
                    copy: if cache_use == CacheUse::AllowCached {
                        name_of_deny_list(policy)
                    } else {
                        None
                    },
                })
            }
            DenyListSource::Store { name, key } => Effect::Read(StoreRead {
                store: name.clone(),
                key: key.clone(),
                timeout_ms: FETCH_TIMEOUT_MILLIS,
                max_bytes: deny_list::MAX_LIST_BYTES,
            }),
        };
        Some((effect, Continuation::DenyList { asked: now }))
    }

    /// What a service's storage has about a session (Better Auth's secondary storage): its key is
    /// the bare token.
    fn read_storage(
        &mut self,
        policy: &Policy,
        lookup: Lookup,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) -> Option<(Effect, Continuation)> {
        let Lookup { issuer, digest, session, token, user, .. } = lookup;
        let storage = service(policy, issuer)?.storage.as_ref()?;
        let asked = self.events.moment(now);
        self.sessions.lease(digest, asked.number, now.plus_millis(LEASE_MILLIS), now);
        let (what, key) = match &user {
            None => (Stored::Session, [storage.prefix.as_str(), &token].concat()),
            Some(user) => (
                Stored::RevokedBefore,
                [storage.prefix.as_str(), "revoked-sessions-before-", user].concat(),
            ),
        };
        progress.asked.push(EffectKey::Storage(digest, what));
        let (store, max_bytes) = (storage.store.clone(), MAX_SESSION_BYTES);
        let effect =
            Effect::Read(StoreRead { store, key, timeout_ms: STORE_TIMEOUT_MILLIS, max_bytes });
        Some((effect, Continuation::Storage { issuer, digest, session, asked, token, user }))
    }

    /// An effect that has the cookies of a session renewed, if there is budget to spare.
    pub(crate) fn renew(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        question: Question,
        arrived: Moment,
        now: UnixTime,
    ) -> Option<PendingEffect> {
        if !self.rate_limit.draw_spare(&question.payer, now) {
            return None;
        }
        let (effect, continuation) =
            self.fetch_session(policy, request, question, RENEWAL_TIMEOUT_MILLIS, now)?;
        Some(PendingEffect::new(
            effect,
            continuation,
            RequestProgress::new(Moment { at: now, ..arrived }, LEASE_MILLIS),
        ))
    }

    /// An effect that says what the response of the origin sets. It has nothing to do but to wait
    /// for that.
    pub(crate) fn watch(arrived: Moment, now: UnixTime) -> PendingEffect {
        PendingEffect::new(
            Effect::Wait { millis: 0 },
            Continuation::Watch,
            RequestProgress::new(Moment { at: now, ..arrived }, WATCH_MILLIS),
        )
    }

    fn fetch_token(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        question: TokenQuestion,
        now: UnixTime,
    ) -> Option<(Effect, Continuation)> {
        let TokenQuestion { issuer, place, session, payer, header } = question;
        let url = service(policy, issuer)?.token_url.clone();
        let asked = self.events.moment(now);
        self.tokens.lease(place, asked.number, now.plus_millis(LEASE_MILLIS));
        let cookies = cookies_for(request, &header);
        let fetch = Fetch {
            purpose: Purpose::Token,
            method: "GET",
            url,
            headers: told_to_service(request, header),
            timeout_ms: FETCH_TIMEOUT_MILLIS,
            max_bytes: MAX_TOKEN_BYTES,
            copy: None,
        };
        Some((
            Effect::Fetch(fetch),
            Continuation::Token { issuer, place, session, asked, payer, cookies },
        ))
    }

    fn fetch_session(
        &mut self,
        policy: &Policy,
        request: &RequestHead<'_>,
        question: Question,
        timeout_ms: u32,
        now: UnixTime,
    ) -> Option<(Effect, Continuation)> {
        let Question { issuer, digest, session, since, token, copies_up_to, payer, header, query } =
            question;
        let url = service(policy, issuer)?.get_session_url.clone();
        let asked = self.events.moment(now);
        self.sessions.lease(digest, asked.number, now.plus_millis(LEASE_MILLIS), now);
        let cookies = cookies_for(request, &header);
        let mut headers = told_to_service(request, header);
        let method = match query {
            SessionQuery::Read => "GET",
            SessionQuery::Refresh => {
                // It takes a POST with cookies from its own site only.
                headers.push(("origin".to_owned(), service(policy, issuer)?.origin.clone()));
                self.sessions.owe(&digest, false);
                "POST"
            }
        };
        let fetch = Fetch {
            purpose: Purpose::Session,
            method,
            url,
            headers,
            timeout_ms,
            max_bytes: MAX_SESSION_BYTES,
            copy: if copies_up_to > Seconds::new(0) {
                name_of_session(policy, issuer, &digest)
            } else {
                None
            },
        };
        let is_renewal = timeout_ms == RENEWAL_TIMEOUT_MILLIS;
        let continuation = Continuation::Session {
            issuer,
            digest,
            session,
            since,
            asked,
            token,
            copies_up_to,
            payer,
            cookies,
            is_renewal,
            query,
        };
        Some((Effect::Fetch(fetch), continuation))
    }
}

/// The name of the copy of an issuer's key set, where there is a shared cache.
pub(super) fn name_of_keys(policy: &Policy, source: usize) -> Option<String> {
    let issuer = policy.issuers.get(source).filter(|_| policy.capabilities.shares())?;
    Some(shared::name_of(
        Purpose::Keys.name(),
        &[issuer.name.as_bytes(), issuer.jwks_url.as_ref()?.as_bytes()],
    ))
}

/// The name of the copy of the deny-list. What its server gives for a token only is not shared (RFC
/// 9111 section 3.5).
pub(super) fn name_of_deny_list(policy: &Policy) -> Option<String> {
    match &policy.deny_list.as_ref().filter(|_| policy.capabilities.shares())?.source {
        DenyListSource::Url(url, None) => {
            Some(shared::name_of(Purpose::DenyList.name(), &[url.as_bytes()]))
        }
        DenyListSource::Url(_, Some(_)) | DenyListSource::Store { .. } => None,
    }
}

/// The name of the copy of what the auth service said about the credential with this digest. What
/// is kept depends on which claims the policy names: another policy's copies go under other names.
pub(super) fn name_of_session(policy: &Policy, issuer: usize, digest: &[u8; 32]) -> Option<String> {
    let service = service(policy, issuer).filter(|_| policy.capabilities.shares())?;
    let mut parts: Vec<&[u8]> = vec![digest, service.get_session_url.as_bytes()];
    parts.extend(policy.named_claims.iter().map(|path| path.name().as_bytes()));
    Some(shared::name_of(Purpose::Session.name(), &parts))
}

/// The same in what its request has left: the second of two slow fetches gets less time than the
/// first.
fn within(effect: Effect, left_millis: i64) -> Effect {
    let at_most = |timeout_ms: u32| u32::try_from(left_millis).unwrap_or(u32::MAX).min(timeout_ms);
    match effect {
        Effect::Fetch(fetch) => {
            Effect::Fetch(Fetch { timeout_ms: at_most(fetch.timeout_ms), ..fetch })
        }
        Effect::Read(read) => {
            Effect::Read(StoreRead { timeout_ms: at_most(read.timeout_ms), ..read })
        }
        other => other,
    }
}

pub(super) fn service(policy: &Policy, issuer: usize) -> Option<&BetterAuth> {
    policy.issuers.get(issuer)?.better_auth.as_ref()
}

/// The auth service gets the session's credential and whatever it needs to tell clients apart, and
/// nothing else.
fn told_to_service(
    request: &RequestHead<'_>,
    credential: (&'static str, String),
) -> Vec<(String, String)> {
    let mut headers = vec![
        ("accept".to_owned(), "application/json".to_owned()),
        (credential.0.to_owned(), credential.1),
    ];
    headers.extend(introduction(request.public_origin));
    // Better Auth counts requests by client, and only believes a single address.
    headers.extend(
        request.client_address.map(|address| ("x-forwarded-for".to_owned(), address.to_owned())),
    );
    headers
}

/// In whose name an auth service is asked, whatever the question: one with several hosts
/// (`baseURL: { allowedHosts }`) answers nobody else (better-auth#8009).
fn introduction(public_origin: &str) -> Vec<(String, String)> {
    match public_origin.split_once("://") {
        Some((scheme, host)) if !host.is_empty() => {
            vec![
                ("x-forwarded-host".to_owned(), host.to_owned()),
                ("x-forwarded-proto".to_owned(), scheme.to_owned()),
            ]
        }
        _ => Vec::new(),
    }
}

/// For whom the cookies are that the service sets, asked with this credential.
fn cookies_for(request: &RequestHead<'_>, credential: &(&'static str, String)) -> CookiesFor {
    if credential.0 == "cookie" { CookiesFor::Host(host_of(request)) } else { CookiesFor::Nobody }
}

/// The public host without its port.
fn host_of(request: &RequestHead<'_>) -> String {
    let host = request.public_origin.split_once("://").map_or("", |(_, host)| host);
    host.split(':').next().unwrap_or_default().to_owned()
}

/// A user for whom there is no ask left waits for the next: whoever comes meanwhile and asks the
/// same asks together with this request. Strangers do not wait: a flood of them would be kept as
/// long as it lasts.
fn in_turn(payer: &Payer, progress: &mut RequestProgress) -> Option<(Effect, Continuation)> {
    if payer.share == RateClass::Known && progress.waits < MAX_WAITS {
        progress.is_short_of_asks = true;
        return Some(pause(progress));
    }
    progress.learned.failure = Some(LookupFailure::OutOfBudget);
    None
}

fn pause(progress: &mut RequestProgress) -> (Effect, Continuation) {
    let millis = FIRST_WAIT_MILLIS
        .checked_shl(progress.waits)
        .unwrap_or(LONGEST_WAIT_MILLIS)
        .clamp(FIRST_WAIT_MILLIS, LONGEST_WAIT_MILLIS);
    progress.waits = progress.waits.saturating_add(1);
    (Effect::Wait { millis }, Continuation::Wait)
}
