//! Verifies one credential and reports whose it is, why it fails, or what is missing to know.
//!
//! The layers of a credential are verified separately and combined at the end, so that `explain`
//! can show all of them.

pub(crate) mod credential;
mod findings;
pub(crate) mod identity_basis;
pub(crate) mod identity_headers;
mod issuer;
mod jwt;
pub(crate) mod session;
pub(crate) mod session_data;
mod supabase;
pub(crate) mod token_exchange;

use std::borrow::Cow;
use std::sync::Arc;

use crate::authn::credential::Credential;
use crate::better_auth::session_record::{LookupFailure, Session, Source};
use crate::cache::as_of;
use crate::cache::deny_list::{DenyList, Selection};
use crate::cache::keys::{Asked, KeyCache};
use crate::cache::rate_limit::Party;
use crate::cache::session_events::{Events, SessionDigest, Since};
use crate::cache::sessions::{CredentialDigest, SessionCache};
use crate::cache::shared::CacheUse;
use crate::cache::verified::{Identity, KeySetUsed, Use, VerifiedToken, VerifiedTokens};
use crate::effects::deny_list::DenyListQuery;
use crate::effects::session::Question;
use crate::effects::state::EffectState;
use crate::effects::wait::Wait;
use crate::effects::{self, Missing, RequestProgress};
use crate::encoding::members::Members;
use crate::http::cookie;
use crate::http::request::RequestHead;
use crate::metrics::{Family, Label, Tally};
use crate::policy::Policy;
use crate::policy::auth_service::AuthService;
use crate::policy::issuer::{Issuer, IssuerId};
use crate::policy::rules::Rule;
use crate::reason::Reason;
use crate::time::{Seconds, UnixTime, Window};

/// Subjects of sessions that `doorward doctor --deep` makes to see how a service writes them. They
/// are signed with the service's secret and belong to no user, so no gate admits one.
const PROBE_SUBJECT: &str = "doorward-probe-";

/// The result of checking one credential.
pub(crate) enum Verdict {
    /// It names this identity.
    Good(Identity),
    /// It is not valid, and why.
    Bad(Reason),
    /// Not known, because the other side has failed. A failure that the caller or the gate may have
    /// caused is `Bad`.
    Unavailable(Reason),
    /// Not known without an effect.
    Needs(Missing),
}

/// Everything that a verdict depends on.
pub(crate) struct Authenticator<'e> {
    pub(crate) policy: &'e Policy,
    pub(crate) keys: &'e KeyCache,
    pub(crate) sessions: &'e SessionCache,
    pub(crate) events: &'e Events,
    /// What the operator has revoked, where that is configured.
    pub(crate) deny_list: Option<&'e DenyList>,
    /// What has been verified before; nothing where everything is to be looked at anew.
    pub(crate) verified_tokens: Option<&'e mut VerifiedTokens>,
    pub(crate) progress: &'e RequestProgress,
    pub(crate) head: RequestHead<'e>,
    pub(crate) now: UnixTime,
    /// How old the knowledge of a session may be.
    pub(crate) max_staleness: Option<Seconds>,
    /// What is not asked for now but should be soon.
    pub(crate) deferred: Deferred,
}

/// What is left to do and to say after a verdict. What is large and rare is kept apart: all of this
/// is moved with each request.
#[derive(Default)]
pub(crate) struct Deferred {
    /// Why it is not known what has become of a session.
    pub(crate) failure: Option<LookupFailure>,
    /// Issuers whose key sets should be fetched anew after the response.
    pub(crate) refresh: Vec<Arc<Issuer>>,
    /// Whether the list of what has been revoked should be fetched anew after the response.
    pub(crate) refresh_deny_list: bool,
    /// The session whose cookies should be renewed before they run out.
    pub(crate) renewal: Option<Box<Question>>,
    /// Whether the request's own `session_data` is by the configured secret.
    pub(crate) has_own_data: bool,
    /// A session that the auth service has signed a cookie cache for: it may be asked about later.
    pub(crate) vouched_for: Option<Box<(CredentialDigest, Party)>>,
    /// Why the request's `session_data` does not count.
    pub(crate) session_data: Option<Reason>,
    /// What the log says beside the reason.
    pub(crate) findings: Option<Box<Members>>,
    /// The issuer, by its place, whose credential was looked at last.
    pub(crate) issuer: Option<usize>,
    /// What is counted of this step.
    pub(crate) tally: Tally,
}

/// Why a token is not verified (yet).
pub(crate) enum Obstacle {
    /// It is bad.
    Bad(Reason),
    /// It was good once, about a session of this user.
    Outdated(Reason, Box<str>),
    /// It is not known, because a lookup has failed.
    Unavailable(Reason),
    /// Not known without an effect.
    Needs(Missing),
}

impl From<Reason> for Obstacle {
    fn from(reason: Reason) -> Self {
        Self::Bad(reason)
    }
}

impl Asked for RequestProgress {
    fn has_asked(&self, issuer: IssuerId, cache_use: CacheUse) -> bool {
        Self::has_asked(self, &effects::keys::key(issuer, cache_use))
    }

    fn has_given_up(&self) -> bool {
        self.has_given_up
    }
}

impl<'e> Authenticator<'e> {
    /// Looks at this request, at this moment, with all that has been fetched. Without a rule it
    /// takes knowledge of any age, and what has been verified before it verifies anew.
    pub(crate) fn new(
        policy: &'e Policy,
        state: &'e EffectState,
        progress: &'e RequestProgress,
        head: RequestHead<'e>,
        now: UnixTime,
    ) -> Self {
        Self {
            policy,
            keys: &state.keys,
            sessions: &state.sessions,
            events: &state.events,
            deny_list: state.deny_list.as_ref(),
            verified_tokens: None,
            progress,
            head,
            now,
            max_staleness: None,
            deferred: Deferred::default(),
        }
    }

    /// Checks a credential. The deny-list overrides every source: cookie cache, auth service and
    /// verified cache alike.
    pub(crate) fn credential(&mut self, credential: &Credential<'_>, rule: &Rule) -> Verdict {
        self.deferred.issuer = None;
        match self.by_itself(credential, rule) {
            Verdict::Good(identity) => {
                match self.revoked(&identity.session, || credential.signed_part()) {
                    Ok(()) => Verdict::Good(identity),
                    Err(verdict) => verdict,
                }
            }
            other => other,
        }
    }

    /// Whether this session, which was told by this token, has been revoked as far as anybody
    /// knows.
    ///
    /// # Errors
    /// It has been, or that is not known (yet).
    pub(crate) fn revoked<'t>(
        &mut self,
        session: &Session,
        token: impl FnOnce() -> Cow<'t, str>,
    ) -> Result<(), Verdict> {
        if session.subject.starts_with(PROBE_SUBJECT) {
            return Err(Verdict::Bad(Reason::SessionRevoked));
        }
        let Some(deny_list) = self.deny_list else { return Ok(()) };
        let has_asked = |cache_use| {
            self.progress.has_given_up
                || self.progress.has_asked(&effects::deny_list::key(cache_use))
        };
        match deny_list.select(has_asked, self.now) {
            Selection::Use(revoked, is_due) => {
                self.deferred.refresh_deny_list |= is_due;
                if revoked.includes(session, token) {
                    Err(Verdict::Bad(Reason::SessionRevoked))
                } else {
                    Ok(())
                }
            }
            Selection::Fetch(cache_use) => Err(Verdict::Needs(DenyListQuery(cache_use).into())),
            Selection::Wait => Err(Verdict::Needs(Wait(Reason::RevocationUnavailable).into())),
            Selection::Missing if self.progress.has_waited_in_vain() => {
                Err(Verdict::Bad(Reason::RevocationUnavailable))
            }
            Selection::Missing => Err(Verdict::Unavailable(Reason::RevocationUnavailable)),
        }
    }

    /// The same, leaving out what the operator says.
    fn by_itself(&mut self, credential: &Credential<'_>, rule: &Rule) -> Verdict {
        match credential {
            Credential::Malformed(reason) => Verdict::Bad(*reason),
            Credential::Bearer(value) => self.bearer_value(value, rule),
            Credential::Jwt { token, place } => self.jwt(token, place, rule),
            Credential::SessionCookie { service, cookie } => {
                self.deferred.issuer = Some(service.issuer.id.place());
                self.session_cookie(service, cookie)
            }
            Credential::BearerToken { service, value } => {
                self.deferred.issuer = Some(service.issuer.id.place());
                self.bearer_token(service, value)
            }
        }
    }

    /// Whether what is known of a session is as recent as the rule wants it.
    fn is_recent(&self, session: &Session) -> bool {
        self.max_staleness
            .is_none_or(|most| most > Seconds::new(0) && self.now <= session.known.plus(most))
    }

    /// From when on knowledge of the session of this token counts.
    fn since(&self, service: &AuthService, token: &str) -> Since {
        let cookie = cookie::first(&self.head, as_of::NAME);
        if cookie.is_none() && self.events.is_empty() {
            return Since::EVER;
        }
        let (session, arrival) = (SessionDigest::of(service, token), self.progress.arrival);
        let since = self.events.since(&session, arrival, self.now);
        let elsewhere = cookie.and_then(|cookie| {
            as_of::read(
                cookie.as_received(),
                service.secrets.as_of.as_ref()?,
                &session,
                service.session_cache,
                self.now,
            )
        });
        elsewhere.map_or(since, |at| since.and_elsewhere(at, arrival))
    }

    /// A credential that has been verified before, if everything that this rests on still counts.
    fn already_verified(&mut self, purpose: Use, parts: [&str; 2]) -> Option<(Identity, Window)> {
        let found = self.verified_tokens.as_mut()?.find(purpose, parts, self.now).cloned();
        let found = found.filter(|found| self.still_uses(&found.identity.issuer, found.key_set));
        self.note_lookup("verified", if found.is_some() { "hit" } else { "miss" });
        found.map(|VerifiedToken { identity, window, .. }| (identity, window))
    }

    /// Counts what was found in a cache.
    fn note_lookup(&mut self, cache: &'static str, result: &'static str) {
        if self.policy.capabilities.measures() {
            let labels = [cache, result].map(Label::Word);
            self.deferred.tally.note(Family::CacheLookups, &labels);
        }
    }

    /// Counts a credential, and what it came to.
    pub(crate) fn note_credential(&mut self, credential: &Credential<'_>, verdict: &Verdict) {
        if !self.policy.capabilities.measures() {
            return;
        }
        let (word, issuer) = match verdict {
            Verdict::Good(identity) => ("good", Some(identity.issuer.id.place())),
            Verdict::Bad(reason) | Verdict::Unavailable(reason) => {
                (reason.code(), self.deferred.issuer)
            }
            Verdict::Needs(_) => return,
        };
        let is_cached = matches!(verdict, Verdict::Good(identity)
            if identity.session.source == Source::CookieCache);
        let kind = if is_cached { "session_data" } else { credential.kind() };
        let labels = [Label::Word(kind), Label::Word(word), Label::issuer(issuer)];
        self.deferred.tally.note(Family::Credentials, &labels);
    }

    /// Whether the key set of this issuer by which something was verified is the one in use.
    fn still_uses(&mut self, issuer: &Arc<Issuer>, key_set: Option<KeySetUsed>) -> bool {
        let Some(used) = key_set else { return true };
        let is_in_use = self.keys.generation(issuer.id, self.now) == Some(used.generation)
            && !self.keys.is_overdue(issuer.id, self.progress, self.now);
        if is_in_use {
            self.note_refresh(issuer);
        }
        is_in_use
    }

    fn identity(&self, issuer: &Arc<Issuer>, session: Session) -> Identity {
        let (headers, statement) = identity_headers::identity(&session, &issuer.name, self.policy);
        Identity {
            issuer: Arc::clone(issuer),
            session: Arc::new(session),
            headers,
            statement: statement.map(Arc::from),
        }
    }

    fn keep(&mut self, purpose: Use, parts: [&str; 2], verified_token: &VerifiedToken) {
        if let Some(verified_tokens) = self.verified_tokens.as_mut() {
            verified_tokens.keep(purpose, parts, verified_token.clone());
        }
    }

    fn note_refresh(&mut self, issuer: &Arc<Issuer>) {
        let has_asked = self.progress.has_asked(&effects::keys::key(issuer.id, CacheUse::Bypass));
        if self.keys.wants_refresh(issuer.id, has_asked, self.now)
            && !self.deferred.refresh.iter().any(|noted| noted.id == issuer.id)
        {
            self.deferred.refresh.push(Arc::clone(issuer));
        }
    }
}
