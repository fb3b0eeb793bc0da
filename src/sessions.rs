//! What the auth service said about sessions lately, and who is asking it now.
//!
//! A burst of one session asks once: whoever asks takes a lease, the others wait and find the answer. Answers are kept
//! briefly, by a digest of the whole credential. What is not known is not kept: a failure is no answer.

use std::collections::{BTreeMap, VecDeque};

use crate::session::Answer;
use crate::time::{Seconds, UnixTime};

/// Bounds the memory: an entry is some hundred bytes.
const MAX_ENTRIES: usize = 4096;

/// No fetch may take longer.
const MAX_LEASE_MILLIS: i64 = 10_000;

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
}

/// What is known about a session.
pub(crate) enum Knowledge {
    /// The auth service said so, recently enough.
    Known(Answer),
    /// Somebody is asking.
    Asked,
    /// Nothing, and nobody is asking.
    Nothing,
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
            // An answer from the future was given before the clock stepped back: how old it is, nobody knows.
            lives && *at <= now && now.millis_since(*at) < max_age.as_millis()
        });
        match recent {
            Some((answer, _)) => Knowledge::Known(answer.clone()),
            // A lease that would last longer was taken before the clock stepped back.
            // Whoever takes no answer but its own does not wait for another's.
            None if max_age.as_millis() > 0
                && entry.lease_until.is_some_and(|until| now < until && until.millis_since(now) <= MAX_LEASE_MILLIS) =>
            {
                Knowledge::Asked
            }
            None => Knowledge::Nothing,
        }
    }

    /// Takes the lease of a session: somebody is asking until then.
    pub(crate) fn lease(&mut self, digest: [u8; 32], until: UnixTime) {
        self.entry(digest).lease_until = Some(until);
    }

    /// Takes the answer, or nothing where none came; the lease ends either way.
    pub(crate) fn receive(&mut self, digest: [u8; 32], answer: Option<Answer>, now: UnixTime) {
        let entry = self.entry(digest);
        entry.lease_until = None;
        if let Some(answer) = answer {
            entry.answer = Some((answer, now));
        }
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
