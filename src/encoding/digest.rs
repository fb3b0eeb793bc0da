//! SHA-256 as a name for things: keys (RFC 7638), sessions, signatures. Nothing is decided here.

use sha2::{Digest as _, Sha256};

/// The SHA-256 of these parts, each preceded by its length so that no two lists share a digest.
pub(crate) fn of_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The plain SHA-256.
pub(crate) fn of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
