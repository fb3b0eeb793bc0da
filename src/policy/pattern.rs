//! Patterns of rules, and how they match paths.

use std::borrow::Cow;

/// A pattern over the decoded segments of a canonical path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<SegmentPattern>,
    /// Whether anything may follow (`/**`).
    pub(crate) open: bool,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SegmentPattern {
    /// Exactly this.
    Literal(String),
    /// Any one segment.
    Any,
}

/// How letters of a pattern are compared.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Case {
    /// One by one.
    Exact,
    /// As by routers that do not tell capitals from small letters.
    Any,
}

impl Pattern {
    /// Whether this matches every path that the other matches, letters compared so.
    pub(crate) fn covers(&self, other: &Self, case: Case) -> bool {
        let long_enough = match (self.open, other.open) {
            (true, _) => other.segments.len() >= self.segments.len(),
            (false, true) => false,
            (false, false) => other.segments.len() == self.segments.len(),
        };
        long_enough
            && self.segments.iter().zip(&other.segments).all(|pair| match pair {
                (SegmentPattern::Any, _) => true,
                (SegmentPattern::Literal(own), SegmentPattern::Literal(other)) => {
                    case.is_same(own, other)
                }
                (SegmentPattern::Literal(_), SegmentPattern::Any) => false,
            })
    }

    /// Whether its first so many segments are no placeholders.
    pub(crate) fn spells(&self, count: usize) -> bool {
        self.segments.get(..count).is_some_and(|start| {
            start.iter().all(|segment| matches!(segment, SegmentPattern::Literal(_)))
        })
    }

    /// Whether this matches a path of these segments.
    pub(super) fn matches(&self, segments: &[Cow<'_, str>], case: Case) -> bool {
        let long_enough = if self.open {
            segments.len() >= self.segments.len()
        } else {
            segments.len() == self.segments.len()
        };
        long_enough
            && self.segments.iter().zip(segments).all(|(pattern, segment)| match pattern {
                SegmentPattern::Any => true,
                SegmentPattern::Literal(literal) => case.is_same(literal, segment),
            })
    }
}

impl Case {
    fn is_same(self, literal: &str, segment: &str) -> bool {
        match self {
            Self::Exact => literal == segment,
            Self::Any if literal.is_ascii() && segment.is_ascii() => {
                literal.eq_ignore_ascii_case(segment)
            }
            Self::Any => small(literal) == small(segment),
        }
    }
}

/// In small letters. Routers that fold to capitals take U+017F for `S` and U+0131 for `I`; U+212A
/// is `k` by itself.
fn small(text: &str) -> String {
    text.replace('\u{17f}', "s").replace('\u{131}', "i").to_lowercase()
}
