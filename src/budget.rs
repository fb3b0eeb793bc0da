//! Budget: how often the auth service is asked, so that nobody can have the gate ask all the time.
//!
//! Two buckets of tokens that fill with time. Sessions that something vouches for draw on the users' share; every other
//! credential, forged ones included, on the strangers'. Once the answer is there, the share that it belongs to pays: a
//! stranger that turns out to live is a user, and a user whose session turns out to have ended is a stranger.

use crate::time::UnixTime;

/// Strangers get one part in so many.
const STRANGERS_PART: u32 = 4;
/// One ask, in the unit of the buckets: a bucket gains one unit per millisecond and ask per second.
const ASK: i64 = 1000;

/// Whose ask it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// Of a session that something vouches for.
    Users,
    /// Of anybody.
    Strangers,
}

/// What asks are left.
pub(crate) struct Budget {
    users: Bucket,
    strangers: Bucket,
}

/// Holds up to one second's worth.
struct Bucket {
    per_second: i64,
    level: i64,
    filled: Option<UnixTime>,
}

impl Budget {
    /// A full budget.
    pub(crate) fn new(asks_per_second: u32) -> Self {
        let strangers = (asks_per_second / STRANGERS_PART).max(1);
        Self { users: Bucket::full(asks_per_second.saturating_sub(strangers).max(1)), strangers: Bucket::full(strangers) }
    }

    /// Takes an ask from a share, if it has one.
    pub(crate) fn draw(&mut self, share: Share, now: UnixTime) -> bool {
        self.bucket(share).draw(ASK, now)
    }

    /// The same where it can wait: half of the share stays for those who cannot.
    pub(crate) fn draw_spare(&mut self, share: Share, now: UnixTime) -> bool {
        let bucket = self.bucket(share);
        let half = bucket.capacity() / 2;
        bucket.draw(half.saturating_add(ASK), now)
    }

    /// The answer says whose ask it was: that share pays for it.
    pub(crate) fn settle(&mut self, drawn: Share, owed: Share) {
        if drawn != owed {
            self.bucket(drawn).add(ASK);
            self.bucket(owed).add(-ASK);
        }
    }

    /// Nobody was asked after all.
    pub(crate) fn give_back(&mut self, drawn: Share) {
        self.bucket(drawn).add(ASK);
    }

    const fn bucket(&mut self, share: Share) -> &mut Bucket {
        match share {
            Share::Users => &mut self.users,
            Share::Strangers => &mut self.strangers,
        }
    }
}

impl Bucket {
    fn full(per_second: u32) -> Self {
        let per_second = i64::from(per_second);
        Self { per_second, level: per_second.saturating_mul(ASK), filled: None }
    }

    const fn capacity(&self) -> i64 {
        self.per_second.saturating_mul(ASK)
    }

    /// Takes one ask where at least so much is there.
    fn draw(&mut self, at_least: i64, now: UnixTime) -> bool {
        // A clock that stepped back gives nothing, and what it gives is counted from there.
        let elapsed = self.filled.map_or(0, |filled| now.millis_since(filled));
        self.filled = Some(now);
        self.add(elapsed.saturating_mul(self.per_second));
        let has = self.level >= at_least;
        if has {
            self.add(-ASK);
        }
        has
    }

    /// A debt is no larger than a full bucket, so that it is paid within a second.
    fn add(&mut self, amount: i64) {
        self.level = self.level.saturating_add(amount).clamp(self.capacity().saturating_neg(), self.capacity());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(budget: &mut Budget, share: Share, tries: u32, millis: i64) -> usize {
        (0..tries).filter(|_| budget.draw(share, UnixTime::from_millis(millis))).count()
    }

    #[test]
    fn strangers_cannot_spend_the_users_share() {
        let mut budget = Budget::new(20);
        assert_eq!(drawn(&mut budget, Share::Strangers, 1000, 0), 5);
        assert_eq!(drawn(&mut budget, Share::Users, 1000, 0), 15);
        assert_eq!(drawn(&mut budget, Share::Users, 1000, 500), 7);
        assert_eq!(drawn(&mut budget, Share::Strangers, 1000, 60_000), 5, "no more than a second's worth is saved up");
    }

    #[test]
    fn a_clock_that_steps_back_neither_fills_nor_starves() {
        let mut budget = Budget::new(20);
        assert_eq!(drawn(&mut budget, Share::Users, 1000, 100_000), 15);
        assert_eq!(drawn(&mut budget, Share::Users, 1000, 50_000), 0);
        assert_eq!(drawn(&mut budget, Share::Users, 1000, 51_000), 15);
    }

    #[test]
    fn the_share_pays_whose_ask_it_was() {
        let mut budget = Budget::new(8);
        for _ in 0..6 {
            assert!(budget.draw(Share::Strangers, UnixTime::from_millis(0)));
            budget.settle(Share::Strangers, Share::Users);
        }
        assert_eq!(drawn(&mut budget, Share::Users, 10, 0), 0);
        assert_eq!(drawn(&mut budget, Share::Strangers, 10, 0), 2);
    }

    #[test]
    fn what_can_wait_leaves_half() {
        let mut budget = Budget::new(16);
        let spare = (0..100).filter(|_| budget.draw_spare(Share::Users, UnixTime::from_millis(0))).count();
        assert_eq!((spare, drawn(&mut budget, Share::Users, 100, 0)), (6, 6));
    }
}
