//! One canonical form of a request target, or a refusal.
//!
//! No canonical form is safe for every origin: two routers read `/a;/../b`, `/a%2fb` or `//a` in
//! two ways. So a target with more than one plausible reading is refused (honest clients send
//! none), what is left is decoded once, and the spelling that goes on to the origin is the one
//! written here. Nothing but a [`Path`] may be matched against a rule.
//!
//! Next.js serves one page under several targets (`/a.rsc`, `/_next/data/<id>/a.json`, `/en/a`, …)
//! and one target can show several pages (`/_next/image?url=…`, `Next-Url`). Other frameworks have
//! forms of their own (`framework.rs`, `data_forms.rs`), and functions that are called by query or
//! header. All these are readings: each must be covered, the strictest rule counts.

use std::borrow::Cow;

pub(crate) mod data_forms;
pub(crate) mod framework;
mod images;
mod query;
pub(crate) mod segments;

use crate::encoding::ascii;
use crate::http::path::data_forms::Form;
use crate::http::path::framework::{Framework, FunctionLocation, Kind};
use crate::http::path::images::Source;
use crate::http::path::query::{checked_query, form_decoded, is_visible, name_of};
use crate::http::path::segments::{
    Segments, canonical_segment, is_segment, plain_segment, spell, stays_in_path,
};
use crate::http::request::{RequestHead, RequestKind};
use crate::reason::Reason;

/// Longer targets are refused: no honest one comes near.
const MAX_TARGET_BYTES: usize = 8192;

/// A target in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    segments: Segments<'a>,
    /// What is asked for besides, or instead where `is_itself` is false.
    carried: Vec<Segments<'a>>,
    is_itself: bool,
    transport: Option<RequestKind>,
    trailing_slash: bool,
    query: Option<Cow<'a, str>>,
    /// The target as it came, where that is the gate's own spelling: nearly always.
    as_spelled: Option<&'a str>,
}

impl<'a> Path<'a> {
    /// What a request asks for.
    ///
    /// # Errors
    /// `path_refused` when there is more than one plausible reading.
    pub(crate) fn of(
        head: &RequestHead<'a>,
        framework: Option<&Framework>,
    ) -> Result<Self, Reason> {
        let mut path = Self::parse(head.target, framework)?;
        path.add_called(head, framework).ok_or(Reason::PathRefused)?;
        // The page in which this one shall be shown (intercepting routes): Next.js reads it before
        // its own routes.
        let mut shown_in = head.headers_named("next-url");
        let (page, another) = (shown_in.next(), shown_in.next());
        let mut hosts = head.headers_named("host");
        if another.is_some()
            || hosts.next().is_some_and(|host| !is_authority(host))
            || hosts.next().is_some()
        {
            return Err(Reason::PathRefused);
        }
        if let Some(shown_in) = page.filter(|url| !url.is_empty()) {
            path.add_around(shown_in, framework)?;
        }
        Ok(path)
    }

    /// Adds the page in which this one is to be shown.
    fn add_around(&mut self, page: &'a str, framework: Option<&Framework>) -> Result<(), Reason> {
        let mut around =
            Self::parse(page, framework)?.readings().map(<[_]>::to_vec).collect::<Vec<_>>();
        around.append(&mut self.carried);
        self.carried = around;
        Ok(())
    }

    /// Adds the functions that the request calls besides, by query or header; nothing where one of
    /// them has no plain name.
    fn add_called(&mut self, head: &RequestHead<'a>, framework: Option<&Framework>) -> Option<()> {
        let kind = framework.map(|framework| framework.kind);
        // A remote function of SvelteKit hears from its caller which page that is, and takes it for
        // the path that was asked for.
        let calls_remote =
            kind.is_none_or(|kind| kind == Kind::SvelteKit) && self.readings().any(is_remote);
        if calls_remote {
            let mut callers = head.headers_named("x-sveltekit-pathname");
            if let Some(page) = callers.next() {
                self.add_around(page, framework).ok()?;
            }
            if callers.next().is_some() {
                return None;
            }
        }
        // A form that was sent with its action in the query leaves that in the address bar: whoever
        // looks there again calls nothing.
        if matches!(head.asked_method(), "GET" | "HEAD" | "OPTIONS") {
            return Some(());
        }
        for (place, prefix) in framework::callers(kind) {
            let mut add = |name: &str| {
                let called = framework::called_by_name(prefix, name);
                let is_plain = called.iter().all(|segment| is_segment(segment));
                self.carried.push(called);
                is_plain.then_some(())
            };
            match place {
                FunctionLocation::Header(header) => {
                    for name in head.headers_named(header).filter(|name| !name.is_empty()) {
                        add(name)?;
                    }
                }
                FunctionLocation::Query(parameter) => {
                    let query = self.query.clone().unwrap_or_default();
                    for pair in ascii::pieces(&query, b'&') {
                        if form_decoded(name_of(pair)).is_some_and(|name| name == *parameter) {
                            let value =
                                form_decoded(pair.split_once('=').map_or("", |(_, value)| value))?;
                            if !value.is_empty() {
                                add(&value)?;
                            }
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// The canonical form of a target in origin-form.
    ///
    /// # Errors
    /// `path_refused` when there is more than one plausible reading.
    pub(crate) fn parse(target: &'a str, framework: Option<&Framework>) -> Result<Self, Reason> {
        let mut path = Self::read(target).ok_or(Reason::PathRefused)?;
        path.resolve(framework).ok_or(Reason::PathRefused)?;
        Ok(path)
    }

    fn read(target: &'a str) -> Option<Self> {
        let (path, query) = match ascii::cut(target, b'?') {
            Some((path, query)) => (path, Some(checked_query(query)?)),
            None => (target, None),
        };
        // Nearly every path is spelled as the gate would spell it; then there is nothing to decode
        // and nothing doubtful in it.
        let is_plain = path.bytes().all(|byte| byte == b'/' || stays_in_path(byte));
        if target.len() > MAX_TARGET_BYTES || !(is_plain || is_visible(path)) {
            return None;
        }
        let inner = path.strip_prefix('/')?;
        let (inner, trailing_slash) = match inner.strip_suffix('/') {
            Some(rest) => (rest, true),
            None => (inner, false),
        };
        let segments = match (inner, trailing_slash) {
            ("", true) => return None,
            ("", false) => Vec::new(),
            (inner, _) if is_plain => {
                ascii::pieces(inner, b'/').map(plain_segment).collect::<Option<Vec<_>>>()?
            }
            (inner, _) => inner.split('/').map(canonical_segment).collect::<Option<Vec<_>>>()?,
        };
        let as_spelled = Some(target).filter(|_| is_plain && !matches!(query, Some(Cow::Owned(_))));
        Some(Self {
            segments,
            carried: Vec::new(),
            is_itself: true,
            transport: None,
            trailing_slash,
            query,
            as_spelled,
        })
    }

    /// Adds what it carries; nothing where that is more than one thing.
    fn resolve(&mut self, framework: Option<&Framework>) -> Option<()> {
        let kind = framework.map(|framework| framework.kind);
        let known = framework
            .and_then(|framework| Some((framework, framework.without_base_path(&self.segments)?)));
        let own = known
            .map_or(self.segments.as_slice(), |(framework, rest)| framework.without_locale(rest));
        let mut carried = Vec::new();
        if own.len() < self.segments.len() {
            self.is_itself = false;
            carried.push(own.to_vec());
        }
        // Each form has a dot somewhere, and a path spelled without one has none in any segment.
        let has_no_dot =
            self.as_spelled.is_some_and(|target| target.bytes().all(|byte| byte != b'.'));
        if let Some(form) = Some(own).filter(|_| !has_no_dot).and_then(Form::of) {
            // Next.js keeps `/_next` for itself. `/a.rsc` it may take for a page of that name
            // (`next start` does).
            if form.is_data && known.is_some() && kind == Some(Kind::Next) && form.before.is_empty()
            {
                self.is_itself = false;
                carried.clear();
            }
            let pages = form.pages();
            // Without its ending a name may be a dot segment or another form: `/a/...rsc`,
            // `/a.rsc.rsc`.
            if !pages.iter().all(|page| {
                page.iter().all(|segment| is_segment(segment)) && Form::of(page).is_none()
            }) {
                return None;
            }
            carried.extend(pages.into_iter().map(|page| match known {
                Some((framework, _)) => framework.without_locale(&page).to_vec(),
                None => page,
            }));
            self.transport = Some(form.kind);
        }
        let data = known.filter(|_| !has_no_dot && !self.trailing_slash);
        if let Some(pages) = data.and_then(|(framework, _)| framework.pages_of_data(own)) {
            if !pages.iter().flatten().all(|segment| is_segment(segment)) {
                return None;
            }
            self.is_itself = false;
            carried = pages;
            self.transport = Some(RequestKind::Rsc);
        }
        carried.extend(framework::called_by_path(kind, own)?);
        carried.extend(image_readings(own, self.query.as_deref(), framework)?);
        self.carried = carried;
        Some(())
    }

    /// Decoded segments of the target itself.
    pub(crate) fn segments(&self) -> &[Cow<'a, str>] {
        &self.segments
    }

    /// Everything that a rule must cover, as decoded segments: the target itself first.
    pub(crate) fn readings(&self) -> impl Iterator<Item = &[Cow<'a, str>]> {
        Some(self.segments.as_slice())
            .filter(|_| self.is_itself)
            .into_iter()
            .chain(self.carried.iter().map(Vec::as_slice))
    }

    /// The kind of request that the target's form alone gives away.
    pub(crate) const fn transport(&self) -> Option<RequestKind> {
        self.transport
    }

    /// The path as the gate spells it.
    pub(crate) fn spelled(&self) -> String {
        spell(&self.segments, self.trailing_slash)
    }

    /// Path and query as the gate spells them.
    pub(crate) fn target(&self) -> String {
        match self.as_spelled {
            Some(target) => target.to_owned(),
            None => with_query(self.spelled(), self.query.as_deref()),
        }
    }
}

/// What stands out in a target that was refused, as a label of measurements: the first that there
/// is.
#[cold]
pub(crate) fn family(target: &str) -> &'static str {
    let path = ascii::cut(target, b'?').map_or(target, |(path, _)| path);
    let has = |wanted: u8| path.bytes().any(|byte| byte == wanted);
    let mut segments = ascii::pieces(path, b'/').skip(1);
    if target.len() > MAX_TARGET_BYTES {
        "too-long"
    } else if !target.starts_with('/') {
        "no-path"
    } else if [b'\\', b';', b'#'].into_iter().any(has) || !is_visible(path) {
        "character"
    } else if segments.any(|segment| plain_segment(segment).is_none()) && path.len() > 1 {
        "segment"
    } else if has(b'%') {
        "escape"
    } else {
        "other"
    }
}

/// Splits a path of the configuration in the same way; the root has no segments.
pub(crate) fn plain_segments(path: &str) -> Option<Vec<String>> {
    let path = Path::read(path).filter(|path| path.query.is_none())?;
    Some(path.segments.into_iter().map(Cow::into_owned).collect())
}

/// The readings of the image that is asked for by its optimizer; nothing where that image is made
/// from another in turn.
fn image_readings<'a>(
    own: &[Cow<'a, str>],
    query: Option<&str>,
    framework: Option<&Framework>,
) -> Option<Vec<Segments<'a>>> {
    match images::source(own, query)? {
        Source::NotOurs => Some(Vec::new()),
        Source::Path(source) => {
            // The option may itself be an image's address to others.
            let of_app = framework.and_then(|framework| {
                Some(framework.without_locale(framework.without_base_path(source)?))
            });
            Some(vec![of_app.unwrap_or(source).to_vec()])
        }
        Source::Target(target) => {
            let mut source =
                Path::read(&target).filter(|source| !images::is_image(&source.segments))?;
            source.resolve(framework)?;
            let owned = |segments: &[Cow<'_, str>]| {
                segments.iter().map(|segment| Cow::Owned(segment.clone().into_owned())).collect()
            };
            Some(source.readings().map(owned).collect())
        }
    }
}

/// Whether `Host` has only what a host and a port can have (RFC 9110 section 7.2): some frameworks
/// put their URL together from it, and would take the rest for a path.
fn is_authority(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(&byte))
}

/// Whether it is a remote function of SvelteKit.
fn is_remote(segments: &[Cow<'_, str>]) -> bool {
    matches!(segments, [first, second, ..] if first == "_app" && second == "remote")
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
        Path::parse(raw, None).ok().map(|path| path.target())
    }

    #[test]
    fn locales_are_compared_in_lower_case() {
        let next = Framework {
            kind: Kind::Next,
            base_path: Vec::new(),
            locales: vec!["ko-kr".to_owned()],
        };
        assert!(
            ["ko-kr", "Ko-KR", "\u{212a}o-\u{212a}R"]
                .into_iter()
                .all(|segment| next.is_locale(segment))
        );
        assert!(
            ["ko", "ko-kr-", "\u{3ba}o-kr", ""].into_iter().all(|segment| !next.is_locale(segment))
        );
        // As JavaScript's `toLowerCase`: no other character has a lower case in ASCII.
        let becomes_ascii = |character: &char| {
            !character.is_ascii() && character.to_lowercase().all(|lower| lower.is_ascii())
        };
        assert_eq!(('\0'..=char::MAX).filter(becomes_ascii).collect::<String>(), "\u{212a}");
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
            ("/a?x=\"<b>'&y=`{|}^[\\]", "/a?x=%22%3Cb%3E%27&y=`{|}^[\\]"),
            ("/a'b?c", "/a'b?c"),
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
    fn each_reading_is_listed() {
        let next = Framework {
            kind: Kind::Next,
            base_path: vec!["docs".to_owned()],
            locales: vec!["en".to_owned()],
        };
        for (raw, unknown, known) in [
            ("/app", "/app", "/app"),
            ("/app.rsc", "/app.rsc /app", "/app.rsc /app"),
            (
                "/_next/data/b/app/x.json",
                "/_next/data/b/app/x.json /app/x",
                "/_next/data/b/app/x.json /app/x",
            ),
            ("/docs/en/app", "/docs/en/app", "/app"),
            (
                "/docs/_next/data/b/EN/app.json",
                "/docs/_next/data/b/EN/app.json /docs/EN/app",
                "/app",
            ),
            ("/docs/_next/data/b/index.json", "/docs/_next/data/b/index.json /docs", "/"),
            ("/docs/index.rsc", "/docs/index.rsc /docs/index /docs", "/index.rsc /"),
            ("/_next/image?url=%2Fdocs%2Fa", "/_next/image /docs/a", "/_next/image /a"),
        ] {
            let read = |next| {
                let path = Path::parse(raw, next).ok()?;
                let shown: Vec<String> =
                    path.readings().map(|segments| spell(segments, false)).collect();
                Some(shown.join(" "))
            };
            assert_eq!(read(None).as_deref(), Some(unknown), "{raw}");
            assert_eq!(read(Some(&next)).as_deref(), Some(known), "{raw}");
        }
    }
}
