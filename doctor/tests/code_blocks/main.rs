//! Every block of code of every document: configurations are read by the gate's own reader,
//! commands by the command line's table of words, and everything else by what reads its language.
//! What cannot be run says why, in a comment before it: `<!-- not run: … -->`. A configuration that
//! is an example of a mistake says so: `<!-- refused: part of the error -->`. TypeScript and
//! JavaScript are compiled by `middleware/test/code-blocks.test.js`.

#![allow(clippy::panic, clippy::arithmetic_side_effects)] // a test that panics has found something

mod json;
mod markdown;
mod shell;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use json::Kind;
use markdown::Block;

/// What happened to a block.
enum Outcome {
    /// It is of this kind, and right or wrong.
    Tested(&'static str, Result<(), String>),
    /// Something else holds it, or nothing can.
    Excused,
    Untested,
}
use Outcome::{Excused, Tested, Untested};

fn outcome(block: &Block) -> Outcome {
    let comment = block.comment.as_deref().unwrap_or_default();
    let is_excused = comment.strip_prefix("not run: ").is_some_and(|why| why.len() > 15);
    let text = &*block.text;
    // A file of an app that a suite runs stands on the page as it is.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(comment);
    if comment.starts_with("tests/") && file.is_file() {
        let is_same = fs::read_to_string(&file).is_ok_and(|own| own.trim_end() == text.trim_end());
        let found = is_same.then_some(()).ok_or_else(|| format!("{comment} is another text"));
        return Tested("file of an app that is run", found);
    }
    let tested = match &*block.language {
        "json" | "jsonc" => return of_json(text, comment, is_excused),
        _ if is_excused => return Excused,
        "sh" => ("shell", of_shell(text)),
        // Pictures and what programs print; a command in it begins with a prompt.
        "text" => ("text", of_text(text)),
        "ts" | "tsx" | "js" | "jsx" | "mjs" => ("TypeScript and JavaScript, of that test", Ok(())),
        "python" => ("Python", piped("python3", &["-c", PYTHON], text)),
        "toml" => ("TOML", of_toml(text)),
        "yaml" => ("YAML", of_yaml(text)),
        "nginx" => ("nginx", of_nginx(text)),
        _ => return Untested,
    };
    Tested(tested.0, tested.1)
}

/// Compiles, and runs nothing.
const PYTHON: &str =
    "import ast, sys\ncompile(sys.stdin.read(), 'block', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)";

fn of_json(text: &str, comment: &str, is_excused: bool) -> Outcome {
    let refused = comment.strip_prefix("refused: ");
    match (json::read(text), refused) {
        (Ok(Kind::Configuration(Err(mistakes))), Some(part)) => {
            let is_said = mistakes.contains(part);
            let problem = format!("is refused, but not for `{part}`: {mistakes}");
            Tested("configuration, wrong on purpose", if is_said { Ok(()) } else { Err(problem) })
        }
        (_, Some(_)) => Tested("configuration, wrong on purpose", Err("is not refused".to_owned())),
        // Also where something holds it better: what is said to be a configuration has to be one.
        (Ok(Kind::Configuration(found)), None) => Tested("configuration", found),
        (Ok(Kind::LogLine(found)), None) => Tested("line of the log", found),
        (Ok(Kind::Scripts(found)), None) => Tested("scripts of package.json", found),
        (Ok(Kind::Other) | Err(_), None) if is_excused => Excused,
        (Ok(Kind::Other), None) => Untested,
        (Err(error), None) => Tested("JSON", Err(error)),
    }
}

fn of_shell(text: &str) -> Result<(), String> {
    piped("bash", &["-n"], text)?;
    let problems = shell::commands(text).iter().filter_map(|words| shell::problem(words).0).next();
    problems.map_or(Ok(()), Err)
}

fn of_text(text: &str) -> Result<(), String> {
    let typed = text.lines().filter_map(|line| line.trim_start().strip_prefix("$ "));
    typed.map(of_shell).find(Result::is_err).unwrap_or(Ok(()))
}

/// The variable `DOORWARD` of a Worker is a configuration.
fn of_toml(text: &str) -> Result<(), String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let configuration = table.get("vars").and_then(|vars| vars.get("DOORWARD"));
    configuration.map_or(Ok(()), |own| match json::read(&serde_json::json!(own).to_string())? {
        Kind::Configuration(found) => found,
        _ => Err("DOORWARD is no configuration".to_owned()),
    })
}

fn of_yaml(text: &str) -> Result<(), String> {
    yaml_rust2::YamlLoader::load_from_str(text).map(drop).map_err(|error| error.to_string())
}

/// Each directive ends with `;` or has a block, and blocks close.
fn of_nginx(text: &str) -> Result<(), String> {
    let (mut depth, mut directive) = (0_i32, String::new());
    for line in text.lines() {
        let code = line.split(" #").next().unwrap_or_default().trim();
        if code.starts_with('#') {
            continue;
        }
        for letter in code.chars() {
            match letter {
                '{' => depth += 1,
                '}' if directive.trim().is_empty() => depth -= 1,
                ';' => {}
                _ => {
                    directive.push(letter);
                    continue;
                }
            }
            directive.clear();
        }
        directive.push(' ');
    }
    let is_whole = depth == 0 && directive.trim().is_empty();
    is_whole.then_some(()).ok_or_else(|| format!("does not end: depth {depth}, `{directive}`"))
}

/// Whether a program accepts that text on its standard input.
fn piped(program: &str, arguments: &[&str], text: &str) -> Result<(), String> {
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.map_err(|error| format!("{program} does not start: {error}"))?;
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() && written.is_some_and(|written| written.is_ok()) {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

#[test]
fn every_block_of_code_is_right() {
    let pages = markdown::pages();
    let (mut counts, mut wrong) = (BTreeMap::new(), Vec::new());
    for block in pages.iter().flat_map(|page| &page.blocks) {
        let kind = match outcome(block) {
            Tested(kind, Ok(())) => kind,
            Tested(kind, Err(problem)) => {
                wrong.push(format!("{} ({kind}): {problem}", block.place));
                kind
            }
            Excused => "not run, with a reason",
            Untested => {
                let language = &block.language;
                wrong.push(format!(
                    "{}: nothing tests this block of `{language}`; `<!-- not run: why -->` before it says why",
                    block.place
                ));
                "untested"
            }
        };
        *counts.entry(kind).or_insert(0) += 1;
    }
    for (kind, count) in &counts {
        println!("{count:4} {kind}");
    }
    println!("{:4} blocks in {} documents", counts.values().sum::<i32>(), pages.len());
    for kind in ["configuration", "shell", "Python", "TOML", "line of the log"] {
        assert!(counts.contains_key(kind), "no block of {kind} was read");
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_command_that_a_sentence_names_exists() {
    let (mut count, mut wrong) = (0, Vec::new());
    for page in markdown::pages() {
        for (line, span) in &page.spans {
            let Some(found) = shell::problem_in_a_sentence(span) else { continue };
            count += 1;
            wrong.extend(found.map(|problem| format!("{}:{line}: {problem}", page.name)));
        }
    }
    println!("{count} commands in sentences");
    assert!(count > 30, "only {count} commands were read");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn wrong_blocks_are_found() {
    let is_found = |language: &str, text: &str| {
        let page = markdown::page("p.md", &format!("```{language}\n{text}\n```\n"));
        let outcomes = page.blocks.iter().map(outcome);
        outcomes.filter(|found| matches!(found, Tested(_, Err(_)) | Untested)).count() == 1
    };
    assert!(is_found("python", "def f(:") && !is_found("python", "await f()"));
    assert!(is_found("toml", "a = ") && !is_found("toml", "a = 1"));
    assert!(is_found("toml", "[vars.DOORWARD]\npublic = 1"));
    assert!(is_found("yaml", "a: [1") && !is_found("yaml", "a: [1]"));
    assert!(
        is_found("nginx", "location / {\n a b\n}") && !is_found("nginx", "location / {\n a b;\n}")
    );
    assert!(is_found("sh", "if true") && is_found("sh", "npx doorward chek"));
    assert!(is_found("text", "$ npx doorward chek") && !is_found("text", "npx doorward chek"));
    assert!(is_found("", "x") && is_found("rust", "x") && is_found("json", "[1,]"));
    let refused = |comment: &str| {
        let text = format!("<!-- {comment} -->\n\n```json\n{{ \"public\": \"pricing\" }}\n```\n");
        let page = markdown::page("p.md", &text);
        page.blocks.iter().all(|block| matches!(outcome(block), Tested(_, Ok(()))))
    };
    assert!(refused("refused: public") && !refused("refused: something else"));
    assert!(!refused("not run: because it is not run here"));
}
