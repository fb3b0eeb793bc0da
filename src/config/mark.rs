//! The secret of the marks. No member of the document names it: the application that reads them has
//! no document.

use std::sync::Arc;

use super::compiler::Compiler;
use crate::jose::verify::Secret;
use crate::policy::auth_service::AuthService;

/// The environment variable with the secret of the marks, where there is no Better Auth secret to
/// derive one from or the two processes do not both have it. At least 32 bytes.
pub const MARK_SECRET: &str = "DOORWARD_MARK_SECRET";

/// What HKDF is told about the use of the key.
const USE: &[u8] = b"doorward mark 1";

impl Compiler<'_> {
    /// The key of the marks; nothing where the host wants none, and with a warning where there is
    /// no secret.
    pub(super) fn mark(&mut self, services: &[Arc<AuthService>]) -> Option<Secret> {
        if !self.capabilities.marks() {
            return None;
        }
        let own = self
            .reader
            .values
            .get(MARK_SECRET)
            .filter(|value| !value.trim().is_empty())
            .map(|value| Secret::new(value));
        if own.as_ref().is_some_and(Secret::is_short) {
            self.reader.wrong(
                MARK_SECRET,
                "the secret is shorter than 32 bytes",
                "make a longer one: openssl rand -base64 32",
            );
        }
        if let Some(own) = &own {
            self.reader.note_secret(MARK_SECRET, own);
        }
        let secret =
            own.or_else(|| services.iter().find_map(|service| service.secrets.current.clone()));
        if secret.is_none() {
            self.reader.warn(
                MARK_SECRET,
                "there is no secret for marks, so `session()` finds no session and throws",
                "set it for gate and application, at least 32 bytes: openssl rand -base64 32",
            );
        }
        secret?.derived(USE)
    }
}
