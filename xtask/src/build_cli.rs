//! The command line as WebAssembly: what `npx doorward` loads.

use std::path::PathBuf;

use crate::shell::{self, Failure, Result};
use crate::wasm::{self, Profile};

const PACKAGE: &str = "doorward-cli-wasm";
const STEM: &str = "cli";

/// wasm-bindgen's import, and what stands there instead: Node reads the file beside.
const IMPORT: &str = "import source wasmModule from \"./cli_bg.wasm\";";
const READ: &str = "import { readFileSync } from \"node:fs\";
import { brotliDecompressSync } from \"node:zlib\";
const wasmFile = new URL(\"./cli.wasm.br\", import.meta.url);
const wasmModule = new WebAssembly.Module(brotliDecompressSync(readFileSync(wasmFile)));";

/// Writes `middleware/wasm/cli.wasm.br`, the JavaScript that loads it, and the Public Suffix List
/// beside; gives the first. It is
/// compressed by brotli (RFC 7932), which Node has: a fifth less to download than what npm's own
/// gzip makes of it.
pub(crate) fn release() -> Result<PathBuf> {
    let compiled = wasm::compile(PACKAGE, Profile::Small, &[])?;
    let mut output = wasm::bindgen(&compiled, STEM, false)?
        .generate_output()
        .map_err(|error| wasm::bindgen_failure(&error))?;
    let bytes = output.wasm_mut().emit_wasm();
    let folder = shell::root().join("middleware").join("wasm");
    std::fs::create_dir_all(&folder).map_err(|error| wasm::not_written(&folder, &error))?;
    let file = folder.join("cli.wasm.br");
    let packed = wasm::compressed(&bytes)?;
    wasm::write(&file, &packed)?;
    let suffixes = shell::root().join("doctor/src/suffixes.txt");
    std::fs::copy(suffixes, folder.join("suffixes.txt"))
        .map_err(|error| wasm::not_written(&folder, &error))?;
    let script = wasm::replace_once(output.js(), IMPORT, READ)?;
    wasm::write(&folder.join("cli.js"), script.as_bytes())?;
    let (raw, packed) = (bytes.len(), packed.len());
    shell::say(format!("{raw} bytes of WebAssembly, {packed} of them in {}", file.display()));
    Ok(file)
}

/// The module again, as whoever loads it has it.
pub(crate) fn module() -> Result<Vec<u8>> {
    let file = shell::root().join("middleware/wasm/cli.wasm.br");
    let packed = std::fs::read(&file)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))?;
    let mut bytes = Vec::new();
    brotli::BrotliDecompress(&mut packed.as_slice(), &mut bytes)
        .map_err(|error| Failure::new(format!("brotli: {error}")))?;
    Ok(bytes)
}
