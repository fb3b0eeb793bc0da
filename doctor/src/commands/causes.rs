//! `doorward causes`: the catalogue of causes, offline.

use crate::causes::{Cause, Group};
use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::usage::{Argument, Usage, Words};

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "causes",
    about: "Print the known causes of a refusal, or one of them with its cure",
    arguments: &[Argument::optional("ID", "The name of a cause, such as `secret-whitespace`")],
    options: &[],
    commands: &[],
    more: "\
Each cause has a stable name. `doorward doctor` gives it with its evidence; docs/causes.md has the
same text.

Examples:
  doorward causes                        all of them, by group
  doorward causes secret-whitespace      one: what users see, how it is told, what to do
  doorward causes --json                 all of them with their texts",
};

/// What the command line says.
pub(crate) struct Args {
    id: Option<String>,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self { id: words.one("ID") }
    }
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: &Args, output: Output) -> ExitCode {
    let Some(id) = &args.id else {
        let all = || Cause::ALL.iter().map(|cause| json_of(*cause)).collect::<Vec<_>>();
        let text = if output.json { written(&all().into()) } else { list() };
        io.out(text).await;
        return ExitCode::Good;
    };
    let Some(cause) = Cause::from_id(id) else {
        let near = near(id).map(|near| format!("`doorward causes {near}`"));
        let hint = near.as_deref().unwrap_or("`doorward causes` lists them");
        io.error("there is no cause of this name", Some(hint)).await;
        return ExitCode::Usage;
    };
    let text = if output.json { written(&json_of(cause)) } else { page(cause) };
    io.out(text).await;
    ExitCode::Good
}

fn written(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn list() -> String {
    let mut out = String::new();
    for group in Group::ALL {
        out.push_str(&format!("{}\n", group.title()));
        for cause in Cause::ALL.iter().filter(|cause| cause.group() == *group) {
            out.push_str(&format!("  {:34} {}\n", cause.id(), cause.title()));
        }
        out.push('\n');
    }
    out.push_str("`doorward causes NAME` has the cure of one.\n");
    out
}

fn page(cause: Cause) -> String {
    let mut out = format!("{}: {}\n\n", cause.id(), cause.title());
    out.push_str(&paragraph("seen by", cause.symptom()));
    for (channel, text) in cause.signs() {
        out.push_str(&paragraph(channel.words(), text));
    }
    out.push_str(&paragraph("do", cause.fix()));
    out.push_str(&paragraph("who", cause.actor().words()));
    out.push_str(&paragraph("more", &cause.doc()));
    out
}

/// A labelled paragraph, wrapped at 100.
fn paragraph(label: &str, text: &str) -> String {
    const INDENT: usize = 16;
    let mut out = format!("  {label:13} ");
    let mut column = INDENT;
    for word in text.split(' ') {
        let width = word.chars().count().saturating_add(1);
        if column.saturating_add(width) > 100 && column > INDENT {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(&" ".repeat(INDENT));
            column = INDENT;
        }
        out.push_str(word);
        out.push(' ');
        column = column.saturating_add(width);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn json_of(cause: Cause) -> serde_json::Value {
    let signs: serde_json::Map<_, _> =
        cause.signs().map(|(channel, text)| (channel.name().to_owned(), text.into())).collect();
    serde_json::json!({
        "id": cause.id(),
        "group": cause.group().name(),
        "title": cause.title(),
        "actor": cause.actor().name(),
        "certainty": cause.certainty().word(),
        "symptom": cause.symptom(),
        "signs": signs,
        "fix": cause.fix(),
        "doc": cause.doc(),
    })
}

/// The cause whose name begins alike, where there is just one.
fn near(id: &str) -> Option<&'static str> {
    let mut begins = Cause::ALL
        .iter()
        .map(|cause| cause.id())
        .filter(|own| id.len() > 3 && (own.starts_with(id) || own.contains(id)));
    begins.next().filter(|_| begins.next().is_none())
}
