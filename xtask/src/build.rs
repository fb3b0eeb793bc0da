//! `cargo xtask build`: chooses what to build.

use crate::build_worker::Variant;
use crate::shell::{Failure, Result};
use crate::{build_package, build_worker};

pub(crate) const HELP: &str = "\
Make the WebAssembly that the npm package loads, and the Cloudflare Worker

usage: cargo xtask build                       the npm package's WebAssembly and the Worker
       cargo xtask build package [--names]     only the npm package's; with the names of functions in it
       cargo xtask build worker [--debug]      only the Worker; with readable panics
       cargo xtask build tests                 the variants that only tests load; needed by some `npm test`

needs    rustup (or a toolchain that has the target wasm32-unknown-unknown already)
does     cargo build --release --target wasm32-unknown-unknown -p doorward-binding, and -p doorward-worker
         then writes the JavaScript around each; nothing is downloaded but crates
leaves   middleware/wasm/   doorward_bg.wasm, and one JavaScript file per kind of runtime (ignored by git)
         worker/build/      worker.js and what it imports, for wrangler (ignored by git)
         middleware/test/suites/wasm/, worker/test/build/   for `tests` alone (ignored by git)
";

/// `cargo xtask build`
pub(crate) fn run(arguments: &[String]) -> Result {
    let folders = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => vec![build_package::release()?.folder, build_worker::weighed(Variant::Release)?],
        ["package"] => vec![build_package::release()?.folder],
        ["package", "--names"] => vec![build_package::with_names()?.folder],
        ["worker"] => vec![build_worker::weighed(Variant::Release)?],
        ["worker", "--debug"] => vec![build_worker::weighed(Variant::Debug)?],
        ["tests"] => vec![
            build_package::suites()?.folder,
            build_worker::weighed(Variant::PlantTrap)?,
            build_worker::weighed(Variant::Conformance)?,
        ],
        words => {
            let problem = format!("`build` does not take `{}`", words.join(" "));
            return Err(Failure::usage(problem).hint("cargo xtask build --help"));
        }
    };
    for folder in folders {
        println!("{}", folder.display());
    }
    Ok(())
}
