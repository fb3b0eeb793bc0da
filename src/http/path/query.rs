//! The query of a target: what is refused in one, and how its names and values are read.

use std::borrow::Cow;

use crate::encoding::{ascii, percent};

/// How names of query parameters begin by which Next.js tells itself which page is meant
/// (CVE-2026-44574, CVE-2024-46982). So do the adapters of Astro (CVE-2026-33768) and SvelteKit for
/// Vercel.
const INTERNAL_PARAMETERS: [&str; 5] = ["nxtP", "nxtI", "__next", "x_astro_path", "__pathname"];

/// A query is carried as it is, unless it says which page it belongs to in Next's internal words.
/// Only what every reader of URLs writes in another way (URL standard, "special-query
/// percent-encode set") is written so here: verifiers that see the request through one see the
/// target that was decided about and signed.
pub(super) fn checked_query(query: &str) -> Option<Cow<'_, str>> {
    let is_internal =
        |name: &str| INTERNAL_PARAMETERS.iter().any(|internal| name.starts_with(internal));
    // A name that cannot be decoded is carried: no router reads it as one of these.
    // None of them begins with anything but these, encoded or not.
    let may_be = |pair: &&str| pair.starts_with(['n', '_', 'x', '%']);
    let mut names =
        ascii::pieces(query, b'&').filter(may_be).filter_map(|pair| form_decoded(name_of(pair)));
    if !is_visible(query) || names.any(|name| is_internal(&name)) {
        return None;
    }
    let stays = |byte: u8| !matches!(byte, b'"' | b'<' | b'>' | b'\'');
    Some(if query.bytes().all(stays) {
        Cow::Borrowed(query)
    } else {
        Cow::Owned(percent::encoded(query, stays))
    })
}

/// The name of a pair.
pub(super) fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or(pair)
}

/// Decodes a name or value of `application/x-www-form-urlencoded` (URL standard).
pub(super) fn form_decoded(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        percent::decoded(&text.replace('+', " ")).map(|text| Cow::Owned(text.into_owned()))
    } else {
        percent::decoded(text)
    }
}

/// Whether all of it is visible ASCII, and no fragment.
pub(super) fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}
