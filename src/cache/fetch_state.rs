//! Who is fetching something, and how the last fetch went: so that it is not fetched all the time
//! and no two at once. The mould of key sets, the deny-list, sessions and exchanged tokens.
//!
//! Rules of this file:
//! - whoever fetches takes a [`Lease`], and the others wait on timers of their own; it ends with
//!   the result, or by itself, so that an abandoned request blocks nobody;
//! - a lease may have an owner: then only the one who took it last can end it;
//! - every fetch, good or bad, starts a cool-down; after failures it grows;
//! - a moment that lies in the future (the clock stepped back) freezes nothing.

use crate::time::{Seconds, UnixTime};

/// After the first fetch that failed; doubles with each further one.
const BACKOFF: Seconds = Seconds::new(1);
/// The back-off grows no further, so that recovery is noticed within half a minute.
const BACKOFF_CEILING: Seconds = Seconds::new(30);
/// No fetch may take longer: a lease that would last longer was taken before the clock stepped
/// back.
const MAX_LEASE_MILLIS: i64 = 10_000;

/// The right of one request to fetch what others wait for.
#[derive(Debug, Clone, Copy)]
struct Lease<Owner> {
    owner: Owner,
    taken: UnixTime,
    until: UnixTime,
}

/// What is known of the fetches so far. `Owner` tells the requests apart that fetch, where several
/// may do so one after the other before the first is back; `Failure` is why a fetch brought
/// nothing.
#[derive(Debug)]
pub(crate) struct FetchState<Owner = (), Failure = ()> {
    lease: Option<Lease<Owner>>,
    tried_at: Option<UnixTime>,
    failure: Option<Failure>,
    failures: u32,
}

impl<Owner, Failure> Default for FetchState<Owner, Failure> {
    fn default() -> Self {
        Self { lease: None, tried_at: None, failure: None, failures: 0 }
    }
}

impl<Owner: Copy + PartialEq, Failure: Copy> FetchState<Owner, Failure> {
    /// Takes the lease: this one is fetching until then.
    pub(crate) fn begin(&mut self, owner: Owner, until: UnixTime, now: UnixTime) {
        self.lease = Some(Lease { owner, taken: now, until });
    }

    /// Whoever was fetching has learned nothing about it: its lease ends. Another's goes on.
    pub(crate) fn release(&mut self, owner: Owner) {
        self.lease = self.lease.filter(|lease| lease.owner != owner);
    }

    /// Whoever is fetching does so for no other request any more.
    pub(crate) fn release_all(&mut self) {
        self.lease = None;
    }

    /// A fetch has succeeded or failed, and its lease ends.
    pub(crate) fn end(&mut self, owner: Owner, result: Result<(), Failure>, now: UnixTime) {
        self.release(owner);
        self.tried_at = Some(now);
        self.failure = result.err();
        self.failures = if result.is_ok() { 0 } else { self.failures.saturating_add(1) };
    }

    /// It has been learned otherwise: that the last fetch failed does not matter any more.
    pub(crate) fn forgive(&mut self) {
        self.failure = None;
        self.failures = 0;
    }

    /// When the last fetch ended.
    pub(crate) fn tried_at(&self) -> Option<UnixTime> {
        self.tried_at
    }

    /// Whether the last fetch failed.
    pub(crate) fn last_failed(&self) -> bool {
        self.failures > 0
    }

    /// How many have failed since one succeeded.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether somebody has taken the lease and not come back, however long ago.
    pub(crate) fn is_leased(&self) -> bool {
        self.lease.is_some()
    }

    /// Whether somebody is fetching.
    pub(crate) fn is_under_way(&self, now: UnixTime) -> bool {
        self.lease.is_some_and(|Lease { until, .. }| {
            now < until && until.millis_since(now) <= MAX_LEASE_MILLIS
        })
    }

    /// Whether somebody is fetching and has begun so little ago.
    pub(crate) fn is_new(&self, millis: i64, now: UnixTime) -> bool {
        self.is_under_way(now)
            && self.lease.is_some_and(|lease| is_within(lease.taken, millis, now))
    }

    /// Whether the last fetch ended so little ago.
    pub(crate) fn was_tried_within(&self, millis: i64, now: UnixTime) -> bool {
        self.tried_at.is_some_and(|at| is_within(at, millis, now))
    }

    /// Why the last fetch failed, if it ended so little ago.
    pub(crate) fn failure_within(&self, millis: i64, now: UnixTime) -> Option<Failure> {
        self.failure.filter(|_| self.was_tried_within(millis, now))
    }

    /// Whether the next fetch has to wait: for so long after one that succeeded.
    pub(crate) fn is_cooling(&self, cooldown: Seconds, jitter: u64, now: UnixTime) -> bool {
        self.was_tried_within(self.cooldown_millis(cooldown, jitter), now)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> UnixTime {
        UnixTime::from_millis(1_800_000_000_000).plus_millis(millis)
    }

    #[test]
    fn a_lease_ends_by_itself_by_its_owner_and_where_the_clock_steps_back() {
        let mut fetch = FetchState::<u8, &str>::default();
        assert!(!fetch.is_under_way(at(0)) && !fetch.is_leased());
        fetch.begin(1, at(2000), at(0));
        for (now, expected) in [
            (0, (true, true)),
            (499, (true, true)),
            (500, (true, false)),
            (1999, (true, false)),
            (2000, (false, false)),
            (-1, (true, false)),
            (-8000, (true, false)),
            (-8001, (false, false)),
        ] {
            let found = (fetch.is_under_way(at(now)), fetch.is_new(500, at(now)));
            assert_eq!(found, expected, "{now}");
        }
        fetch.begin(2, at(3000), at(1000));
        fetch.release(1);
        assert!(fetch.is_under_way(at(1000)), "another has taken it since");
        fetch.release(2);
        assert!(!fetch.is_under_way(at(1000)) && !fetch.is_leased());
        fetch.begin(3, at(3000), at(1000));
        fetch.release_all();
        assert_eq!((fetch.is_leased(), fetch.tried_at()), (false, None));
    }

    #[test]
    fn a_failure_counts_for_a_while_and_until_something_is_learned() {
        let mut fetch = FetchState::<u8, &str>::default();
        fetch.begin(1, at(2000), at(0));
        fetch.begin(2, at(2010), at(10));
        fetch.end(1, Err("down"), at(20));
        assert!(fetch.is_under_way(at(20)), "the second is still fetching");
        assert_eq!(fetch.failure_within(2000, at(2019)), Some("down"));
        assert_eq!(fetch.failure_within(2000, at(2020)), None);
        assert_eq!(fetch.failure_within(2000, at(19)), None, "the clock stepped back");
        fetch.forgive();
        let state = (fetch.failure_within(2000, at(30)), fetch.was_tried_within(2000, at(30)));
        assert_eq!((state, fetch.last_failed()), ((None, true), false));
        fetch.end(2, Err("down"), at(40));
        fetch.end(3, Ok(()), at(50));
        assert_eq!((fetch.failures(), fetch.failure_within(2000, at(50))), (0, None));
    }

    #[test]
    fn the_cool_down_doubles_with_each_failure_up_to_half_a_minute() {
        let mut fetch = FetchState::<(), ()>::default();
        assert!(!fetch.is_cooling(Seconds::new(10), 0, at(0)));
        for (failures, millis) in
            [(1, 1000), (2, 2000), (3, 4000), (4, 8000), (5, 16_000), (6, 30_000)]
        {
            fetch.end((), Err(()), at(0));
            let cools = |now| fetch.is_cooling(Seconds::new(10), 0, at(now));
            assert_eq!(
                (fetch.failures(), cools(millis - 1), cools(millis)),
                (failures, true, false)
            );
        }
        fetch.end((), Ok(()), at(0));
        let cools = |now| fetch.is_cooling(Seconds::new(10), u64::MAX, at(now));
        assert_eq!((cools(9999), cools(10_000), cools(-1)), (true, false, false));
    }
}
