//! `cargo xtask sessions`: builds what both hosts need, installs the packages, and hands over to
//! `examples/demo/sessions.mjs`.

use std::process::Command;

use crate::shell::{self, Result};
use crate::{build_package, build_worker, debian, node};

pub(crate) const HELP: &str = "\
Use a site for a while, with real Better Auth, and count who is taken for signed out

usage: cargo xtask sessions [--better-auth 1.4|1.7] [--database pglite|postgres] [--host worker|node]

needs    Node 20 or newer; packages come from the registries. PostgreSQL: a Debian package, which it installs where it may (as
         root) and otherwise asks for
does     builds the gate; then starts Better Auth, an origin and the gate for every combination of version, database and host,
         and has people use each of them past the end of their cookie cache, through a sign-out in another tab, an outage of
         the auth service, and without \"remember me\". It takes two minutes and a half
leaves   on stdout a table of what they got, and, last, the line `N of N combinations as expected`
exit     0 if nobody who is signed in was refused or sent to sign in, and all else is as expected, otherwise 1

  --better-auth, --database, --host    only these, of every combination

examples
  cargo xtask sessions
  cargo xtask sessions --better-auth 1.4 --host node --database pglite
";

/// What is installed for it.
pub(crate) const MEMBERS: &[&str] = &["examples/demo"];

/// `cargo xtask sessions`
pub(crate) fn run(options: &[String]) -> Result {
    node::check()?;
    if !options.iter().any(|option| option.ends_with("pglite")) {
        debian::ensure_postgresql()?;
    }
    build_package::release()?;
    build_worker::release()?;
    let folder = shell::root().join("examples").join("demo");
    node::install(MEMBERS)?;
    shell::hand_over(Command::new("node").arg(folder.join("sessions.mjs")).args(options))
}
