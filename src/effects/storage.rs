//! What a service's storage has about a session (Better Auth's secondary storage).

use std::sync::Arc;

use crate::better_auth::session_record::{LookupFailure, Session, SessionState};
use crate::cache::rate_limit::{RateKey, party_of};
use crate::cache::session_events::{Moment, SessionDigest};
use crate::cache::sessions::CredentialDigest;
use crate::effect::{Effect, EffectResult, StoreRead};
use crate::http::request::RequestHead;
use crate::policy::auth_service::AuthService;
use crate::reason::Reason;
use crate::time::UnixTime;

use super::key::EffectKey;
use super::session::MAX_SESSION_BYTES;
use super::{Begun, Context, Continuation, Purpose, wait};

/// A store is near, or of no use: there has to be time left to ask the service.
const STORE_TIMEOUT_MILLIS: u32 = 500;

/// A key of a storage to read: that of a session token, or where a user is named, of when that
/// user's sessions were revoked.
pub(crate) struct Lookup {
    pub(crate) service: Arc<AuthService>,
    pub(crate) credential: CredentialDigest,
    /// Who pays for it.
    pub(crate) rate_key: RateKey,
    pub(crate) session: SessionDigest,
    /// A token whose signature holds.
    pub(crate) token: String,
    pub(crate) user: Option<String>,
}

/// What is being read: what the storage has under this session token; or, where a user is named,
/// since when that user's sessions count.
pub(crate) struct Pending {
    service: Arc<AuthService>,
    credential: CredentialDigest,
    session: SessionDigest,
    asked: Moment,
    token: String,
    user: Option<String>,
}

/// The two things that are read of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// The session.
    Session,
    /// Since when the user's sessions count.
    RevokedBefore,
}

/// What storages have for one request.
#[derive(Default)]
pub(crate) struct Memory {
    /// Sessions, by digest of the credential, and when the storage was asked: they count once it is
    /// known that none of them is revoked.
    sessions: Vec<(CredentialDigest, Session, Moment)>,
}

/// A request reads each of the two once for the session token with this digest.
pub(crate) const fn key(credential: CredentialDigest, what: Stored) -> EffectKey {
    match what {
        Stored::Session => EffectKey::by_credential("storage-session", credential),
        Stored::RevokedBefore => EffectKey::by_credential("storage-revoked-before", credential),
    }
}

impl Memory {
    /// What a storage has for this credential.
    pub(crate) fn session(&self, credential: &CredentialDigest) -> Option<&Session> {
        self.sessions
            .iter()
            .find(|(stored, ..)| stored == credential)
            .map(|(_, session, _)| session)
    }

    /// When the storage was asked for that.
    fn asked(&self, credential: &CredentialDigest) -> Option<Moment> {
        self.sessions.iter().find(|(stored, ..)| stored == credential).map(|(.., asked)| *asked)
    }

    pub(super) fn drop(&mut self, credential: &CredentialDigest) {
        self.sessions.retain(|(stored, ..)| stored != credential);
    }
}

impl super::Memory for Memory {
    fn weight(&self) -> usize {
        self.sessions.iter().map(|(_, session, _)| session.weight()).fold(0, usize::saturating_add)
    }
}

impl Purpose for Lookup {
    type Pending = Pending;
    type Memory = Memory;

    fn reason(&self) -> Reason {
        Reason::SessionUnavailable
    }

    fn begin(self, _: &RequestHead<'_>, context: &mut Context<'_>) -> Result<Begun, LookupFailure> {
        // Whoever reads too much of a storage is answered by the service, whose budget is smaller.
        if !context.state.reads.draw(&self.rate_key, context.now) {
            let read =
                [Stored::Session, Stored::RevokedBefore].map(|what| key(self.credential, what));
            read.into_iter().for_each(|key| context.progress.note_asked(key));
            context.progress.memory.storage.drop(&self.credential);
            return Ok(wait::not_at_all());
        }
        self.read(context).ok_or(LookupFailure::OutOfTime)
    }

    /// Only a session that lives, and that is not revoked, is an answer: with anything else the
    /// service itself is asked, for a store may be late and there may be a database behind it.
    fn learn(pending: Pending, _: Effect, result: &EffectResult<'_>, context: &mut Context<'_>) {
        let Pending { service, credential, session: name, asked, token, user } = pending;
        let Context { policy, state, progress, now } = context;
        let storage = service.storage.as_ref();
        let memory = &mut progress.memory.storage;
        let session = match (user, result, storage) {
            (None, EffectResult::Found(value), Some(storage)) => {
                let named = &policy.named_claims;
                let session = Session::stored(value, &token, named, storage.lag, *now);
                memory.sessions.extend(session.map(|session| (credential, session, asked)));
                None
            }
            (Some(_), EffectResult::Absent, _) => memory.session(&credential),
            (Some(_), EffectResult::Found(since), _) => {
                memory.session(&credential).filter(|session| began_after(session, since))
            }
            _ => None,
        };
        let first_asked = memory.asked(&credential).unwrap_or(asked);
        let is_overtaken = state.events.has_changed(&name, first_asked.number);
        let Some(session) = session.cloned().filter(|_| !is_overtaken) else {
            return state.sessions.release(&credential, asked.number);
        };
        let party = party_of(service.issuer.id, &session.subject);
        // No event since says that it has ended.
        if state.sessions.receive_copy(credential, party, &session, (*now, asked), *now) {
            progress.memory.session.keep(
                credential,
                name,
                SessionState::Active(session),
                first_asked,
            );
        }
    }

    fn give_up(pending: &Pending, context: &mut Context<'_>) {
        context.state.sessions.release(&pending.credential, pending.asked.number);
    }
}

impl Lookup {
    /// The key in the storage is the bare token.
    fn read(self, context: &mut Context<'_>) -> Option<Begun> {
        let Self { service, credential, session, token, user, .. } = self;
        let storage = service.storage.as_ref()?;
        let asked = context.state.events.moment(context.now);
        let lease_end = context.lease_end();
        context.state.sessions.lease(credential, asked.number, lease_end, context.now);
        let (what, name) = match &user {
            None => (Stored::Session, [storage.prefix.as_str(), &token].concat()),
            Some(user) => (
                Stored::RevokedBefore,
                [storage.prefix.as_str(), "revoked-sessions-before-", user].concat(),
            ),
        };
        context.progress.note_asked(key(credential, what));
        let read = StoreRead {
            store: storage.store.clone(),
            key: name,
            timeout_ms: STORE_TIMEOUT_MILLIS,
            max_bytes: MAX_SESSION_BYTES,
        };
        let pending = Pending { service, credential, session, asked, token, user };
        Some((Effect::Read(read), Continuation::Storage(pending)))
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
