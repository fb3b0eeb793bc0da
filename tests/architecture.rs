//! Does the shape stay true? Who imports whom, and what the core depends on.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// The layers of `docs/architecture.md`, the lowest first. A file imports from its own folder and
/// from below; otherwise only where it says so here.
const LAYERS: [&[&str]; 14] = [
    &["time", "reason", "encoding"],
    &["http"],
    &["jose"],
    &["better_auth"],
    &["policy"],
    &["config"],
    &["cache"],
    &["effects"],
    &["decision"],
    &["authn"],
    &["forward"],
    &["response"],
    &["engine"],
    &["conformance"],
];

/// Arrows that point up, until they are mended.
const UPWARD: [(&str, &str); 7] = [
    ("authn", "forward"),
    ("better_auth", "policy"),
    ("cache", "effects"),
    ("effects", "authn"),
    ("jose", "better_auth"),
    ("jose", "effects"),
    ("policy", "config"),
];

/// What the core may depend on, and what for. `Cargo.toml` says the same beside each line.
const DEPENDENCIES: [&str; 13] = [
    "aes",
    "base64",
    "cbc",
    "curve25519-dalek",
    "ed25519-dalek",
    "hkdf",
    "hmac",
    "memchr",
    "p256",
    "serde",
    "serde_json",
    "sha2",
    "subtle",
];

/// Everything below those, as it comes with them: a new name here is a decision, not an accident.
const COMES_WITH_THEM: &str = include_str!("dependencies.txt");

fn root() -> &'static Path {
    Path::new(".")
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// The core's files but `lib.rs`, by their paths in `src`.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap_or_else(|error| panic!("{error}")).path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs")
                || path.ends_with("lib.rs")
            {
                continue;
            }
            let relative = path.strip_prefix(root().join("src")).unwrap_or(&path);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
            found.push((relative.display().to_string(), text));
        }
    }
    found
}

/// The folders of the core (and the files beside them) with those that each names, tests left out.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for (file, text) in sources() {
        let first = file.split('/').next().unwrap_or_default();
        let module = first.trim_end_matches(".rs").to_owned();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let named = code.split("crate::").skip(1).map(|rest| {
            rest.split(|character: char| !(character.is_alphanumeric() || character == '_'))
                .next()
                .unwrap_or_default()
                .to_owned()
        });
        let lower = named.filter(|name| name.chars().next().is_some_and(char::is_lowercase));
        found.entry(module).or_insert_with(BTreeSet::new).extend(lower);
    }
    found
}

#[test]
fn arrows_point_down() {
    let imports = imports();
    assert!(imports.len() > 15, "only {} modules were read", imports.len());
    let mut wrong = Vec::new();
    for (module, named) in &imports {
        let Some(own) = layer(module) else {
            wrong.push(format!("src/{module} has no layer"));
            continue;
        };
        for other in named.iter().filter(|other| *other != module) {
            let allowed = layer(other).is_some_and(|below| below < own)
                || UPWARD.contains(&(module.as_str(), other.as_str()));
            if !allowed {
                wrong.push(format!("src/{module} imports {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "the import order is broken:\n{}", wrong.join("\n"));
}

#[test]
fn only_verify_ed25519_and_digest_name_cryptography() {
    let crates = [
        "ed25519_dalek",
        "curve25519_dalek",
        "p256::",
        "hmac::",
        "aes::",
        "cbc::",
        "hkdf::",
        "subtle::",
        "sha2::",
    ];
    for (file, text) in sources() {
        // Tests compare with other implementations.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let named: Vec<&&str> = crates.iter().filter(|name| text.contains(**name)).collect();
        let allowed =
            ["jose/verify.rs", "jose/ed25519.rs", "jose/sign.rs"].contains(&file.as_str());
        let allowed = allowed || file == "encoding/digest.rs" && named == [&"sha2::"];
        assert!(named.is_empty() || allowed, "src/{file} names {named:?}");
    }
}

#[test]
fn the_core_depends_on_what_is_written_down() {
    let direct = dependencies(&["--depth", "1"]);
    assert_eq!(direct, DEPENDENCIES.map(str::to_owned).into(), "the direct dependencies");
    let written: BTreeSet<String> = COMES_WITH_THEM
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(dependencies(&[]), written, "tests/dependencies.txt");
}

/// What cargo builds into the core for the wasm target: what an edge location downloads. What tests
/// need besides is left out, and so are the features that only they turn on.
fn dependencies(more: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = [
        "tree",
        "--locked",
        "--package",
        "doorward",
        "--edges",
        "normal",
        "--target",
        "wasm32-unknown-unknown",
    ];
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--prefix", "none", "--format", "{p}"])
        .args(more)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("cargo tree: {error}"));
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    let names = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "doorward");
    names.map(str::to_owned).collect()
}
