//! What a carrier computes for a command at once, without IO. These are functions that the carrier
//! has anyhow and that would weigh several times what a command weighs: the gate's own engine, and
//! regular expressions.

use std::rc::Rc;

use serde_json::Value;

use crate::suffixes::Suffixes;

/// What a carrier has besides effects.
pub trait Functions {
    /// The answer to a question about a configuration or a request: `doorward::inspect`, by the
    /// very module that decides about requests.
    fn inspect(&self, question: &str) -> String;

    /// Whether an expression of JavaScript matches somewhere in a text; nothing where it is no
    /// expression.
    fn matches(&self, expression: &str, text: &str) -> Option<bool>;

    /// The Public Suffix List, in the form that `suffixes.rs` describes: `src/suffixes.txt`.
    fn suffixes(&self) -> String;
}

/// The functions of the carrier, for whoever keeps them.
#[derive(Clone)]
pub(crate) struct Carrier(Rc<dyn Functions>);

impl Carrier {
    pub(crate) fn new(functions: Rc<dyn Functions>) -> Self {
        Self(functions)
    }

    /// Asks the gate's engine.
    pub(crate) fn inspect(&self, question: &Value) -> Value {
        serde_json::from_str(&self.0.inspect(&question.to_string())).unwrap_or_default()
    }

    pub(crate) fn suffixes(&self) -> Suffixes {
        Suffixes::new(&self.0.suffixes())
    }

    pub(crate) fn matches(&self, expression: &str, text: &str) -> Option<bool> {
        self.0.matches(expression, text)
    }
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Carrier")
    }
}

/// The functions of a native program: the gate's engine is linked in.
#[cfg(feature = "native")]
pub struct Native;

#[cfg(feature = "native")]
impl Functions for Native {
    fn inspect(&self, question: &str) -> String {
        doorward::inspect(question)
    }

    fn matches(&self, expression: &str, text: &str) -> Option<bool> {
        Some(regress::Regex::new(expression).ok()?.find(text).is_some())
    }

    fn suffixes(&self) -> String {
        include_str!("suffixes.txt").to_owned()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The functions as the native carrier has them.
    pub(crate) fn carrier() -> Carrier {
        Carrier::new(Rc::new(Native))
    }
}
