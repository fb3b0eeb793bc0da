//! Image optimizers: targets under which an origin serves another of its images in a smaller size.

use std::borrow::Cow;

use crate::encoding::percent;

use super::query::{form_decoded, name_of};

/// Where images are made smaller, by Next.js, Vercel, Netlify and Astro: this of the query names
/// the one to be read.
const IMAGE_PATHS: [(&[&str], &str); 4] = [
    (&["_next", "image"], "url"),
    (&["_vercel", "image"], "url"),
    (&[".netlify", "images"], "url"),
    (&["_image"], "href"),
];
/// Where the path does, behind one segment of options: Cloudflare's, and that of Nuxt's image
/// module.
const IMAGE_PREFIXES: [&[&str]; 2] = [&["cdn-cgi", "image"], &["_ipx"]];

/// Whether this is the target of an image optimizer.
pub(super) fn is_image(segments: &[Cow<'_, str>]) -> bool {
    image_parameter(segments).is_some() || image_path(segments).is_some()
}

/// Which of the query names the image, where one is made smaller here.
fn image_parameter(segments: &[Cow<'_, str>]) -> Option<&'static str> {
    let ends_so = |path: &[&str]| {
        let place = segments.len().checked_sub(path.len());
        place.and_then(|place| segments.get(place..)).is_some_and(|end| end.iter().eq(path))
    };
    IMAGE_PATHS.iter().find(|(path, _)| ends_so(path)).map(|(_, parameter)| *parameter)
}

/// The image that the path names behind its options, where one is made smaller here.
fn image_path<'s, 'a>(segments: &'s [Cow<'a, str>]) -> Option<&'s [Cow<'a, str>]> {
    let begins = |prefix: &&&[&str]| segments.iter().zip(**prefix).all(|(own, known)| own == known);
    let prefix = IMAGE_PREFIXES.iter().find(begins)?;
    segments.get(prefix.len().saturating_add(1)..).filter(|source| !source.is_empty())
}

/// What an image is made from.
pub(super) enum Source<'s, 'a> {
    /// None of this site's: no image is asked for, or one from elsewhere, which is fetched as
    /// anybody could.
    NotOurs,
    /// This path.
    Path(&'s [Cow<'a, str>]),
    /// What has this target.
    Target(String),
}

/// What the image at this path is made from; nothing where two readers could see different ones.
pub(super) fn source<'s, 'a>(
    own: &'s [Cow<'a, str>],
    query: Option<&str>,
) -> Option<Source<'s, 'a>> {
    if let Some(source) = image_path(own) {
        return if is_image(source) { None } else { Some(Source::Path(source)) };
    }
    let Some(parameter) = image_parameter(own) else { return Some(Source::NotOurs) };
    let pairs = query.into_iter().flat_map(|query| query.split('&'));
    let mut urls =
        pairs.filter(|pair| form_decoded(name_of(pair)).is_some_and(|name| name == parameter));
    let Some(pair) = urls.next() else {
        return Some(Source::NotOurs);
    };
    let url = form_decoded(pair.split_once('=').map_or("", |(_, value)| value))?;
    if urls.next().is_some() || url.contains(char::is_control) {
        return None;
    }
    if is_absolute(&url) {
        return Some(Source::NotOurs);
    }
    // As the URL parser does, which is how these get into a path.
    Some(Source::Target(percent::encoded(&url, |byte| byte.is_ascii_graphic())))
}

/// Whether it names a host, in the one way that no reader takes for a path of this site.
fn is_absolute(url: &str) -> bool {
    let rest = url.split_once("://").filter(|(scheme, _)| {
        ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
    });
    rest.is_some_and(|(_, rest)| {
        rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
    })
}
