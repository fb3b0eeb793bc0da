//! `storage`: where a Better Auth service keeps its sessions; and stores of the host's, by name.

use super::compiler::Compiler;
use super::reader::Node;
use super::table::STORAGE;
use crate::policy::auth_service::{Secrets, Storage};
use crate::time::Seconds;

impl Compiler<'_> {
    pub(super) fn storage(&mut self, issuer: &Node<'_>, secrets: &Secrets) -> Option<Storage> {
        let node = issuer.member("storage")?;
        let store = self.store(&node);
        // Any text may stand in a cookie: without a signature anybody could look up anything.
        if secrets.current.is_none() {
            let hint = "give \"secret\", by which the signature of a session token is checked \
                before it is looked up";
            self.reader.wrong(&node.path, "tokens without a signature would be looked up", hint);
        }
        let prefix = node.text("prefix").unwrap_or_default().to_owned();
        Some(Storage {
            store: store?,
            prefix,
            lag: Seconds::new(node.number(&STORAGE, "lag_seconds")),
        })
    }

    /// The name of a store that the host has.
    pub(super) fn store(&mut self, node: &Node<'_>) -> Option<String> {
        let name = node.text("store")?;
        if !self.capabilities.has_store(name) {
            self.reader.wrong(
                &node.path_of("store"),
                format!("this host has no store {name:?}"),
                "bind a KV namespace of this name (Cloudflare), or give the option `stores` a \
                 function of this name (JavaScript)",
            );
        }
        Some(name.to_owned())
    }
}
