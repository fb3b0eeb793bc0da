//! What the host is asked to do (fetches, signature checks, reads of stores), and what is learned
//! from the results.

pub(crate) mod learn;
pub(crate) mod missing;
pub(crate) mod progress;
mod set_cookies;
pub(crate) mod state;
