//! What the auth service said about sessions lately, and who is asking it now.
//!
//! A burst of one session asks once: whoever asks takes a lease, the others wait and find the answer. Answers are kept
//! briefly, by a digest of the whole credential. What is not known is not kept: a failure is no answer, but it is not asked
//! about again at once.
//!
//! What is kept is bounded, in entries and in bytes, each kind by itself: sessions that the auth service vouches for, those of them
//! that it has said have ended, and all others. So nobody's forged or dead tokens push out what is known of a session. Of each kind the
//! entry that has been heard of longest ago gives way. That an end has been forgotten brings nobody back: an answer to what was asked before it
//! is no answer any more.

use std::collections::BTreeMap;

use crate::budget::Party;
use crate::session::{Answer, Doubt, Session};
use crate::time::{Seconds, UnixTime};

/// Sessions that are vouched for. Who has been pushed out is asked about once more.
const MAX_VOUCHED: usize = 4096;
/// What those weigh together.
const MAX_VOUCHED_BYTES: usize = 8 * 1024 * 1024;
/// Sessions that have ended, and as many that nobody has heard of.
const MAX_OTHERS: usize = 1024;
/// A session that weighs more is not remembered: each request asks about it anew. It is its claims that do, of those that the policy
/// names, and nobody's grow so by accident.
pub(crate) const MAX_REMEMBERED_BYTES: usize = 16 * 1024;
/// What an entry weighs without its session.
const ENTRY_BYTES: usize = 256;

/// No fetch may take longer.
const MAX_LEASE_MILLIS: i64 = 10_000;
/// After a failure, so long nobody asks about this session again: it is shorter than what a refusal tells clients to wait.
const PAUSE_MILLIS: i64 = 2000;
/// After an ask, so long its cookies are not renewed: requests that are under way carry the old ones still, and a service
/// that has just failed is left alone.
const RENEWAL_PAUSE_MILLIS: i64 = 10_000;
/// Who takes no answer to an older question than its own waits for one that was asked so little ago, to ask together with all that wait.
const TOGETHER_MILLIS: i64 = 500;

/// Recent answers by digest of the credential.
#[derive(Default)]
pub(crate) struct Sessions {
    entries: BTreeMap<[u8; 32], Entry>,
    /// In the order in which they give way.
    order: BTreeMap<(Kind, u64), [u8; 32]>,
    counts: Counts,
    vouched_bytes: usize,
    clock: u64,
    /// The last end that has been forgotten.
    forgotten_end: Option<UnixTime>,
}

/// What an entry is, for how much of it is kept.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Nobody has ever vouched for it.
    #[default]
    Unknown,
    /// Nobody does any more.
    Ended,
    Vouched,
}

#[derive(Default)]
struct Counts {
    unknown: usize,
    ended: usize,
    vouched: usize,
}

impl Counts {
    const fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Unknown => &mut self.unknown,
            Kind::Ended => &mut self.ended,
            Kind::Vouched => &mut self.vouched,
        }
    }
}

#[derive(Default)]
struct Entry {
    answer: Option<(Answer, UnixTime)>,
    /// When that was asked for.
    begun: Option<UnixTime>,
    lease_until: Option<UnixTime>,
    /// Since when somebody is asking.
    leased: Option<UnixTime>,
    /// When the last ask ended.
    asked: Option<UnixTime>,
    /// Why it brought no answer.
    doubt: Option<Doubt>,
    /// Whose it is, where the auth service is known to have vouched for it and not to have said since that it has ended.
    owner: Option<Party>,
    was_vouched_for: bool,
    place: (Kind, u64),
    weight: usize,
    /// Since when there is this entry.
    since: Option<UnixTime>,
}

/// What is known about a session.
pub(crate) enum Knowledge {
    /// The auth service said so, recently enough.
    Known(Answer),
    /// Somebody is asking.
    Asked,
    /// Somebody has just asked in vain.
    InDoubt(Doubt),
    /// Nothing, and nobody is asking.
    Nothing,
}

impl Entry {
    /// A lease that would last longer was taken before the clock stepped back.
    fn is_leased(&self, now: UnixTime) -> bool {
        self.lease_until.is_some_and(|until| now < until && until.millis_since(now) <= MAX_LEASE_MILLIS)
    }

    fn is_new_lease(&self, now: UnixTime) -> bool {
        self.leased.is_some_and(|leased| is_within(leased, TOGETHER_MILLIS, now))
    }

    fn was_asked_within(&self, millis: i64, now: UnixTime) -> bool {
        self.asked.is_some_and(|asked| is_within(asked, millis, now))
    }

    const fn kind(&self) -> Kind {
        match (self.owner, self.was_vouched_for) {
            (Some(_), _) => Kind::Vouched,
            (None, true) => Kind::Ended,
            (None, false) => Kind::Unknown,
        }
    }
}

/// Whether this moment is so little ago. One in the future was before the clock stepped back: how long ago, nobody knows.
fn is_within(moment: UnixTime, millis: i64, now: UnixTime) -> bool {
    moment <= now && now.millis_since(moment) < millis
}

impl Sessions {
    /// What is known about the session of this credential, for a request that came at that moment, if an answer of up to `max_age`
    /// counts. An answer to what has been asked since it came is as good as one of its own.
    pub(crate) fn look_up(&self, digest: &[u8; 32], max_age: Seconds, came: UnixTime, now: UnixTime) -> Knowledge {
        let Some(entry) = self.entries.get(digest) else {
            return Knowledge::Nothing;
        };
        let is_of_now = entry.begun.is_some_and(|begun| came < begun && begun <= now);
        let recent = entry.answer.as_ref().filter(|(answer, at)| {
            let lives = match answer {
                Answer::Alive(session) => now <= session.expires,
                Answer::Ended => true,
            };
            lives && (is_within(*at, max_age.as_millis(), now) || is_of_now && *at <= now)
        });
        match (recent, entry.doubt) {
            (Some((answer, _)), _) => Knowledge::Known(answer.clone()),
            // Whoever takes no answer but its own waits for another's only to ask together with those who came meanwhile.
            _ if entry.is_leased(now) && (max_age.as_millis() > 0 || entry.is_new_lease(now)) => Knowledge::Asked,
            (None, Some(doubt)) if entry.was_asked_within(PAUSE_MILLIS, now) => Knowledge::InDoubt(doubt),
            _ => Knowledge::Nothing,
        }
    }

    /// A session that lived so little ago, for as long as nobody knows any better.
    pub(crate) fn lived_within(&self, digest: &[u8; 32], most: Seconds, now: UnixTime) -> Option<&Session> {
        match &self.entries.get(digest)?.answer {
            Some((Answer::Alive(session), at)) if is_within(*at, most.as_millis(), now) && now <= session.expires => {
                Some(session)
            }
            _ => None,
        }
    }

    /// Whose session it is, where the auth service has vouched for it, in an answer or in a cookie cache.
    pub(crate) fn owner(&self, digest: &[u8; 32]) -> Option<Party> {
        self.entries.get(digest)?.owner
    }

    /// The auth service has signed a cookie cache for this session of this user.
    pub(crate) fn vouch_for(&mut self, digest: [u8; 32], owner: Party, now: UnixTime) {
        self.change(digest, now, |entry| entry.owner = Some(owner));
    }

    /// Whether its cookies may be renewed: nobody is at it, and nobody was just now.
    pub(crate) fn may_renew(&self, digest: &[u8; 32], now: UnixTime) -> bool {
        let is_busy = |entry: &Entry| entry.is_leased(now) || entry.was_asked_within(RENEWAL_PAUSE_MILLIS, now);
        !self.entries.get(digest).is_some_and(is_busy)
    }

    /// Takes the lease of a session: somebody is asking until then.
    pub(crate) fn lease(&mut self, digest: [u8; 32], until: UnixTime, now: UnixTime) {
        self.change(digest, now, |entry| (entry.lease_until, entry.leased) = (Some(until), Some(now)));
    }

    /// Takes the answer about this user's session to what was asked at that moment, or why there is none; the lease ends either way.
    /// Gives the answer that counts: what has ended since it was asked has ended, however late another answer comes.
    pub(crate) fn receive(
        &mut self,
        digest: [u8; 32],
        owner: Option<Party>,
        answer: Result<Answer, Doubt>,
        asked: UnixTime,
        now: UnixTime,
    ) -> Result<Answer, Doubt> {
        let has_forgotten = self.has_forgotten_since(&digest, asked, now);
        self.change(digest, now, |entry| {
            entry.lease_until = None;
            if let Ok(Answer::Alive(_)) = &answer {
                match &entry.answer {
                    Some((Answer::Ended, ended)) if asked <= *ended && *ended <= now => return Ok(Answer::Ended),
                    _ if has_forgotten => return Err(Doubt::OutOfBudget),
                    _ => {}
                }
            }
            entry.asked = Some(now);
            entry.doubt = answer.as_ref().err().copied();
            if let Ok(answer) = &answer {
                entry.owner = owner.filter(|_| *answer != Answer::Ended);
                entry.answer = remembered(answer).map(|answer| (answer, now));
                entry.begun = Some(asked);
            }
            answer
        })
    }

    /// Takes a session of this user by the word of a storage or of another instance, heard at that moment. What is known since then
    /// counts more, and that it has ended counts more than a word from before: whether it was taken.
    pub(crate) fn receive_copy(
        &mut self,
        digest: [u8; 32],
        owner: Party,
        session: &Session,
        at: UnixTime,
        now: UnixTime,
    ) -> bool {
        let has_forgotten = self.has_forgotten_since(&digest, session.known, now);
        self.change(digest, now, |entry| {
            entry.lease_until = None;
            let is_news = match &entry.answer {
                Some((Answer::Alive(_), known)) => *known < at,
                Some((Answer::Ended, known)) => *known < session.known,
                None => !has_forgotten,
            };
            if is_news {
                entry.doubt = None;
                entry.owner = Some(owner);
                entry.answer = remembered(&Answer::Alive(session.clone())).map(|answer| (answer, at));
                entry.begun = None;
            }
            is_news
        })
    }

    /// There was nothing to learn: the lease ends.
    pub(crate) fn release(&mut self, digest: &[u8; 32]) {
        if let Some(entry) = self.entries.get_mut(digest) {
            entry.lease_until = None;
        }
    }

    /// A renewal came to nothing: the lease ends, and the next one is not tried at once.
    pub(crate) fn pause_renewal(&mut self, digest: [u8; 32], now: UnixTime) {
        self.change(digest, now, |entry| {
            entry.lease_until = None;
            entry.asked = Some(now);
            entry.doubt = None;
        });
    }

    /// Whether this session may have been said to have ended since then, and that has been forgotten with its entry.
    fn has_forgotten_since(&self, digest: &[u8; 32], asked: UnixTime, now: UnixTime) -> bool {
        let is_newer = self.entries.get(digest).is_none_or(|entry| entry.since.is_none_or(|since| asked < since));
        is_newer && self.forgotten_end.is_some_and(|end| asked <= end && end <= now)
    }

    /// Changes the entry of a credential, and finds its place among those that give way.
    fn change<T>(&mut self, digest: [u8; 32], now: UnixTime, change: impl FnOnce(&mut Entry) -> T) -> T {
        self.clock = self.clock.saturating_add(1);
        let mut entry = self.take(&digest).unwrap_or_else(|| Entry { since: Some(now), ..Entry::default() });
        let changed = change(&mut entry);
        entry.was_vouched_for |= entry.owner.is_some();
        let kind = entry.kind();
        entry.place = (kind, self.clock);
        entry.weight = match &entry.answer {
            Some((Answer::Alive(session), _)) => session.weight().saturating_add(ENTRY_BYTES),
            _ => ENTRY_BYTES,
        };
        let count = self.counts.of(kind);
        *count = count.saturating_add(1);
        if kind == Kind::Vouched {
            self.vouched_bytes = self.vouched_bytes.saturating_add(entry.weight);
        }
        self.order.insert(entry.place, digest);
        self.entries.insert(digest, entry);
        self.make_room(kind);
        changed
    }

    fn take(&mut self, digest: &[u8; 32]) -> Option<Entry> {
        let entry = self.entries.remove(digest)?;
        self.order.remove(&entry.place);
        let count = self.counts.of(entry.place.0);
        *count = count.saturating_sub(1);
        if entry.place.0 == Kind::Vouched {
            self.vouched_bytes = self.vouched_bytes.saturating_sub(entry.weight);
        }
        Some(entry)
    }

    fn make_room(&mut self, kind: Kind) {
        let most = if kind == Kind::Vouched { MAX_VOUCHED } else { MAX_OTHERS };
        while *self.counts.of(kind) > most || kind == Kind::Vouched && self.vouched_bytes > MAX_VOUCHED_BYTES {
            let Some((_, digest)) = self.order.range((kind, 0)..=(kind, u64::MAX)).next() else { return };
            let digest = *digest;
            if let Some((Answer::Ended, ended)) = self.take(&digest).and_then(|entry| entry.answer) {
                self.forgotten_end = self.forgotten_end.max(Some(ended));
            }
        }
    }
}

/// What is remembered of an answer.
fn remembered(answer: &Answer) -> Option<Answer> {
    match answer {
        Answer::Alive(session) if session.weight() > MAX_REMEMBERED_BYTES => None,
        answer => Some(answer.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    const START: UnixTime = UnixTime::from_millis(1_800_000_000_000);
    const LONG: Seconds = Seconds::new(30);

    fn digest(number: u32) -> [u8; 32] {
        crate::digest::of(&number.to_be_bytes())
    }

    /// A session with a claim of so many bytes.
    fn session(claim: usize) -> Session {
        let copy = serde_json::json!({
            "claims": { "a": "x".repeat(claim) }, "subject": "ada", "expires": 4_000_000_000_000_i64, "impersonated": false,
        });
        let named = [crate::demands::ClaimPath::new("a")];
        let read = Session::from_copy(json::written(&copy).as_bytes(), &named, START, START);
        read.unwrap_or_else(|| unreachable!("a copy"))
    }

    fn lives(sessions: &mut Sessions, number: u32, claim: usize, now: UnixTime) -> Result<Answer, Doubt> {
        let answer = Ok(Answer::Alive(session(claim)));
        sessions.receive(digest(number), Some([1; 32]), answer, now.plus_millis(-20), now)
    }

    fn is_known(sessions: &Sessions, number: u32, now: UnixTime) -> bool {
        matches!(sessions.look_up(&digest(number), LONG, now, now), Knowledge::Known(Answer::Alive(_)))
    }

    #[test]
    fn what_is_remembered_is_bounded_in_bytes() {
        let mut sessions = Sessions::default();
        for number in 0..3000 {
            assert!(lives(&mut sessions, number, 15_000, START).is_ok());
            assert!(sessions.vouched_bytes <= MAX_VOUCHED_BYTES);
        }
        let kept = (0..3000).filter(|number| is_known(&sessions, *number, START)).count();
        let weighed: usize = sessions.entries.values().map(|entry| entry.weight).sum();
        assert_eq!((kept, weighed), (sessions.entries.len(), sessions.vouched_bytes));
        assert!(kept > 500 && is_known(&sessions, 2999, START) && !is_known(&sessions, 0, START), "{kept}");
    }

    #[test]
    fn what_is_too_large_to_be_remembered_is_vouched_for_and_asked_about_anew() {
        let mut sessions = Sessions::default();
        assert!(matches!(lives(&mut sessions, 1, 200_000, START), Ok(Answer::Alive(_))));
        assert!(!is_known(&sessions, 1, START));
        assert!(sessions.owner(&digest(1)).is_some() && sessions.vouched_bytes == ENTRY_BYTES);
    }

    #[test]
    fn forged_and_dead_tokens_push_out_nothing_that_is_known_of_a_session() {
        let mut sessions = Sessions::default();
        for number in 0..101 {
            assert!(lives(&mut sessions, number, 10, START).is_ok());
        }
        assert!(sessions.receive(digest(100), None, Ok(Answer::Ended), START, START).is_ok());
        for number in 1000..20_000 {
            sessions.lease(digest(number), START.plus_millis(2000), START);
            let answer = if number % 2 == 0 { Ok(Answer::Ended) } else { Err(Doubt::Failed) };
            assert!(sessions.receive(digest(number), None, answer, START, START).is_ok() == (number % 2 == 0));
        }
        assert!((0..100).all(|number| is_known(&sessions, number, START)));
        let ended = sessions.look_up(&digest(100), LONG, START, START);
        assert!(matches!(ended, Knowledge::Known(Answer::Ended)), "it stays what it was");
        assert_eq!((sessions.entries.len(), sessions.order.len()), (101 + MAX_OTHERS, 101 + MAX_OTHERS));
    }

    #[test]
    fn an_end_that_has_been_forgotten_brings_nobody_back() {
        let mut sessions = Sessions::default();
        let at = |millis| START.plus_millis(millis);
        let alive = || Ok(Answer::Alive(session(10)));
        sessions.lease(digest(1), at(2000), at(0));
        assert!(matches!(sessions.receive(digest(1), None, Ok(Answer::Ended), at(10), at(30)), Ok(Answer::Ended)));
        for number in 1000..1000 + u32::try_from(MAX_OTHERS).unwrap_or_default() {
            assert!(sessions.receive(digest(number), None, Ok(Answer::Ended), at(40), at(50)).is_ok());
        }
        assert!(!sessions.entries.contains_key(&digest(1)), "it has been pushed out");
        assert!(matches!(sessions.receive(digest(1), Some([1; 32]), alive(), at(5), at(60)), Err(Doubt::OutOfBudget)));
        assert!(!is_known(&sessions, 1, at(60)));
        let copy = Session { known: at(20), ..session(10) };
        assert!(!sessions.receive_copy(digest(2), [1; 32], &copy, at(20), at(60)), "nor does an older copy");
        assert!(sessions.receive(digest(1), Some([1; 32]), alive(), at(55), at(70)).is_ok(), "this was asked for later");
        sessions.lease(digest(3), at(2000), at(31));
        assert!(
            sessions.receive(digest(3), Some([1; 32]), alive(), at(31), at(80)).is_ok(),
            "its entry has been there all the while"
        );
    }

    #[test]
    fn whoever_takes_no_older_answer_asks_together_with_those_who_came_meanwhile() {
        let mut sessions = Sessions::default();
        let at = |millis| START.plus_millis(millis);
        let now_only = Seconds::new(0);
        let look_up = |sessions: &Sessions, came, now| sessions.look_up(&digest(1), now_only, at(came), at(now));
        sessions.lease(digest(1), at(2000), at(0));
        assert!(matches!(look_up(&sessions, 5, 5), Knowledge::Asked));
        assert!(matches!(look_up(&sessions, 5, 505), Knowledge::Nothing), "not for ever");
        assert!(sessions.receive(digest(1), Some([1; 32]), Ok(Answer::Alive(session(10))), at(0), at(20)).is_ok());
        assert!(matches!(look_up(&sessions, 5, 20), Knowledge::Nothing), "that was asked for before it came");
        sessions.lease(digest(1), at(2020), at(20));
        assert!(sessions.receive(digest(1), Some([1; 32]), Ok(Answer::Alive(session(10))), at(20), at(40)).is_ok());
        assert!(matches!(look_up(&sessions, 5, 41), Knowledge::Known(_)), "that was asked for since it came");
        assert!(matches!(look_up(&sessions, 20, 41), Knowledge::Nothing), "in the same millisecond, nobody knows");
    }
}
