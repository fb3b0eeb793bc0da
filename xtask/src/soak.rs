//! `cargo xtask soak`: builds the Worker and hands over to `worker/test/soak/soak.mjs`, or to
//! `hostile.mjs` beside it.

use crate::shell::{self, Failure, Result};
use crate::{build_package, build_worker, node};

pub(crate) const HELP: &str = "\
Load the gate with a thousand sessions while the auth service fails

usage: cargo xtask soak [--seconds N] [--seed N]
       cargo xtask soak --hostile [--seconds N]

needs    Linux, Node 20 or newer, and the npm registry
does     builds the Worker and starts it in workerd, between an origin and an auth service that
         fails in eight ways, one after the other. Clients with cookies and tokens sign in, renew,
         switch organisations and sign out, and others send what must never pass. Each answer is
         compared with who is really signed in at that moment
         --hostile: 50 honest clients and one hostile client, at the Worker and then at
         `createProxy` in Node. It is not part of `cargo xtask test`, because waiting times on busy
         cores say little
prints   what was sent, the outcomes, the faults, the memory of workerd, and each wrong decision
exit     0 if no decision was wrong, no error was unhandled and memory stayed bounded; with
         --hostile, if no honest request was refused, lost or answered with 503; otherwise 1

  --seconds N    20 or more (default 20; with --hostile 60); the faults repeat every 20 seconds
  --seed N       another choice of requests (default 1)

examples
  cargo xtask soak
  cargo xtask soak --seconds 600 --seed 7
  cargo xtask soak --hostile
";

/// One round of all faults.
const LEAST_SECONDS: u32 = 20;

/// What a minute of the hostile client is.
const HOSTILE_SECONDS: u32 = 60;

/// What is installed for it.
pub(crate) const MEMBERS: &[&str] = &["worker/test"];

/// `cargo xtask soak`
pub(crate) fn run(options: &[String]) -> Result {
    if let Some((_, options)) = options.split_first().filter(|(first, _)| *first == "--hostile") {
        return hostile(options);
    }
    let (seconds, seed) = settings(options)?;
    node::check()?;
    build_worker::release()?;
    let folder = shell::root().join("worker").join("test");
    node::install(MEMBERS)?;
    shell::hand_over(&mut shell::command(
        "node",
        &["soak/soak.mjs", &seconds.to_string(), &seed.to_string()],
        &folder,
    ))
}

fn hostile(options: &[String]) -> Result {
    let seconds = if options.is_empty() { HOSTILE_SECONDS } else { settings(options)?.0 };
    node::check()?;
    build_package::release()?;
    build_worker::release()?;
    let folder = shell::root().join("worker").join("test");
    node::install(MEMBERS)?;
    for host in ["worker", "node"] {
        shell::run(&mut shell::command(
            "node",
            &["soak/hostile.mjs", host, &seconds.to_string()],
            &folder,
        ))?;
    }
    Ok(())
}

fn settings(options: &[String]) -> Result<(u32, u32)> {
    let (mut seconds, mut seed) = (LEAST_SECONDS, 1);
    let mut options = options.iter().map(String::as_str);
    while let Some(option) = options.next() {
        let wrong = || {
            Failure::usage(format!("`soak` does not take `{option}` like that"))
                .hint("cargo xtask soak --help")
        };
        let number: u32 =
            options.next().and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
        match option {
            "--seconds" if number >= LEAST_SECONDS => seconds = number,
            "--seed" => seed = number,
            _ => return Err(wrong()),
        }
    }
    Ok((seconds, seed))
}

#[cfg(test)]
mod tests {
    use super::settings;

    #[test]
    fn too_short_a_run_and_unknown_options_are_refused() {
        let read = |words: &[&str]| {
            settings(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).ok()
        };
        assert_eq!(read(&[]), Some((20, 1)));
        assert_eq!(read(&["--seed", "7", "--seconds", "60"]), Some((60, 7)));
        for wrong in
            [&["--seconds", "19"][..], &["--seconds"], &["--seed", "x"], &["--minutes", "1"]]
        {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
