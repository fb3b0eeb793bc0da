//! The shared cache: copies of what was fetched, so that an instance that has just started finds
//! what others know.
//!
//! Rules of this file:
//! - a copy has the time of its fetch with it, and every ceiling counts from there, wherever the
//!   copy has been since;
//! - the name of a copy is made here, of digests: no token or cookie is in it, and nothing else
//!   asks for it;
//! - what is not a copy, is too old, or comes from the future, is no copy: then who knows is asked.
//!
//! A copy is not signed: its reader trusts the cache as it trusts its own memory, and so everybody
//! who can write to it.

use crate::encoding::{base64, digest};
use crate::time::{Seconds, UnixTime};

/// The form of a copy: `doorward-copy-1 <fetched> <until>`, both in milliseconds since 1970; the
/// issuer's `Cache-Control`; and from the third line on the body.
const FORM: &str = "doorward-copy-1";

/// What is to be put into the shared cache.
pub struct CacheWrite {
    /// The name under which a fetch will ask for it.
    pub key: String,
    /// What to put there, as it is.
    pub text: String,
    /// How long it is of any use, in seconds. A cache may keep it longer: it says itself until when
    /// it counts.
    pub seconds: u32,
}

impl std::fmt::Debug for CacheWrite {
    /// The text stays out: it may say who somebody is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheWrite")
            .field("key", &self.key)
            .field("seconds", &self.seconds)
            .finish_non_exhaustive()
    }
}

/// A copy: what was answered, and when.
pub(crate) struct Copied<'a> {
    /// When it was the answer of who knows.
    pub(crate) fetched: UnixTime,
    pub(crate) cache_control: &'a str,
    pub(crate) body: &'a [u8],
}

impl<'a> Copied<'a> {
    /// Reads a copy that is at most so old.
    pub(crate) fn open(text: &'a [u8], max_age: Seconds, now: UnixTime) -> Option<Self> {
        let mut lines = text.splitn(3, |byte| *byte == b'\n');
        let mut words = std::str::from_utf8(lines.next()?).ok()?.split(' ');
        let cache_control = std::str::from_utf8(lines.next()?).ok()?;
        let body = lines.next()?;
        let is_form = words.next()? == FORM;
        let mut moment = || words.next()?.parse().ok().map(UnixTime::from_millis);
        let (fetched, until) = (moment()?, moment()?);
        let counts =
            fetched <= now && now < until && now.millis_since(fetched) < max_age.as_millis();
        (is_form && words.next().is_none() && counts).then_some(Self {
            fetched,
            cache_control,
            body,
        })
    }

    /// What is to be kept under this name, for so long. Nothing where the body is no text, or the
    /// whole is larger than who asks for it will read.
    pub(crate) fn kept(
        &self,
        key: String,
        seconds: u32,
        max_bytes: u32,
        now: UnixTime,
    ) -> Option<CacheWrite> {
        let body = std::str::from_utf8(self.body).ok()?;
        let fetched = self.fetched.as_millis().to_string();
        let until = now.plus(Seconds::new(seconds)).as_millis().to_string();
        let text =
            [FORM, " ", &fetched, " ", &until, "\n", self.cache_control, "\n", body].concat();
        let fits = usize::try_from(max_bytes).is_ok_and(|most| text.len() <= most)
            && !self.cache_control.contains('\n');
        (fits && seconds > 0).then_some(CacheWrite { key, text, seconds })
    }
}

/// The name of the copy of what has been fetched for this purpose, for these parts.
pub(crate) fn name_of(purpose: &str, parts: &[&[u8]]) -> String {
    let parts = [&[FORM.as_bytes(), purpose.as_bytes()], parts].concat();
    ["doorward-", purpose, "-", &base64::url_encoded(&digest::of_parts(&parts))].concat()
}

/// The value of a header, empty where there is none.
pub(crate) fn value<'r>(headers: &[(&'r str, &'r str)], name: &str) -> &'r str {
    headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

/// How long a copy of this answer may be kept, in seconds: as `Cache-Control` says (RFC 9111
/// section 5.2.2), at most so long, and so long where it says nothing. 0: not at all.
pub(crate) fn lifetime(cache_control: &str, most: u32) -> u32 {
    let mut seconds = most;
    for directive in cache_control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" | "private" => return 0,
            "max-age" => seconds = value.trim().trim_matches('"').parse().unwrap_or(0).min(seconds),
            _ => {}
        }
    }
    seconds
}

/// Whether a copy of a key set from a shared cache will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheUse {
    /// Yes: there are no keys yet, and an instance that starts should not wait for the issuer.
    AllowCached,
    /// No: the keys that we have are the wrong ones or too old, and so may a copy be.
    Bypass,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_700_000_000_000);
    const HOUR: Seconds = Seconds::new(3600);

    fn fetched(text: &[u8], max_age: Seconds, now: UnixTime) -> Option<i64> {
        Copied::open(text, max_age, now).map(|copy| copy.fetched.as_millis())
    }

    #[test]
    fn a_copy_is_read_as_it_was_kept_and_for_as_long() {
        let before = NOW.plus_millis(-20_000);
        let copy = Copied { fetched: before, cache_control: "max-age=5", body: b"{\n\n}" };
        let (text, seconds) = copy
            .kept("k".to_owned(), 60, 100, NOW)
            .map(|keep| (keep.text, keep.seconds))
            .unwrap_or_default();
        assert_eq!(
            (seconds, text.as_str()),
            (60, "doorward-copy-1 1699999980000 1700000060000\nmax-age=5\n{\n\n}")
        );
        let copy = Copied::open(text.as_bytes(), HOUR, NOW);
        assert_eq!(
            copy.map(|copy| (copy.cache_control, copy.body)),
            Some(("max-age=5", &b"{\n\n}"[..]))
        );
        assert_eq!(
            fetched(text.as_bytes(), HOUR, NOW.plus_millis(59_999)),
            Some(before.as_millis())
        );
        assert_eq!(
            fetched(text.as_bytes(), HOUR, NOW.plus_millis(60_000)),
            None,
            "it says itself until when it counts"
        );
        assert_eq!(
            fetched(text.as_bytes(), Seconds::new(20), NOW),
            None,
            "its age counts from its fetch"
        );
        assert_eq!(
            fetched(text.as_bytes(), HOUR, before.plus_millis(-1)),
            None,
            "how old it is from the future, nobody knows"
        );
    }

    #[test]
    fn what_is_not_a_copy_is_none() {
        for text in [
            "",
            "\n\n",
            "{\"keys\":[]}",
            "<!doctype html>\n\n",
            "doorward-copy-1 1 9999999999999",
            "doorward-copy-1 1 9999999999999\n",
            "doorward-copy-1 1\n\n{}",
            "doorward-copy-2 1 9999999999999\n\n{}",
            "doorward-copy-1 1 9999999999999 1\n\n{}",
            "doorward-copy-1  1 9999999999999\n\n{}",
            "doorward-copy-1 1 99999999999999999999999\n\n{}",
            "doorward-copy-1 one 9999999999999\n\n{}",
            " doorward-copy-1 1 9999999999999\n\n{}",
        ] {
            assert_eq!(fetched(text.as_bytes(), Seconds::new(u32::MAX), NOW), None, "{text:?}");
        }
        assert_eq!(
            fetched(b"doorward-copy-1 1 9999999999999\n\n{}", Seconds::new(u32::MAX), NOW),
            Some(1)
        );
        assert_eq!(fetched(b"doorward-copy-1 \xff 9999999999999\n\n{}", HOUR, NOW), None);
    }

    #[test]
    fn what_would_not_be_read_is_not_kept() {
        let kept = |body: &[u8], cache_control, seconds, most| {
            Copied { fetched: NOW, cache_control, body }
                .kept("k".to_owned(), seconds, most, NOW)
                .is_some()
        };
        assert!(kept(b"{}", "", 60, 47));
        assert!(!kept(b"{}", "", 60, 46));
        assert!(!kept(b"\xff", "", 60, 100));
        assert!(!kept(b"{}", "a\nb", 60, 100));
        assert!(!kept(b"{}", "", 0, 100));
    }

    #[test]
    fn an_issuer_says_how_long_and_whether() {
        for (control, expected) in [
            ("", 300),
            ("public, max-age=20", 20),
            ("max-age=86400", 300),
            ("Max-Age=\"7\", must-revalidate", 7),
            ("max-age=0", 0),
            ("max-age=soon", 0),
            ("max-age=60, private", 0),
            ("No-Store", 0),
            ("no-cache", 0),
            ("x-no-store-y", 300),
        ] {
            assert_eq!(lifetime(control, 300), expected, "{control}");
        }
    }

    #[test]
    fn names_keep_purposes_and_parts_apart() {
        let names = [
            name_of("keys", &[b"a", b"b"]),
            name_of("keys", &[b"ab"]),
            name_of("keys", &[b"a", b"c"]),
            name_of("session", &[b"a", b"b"]),
        ];
        for (number, name) in names.iter().enumerate() {
            assert!(
                !names.iter().skip(number.saturating_add(1)).any(|other| other == name),
                "{name}"
            );
            assert!(
                name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
                    && name.len() < 80,
                "{name}"
            );
        }
    }
}
