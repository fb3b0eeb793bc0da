//! What frameworks serve under another name than a page's own: its data, and functions that a
//! request can call wherever it goes.
//!
//! Read in their sources: next 16.4, @sveltejs/kit 2.70, react-router 7.18 and 8, nuxt 4.4, astro
//! 6.0, @tanstack/start 1.131 and 1.169.
//!
//! A page's data is the page. A *function* (a remote function, an action, an island) is a thing of
//! its own: any page can be the way to it, or one prefix leads to those of all pages. So it is
//! named, and no rule makes it public that does not name it.

use std::borrow::Cow;

/// A framework that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Next,
    SvelteKit,
    ReactRouter,
    Nuxt,
    Astro,
    TanstackStart,
}

/// The name of each in the configuration.
pub(crate) const KINDS: [(&str, Kind); 6] = [
    ("next", Kind::Next),
    ("sveltekit", Kind::SvelteKit),
    ("react-router", Kind::ReactRouter),
    ("nuxt", Kind::Nuxt),
    ("astro", Kind::Astro),
    ("tanstack-start", Kind::TanstackStart),
];

/// What is known of an origin whose framework is known: its rules are about pages, without base
/// path and locale.
#[derive(Debug)]
pub(crate) struct Framework {
    pub(crate) kind: Kind,
    /// `basePath`, `paths.base`, `basename`, `app.baseURL` or `base`; empty where there is none.
    pub(crate) base_path: Vec<String>,
    /// `i18n.locales` of Next.js, in lower case: it compares them so.
    pub(crate) locales: Vec<String>,
}

/// Decoded segments.
type Segments<'a> = [Cow<'a, str>];

impl Framework {
    pub(crate) fn without_base_path<'s, 'a>(
        &self,
        segments: &'s Segments<'a>,
    ) -> Option<&'s Segments<'a>> {
        let (base, rest) = segments.split_at_checked(self.base_path.len())?;
        if base.iter().eq(&self.base_path) { Some(rest) } else { None }
    }

    pub(crate) fn without_locale<'s, 'a>(&self, segments: &'s Segments<'a>) -> &'s Segments<'a> {
        match segments.split_first() {
            Some((first, rest)) if !self.locales.is_empty() && self.is_locale(first) => rest,
            _ => segments,
        }
    }

    /// Whether Next.js takes this segment for a locale: it compares them in lower case. Locales are
    /// ASCII; of all other characters only the kelvin sign becomes one of theirs by that.
    pub(crate) fn is_locale(&self, segment: &str) -> bool {
        let lower = segment.replace('\u{212a}', "k").to_ascii_lowercase();
        self.locales.contains(&lower)
    }

    /// The pages that this is the data of and nothing else; nothing where it is a path like
    /// another. A slash at the end makes it one.
    pub(crate) fn pages_of_data<'a>(
        &self,
        segments: &Segments<'a>,
    ) -> Option<Vec<Vec<Cow<'a, str>>>> {
        let (last, parents) = segments.split_last()?;
        let page = |name: &str| {
            let name =
                Some(name).filter(|name| !name.is_empty()).map(|name| Cow::Owned(name.to_owned()));
            parents.iter().cloned().chain(name).collect::<Vec<_>>()
        };
        match (self.kind, last.as_ref()) {
            // `__route.js`: which route a path belongs to, and what its page is made of.
            (Kind::SvelteKit, "__data.json" | "__route.js")
            | (Kind::Nuxt, "_payload.json" | "_payload.js") => Some(vec![page("")]),
            (Kind::SvelteKit, name) => name
                .strip_suffix(".html__data.json")
                .map(|name| vec![page(&[name, ".html"].concat())]),
            // The root's data, of 8 and of 7.
            (Kind::ReactRouter, "_.data" | "_root.data") if parents.is_empty() => {
                Some(vec![Vec::new()])
            }
            // To 7 this is the data of a page that is called `_`, to 8 that of the one above, with
            // a slash at its end.
            (Kind::ReactRouter, "_.data") => Some(vec![page(""), page("_")]),
            (Kind::ReactRouter, name) => name.strip_suffix(".data").map(|name| vec![page(name)]),
            _ => None,
        }
    }
}

/// Where functions of a framework are.
struct Prefix {
    of: &'static [Kind],
    segments: &'static [&'static str],
    /// How many segments behind it name the function, where further ones are only its arguments.
    names: Option<usize>,
}

const PREFIXES: [Prefix; 5] = [
    // React Router's server actions have no path at all: theirs is made up here.
    Prefix { of: &[Kind::Astro, Kind::ReactRouter], segments: &["_actions"], names: None },
    Prefix { of: &[Kind::Astro], segments: &["_server-islands"], names: None },
    Prefix { of: &[Kind::SvelteKit], segments: &["_app", "remote"], names: Some(2) },
    Prefix { of: &[Kind::TanstackStart], segments: &["_serverFn"], names: Some(1) },
    Prefix { of: &[Kind::Nuxt], segments: &["__nuxt_island"], names: None },
];

/// Where a request says, besides its path, which function it calls.
pub(crate) enum FunctionLocation {
    Query(&'static str),
    /// In small letters.
    Header(&'static str),
}

struct Caller {
    of: &'static [Kind],
    place: FunctionLocation,
    /// The prefix under which it is read.
    prefix: &'static [&'static str],
}

/// What calls a function from whatever page it is sent to. Next's `Next-Action` is not among them:
/// Next runs an action for the pages only that import it, and sends a request for another one's
/// there, through the gate again.
const CALLERS: [Caller; 6] = [
    Caller { of: &[Kind::Astro], place: FunctionLocation::Query("_action"), prefix: &["_actions"] },
    Caller {
        of: &[Kind::Astro],
        place: FunctionLocation::Query("_astroAction"),
        prefix: &["_actions"],
    }, // Astro 4
    Caller {
        of: &[Kind::SvelteKit],
        place: FunctionLocation::Query("/remote"),
        prefix: &["_app", "remote"],
    },
    Caller {
        of: &[Kind::ReactRouter],
        place: FunctionLocation::Header("rsc-action-id"),
        prefix: &["_actions"],
    }, // its RSC mode
    Caller { of: &[], place: FunctionLocation::Query("qfunc"), prefix: &["_actions"] }, // Qwik's `server$`
    Caller { of: &[], place: FunctionLocation::Header("x-server-id"), prefix: &["_actions"] }, // SolidStart
];

/// Whether something of these frameworks has to be reckoned with: of all where it is not said which
/// it is.
fn concerns(of: &[Kind], kind: Option<Kind>) -> bool {
    kind.is_none_or(|kind| of.contains(&kind))
}

/// How many of these segments a pattern has to spell out in order to make them public: the prefix
/// of a function, or none.
pub(crate) fn spelled(kind: Option<Kind>, segments: &Segments<'_>) -> usize {
    let prefix = PREFIXES
        .iter()
        .filter(|prefix| concerns(prefix.of, kind))
        .find(|prefix| prefix.begins(segments));
    prefix.map_or(0, |prefix| prefix.segments.len())
}

/// Functions that a path calls, besides what it is itself: those of an app under a base path that
/// nobody has named, and without arguments. Nothing where it would be more than one: Astro takes
/// the last, others the first.
pub(crate) fn called_by_path<'a>(
    kind: Option<Kind>,
    segments: &Segments<'a>,
) -> Option<Vec<Vec<Cow<'a, str>>>> {
    let mut found = None;
    for (start, first) in segments.iter().enumerate() {
        if !first.starts_with('_') {
            continue;
        }
        let rest = segments.get(start..).unwrap_or_default();
        if let Some(prefix) = PREFIXES
            .iter()
            .filter(|prefix| concerns(prefix.of, kind))
            .find(|prefix| prefix.begins(rest))
        {
            if found.is_some() {
                return None;
            }
            found = Some((start, prefix.named(rest)));
        }
    }
    Some(
        found
            .into_iter()
            .filter(|(start, named)| *start > 0 || named.len() < segments.len())
            .map(|(_, named)| named.to_vec())
            .collect(),
    )
}

/// The places where a request may say which function it calls.
pub(crate) fn callers(
    kind: Option<Kind>,
) -> impl Iterator<Item = (&'static FunctionLocation, &'static [&'static str])> {
    CALLERS
        .iter()
        .filter(move |caller| concerns(caller.of, kind))
        .map(|caller| (&caller.place, caller.prefix))
}

/// A function by the name that a request gives it: `hash/name`, `file#name`, `name`.
pub(crate) fn called_by_name(
    prefix: &'static [&'static str],
    name: &str,
) -> Vec<Cow<'static, str>> {
    let known = PREFIXES.iter().find(|known| known.segments == prefix);
    let segments = name.split(['/', '#']).map(|segment| Cow::Owned(segment.to_owned()));
    let all: Vec<_> =
        prefix.iter().map(|segment| Cow::Borrowed(*segment)).chain(segments).collect();
    known.map_or(all.as_slice(), |known| known.named(&all)).to_vec()
}

/// Paths of functions that many sites have, one for each prefix: for a warning where none of them
/// is reachable.
pub(crate) fn usual_functions(kind: Kind) -> impl Iterator<Item = String> {
    let is_usual = |prefix: &&Prefix| {
        ["_actions", "_app", "_serverFn"].iter().any(|usual| prefix.segments.first() == Some(usual))
    };
    let own = PREFIXES
        .iter()
        .filter(is_usual)
        .filter(move |prefix| kind != Kind::ReactRouter && prefix.of.contains(&kind));
    own.map(|prefix| ["/", &prefix.segments.join("/")].concat())
}

impl Prefix {
    fn begins(&self, segments: &Segments<'_>) -> bool {
        segments.len() > self.segments.len()
            && segments.iter().zip(self.segments).all(|(own, known)| own == known)
    }

    /// Without what are only its arguments.
    fn named<'s, 'a>(&self, segments: &'s Segments<'a>) -> &'s Segments<'a> {
        let end =
            self.names.map_or(segments.len(), |names| self.segments.len().saturating_add(names));
        segments.get(..end).unwrap_or(segments)
    }
}
