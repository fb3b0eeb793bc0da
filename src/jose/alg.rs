//! The algorithm registry: one row each (RFC 7518 section 3.1, RFC 8037 section 3.1).
//!
//! There is no row for `none` and none for HMAC: a key set brings public keys only, and the HMAC of
//! Better Auth's cookies is pinned where those cookies are read. Algorithm confusion is therefore
//! not representable here.

/// How a signature is made and checked: all that a platform has to be told, whatever a JWS calls
/// it. A signature is the bytes that a JWS has: for ECDSA r and s side by side, each as long as the
/// curve's order, and no DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive] // post-quantum kinds are being registered
pub enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    RsaPkcs1 {
        /// The hash of what is signed.
        hash: HashFunction,
    },
    /// RSASSA-PSS (RFC 8017 section 8.1).
    RsaPss {
        /// The hash of what is signed, and that of MGF1.
        hash: HashFunction,
        /// The length of the salt.
        salt_bytes: u32,
    },
    /// ECDSA (FIPS 186-5 section 6).
    Ecdsa {
        /// The curve, as `crv` names it.
        curve: &'static str,
        /// The hash of what is signed.
        hash: HashFunction,
    },
    /// EdDSA (RFC 8032), not prehashed.
    EdDsa {
        /// The curve, as `crv` names it.
        curve: &'static str,
    },
}

/// A hash function of a signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are those of FIPS 180-4
pub enum HashFunction {
    Sha256,
    Sha384,
    Sha512,
}

/// The kind of key that a scheme needs (`kty`, RFC 7518 section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum KeyType {
    Okp,
    Ec,
    Rsa,
}

/// Names as a regular expression has them.
macro_rules! alternatives {
    ($first:ident $(, $name:ident)*) => {
        concat!("^(", stringify!($first), $("|", stringify!($name),)* ")$")
    };
}

/// Makes the enum of the rows, and what is looked up in them.
macro_rules! algorithms {
    ($($Name:ident $(| $alias:ident)*: $scheme:expr,)+) => {
        /// A signature algorithm that a key of a JWKS may have: the name that a JWS has for a
        /// [`SignatureScheme`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[allow(missing_docs)] // the names are the registry's
        pub enum Algorithm { $($Name,)+ }

        impl Algorithm {
            /// A regular expression of all names.
            pub(crate) const PATTERN: &str = alternatives!($($Name $(, $alias)*),+);

            /// Every algorithm, in the registry's order.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$Name),+].into_iter()
            }

            /// The algorithm of this exact name. Names are case-sensitive (RFC 7515 section 4.1.1).
            pub fn from_name(name: &str) -> Option<Self> {
                Self::all().find(|algorithm| algorithm.names().contains(&name))
            }

            /// The registered name.
            pub fn name(self) -> &'static str {
                self.names().first().copied().unwrap_or_default()
            }

            /// The registered name, and others that are registered for the same.
            const fn names(self) -> &'static [&'static str] {
                match self { $(Self::$Name => &[stringify!($Name) $(, stringify!($alias))*],)+ }
            }

            /// How its signatures are made and checked.
            pub const fn scheme(self) -> SignatureScheme {
                match self { $(Self::$Name => $scheme,)+ }
            }
        }
    };
}

use HashFunction::{Sha256, Sha384, Sha512};
use SignatureScheme::{Ecdsa, EdDsa, RsaPkcs1, RsaPss};

// The registry. Each row: the name, other names of the same, and the scheme.
algorithms! {
    EdDSA | Ed25519: EdDsa { curve: "Ed25519" }, // RFC 9864 has the second
    ES256: Ecdsa { curve: "P-256", hash: Sha256 },
    ES384: Ecdsa { curve: "P-384", hash: Sha384 },
    ES512: Ecdsa { curve: "P-521", hash: Sha512 },
    RS256: RsaPkcs1 { hash: Sha256 },
    RS384: RsaPkcs1 { hash: Sha384 },
    RS512: RsaPkcs1 { hash: Sha512 },
    PS256: RsaPss { hash: Sha256, salt_bytes: 32 },
    PS384: RsaPss { hash: Sha384, salt_bytes: 48 },
    PS512: RsaPss { hash: Sha512, salt_bytes: 64 },
}

impl SignatureScheme {
    /// The name of its kind, in the Web Cryptography API where that has one name for it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::RsaPkcs1 { .. } => "RSASSA-PKCS1-v1_5",
            Self::RsaPss { .. } => "RSA-PSS",
            Self::Ecdsa { .. } => "ECDSA",
            Self::EdDsa { .. } => "EdDSA",
        }
    }

    /// The curve, for elliptic keys.
    pub const fn curve(self) -> Option<&'static str> {
        match self {
            Self::Ecdsa { curve, .. } | Self::EdDsa { curve } => Some(curve),
            Self::RsaPkcs1 { .. } | Self::RsaPss { .. } => None,
        }
    }

    /// The hash function, where the kind leaves it open.
    pub const fn hash(self) -> Option<HashFunction> {
        match self {
            Self::RsaPkcs1 { hash } | Self::RsaPss { hash, .. } | Self::Ecdsa { hash, .. } => {
                Some(hash)
            }
            Self::EdDsa { .. } => None,
        }
    }

    /// The length of the salt, for RSASSA-PSS.
    pub const fn salt_bytes(self) -> Option<u32> {
        match self {
            Self::RsaPss { salt_bytes, .. } => Some(salt_bytes),
            _ => None,
        }
    }

    /// The kind of key that it needs.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::RsaPkcs1 { .. } | Self::RsaPss { .. } => KeyType::Rsa,
            Self::Ecdsa { .. } => KeyType::Ec,
            Self::EdDsa { .. } => KeyType::Okp,
        }
    }

    /// Whether a platform that has these parts has the scheme. Parts are kinds, curves and hash
    /// functions by their names.
    pub fn is_made_of(self, parts: &[impl AsRef<str>]) -> bool {
        let has = |name: &str| parts.iter().any(|part| part.as_ref() == name);
        has(self.kind())
            && self.curve().is_none_or(has)
            && self.hash().is_none_or(|hash| has(hash.name()))
    }
}

impl HashFunction {
    /// The name that the Web Cryptography API has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }
}
