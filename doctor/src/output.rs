//! How a command's answer is written.

/// What every command is told besides its arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// The answer is JSON.
    pub(crate) json: bool,
    /// The answer has colours.
    pub(crate) colour: bool,
    /// Progress is shown on standard error.
    pub(crate) progress: bool,
}
