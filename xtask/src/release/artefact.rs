//! Something that is released.

use std::fs;
use std::path::PathBuf;

use crate::shell::{Failure, Result};

/// Something that is released.
pub(super) struct Artefact {
    pub(super) file: PathBuf,
    /// What is in it, as CycloneDX.
    pub(super) sbom: String,
}

impl Artefact {
    pub(super) fn file_name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Fails where its file is larger than it may be.
    pub(super) fn weighs_at_most(&self, limit: u64) -> Result {
        let size = fs::metadata(&self.file).map_or(u64::MAX, |metadata| metadata.len());
        if size <= limit {
            return Ok(());
        }
        Err(Failure::new(format!("{size} bytes are more than the {limit} that it may have")))
    }
}
