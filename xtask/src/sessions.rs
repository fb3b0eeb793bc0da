//! `cargo xtask sessions`: builds what both hosts need, installs the packages, and hands over to
//! `examples/demo/sessions.mjs`.

use std::process::Command;

use crate::shell::{self, Result};
use crate::{build_package, build_worker, debian, node};

pub(crate) const HELP: &str = "\
Use a real Better Auth site for a while, and count users who are wrongly treated as signed out

usage: cargo xtask sessions [--better-auth 1.4|1.7] [--database pglite|postgres]
                            [--host worker|node]

needs    Node 20 or newer, and the npm registry. PostgreSQL: a Debian package that it installs where
         it may (as root); elsewhere it says so and stops
does     builds the gate. For each combination of version, database and host it starts Better Auth,
         an origin and the gate, and plays users: past the end of their cookie cache, through a
         sign-out in another tab, an outage of the auth service, and without \"remember me\". It takes
         two and a half minutes
prints   a table of what the users got, and last `N of N combinations as expected`
exit     0 if no signed-in user was refused or sent to sign in, and all else is as expected;
         otherwise 1

  --better-auth, --database, --host    only combinations with this value

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
