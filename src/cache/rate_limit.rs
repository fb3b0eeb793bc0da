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
//!   Anybody can fill it, by requests within the limit; nobody is evicted: while it is full,
//!   further parties are not told apart.

use std::net::IpAddr;

use crate::cache::bounded_map::{BoundedMap, Bounds, Weighed};
use crate::encoding::digest::digest_type;
use crate::policy::issuer::IssuerId;
use crate::time::UnixTime;

/// Unverified credentials get one part in so many.
const UNVERIFIED_PART: u32 = 4;
/// One request, in the unit of the buckets: a bucket gains one unit per millisecond and request per
/// second.
const REQUEST: i64 = 1000;
/// A user may draw one part in so many of a full bucket before others go first.
const KNOWN_FREE_PART: i64 = 4;
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

/// What a request is charged to: a bucket, and a party within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateKey {
    pub(crate) class: RateClass,
    party: Option<Party>,
}

impl RateKey {
    /// This user.
    pub(crate) const fn known(party: Party) -> Self {
        Self { class: RateClass::Known, party: Some(party) }
    }

    /// An unverified credential from this address, if it is known.
    pub(crate) fn unverified(address: Option<&str>) -> Self {
        Self { class: RateClass::Unverified, party: address.map(party_at) }
    }
}

/// A user of an issuer.
pub(crate) fn party_of(issuer: IssuerId, subject: &str) -> Party {
    Party::of_parts(&[b"user", &issuer.place().to_le_bytes(), subject.as_bytes()])
}

/// The party at an address. Of IPv6 a network of 64 bits is one party: who has one address there
/// has them all (RFC 4291).
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

/// The requests that are left.
pub(crate) struct RateLimit {
    known: Bucket,
    unverified: Bucket,
}

/// Holds as much as one second brings.
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
    /// Both buckets full.
    pub(crate) fn new(auth_requests_per_second: u32) -> Self {
        let unverified = (auth_requests_per_second / UNVERIFIED_PART).max(1);
        let known = auth_requests_per_second.saturating_sub(unverified).max(1);
        Self {
            known: Bucket::full(known, KNOWN_FREE_PART),
            unverified: Bucket::full(unverified, 1),
        }
    }

    /// Takes a request from a bucket, if it has one for this party.
    pub(crate) fn draw(&mut self, rate_key: &RateKey, now: UnixTime) -> bool {
        self.bucket(rate_key.class).draw(rate_key.party.as_ref(), Keeps::Enough, now)
    }

    /// The same where it can wait: half of the bucket stays for requests that cannot.
    pub(crate) fn draw_spare(&mut self, rate_key: &RateKey, now: UnixTime) -> bool {
        self.bucket(rate_key.class).draw(rate_key.party.as_ref(), Keeps::Half, now)
    }

    /// The same for who has waited for it already: those who come meanwhile find something.
    pub(crate) fn draw_after_wait(&mut self, rate_key: &RateKey, now: UnixTime) -> bool {
        self.bucket(rate_key.class).draw(rate_key.party.as_ref(), Keeps::Most, now)
    }

    /// The answer says what class the credential is of: the request is charged to that bucket, if
    /// it has one for this party.
    pub(crate) fn settle(&mut self, drawn: &RateKey, owed: RateClass, now: UnixTime) {
        if drawn.class != owed && self.bucket(owed).draw(drawn.party.as_ref(), Keeps::Enough, now) {
            self.give_back(drawn, now);
        }
    }

    /// No request was made after all.
    pub(crate) fn give_back(&mut self, drawn: &RateKey, now: UnixTime) {
        self.bucket(drawn.class).give_back(drawn.party.as_ref(), now);
    }

    const fn bucket(&mut self, class: RateClass) -> &mut Bucket {
        match class {
            RateClass::Known => &mut self.known,
            RateClass::Unverified => &mut self.unverified,
        }
    }
}

impl Bucket {
    fn full(per_second: u32, free_part: i64) -> Self {
        let per_second = i64::from(per_second);
        let free = per_second.checked_div(free_part).unwrap_or(1).max(1).saturating_mul(REQUEST);
        Self {
            per_second,
            level: per_second.saturating_mul(REQUEST),
            filled: None,
            free,
            parties: BoundedMap::new(PARTIES),
        }
    }

    const fn capacity(&self) -> i64 {
        self.per_second.saturating_mul(REQUEST)
    }

    /// Takes one request where at least so much is there.
    fn draw(&mut self, party: Option<&Party>, keeps: Keeps, now: UnixTime) -> bool {
        self.fill(now);
        let at_least = match keeps {
            Keeps::Enough => 0,
            Keeps::Half => (self.capacity() / 2).saturating_add(REQUEST),
            // Also of a bucket that holds no more than a few.
            Keeps::Most => {
                (self.capacity() / 4).saturating_mul(3).saturating_add(REQUEST).min(self.capacity())
            }
        };
        let lately = party.map_or(0, |party| self.drawn_lately(party, now));
        let has = self.level >= at_least.max(self.least_for(lately));
        if has {
            self.add(-REQUEST);
            self.note(party, lately.saturating_add(REQUEST), now);
        }
        has
    }

    fn give_back(&mut self, party: Option<&Party>, now: UnixTime) {
        self.fill(now);
        self.add(REQUEST);
        let lately = party.map_or(0, |party| self.drawn_lately(party, now));
        self.note(party, lately.saturating_sub(REQUEST), now);
    }

    /// How full the bucket has to be for who has drawn so much lately: half for the first that is
    /// too much, two thirds for the second, three quarters for the third…
    fn least_for(&self, lately: i64) -> i64 {
        let over = lately.saturating_add(REQUEST).saturating_sub(self.free);
        if over <= 0 {
            return REQUEST;
        }
        let too_many = over.saturating_add(REQUEST - 1).checked_div(REQUEST).unwrap_or(1);
        let shared = self.capacity().saturating_sub(REQUEST).max(0);
        let left = shared
            .saturating_mul(too_many)
            .checked_div(too_many.saturating_add(1))
            .unwrap_or(shared);
        left.saturating_add(REQUEST)
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

    const KNOWN: RateKey = RateKey { class: RateClass::Known, party: None };
    const UNVERIFIED: RateKey = RateKey { class: RateClass::Unverified, party: None };

    fn at(millis: i64) -> UnixTime {
        UnixTime::from_millis(millis)
    }

    fn user(number: u64) -> RateKey {
        RateKey::known(party_of(IssuerId::new(0), &number.to_string()))
    }

    fn drawn(limit: &mut RateLimit, rate_key: &RateKey, tries: u32, millis: i64) -> usize {
        (0..tries).filter(|_| limit.draw(rate_key, at(millis))).count()
    }

    #[test]
    fn unverified_credentials_cannot_use_up_what_known_sessions_have() {
        let mut limit = RateLimit::new(20);
        assert_eq!(drawn(&mut limit, &UNVERIFIED, 1000, 0), 5);
        assert_eq!(drawn(&mut limit, &KNOWN, 1000, 0), 15);
        assert_eq!(drawn(&mut limit, &KNOWN, 1000, 500), 7);
        assert_eq!(
            drawn(&mut limit, &UNVERIFIED, 1000, 60_000),
            5,
            "no more is saved up than a second brings"
        );
    }

    #[test]
    fn a_clock_that_steps_back_neither_fills_nor_starves() {
        let mut limit = RateLimit::new(20);
        assert_eq!(drawn(&mut limit, &KNOWN, 1000, 100_000), 15);
        assert_eq!(drawn(&mut limit, &KNOWN, 1000, 50_000), 0);
        assert_eq!(drawn(&mut limit, &KNOWN, 1000, 51_000), 15);
    }

    #[test]
    fn a_request_is_charged_to_the_class_that_the_answer_names() {
        let mut limit = RateLimit::new(8);
        for _ in 0..6 {
            assert!(limit.draw(&UNVERIFIED, at(0)));
            limit.settle(&UNVERIFIED, RateClass::Known, at(0));
        }
        assert_eq!(drawn(&mut limit, &KNOWN, 10, 0), 0);
        assert_eq!(drawn(&mut limit, &UNVERIFIED, 10, 0), 2);
    }

    #[test]
    fn a_bucket_that_is_empty_is_not_charged_for_the_other() {
        let mut limit = RateLimit::new(8);
        assert_eq!(drawn(&mut limit, &UNVERIFIED, 10, 0), 2);
        assert!(limit.draw(&KNOWN, at(0)));
        limit.settle(&KNOWN, RateClass::Unverified, at(0));
        assert_eq!(
            drawn(&mut limit, &UNVERIFIED, 10, 500),
            1,
            "nothing is charged to them afterwards"
        );
        assert_eq!(drawn(&mut limit, &KNOWN, 10, 0), 5);
    }

    /// Both buckets were full when they were made, and are an hour later, whatever was settled in
    /// between.
    #[test]
    fn what_was_settled_before_anybody_drew_is_paid_back_by_time() {
        let mut limit = RateLimit::new(20);
        for number in 0..30 {
            let now = number * 250;
            assert!(limit.draw(&UNVERIFIED, at(now)), "{number}");
            limit.settle(&UNVERIFIED, RateClass::Known, at(now + 20));
        }
        assert_eq!(drawn(&mut limit, &KNOWN, 100, 3_600_000), 15);
    }

    #[test]
    fn what_can_wait_leaves_half() {
        let mut limit = RateLimit::new(16);
        let spare = (0..100).filter(|_| limit.draw_spare(&KNOWN, at(0))).count();
        assert_eq!((spare, drawn(&mut limit, &KNOWN, 100, 0)), (6, 6));
    }

    /// One user asks a hundred times a second, with any number of sessions; nineteen others each
    /// once within ten seconds, two of them more often. All of them find what they need.
    #[test]
    fn no_user_is_refused_because_of_the_requests_of_another() {
        for hammers in [1, 5] {
            let mut limit = RateLimit::new(20);
            let mut his = 0;
            for millis in (0..60_000).step_by(10) {
                his += (0..hammers)
                    .filter(|hammer| limit.draw(&user(1000 + hammer), at(millis)))
                    .count();
                // What five may draw at once is all that there is: others wait for the first second
                // then.
                let tick = if millis < 1000 { 0 } else { millis / 10 };
                if tick % 50 == 7 {
                    let number = u64::try_from(tick).unwrap_or_default() / 50 % 19;
                    assert!(
                        limit.draw(&user(number), at(millis)),
                        "user {number} at {millis} beside {hammers}"
                    );
                }
                if tick % 70 == 9 {
                    assert!(
                        limit.draw(&user(50), at(millis)),
                        "a user who asks more often, at {millis} beside {hammers}"
                    );
                }
            }
            assert!(his > 60 * 8, "the first user has what is left over: {his}");
        }
    }

    #[test]
    fn one_address_leaves_something_to_others() {
        let mut limit = RateLimit::new(20);
        let flood = RateKey::unverified(Some("192.0.2.66"));
        assert_eq!(drawn(&mut limit, &flood, 100, 0), 5, "one party may have what a second brings");
        let mut refused = 0;
        for millis in (1000..30_000).step_by(10) {
            drawn(&mut limit, &flood, 3, millis);
            if millis % 500 == 0 {
                let address = format!("198.51.100.{}", millis / 500);
                refused +=
                    usize::from(!limit.draw(&RateKey::unverified(Some(&address)), at(millis)));
            }
        }
        assert_eq!(refused, 0);
    }

    #[test]
    fn a_network_is_one_party_and_an_unknown_address_is_none() {
        let party = |address| RateKey::unverified(Some(address)).party;
        assert_eq!(party("2001:db8:1:2::1"), party("2001:db8:1:2:ffff::9"));
        assert_ne!(party("2001:db8:1:2::1"), party("2001:db8:1:3::1"));
        assert_eq!(party("::ffff:192.0.2.1"), party("192.0.2.1"));
        assert_ne!(party("::ffff:192.0.2.1"), party("::ffff:192.0.2.2"));
        assert_ne!(party("unknown"), party("192.0.2.1"));
        assert_eq!(RateKey::unverified(None).party, None);
    }

    #[test]
    fn the_table_of_parties_stays_small() {
        for auth_requests_per_second in [4, 20, 10_000] {
            let mut limit = RateLimit::new(auth_requests_per_second);
            let mut most = 0;
            for millis in 0..3000_i64 {
                for each in 0..20 {
                    let number = u64::try_from(millis * 20 + each).unwrap_or_default();
                    limit.draw(&user(number), at(millis));
                    most = most.max(limit.known.parties.values().count());
                }
            }
            // Each is forgotten when ten have flowed in since.
            assert!(
                most <= PARTIES.entries
                    && most <= usize::try_from(auth_requests_per_second).unwrap_or_default() + 10,
                "{most}"
            );
        }
    }
}
