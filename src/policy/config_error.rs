//! What is wrong with a configuration, or should be otherwise: a policy keeps the latter.

use std::fmt;

/// Something wrong with the configuration: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where in the document, like `issuers[0].url`.
    pub path: String,
    /// What is wrong: one sentence, lower case, no secrets.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the document" } else { &self.path };
        write!(f, "{place}: {} (hint: {})", self.problem, self.hint)
    }
}

impl std::error::Error for ConfigError {}
