//! How certain a finding is.

/// How certain a finding is. The order is that of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Worth a look; it never changes the exit status.
    Hint,
    /// One other explanation is left, and the finding names it.
    Strong,
    /// What was seen cannot come about otherwise.
    Proof,
}

impl Certainty {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Strong => "strong",
            Self::Proof => "proof",
        }
    }
}
