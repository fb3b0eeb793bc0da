//! The words of the command line. It is parsed here, so that `--help` is the same from each
//! carrier.

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::commands::{
    causes, check, doctor, explain, explain_log, init, keys, reasons, routes, test,
};

/// Finds out why requests are refused, and keeps a gate's configuration right
#[derive(Parser)]
#[command(
    name = "doorward",
    bin_name = "doorward",
    version,
    propagate_version = false,
    max_term_width = 100,
    after_help = "\
Start here:
  doorward doctor https://app.example.com    what is wrong with a running deployment, with proof
  doorward check                             what is wrong with the files in this directory
  doorward explain --cookie-file -           what a pasted Cookie header is worth, offline
  doorward causes secret-whitespace          one of the known causes of a refusal, and its cure

Exit status: 0 nothing is wrong, 1 something is, 2 the command line is wrong, 3 it could not finish.
The answer goes to standard output, everything else to standard error. `--json` works everywhere.
Secrets, cookies and tokens are read from files, standard input or the environment, never from the
command line, and are never printed."
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one is made in a run")]
pub(crate) enum Command {
    Doctor(doctor::Args),
    Check(check::Args),
    Explain(explain::Args),
    ExplainLog(explain_log::Args),
    Init(init::Args),
    Routes(routes::Args),
    Test(test::Args),
    Keys(keys::Args),
    Causes(causes::Args),
    Reasons(reasons::Args),
}

/// What comes of parsing.
#[expect(clippy::large_enum_variant, reason = "one is made in a run")]
pub(crate) enum Parsed {
    Command(CommandLine),
    /// Help or version: for standard output.
    Help(String),
    /// A usage error: for standard error.
    Wrong(String),
}

pub(crate) fn parse(args: &[String]) -> Parsed {
    let words = std::iter::once("doorward").chain(args.iter().map(String::as_str));
    match CommandLine::try_parse_from(words) {
        Ok(line) => Parsed::Command(line),
        Err(error) if error.use_stderr() => {
            let text = error.to_string();
            let prefix = if text.starts_with("error:") { "doorward: " } else { "" };
            Parsed::Wrong([prefix, &text].concat())
        }
        Err(error) => Parsed::Help(error.to_string()),
    }
}

/// The command line as clap describes it, for manual pages and completions.
pub fn command() -> clap::Command {
    CommandLine::command()
}
