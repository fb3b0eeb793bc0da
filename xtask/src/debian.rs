//! Debian packages that a command needs and that no registry of libraries has: installed where that
//! is allowed, said loudly where not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::shell::{self, Failure, Result};

/// PostgreSQL, to make clusters with: `examples/shared/postgres.mjs` looks for it in the same
/// places. The folders of Debian's versions are there with the client alone.
pub(crate) fn ensure_postgresql() -> Result {
    ensure_that("postgresql", || {
        let versions = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .map(|version| version.path().join("bin"));
        versions
            .chain(["/usr/local/bin", "/usr/bin"].map(PathBuf::from))
            .any(|bin| bin.join("initdb").exists())
    })
}

/// Where a browser is that tests steer.
pub(crate) const BROWSERS: &[&str] =
    &["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// Sees to it that one of `files` is there, by installing `package` if need be.
pub(crate) fn ensure(package: &str, files: &[&str]) -> Result {
    ensure_that(package, || files.iter().any(|file| Path::new(file).exists()))
}

fn ensure_that(package: &str, is_there: impl Fn() -> bool) -> Result {
    if is_there() {
        return Ok(());
    }
    let hint = format!(
        "apt-get install --no-install-recommends {package}, or the like of it on this system"
    );
    if !may_install() {
        return Err(Failure::new(format!(
            "THERE IS NO {package}, and this user may not install it: NOTHING IS PROVEN"
        ))
        .hint(hint));
    }
    shell::say(format!("there is no {package}: INSTALLING IT with apt-get"));
    let mut update = shell::command("apt-get", &["update", "-qq"], &shell::root());
    let mut install = shell::command(
        "apt-get",
        &["install", "-y", "-qq", "--no-install-recommends", package],
        &shell::root(),
    );
    shell::run(&mut update).map_err(|failure| failure.hint(&hint))?;
    shell::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
        .map_err(|failure| failure.hint(&hint))?;
    if is_there() {
        Ok(())
    } else {
        Err(Failure::new(format!("{package} was installed, but is not where it was expected"))
            .hint(hint))
    }
}

/// Root, on a system with apt.
fn may_install() -> bool {
    let says = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    says("id", "-u").as_deref() == Some("0") && says("apt-get", "--version").is_some()
}
