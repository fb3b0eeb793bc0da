//! Signatures that the platform checks or makes, because its cryptography is faster than the core's
//! in WebAssembly: what it is given, and its verdict.

use std::fmt;
use std::sync::Arc;

use crate::jose::alg::SignatureScheme;

/// A signature for the platform to check.
pub struct SignatureCheck {
    /// How it was made.
    pub scheme: SignatureScheme,
    /// The public key as a JWK (RFC 7517) with just the members that define it: `kty`, `crv`, `x`,
    /// `y`, `n`, `e`.
    pub key: Arc<str>,
    /// The key's thumbprint (RFC 7638, SHA-256, base64url): a name under which an imported key may
    /// be kept.
    pub thumbprint: Arc<str>,
    /// What was signed.
    pub signing_input: Vec<u8>,
    /// The signature, in the form that [`SignatureScheme`] says.
    pub signature: Vec<u8>,
}

impl SignatureCheck {
    /// About how many bytes it keeps in memory.
    pub(crate) fn weight(&self) -> usize {
        self.signing_input.len().saturating_add(self.signature.len())
    }
}

impl fmt::Debug for SignatureCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCheck")
            .field("scheme", &self.scheme)
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

/// A signature for the platform to make. The key is the gate's own; it comes from the host's
/// environment and goes nowhere else.
pub struct SignatureRequest {
    /// How to make it.
    pub scheme: SignatureScheme,
    /// The private key as a JWK (RFC 7517). A secret.
    pub key: String,
    /// A name under which an imported key may be kept.
    pub kid: String,
    /// What to sign.
    pub input: Vec<u8>,
}

impl fmt::Debug for SignatureRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureRequest")
            .field("scheme", &self.scheme)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// What a host was asked to check, and its verdict: it counts for nothing else. A failure is no
/// verdict.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) check: SignatureCheck,
    pub(crate) verdict: Option<bool>,
    /// Whether the platform does not have the scheme: a token chooses its own.
    pub(crate) is_unsupported: bool,
}
