//! `deny_list`: what the operator has revoked.

use super::Compiler;
use super::reader::Node;
use super::url::is_fetchable;
use crate::policy::{DenyListPolicy, DenyListSource};
use crate::time::Seconds;

const USUAL_KEY: &str = "doorward-deny-list";
/// One small request in half a minute and instance.
const USUAL_REFRESH: u32 = 30;
/// An outage that is noticed and mended within minutes refuses nobody.
const USUAL_MAX_STALE: u32 = 300;
/// Who was revoked an hour ago is out.
const MOST_REFRESH: u32 = 3600;
const MOST_STALE: u32 = 86_400;

impl Compiler<'_> {
    pub(super) fn deny_list(&mut self, root: &Node<'_>) -> Option<DenyListPolicy> {
        let node = root.member("deny_list").filter(|node| !node.value.is_null())?;
        self.reader.only_members(
            &node,
            &["url", "token", "store", "key", "refresh_seconds", "max_stale_seconds"],
        );
        let refresh =
            self.reader.number(&node, "refresh_seconds", 1, MOST_REFRESH).unwrap_or(USUAL_REFRESH);
        let max_stale = self
            .reader
            .number(&node, "max_stale_seconds", 1, MOST_STALE)
            .unwrap_or(USUAL_MAX_STALE);
        if max_stale < refresh.saturating_mul(2) {
            self.reader.wrong(
                &node.path_of("max_stale_seconds"),
                "the list would be of no use before there can be a newer one",
                "write at least twice \"refresh_seconds\"",
            );
        }
        let (url, store) = (self.reader.optional_text(&node, "url"), self.store(&node));
        let token = node.member("token").filter(|token| !token.value.is_null());
        let source = match (url, store) {
            (Some(url), None) => {
                if !is_fetchable(&url) {
                    let hint = "use https; http is for loopback addresses only";
                    self.reader.wrong(&node.path_of("url"), "this is not an https URL", hint);
                }
                DenyListSource::Url(url, token.and_then(|token| self.authorization(&token)))
            }
            (None, Some(name)) => {
                let key =
                    self.reader.optional_text(&node, "key").unwrap_or_else(|| USUAL_KEY.to_owned());
                DenyListSource::Store { name, key }
            }
            (url, _) => {
                let (problem, hint) = if url.is_some() {
                    ("the list comes from two places", "leave \"url\" or \"store\" out")
                } else {
                    ("the list comes from nowhere", "give \"url\" or \"store\"")
                };
                self.reader.wrong(&node.path, problem, hint);
                return None;
            }
        };
        let is_url = matches!(source, DenyListSource::Url(..));
        for (name, belongs) in [("token", is_url), ("key", !is_url)] {
            if !belongs && node.member(name).is_some_and(|member| !member.value.is_null()) {
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

    /// What the server of the list takes us by (RFC 6750 section 2.1).
    fn authorization(&mut self, token: &Node<'_>) -> Option<String> {
        let value = self.secret_value(token)?;
        let value = value.trim();
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.reader.wrong(
                &token.path,
                "this is not a token for a header",
                "use visible characters without spaces",
            );
        }
        Some(["Bearer ", value].concat())
    }
}
