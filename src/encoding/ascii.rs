//! Text that is searched for one ASCII character, or has to consist of visible ones.

/// Eight times this byte: eight characters are looked at together, because a `Cookie` header or a
/// token is long.
const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}
const HIGH: u64 = eight(0x80);

/// Whether all of it is visible ASCII, and none of it this character.
pub(crate) fn is_visible_without(text: &str, unwanted: u8) -> bool {
    let pattern = eight(unwanted);
    let is_good = |chunk: &[u8; 8]| {
        let word = u64::from_ne_bytes(*chunk);
        let differing = word ^ pattern;
        let below = word.wrapping_sub(eight(b'!')) & !word;
        let above = word.wrapping_add(eight(0x7f - b'~')) | word;
        (below | above | differing.wrapping_sub(eight(1)) & !differing) & HIGH == 0
    };
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    chunks.iter().all(is_good)
        && rest.iter().all(|byte| byte.is_ascii_graphic() && *byte != unwanted)
}

/// Where the first of these ASCII characters is.
pub(super) fn find(text: &str, wanted: u8) -> Option<usize> {
    memchr::memchr(wanted, text.as_bytes())
}

/// Cuts at the first of these ASCII characters.
pub(crate) fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = find(text, at)?;
    let (before, rest) = text.split_at_checked(place)?;
    Some((before, rest.get(1..)?))
}

/// The pieces between these ASCII characters; at least one.
pub(crate) fn pieces(text: &str, between: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (piece, behind) =
            cut(rest?, between).map_or((rest?, None), |(piece, behind)| (piece, Some(behind)));
        rest = behind;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_is_seen_wherever_it_stands() {
        let mut seen = 0;
        for character in (0..=0xff_u8).map(char::from) {
            for before in 0..17 {
                let text = ["!~".repeat(before), character.to_string(), "x.-".repeat(4)].concat();
                let is_good = character.is_ascii_graphic() && character != ',';
                assert_eq!(is_visible_without(&text, b','), is_good, "{text:?}");
                let mut pieces = text.split(character);
                let expected = pieces
                    .next()
                    .filter(|_| character.is_ascii())
                    .zip(Some(pieces.collect::<Vec<_>>().join(&character.to_string())));
                let found = u8::try_from(character)
                    .ok()
                    .filter(u8::is_ascii)
                    .and_then(|byte| cut(&text, byte));
                assert_eq!(
                    found.map(|(before, behind)| (before, behind.to_owned())),
                    expected,
                    "{text:?}"
                );
                seen += 1;
            }
        }
        assert_eq!(seen, 256 * 17);
    }
}
