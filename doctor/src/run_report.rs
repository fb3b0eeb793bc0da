//! What came of a run of `doorward doctor`, for every form of report.

use crate::causes::finding::Finding;
use crate::causes::{Cause, Certainty};
use crate::facts::Facts;
use crate::plan::Plan;

/// What a run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A cause is proved or strong.
    Cause,
    /// Nothing is wrong as far as can be seen.
    Healthy,
    /// Interrupted, or this machine has no network.
    Unfinished,
}

impl Verdict {
    /// A stable word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Healthy => "healthy",
            Self::Unfinished => "unfinished",
        }
    }
}

/// What came of a run.
pub(crate) struct Report<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) facts: &'a Facts,
    pub(crate) findings: Vec<Finding>,
    pub(crate) verdict: Verdict,
    pub(crate) unfinished_because: &'static str,
    pub(crate) not_provable: Vec<(&'static str, &'static str)>,
    pub(crate) started_millis: i64,
    pub(crate) elapsed_millis: i64,
}

impl Report<'_> {
    /// Findings that change the exit status.
    pub(crate) fn causes(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.certainty > Certainty::Hint)
    }

    pub(crate) fn hints(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.certainty == Certainty::Hint)
    }

    /// The command that shows whether the cure holds.
    pub(crate) fn again(&self) -> String {
        format!("doorward doctor {}", self.plan.target)
    }

    /// Causes that what was seen excludes: most searches end here.
    pub(crate) fn excluded(&self) -> Vec<Cause> {
        let facts = self.facts;
        let mut excluded = Vec::new();
        if facts.reach.base.is_some() && facts.reach.wall.is_none() {
            excluded.extend([
                Cause::Unreachable,
                Cause::HtmlInsteadOfAuth,
                Cause::DeploymentProtection,
                Cause::RateLimited,
            ]);
        }
        if facts.oracle.knows == Some(true) {
            excluded.extend([
                Cause::SecretDiffers,
                Cause::SecretWhitespace,
                Cause::SecretQuoted,
                Cause::SecretRetired,
                Cause::DatabaseUnreachable,
            ]);
        }
        if facts.arrival.cookie == Some(true) {
            excluded.push(Cause::CookieHeaderStripped);
        }
        if facts.names.session_token.is_some() {
            excluded.extend([Cause::SetCookieStripped, Cause::CookieNameDiffers]);
        }
        if facts.arrival.origins.get(&self.plan.app_origin()) == Some(&true) {
            excluded.push(Cause::OriginNotTrusted);
        }
        if facts.keys.keys.as_ref().is_some_and(|keys| !keys.is_empty()) {
            excluded.extend([Cause::JwtPluginMissing, Cause::JwksNotJson, Cause::JwksEmpty]);
        }
        excluded.retain(|cause| self.findings.iter().all(|finding| finding.cause != *cause));
        excluded
    }
}

/// What this run could not tell, and what each would need.
pub(crate) fn not_provable(facts: &Facts, plan: &Plan) -> Vec<(&'static str, &'static str)> {
    let mut open = Vec::new();
    if facts.oracle.knows.is_none() {
        open.push(("whether the secret is the same", "a secret at hand: --env-file"));
    }
    if plan.gate.is_none() {
        open.push(("what the gate does", "--gate URL of a protected path"));
    }
    if !facts.pasted.is_given && !facts.sign_in.is_asked {
        open.push(("what a browser's cookies are worth", "--cookie-file, or --sign-in"));
    }
    if facts.token.is_none() {
        open.push(("what a JWT of the service says", "--deep, --token-file or --cookie-file"));
    }
    if plan.api.is_none() {
        open.push((
            "what the API refuses",
            "--api URL, and `python -m doorward_origin doctor` beside it",
        ));
    }
    if plan.app.is_none() {
        open.push(("whether another origin gets the cookie", "--app URL"));
    }
    open
}
