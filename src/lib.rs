//! Doorward: given this request, what we know, and this moment, what should the host do next?

mod alg;
mod config;
mod decision;
mod engine;
mod errand;
mod policy;
mod reason;
mod request;
mod time;

pub use alg::{Algorithm, Capabilities, KeyType};
pub use config::{Config, ConfigError};
pub use decision::{Answer, Decision, Forward};
pub use engine::Engine;
pub use errand::{Errand, Fetch, Purpose, Reply, SignatureCheck, Work};
pub use policy::Policy;
pub use reason::{Actor, Reason};
pub use request::{RequestHead, RequestKind};
pub use time::{Seconds, UnixTime};
