//! Limits how often one instance sends requests to the auth service, and keeps one caller from
//! using up what others need.
//!
//! Rules of this file:
//! - There are two token buckets: one for sessions that something vouches for (`Known`), one for
//!   every other credential, forged ones included (`Unverified`). Neither can spend more than has
//!   flowed into it.
//! - The cost is settled when the answer is there, from the bucket that the credential turns out to
//!   belong to, if that has enough: an unverified one that is an active session counts as known, a
//!   known session that has ended as unverified.
//! - Within a bucket no party is refused because of what others ask. A party that has drawn lately
//!   has to leave something for those that have not: the more it drew, the fuller the bucket has to
//!   be. A party that is alone may have all that flows in.
//! - A known user is one party, with however many sessions; an unverified credential counts for its
//!   client address. Where no address is known, all of them are one party.
//! - What a party has drawn is forgotten within seconds, so that the table of parties stays small.
//!   Anybody can fill it, by requests within the limit; nobody is evicted: while it is full, further
//!   parties are not told apart.

use std::net::IpAddr;

use crate::cache::bounded_map::{BoundedMap, Bounds, Weighed};
use crate::encoding::digest::digest_type;
use crate::time::UnixTime;

/// Unverified credentials get one part in so many.
const STRANGERS_PART: u32 = 4;
/// One ask, in the unit of the buckets: a bucket gains one unit per millisecond and ask per second.
const ASK: i64 = 1000;
/// A user may draw one part in so many of a full bucket before others go first.
const USERS_FREE_PART: i64 = 4;
/// What a party has drawn is forgotten at one part in so many of what flows into the bucket.
const FORGOTTEN_PART: i64 = 10;
/// More parties are not told apart. What each draws comes out of the bucket, so that there are
/// never so many.
const PARTIES: Bounds = Bounds::of_entries(4096);

/// The bucket that a request to the auth service is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateClass {
    /// A session that something vouches for: its cookie cache, or an earlier answer.
    Known,
    /// Every other credential.
    Unverified,
}

digest_type! {
    /// A user or a client address.
    Party
}

/// Who pays for an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payer {
    pub(crate) share: RateClass,
    party: Option<Party>,
}

impl Payer {
    /// This user.
    pub(crate) const fn user(party: Party) -> Self {
        Self { share: RateClass::Known, party: Some(party) }
    }

    /// An unverified credential from this address, if it is known.
    pub(crate) fn stranger(address: Option<&str>) -> Self {
        Self { share: RateClass::Unverified, party: address.map(party_at) }
    }
}

/// A user of an issuer.
pub(crate) fn party_of(issuer: usize, subject: &str) -> Party {
    Party::of_parts(&[b"user", &issuer.to_le_bytes(), subject.as_bytes()])
}

/// Whoever is at an address. Of IPv6 a network of 64 bits is one party: whoever has one address
/// there has them all (RFC 4291).
fn party_at(address: &str) -> Party {
    let network = match address.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
            (address.to_bits() >> 64).to_string()
        }
        Ok(IpAddr::V6(address)) => address.to_canonical().to_string(),
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    };
    Party::of_parts(&[b"address", network.as_bytes()])
}

/// What asks are left.
pub(crate) struct RateLimit {
    users: Bucket,
    strangers: Bucket,
}

/// Holds up to one second's worth.
struct Bucket {
    per_second: i64,
    level: i64,
    filled: Option<UnixTime>,
    /// What a party may draw before others go first.
    free: i64,
    /// What parties have drawn lately.
    parties: BoundedMap<Party, Drawn>,
}

/// What a party had drawn as of a moment.
struct Drawn {
    amount: i64,
    at: UnixTime,
}

impl Weighed for Drawn {}

/// How full a bucket has to be at least.
#[derive(Clone, Copy)]
enum Keeps {
    /// As full as this party has to leave it.
    Enough,
    /// Half.
    Half,
    /// Three quarters.
    Most,
}

impl RateLimit {
    /// A full budget.
    pub(crate) fn new(asks_per_second: u32) -> Self {
        let strangers = (asks_per_second / STRANGERS_PART).max(1);
        let users = asks_per_second.saturating_sub(strangers).max(1);
        Self { users: Bucket::full(users, USERS_FREE_PART), strangers: Bucket::full(strangers, 1) }
    }

    /// Takes an ask from a share, if it has one for this party.
    pub(crate) fn draw(&mut self, payer: &Payer, now: UnixTime) -> bool {
        self.bucket(payer.share).draw(payer.party.as_ref(), Keeps::Enough, now)
    }

    /// The same where it can wait: half of the share stays for those who cannot.
    pub(crate) fn draw_spare(&mut self, payer: &Payer, now: UnixTime) -> bool {
        self.bucket(payer.share).draw(payer.party.as_ref(), Keeps::Half, now)
    }

    /// The same for who has waited for it already: those who come meanwhile find something.
    pub(crate) fn draw_after_wait(&mut self, payer: &Payer, now: UnixTime) -> bool {
        self.bucket(payer.share).draw(payer.party.as_ref(), Keeps::Most, now)
    }

    /// The answer says whose ask it was: that share pays for it, if it has something for this
    /// party.
    pub(crate) fn settle(&mut self, drawn: &Payer, owed: RateClass, now: UnixTime) {
        if drawn.share != owed && self.bucket(owed).draw(drawn.party.as_ref(), Keeps::Enough, now) {
            self.give_back(drawn, now);
        }
    }

    /// Nobody was asked after all.
    pub(crate) fn give_back(&mut self, drawn: &Payer, now: UnixTime) {
        self.bucket(drawn.share).give_back(drawn.party.as_ref(), now);
    }

    const fn bucket(&mut self, share: RateClass) -> &mut Bucket {
        match share {
            RateClass::Known => &mut self.users,
            RateClass::Unverified => &mut self.strangers,
        }
    }
}

impl Bucket {
    fn full(per_second: u32, free_part: i64) -> Self {
        let per_second = i64::from(per_second);
        let free = per_second.checked_div(free_part).unwrap_or(1).max(1).saturating_mul(ASK);
        Self {
            per_second,
            level: per_second.saturating_mul(ASK),
            filled: None,
            free,
            parties: BoundedMap::new(PARTIES),
        }
    }

    const fn capacity(&self) -> i64 {
        self.per_second.saturating_mul(ASK)
    }

    /// Takes one ask where at least so much is there.
    fn draw(&mut self, party: Option<&Party>, keeps: Keeps, now: UnixTime) -> bool {
        self.fill(now);
        let at_least = match keeps {
            Keeps::Enough => 0,
            Keeps::Half => (self.capacity() / 2).saturating_add(ASK),
            // Also of a bucket that holds no more than a few.
            Keeps::Most => {
                (self.capacity() / 4).saturating_mul(3).saturating_add(ASK).min(self.capacity())
            }
        };
        let lately = party.map_or(0, |party| self.drawn_lately(party, now));
        let has = self.level >= at_least.max(self.least_for(lately));
        if has {
            self.add(-ASK);
            self.note(party, lately.saturating_add(ASK), now);
        }
        has
    }

    fn give_back(&mut self, party: Option<&Party>, now: UnixTime) {
        self.fill(now);
        self.add(ASK);
        let lately = party.map_or(0, |party| self.drawn_lately(party, now));
        self.note(party, lately.saturating_sub(ASK), now);
    }

    /// How full the bucket has to be for who has drawn so much lately: half for the first that is
    /// too much, two thirds for the second, three quarters for the third…
    fn least_for(&self, lately: i64) -> i64 {
        let over = lately.saturating_add(ASK).saturating_sub(self.free);
        if over <= 0 {
            return ASK;
        }
        let too_many = over.saturating_add(ASK - 1).checked_div(ASK).unwrap_or(1);
        let shared = self.capacity().saturating_sub(ASK).max(0);
        let left = shared
            .saturating_mul(too_many)
            .checked_div(too_many.saturating_add(1))
            .unwrap_or(shared);
        left.saturating_add(ASK)
    }

    fn drawn_lately(&self, party: &Party, now: UnixTime) -> i64 {
        self.parties.get(party).map_or(0, |drawn| drawn.remembered(self.per_second, now))
    }

    fn note(&mut self, party: Option<&Party>, lately: i64, now: UnixTime) {
        let Some(party) = party else { return };
        let per_second = self.per_second;
        self.parties.retain(|drawn| drawn.remembered(per_second, now) > 0);
        // Whoever draws all that there is for ten seconds is forgotten as soon as whoever draws it
        // for a hundred.
        let lately = lately.min(self.capacity().saturating_mul(2));
        if lately > 0 && (self.parties.has_room() || self.parties.contains(party)) {
            self.parties.put(*party, Drawn { amount: lately, at: now });
        } else {
            self.parties.remove(party);
        }
    }

    /// What has flowed in since. A clock that stepped back gives nothing, and what it gives is
    /// counted from there.
    fn fill(&mut self, now: UnixTime) {
        let elapsed = self.filled.map_or(0, |filled| now.millis_since(filled));
        self.filled = Some(now);
        self.add(elapsed.saturating_mul(self.per_second));
    }

    fn add(&mut self, amount: i64) {
        self.level = self.level.saturating_add(amount).clamp(0, self.capacity());
    }
}

impl Drawn {
    /// What is left of that by now.
    fn remembered(&self, per_second: i64, now: UnixTime) -> i64 {
        let forgotten = now
            .millis_since(self.at)
            .saturating_mul(per_second)
            .checked_div(FORGOTTEN_PART)
            .unwrap_or(0);
        self.amount.saturating_sub(forgotten).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANYBODY: Payer = Payer { share: RateClass::Known, party: None };
    const STRANGER: Payer = Payer { share: RateClass::Unverified, party: None };

    fn at(millis: i64) -> UnixTime {
        UnixTime::from_millis(millis)
    }

    fn user(number: u64) -> Payer {
        Payer::user(party_of(0, &number.to_string()))
    }

    fn drawn(budget: &mut RateLimit, payer: &Payer, tries: u32, millis: i64) -> usize {
        (0..tries).filter(|_| budget.draw(payer, at(millis))).count()
    }

    #[test]
    fn strangers_cannot_spend_the_users_share() {
        let mut budget = RateLimit::new(20);
        assert_eq!(drawn(&mut budget, &STRANGER, 1000, 0), 5);
        assert_eq!(drawn(&mut budget, &ANYBODY, 1000, 0), 15);
        assert_eq!(drawn(&mut budget, &ANYBODY, 1000, 500), 7);
        assert_eq!(
            drawn(&mut budget, &STRANGER, 1000, 60_000),
            5,
            "no more than a second's worth is saved up"
        );
    }

    #[test]
    fn a_clock_that_steps_back_neither_fills_nor_starves() {
        let mut budget = RateLimit::new(20);
        assert_eq!(drawn(&mut budget, &ANYBODY, 1000, 100_000), 15);
        assert_eq!(drawn(&mut budget, &ANYBODY, 1000, 50_000), 0);
        assert_eq!(drawn(&mut budget, &ANYBODY, 1000, 51_000), 15);
    }

    #[test]
    fn the_share_pays_whose_ask_it_was() {
        let mut budget = RateLimit::new(8);
        for _ in 0..6 {
            assert!(budget.draw(&STRANGER, at(0)));
            budget.settle(&STRANGER, RateClass::Known, at(0));
        }
        assert_eq!(drawn(&mut budget, &ANYBODY, 10, 0), 0);
        assert_eq!(drawn(&mut budget, &STRANGER, 10, 0), 2);
    }

    #[test]
    fn a_share_that_has_nothing_left_pays_for_nobody_else() {
        let mut budget = RateLimit::new(8);
        assert_eq!(drawn(&mut budget, &STRANGER, 10, 0), 2);
        assert!(budget.draw(&ANYBODY, at(0)));
        budget.settle(&ANYBODY, RateClass::Unverified, at(0));
        assert_eq!(drawn(&mut budget, &STRANGER, 10, 500), 1, "strangers are in nobody's debt");
        assert_eq!(drawn(&mut budget, &ANYBODY, 10, 0), 5);
    }

    /// Both buckets were full when they were made, and are an hour later, whatever was settled in
    /// between.
    #[test]
    fn what_was_settled_before_anybody_drew_is_paid_back_by_time() {
        let mut budget = RateLimit::new(20);
        for number in 0..30 {
            let now = number * 250;
            assert!(budget.draw(&STRANGER, at(now)), "{number}");
            budget.settle(&STRANGER, RateClass::Known, at(now + 20));
        }
        assert_eq!(drawn(&mut budget, &ANYBODY, 100, 3_600_000), 15);
    }

    #[test]
    fn what_can_wait_leaves_half() {
        let mut budget = RateLimit::new(16);
        let spare = (0..100).filter(|_| budget.draw_spare(&ANYBODY, at(0))).count();
        assert_eq!((spare, drawn(&mut budget, &ANYBODY, 100, 0)), (6, 6));
    }

    /// Somebody asks a hundred times a second, with as many sessions as he likes; nineteen others
    /// each once within ten seconds, two of them more often. All of them find what they need.
    #[test]
    fn nobody_is_refused_for_what_another_user_asks() {
        for hammers in [1, 5] {
            let mut budget = RateLimit::new(20);
            let mut his = 0;
            for millis in (0..60_000).step_by(10) {
                his += (0..hammers)
                    .filter(|hammer| budget.draw(&user(1000 + hammer), at(millis)))
                    .count();
                // What five may draw at once is all that there is: others wait for the first second
                // then.
                let tick = if millis < 1000 { 0 } else { millis / 10 };
                if tick % 50 == 7 {
                    let number = u64::try_from(tick).unwrap_or_default() / 50 % 19;
                    assert!(
                        budget.draw(&user(number), at(millis)),
                        "user {number} at {millis} beside {hammers}"
                    );
                }
                if tick % 70 == 9 {
                    assert!(
                        budget.draw(&user(50), at(millis)),
                        "somebody who asks more often, at {millis} beside {hammers}"
                    );
                }
            }
            assert!(his > 60 * 8, "what nobody else needs is his: {his}");
        }
    }

    #[test]
    fn one_address_leaves_something_to_others() {
        let mut budget = RateLimit::new(20);
        let flood = Payer::stranger(Some("192.0.2.66"));
        assert_eq!(drawn(&mut budget, &flood, 100, 0), 5, "a second's worth is anybody's");
        let mut refused = 0;
        for millis in (1000..30_000).step_by(10) {
            drawn(&mut budget, &flood, 3, millis);
            if millis % 500 == 0 {
                let address = format!("198.51.100.{}", millis / 500);
                refused += usize::from(!budget.draw(&Payer::stranger(Some(&address)), at(millis)));
            }
        }
        assert_eq!(refused, 0);
    }

    #[test]
    fn a_network_is_one_party_and_nobody_is_none() {
        let party = |address| Payer::stranger(Some(address)).party;
        assert_eq!(party("2001:db8:1:2::1"), party("2001:db8:1:2:ffff::9"));
        assert_ne!(party("2001:db8:1:2::1"), party("2001:db8:1:3::1"));
        assert_eq!(party("::ffff:192.0.2.1"), party("192.0.2.1"));
        assert_ne!(party("::ffff:192.0.2.1"), party("::ffff:192.0.2.2"));
        assert_ne!(party("unknown"), party("192.0.2.1"));
        assert_eq!(Payer::stranger(None).party, None);
    }

    #[test]
    fn the_table_of_parties_stays_small() {
        for asks_per_second in [4, 20, 10_000] {
            let mut budget = RateLimit::new(asks_per_second);
            let mut most = 0;
            for millis in 0..3000_i64 {
                for each in 0..20 {
                    let number = u64::try_from(millis * 20 + each).unwrap_or_default();
                    budget.draw(&user(number), at(millis));
                    most = most.max(budget.users.parties.values().count());
                }
            }
            // Each is forgotten when ten have flowed in since.
            assert!(
                most <= PARTIES.entries
                    && most <= usize::try_from(asks_per_second).unwrap_or_default() + 10,
                "{most}"
            );
        }
    }
}
