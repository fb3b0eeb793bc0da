//! The key cache: which key for this token, and when to fetch.
//!
//! Rules of this file:
//! - a fetch that failed never empties the cache; only the hard ceiling does, and the issuer's own
//!   word: a set without keys is one (RFC 7517 section 5), and the keys that are not in it are
//!   withdrawn, all of them and at once;
//! - a set that has keys, and none that can be used here, withdraws the others as well, and what it
//!   has in their place is not known here: it counts as a fetch that failed, so its tokens are
//!   answered by 503 and it is soon fetched again;
//! - one fetch at a time per source: whoever asks takes a lease, the others wait on timers of their
//!   own;
//! - every fetch, good or bad, starts a cool-down, so that tokens cannot make us fetch;
//! - a moment that lies in the future (the clock stepped back) freezes nothing.
//!
//! *May ask*: not cooling down, this `kid` not known to be absent, and this request has not asked
//! yet.
//!
//! | a set? | key matches? | may ask? | asked by another now? | last fetch failed? | answer |
//! |---|---|---|---|---|---|
//! | yes | yes | – | – | – | use it; refresh after the response if past `fresh_for`, may ask, and no request is asking |
//! | overdue | yes | yes | no | no | ask, and use it if that fails |
//! | overdue | yes | yes | yes | no | wait, and use it if that fails |
//! | yes | no | yes | no | – | ask |
//! | yes | no | yes | yes | – | wait |
//! | yes | no | no | – | no | `key_not_found` (401) |
//! | yes | no | no | – | yes | `keys_unavailable` (503): we do not know |
//! | no | – | yes | no | – | ask |
//! | no | – | yes | yes | – | wait |
//! | no | – | no | – | no | `keys_unavailable` (503) |
//! | no | – | no | – | yes | `keys_unavailable` (503), caused by the issuer |
//!
//! A set that came without keys is a set: no key matches. No `kid` is noted as absent then, so that
//! a set that was empty by mistake is asked for again after the cool-down.
//!
//! *Overdue*: past twice `fresh_for`, because no request came with whose response it could have
//! been refreshed after. What was signed by a key that has been withdrawn since would pass once
//! more.
//!
//! A set past `fresh_for` proves no refusal either. An issuer may have another key under the same
//! `kid`, or with none: then the signature does not hold, the key is of another kind, or there are
//! two that suit. Such a refusal asks and waits as a missing key does.
//!
//! A set that came as a copy from the shared cache and lacks the `kid`, or a copy that is none,
//! leads to one more fetch, for which no copy will do: the copy may be older than the key.
//!
//! A cool-down does not count while another request's fetch is on its way: its answer is worth
//! waiting for.

use crate::cache::bounded_map::{BoundedMap, Bounds, Weighed};
use crate::cache::fetch_state::{FetchState, is_within};
use crate::cache::shared::CacheUse;
use crate::cache::shared::{self, Copied};
use crate::effect::EffectResult;
use crate::encoding::digest::{self, digest_type};
use crate::jose::alg::Algorithm;
use crate::jose::jwk::{Jwk, JwkSet, LeftOut, Rule};
use crate::policy::issuer::IssuerId;
use crate::reason::Reason;
use crate::time::{Seconds, UnixTime};

/// How long a set is fresh when its answer says nothing: Better Auth sends no `Cache-Control`, and
/// a new key shows up only with the first token that it signed, which asks by itself.
const FRESH_FOR: Seconds = Seconds::new(300);
/// A `max-age` below this would have us fetch all the time.
const FRESH_FLOOR: Seconds = Seconds::new(60);
/// A `max-age` above this would keep a withdrawn key for too long: it counts up to twice this long
/// after its last good fetch.
const FRESH_CEILING: Seconds = Seconds::new(3600);
/// For so long a copy is of use to other instances: as long as a set is fresh by default, so that
/// what it is good for does not depend on where it came from.
pub(crate) const SHARED_FOR: Seconds = FRESH_FOR;
/// Hard ceiling: keys this old are no longer used, outage or not.
const MAX_AGE: Seconds = Seconds::new(24 * 3600);
/// After a fetch that succeeded: bounds what unknown `kid`s can cost (jose waits 30 s; a new key is
/// noticed sooner here).
const COOLDOWN: Seconds = Seconds::new(10);
/// How long an absent `kid` is remembered.
const ABSENT_FOR: Seconds = Seconds::new(60);
/// How many absent `kid`s of a source are remembered; of more, the one noted longest ago is asked
/// for again. Anybody can fill the table, by one fetch each, and those have their cool-down.
const MAX_ABSENT: usize = 32;

/// The keys of all issuers, each at the place of its id.
#[derive(Debug)]
pub(crate) struct KeyCache {
    sources: Vec<Source>,
    /// What an issuer of another policy would have. No request is decided by it: whom a request may
    /// name is in its own policy.
    none: Source,
    jitter: u64,
}

/// Where an issuer's keys come from, and what is known about them.
#[derive(Debug)]
struct Source {
    inline: JwkSet,
    is_remote: bool,
    remote: Option<Remote>,
    fetch: FetchState,
    /// Counts the sets: what was verified by an older one is verified anew.
    generation: u64,
    /// Since when a `kid` is known to be absent. By digest: one may have two kilobytes.
    absent: BoundedMap<KidDigest, AbsentSince>,
}

digest_type! {
    /// A `kid`.
    KidDigest
}

impl KidDigest {
    fn of(kid: &str) -> Self {
        Self::new(digest::of(kid.as_bytes()))
    }
}

#[derive(Debug)]
struct AbsentSince(UnixTime);

impl Weighed for AbsentSince {}

impl AbsentSince {
    fn counts(&self, now: UnixTime) -> bool {
        is_within(self.0, ABSENT_FOR.as_millis(), now)
    }
}

#[derive(Debug)]
struct Remote {
    set: JwkSet,
    fetched_at: UnixTime,
    fresh_for: Seconds,
}

/// What a token says about its key.
#[derive(Clone, Copy)]
pub(crate) struct KeyQuery<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<&'a str>,
}

/// What a request has done about key sets so far.
pub(crate) trait Asked {
    /// Whether it has asked for the set of this issuer already.
    fn has_asked(&self, issuer: IssuerId, cache_use: CacheUse) -> bool;
    /// Whether there is no time or no budget for anything more.
    fn has_given_up(&self) -> bool;
    /// Whether it has to do with what is there.
    fn is_through(&self, issuer: IssuerId, cache_use: CacheUse) -> bool {
        self.has_given_up() || self.has_asked(issuer, cache_use)
    }
}

/// What to do where there is no key (yet).
#[derive(Debug)]
pub(crate) enum KeyMiss {
    /// No request is fetching the set: fetch it.
    Fetch(CacheUse),
    /// Another request is fetching it: wait.
    Wait,
    /// There is none.
    Missing(Reason),
    /// There are none at all, because who has them could not be asked. Where there are some, a
    /// token that names another chooses to.
    Away,
}

impl KeyCache {
    /// A cache for issuers in their order, given as their inline keys and whether they are fetched
    /// as well.
    pub(crate) fn new(sources: impl IntoIterator<Item = (JwkSet, bool)>, seed: u64) -> Self {
        let source = |(inline, is_remote)| Source {
            inline,
            is_remote,
            remote: None,
            fetch: FetchState::default(),
            generation: 0,
            absent: BoundedMap::new(Bounds::of_entries(MAX_ABSENT)),
        };
        Self {
            sources: sources.into_iter().map(source).collect(),
            none: source((JwkSet::default(), false)),
            jitter: seed,
        }
    }

    fn source(&self, issuer: IssuerId) -> &Source {
        self.sources.get(issuer.place()).unwrap_or(&self.none)
    }

    fn source_mut(&mut self, issuer: IssuerId) -> &mut Source {
        self.sources.get_mut(issuer.place()).unwrap_or(&mut self.none)
    }

    /// The key for a token of an issuer.
    ///
    /// # Errors
    /// What to do about it that there is none.
    pub(crate) fn select(
        &self,
        issuer: IssuerId,
        wanted: KeyQuery<'_>,
        asked: &impl Asked,
        now: UnixTime,
    ) -> Result<&Jwk, KeyMiss> {
        let own = self.source(issuer);
        match own.matching(wanted, now) {
            Ok(key) if own.inline.keys().iter().any(|inline| std::ptr::eq(inline, key)) => Ok(key),
            Ok(key) => self.renewal(issuer, asked, now).map_or(Ok(key), Err),
            Err(Reason::KeyNotFound) if !own.is_remote => {
                Err(KeyMiss::Missing(Reason::KeyNotFound))
            }
            Err(Reason::KeyNotFound) => {
                let is_absent = wanted.kid.is_some_and(|kid| own.is_absent(kid, now));
                let ask = if is_absent {
                    None
                } else {
                    self.ask(own, |cache_use| asked.has_asked(issuer, cache_use), now)
                };
                let has_key = own.usable_keys(now).next().is_some();
                Err(ask.unwrap_or_else(|| match own.fetch.last_failed() {
                    false if own.has_set(now) && !own.has_more(now) => {
                        KeyMiss::Missing(Reason::KeyNotFound)
                    }
                    true if !has_key => KeyMiss::Away,
                    _ => KeyMiss::Missing(Reason::KeysUnavailable),
                }))
            }
            Err(other) => Err(self.refusal(issuer, other, asked, now)),
        }
    }

    /// What a refusal by the set in use comes to. A fresh set proves it; past that the issuer may
    /// have another key by now.
    pub(crate) fn refusal(
        &self,
        issuer: IssuerId,
        reason: Reason,
        asked: &impl Asked,
        now: UnixTime,
    ) -> KeyMiss {
        let own = self.source(issuer);
        if !own.is_stale(now) {
            return KeyMiss::Missing(reason);
        }
        let ask = self.ask(own, |cache_use| asked.is_through(issuer, cache_use), now);
        let is_unknown = own.fetch.last_failed() || asked.has_given_up();
        ask.unwrap_or(KeyMiss::Missing(if is_unknown { Reason::KeysUnavailable } else { reason }))
    }

    /// Whether a set has to be asked for again before anything rests on it.
    pub(crate) fn is_overdue(&self, issuer: IssuerId, asked: &impl Asked, now: UnixTime) -> bool {
        self.renewal(issuer, asked, now).is_some()
    }

    /// What to do about a set that is overdue. After a failure it serves without further ado:
    /// people would wait for each fetch.
    fn renewal(&self, issuer: IssuerId, asked: &impl Asked, now: UnixTime) -> Option<KeyMiss> {
        let own = self.source(issuer);
        let is_due = own.remote.as_ref().is_some_and(|remote| remote.is_overdue(now))
            && !own.fetch.last_failed();
        if is_due {
            self.ask(own, |cache_use| asked.is_through(issuer, cache_use), now)
        } else {
            None
        }
    }

    /// The way to a newer set, if there is one now for this request.
    fn ask(
        &self,
        own: &Source,
        has_asked: impl Fn(CacheUse) -> bool,
        now: UnixTime,
    ) -> Option<KeyMiss> {
        let cache_use = own.cache_use(&has_asked, now);
        let is_asked = own.fetch.is_under_way(now);
        if has_asked(cache_use) || own.fetch.is_cooling(COOLDOWN, self.jitter, now) && !is_asked {
            None
        } else {
            Some(if is_asked { KeyMiss::Wait } else { KeyMiss::Fetch(cache_use) })
        }
    }

    /// The number of the set that is in use, or nothing where none is. Inline keys alone are number
    /// 0: what a fetched set has proven ends when that set is past its ceiling, whatever stands
    /// beside it.
    pub(crate) fn generation(&self, issuer: IssuerId, now: UnixTime) -> Option<u64> {
        let source = Some(self.source(issuer)).filter(|source| source.has_set(now))?;
        Some(if source.live_remote(now).is_some() { source.generation } else { 0 })
    }

    /// Whether the set should be fetched anew after the response.
    pub(crate) fn wants_refresh(&self, issuer: IssuerId, has_asked: bool, now: UnixTime) -> bool {
        let is_free = |fetch: &FetchState| {
            !fetch.is_under_way(now) && !fetch.is_cooling(COOLDOWN, self.jitter, now)
        };
        let may_refresh = |source: &Source| source.is_stale(now) && is_free(&source.fetch);
        !has_asked && may_refresh(self.source(issuer))
    }

    /// The keys that were left out of an issuer's set, of those for which a token with this `kid`
    /// may be: all where it names none, and where the set has nothing else.
    pub(crate) fn left_out(
        &self,
        issuer: IssuerId,
        kid: Option<&str>,
        now: UnixTime,
    ) -> Vec<LeftOut> {
        let set = self.source(issuer).live_remote(now).map(|remote| &remote.set);
        let is_about = |left_out: &&LeftOut| kid.is_none_or(|kid| left_out.is_named(kid));
        let all = set.map(JwkSet::left_out).unwrap_or_default();
        if set.is_some_and(JwkSet::is_all_odd) {
            all.to_vec()
        } else {
            all.iter().filter(is_about).cloned().collect()
        }
    }

    /// Whether an issuer's set is known not to have a key with this `kid`.
    pub(crate) fn is_absent(&self, issuer: IssuerId, kid: &str, now: UnixTime) -> bool {
        self.source(issuer).is_absent(kid, now)
    }

    /// How many usable keys an issuer has, and since when: nothing where they are inline, or there
    /// are none.
    pub(crate) fn in_use(&self, issuer: IssuerId, now: UnixTime) -> (usize, Option<UnixTime>) {
        let own = self.source(issuer);
        let fetched = own.live_remote(now).map(|remote| remote.fetched_at);
        (own.usable_keys(now).count(), fetched)
    }

    /// Why keys of the set in use are not used, each by itself.
    pub(crate) fn ignored(&self, issuer: IssuerId, now: UnixTime) -> impl Iterator<Item = Rule> {
        let set = self.source(issuer).live_remote(now).map(|remote| &remote.set);
        set.map(JwkSet::left_out).unwrap_or_default().iter().map(|left_out| left_out.rule)
    }

    /// The `kid`s of the keys that an issuer has, for the log.
    pub(crate) fn kids(&self, issuer: IssuerId, now: UnixTime) -> Vec<String> {
        self.source(issuer).usable_keys(now).filter_map(|key| key.kid.clone()).collect()
    }

    /// When the last fetch of an issuer's set ended.
    pub(crate) fn tried_at(&self, issuer: IssuerId) -> Option<UnixTime> {
        self.source(issuer).fetch.tried_at()
    }

    /// How many fetches from an issuer have failed since one succeeded.
    pub(crate) fn failures(&self, issuer: IssuerId) -> u32 {
        self.source(issuer).fetch.failures()
    }

    /// Takes the lease of an issuer's set: somebody is on the way until then.
    pub(crate) fn lease(&mut self, issuer: IssuerId, until: UnixTime, now: UnixTime) {
        self.source_mut(issuer).fetch.begin((), until, now);
    }

    /// Whoever was on the way had too little time left for it: that says nothing about the source.
    pub(crate) fn release(&mut self, issuer: IssuerId) {
        self.source_mut(issuer).fetch.release(());
    }

    /// Takes what came of a fetch, and the `kid` that it was for. Gives what other instances can
    /// use of it, and for how many seconds.
    pub(crate) fn receive<'r>(
        &mut self,
        issuer: IssuerId,
        kid: Option<&str>,
        result: &EffectResult<'r>,
        now: UnixTime,
    ) -> Option<(Copied<'r>, u32)> {
        let source = self.source_mut(issuer);
        let answered = match result {
            EffectResult::Answered { status: 200, headers, body } => {
                JwkSet::parse(body).map(|set| (set, *headers, *body))
            }
            _ => None,
        };
        let Some((set, headers, body)) = answered else {
            source.fetch.end((), Err(()), now);
            return None;
        };
        let (is_all_odd, is_empty) = (set.is_all_odd(), set.keys().is_empty());
        source.fetch.end((), if is_all_odd { Err(()) } else { Ok(()) }, now);
        let cache_control = shared::value(headers, "cache-control");
        let fresh_for = fresh_for(cache_control);
        // However long it has been in caches: that it is stale on arrival must neither have us
        // fetch all the time nor end it.
        let most = fresh_for.as_millis().saturating_sub(FRESH_FLOOR.as_millis());
        let fetched = now.plus_millis(age(headers).as_millis().min(most).saturating_neg());
        source.put(set, fetched, fresh_for);
        if is_all_odd {
            return None;
        }
        if let Some(kid) = kid.filter(|kid| !is_empty && !source.has_kid(kid, now)) {
            source.note_absence(kid, now);
        }
        Some((
            Copied { fetched, cache_control, body },
            shared::lifetime(cache_control, SHARED_FOR.get()),
        ))
    }

    /// Takes what was found in the shared cache.
    ///
    /// It says nothing about the issuer and nothing about a `kid` that is not in it, which may be
    /// newer: so it starts no cool-down, and the same request can still ask the issuer itself.
    pub(crate) fn receive_copy(&mut self, issuer: IssuerId, copied: &[u8], now: UnixTime) {
        let source = self.source_mut(issuer);
        source.fetch.release(());
        let copy = Copied::open(copied, SHARED_FOR, now);
        let read = |body| JwkSet::parse(body).filter(|set| !set.is_all_odd());
        if let Some((copy, set)) = copy.and_then(|copy| read(copy.body).map(|set| (copy, set)))
            && !source.has_newer_than(copy.fetched, now)
        {
            source.put(set, copy.fetched, fresh_for(copy.cache_control));
        }
    }
}

impl Remote {
    /// A moment in the future is none that we know the age of.
    fn is_stale(&self, now: UnixTime) -> bool {
        !is_within(self.fetched_at, self.fresh_for.as_millis(), now)
    }

    fn is_overdue(&self, now: UnixTime) -> bool {
        now.millis_since(self.fetched_at) >= self.fresh_for.as_millis().saturating_mul(2)
    }
}

impl Source {
    fn usable_keys(&self, now: UnixTime) -> impl Iterator<Item = &Jwk> {
        self.inline
            .keys()
            .iter()
            .chain(self.live_remote(now).into_iter().flat_map(|remote| remote.set.keys()))
    }

    fn put(&mut self, set: JwkSet, fetched_at: UnixTime, fresh_for: Seconds) {
        // Of two sets that are the same the one in use stays, with what has been made of its keys.
        let same = self.remote.take().map(|remote| remote.set).filter(|in_use| *in_use == set);
        self.generation = self.generation.saturating_add(u64::from(same.is_none()));
        self.remote = Some(Remote { set: same.unwrap_or(set), fetched_at, fresh_for });
    }

    fn live_remote(&self, now: UnixTime) -> Option<&Remote> {
        self.remote
            .as_ref()
            .filter(|remote| now.millis_since(remote.fetched_at) < MAX_AGE.as_millis())
    }

    /// Whether the issuer has said which keys there are: that there are none is a word too.
    fn has_set(&self, now: UnixTime) -> bool {
        !self.inline.keys().is_empty() || self.live_remote(now).is_some()
    }

    fn is_stale(&self, now: UnixTime) -> bool {
        self.is_remote && self.remote.as_ref().is_none_or(|remote| remote.is_stale(now))
    }

    /// Whether the set in use is newer than that: what has been heard is not forgotten for an older
    /// copy.
    fn has_newer_than(&self, fetched: UnixTime, now: UnixTime) -> bool {
        self.live_remote(now)
            .is_some_and(|remote| fetched < remote.fetched_at && remote.fetched_at <= now)
    }

    /// Whether its set has more keys than are looked at: the one that is missing may be among them.
    fn has_more(&self, now: UnixTime) -> bool {
        self.inline.is_cut() || self.live_remote(now).is_some_and(|remote| remote.set.is_cut())
    }

    fn is_absent(&self, kid: &str, now: UnixTime) -> bool {
        self.absent.get(&KidDigest::of(kid)).is_some_and(|absent| absent.counts(now))
    }

    fn has_kid(&self, kid: &str, now: UnixTime) -> bool {
        self.usable_keys(now).any(|key| key.kid.as_deref() == Some(kid))
    }

    /// A copy will do as long as there is nothing, and once: what it is good for is known then.
    fn cache_use(&self, has_asked: impl Fn(CacheUse) -> bool, now: UnixTime) -> CacheUse {
        if self.has_set(now) || has_asked(CacheUse::AllowCached) {
            CacheUse::Bypass
        } else {
            CacheUse::AllowCached
        }
    }

    fn note_absence(&mut self, kid: &str, now: UnixTime) {
        self.absent.retain(|absent| absent.counts(now));
        self.absent.put(KidDigest::of(kid), AbsentSince(now));
    }

    /// The one key for a token: by `kid` where it names one, by algorithm otherwise. Of two keys
    /// with one `kid` the algorithm must leave one.
    fn matching(&self, wanted: KeyQuery<'_>, now: UnixTime) -> Result<&Jwk, Reason> {
        let named: Vec<&Jwk> = self
            .usable_keys(now)
            .filter(|key| wanted.kid.is_none() || key.kid.as_deref() == wanted.kid)
            .collect();
        let mut suitable = named.iter().filter(|key| key.suits(wanted.algorithm));
        match (suitable.next(), suitable.next()) {
            (Some(key), None) => Ok(key),
            (Some(first), Some(second))
                if first.thumbprint == second.thumbprint && suitable.next().is_none() =>
            {
                Ok(first)
            }
            (Some(_), Some(_)) => Err(Reason::KeyAmbiguous),
            (None, _) if wanted.kid.is_some() && !named.is_empty() => Err(Reason::KeyUnsuitable),
            (None, _) => Err(Reason::KeyNotFound),
        }
    }
}

/// How long the answer may be taken for fresh, from when it was the issuer's own: `max-age` between
/// floor and ceiling (RFC 9111 section 5.2.2.1).
fn fresh_for(cache_control: &str) -> Seconds {
    let max_age = cache_control.split(',').find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("max-age") {
            seconds.trim().trim_matches('"').parse::<u32>().ok()
        } else {
            None
        }
    });
    Seconds::new(
        max_age.unwrap_or_else(|| FRESH_FOR.get()).clamp(FRESH_FLOOR.get(), FRESH_CEILING.get()),
    )
}

/// How long the answer has been in caches (RFC 9111 section 5.1).
fn age(headers: &[(&str, &str)]) -> Seconds {
    Seconds::new(shared::value(headers, "age").trim().parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_sets_that_are_due_the_one_goes_first_that_has_waited_for_longest() {
        let mut keys = KeyCache::new([(JwkSet::default(), true), (JwkSet::default(), true)], 7);
        let at = |seconds: i64| UnixTime::from_millis(seconds * 1000);
        let issuers = [IssuerId::new(0), IssuerId::new(1)];
        let mut order = Vec::new();
        for second in [10, 20, 30, 40] {
            let first = issuers.into_iter().min_by_key(|issuer| keys.tried_at(*issuer));
            let first = first.unwrap_or_else(|| unreachable!("there are two"));
            keys.receive(first, None, &EffectResult::Failed, at(second));
            order.push(first.place());
        }
        assert_eq!(order, [0, 1, 0, 1]);
    }
}
