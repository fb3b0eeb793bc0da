//! A map that is bounded in entries and in bytes: the mould of every table that requests fill.
//!
//! Rules of this file:
//! - over its bounds the map evicts what was put there longest ago, until it is within them. To put
//!   a value anew makes it the newest; to update it leaves it where it is. So the owner of a table
//!   chooses whether the one that was changed longest ago gives way, or the one that came first;
//! - values evict only those of their own map. What anybody can fill and what only signed-in users
//!   can are maps of their own, and each table says which it is. `docs/sessions.md` lists them all.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeBounds;

/// How much a map may keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) entries: usize,
    /// What the values weigh together.
    pub(crate) bytes: usize,
}

impl Bounds {
    /// Of values that all weigh the same: so many entries are so many bytes.
    pub(crate) const fn of_entries(entries: usize) -> Self {
        Self { entries, bytes: usize::MAX }
    }
}

/// A value of which it is known what it keeps in memory.
pub(crate) trait Weighed {
    /// About how many bytes it keeps.
    fn weight(&self) -> usize {
        size_of_val(self)
    }
}

/// Values by key, in the order in which they give way.
///
/// Values stand in slots, and the search tree and the queue hold no more than slots' numbers: their
/// code is the same for all tables of digests, and ships once instead of once for each table
/// (60 KB).
#[derive(Debug)]
pub(crate) struct BoundedMap<K, V> {
    bounds: Bounds,
    /// In which slot the value of a key stands.
    index: BTreeMap<K, usize>,
    slots: Vec<Option<Box<Slot<K, V>>>>,
    /// Slots that hold nothing.
    free: Vec<usize>,
    /// Slots with the turn of what was put there, the one that gives way next first. One that by
    /// now holds what has another turn, or nothing, stands for nothing.
    order: VecDeque<(u64, usize)>,
    clock: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Slot<K, V> {
    key: K,
    value: V,
    turn: u64,
}

impl<K: Copy + Ord, V: Weighed> BoundedMap<K, V> {
    /// Nothing yet.
    pub(crate) const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            index: BTreeMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            order: VecDeque::new(),
            clock: 0,
            bytes: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.index.contains_key(key)
    }

    /// Whether one more key evicts nothing, as far as entries are counted.
    pub(crate) fn has_room(&self) -> bool {
        self.index.len() < self.bounds.entries
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let slot = self.slots.get(*self.index.get(key)?)?.as_deref()?;
        Some(&slot.value)
    }

    /// The keys in this range.
    pub(crate) fn keys_in(&self, range: impl RangeBounds<K>) -> impl Iterator<Item = &K> {
        self.index.range(range).map(|(key, _)| key)
    }

    /// Puts a value there as the newest; the map is within its bounds again.
    pub(crate) fn put(&mut self, key: K, value: V) {
        self.put_and_tell(key, value, |_| {});
    }

    /// The same, and tells what was evicted for it.
    pub(crate) fn put_and_tell(&mut self, key: K, value: V, mut evicted: impl FnMut(V)) {
        drop(self.remove(&key));
        self.clock = self.clock.saturating_add(1);
        self.bytes = self.bytes.saturating_add(value.weight());
        let slot = Some(Box::new(Slot { key, value, turn: self.clock }));
        let number = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(number) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        self.index.insert(key, number);
        self.order.push_back((self.clock, number));
        while let Some(value) = self.evict() {
            evicted(value);
        }
        self.tidy();
    }

    /// Changes the value of a key, where there is one, and leaves it at its place.
    pub(crate) fn update<T>(&mut self, key: &K, change: impl FnOnce(&mut V) -> T) -> Option<T> {
        let slot = self.slots.get_mut(*self.index.get(key)?)?.as_deref_mut()?;
        let before = slot.value.weight();
        let changed = change(&mut slot.value);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(slot.value.weight());
        while self.evict().is_some() {}
        Some(changed)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let number = self.index.remove(key)?;
        let slot = self.slots.get_mut(number)?.take()?;
        self.free.push(number);
        self.bytes = self.bytes.saturating_sub(slot.value.weight());
        Some(slot.value)
    }

    /// Keeps only those of which this says so.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&V) -> bool) {
        let slots = self.slots.iter().flatten();
        let keys: Vec<K> =
            slots.filter(|slot| !is_kept(&slot.value)).map(|slot| slot.key).collect();
        for key in &keys {
            drop(self.remove(key));
        }
    }

    /// Takes out the value that gives way, while the map is over its bounds.
    fn evict(&mut self) -> Option<V> {
        if self.index.len() <= self.bounds.entries && self.bytes <= self.bounds.bytes {
            return None;
        }
        loop {
            let (turn, number) = self.order.pop_front()?;
            let slot = self.slots.get(number).and_then(Option::as_deref);
            if let Some(key) = slot.filter(|slot| slot.turn == turn).map(|slot| slot.key) {
                return self.remove(&key);
            }
        }
    }

    /// Forgets turns that stand for nothing, once they are half as many as the values.
    fn tidy(&mut self) {
        let Self { index, slots, order, .. } = self;
        if order.len().saturating_sub(index.len()) > (index.len() / 2).saturating_add(16) {
            order.retain(|(turn, number)| {
                let slot = slots.get(*number).and_then(Option::as_deref);
                slot.is_some_and(|slot| slot.turn == *turn)
            });
        }
    }

    /// What there is, by key: for tests.
    #[cfg(test)]
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.index.keys().filter_map(|key| self.get(key))
    }

    /// The weight that the map counts: for tests.
    #[cfg(test)]
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weighed for &str {
        fn weight(&self) -> usize {
            self.len()
        }
    }

    fn filled(bounds: Bounds, values: &[&'static str]) -> (BoundedMap<usize, &'static str>, usize) {
        let mut map = BoundedMap::new(bounds);
        let mut evicted = 0;
        for (key, value) in values.iter().enumerate() {
            map.put_and_tell(key, *value, |_| evicted = usize::saturating_add(evicted, 1));
        }
        (map, evicted)
    }

    fn kept(map: &BoundedMap<usize, &'static str>) -> Vec<&'static str> {
        assert_eq!(map.values().map(Weighed::weight).sum::<usize>(), map.bytes());
        assert!(map.index.len() <= map.order.len() && map.order.len() < 30);
        assert_eq!(map.index.len().checked_add(map.free.len()), Some(map.slots.len()));
        map.values().copied().collect()
    }

    #[test]
    fn what_was_put_longest_ago_gives_way_by_entries_and_by_bytes() {
        let bounds = Bounds { entries: 3, bytes: 10 };
        for (values, expected, gone) in [
            (&["a", "b", "c"][..], &["a", "b", "c"][..], 0),
            (&["a", "b", "c", "d", "e"], &["c", "d", "e"], 2),
            (&["aaaa", "bbbb", "cc"], &["aaaa", "bbbb", "cc"], 0),
            (&["aaaa", "bbbb", "ccc"], &["bbbb", "ccc"], 1),
            (&["a", "b", "cccccccccc"], &["cccccccccc"], 2),
            (&["a", "b", "ccccccccccc"], &[], 3),
        ] {
            let (map, evicted) = filled(bounds, values);
            assert_eq!((kept(&map).as_slice(), evicted), (expected, gone), "{values:?}");
        }
    }

    #[test]
    fn putting_makes_a_value_the_newest_and_updating_leaves_it_where_it_is() {
        let bounds = Bounds { entries: 3, bytes: 10 };
        let (mut map, _) = filled(bounds, &["a", "b", "c"]);
        map.put(0, "aa");
        map.put(3, "d");
        assert_eq!(kept(&map), ["aa", "c", "d"]);
        assert_eq!(map.update(&2, |value| *value = "cc"), Some(()));
        assert_eq!(map.update(&9, |value| *value = "x"), None);
        map.put(4, "e");
        assert_eq!(kept(&map), ["aa", "d", "e"]);
        map.update(&4, |value| *value = "eeeeeeee");
        assert_eq!(kept(&map), ["d", "eeeeeeee"], "what has grown evicts as well");
    }

    #[test]
    fn what_is_put_again_and_again_takes_no_more_memory() {
        let (mut map, _) = filled(Bounds::of_entries(8), &["a", "b", "c", "d"]);
        for number in 0..10_000 {
            map.put(number % 4, "x");
            assert!(map.order.len() < 30 && map.slots.len() < 9, "{}", map.order.len());
        }
        for number in 0..10_000 {
            map.put(number % 3, "y");
            map.remove(&(number % 2));
        }
        assert_eq!(kept(&map), ["y", "y", "x"]);
    }

    #[test]
    fn what_is_removed_or_not_retained_weighs_nothing() {
        let (mut map, _) = filled(Bounds::of_entries(3), &["a", "bb", "ccc"]);
        assert_eq!((map.remove(&1), map.remove(&1)), (Some("bb"), None));
        assert!(map.has_room() && !map.contains(&1) && map.contains(&2));
        map.retain(|value| value.len() < 3);
        assert_eq!((kept(&map).as_slice(), map.get(&0)), (&["a"][..], Some(&"a")));
        map.put(7, "d");
        assert_eq!(map.keys_in(1..=9).copied().collect::<Vec<_>>(), [7]);
        map.retain(|_| false);
        assert!(map.is_empty() && map.bytes() == 0);
    }
}
