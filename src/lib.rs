//! Doorward answers one question: *given this request, what we know, and this moment, what should
//! the host do next?*
//!
//! The core never fetches, reads no clock, and has no randomness and no global state. Hosts perform
//! the effects that it asks for and act on its decisions; they know the platforms and no rule.
//!
//! `docs/architecture.md` has a picture of one request on its way, and the order of the folders.
//!
//! # The host's duty
//!
//! 1. Call [`Engine::decide`] with the request's head and the current time.
//! 2. On [`Decision::Perform`], do exactly what the effect describes and hand it back, with the
//!    result *or the failure*, to [`Engine::resume`].
//! 3. Act on the final decision and do nothing else: a host contains no `if` about authentication.
//! 4. If a [`Forward`] has `alongside`, perform that effect while the origin works, and when the
//!    response is there, add to it what [`Engine::finish`] says; a host that does not see the
//!    response calls [`Engine::finish_unseen`] before it forwards.
//! 5. If a [`Forward`] has `after`, perform that effect when the response has been sent, and hand
//!    it to [`Engine::receive`].
//!
//! ```
//! use std::collections::BTreeMap;
//! use doorward::{Capabilities, Config, Decision, Engine, EffectResult, RequestHead, UnixTime};
//!
//! let config = Config::parse(r#"{
//!     "issuers": [{ "type": "better-auth", "url": "https://example.com", "secret": { "env": "BETTER_AUTH_SECRET" } }],
//!     "rules": [{ "path": "/**", "access": "required" }],
//!     "sign_in": { "path": "/sign-in" }
//! }"#)?;
//! let values = BTreeMap::from([("BETTER_AUTH_SECRET".to_owned(), "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg".to_owned())]);
//! let policy = config.compile(&values, &Capabilities::none())?;
//! let mut engine = Engine::new(policy, 42);
//!
//! let headers = [("accept", "text/html")];
//! let head = RequestHead { method: "GET", target: "/app?tab=1", headers: &headers, public_origin: "https://example.com", client_address: None };
//! let now = UnixTime::from_millis(1_795_402_800_000);
//!
//! let mut decision = engine.decide(&head, now);
//! while let Decision::Perform(pending) = decision {
//!     let result = EffectResult::Failed; // a real host performs the effect here
//!     decision = engine.resume(&head, pending, result, now);
//! }
//! let Decision::Redirect(answer) = decision else { panic!("an anonymous page is sent to sign in") };
//! assert_eq!(answer.reason.code(), "no_credential");
//! assert!(answer.headers.contains(&("location".to_owned(), "/sign-in?callbackURL=%2Fapp%3Ftab%3D1".to_owned())));
//! # Ok::<(), Vec<doorward::ConfigError>>(())
//! ```
//!
//! # Promises
//!
//! *Deterministic. Ends* (at most one effect per purpose and key, and one more about a session
//! that was changed meanwhile, within a deadline). *Never panics* on any input. *Closed* (what is
//! neither public nor verified ends in a refusal). *Clean* (inbound identity headers are removed on
//! every forward). *Discreet* (no byte of a token in `Debug`, logs or headers). *Unpoisoned* (one
//! odd key never costs the others; a failed fetch never empties a cache).

// Sixty (clippy.toml). A longer one gives its reason:
// `#[expect(clippy::too_many_lines, reason = "…")]`.
#![cfg_attr(not(test), warn(clippy::too_many_lines))]

mod authn;
mod better_auth;
mod cache;
mod capabilities;
mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
/// Every member of the configuration, as the schema, the types and the reference are made of it.
#[cfg(feature = "reference")]
pub mod reference {
    pub use crate::config::table::*;
}
mod decision;
mod effect;
mod effects;
mod encoding;
mod engine;
mod forward;
mod http;
mod inspect;
mod jose;
mod metrics;
mod policy;
#[cfg(feature = "probe")]
pub mod probe;
mod reason;
mod response;
mod time;

// The public interface is:
pub use cache::shared::CacheWrite;
pub use capabilities::Capabilities;
pub use config::{Config, MARK_SECRET};
pub use decision::{
    ConnectionLimits, ConnectionStatus, Decision, Finish, Forward, Refusal, Served,
};
pub use effect::{Effect, EffectResult, Fetch, StoreRead};
pub use effects::pending::PendingEffect;
pub use engine::Engine;
pub use engine::explain::{CredentialExplanation, Explanation, Layer, LayerVerdict, Layers};
pub use engine::measurements::{Duration, Measurement, prometheus_without_engine};
pub use forward::forward_auth::ForwardAuth;
pub use forward::onward::{Onward, response_removals};
pub use http::header_pairs::HeaderPairs;
pub use http::request::{RequestHead, RequestKind};
pub use inspect::inspect;
pub use jose::alg::{Algorithm, HashFunction, KeyType, SignatureScheme};
pub use jose::platform::{SignatureCheck, SignatureRequest};
pub use policy::Policy;
pub use policy::config_error::ConfigError;
pub use reason::{Actor, Reason};
pub use response::log::event_line;
pub use response::refusal::refuse_without_engine;
pub use response::start::config_error_line;
pub use time::{Seconds, UnixTime};
