//! `storage`: where a Better Auth service keeps its sessions; and stores of the host's, by name.

use super::Compiler;
use super::reader::Node;
use crate::policy::{Secrets, Storage};
use crate::time::Seconds;

/// Workers KV shows a change elsewhere within a minute.
const USUAL_LAG: Seconds = Seconds::new(60);
const MOST_LAG: u32 = 3600;

impl Compiler<'_> {
    pub(super) fn storage(&mut self, issuer: &Node<'_>, secrets: &Secrets) -> Option<Storage> {
        let node = issuer.member("storage").filter(|node| !node.value.is_null())?;
        self.reader.only_members(&node, &["store", "prefix", "lag_seconds"]);
        let store = self.store(&node);
        if store.is_none() {
            self.reader.wrong(
                &node.path_of("store"),
                "the store has no name",
                "write the name of a store that the host has",
            );
        }
        // Any text may stand in a cookie: without a signature anybody could look up anything.
        if secrets.current.is_none() {
            let hint = "give \"secret\", by which the signature of a session token is checked before it is looked up";
            self.reader.wrong(&node.path, "tokens that nobody has signed would be looked up", hint);
        }
        let prefix = self.reader.optional_text(&node, "prefix").unwrap_or_default();
        let lag = self.reader.seconds(&node, "lag_seconds", MOST_LAG).unwrap_or(USUAL_LAG);
        Some(Storage { store: store?, prefix, lag })
    }

    /// The name of a store that the host has. It stands in the document itself: the host is asked
    /// for it before there are values.
    pub(super) fn store(&mut self, node: &Node<'_>) -> Option<String> {
        let member = node.member("store").filter(|member| !member.value.is_null())?;
        let Some(name) = member.value.as_str().filter(|name| !name.is_empty()) else {
            self.reader.wrong(
                &member.path,
                "this is not the name of a store",
                "write the name itself, like \"SESSIONS\"",
            );
            return Some(String::new());
        };
        if !self.capabilities.has_store(name) {
            self.reader.wrong(
                &member.path,
                format!("this host has no store {name:?}"),
                "bind a KV namespace of this name (Cloudflare), or give the option `stores` a function of this name (JavaScript)",
            );
        }
        Some(name.to_owned())
    }
}
