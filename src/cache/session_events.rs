//! Events: what has happened to sessions through this gate, and what is known of them that does not
//! count any more.
//!
//! An event is whatever may have changed a session: a request below the auth service's own path
//! that is not safe, and a response that sets or clears the session's cookies. What was asked
//! before it is older than what the client has seen since, however late its answer comes.
//!
//! Rules of this file:
//! - the order of asks and events in this instance is a number, not a time: clocks step back, and a
//!   millisecond is long;
//! - what other instances, stores and cookies say has a date instead, and has to be newer than the
//!   event;
//! - from when a request goes on until its response is there, it is not known whether the service
//!   has acted on it: then a request takes no knowledge but what was asked after it came in;
//! - there are two tables: of sessions that are known, which only signed-in users fill, and of
//!   unverified tokens, which anybody can send. Each is bounded, and forgets the session that has
//!   been without an event for longest.

use crate::cache::bounded_map::{BoundedMap, Bounds, Weighed};
use crate::encoding::digest::digest_type;
use crate::policy::auth_service::AuthService;
use crate::time::UnixTime;

/// An entry is two hundred bytes.
const KNOWN: Bounds = Bounds::of_entries(4096);
/// Tokens that have not been verified.
const UNVERIFIED: Bounds = Bounds::of_entries(512);
/// A response that has not come after so long will not be waited for: its request has been acted
/// on, or never will be.
pub(crate) const LONGEST_MILLIS: i64 = 5000;
/// The same in seconds.
pub(crate) const LONGEST_SECONDS: u32 = 5;
/// A cookie cache from before an event does not count for so long: then it has run out, by Better
/// Auth's default.
const COOKIE_CACHE_MILLIS: i64 = 300_000;

/// The order of what happens in this instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Number(u64);

#[cfg(test)]
impl Number {
    pub(crate) const fn of(number: u64) -> Self {
        Self(number)
    }
}

digest_type! {
    /// A session, whichever credential names it.
    SessionDigest
}

impl SessionDigest {
    /// The session of this service that has this token.
    pub(crate) fn of(service: &AuthService, token: &str) -> Self {
        Self::of_parts(&[service.issuer.name.as_bytes(), b"session", token.as_bytes()])
    }
}

/// Who has said that a session's token is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionTrust {
    /// Its signature holds, or the auth service has vouched for it.
    Known,
    /// No session.
    Unverified,
}

/// From when on knowledge of a session counts, for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Since {
    /// What was asked here counts if its number is higher…
    number: Number,
    /// …and if it was asked later than an event that this instance has not seen the end of.
    elsewhere: UnixTime,
    /// What another instance or a store says counts if it was known later.
    dated: UnixTime,
    /// A cookie cache counts if it was written later.
    cookie_cache: UnixTime,
}

impl Since {
    /// Everything counts.
    pub(crate) const EVER: Self =
        Self { number: Number(0), elsewhere: EVER, dated: EVER, cookie_cache: EVER };

    /// Whether what came of this question counts.
    pub(crate) fn admits(&self, ask: Moment) -> bool {
        ask.number > self.number && (ask.at > self.elsewhere || self.elsewhere == EVER)
    }

    /// Whether what another instance or a store knew at this moment counts.
    pub(crate) fn admits_dated(&self, known: UnixTime) -> bool {
        known > self.dated || self.dated == EVER
    }

    /// Whether a cookie cache that was written at this moment counts.
    pub(crate) fn admits_cookie_cache(&self, known: UnixTime) -> bool {
        known > self.cookie_cache || self.cookie_cache == EVER
    }

    /// Another instance has seen an event at that moment. One that has not been answered yet lies
    /// ahead: then what counts is what is asked after the request has come in.
    pub(crate) fn and_elsewhere(self, at: UnixTime, arrival: Moment) -> Self {
        // This instance has seen it, or a later one.
        if self.dated >= at && self.cookie_cache >= at {
            return self;
        }
        let ahead = at >= arrival.at;
        if ahead {
            return self.and_after(arrival);
        }
        self.and_at(at)
    }

    /// Only what was asked, said or written after that moment.
    fn and_at(self, at: UnixTime) -> Self {
        Self {
            elsewhere: self.elsewhere.max(at),
            dated: self.dated.max(at),
            cookie_cache: self.cookie_cache.max(at),
            ..self
        }
    }

    /// Only what is asked or said after this request has come in.
    fn and_after(self, arrival: Moment) -> Self {
        let before = arrival.at.plus_millis(-1);
        Self {
            number: self.number.max(arrival.number),
            dated: self.dated.max(before),
            cookie_cache: self.cookie_cache.max(before),
            ..self
        }
    }
}

/// When something was asked, or a request came in: its place in this instance's order, and the
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) number: Number,
    pub(crate) at: UnixTime,
}

const EVER: UnixTime = UnixTime::from_millis(i64::MIN);

/// The last events of sessions.
pub(crate) struct Events {
    clock: Number,
    known: BoundedMap<SessionDigest, Event>,
    unverified: BoundedMap<SessionDigest, Event>,
}

impl Default for Events {
    fn default() -> Self {
        let (known, unverified) = (BoundedMap::new(KNOWN), BoundedMap::new(UNVERIFIED));
        Self { clock: Number(0), known, unverified }
    }
}

#[derive(Clone, Copy)]
struct Event {
    number: Number,
    /// The last one that is over: what was asked before it is older than what some client has seen.
    done: Number,
    /// The last one that was more than the news that it has ended.
    changed: Option<Moment>,
    /// The last one after which a cookie cache that was written before does not count.
    of_service: Option<UnixTime>,
    /// How many requests have gone on whose responses have not been seen.
    open: u32,
    /// Until when that counts.
    open_until: UnixTime,
}

impl Weighed for Event {}

impl Event {
    /// One that would count for longer began before the clock stepped back.
    fn is_open(&self, now: UnixTime) -> bool {
        self.open > 0
            && now < self.open_until
            && self.open_until.millis_since(now) <= LONGEST_MILLIS
    }
}

impl Events {
    /// The moment of what happens now.
    pub(crate) fn moment(&mut self, now: UnixTime) -> Moment {
        Moment { number: self.next(), at: now }
    }

    fn next(&mut self) -> Number {
        self.clock = Number(self.clock.0.saturating_add(1));
        self.clock
    }

    /// The number of what has happened last.
    pub(crate) const fn last(&self) -> Number {
        self.clock
    }

    /// Whether nothing has happened to any session.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.unverified.is_empty()
    }

    /// From when on knowledge of this session counts for a request that came in then.
    pub(crate) fn since(&self, session: &SessionDigest, arrival: Moment, now: UnixTime) -> Since {
        let Some((event, changed)) =
            self.find(session).and_then(|event| Some((event, event.changed?)))
        else {
            return Since::EVER;
        };
        let of_service = event.of_service.filter(|at| now.millis_since(*at) < COOKIE_CACHE_MILLIS);
        let since = Since {
            number: changed.number,
            elsewhere: EVER,
            dated: changed.at,
            cookie_cache: of_service.unwrap_or(EVER),
        };
        if event.is_open(now) {
            return since.and_after(arrival);
        }
        // Nobody has seen the response, and until when it may have come was in the middle of it.
        if event.open > 0 && event.open_until <= now {
            since.and_at(event.open_until)
        } else {
            since
        }
    }

    /// Whether something has happened to this session since then. What has only begun has not: no
    /// client has heard of it, so an answer from before counts for the request that asked.
    pub(crate) fn has_changed(&self, session: &SessionDigest, since: Number) -> bool {
        self.find(session).is_some_and(|event| event.done > since)
    }

    /// The same, or something has begun: what was heard then is not to be handed out.
    pub(crate) fn has_or_may_have_changed(
        &self,
        session: &SessionDigest,
        since: Number,
        now: UnixTime,
    ) -> bool {
        self.find(session).is_some_and(|event| event.number > since || event.is_open(now))
    }

    /// Whether cookies that were heard of then are not to be handed out to a request that came in
    /// then: its client may have others by now, of another session perhaps.
    pub(crate) fn has_overtaken(
        &self,
        session: &SessionDigest,
        learned: Number,
        arrived: Number,
        now: UnixTime,
    ) -> bool {
        self.has_or_may_have_changed(session, learned, now)
            || self.may_have_been_changed(session, arrived, now)
    }

    /// Whether something has happened to this session since then, or may be happening now, that is
    /// more than the news that it has ended.
    pub(crate) fn may_have_been_changed(
        &self,
        session: &SessionDigest,
        since: Number,
        now: UnixTime,
    ) -> bool {
        self.find(session).is_some_and(|event| {
            event.changed.is_some_and(|changed| changed.number > since) || event.is_open(now)
        })
    }

    /// The service has said that the session has ended.
    pub(crate) fn note_end(
        &mut self,
        session: SessionDigest,
        standing: SessionTrust,
        now: UnixTime,
    ) {
        self.change(session, standing, now, |event| event.done = event.number);
    }

    /// A response has set or cleared the session's cookies.
    pub(crate) fn note(&mut self, session: SessionDigest, standing: SessionTrust, now: UnixTime) {
        self.change(session, standing, now, |event| {
            event.done = event.number;
            event.changed = Some(Moment { number: event.number, at: now });
        });
    }

    /// A request goes on to the service that may change the session.
    pub(crate) fn open(&mut self, session: SessionDigest, standing: SessionTrust, now: UnixTime) {
        self.change(session, standing, now, |event| {
            event.changed = Some(Moment { number: event.number, at: now });
            event.of_service = Some(now);
            event.open = event.open.saturating_add(1);
            event.open_until = now.plus_millis(LONGEST_MILLIS);
        });
    }

    /// The response to such a request is there.
    pub(crate) fn close(&mut self, session: SessionDigest, standing: SessionTrust, now: UnixTime) {
        self.change(session, standing, now, |event| {
            event.done = event.number;
            event.changed = Some(Moment { number: event.number, at: now });
            event.of_service = Some(now);
            event.open = event.open.saturating_sub(1);
        });
    }

    fn find(&self, session: &SessionDigest) -> Option<&Event> {
        self.known.get(session).or_else(|| self.unverified.get(session))
    }

    fn change(
        &mut self,
        session: SessionDigest,
        standing: SessionTrust,
        now: UnixTime,
        change: impl FnOnce(&mut Event),
    ) {
        let number = self.next();
        let nothing = Event {
            number,
            done: Number(0),
            changed: None,
            of_service: None,
            open: 0,
            open_until: now,
        };
        let before = self.find(&session).copied().unwrap_or(nothing);
        let mut event = Event { number, ..before };
        change(&mut event);
        // One that is known is never unverified again, so that no session is in both tables.
        self.unverified.remove(&session);
        match standing {
            SessionTrust::Unverified if !self.known.contains(&session) => {
                self.unverified.put(session, event);
            }
            _ => self.known.put(session, event),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: SessionDigest = SessionDigest::new([1; 32]);
    const BOB: SessionDigest = SessionDigest::new([2; 32]);
    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    const fn at(number: Number, at: UnixTime) -> Moment {
        Moment { number, at }
    }

    fn arrival(events: &mut Events, now: UnixTime) -> Moment {
        events.moment(now)
    }

    #[test]
    fn what_was_asked_before_an_event_does_not_count_and_what_comes_after_it_does() {
        let mut events = Events::default();
        let before = events.next();
        let early = arrival(&mut events, NOW);
        assert!(events.since(&ADA, early, NOW) == Since::EVER && !events.has_changed(&ADA, before));
        events.note(ADA, SessionTrust::Known, NOW);
        let after = events.next();
        for request in [early, arrival(&mut events, NOW)] {
            let since = events.since(&ADA, request, NOW);
            assert!(!since.admits(at(before, NOW)) && since.admits(at(after, NOW)));
            assert!(!since.admits_dated(NOW) && since.admits_dated(NOW.plus_millis(1)));
            assert!(since.admits_cookie_cache(NOW.plus_millis(-1)), "its response has replaced it");
        }
        assert!(events.has_changed(&ADA, before) && !events.has_changed(&ADA, after));
        assert_eq!(events.since(&BOB, early, NOW), Since::EVER);
    }

    #[test]
    fn while_a_request_is_under_way_only_what_is_asked_later_than_the_own_arrival_counts() {
        let mut events = Events::default();
        events.open(ADA, SessionTrust::Known, NOW);
        let asked = events.next();
        let later = arrival(&mut events, NOW.plus_millis(10));
        let own = events.next();
        let since = events.since(&ADA, later, NOW.plus_millis(20));
        assert!(!since.admits(at(asked, NOW)) && since.admits(at(own, NOW.plus_millis(10))));
        assert!(!since.admits_cookie_cache(NOW.plus_millis(9)));
        assert!(
            events.has_or_may_have_changed(&ADA, own, NOW.plus_millis(20))
                && !events.has_changed(&ADA, own)
        );
        events.close(ADA, SessionTrust::Known, NOW.plus_millis(30));
        assert!(
            !events.since(&ADA, later, NOW.plus_millis(30)).admits(at(own, NOW.plus_millis(10)))
        );
        let next = events.next();
        assert!(
            events.since(&ADA, later, NOW.plus_millis(30)).admits(at(next, NOW.plus_millis(30)))
        );
        assert!(!events.has_or_may_have_changed(&ADA, next, NOW.plus_millis(30)));
    }

    #[test]
    fn one_response_does_not_close_another_request_and_one_that_never_comes_closes_by_itself() {
        let mut events = Events::default();
        events.open(ADA, SessionTrust::Known, NOW);
        events.open(ADA, SessionTrust::Known, NOW);
        events.close(ADA, SessionTrust::Known, NOW);
        let last = events.next();
        assert!(events.has_or_may_have_changed(&ADA, last, NOW.plus_millis(LONGEST_MILLIS - 1)));
        assert!(!events.has_or_may_have_changed(&ADA, last, NOW.plus_millis(LONGEST_MILLIS)));
        assert!(
            !events.has_or_may_have_changed(&ADA, last, NOW.plus_millis(-1)),
            "the clock stepped back"
        );
    }

    #[test]
    fn unverified_tokens_evict_unverified_tokens_only() {
        let mut events = Events::default();
        events.note(ADA, SessionTrust::Known, NOW);
        events.note(BOB, SessionTrust::Unverified, NOW);
        for number in 0..10_000_u32 {
            let mut name = [9; 32];
            name.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
            events.note(SessionDigest::new(name), SessionTrust::Unverified, NOW);
        }
        assert!(events.has_changed(&ADA, Number(0)) && !events.has_changed(&BOB, Number(0)));
        assert_eq!(events.unverified.values().count(), UNVERIFIED.entries);
        events.note(ADA, SessionTrust::Unverified, NOW);
        assert_eq!(events.known.values().count(), 1, "who was known stays known");
    }

    #[test]
    fn an_event_elsewhere_dates_everything() {
        let mut events = Events::default();
        let asked = events.next();
        let request = arrival(&mut events, NOW);
        let since = Since::EVER.and_elsewhere(NOW.plus_millis(-100), request);
        assert!(
            !since.admits(at(asked, NOW.plus_millis(-100)))
                && since.admits(at(asked, NOW.plus_millis(-99)))
        );
        let ahead = Since::EVER.and_elsewhere(NOW.plus_millis(4000), request);
        let own = events.next();
        assert!(!ahead.admits(at(asked, NOW.plus_millis(-1))) && ahead.admits(at(own, NOW)));
        assert!(ahead.admits_dated(NOW) && !ahead.admits_cookie_cache(NOW.plus_millis(-1)));
    }
}
