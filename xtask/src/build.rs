//! `cargo xtask build`: chooses what to build.

use crate::build_worker::Variant;
use crate::shell::{Failure, Result};
use crate::{build_cli, build_package, build_page, build_worker};

pub(crate) const HELP: &str = "\
Build what ships: the npm package's WebAssembly and the Cloudflare Worker

usage: cargo xtask build                      both
       cargo xtask build package [--names]    only the npm package; --names keeps function names,
                                              for tools that show what takes space
       cargo xtask build package --gate       the same without the command line
       cargo xtask build cli                  only the command line of the npm package
       cargo xtask build page                 the page that explains decisions, as one file
       cargo xtask build worker [--debug]     only the Worker; --debug: readable panics, and slow
       cargo xtask build tests                variants for tests only; some `npm test` load them

needs    the Rust target wasm32-unknown-unknown, which it adds with rustup if it is missing
does     compiles the crates doorward-binding, doorward-cli-wasm and doorward-worker, and writes the JavaScript that
         loads them. Nothing is downloaded except crates
writes   middleware/wasm/    the WebAssembly, and one JavaScript file for each kind of runtime
         worker/build/       worker.js and what it imports, ready for wrangler
         target/page/        explain.html, only by `page`; the package makes the same with
                             `doorward explain --page`
         middleware/test/suites/wasm/, worker/test/build/    only by `tests`
         All of it is ignored by git
prints   the folders that it has written
exit     0; 1 if something does not compile or the Worker is larger than its limit
";

/// `cargo xtask build`
pub(crate) fn run(arguments: &[String]) -> Result {
    let folders = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => vec![package()?, build_worker::weighed(Variant::Release)?],
        ["package"] => vec![package()?],
        ["package", "--gate"] => vec![build_package::release()?.folder],
        ["cli"] => vec![build_cli::release()?],
        ["page"] => {
            package()?;
            vec![build_page::whole()?]
        }
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

/// The npm package: the gate, the command line, and the page that both are put into.
pub(crate) fn package() -> Result<std::path::PathBuf> {
    build_cli::release()?;
    let folder = build_package::release()?.folder;
    build_page::template()?;
    Ok(folder)
}
