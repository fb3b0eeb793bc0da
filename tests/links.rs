//! Does every link of the documents lead somewhere: to a file of this repository, and to a heading
//! that is there?

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every document that git has, by its path, with the anchors of its headings.
fn documents() -> BTreeMap<PathBuf, (String, BTreeSet<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(root)
        .output()
        .unwrap_or_else(|error| panic!("git does not start: {error}"));
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let read = |name: &str| {
        let path = root.join(name);
        let text = fs::read_to_string(&path).ok()?;
        let anchors = anchors(&text);
        Some((path, (text, anchors)))
    };
    names.lines().filter_map(read).collect()
}

/// Lines outside of blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The anchors that GitHub makes of headings: lower case, words joined by hyphens, without other
/// characters; a repeated one is numbered.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for line in prose(text) {
        let Some(heading) = line.trim_start_matches('#').strip_prefix(' ') else { continue };
        if !line.starts_with('#') {
            continue;
        }
        let kept = |one: char| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_');
        let slug: String = heading.trim().chars().filter(|one| kept(*one)).collect();
        let slug = slug.to_lowercase().replace(' ', "-");
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let name = std::iter::once(slug.clone()).chain(numbered).find(|name| !all.contains(name));
        all.extend(name);
    }
    all
}

/// Targets of `[…](target)`.
fn targets(text: &str) -> Vec<String> {
    let prose: Vec<&str> = prose(text).collect();
    let joined = prose.join("\n");
    let without_code: String = joined.split('`').step_by(2).collect::<Vec<_>>().join("x");
    let parts = without_code.split("](").skip(1);
    parts.filter_map(|part| Some(part.split_once(')')?.0.to_owned())).collect()
}

/// What is wrong with a link; nothing where it leads somewhere.
fn broken(
    from: &Path,
    target: &str,
    documents: &BTreeMap<PathBuf, (String, BTreeSet<String>)>,
) -> Option<String> {
    let (file, anchor) = target.split_once('#').map_or((target, None), |(f, a)| (f, Some(a)));
    let path = if file.is_empty() { from.to_owned() } else { from.parent()?.join(file) };
    let Ok(path) = path.canonicalize() else { return Some(format!("{target}: no such file")) };
    let anchor = anchor?;
    let (_, anchors) = documents.get(&path)?;
    (!anchors.contains(anchor)).then(|| format!("{target}: no such heading"))
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let (mut count, mut wrong) = (0, Vec::new());
    for (path, (text, _)) in &documents {
        let is_ours = |target: &String| !target.contains("://") && !target.starts_with("mailto:");
        for target in targets(text).iter().filter(|target| is_ours(target)) {
            count += 1;
            let problem = broken(path, target, &documents);
            wrong.extend(problem.map(|problem| format!("{}: {problem}", path.display())));
        }
    }
    println!("{count} links in {} documents", documents.len());
    assert!(count > 100, "only {count} links were read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_link_is_seen() {
    let documents = documents();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let seen = |target: &str| broken(&readme, target, &documents).is_some();
    assert!(seen("docs/nowhere.md") && seen("docs/faults.md#nowhere") && seen("#nowhere"));
    assert!(!seen("docs/faults.md#the-faults") && !seen("docs/faults.md"));
    assert_eq!(targets("a [b](c.md#d) `[e](f)`\n```\n[g](h)\n```"), ["c.md#d"]);
}
