//! `matcher` of Next's `config`: which paths reach the gate. Next makes a regular expression of each
//! by path-to-regexp 6; so does this, for the forms that its documentation has.

use crate::functions::Carrier;
use crate::project::javascript::{Literal, is_letter};
use crate::project::place::Place;

/// A matcher.
#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    pub(crate) place: Place,
    carrier: Carrier,
    /// Nothing where it could not be read.
    expression: Option<String>,
    /// Whether it also asks for headers or cookies: then it leaves out what does not have them.
    has_conditions: bool,
}

impl Matcher {
    fn new(carrier: &Carrier, source: &str, place: Place, has_conditions: bool) -> Self {
        let (carrier, expression) = (carrier.clone(), expression(source));
        Self { place, carrier, expression, has_conditions }
    }

    /// Whether a path reaches the gate by it; nothing where that is not known.
    pub(crate) fn matches(&self, path: &str) -> Option<bool> {
        let is_match = self.carrier.matches(self.expression.as_deref()?, path)?;
        Some(!self.has_conditions && is_match)
    }
}

/// The matchers of `export const config`; nothing where they are computed. A matcher that is left
/// out lets everything reach the gate.
pub(crate) fn of_config(
    carrier: &Carrier,
    config: &Literal,
    place: impl Fn(usize) -> Place,
) -> Option<Vec<Matcher>> {
    let member = config.member("matcher")?;
    let one = |at: usize, value: &Literal| match value {
        Literal::Text(source) => Some(Matcher::new(carrier, source, place(at), false)),
        Literal::Object(_) => {
            let has_conditions = value.member("has").is_some() || value.member("missing").is_some();
            Some(Matcher::new(carrier, value.text("source")?, place(at), has_conditions))
        }
        _ => None,
    };
    match &member.value {
        Literal::Array(items) => items.iter().map(|(at, item)| one(*at, item)).collect(),
        value => one(member.at, value).map(|matcher| vec![matcher]),
    }
}

/// The regular expression of a path pattern: `:name`, `:name*`, `:name+`, `:name?`, `(…)`.
fn expression(source: &str) -> Option<String> {
    let mut out = String::from("^");
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        // What stands before a parameter belongs to it: a slash goes away with it.
        let (prefix, behind) = match rest.strip_prefix('/') {
            Some(behind) if behind.starts_with([':', '(']) => ("\\/", behind),
            _ if matches!(first, ':' | '(') => ("", rest),
            _ => {
                push_literal(&mut out, first);
                rest = rest.get(first.len_utf8()..)?;
                continue;
            }
        };
        let (pattern, behind) = parameter(behind)?;
        let (modifier, behind) = match behind.chars().next() {
            Some(modifier @ ('*' | '+' | '?')) => (Some(modifier), behind.get(1..)?),
            _ => (None, behind),
        };
        out.push_str(&match modifier {
            None => format!("{prefix}({pattern})"),
            Some('?') => format!("(?:{prefix}({pattern}))?"),
            Some(modifier) => {
                let several = format!("(?:{prefix}((?:{pattern})(?:{prefix}(?:{pattern}))*))");
                if modifier == '*' { format!("{several}?") } else { several }
            }
        });
        rest = behind;
    }
    out.push_str("[\\/#\\?]?$");
    Some(out)
}

/// `:name`, `:name(…)` or `(…)`: its expression, and what is behind it.
fn parameter(text: &str) -> Option<(String, &str)> {
    let behind_name = match text.strip_prefix(':') {
        Some(behind) => {
            let end = behind.find(|c: char| !(is_letter(c) || c == '_'));
            behind.get(end.unwrap_or(behind.len())..)?
        }
        None => text,
    };
    let Some(inner) = behind_name.strip_prefix('(') else {
        return Some(("[^\\/#\\?]+?".to_owned(), behind_name));
    };
    let mut depth = 1_usize;
    let mut escaped = false;
    for (index, character) in inner.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let pattern = inner.get(..index)?.to_owned();
            return Some((pattern, inner.get(index.saturating_add(1)..)?));
        }
    }
    None
}

fn push_literal(out: &mut String, character: char) {
    if !is_letter(character) && character != '_' && character != '-' {
        out.push('\\');
    }
    out.push(character);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers are those of Next's own compiled path-to-regexp (6.3.0).
    #[test]
    fn paths_are_matched_as_next_does() {
        let cases: [(&str, &[&str], &[&str]); 8] = [
            (
                "/((?!_next/static/).*)",
                &["/", "/a", "/a/b", "/_next/data/x"],
                &["/_next/static/a.js"],
            ),
            (
                "/((?!api|_next/static|_next/image|favicon.ico).*)",
                &["/", "/dashboard"],
                &["/api/notes", "/apiary"],
            ),
            (
                "/dashboard/:path*",
                &["/dashboard", "/dashboard/", "/dashboard/a/b"],
                &["/", "/dashboards", "/a/dashboard"],
            ),
            ("/dashboard/:path+", &["/dashboard/a"], &["/dashboard"]),
            ("/about/:path?", &["/about", "/about/a"], &["/about/a/b"]),
            ("/dashboard", &["/dashboard", "/dashboard/"], &["/dashboard/a", "/"]),
            ("/:path*", &["/", "/a", "/a/b"], &[]),
            ("/(api|trpc)(.*)", &["/api", "/api/x", "/trpc.a"], &["/a", "/x/api"]),
        ];
        let carrier = crate::functions::tests::carrier();
        let mut count = 0;
        for (source, inside, outside) in cases {
            let matcher = Matcher::new(&carrier, source, Place::file("proxy.ts"), false);
            for (paths, expected) in [(inside, true), (outside, false)] {
                for path in paths {
                    assert_eq!(matcher.matches(path), Some(expected), "{source} {path}");
                    count += 1;
                }
            }
        }
        println!("{count} paths");
    }
}
