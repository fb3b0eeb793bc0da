//! The gate as a layer of tower, for axum and other services over the crate `http`.
//!
//! Wrap the whole application in it: what is added outside of the layer has no gate. Handlers take
//! [`Identity`], which fails where the gate did not run.

mod gate;
mod identity;
mod service;

pub use doorward::ConfigError;
pub use doorward_host::http::Content;
pub use identity::{Identity, NotGated, Session};
pub use service::{GateLayer, GateService};
