//! `doorward reasons`: the reasons of refusals, offline.

use doorward::{Actor, Reason};

use crate::cures;
use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::report::wrap::labelled;
use crate::usage::{Argument, Usage, Words};

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "reasons",
    about: "Print the reasons that a gate gives for a refusal, or one of them",
    arguments: &[Argument::optional("CODE", "The code of a reason, such as `signature_invalid`")],
    options: &[],
    commands: &[],
    more: "\
A gate writes the reason in its log line, in the body of a refusal (`application/problem+json`) and
small at the end of a page. docs/reasons.md has a sample and the causes of each.

Examples:
  doorward reasons                       all of them
  doorward reasons signature_invalid     one",
};

/// What the command line says.
pub(crate) struct Args {
    code: Option<String>,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self { code: words.one("CODE") }
    }
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: &Args, output: Output) -> ExitCode {
    let wanted = |reason: &&Reason| args.code.as_deref().is_none_or(|code| reason.code() == code);
    let found: Vec<&Reason> = Reason::ALL.iter().filter(wanted).collect();
    if found.is_empty() {
        io.error("there is no reason of this code", Some("`doorward reasons` lists them")).await;
        return ExitCode::Usage;
    }
    io.out(if output.json { as_json(&found) } else { as_text(&found) }).await;
    ExitCode::Good
}

fn as_json(reasons: &[&Reason]) -> String {
    let reasons: Vec<_> = reasons
        .iter()
        .map(|reason| {
            serde_json::json!({
                "code": reason.code(),
                "status": reason.status(),
                "actor": actor(reason.actor()),
                "sentence": reason.sentence(),
                "cure": cures::of(**reason),
                "doc": format!("docs/reasons.md#{}", reason.code()),
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::from(reasons))
}

fn as_text(reasons: &[&Reason]) -> String {
    if let [reason] = reasons {
        let (code, status, sentence) = (reason.code(), reason.status(), reason.sentence());
        let cure = labelled(0, "mend", 6, cures::of(**reason));
        return format!("{code} {status}  {sentence}\n{cure}");
    }
    reasons
        .iter()
        .map(|reason| {
            let (code, status, sentence) = (reason.code(), reason.status(), reason.sentence());
            format!("{code:28} {status}  {sentence}\n")
        })
        .collect()
}

const fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::Client => "client",
        _ => "operator",
    }
}
