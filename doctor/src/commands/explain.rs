//! `doorward explain`: what a pasted credential is worth.

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;

/// Explain a pasted Cookie header or token, offline
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(io: &Io, _: Args, _: Output) -> ExitCode {
    io.error("`doorward explain` is not there yet", None).await;
    ExitCode::Usage
}
