//! `framework`: what is known of an origin whose framework is known.

use super::compiler::Compiler;
use super::reader::Node;
use crate::http::path;
use crate::http::path::framework::{Framework, KINDS, Kind};

impl Compiler<'_> {
    pub(super) fn framework(&mut self, root: &Node<'_>) -> Option<Framework> {
        let node = root.member("framework")?;
        let name = node.value.as_str().or_else(|| node.text("name"));
        let kind = KINDS.iter().find(|(known, _)| Some(*known) == name).map(|(_, kind)| *kind);
        let base_path = node.text("base_path").unwrap_or_default();
        let base_segments =
            if base_path.is_empty() { Some(Vec::new()) } else { path::plain_segments(base_path) };
        let locales = node.texts("locales").unwrap_or_default();
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
