//! `next`: what is known of an origin that is Next.js.

use serde_json::Value;

use super::Compiler;
use super::reader::Node;
use crate::path::{self, Next};

impl Compiler<'_> {
    pub(super) fn next(&mut self, root: &Node<'_>) -> Option<Next> {
        let node = root.member("next").filter(|node| !matches!(node.value, Value::Null | Value::Bool(false)))?;
        self.reader.only_members(&node, &["base_path", "locales"]);
        let base_path = self.reader.optional_text(&node, "base_path").unwrap_or_default();
        let base_segments = if base_path.is_empty() { Some(Vec::new()) } else { path::plain_segments(&base_path) };
        let locales = self.reader.texts(&node, "locales").unwrap_or_default();
        if base_segments.is_none() || base_path.ends_with('/') {
            self.reader.wrong(&node.path_of("base_path"), "this is not the \"basePath\" of a Next.js app", "write it like /docs");
        }
        let is_locale = |locale: &String| locale.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !locales.iter().all(|locale| !locale.is_empty() && is_locale(locale)) {
            self.reader.wrong(
                &node.path_of("locales"),
                "this is not a locale",
                "write them as in \"i18n.locales\", like en or de-AT",
            );
        }
        let locales = locales.iter().map(|locale| locale.to_ascii_lowercase()).collect();
        base_segments.map(|base_path| Next { base_path, locales })
    }
}
