//! What a request asks for, so that it asks once.

use crate::cache::sessions::CredentialDigest;
use crate::policy::issuer::IssuerId;

/// What an effect is about: a request asks at most once per key, and once more about a session to
/// which something has happened meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EffectKey {
    purpose: &'static str,
    subject: Subject,
}

/// Of several that one purpose has: by issuer, or by credential.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Only,
    Issuer(IssuerId),
    Credential(CredentialDigest),
}

impl EffectKey {
    /// There is one for each request.
    pub(super) const fn only(purpose: &'static str) -> Self {
        Self { purpose, subject: Subject::Only }
    }

    /// There is one for each issuer.
    pub(super) const fn by_issuer(purpose: &'static str, issuer: IssuerId) -> Self {
        Self { purpose, subject: Subject::Issuer(issuer) }
    }

    /// There is one for each credential.
    pub(super) const fn by_credential(purpose: &'static str, credential: CredentialDigest) -> Self {
        Self { purpose, subject: Subject::Credential(credential) }
    }
}
