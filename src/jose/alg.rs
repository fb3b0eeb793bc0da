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

/// What a host can carry for the engine.
///
/// EdDSA is always checked inside, and ES256 inside as well unless the host declares it. Every
/// other algorithm is only available where the host declares it: an engine never accepts what
/// nobody can check.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    checks: Vec<Algorithm>,
    signs: Vec<Algorithm>,
    stores: Vec<String>,
    shares: bool,
    tells: bool,
    marks: bool,
}

impl Capabilities {
    /// A host that carries fetches and waits, and no signature check.
    pub fn none() -> Self {
        Self::default()
    }

    /// A host that also checks signatures of these algorithms when asked.
    pub fn checking(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self {
            checks: algorithms
                .into_iter()
                .filter(|algorithm| *algorithm != Algorithm::EdDSA)
                .collect(),
            ..Self::default()
        }
    }

    /// The same host, which also signs with these algorithms when asked.
    #[must_use]
    pub fn and_signing(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self { signs: algorithms.into_iter().collect(), ..self }
    }

    /// The same host, which also reads stores of these names when asked.
    #[must_use]
    pub fn and_stores(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { stores: names.into_iter().collect(), ..self }
    }

    /// Whether the host has a store of this name.
    pub fn has_store(&self, name: &str) -> bool {
        self.stores.iter().any(|own| own == name)
    }

    /// The same host, which also looks into a cache that instances share, and keeps there what
    /// [`crate::Engine::cache_writes`] gives.
    #[must_use]
    pub fn and_sharing(self) -> Self {
        Self { shares: true, ..self }
    }

    /// Whether the host has a cache that instances share.
    pub fn shares(&self) -> bool {
        self.shares
    }

    /// The same host, which also tells its application whom the gate has found
    /// ([`crate::Forward::identity`]).
    #[must_use]
    pub fn and_telling(self) -> Self {
        Self { tells: true, ..self }
    }

    /// Whether the host tells its application whom the gate has found.
    pub fn tells(&self) -> bool {
        self.tells
    }

    /// The same host, whose application is another process that shares a secret with the gate: it
    /// is told by a mark. The secret is the value of [`crate::MARK_SECRET`], otherwise it is
    /// derived from the first Better Auth secret.
    #[must_use]
    pub fn and_marking(self) -> Self {
        Self { marks: true, ..self }
    }

    /// Whether the host's application is told by a mark.
    pub fn marks(&self) -> bool {
        self.marks
    }

    /// Whether the host signs with `algorithm`.
    pub fn signs(&self, algorithm: Algorithm) -> bool {
        self.signs.contains(&algorithm)
    }

    /// Whether the host checks signatures of `algorithm`.
    pub fn checks(&self, algorithm: Algorithm) -> bool {
        self.checks.contains(&algorithm)
    }
}
