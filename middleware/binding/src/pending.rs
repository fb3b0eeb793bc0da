//! Errands on their way: kept here by number, because JavaScript could neither hold one nor be trusted with its contents.

use doorward::{Errand, UnixTime, Work};

/// How many requests may be on an errand at once. Each keeps a few kilobytes.
const CAPACITY: usize = 2048;

/// With so many it is time to look for forgotten ones; if they are not, again with twice as many.
const CROWDED: usize = 64;

/// How long after its deadline an errand is still known, in milliseconds: the news that the time is over arrives after it.
const GRACE_MS: i64 = 10_000;

/// Errands on their way with their numbers, few as a rule and the newest last.
pub(crate) struct Pending {
    errands: Vec<(u32, Box<Errand>)>,
    next: u32,
    crowded: usize,
}

impl Pending {
    /// Nothing on its way. Numbers begin anywhere, so those of an earlier instance are unlikely to mean anything here.
    pub(crate) fn starting_at(seed: u64) -> Self {
        let [a, b, c, d, ..] = seed.to_le_bytes();
        Self { errands: Vec::new(), next: u32::from_le_bytes([a, b, c, d]), crowded: CROWDED }
    }

    /// A number for one more errand, or nothing when too many are on their way.
    pub(crate) fn number(&mut self, now: UnixTime) -> Option<u32> {
        if self.errands.len() >= self.crowded {
            self.errands.retain(|(_, errand)| now.millis_since(errand.deadline()) < GRACE_MS);
            self.crowded = self.errands.len().saturating_mul(2).clamp(CROWDED, CAPACITY);
        }
        if self.errands.len() >= CAPACITY {
            return None;
        }
        while self.place(self.next).is_some() {
            self.next = self.next.wrapping_add(1);
        }
        Some(self.next)
    }

    /// Keeps an errand under its number.
    pub(crate) fn keep(&mut self, id: u32, errand: Errand) {
        self.next = id.wrapping_add(1);
        self.errands.push((id, Box::new(errand)));
    }

    /// What the errand of this number is about.
    pub(crate) fn work(&self, id: u32) -> Option<&Work> {
        self.place(id).and_then(|place| self.errands.get(place)).map(|(_, errand)| errand.work())
    }

    /// Gives the errand back, once.
    pub(crate) fn take(&mut self, id: u32) -> Option<Errand> {
        self.place(id).map(|place| *self.errands.swap_remove(place).1)
    }

    fn place(&self, id: u32) -> Option<usize> {
        self.errands.iter().rposition(|(number, _)| *number == id)
    }
}
