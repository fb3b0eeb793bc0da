//! Which known name somebody may have meant.

/// The known name that is nearest to this one, if one is near: spelled with other capitals or
/// without its underscores, or a letter or two away.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name = plain(name);
    let near = known.map(|known| (distance(&name, &plain(known)), known));
    let (distance, known) = near.min_by_key(|(distance, _)| *distance)?;
    // A third of a short name is another name.
    let most = (name.len() / 4).clamp(1, 2);
    (distance <= most && name.len() > 2).then_some(known)
}

/// Letters and digits alone, in lower case.
fn plain(name: &str) -> Vec<u8> {
    name.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase())
        .take(40)
        .collect()
}

/// How many letters have to be changed, added, left out or swapped with the next one.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.iter().enumerate() {
        let mut next = vec![line.saturating_add(1)];
        for (column, other_letter) in other.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let changed = at(&row, column).saturating_add(usize::from(letter != other_letter));
            let left_out =
                at(&row, column.saturating_add(1)).min(at(&next, column)).saturating_add(1);
            let before = |letters: &[u8], place: usize| {
                place.checked_sub(1).and_then(|place| letters.get(place).copied())
            };
            let is_swapped =
                before(one, line) == Some(*other_letter) && before(other, column) == Some(*letter);
            let swapped = if is_swapped {
                at(&above, column.saturating_sub(1)).saturating_add(1)
            } else {
                usize::MAX
            };
            next.push(changed.min(left_out).min(swapped));
        }
        above = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_find_the_one_that_was_meant() {
        let known = ["cookie_prefix", "cookie_domain", "issuers", "rules", "typ", "type", "url"];
        for (name, meant) in [
            ("cookie_prefx", Some("cookie_prefix")),
            ("cookiePrefix", Some("cookie_prefix")),
            ("isuers", Some("issuers")),
            ("ruels", Some("rules")),
            ("rule", Some("rules")),
            ("tpye", Some("type")),
            ("uri", Some("url")),
            ("u", None),
            ("domain", None),
            ("secret", None),
        ] {
            assert_eq!(nearest(name, known.into_iter()), meant, "{name}");
        }
    }
}
