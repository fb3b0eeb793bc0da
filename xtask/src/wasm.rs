//! What both builds of WebAssembly share: how cargo compiles to it, and how wasm-bindgen's
//! JavaScript is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use brotli::enc::BrotliEncoderParams;
use wasm_bindgen_cli_support::Bindgen;

use crate::shell::{self, Failure, Result};

const TARGET: &str = "wasm32-unknown-unknown";

/// The lines of wasm-bindgen's JavaScript that start an instance as soon as the file is imported.
pub(crate) const START: &str =
    "let wasmInstance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());
let wasm = wasmInstance.exports;
wasm.__wbindgen_start();";

/// What stands there instead: `__wbg_reset_state()` does the same when it is called, so that the
/// first instance is made by the first request, like any later one. An instance that cannot start
/// is then a response (503) instead of an exception at import.
pub(crate) const NO_START: &str = "let wasmInstance, wasm;";

/// Compiles a package to WebAssembly; gives the file, as cargo has written it.
pub(crate) fn compile(package: &str, profile: Profile, features: &[&str]) -> Result<PathBuf> {
    ensure_target()?;
    let mut command: Command = shell::command(
        "cargo",
        &["build", "--target", TARGET, "--package", package],
        &shell::root(),
    );
    match profile {
        Profile::Release => command.arg("--release"),
        Profile::Small => command.args(["--profile", "small"]),
        Profile::Debug => &mut command,
    };
    for feature in features {
        command.args(["--features", feature]);
    }
    shell::run(command.args(flags()))?;
    let folder = match profile {
        Profile::Release => "release",
        Profile::Small => "small",
        Profile::Debug => "debug",
    };
    Ok(shell::target_directory()?
        .join(TARGET)
        .join(folder)
        .join(format!("{}.wasm", package.replace('-', "_"))))
}

/// How cargo optimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Small and fast.
    Release,
    /// As small as can be, and slower: for what runs once.
    Small,
    /// With readable panics; large and slow.
    Debug,
}

/// Vectors of 128 bits are what memory is copied with in a fraction of the code; every runtime that
/// is named in the README has them. The builder's home is left out of the places of panics.
fn flags() -> Vec<String> {
    let home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let remap = home.map(|home| format!("--remap-path-prefix={home}/registry/src=crates"));
    let flags: Vec<String> =
        remap.into_iter().chain(["-Ctarget-feature=+simd128".to_owned()]).collect();
    vec!["--config".to_owned(), format!("target.{TARGET}.rustflags={}", serde_json::json!(flags))]
}

/// Adds the wasm target to the toolchain where it is missing, and says so.
pub(crate) fn ensure_target() -> Result {
    let arguments = ["--print", "target-libdir", "--target", TARGET];
    let library = shell::output(&mut shell::command("rustc", &arguments, &shell::root()))?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    shell::say(format!("this toolchain has no target {TARGET}: ADDING IT with rustup"));
    shell::run(&mut shell::command("rustup", &["target", "add", TARGET], &shell::root())).map_err(
        |failure| {
            failure
                .hint(format!("without rustup, install the standard library for {TARGET} yourself"))
        },
    )
}

/// wasm-bindgen, set up as both builds use it: its JavaScript has one import that depends on the
/// runtime, and can start again.
pub(crate) fn bindgen(wasm: &Path, stem: &str, keeps_names: bool) -> Result<Bindgen> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(stem)
        .typescript(false)
        .remove_name_section(!keeps_names)
        .remove_producers_section(true)
        .reset_state_function(true)
        .module(true)
        .map_err(|error| bindgen_failure(&error))?;
    Ok(bindgen)
}

/// The JavaScript with this part of it replaced, which must be there exactly once.
pub(crate) fn replace_once(glue: &str, part: &str, replacement: &str) -> Result<String> {
    match glue.matches(part).count() {
        1 => Ok(glue.replacen(part, replacement, 1)),
        times => Err(Failure::new(format!(
            "wasm-bindgen's JavaScript contains `{part}` {times} times instead of once"
        ))
        .hint("wasm-bindgen has changed: compare its output with what xtask/src replaces in it")),
    }
}

/// The bytes after brotli (RFC 7932), which Node, Deno and Bun have: a fifth less than what npm's
/// own gzip makes of them.
pub(crate) fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut packed, &parameters)
        .map_err(|error| Failure::new(format!("brotli: {error}")))?;
    Ok(packed)
}

pub(crate) fn write(path: &Path, content: &[u8]) -> Result {
    fs::write(path, content).map_err(|error| not_written(path, &error))
}

pub(crate) fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be written: {error}", path.display()))
}

pub(crate) fn bindgen_failure(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("wasm-bindgen: {error:#}"))
}

#[cfg(test)]
mod tests {
    use super::replace_once;

    #[test]
    fn glue_without_the_part_or_with_two_of_it_is_refused() {
        assert!(replace_once("", "a", "x").is_err());
        assert!(replace_once("a\na", "a", "x").is_err());
        assert_eq!(replace_once("a\nrest", "a", "x").ok().as_deref(), Some("x\nrest"));
    }
}
