//! Node and npm: is Node new enough, and are the packages of a folder there.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

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

/// `npm ci` where the packages are missing or older than the lock file.
pub(crate) fn install(folder: &Path) -> Result {
    // npm writes this file last: an interrupted installation is not taken for a finished one.
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    let locked = modified(&folder.join("package-lock.json"));
    if installed.is_some() && installed >= locked {
        return Ok(());
    }
    shell::run(&mut npm(&["ci", "--no-fund", "--no-audit", "--loglevel=error"], folder))
}

/// `npm`, by the name that the platform gives it.
pub(crate) fn npm(arguments: &[&str], folder: &Path) -> Command {
    shell::command(if cfg!(windows) { "npm.cmd" } else { "npm" }, arguments, folder)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
