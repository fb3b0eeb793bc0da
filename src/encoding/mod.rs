//! Encodings: base64url and percent escapes, JSON without surprises, digests for names.

pub(crate) mod digest;
pub(crate) mod json;
pub(crate) mod text;
