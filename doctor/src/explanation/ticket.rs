//! What can be given to others: the decision and how it came about, without a value of a cookie, a
//! token or a claim.

use crate::causes::finding::Finding;
use crate::explanation::cookies;
use crate::explanation::way::Passage;
use crate::plan::Plan;

/// As Markdown.
pub(crate) fn markdown(
    kind: &str,
    verdict: &str,
    passages: &[Passage],
    cookie_header: Option<&str>,
    findings: &[Finding],
) -> String {
    let mut out = format!("**doorward explain** {}: {verdict}\n\n", env!("CARGO_PKG_VERSION"));
    out.push_str(&format!("Pasted: {kind}.\n\n"));
    for own in passages {
        out.push_str(&format!("- {} {}: {}\n", own.state.mark(), own.name, own.state.word()));
    }
    if let Some(header) = cookie_header {
        out.push_str(&format!("\nCookies ({} bytes):\n\n", header.len()));
        for row in cookies::rows(header) {
            let copies = if row.copies > 1 { format!(" × {}", row.copies) } else { String::new() };
            out.push_str(&format!("- `{}`{copies}, {} bytes\n", row.name, row.bytes));
        }
    }
    for finding in findings {
        let (id, certainty) = (finding.cause.id(), finding.certainty.word());
        out.push_str(&format!("\n`{id}` ({certainty}): {}\n", finding.cause.title()));
    }
    out
}

/// The command that asks the deployment itself.
pub(crate) fn command(plan: &Plan, has_cookies: bool, has_token: bool) -> String {
    let mut out = format!("npx doorward doctor {}", plan.page.origin());
    if has_cookies {
        out.push_str(" --cookie-file cookies.txt");
    }
    if has_token {
        out.push_str(" --token-file token.txt");
    }
    out
}
