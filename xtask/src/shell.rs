//! Running other programs: what is run is said on stderr, and a failure says which program it was
//! and what to do.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Why a command could not be finished.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: String,
    hint: Option<String>,
    code: u8,
}

/// What every command of this program comes back with.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// What was run or checked is bad: one sentence, lower case, no full stop.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None, code: 1 }
    }

    /// The command was used wrongly.
    pub(crate) fn usage(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None, code: 2 }
    }

    /// What to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says so on stderr and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("doorward: error: {}", self.problem);
        if let Some(hint) = &self.hint {
            eprintln!("doorward: hint: {hint}");
        }
        ExitCode::from(self.code)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem)
    }
}

/// Says something on stderr.
pub(crate) fn say(line: impl AsRef<str>) {
    eprintln!("doorward: {}", line.as_ref());
}

/// The root of the workspace: where cargo runs this program from, not where it was built. A
/// checkout that was copied together with its `target` folder works on itself.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().unwrap_or(&manifest).to_path_buf()
}

/// A command for `program`, to run in `directory`.
pub(crate) fn command(program: &str, arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory);
    command
}

/// This program with those arguments, as a program of its own: what it prints goes to stderr then,
/// and the caller goes on.
pub(crate) fn xtask(arguments: &[&str]) -> Result<Command> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(format!("where is this program? {error}")))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    Ok(command)
}

/// Runs a command to its end. All that it prints goes to stderr; stdout is for our own answer.
pub(crate) fn run(command: &mut Command) -> Result {
    let line = line_of(command);
    say(format!("$ {line}"));
    let status = command
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .map_err(|error| not_started(&line, &error))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{line}` failed ({status})"))) }
}

/// Runs a command to its end and gives what it printed on stdout. Quiet, unless it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| not_started(&line, &error))?;
    if !output.status.success() {
        return Err(Failure::new(format!("`{line}` failed ({})", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("`{line}` printed something that is not UTF-8")))
}

/// Becomes that program, so that Ctrl-C and the exit code are its own.
#[cfg(unix)]
pub(crate) fn hand_over(command: &mut Command) -> Result {
    use std::os::unix::process::CommandExt as _;
    Err(Failure::new(format!("node does not start: {}", command.exec())))
}

/// Runs that program and ends with its exit code.
#[cfg(not(unix))]
pub(crate) fn hand_over(command: &mut Command) -> Result {
    let status =
        command.status().map_err(|error| Failure::new(format!("node does not start: {error}")))?;
    std::process::exit(status.code().unwrap_or(1))
}

/// The directory where cargo puts what it builds, wherever the environment has moved it to.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let metadata = output(&mut command(
        "cargo",
        &["metadata", "--format-version", "1", "--no-deps"],
        &root(),
    ))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)
        .map_err(|error| Failure::new(format!("`cargo metadata` is not JSON: {error}")))?;
    metadata
        .get("target_directory")
        .and_then(serde_json::Value::as_str)
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("`cargo metadata` names no target directory"))
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

fn not_started(line: &str, error: &std::io::Error) -> Failure {
    let program = line.split(' ').next().unwrap_or(line);
    Failure::new(format!("`{line}` could not be started: {error}"))
        .hint(format!("is `{program}` installed and on the PATH?"))
}
