//! What is learned from what an effect has brought, for everybody and for its request.

use crate::better_auth::session_record::{
    LookupFailure, Session, SessionState, hides_token, needs_refresh,
};
use crate::cache::deny_list;
use crate::cache::exchanged_tokens;
use crate::cache::rate_limit::{RateClass, party_of};
use crate::cache::session_events::{Moment, SessionName, SessionTrust};
use crate::cache::shared::CacheUse;
use crate::cache::shared::{CacheWrite, Copied};
use crate::effect::{Effect, EffectResult};
use crate::effects::missing::SessionQuery;
use crate::effects::progress::{
    Answered, Continuation, CookiesFor, EffectKey, End, FetchedToken, Learned, PresentedSession,
    RequestProgress,
};
use crate::http::cookie::SetCookie;
use crate::jose::alg::Algorithm;
use crate::jose::jwk;
use crate::jose::platform::Checked;
use crate::policy::{BetterAuth, Policy};
use crate::reason::Reason;
use crate::time::UnixTime;

use crate::effects::set_cookies;
use crate::effects::state::{
    EffectState, MAX_CACHE_WRITES, MAX_CACHE_WRITES_BYTES, MAX_SESSION_BYTES, name_of_deny_list,
    name_of_keys, name_of_session, service,
};

impl EffectState {
    /// Learns what an effect has brought, for everybody and for its request.
    pub(crate) fn learn(
        &mut self,
        policy: &Policy,
        (effect, continuation): (Effect, Continuation),
        result: &EffectResult<'_>,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) {
        if matches!(result, EffectResult::Failed) && progress.was_kept_waiting(now) {
            return self.give_up(&continuation, progress);
        }
        match continuation {
            Continuation::Keys { source, kid } => match result {
                EffectResult::Copied(copied) => self.keys.receive_copy(source, copied, now),
                _ => {
                    // Whatever copy would have done: the issuer itself has been asked.
                    progress.asked.push(EffectKey::Keys(source, CacheUse::Bypass));
                    let useful = self.keys.receive(source, kid.as_deref(), result, now);
                    if let Some(((copy, seconds), name)) = useful.zip(name_of_keys(policy, source))
                    {
                        self.keep(copy.kept(name, seconds, jwk::MAX_SET_BYTES, now));
                    }
                }
            },
            Continuation::Storage { issuer, digest, session, asked, token, user } => {
                self.learn_stored(
                    policy,
                    (issuer, &token, user),
                    (digest, session, asked),
                    result,
                    progress,
                    now,
                );
            }
            Continuation::Session {
                issuer,
                digest,
                session: name,
                since,
                asked,
                copies_up_to,
                payer,
                ..
            } if let EffectResult::Copied(copied) = result => {
                self.rate_limit.give_back(&payer, now);
                let copy = Copied::open(copied, copies_up_to, now);
                let session = copy.and_then(|it| {
                    Session::from_copy(it.body, &policy.named_claims, it.fetched, now)
                });
                let counts = |known| {
                    since.admits_dated(known) && !self.events.has_changed(&name, asked.number)
                };
                match session.filter(|session| counts(session.known)) {
                    Some(session)
                        if self.sessions.receive_copy(
                            digest,
                            party_of(issuer, &session.subject),
                            &session,
                            (session.known, asked),
                            now,
                        ) =>
                    {
                        progress.answers.push(Answered {
                            digest,
                            session: name,
                            answer: SessionState::Active(session),
                            asked,
                        });
                    }
                    Some(_) => {}
                    None => self.sessions.release(&digest, asked.number),
                }
            }
            Continuation::Session {
                issuer,
                digest,
                session,
                asked,
                token,
                payer,
                cookies,
                is_renewal,
                query,
                ..
            } => {
                progress.asked.push(EffectKey::Session(digest));
                let learned = match result {
                    EffectResult::Answered { status, body, headers } => {
                        let named = &policy.named_claims;
                        SessionState::read(*status, body, &token, named, now).or_else(|failure| {
                            match service(policy, issuer) {
                                // `customSession` may have taken it out; what the service writes
                                // beside it proves as much.
                                Some(service)
                                    if failure == LookupFailure::OddBody && hides_token(body) =>
                                {
                                    progress.learned.hint = Some(HIDES_TOKEN);
                                    set_cookies::session_of(service, named, headers, &token, now)
                                        .map(SessionState::Active)
                                        .ok_or(failure)
                                }
                                _ => Err(failure),
                            }
                        })
                    }
                    EffectResult::TooLarge => Err(LookupFailure::TooLarge),
                    EffectResult::HeadTooLarge => Err(LookupFailure::HeadersTooLarge),
                    _ => Err(LookupFailure::Failed),
                };
                if is_renewal && learned.is_err() {
                    self.sessions.pause_renewal(digest, asked.number, now);
                    progress.learned.failure = learned.err();
                    return;
                }
                let is_overtaken = self.events.has_changed(&session, asked.number);
                if is_overtaken && matches!(learned, Ok(SessionState::Active(_))) {
                    self.rate_limit.settle(&payer, RateClass::Known, now);
                    self.sessions.release(&digest, asked.number);
                    if !progress.may_ask_again(EffectKey::Session(digest)) {
                        progress.learned.failure = Some(LookupFailure::Changed);
                    }
                    return;
                }
                let was_vouched_for = self.sessions.owner(&digest).is_some();
                let says_it_lives = matches!(learned, Ok(SessionState::Active(_)));
                let owner = match &learned {
                    Ok(SessionState::Active(session)) => Some(party_of(issuer, &session.subject)),
                    _ => None,
                };
                match (
                    self.sessions.receive(digest, owner, learned, asked, now),
                    result,
                    service(policy, issuer),
                ) {
                    (Ok(answer), EffectResult::Answered { headers, .. }, Some(service)) => {
                        self.rate_limit.settle(
                            &payer,
                            if answer == SessionState::Ended {
                                RateClass::Unverified
                            } else {
                                RateClass::Known
                            },
                            now,
                        );
                        let is_asked_for = matches!(result, EffectResult::Answered { body, .. } if needs_refresh(body));
                        self.sessions.owe(
                            &digest,
                            is_asked_for
                                && answer != SessionState::Ended
                                && query == SessionQuery::Read,
                        );
                        if answer == SessionState::Ended {
                            let lines: Vec<&str> = headers
                                .iter()
                                .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
                                .map(|(_, line)| *line)
                                .collect();
                            let deletes = |line: &&str| {
                                let cookie = SetCookie::parse(line);
                                cookie.is_some_and(|it| {
                                    it.is_deletion() && service.cookies.include(it.name)
                                })
                            };
                            let end = End {
                                url: url_of(&effect),
                                has_deleted_cookies: lines.iter().any(deletes),
                            };
                            progress.learned.end = Some(Box::new(end));
                            self.tokens.forget(&digest);
                            let standing = if was_vouched_for {
                                SessionTrust::Known
                            } else {
                                SessionTrust::Unverified
                            };
                            self.events.note_end(session, standing, now);
                        }
                        // Cookies of a word that does not count any more are none for the client.
                        if says_it_lives == (answer != SessionState::Ended) && !is_overtaken {
                            self.hear(service, &cookies, session, headers, &mut progress.learned);
                        }
                        // Of what nobody has vouched for there is no copy, and forged tokens shall
                        // not fill the cache.
                        if answer != SessionState::Ended || was_vouched_for {
                            self.share_answer(policy, issuer, &digest, &answer, asked, now);
                        }
                        progress.answers.push(Answered { digest, session, answer, asked });
                    }
                    (answer, ..) => progress.learned.failure = answer.err(),
                }
            }
            Continuation::Token { issuer, place, session, asked, payer, cookies } => {
                let answer = exchanged_tokens::read(result);
                if self.events.has_changed(&session, asked.number) && answer.is_ok() {
                    self.rate_limit.settle(&payer, RateClass::Known, now);
                    self.tokens.release(place, asked.number);
                    if !progress.may_ask_again(EffectKey::Token) {
                        progress.learned.failure = Some(LookupFailure::Changed);
                    }
                    return;
                }
                if let (Ok(_), EffectResult::Answered { headers, .. }, Some(service)) =
                    (&answer, result, service(policy, issuer))
                {
                    self.rate_limit.settle(&payer, RateClass::Known, now);
                    self.hear(service, &cookies, session, headers, &mut progress.learned);
                }
                match &answer {
                    // Whoever has it goes on to see whether it holds: the lease lasts until that is
                    // known.
                    Ok(_) => {}
                    // And whoever was denied it goes on to ask about the session.
                    Err(LookupFailure::Unauthorized) => {
                        self.rate_limit.settle(&payer, RateClass::Unverified, now)
                    }
                    Err(failure) => {
                        progress.learned.failure = Some(*failure);
                        self.tokens.fail(
                            place,
                            asked.number,
                            Reason::TokenExchangeUnavailable,
                            Some(*failure),
                            now,
                        );
                    }
                }
                progress.fetched = Some(FetchedToken { token: answer, session, asked });
            }
            Continuation::DenyList { asked } => {
                self.learn_deny_list(policy, asked, result, progress, now)
            }
            Continuation::Check(unconfirmed) => {
                let Some(checked) = checked(effect, result) else { return };
                progress.proven.extend(
                    unconfirmed
                        .and_then(|unconfirmed| unconfirmed.given(&checked))
                        .map(|claimed| *claimed),
                );
                progress.checked.push(checked);
            }
            Continuation::Sign => {
                // Not every WebCrypto has Ed25519, and no host finds out before it tries.
                let is_eddsa = matches!(&effect, Effect::Sign(request) if request.algorithm == Algorithm::EdDSA);
                progress.signs_inside = is_eddsa && matches!(result, EffectResult::Unsupported);
                progress.signed = signed(effect, result);
            }
            Continuation::Wait | Continuation::Watch => {}
        }
    }

    /// A request that others kept waiting had too little time left for its effect: that says
    /// nothing about whoever was asked.
    fn give_up(&mut self, continuation: &Continuation, progress: &mut RequestProgress) {
        progress.learned.failure = Some(LookupFailure::KeptWaiting);
        match continuation {
            Continuation::Keys { source, .. } => {
                progress.asked.push(EffectKey::Keys(*source, CacheUse::Bypass));
                self.keys.release(*source);
            }
            Continuation::Session { digest, asked, .. } => {
                progress.asked.push(EffectKey::Session(*digest));
                self.sessions.release(digest, asked.number);
            }
            Continuation::Storage { digest, asked, .. } => {
                self.sessions.release(digest, asked.number)
            }
            Continuation::Token { place, asked, .. } => self.tokens.release(*place, asked.number),
            Continuation::DenyList { .. } => {
                progress.asked.push(EffectKey::DenyList(CacheUse::Bypass));
                if let Some(list) = &mut self.deny_list {
                    list.release();
                }
            }
            Continuation::Check(_)
            | Continuation::Sign
            | Continuation::Wait
            | Continuation::Watch => {}
        }
    }

    fn learn_deny_list(
        &mut self,
        policy: &Policy,
        asked: UnixTime,
        result: &EffectResult<'_>,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) {
        let Some(list) = &mut self.deny_list else { return };
        if let EffectResult::Copied(copied) = result {
            return list.receive_copy(copied, now);
        }
        // Whatever copy would have done: the source itself has been asked.
        progress.asked.push(EffectKey::DenyList(CacheUse::Bypass));
        match list.receive(asked, result, now) {
            Ok(useful) => {
                if let Some(((copy, seconds), name)) = useful.zip(name_of_deny_list(policy)) {
                    self.keep(copy.kept(name, seconds, deny_list::MAX_LIST_BYTES, now));
                }
            }
            Err(failure) => progress.learned.deny_list = Some(failure),
        }
    }

    /// Tells other instances that a session lives, where the configuration wants it; and no longer,
    /// once it has ended.
    fn share_answer(
        &mut self,
        policy: &Policy,
        issuer: usize,
        digest: &[u8; 32],
        answer: &SessionState,
        asked: Moment,
        now: UnixTime,
    ) {
        let seconds = match service(policy, issuer) {
            Some(service) if service.shares_sessions => service.session_cache.get(),
            _ => return,
        };
        let body = match answer {
            SessionState::Active(session) => session.to_copy(),
            SessionState::Ended => "null".to_owned(),
        };
        if let Some(name) = name_of_session(policy, issuer, digest) {
            let copy = Copied { fetched: asked.at, cache_control: "", body: body.as_bytes() };
            self.keep(copy.kept(name, seconds, MAX_SESSION_BYTES, now));
        }
    }

    /// Something has happened to a session, or may be about to: what is remembered of it is
    /// forgotten, here and in the shared cache.
    pub(crate) fn forget(&mut self, policy: &Policy, presented: &PresentedSession, now: UnixTime) {
        let asked = self.events.moment(now);
        for digest in &presented.digests {
            self.tokens.forget(digest);
            self.sessions.forget(digest, now);
            // Forged tokens shall not fill the cache.
            if presented.standing == SessionTrust::Known {
                self.share_answer(
                    policy,
                    presented.issuer,
                    digest,
                    &SessionState::Ended,
                    asked,
                    now,
                );
            }
        }
    }

    /// What this request has learned of sessions to which something has happened since does not
    /// count for it any more.
    pub(crate) fn drop_overtaken(&self, progress: &mut RequestProgress, now: UnixTime) {
        let has_changed =
            |session: &SessionName, asked: Moment| self.events.has_changed(session, asked.number);
        let (overtaken, kept) =
            std::mem::take(&mut progress.answers).into_iter().partition::<Vec<_>, _>(|answered| {
                matches!(answered.answer, SessionState::Active(_))
                    && has_changed(&answered.session, answered.asked)
            });
        progress.answers = kept;
        for answered in overtaken {
            progress.stored.retain(|(digest, ..)| *digest != answered.digest);
            if !progress.may_ask_again(EffectKey::Session(answered.digest)) {
                progress.learned.failure = Some(LookupFailure::Changed);
            }
        }
        if progress.fetched.as_ref().is_some_and(|fetched| {
            fetched.token.is_ok() && has_changed(&fetched.session, fetched.asked)
        }) {
            progress.fetched = None;
            if !progress.may_ask_again(EffectKey::Token) {
                progress.learned.failure = Some(LookupFailure::Changed);
            }
        }
        let arrived = progress.arrival.number;
        if progress
            .learned
            .cookies_of
            .iter()
            .any(|(session, learned)| self.events.has_overtaken(session, *learned, arrived, now))
        {
            progress.learned.set_cookies.clear();
            progress.learned.cookies_of.clear();
        }
    }

    /// Keeps the cookies that the auth service wants to set: those of the session only, and only
    /// for this host. The others' names are noted. Its `set-auth-token` and `set-auth-jwt` would
    /// give scripts what cookies keep from them: they stop here.
    fn hear(
        &self,
        service: &BetterAuth,
        cookies: &CookiesFor,
        session: SessionName,
        headers: &[(&str, &str)],
        learned: &mut Learned,
    ) {
        let CookiesFor::Host(host) = cookies else { return };
        for (_, line) in headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        {
            match SetCookie::parse(line) {
                Some(cookie) if service.cookies.include(cookie.name) && cookie.suits_host(host) => {
                    learned.set_cookies.push((*line).to_owned());
                }
                cookie => learned
                    .dropped
                    .push(loggable(cookie.map_or("", |cookie| cookie.name)).to_owned()),
            }
        }
        learned.cookies_of.push((session, self.events.last()));
    }

    fn keep(&mut self, keep: Option<CacheWrite>) {
        let Some(keep) = keep else { return };
        let bytes = self
            .cache_writes
            .iter()
            .map(|kept| kept.text.len())
            .fold(keep.text.len(), usize::saturating_add);
        if self.cache_writes.len() < MAX_CACHE_WRITES && bytes <= MAX_CACHE_WRITES_BYTES {
            self.cache_writes.push(keep);
        }
    }

    /// Learns what a storage has. Only a session that lives, and that nobody has revoked, is an
    /// answer: with anything else the service itself is asked, for a store may be late and there
    /// may be a database behind it.
    fn learn_stored(
        &mut self,
        policy: &Policy,
        (issuer, token, user): (usize, &str, Option<String>),
        (digest, name, asked): ([u8; 32], SessionName, Moment),
        result: &EffectResult<'_>,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) {
        let storage = service(policy, issuer).and_then(|service| service.storage.as_ref());
        let session = match (user, result, storage) {
            (None, EffectResult::Found(value), Some(storage)) => {
                let session = Session::stored(value, token, &policy.named_claims, storage.lag, now);
                progress.stored.extend(session.map(|session| (digest, session, asked)));
                None
            }
            (Some(_), EffectResult::Absent, _) => progress.stored(&digest),
            (Some(_), EffectResult::Found(since), _) => {
                progress.stored(&digest).filter(|session| began_after(session, since))
            }
            _ => None,
        };
        let first_asked = progress
            .stored
            .iter()
            .find(|(stored, ..)| *stored == digest)
            .map_or(asked, |(.., first)| *first);
        let is_overtaken = self.events.has_changed(&name, first_asked.number);
        match session.cloned().filter(|_| !is_overtaken) {
            // Nobody has heard since that it has ended.
            Some(session)
                if self.sessions.receive_copy(
                    digest,
                    party_of(issuer, &session.subject),
                    &session,
                    (now, asked),
                    now,
                ) =>
            {
                progress.answers.push(Answered {
                    digest,
                    session: name,
                    answer: SessionState::Active(session),
                    asked: first_asked,
                });
            }
            Some(_) => {}
            None => self.sessions.release(&digest, asked.number),
        }
    }
}

/// Whether a session began when its user's sessions counted again: milliseconds since 1970, in
/// decimal.
fn began_after(session: &Session, since: &[u8]) -> bool {
    let since = std::str::from_utf8(since)
        .ok()
        .and_then(|since| since.parse().ok())
        .map(UnixTime::from_millis);
    session.attributes.began.zip(since).is_some_and(|(began, since)| began >= since)
}

/// The name of a cookie, without what the multi-session plugin puts behind it: the session's token.
fn loggable(name: &str) -> &str {
    name.split_once("_multi-").map_or(name, |(name, _)| name)
}

/// What the log says about an answer without the session's token.
const HIDES_TOKEN: &str =
    "The response has no session.token: keep it in customSession, or turn on the cookie cache";

/// Where a fetch goes.
fn url_of(effect: &Effect) -> String {
    match effect {
        Effect::Fetch(fetch) => fetch.url.clone(),
        _ => String::new(),
    }
}

/// A signature, with all that it was made over. A failure is no signature.
fn signed(effect: Effect, result: &EffectResult<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    match (effect, result) {
        (Effect::Sign(request), EffectResult::Signed(signature)) => {
            Some((request.input, signature.to_vec()))
        }
        _ => None,
    }
}

/// What was to be checked, and what came of it.
pub(crate) fn checked(effect: Effect, result: &EffectResult<'_>) -> Option<Checked> {
    let Effect::Check(check) = effect else {
        return None;
    };
    let verdict = match result {
        EffectResult::Checked(holds) => Some(*holds),
        _ => None,
    };
    Some(Checked { check, verdict, is_unsupported: matches!(result, EffectResult::Unsupported) })
}
