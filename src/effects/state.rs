//! What the effects of all requests share: what has been fetched, who is fetching now, and how much
//! may be asked for.

use crate::cache::deny_list::DenyList;
use crate::cache::exchanged_tokens::ExchangedTokens;
use crate::cache::keys::KeyCache;
use crate::cache::rate_limit::RateLimit;
use crate::cache::session_events::Events;
use crate::cache::sessions::SessionCache;
use crate::cache::shared::CacheWrite;
use crate::metrics::{Counters, Series};
use crate::policy::Policy;

/// All effects of a request share this deadline: people wait for pages.
pub(crate) const REQUEST_BUDGET_MILLIS: i64 = 3000;
/// One fetch may take so long; shorter than the budget, so that another request can take over a
/// lease whose owner died.
pub(super) const FETCH_TIMEOUT_MILLIS: u32 = 2000;
/// A lease lasts a little longer than its fetch: the answer has a way to go.
pub(super) const LEASE_MILLIS: i64 = 2250;
/// A storage is read so many times as often as the service is asked at most.
const READS_PER_REQUEST: u32 = 10;
/// A host takes what there is to be kept after each effect; with so much left it does not.
const MAX_CACHE_WRITES: usize = 64;
/// So many bytes of it.
const MAX_CACHE_WRITES_BYTES: usize = 2 * 1024 * 1024;

/// What has been fetched, and who is fetching now.
pub(crate) struct EffectState {
    pub(crate) events: Events,
    pub(crate) keys: KeyCache,
    pub(crate) sessions: SessionCache,
    pub(crate) tokens: ExchangedTokens,
    pub(crate) deny_list: Option<DenyList>,
    pub(super) rate_limit: RateLimit,
    /// How often storages are read.
    pub(super) reads: RateLimit,
    /// How many seconds the clock of whoever answered last is ahead, by its `Date`.
    pub(crate) clock_difference: i64,
    /// What has been counted; nothing where the host does not want to know.
    pub(crate) counters: Option<Box<Counters>>,
    /// What is to be kept in the shared cache.
    cache_writes: Vec<CacheWrite>,
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
            rate_limit: RateLimit::new(policy.auth_requests_per_second),
            reads: RateLimit::new(
                policy.auth_requests_per_second.saturating_mul(READS_PER_REQUEST),
            ),
            clock_difference: 0,
            counters: policy.capabilities.measures().then(Box::default),
            cache_writes: Vec::new(),
        }
    }

    /// Counts one more.
    pub(crate) fn count(&mut self, series: impl FnOnce() -> Series) {
        if let Some(counters) = &mut self.counters {
            counters.count(series());
        }
    }

    /// What is to be kept in the shared cache, since this was asked last.
    pub(crate) fn cache_writes(&mut self) -> Vec<CacheWrite> {
        std::mem::take(&mut self.cache_writes)
    }

    /// Has this kept in the shared cache.
    pub(super) fn keep(&mut self, write: Option<CacheWrite>) {
        let Some(write) = write else { return };
        let bytes = self
            .cache_writes
            .iter()
            .map(|kept| kept.text.len())
            .fold(write.text.len(), usize::saturating_add);
        if self.cache_writes.len() < MAX_CACHE_WRITES && bytes <= MAX_CACHE_WRITES_BYTES {
            self.cache_writes.push(write);
        }
    }
}
