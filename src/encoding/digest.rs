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

/// Makes a type of its own of what is named by a SHA-256: a digest of one kind is none of another.
macro_rules! digest_type {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) struct $Name([u8; 32]);

        #[allow(dead_code)] // not every kind is made in every way
        impl $Name {
            /// One that is known already.
            pub(crate) const fn new(digest: [u8; 32]) -> Self {
                Self(digest)
            }

            /// Of these parts, each preceded by its length.
            fn of_parts(parts: &[&[u8]]) -> Self {
                Self($crate::encoding::digest::of_parts(parts))
            }

            pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }
    };
}
pub(crate) use digest_type;
