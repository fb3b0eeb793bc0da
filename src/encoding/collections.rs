//! Sets and maps by insertion.
//!
//! `collect()` sorts its items first, which brings 2 to 5 KB of sorting code into the module for
//! each type of item. The build of the npm package fails where such code ships.

use std::collections::{BTreeMap, BTreeSet};

/// A set of these items.
pub(crate) fn set_of<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for item in items {
        set.insert(item);
    }
    set
}

/// A map of these pairs; of two with one key the later one.
pub(crate) fn map_of<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        map.insert(key, value);
    }
    map
}

/// A JSON object of these members; of two with one name the later one.
pub(crate) fn object_of(
    members: impl IntoIterator<Item = (String, serde_json::Value)>,
) -> serde_json::Map<String, serde_json::Value> {
    let mut object = serde_json::Map::new();
    for (name, value) in members {
        object.insert(name, value);
    }
    object
}
