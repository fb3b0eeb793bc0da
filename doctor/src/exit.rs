//! How a command ends.

/// The status that the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Nothing is wrong with what was looked at.
    Good,
    /// What was looked at is wrong.
    Bad,
    /// The command line is wrong.
    Usage,
    /// Interrupted, or this machine has no network: it could not finish.
    Unfinished,
}

impl ExitCode {
    /// As a number: 0, 1, 2 or 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
            Self::Usage => 2,
            Self::Unfinished => 3,
        }
    }
}
