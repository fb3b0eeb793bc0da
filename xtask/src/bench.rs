//! `cargo xtask bench`: builds what is measured, installs what it is compared with, and hands over
//! to `benches/bench.mjs`.

use crate::shell::{self, Failure, Result};
use crate::{build_package, build_worker, node};

pub(crate) const HELP: &str = "\
Measure what the gate costs, side by side with what people use today

usage: cargo xtask bench [--quick] [--out FILE]

needs    Node 20 or newer; packages come from the registries
does     builds the gate, then runs it in workerd and in Node in turn with jose, hono/jwk and better-auth/cookies: the first
         and the repeated verification of each kind of credential, a whole Worker in front of an origin with 1,000 users, the
         first request of a workerd that has just been started, and the sizes. Five to eight minutes
leaves   on stdout a table with every ratio and its limit, and last what is missed and by how much;
         target/bench.json: {\"versions\", \"ratios\", \"limits\", \"missed\", \"rows\", …}
exit     0 if every limit holds, otherwise 1

  --quick       less than a minute: fewer rounds and only what has a key; the limits are the same
  --out FILE    write the JSON there

Speed-ups (`repeat…` of the JWT cases) are rival / ours, all other ratios ours / rival. Trust those, not the microseconds: they
are of this machine and this minute. The limits are in benches/limits.mjs; which call is compared with which, and why, is at the
head of benches/subjects.js.

examples
  cargo xtask bench
  cargo xtask bench --quick --out /tmp/bench.json
";

/// What is installed for it.
pub(crate) const MEMBERS: &[&str] = &["benches"];

/// `cargo xtask bench`
pub(crate) fn run(options: &[String]) -> Result {
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
