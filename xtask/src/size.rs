//! `cargo xtask size`: what the WebAssembly modules weigh, and whether that is within their
//! budgets.

use crate::shell::{Failure, Result};
use crate::weight::{CLI_BUDGET, MIDDLEWARE_BUDGET, WORKER_BUDGET, Weight, weight};
use crate::{build_cli, build_package, build_worker};

pub(crate) const HELP: &str = "\
Compare the size of the WebAssembly modules with their limits

usage: cargo xtask size

does     builds the npm package, its command line (compressed by brotli) and the Worker, and measures
         each module as it is and after gzip -9
prints   JSON: {\"middleware\": {\"raw\", \"gzip\", \"budget\"}, \"cli\": {…}, \"worker\": {…}}, in bytes;
         the limit (`budget`) is for `gzip`
exit     0 if all are within their limits, otherwise 1

example
  cargo xtask size | jq .middleware.gzip
";

/// `cargo xtask size`
pub(crate) fn run(arguments: &[String]) -> Result {
    if let Some(argument) = arguments.first() {
        return Err(Failure::usage(format!("`size` takes no argument `{argument}`"))
            .hint("cargo xtask size --help"));
    }
    let modules = [
        ("middleware", build_package::release()?.wasm, MIDDLEWARE_BUDGET),
        ("cli", build_cli::release()?, CLI_BUDGET),
        ("worker", build_worker::release()?, WORKER_BUDGET),
    ];
    let mut sizes = serde_json::Map::new();
    let mut over = Vec::new();
    for (name, wasm, budget) in modules {
        let Weight { raw, gzip } = weight(&wasm)?;
        sizes.insert(
            name.to_owned(),
            serde_json::json!({ "raw": raw, "gzip": gzip, "budget": budget }),
        );
        if gzip > budget {
            over.push(format!("{name} by {} bytes", gzip.saturating_sub(budget)));
        }
    }
    println!("{:#}", serde_json::Value::Object(sizes));
    if over.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("over the budget: {}", over.join(", "))))
    }
}
