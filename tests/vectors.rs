//! Is each decision right? Every file of `tests/vectors/decisions/`; `tests/vectors/README.md`
//! describes the format.
//!
//! The vectors were made by second implementations, and their expectations were written by hand.
//! Here is what comes of each natively; `tests/vectors/compare.mjs`, which judges every host, says
//! whether that is right. `DOORWARD_VECTORS=<folder>` runs another folder.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorward::SignatureScheme::{Ecdsa, EdDsa};
use doorward::{
    Config, Effect, Engine, Fetch, Forward, HashFunction, Reason, Refusal, RequestHead, Served,
    SignatureRequest, UnixTime, conformance, refuse_without_engine,
};
use doorward_host::{
    Failure, FinalDecision, Host, LendHead as _, OwnedHead, OwnedResult, Response, alongside,
    decide, finish, receive,
};
use serde_json::{Value, json};

/// From the folder in which cargo runs tests: the package's own, also where it was copied together
/// with what was built.
const OWN_FOLDER: &str = "tests/vectors/decisions";

/// Reasons that no request can yield here, each with why.
const BEYOND: [(Reason, &str); 4] = [
    (Reason::HeadMalformed, "a host's: the head that it promised never came to be one"),
    (Reason::NotStarted, "a host's: there is no engine"),
    (Reason::OriginUnreachable, "a host's: the request went on, and nothing answered"),
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

/// Each sample on the page is a line that a vector (for the origin's failures, the gate) logs,
/// white space apart. With `DOORWARD_WRITE` a sample that is not is replaced by one that is: of the
/// reason's lines with the most members the shortest.
#[test]
fn the_sample_lines_on_the_page_of_reasons_are_real() {
    const PAGE: &str = "docs/reasons.md";
    const SAMPLE: &str = "\n```json\n{\"";
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
        let answer =
            engine(&policy, "none").refuse(&head, reason, UnixTime::from_millis(1_800_000_000_000));
        logged.extend(answer.log);
    }
    for reason in [Reason::HeadMalformed, Reason::NotStarted] {
        let head = RequestHead {
            method: "GET",
            target: "/app",
            headers: &[],
            public_origin: "https://app.example.com",
            client_address: None,
        };
        let now = UnixTime::from_millis(1_800_000_000_000);
        logged.extend(refuse_without_engine(reason, &head, now).log);
    }
    let parsed = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
    let logged: BTreeMap<String, Value> =
        logged.into_iter().map(|line| (line.clone(), parsed(&line))).collect();
    let page = std::fs::read_to_string(PAGE).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
    let mut written = String::new();
    for section in page.split_inclusive("\n### ") {
        let code = section.lines().next().unwrap_or_default();
        if !Reason::ALL.iter().any(|reason| reason.code() == code) {
            written.push_str(section);
            continue;
        }
        // Other blocks of JSON are configurations.
        let sample =
            section.find(SAMPLE).map(|at| section.split_at(at)).and_then(|(before, rest)| {
                Some((before, rest.strip_prefix("\n```json\n")?.split_once("```")?))
            });
        let (before, (sample, behind)) =
            sample.unwrap_or_else(|| panic!("{code} has no sample of the log"));
        let given = parsed(sample);
        // Two only say why a cookie cache does not count.
        let is_about = |members: &Value| {
            [&members["reason"], &members["session_data"]].contains(&&json!(code))
        };
        if is_about(&given) && logged.values().any(|line| *line == given) {
            written.push_str(section);
            continue;
        }
        assert!(
            std::env::var_os("DOORWARD_WRITE").is_some(),
            "{code}: {sample} is logged by no vector"
        );
        let of_reason = logged.iter().filter(|(_, members)| is_about(members));
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

/// `docs/reference/log.md` has every member that the vectors log, and no other.
#[test]
fn the_page_on_the_log_has_every_member_that_is_logged() {
    if std::env::var_os("DOORWARD_VECTORS").is_some() {
        return;
    }
    let page = include_str!("../docs/reference/log.md");
    let about_requests = page.split("\n## Members of other lines").next().unwrap_or_default();
    let tables = about_requests.split("\n## ").skip(2).flat_map(str::lines);
    let cells =
        tables.filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let near = ["secure-prefix", "prefix", "name", "case", "repeated", "chunk-missing"];
    let near = near.into_iter().chain(["empty", "unsigned", "cut", "encoded-twice"]);
    let values: BTreeSet<&str> = near.collect();
    let documented: BTreeSet<&str> = cells
        .flat_map(|cell| cell.split(", "))
        .map(|name| name.trim().trim_matches('`'))
        .filter(|name| !values.contains(name))
        .collect();
    let mut logged: BTreeSet<String> = BTreeSet::from(["duration_us".to_owned()]);
    for line in played().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        for line in line["outcome"]["log"].as_array().into_iter().flatten() {
            let line: Value =
                serde_json::from_str(line.as_str().unwrap_or_default()).unwrap_or_default();
            logged.extend(line.as_object().into_iter().flat_map(|members| members.keys().cloned()));
        }
    }
    assert_eq!(logged.iter().map(String::as_str).collect::<BTreeSet<_>>(), documented);
}

/// No secret of a case is in what is told about it: its variables, its cookies and tokens, what the
/// auth service answers of tokens and addresses. As it stands, percent-encoded, and in base64 at any
/// place of a longer text.
#[test]
fn nothing_that_is_told_has_a_secret_in_it() {
    let documents = documents(&folder());
    let (mut searched, mut cases, mut leaks) = (0, 0, Vec::new());
    for line in played().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        let (file, number) = (line["file"].as_str().unwrap_or_default(), &line["number"]);
        let number = usize::try_from(number.as_u64().unwrap_or_default()).unwrap_or_default();
        let secrets = secrets_of(&documents[file], &documents[file]["cases"][number]);
        let told = told_in(&line["outcome"]);
        leaks.extend(
            leaked(&secrets, &told).map(|secret| format!("{file} {number}: {secret}: {told}")),
        );
        searched += secrets.len();
        cases += 1;
    }
    println!("{searched} secrets of {cases} cases are not in what is told");
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    assert!(std::env::var_os("DOORWARD_VECTORS").is_some() || searched > 5000, "{searched}");

    let secret = "Kd83hFq0ZxVwNw2RtYb7+/x@example.com".to_owned();
    let planted = |text: String| leaked(std::slice::from_ref(&secret), &text).count();
    for (text, found) in [
        (format!("a {secret} b"), 1),
        (percent(&secret), 1),
        (STANDARD.encode(format!("x{secret}yy")), 1),
        (STANDARD.encode(format!("xx{secret}")), 1),
        (URL_SAFE_NO_PAD.encode(format!("xxx{secret}z")), 1),
        ("nothing of it".to_owned(), 0),
    ] {
        assert_eq!(planted(text.clone()), found, "{text}");
    }
}

/// All that a host says and shows of a refusal: the log, the body, and the headers but for cookies,
/// which are the client's own.
fn told_in(outcome: &Value) -> String {
    let mut told: Vec<String> = texts_in(&outcome["log"]);
    told.push(outcome["answer"]["body"].as_str().unwrap_or_default().to_owned());
    for pair in outcome["answer"]["headers"].as_array().into_iter().flatten() {
        if pair[0] != "set-cookie" {
            told.extend(pair[1].as_str().map(str::to_owned));
        }
    }
    told.join("\n")
}

/// Every text of a case that nobody but its owner may read.
fn secrets_of(document: &Value, case: &Value) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    let policy = &document["policies"][case["policy"].as_str().unwrap_or_default()];
    for (name, value) in policy["env"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if !["SECRET", "KEY", "TOKEN"].iter().any(|word| name.contains(word)) {
            continue;
        }
        // Of a key the rest is public.
        let key: Value = serde_json::from_str(value).unwrap_or_default();
        match key.get("d").and_then(Value::as_str) {
            Some(private) => _ = secrets.insert(private.to_owned()),
            None => secrets.extend(value.split([',', ':', '"']).map(str::to_owned)),
        }
    }
    let mut pieces = Vec::new();
    for pair in case["request"]["headers"].as_array().into_iter().flatten() {
        let (name, value) =
            (pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default());
        match name.to_ascii_lowercase().as_str() {
            "cookie" => pieces.extend(
                value
                    .split(';')
                    .filter_map(|one| one.split_once('='))
                    .map(|(_, value)| value.to_owned()),
            ),
            "authorization" => {
                pieces.extend(value.split_once(' ').map(|(_, value)| value.to_owned()))
            }
            _ => {}
        }
    }
    for reply in case["results"].as_array().into_iter().flatten() {
        let body = reply["body"].as_str().unwrap_or_default();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        for place in ["/token", "/session/token"] {
            pieces.extend(body.pointer(place).and_then(Value::as_str).map(str::to_owned));
        }
        secrets.extend(texts_in(&body).iter().flat_map(|text| addresses_in(text)));
    }
    for piece in pieces {
        for part in piece.split(['.', ',', '=', ' ', '%']) {
            let decoded = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
            secrets.extend(addresses_in(&String::from_utf8_lossy(&decoded)));
            secrets.insert(part.to_owned());
        }
        secrets.insert(piece);
    }
    // What is short says nothing, and names of cookies are told.
    secrets.retain(|secret| {
        (secret.len() >= 16 || secret.contains('@')) && !secret.starts_with("__Secure-")
    });
    secrets
}

/// All texts of a value, those of lists and objects included.
fn texts_in(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts_in).collect(),
        Value::Object(members) => members.values().flat_map(texts_in).collect(),
        _ => Vec::new(),
    }
}

/// What looks like an e-mail address.
fn addresses_in(text: &str) -> Vec<String> {
    let words =
        text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "@.+-_".contains(letter)));
    words.filter(|word| word.len() > 4 && word.contains('@')).map(str::to_owned).collect()
}

/// Those of the secrets that are in a text.
fn leaked<'s>(
    secrets: impl IntoIterator<Item = &'s String>,
    text: &str,
) -> impl Iterator<Item = &'s String> {
    secrets.into_iter().filter(move |secret| spellings(secret).iter().any(|one| text.contains(one)))
}

fn spellings(secret: &str) -> Vec<String> {
    let mut spellings = vec![secret.to_owned(), percent(secret)];
    // In base64 a text looks different at each of three places; its edges depend on what is beside.
    for before in 0..3 {
        let padded = [&"\0".repeat(before), secret].concat();
        for encoded in [STANDARD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let whole = padded.len() / 3 * 4;
            let start = if before == 0 { 0 } else { 4 };
            spellings.extend(encoded.get(start..whole).map(str::to_owned));
        }
    }
    spellings.retain(|spelling| spelling.len() >= 8);
    spellings
}

fn percent(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes()
        .map(
            |byte| {
                if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
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

/// Of each case one decision is counted, under the reason that its vector expects; and a lookup
/// that it expects is counted as an effect.
#[test]
fn every_case_is_counted_once_under_its_reason() {
    if std::env::var_os("DOORWARD_VECTORS").is_some() {
        return;
    }
    let documents = documents(Path::new(OWN_FOLDER));
    let (mut cases, mut reasons) = (0, BTreeSet::new());
    for line in played().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        let number = line["number"].as_u64().and_then(|number| usize::try_from(number).ok());
        let case = &documents[text(&line, "file")]["cases"][number.unwrap_or(usize::MAX)];
        let (name, expect) = (text(case, "name"), &case["expect"]);
        let kinds = ["forward", "redirect", "reject", "respond"];
        let kind = kinds.into_iter().find(|kind| expect[kind].is_object()).unwrap_or_default();
        let code = expect[kind]["reason"].as_str();
        let reason = Reason::ALL.iter().find(|reason| Some(reason.code()) == code);
        let outcome = match kind {
            _ if reason.is_some_and(|reason| reason.status() == 503) => "unavailable",
            "reject" => "refuse",
            "respond" => "serve",
            kind => kind,
        };
        let counted = |family: &str| {
            let all = line["outcome"]["counted"].as_array().into_iter().flatten();
            all.filter(|one| one["name"] == family).cloned().collect::<Vec<Value>>()
        };
        let decisions = counted("doorward_decisions_total");
        assert_eq!(decisions.len(), 1, "{name}: {decisions:?}");
        assert_eq!(decisions[0]["value"], json!(1.0), "{name}");
        let labels = &decisions[0]["labels"];
        assert_eq!(labels["outcome"], outcome, "{name}: {labels}");
        // Of a forward the log says in spite of which reason, and why.
        let log = line["outcome"]["log"][0].as_str().unwrap_or("{}");
        let log: Value = serde_json::from_str(log).unwrap_or_default();
        let is_forward = kind == "forward" && log["reason"].is_string();
        let said = log["reason"].as_str().filter(|_| is_forward);
        assert_eq!(labels["reason"].as_str(), code.or(said), "{name}: {labels}");
        let mode = if is_forward { &log["decision"] } else { &json!("enforce") };
        assert_eq!(labels["mode"], *mode, "{name}: {labels}");
        assert_eq!(
            counted("doorward_would_refuse_total").len(),
            usize::from(labels["mode"] == "report"),
            "{name}"
        );
        let is_loop = code == Some("redirect_loop");
        assert_eq!(counted("doorward_loops_total").len(), usize::from(is_loop), "{name}");
        let is_path = code == Some("path_refused");
        assert_eq!(counted("doorward_paths_refused_total").len(), usize::from(is_path), "{name}");
        let performed: f64 = counted("doorward_effects_total")
            .iter()
            .filter(|one| one["labels"]["outcome"] != "limit")
            .filter_map(|one| one["value"].as_f64())
            .sum();
        let asked = ["effects", "after", "alongside"]
            .map(|when| line["outcome"][when].as_array().map_or(0, Vec::len));
        assert_eq!(
            performed,
            asked.iter().map(|count| f64::from(u32::try_from(*count).unwrap_or(0))).sum::<f64>(),
            "{name}"
        );
        reasons.extend(code.map(str::to_owned));
        cases += 1;
    }
    println!("{cases} cases, {} reasons", reasons.len());
    assert!(cases > 1000 && reasons.len() > 35, "{cases} cases, {} reasons", reasons.len());
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
        .and_signing(|scheme| matches!(scheme, EdDsa { .. } | Ecdsa { curve: "P-256", .. }))
        .and_stores(stores)
        .and_sharing()
        .and_measuring()
        .and_fetching_pages();
    let policy =
        config.compile(&values, &host).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    Engine::new(policy, 1)
}

fn play_case(engine: &mut Engine, case: &Value) -> Value {
    let request = &case["request"];
    let head = OwnedHead {
        method: text(request, "method").to_owned(),
        target: text(request, "target").to_owned(),
        headers: pairs(&request["headers"]),
        public_origin: text(request, "public_origin").to_owned(),
        client_address: request["client_address"].as_str().map(str::to_owned),
    };
    let now = case["now_ms"].as_i64().unwrap_or_else(|| panic!("{} has no now_ms", case["name"]));
    let now = UnixTime::from_millis(now);
    let session_data = head.lend(|head| conformance::session_data(engine, head, now));
    let results = case["results"].as_array().cloned().unwrap_or_default();
    let host = Script {
        engine: RefCell::new(engine),
        now: Cell::new(now),
        results: RefCell::new(results.into_iter().enumerate().collect()),
        effects: RefCell::default(),
        log: RefCell::default(),
    };

    let mut decision = at_once(decide(&host, &head));
    let effects = host.effects.take();
    let (later, meanwhile) = match &mut decision {
        FinalDecision::Forward(forward) => (forward.after.take(), forward.alongside.take()),
        _ => (None, None),
    };
    let origin = async { Ok::<_, Infallible>(()) };
    let ((), performed) = match at_once(alongside(&host, meanwhile, origin)) {
        Ok(both) => both,
        Err(never) => match never {},
    };
    let lines = case["origin_set_cookies"].as_array().into_iter().flatten();
    let lines: Vec<&str> = lines.filter_map(Value::as_str).collect();
    let finished = finish(&host, performed, &lines);
    let alongside = host.effects.take();
    if let Some(pending) = later {
        at_once(receive(&host, pending));
    }

    let results = host.results.borrow();
    let unused: Vec<usize> = results.iter().map(|(number, _)| *number).collect();
    let mut outcome = outcome(&decision);
    outcome["log"] = json!(host.log.take());
    outcome["effects"] = json!(effects);
    outcome["after"] = json!(host.effects.take());
    outcome["alongside"] = json!(alongside);
    outcome["renewed"] = json!(finished.headers);
    outcome["session_data"] = json!(session_data);
    drop(results);
    let now = host.now.get();
    let measured = host.engine.borrow_mut().measurements("vectors", now);
    let measured = measured.into_iter().filter(|one| !one.is_gauge).map(|one| {
        let applies = |(_, value): &(&str, String)| !value.is_empty();
        let labels: BTreeMap<_, _> = one.labels.into_iter().filter(applies).collect();
        json!({ "name": one.name, "labels": labels, "value": one.value })
    });
    outcome["counted"] = measured.collect();
    outcome["unused"] = json!(unused);
    outcome["problems"] = json!([]);
    outcome
}

/// What comes of work that waits for nothing: here all time is the script's.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the host kit waits for something that no script brings"),
    }
}

/// Performs effects by the script; what it does not mention fails, except for signatures, which are
/// checked for real.
struct Script<'a> {
    engine: RefCell<&'a mut Engine>,
    now: Cell<UnixTime>,
    /// Each with its number.
    results: RefCell<Vec<(usize, Value)>>,
    effects: RefCell<Vec<&'static str>>,
    log: RefCell<Vec<String>>,
}

impl Host for Script<'_> {
    fn with_engine<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        Some(work(&mut self.engine.borrow_mut()))
    }

    fn now(&self) -> UnixTime {
        self.now.get()
    }

    async fn sleep(&self, millis: u32) {
        self.pass(millis.into());
    }

    async fn fetch(&self, _: &Fetch) -> Result<Response, Failure> {
        Err(Failure::Failed)
    }

    fn log(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }

    async fn perform(&self, effect: &Effect) -> OwnedResult {
        let (purpose, url) = match effect {
            Effect::Fetch(fetch) => (fetch.purpose, Some(fetch.url.as_str())),
            Effect::Check(_) => ("check", None),
            Effect::Sign(_) => ("sign", None),
            Effect::Read(read) => ("read", Some(read.key.as_str())),
            Effect::Wait { .. } => return doorward_host::perform(self, effect).await,
        };
        self.effects.borrow_mut().push(purpose);
        let sent = cookies_of(effect);
        // A copy where none will do would not have been looked for.
        let may_be_copied = matches!(effect, Effect::Fetch(fetch) if fetch.copy.is_some());
        let suits = |(_, result): &(usize, Value)| {
            let place = if purpose == "read" { &result["key"] } else { &result["url"] };
            let is_for_it = result["of"] == purpose && (place.is_null() || place.as_str() == url);
            let has_cookies = result["cookies"].is_null() || result["cookies"] == json!(sent);
            is_for_it && has_cookies && (may_be_copied || !result["copied"].is_string())
        };
        let place = self.results.borrow().iter().position(suits);
        let Some(place) = place else { return real(effect) };
        let (_, result) = self.results.borrow_mut().remove(place);
        self.pass(result["takes_ms"].as_i64().unwrap_or(0));
        if result["real"] == true { real(effect) } else { scripted(&result) }
    }
}

impl Script<'_> {
    fn pass(&self, millis: i64) {
        self.now.set(self.now.get().plus_millis(millis));
    }
}

fn real(effect: &Effect) -> OwnedResult {
    let performed = match effect {
        Effect::Check(check) => doorward_native::check_signature(check).map(OwnedResult::Checked),
        Effect::Sign(request) => Ok(OwnedResult::Signed(sign(request))),
        _ => Err(Failure::Failed),
    };
    performed.unwrap_or_else(OwnedResult::Missing)
}

fn scripted(result: &Value) -> OwnedResult {
    let is = |name: &str| result[name] == true;
    let bytes = |name: &str| result[name].as_str().map(|text| text.as_bytes().to_vec());
    match (bytes("copied"), bytes("found")) {
        _ if is("failed") => Failure::Failed.into(),
        (Some(copy), _) => OwnedResult::Copied(copy),
        _ if is("too_large") => Failure::TooLarge.into(),
        _ if is("headers_too_large") => Failure::HeadTooLarge.into(),
        _ if is("absent") => OwnedResult::Absent,
        (_, Some(value)) => OwnedResult::Found(value),
        _ if is("unsupported") => Failure::Unsupported.into(),
        _ => {
            let status = result["status"].as_u64().and_then(|status| u16::try_from(status).ok());
            let status =
                status.unwrap_or_else(|| panic!("a scripted reply has no status: {result}"));
            let headers = pairs(&result["headers"]);
            let body = bytes("body").unwrap_or_default();
            OwnedResult::Answered(Response { status, headers, body })
        }
    }
}

/// ES256 and EdDSA by crates, in place of a platform that has them.
fn sign(request: &SignatureRequest) -> Vec<u8> {
    let jwk: Value = serde_json::from_str(&request.key).unwrap_or_else(|error| panic!("{error}"));
    let private = base64url(text(&jwk, "d")).unwrap_or_default();
    if matches!(request.scheme, EdDsa { .. }) {
        let key = ed25519_dalek::SigningKey::try_from(private.as_slice())
            .unwrap_or_else(|_| panic!("{} is no key", request.kid));
        return ed25519_dalek::Signer::sign(&key, &request.input).to_vec();
    }
    assert_eq!(request.scheme, Ecdsa { curve: "P-256", hash: HashFunction::Sha256 });
    let key = p256::ecdsa::SigningKey::from_slice(&private)
        .unwrap_or_else(|_| panic!("{} is no key", request.kid));
    let signature: p256::ecdsa::Signature =
        p256::ecdsa::signature::Signer::sign(&key, &request.input);
    signature.to_bytes().to_vec()
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

/// What a decision is, without what it carries effects for.
fn outcome(decision: &FinalDecision) -> Value {
    let answered = |kind: &str, answer: &Refusal| {
        let Refusal { reason, status, headers, body, .. } = answer;
        let answer = json!({ "status": status, "headers": headers, "body": body });
        json!({ "decision": kind, "reason": reason.code(), "forward": null, "answer": answer })
    };
    match decision {
        FinalDecision::Forward(Forward {
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
        FinalDecision::Redirect(answer) => answered("redirect", answer),
        FinalDecision::Reject(answer) => answered("reject", answer),
        FinalDecision::Respond(Served { status, headers, body }) => {
            let answer = json!({ "status": status, "headers": headers, "body": body });
            json!({ "decision": "respond", "reason": null, "forward": null, "answer": answer })
        }
    }
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).ok()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is missing in {value}"))
}

fn pairs(list: &Value) -> Vec<(String, String)> {
    list.as_array().into_iter().flatten().map(pair).collect()
}

fn pair(pair: &Value) -> (String, String) {
    match (pair[0].as_str(), pair[1].as_str()) {
        (Some(name), Some(value)) => (name.to_owned(), value.to_owned()),
        _ => panic!("{pair} is no pair of a name and a value"),
    }
}
