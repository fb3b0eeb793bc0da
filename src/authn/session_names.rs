//! Names of sessions and of their credentials: digests under which something is remembered.

use crate::cache::session_events::SessionName;
use crate::encoding::digest;
use crate::policy::issuer::Issuer;

/// The name under which is kept what the auth service says about a credential.
pub(crate) fn digest_of(issuer: &Issuer, header: &str, value: &str) -> [u8; 32] {
    digest::of_parts(&[issuer.name.as_bytes(), header.as_bytes(), value.as_bytes()])
}

/// The name of a session, whichever credential names it.
pub(crate) fn name_of(issuer: &Issuer, token: &str) -> SessionName {
    digest::of_parts(&[issuer.name.as_bytes(), b"session", token.as_bytes()])
}

/// The session token in a signed cookie: what stands before the last dot.
pub(crate) fn token_of(value: &str) -> &str {
    value.rsplit_once('.').map_or(value, |(token, _)| token)
}
