//! What the host is asked to do (fetches, signature checks, reads of stores), and what is learned
//! from the results.

pub(crate) mod effect;
pub(crate) mod learn;
pub(crate) mod progress;
pub(crate) mod state;
