//! Causes: the table of what is known, and the rules that find them.

mod certainty;
pub(crate) mod file_finding;
pub(crate) mod file_rules;
pub(crate) mod finding;
pub(crate) mod log_rules;
pub(crate) mod rules;
mod table;

pub use certainty::Certainty;
pub use table::{Actor, Cause, Channel, Group};
