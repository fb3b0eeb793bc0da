//! `doorward explain`: what a pasted `Cookie` header or token is worth, offline.

use crate::causes::finding::Finding;
use crate::causes::{Cause, Certainty, Channel, rules};
use crate::cookie_file;
use crate::effects::Io;
use crate::examination::{Options, plan};
use crate::exit::ExitCode;
use crate::facts::{Facts, PastedData, PastedToken, TokenFacts, TokenForm};
use crate::gate_view::{self, GateView, Pasted};
use crate::output::Output;
use crate::plan::Plan;
use crate::probes::{self, Run};
use crate::report::json::finding_json;
use crate::report::text::section_of;
use crate::report::wrap::labelled;

const MAX_KEYS_BYTES: usize = 256 * 1024;

/// Explain a pasted Cookie header or token, offline
#[derive(clap::Args)]
#[command(after_help = "\
Nothing is sent. The secret (BETTER_AUTH_SECRET of the environment or of a .env file) tells whether
a cookie is signed with it, or with a near miss of it; a key set tells whether a token is signed by
one of its keys. Values are never printed: copy the `Cookie` line of a request from the browser's
network panel, or the whole request \"as cURL\".

Examples:
  doorward explain --cookie-file cookies.txt
  pbpaste | doorward explain --cookie-file -
  doorward explain --token-file token.txt --jwks jwks.json --env-file .env.production")]
pub(crate) struct Args {
    /// A file with a `Cookie` header or a curl command, or `-`
    #[arg(long, value_name = "FILE")]
    cookie_file: Option<String>,
    /// A file with a token, or `-`
    #[arg(long, value_name = "FILE")]
    token_file: Option<String>,
    /// A file with the key set of the auth service (what /jwks answers)
    #[arg(long, value_name = "FILE")]
    jwks: Option<String>,
    /// The URL of the auth service [default: BETTER_AUTH_URL]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The gate's configuration [default: doorward.json, where it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
    /// A file with variables, instead of the usual ones; may be given several times
    #[arg(long, value_name = "FILE")]
    env_file: Vec<String>,
    /// Say why this cause is not among what is found
    #[arg(long, value_name = "CAUSE")]
    why_not: Option<String>,
}

/// What was pasted, as it is.
struct Texts {
    cookies: Option<String>,
    token: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    if args.cookie_file.is_none() && args.token_file.is_none() {
        let hint = "`doorward explain --cookie-file -` reads standard input";
        io.error("nothing to explain: give --cookie-file or --token-file", Some(hint)).await;
        return ExitCode::Usage;
    }
    let (plan, facts, texts) = match looked(io, &args).await {
        Ok(looked) => looked,
        Err(wrong) => {
            io.error(&wrong, Some("doorward explain --help")).await;
            return ExitCode::Usage;
        }
    };
    let findings = rules::findings(&facts, &plan);
    let is_bad = findings.iter().any(|finding| finding.certainty > Certainty::Hint);
    let gate = gate(io, &args, &plan, &texts).await;
    let why_not = match args.why_not.as_deref().map(|id| (id, Cause::from_id(id))) {
        Some((id, None)) => {
            io.error(&format!("there is no cause {id}"), Some("`doorward causes` lists them"))
                .await;
            return ExitCode::Usage;
        }
        Some((_, Some(cause))) => Some((cause, why_not(cause, &findings, &plan))),
        None => None,
    };
    let text = Explained { facts: &facts, findings: &findings, gate: &gate, why_not }.text(output);
    io.out(text).await;
    if is_bad { ExitCode::Bad } else { ExitCode::Good }
}

/// What there is to say of a run.
struct Explained<'a> {
    facts: &'a Facts,
    findings: &'a [Finding],
    gate: &'a Result<GateView, String>,
    why_not: Option<(Cause, String)>,
}

impl Explained<'_> {
    fn text(&self, output: Output) -> String {
        let Self { facts, findings, gate, why_not } = self;
        if output.json {
            let layers: Vec<_> = layers(facts)
                .into_iter()
                .map(|(name, words)| serde_json::json!({ "layer": name, "is": words }))
                .collect();
            let (causes, hints): (Vec<_>, Vec<_>) =
                findings.iter().partition(|finding| finding.certainty > Certainty::Hint);
            let listed = |all: Vec<_>| -> Vec<_> {
                all.into_iter().enumerate().map(|(at, one)| finding_json(one, at == 0)).collect()
            };
            let value = serde_json::json!({
                "schema": "explain-1",
                "layers": layers,
                "causes": listed(causes),
                "hints": listed(hints),
                "gate": gate.as_ref().map_or_else(|why| serde_json::json!({ "unknown": why }), GateView::json),
                "why_not": why_not.as_ref().map(|(cause, why)| serde_json::json!({ "id": cause.id(), "why": why })),
            });
            format!("{value:#}\n")
        } else {
            let mut out = String::new();
            for (name, words) in layers(facts) {
                out.push_str(&labelled(0, name, 15, &words));
            }
            out.push_str(&match &gate {
                Ok(gate) => gate.text(),
                Err(why) => {
                    format!("\n{}", labelled(0, "the gate", 15, &format!("not asked: {why}")))
                }
            });
            if let Some((cause, why)) = &why_not {
                out.push_str(&format!("\nwhy not {}: {why}\n", cause.id()));
            }
            for finding in *findings {
                out.push('\n');
                out.push_str(&section_of(finding, facts, "doorward explain …", output.colour));
            }
            if findings.is_empty() {
                out.push_str("\nnothing wrong is seen in what was pasted\n");
            }
            out
        }
    }
}

/// What the gate makes of it.
async fn gate(io: &Io, args: &Args, plan: &Plan, texts: &Texts) -> Result<GateView, String> {
    let pasted = Pasted {
        cookies: texts.cookies.as_deref(),
        token: texts.token.as_deref(),
        config: args.config.as_deref(),
        env_files: &args.env_file,
        jwks: args.jwks.as_deref(),
        origin: &plan.target.origin(),
    };
    gate_view::view(io, &pasted).await
}

/// Why a cause is not the one.
fn why_not(cause: Cause, findings: &[Finding], plan: &Plan) -> String {
    if let Some(found) = findings.iter().find(|found| found.cause == cause) {
        return format!("it is found ({}): {}", found.certainty.word(), found.seen);
    }
    match cause.signs().find(|(channel, _)| *channel == Channel::Pasted) {
        None => {
            "a pasted credential does not tell it; `doorward causes` says how it is told".to_owned()
        }
        Some(_) if plan.expected.secret.is_none() && cause.id().starts_with("secret") => {
            "it cannot be told without the secret: set BETTER_AUTH_SECRET, or give --env-file"
                .to_owned()
        }
        Some((_, sign)) => format!("its sign is not there: {sign}"),
    }
}

async fn looked(io: &Io, args: &Args) -> Result<(Plan, Facts, Texts), String> {
    let options = Options {
        config: args.config.clone(),
        env_file: args.env_file.clone(),
        timeout: 5,
        ..Options::default()
    };
    // Names and issuer follow the service's URL; without one they are those of https.
    let unknown = "https://auth-service.invalid";
    let mut plan = plan(io, args.url.as_deref().unwrap_or(unknown), &options).await?;
    if args.url.is_none()
        && let Some(service) = &plan.expected.service
    {
        plan.target = service.value.clone();
        plan.page = service.value.with_path("/");
    }
    let cookies = match &args.cookie_file {
        Some(file) => Some(cookie_file::read(io, file).await?),
        None => None,
    };
    let token = match &args.token_file {
        Some(file) => Some(cookie_file::read_token(io, file).await?),
        None => None,
    };
    let now = io.now().await;
    let facts = {
        let mut run = Run::new(io, &plan, false);
        if let Some(file) = &args.jwks {
            let text = io.read_text(file, MAX_KEYS_BYTES).await?;
            let text = text.ok_or_else(|| format!("{file} does not exist"))?;
            run.facts.keys.keys = probes::keys::of_text(&text);
            if run.facts.keys.keys.is_none() {
                return Err(format!("{file} is no key set"));
            }
        }
        probes::pasted::look(&mut run, cookies.as_deref(), now);
        probes::token::pasted(&mut run, token.as_deref()).await;
        probes::oracle::describe(&mut run);
        run.facts
    };
    Ok((plan, facts, Texts { cookies, token }))
}

/// Each layer by itself, in words.
fn layers(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut layers = Vec::new();
    if facts.pasted.is_given {
        let count = facts.pasted.cookie_count;
        layers.push(("cookies", format!("{count}, {} bytes", facts.pasted.bytes)));
        layers
            .push(("session_token", facts.pasted.token.as_ref().map_or_else(absent, token_words)));
        layers.push(("session_data", facts.pasted.data.as_ref().map_or_else(absent, data_words)));
    }
    if let Some(token) = &facts.token {
        layers.push(("token", jwt_words(token)));
    }
    layers
}

fn absent() -> String {
    "absent".to_owned()
}

fn signed_words(is_signed: Option<bool>) -> &'static str {
    match is_signed {
        Some(true) => "signed with the secret at hand",
        Some(false) => "not signed with the secret at hand",
        None => "no secret at hand to check it with",
    }
}

fn token_words(token: &PastedToken) -> String {
    let form = match token.form {
        TokenForm::Whole => "whole",
        TokenForm::Cut => "without a whole signature",
        TokenForm::DoubleEncoded => "percent-encoded twice",
    };
    if token.form == TokenForm::Whole {
        format!("{}: {form}, {}", token.name, signed_words(token.is_signed))
    } else {
        format!("{}: {form}", token.name)
    }
}

fn data_words(data: &PastedData) -> String {
    let format = data.format.unwrap_or("in no form that is known");
    let chunks = match data.chunks {
        0 => String::new(),
        count => format!(", {count} chunks"),
    };
    let gap = if data.has_gap { ", one is missing" } else { "" };
    format!("{format}{chunks}{gap}, {}", signed_words(data.is_signed))
}

fn jwt_words(token: &TokenFacts) -> String {
    if let Some(wrong) = token.not_a_jwt {
        return format!("no JWT ({wrong})");
    }
    let alg = token.alg.as_deref().filter(|alg| crate::answer::is_word(alg)).unwrap_or("unknown");
    let signed = match (token.is_signed, token.kid_is_known) {
        (Some(true), _) => "signed by a key of the key set",
        (Some(false), _) => "not signed by the key that it names",
        (None, Some(false)) => "its key is not in the key set",
        (None, _) => "no key set at hand to check it with (--jwks)",
    };
    let expired = match token.is_expired {
        Some(true) => ", expired",
        Some(false) => ", not expired",
        None => "",
    };
    format!("a JWT by {alg}, {signed}{expired}")
}
