//! What a request asks for, so that it asks once.

/// What an effect is about: a request asks at most once per key, and once more about a session to
/// which something has happened meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EffectKey {
    purpose: &'static str,
    subject: Subject,
}

/// Of several that one purpose has: by number, or by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Only,
    Number(usize),
    Digest([u8; 32]),
}

impl EffectKey {
    /// There is one for each request.
    pub(super) const fn only(purpose: &'static str) -> Self {
        Self { purpose, subject: Subject::Only }
    }

    /// There is one for each number.
    pub(super) const fn numbered(purpose: &'static str, number: usize) -> Self {
        Self { purpose, subject: Subject::Number(number) }
    }

    /// There is one for each digest.
    pub(super) const fn by_digest(purpose: &'static str, digest: [u8; 32]) -> Self {
        Self { purpose, subject: Subject::Digest(digest) }
    }
}
