//! Percent-encoding (RFC 3986 section 2.1), for URLs, headers and the log.

use std::borrow::Cow;

use crate::encoding::ascii;

/// Decodes percent-encoding once, or nothing where an escape is broken or the result is not UTF-8.
pub(crate) fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if ascii::find(text, b'%').is_none() {
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
pub(crate) fn encoded(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    push_encoded(&mut out, text, keep);
    out
}

/// The same, behind what is there.
fn push_encoded(out: &mut String, text: &str, keep: impl Fn(u8) -> bool) {
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
    encoded(text, |byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte))
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
    push_encoded(out, text, |byte| byte.is_ascii_graphic() && byte != b'%');
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
    fn broken_escapes_are_not_guessed() {
        assert_eq!(decoded("a%2Fb%C3%A9").as_deref(), Some("a/bé"));
        for broken in ["%", "%2", "%zz", "%ff", "a%+1"] {
            assert_eq!(decoded(broken), None, "{broken}");
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
