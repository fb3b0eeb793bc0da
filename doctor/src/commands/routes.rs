//! `doorward routes`: which rule covers which route.

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;

/// Show which rule covers each route of a built application
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) async fn run(io: &Io, _: Args, _: Output) -> ExitCode {
    io.error("`doorward routes` is not there yet", None).await;
    ExitCode::Usage
}
