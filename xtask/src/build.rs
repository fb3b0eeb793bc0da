//! `cargo xtask build`: the core as WebAssembly, with one piece of JavaScript glue for each kind of runtime.
//!
//! The glue that wasm-bindgen writes for its target `module` depends on the runtime in a single line: the one that
//! imports the compiled module. Each variant is that glue with that line rewritten, and without its start at import:
//!
//! | file | imports | for |
//! |---|---|---|
//! | `workerd.js` | `./doorward_bg.wasm` | workerd and wrangler, which compile it on upload |
//! | `edge-light.js` | `./doorward_bg.wasm?module` | Vercel's edge and Next's edge middleware, which forbid compiling from bytes |
//! | `default.js` | `./wasm-inline.js` | everything that may compile from bytes: Node, Deno, Bun |

use std::fs;
use std::path::{Path, PathBuf};

use wasm_bindgen_cli_support::Bindgen;

use crate::build_worker;
use crate::shell::{self, Failure, Result};

pub(crate) const HELP: &str = "\
Make the WebAssembly that the npm package loads, and the Cloudflare Worker

usage: cargo xtask build
       cargo xtask build worker [--debug]    only the Worker; with readable panics
       cargo xtask build suites              only the WebAssembly with the door for conformance suites

needs    rustup (or a toolchain that has the target wasm32-unknown-unknown already)
does     cargo build --release --target wasm32-unknown-unknown -p doorward-binding, and -p doorward-worker
         then writes the JavaScript around each; nothing is downloaded but crates
leaves   middleware/wasm/   doorward_bg.wasm, one glue file per kind of runtime (ignored by git)
         worker/build/      worker.js and what it imports, for wrangler (ignored by git)
         middleware/test/suites/wasm/   for `suites` alone (ignored by git)
";

const TARGET: &str = "wasm32-unknown-unknown";
const STEM: &str = "doorward";

/// The line of the glue that depends on the runtime.
const IMPORT: &str = "import source wasmModule from \"./doorward_bg.wasm\";";

/// File name of each variant, and what stands there instead of [`IMPORT`].
const VARIANTS: [(&str, &str); 3] = [
    ("workerd.js", "import wasmModule from \"./doorward_bg.wasm\";"),
    ("edge-light.js", "import wasmModule from \"./doorward_bg.wasm?module\";"),
    ("default.js", "import wasmModule from \"./wasm-inline.js\";"),
];

/// The lines of the glue that start an instance as soon as the file is imported.
const START: &str = "let wasmInstance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());
let wasm = wasmInstance.exports;
wasm.__wbindgen_start();";

/// What stands there instead: `__wbg_reset_state()` does the same when it is called, so the host makes its first start like
/// any later one, and an instance that cannot start is an answer (503) instead of an exception at import.
const NO_START: &str = "let wasmInstance, wasm;";

/// `cargo xtask build`
pub(crate) fn run(arguments: &[String]) -> Result {
    match arguments.split_first() {
        Some((part, rest)) if part == "worker" => build_worker::run(rest),
        Some((part, [])) if part == "suites" => {
            let folder = shell::root().join("middleware/test/suites/wasm");
            binding(&["--features", "suites"], &folder)?;
            println!("{}", folder.display());
            Ok(())
        }
        Some((argument, _)) => {
            Err(Failure::usage(format!("`build` takes no argument `{argument}`")).hint("cargo xtask build --help"))
        }
        None if std::env::var_os("ONLY_BINDING").is_some() => wasm_binding().map(drop),
        None => {
            let folder = wasm_binding()?;
            println!("{}", folder.display());
            build_worker::run(&[])
        }
    }
}

/// Builds the border to JavaScript and writes `middleware/wasm/`; gives that folder.
pub(crate) fn wasm_binding() -> Result<PathBuf> {
    let folder = shell::root().join("middleware").join("wasm");
    binding(&[], &folder)?;
    Ok(folder)
}

fn binding(features: &[&str], folder: &Path) -> Result {
    ensure_wasm_target()?;
    let arguments = ["build", "--release", "--target", TARGET, "--package", "doorward-binding"];
    shell::run(shell::command("cargo", &arguments, &shell::root()).args(features).args(wasm_flags()))?;
    let wasm = shell::target_directory()?.join(TARGET).join("release").join("doorward_binding.wasm");
    write_glue(&wasm, folder)
}

/// How cargo compiles to WebAssembly. Vectors of 128 bits are what memory is copied with in a fraction of the code; every
/// runtime that is named in the README has them. The builder's home is left out of the places of panics.
pub(crate) fn wasm_flags() -> Vec<String> {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let remap = home.map(|home| format!("--remap-path-prefix={home}/registry/src=crates"));
    let flags: Vec<String> = remap.into_iter().chain(["-Ctarget-feature=+simd128".to_owned()]).collect();
    vec!["--config".to_owned(), format!("target.{TARGET}.rustflags={}", serde_json::json!(flags))]
}

/// Adds the wasm target to the toolchain where it is missing, and says so.
pub(crate) fn ensure_wasm_target() -> Result {
    let arguments = ["--print", "target-libdir", "--target", TARGET];
    let library = shell::output(&mut shell::command("rustc", &arguments, &shell::root()))?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    shell::say(format!("this toolchain has no target {TARGET}: ADDING IT with rustup"));
    shell::run(&mut shell::command("rustup", &["target", "add", TARGET], &shell::root()))
        .map_err(|failure| failure.hint(format!("without rustup, install the standard library for {TARGET} yourself")))
}

fn write_glue(wasm: &Path, folder: &Path) -> Result {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(STEM)
        .typescript(false)
        .remove_name_section(std::env::var_os("KEEP_NAMES").is_none())
        .remove_producers_section(true)
        .reset_state_function(true)
        .module(true)
        .map_err(|error| bindgen_failure(&error))?;
    let mut output = bindgen.generate_output().map_err(|error| bindgen_failure(&error))?;
    let bytes = output.wasm_mut().emit_wasm();

    fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
    write(&folder.join("doorward_bg.wasm"), &bytes)?;
    write(&folder.join("wasm-inline.js"), inline_module(&bytes).as_bytes())?;
    for (name, import) in VARIANTS {
        let glue = replace_once(&replace_once(output.js(), IMPORT, import)?, START, NO_START)?;
        write(&folder.join(name), glue.as_bytes())?;
    }
    shell::say(format!("{} bytes of WebAssembly in {}", bytes.len(), folder.display()));
    Ok(())
}

/// The glue with this part of it replaced, which must be there exactly once.
fn replace_once(glue: &str, part: &str, replacement: &str) -> Result<String> {
    match glue.matches(part).count() {
        1 => Ok(glue.replacen(part, replacement, 1)),
        times => Err(Failure::new(format!("wasm-bindgen's glue contains `{part}` {times} times instead of once"))
            .hint("wasm-bindgen has changed: compare its output with xtask/src/build.rs")),
    }
}

/// A JavaScript module whose default export is the compiled WebAssembly, from text: no file to find at run time. Where it
/// cannot be compiled there is no export, and the start fails when it is tried.
fn inline_module(wasm: &[u8]) -> String {
    format!(
        "// Made by `cargo xtask build`: doorward_bg.wasm as text.
function compile(text) {{
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return new WebAssembly.Module(bytes);
}}

let wasmModule;
try {{
  wasmModule = compile(atob(\"{}\"));
}} catch (error) {{
  console.error(`doorward: this runtime does not compile WebAssembly: ${{error.message}}`);
}}
export default wasmModule;
",
        base64(wasm)
    )
}

/// Standard base64 (RFC 4648 section 4).
fn base64(bytes: &[u8]) -> String {
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

fn write(path: &Path, content: &[u8]) -> Result {
    fs::write(path, content).map_err(|error| not_written(path, &error))
}

fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}", path.display()))
}

fn bindgen_failure(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("wasm-bindgen: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::{base64, replace_once};

    #[test]
    fn base64_is_that_of_rfc_4648_section_10() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn glue_without_the_part_or_with_two_of_it_is_refused() {
        assert!(replace_once("", "a", "x").is_err());
        assert!(replace_once("a\na", "a", "x").is_err());
        assert_eq!(replace_once("a\nrest", "a", "x").ok().as_deref(), Some("x\nrest"));
    }
}
