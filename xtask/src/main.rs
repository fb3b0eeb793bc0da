//! The project's commands, one each: `cargo xtask demo`, `cargo xtask test`, …
//!
//! stdout has the result, stderr the progress. Exit 0: good; 1: what was run or checked is bad; 2:
//! used wrongly.

mod alerts;
mod bench;
mod build;
mod build_cli;
mod build_package;
mod build_page;
mod build_worker;
mod causes;
mod commands;
mod debian;
mod demo;
#[cfg(test)]
mod documents;
mod fuzz;
#[cfg(test)]
mod host_pages;
mod hosts;
mod node;
mod notices;
mod python;
mod release;
mod serve;
mod sessions;
mod shell;
mod site;
mod size;
mod soak;
mod stack;
mod test;
mod wasm;
mod weight;

use std::process::ExitCode;

use commands::{find, overview};

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

fn asks_for_help(argument: &str) -> bool {
    matches!(argument, "--help" | "-h")
}
