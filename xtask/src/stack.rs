//! `cargo xtask stack`: builds what the stack needs, installs its packages, and hands over to `examples/stack/run/stack.mjs`.

use std::process::Command;

use crate::shell::{self, Failure, Result};
use crate::{build_package, build_worker, debian, node};

pub(crate) const HELP: &str = "\
Run an auth service, a Python API and a Next.js frontend behind the gate

usage: cargo xtask stack [--front next|worker|both] [--postgres] [--check]

needs    Node 20 or newer, Python 3.11 or newer; packages come from the registries. For --check Chromium, for --postgres
         PostgreSQL: Debian packages, which it installs where it may (as root) and otherwise asks for
does     builds the gate and the three services (what has been built stays, in target/), starts each on a free port of this
         machine, and prints the URL. Ctrl-C stops everything
exit     0; with --check 0 if everything is as expected, otherwise 1, and each such line says what was expected

  --front next      the gate in Next's proxy.ts (default; with --check both)
  --front worker    the gate as a Cloudflare Worker, in workerd, in front of the same app without proxy.ts
  --front both      one after the other, or beside each other
  --postgres        a PostgreSQL cluster of its own, gone afterwards; without it PGlite, PostgreSQL inside a Node process
  --check           no URL: a browser walks through the whole stack and every wrong environment is tried; screenshots of
                    each front are in target/stack/
  DATABASE_URL      environment: a PostgreSQL server to use instead
  CHROMIUM          environment: the browser's program, where it is none of the usual ones

What to try first, with the stack up:

  open the URL, `Notes`: you are sent to sign up and come back to the notes, which the Python API keeps
  curl -i URL/api/notes                                    401, and why
  curl -i URL/api/notes -H 'x-doorward-subject: boss'      401 all the same

examples/stack/README.md says what runs where, what to look at and how to break it on purpose.

examples
  cargo xtask stack
  cargo xtask stack --front worker --postgres
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
        debian::ensure(
            "chromium",
            &["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
        )?;
    }
    if named("--postgres") {
        debian::ensure_postgresql()?;
    }
    build_package::release()?;
    build_worker::release()?;
    let folder = shell::root().join("examples/stack/run");
    node::install(MEMBERS)?;
    shell::hand_over(Command::new("node").arg(folder.join("stack.mjs")).args(options))
}

const KNOWN: [&str; 6] = ["--front", "next", "worker", "both", "--postgres", "--check"];
