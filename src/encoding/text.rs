//! Encodings of bytes as text: base64, base64url, percent.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Decodes base64url without padding (RFC 7515 section 2): no white space, no padding, canonical
/// trailing bits, so that a token has one spelling only.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes base64url without padding.
pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes standard base64 with padding (RFC 4648 section 4).
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

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
fn find(text: &str, wanted: u8) -> Option<usize> {
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

/// Decodes percent-encoding once, or nothing where an escape is broken or the result is not UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if find(text, b'%').is_none() {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = hex_digit(rest.next()?)?;
            let low = hex_digit(rest.next()?)?;
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Percent-encodes every byte that `keep` does not want as it is.
pub(crate) fn percent_encoded(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    push_percent_encoded(&mut out, text, keep);
    out
}

/// The same, behind what is there.
fn push_percent_encoded(out: &mut String, text: &str, keep: impl Fn(u8) -> bool) {
    if text.bytes().all(&keep) {
        return out.push_str(text);
    }
    for byte in text.bytes() {
        if keep(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(hex_char(byte >> 4));
            out.push(hex_char(byte & 15));
        }
    }
}

/// As JavaScript's `encodeURIComponent`.
pub(crate) fn query_component(text: &str) -> String {
    percent_encoded(text, |byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte))
}

/// A header value that `decodeURIComponent` reads back: visible ASCII stays as it is, all else is
/// percent-encoded, so that no value can end a header or begin another.
pub(crate) fn header_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_header_value(&mut out, text);
    out
}

/// The same, behind what is there.
pub(crate) fn push_header_value(out: &mut String, text: &str) {
    push_percent_encoded(out, text, |byte| byte.is_ascii_graphic() && byte != b'%');
}

/// A text that somebody unknown has made up, for a log: as a header value, and no more than so many
/// bytes of it.
pub(crate) fn loggable(text: &str, max_bytes: usize) -> String {
    let mut escaped =
        header_value(text.get(..text.floor_char_boundary(max_bytes)).unwrap_or_default());
    if escaped.len() > max_bytes || text.len() > max_bytes {
        // All of it is ASCII by now.
        escaped.truncate(max_bytes);
        escaped.push_str("...");
    }
    escaped
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn hex_char(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_spelling() {
        assert_eq!(from_base64url("-_8"), Some(vec![0xfb, 0xff]));
        for other in ["-_8=", "+/8", "-_9", "-_8 ", " -_8", "-_8\n", "-", "-_8A="] {
            assert_eq!(from_base64url(other), None, "{other:?}");
        }
    }

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

    #[test]
    fn broken_escapes_are_not_guessed() {
        assert_eq!(percent_decoded("a%2Fb%C3%A9").as_deref(), Some("a/bé"));
        for broken in ["%", "%2", "%zz", "%ff", "a%+1"] {
            assert_eq!(percent_decoded(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_is_logged_is_short_and_plain() {
        assert_eq!(loggable("k1", 8), "k1");
        assert_eq!(loggable("a\nb\"", 8), "a%0Ab\"");
        assert_eq!(loggable("12345678", 8), "12345678");
        assert_eq!(loggable("123456789", 8), "12345678...");
        assert_eq!(loggable("é\u{202e}é", 8), "%C3%A9%E...");
    }

    #[test]
    fn header_values_cannot_carry_line_ends() {
        assert_eq!(header_value("Ada \r\nx: y%é"), "Ada%20%0D%0Ax:%20y%25%C3%A9");
    }
}
