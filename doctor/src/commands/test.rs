//! `doorward test`: policy tests in the form of the vectors.

use serde_json::json;

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::policy_test::{Outcome, play};
use crate::project::config_file::ConfigFile;
use crate::project::folder::TextFile;
use crate::usage::{Argument, Opt, Usage, Words};

const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "test",
    about: "Run policy tests: requests, and the decisions that must come of them",
    arguments: &[Argument {
        repeats: true,
        ..Argument::optional("FILE", "Files with cases").usual("doorward.test.json")
    }],
    options: &[Opt::value(
        "config",
        "FILE",
        "The gate's configuration, for cases that name no policy [default: doorward.json, or the preset]",
    )],
    commands: &[],
    more: "\
A test says: this request, as this user, so this decision. The gate's own code decides, by the
doorward.json of this directory; nothing is sent. The form is that of the gate's own vectors, with
shorthands: `session` signs in, `expect` may be a word. Example, doorward.test.json:

  { \"cases\": [
    { \"name\": \"everybody reads the prices\",
      \"request\": { \"target\": \"/pricing\" }, \"expect\": \"forward\" },
    { \"name\": \"a guest does not get into the back office\",
      \"request\": { \"target\": \"/admin\", \"headers\": { \"accept\": \"application/json\" } },
      \"expect\": { \"reject\": \"no_credential\" } },
    { \"name\": \"an admin does\",
      \"request\": { \"target\": \"/admin\" },
      \"session\": { \"user\": { \"id\": \"ada\", \"role\": \"admin\" } },
      \"expect\": { \"forward\": { \"set\": { \"x-doorward-subject\": \"ada\" } } } }
  ] }

Examples:
  doorward test                        doorward.test.json
  doorward test policy/*.json --json",
};

/// What the command line says.
pub(crate) struct Args {
    files: Vec<String>,
    config: Option<String>,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self { files: words.all("FILE"), config: words.one("config") }
    }
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    let outcomes = match outcomes(io, &args).await {
        Ok(outcomes) => outcomes,
        Err(wrong) => {
            io.error(&wrong, Some("doorward test --help")).await;
            return ExitCode::Usage;
        }
    };
    let failed = outcomes.iter().filter(|outcome| outcome.wrong.is_some()).count();
    io.out(if output.json { as_json(&outcomes) } else { as_text(&outcomes, failed) }).await;
    if failed == 0 { ExitCode::Good } else { ExitCode::Bad }
}

async fn outcomes(io: &Io, args: &Args) -> Result<Vec<Outcome>, String> {
    let name = args.config.as_deref().unwrap_or("doorward.json");
    let file = match io.read_text(name, MAX_FILE_BYTES).await? {
        Some(text) => Some(TextFile { name: name.to_owned(), text }),
        None if args.config.is_some() => return Err(format!("{name} does not exist")),
        None => None,
    };
    let (config, broken) = ConfigFile::read(io.carrier(), file);
    if let Some(broken) = broken {
        return Err(format!("{name}: {}", broken.problem));
    }
    let mut outcomes = Vec::new();
    for path in &args.files {
        let text =
            io.read_text(path, MAX_FILE_BYTES).await.map_err(|why| format!("{path}: {why}"))?;
        let text = text.ok_or_else(|| format!("{path} does not exist"))?;
        outcomes.extend(play(io, &text, &config).await.map_err(|why| format!("{path}: {why}"))?);
    }
    if outcomes.is_empty() { Err("there is no case".to_owned()) } else { Ok(outcomes) }
}

fn as_text(outcomes: &[Outcome], failed: usize) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        if let Some(wrong) = &outcome.wrong {
            out.push_str(&format!("✘ {}\n  {wrong}\n", outcome.name));
        }
    }
    let passed = outcomes.len().saturating_sub(failed);
    out.push_str(&format!("{} cases: {passed} as expected, {failed} not\n", outcomes.len()));
    out
}

fn as_json(outcomes: &[Outcome]) -> String {
    let cases = outcomes.iter().map(|outcome| {
        json!({ "name": outcome.name, "passed": outcome.wrong.is_none(), "wrong": outcome.wrong })
    });
    let value = json!({
        "schema": "test-1",
        "version": env!("CARGO_PKG_VERSION"),
        "cases": cases.collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}
