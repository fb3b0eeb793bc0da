//! The table of commands, and the text that `cargo xtask --help` shows of it.

use crate::shell;
use crate::{
    bench, build, causes, demo, fuzz, hosts, notices, release, serve, sessions, site, size, soak,
    stack, test,
};

/// A command of this program. Its function gets the arguments after its name.
pub(crate) struct Command {
    name: &'static str,
    summary: &'static str,
    pub(crate) help: &'static str,
    pub(crate) run: fn(&[String]) -> shell::Result,
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
        Command { name: "site", summary: "the documents as a site, with search", help: site::HELP, run: site::run },
        Command { name: "release", summary: "what a release consists of: made twice, compared, installed and run", help: release::HELP, run: release::run },
    ]),
    ("Test it", &[
        Command { name: "test", summary: "every test, or the parts that you name", help: test::HELP, run: test::run },
        Command { name: "causes", summary: "broken deployments: does `doorward doctor` name what is wrong?", help: causes::HELP, run: causes::run },
        Command { name: "hosts", summary: "the gate in every host, as users install it: is every request right?", help: hosts::HELP, run: hosts::run },
        Command { name: "serve", summary: "`doorward serve` before an application, and behind real proxies", help: serve::HELP, run: serve::run },
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

/// The command of that name.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().flat_map(|(_, commands)| *commands).find(|command| command.name == name)
}

/// What there is, for somebody who does not know it.
pub(crate) fn overview() -> String {
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
