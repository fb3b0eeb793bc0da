//! A cause that was found, with what shows it.

use crate::causes::{Cause, Certainty};
use crate::facts::Facts;
use crate::plan::Plan;

/// What a rule is: the cause that it looks for, and how.
pub(crate) type Rule = (Cause, fn(&Facts, &Plan) -> Option<Finding>);

/// A cause that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) cause: Cause,
    pub(crate) certainty: Certainty,
    /// The requests that show it, by their names; or the sources of what was read.
    pub(crate) evidence: Vec<&'static str>,
    /// What was seen, in a sentence that names expected and actual.
    pub(crate) seen: String,
    /// The other explanation, where one is left.
    pub(crate) unless: Option<&'static str>,
    /// What to do, where the table's text can be more exact.
    pub(crate) fix: Option<String>,
    /// Nothing behind it can be told: what it explains is left out.
    pub(crate) hides: Hides,
}

/// What a finding explains away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hides {
    /// Nothing.
    Nothing,
    /// Everything that rules further along the way of a request would find.
    Later,
    /// These.
    These(&'static [Cause]),
}

impl Finding {
    pub(crate) fn proof(cause: Cause, seen: impl Into<String>) -> Self {
        Self::new(cause, Certainty::Proof, seen.into())
    }

    /// `unless` is the other explanation.
    pub(crate) fn strong(cause: Cause, seen: impl Into<String>, unless: &'static str) -> Self {
        Self { unless: Some(unless), ..Self::new(cause, Certainty::Strong, seen.into()) }
    }

    pub(crate) fn hint(cause: Cause, seen: impl Into<String>) -> Self {
        Self::new(cause, Certainty::Hint, seen.into())
    }

    pub(crate) fn by(mut self, evidence: &[&'static str]) -> Self {
        self.evidence.extend(evidence);
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(crate) const fn hides(mut self, hides: Hides) -> Self {
        self.hides = hides;
        self
    }

    const fn new(cause: Cause, certainty: Certainty, seen: String) -> Self {
        Self {
            cause,
            certainty,
            evidence: Vec::new(),
            seen,
            unless: None,
            fix: None,
            hides: Hides::Nothing,
        }
    }
}
