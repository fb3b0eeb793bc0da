//! Blocks of code, spans of code and comments of every Markdown file that git has.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A block of code, and the comment before it.
pub(crate) struct Block {
    /// `docs/faults.md:12`: where it begins.
    pub(crate) place: String,
    /// What stands behind the three backticks.
    pub(crate) language: String,
    pub(crate) text: String,
    /// The HTML comment right before it, or one of the page that is about all blocks of its
    /// language: `<!-- json blocks of this page: … -->`.
    pub(crate) comment: Option<String>,
}

/// A page of the repository.
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) blocks: Vec<Block>,
    /// Spans of code in sentences, with the lines where they stand.
    pub(crate) spans: Vec<(usize, String)>,
}

pub(crate) fn pages() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(&root)
        .output()
        .unwrap_or_else(|error| panic!("git does not start: {error}"));
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let read = |name: &str| Some(page(name, &fs::read_to_string(root.join(name)).ok()?));
    names.lines().filter_map(read).collect()
}

/// Takes a page apart.
pub(crate) fn page(name: &str, text: &str) -> Page {
    let mut page = Page { name: name.to_owned(), blocks: Vec::new(), spans: Vec::new() };
    let mut comment: Option<String> = None;
    let mut of_page: Vec<(String, String)> = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        // A block may be the first thing in a point of a list: `2. ```sh`.
        let point = line.split_once("```").map_or("", |(before, _)| before);
        let is_point =
            point.trim_end().trim_start_matches(|one: char| one.is_ascii_digit() || one == ' ')
                == ".";
        let indent = if is_point { point.len() } else { line.len() - line.trim_start().len() };
        let trimmed = line.get(indent..).unwrap_or_default().trim();
        if let Some(language) = trimmed.strip_prefix("```") {
            let mut text = String::new();
            for (_, line) in lines.by_ref() {
                if line.trim() == "```" {
                    break;
                }
                // In a list, the block is indented as its point is.
                text.push_str(line.get(indent..).unwrap_or_else(|| line.trim_start()));
                text.push('\n');
            }
            page.blocks.push(Block {
                place: format!("{name}:{}", number + 1),
                language: language.trim().to_owned(),
                text,
                comment: comment.take(),
            });
        } else if trimmed.starts_with("<!--") {
            let mut whole = trimmed.to_owned();
            while !whole.ends_with("-->") {
                let Some((_, line)) = lines.next() else { break };
                whole.push(' ');
                whole.push_str(line.trim());
            }
            let said = whole.trim_start_matches("<!--").trim_end_matches("-->").trim().to_owned();
            if let Some((language, why)) = said.split_once(" blocks of this page: ") {
                of_page.push((language.to_owned(), why.to_owned()));
            }
            comment = Some(said);
        } else if !trimmed.is_empty() {
            comment = None;
            let spans = line.split('`').skip(1).step_by(2);
            page.spans.extend(spans.map(|span| (number + 1, span.to_owned())));
        }
    }
    for block in &mut page.blocks {
        let why = of_page.iter().find(|(language, _)| *language == block.language);
        block.comment = block.comment.take().or_else(|| Some(format!("not run: {}", why?.1)));
    }
    page
}

#[test]
fn blocks_comments_and_spans_are_found() {
    let text = "a `b c`\n\n<!-- not run: two\n     lines -->\n\n```sh\nls\n```\n\n1. ```js\n   a;\n     b;\n   ```\n";
    let page = page("p.md", text);
    let found: Vec<_> = page.blocks.iter().map(|block| (&*block.language, &*block.text)).collect();
    assert_eq!(found, [("sh", "ls\n"), ("js", "a;\n  b;\n")]);
    let [shell, script] = &*page.blocks else { panic!("{found:?}") };
    assert_eq!(shell.comment.as_deref(), Some("not run: two lines"));
    assert_eq!((script.comment.as_deref(), &*script.place), (None, "p.md:10"));
    assert_eq!(page.spans, [(1, "b c".to_owned())]);
}
