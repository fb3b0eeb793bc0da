//! `doorward init`: sets a project up.

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;

/// Set up the gate in a project: shows what it would write, then writes it
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(io: &Io, _: Args, _: Output) -> ExitCode {
    io.error("`doorward init` is not there yet", None).await;
    ExitCode::Usage
}
