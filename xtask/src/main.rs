//! The project's commands, one each: `cargo xtask build`, …
//!
//! stdout is the answer, stderr is the talk. Exit 0: good; 1: what was run or checked is bad; 2: used wrongly.

mod build;
mod build_worker;
mod shell;

use std::process::ExitCode;

/// A command of this program. Its function gets the arguments after its name.
struct Command {
    name: &'static str,
    summary: &'static str,
    help: &'static str,
    run: fn(&[String]) -> shell::Result,
}

/// Every command, in the order in which a newcomer needs them.
const COMMANDS: &[Command] = &[Command {
    name: "build",
    summary: "make the npm package's WebAssembly and the Worker",
    help: build::HELP,
    run: build::run,
}];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", overview());
        return ExitCode::from(2);
    };
    if asks_for_help(name) || name == "help" {
        let topic = rest.first().and_then(|topic| find(topic));
        print!("{}", topic.map_or_else(overview, |command| command.help.to_owned()));
        return ExitCode::SUCCESS;
    }
    let Some(command) = find(name) else {
        eprintln!("doorward: error: there is no command `{name}`");
        eprintln!("doorward: hint: `cargo xtask --help` lists them all");
        return ExitCode::from(2);
    };
    if rest.iter().any(|argument| asks_for_help(argument)) {
        print!("{}", command.help);
        return ExitCode::SUCCESS;
    }
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

fn asks_for_help(argument: &str) -> bool {
    matches!(argument, "--help" | "-h")
}

fn overview() -> String {
    let mut text = String::from("Doorward's commands\n\nusage: cargo xtask <command> [options]\n\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<8} {}\n", command.name, command.summary));
    }
    text.push_str("\n`cargo xtask <command> --help` says what a command needs, does and leaves behind.\n");
    text
}
