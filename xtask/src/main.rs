//! The project's commands, one each: `cargo xtask demo`, `cargo xtask test`, …
//!
//! stdout has the result, stderr the progress. Exit 0: good; 1: what was run or checked is bad; 2:
//! used wrongly.

mod bench;
mod build;
mod build_package;
mod build_worker;
mod debian;
mod demo;
#[cfg(test)]
mod documents;
mod fuzz;
mod node;
mod notices;
mod python;
mod sessions;
mod shell;
mod size;
mod soak;
mod stack;
mod test;
mod wasm;
mod weight;

use std::process::ExitCode;

/// A command of this program. Its function gets the arguments after its name.
struct Command {
    name: &'static str,
    summary: &'static str,
    help: &'static str,
    run: fn(&[String]) -> shell::Result,
}

/// Every command, under what one wants of it.
#[rustfmt::skip]
const COMMANDS: &[(&str, &[Command])] = &[
    ("Try it", &[
        Command { name: "demo", summary: "a real Better Auth service behind the gate: each request and its decision", help: demo::HELP, run: demo::run },
        Command { name: "stack", summary: "an auth service, a Python API and a Next.js frontend behind the gate", help: stack::HELP, run: stack::run },
    ]),
    ("Build it", &[
        Command { name: "build", summary: "the npm package's WebAssembly and the Cloudflare Worker", help: build::HELP, run: build::run },
        Command { name: "notices", summary: "the licence notices of third-party code that ships", help: notices::HELP, run: notices::run },
    ]),
    ("Test it", &[
        Command { name: "test", summary: "every test, or the parts that you name", help: test::HELP, run: test::run },
        Command { name: "sessions", summary: "a real Better Auth site in use: is any user wrongly signed out?", help: sessions::HELP, run: sessions::run },
        Command { name: "soak", summary: "a thousand sessions while the auth service fails", help: soak::HELP, run: soak::run },
        Command { name: "fuzz", summary: "a search for inputs that break what must hold", help: fuzz::HELP, run: fuzz::run },
    ]),
    ("Measure it", &[
        Command { name: "bench", summary: "the gate's speed beside jose, Hono and Better Auth", help: bench::HELP, run: bench::run },
        Command { name: "size", summary: "the size of both WebAssembly modules, and their limits", help: size::HELP, run: size::run },
    ]),
];

const EXAMPLES: &str = "
Examples
  cargo test -p doorward           the core's tests, in under a minute: enough for most changes
  cargo xtask demo                 the Rust Worker in workerd, one line per request
  cargo xtask demo --host node     the same through the npm package
  cargo xtask demo --serve         stay up, to try it in a browser
  cargo xtask test --list          what the parts of the test run are
  cargo xtask test native clippy   two of them
";

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
    COMMANDS.iter().flat_map(|(_, commands)| *commands).find(|command| command.name == name)
}

fn asks_for_help(argument: &str) -> bool {
    matches!(argument, "--help" | "-h")
}

fn overview() -> String {
    let mut text = String::from("Doorward's commands\n\nusage: cargo xtask <command> [options]\n");
    for (purpose, commands) in COMMANDS {
        text.push_str(&format!("\n{purpose}\n"));
        for command in *commands {
            text.push_str(&format!("  {:<9} {}\n", command.name, command.summary));
        }
    }
    text.push_str(EXAMPLES);
    text.push_str(
        "\n`cargo xtask <command> --help` says what a command needs, does, prints and writes.\n",
    );
    text
}
