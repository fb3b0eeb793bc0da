//! Causes: the table of what is known, and the rules that find them.

mod certainty;
mod table;

pub use certainty::Certainty;
pub use table::{Actor, Cause, Channel, Group};
