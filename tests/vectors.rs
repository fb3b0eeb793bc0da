//! Is each decision right? Every file of `tests/vectors/decisions/`; `tests/vectors/README.md`
//! describes the format.
//!
//! The vectors were made by second implementations, and their expectations were written by hand.
//! Here is what comes of each natively; `tests/vectors/compare.mjs`, which judges every host, says
//! whether that is right. `DOORWARD_VECTORS=<folder>` runs another folder.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use doorward::{
    Algorithm, Config, Decision, Effect, EffectResult, Engine, Finish, Forward, PendingEffect,
    Reason, Refusal, RequestHead, Served, SignatureRequest, UnixTime, conformance,
};
use serde_json::{Value, json};

/// From the folder in which cargo runs tests: the package's own, also where it was copied together
/// with what was built.
const OWN_FOLDER: &str = "tests/vectors/decisions";

/// Reasons that no request can yield here, each with why.
const BEYOND: [(Reason, &str); 4] = [
    (Reason::HeadMalformed, "a host's: the head that it promised never came to be one"),
    (Reason::NotStarted, "a host's: there is no engine"),
    (Reason::OriginUnreachable, "a host's: the request went on, and nobody was there"),
    (Reason::OriginTimedOut, "a host's: the request went on, and nothing came back"),
];

/// What comes of every case, a line each. Played once for all tests.
fn played() -> &'static str {
    static PLAYED: OnceLock<String> = OnceLock::new();
    PLAYED.get_or_init(|| {
        documents(&folder()).iter().map(|(file, document)| play(file, document)).collect()
    })
}

#[test]
fn every_decision_is_the_expected_one() {
    let (folder, played) = (folder(), played());
    let compare = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/compare.mjs");
    let mut comparator = Command::new("node")
        .arg(compare)
        .arg(&folder)
        .arg("native")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("node does not start, and one comparator judges every host: {error}")
        });
    // It says nothing before it has read everything.
    comparator
        .stdin
        .take()
        .map(|mut stdin| stdin.write_all(played.as_bytes()))
        .transpose()
        .unwrap_or_else(|error| panic!("{error}"));
    let judged = comparator.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    print!("{}", String::from_utf8_lossy(&judged.stdout));
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
}

/// Reasons without a line of the log: two that only say why a cookie cache does not count, and what
/// a host says by itself.
const NOT_LOGGED: [Reason; 4] =
    [Reason::HeadMalformed, Reason::NotStarted, Reason::SessionMismatch, Reason::SessionVersion];

/// Each sample on the page is a line that a vector (for the origin's failures, the gate) logs,
/// white space apart. With `DOORWARD_WRITE` a sample that is not is replaced by one that is: of the
/// reason's lines with the most members the shortest.
#[test]
fn the_sample_lines_on_the_page_of_reasons_are_real() {
    const PAGE: &str = "docs/reasons.md";
    if std::env::var_os("DOORWARD_VECTORS").is_some() {
        return;
    }
    let outcomes =
        played().lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_default());
    let mut logged: Vec<String> = outcomes
        .flat_map(|line| line["outcome"]["log"].as_array().cloned().unwrap_or_default())
        .filter_map(|line| Some(line.as_str()?.to_owned()))
        .collect();
    let issuer = json!({ "type": "jwt", "issuer": "https://issuer.example", "audience": "a", "jwks": { "keys": [] } });
    let rule = json!({ "path": "/**", "access": "required" });
    let policy = json!({ "config": { "issuers": [issuer], "rules": [rule] } });
    for reason in [Reason::OriginUnreachable, Reason::OriginTimedOut] {
        let head = RequestHead {
            method: "GET",
            target: "/app",
            headers: &[],
            public_origin: "https://app.example.com",
            client_address: None,
        };
        let answer = engine(&policy, "none").refuse(&head, reason);
        logged.extend(answer.log);
    }
    let parsed = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
    let logged: BTreeMap<String, Value> =
        logged.into_iter().map(|line| (line.clone(), parsed(&line))).collect();
    let page = std::fs::read_to_string(PAGE).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
    let mut written = String::new();
    for section in page.split_inclusive("\n### ") {
        let code = section.lines().next().unwrap_or_default();
        let Some(reason) = Reason::ALL.iter().find(|reason| reason.code() == code) else {
            written.push_str(section);
            continue;
        };
        let sample = section
            .split_once("\n```json\n")
            .and_then(|(before, rest)| Some((before, rest.split_once("```")?)));
        assert_eq!(sample.is_none(), NOT_LOGGED.contains(reason), "{code}");
        let Some((before, (sample, behind))) = sample else {
            written.push_str(section);
            continue;
        };
        let given = parsed(sample);
        if given["reason"] == code && logged.values().any(|line| *line == given) {
            written.push_str(section);
            continue;
        }
        assert!(
            std::env::var_os("DOORWARD_WRITE").is_some(),
            "{code}: {sample} is logged by no vector"
        );
        let of_reason = logged.iter().filter(|(_, members)| members["reason"] == code);
        let richness = |(line, members): &(&String, &Value)| {
            let (is_refusal, is_short) = (members["decision"] == "reject", usize::MAX - line.len());
            (is_refusal, line.matches("\":").count(), members["path"] != "/", is_short)
        };
        let (line, _) =
            of_reason.max_by_key(richness).unwrap_or_else(|| panic!("{code} is in no log"));
        written.push_str(&format!("{before}\n```json\n{}\n```{behind}", wrapped(line)));
    }
    if written != page {
        std::fs::write(PAGE, written).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
    }
}

/// A line of JSON in lines of at most 100 characters, broken after commas.
fn wrapped(line: &str) -> String {
    let mut lines = vec![String::new()];
    for part in line.split_inclusive(",\"") {
        let (part, next) = part.strip_suffix('"').map_or((part, ""), |part| (part, "\""));
        if lines.last().is_some_and(|last| last.len() + part.len() > 100) {
            let quote =
                lines.last_mut().and_then(String::pop).map(String::from).unwrap_or_default();
            lines.push(format!("  {quote}"));
        }
        if let Some(last) = lines.last_mut() {
            last.push_str(part);
            last.push_str(next);
        }
    }
    lines.join("\n")
}

/// A reason that only says why a cookie's `session_data` did not count is one that
/// `expect.session_data` names.
#[test]
fn every_reason_is_yielded_by_a_vector() {
    let documents = documents(Path::new(OWN_FOLDER));
    let expectations =
        documents.values().flat_map(|document| document["cases"].as_array().into_iter().flatten());
    let yielded: BTreeSet<&str> = expectations
        .flat_map(|case| {
            ["/expect/reject/reason", "/expect/redirect/reason", "/expect/session_data"]
                .map(|place| case.pointer(place))
        })
        .filter_map(|reason| reason.and_then(Value::as_str))
        .collect();
    for reason in Reason::ALL {
        let beyond = BEYOND.iter().any(|(beyond, _)| beyond == reason);
        assert_eq!(
            yielded.contains(reason.code()),
            !beyond,
            "{} is yielded by no vector, or is now by one",
            reason.code()
        );
    }
}

fn folder() -> PathBuf {
    std::env::var_os("DOORWARD_VECTORS").map_or_else(|| PathBuf::from(OWN_FOLDER), PathBuf::from)
}

/// The files of a folder by name.
fn documents(folder: &Path) -> BTreeMap<String, Value> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"));
    files
        .map(|path| {
            let name = path.display().to_string();
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            let document =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (path.file_name().map_or(name, |name| name.to_string_lossy().into_owned()), document)
        })
        .collect()
}

/// Plays the cases of a file in order: for each, a line that says what came of it.
fn play(file: &str, document: &Value) -> String {
    let mut engines: Vec<Engine> = Vec::new();
    let mut engine_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut lines = String::new();
    for (place, case) in document["cases"].as_array().into_iter().flatten().enumerate() {
        let name = text(case, "name").to_owned();
        let number = match case["after"].as_str() {
            Some(earlier) => *engine_of
                .get(earlier)
                .unwrap_or_else(|| panic!("{name}: there is no earlier case {earlier:?}")),
            None => {
                engines.push(engine(&document["policies"][text(case, "policy")], &name));
                engines.len() - 1
            }
        };
        engine_of.insert(name, number);
        let outcome = play_case(&mut engines[number], case);
        lines.push_str(&json!({ "file": file, "number": place, "outcome": outcome }).to_string());
        lines.push('\n');
    }
    lines
}

fn engine(policy: &Value, name: &str) -> Engine {
    let config = Config::parse(&policy["config"].to_string())
        .unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    let values = policy["env"].as_object().into_iter().flatten();
    let values = values
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let stores = policy["stores"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    let host = doorward_native::capabilities()
        .and_signing([Algorithm::ES256, Algorithm::EdDSA])
        .and_stores(stores)
        .and_sharing();
    let policy =
        config.compile(&values, &host).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    Engine::new(policy, 1)
}

fn play_case(engine: &mut Engine, case: &Value) -> Value {
    let request = &case["request"];
    let headers: Vec<(&str, &str)> = pairs(&request["headers"]);
    let head = RequestHead {
        method: text(request, "method"),
        target: text(request, "target"),
        headers: &headers,
        public_origin: text(request, "public_origin"),
        client_address: request["client_address"].as_str(),
    };
    let mut host = Host {
        now: UnixTime::from_millis(
            case["now_ms"].as_i64().unwrap_or_else(|| panic!("{} has no now_ms", case["name"])),
        ),
        replies: case["replies"]
            .as_array()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .collect(),
        asks: Vec::new(),
    };
    let session_data = conformance::session_data(engine, &head, host.now);

    let mut decision = engine.decide(&head, host.now);
    while let Decision::Perform(pending) = decision {
        let result = host.perform(&pending);
        decision = result.with(|result| engine.resume(&head, pending, result, host.now));
    }
    let asks = std::mem::take(&mut host.asks);
    let (after, alongside) = match &mut decision {
        Decision::Forward(forward) => (forward.after.take(), forward.alongside.take()),
        _ => (None, None),
    };
    let mut finished = Finish::default();
    if let Some(pending) = alongside {
        let result = host.perform(&pending);
        let lines = case["origin_set_cookies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>();
        finished = result.with(|result| engine.finish(pending, result, &lines, host.now));
    }
    let alongside = std::mem::take(&mut host.asks);
    if let Some(pending) = after {
        let result = host.perform(&pending);
        result.with(|result| engine.receive(pending, result, host.now));
    }

    let unused: Vec<usize> = host.replies.iter().map(|(number, _)| *number).collect();
    let log: Vec<&str> = log_of(&decision).into_iter().chain(finished.log.as_deref()).collect();
    let mut outcome = outcome(&decision);
    outcome["log"] = json!(log);
    outcome["asks"] = json!(asks);
    outcome["after"] = json!(host.asks);
    outcome["alongside"] = json!(alongside);
    outcome["renewed"] = json!(finished.headers);
    outcome["session_data"] = json!(session_data);
    outcome["unused"] = json!(unused);
    outcome["problems"] = json!([]);
    outcome
}

/// Carries effects by the script; what it does not mention fails, except for signatures, which are
/// checked for real.
struct Host {
    now: UnixTime,
    /// Each with its number.
    replies: Vec<(usize, Value)>,
    asks: Vec<&'static str>,
}

/// A reply that owns what it brings.
enum Brought {
    Scripted(Value),
    Real(EffectResult<'static>),
    Signed(Vec<u8>),
}

/// ES256 and EdDSA by crates, in place of a platform that has them.
fn sign(request: &SignatureRequest) -> Vec<u8> {
    let jwk: Value = serde_json::from_str(&request.key).unwrap_or_else(|error| panic!("{error}"));
    let private = base64url(text(&jwk, "d")).unwrap_or_default();
    if request.algorithm == Algorithm::EdDSA {
        let key = ed25519_dalek::SigningKey::try_from(private.as_slice())
            .unwrap_or_else(|_| panic!("{} is no key", request.kid));
        return ed25519_dalek::Signer::sign(&key, &request.input).to_vec();
    }
    assert_eq!(request.algorithm, Algorithm::ES256);
    let key = p256::ecdsa::SigningKey::from_slice(&private)
        .unwrap_or_else(|_| panic!("{} is no key", request.kid));
    let signature: p256::ecdsa::Signature =
        p256::ecdsa::signature::Signer::sign(&key, &request.input);
    signature.to_bytes().to_vec()
}

impl Host {
    fn perform(&mut self, pending: &PendingEffect) -> Brought {
        let (purpose, url) = match pending.effect() {
            Effect::Fetch(fetch) => (fetch.purpose, Some(fetch.url.as_str())),
            Effect::Check(_) => ("check", None),
            Effect::Sign(_) => ("sign", None),
            Effect::Read(read) => ("read", Some(read.key.as_str())),
            Effect::Wait { millis } => {
                self.now = self.now.plus_millis(i64::from(*millis));
                return Brought::Real(EffectResult::Waited);
            }
        };
        self.asks.push(purpose);
        let sent = cookies_of(pending.effect());
        // A copy where none will do would not have been looked for.
        let may_be_copied =
            matches!(pending.effect(), Effect::Fetch(fetch) if fetch.copy.is_some());
        let suits = |(_, result): &(usize, Value)| {
            let place = if purpose == "read" { &result["key"] } else { &result["url"] };
            let is_for_it = result["to"] == purpose && (place.is_null() || place.as_str() == url);
            let has_cookies = result["cookies"].is_null() || result["cookies"] == json!(sent);
            is_for_it && has_cookies && (may_be_copied || !result["copied"].is_string())
        };
        match (self.replies.iter().position(suits), pending.effect()) {
            (Some(place), _) => {
                let (_, result) = self.replies.remove(place);
                self.now = self.now.plus_millis(result["takes_ms"].as_i64().unwrap_or(0));
                if result["real"] == true { Self::done(pending) } else { Brought::Scripted(result) }
            }
            (None, _) => Self::done(pending),
        }
    }

    fn done(pending: &PendingEffect) -> Brought {
        match pending.effect() {
            Effect::Check(check) => Brought::Real(doorward_native::check(check)),
            Effect::Sign(request) => Brought::Signed(sign(request)),
            _ => Brought::Real(EffectResult::Failed),
        }
    }
}

/// Names of the cookies that an effect sends, in order.
fn cookies_of(work: &Effect) -> Vec<&str> {
    let Effect::Fetch(fetch) = work else { return Vec::new() };
    let lines = fetch.headers.iter().filter(|(name, _)| name == "cookie");
    lines
        .flat_map(|(_, line)| line.split("; "))
        .filter_map(|pair| Some(pair.split_once('=')?.0))
        .collect()
}

impl Brought {
    fn with<T>(self, take: impl FnOnce(EffectResult<'_>) -> T) -> T {
        match self {
            Self::Real(result) => take(result),
            Self::Signed(signature) => take(EffectResult::Signed(&signature)),
            Self::Scripted(result) if result["failed"] == true => take(EffectResult::Failed),
            Self::Scripted(result) if result["copied"].is_string() => {
                take(EffectResult::Copied(text(&result, "copied").as_bytes()))
            }
            Self::Scripted(result) if result["too_large"] == true => take(EffectResult::TooLarge),
            Self::Scripted(result) if result["headers_too_large"] == true => {
                take(EffectResult::HeadTooLarge)
            }
            Self::Scripted(result) if result["absent"] == true => take(EffectResult::Absent),
            Self::Scripted(result) if result["found"].is_string() => {
                take(EffectResult::Found(text(&result, "found").as_bytes()))
            }
            Self::Scripted(result) if result["unsupported"] == true => {
                take(EffectResult::Unsupported)
            }
            Self::Scripted(result) => {
                let status =
                    result["status"].as_u64().and_then(|status| u16::try_from(status).ok());
                let status =
                    status.unwrap_or_else(|| panic!("a scripted reply has no status: {result}"));
                let body = result["body"].as_str().unwrap_or_default().as_bytes();
                take(EffectResult::Answered { status, headers: &pairs(&result["headers"]), body })
            }
        }
    }
}

/// What a decision is, without what it carries effects for.
fn outcome(decision: &Decision) -> Value {
    let answered = |kind: &str, answer: &Refusal| {
        let Refusal { reason, status, headers, body, .. } = answer;
        let answer = json!({ "status": status, "headers": headers, "body": body });
        json!({ "decision": kind, "reason": reason.code(), "forward": null, "answer": answer })
    };
    match decision {
        Decision::Forward(Forward {
            target,
            upstream,
            remove,
            set,
            response_headers,
            connection,
            ..
        }) => {
            let set: Vec<(&str, &str)> = set.iter().collect();
            let forward = json!({
                "target": target, "upstream": upstream, "removed": remove, "set": set, "response_headers": response_headers,
                "until": connection.until.map(UnixTime::as_millis),
            });
            json!({ "decision": "forward", "reason": null, "forward": forward, "answer": null })
        }
        Decision::Redirect(answer) => answered("redirect", answer),
        Decision::Reject(answer) => answered("reject", answer),
        Decision::Respond(Served { status, headers, body }) => {
            let answer = json!({ "status": status, "headers": headers, "body": body });
            json!({ "decision": "respond", "reason": null, "forward": null, "answer": answer })
        }
        Decision::Perform(_) => json!({ "decision": null }),
    }
}

fn log_of(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Forward(forward) => forward.log.as_deref(),
        Decision::Redirect(answer) | Decision::Reject(answer) => answer.log.as_deref(),
        _ => None,
    }
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).ok()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is missing in {value}"))
}

fn pairs(list: &Value) -> Vec<(&str, &str)> {
    list.as_array().into_iter().flatten().map(pair).collect()
}

fn pair(pair: &Value) -> (&str, &str) {
    match (pair[0].as_str(), pair[1].as_str()) {
        (Some(name), Some(value)) => (name, value),
        _ => panic!("{pair} is no pair of a name and a value"),
    }
}
