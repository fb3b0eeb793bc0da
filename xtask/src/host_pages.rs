//! Is the code on the pages of `docs/hosts/` that of the apps in `tests/hosts/`, which is run?
//!
//! A comment before each block names its file: `<!-- not run: it is FILE, which … -->`.
//! `DOORWARD_WRITE=1 cargo test -p xtask host_pages` writes it.

#![allow(clippy::panic)] // a test that panics has found something

use std::fs;
use std::path::Path;

use crate::shell;

/// Languages of blocks that a reader types into a shell, or only looks at.
const NOT_OF_FILES: [&str; 2] = ["sh", "text"];

/// A page with the code of the files that its comments name, and how many there are.
fn with_code(page: &str, root: &Path, name: &str) -> (String, usize) {
    let mut lines = page.lines();
    let (mut written, mut blocks) = (Vec::new(), 0_usize);
    let mut file = None;
    while let Some(line) = lines.next() {
        written.push(line.to_owned());
        if let Some(comment) = line.strip_prefix("<!-- not run: it is ") {
            file = comment.split(',').next().map(str::to_owned);
            continue;
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let old: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        if NOT_OF_FILES.contains(&language) {
            written.extend(old.into_iter().map(str::to_owned));
        } else {
            let path = file.take().unwrap_or_else(|| panic!("{name}: code of no file: {old:?}"));
            let code = fs::read_to_string(root.join(&path));
            let code = code.unwrap_or_else(|error| panic!("{name}: {path}: {error}"));
            written.extend(code.trim_end().lines().map(str::to_owned));
            blocks = blocks.saturating_add(1);
        }
        written.push("```".to_owned());
    }
    (written.join("\n") + "\n", blocks)
}

#[test]
fn the_code_of_each_page_is_that_of_its_app() {
    let root = shell::root();
    let entries = fs::read_dir(root.join("docs/hosts")).into_iter().flatten().flatten();
    let paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    let mut blocks = 0_usize;
    for path in &paths {
        let name = path.display().to_string();
        let page = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (right, count) = with_code(&page, &root, &name);
        assert!(count > 0, "{name} shows no code");
        blocks = blocks.saturating_add(count);
        if std::env::var_os("DOORWARD_WRITE").is_some() {
            fs::write(path, &right).unwrap_or_else(|error| panic!("{name}: {error}"));
        } else {
            assert!(
                page == right,
                "{name} has other code than its app: DOORWARD_WRITE=1 writes it"
            );
        }
    }
    println!("{} pages, {blocks} blocks of code", paths.len());
    assert!(!paths.is_empty());
}
