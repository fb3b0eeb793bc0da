//! Does it behave over time? Stories in virtual time, with interleaved requests.
//!
//! `service.rs` is a small Better Auth that can go wrong in every way, `shelf.rs` what is published
//! to all the world, `world.rs` browsers and a host in front of it. The stories print what they
//! count.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)] // a test that panics has found something

mod alerts;
mod events;
mod fairness;
mod keys;
mod lags;
mod outages;
mod revocation;
mod service;
mod sessions;
mod shared;
mod shelf;
#[path = "../support/mod.rs"]
mod support;
mod token_exchange;
mod world;

use doorward::Decision;

/// What a decision comes to, in a word.
fn reason(decision: &Decision) -> &'static str {
    match decision {
        Decision::Forward(_) => "forward",
        Decision::Redirect(answer) | Decision::Reject(answer) => answer.reason.code(),
        Decision::Respond(_) => "respond",
        Decision::Perform(_) => "ask",
    }
}
