//! `cargo xtask build worker`: the Cloudflare Worker, ready for wrangler.
//!
//! wasm-bindgen's glue for its target `module` is changed in three places. workerd compiles `*.wasm` for a plain import and
//! knows no source-phase imports. The first instance is made by the first request, like any later one, so that one that
//! cannot start is an answer (503) instead of a Worker that cannot be loaded. And every call into an instance goes through
//! `guard`, so that a trap is seen where it happens (`worker/shim/instance.js` says why).
//!
//! Beside the glue goes what is in `worker/shim/`: the entry point, `guard`, and the messages at the border.

use std::fs;
use std::path::{Path, PathBuf};

use wasm_bindgen_cli_support::Bindgen;

use crate::build::{ensure_wasm_target, wasm_flags};
use crate::shell::{self, Failure, Result};
use crate::size::{self, Weight};

const TARGET: &str = "wasm32-unknown-unknown";
const STEM: &str = "gate";
const WASM: &str = "gate_bg.wasm";

/// What stands in the glue exactly once, and what stands there afterwards.
const REWRITES: [(&str, &str); 3] = [
    ("import source wasmModule from ", "import { guard } from \"./instance.js\";\nimport wasmModule from "),
    (START, "let wasmInstance, wasm;"),
    ("wasm = wasmInstance.exports;", "wasm = guard(wasmInstance.exports);"),
];

/// What stands around the glue. How a connection ends that stays open, what an origin says of its own address, and what is answered
/// where there is no gate, is the same for the npm package.
const SHIM: &[&str] = &[
    "worker/shim/worker.js",
    "worker/shim/instance.js",
    "worker/shim/message.js",
    "middleware/open.js",
    "middleware/own-address.js",
    "middleware/cookie-line.js",
    "middleware/not-started.js",
];

/// What plays the decision vectors.
const PLAYER: &[&str] = &["worker/test/vectors/script.js", "worker/test/vectors/entry.js", "tests/vectors/replies.js"];

/// The lines of the glue that start an instance as soon as the file is imported.
const START: &str = "let wasmInstance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());
let wasm = wasmInstance.exports;
wasm.__wbindgen_start();";

/// Which Worker to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// The one to deploy, in `worker/build`.
    Release,
    /// With readable panics, in `worker/build`; large and slow.
    Debug,
    /// The one to deploy plus a planted trap, in `<target>/worker-trap`: for the tests of this host.
    PlantTrap,
    /// The one to deploy with clock and replies from decision vectors, in `<target>/worker-conformance`: for the tests of this host.
    Conformance,
}

/// `cargo xtask build worker [--debug | --plant-trap | --conformance]`
pub(crate) fn run(arguments: &[String]) -> Result {
    let variant = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Variant::Release,
        ["--debug"] => Variant::Debug,
        ["--plant-trap"] => Variant::PlantTrap,
        ["--conformance"] => Variant::Conformance,
        _ => return Err(Failure::usage("`build worker` takes `--debug`, `--plant-trap` or `--conformance`, or nothing")),
    };
    let folder = worker(variant)?;
    println!("{}", folder.display());
    weigh(&folder.join(WASM), variant)
}

/// Builds the one to deploy, whatever it weighs; gives its WebAssembly.
pub(crate) fn release_wasm() -> Result<PathBuf> {
    Ok(worker(Variant::Release)?.join(WASM))
}

fn worker(variant: Variant) -> Result<PathBuf> {
    ensure_wasm_target()?;
    let target = shell::target_directory()?;
    let (profile, flags, folder): (_, &[&str], _) = match variant {
        Variant::Release => ("release", &["--release"], shell::root().join("worker").join("build")),
        Variant::Debug => ("debug", &[], shell::root().join("worker").join("build")),
        Variant::PlantTrap => ("release", &["--release", "--features", "plant-trap"], target.join("worker-trap")),
        Variant::Conformance => ("release", &["--release", "--features", "conformance"], target.join("worker-conformance")),
    };
    let arguments = [&["build", "--target", TARGET, "--package", "doorward-worker"], flags].concat();
    shell::run(shell::command("cargo", &arguments, &shell::root()).args(wasm_flags()))?;

    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| not_written(&folder, &error))?;
    }
    write_glue(&target.join(TARGET).join(profile).join("doorward_worker.wasm"), &folder, variant)?;
    let around = SHIM.iter().chain(if variant == Variant::Conformance { PLAYER } else { [].as_slice() });
    for name in around {
        let to = folder.join(Path::new(name).file_name().unwrap_or_default());
        fs::copy(shell::root().join(name), &to).map_err(|error| not_written(&to, &error))?;
    }
    Ok(folder)
}

fn write_glue(wasm: &Path, folder: &Path, variant: Variant) -> Result {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(STEM)
        .typescript(false)
        .remove_name_section(variant != Variant::Debug)
        .remove_producers_section(true)
        .reset_state_function(true)
        .module(true)
        .and_then(|bindgen| bindgen.generate(folder))
        .map_err(|error| Failure::new(format!("wasm-bindgen: {error:#}")))?;
    let glue = folder.join(format!("{STEM}.js"));
    let text = fs::read_to_string(&glue).map_err(|error| Failure::new(format!("{} cannot be read: {error}", glue.display())))?;
    fs::write(&glue, rewritten(text)?).map_err(|error| not_written(&glue, &error))
}

fn rewritten(glue: String) -> Result<String> {
    REWRITES.iter().try_fold(glue, |glue, (old, new)| match glue.matches(old).count() {
        1 => Ok(glue.replacen(old, new, 1)),
        times => Err(Failure::new(format!("wasm-bindgen's glue contains `{old}` {times} times instead of once"))
            .hint("wasm-bindgen has changed: compare its output with xtask/src/build_worker.rs")),
    })
}

/// Says how large the WebAssembly is, and refuses one that is over its budget.
fn weigh(wasm: &Path, variant: Variant) -> Result {
    let Weight { raw, gzip } = size::weight(wasm)?;
    shell::say(format!("{raw} bytes of WebAssembly, {gzip} after gzip, of {}", size::WORKER_BUDGET));
    if gzip > size::WORKER_BUDGET && variant == Variant::Release {
        return Err(Failure::new("the Worker's WebAssembly is over its budget")
            .hint("look at what came in: `cargo tree --package doorward-worker --edges normal`"));
    }
    Ok(())
}

fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{START, rewritten};

    #[test]
    fn glue_that_is_not_as_expected_is_refused() {
        let import = "import source wasmModule from \"./gate_bg.wasm\";";
        let restart = "wasm = wasmInstance.exports;";
        let glue = format!("{import}\n{restart}\n{START}\n");
        let result = rewritten(glue.clone()).unwrap_or_default();
        assert!(result.contains("wasm = guard(wasmInstance.exports);"));
        assert!(!result.contains("new WebAssembly.Instance"));
        for part in [import, restart, START] {
            assert!(rewritten(glue.replacen(part, "", 1)).is_err());
            assert!(rewritten(format!("{glue}{part}")).is_err());
        }
    }
}
