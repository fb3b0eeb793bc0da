//! `cargo xtask fuzz`: each target of `fuzz/` for a while, and a table of what came of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::shell::{self, Failure, Result};

pub(crate) const HELP: &str = "\
Search for inputs that break what must hold of tokens, key sets, cookies and requests

usage: cargo xtask fuzz [--seconds N] [target …]    all targets, or only these; 60 seconds each

needs    a C++ compiler, on Linux or macOS. cargo-fuzz is installed with cargo if it is missing
does     builds fuzz/ with the stable toolchain (RUSTC_BOOTSTRAP=1: cargo-fuzz uses compiler flags
         that are not stable) and without a sanitizer: the core has no unsafe code, and runs two to
         three times as fast so. Then it runs one target after the other
prints   a table; for each finding, the input's file and the commands to reproduce it
writes   fuzz/corpus/ (inputs that reach new code) and fuzz/artifacts/ (findings), ignored by git
exit     0 if nothing was found, otherwise 1

examples
  cargo xtask fuzz
  cargo xtask fuzz --seconds 600 token
";

/// The targets, as in `fuzz/Cargo.toml`.
const TARGETS: [&str; 5] = ["token", "jwk_set", "cookie_header", "session_data", "decide"];

/// An input that takes longer is a finding: no request may.
const TIMEOUT: &str = "-timeout=10";
/// The largest documents that are read at all are 256 KiB; what is longer than this finds nothing
/// more.
const MAX_LENGTH: &str = "-max_len=16384";

/// Two to three times as many executions; the core forbids unsafe code.
const NO_SANITIZER: &str = "--sanitizer=none";

/// `cargo xtask fuzz`
pub(crate) fn run(arguments: &[String]) -> Result {
    let Wanted { seconds, targets } = Wanted::from_arguments(arguments)?;
    ensure_cargo_fuzz()?;
    shell::run(&mut cargo_fuzz(&["build"]))?;
    let outcomes =
        targets.into_iter().map(|target| fuzz(target, seconds)).collect::<Result<Vec<_>>>()?;
    report(&outcomes)
}

#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    seconds: u32,
    targets: Vec<&'static str>,
}

impl Wanted {
    fn from_arguments(arguments: &[String]) -> Result<Self> {
        let mut wanted = Self { seconds: 60, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--seconds" {
                let seconds = arguments
                    .next()
                    .and_then(|seconds| seconds.parse().ok())
                    .filter(|seconds| *seconds > 0);
                wanted.seconds = seconds.ok_or_else(|| {
                    Failure::usage("`--seconds` needs a number above 0")
                        .hint("cargo xtask fuzz --seconds 600")
                })?;
                continue;
            }
            let target = TARGETS.iter().find(|target| *target == argument);
            let unknown = || {
                Failure::usage(format!("there is no target `{argument}`"))
                    .hint(format!("targets: {}", TARGETS.join(" ")))
            };
            wanted.targets.push(target.ok_or_else(unknown)?);
        }
        if wanted.targets.is_empty() {
            wanted.targets = TARGETS.to_vec();
        }
        Ok(wanted)
    }
}

fn ensure_cargo_fuzz() -> Result {
    let is_there = Command::new("cargo-fuzz")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if is_there.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    shell::say("there is no cargo-fuzz: INSTALLING IT with cargo, which takes a minute or two");
    shell::run(&mut shell::command("cargo", &["install", "--locked", "cargo-fuzz"], &shell::root()))
}

fn cargo_fuzz(arguments: &[&str]) -> Command {
    let mut command = shell::command("cargo", &["fuzz"], &shell::root());
    command.args(arguments).arg(NO_SANITIZER).env("RUSTC_BOOTSTRAP", "1");
    command
}

/// What came of a target.
struct Outcome {
    target: &'static str,
    executions: u64,
    seconds: u64,
    /// The input that refutes something.
    finding: Option<PathBuf>,
    /// It ended without finding anything, and not because its time was up.
    problem: Option<String>,
}

fn fuzz(target: &'static str, seconds: u32) -> Result<Outcome> {
    let folder = shell::root().join("fuzz");
    let corpus = folder.join("corpus").join(target);
    fs::create_dir_all(&corpus)
        .map_err(|error| Failure::new(format!("{} cannot be made: {error}", corpus.display())))?;
    let text = |path: PathBuf| path.display().to_string();
    let kept = ["seeds", "regressions"]
        .map(|kind| folder.join(kind).join(target))
        .into_iter()
        .filter(|path| path.is_dir());

    let mut command = cargo_fuzz(&["run", target]);
    // libFuzzer writes to the first folder only.
    command.arg(text(corpus)).args(kept.map(text)).arg("--");
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-dict={}", text(folder.join("dictionaries").join(format!("{target}.dict")))),
    ]);
    command.args([TIMEOUT, MAX_LENGTH, "-print_final_stats=1"]);
    shell::say(format!("── {target}, {seconds} s"));

    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            Failure::new(format!("`cargo fuzz run {target}` could not be started: {error}"))
        })?;
    let mut outcome = Outcome { target, executions: 0, seconds: 0, finding: None, problem: None };
    for line in child.stderr.take().map(BufReader::new).into_iter().flat_map(BufReader::split_lines)
    {
        outcome.learn(&line, &folder);
        eprintln!("{line}");
    }
    let status = child
        .wait()
        .map_err(|error| Failure::new(format!("`cargo fuzz run {target}`: {error}")))?;
    if !status.success() && outcome.finding.is_none() {
        outcome.problem = Some(format!("ended early ({status})"));
    }
    Ok(outcome)
}

/// Lines of a stream, whatever its bytes.
trait SplitLines {
    fn split_lines(self) -> Box<dyn Iterator<Item = String>>;
}

impl<R: std::io::Read + 'static> SplitLines for BufReader<R> {
    fn split_lines(self) -> Box<dyn Iterator<Item = String>> {
        let lines = self.split(b'\n').map_while(std::result::Result::ok);
        Box::new(lines.map(|line| String::from_utf8_lossy(&line).into_owned()))
    }
}

impl Outcome {
    /// Takes what a line of libFuzzer says.
    fn learn(&mut self, line: &str, folder: &Path) {
        let number_after = |mark: &str| {
            let (_, rest) = line.split_once(mark)?;
            rest.split_whitespace().next()?.parse().ok()
        };
        // `#1024 pulse …` while it runs, `stat::number_of_executed_units: 1024` at the end, if it
        // gets there.
        let running =
            line.strip_prefix('#').and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        self.executions =
            number_after("stat::number_of_executed_units:").or(running).unwrap_or(self.executions);
        if let Some((_, rest)) = line.split_once(" runs in ") {
            self.seconds = rest
                .split(' ')
                .next()
                .and_then(|seconds| seconds.parse().ok())
                .unwrap_or(self.seconds);
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.finding = Some(folder.join(path.trim()));
        }
    }

    fn result(&self) -> &str {
        match (&self.finding, &self.problem) {
            (Some(_), _) => "FOUND",
            (None, Some(_)) => "BROKEN",
            (None, None) => "nothing",
        }
    }
}

/// Prints the table, then each finding; an error if there is one.
fn report(outcomes: &[Outcome]) -> Result {
    println!("\n{:14}  {:>12}  {:>8}  finding", "target", "executions", "seconds");
    for outcome in outcomes {
        println!(
            "{:14}  {:>12}  {:>8}  {}",
            outcome.target,
            outcome.executions,
            outcome.seconds,
            outcome.result()
        );
    }
    let findings: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| Some((outcome.target, outcome.finding.as_ref()?)))
        .collect();
    for (target, path) in &findings {
        println!("\n{target}: {}", path.display());
        println!(
            "  see it again    RUSTC_BOOTSTRAP=1 cargo fuzz run {NO_SANITIZER} {target} {}",
            path.display()
        );
        println!(
            "  make it small   RUSTC_BOOTSTRAP=1 cargo fuzz tmin {NO_SANITIZER} {target} {}",
            path.display()
        );
        println!("  keep it         cp {} fuzz/regressions/{target}/<what-it-was>", path.display());
    }
    if let Some((outcome, problem)) =
        outcomes.iter().find_map(|outcome| Some((outcome, outcome.problem.as_ref()?)))
    {
        return Err(Failure::new(format!("{} {problem} without a finding", outcome.target))
            .hint("its last lines above say why"));
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{} of {} targets found something", findings.len(), outcomes.len()))
        .hint("fix it, keep the input in fuzz/regressions, and add a vector"))
}

#[cfg(test)]
mod tests {
    use super::{Outcome, TARGETS, Wanted};

    fn wanted(arguments: &[&str]) -> Option<Wanted> {
        Wanted::from_arguments(
            &arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>(),
        )
        .ok()
    }

    #[test]
    fn without_names_every_target_runs_for_a_minute() {
        assert_eq!(wanted(&[]), Some(Wanted { seconds: 60, targets: TARGETS.to_vec() }));
        assert_eq!(
            wanted(&["--seconds", "5", "decide"]),
            Some(Wanted { seconds: 5, targets: vec!["decide"] })
        );
        for wrong in [&["nothing"][..], &["--seconds"], &["--seconds", "0"], &["--seconds", "x"]] {
            assert_eq!(wanted(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_libfuzzer_says_is_understood() {
        let mut outcome =
            Outcome { target: "token", executions: 0, seconds: 0, finding: None, problem: None };
        for line in [
            "#2048\tpulse  cov: 3163 ft: 8213 corp: 90/20Kb exec/s: 682 rss: 90Mb",
            "Done 4100 runs in 7 second(s)",
            "stat::number_of_executed_units: 4100",
        ] {
            outcome.learn(line, "/fuzz".as_ref());
        }
        assert_eq!((outcome.executions, outcome.seconds, outcome.result()), (4100, 7, "nothing"));
        outcome.learn(
            "artifact_prefix='x'; Test unit written to /fuzz/artifacts/token/crash-1",
            "/fuzz".as_ref(),
        );
        assert_eq!(outcome.finding.as_deref(), Some("/fuzz/artifacts/token/crash-1".as_ref()));
    }

    #[test]
    fn the_targets_are_those_of_the_manifest() {
        let manifest = include_str!("../../fuzz/Cargo.toml");
        let named: Vec<&str> =
            manifest.split("[[bin]]").skip(1).filter_map(|bin| bin.split('"').nth(1)).collect();
        assert_eq!(named, TARGETS);
    }
}
