//! What `doorward check` found, as text and as JSON.

pub(crate) mod json;
pub(crate) mod snippet;
pub(crate) mod text;

use crate::causes::file_finding::{FileFinding, Level};
use crate::project::Project;

/// What was looked at and found.
pub(crate) struct CheckReport {
    pub(crate) dir: String,
    pub(crate) projects: Vec<Project>,
    /// Of all of them, the worst first.
    pub(crate) findings: Vec<FileFinding>,
    /// Whether warnings count.
    pub(crate) is_strict: bool,
}

impl CheckReport {
    pub(crate) fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.count(Level::Error) == 0 && (!self.is_strict || self.count(Level::Warning) == 0)
    }
}
