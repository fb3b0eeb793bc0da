//! The host kit: what every Rust host does around the [`doorward::Engine`].
//!
//! A host has the network, the clock and the platform's cryptography; it implements [`Host`], one
//! short method for each. The kit does the rest of the host's duty: it performs effects within
//! their times and hands the results back until a request is decided ([`decide`]), performs what
//! comes alongside ([`alongside`], [`finish`]) and after a forward ([`receive`]), looks into the
//! shared cache before it fetches and writes to it afterwards, and watches over connections that
//! stay open ([`recheck`], [`connection_end`]).
//!
//! The kit has no executor and no network of its own and starts nothing in the background, so it
//! runs in WebAssembly as well as under any native executor. Its futures are `Send` where those of
//! the host are.
//!
//! Hosts with the types of the crate `http` (hyper, axum) get the rest by the feature `http`.
//! `examples/minimal_host.rs` is a whole gate with hyper; `worker/` is the one for Cloudflare.

mod connection;
mod decide;
mod forward;
mod head;
mod host;
#[cfg(feature = "http")]
pub mod http;
pub mod latin1;
mod metrics;
#[cfg(feature = "http")]
mod own_address;
mod result;
mod start;
mod timing;

pub use connection::{connection_end, recheck};
pub use decide::{Begun, FinalDecision, begin, decide, refuse, resume};
pub use forward::{Performed, alongside, finish, finish_unseen, onward, receive, response_headers};
pub use head::{LendHead, OwnedHead, borrowed};
pub use host::{Host, perform};
pub use metrics::metrics;
pub use result::{Failure, OwnedResult, Response};
pub use start::engine;
