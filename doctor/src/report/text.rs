//! The report as text: the phases, then the cause with what shows it and what to do, then what else
//! is wrong, then what could not be told.

use crate::causes::Certainty;
use crate::causes::finding::Finding;
use crate::facts::{Exchange, Facts};
use crate::report::labels;
use crate::report::phases::{State, phases};
use crate::report::wrap::labelled;
use crate::run_report::{Report, Verdict};

/// Colours of a terminal; none elsewhere.
struct Style {
    is_on: bool,
}

impl Style {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.is_on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The whole report.
pub(crate) fn text(report: &Report<'_>, has_colour: bool) -> String {
    let style = Style { is_on: has_colour };
    let mut out = String::new();
    for phase in phases(report.facts, report.plan) {
        let code = match phase.state {
            State::Good => "32",
            State::Bad => "31",
            State::Skipped => "90",
        };
        let line = labelled(3, phase.name, 8, &phase.words);
        let line = line.get(3..).unwrap_or_default();
        out.push_str(&format!(" {} {line}", style.paint(code, phase.state.mark())));
    }
    for (number, finding) in report.findings.iter().enumerate() {
        if number == 1 && finding.certainty > Certainty::Hint {
            out.push_str("\nalso wrong:\n");
        }
        out.push('\n');
        out.push_str(&section(finding, report, &style));
    }
    out.push('\n');
    out.push_str(&end(report));
    out
}

fn section(finding: &Finding, report: &Report<'_>, style: &Style) -> String {
    written(finding, report.facts, &report.again(), style)
}

/// One finding by itself.
pub(crate) fn section_of(
    finding: &Finding,
    facts: &Facts,
    again: &str,
    has_colour: bool,
) -> String {
    written(finding, facts, again, &Style { is_on: has_colour })
}

fn written(finding: &Finding, facts: &Facts, again: &str, style: &Style) -> String {
    let (word, code) = match finding.certainty {
        Certainty::Proof => ("error", "1;31"),
        Certainty::Strong => ("likely", "1;33"),
        Certainty::Hint => ("hint", "90"),
    };
    let head = style.paint(code, &format!("{word}[{}]", finding.cause.id()));
    let mut out = format!("{head}: {}\n", finding.cause.title());
    out.push_str(&labelled(2, "seen", 6, &finding.seen));
    for line in evidence(finding, facts) {
        out.push_str(&format!("         {line}\n"));
    }
    if let Some(unless) = finding.unless {
        out.push_str(&labelled(2, "unless", 6, unless));
    }
    if finding.certainty > Certainty::Hint {
        out.push_str(&labelled(2, "so", 6, finding.cause.symptom()));
    }
    out.push_str(&labelled(
        2,
        "fix",
        6,
        finding.fix.as_deref().unwrap_or_else(|| finding.cause.fix()),
    ));
    if finding.certainty > Certainty::Hint {
        out.push_str(&labelled(2, "prove", 6, again));
    }
    out.push_str(&labelled(2, "more", 6, &finding.cause.doc()));
    out
}

/// The requests that show it.
pub(crate) fn evidence(finding: &Finding, facts: &Facts) -> Vec<String> {
    let is_shown = |exchange: &&Exchange| finding.evidence.contains(&exchange.id);
    facts.requests.iter().filter(is_shown).map(exchange_line).collect()
}

fn exchange_line(exchange: &Exchange) -> String {
    let host = exchange.host.as_deref().unwrap_or_default();
    let asked = format!("{} {host}{}", exchange.method, exchange.path);
    let label = labels::of(exchange.id);
    let asked = if label.is_empty() { asked } else { format!("{asked}, {label}") };
    format!("{asked}: {}", exchange.summary)
}

fn end(report: &Report<'_>) -> String {
    let count = report.facts.requests.len();
    let seconds = report.elapsed_millis.checked_div(100).unwrap_or(0);
    let (whole, tenth) =
        (seconds.checked_div(10).unwrap_or(0), seconds.checked_rem(10).unwrap_or(0));
    let cost = format!("({count} requests, {whole}.{tenth} s)");
    let mut out = match report.verdict {
        Verdict::Healthy => {
            format!("nothing wrong as far as can be seen from here {cost}\n")
        }
        Verdict::Unfinished => format!("not finished {cost}: {}\n", report.unfinished_because),
        Verdict::Cause => cost + "\n",
    };
    for (what, needs) in &report.not_provable {
        out.push_str(&labelled(0, "not provable from here:", 23, &format!("{what} ({needs})")));
    }
    out
}
