//! `cargo xtask notices`: the licences of what is linked into the WebAssembly that ships, and one
//! licence in every manifest.
//!
//! Code under MIT, BSD, Apache-2.0 and the like may be passed on with its notice, so each package
//! that has a WebAssembly in it has a `THIRD-PARTY.txt` beside it. It is made from the packages'
//! own files and is committed: a new dependency is a line in a review.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shell::{self, Failure, Result};

pub(crate) const HELP: &str = "\
Write the licence notices of third-party code that ships, and check that every manifest says MIT

usage: cargo xtask notices            write THIRD-PARTY.txt and the copies of LICENSE
       cargo xtask notices --check    write nothing; fail if something would change

needs    the sources of the dependencies, which cargo fetches
does     takes the licence texts out of each crate that is linked into compiled code that ships. A
         licence that is not on the list of accepted ones, or a crate without its text, is an error
writes   THIRD-PARTY.txt in middleware/, worker/ and cli/; LICENSE in each package that ships
exit     0 if everything is in order, otherwise 1
";

/// The crate of the command line, which has the Public Suffix List in it.
const CLI: &str = "doorward-cli-wasm";
/// The same as a native program.
const NATIVE_CLI: &str = "doorward-cli";

/// What ships compiled code: its crates, its folder, how the notices call it, and the target.
const SHIPPED: [(&[&str], &str, &str, &str); 3] = [
    (&["doorward-binding", CLI], "middleware", "the npm package `doorward`", WASM),
    (&["doorward-worker"], "worker", "Doorward's Cloudflare Worker", WASM),
    (&[NATIVE_CLI], "cli", "the program `doorward` for Linux", "x86_64-unknown-linux-musl"),
];
const WASM: &str = "wasm32-unknown-unknown";

/// Packages that are passed on without the repository around them: each has a copy of LICENSE.
const PACKAGES: [&str; 5] = ["middleware", "origin/python", "host", "native", "tower"];

/// The licences that may be linked in; of several that a crate offers, the first in this order.
const ACCEPTED: [&str; 8] = [
    "MIT",
    "BSD-3-Clause",
    "BSD-2-Clause",
    "Apache-2.0",
    "Unicode-3.0",
    "Zlib",
    "ISC",
    "CDLA-Permissive-2.0", // data: the certificate authorities of `webpki-roots`
];

/// The standard library is linked in too, and no crate of the lock file.
const STANDARD_LIBRARY: Notice<'_> = Notice {
    crate_name: "the Rust standard library",
    licence: "MIT",
    text: "Copyright (c) The Rust Project Contributors",
};

/// Data that is no crate: `doctor/src/suffixes.txt`.
const PUBLIC_SUFFIX_LIST: Notice<'_> = Notice {
    crate_name: "the Public Suffix List (publicsuffix.org), its rules in ASCII",
    licence: "MPL-2.0",
    text: "This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0.
If a copy of the MPL was not distributed with this file, You can obtain one at
https://mozilla.org/MPL/2.0/.",
};

/// The licence text of one crate.
struct Notice<'a> {
    crate_name: &'a str,
    licence: &'a str,
    /// What its file says; of the usual MIT licence the copyright lines alone.
    text: &'a str,
}

/// Writes what is out of date, or fails because of it.
pub(crate) fn run(arguments: &[String]) -> Result {
    let check = match arguments {
        [] => false,
        [only] if only == "--check" => true,
        _ => return Err(Failure::usage("`notices` takes nothing but --check")),
    };
    let root = shell::root();
    let licence = read(&root.join("LICENSE"))?;
    let mut files: Vec<(PathBuf, String)> = PACKAGES
        .iter()
        .map(|package| (root.join(package).join("LICENSE"), licence.clone()))
        .collect();
    let crates = sources(&root)?;
    for (names, folder, title, target) in SHIPPED {
        files.push((
            root.join(folder).join("THIRD-PARTY.txt"),
            notices(&root, (names, target), title, &crates, &licence)?,
        ));
    }
    let outdated: Vec<_> = files
        .into_iter()
        .filter(|(file, text)| std::fs::read_to_string(file).ok().as_ref() != Some(text))
        .collect();
    for (file, text) in &outdated {
        let name = file.strip_prefix(&root).unwrap_or(file).display();
        if check {
            return Err(Failure::new(format!("{name} is not what the dependencies ask for"))
                .hint("cargo xtask notices"));
        }
        std::fs::write(file, text)
            .map_err(|error| Failure::new(format!("{name} cannot be written: {error}")))?;
        println!("{name}");
    }
    manifests(&root)
}

/// Every manifest in the repository has to say MIT.
fn manifests(root: &Path) -> Result {
    let names = ["*Cargo.toml", "*package.json", "*pyproject.toml"];
    let files = shell::output(shell::command("git", &["ls-files"], root).args(names))?;
    for file in files.lines() {
        let text = read(&root.join(file))?;
        let says = ["license = \"MIT\"", "license.workspace = true", "\"license\": \"MIT\""];
        if !says.iter().any(|line| text.contains(line)) {
            return Err(Failure::new(format!("{file} does not say that its licence is MIT")));
        }
    }
    Ok(())
}

/// A crate of the lock file: what `cargo metadata` says of its licence, and where its sources are.
struct Source {
    expression: String,
    folder: PathBuf,
}

/// By name and version, as `cargo tree` writes them.
fn sources(root: &Path) -> Result<BTreeMap<String, Source>> {
    let metadata = shell::output(&mut shell::command(
        "cargo",
        &["metadata", "--format-version", "1", "--locked"],
        root,
    ))?;
    let metadata: Value = serde_json::from_str(&metadata)
        .map_err(|error| Failure::new(format!("`cargo metadata` is not JSON: {error}")))?;
    let packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
    Ok(packages.filter_map(source).collect())
}

fn source(package: &Value) -> Option<(String, Source)> {
    let text = |member| package.get(member).and_then(Value::as_str);
    let folder = Path::new(text("manifest_path")?).parent()?.to_path_buf();
    let expression = text("license").unwrap_or_default().to_owned();
    Some((format!("{} v{}", text("name")?, text("version")?), Source { expression, folder }))
}

/// What each crate says of its licence, by name and version.
pub(crate) fn licences(root: &Path) -> Result<BTreeMap<String, String>> {
    Ok(sources(root)?.into_iter().map(|(id, source)| (id, source.expression)).collect())
}

/// The crates of others that are linked into that one for a target, in the order of their names.
pub(crate) fn linked(root: &Path, name: &str, target: &str) -> Result<Vec<String>> {
    let options =
        ["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}", "--locked"];
    let tree = shell::output(
        shell::command("cargo", &["tree", "--package", name, "--target", target], root)
            .args(options),
    )?;
    let mut crates: Vec<_> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty() && !line.contains('/')) // a crate of this workspace says where it is
        .map(str::to_owned)
        .collect();
    crates.sort();
    crates.dedup();
    Ok(crates)
}

fn notices(
    root: &Path,
    (names, target): (&[&str], &str),
    title: &str,
    crates: &BTreeMap<String, Source>,
    mit: &str,
) -> Result<String> {
    let mut texts = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    for name in names {
        ids.extend(linked(root, name, target)?);
    }
    for id in ids {
        let source = crates
            .get(&id)
            .ok_or_else(|| Failure::new(format!("`cargo metadata` does not know {id}")))?;
        let crate_name = id.split(' ').next().unwrap_or(&id).to_owned();
        for licence in
            chosen(&source.expression).ok_or_else(|| unaccepted(&crate_name, &source.expression))?
        {
            let text = licence_text(&source.folder, licence).ok_or_else(|| {
                Failure::new(format!("{crate_name} has no text of its licence {licence}"))
            })?;
            let text = copyright_of_usual_mit(&text, mit).unwrap_or(text);
            texts.push((crate_name.clone(), licence, text));
        }
    }
    let mut notices: Vec<Notice<'_>> = texts
        .iter()
        .map(|(crate_name, licence, text)| Notice { crate_name, licence, text })
        .collect();
    notices.push(STANDARD_LIBRARY);
    if names.contains(&CLI) || names.contains(&NATIVE_CLI) {
        notices.push(PUBLIC_SUFFIX_LIST);
    }
    Ok(page(title, &notices, mit))
}

fn unaccepted(crate_name: &str, expression: &str) -> Failure {
    Failure::new(format!("{crate_name} has the licence `{expression}`, which nobody has decided about"))
        .hint("add it to ACCEPTED in xtask/src/notices.rs if it may be linked into what ships, or do without the crate")
}

/// What of an SPDX expression applies: one licence of each alternative. `None` if an alternative
/// has none that is accepted.
fn chosen(expression: &str) -> Option<Vec<&'static str>> {
    let expression = expression.replace('/', " OR ");
    expression
        .split(" AND ")
        .map(|part| {
            let offered: Vec<_> =
                part.trim_matches(['(', ')', ' ']).split(" OR ").map(str::trim).collect();
            ACCEPTED.into_iter().find(|accepted| offered.contains(accepted))
        })
        .collect()
}

/// The text of a licence as a crate brings it: the file that names it, otherwise the only ones
/// there are.
fn licence_text(folder: &Path, licence: &str) -> Option<String> {
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            ["LICENSE", "LICENCE", "COPYING", "NOTICE"]
                .iter()
                .any(|start| name.to_uppercase().starts_with(start))
        })
        .collect();
    files.sort();
    let short = licence.split('-').next().unwrap_or(licence).to_uppercase();
    let named: Vec<_> =
        files.iter().filter(|file| file.to_uppercase().contains(&format!("-{short}"))).collect();
    let wanted = if named.is_empty() { files.iter().collect() } else { named };
    let texts: Vec<_> =
        wanted.iter().filter_map(|file| std::fs::read_to_string(folder.join(file)).ok()).collect();
    (!texts.is_empty()).then(|| texts.join("\n").replace("\r\n", "\n"))
}

/// The copyright lines, if the rest is the usual MIT licence, word for word.
fn copyright_of_usual_mit(text: &str, mit: &str) -> Option<String> {
    let (copyright, rest): (Vec<_>, Vec<_>) =
        text.lines().map(str::trim).partition(|line| line.starts_with("Copyright"));
    (words(&rest.join(" ")) == words(&terms(mit))).then(|| copyright.join("\n"))
}

/// The project's own licence without title and copyright: the text of every MIT licence.
fn terms(mit: &str) -> String {
    mit.lines().skip_while(|line| !line.starts_with("Permission")).collect::<Vec<_>>().join("\n")
}

/// The words of a licence from "Permission" on, whatever its line breaks and quotation marks.
fn words(text: &str) -> String {
    let terms = text
        .find("Permission is hereby granted")
        .and_then(|start| text.get(start..))
        .unwrap_or(text);
    terms.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// The notices as one text: each licence text once, with the crates that it is of.
fn page(title: &str, notices: &[Notice<'_>], mit: &str) -> String {
    let mut text = format!(
        "Third-party notices of {title}\n\n\
         The WebAssembly contains code of the packages below, each under the licence that is named with it.\n\
         Doorward itself is under the MIT licence (LICENSE). Written by `cargo xtask notices`.\n"
    );
    let (usual, own): (Vec<_>, Vec<_>) = notices.iter().partition(|notice| {
        notice.licence == "MIT" && notice.text.lines().all(|line| line.starts_with("Copyright"))
    });
    text.push_str(&heading("MIT"));
    for Notice { crate_name, text: copyright, .. } in usual {
        let holders: Vec<_> = copyright.lines().map(str::trim).collect();
        text.push_str(&format!("{crate_name}\n"));
        holders.iter().for_each(|holder| text.push_str(&format!("    {holder}\n")));
    }
    text.push_str(&format!("\n{}\n", terms(mit).trim_end()));

    let mut by_text: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for Notice { crate_name, licence, text } in own {
        let (licences, crates) = by_text.entry(text).or_default();
        licences.insert(licence);
        crates.insert(crate_name);
    }
    for (licence_text, (licences, crates)) in by_text {
        text.push_str(&heading(&format!("{}: {}", list(&licences), list(&crates))));
        licence_text
            .trim_matches('\n')
            .lines()
            .for_each(|line| text.push_str(&format!("{}\n", line.trim_end())));
    }
    text
}

fn heading(title: &str) -> String {
    format!("\n{}\n{title}\n\n", "-".repeat(100))
}

fn list(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_licences_the_first_accepted_one_applies() {
        assert_eq!(chosen("Apache-2.0 OR MIT"), Some(vec!["MIT"]));
        assert_eq!(chosen("MIT/Apache-2.0"), Some(vec!["MIT"]));
        assert_eq!(chosen("Apache-2.0 OR BSL-1.0"), Some(vec!["Apache-2.0"]));
    }

    #[test]
    fn licences_that_all_apply_are_all_noted() {
        assert_eq!(chosen("(MIT OR Apache-2.0) AND Unicode-3.0"), Some(vec!["MIT", "Unicode-3.0"]));
    }

    #[test]
    fn a_licence_that_nobody_has_decided_about_fails() {
        assert_eq!(chosen("GPL-3.0-only"), None);
        assert_eq!(chosen("MIT AND GPL-3.0-only"), None);
        assert_eq!(chosen(""), None);
    }
}
