//! `deny_list`: what the operator has revoked.

use super::compiler::Compiler;
use super::reader::Node;
use super::table::DENY_LIST;
use super::url::is_fetchable;
use crate::policy::{DenyListPolicy, DenyListSource};
use crate::time::Seconds;

const USUAL_KEY: &str = "doorward-deny-list";

impl Compiler<'_> {
    pub(super) fn deny_list(&mut self, root: &Node<'_>) -> Option<DenyListPolicy> {
        let node = root.member("deny_list")?;
        let refresh = node.number(&DENY_LIST, "refresh_seconds");
        let max_stale = node.number(&DENY_LIST, "max_stale_seconds");
        if max_stale < refresh.saturating_mul(2) {
            self.reader.wrong(
                &node.path_of("max_stale_seconds"),
                "the list would be of no use before there can be a newer one",
                "write at least twice \"refresh_seconds\"",
            );
        }
        let source = self.deny_list_source(&node)?;
        let is_url = matches!(source, DenyListSource::Url(..));
        for (name, belongs) in [("token", is_url), ("key", !is_url)] {
            if !belongs && node.has(name) {
                let hint = "\"token\" belongs to \"url\", \"key\" to \"store\"";
                self.reader.wrong(
                    &node.path_of(name),
                    "this is for a list from another place",
                    hint,
                );
            }
        }
        Some(DenyListPolicy {
            source,
            refresh: Seconds::new(refresh),
            max_stale: Seconds::new(max_stale),
        })
    }

    fn deny_list_source(&mut self, node: &Node<'_>) -> Option<DenyListSource> {
        let (problem, hint) = match (node.has("url"), node.has("store")) {
            (true, false) => {
                let url = node.text("url")?;
                if !is_fetchable(url) {
                    let hint = "use https; http is for loopback addresses only";
                    self.reader.wrong(&node.path_of("url"), "this is not an https URL", hint);
                }
                let token = node
                    .text("token")
                    .and_then(|token| self.authorization(&node.path_of("token"), token));
                return Some(DenyListSource::Url(url.to_owned(), token));
            }
            (false, true) => {
                let key = node.text("key").unwrap_or(USUAL_KEY).to_owned();
                return Some(DenyListSource::Store { name: self.store(node)?, key });
            }
            (true, true) => ("the list comes from two places", "leave \"url\" or \"store\" out"),
            (false, false) => ("the list comes from nowhere", "give \"url\" or \"store\""),
        };
        self.reader.wrong(&node.path, problem, hint);
        None
    }

    /// What the server of the list takes us by (RFC 6750 section 2.1).
    fn authorization(&mut self, path: &str, token: &str) -> Option<String> {
        let value = token.trim();
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.reader.wrong(
                path,
                "this is not a token for a header",
                "use visible characters without spaces",
            );
        }
        Some(["Bearer ", value].concat())
    }
}
