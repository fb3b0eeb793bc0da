//! The Cloudflare Worker, ready for wrangler.
//!
//! wasm-bindgen's JavaScript for its target `module` is changed in three places. workerd compiles
//! `*.wasm` for a plain import and knows no source-phase imports. The first instance is made by the
//! first request, like any later one, so that one that cannot start is a response (503) instead of
//! a Worker that cannot be loaded. And every call into an instance goes through `guard`, so that a
//! trap is seen where it happens (`worker/shim/instance.js` says why).
//!
//! Beside it goes what is in `worker/shim/`: the entry point, `guard`, and the messages between
//! JavaScript and WebAssembly.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{self, Failure, Result};
use crate::wasm::{self, NO_START, Profile, START};
use crate::weight::{WORKER_BUDGET, Weight, weight};

const PACKAGE: &str = "doorward-worker";
const STEM: &str = "gate";
const WASM: &str = "gate_bg.wasm";

/// What stands in wasm-bindgen's JavaScript exactly once, and what stands there afterwards.
const REWRITES: [(&str, &str); 3] = [
    (
        "import source wasmModule from ",
        "import { guard } from \"./instance.js\";\nimport wasmModule from ",
    ),
    (START, NO_START),
    ("wasm = wasmInstance.exports;", "wasm = guard(wasmInstance.exports);"),
];

/// The files beside it. How a connection ends that stays open, what an origin says of its own
/// address, and what is answered where there is no gate, is the same for the npm package.
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
const PLAYER: &[&str] =
    &["worker/test/vectors/script.js", "worker/test/vectors/entry.js", "tests/vectors/results.js"];

/// Which Worker to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The one to deploy, in `worker/build`.
    Release,
    /// With readable panics, in `worker/build`; large and slow.
    Debug,
    /// The one to deploy plus a trap that a header springs, in `worker/test/build/trap`: for the
    /// tests of this host.
    PlantTrap,
    /// The one to deploy with clock and results from decision vectors, in
    /// `worker/test/build/conformance`: likewise.
    Conformance,
}

/// Builds the one to deploy, whatever it weighs; gives its WebAssembly.
pub(crate) fn release() -> Result<PathBuf> {
    Ok(variant(Variant::Release)?.join(WASM))
}

/// Builds one, says how large its WebAssembly is, and refuses one to deploy that is over its
/// budget; gives its folder.
pub(crate) fn weighed(which: Variant) -> Result<PathBuf> {
    let folder = variant(which)?;
    let Weight { raw, gzip } = weight(&folder.join(WASM))?;
    shell::say(format!("{raw} bytes of WebAssembly, {gzip} after gzip, of {WORKER_BUDGET}"));
    if gzip > WORKER_BUDGET && which == Variant::Release {
        return Err(Failure::new("the Worker's WebAssembly is over its budget")
            .hint("look at what came in: `cargo tree --package doorward-worker --edges normal`"));
    }
    Ok(folder)
}

fn variant(which: Variant) -> Result<PathBuf> {
    let (profile, features, folder): (_, &[&str], _) = match which {
        Variant::Release => (Profile::Release, &[], "worker/build"),
        Variant::Debug => (Profile::Debug, &[], "worker/build"),
        Variant::PlantTrap => (Profile::Release, &["plant-trap"], "worker/test/build/trap"),
        Variant::Conformance => {
            (Profile::Release, &["conformance"], "worker/test/build/conformance")
        }
    };
    let wasm = wasm::compile(PACKAGE, profile, features)?;
    let folder = shell::root().join(folder);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| wasm::not_written(&folder, &error))?;
    }
    write_script(&wasm, &folder, which == Variant::Debug)?;
    let around =
        SHIM.iter().chain(if which == Variant::Conformance { PLAYER } else { [].as_slice() });
    for name in around {
        let to = folder.join(Path::new(name).file_name().unwrap_or_default());
        fs::copy(shell::root().join(name), &to).map_err(|error| wasm::not_written(&to, &error))?;
    }
    Ok(folder)
}

fn write_script(wasm: &Path, folder: &Path, keeps_names: bool) -> Result {
    wasm::bindgen(wasm, STEM, keeps_names)?
        .generate(folder)
        .map_err(|error| wasm::bindgen_failure(&error))?;
    let script = folder.join(format!("{STEM}.js"));
    let text = fs::read_to_string(&script)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", script.display())))?;
    wasm::write(&script, rewritten(text)?.as_bytes())
}

fn rewritten(script: String) -> Result<String> {
    REWRITES.iter().try_fold(script, |script, (old, new)| wasm::replace_once(&script, old, new))
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
