//! `cargo xtask stack`: builds what the stack needs, installs its packages, and hands over to
//! `examples/stack/run/stack.mjs`.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{self, Failure, Result};
use crate::{build_package, build_worker, debian, node};

pub(crate) const HELP: &str = "\
Run an auth service, a Python API and a Next.js frontend behind the gate

usage: cargo xtask stack [--front next|worker|both] [--postgres] [--quiet] [--check]

needs    Node 20 or newer, Python 3.11 or newer with venv, and their registries. For --check
         Chromium, for --postgres PostgreSQL: Debian packages that it installs where it may (as
         root); elsewhere it says so and stops
does     builds the gate and the three services, starts each on a free port of this machine, and
         prints the URL. What has been built is kept in target/. What the services log is shown, and
         a prompt takes `stop api`, `start api`, `restart auth`, `status`, `doctor`, `help` (names:
         database, auth, api, frontend, and gate with the Worker). Ctrl-C stops everything
exit     0; with --check 1 if something is not as expected, and each such line says what was

  --front next      the gate in Next's proxy.ts (default, except with --check)
  --front worker    the gate as a Cloudflare Worker in workerd, in front of the app without proxy.ts
  --front both      both beside each other; with --check one after the other (default there)
  --postgres        a temporary PostgreSQL cluster instead of PGlite, which is PostgreSQL in Node
  --quiet           nothing of what the services log; a service that ends is still told of
  --check           no URL: a browser walks through the whole stack, every wrong environment is
                    tried, and screenshots are written to target/stack/
  DATABASE_URL      environment: a PostgreSQL server to use instead
  CHROMIUM          environment: the browser's program, if it is in no usual place

Try this while the stack is up:

  open the URL, then `Notes`: you have to sign up, and come back to the notes that the API stores
  curl -i URL/api/notes                                    401, with the reason
  curl -i URL/api/notes -H 'x-doorward-subject: boss'      401 as well: the header is ignored

examples/stack/README.md says what runs where, what to look at, and how to break it on purpose.

examples
  cargo xtask stack
  cargo xtask stack --front worker --postgres
  cargo xtask stack --quiet
  cargo xtask stack --check
  cargo xtask stack --check --front next
";

/// What is installed for it.
pub(crate) const MEMBERS: &[&str] = &["examples/stack/run", "examples/stack/auth-service"];

/// `cargo xtask stack`
pub(crate) fn run(options: &[String]) -> Result {
    let named = |name: &str| options.iter().any(|option| option == name);
    // Judged by the script as well; here so that a slip costs no build.
    if let Some(unknown) = options
        .iter()
        .find(|option| !KNOWN.contains(&option.as_str()) && !option.starts_with("--front="))
    {
        return Err(Failure::usage(format!("`stack` takes no `{unknown}`"))
            .hint("cargo xtask stack --help"));
    }
    node::check()?;
    if named("--check") && std::env::var_os("CHROMIUM").is_none() {
        debian::ensure("chromium", debian::BROWSERS)?;
    }
    if named("--postgres") {
        debian::ensure_postgresql()?;
    }
    build_package::release()?;
    build_worker::release()?;
    let folder = shell::root().join("examples/stack/run");
    node::install(MEMBERS)?;
    let doctor = build_doctor()?;
    let mut stack = Command::new("node");
    stack.arg(folder.join("stack.mjs")).args(options).env("DOORWARD_CLI", doctor);
    shell::hand_over(&mut stack)
}

/// The command line `doorward`, which looks at the stack from outside.
fn build_doctor() -> Result<PathBuf> {
    let build = ["build", "--quiet", "--package", "doorward-cli"];
    shell::run(&mut shell::command("cargo", &build, &shell::root()))?;
    let name = format!("doorward{}", std::env::consts::EXE_SUFFIX);
    Ok(shell::target_directory()?.join("debug").join(name))
}

const KNOWN: [&str; 7] = ["--front", "next", "worker", "both", "--postgres", "--quiet", "--check"];
