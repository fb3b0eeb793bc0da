//! `rules`: what is asked of whom.

use super::Compiler;
use super::reader::Node;
use super::url::is_token;
use crate::path::{self, Next};
use crate::policy::{Access, AnswerStyle, Issuer, Pattern, Rule, SegmentPattern};

impl Compiler<'_> {
    pub(super) fn rules(
        &mut self,
        root: &Node<'_>,
        issuers: &[Issuer],
        next: Option<&Next>,
        base_path: Option<&str>,
    ) -> Vec<Rule> {
        let nodes = root.member("rules").map(|list| list.items()).unwrap_or_default();
        if nodes.is_empty() {
            self.reader.wrong(
                "rules",
                "there are no rules, so every request would be denied",
                "add {\"path\": \"/**\", \"access\": \"required\"}",
            );
        }
        nodes.iter().filter_map(|node| self.rule(node, issuers, next, base_path)).collect()
    }

    fn rule(&mut self, node: &Node<'_>, issuers: &[Issuer], next: Option<&Next>, base_path: Option<&str>) -> Option<Rule> {
        self.reader.only_members(node, &["path", "methods", "access", "issuers", "answer"]);
        let access = self.reader.word(
            node,
            "access",
            &[("public", Access::Public), ("optional", Access::Optional), ("required", Access::Required)],
        );
        if access.is_none() && node.member("access").is_none() {
            self.reader.wrong(
                &node.path_of("access"),
                "the rule does not say what it asks",
                "write \"public\", \"optional\" or \"required\"",
            );
        }
        let paths = self.reader.texts(node, "path").unwrap_or_default();
        if paths.is_empty() {
            self.reader.wrong(&node.path_of("path"), "the rule covers no path", "write a pattern like /app/**");
        }
        let mut patterns = Vec::new();
        for path in &paths {
            match pattern(path, next, base_path) {
                Ok(pattern) => patterns.push(pattern),
                Err(hint) => self.reader.wrong(&node.path_of("path"), format!("the pattern {path:?} can match nothing"), hint),
            }
        }
        let methods = self.reader.texts(node, "methods");
        if methods
            .iter()
            .flatten()
            .any(|method| !is_token(method) || method.chars().any(|character| character.is_ascii_lowercase()))
        {
            self.reader.wrong(
                &node.path_of("methods"),
                "this is not an HTTP method",
                "methods are written in capitals: GET, POST",
            );
        }
        let believed = self.reader.texts(node, "issuers").map(|names| {
            let mut numbers = Vec::new();
            for name in &names {
                match issuers.iter().position(|issuer| issuer.name == *name) {
                    Some(number) => numbers.push(number),
                    None => self.reader.wrong(
                        &node.path_of("issuers"),
                        format!("there is no issuer {name:?}"),
                        "use the \"name\" of an issuer above",
                    ),
                }
            }
            numbers
        });
        let styles = [("auto", AnswerStyle::Auto), ("page", AnswerStyle::Page), ("api", AnswerStyle::Api)];
        let answer = self.reader.word(node, "answer", &styles).unwrap_or(AnswerStyle::Auto);
        Some(Rule { patterns, methods, access: access?, issuers: believed, answer })
    }
}

fn pattern(text: &str, next: Option<&Next>, auth_path: Option<&str>) -> Result<Pattern, &'static str> {
    let text = match text.strip_prefix("{auth}") {
        Some(rest) => {
            let auth_path = auth_path.ok_or("{auth} stands for the base path of a Better Auth issuer, and there is none")?;
            [within(next, auth_path), rest].concat()
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
        named if named.strip_prefix(':').is_some_and(is_token) => Ok(SegmentPattern::Any),
        wild if wild.contains('*') || wild.starts_with(':') => Err("* stands for a whole segment"),
        literal if path::is_segment(literal) => Ok(SegmentPattern::Literal(literal.to_owned())),
        _ => Err("write segments decoded (é, not %C3%A9) and without empty ones, dots, or characters that a path cannot have"),
    });
    let segments = segments.collect::<Result<Vec<_>, _>>()?;
    match (next, segments.first()) {
        (Some(next), Some(SegmentPattern::Literal(first))) if next.is_locale(first) => {
            Err("leave the locale out: it is taken off first")
        }
        _ => Ok(Pattern { segments, open }),
    }
}

/// A path of this site without the base path of its Next.js app, as patterns are written.
fn within<'p>(next: Option<&Next>, path: &'p str) -> &'p str {
    let base_path: String = next.iter().flat_map(|next| &next.base_path).flat_map(|segment| ["/", segment.as_str()]).collect();
    path.strip_prefix(base_path.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path)
}
