//! `cargo xtask size`: what the two WebAssembly modules weigh, and whether that is within their budgets.

use std::fs;
use std::path::Path;

use crate::shell::{Failure, Result};
use crate::{build, build_worker};

pub(crate) const HELP: &str = "\
Weigh both WebAssembly modules against their budgets

usage: cargo xtask size

does     builds the npm package's module and the Worker's, and weighs each as it is and after gzip -9
leaves   on stdout JSON: {\"middleware\": {\"raw\", \"gzip\", \"budget\"}, \"worker\": {…}}, in bytes; the budget is for `gzip`
exit     0 if both are within their budgets, otherwise 1

example
  cargo xtask size | jq .middleware.gzip
";

/// Bytes that the npm package's module may have after gzip: an edge function is downloaded to every location.
const MIDDLEWARE_BUDGET: u64 = 80 * 1024;

/// The same for the Worker's. The `worker` crate alone takes 180 KB of it; the free plan of the platform takes 3 MB.
pub(crate) const WORKER_BUDGET: u64 = 340 * 1024;

/// `cargo xtask size`
pub(crate) fn run(arguments: &[String]) -> Result {
    if let Some(argument) = arguments.first() {
        return Err(Failure::usage(format!("`size` takes no argument `{argument}`")).hint("cargo xtask size --help"));
    }
    let modules = [
        ("middleware", build::wasm_binding()?.join("doorward_bg.wasm"), MIDDLEWARE_BUDGET),
        ("worker", build_worker::release_wasm()?, WORKER_BUDGET),
    ];
    let mut sizes = serde_json::Map::new();
    let mut over = Vec::new();
    for (name, wasm, budget) in modules {
        let Weight { raw, gzip } = weight(&wasm)?;
        sizes.insert(name.to_owned(), serde_json::json!({ "raw": raw, "gzip": gzip, "budget": budget }));
        if gzip > budget {
            over.push(format!("{name} by {} bytes", gzip.saturating_sub(budget)));
        }
    }
    println!("{:#}", serde_json::Value::Object(sizes));
    if over.is_empty() { Ok(()) } else { Err(Failure::new(format!("over the budget: {}", over.join(", ")))) }
}

/// Bytes of a file.
pub(crate) struct Weight {
    /// As it is.
    pub(crate) raw: u64,
    /// After gzip -9, as platforms count.
    pub(crate) gzip: u64,
}

/// What this file weighs.
pub(crate) fn weight(file: &Path) -> Result<Weight> {
    let bytes = fs::read(file).map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))?;
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
