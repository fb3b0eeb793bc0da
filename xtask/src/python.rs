//! Python and its packages: is Python new enough, and is there a virtual environment with what a
//! folder pins.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, Failure, Result};

const OLDEST: (u32, u32) = (3, 10);

/// Checks style and types of the package in `folder`, and runs its tests. Nothing is written into
/// it: environments and caches are below `target/`.
pub(crate) fn test(folder: &Path, quiet: &[(&str, &str)]) -> Result {
    let home = shell::target_directory()?.join("python");
    let python = environment(&home.join("venv"), &folder.join("requirements-test.txt"))?;
    // Where `python -m doorward_origin doctor` has to tell that a package is missing.
    let bare = environment(&home.join("bare"), &folder.join("requirements-bare.txt"))?;
    let types = home.join("mypy").to_string_lossy().into_owned();
    let checks: [&[&str]; 4] = [
        &["ruff", "format", "--no-cache", "--check", "."],
        &["ruff", "check", "--no-cache", "."],
        &["mypy", "--cache-dir", &types],
        &["pytest"],
    ];
    for arguments in checks {
        let mut command = shell::command(&python, &[&["-B", "-m"], arguments].concat(), folder);
        command.envs(quiet.iter().copied()).env("PYTHONDONTWRITEBYTECODE", "1");
        shell::run(command.env("DOORWARD_BARE_PYTHON", &bare))?;
    }
    Ok(())
}

/// Two interpreters for APIs that verify tokens with PyJWT: as `requirements.txt` in `folder` says,
/// and without `cryptography`.
pub(crate) fn of_apis(folder: &Path) -> Result<(String, String)> {
    let home = shell::target_directory()?.join("python");
    let bare = shell::root().join("origin").join("python").join("requirements-bare.txt");
    Ok((
        environment(&home.join("api"), &folder.join("requirements.txt"))?,
        environment(&home.join("bare"), &bare)?,
    ))
}

/// The interpreter of the virtual environment in `folder` with just these packages; it is made anew
/// when they have changed.
pub(crate) fn environment(folder: &Path, requirements: &Path) -> Result<String> {
    let wanted = fs::read(requirements)
        .map_err(|error| Failure::new(format!("{}: {error}", requirements.display())))?;
    let bin = if cfg!(windows) { ["Scripts", "python.exe"] } else { ["bin", "python"] };
    let python = folder.join(PathBuf::from_iter(bin)).to_string_lossy().into_owned();
    // Written last: an interrupted installation is not taken for a finished one.
    let installed = folder.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted)
        && Path::new(&python).exists()
    {
        return Ok(python);
    }
    let base = interpreter()?;
    // Debian's python3 has the module `venv` and not what it needs.
    let hint =
        "on Debian and Ubuntu: apt install python3-venv; elsewhere install Python from python.org";
    shell::run(Command::new(base).args(["-m", "venv", "--clear"]).arg(folder))
        .map_err(|failure| failure.hint(hint))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    shell::run(Command::new(&python).args(pip).arg(requirements))?;
    fs::write(&installed, wanted)
        .map_err(|error| Failure::new(format!("{}: {error}", installed.display())))?;
    Ok(python)
}

/// A Python on the PATH that is new enough, by the name that the platform gives it.
fn interpreter() -> Result<OsString> {
    let (major, minor) = OLDEST;
    let check = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    let is_good = |name: &&str| {
        Command::new(name).args(["-c", &check]).output().is_ok_and(|output| output.status.success())
    };
    ["python3", "python"].iter().find(|name| is_good(name)).map(OsString::from).ok_or_else(|| {
        Failure::new(format!("there is no Python {major}.{minor} or newer on the PATH"))
            .hint("install it from python.org or with a package manager, with its module venv")
    })
}
