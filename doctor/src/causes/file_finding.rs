//! What is wrong in a project's files, with its place.

use crate::causes::{Cause, Certainty};
use crate::project::Project;
use crate::project::place::Place;

/// A rule: the causes that it looks for, and how.
pub(crate) type FileRule = (&'static [Cause], fn(&Project) -> Vec<FileFinding>);

/// Something that a file says and that should be otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileFinding {
    /// A cause's name, or what else it is about: `configuration`, `policy`, `variable`.
    pub(crate) id: &'static str,
    pub(crate) cause: Option<Cause>,
    pub(crate) level: Level,
    pub(crate) certainty: Certainty,
    /// Nothing: it is about the process's own environment, or about what is missing.
    pub(crate) place: Option<Place>,
    /// How many characters of its line it is about; 0 where the line is not shown.
    pub(crate) length: usize,
    /// One sentence with expected and actual, never a value that may be secret.
    pub(crate) seen: String,
    pub(crate) fix: String,
    /// Other places that belong to it.
    pub(crate) also: Vec<Place>,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// It is wrong: the command fails.
    Error,
    /// It should be otherwise: the command fails with `--strict`.
    Warning,
    /// Worth a look.
    Hint,
}

impl Level {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

impl FileFinding {
    /// What proves a cause.
    pub(crate) fn proof(cause: Cause, seen: impl Into<String>) -> Self {
        Self::of(cause, Certainty::Proof, Level::Error, seen.into())
    }

    /// What leaves one other explanation.
    pub(crate) fn strong(cause: Cause, seen: impl Into<String>) -> Self {
        Self::of(cause, Certainty::Strong, Level::Error, seen.into())
    }

    /// What is worth a look.
    pub(crate) fn hint(cause: Cause, seen: impl Into<String>) -> Self {
        Self::of(cause, Certainty::Hint, Level::Hint, seen.into())
    }

    /// What is no cause of a refusal by itself, or of many.
    pub(crate) fn other(id: &'static str, level: Level, seen: impl Into<String>) -> Self {
        Self {
            id,
            cause: None,
            level,
            certainty: if level == Level::Error { Certainty::Proof } else { Certainty::Hint },
            place: None,
            length: 0,
            seen: seen.into(),
            fix: String::new(),
            also: Vec::new(),
        }
    }

    fn of(cause: Cause, certainty: Certainty, level: Level, seen: String) -> Self {
        Self {
            cause: Some(cause),
            certainty,
            fix: cause.fix().to_owned(),
            ..Self::other(cause.id(), level, seen)
        }
    }

    pub(crate) fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }

    pub(crate) fn also(mut self, place: impl Into<Option<Place>>) -> Self {
        self.also.extend(place.into());
        self
    }

    pub(crate) const fn length(mut self, length: usize) -> Self {
        self.length = length;
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    pub(crate) const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }
}
