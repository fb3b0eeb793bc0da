//! What the auth service says about a session. Private: a host keeps nothing of it by itself.

use std::sync::Arc;

use crate::better_auth::session_record::{
    LookupFailure, Session, SessionState, hides_token, needs_refresh,
};
use crate::cache::rate_limit::{RateClass, RateKey, party_of};
use crate::cache::session_events::{Moment, SessionDigest, SessionTrust, Since};
use crate::cache::sessions::CredentialDigest;
use crate::cache::shared::{self, CacheWrite, Copied};
use crate::effect::{Effect, EffectResult, Fetch};
use crate::http::request::RequestHead;
use crate::policy::Policy;
use crate::policy::auth_service::AuthService;
use crate::reason::Reason;
use crate::time::{Seconds, UnixTime};

use super::key::EffectKey;
use super::learned::End;
use super::pending::PendingEffect;
use super::service::{self, CookiesFor};
use super::state::{EffectState, FETCH_TIMEOUT_MILLIS, LEASE_MILLIS};
use super::watch::PresentedSession;
use super::{Begun, Context, Continuation, Purpose, RequestProgress, set_cookies, wait};

/// What logs call it.
const NAME: &str = "session";
/// A renewal may take so long: the answer of the origin waits for it.
const RENEWAL_TIMEOUT_MILLIS: u32 = 1000;
/// A session's answer is small.
pub(super) const MAX_SESSION_BYTES: u32 = 256 * 1024;
/// What the log says about an answer without the session's token.
const HIDES_TOKEN: &str =
    "The response has no session.token: keep it in customSession, or turn on the cookie cache";

/// How a question about a session is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionQuery {
    /// What has become of it?
    Read,
    /// And may it live on? With `deferSessionRefresh` the service extends nothing before it is
    /// asked so.
    Refresh,
}

/// A question to the auth service.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) service: Arc<AuthService>,
    pub(crate) credential: CredentialDigest,
    pub(crate) session: SessionDigest,
    /// How new the answer has to be, where another's will do.
    pub(crate) since: Since,
    /// The session token that the answer has to be about.
    pub(crate) token: String,
    /// How old another instance's word may be; 0: only the auth service's own will do.
    pub(crate) max_copy_age: Seconds,
    /// Who pays for it.
    pub(crate) rate_key: RateKey,
    /// The credential as a request header.
    pub(crate) header: (&'static str, String),
    pub(crate) query: SessionQuery,
}

/// A question that has been put.
pub(crate) struct Pending {
    service: Arc<AuthService>,
    credential: CredentialDigest,
    session: SessionDigest,
    since: Since,
    asked: Moment,
    token: String,
    max_copy_age: Seconds,
    rate_key: RateKey,
    cookies: CookiesFor,
    /// A renewal gives up too soon for its failure to say anything about the service.
    is_renewal: bool,
    query: SessionQuery,
}

/// What was answered to a request.
#[derive(Default)]
pub(crate) struct Memory {
    answers: Vec<Answered>,
}

/// An answer about the session of a credential.
struct Answered {
    credential: CredentialDigest,
    session: SessionDigest,
    answer: SessionState,
    asked: Moment,
}

/// A request asks the auth service once about the session whose credential has this digest.
pub(crate) const fn key(credential: CredentialDigest) -> EffectKey {
    EffectKey::by_credential(NAME, credential)
}

/// And once where another instance's word would do.
const fn copy_key(credential: CredentialDigest) -> EffectKey {
    EffectKey::by_credential("session-copy", credential)
}

impl Memory {
    /// What was answered to this request last: the auth service's word comes after its storage's.
    pub(crate) fn answer(&self, credential: &CredentialDigest) -> Option<&SessionState> {
        self.answers
            .iter()
            .rfind(|answered| answered.credential == *credential)
            .map(|answered| &answered.answer)
    }

    pub(super) fn keep(
        &mut self,
        credential: CredentialDigest,
        session: SessionDigest,
        answer: SessionState,
        asked: Moment,
    ) {
        self.answers.push(Answered { credential, session, answer, asked });
    }
}

impl super::Memory for Memory {
    fn weight(&self) -> usize {
        let weights = self.answers.iter().map(|answered| match &answered.answer {
            SessionState::Active(session) => session.weight(),
            SessionState::Ended => 0,
        });
        weights.fold(0, usize::saturating_add)
    }
}

impl Purpose for Question {
    type Pending = Pending;
    type Memory = Memory;

    fn reason(&self) -> Reason {
        Reason::SessionUnavailable
    }

    fn begin(
        mut self,
        head: &RequestHead<'_>,
        context: &mut Context<'_>,
    ) -> Result<Begun, LookupFailure> {
        if let Some(instead) = wait::without_turn(&self.rate_key, context) {
            return instead;
        }
        if context.progress.has_asked(&copy_key(self.credential))
            || !context.policy.capabilities.shares()
        {
            self.max_copy_age = Seconds::new(0);
        }
        let takes_copy = self.max_copy_age > Seconds::new(0);
        let key = if takes_copy { copy_key } else { key };
        context.progress.note_asked(key(self.credential));
        Ok(self.fetch(head, FETCH_TIMEOUT_MILLIS, context))
    }

    fn learn(
        pending: Pending,
        effect: Effect,
        result: &EffectResult<'_>,
        context: &mut Context<'_>,
    ) {
        match result {
            EffectResult::Copied(copied) => pending.learn_copy(copied, context),
            _ => pending.learn_answer(effect, result, context),
        }
    }

    fn give_up(pending: &Pending, context: &mut Context<'_>) {
        context.progress.note_asked(key(pending.credential));
        context.state.sessions.release(&pending.credential, pending.asked.number);
    }

    fn drop_overtaken(context: &mut Context<'_>) {
        let Context { state, progress, .. } = context;
        let is_overtaken = |answered: &Answered| {
            matches!(answered.answer, SessionState::Active(_))
                && state.events.has_changed(&answered.session, answered.asked.number)
        };
        let answers = std::mem::take(&mut progress.memory.session.answers);
        let (overtaken, kept) = answers.into_iter().partition::<Vec<_>, _>(is_overtaken);
        progress.memory.session.answers = kept;
        for answered in overtaken {
            progress.memory.storage.drop(&answered.credential);
            progress.ask_again(key(answered.credential));
        }
    }
}

impl Question {
    /// An effect that has the cookies of a session renewed, if there is budget to spare.
    pub(crate) fn renew(
        self,
        head: &RequestHead<'_>,
        context: &mut Context<'_>,
    ) -> Option<PendingEffect> {
        if !context.state.rate_limit.draw_spare(&self.rate_key, context.now) {
            return None;
        }
        let begun = self.fetch(head, RENEWAL_TIMEOUT_MILLIS, context);
        let arrival = Moment { at: context.now, ..context.progress.arrival };
        Some(PendingEffect::new(begun, RequestProgress::new(arrival, LEASE_MILLIS)))
    }

    fn fetch(self, head: &RequestHead<'_>, timeout_ms: u32, context: &mut Context<'_>) -> Begun {
        let Self {
            service,
            credential,
            session,
            since,
            token,
            max_copy_age,
            rate_key,
            header,
            query,
        } = self;
        let asked = context.state.events.moment(context.now);
        let lease_end = context.lease_end();
        context.state.sessions.lease(credential, asked.number, lease_end, context.now);
        let cookies = CookiesFor::answers_to(head, &header);
        let mut headers = service::request_headers(head, header);
        let method = match query {
            SessionQuery::Read => "GET",
            SessionQuery::Refresh => {
                // It takes a POST with cookies from its own site only.
                headers.push(("origin".to_owned(), service.origin.clone()));
                context.state.sessions.owe(&credential, false);
                "POST"
            }
        };
        let fetch = Fetch {
            purpose: NAME,
            method,
            url: service.get_session_url.clone(),
            headers,
            timeout_ms,
            max_bytes: MAX_SESSION_BYTES,
            copy: if max_copy_age > Seconds::new(0) {
                copy_name(context.policy, &service, &credential)
            } else {
                None
            },
        };
        let pending = Pending {
            service,
            credential,
            session,
            since,
            asked,
            token,
            max_copy_age,
            rate_key,
            cookies,
            is_renewal: timeout_ms == RENEWAL_TIMEOUT_MILLIS,
            query,
        };
        (Effect::Fetch(fetch), Continuation::Session(pending))
    }
}

impl Pending {
    /// What another instance has learned of the session.
    fn learn_copy(self, copied: &[u8], context: &mut Context<'_>) {
        let Self { credential, session: name, asked, .. } = self;
        let Context { policy, state, progress, now } = context;
        state.rate_limit.give_back(&self.rate_key, *now);
        let session = Copied::open(copied, self.max_copy_age, *now)
            .and_then(|copy| {
                Session::from_copy(copy.body, &policy.named_claims, copy.fetched, *now)
            })
            .filter(|session| {
                self.since.admits_dated(session.known)
                    && !state.events.has_changed(&name, asked.number)
            });
        let Some(session) = session else {
            return state.sessions.release(&credential, asked.number);
        };
        let party = party_of(self.service.issuer.id, &session.subject);
        if state.sessions.receive_copy(credential, party, &session, (session.known, asked), *now) {
            progress.memory.session.keep(credential, name, SessionState::Active(session), asked);
        }
    }

    /// What the auth service has answered, or why it has not.
    fn learn_answer(self, effect: Effect, result: &EffectResult<'_>, context: &mut Context<'_>) {
        let (credential, number, now) = (self.credential, self.asked.number, context.now);
        context.progress.note_asked(key(credential));
        let learned = self.read(result, context);
        if self.is_renewal && learned.is_err() {
            context.state.sessions.pause_renewal(credential, number, now);
            context.progress.learned.failure = learned.err();
            return;
        }
        let says_it_lives = matches!(learned, Ok(SessionState::Active(_)));
        let is_overtaken = context.state.events.has_changed(&self.session, number);
        if is_overtaken && says_it_lives {
            context.state.rate_limit.settle(&self.rate_key, RateClass::Known, now);
            context.state.sessions.release(&credential, number);
            return context.progress.ask_again(key(credential));
        }
        let was_vouched_for = context.state.sessions.owner(&credential).is_some();
        let owner = match &learned {
            Ok(SessionState::Active(session)) => {
                Some(party_of(self.service.issuer.id, &session.subject))
            }
            _ => None,
        };
        let answer = context.state.sessions.receive(credential, owner, learned, self.asked, now);
        let (answer, headers, body) = match (answer, result) {
            (Ok(answer), EffectResult::Answered { headers, body, .. }) => (answer, headers, body),
            (answer, _) => {
                context.progress.learned.failure = answer.err();
                return;
            }
        };
        let is_active = answer != SessionState::Ended;
        let class = if is_active { RateClass::Known } else { RateClass::Unverified };
        context.state.rate_limit.settle(&self.rate_key, class, now);
        let is_owed = needs_refresh(body) && is_active && self.query == SessionQuery::Read;
        context.state.sessions.owe(&credential, is_owed);
        if !is_active {
            let trust =
                if was_vouched_for { SessionTrust::Known } else { SessionTrust::Unverified };
            self.note_end(effect, headers, trust, context);
        }
        // Cookies of a word that does not count any more are none for the client.
        if says_it_lives == is_active && !is_overtaken {
            service::keep_cookies(&self.service, &self.cookies, self.session, headers, context);
        }
        // Of what is not verified there is no copy, and forged tokens shall not fill the
        // cache.
        if is_active || was_vouched_for {
            let about = (&*self.service, &credential);
            let write = copy_of(context.policy, about, &answer, self.asked.at, now);
            context.state.keep(write);
        }
        context.progress.memory.session.keep(credential, self.session, answer, self.asked);
    }

    /// Reads what the service has answered.
    fn read(
        &self,
        result: &EffectResult<'_>,
        context: &mut Context<'_>,
    ) -> Result<SessionState, LookupFailure> {
        let EffectResult::Answered { status, body, headers } = result else {
            return Err(match result {
                EffectResult::TooLarge => LookupFailure::TooLarge,
                EffectResult::HeadTooLarge => LookupFailure::HeadersTooLarge,
                _ => LookupFailure::Failed,
            });
        };
        let (named, now) = (&context.policy.named_claims, context.now);
        let answer = SessionState::read(*status, body, &self.token, named, now);
        match answer {
            // `customSession` may have taken it out; what the service writes beside it proves as
            // much.
            Err(LookupFailure::OddBody) if hides_token(body) => {
                context.progress.learned.hint = Some(HIDES_TOKEN);
                set_cookies::session_of(&self.service, named, headers, &self.token, now)
                    .map(SessionState::Active)
                    .ok_or(LookupFailure::OddBody)
            }
            answer => answer,
        }
    }

    /// The auth service says that the session has ended.
    fn note_end(
        &self,
        effect: Effect,
        headers: &[(&str, &str)],
        trust: SessionTrust,
        context: &mut Context<'_>,
    ) {
        let url = match effect {
            Effect::Fetch(fetch) => fetch.url,
            _ => String::new(),
        };
        let has_deleted_cookies = service::deletes_cookies(&self.service, headers);
        let is_by_cookies = matches!(self.cookies, CookiesFor::Host(_));
        let end = End { url, has_deleted_cookies, is_by_cookies };
        context.progress.learned.end = Some(Box::new(end));
        context.state.tokens.forget(&self.credential);
        context.state.events.note_end(self.session, trust, context.now);
    }
}

/// The same for a connection that is open: its client gets no cookies, so the service must not set
/// any for it.
pub(crate) fn without_renewal(effect: Effect) -> Effect {
    match effect {
        Effect::Fetch(mut fetch) if fetch.purpose == NAME => {
            fetch.url.push_str("&disableRefresh=true");
            Effect::Fetch(fetch)
        }
        other => other,
    }
}

/// Something has happened to a session, or may be about to: what is remembered of it is forgotten,
/// here and in the shared cache.
pub(crate) fn forget(
    state: &mut EffectState,
    policy: &Policy,
    presented: &PresentedSession,
    now: UnixTime,
) {
    let asked = state.events.moment(now);
    for credential in &presented.credentials {
        state.tokens.forget(credential);
        state.sessions.forget(credential, now);
        // Forged tokens shall not fill the cache.
        if presented.standing == SessionTrust::Known {
            let about = (&*presented.service, credential);
            state.keep(copy_of(policy, about, &SessionState::Ended, asked.at, now));
        }
    }
}

/// What tells other instances that a session lives, where the configuration wants it; and no
/// longer, once it has ended.
fn copy_of(
    policy: &Policy,
    (service, credential): (&AuthService, &CredentialDigest),
    answer: &SessionState,
    asked: UnixTime,
    now: UnixTime,
) -> Option<CacheWrite> {
    if !service.shares_sessions {
        return None;
    }
    let body = match answer {
        SessionState::Active(session) => session.to_copy(),
        SessionState::Ended => "null".to_owned(),
    };
    let copy = Copied { fetched: asked, cache_control: "", body: body.as_bytes() };
    let name = copy_name(policy, service, credential)?;
    copy.kept(name, service.session_cache.get(), MAX_SESSION_BYTES, now)
}

/// The name of the copy of what the auth service said about the credential with this digest. What
/// is kept depends on which claims the policy names: another policy's copies go under other names.
fn copy_name(
    policy: &Policy,
    service: &AuthService,
    credential: &CredentialDigest,
) -> Option<String> {
    if !policy.capabilities.shares() {
        return None;
    }
    let mut parts: Vec<&[u8]> = vec![credential.as_bytes(), service.get_session_url.as_bytes()];
    parts.extend(policy.named_claims.iter().map(|path| path.name().as_bytes()));
    Some(shared::name_of(NAME, &parts))
}
