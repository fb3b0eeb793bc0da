//! Is each decision right? Every file of `tests/vectors/decisions/`; `tests/vectors/README.md` describes the format.
//!
//! The vectors were made by second implementations, and their expectations were written by hand. `DOORWARD_VECTORS=<folder>`
//! runs another folder.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use doorward::{
    Algorithm, Answer, Config, Decision, Engine, Errand, Finish, Forward, Layer, Layers, Reason, Reply, RequestHead,
    SignatureRequest, UnixTime, Work,
};
use serde_json::{Value, json};

/// From the folder in which cargo runs tests: the package's own, also where it was copied together with what was built.
const OWN_FOLDER: &str = "tests/vectors/decisions";

/// Reasons that no request can yield here, each with why.
const BEYOND: [(Reason, &str); 4] = [
    (Reason::HeadMalformed, "a host's: the head that it promised never came to be one"),
    (Reason::NotStarted, "a host's: there is no engine"),
    (Reason::OriginUnreachable, "a host's: the request went on, and nobody was there"),
    (Reason::OriginTimedOut, "a host's: the request went on, and nothing came back"),
];

#[test]
fn every_decision_is_the_expected_one() {
    let folder = folder();
    let (mut cases, mut differ, mut wrong) = (0, 0, Vec::new());
    for (file, document) in documents(&folder) {
        for problems in play(&document) {
            cases += 1;
            differ += usize::from(!problems.is_empty());
            wrong.extend(problems.into_iter().map(|problem| format!("{file}: {problem}")));
        }
    }
    println!("decision vectors: {cases} cases from {}", folder.display());
    assert!(cases > 0, "{} holds no cases", folder.display());
    assert!(wrong.is_empty(), "{differ} of {cases} vectors differ:\n{}", wrong.join("\n"));
}

/// A reason that only says why a cookie's `session_data` did not count is one that `expect.session_data` names.
#[test]
fn every_reason_is_yielded_by_a_vector() {
    let documents = documents(Path::new(OWN_FOLDER));
    let expectations = documents.values().flat_map(|document| document["cases"].as_array().into_iter().flatten());
    let yielded: BTreeSet<&str> = expectations
        .flat_map(|case| {
            ["/expect/reject/reason", "/expect/redirect/reason", "/expect/session_data"].map(|place| case.pointer(place))
        })
        .filter_map(|reason| reason.and_then(Value::as_str))
        .collect();
    for reason in Reason::ALL {
        let beyond = BEYOND.iter().any(|(beyond, _)| beyond == reason);
        assert_eq!(yielded.contains(reason.code()), !beyond, "{} is yielded by no vector, or is now by one", reason.code());
    }
}

fn folder() -> PathBuf {
    std::env::var_os("DOORWARD_VECTORS").map_or_else(|| PathBuf::from(OWN_FOLDER), PathBuf::from)
}

/// The files of a folder by name.
fn documents(folder: &Path) -> BTreeMap<String, Value> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|end| end == "json"));
    files
        .map(|path| {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            let document = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (path.file_name().map_or(name, |name| name.to_string_lossy().into_owned()), document)
        })
        .collect()
}

/// Plays the cases of a file in order: for each, whatever differs.
fn play(document: &Value) -> Vec<Vec<String>> {
    let mut engines: Vec<Engine> = Vec::new();
    let mut engine_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut results = Vec::new();
    for case in document["cases"].as_array().into_iter().flatten() {
        let name = text(case, "name").to_owned();
        let number = match case["after"].as_str() {
            Some(earlier) => *engine_of.get(earlier).unwrap_or_else(|| panic!("{name}: there is no earlier case {earlier:?}")),
            None => {
                engines.push(engine(&document["policies"][text(case, "policy")], &name));
                engines.len() - 1
            }
        };
        engine_of.insert(name.clone(), number);
        let problems = play_case(&mut engines[number], case).into_iter().map(|problem| format!("{name}: {problem}")).collect();
        results.push(problems);
    }
    results
}

fn engine(policy: &Value, name: &str) -> Engine {
    let config = Config::parse(&policy["config"].to_string()).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    let values = policy["env"].as_object().into_iter().flatten();
    let values = values.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    let stores = policy["stores"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let host = doorward_native::capabilities().and_signing([Algorithm::ES256, Algorithm::EdDSA]).and_stores(stores).and_sharing();
    let policy = config.compile(&values, &host).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    Engine::new(policy, 1)
}

fn play_case(engine: &mut Engine, case: &Value) -> Vec<String> {
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
        now: UnixTime::from_millis(case["now_ms"].as_i64().unwrap_or_else(|| panic!("{} has no now_ms", case["name"]))),
        replies: case["replies"].as_array().cloned().unwrap_or_default(),
        asks: Vec::new(),
    };
    let session_data = session_data_of(engine, &head, host.now);

    let mut decision = engine.decide(&head, host.now);
    while let Decision::Ask(errand) = decision {
        let reply = host.carry(&errand);
        decision = reply.with(|reply| engine.resume(&head, errand, reply, host.now));
    }
    let asks = std::mem::take(&mut host.asks);
    let (after, alongside) = match &mut decision {
        Decision::Forward(forward) => (forward.after.take(), forward.alongside.take()),
        _ => (None, None),
    };
    let mut finished = Finish::default();
    if let Some(errand) = alongside {
        let reply = host.carry(&errand);
        let lines = case["origin_set_cookies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        finished = reply.with(|reply| engine.finish(errand, reply, &lines, host.now));
    }
    let alongside = std::mem::take(&mut host.asks);
    if let Some(errand) = after {
        let reply = host.carry(&errand);
        reply.with(|reply| engine.receive(errand, reply, host.now));
    }

    let mut found = outcome(&decision);
    found["log"] = log_of(&decision)
        .or(finished.log.as_deref())
        .map_or(Value::Null, |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}")));
    found["asks"] = json!(asks);
    found["after"] = json!(host.asks);
    found["alongside"] = json!(alongside);
    found["renewed"] = json!(finished.headers);
    found["session_data"] = json!(session_data);
    let mut problems = differences(&case["expect"], &found);
    if !host.replies.is_empty() {
        problems.push(format!("{} scripted replies were not asked for", host.replies.len()));
    }
    problems.extend(promises(&decision, &head));
    problems
}

/// Carries errands by the script; what it does not mention fails, except for signatures, which are checked for real.
struct Host {
    now: UnixTime,
    replies: Vec<Value>,
    asks: Vec<&'static str>,
}

/// A reply that owns what it brings.
enum Brought {
    Scripted(Value),
    Real(Reply<'static>),
    Signed(Vec<u8>),
}

/// ES256 and EdDSA by crates, in place of a platform that has them.
fn sign(request: &SignatureRequest) -> Vec<u8> {
    let jwk: Value = serde_json::from_str(&request.key).unwrap_or_else(|error| panic!("{error}"));
    let private = base64url(text(&jwk, "d")).unwrap_or_default();
    if request.algorithm == Algorithm::EdDSA {
        let key = ed25519_dalek::SigningKey::try_from(private.as_slice()).unwrap_or_else(|_| panic!("{} is no key", request.kid));
        return ed25519_dalek::Signer::sign(&key, &request.input).to_vec();
    }
    assert_eq!(request.algorithm, Algorithm::ES256);
    let key = p256::ecdsa::SigningKey::from_slice(&private).unwrap_or_else(|_| panic!("{} is no key", request.kid));
    let signature: p256::ecdsa::Signature = p256::ecdsa::signature::Signer::sign(&key, &request.input);
    signature.to_bytes().to_vec()
}

impl Host {
    fn carry(&mut self, errand: &Errand) -> Brought {
        let (purpose, url) = match errand.work() {
            Work::Fetch(fetch) => (fetch.purpose.name(), Some(fetch.url.as_str())),
            Work::Check(_) => ("check", None),
            Work::Sign(_) => ("sign", None),
            Work::Read(read) => ("read", Some(read.key.as_str())),
            Work::Wait { millis } => {
                self.now = self.now.plus_millis(i64::from(*millis));
                return Brought::Real(Reply::Waited);
            }
        };
        self.asks.push(purpose);
        let sent = cookies_of(errand.work());
        // A copy where none will do would not have been looked for.
        let may_be_copied = matches!(errand.work(), Work::Fetch(fetch) if fetch.copy.is_some());
        let suits = |reply: &Value| {
            let place = if purpose == "read" { &reply["key"] } else { &reply["url"] };
            let is_for_it = reply["to"] == purpose && (place.is_null() || place.as_str() == url);
            let has_cookies = reply["cookies"].is_null() || reply["cookies"] == json!(sent);
            is_for_it && has_cookies && (may_be_copied || !reply["copied"].is_string())
        };
        match (self.replies.iter().position(suits), errand.work()) {
            (Some(place), _) => {
                let reply = self.replies.remove(place);
                self.now = self.now.plus_millis(reply["takes_ms"].as_i64().unwrap_or(0));
                if reply["real"] == true { Self::done(errand) } else { Brought::Scripted(reply) }
            }
            (None, _) => Self::done(errand),
        }
    }

    fn done(errand: &Errand) -> Brought {
        match errand.work() {
            Work::Check(check) => Brought::Real(doorward_native::check(check)),
            Work::Sign(request) => Brought::Signed(sign(request)),
            _ => Brought::Real(Reply::Failed),
        }
    }
}

/// Names of the cookies that an errand sends, in order.
fn cookies_of(work: &Work) -> Vec<&str> {
    let Work::Fetch(fetch) = work else { return Vec::new() };
    let lines = fetch.headers.iter().filter(|(name, _)| name == "cookie");
    lines.flat_map(|(_, line)| line.split("; ")).filter_map(|pair| Some(pair.split_once('=')?.0)).collect()
}

impl Brought {
    fn with<T>(self, take: impl FnOnce(Reply<'_>) -> T) -> T {
        match self {
            Self::Real(reply) => take(reply),
            Self::Signed(signature) => take(Reply::Signed(&signature)),
            Self::Scripted(reply) if reply["failed"] == true => take(Reply::Failed),
            Self::Scripted(reply) if reply["copied"].is_string() => take(Reply::Copied(text(&reply, "copied").as_bytes())),
            Self::Scripted(reply) if reply["too_large"] == true => take(Reply::TooLarge),
            Self::Scripted(reply) if reply["headers_too_large"] == true => take(Reply::HeadTooLarge),
            Self::Scripted(reply) if reply["absent"] == true => take(Reply::Absent),
            Self::Scripted(reply) if reply["found"].is_string() => take(Reply::Found(text(&reply, "found").as_bytes())),
            Self::Scripted(reply) if reply["unsupported"] == true => take(Reply::Unsupported),
            Self::Scripted(reply) => {
                let status = reply["status"].as_u64().and_then(|status| u16::try_from(status).ok());
                let status = status.unwrap_or_else(|| panic!("a scripted reply has no status: {reply}"));
                let body = reply["body"].as_str().unwrap_or_default().as_bytes();
                take(Reply::Answered { status, headers: &pairs(&reply["headers"]), body })
            }
        }
    }
}

/// A decision in the words of `expect`.
fn outcome(decision: &Decision) -> Value {
    let list = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>();
    match decision {
        Decision::Forward(Forward { target, upstream, remove, set, response_headers, .. }) => {
            let names: BTreeSet<&str> = set.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), set.iter().count(), "a header is set twice");
            let set: serde_json::Map<String, Value> = set.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
            json!({ "forward": { "target": target, "upstream": upstream, "removed": remove, "set": set, "response_headers": list(response_headers) } })
        }
        Decision::Redirect(answer) => {
            json!({ "redirect": { "status": answer.status, "reason": answer.reason.code(), "location": header(answer, "location") }, "answer": of_answer(answer) })
        }
        Decision::Reject(answer) => {
            json!({ "reject": { "status": answer.status, "reason": answer.reason.code() }, "answer": of_answer(answer) })
        }
        Decision::Respond(served) => {
            let headers: serde_json::Map<String, Value> =
                served.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            json!({ "respond": { "status": served.status }, "answer": { "headers": headers, "body": served.body } })
        }
        Decision::Ask(_) => json!({}),
    }
}

fn of_answer(answer: &Answer) -> Value {
    let headers: serde_json::Map<String, Value> =
        answer.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let set_cookies: Vec<&str> =
        answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, line)| line.as_str()).collect();
    json!({ "headers": headers, "set_cookies": set_cookies, "body": answer.body })
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
}

/// Every member that is expected is compared; the outcome itself always is.
fn differences(expect: &Value, found: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut compare = |what: &str, expected: &Value, found: &Value| {
        if expected != found {
            problems.push(format!("{what} is {found}, expected {expected}"));
        }
    };
    let kind =
        |outcome: &Value| ["forward", "redirect", "reject", "respond"].into_iter().find(|kind| outcome.get(kind).is_some());
    if kind(expect) != kind(found) || kind(expect).is_none() {
        let shown = kind(found).map(|kind| &found[kind]);
        return vec![format!("the outcome is {:?} {}, expected {:?}", kind(found), json!(shown), kind(expect))];
    }
    for (member, expected) in expect.as_object().into_iter().flatten() {
        match member.as_str() {
            "forward" | "redirect" | "reject" | "respond" => {
                let mut found = found[member].clone();
                if expect["assertion"].is_object() {
                    found["set"] = without_assertion(&found["set"]);
                }
                for (name, expected) in expected.as_object().into_iter().flatten() {
                    compare(&format!("{member}.{name}"), expected, &found[name]);
                }
            }
            "headers" => {
                for (name, expected) in expected.as_object().into_iter().flatten() {
                    compare(&format!("the header {name}"), expected, &found["answer"]["headers"][name]);
                }
            }
            "set_cookies" | "body" => compare(member, expected, &found["answer"][member]),
            "asks" | "after" | "alongside" | "renewed" | "session_data" => compare(member, expected, &found[member]),
            "log" => compare(member, expected, &logged(&found["log"], expected)),
            "assertion" => problems_of_assertion(expected, &found["forward"]["set"], &mut compare),
            other => panic!("nothing is known of expect.{other}"),
        }
    }
    problems
}

fn log_of(decision: &Decision) -> Option<&str> {
    match decision {
        Decision::Forward(forward) => forward.log.as_deref(),
        Decision::Redirect(answer) | Decision::Reject(answer) => answer.log.as_deref(),
        _ => None,
    }
}

/// The members of the log's line that are expected.
fn logged(line: &Value, expected: &Value) -> Value {
    match (line.as_object(), expected.as_object()) {
        (Some(line), Some(expected)) => line
            .iter()
            .filter(|(name, _)| expected.contains_key(*name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        _ => line.clone(),
    }
}

/// The assertion is another one each time: it is looked at by itself.
const ASSERTION: &str = "x-doorward-assertion";

fn without_assertion(set: &Value) -> Value {
    let mut set = set.clone();
    if let Some(members) = set.as_object_mut()
        && let Some(assertion) = members.remove(ASSERTION)
        && members.get("authorization").and_then(Value::as_str)
            == assertion.as_str().map(|jwt| format!("Bearer {jwt}")).as_deref()
    {
        members.insert("authorization".to_owned(), json!("Bearer <assertion>"));
    }
    set
}

/// Header and claims, all but `jti`, and the signature by `jsonwebtoken`.
fn problems_of_assertion(expected: &Value, set: &Value, compare: &mut impl FnMut(&str, &Value, &Value)) {
    let jwt = set[ASSERTION].as_str().unwrap_or_default();
    let mut parts = jwt.split('.').map(|part| base64url(part).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()));
    let (header, mut claims) = (parts.next().flatten().unwrap_or_default(), parts.next().flatten().unwrap_or_default());
    let number = claims.as_object_mut().and_then(|members| members.remove("jti")).unwrap_or_default();
    compare("the length of jti", &json!(16), &json!(number.as_str().and_then(base64url).map(|bytes| bytes.len())));
    compare("the assertion's header", &expected["header"], &header);
    compare("the assertion's claims", &expected["claims"], &claims);
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(expected["key"].clone()).unwrap_or_else(|error| panic!("{error}"));
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap_or_else(|error| panic!("{error}"));
    let algorithm = text(&expected["header"], "alg").parse().unwrap_or_else(|error| panic!("{error}"));
    let (input, signature) = jwt.rsplit_once('.').unwrap_or_default();
    let holds = jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key, algorithm).unwrap_or(false);
    compare("that the assertion's signature holds", &json!(true), &json!(holds));
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).ok()
}

/// What holds for every decision, whatever is expected of it.
fn promises(decision: &Decision, head: &RequestHead<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let log = match decision {
        Decision::Redirect(answer) | Decision::Reject(answer) => {
            if header(answer, "cache-control") != Some("private, no-store") || header(answer, "vary").is_none() {
                broken.push("an answer may be cached".to_owned());
            }
            if answer.status == 401 && header(answer, "www-authenticate").is_none() {
                broken.push("401 without a challenge (RFC 9110 section 11.6.1)".to_owned());
            }
            if answer.status == 503 && header(answer, "retry-after").is_none() {
                broken.push("503 does not say when to come back".to_owned());
            }
            if head.method == "HEAD" && !answer.body.is_empty() {
                broken.push("the answer to HEAD has a body".to_owned());
            }
            [answer.log.as_deref().unwrap_or_default(), &answer.body].concat()
        }
        Decision::Forward(forward) => {
            // What is left of the client's cookies is the client's.
            let told = forward.set.iter().filter(|(name, _)| *name != "cookie").map(|(_, value)| value).collect::<String>();
            [forward.log.as_deref().unwrap_or_default(), &told].concat()
        }
        Decision::Respond(served) => served.body.clone(),
        Decision::Ask(_) => String::new(),
    };
    // The names of cookies are no secret.
    let values = head.headers.iter().flat_map(|(name, value)| match name.to_ascii_lowercase().as_str() {
        "authorization" => vec![*value],
        "cookie" => value.split(';').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value)).collect(),
        _ => Vec::new(),
    });
    let mut secrets = values.flat_map(|value| value.split(['=', '.', ';', ' ', ',', '%'])).filter(|part| part.len() >= 20);
    if secrets.any(|secret| log.contains(secret)) {
        broken.push("a part of a credential is told, answered or logged".to_owned());
    }
    broken
}

/// Why `session_data` did not count, or that it did; nothing where there is no Better Auth issuer.
fn session_data_of(engine: &Engine, head: &RequestHead<'_>, now: UnixTime) -> Option<&'static str> {
    engine.explain(head, now).credentials.into_iter().find_map(|credential| match credential.layers {
        Layers::BetterAuthCookies { data, .. } => Some(match data {
            Layer::Absent => "absent",
            Layer::Valid => "valid",
            Layer::Bad(reason) => reason.code(),
            Layer::Unverified | Layer::Unsigned | Layer::Unknown => "unknown",
        }),
        _ => None,
    })
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
