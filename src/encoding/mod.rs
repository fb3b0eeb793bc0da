//! Encodings: base64, percent escapes, JSON without surprises, digests for names; and collections
//! that need no code of their own.

pub(crate) mod ascii;
pub(crate) mod base64;
pub(crate) mod collections;
pub(crate) mod digest;
pub(crate) mod json;
pub(crate) mod members;
pub(crate) mod percent;
