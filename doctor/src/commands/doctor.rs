//! `doorward doctor`: what is wrong with a running deployment.

use crate::causes::{Certainty, rules};
use crate::commands::doctor_diff;
use crate::effects::{Io, Phase};
use crate::examination::{self, Options, learn, plan};
use crate::exit::ExitCode;
use crate::facts::Facts;
use crate::output::Output;
use crate::plan::Plan;
use crate::report::{json, markdown, text};
use crate::run_report::{Report, Verdict, not_provable};
use crate::usage::{Argument, Usage, Words};

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "doctor",
    about: "Find out what is wrong with a running deployment",
    arguments: &[Argument::required(
        "URL",
        "The URL of the auth service, or of the application that has it at /api/auth",
    )],
    options: examination::OPTIONS,
    commands: &[&DIFF],
    more: "\
What is sent: at most 20 requests, none of which signs anybody in or out, creates anything or needs
an account: GET /ok, /get-session and /jwks, POST /sign-out without a session, GET /get-session with
a made-up session token and GET /verify-email with a JWT that ended in 2001, both signed with your
secret. The token exists nowhere and the JWT has ended, so they open nothing. They tell whether the
service has the same secret, and which mistake it is if not.
`--offline` sends nothing and says what would be sent.

Secrets come from the environment and from .env files of this directory; --env-file names others. A
made-up token goes only to the host of BETTER_AUTH_URL or of the gate's configuration, over https or
on this machine; --yes says that another host is yours, too.

Examples:
  doorward doctor https://app.example.com
  doorward doctor https://app.example.com --env-file .env.production --gate /dashboard
  doorward doctor https://auth.example.com --app https://app.example.com
  doorward doctor https://app.example.com --cookie-file cookies.txt
  doorward doctor https://app.example.com --deep --api https://api.example.com/items
  doorward doctor https://app.example.com --connect 127.0.0.1:3000
  doorward doctor diff https://app.example.com https://preview.example.com",
};

/// What the command line says.
pub(crate) struct Args {
    deployments: Deployments,
    options: Options,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        let options = Options::of(words);
        let text = |word: Option<String>| word.unwrap_or_default();
        let deployments = if words.commands.contains(&"diff") {
            Deployments::Two([text(words.one("A")), text(words.one("B"))])
        } else {
            Deployments::One(text(words.one("URL")))
        };
        Self { deployments, options }
    }
}

enum Deployments {
    One(String),
    /// To be compared.
    Two([String; 2]),
}

const DIFF: Usage = Usage {
    name: "diff",
    about: "Compare two deployments: what differs between what is seen of each",
    arguments: &[Argument::required("A", "One deployment"), Argument::required("B", "The other")],
    options: examination::OPTIONS,
    commands: &[],
    more: "",
};

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    let options = args.options;
    let url = match args.deployments {
        Deployments::One(url) => url,
        Deployments::Two(urls) => return doctor_diff::run(io, urls, options, output).await,
    };
    let plan = match plan(io, &url, &options).await {
        Ok(plan) => plan,
        Err(wrong) => return usage(io, &wrong).await,
    };
    if options.offline && options.cookie_file.is_none() && options.token_file.is_none() {
        io.out(what_would_be_sent(&plan)).await;
        return ExitCode::Good;
    }
    let started = io.now().await;
    if output.progress && !output.json {
        io.err(intro(&plan)).await;
    }
    let facts = match learn(io, &plan, &options).await {
        Ok(facts) => facts,
        Err(wrong) => return usage(io, &wrong).await,
    };
    let without = without_rule(io).await;
    let times = (started, io.now().await.saturating_sub(started));
    let report = judged(io, &plan, &facts, without, times);
    let written = if output.json {
        json::json(&report)
    } else if options.report {
        markdown::markdown(&report)
    } else {
        text::text(&report, output.colour)
    };
    io.out(written).await;
    match report.verdict {
        Verdict::Healthy => ExitCode::Good,
        Verdict::Cause => ExitCode::Bad,
        Verdict::Unfinished => ExitCode::Unfinished,
    }
}

async fn usage(io: &Io, wrong: &str) -> ExitCode {
    io.error(wrong, Some("doorward doctor --help")).await;
    ExitCode::Usage
}

/// A rule that is left out, to see that a test fails without it; in builds for tests only.
async fn without_rule(io: &Io) -> Option<String> {
    if cfg!(debug_assertions) { io.env("DOORWARD_WITHOUT_RULE").await } else { None }
}

/// What the rules make of the facts.
fn judged<'a>(
    io: &Io,
    plan: &'a Plan,
    facts: &'a Facts,
    without: Option<String>,
    (started_millis, elapsed_millis): (i64, i64),
) -> Report<'a> {
    let findings = rules::findings_without(facts, plan, without.as_deref());
    let has_cause = findings.iter().any(|finding| finding.certainty > Certainty::Hint);
    let has_no_network =
        facts.reach.failure.as_ref().is_some_and(|failure| failure.phase == Phase::Network);
    let (verdict, unfinished_because) = if io.is_interrupted() {
        (Verdict::Unfinished, "interrupted")
    } else if has_cause {
        (Verdict::Cause, "")
    } else if has_no_network {
        (Verdict::Unfinished, "this machine has no network")
    } else if facts.reach.base.is_none() && !facts.requests.is_empty() {
        (Verdict::Unfinished, "the answers could not be read")
    } else {
        (Verdict::Healthy, "")
    };
    Report {
        plan,
        facts,
        findings,
        verdict,
        unfinished_because,
        not_provable: not_provable(facts, plan),
        started_millis,
        elapsed_millis,
    }
}

/// Whom it talks to and what it reads, before it does.
fn intro(plan: &Plan) -> String {
    let others = [&plan.app, &plan.api, &plan.gate];
    let mut hosts: Vec<&str> = vec![&plan.target.host];
    hosts.extend(others.into_iter().flatten().map(|url| url.host.as_str()));
    hosts.dedup();
    let secret = match &plan.expected.secret {
        Some(secret) => format!("; uses {} ({})", secret.source, secret.value.shown()),
        None => String::new(),
    };
    format!("doorward {}: talks to {} only{secret}\n", env!("CARGO_PKG_VERSION"), hosts.join(", "))
}

fn what_would_be_sent(plan: &Plan) -> String {
    let base = &plan.base.value;
    let mut out = format!("nothing was sent; a run sends these to {}:\n", plan.target.origin());
    for line in [
        format!("GET  {base}/ok"),
        format!("GET  {base}/get-session"),
        format!("POST {base}/sign-out, without a session"),
        format!("POST {base}/sign-out, with a made-up cookie, with and without an origin"),
        format!("GET  {base}/jwks, as this program and as PyJWT"),
        format!("GET  {base}/get-session, with 7,500 bytes of cookies"),
    ] {
        out.push_str(&format!("  {line}\n"));
    }
    let secret = match (&plan.expected.secret, plan.secret_must_stay()) {
        (None, _) => "no secret is at hand: only the published default would be tried".to_owned(),
        (Some(_), Some(why)) => format!("the secret is not used: {why}"),
        (Some(secret), None) => format!(
            "GET  {base}/get-session and {base}/verify-email, with made-up tokens signed with {} \
             ({}) and near misses of it",
            secret.source,
            secret.value.shown()
        ),
    };
    out.push_str(&format!("  {secret}\n"));
    out
}
