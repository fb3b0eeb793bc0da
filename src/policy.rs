//! The policy: valid rules.

/// Valid rules, made by [`crate::Config::compile`] only.
#[derive(Debug)]
pub struct Policy {}
