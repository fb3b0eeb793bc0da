//! `doorward doctor`: what is wrong with a running deployment.

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;

/// Find out what is wrong with a running deployment
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(io: &Io, _: Args, _: Output) -> ExitCode {
    io.error("`doorward doctor` is not there yet", None).await;
    ExitCode::Usage
}
