//! JSON object signing and encryption: algorithms, keys, tokens (parsed, unverified), signatures,
//! claims.

pub(crate) mod alg;
pub(crate) mod claims;
pub(crate) mod curve;
pub(crate) mod ed25519;
pub(crate) mod jwe;
pub(crate) mod jwk;
pub(crate) mod jws;
pub(crate) mod platform;
pub(crate) mod sign;
pub(crate) mod verify;
