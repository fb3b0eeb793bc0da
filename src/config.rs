//! The configuration document.

use std::collections::BTreeMap;
use std::fmt;

use crate::alg::Capabilities;
use crate::policy::Policy;

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
        write!(f, "{}: {} (hint: {})", self.path, self.problem, self.hint)
    }
}

impl std::error::Error for ConfigError {}

/// A configuration document, read but not yet judged.
#[derive(Debug)]
pub struct Config {}

impl Config {
    /// Reads a document; the empty text is the preset `better-auth`.
    ///
    /// # Errors
    /// The document is not JSON, or not an object.
    pub fn parse(_json: &str) -> Result<Self, Vec<ConfigError>> {
        Ok(Self {})
    }

    /// Names of the environment variables whose values `compile` needs.
    pub fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Turns the document into a policy.
    ///
    /// # Errors
    /// Every error at once.
    pub fn compile(&self, _values: &BTreeMap<String, String>, _capabilities: &Capabilities) -> Result<Policy, Vec<ConfigError>> {
        Ok(Policy {})
    }
}
