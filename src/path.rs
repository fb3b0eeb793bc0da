//! One canonical form of a request target, or a refusal.
//!
//! No canonical form is safe for every origin: two routers read `/a;/../b`, `/a%2fb` or `//a` in two ways. So a target
//! with more than one plausible reading is refused (honest clients send none), what is left is decoded once, and the
//! spelling that goes on to the origin is the one written here. Nothing but a [`Path`] may be matched against a rule.
//!
//! Next.js serves one page under several targets (`/a.rsc`, `/_next/data/<id>/a.json`, …); these resolve to the page
//! that they carry, and the stricter rule of page and target counts.

use std::borrow::Cow;

use crate::reason::Reason;
use crate::request::RequestKind;
use crate::text;

/// Longer targets are refused: no honest one comes near.
const MAX_TARGET_BYTES: usize = 8192;

/// A target in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    segments: Vec<String>,
    page: Option<(Vec<String>, RequestKind)>,
    trailing_slash: bool,
    query: Option<String>,
}

impl Path {
    /// The canonical form of a target in origin-form.
    ///
    /// # Errors
    /// `path_refused` when there is more than one plausible reading.
    pub(crate) fn parse(target: &str) -> Result<Self, Reason> {
        Self::read(target).ok_or(Reason::PathRefused)
    }

    fn read(target: &str) -> Option<Self> {
        if target.len() > MAX_TARGET_BYTES || !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return None;
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(checked_query(query)?)),
            None => (target, None),
        };
        let inner = path.strip_prefix('/')?;
        let (inner, trailing_slash) = match inner.strip_suffix('/') {
            Some(rest) => (rest, true),
            None => (inner, false),
        };
        let segments = match (inner, trailing_slash) {
            ("", true) => return None,
            ("", false) => Vec::new(),
            (inner, _) => inner.split('/').map(canonical_segment).collect::<Option<Vec<_>>>()?,
        };
        let page = page_of(&segments);
        Some(Self { segments, page, trailing_slash, query })
    }

    /// Decoded segments of the target itself.
    pub(crate) fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Decoded segments of the page that a transport form carries, where the target is one.
    pub(crate) fn page_segments(&self) -> Option<&[String]> {
        self.page.as_ref().map(|(segments, _)| segments.as_slice())
    }

    /// The kind of request that the target's form alone gives away.
    pub(crate) fn transport(&self) -> Option<RequestKind> {
        self.page.as_ref().map(|(_, kind)| *kind)
    }

    /// The path as the gate spells it.
    pub(crate) fn spelled(&self) -> String {
        spell(&self.segments, self.trailing_slash)
    }

    /// Path and query as the gate spells them.
    pub(crate) fn target(&self) -> String {
        with_query(self.spelled(), self.query.as_deref())
    }

    /// Path and query of the page that somebody wants to see: where to come back to.
    pub(crate) fn page_target(&self) -> String {
        let path = match self.page_segments() {
            Some(segments) => spell(segments, false),
            None => self.spelled(),
        };
        with_query(path, self.query.as_deref())
    }
}

/// Splits a path of the configuration in the same way; the root has no segments.
pub(crate) fn plain_segments(path: &str) -> Option<Vec<String>> {
    Path::read(path).filter(|path| path.query.is_none()).map(|path| path.segments)
}

/// A query is carried as it is, unless it says which page it belongs to in Next's internal words (CVE-2026-44574).
fn checked_query(query: &str) -> Option<String> {
    let renames_page = query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or(pair);
        // A name that cannot be decoded is carried: no router reads it as one of these.
        text::percent_decoded(name).is_some_and(|name| name.starts_with("nxtP") || name.starts_with("nxtI"))
    });
    if renames_page { None } else { Some(query.to_owned()) }
}

/// One segment, decoded once; nothing where another reader could see a different path.
fn canonical_segment(raw: &str) -> Option<String> {
    text::percent_decoded(raw).filter(|decoded| is_segment(decoded)).map(Cow::into_owned)
}

/// Whether this can be a decoded segment of a canonical path.
pub(crate) fn is_segment(decoded: &str) -> bool {
    let doubtful = |character: char| matches!(character, '/' | '\\' | ';' | '%' | '?' | '#') || character.is_control();
    !decoded.is_empty() && decoded != "." && decoded != ".." && !decoded.chars().any(doubtful)
}

/// The page that a Next.js transport form carries.
fn page_of(segments: &[String]) -> Option<(Vec<String>, RequestKind)> {
    data_page(segments).or_else(|| segment_page(segments)).or_else(|| flight_page(segments))
}

/// `/_next/data/<build id>/<page>.json`: the Pages Router's data.
fn data_page(segments: &[String]) -> Option<(Vec<String>, RequestKind)> {
    let position =
        segments.windows(2).position(|pair| matches!(pair, [first, second] if first == "_next" && second == "data"))?;
    let (before, data) = segments.split_at(position);
    let page = data.get(3..)?;
    let (last, parents) = page.split_last()?;
    let name = last.strip_suffix(".json")?;
    Some((page_path(&[before, parents].concat(), name), RequestKind::Rsc))
}

/// `/<page>.segments/<…>.segment.rsc`: one segment of a page, fetched ahead.
fn segment_page(segments: &[String]) -> Option<(Vec<String>, RequestKind)> {
    let position = segments.iter().position(|segment| segment.ends_with(".segments"))?;
    let (parents, tail) = segments.split_at(position);
    let name = tail.first()?.strip_suffix(".segments")?;
    Some((page_path(parents, name), RequestKind::Prefetch))
}

/// `/<page>.rsc` and `/<page>.prefetch.rsc`: a page's payload.
fn flight_page(segments: &[String]) -> Option<(Vec<String>, RequestKind)> {
    let (last, parents) = segments.split_last()?;
    let name = last.strip_suffix(".rsc")?;
    match name.strip_suffix(".prefetch") {
        Some(name) => Some((page_path(parents, name), RequestKind::Prefetch)),
        None => Some((page_path(parents, name), RequestKind::Rsc)),
    }
}

/// The root page goes by the name of `index`.
fn page_path(parents: &[String], name: &str) -> Vec<String> {
    let mut path = parents.to_vec();
    if !(name.is_empty() || parents.is_empty() && name == "index") {
        path.push(name.to_owned());
    }
    path
}

fn spell(segments: &[String], trailing_slash: bool) -> String {
    let mut out = String::new();
    for segment in segments {
        out.push('/');
        out.push_str(&text::percent_encoded(segment, stays_in_path));
    }
    if segments.is_empty() || trailing_slash {
        out.push('/');
    }
    out
}

/// `pchar` of RFC 3986 section 3.3 without the `;` that some servers cut parameters at.
const fn stays_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
        )
}

fn with_query(mut path: String, query: Option<&str>) -> String {
    if let Some(query) = query {
        path.push('?');
        path.push_str(query);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(raw: &str) -> Option<String> {
        Path::parse(raw).ok().map(|path| path.target())
    }

    #[test]
    fn one_spelling_goes_on() {
        for (raw, canonical) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/", "/a/"),
            ("/%61dmin", "/admin"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b", "/a%20b"),
            ("/@me/x:1", "/@me/x:1"),
            ("/%40me", "/@me"),
            ("/[slug]", "/%5Bslug%5D"),
            ("/a?x=1&y=%2F..%2F", "/a?x=1&y=%2F..%2F"),
            ("/a?", "/a?"),
        ] {
            assert_eq!(target(raw).as_deref(), Some(canonical), "{raw}");
        }
    }

    #[test]
    fn a_second_reading_is_refused() {
        for raw in [
            "",
            "a",
            "*",
            "http://x/a",
            "//a",
            "/a//b",
            "/a//",
            "//",
            "/./a",
            "/../a",
            "/a/..",
            "/a/%2e%2E/b",
            "/%2e",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a;x",
            "/a%3bx",
            "/a%00",
            "/a%0d",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%ff",
            "/a#b",
            "/a%23b",
            "/a%3fb",
            "/a%252e",
            "/a b",
            "/a	b",
            "/é",
            "/a?x#y",
            "/a?x y",
            "/a?nxtPslug=x",
            "/a?b=1&nxtIx=1",
            "/a?%6extPslug=x",
            "/a%7f",
        ] {
            assert_eq!(target(raw), None, "{raw:?}");
        }
        assert_eq!(target(&format!("/{}", "a".repeat(8192))), None);
    }

    #[test]
    fn transport_forms_are_the_page_they_carry() {
        for (raw, page) in [
            ("/app.rsc", "/app"),
            ("/app.prefetch.rsc", "/app"),
            ("/index.rsc", "/"),
            ("/a/b.segments/_tree.segment.rsc", "/a/b"),
            ("/a/b.segments/a/b/__PAGE__.segment.rsc", "/a/b"),
            ("/_next/data/build-1/app/x.json", "/app/x"),
            ("/_next/data/build-1/index.json", "/"),
            ("/base/_next/data/build-1/app.json", "/base/app"),
            ("/app%2ersc?_rsc=1", "/app?_rsc=1"),
        ] {
            assert_eq!(Path::parse(raw).map(|path| path.page_target()), Ok(page.to_owned()), "{raw}");
        }
    }
}
