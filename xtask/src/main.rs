//! The project's commands, one each: `cargo xtask demo`, `cargo xtask test`, …
//!
//! stdout is the answer, stderr is the talk. Exit 0: good; 1: what was run or checked is bad; 2:
//! used wrongly.

mod bench;
mod build;
mod build_package;
mod build_worker;
mod debian;
mod demo;
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

/// Every command, in the order in which a newcomer needs them.
#[rustfmt::skip]
const COMMANDS: &[Command] = &[
    Command { name: "demo", summary: "watch real sessions being judged, in front of a real origin", help: demo::HELP, run: demo::run },
    Command { name: "stack", summary: "run an auth service, an API and a frontend behind the gate", help: stack::HELP, run: stack::run },
    Command { name: "sessions", summary: "use a site with real Better Auth, and count who is taken for signed out", help: sessions::HELP, run: sessions::run },
    Command { name: "test", summary: "run everything there is to run", help: test::HELP, run: test::run },
    Command { name: "build", summary: "make the npm package's WebAssembly and the Worker", help: build::HELP, run: build::run },
    Command { name: "bench", summary: "measure what the gate costs, beside what people use today", help: bench::HELP, run: bench::run },
    Command { name: "soak", summary: "load the Worker while what it depends on fails", help: soak::HELP, run: soak::run },
    Command { name: "size", summary: "weigh both WebAssembly modules against their budgets", help: size::HELP, run: size::run },
    Command { name: "notices", summary: "write the licence notices of what ships", help: notices::HELP, run: notices::run },
    Command { name: "fuzz", summary: "look for inputs that refute what must hold", help: fuzz::HELP, run: fuzz::run },
];

const EXAMPLES: &str = "
examples
  cargo xtask demo                 the Rust Worker in workerd, one line per request
  cargo xtask demo --host node     the same through the npm package
  cargo xtask demo --serve         stay up and try it in a browser
  cargo xtask stack                a whole system behind the gate, to try in a browser
  cargo xtask test                 everything, with a table at the end
  cargo xtask test native clippy   two parts of it
  cargo xtask bench --quick        every ratio in less than a minute
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
    COMMANDS.iter().find(|command| command.name == name)
}

fn asks_for_help(argument: &str) -> bool {
    matches!(argument, "--help" | "-h")
}

fn overview() -> String {
    let mut text =
        String::from("Doorward's commands\n\nusage: cargo xtask <command> [options]\n\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<8} {}\n", command.name, command.summary));
    }
    text.push_str(EXAMPLES);
    text.push_str(
        "\n`cargo xtask <command> --help` says what a command needs, does and leaves behind.\n",
    );
    text
}
