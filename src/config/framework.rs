//! `framework`: what is known of an origin whose framework is known.

use serde_json::Value;

use super::Compiler;
use super::reader::Node;
use crate::http::path;
use crate::http::path::framework::{Framework, KINDS, Kind};

impl Compiler<'_> {
    pub(super) fn framework(&mut self, root: &Node<'_>) -> Option<Framework> {
        // That there is none of this name has been said.
        if let Some(error) = self.reader.errors.iter_mut().find(|error| error.path == "next") {
            "this member has another name now".clone_into(&mut error.problem);
            error.hint = "write \"framework\": \"next\", or \"framework\": {\"name\": \"next\", \"base_path\": …}".to_owned();
        }
        let node = root
            .member("framework")
            .filter(|node| !matches!(node.value, Value::Null | Value::Bool(false)))?;
        let words: Vec<(&str, Option<Kind>)> =
            KINDS.iter().map(|(name, kind)| (*name, Some(*kind))).chain([("none", None)]).collect();
        if node.value.is_string() {
            let kind = self.reader.word(root, "framework", &words)??;
            return Some(Framework { kind, base_path: Vec::new(), locales: Vec::new() });
        }
        self.reader.only_members(&node, &["name", "base_path", "locales"]);
        if node.value.is_object() && node.member("name").is_none_or(|name| name.value.is_null()) {
            let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
            self.reader.wrong(
                &node.path_of("name"),
                "this does not say which framework it is",
                format!("known: {}", names.join(", ")),
            );
        }
        let kind = self.reader.word(&node, "name", &words).flatten();
        let base_path = self.reader.optional_text(&node, "base_path").unwrap_or_default();
        let base_segments =
            if base_path.is_empty() { Some(Vec::new()) } else { path::plain_segments(&base_path) };
        let locales = self.reader.texts(&node, "locales").unwrap_or_default();
        if base_segments.is_none() || base_path.ends_with('/') {
            self.reader.wrong(
                &node.path_of("base_path"),
                "this is not the base path of an app",
                "write it like /docs",
            );
        }
        let is_locale = |locale: &String| {
            locale.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if !locales.iter().all(|locale| !locale.is_empty() && is_locale(locale)) {
            self.reader.wrong(
                &node.path_of("locales"),
                "this is not a locale",
                "write them as in \"i18n.locales\", like en or de-AT",
            );
        }
        if !locales.is_empty() && kind != Some(Kind::Next) {
            self.reader.wrong(
                &node.path_of("locales"),
                "only Next.js takes a locale off a path before it looks for the page",
                "leave it out, and write the locale in the patterns, or :locale",
            );
        }
        let locales = locales.iter().map(|locale| locale.to_ascii_lowercase()).collect();
        Some(Framework { kind: kind?, base_path: base_segments?, locales })
    }
}
