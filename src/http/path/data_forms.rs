//! Targets under which frameworks serve what a page shows: the transport forms of Next.js, and
//! names for a page's data.

use std::borrow::Cow;

use crate::http::request::RequestKind;

use super::segments::Segments;

/// Names under which frameworks serve the data of the page above (SvelteKit, Nuxt, React Router).
const DATA_NAMES: [&str; 4] = ["__data.json", "_payload.json", "_root.data", "_.data"];

/// The page whose data this may be: `/admin` of `/admin.json` (Django REST framework, Rails), of
/// `/admin.data` (React Router) and of `/admin/__data.json`.
pub(crate) fn page_of_data<'s>(segments: &'s [Cow<'_, str>]) -> Option<Vec<Cow<'s, str>>> {
    let (last, parents) = segments.split_last()?;
    let is_of_parent = DATA_NAMES.contains(&last.as_ref());
    let name = if is_of_parent {
        None
    } else {
        Some(last.rsplit_once('.').map(|(name, _)| name).filter(|name| !name.is_empty())?)
    };
    let parents = parents.iter().map(|segment| segment.as_ref());
    Some(parents.chain(name).map(Cow::Borrowed).collect())
}

/// A target under which Next.js transports a page.
pub(super) struct Form<'s, 'a> {
    pub(super) kind: RequestKind,
    pub(super) is_data: bool,
    /// What stands before `/_next/data`: a base path.
    pub(super) before: &'s [Cow<'a, str>],
    page: Segments<'a>,
}

impl<'s, 'a> Form<'s, 'a> {
    /// The form that these segments have, if they have one.
    pub(super) fn of(segments: &'s [Cow<'a, str>]) -> Option<Self> {
        Self::data(segments).or_else(|| Self::segment(segments)).or_else(|| Self::flight(segments))
    }

    /// `/_next/data/<build id>/<page>.json`: the Pages Router's data.
    fn data(segments: &'s [Cow<'a, str>]) -> Option<Self> {
        let position = segments.windows(2).position(
            |pair| matches!(pair, [first, second] if first == "_next" && second == "data"),
        )?;
        let (before, data) = segments.split_at(position);
        let (last, parents) = data.get(3..)?.split_last()?;
        let page = page(parents, last.strip_suffix(".json")?);
        Some(Self { kind: RequestKind::Rsc, is_data: true, before, page })
    }

    /// `/<page>.segments/<…>.segment.rsc`: one segment of a page, fetched ahead.
    fn segment(segments: &'s [Cow<'a, str>]) -> Option<Self> {
        let position = segments.iter().position(|segment| segment.ends_with(".segments"))?;
        let (parents, tail) = segments.split_at(position);
        let page = page(parents, tail.first()?.strip_suffix(".segments")?);
        Some(Self { kind: RequestKind::Prefetch, is_data: false, before: &[], page })
    }

    /// `/<page>.rsc` and `/<page>.prefetch.rsc`: a page's payload.
    fn flight(segments: &'s [Cow<'a, str>]) -> Option<Self> {
        let (last, parents) = segments.split_last()?;
        let name = last.strip_suffix(".rsc")?;
        let (name, kind) = match name.strip_suffix(".prefetch") {
            Some(name) => (name, RequestKind::Prefetch),
            None => (name, RequestKind::Rsc),
        };
        Some(Self { kind, is_data: false, before: &[], page: page(parents, name) })
    }

    /// The pages that this may be: the root goes by the name of `index`, that of a base path or
    /// locale too, and what is below `index` may have it twice.
    pub(super) fn pages(&self) -> Vec<Segments<'a>> {
        let pages: Vec<&[Cow<'a, str>]> = match self.page.as_slice() {
            [only] if only == "index" => vec![&[]],
            [first, rest @ ..] if first == "index" => vec![&self.page, rest],
            [parents @ .., last] if last == "index" => vec![&self.page, parents],
            page => vec![page],
        };
        pages.into_iter().map(|page| [self.before, page].concat()).collect()
    }
}

fn page<'a>(parents: &[Cow<'a, str>], name: &str) -> Segments<'a> {
    let mut page = parents.to_vec();
    if !name.is_empty() {
        page.push(Cow::Owned(name.to_owned()));
    }
    page
}
