//! The list of what has been revoked. Not secret, and not to be older than it says.

use crate::better_auth::session_record::LookupFailure;
use crate::cache::deny_list::MAX_LIST_BYTES;
use crate::cache::shared::{self, CacheUse};
use crate::effect::{Effect, EffectResult, Fetch, StoreRead};
use crate::http::request::RequestHead;
use crate::policy::{DenyListSource, Policy};
use crate::reason::Reason;
use crate::time::UnixTime;

use super::key::EffectKey;
use super::state::FETCH_TIMEOUT_MILLIS;
use super::{Begun, Context, Continuation, Purpose};

/// What logs call it.
const NAME: &str = "deny-list";

/// The list, or a cached copy of it.
pub(crate) struct DenyListQuery(pub(crate) CacheUse);

/// When it was asked for: what it says is as old as that.
pub(crate) struct Pending {
    asked: UnixTime,
}

/// A request asks once for a cached copy, and once for the list itself.
pub(crate) const fn key(cache_use: CacheUse) -> EffectKey {
    match cache_use {
        CacheUse::AllowCached => EffectKey::only("deny-list-copy"),
        CacheUse::Bypass => EffectKey::only(NAME),
    }
}

impl Purpose for DenyListQuery {
    type Pending = Pending;
    type Memory = ();

    fn reason(&self) -> Reason {
        Reason::RevocationUnavailable
    }

    fn begin(self, _: &RequestHead<'_>, context: &mut Context<'_>) -> Result<Begun, LookupFailure> {
        self.ask(context).ok_or(LookupFailure::OutOfTime)
    }

    fn learn(
        Pending { asked }: Pending,
        _: Effect,
        result: &EffectResult<'_>,
        context: &mut Context<'_>,
    ) {
        let now = context.now;
        let Some(list) = &mut context.state.deny_list else { return };
        if let EffectResult::Copied(copied) = result {
            return list.receive_copy(copied, now);
        }
        // Whatever copy would have done: the source itself has been asked.
        context.progress.note_asked(key(CacheUse::Bypass));
        match list.receive(asked, result, now) {
            Ok(useful) => {
                if let Some(((copy, seconds), name)) = useful.zip(copy_name(context.policy)) {
                    context.state.keep(copy.kept(name, seconds, MAX_LIST_BYTES, now));
                }
            }
            Err(failure) => context.progress.learned.deny_list = Some(failure),
        }
    }

    fn give_up(_: &Pending, context: &mut Context<'_>) {
        context.progress.note_asked(key(CacheUse::Bypass));
        if let Some(list) = &mut context.state.deny_list {
            list.release();
        }
    }
}

impl DenyListQuery {
    fn ask(self, context: &mut Context<'_>) -> Option<Begun> {
        let lease_end = context.lease_end();
        context.state.deny_list.as_mut()?.lease(lease_end, context.now);
        context.progress.note_asked(key(self.0));
        let effect = match &context.policy.deny_list.as_ref()?.source {
            DenyListSource::Url(url, authorization) => {
                let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
                headers.extend(
                    authorization.iter().map(|value| ("authorization".to_owned(), value.clone())),
                );
                Effect::Fetch(Fetch {
                    purpose: NAME,
                    method: "GET",
                    url: url.clone(),
                    headers,
                    timeout_ms: FETCH_TIMEOUT_MILLIS,
                    max_bytes: MAX_LIST_BYTES,
                    copy: match self.0 {
                        CacheUse::AllowCached => copy_name(context.policy),
                        CacheUse::Bypass => None,
                    },
                })
            }
            DenyListSource::Store { name, key } => Effect::Read(StoreRead {
                store: name.clone(),
                key: key.clone(),
                timeout_ms: FETCH_TIMEOUT_MILLIS,
                max_bytes: MAX_LIST_BYTES,
            }),
        };
        Some((effect, Continuation::DenyList(Pending { asked: context.now })))
    }
}

/// The name of the copy of the deny-list. What its server gives for a token only is not shared (RFC
/// 9111 section 3.5).
fn copy_name(policy: &Policy) -> Option<String> {
    match &policy.deny_list.as_ref().filter(|_| policy.capabilities.shares())?.source {
        DenyListSource::Url(url, None) => Some(shared::name_of(NAME, &[url.as_bytes()])),
        DenyListSource::Url(_, Some(_)) | DenyListSource::Store { .. } => None,
    }
}
