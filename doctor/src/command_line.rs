//! The words of the command line. It is parsed here, so that `--help` is the same from each
//! carrier.

use crate::commands::{
    causes, check, doctor, explain, explain_log, init, keys, reasons, routes, serve, test,
};
use crate::usage::{self, Opt, Read, Usage};

/// The command line: its commands, and its help.
pub const COMMAND_LINE: Usage = Usage {
    name: "doorward",
    about: "Finds out why requests are refused, and keeps a gate's configuration right",
    arguments: &[],
    options: &[Opt { short: Some('V'), ..Opt::flag("version", "Print version") }],
    commands: &[
        &doctor::USAGE,
        &check::USAGE,
        &explain::USAGE,
        &explain_log::USAGE,
        &init::USAGE,
        &routes::USAGE,
        &test::USAGE,
        &keys::USAGE,
        &causes::USAGE,
        &reasons::USAGE,
        &serve::USAGE,
    ],
    more: "\
Start here:
  doorward doctor https://app.example.com    what is wrong with a running deployment, with proof
  doorward check                             what is wrong with the files in this directory
  doorward explain --cookie-file -           what a pasted Cookie header is worth, offline
  doorward causes secret-whitespace          one of the known causes of a refusal, and its cure

Exit status: 0 nothing is wrong, 1 something is, 2 the command line is wrong, 3 it could not finish.
The answer goes to standard output, everything else to standard error. `--json` works everywhere.
Secrets, cookies and tokens are read from files, standard input or the environment, never from the
command line, and are never printed.",
};

/// What is to be done, and whether the answer is JSON.
pub(crate) struct CommandLine {
    pub(crate) command: Command,
    pub(crate) json: bool,
}

/// The commands.
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
    Serve(serve::Args),
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

/// What is wrong with these words of a command line, and how they are right; nothing where they can
/// be run.
pub fn mistake(args: &[String]) -> Option<String> {
    match usage::read(&COMMAND_LINE, args) {
        Read::Wrong(text) => Some(text),
        Read::Words(_) | Read::Help(_) => None,
    }
}

pub(crate) fn parse(args: &[String]) -> Parsed {
    let mut words = match usage::read(&COMMAND_LINE, args) {
        Read::Words(words) => words,
        Read::Help(text) => return Parsed::Help(text),
        Read::Wrong(text) => return Parsed::Wrong(text),
    };
    let json = words.has("json");
    let words = &mut words;
    let command = match words.commands.first().copied().unwrap_or_default() {
        "doctor" => Command::Doctor(doctor::Args::of(words)),
        "check" => Command::Check(check::Args::of(words)),
        "explain" => Command::Explain(explain::Args::of(words)),
        "explain-log" => Command::ExplainLog(explain_log::Args::of(words)),
        "init" => Command::Init(init::Args::of(words)),
        "routes" => Command::Routes(routes::Args::of(words)),
        "test" => Command::Test(test::Args::of(words)),
        "keys" => Command::Keys(keys::Args::of(words)),
        "causes" => Command::Causes(causes::Args::of(words)),
        "serve" => Command::Serve(serve::Args::of(words)),
        _ => Command::Reasons(reasons::Args::of(words)),
    };
    Parsed::Command(CommandLine { command, json })
}
