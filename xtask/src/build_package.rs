//! The core as WebAssembly, with one JavaScript file for each kind of runtime: what the npm package
//! loads.
//!
//! The JavaScript that wasm-bindgen writes for its target `module` depends on the runtime in a
//! single line: the one that imports the compiled module. Each variant is that text with that line
//! rewritten, and without its start at import:
//!
//! | file | imports | for |
//! |---|---|---|
//! | `workerd.js` | `./doorward_bg.wasm` | workerd and wrangler, which compile it on upload |
//! | `edge-light.js` | `./doorward_bg.wasm?module` | Vercel's edge and Next's edge middleware, which forbid compiling from bytes |
//! | `default.js` | `./wasm-inline.js` | everything that may compile from bytes: Node, Deno, Bun |

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{self, Failure, Result};
use crate::wasm::{self, NO_START, Profile, START};

const PACKAGE: &str = "doorward-binding";
const STEM: &str = "doorward";
const WASM: &str = "doorward_bg.wasm";

/// The line that depends on the runtime.
const IMPORT: &str = "import source wasmModule from \"./doorward_bg.wasm\";";

/// File name of each variant, and what stands there instead of [`IMPORT`].
const VARIANTS: [(&str, &str); 3] = [
    ("workerd.js", "import wasmModule from \"./doorward_bg.wasm\";"),
    ("edge-light.js", "import wasmModule from \"./doorward_bg.wasm?module\";"),
    ("default.js", "import wasmModule from \"./wasm-inline.js\";"),
];

/// What has been written.
pub(crate) struct Built {
    pub(crate) folder: PathBuf,
    pub(crate) wasm: PathBuf,
}

/// Writes `middleware/wasm/`.
pub(crate) fn release() -> Result<Built> {
    into(package_folder(), &[], false)
}

/// The same with the names of functions in it, for tools that weigh them.
pub(crate) fn with_names() -> Result<Built> {
    into(package_folder(), &[], true)
}

/// The same with exports that the conformance suites call, in `middleware/test/suites/wasm/`.
pub(crate) fn suites() -> Result<Built> {
    into(shell::root().join("middleware/test/suites/wasm"), &["conformance"], false)
}

fn package_folder() -> PathBuf {
    shell::root().join("middleware").join("wasm")
}

fn into(folder: PathBuf, features: &[&str], keeps_names: bool) -> Result<Built> {
    let wasm = wasm::compile(PACKAGE, Profile::Release, features)?;
    if features.is_empty() {
        check_for_sorting(&wasm)?;
    }
    let mut output = wasm::bindgen(&wasm, STEM, keeps_names)?
        .generate_output()
        .map_err(|error| wasm::bindgen_failure(&error))?;
    let bytes = output.wasm_mut().emit_wasm();

    fs::create_dir_all(&folder).map_err(|error| wasm::not_written(&folder, &error))?;
    let file = folder.join(WASM);
    wasm::write(&file, &bytes)?;
    wasm::write(&folder.join("wasm-inline.js"), inline_module(&bytes)?.as_bytes())?;
    for (name, import) in VARIANTS {
        let script = wasm::replace_once(output.js(), IMPORT, import)?;
        let script = wasm::replace_once(&script, START, NO_START)?;
        wasm::write(&folder.join(name), script.as_bytes())?;
    }
    shell::say(format!("{} bytes of WebAssembly in {}", bytes.len(), folder.display()));
    Ok(Built { folder, wasm: file })
}

/// Fails where code of stable sorts ships: 2 to 5 KB for each type that is sorted, and nothing in
/// the gate has to sort.
fn check_for_sorting(wasm: &Path) -> Result {
    const NAME: &[u8] = b"core5slice4sort6stable";
    let bytes = fs::read(wasm)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", wasm.display())))?;
    if bytes.windows(NAME.len()).any(|window| window == NAME) {
        return Err(Failure::new("the gate's module contains code that sorts")
            .hint("fill sets and maps by insertion: src/encoding/collections.rs"));
    }
    Ok(())
}

/// A JavaScript module whose default export is the compiled WebAssembly, from text: no file to find
/// at run time. The text is base64 of what brotli leaves, half of the module. Where it cannot be
/// compiled there is no export, and the start fails when it is tried.
fn inline_module(wasm: &[u8]) -> Result<String> {
    Ok(format!(
        "// Made by `cargo xtask build`: doorward_bg.wasm as text.
import {{ Buffer }} from \"node:buffer\";
import {{ brotliDecompressSync }} from \"node:zlib\";

const packed = \"{}\";

let wasmModule;
try {{
  wasmModule = new WebAssembly.Module(brotliDecompressSync(Buffer.from(packed, \"base64\")));
}} catch (error) {{
  console.error(`doorward: this runtime does not compile WebAssembly: ${{error.message}}`);
}}
export default wasmModule;
",
        base64(&wasm::compressed(wasm)?)
    ))
}

/// Standard base64 (RFC 4648 section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |group: u32, shift: u32| {
        let index = usize::try_from((group >> shift) & 63).unwrap_or(0);
        char::from(ALPHABET.get(index).copied().unwrap_or(b'A'))
    };
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = (at(0) << 16) | (at(1) << 8) | at(2);
        text.push(letter(group, 18));
        text.push(letter(group, 12));
        text.push(if chunk.len() > 1 { letter(group, 6) } else { '=' });
        text.push(if chunk.len() > 2 { letter(group, 0) } else { '=' });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_rfc_4648_section_10() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
