//! Cookie syntax as Better Auth's server reads it (RFC 6265bis; `better-call`'s
//! parser).
//!
//! Same-named cookies: the first counts, because the server reads the first. A value is
//! percent-decoded as a whole, and kept as it is where that fails.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::encoding::{ascii, percent};
use crate::http::request::RequestHead;
use crate::reason::Reason;

/// Better Auth writes at most this many chunks.
const MAX_CHUNKS: usize = 100;
/// A joined value over this is not read at all.
const MAX_JOINED_BYTES: usize = 64 * 1024;

/// One pair of a `Cookie` header, as received.
#[derive(Clone, Copy)]
pub(crate) struct Cookie<'a> {
    pub(crate) name: &'a str,
    raw_value: &'a str,
}

impl<'a> Cookie<'a> {
    /// The pair as it goes into another `Cookie` header.
    pub(crate) fn as_sent(&self) -> String {
        [self.name, "=", self.raw_value].concat()
    }

    /// The value as received: two that are spelled alike are alike.
    pub(crate) fn as_received(&self) -> &'a str {
        self.raw_value
    }

    /// The value, decoded.
    pub(crate) fn value(&self) -> Cow<'a, str> {
        percent::decoded(self.unquoted()).unwrap_or_else(|| Cow::Borrowed(self.unquoted()))
    }

    /// Whether the value is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.unquoted().is_empty()
    }

    fn unquoted(&self) -> &'a str {
        match self.raw_value.strip_prefix('"') {
            Some(rest) => rest.get(..rest.len().saturating_sub(1)).unwrap_or(rest),
            None => self.raw_value,
        }
    }
}

/// All cookies of a request, in order.
pub(crate) fn all<'a>(head: &RequestHead<'a>) -> impl Iterator<Item = Cookie<'a>> {
    head.headers_named("cookie").flat_map(|line| ascii::pieces(line, b';')).filter_map(|pair| {
        let (name, raw_value) = ascii::cut(pair, b'=')?;
        Some(Cookie { name: trimmed(name), raw_value: trimmed(raw_value) })
    })
}

fn trimmed(text: &str) -> &str {
    // One space is what browsers send.
    let text = text.strip_prefix(' ').unwrap_or(text);
    match text.as_bytes() {
        [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => text.trim_matches([' ', '\t']),
        _ => text,
    }
}

/// The first cookie of this name.
pub(crate) fn first<'a>(head: &RequestHead<'a>, name: &str) -> Option<Cookie<'a>> {
    all(head).find(|cookie| cookie.name == name)
}

/// The value of the first cookie of this name in one `Cookie` header, as it stands there.
pub(crate) fn in_line<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let pairs = ascii::pieces(line, b';').filter_map(|pair| ascii::cut(pair, b'='));
    pairs
        .map(|(own, value)| (trimmed(own), trimmed(value)))
        .find(|(own, _)| *own == name)
        .map(|(_, value)| value)
}

/// The value of a cookie that may have been cut in chunks `<name>.0`, `<name>.1`, …; a whole one
/// that is not empty wins.
///
/// # Errors
/// `cookie_incomplete` when the chunks do not run from 0 without a gap, `token_too_large` when they
/// are too many or too long.
pub(crate) fn joined_value<'a>(
    head: &RequestHead<'a>,
    name: &str,
) -> Result<Option<Cow<'a, str>>, Reason> {
    let mut is_first = true;
    // Of two with one number the first counts; one more than there may be is enough to know that
    // there are too many.
    let mut chunks: BTreeMap<usize, Cookie<'a>> = BTreeMap::new();
    for cookie in all(head) {
        if cookie.name == name {
            if is_first && !cookie.is_empty() {
                let whole = cookie.value();
                return if whole.len() > MAX_JOINED_BYTES {
                    Err(Reason::TokenTooLarge)
                } else {
                    Ok(Some(whole))
                };
            }
            is_first = false;
        } else if let Some(number) = chunk_number(cookie.name, name)
            && chunks.len() <= MAX_CHUNKS
        {
            chunks.entry(number).or_insert(cookie);
        }
    }
    if chunks.is_empty() {
        return Ok(None);
    }
    if chunks.len() > MAX_CHUNKS {
        return Err(Reason::TokenTooLarge);
    }
    if !chunks.keys().copied().eq(0..chunks.len()) {
        return Err(Reason::CookieIncomplete);
    }
    let joined: String = chunks.values().map(Cookie::value).collect();
    if joined.len() > MAX_JOINED_BYTES {
        Err(Reason::TokenTooLarge)
    } else {
        Ok(Some(Cow::Owned(joined)))
    }
}

/// Whether `candidate` is `name` or one of its chunks.
pub(crate) fn is_named(candidate: &str, name: &str) -> bool {
    candidate == name || chunk_number(candidate, name).is_some()
}

/// Whether `candidate` is one of the chunks of `name` that Better Auth can have written.
pub(crate) fn is_chunk(candidate: &str, name: &str) -> bool {
    chunk_number(candidate, name).is_some_and(|number| number < MAX_CHUNKS)
}

/// The number of a chunk: decimal without leading zeros. `session_token_multi-…` shares a prefix
/// with `session_token` but is no chunk of it.
fn chunk_number(candidate: &str, name: &str) -> Option<usize> {
    let digits = candidate.strip_prefix(name)?.strip_prefix('.')?;
    let canonical = digits == "0" || !digits.starts_with('0');
    if canonical && digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What this sees of a request with one `Cookie` line.
    pub(in crate::http) fn with_cookies<T>(
        line: &str,
        look: impl FnOnce(&RequestHead<'_>) -> T,
    ) -> T {
        let headers = [("Cookie", line)];
        look(&RequestHead {
            method: "GET",
            target: "/",
            headers: &headers,
            public_origin: "",
            client_address: None,
        })
    }

    #[test]
    fn the_first_of_two_counts_and_values_are_decoded_once() {
        let found = |line: &str| {
            with_cookies(line, |head| first(head, "a").map(|cookie| cookie.value().into_owned()))
        };
        assert_eq!(found("a=1; a=2").as_deref(), Some("1"));
        assert_eq!(found(" b=0 ;a = x%2By ; c").as_deref(), Some("x+y"));
        assert_eq!(found("a=\"q\"").as_deref(), Some("q"));
        assert_eq!(found("a=100%; b").as_deref(), Some("100%"));
        assert_eq!(found("A=1; aa=2").as_deref(), None);
    }

    #[test]
    fn chunks_run_from_zero_without_a_gap() {
        let joined = |line: &str| {
            with_cookies(line, |head| {
                joined_value(head, "d").map(|value| value.map(Cow::into_owned))
            })
        };
        assert_eq!(joined("d.1=b; d.0=a"), Ok(Some("ab".to_owned())));
        assert_eq!(joined("d.0=a; d=whole"), Ok(Some("whole".to_owned())));
        assert_eq!(joined("d=; d.0=a"), Ok(Some("a".to_owned())));
        assert_eq!(joined("d.1=b"), Err(Reason::CookieIncomplete));
        assert_eq!(joined("d.0=a; d.2=c"), Err(Reason::CookieIncomplete));
        assert_eq!(joined("d.00=a; d_multi=1; d.x=2"), Ok(None));
        let many: String = (0..101).map(|number| format!("d.{number}=x; ")).collect();
        assert_eq!(joined(&many), Err(Reason::TokenTooLarge));
        assert_eq!(joined(&format!("d={}", "x".repeat(65_537))), Err(Reason::TokenTooLarge));
    }
}
