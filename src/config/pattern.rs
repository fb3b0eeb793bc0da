//! Patterns of paths, as rules write them.

use std::borrow::Cow;

use crate::http::path::framework::{self, Framework};
use crate::http::path::segments;
use crate::policy::pattern::{Pattern, SegmentPattern};

/// Reads a pattern; an error is the hint.
pub(super) fn pattern(
    text: &str,
    framework: Option<&Framework>,
    auth_path: Option<&str>,
) -> Result<Pattern, &'static str> {
    let text = match text.strip_prefix("{auth}") {
        Some(rest) => {
            if !(rest.is_empty() || rest.starts_with('/')) {
                return Err("behind {auth} there is nothing, or a /");
            }
            let auth_path = auth_path.ok_or(
                "{auth} stands for the base path of a Better Auth issuer, and there is none",
            )?;
            if auth_path.is_empty() {
                return Err(
                    "{auth} would stand for the whole site: the auth service answers at the \
                     root, so write the paths that are its own",
                );
            }
            [within(framework, auth_path), rest].concat()
        }
        None => text.to_owned(),
    };
    let (text, open) = match text.strip_suffix("/**") {
        Some(rest) => (rest.to_owned(), true),
        None => (text, false),
    };
    if text.is_empty() && open || text == "/" && !open {
        return Ok(Pattern { segments: Vec::new(), open });
    }
    let inner = text.strip_prefix('/').ok_or("a pattern begins with /")?;
    let segments = inner.split('/').map(|segment| match segment {
        "*" => Ok(SegmentPattern::Any),
        "**" => Err("/** stands at the end only"),
        named if named.strip_prefix(':').is_some_and(is_name) => Ok(SegmentPattern::Any),
        named if named.starts_with(':') => Err("write /** for any number of segments, and :name, \
            in letters and digits, for one"),
        other if is_of_another_router(other) => Err("write :name for one segment, /** for any \
            number, and leave groups out"),
        wild if wild.contains('*') => Err("* stands for a whole segment"),
        literal if segments::is_segment(literal) => Ok(SegmentPattern::Literal(literal.to_owned())),
        _ => Err("write segments decoded (é, not %C3%A9) and without empty ones, dots, or \
            characters that a path cannot have"),
    });
    let segments = segments.collect::<Result<Vec<_>, _>>()?;
    match (framework, segments.first()) {
        (Some(framework), Some(SegmentPattern::Literal(first))) if framework.is_locale(first) => {
            Err("leave the locale out: it is taken off first")
        }
        (Some(framework), _)
            if !framework.base_path.is_empty() && begins_with(&segments, &framework.base_path) =>
        {
            Err("leave the base path out: it is taken off first")
        }
        _ => Ok(Pattern { segments, open }),
    }
}

/// How many segments a public pattern has to spell in order to cover what this one covers: it may
/// be about functions of a framework.
pub(super) fn functions_below(pattern: &Pattern, framework: Option<&Framework>) -> usize {
    let text = |segment: &SegmentPattern| match segment {
        SegmentPattern::Literal(literal) => Cow::Owned(literal.clone()),
        SegmentPattern::Any => Cow::Borrowed("*"),
    };
    // `/_actions/**` is about what is below.
    let below = Some(Cow::Borrowed("*")).filter(|_| pattern.open);
    let segments: Vec<_> = pattern.segments.iter().map(text).chain(below).collect();
    framework::spelled(framework.map(|framework| framework.kind), &segments)
}

/// Whether some path matches both.
pub(super) fn overlap(one: &Pattern, other: &Pattern) -> bool {
    let is_same = |(one, other): (&SegmentPattern, &SegmentPattern)| match (one, other) {
        (SegmentPattern::Literal(one), SegmentPattern::Literal(other)) => one == other,
        _ => true,
    };
    let (one_length, other_length) = (one.segments.len(), other.segments.len());
    let is_long_enough = one_length == other_length
        || one_length < other_length && one.open
        || one_length > other_length && other.open;
    is_long_enough && one.segments.iter().zip(&other.segments).all(is_same)
}

/// The name of a segment, as path-to-regexp reads it: with anything behind it, it would be more
/// than one segment, or part of one.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `[id]`, `[...slug]`, `{id}`, `<id>`, `(group)`: what other routers have for a segment or for
/// none. As it stands it is in no path.
fn is_of_another_router(segment: &str) -> bool {
    [('[', ']'), ('{', '}'), ('<', '>'), ('(', ')')]
        .iter()
        .any(|(begin, end)| segment.starts_with(*begin) && segment.ends_with(*end))
}

fn begins_with(segments: &[SegmentPattern], base: &[String]) -> bool {
    let is_same = |(segment, base): (&SegmentPattern, &String)| matches!(segment, SegmentPattern::Literal(own) if own == base);
    segments.len() >= base.len() && segments.iter().zip(base).all(is_same)
}

/// A path of this site without the base path of its app, as patterns are written.
fn within<'p>(framework: Option<&Framework>, path: &'p str) -> &'p str {
    let base_path: String = framework
        .iter()
        .flat_map(|framework| &framework.base_path)
        .flat_map(|segment| ["/", segment.as_str()])
        .collect();
    path.strip_prefix(base_path.as_str())
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .unwrap_or(path)
}
