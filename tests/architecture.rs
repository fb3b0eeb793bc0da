//! Does the shape stay true? Who imports whom, and what the core depends on.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)] // a test that panics has found something

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// The folders and files of `src/` in their order: each imports itself and what stands before it.
/// `docs/architecture.md` says what each is about.
const LAYERS: [&str; 21] = [
    "time",
    "reason",
    "encoding",
    "metrics",
    "http",
    "jose",
    "capabilities",
    "effect",
    "better_auth",
    "policy",
    "config",
    "cache",
    "effects",
    "decision",
    "authn",
    "forward",
    "response",
    "engine",
    "inspect",
    "probe",
    "conformance",
];

/// Folders of which no file imports, by whatever way round, a file that imports it.
const WITHOUT_CIRCLES: [&str; 15] = [
    "src",
    "host/src",
    "native/src",
    "serve/src",
    "worker/src",
    "middleware/binding/src",
    "doctor/src",
    "cli/src",
    "xtask/src",
    "fuzz/src",
    "middleware",
    "worker/shim",
    "benches",
    "examples",
    "tests/vectors",
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

type Imports = BTreeMap<String, BTreeSet<String>>;

/// Files below a folder with these endings, by their paths in it, and what is written in them.
fn files(folder: &str, endings: &[&str]) -> BTreeMap<String, String> {
    let top = root().join(folder);
    let mut found = BTreeMap::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder);
        for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap_or_else(|error| panic!("{error}")).path();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if path.is_dir() {
                let is_installed = path.ends_with("node_modules") || path.ends_with("wasm");
                folders.extend(Some(path).filter(|_| !is_installed));
            } else if endings.contains(&ending) {
                let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
                let name = path.strip_prefix(&top).unwrap_or(&path).display().to_string();
                found.insert(name, text);
            }
        }
    }
    found
}

/// Each Rust file below a folder with those of them that it imports, tests left out. What `mod`
/// declares is no import.
fn rust_imports(folder: &str) -> Imports {
    let files = files(folder, &["rs"]);
    let modules: BTreeMap<Vec<&str>, &str> =
        files.keys().map(|file| (module_of(file), file.as_str())).collect();
    let imports_of = |file: &str, text: &str| {
        let own = module_of(file);
        let absolute = |path: Vec<String>| {
            let up = path.iter().take_while(|name| *name == "super").count();
            let base = match path.first().map(String::as_str) {
                Some("crate") => &[],
                Some("super") => own.get(..own.len().saturating_sub(up)).unwrap_or_default(),
                _ => own.as_slice(),
            };
            let skipped = if path.first().is_some_and(|name| name == "crate" || name == "self") {
                1
            } else {
                up
            };
            let names = path.iter().skip(skipped).map(String::as_str);
            base.iter().copied().chain(names).map(str::to_owned).collect::<Vec<String>>()
        };
        let target = |path: Vec<String>| {
            let is_named = ["crate", "super", "self"].contains(&path.first()?.as_str());
            let path = absolute(path);
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            // What begins with another name is a module of this one's, or of another crate.
            let least = if is_named { 0 } else { own.len() + 1 };
            let lengths = (least..=names.len()).rev();
            lengths.filter_map(|length| modules.get(names.get(..length)?)).next().copied()
        };
        let targets = paths(&tokens(&without_tests(text))).into_iter().filter_map(target);
        targets.filter(|target| *target != file).map(str::to_owned).collect()
    };
    files.iter().map(|(file, text)| (file.clone(), imports_of(file, text))).collect()
}

/// `a/b.rs` and `a/b/mod.rs` are the module `a::b`.
fn module_of(file: &str) -> Vec<&str> {
    let mut names: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if let Some("mod" | "lib" | "main") = names.last().copied() {
        names.pop();
    }
    names
}

/// The text without the modules that only tests have. rustfmt puts their last brace below the
/// attribute.
fn without_tests(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let end = [line.split('#').next().unwrap_or_default(), "}"].concat();
            let item = lines.next().unwrap_or_default();
            if item.ends_with('{') && !lines.by_ref().any(|line| line == end) {
                panic!("a test's module has no end: {item}");
            }
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Names and marks of Rust's code: no comments, and nothing of what stands in quotes.
fn tokens(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = raw_text(rest) {
            raw
        } else if first == '"' {
            quoted(rest)
        } else if first == '\'' {
            // A character; a lifetime is its mark and a name.
            let character = rest.char_indices().skip(1).take(12).find(|(_, it)| *it == '\'');
            let is_escape = rest.starts_with("'\\");
            match character {
                Some((at, _)) if is_escape || rest[1..at].chars().count() <= 1 => {
                    if rest.starts_with("'\\''") {
                        4
                    } else if at == 1 {
                        3
                    } else {
                        at + 1
                    }
                }
                _ => 1,
            }
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|it: char| !(it.is_alphanumeric() || it == '_'));
            let name = &rest[..end.unwrap_or(rest.len())];
            found.push(name.to_owned());
            name.len()
        } else if rest.starts_with("::") {
            found.push("::".to_owned());
            2
        } else {
            found.extend(Some(first.to_string()).filter(|_| !first.is_whitespace()));
            first.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// How long the text in quotes is with which this begins.
fn quoted(code: &str) -> usize {
    let mut is_escaped = false;
    for (at, it) in code.char_indices().skip(1) {
        match it {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The same for a raw one.
fn raw_text(code: &str) -> Option<usize> {
    let marks = code.strip_prefix('r').or_else(|| code.strip_prefix("br"))?;
    let hashes = marks.len() - marks.trim_start_matches('#').len();
    let text = marks.get(hashes..)?.strip_prefix('"')?;
    let end = ["\"", &"#".repeat(hashes)].concat();
    let begun = code.len() - text.len();
    Some(text.find(&end).map_or(code.len(), |at| begun + at + end.len()))
}

/// Every path of two names or more, and each one that `use` gives in a group.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let follows = at > 0 && tokens[at - 1] == "::";
        if token == "use" {
            at = tree(tokens, at + 1, &[], &mut found);
        } else if !follows && is_name(token) && tokens.get(at + 1).is_some_and(|it| it == "::") {
            let mut path = vec![token.clone()];
            while tokens.get(at + 1).is_some_and(|it| it == "::")
                && tokens.get(at + 2).is_some_and(|it| is_name(it))
            {
                path.push(tokens[at + 2].clone());
                at += 2;
            }
            found.push(path);
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// What a `use` names, or a part of it behind these names. Gives where it ends.
fn tree(tokens: &[String], from: usize, behind: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = behind.to_vec();
    let mut at = from;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "::" => {}
            "as" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|it| it != "}") {
                    at = tree(tokens, at, &path, found);
                    if tokens.get(at).is_some_and(|it| it == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "self" if !path.is_empty() => {}
            name if is_name(name) || name == "*" => path.push(name.to_owned()),
            _ => break,
        }
        at += 1;
    }
    found.push(path);
    at
}

/// Each file of JavaScript below a folder with those of them that it imports.
fn javascript_imports(folder: &str) -> Imports {
    let files = files(folder, &["js", "mjs", "ts"]);
    let imports_of = |file: &str, text: &str| {
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !["//", "/*", "*"].iter().any(|mark| line.trim().starts_with(mark)))
            .collect();
        let code = code.join("\n");
        let mut targets = BTreeSet::new();
        for mark in ["from \"", "import \"", "import(\""] {
            let named = code.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
            for path in named.filter(|path| path.starts_with('.')) {
                let mut names: Vec<&str> = file.split('/').collect();
                names.pop();
                for part in path.split('/') {
                    match part {
                        "." => {}
                        ".." => drop(names.pop()),
                        name => names.push(name),
                    }
                }
                targets.insert(names.join("/"));
            }
        }
        targets.into_iter().filter(|target| files.contains_key(target)).collect()
    };
    files.iter().map(|(file, text)| (file.clone(), imports_of(file, text))).collect()
}

/// Files that import each other by whatever way round, as one line each: what is left when every
/// file is taken away that imports nothing else, or that nothing else imports.
fn circles(imports: &Imports) -> Vec<String> {
    let mut left = imports.clone();
    loop {
        let named: BTreeSet<String> = left.values().flatten().cloned().collect();
        let is_end =
            |file: &String, imports: &BTreeSet<String>| imports.is_empty() || !named.contains(file);
        let ends: BTreeSet<String> = left
            .iter()
            .filter(|(file, own)| is_end(file, own))
            .map(|(file, _)| file.clone())
            .collect();
        if ends.is_empty() {
            break;
        }
        left.retain(|file, _| !ends.contains(file));
        for imports in left.values_mut() {
            imports.retain(|file| !ends.contains(file));
        }
    }
    left.iter().map(|(file, imports)| format!("{file} imports {imports:?}")).collect()
}

#[test]
fn folders_import_only_what_stands_before_them() {
    let imports = rust_imports("src");
    assert!(imports.len() > 40, "only {} files were read", imports.len());
    let layer = |file: &str| {
        let name = file.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        LAYERS.iter().position(|layer| *layer == name)
    };
    let mut wrong = Vec::new();
    for (file, imports) in imports.iter().filter(|(file, _)| *file != "lib.rs") {
        let Some(own) = layer(file) else {
            wrong.push(format!("src/{file} has no layer"));
            continue;
        };
        let above = imports.iter().filter(|other| layer(other).is_none_or(|layer| layer > own));
        wrong.extend(above.map(|other| format!("src/{file} imports src/{other}")));
    }
    assert!(wrong.is_empty(), "the order of the folders is broken:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other() {
    for folder in WITHOUT_CIRCLES {
        let rust = circles(&rust_imports(folder));
        assert!(rust.is_empty(), "files of {folder} import each other:\n{}", rust.join("\n"));
        let javascript = circles(&javascript_imports(folder));
        assert!(
            javascript.is_empty(),
            "files of {folder} import each other:\n{}",
            javascript.join("\n")
        );
    }
}

/// What the two tests above rest on.
#[test]
fn imports_are_read_as_rust_reads_them() {
    let text = "
        //! crate::comment::Is
        use crate::{a::{self, A as B}, b::c::*};
        use super::super::d::D;
        pub(crate) use e::{E, f::F};
        const TEXT: &str = \"crate::text::Is\";
        const RAW: &str = r#\"crate::\"text\"::Is\"#;
        const QUOTE: char = '\"';
        fn g<'a>(it: &'a crate::g::G) -> bool { crate::h::h() && std::mem::take(super::i()) }
        #[cfg(test)]
        mod tests {
            use crate::tests::Only;
        }
        fn j() { crate::j::J }
    ";
    let read: BTreeSet<String> =
        paths(&tokens(&without_tests(text))).into_iter().map(|path| path.join("::")).collect();
    let expected = [
        "crate::a",
        "crate::a::A",
        "crate::b::c::*",
        "super::super::d::D",
        "e::E",
        "e::f::F",
        "crate::g::G",
        "crate::h::h",
        "std::mem::take",
        "super::i",
        "crate::j::J",
    ];
    assert_eq!(read, expected.map(str::to_owned).into());
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let files = |names: &[(&str, &[&str])]| -> Imports {
        names.iter().map(|(file, imports)| ((*file).to_owned(), of(imports))).collect()
    };
    assert!(circles(&files(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])).is_empty());
    assert_eq!(circles(&files(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])])).len(), 2);
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
    for (file, text) in files("src", &["rs"]) {
        // Tests compare with other implementations.
        let text = without_tests(&text);
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
