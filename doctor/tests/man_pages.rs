//! The manual pages in `middleware/man/`, made of the table of the command line. `DOORWARD_WRITE=1
//! cargo test -p doorward-doctor --test man_pages` writes them anew.

#![allow(clippy::panic)] // a test that panics has found something

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use doorward_doctor::usage::{Argument, EVERYWHERE, Opt, Usage};
use roff::{Inline, Roff, bold, italic, roman};

#[test]
fn each_command_has_its_page() {
    let folder = folder();
    let pages = pages();
    println!("{} pages", pages.len());
    assert!(pages.len() > 10);
    if std::env::var_os("DOORWARD_WRITE").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{error}"));
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let found = fs::read_dir(&folder).into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        let text = fs::read_to_string(entry.path()).ok()?;
        Some((entry.file_name().to_string_lossy().into_owned(), text))
    });
    let found: BTreeMap<_, _> = found.collect();
    let differ: Vec<&String> = pages
        .keys()
        .chain(found.keys())
        .filter(|name| pages.get(*name) != found.get(*name))
        .collect();
    assert!(differ.is_empty(), "{differ:?} is out of date; the head of this file says what to do");
}

/// `package.json` names each page, since npm links only those.
#[test]
fn the_package_names_each_page() {
    let text = fs::read_to_string(folder().join("../package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let named: Vec<String> = package
        .get("man")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|name| Some(name.as_str()?.trim_start_matches("./man/").to_owned()))
        .collect();
    assert_eq!(named, pages().into_keys().collect::<Vec<_>>());
}

/// What `man` says of a page that it cannot read well stands on standard error.
#[test]
fn man_reads_each_page_without_a_warning() {
    let read = |file: &Path| {
        let mut man = Command::new("man");
        man.args(["--warnings=w", "-E", "UTF-8", "-P", "cat", "-l"]).arg(file);
        man.env("MANROFFSEQ", "").env("MANWIDTH", "80").env("LC_ALL", "C.UTF-8").output()
    };
    let probe = std::env::temp_dir().join(format!("doorward-man-{}.1", std::process::id()));
    fs::write(&probe, ".TH A 1\n.SH NAME\na \\- b\n.no-such-request\n")
        .unwrap_or_else(|error| panic!("{error}"));
    let planted = read(&probe);
    let _ = fs::remove_file(&probe);
    let warns = planted.is_ok_and(|own| String::from_utf8_lossy(&own.stderr).contains("warning"));
    if !warns {
        assert!(std::env::var_os("CI").is_none(), "there is no `man` that warns");
        println!("SKIPPED: there is no `man` that warns of what it cannot read (man-db, groff)");
        return;
    }
    let mut count = 0;
    for name in pages().into_keys() {
        let output = read(&folder().join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (shown, said) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.is_empty(), "{name}: {said}");
        assert!(shown.contains("SYNOPSIS") && shown.contains("--help"), "{name}: {shown}");
        count += 1;
    }
    println!("{count} pages read by man");
    assert!(count > 10);
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../middleware/man")
}

/// File name and text of every page.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    add(&doorward_doctor::COMMAND_LINE, &[], &mut pages);
    pages
}

fn add(own: &'static Usage, above: &[&'static str], pages: &mut BTreeMap<String, String>) {
    let words = [above, &[own.name]].concat();
    pages.insert(format!("{}.1", words.join("-")), page(own, &words));
    for command in own.commands {
        add(command, &words, pages);
    }
}

fn page(own: &Usage, words: &[&str]) -> String {
    let (name, typed) = (words.join("-"), words.join(" "));
    let mut page = Roff::new();
    page.control("TH", [&*name.to_uppercase(), "1", " ", "Doorward", "Doorward Manual"]);
    page.control("SH", ["NAME"]).text([roman(format!("{name} - {}", own.about))]);
    page.control("SH", ["SYNOPSIS"]).text(synopsis(own, &typed));
    let mut blocks: Vec<&str> = own.more.split("\n\n").filter(|own| !own.is_empty()).collect();
    let examples = blocks.pop_if(|block| block.starts_with("Examples:\n"));
    page.control("SH", ["DESCRIPTION"]);
    if blocks.is_empty() {
        page.text([roman(format!("{}.", own.about))]);
    }
    for block in blocks {
        describe(block, &mut page);
    }
    if !own.commands.is_empty() {
        page.control("SH", ["COMMANDS"]);
        for command in own.commands {
            let page_of = format!("{name}-{}", command.name);
            item(vec![bold(page_of), roman("(1)")], command.about, &mut page);
        }
    }
    if !own.arguments.is_empty() {
        page.control("SH", ["ARGUMENTS"]);
        for argument in own.arguments {
            let about = [argument.about, &usually(argument.usual, &[])].concat();
            item(vec![italic(argument.name)], &about, &mut page);
        }
    }
    page.control("SH", ["OPTIONS"]);
    for option in own.options.iter().chain(&EVERYWHERE) {
        let about = [option.about, &usually(option.usual, option.words)].concat();
        item(written(option), &about, &mut page);
    }
    page.control("SH", ["EXIT STATUS"]);
    let statuses =
        ["nothing is wrong", "something is", "the command line is wrong", "it could not finish"];
    for (status, meaning) in statuses.iter().enumerate() {
        item(vec![bold(status.to_string())], meaning, &mut page);
    }
    if let Some(examples) = examples {
        page.control("SH", ["EXAMPLES"]);
        literal(examples.trim_start_matches("Examples:\n"), &mut page);
    }
    if let [first, .., _] = words {
        page.control("SH", ["SEE ALSO"]).text([bold(*first), roman("(1)")]);
    }
    page.to_roff()
}

fn synopsis(own: &Usage, typed: &str) -> Vec<Inline> {
    let mut line = vec![bold(typed), roman(" ["), italic("OPTIONS"), roman("]")];
    if own.arguments.is_empty() && !own.commands.is_empty() {
        line.extend([roman(" "), italic("COMMAND")]);
    }
    for Argument { name, is_required, repeats, .. } in own.arguments {
        let (open, close) = if *is_required { ("", "") } else { ("[", "]") };
        let dots = if *repeats { "..." } else { "" };
        line.extend([roman(format!(" {open}")), italic(*name), roman(format!("{close}{dots}"))]);
    }
    line
}

fn written(option: &Opt) -> Vec<Inline> {
    let mut line = Vec::new();
    if let Some(letter) = option.short {
        line.extend([bold(format!("-{letter}")), roman(", ")]);
    }
    line.push(bold(format!("--{}", option.name)));
    if let Some(value) = option.value {
        line.extend([roman(" "), italic(value)]);
    }
    line
}

fn usually(usual: Option<&str>, words: &[&str]) -> String {
    let usual = usual.map(|usual| format!(" [default: {usual}]")).unwrap_or_default();
    match words {
        [] => usual,
        words => format!("{usual} [possible values: {}]", words.join(", ")),
    }
}

fn item(name: Vec<Inline>, about: &str, page: &mut Roff) {
    page.control("TP", []).text(name).text([roman(about)]);
}

/// Lines that begin with a space stand as they are; the others are a paragraph.
fn describe(block: &str, page: &mut Roff) {
    if block.lines().any(|line| line.starts_with(' ')) {
        page.control("PP", []);
        literal(block, page);
    } else {
        page.control("PP", []).text([roman(block.replace('\n', " "))]);
    }
}

fn literal(text: &str, page: &mut Roff) {
    page.control("nf", []);
    for line in text.lines() {
        page.text([roman(line)]);
    }
    page.control("fi", []);
}
