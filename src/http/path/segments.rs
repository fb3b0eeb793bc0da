//! The decoded segments of a path: what may be in one, and how the gate spells them.

use std::borrow::Cow;

use crate::encoding::percent;

/// Decoded segments; the root has none.
pub(super) type Segments<'a> = Vec<Cow<'a, str>>;

/// One segment in which nothing is encoded and no character is doubtful.
pub(super) fn plain_segment(raw: &str) -> Option<Cow<'_, str>> {
    if matches!(raw, "" | "." | "..") { None } else { Some(Cow::Borrowed(raw)) }
}

/// One segment, decoded once; nothing where another reader could see a different path.
pub(super) fn canonical_segment(raw: &str) -> Option<Cow<'_, str>> {
    percent::decoded(raw).filter(|decoded| is_segment(decoded))
}

/// Whether this can be a decoded segment of a canonical path.
pub(crate) fn is_segment(decoded: &str) -> bool {
    let doubtful = |character: char| {
        matches!(character, '/' | '\\' | ';' | '%' | '?' | '#') || character.is_control()
    };
    !decoded.is_empty() && decoded != "." && decoded != ".." && !decoded.chars().any(doubtful)
}

/// A path as the gate spells it.
pub(super) fn spell(segments: &[Cow<'_, str>], trailing_slash: bool) -> String {
    let mut out = String::new();
    for segment in segments {
        out.push('/');
        out.push_str(&percent::encoded(segment, stays_in_path));
    }
    if segments.is_empty() || trailing_slash {
        out.push('/');
    }
    out
}

/// `pchar` of RFC 3986 section 3.3 without the `;` that some servers cut parameters at.
pub(super) const fn stays_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}
