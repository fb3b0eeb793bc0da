//! Versions of packages, as lock files and manifests have them.

use crate::project::folder::{Folder, TextFile};
use crate::project::place::Place;

/// A version, `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

/// A package that a project has.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Nothing where only a range is known that names none.
    pub(crate) version: Option<Version>,
    /// As it is written.
    pub(crate) written: String,
    pub(crate) place: Place,
    /// Whether a lock file says so, or the installed package itself.
    pub(crate) is_locked: bool,
}

impl Version {
    /// Reads a version, or the least one of a range (`^15.2.0`).
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['^', '~', 'v', '=', '>', ' ']);
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let mut numbers = text.get(..end)?.split('.');
        let major = numbers.next()?.parse().ok()?;
        let mut next = || numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0);
        Some(Self(major, next(), next()))
    }
}

/// A package of npm's, by what is installed, by a lock file, or by the manifest.
pub(crate) async fn npm(folder: &Folder, manifest: &TextFile, name: &str) -> Option<Package> {
    let (written, place) = in_manifest(manifest, name)?;
    let package = |written: String, place: Place, is_locked: bool| Package {
        version: Version::read(&written),
        written,
        place,
        is_locked,
    };
    let installed = folder.file(&format!("node_modules/{name}/package.json")).await;
    let version = installed.as_ref().and_then(|file| {
        let value = serde_json::from_str::<serde_json::Value>(&file.text).ok()?;
        value.get("version")?.as_str().map(str::to_owned)
    });
    if let Some(version) = version {
        return Some(package(version, place, true));
    }
    for lock in ["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"] {
        let Some(file) = folder.lock_file(lock).await else { continue };
        if let Some((version, line)) = in_lock(&file.text, name) {
            return Some(package(version, Place::line(&file.name, line), true));
        }
    }
    Some(package(written, place, false))
}

/// What the manifest says of a dependency.
fn in_manifest(manifest: &TextFile, name: &str) -> Option<(String, Place)> {
    let value = serde_json::from_str::<serde_json::Value>(&manifest.text).ok()?;
    let groups = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
    let written = groups.iter().find_map(|group| value.get(group)?.get(name)?.as_str())?;
    let at = manifest.text.find(&format!("\"{name}\"")).unwrap_or(0);
    Some((written.to_owned(), manifest.place(at)))
}

/// The version in a lock file, by the forms that npm, pnpm, yarn and bun write, and its line.
fn in_lock(text: &str, name: &str) -> Option<(String, usize)> {
    let npm = format!("\"node_modules/{name}\":");
    let pnpm = [format!("  {name}@"), format!("  /{name}@"), format!("  '{name}@")];
    let yarn = [format!("{name}@"), format!("\"{name}@")];
    let bun = format!("\"{name}\": [\"{name}@");
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let behind = |start: &str| line.split_once(start).map(|(_, rest)| rest);
        if line.trim_start().starts_with(&npm) || yarn.iter().any(|start| line.starts_with(start)) {
            for (number, line) in lines.by_ref().take(3) {
                let line = line.trim();
                let found =
                    line.strip_prefix("\"version\":").or_else(|| line.strip_prefix("version"));
                if let Some(version) = found {
                    return Some((plain(version), number.saturating_add(1)));
                }
            }
        } else if let Some(rest) =
            behind(&bun).or_else(|| pnpm.iter().find_map(|start| line.strip_prefix(start.as_str())))
        {
            let version = rest.split(['"', '\'', ':', '(', ',']).next().unwrap_or_default();
            if Version::read(version).is_some() {
                return Some((version.to_owned(), number.saturating_add(1)));
            }
        }
    }
    None
}

fn plain(version: &str) -> String {
    version.trim().trim_matches([':', ' ', '"', ',', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_each_lock_file() {
        let cases = [
            (
                "{\n \"packages\": {\n  \"node_modules/next\": {\n   \"version\": \"15.2.2\",\n",
                "15.2.2",
                4,
            ),
            ("packages:\n\n  next@15.2.2(react@19.0.0):\n    resolution: {}\n", "15.2.2", 3),
            ("packages:\n  /next@14.1.0:\n", "14.1.0", 2),
            ("next@^15.0.0:\n  version \"15.2.2\"\n", "15.2.2", 2),
            ("\"next@npm:^15.0.0\":\n  version: 15.2.2\n", "15.2.2", 2),
            ("  \"packages\": {\n    \"next\": [\"next@15.2.2\", \"\", {}],\n", "15.2.2", 2),
        ];
        for (text, version, line) in cases {
            assert_eq!(in_lock(text, "next"), Some((version.to_owned(), line)), "{text}");
        }
        assert_eq!(in_lock("  next-themes@1.0.0:\n", "next"), None);
    }

    #[test]
    fn versions_are_compared_by_number() {
        let read = |text: &str| Version::read(text);
        assert_eq!(read("^15.2.0-canary.3"), Some(Version(15, 2, 0)));
        assert_eq!(read("~14"), Some(Version(14, 0, 0)));
        assert_eq!(read("latest"), None);
        assert!(read("15.10.0") > read("15.2.3"));
    }
}
