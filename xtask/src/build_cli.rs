//! The command line as WebAssembly: what `npx doorward` loads.

use std::path::PathBuf;

use crate::shell::{self, Result};
use crate::wasm::{self, Profile};

const PACKAGE: &str = "doorward-cli-wasm";
const STEM: &str = "cli";

/// wasm-bindgen's import, and what stands there instead: Node reads the file beside.
const IMPORT: &str = "import source wasmModule from \"./cli_bg.wasm\";";
const READ: &str = "import { readFileSync } from \"node:fs\";
const wasmModule = new WebAssembly.Module(readFileSync(new URL(\"./cli.wasm\", import.meta.url)));";

/// Writes `middleware/wasm/cli.wasm` and the JavaScript that loads it; gives the former.
pub(crate) fn release() -> Result<PathBuf> {
    let compiled = wasm::compile(PACKAGE, Profile::Small, &[])?;
    let mut output = wasm::bindgen(&compiled, STEM, false)?
        .generate_output()
        .map_err(|error| wasm::bindgen_failure(&error))?;
    let bytes = output.wasm_mut().emit_wasm();
    let folder = shell::root().join("middleware").join("wasm");
    std::fs::create_dir_all(&folder).map_err(|error| wasm::not_written(&folder, &error))?;
    let file = folder.join("cli.wasm");
    wasm::write(&file, &bytes)?;
    let script = wasm::replace_once(output.js(), IMPORT, READ)?;
    wasm::write(&folder.join("cli.js"), script.as_bytes())?;
    shell::say(format!("{} bytes of WebAssembly in {}", bytes.len(), file.display()));
    Ok(file)
}
