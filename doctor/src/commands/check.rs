//! `doorward check`: what is wrong with the files of a project.

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;

/// Check a project's files: configuration, variables, routes; for a build step
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(io: &Io, _: Args, _: Output) -> ExitCode {
    io.error("`doorward check` is not there yet", None).await;
    ExitCode::Usage
}
