//! A Better Auth session: by its cookies, by a token of the bearer plugin, by the auth service's
//! source.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::authn::credential::Credential;
use crate::authn::identity_basis::IdentityBasis;
use crate::authn::session_data::DataState;
use crate::better_auth::session_record::{
    CausedBy, LONG_AGO, LookupFailure, Session, SessionState, Source,
};
use crate::better_auth::signed_cookie::{SignedValue, token_of};
use crate::cache::rate_limit::{Party, RateKey, party_of};
use crate::cache::session_events::{SessionDigest, Since};
use crate::cache::sessions::{CredentialDigest, SessionLookup};
use crate::cache::verified::{Identity, Use};
use crate::effects;
use crate::effects::session::{Question, SessionQuery};
use crate::effects::storage::{Lookup, Stored};
use crate::effects::wait::Wait;
use crate::http::cookie::{self, Cookie};
use crate::jose::verify::Secret;
use crate::policy::auth_service::{AuthService, Bearer};
use crate::reason::Reason;
use crate::time::{Seconds, Window};

use super::{Authenticator, Verdict};

/// Where nothing says how long a cookie cache lives: Better Auth's default.
const USUAL_LIFE_MILLIS: i64 = 300_000;

/// The layers of a Better Auth cookie.
pub(crate) struct CookieLayers {
    /// `session_token` by itself.
    pub(crate) token: Result<TokenState, Reason>,
    /// `session_data` by itself.
    pub(crate) data: DataState,
}

/// A `session_token` that is not bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// Its signature holds.
    Signed,
    /// There is no secret to check it with.
    Unverified,
    /// A bare bearer token: there is nothing to check.
    Unsigned,
}

/// Which source counts for a session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SessionSource {
    /// What has been heard lately, or stands in the storage of the service, if the token is signed.
    Recent(TokenState),
    /// Nothing but what the auth service itself says now.
    AuthServiceNow,
}

impl Authenticator<'_> {
    /// `session_token`, with `session_data` beside it. A good signature alone is a reason to ask,
    /// not a sign-in.
    pub(super) fn session_cookie(
        &mut self,
        service: &Arc<AuthService>,
        cookie: &Cookie<'_>,
    ) -> Verdict {
        let data = self.session_data_cookie(service);
        if let Ok(Some(data)) = &data
            && let Some((identity, window)) =
                self.already_verified(Use::CookieCache, [cookie.as_received(), data])
            && identity.issuer.id == service.issuer.id
            && self.is_recent(&identity.session)
            && self
                .since(service, token_of(&cookie.value()))
                .admits_cookie_cache(identity.session.known)
        {
            return self.cached(service, cookie, identity, window);
        }
        let value = &*cookie.value();
        let since = self.since(service, token_of(value));
        let token = token_layer(service, value);
        let session_data = self.session_data(service, data.as_ref(), Some(token_of(value)));
        let owner = match (&token, &session_data) {
            // Whoever could vary an unverified token could have any number of sessions vouched for.
            (Ok(TokenState::Signed), DataState::Good(verified_token)) => {
                Some(party_of(service.issuer.id, &verified_token.identity.session.subject))
            }
            (Ok(TokenState::Signed), DataState::Outdated(_, subject)) => {
                Some(party_of(service.issuer.id, subject))
            }
            _ => None,
        };
        self.deferred.has_own_data |= owner.is_some();
        if let DataState::Miss(reason) | DataState::Outdated(reason, _) = &session_data {
            self.deferred.session_data = Some(*reason);
        }
        match (token, session_data) {
            (Err(reason), _) => Verdict::Bad(reason),
            (Ok(_), DataState::Good(verified_token))
                if self.is_recent(&verified_token.identity.session)
                    && since.admits_cookie_cache(verified_token.identity.session.known) =>
            {
                // What a key set says of one host proves nothing at another.
                let is_for_all =
                    verified_token.key_set.is_none() || service.issuer.public_hosts.is_empty();
                if let (Ok(Some(data)), true) = (&data, is_for_all) {
                    self.keep(Use::CookieCache, [cookie.as_received(), data], &verified_token);
                }
                self.deferred.vouched_for = owner
                    .map(|owner| Box::new((CredentialDigest::of(service, "cookie", value), owner)));
                self.cached(service, cookie, verified_token.identity, verified_token.window)
            }
            (Ok(_), DataState::Needs(missing)) => Verdict::Needs(missing),
            // What was written into the cookie too long ago for this rule, or before something has
            // happened to the session, is no better than nothing.
            (
                Ok(state),
                DataState::Absent
                | DataState::Miss(_)
                | DataState::Outdated(..)
                | DataState::Good(_),
            ) => {
                let sent = self.session_cookies(service, |_| true);
                self.ask_about(service, value, (token_of(value), state), ("cookie", sent), owner)
            }
        }
    }

    /// A session of the cookie cache. Near its end it is time to have the cookies renewed, and
    /// until that is done the service may have said that it has ended.
    fn cached(
        &mut self,
        service: &Arc<AuthService>,
        cookie: &Cookie<'_>,
        identity: Identity,
        window: Window,
    ) -> Verdict {
        let value = &*cookie.value();
        let credential = if self.sessions.is_owed_any() {
            Some(CredentialDigest::of(service, "cookie", value))
        } else {
            None
        };
        let query = if credential.is_some_and(|credential| self.sessions.is_owed(&credential)) {
            SessionQuery::Refresh
        } else {
            SessionQuery::Read
        };
        if query == SessionQuery::Read && !self.is_due(service, &identity.session, window) {
            return Verdict::Good(identity);
        }
        let credential =
            credential.unwrap_or_else(|| CredentialDigest::of(service, "cookie", value));
        let (ever, came) = (&Since::EVER, self.progress.arrival);
        if let SessionLookup::Known(SessionState::Ended) =
            self.sessions.look_up(&credential, service.session_cache, ever, came, self.now)
        {
            return Verdict::Bad(Reason::SessionEnded);
        }
        if self.sessions.may_renew(&credential, self.now)
            && !self.is_never_renewed(service)
            && self.deferred.renewal.is_none()
        {
            let is_signed = service.secrets.current.is_some();
            let rate_key = self.rate_key(
                &credential,
                is_signed.then(|| party_of(service.issuer.id, &identity.session.subject)),
            );
            self.deferred.renewal = Some(Box::new(Question {
                service: Arc::clone(service),
                credential,
                session: SessionDigest::of(service, token_of(value)),
                since: Since::EVER,
                token: token_of(value).to_owned(),
                max_copy_age: Seconds::new(0),
                rate_key,
                header: ("cookie", self.session_cookies(service, |_| true)),
                query,
            }));
        }
        Verdict::Good(identity)
    }

    /// Whether the cookie cache is in the last part of its life. Better Auth before 1.4 does not
    /// say when that began.
    fn is_due(&self, service: &AuthService, session: &Session, window: Window) -> bool {
        let end = window.until.plus_millis(-1);
        let life = if session.known == LONG_AGO {
            USUAL_LIFE_MILLIS
        } else {
            end.millis_since(session.known)
        };
        let left = end.millis_since(self.now);
        let is_near =
            left.saturating_mul(100) <= life.saturating_mul(i64::from(service.renew_percent));
        is_near && service.renew_percent > 0 && !session.is_impersonated
    }

    /// What the auth service would not renew: sessions that are not to be remembered or are
    /// somebody else's, and what a browser fetches ahead of need or does not take cookies from.
    fn is_never_renewed(&self, service: &AuthService) -> bool {
        let is_for_now = |cookie: &Cookie<'_>| {
            let value = &*cookie.value();
            let signed = SignedValue::from_cookie(value)
                .and_then(|it| token_state(&it, service.secrets.current.as_ref()));
            signed.is_ok() && token_of(value) == "true"
        };
        !matches!(self.head.method, "GET" | "HEAD")
            || self.head.is_prefetch()
            || self.head.is_web_socket()
            || cookie::first(&self.head, &service.cookies.dont_remember)
                .is_some_and(|cookie| is_for_now(&cookie))
    }

    /// A token of the bearer plugin: the auth service has to be asked.
    pub(super) fn bearer_token(&mut self, service: &Arc<AuthService>, value: &str) -> Verdict {
        match bearer_layer(service, value) {
            Err(reason) => Verdict::Bad(reason),
            Ok(state) => {
                let token = value.split_once('.').map_or(value, |(token, _)| token);
                self.ask_about(
                    service,
                    value,
                    (token, state),
                    ("authorization", ["Bearer ", value].concat()),
                    None,
                )
            }
        }
    }

    /// Both layers of a Better Auth session, each on its own.
    pub(crate) fn cookie_layers(
        &mut self,
        service: &Arc<AuthService>,
        session_token: Option<&str>,
    ) -> CookieLayers {
        let token =
            session_token.ok_or(Reason::NoCredential).and_then(|value| token_layer(service, value));
        let data = self.session_data_cookie(service);
        CookieLayers {
            token,
            data: self.session_data(service, data.as_ref(), session_token.map(token_of)),
        }
    }

    /// What the auth service has said, to this request or lately; or the question.
    fn ask_about(
        &mut self,
        service: &Arc<AuthService>,
        value: &str,
        (token, state): (&str, TokenState),
        header: (&'static str, String),
        owner: Option<Party>,
    ) -> Verdict {
        let question = self.question(service, (value, token), header, owner);
        self.asked(question, SessionSource::Recent(state))
    }

    /// What to ask the auth service itself about the session of this credential and this token.
    pub(super) fn question(
        &self,
        service: &Arc<AuthService>,
        (value, token): (&str, &str),
        header: (&'static str, String),
        owner: Option<Party>,
    ) -> Question {
        let credential = CredentialDigest::of(service, header.0, value);
        Question {
            service: Arc::clone(service),
            credential,
            session: SessionDigest::of(service, token),
            since: self.since(service, token),
            token: token.to_owned(),
            max_copy_age: Seconds::new(0),
            rate_key: self.rate_key(&credential, owner),
            header,
            query: SessionQuery::Read,
        }
    }

    /// What a request about this credential is charged to: its user, where the auth service vouches
    /// for that.
    pub(super) fn rate_key(&self, credential: &CredentialDigest, owner: Option<Party>) -> RateKey {
        match owner.or_else(|| self.sessions.owner(credential)) {
            Some(owner) => RateKey::known(owner),
            None => RateKey::unverified(self.head.client_address),
        }
    }

    /// What the auth service says about a session of which what is known does not suffice: the user
    /// may have been given by now what a rule requires, and the cookie cache need not have all that
    /// the service says. What it has said lately does, if it suffices; else only its answer of now
    /// counts, to this request or to one that has asked since this one came. Nothing where there is
    /// no service to ask.
    pub(crate) fn anew(
        &mut self,
        credential: &Credential<'_>,
        identity: &Identity,
        suffices: impl Fn(&Session) -> bool,
    ) -> Option<Verdict> {
        let IdentityBasis::Session(question) = self.basis(credential, identity) else {
            return None;
        };
        let service = &question.service;
        let max_age = self
            .max_staleness
            .map_or(service.session_cache, |most| most.min(service.session_cache));
        let came = self.progress.arrival;
        let known =
            self.sessions.look_up(&question.credential, max_age, &question.since, came, self.now);
        let found = match known {
            SessionLookup::Known(SessionState::Active(session))
                if session.source != Source::Storage && suffices(&session) =>
            {
                Verdict::Good(self.identity(&service.issuer, session))
            }
            _ => self.asked(*question, SessionSource::AuthServiceNow),
        };
        Some(match found {
            Verdict::Good(identity) => {
                match self.revoked(&identity.session, || credential.signed_part()) {
                    Ok(()) => Verdict::Good(identity),
                    Err(verdict) => verdict,
                }
            }
            other => other,
        })
    }

    /// The answer to a question, or what to do about it. Where the service cannot be asked, what
    /// the service said longer ago counts as long as the configuration lets it.
    fn asked(&mut self, question: Question, source: SessionSource) -> Verdict {
        let (service, credential) = (&Arc::clone(&question.service), question.credential);
        let has_asked = self.progress.has_given_up
            || self.progress.has_asked(&effects::session::key(credential));
        let known = self.known(service, &question, source);
        self.note_lookup("sessions", known.result());
        match known {
            SessionLookup::Known(SessionState::Active(session)) if self.now <= session.expires => {
                if self.sessions.is_owed(&credential)
                    && !self.is_never_renewed(service)
                    && self.deferred.renewal.is_none()
                {
                    let question = Question {
                        max_copy_age: Seconds::new(0),
                        query: SessionQuery::Refresh,
                        ..question
                    };
                    self.deferred.renewal = Some(Box::new(question));
                }
                Verdict::Good(self.identity(&service.issuer, session))
            }
            SessionLookup::Known(SessionState::Active(_)) => Verdict::Bad(Reason::SessionExpired),
            SessionLookup::Known(SessionState::Ended) => Verdict::Bad(Reason::SessionEnded),
            SessionLookup::Asked if !has_asked => {
                Verdict::Needs(Wait(Reason::SessionUnavailable).into())
            }
            SessionLookup::Nothing if !has_asked => {
                if let SessionSource::Recent(TokenState::Signed) = source
                    && let Some(lookup) = self.in_storage(&question)
                {
                    return Verdict::Needs(lookup.into());
                }
                let max_copy_age = if service.shares_sessions {
                    self.up_to(service.session_cache, source)
                } else {
                    Seconds::new(0)
                };
                Verdict::Needs(Question { max_copy_age, ..question }.into())
            }
            SessionLookup::Unavailable(failure) => {
                self.without_answer(service, &question, source, Some(failure))
            }
            SessionLookup::Asked | SessionLookup::Nothing => {
                self.without_answer(service, &question, source, None)
            }
        }
    }

    /// What was answered to this request or lately, where that is recent enough for the rule.
    fn known(
        &self,
        service: &AuthService,
        question: &Question,
        source: SessionSource,
    ) -> SessionLookup {
        let is_of_use = |answer: &SessionState, is_own| match answer {
            SessionState::Active(session) => {
                self.is_recent_enough(service, session, is_own, source)
            }
            SessionState::Ended => true,
        };
        let Question { ref credential, ref since, .. } = *question;
        let own = self.progress.memory.session.answer(credential);
        if let Some(answer) = own.filter(|answer| is_of_use(answer, true)) {
            return SessionLookup::Known(answer.clone());
        }
        let max_age = self.up_to(service.session_cache, source);
        match self.sessions.look_up(credential, max_age, since, self.progress.arrival, self.now) {
            SessionLookup::Known(answer) if !is_of_use(&answer, false) => SessionLookup::Nothing,
            known => known,
        }
    }

    /// What a session comes to where the auth service cannot be asked: what the service said longer
    /// ago counts, where only the service is to blame.
    fn without_answer(
        &mut self,
        service: &AuthService,
        question: &Question,
        source: SessionSource,
        told: Option<LookupFailure>,
    ) -> Verdict {
        let own = self.progress.learned.failure;
        self.deferred.failure = Some(own.or(told).unwrap_or(LookupFailure::KeptWaiting));
        let knows_client = self.head.client_address.is_some();
        let is_theirs =
            |failure: &LookupFailure| failure.caused_by(knows_client) == CausedBy::Partner;
        if own.or(told).is_none() || !own.iter().chain(&told).all(is_theirs) {
            return Verdict::Bad(Reason::SessionUnavailable);
        }
        let max_age = self.up_to(service.stale, source);
        match self
            .sessions
            .lived_within(&question.credential, max_age, &question.since, self.now)
            .filter(|session| self.is_recent_enough(service, session, false, source))
        {
            Some(session) => Verdict::Good(self.identity(&service.issuer, session.clone())),
            None => Verdict::Unavailable(Reason::SessionUnavailable),
        }
    }

    /// How old what is known may be.
    fn max_staleness(&self, source: SessionSource) -> Option<Seconds> {
        if source == SessionSource::AuthServiceNow {
            Some(Seconds::new(0))
        } else {
            self.max_staleness
        }
    }

    /// That, and this at most.
    fn up_to(&self, most: Seconds, source: SessionSource) -> Seconds {
        self.max_staleness(source).map_or(most, |wanted| wanted.min(most))
    }

    /// Whether what is known of a session counts. A storage that says things late is of no use to a
    /// rule that wants to know sooner; what it has said to this request (`is_own`) is as old as it
    /// may be late.
    fn is_recent_enough(
        &self,
        service: &AuthService,
        session: &Session,
        is_own: bool,
        source: SessionSource,
    ) -> bool {
        match &service.storage {
            _ if source == SessionSource::AuthServiceNow => session.source == Source::AuthService,
            Some(storage) if session.source == Source::Storage => {
                self.max_staleness(source).is_none_or(|most| {
                    if is_own { storage.lag <= most } else { self.now <= session.known.plus(most) }
                })
            }
            _ => true,
        }
    }

    /// What is to be read of the service's storage before it is asked itself; nothing where that is
    /// done or of no use. Only a token whose signature holds is ever looked up: any other text
    /// would be a key that a client chooses.
    fn in_storage(&self, question: &Question) -> Option<Lookup> {
        let Question { ref service, credential, session, since, ref token, rate_key, .. } =
            *question;
        let storage = service.storage.as_ref()?;
        // What it says may be as old as this.
        let known = self.now.plus_millis(storage.lag.as_millis().saturating_neg());
        let is_late = storage.lag > Seconds::new(0) && !since.admits_dated(known);
        if is_late || self.max_staleness.is_some_and(|most| most < storage.lag) {
            return None;
        }
        let has_read = |what| self.progress.has_asked(&effects::storage::key(credential, what));
        let lookup = |user| {
            Some(Lookup {
                service: Arc::clone(service),
                credential,
                session,
                rate_key,
                token: token.clone(),
                user,
            })
        };
        match self.progress.memory.storage.session(&credential) {
            _ if !has_read(Stored::Session) => lookup(None),
            Some(session) if !has_read(Stored::RevokedBefore) => {
                lookup(Some(session.subject.clone()))
            }
            _ => None,
        }
    }

    /// Those of a service's cookies that are to be sent, and no others, as they came in; of two
    /// with one name the first, which is the one that is verified.
    pub(super) fn session_cookies(
        &self,
        service: &AuthService,
        is_sent: impl Fn(&str) -> bool,
    ) -> String {
        let mut names = BTreeSet::new();
        let ours = cookie::all(&self.head)
            .filter(|cookie| service.cookies.include(cookie.name) && is_sent(cookie.name));
        let sent: Vec<String> = ours
            .filter(|cookie| names.insert(cookie.name))
            .map(|cookie| cookie.as_sent())
            .collect();
        sent.join("; ")
    }
}

pub(crate) fn token_state(
    signed: &SignedValue<'_>,
    secret: Option<&Secret>,
) -> Result<TokenState, Reason> {
    match secret {
        None => Ok(TokenState::Unverified),
        Some(secret) => signed.verified(secret).map(|_| TokenState::Signed),
    }
}

fn token_layer(service: &AuthService, value: &str) -> Result<TokenState, Reason> {
    token_state(&SignedValue::from_cookie(value)?, service.secrets.current.as_ref())
}

/// The state of a bearer-plugin token by itself.
pub(crate) fn bearer_layer(service: &AuthService, value: &str) -> Result<TokenState, Reason> {
    if value.contains('.') {
        let signed = SignedValue::from_bearer(value)?;
        return token_state(&signed, service.secrets.current.as_ref());
    }
    if service.bearer == Bearer::Any {
        Ok(TokenState::Unsigned)
    } else {
        Err(Reason::CredentialMalformed)
    }
}
