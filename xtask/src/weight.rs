//! What a built file weighs, and what the WebAssembly modules may weigh.

use std::fs;
use std::path::Path;

use crate::shell::{Failure, Result};

/// Bytes that the npm package's module may have after gzip: an edge function is downloaded to every
/// location.
pub(crate) const MIDDLEWARE_BUDGET: u64 = 80 * 1024;

/// The same for the command line's, which `npx` downloads.
pub(crate) const CLI_BUDGET: u64 = 300 * 1024;

/// The same for the Worker's. The `worker` crate alone takes 180 KB of it; the free plan of the
/// platform takes 3 MB. Metrics are 9 KB of it.
pub(crate) const WORKER_BUDGET: u64 = 364 * 1024;

/// Bytes of a file.
pub(crate) struct Weight {
    /// As it is.
    pub(crate) raw: u64,
    /// After gzip -9, as platforms count.
    pub(crate) gzip: u64,
}

/// What this file weighs.
pub(crate) fn weight(file: &Path) -> Result<Weight> {
    let bytes = fs::read(file)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))?;
    let mut encoder = flate2::write::GzEncoder::new(Counter(0), flate2::Compression::best());
    let packed = std::io::Write::write_all(&mut encoder, &bytes).and_then(|()| encoder.finish());
    let Counter(gzip) = packed.map_err(|error| Failure::new(format!("gzip: {error}")))?;
    Ok(Weight { raw: length(&bytes), gzip })
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Takes bytes and only counts them.
struct Counter(u64);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(length(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
