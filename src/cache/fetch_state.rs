//! Tries: when something was fetched last and how that went, so that nobody fetches it all the time
//! and no two at once.
//!
//! Every try, good or bad, starts a cool-down; after failures it grows. A moment that lies in the
//! future (the clock stepped back) freezes nothing.

use crate::time::{Seconds, UnixTime};

/// After the first fetch that failed; doubles with each further one.
const BACKOFF: Seconds = Seconds::new(1);
/// The back-off grows no further, so that recovery is noticed within half a minute.
const BACKOFF_CEILING: Seconds = Seconds::new(30);
/// A lease that would last longer was taken before the clock stepped back.
const MAX_LEASE_MILLIS: i64 = 10_000;

/// What is known of the tries so far.
#[derive(Debug, Default)]
pub(crate) struct FetchState {
    tried_at: Option<UnixTime>,
    failures: u32,
    lease_until: Option<UnixTime>,
}

impl FetchState {
    /// Somebody is on the way until then.
    pub(crate) fn begin(&mut self, until: UnixTime) {
        self.lease_until = Some(until);
    }

    /// Somebody is back without having tried.
    pub(crate) fn release(&mut self) {
        self.lease_until = None;
    }

    /// When the last try ended.
    pub(crate) fn tried_at(&self) -> Option<UnixTime> {
        self.tried_at
    }

    /// Whether the last try came to nothing.
    pub(crate) fn last_failed(&self) -> bool {
        self.failures > 0
    }

    /// How many have come to nothing since one succeeded.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Somebody is back.
    pub(crate) fn end(&mut self, has_succeeded: bool, now: UnixTime) {
        self.lease_until = None;
        self.tried_at = Some(now);
        self.failures = if has_succeeded { 0 } else { self.failures.saturating_add(1) };
    }

    /// Whether somebody is on the way.
    pub(crate) fn is_under_way(&self, now: UnixTime) -> bool {
        self.lease_until
            .is_some_and(|until| now < until && until.millis_since(now) <= MAX_LEASE_MILLIS)
    }

    /// Whether the next try has to wait: for so long after one that succeeded.
    pub(crate) fn is_cooling(&self, cooldown: Seconds, jitter: u64, now: UnixTime) -> bool {
        self.tried_at.is_some_and(|at| is_within(at, self.cooldown_millis(cooldown, jitter), now))
    }

    /// Up to a quarter more by chance, so that a thousand isolates do not come back in one moment.
    fn cooldown_millis(&self, cooldown: Seconds, jitter: u64) -> i64 {
        let base = match self.failures.checked_sub(1) {
            None => return cooldown.as_millis(),
            Some(doublings) => BACKOFF
                .as_millis()
                .checked_shl(doublings.min(10))
                .unwrap_or(i64::MAX)
                .min(BACKOFF_CEILING.as_millis()),
        };
        let share = i64::try_from(jitter.rotate_left(self.failures) % 256).unwrap_or(0);
        base.saturating_add(base.saturating_mul(share).checked_div(1024).unwrap_or(0))
    }
}

/// Whether `now` is within so many milliseconds after a moment. A moment in the future is none that
/// we know the age of.
pub(crate) fn is_within(moment: UnixTime, millis: i64, now: UnixTime) -> bool {
    moment <= now && now.millis_since(moment) < millis
}
