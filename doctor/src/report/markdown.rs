//! The report for a ticket: one block of Markdown, without anything secret.

use crate::report::phases::phases;
use crate::report::text::evidence;
use crate::run_report::Report;

/// The whole report.
pub(crate) fn markdown(report: &Report<'_>) -> String {
    let mut out = format!(
        "### `doorward doctor` {}: {}\n\n{} requests to `{}`.\n\n",
        env!("CARGO_PKG_VERSION"),
        report.verdict.word(),
        report.facts.requests.len(),
        report.plan.target.origin(),
    );
    for phase in phases(report.facts, report.plan) {
        out.push_str(&format!("- {} **{}** {}\n", phase.state.mark(), phase.name, phase.words));
    }
    for finding in &report.findings {
        out.push_str(&format!(
            "\n**{}** ({}): {}\n\n{}\n",
            finding.cause.id(),
            finding.certainty.word(),
            finding.cause.title(),
            finding.seen
        ));
        let lines = evidence(finding, report.facts);
        if !lines.is_empty() {
            out.push_str(&format!("\n```text\n{}\n```\n", lines.join("\n")));
        }
        out.push_str(&format!(
            "\nFix: {}\n",
            finding.fix.as_deref().unwrap_or_else(|| finding.cause.fix())
        ));
    }
    out
}
