//! `cargo xtask hosts`: builds the npm package, and hands over to `tests/hosts/run.mjs`.

use std::process::Command;

use crate::shell::{self, Failure, Result};
use crate::{build_cli, build_package, node};

pub(crate) const HELP: &str = "\
Put the gate in front of every host, as users install it, and send the same requests to each

usage: cargo xtask hosts [--only WORDS] [--quick] [--dev] [--keep]

needs    Node 20 or newer and the registry of npm; Node 24 for some hosts, which it installs from
         there; for the rows `deno`, `elysia` and `netlify` Deno and Bun, which it installs likewise
does     packs the npm package once. For each host it copies the app, installs it from its lock
         file and the package from the tarball, builds and serves it beside a real Better Auth, and
         sends some forty requests: without a session and with one, with forged identity headers,
         tampered, from another site, of 11 MB, spelled in other ways, for static files, data
         endpoints, WebSockets and streams. Then it serves the app set up wrongly, which has to be
         said. What npm has installed for one host is removed before the next
prints   a line for each request that is not right, and a table of the hosts with the requests that
         were right, leaks, forged identities, the size that is added and the time of the first
         request; last `N of M hosts right`
exit     0 if every host is right, otherwise 1

  --only WORDS   hosts whose name contains this
  --quick        those that are part of `cargo xtask test`
  --dev          each in its development server, where it has one
  --keep         leaves installed what npm has installed

examples
  cargo xtask hosts --only sveltekit
  cargo xtask hosts --quick
  cargo xtask hosts --dev --only nuxt
";

/// What is installed for it.
pub(crate) const MEMBERS: &[&str] = &["tests/hosts", "middleware"];

/// `cargo xtask hosts`
pub(crate) fn run(options: &[String]) -> Result {
    let mut words = options.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" | "--dev" | "--keep" => {}
            "--only" if words.next().is_some() => {}
            _ => return Err(Failure::usage(format!("there is no option `{word}`"))),
        }
    }
    node::check()?;
    node::install(MEMBERS)?;
    build_package::release()?;
    build_cli::release()?;
    if !options.iter().any(|option| option == "--quick") {
        let example = ["build", "-p", "doorward-tower", "--features", "axum", "--example", "axum"];
        shell::run(&mut shell::command("cargo", &example, &shell::root()))?;
    }
    let mut command = Command::new("node");
    command.arg(shell::root().join("tests/hosts/run.mjs")).args(options);
    if let Ok(target) = shell::target_directory() {
        command.env("CARGO_TARGET_DIR", target);
    }
    shell::hand_over(&mut command)
}
