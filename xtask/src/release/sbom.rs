//! What is in an artefact, as CycloneDX 1.6 (ecma-international.org, ECMA-424): the crates that are
//! linked into it, from `cargo metadata`, `cargo tree` and the lock file; of the Python package its
//! requirements.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::source::{Source, text_of};
use crate::notices;
use crate::shell::Result;

/// The artefact itself.
pub(super) struct About<'a> {
    /// The type of its package URL: `cargo`, `npm`, `pypi`, `generic`.
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

impl About<'_> {
    fn purl(&self) -> String {
        format!("pkg:{}/{}@{}", self.kind, self.name, self.version)
    }
}

/// Of what these crates of the workspace make, built for that target. It is made of the first
/// copy of the sources alone: the lock file is the same in both.
pub(super) fn of_crates(
    source: &Source,
    about: &About<'_>,
    names: &[&str],
    target: &str,
) -> Result<String> {
    if !source.is_first {
        return Ok(String::new());
    }
    let folder = source.folder.as_path();
    let licences = notices::licences(folder)?;
    let checksums = checksums(&text_of(&folder.join("Cargo.lock"))?);
    let mut ids = std::collections::BTreeSet::new();
    for name in names {
        ids.extend(notices::linked(folder, name, target)?);
    }
    let components = ids.iter().filter_map(|id| {
        let (name, version) = id.split_once(" v")?;
        let version = version.split(' ').next().unwrap_or(version);
        let licence = licences.get(&format!("{name} v{version}")).map_or("", String::as_str);
        let purl = format!("pkg:cargo/{name}@{version}");
        let hashes: Vec<Value> = checksums
            .get(&format!("{name} {version}"))
            .map(|checksum| json!({ "alg": "SHA-256", "content": checksum }))
            .into_iter()
            .collect();
        Some(json!({
            "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            "scope": "required",
            "licenses": [{ "expression": licence.replace('/', " OR ") }],
            "hashes": hashes,
        }))
    });
    Ok(document(about, components.collect(), &source.time))
}

/// Of the Python package: what its manifest requires. Which version of it there is, whoever
/// installs it decides.
pub(super) fn of_python(about: &About<'_>, manifest: &str, time: &str) -> String {
    let required = manifest.lines().find_map(|line| line.strip_prefix("dependencies = "));
    let required: Vec<String> =
        required.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    let components = required.iter().map(|requirement| {
        let is_of_name = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
        let name: String = requirement.chars().take_while(is_of_name).collect();
        let purl = format!("pkg:pypi/{}", name.to_lowercase());
        json!({
            "type": "library", "bom-ref": purl, "name": name, "purl": purl, "scope": "required",
            "properties": [{ "name": "doorward:requirement", "value": requirement }],
        })
    });
    document(about, components.collect(), time)
}

/// No serial number, and the commit's time: the same sources give the same document.
fn document(about: &About<'_>, components: Vec<Value>, time: &str) -> String {
    let purl = about.purl();
    let refs: Vec<&Value> = components.iter().filter_map(|one| one.get("bom-ref")).collect();
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time,
            "component": {
                "type": "library", "bom-ref": purl, "name": about.name, "version": about.version,
                "purl": purl, "licenses": [{ "license": { "id": "MIT" } }],
            },
        },
        "components": components,
        "dependencies": [{ "ref": purl, "dependsOn": refs }],
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// SHA-256 of each crate's archive, by `name version`.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let value = |block: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = block.lines().find_map(|line| line.strip_prefix(&start));
        line.map(|rest| rest.trim_end_matches('"').to_owned())
    };
    let entry = |block: &str| {
        let name = format!("{} {}", value(block, "name")?, value(block, "version")?);
        Some((name, value(block, "checksum")?))
    };
    lock.split("[[package]]").filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_of_python_is_named_without_its_version() {
        let about = About { kind: "pypi", name: "x", version: "1" };
        let manifest = "name = \"x\"\ndependencies = [\"PyJWT[crypto]>=2.10.1,<3\"]\n";
        let sbom = of_python(&about, manifest, "2026-01-01T00:00:00Z");
        let sbom: Value = serde_json::from_str(&sbom).unwrap_or_default();
        assert_eq!(sbom.pointer("/components/0/purl"), Some(&"pkg:pypi/pyjwt".into()));
        assert_eq!(sbom.pointer("/dependencies/0/dependsOn/0"), Some(&"pkg:pypi/pyjwt".into()));
    }

    #[test]
    fn checksums_are_those_of_the_lock_file() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"ff\"\n\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n";
        let found: Vec<_> = checksums(lock).into_iter().collect();
        assert_eq!(found, [("a 1.0.0".to_owned(), "ff".to_owned())]);
    }
}
