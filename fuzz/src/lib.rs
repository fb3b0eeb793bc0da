//! What has to hold for any token, key set, cookie and request. Each target is a plain function
//! from bytes: libFuzzer calls it (`fuzz_targets/`), and so does `tests/fuzz_corpus.rs` for each
//! file that is kept.
//!
//! Bytes that nobody signed never get far, so targets sign what the fuzzer writes, with keys that
//! the engine trusts, and an oracle of a few lines says who it may be at most. Inputs are text, so
//! that seeds and findings can be read and written.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)] // a target that panics has found something; it is compiled into two crates

pub mod cookie_header;
pub mod decide;
pub mod jwk_set;
mod oracle;
pub mod session_data;
mod sign;
pub mod token;
mod world;

pub use world::End;

/// What a target makes of an input. It panics where something does not hold.
pub type Target = fn(&[u8]) -> End;

/// Every target.
pub const TARGETS: [(&str, Target); 5] = [
    ("token", token::run),
    ("jwk_set", jwk_set::run),
    ("cookie_header", cookie_header::run),
    ("session_data", session_data::run),
    ("decide", decide::run),
];
