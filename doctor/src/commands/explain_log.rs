//! `doorward explain-log`: causes in a gate's log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::causes::Certainty;
use crate::causes::log_rules::{self, LogFinding};
use crate::effects::Io;
use crate::exit::ExitCode;
use crate::order;
use crate::output::Output;
use crate::report::wrap::labelled;
use crate::time_text;
use crate::usage::{Argument, Opt, Usage, Words};

/// A longer log is looked at in parts.
const MAX_LOG_BYTES: usize = 256 * 1024 * 1024;
/// Of each kind so many rules and issuers are named.
const MAX_NAMES: usize = 6;

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "explain-log",
    about: "Read a gate's log and name the causes of its refusals",
    arguments: &[
        Argument::optional("FILE", "The log; `-` is standard input").usual("-"),
    ],
    options: &[
        Opt::value("since", "TIME", "Count before and after this moment (RFC 3339), such as that of a deployment"),
    ],
    commands: &[],
    more: "\
The log is the gate's JSON lines, from a file or standard input; what stands before a line's `{` (a
container's name, a time) and lines of others are passed over. Refusals are counted by their reason and
by what the line says of the cause. With times in the lines, each count is split in two, at --since or
at the last start of the gate: what rises since then came with a deployment.

Examples:
  kubectl logs deploy/web | doorward explain-log
  doorward explain-log gate.log --since 2026-11-30T14:00:00Z
  npx wrangler tail --format json | jq -r '.logs[].message[]' | doorward explain-log",
};

/// What the command line says.
pub(crate) struct Args {
    file: String,
    since: Option<String>,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self {
            file: words.one("FILE").unwrap_or_else(|| "-".to_owned()),
            since: words.one("since"),
        }
    }
}

/// Refusals that speak for the same.
#[derive(Debug, Default)]
struct Count {
    total: u64,
    before: u64,
    after: u64,
    rules: BTreeSet<String>,
    issuers: BTreeSet<String>,
    hint: Option<String>,
}

/// A log, counted.
#[derive(Debug, Default)]
struct Counted {
    lines: u64,
    gate_lines: u64,
    first: Option<i64>,
    last: Option<i64>,
    since: Option<i64>,
    groups: BTreeMap<(String, Option<LogFinding>), Count>,
    /// Mistakes of the configuration that a start has met.
    config_errors: BTreeSet<String>,
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    let since = match args.since.as_deref().map(|text| (text, time_text::millis(text))) {
        Some((text, None)) => {
            io.error(&format!("{text} is no moment"), Some("write it like 2026-11-30T14:00:00Z"))
                .await;
            return ExitCode::Usage;
        }
        Some((_, since)) => since,
        None => None,
    };
    let text = match io.read(&args.file, MAX_LOG_BYTES).await {
        Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Ok(None) => {
            io.error(&format!("{} does not exist", args.file), None).await;
            return ExitCode::Usage;
        }
        Err(why) => {
            io.error(&format!("{}: {why}", args.file), None).await;
            return ExitCode::Usage;
        }
    };
    let counted = count(&text, since);
    if counted.gate_lines == 0 {
        let hint = "a gate's line is a JSON object with \"gate\": \"doorward\"";
        io.error("there is no line of a gate in it", Some(hint)).await;
        return ExitCode::Usage;
    }
    io.out(if output.json { as_json(&counted) } else { as_text(&counted) }).await;
    let is_cause = |(_, finding): &(String, Option<LogFinding>)| {
        finding.as_ref().is_some_and(|own| own.certainty > Certainty::Hint)
    };
    let is_bad = counted.groups.keys().any(is_cause) || !counted.config_errors.is_empty();
    if is_bad { ExitCode::Bad } else { ExitCode::Good }
}

/// A line of a gate, whatever stands before it.
fn line_of(line: &str) -> Option<Value> {
    let object = line.get(line.find('{')?..)?;
    let value: Value = serde_json::from_str(object.trim_end()).ok()?;
    (value.get("gate")?.as_str()? == "doorward").then_some(value)
}

fn time_of(line: &Value) -> Option<i64> {
    time_text::millis(line.get("time")?.as_str()?)
}

fn count(text: &str, since: Option<i64>) -> Counted {
    let mut counted = Counted::default();
    let lines: Vec<Value> = text
        .lines()
        .inspect(|_| counted.lines = counted.lines.saturating_add(1))
        .filter_map(line_of)
        .collect();
    let is_start = |line: &&Value| line.get("event").and_then(Value::as_str) == Some("start");
    let times = || lines.iter().filter_map(time_of);
    (counted.first, counted.last) = (times().min(), times().max());
    let start = lines.iter().filter(is_start).filter_map(time_of).max();
    // A start at the very beginning divides nothing.
    counted.since = since.or_else(|| start.filter(|start| Some(*start) > counted.first));
    for line in &lines {
        counted.gate_lines = counted.gate_lines.saturating_add(1);
        if line.get("event").and_then(Value::as_str) == Some("config_error") {
            let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
            counted.config_errors.insert(format!("{}: {}", text("path"), text("problem")));
        }
        add(&mut counted, line);
    }
    counted
}

fn add(counted: &mut Counted, line: &Value) {
    let Some(reason) = line.get("reason").and_then(Value::as_str) else { return };
    let own = counted.groups.entry((reason.to_owned(), log_rules::cause(line))).or_default();
    own.total = own.total.saturating_add(1);
    match (counted.since, time_of(line)) {
        (Some(since), Some(time)) if time < since => own.before = own.before.saturating_add(1),
        (Some(_), Some(_)) => own.after = own.after.saturating_add(1),
        _ => {}
    }
    for (name, set) in [("rule", &mut own.rules), ("issuer", &mut own.issuers)] {
        let value = match line.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(value) => Some(value.to_string()),
        };
        if set.len() < MAX_NAMES {
            set.extend(value);
        }
    }
    if own.hint.is_none() {
        own.hint = line.get("hint").and_then(Value::as_str).map(str::to_owned);
    }
}

impl Counted {
    /// The groups, the largest first.
    fn sorted(&self) -> Vec<(&str, Option<&LogFinding>, &Count)> {
        let mut groups: Vec<_> = self
            .groups
            .iter()
            .map(|((reason, finding), count)| (reason.as_str(), finding.as_ref(), count))
            .collect();
        order::sort_by(&mut groups, |(.., one), (.., other)| other.total.cmp(&one.total));
        groups
    }

    /// Whether a group rises since the moment in question: at least twice as often as before, over
    /// the same time.
    fn rises(&self, count: &Count) -> bool {
        let (Some(first), Some(last), Some(since)) = (self.first, self.last, self.since) else {
            return false;
        };
        let before = u64::try_from(since.saturating_sub(first)).unwrap_or(0).max(1);
        let after = u64::try_from(last.saturating_sub(since)).unwrap_or(0).max(1);
        let rate = |number: u64, other: u64| u128::from(number).saturating_mul(u128::from(other));
        count.after > 4 && rate(count.after, before) > rate(count.before, after).saturating_mul(2)
    }
}

fn as_text(counted: &Counted) -> String {
    let refusals: u64 = counted.groups.values().map(|count| count.total).sum();
    let mut out = format!(
        "{refusals} lines with a reason, of {} of the gate ({} in all)\n",
        counted.gate_lines, counted.lines
    );
    for problem in &counted.config_errors {
        out.push_str(&format!("\nerror[configuration]: {problem}\n"));
    }
    for (reason, finding, count) in counted.sorted() {
        out.push('\n');
        let rises = if counted.rises(count) { ", rises" } else { "" };
        let split = match counted.since {
            Some(_) => format!(" ({} before, {} since{rises})", count.before, count.after),
            None => String::new(),
        };
        let cause = match finding {
            Some(own) => format!("{} [{}]", own.cause.id(), own.certainty.word()),
            None => "no known cause".to_owned(),
        };
        out.push_str(&format!("{:>7}  {reason}: {cause}{split}\n", count.total));
        if let Some(own) = finding {
            out.push_str(&labelled(9, "is", 7, own.cause.title()));
            out.push_str(&labelled(9, "by", 7, &own.because));
        }
        let joined = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        if !count.rules.is_empty() {
            out.push_str(&labelled(9, "rules", 7, &joined(&count.rules)));
        }
        if !count.issuers.is_empty() {
            out.push_str(&labelled(9, "issuers", 7, &joined(&count.issuers)));
        }
        if let Some(hint) = &count.hint {
            out.push_str(&labelled(9, "hint", 7, hint));
        }
        match finding {
            Some(own) => {
                out.push_str(&labelled(9, "fix", 7, own.cause.fix()));
                out.push_str(&labelled(
                    9,
                    "more",
                    7,
                    &format!("doorward causes {}", own.cause.id()),
                ));
            }
            None => out.push_str(&labelled(9, "more", 7, &format!("doorward reasons {reason}"))),
        }
    }
    out
}

fn as_json(counted: &Counted) -> String {
    let groups = counted.sorted().into_iter().map(|(reason, finding, count)| {
        json!({
            "reason": reason,
            "cause": finding.map(|own| own.cause.id()),
            "certainty": finding.map(|own| own.certainty.word()),
            "because": finding.map(|own| &own.because),
            "count": count.total,
            "before": counted.since.map(|_| count.before),
            "since": counted.since.map(|_| count.after),
            "rises": counted.rises(count),
            "rules": count.rules,
            "issuers": count.issuers,
            "hint": count.hint,
            "fix": finding.map(|own| own.cause.fix()),
            "doc": finding.map(|own| own.cause.doc()),
        })
    });
    let value = json!({
        "schema": "explain-log-1",
        "version": env!("CARGO_PKG_VERSION"),
        "lines": counted.lines,
        "gate_lines": counted.gate_lines,
        "since_ms": counted.since,
        "config_errors": counted.config_errors,
        "groups": groups.collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}
