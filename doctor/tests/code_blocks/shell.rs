//! Commands that a block for a shell runs, as far as this repository has their programs.

use std::fs;
use std::path::Path;

use doorward_doctor::usage::{Opt, Usage};
use doorward_doctor::{COMMAND_LINE, mistake};

/// The commands of a script, each as its words: variables before a program, redirections and
/// comments are left out.
pub(crate) fn commands(script: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let (mut word, mut quote, mut is_word) = (String::new(), None, false);
    let joined = script.replace("\\\n", " ");
    let mut letters = joined.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_end = matches!(letter, ' ' | '\t' | '\n' | '|' | ';' | '&' | '<' | '>' | '(' | ')');
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => word.push(letter),
            (None, '"' | '\'') => (quote, is_word) = (Some(letter), true),
            (None, '#') if !is_word => while letters.next_if(|next| *next != '\n').is_some() {},
            (None, _) if is_end => {
                if std::mem::take(&mut is_word) {
                    push(&mut commands, std::mem::take(&mut word));
                }
                match letter {
                    '<' | '>' => push(&mut commands, letter.to_string()),
                    ' ' | '\t' => {}
                    _ => commands.push(Vec::new()),
                }
            }
            (None, _) => {
                is_word = true;
                word.push(letter);
            }
        }
    }
    if is_word {
        push(&mut commands, word);
    }
    commands.retain(|words| !words.is_empty());
    commands
}

/// Adds a word, unless it is a file that something is redirected to, or a variable before the
/// program.
fn push(commands: &mut [Vec<String>], word: String) {
    let Some(words) = commands.last_mut() else { return };
    let is_variable = words.is_empty()
        && word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name.chars().all(|one| one.is_ascii_uppercase() || "_0123456789".contains(one))
        });
    match words.last().map(String::as_str) {
        Some("<" | ">") => drop(words.pop()),
        _ if is_variable => {}
        _ => words.push(word),
    }
}

/// What is wrong with a command. Whether it was one of ours is the second value.
pub(crate) fn problem(words: &[String]) -> (Option<String>, bool) {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &*words {
        ["npx", "doorward", rest @ ..] | ["doorward", rest @ ..] => {
            let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
            (mistake(&rest), true)
        }
        ["python" | "python3", "-m", "doorward_origin", rest @ ..] => (of_python(rest), true),
        ["cargo", "test" | "run" | "clippy", rest @ ..] => (of_cargo(rest), true),
        // Its words are held by xtask/src/documents.rs.
        ["cargo", "xtask", ..] => (None, true),
        _ => (None, false),
    }
}

/// The package, the test and the example that a command of cargo names.
fn of_cargo(words: &[&str]) -> Option<String> {
    let after = |option: &str| {
        let place = words.iter().position(|word| *word == option)?;
        words.get(place + 1).copied()
    };
    let package = after("-p").unwrap_or("doorward");
    let folder = match package {
        "doorward" => String::new(),
        "xtask" => "xtask/".to_owned(),
        _ => format!("{}/", package.strip_prefix("doorward-").unwrap_or("missing")),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let missing =
        |file: String| (!root.join(&file).exists()).then(|| format!("there is no {file}"));
    missing(format!("{folder}Cargo.toml"))
        .or_else(|| {
            let test = after("--test")?;
            missing(format!("{folder}tests/{test}.rs"))?;
            missing(format!("{folder}tests/{test}/main.rs"))
        })
        .or_else(|| missing(format!("{folder}examples/{}.rs", after("--example")?)))
}

/// The options of the Python package's commands, as its source has them.
fn of_python(words: &[&str]) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../origin/python/src/doorward_origin");
    let source = [folder.clone(), folder.join("doctor")].map(|folder| {
        let files =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok()).collect::<String>()
    });
    let source = source.concat();
    let command = words.iter().take(1).filter(|word| !word.starts_with('-'));
    let options = words.iter().filter(|word| word.starts_with("--"));
    let unknown = command.chain(options).find(|word| !source.contains(&format!("\"{word}\"")));
    unknown.map(|word| format!("doorward_origin does not know {word}"))
}

/// What is wrong with a command in a sentence, which need not be whole; nothing where it is none.
pub(crate) fn problem_in_a_sentence(span: &str) -> Option<Option<String>> {
    let rest = span.strip_prefix("npx ").unwrap_or(span).strip_prefix("doorward ")?;
    let words: Vec<&str> = rest.split([' ', '=', '|']).collect();
    // `doorward mark 1` names what a key is derived for.
    if words.last().is_some_and(|word| word.parse::<u32>().is_ok()) {
        return None;
    }
    let mut known: Vec<&Usage> = vec![&COMMAND_LINE];
    for word in &words {
        let below = known
            .last()
            .and_then(|usage| usage.commands.iter().find(|command| command.name == *word));
        known.extend(below);
    }
    let first = words.first().copied().unwrap_or_default();
    if known.len() == 1 && !first.starts_with(['-', '<', '…', '*']) {
        return Some(Some(format!("there is no `doorward {first}`")));
    }
    let has = |name: &str| {
        let is_it = |option: &Opt| option.name == name;
        ["json", "help"].contains(&name)
            || known.iter().any(|usage| usage.options.iter().any(is_it))
    };
    let unknown = words.iter().filter_map(|word| word.strip_prefix("--")).find(|name| !has(name));
    Some(unknown.map(|name| format!("`doorward {first}` has no --{name}")))
}

#[test]
fn commands_are_taken_apart_and_wrong_ones_found() {
    let script =
        "A=1 cat 'a b' <x | doorward check \\\n --strict # as a step\nls; npx doorward doctr\n";
    let found = commands(script);
    assert_eq!(
        found,
        [
            vec!["cat", "a b"],
            vec!["doorward", "check", "--strict"],
            vec!["ls"],
            vec!["npx", "doorward", "doctr"]
        ]
    );
    let problems: Vec<bool> = found.iter().map(|words| problem(words).0.is_some()).collect();
    assert_eq!(problems, [false, false, false, true]);
    let wrong = |line: &str| commands(line).iter().any(|words| problem(words).0.is_some());
    assert!(wrong("doorward check --strickt") && wrong("doorward doctor"), "no URL");
    assert!(wrong("cargo test -p doorward --test nowhere") && wrong("cargo test -p doorward-x"));
    assert!(
        wrong("python -m doorward_origin docter") && !wrong("python -m doorward_origin doctor")
    );
    assert!(!wrong("cargo test -p doorward --test vectors"));
    let sentence = |span: &str| problem_in_a_sentence(span).map(|found| found.is_some());
    assert_eq!(sentence("doorward mark 1"), None);
    assert_eq!(sentence("npx doorward routes"), Some(false));
    assert_eq!(sentence("doorward routs"), Some(true));
    assert_eq!(sentence("doorward doctor --deeper"), Some(true));
}
