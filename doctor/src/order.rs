//! Order without the standard library's sort, which is made for large data and compiled anew for
//! each type: with the sets and maps that sort what they collect, 50 KB of code for lists of a dozen.

use std::cmp::Ordering;

/// Sorts; what is equal keeps its order.
pub(crate) fn sort_by<T>(items: &mut Vec<T>, mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut sorted: Vec<T> = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        let place = sorted.partition_point(|own| compare(own, &item) != Ordering::Greater);
        sorted.insert(place, item);
    }
    *items = sorted;
}

/// Sorts.
pub(crate) fn sort<T: Ord>(items: &mut Vec<T>) {
    sort_by(items, T::cmp);
}

/// Collects into a set or a map, one by one.
pub(crate) fn collected<T, C: Default + Extend<T>>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_keeps_its_order() {
        let mut items = vec![(2, 'a'), (1, 'a'), (2, 'b'), (1, 'b'), (0, 'a')];
        sort_by(&mut items, |one, other| one.0.cmp(&other.0));
        assert_eq!(items, [(0, 'a'), (1, 'a'), (1, 'b'), (2, 'a'), (2, 'b')]);
        let mut none: Vec<u8> = Vec::new();
        sort(&mut none);
        assert!(none.is_empty());
    }
}
