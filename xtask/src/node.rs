//! Node and npm: is Node new enough, and are the packages there that a part of the npm workspace
//! needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use serde_json::Value;

use crate::shell::{self, Failure, Result};

const OLDEST: u32 = 20;

/// Whether a Node that is new enough is on the PATH.
pub(crate) fn check() -> Result {
    let hint = format!("install Node {OLDEST} or newer, from nodejs.org or with a version manager");
    let Ok(output) = Command::new("node").arg("--version").output() else {
        return Err(Failure::new("there is no `node` on the PATH").hint(hint));
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(()),
        _ => Err(Failure::new(format!("Node {version} is too old")).hint(hint)),
    }
}

/// `npm ci` for these members of the npm workspace, where one of them is not installed or the lock
/// file is newer. What else is installed stays: `npm ci` begins by removing everything, so it is
/// told to install that again.
pub(crate) fn install(members: &[&str]) -> Result {
    let root = shell::root();
    // npm writes this file last, with the members that it has installed: an interrupted
    // installation is not taken for a finished one.
    let record = root.join("node_modules/.package-lock.json");
    let installed = installed(&record, &json(&root.join("package.json")));
    let is_current = modified(&record) >= modified(&root.join("package-lock.json"));
    if is_current && members.iter().all(|member| installed.contains(*member)) {
        return Ok(());
    }
    let mut command = npm(&["ci", "--no-fund", "--no-audit", "--loglevel=error"], &root);
    for member in
        installed.iter().map(String::as_str).chain(members.iter().copied()).collect::<BTreeSet<_>>()
    {
        command.args(["--workspace", member]);
    }
    shell::run(&mut command)
}

/// Which members of the workspace are in npm's record of what it has installed.
fn installed(record: &Path, manifest: &Value) -> BTreeSet<String> {
    let record = json(record);
    let members = manifest
        .get("workspaces")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let is_installed =
        |member: &&str| record.get("packages").and_then(|packages| packages.get(*member)).is_some();
    members.filter(is_installed).map(str::to_owned).collect()
}

/// A file of JSON; null where it is none.
fn json(file: &Path) -> Value {
    fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// `npm`, by the name that the platform gives it.
pub(crate) fn npm(arguments: &[&str], folder: &Path) -> Command {
    shell::command(if cfg!(windows) { "npm.cmd" } else { "npm" }, arguments, folder)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
