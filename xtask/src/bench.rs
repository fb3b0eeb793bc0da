//! `cargo xtask bench`: builds what is measured, installs what it is compared with, and hands over
//! to `benches/bench.mjs`.

use crate::shell::{self, Failure, Result};
use crate::{build_package, build_worker, debian, node};

pub(crate) const HELP: &str = "\
Compare the gate's speed with jose, Hono and Better Auth

usage: cargo xtask bench [--quick] [--out FILE]
       cargo xtask bench --serve [--quick]

needs    Node 20 or newer, and the npm registry
does     builds the gate and runs it in turn with jose, hono/jwk and better-auth/cookies, in workerd
         and in Node. It measures the first and the repeated check of each kind of credential, whole
         Workers in front of an origin with 1,000 users, the first request after a start, and sizes.
         It takes five to eight minutes
prints   a table of every ratio with its limit; at the end, the limits that are missed
writes   target/bench.json: {\"versions\", \"ratios\", \"limits\", \"missed\", \"rows\", …}
exit     0 if every limit holds, otherwise 1

  --quick       under a minute: fewer rounds, and only what has a limit
  --out FILE    write the JSON there instead

  --serve       `doorward serve` beside a bare proxy of hyper and nginx instead, under wrk: requests
                a second, the slowest per cent, memory; needs nginx and wrk, which it installs on
                Debian

A ratio named `repeat…` is a speed-up, theirs / ours: larger is better. Every other ratio is ours /
theirs: smaller is better. Trust ratios rather than microseconds, which depend on this machine. The
limits are in benches/limits.mjs. What is compared with what, and why, is at the top of
benches/subjects.js.

examples
  cargo xtask bench
  cargo xtask bench --quick --out /tmp/bench.json
";

/// What is installed for it.
pub(crate) const MEMBERS: &[&str] = &["benches"];

/// `cargo xtask bench`
pub(crate) fn run(options: &[String]) -> Result {
    if let Some((_, rest)) = options.split_first().filter(|(first, _)| *first == "--serve") {
        return of_server(rest);
    }
    let out = out(options)?;
    node::check()?;
    build_package::release()?;
    build_worker::release()?;
    let folder = shell::root().join("benches");
    node::install(MEMBERS)?;
    let mut command = shell::command("node", &["bench.mjs"], &folder);
    // Exit 1 is a verdict that has been printed: nothing is to be added to it.
    let status = command.args(options).args(out).status();
    let status = status.map_err(|error| Failure::new(format!("node does not start: {error}")))?;
    if status.success() { Ok(()) } else { std::process::exit(status.code().unwrap_or(1)) }
}

/// The native server beside a bare proxy of hyper and nginx.
fn of_server(options: &[String]) -> Result {
    node::check()?;
    debian::ensure("nginx", &["/usr/sbin/nginx"])?;
    debian::ensure("wrk", &["/usr/bin/wrk"])?;
    let root = shell::root();
    let build = ["build", "--profile", "native", "--quiet"];
    for what in [["-p", "doorward-cli"].as_slice(), &["-p", "doorward-serve", "--examples"]] {
        shell::run(shell::command("cargo", &build, &root).args(what))?;
    }
    let home = shell::target_directory()?.join("native");
    let mut command = shell::command("node", &["serve.mjs"], &root.join("benches"));
    command.env("DOORWARD_PROGRAM", home.join("doorward"));
    command.env("BARE_PROXY", home.join("examples").join("bare_proxy"));
    shell::hand_over(command.args(options))
}

/// Where the result goes if the options do not say; refuses options that there are not.
fn out(options: &[String]) -> Result<Vec<String>> {
    let mut rest = options.iter().map(String::as_str);
    let mut is_given = false;
    while let Some(option) = rest.next() {
        match option {
            "--quick" => {}
            "--out" if rest.next().is_some() => is_given = true,
            _ => {
                return Err(Failure::usage(format!("`bench` does not take `{option}` like that"))
                    .hint("cargo xtask bench --help"));
            }
        }
    }
    if is_given {
        return Ok(Vec::new());
    }
    Ok(vec![
        "--out".to_owned(),
        shell::target_directory()?.join("bench.json").display().to_string(),
    ])
}

#[cfg(test)]
mod tests {
    use super::out;

    #[test]
    fn unknown_options_and_a_missing_file_are_refused() {
        let refused = |words: &[&str]| {
            out(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).is_err()
        };
        assert!(refused(&["--fast"]));
        assert!(refused(&["--quick", "--out"]));
        assert!(!refused(&["--quick", "--out", "file"]));
    }
}
