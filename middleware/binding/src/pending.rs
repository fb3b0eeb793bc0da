//! Effects on their way: kept here by number, because JavaScript could neither hold one nor be
//! trusted with its contents.
//!
//! Effects that a request waits for and those alongside an origin have places of their own: how
//! long an origin takes, and whether it answers at all, is a client's to choose, and no client
//! takes the places of others' decisions.

use std::collections::VecDeque;

use doorward::{Effect, PendingEffect, UnixTime, event_line};

/// How many requests may be on an effect at once.
const CAPACITY: usize = 2048;

/// What those may keep together, in bytes: a few kilobytes each as a rule, and as much as a client
/// puts into a token.
const CAPACITY_BYTES: usize = 32 * 1024 * 1024;

/// With so many it is time to look for forgotten ones; if they are not, again with twice as many.
const CROWDED: usize = 64;

/// How long after its deadline an effect is still known, in milliseconds: the news that the time is
/// over arrives after it.
const GRACE_MS: i64 = 10_000;

/// How many effects may be alongside origins at once, a kilobyte or two each. With one more the
/// oldest is given up: its request goes on, and its response gets no cookies from here.
const ALONGSIDE: usize = 2048;

/// What those may keep together, in bytes.
const ALONGSIDE_BYTES: usize = 16 * 1024 * 1024;

/// How often it is said that some were given up, in milliseconds.
const SAY_EVERY_MS: i64 = 10_000;

/// Effects on their way with their numbers, few as a rule and the newest last.
pub(crate) struct Pending {
    pending: Vec<(u32, Box<PendingEffect>)>,
    alongside: VecDeque<(u32, Box<PendingEffect>)>,
    /// What both weigh.
    bytes: usize,
    bytes_alongside: usize,
    next: u32,
    crowded: usize,
    /// How many were given up since that was said last, and when that was.
    given_up: u32,
    said: Option<UnixTime>,
}

impl Pending {
    /// Nothing on its way. Numbers begin anywhere, so those of an earlier instance are unlikely to
    /// mean anything here.
    pub(crate) fn starting_at(seed: u64) -> Self {
        let [a, b, c, d, ..] = seed.to_le_bytes();
        let (pending, alongside) = (Vec::new(), VecDeque::new());
        Self {
            pending,
            alongside,
            bytes: 0,
            bytes_alongside: 0,
            next: u32::from_le_bytes([a, b, c, d]),
            crowded: CROWDED,
            given_up: 0,
            said: None,
        }
    }

    /// A number for one more effect, or nothing when too many are on their way.
    pub(crate) fn number(&mut self, now: UnixTime) -> Option<u32> {
        if self.pending.len() >= self.crowded || self.bytes >= CAPACITY_BYTES {
            self.pending.retain(|(_, pending)| now.millis_since(pending.deadline()) < GRACE_MS);
            self.bytes = self
                .pending
                .iter()
                .map(|(_, pending)| pending.weight())
                .fold(0, usize::saturating_add);
            self.crowded = self.pending.len().saturating_mul(2).clamp(CROWDED, CAPACITY);
        }
        if self.pending.len() >= CAPACITY || self.bytes >= CAPACITY_BYTES {
            return None;
        }
        Some(self.free())
    }

    /// Keeps an effect under its number.
    pub(crate) fn keep(&mut self, id: u32, pending: PendingEffect) {
        self.next = id.wrapping_add(1);
        self.bytes = self.bytes.saturating_add(pending.weight());
        self.pending.push((id, Box::new(pending)));
    }

    /// Keeps an effect alongside an origin until that has answered, however long it takes. Its
    /// number.
    pub(crate) fn keep_alongside(&mut self, pending: PendingEffect) -> u32 {
        self.bytes_alongside = self.bytes_alongside.saturating_add(pending.weight());
        while self.alongside.len() >= ALONGSIDE || self.bytes_alongside > ALONGSIDE_BYTES {
            let Some((_, oldest)) = self.alongside.pop_front() else { break };
            self.bytes_alongside = self.bytes_alongside.saturating_sub(oldest.weight());
            self.given_up = self.given_up.saturating_add(1);
        }
        let id = self.free();
        self.next = id.wrapping_add(1);
        self.alongside.push_back((id, Box::new(pending)));
        id
    }

    /// The log's line about effects that were given up, if it is time to say so.
    pub(crate) fn told_given_up(&mut self, now: UnixTime) -> Option<String> {
        let is_time =
            self.said.is_none_or(|said| now < said || now.millis_since(said) >= SAY_EVERY_MS);
        if self.given_up == 0 || !is_time {
            return None;
        }
        self.said = Some(now);
        let count = std::mem::take(&mut self.given_up).to_string();
        Some(event_line("abandon", vec![("effects", count)], now))
    }

    /// What the effect of this number is about.
    pub(crate) fn effect(&self, id: u32) -> Option<&Effect> {
        let asked = self.place(id).and_then(|place| self.pending.get(place));
        let alongside = || self.place_alongside(id).and_then(|place| self.alongside.get(place));
        asked.or_else(alongside).map(|(_, pending)| pending.effect())
    }

    /// Gives the effect back, once.
    pub(crate) fn take(&mut self, id: u32) -> Option<PendingEffect> {
        if let Some(place) = self.place(id) {
            let (_, pending) = self.pending.swap_remove(place);
            self.bytes = self.bytes.saturating_sub(pending.weight());
            return Some(*pending);
        }
        let (_, pending) = self.alongside.remove(self.place_alongside(id)?)?;
        self.bytes_alongside = self.bytes_alongside.saturating_sub(pending.weight());
        Some(*pending)
    }

    /// A number that is not taken.
    fn free(&self) -> u32 {
        let mut number = self.next;
        while self.place(number).is_some() || self.place_alongside(number).is_some() {
            number = number.wrapping_add(1);
        }
        number
    }

    fn place(&self, id: u32) -> Option<usize> {
        self.pending.iter().rposition(|(number, _)| *number == id)
    }

    fn place_alongside(&self, id: u32) -> Option<usize> {
        self.alongside.iter().rposition(|(number, _)| *number == id)
    }
}
