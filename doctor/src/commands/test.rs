//! `doorward test`: policy tests in the form of the vectors.

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;

/// Run policy tests: requests, and the decisions that must come of them
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(io: &Io, _: Args, _: Output) -> ExitCode {
    io.error("`doorward test` is not there yet", None).await;
    ExitCode::Usage
}
