//! Encodings: base64, percent escapes, JSON without surprises, digests for names.

pub(crate) mod ascii;
pub(crate) mod base64;
pub(crate) mod digest;
pub(crate) mod json;
pub(crate) mod members;
pub(crate) mod percent;
