//! Do the documents and workflows name what is there: commands, scripts, files, sections?

use std::collections::BTreeSet;
use std::path::Path;

use crate::commands::find;
use crate::{shell, test};

/// The files of the repository that these patterns name, with their text.
fn files(patterns: &[&str]) -> Vec<(String, String)> {
    let root = shell::root();
    let names = shell::output(shell::command("git", &["ls-files"], &root).args(patterns));
    let texts: Vec<_> = names
        .unwrap_or_default()
        .lines()
        .filter_map(|name| Some((name.to_owned(), std::fs::read_to_string(root.join(name)).ok()?)))
        .collect();
    assert!(!texts.is_empty(), "no file is named {patterns:?}");
    texts
}

/// What readers are told to run that begins so, up to the end of the command.
fn told_to_run(start: &str) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for (file, text) in files(&["*.md", "*.yml", "wrangler.toml", ".ci/run"]) {
        for rest in text.split(start).skip(1) {
            let command = rest.split(['`', '\n', '#', '"', '|', ',', '>']).next();
            told.push((file.clone(), command.unwrap_or_default().trim().to_owned()));
        }
    }
    assert!(!told.is_empty(), "`{start}` is named nowhere");
    told
}

fn is_of_an_option(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter == '-'
}

#[test]
fn every_command_that_is_named_exists() {
    for (file, command) in told_to_run("cargo xtask ") {
        let mut words = command.split_whitespace();
        let name = words.next().unwrap_or_default();
        if name.is_empty() || name.starts_with(['-', '<']) {
            continue;
        }
        let found = find(name);
        assert!(found.is_some(), "{file}: there is no `cargo xtask {command}`");
        let help = found.map(|found| found.help).unwrap_or_default();
        let has =
            |option: &str| help.split(|c: char| !is_of_an_option(c)).any(|word| word == option);
        let options = command.split_whitespace().filter_map(|word| word.strip_prefix("--"));
        for option in options.map(|word| word.split(|c| !is_of_an_option(c)).next()) {
            let option = format!("--{}", option.unwrap_or_default());
            let is_known = option == "--help" || has(&option);
            assert!(is_known, "{file}: `cargo xtask {command}`: {option} is not in its help");
        }
        if name == "test" {
            let unknown = words.find(|word| !word.starts_with('-') && !test::has(word));
            assert_eq!(unknown, None, "{file}: `cargo xtask {command}`");
        }
    }
}

#[test]
fn every_npm_script_that_is_named_exists() {
    for (file, command) in told_to_run("npm run ") {
        let words: Vec<_> = command.split_whitespace().collect();
        let member = words.iter().skip_while(|word| !["-w", "--workspace"].contains(word)).nth(1);
        let (Some(script), Some(member)) = (words.first(), member) else { continue };
        let manifest = shell::root().join(member).join("package.json");
        let text = std::fs::read_to_string(manifest).unwrap_or_default();
        assert!(text.contains(&format!("\"{script}\": ")), "{file}: `npm run {command}`");
    }
}

/// The lines of a page that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The anchors of a page, as GitHub makes them of headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| {
            let kept =
                heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let root = shell::root();
    for (file, text) in files(&["*.md"]) {
        let folder = root.join(&file).parent().map(Path::to_path_buf).unwrap_or_default();
        for rest in prose(&text).flat_map(|line| line.split("](").skip(1)) {
            let target = rest.split(')').next().unwrap_or_default();
            if target.contains(':') {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let page = if path.is_empty() { root.join(&file) } else { folder.join(path) };
            assert!(page.exists(), "{file}: {target} leads nowhere");
            if !anchor.is_empty() && path.ends_with(".md") | path.is_empty() {
                let text = std::fs::read_to_string(&page).unwrap_or_default();
                assert!(anchors(&text).contains(anchor), "{file}: {target} has no such section");
            }
        }
    }
}

/// Paths in backticks, from the root or from the page.
#[test]
fn every_file_that_is_named_exists() {
    let root = shell::root();
    // A page of docs/hosts names files of the reader's app.
    let folders = ["docs/", "src/", "tests/", "middleware/", "worker/", "native/", "xtask/"];
    let pages = files(&["*.md"]).into_iter().filter(|(file, _)| !file.starts_with("docs/hosts/"));
    for (file, text) in pages {
        let folder = root.join(&file).parent().map(Path::to_path_buf).unwrap_or_default();
        for named in prose(&text).flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let is_path = folders.iter().any(|folder| named.starts_with(folder))
                && !named.contains(|c: char| c.is_whitespace() || "*<…{".contains(c));
            let named = named.split(':').next().unwrap_or_default();
            let exists = root.join(named).exists() || folder.join(named).exists();
            assert!(!is_path || exists, "{file}: there is no {named}");
        }
    }
}
