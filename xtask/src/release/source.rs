//! The sources as they are released: a copy of the repository's files with normal modes, where
//! manifests and READMEs name the project's address and no mark forbids publishing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive;
use super::folder::unwritten;
use crate::shell::{self, Failure, Result};

/// Crates that are published: the core, and what a Rust host needs. Each with its manifest.
pub(super) const CRATES: [(&str, &str); 3] = [
    ("doorward", "Cargo.toml"),
    ("doorward-host", "host/Cargo.toml"),
    ("doorward-native", "native/Cargo.toml"),
];

/// READMEs that are read away from the repository.
const READMES: [&str; 6] = [
    "README.md",
    "host/README.md",
    "native/README.md",
    "middleware/README.md",
    "origin/python/README.md",
    "worker/template/README.md",
];

/// Manifests, and what stands before the version in each.
const VERSIONS: [(&str, &str); 5] = [
    ("Cargo.toml", "[workspace.package]\nversion = \""),
    ("middleware/package.json", "\"version\": \""),
    ("origin/python/pyproject.toml", "version = \""),
    ("worker/template/package.json", "\"version\": \""),
    (
        "package-lock.json",
        "\"middleware\": {\n      \"name\": \"doorward\",\n      \"version\": \"",
    ),
];

/// What is released.
pub(super) struct Release {
    pub(super) version: String,
    /// Where the project is, without a slash at the end.
    pub(super) address: String,
    /// When the commit was made, in seconds since 1970: the time of every file in an archive.
    pub(super) seconds: u64,
    /// The same, as RFC 3339 writes it.
    pub(super) time: String,
}

impl Release {
    /// The release of this commit; an error where it is none, and `is_dry` does not say that it
    /// need not be.
    pub(super) fn of_this(is_dry: bool, no_address: &str) -> Result<Self> {
        let root = shell::root();
        let version = version(&root)?;
        let git = |arguments: &[&str]| shell::output(&mut shell::command("git", arguments, &root));
        let address = std::env::var("PROJECT_URL").ok().filter(|address| !address.is_empty());
        let mut missing = Vec::new();
        if address.is_none() {
            missing.push("PROJECT_URL is not set: no address for manifests and links".to_owned());
        }
        if !git(&["status", "--porcelain"])?.trim().is_empty() {
            missing.push("something is not committed".to_owned());
        }
        let tag = format!("v{version}");
        if !git(&["tag", "--points-at", "HEAD"])?.lines().any(|line| line == tag) {
            missing.push(format!("this commit does not have the tag {tag}"));
        }
        if !is_dry && let Some(first) = missing.first() {
            return Err(Failure::new(format!("this is no release: {first}")).hint(
                "RELEASING.md; `cargo xtask release --dry-run` makes everything all the same",
            ));
        }
        missing.iter().for_each(|line| shell::say(format!("not a release: {line}")));
        let seconds = git(&["log", "-1", "--format=%ct"])?.trim().parse().unwrap_or_default();
        let time = ["log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%cd"];
        let time = shell::output(shell::command("git", &time, &root).env("TZ", "UTC"))?;
        let address = address.unwrap_or_else(|| no_address.to_owned());
        let address = address.trim_end_matches('/').to_owned();
        Ok(Self { version, address, seconds, time: time.trim().to_owned() })
    }
}

/// The one version of all manifests, which the changelog knows.
fn version(root: &Path) -> Result<String> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for (file, before) in VERSIONS {
        let text = text_of(&root.join(file))?;
        let version = text.split_once(before).and_then(|(_, rest)| rest.split('"').next());
        let version = version.ok_or_else(|| Failure::new(format!("{file} names no version")))?;
        found.push((file, version.to_owned()));
    }
    let (_, version) = found.first().cloned().unwrap_or_default();
    if let Some((file, other)) = found.iter().find(|(_, other)| *other != version) {
        return Err(Failure::new(format!("{file} says {other}, Cargo.toml says {version}"))
            .hint("all packages have one version: RELEASING.md, step 3"));
    }
    // What one crate needs of another is of this version as well.
    for file in ["host/Cargo.toml", "native/Cargo.toml"] {
        let text = text_of(&root.join(file))?;
        let wrong = text.lines().any(|line| {
            line.starts_with("doorward") && line.contains("version") && !line.contains(&version)
        });
        if wrong {
            return Err(Failure::new(format!("{file} needs another version than {version}")));
        }
    }
    let changelog = text_of(&root.join("CHANGELOG.md"))?;
    if !changelog.contains(&format!("## {version}")) && !changelog.contains("## Unreleased") {
        return Err(Failure::new(format!("CHANGELOG.md says nothing about {version}")));
    }
    Ok(version)
}

/// A copy of the sources.
pub(super) struct Source {
    pub(super) folder: PathBuf,
    pub(super) version: String,
    pub(super) seconds: u64,
    pub(super) time: String,
    /// Where cargo puts what it builds of them. Each copy has its own: cargo would take what it has
    /// built of the first for that of the second, and the comparison would say nothing.
    pub(super) target: PathBuf,
    /// Whether it is the first of the two: what takes long and says nothing about bytes is done
    /// there alone.
    pub(super) is_first: bool,
}

impl Source {
    /// Copies what git knows, as it lies in the working tree.
    pub(super) fn copied(release: &Release, folder: &Path, is_first: bool) -> Result<Self> {
        let root = shell::root();
        let names = shell::output(&mut shell::command("git", &["ls-files", "-s"], &root))?;
        for line in names.lines() {
            let Some((head, name)) = line.split_once('\t') else { continue };
            let (from, to) = (root.join(name), folder.join(name));
            if !from.is_file() {
                continue;
            }
            let parent = to.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(|error| unwritten(parent, &error))?;
            fs::write(&to, archive::read(&from)?).map_err(|error| unwritten(&to, &error))?;
            set_mode(&to, head.starts_with("100755"))?;
        }
        let target = shell::target_directory()?;
        let source = Self {
            folder: folder.to_path_buf(),
            version: release.version.clone(),
            seconds: release.seconds,
            time: release.time.clone(),
            target: if is_first { target } else { target.join("release-again") },
            is_first,
        };
        source.publishable(&release.address)?;
        Ok(source)
    }

    /// Puts the address in, and takes away the marks that forbid publishing.
    fn publishable(&self, address: &str) -> Result {
        self.edit("Cargo.toml", |text| {
            let head = "[workspace.package]\n";
            text.replace(head, &format!("{head}repository = \"{address}\"\n"))
        })?;
        for (_, manifest) in CRATES {
            self.edit(manifest, |text| {
                let lines = text.lines().filter(|line| !line.starts_with("publish = false"));
                let text = lines.collect::<Vec<_>>().join("\n") + "\n";
                let licence = "license.workspace = true\n";
                text.replacen(licence, &format!("{licence}repository.workspace = true\n"), 1)
            })?;
        }
        self.edit("origin/python/pyproject.toml", |text| {
            let text = text.replace("\"Private :: Do Not Upload\", ", "");
            format!("{text}\n[project.urls]\nRepository = \"{address}\"\n")
        })?;
        self.edit("middleware/package.json", |text| npm_manifest(&text, address))?;
        for readme in READMES {
            let folder = readme.rsplit_once('/').map_or("", |(folder, _)| folder);
            let base = format!("{address}/blob/v{}", self.version);
            self.edit(readme, |text| absolute_links(&text, folder, &base))?;
        }
        Ok(())
    }

    pub(super) fn edit(&self, name: &str, work: impl FnOnce(String) -> String) -> Result {
        let file = self.folder.join(name);
        let text = text_of(&file)?;
        fs::write(&file, work(text)).map_err(|error| unwritten(&file, &error))
    }

    /// This program on those sources in place of its own.
    pub(super) fn xtask(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = shell::xtask(arguments)?;
        command.env("CARGO_MANIFEST_DIR", self.folder.join("xtask")).current_dir(&self.folder);
        command.env("CARGO_TARGET_DIR", &self.target);
        Ok(command)
    }
}

/// The manifest as npm gets it: what only the repository needs is left out.
fn npm_manifest(text: &str, address: &str) -> String {
    let Ok(serde_json::Value::Object(mut manifest)) = serde_json::from_str(text) else {
        return text.to_owned();
    };
    for name in ["private", "scripts", "devDependencies"] {
        manifest.shift_remove(name);
    }
    let repository = serde_json::json!({ "type": "git", "url": format!("git+{address}.git"), "directory": "middleware" });
    manifest.insert("repository".to_owned(), repository);
    manifest.insert("homepage".to_owned(), format!("{address}#readme").into());
    manifest.insert("bugs".to_owned(), format!("{address}/issues").into());
    serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n"
}

/// Links to other files of the repository, from a page in `folder`, as addresses.
fn absolute_links(text: &str, folder: &str, base: &str) -> String {
    let mut parts = text.split("](");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let target = part.split(')').next().unwrap_or_default();
        let is_relative = !target.is_empty() && !target.contains(':') && !target.starts_with('#');
        whole.push_str("](");
        if is_relative {
            whole.push_str(&format!("{base}/{}", joined(folder, target)));
            whole.push_str(part.get(target.len()..).unwrap_or_default());
        } else {
            whole.push_str(part);
        }
    }
    whole
}

/// A path from the root, of one that is written in a page of that folder.
fn joined(folder: &str, target: &str) -> String {
    let mut segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    for segment in target.split('/') {
        match segment {
            "." | "" => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

pub(super) fn text_of(file: &Path) -> Result<String> {
    fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))
}

/// Archives carry the modes of files: those of a checkout depend on the umask.
#[cfg(unix)]
pub(super) fn set_mode(file: &Path, is_program: bool) -> Result {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if is_program { 0o755 } else { 0o644 };
    fs::set_permissions(file, fs::Permissions::from_mode(mode))
        .map_err(|error| unwritten(file, &error))
}

/// There are none.
#[cfg(not(unix))]
pub(super) fn set_mode(_: &Path, _: bool) -> Result {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_of_the_repository_become_addresses_and_others_stay() {
        let text = "[a](../docs/a.md#b), [c](#d), [e](https://e.test/f), [g](src/h.js).";
        assert_eq!(
            absolute_links(text, "middleware", "https://h.test/blob/v1"),
            "[a](https://h.test/blob/v1/docs/a.md#b), [c](#d), [e](https://e.test/f), \
             [g](https://h.test/blob/v1/middleware/src/h.js)."
        );
    }

    #[test]
    fn the_manifest_that_npm_gets_is_not_private_and_names_the_address() {
        let text =
            r#"{"name":"x","private":true,"scripts":{},"devDependencies":{},"type":"module"}"#;
        let manifest: serde_json::Value =
            serde_json::from_str(&npm_manifest(text, "https://h.test/x")).unwrap_or_default();
        let members: Vec<_> =
            manifest.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        assert_eq!(members, ["name", "type", "repository", "homepage", "bugs"]);
        assert_eq!(manifest.pointer("/repository/url"), Some(&"git+https://h.test/x.git".into()));
    }

    #[test]
    fn every_package_has_the_same_version() {
        assert!(version(&shell::root()).is_ok_and(|version| !version.is_empty()));
    }
}
