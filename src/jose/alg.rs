//! The algorithm registry: one row each (RFC 7518 section 3.1, RFC 8037 section 3.1).
//!
//! There is no row for `none` and none for HMAC: a key set brings public keys only, and the HMAC of
//! Better Auth's cookies is pinned where those cookies are read. Algorithm confusion is therefore
//! not representable here.

/// A signature algorithm that a key of a JWKS may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the registry's
pub enum Algorithm {
    EdDSA,
    ES256,
    ES384,
    ES512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
}

/// The kind of key that an algorithm needs (`kty`, RFC 7518 section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive] // post-quantum kinds are being registered
#[allow(missing_docs)]
pub enum KeyType {
    Okp,
    Ec,
    Rsa,
}

struct Row {
    algorithm: Algorithm,
    name: &'static str,
    key_type: KeyType,
    curve: Option<&'static str>,
}

const fn row(
    algorithm: Algorithm,
    name: &'static str,
    key_type: KeyType,
    curve: Option<&'static str>,
) -> Row {
    Row { algorithm, name, key_type, curve }
}

/// alg ↔ kty ↔ crv.
const REGISTRY: [Row; 10] = [
    row(Algorithm::EdDSA, "EdDSA", KeyType::Okp, Some("Ed25519")),
    row(Algorithm::ES256, "ES256", KeyType::Ec, Some("P-256")),
    row(Algorithm::ES384, "ES384", KeyType::Ec, Some("P-384")),
    row(Algorithm::ES512, "ES512", KeyType::Ec, Some("P-521")),
    row(Algorithm::RS256, "RS256", KeyType::Rsa, None),
    row(Algorithm::RS384, "RS384", KeyType::Rsa, None),
    row(Algorithm::RS512, "RS512", KeyType::Rsa, None),
    row(Algorithm::PS256, "PS256", KeyType::Rsa, None),
    row(Algorithm::PS384, "PS384", KeyType::Rsa, None),
    row(Algorithm::PS512, "PS512", KeyType::Rsa, None),
];

impl Algorithm {
    /// Every algorithm, in the registry's order.
    pub fn all() -> impl Iterator<Item = Self> {
        REGISTRY.iter().map(|row| row.algorithm)
    }

    /// The algorithm of this exact name. Names are case-sensitive (RFC 7515 section 4.1.1); RFC
    /// 9864's `Ed25519` is the fully specified name of what `EdDSA` means here.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDSA);
        }
        REGISTRY.iter().find(|row| row.name == name).map(|row| row.algorithm)
    }

    /// The registered name.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    /// The kind of key it needs.
    pub fn key_type(self) -> KeyType {
        self.row().map_or(KeyType::Okp, |row| row.key_type)
    }

    /// The curve it needs, for elliptic keys.
    pub fn curve(self) -> Option<&'static str> {
        self.row().and_then(|row| row.curve)
    }

    fn row(self) -> Option<&'static Row> {
        REGISTRY.iter().find(|row| row.algorithm == self)
    }
}
