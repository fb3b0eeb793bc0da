//! `doorward explain-log`: causes in a gate's log.

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;

/// Read a gate's log and name the causes of its refusals
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(io: &Io, _: Args, _: Output) -> ExitCode {
    io.error("`doorward explain-log` is not there yet", None).await;
    ExitCode::Usage
}
