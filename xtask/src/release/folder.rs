//! Folders that a release is made in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{Failure, Result};

/// Why a file could not be written.
pub(super) fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}", path.display()))
}

/// A folder of this run for that purpose, empty, outside of the repository: nothing there finds
/// what the repository has installed.
pub(super) fn empty_folder(purpose: &str) -> Result<PathBuf> {
    let name = format!("doorward-release-{}-{purpose}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| unwritten(&folder, &error))?;
    }
    fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, &error))?;
    Ok(folder)
}
