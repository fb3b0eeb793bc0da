//! `doorward explain`: what a pasted credential or request is worth, offline, and what the gate
//! would decide.

use doorward::{Actor, Reason};
use serde_json::{Value, json};

use crate::causes::finding::Finding;
use crate::causes::{Cause, Certainty, Channel, rules};
use crate::cookie_file;
use crate::cures;
use crate::effects::{Effect, EffectResult, Io};
use crate::examination::{CONFIG, ENV_FILE, Options, plan};
use crate::exit::ExitCode;
use crate::explanation::differences::{self, Difference};
use crate::explanation::moments::{self, Stretch};
use crate::explanation::paste::Paste;
use crate::explanation::way::{self, Passage};
use crate::explanation::{cookies, ticket, vector};
use crate::facts::{Facts, PastedData, PastedToken, TokenFacts, TokenForm};
use crate::gate_view::{self, GateView, Pasted};
use crate::order;
use crate::output::Output;
use crate::plan::Plan;
use crate::probes::{self, Run};
use crate::report::json::{finding_json, iso};
use crate::report::text::section_of;
use crate::report::wrap::labelled;
use crate::time_text;
use crate::usage::{Argument, Opt, Usage, Words};

/// Causes that a token is of another issuer or audience than somebody expects.
const ABOUT_EXPECTATIONS: [Cause; 5] = [
    Cause::IssuerTrailingSlash,
    Cause::IssuerPath,
    Cause::IssuerScheme,
    Cause::IssuerHost,
    Cause::AudienceDiffers,
];
const MAX_KEYS_BYTES: usize = 256 * 1024;

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "explain",
    about: "Explain a pasted Cookie header, token or request, offline",
    arguments: &[Argument::optional(
        "FILE",
        "What was pasted: a Cookie or Authorization header, a curl command, a HAR entry, a request's head, a token; `-` is standard input",
    )],
    options: &[
        Opt::value(
            "cookie-file",
            "FILE",
            "A file with a `Cookie` header or a curl command, or `-`",
        ),
        Opt::value("token-file", "FILE", "A file with a token, or `-`"),
        Opt::value(
            "jwks",
            "FILE",
            "A file with the key set of the auth service (what /jwks answers)",
        ),
        Opt::value("url", "URL", "The URL of the auth service [default: BETTER_AUTH_URL]"),
        CONFIG,
        ENV_FILE,
        Opt::value(
            "path",
            "PATH",
            "The path that is requested [default: that of the request; else one that needs a session]",
        ),
        Opt::value(
            "at",
            "TIME",
            "Decide at this moment alone (RFC 3339) [default: now, and since when and until when]",
        ),
        Opt::value("why-not", "CAUSE", "Say why this cause is not among what is found"),
        Opt::value(
            "page",
            "FILE",
            "Write a page to this file that explains the same in a browser, offline, and nothing else",
        ),
    ],
    commands: &[],
    more: "\
Nothing is sent. The secret (BETTER_AUTH_SECRET of the environment or of a .env file) tells whether
a cookie is signed with it, or with a near miss of it; a key set tells whether a token is signed by
one of its keys. Values are never printed: copy the `Cookie` line of a request from the browser's
network panel, or the whole request \"as cURL\". The decision is that of the gate's own code.

Examples:
  doorward explain request.txt
  pbpaste | doorward explain -
  doorward explain --token-file token.txt --jwks jwks.json --env-file .env.production
  doorward explain - --path /admin --at 2026-11-30T14:00:00Z
  doorward explain --page explain.html       the same as a page; npx doorward makes it",
};

/// What the command line says.
pub(crate) struct Args {
    file: Option<String>,
    cookie_file: Option<String>,
    token_file: Option<String>,
    jwks: Option<String>,
    url: Option<String>,
    config: Option<String>,
    env_file: Vec<String>,
    path: Option<String>,
    at: Option<String>,
    why_not: Option<String>,
    page: Option<String>,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self {
            file: words.one("FILE"),
            cookie_file: words.one("cookie-file"),
            token_file: words.one("token-file"),
            jwks: words.one("jwks"),
            url: words.one("url"),
            config: words.one("config"),
            env_file: words.all("env-file"),
            path: words.one("path"),
            at: words.one("at"),
            why_not: words.one("why-not"),
            page: words.one("page"),
        }
    }
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    if let Some(file) = &args.page {
        return write_page(io, file).await;
    }
    let explained = match explained(io, &args).await {
        Ok(explained) => explained,
        Err((wrong, hint)) => {
            io.error(&wrong, Some(hint)).await;
            return ExitCode::Usage;
        }
    };
    let is_bad = explained.findings.iter().any(|own| own.certainty > Certainty::Hint);
    io.out(if output.json { explained.json() } else { explained.text(output) }).await;
    if is_bad { ExitCode::Bad } else { ExitCode::Good }
}

async fn write_page(io: &Io, file: &str) -> ExitCode {
    let EffectResult::Text { text } = io.perform(Effect::Page).await else {
        let hint = "npx doorward explain --page explain.html";
        io.error("the page is part of the npm package", Some(hint)).await;
        return ExitCode::Usage;
    };
    if let Err(message) = io.write(file, &text, false).await {
        io.error(&format!("{file} was not written: {message}"), None).await;
        return ExitCode::Unfinished;
    }
    io.err(format!("doorward: {file} is written; open it in a browser\n")).await;
    ExitCode::Good
}

type Wrong = (String, &'static str);

async fn explained(io: &Io, args: &Args) -> Result<Explained, Wrong> {
    let help = |wrong: String| (wrong, "doorward explain --help");
    let why_not = match args.why_not.as_deref().map(|id| (id, Cause::from_id(id))) {
        Some((id, None)) => {
            return Err((format!("there is no cause {id}"), "`doorward causes` lists them"));
        }
        Some((_, Some(cause))) => Some(cause),
        None => None,
    };
    let now = match args.at.as_deref() {
        Some(text) => time_text::millis(text)
            .ok_or_else(|| help("--at has the form 2026-11-30T14:00:00Z".to_owned()))?,
        None => io.now().await,
    };
    let request = pasted(io, args).await?;
    let plan = planned(io, args, &request).await.map_err(help)?;
    let facts = looked(io, args, &plan, &request, now).await.map_err(help)?;
    let mut findings = rules::findings(&facts, &plan);
    // Where nothing says what is expected, nothing differs from it.
    if plan.expected.service.is_none() && plan.expected.issuer.is_none() {
        findings.retain(|own| !ABOUT_EXPECTATIONS.contains(&own.cause));
    }
    let origin = plan.target.origin();
    let pasted = Pasted {
        request: &request,
        config: args.config.as_deref(),
        env_files: &args.env_file,
        jwks: args.jwks.as_deref(),
        origin: &origin,
    };
    let gate = gate_view::view(io, &pasted, now).await;
    // What the gate lets pass is as it expects; what else may be odd about it is a hint.
    if gate.as_ref().is_ok_and(|gate| gate.reason().is_none()) {
        let strong = findings.iter_mut().filter(|own| own.certainty == Certainty::Strong);
        strong.for_each(|own| own.certainty = Certainty::Hint);
    }
    let stretches = match &gate {
        Ok(gate) if args.at.is_none() => stretches(io, gate, &facts).await,
        _ => Vec::new(),
    };
    let vector = match &gate {
        Ok(gate) => vector::of(io, &plan, gate, now).await,
        Err(_) => None,
    };
    let why_not = why_not.map(|cause| (cause, self::why_not(cause, &findings, &plan)));
    let differences =
        facts.token.as_ref().map(|token| differences::of_token(token, &plan)).unwrap_or_default();
    Ok(Explained {
        request,
        plan,
        facts,
        findings,
        gate,
        stretches,
        differences,
        vector,
        why_not,
        now,
    })
}

/// What is decided before, between and after the dates of what was pasted.
async fn stretches(io: &Io, gate: &GateView, facts: &Facts) -> Vec<Stretch> {
    let dates = dates(facts);
    moments::stretches(&dates, async |moment| gate.reason_at(io, moment).await).await
}

/// What was pasted.
async fn pasted(io: &Io, args: &Args) -> Result<Paste, Wrong> {
    let help = |wrong: String| (wrong, "doorward explain --help");
    let mut request = match &args.file {
        Some(file) => {
            let text = cookie_file::text(io, file).await.map_err(help)?;
            Paste::read(&text).map_err(|wrong| help(format!("{file}: {wrong}")))?
        }
        None => Paste::default(),
    };
    if let Some(file) = &args.cookie_file {
        let own = Paste::of_cookies(cookie_file::read(io, file).await.map_err(help)?);
        (request.kind, request.headers) = (own.kind, [request.headers, own.headers].concat());
    }
    if let Some(file) = &args.token_file {
        let own = Paste::of_token(&cookie_file::read_token(io, file).await.map_err(help)?);
        (request.kind, request.headers) = (own.kind, [request.headers, own.headers].concat());
    }
    if request.kind.is_empty() {
        let hint = "`doorward explain -` reads standard input";
        return Err((
            "nothing to explain: give a FILE, --cookie-file or --token-file".into(),
            hint,
        ));
    }
    if let Some(path) = &args.path {
        request.target = Some(path.clone());
    }
    Ok(request)
}

async fn planned(io: &Io, args: &Args, request: &Paste) -> Result<Plan, String> {
    let options = Options {
        config: args.config.clone(),
        env_file: args.env_file.clone(),
        timeout: 5,
        ..Options::default()
    };
    // Names and issuer follow the service's URL; without one they are those of https.
    let unknown = "https://auth-service.invalid";
    let mut plan = plan(io, args.url.as_deref().unwrap_or(unknown), &options).await?;
    if args.url.is_none() {
        let of_request = || crate::url::Url::parse(request.origin.as_deref()?);
        let service = plan.expected.service.as_ref().map(|service| service.value.clone());
        if let Some(service) = service.or_else(of_request) {
            plan.page = service.with_path("/");
            plan.target = service;
        }
    }
    Ok(plan)
}

async fn looked(
    io: &Io,
    args: &Args,
    plan: &Plan,
    request: &Paste,
    now: i64,
) -> Result<Facts, String> {
    let mut run = Run::new(io, plan, false);
    if let Some(file) = &args.jwks {
        let text = io.read_text(file, MAX_KEYS_BYTES).await?;
        let text = text.ok_or_else(|| format!("{file} does not exist"))?;
        run.facts.keys.keys = probes::keys::of_text(&text);
        if run.facts.keys.keys.is_none() {
            return Err(format!("{file} is no key set"));
        }
    }
    probes::pasted::look(&mut run, request.joined("cookie").as_deref(), now);
    probes::token::pasted(&mut run, request.token().as_deref(), now).await;
    probes::oracle::describe(&mut run);
    Ok(run.facts)
}

/// The dates of all that was pasted.
fn dates(facts: &Facts) -> Vec<i64> {
    let data = facts.pasted.data.iter().flat_map(|data| data.dates.iter());
    let token = facts.token.iter().flat_map(|token| token.dates.iter());
    let mut dates: Vec<i64> = data.chain(token).copied().collect();
    order::sort(&mut dates);
    dates.dedup();
    dates
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

/// What there is to say of what was pasted.
struct Explained {
    request: Paste,
    plan: Plan,
    facts: Facts,
    findings: Vec<Finding>,
    gate: Result<GateView, String>,
    stretches: Vec<Stretch>,
    differences: Vec<Difference>,
    /// The same as a policy test.
    vector: Option<Value>,
    why_not: Option<(Cause, String)>,
    now: i64,
}

impl Explained {
    fn reason(&self) -> Option<Reason> {
        self.gate.as_ref().ok()?.reason()
    }

    /// The way through the gate; nothing where no gate starts.
    fn passages(&self) -> Vec<Passage> {
        let Ok(gate) = &self.gate else { return Vec::new() };
        let reason = gate.reason();
        let end = reason.map(way::place_of);
        way::passages(reason, |step| {
            let mut details = self.details(step, gate);
            if end == Some(step) {
                details.extend(reason.map(|reason| reason.sentence().to_owned()));
                details.extend(gate.findings());
            }
            details
        })
    }

    fn details(&self, step: &str, gate: &GateView) -> Vec<String> {
        match step {
            "request" => {
                let mut details = vec![format!("pasted: {}", self.request.kind)];
                if let Some(target) = &self.request.target {
                    let method = self.request.method.as_deref().unwrap_or("GET");
                    let path = target.split('?').next().unwrap_or_default();
                    details.push(format!("{method} {path}"));
                }
                details
            }
            "rule" => match (&gate.coverage, &gate.rule) {
                (None, _) => vec!["no path is known: one that needs a session".to_owned()],
                (Some(own), Some(rule)) => vec![format!("{}, by {rule}", own.access)],
                (Some(own), None) => vec![own.access.to_owned()],
            },
            "credential" => {
                layers(&self.facts).into_iter().map(|(name, is)| format!("{name}: {is}")).collect()
            }
            "signature" => gate.credential_lines(),
            "key" => self.facts.token.iter().filter_map(unverified).collect(),
            "claims" => self.differences.iter().map(Difference::words).collect(),
            _ => Vec::new(),
        }
    }

    fn verdict(&self) -> String {
        match &self.gate {
            Ok(gate) => gate.answer(),
            Err(why) => format!("not asked: {why}"),
        }
    }

    fn json(&self) -> String {
        let layers: Vec<_> = layers(&self.facts)
            .into_iter()
            .map(|(name, words)| json!({ "layer": name, "is": words }))
            .collect();
        let (causes, hints): (Vec<_>, Vec<_>) =
            self.findings.iter().partition(|finding| finding.certainty > Certainty::Hint);
        let listed = |all: Vec<_>| -> Vec<_> {
            all.into_iter().enumerate().map(|(at, one)| finding_json(one, at == 0)).collect()
        };
        let cookie_header = self.request.joined("cookie");
        let passages = self.passages();
        let has_token = self.request.token().is_some();
        let gate = match &self.gate {
            Ok(gate) => gate.json(),
            Err(why) => json!({ "unknown": why }),
        };
        let why_not = self.why_not.as_ref();
        let value = json!({
            "schema": "explain-1",
            "at": iso(self.now),
            "pasted": self.request.kind,
            "layers": layers,
            "causes": listed(causes),
            "hints": listed(hints),
            "gate": gate,
            "verdict": { "words": self.verdict(), "reason": self.reason().map(reason_json) },
            "way": passages.iter().map(Passage::json).collect::<Vec<_>>(),
            "times": moments::json(&self.stretches),
            "now": self.now,
            "cookies": cookie_header.as_deref().map(cookies::json),
            "differences": self.differences.iter().map(Difference::json).collect::<Vec<_>>(),
            "ticket": ticket::markdown(self.request.kind, &self.verdict(), &passages, cookie_header.as_deref(), &self.findings),
            "command": ticket::command(&self.plan, cookie_header.is_some(), has_token),
            "vector": self.vector,
            "why_not": why_not.map(|(cause, why)| json!({ "id": cause.id(), "why": why })),
        });
        format!("{value:#}\n")
    }

    fn text(&self, output: Output) -> String {
        let mut out = String::new();
        for (name, words) in layers(&self.facts) {
            out.push_str(&labelled(0, name, 15, &words));
        }
        match &self.gate {
            Ok(gate) => out.push_str(&gate.text()),
            Err(_) => {
                out.push_str(&format!("\n{}", labelled(0, "the gate", 15, &self.verdict())));
            }
        }
        if let Some(reason) = self.reason().filter(|reason| reason.status() != 503) {
            out.push_str(&labelled(
                2,
                "mend",
                13,
                &format!("{}: {}", who(reason), cures::of(reason)),
            ));
        }
        out.push_str(&self.times());
        let steps: Vec<String> = self
            .passages()
            .iter()
            .map(|own| format!("{} {}", own.state.mark(), own.name))
            .collect();
        if !steps.is_empty() {
            out.push_str(&labelled(2, "way", 13, &steps.join(" → ")));
        }
        for difference in &self.differences {
            out.push_str(&labelled(2, "differs", 13, &difference.words()));
        }
        if let Some((cause, why)) = &self.why_not {
            out.push_str(&format!("\nwhy not {}: {why}\n", cause.id()));
        }
        for finding in &self.findings {
            out.push('\n');
            out.push_str(&section_of(finding, &self.facts, "doorward explain …", output.colour));
        }
        if self.findings.is_empty() {
            out.push_str("\nnothing wrong is seen in what was pasted\n");
        }
        out
    }

    /// From when until when what is decided.
    fn times(&self) -> String {
        let mut out = String::new();
        for (number, own) in self.stretches.iter().enumerate().skip(1) {
            let word = own.reason.unwrap_or("passes");
            let label = if number == 1 { "times" } else { "" };
            out.push_str(&labelled(
                2,
                label,
                13,
                &format!("from {}: {word}", iso(own.from.unwrap_or(0))),
            ));
        }
        out
    }
}

fn reason_json(reason: Reason) -> Value {
    json!({
        "code": reason.code(),
        "status": reason.status(),
        "sentence": reason.sentence(),
        "who": who(reason),
        "cure": cures::of(reason),
        "doc": format!("docs/reasons.md#{}", reason.code()),
    })
}

/// Who can mend it.
const fn who(reason: Reason) -> &'static str {
    match reason.actor() {
        Actor::Client => "whoever sends the request",
        _ => "whoever runs the gate",
    }
}

/// Whose a token says it is. Nothing of it is verified.
fn unverified(token: &TokenFacts) -> Option<String> {
    let word = |text: &Option<String>| {
        text.as_deref().filter(|text| crate::answer::is_word(text)).unwrap_or("none").to_owned()
    };
    (token.not_a_jwt.is_none())
        .then(|| format!("unverified: alg {}, kid {}", word(&token.alg), word(&token.kid)))
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
