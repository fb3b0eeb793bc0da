//! `cargo xtask causes`: builds the command line and the gate, and hands over to
//! `tests/causes/run.mjs`.

use std::process::Command;

use crate::shell::{self, Result};
use crate::{build_cli, build_package, build_worker, debian, node, python};

pub(crate) const HELP: &str = "\
Break a deployment in every known way, and ask `doorward doctor` what is wrong

usage: cargo xtask causes [--all] [--only WORDS] [--show] [--drop]
                          [--carrier native|npx|packed]

needs    Node 20 or newer, Python 3.11 or newer with venv, and the registries of crates, npm and
         PyPI; with --all or --only also nginx, haproxy, faketime and Chromium, which it installs on
         Debian
does     builds the native command line and the gate. For each row it starts a real Better Auth, 1.7
         or 1.4, behind what is broken: a proxy, a cache, a certificate, a clock, a secret; or an
         API with PyJWT, or the gate (in Node, in a built Next app, as the Worker in workerd), or
         what Chromium makes of it; or something healthy and unusual. It runs the doctor, and
         compares the causes, their order and their certainty with what the row expects. No row may
         send more than 20 requests, take more than 5 seconds, write into a store, or print a
         secret, a cookie, a token or an address. Without options it takes 25 rows, and five of
         them once more out of the npm package, packed and installed in an empty folder
prints   a line for each row that is not as expected, and a table; last `N of M rows as expected`
exit     0 if every row is as expected, otherwise 1

  --all             every row
  --only WORDS      rows whose name, group or cause contains this
  --show            a line for each row
  --carrier npx     the npm package's program in place of the native one
  --carrier packed  the same, packed and installed in an empty folder, by `npx doorward`
  --drop            also without each rule that named a row's cause: that row has to fail; by
                    itself it takes one row for each rule

examples
  cargo xtask causes
  cargo xtask causes --all
  cargo xtask causes --only secret-whitespace --show
";

/// What is installed for it.
pub(crate) const MEMBERS: &[&str] = &["tests/causes"];

/// `cargo xtask causes`
pub(crate) fn run(options: &[String]) -> Result {
    node::check()?;
    node::install(MEMBERS)?;
    let has = |names: &[&str]| options.iter().any(|option| names.contains(&option.as_str()));
    let is_short = options.is_empty();
    if has(&["--all", "--only", "--drop"]) {
        debian::ensure("nginx", &["/usr/sbin/nginx"])?;
        debian::ensure("haproxy", &["/usr/sbin/haproxy"])?;
        debian::ensure("faketime", &["/usr/bin/faketime"])?;
        if std::env::var_os("CHROMIUM").is_none() {
            debian::ensure("chromium", debian::BROWSERS)?;
        }
        build_worker::release()?;
    }
    build_package::release()?;
    if is_short || has(&["npx", "packed"]) {
        build_cli::release()?;
    }
    let root = shell::root();
    shell::run(&mut shell::command("cargo", &["build", "--quiet", "-p", "doorward-cli"], &root))?;
    let home = shell::target_directory()?;
    let folder = root.join("tests").join("causes");
    let (python, bare) = python::of_apis(&folder)?;
    let program = home.join("debug").join(format!("doorward{}", std::env::consts::EXE_SUFFIX));
    let play = |options: &[String]| {
        let mut command = Command::new("node");
        command
            .arg(folder.join("run.mjs"))
            .args(options)
            .env("DOORWARD", &program)
            .env("DOORWARD_PYTHON", &python)
            .env("DOORWARD_BARE_PYTHON", &bare);
        command
    };
    if is_short {
        shell::run(&mut play(options))?;
        return shell::run(&mut play(&["--carrier".to_owned(), "packed".to_owned()]));
    }
    shell::hand_over(&mut play(options))
}
