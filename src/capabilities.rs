//! What a host is able to do, as it declares when it starts.

use crate::jose::alg::{Algorithm, SignatureScheme};

/// What a host can perform for the engine.
///
/// Signatures are declared by their schemes, not by the names of algorithms: a platform knows kinds
/// of signatures, curves and hash functions, and the core knows which algorithms these make. EdDSA
/// is always checked inside, and ES256 inside as well unless the host declares its scheme. Every
/// other algorithm is only available where the host declares its scheme: an engine never accepts
/// what nobody can check.
#[derive(Debug, Clone, Default)]
pub struct Capabilities {
    checks: Vec<Algorithm>,
    signs: Vec<Algorithm>,
    stores: Vec<String>,
    shares: bool,
    tells: bool,
    marks: bool,
    fetches_pages: bool,
    measures: bool,
}

impl Capabilities {
    /// A host that performs fetches and waits, and no signature check.
    pub fn none() -> Self {
        Self::default()
    }

    /// A host that also checks signatures of the schemes for which this is true, when asked.
    pub fn checking(has: impl Fn(SignatureScheme) -> bool) -> Self {
        let mut checks = algorithms_of(&has);
        checks.retain(|algorithm| *algorithm != Algorithm::EdDSA);
        Self { checks, ..Self::default() }
    }

    /// The same host, which also signs by the schemes for which this is true, when asked.
    #[must_use]
    pub fn and_signing(self, has: impl Fn(SignatureScheme) -> bool) -> Self {
        Self { signs: algorithms_of(&has), ..self }
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

    /// The same host, which sends requests on over connections of its own and so can fetch a page
    /// of the application when asked: an [`crate::Fetch`] whose `url` is a path is for its own
    /// origin.
    #[must_use]
    pub fn and_fetching_pages(self) -> Self {
        Self { fetches_pages: true, ..self }
    }

    /// Whether the host fetches pages of the application.
    pub fn fetches_pages(&self) -> bool {
        self.fetches_pages
    }

    /// The same host, which also wants to have counted what is decided, verified and asked for
    /// ([`crate::Engine::measurements`], [`crate::Engine::prometheus`]).
    #[must_use]
    pub fn and_measuring(self) -> Self {
        Self { measures: true, ..self }
    }

    /// Whether the host wants to have that counted.
    pub fn measures(&self) -> bool {
        self.measures
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

/// The algorithms whose schemes a host has.
fn algorithms_of(has: &dyn Fn(SignatureScheme) -> bool) -> Vec<Algorithm> {
    Algorithm::all().filter(|algorithm| has(algorithm.scheme())).collect()
}
