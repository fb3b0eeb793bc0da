//! What a host is able to do, as it declares when it starts.

use crate::jose::alg::Algorithm;

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
