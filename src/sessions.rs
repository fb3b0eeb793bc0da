//! What the auth service said about sessions lately, and who is asking it now.
//!
//! A burst of one session asks once: whoever asks takes a lease, the others wait and find the answer. Answers are kept
//! briefly, by a digest of the whole credential. What is not known is not kept: a failure is no answer, but it is not asked
//! about again at once.

use std::collections::{BTreeMap, VecDeque};

use crate::session::{Answer, Doubt, Session};
use crate::time::{Seconds, UnixTime};

/// Bounds the memory: an entry is some hundred bytes.
const MAX_ENTRIES: usize = 4096;

/// No fetch may take longer.
const MAX_LEASE_MILLIS: i64 = 10_000;
/// After a failure, so long nobody asks about this session again: it is shorter than what a refusal tells clients to wait.
const PAUSE_MILLIS: i64 = 2000;
/// After an ask, so long its cookies are not renewed: requests that are under way carry the old ones still, and a service
/// that has just failed is left alone.
const RENEWAL_PAUSE_MILLIS: i64 = 10_000;

/// Recent answers by digest of the credential.
#[derive(Default)]
pub(crate) struct Sessions {
    entries: BTreeMap<[u8; 32], Entry>,
    by_age: VecDeque<[u8; 32]>,
}

#[derive(Default)]
struct Entry {
    answer: Option<(Answer, UnixTime)>,
    lease_until: Option<UnixTime>,
    /// When the last ask ended.
    asked: Option<UnixTime>,
    /// Why it brought no answer.
    doubt: Option<Doubt>,
    /// Whether the auth service is known to have vouched for it, and not to have said since that it has ended.
    is_vouched_for: bool,
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

    fn was_asked_within(&self, millis: i64, now: UnixTime) -> bool {
        self.asked.is_some_and(|asked| is_within(asked, millis, now))
    }
}

/// Whether this moment is so little ago. One in the future was before the clock stepped back: how long ago, nobody knows.
fn is_within(moment: UnixTime, millis: i64, now: UnixTime) -> bool {
    moment <= now && now.millis_since(moment) < millis
}

impl Sessions {
    /// What is known about the session of this credential, if an answer of up to `max_age` counts.
    pub(crate) fn look_up(&self, digest: &[u8; 32], max_age: Seconds, now: UnixTime) -> Knowledge {
        let Some(entry) = self.entries.get(digest) else {
            return Knowledge::Nothing;
        };
        let recent = entry.answer.as_ref().filter(|(answer, at)| {
            let lives = match answer {
                Answer::Alive(session) => now <= session.expires,
                Answer::Ended => true,
            };
            lives && is_within(*at, max_age.as_millis(), now)
        });
        match (recent, entry.doubt) {
            (Some((answer, _)), _) => Knowledge::Known(answer.clone()),
            // Whoever takes no answer but its own does not wait for another's.
            _ if max_age.as_millis() > 0 && entry.is_leased(now) => Knowledge::Asked,
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

    /// Whether the auth service has vouched for this session, in an answer or in a cookie cache.
    pub(crate) fn is_vouched_for(&self, digest: &[u8; 32]) -> bool {
        self.entries.get(digest).is_some_and(|entry| entry.is_vouched_for)
    }

    /// The auth service has signed a cookie cache for this session.
    pub(crate) fn vouch_for(&mut self, digest: [u8; 32]) {
        self.entry(digest).is_vouched_for = true;
    }

    /// Whether its cookies may be renewed: nobody is at it, and nobody was just now.
    pub(crate) fn may_renew(&self, digest: &[u8; 32], now: UnixTime) -> bool {
        let is_busy = |entry: &Entry| entry.is_leased(now) || entry.was_asked_within(RENEWAL_PAUSE_MILLIS, now);
        !self.entries.get(digest).is_some_and(is_busy)
    }

    /// Takes the lease of a session: somebody is asking until then.
    pub(crate) fn lease(&mut self, digest: [u8; 32], until: UnixTime) {
        self.entry(digest).lease_until = Some(until);
    }

    /// Takes the answer to what was asked at that moment, or why there is none; the lease ends either way. Gives the answer that
    /// counts: what has ended since it was asked has ended, however late another answer comes.
    pub(crate) fn receive(
        &mut self,
        digest: [u8; 32],
        answer: Result<Answer, Doubt>,
        asked: UnixTime,
        now: UnixTime,
    ) -> Result<Answer, Doubt> {
        let entry = self.entry(digest);
        entry.lease_until = None;
        if let (Ok(Answer::Alive(_)), Some((Answer::Ended, ended))) = (&answer, &entry.answer)
            && asked <= *ended
            && *ended <= now
        {
            return Ok(Answer::Ended);
        }
        entry.asked = Some(now);
        entry.doubt = answer.as_ref().err().copied();
        if let Ok(answer) = &answer {
            entry.is_vouched_for = *answer != Answer::Ended;
            entry.answer = Some((answer.clone(), now));
        }
        answer
    }

    /// Takes a session by the word of a storage or of another instance, heard at that moment. What is known since then counts more,
    /// and that it has ended counts more than a word from before: whether it was taken.
    pub(crate) fn receive_copy(&mut self, digest: [u8; 32], session: &Session, at: UnixTime) -> bool {
        let entry = self.entry(digest);
        entry.lease_until = None;
        let is_news = match &entry.answer {
            Some((Answer::Alive(_), known)) => *known < at,
            Some((Answer::Ended, known)) => *known < session.known,
            None => true,
        };
        if is_news {
            entry.doubt = None;
            entry.is_vouched_for = true;
            entry.answer = Some((Answer::Alive(session.clone()), at));
        }
        is_news
    }

    /// There was nothing to learn: the lease ends.
    pub(crate) fn release(&mut self, digest: [u8; 32]) {
        self.entry(digest).lease_until = None;
    }

    /// A renewal came to nothing: the lease ends, and the next one is not tried at once.
    pub(crate) fn pause_renewal(&mut self, digest: [u8; 32], now: UnixTime) {
        let entry = self.entry(digest);
        entry.lease_until = None;
        entry.asked = Some(now);
        entry.doubt = None;
    }

    fn entry(&mut self, digest: [u8; 32]) -> &mut Entry {
        if !self.entries.contains_key(&digest) {
            if self.by_age.len() >= MAX_ENTRIES
                && let Some(oldest) = self.by_age.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.by_age.push_back(digest);
        }
        self.entries.entry(digest).or_default()
    }
}
