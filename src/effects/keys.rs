//! The key set of an issuer.

use std::sync::Arc;

use crate::better_auth::session_record::LookupFailure;
use crate::cache::shared::{self, CacheUse};
use crate::effect::{Effect, EffectResult, Fetch};
use crate::http::request::RequestHead;
use crate::jose::jwk;
use crate::metrics::{Family, Label, Series};
use crate::policy::Policy;
use crate::policy::issuer::{Issuer, IssuerId};
use crate::reason::Reason;

use super::key::EffectKey;
use super::service;
use super::state::FETCH_TIMEOUT_MILLIS;
use super::{Begun, Context, Continuation, Purpose};

/// What logs call it.
const NAME: &str = "keys";

/// The key set of this issuer, for a token with this `kid`.
pub(crate) struct KeySetQuery {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) cache_use: CacheUse,
    pub(crate) kid: Option<String>,
}

/// Where the answer goes.
pub(crate) struct Pending {
    issuer: Arc<Issuer>,
    kid: Option<String>,
}

/// A request asks once for a cached copy of a key set, and once for the set itself.
pub(crate) const fn key(issuer: IssuerId, cache_use: CacheUse) -> EffectKey {
    match cache_use {
        CacheUse::AllowCached => EffectKey::by_issuer("keys-copy", issuer),
        CacheUse::Bypass => EffectKey::by_issuer(NAME, issuer),
    }
}

impl Purpose for KeySetQuery {
    type Pending = Pending;
    type Memory = ();

    fn reason(&self) -> Reason {
        Reason::KeysUnavailable
    }

    fn begin(
        self,
        head: &RequestHead<'_>,
        context: &mut Context<'_>,
    ) -> Result<Begun, LookupFailure> {
        self.fetch(head, context).ok_or(LookupFailure::OutOfTime)
    }

    fn learn(
        Pending { issuer, kid }: Pending,
        _: Effect,
        result: &EffectResult<'_>,
        context: &mut Context<'_>,
    ) {
        let (policy, now) = (context.policy, context.now);
        if let EffectResult::Copied(copied) = result {
            return context.state.keys.receive_copy(issuer.id, copied, now);
        }
        // Whatever copy would have done: the issuer itself has been asked.
        context.progress.note_asked(key(issuer.id, CacheUse::Bypass));
        let useful = context.state.keys.receive(issuer.id, kid.as_deref(), result, now);
        context.progress.learned.is_odd = useful.is_none();
        if kid.is_some_and(|kid| context.state.keys.is_absent(issuer.id, &kid, now)) {
            let labels = [Label::issuer(Some(issuer.id.place()))];
            context.state.count(|| Series::of(Family::UnknownKid, &labels));
        }
        if let Some(((copy, seconds), name)) = useful.zip(copy_name(policy, &issuer)) {
            context.state.keep(copy.kept(name, seconds, jwk::MAX_SET_BYTES, now));
        }
    }

    fn give_up(pending: &Pending, context: &mut Context<'_>) {
        context.progress.note_asked(key(pending.issuer.id, CacheUse::Bypass));
        context.state.keys.release(pending.issuer.id);
    }
}

impl KeySetQuery {
    fn fetch(self, head: &RequestHead<'_>, context: &mut Context<'_>) -> Option<Begun> {
        let Self { issuer, cache_use, kid } = self;
        let url = issuer.jwks_url.clone()?;
        let mut headers =
            vec![("accept".to_owned(), "application/jwk-set+json, application/json".to_owned())];
        // The set is everybody's, so it must not depend on who comes first: no address is told, by
        // which the service would count, and where it knows nothing of this host (a deployment's
        // own address), the next try is made in the name of its own.
        if let Some(service) =
            context.policy.service_of(&issuer).filter(|service| service.is_asked_at(&url))
        {
            let is_second = context.state.keys.failures(issuer.id) % 2 == 1;
            let origin = if is_second { &service.origin } else { head.public_origin };
            headers.extend(service::introduction(origin));
        }
        let lease_end = context.lease_end();
        context.state.keys.lease(issuer.id, lease_end, context.now);
        context.progress.note_asked(key(issuer.id, cache_use));
        let copy = match cache_use {
            CacheUse::AllowCached => copy_name(context.policy, &issuer),
            CacheUse::Bypass => None,
        };
        let fetch = Fetch {
            purpose: NAME,
            method: "GET",
            url,
            headers,
            timeout_ms: FETCH_TIMEOUT_MILLIS,
            max_bytes: jwk::MAX_SET_BYTES,
            copy,
        };
        Some((Effect::Fetch(fetch), Continuation::Keys(Pending { issuer, kid })))
    }
}

/// The name of the copy of an issuer's key set, where there is a shared cache.
fn copy_name(policy: &Policy, issuer: &Issuer) -> Option<String> {
    let url = issuer.jwks_url.as_ref().filter(|_| policy.capabilities.shares())?;
    Some(shared::name_of(NAME, &[issuer.name.as_bytes(), url.as_bytes()]))
}
