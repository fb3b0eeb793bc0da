//! `cargo xtask demo`: builds what the demo needs, installs its packages, and hands over to
//! `examples/demo/script.mjs`.

use std::process::Command;
use std::time::Instant;

use crate::shell::{self, Failure, Result};
use crate::{build_package, build_worker, node};

pub(crate) const HELP: &str = "\
Run a real Better Auth service behind the gate, and watch each request and its decision

usage: cargo xtask demo [--host worker|node] [--strategy compact|jwt|jwe] [--serve]

needs    Node 20 or newer, and the npm registry
does     builds the gate; starts a Better Auth service, a small origin and the gate in front, each
         on a free port of this machine; sends one request after the other; stops everything
prints   a line for each request: the decision, its reason, the status, what the gate asked the auth
         service for, and what the origin received
exit     0 if every line is as expected; otherwise 1, and each wrong line says what was expected

  --host worker      the Rust Worker in workerd, Cloudflare's own runtime (default)
  --host node        the npm package, `doorward/node`
  --strategy NAME    how Better Auth writes its cookie cache: compact (default), jwt or jwe
  --serve            send nothing: stay up and print the URL, to try it in a browser
  DATABASE_URL       environment: a PostgreSQL server to use instead of the embedded database

examples
  cargo xtask demo
  cargo xtask demo --host node --strategy jwe
  cargo xtask demo --serve
  DATABASE_URL=postgres://me@localhost/demo cargo xtask demo
";

/// What is installed for it.
pub(crate) const MEMBERS: &[&str] = &["examples/demo"];

/// `cargo xtask demo`
pub(crate) fn run(options: &[String]) -> Result {
    let host = host(options)?;
    node::check()?;
    match host {
        Host::Worker => phase("built the Worker", || build_worker::release().map(drop))?,
        Host::Node => phase("built the npm package", || build_package::release().map(drop))?,
    }
    let folder = shell::root().join("examples").join("demo");
    phase("installed its packages", || node::install(MEMBERS))?;
    shell::hand_over(Command::new("node").arg(folder.join("script.mjs")).args(options))
}

enum Host {
    Worker,
    Node,
}

/// Only the host matters here; the script judges the other options.
fn host(options: &[String]) -> Result<Host> {
    let mut options = options.iter().map(String::as_str);
    let mut host = "worker";
    while let Some(option) = options.next() {
        if option == "--host" {
            host = options.next().unwrap_or_default();
        } else if let Some(name) = option.strip_prefix("--host=") {
            host = name;
        }
    }
    match host {
        "worker" => Ok(Host::Worker),
        "node" => Ok(Host::Node),
        _ => {
            Err(Failure::usage(format!("there is no host `{host}`"))
                .hint("cargo xtask demo --help"))
        }
    }
}

/// Does a part of the preparation and says how long it took.
fn phase(done: &str, work: impl FnOnce() -> Result) -> Result {
    let begin = Instant::now();
    work()?;
    shell::say(format!("{done}: {:.1} s", begin.elapsed().as_secs_f64()));
    Ok(())
}
