//! What the targets share: known credentials, engines, a host that tells the truth about
//! signatures, and what has to hold of every decision.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::{
    Capabilities, Config, Decision, Effect, EffectResult, Engine, Explanation, Forward,
    HeaderPairs, LayerVerdict, PendingEffect, Reason, Refusal, RequestHead, SignatureCheck,
    UnixTime,
};
use serde_json::{Value, json};

pub use super::sign::SECRET;
use super::sign::public_key;

/// The public origin, and the issuer.
pub const ORIGIN: &str = "http://localhost:3000";
/// The moment of most of those vectors.
pub const NOW: i64 = 1_795_402_860_250;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // only targets and their replay read it
pub enum End {
    /// What the origin is told about somebody.
    Identity(HeaderPairs),
    Anonymous,
    Refused(Reason),
}

impl End {
    /// Who it is, as it stands in the header.
    pub fn subject(&self) -> Option<&str> {
        let Self::Identity(headers) = self else { return None };
        headers.iter().find(|(name, _)| name.ends_with("subject")).map(|(_, subject)| subject)
    }
}

static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../tests/vectors/better-auth/vectors.json");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
});

/// All vectors of Better Auth.
pub fn vectors() -> impl Iterator<Item = &'static Value> {
    VECTORS["vectors"].as_array().into_iter().flatten()
}

/// A vector of Better Auth by its name.
pub fn vector(name: &str) -> &'static Value {
    vectors()
        .find(|vector| vector["name"] == name)
        .unwrap_or_else(|| panic!("there is no vector {name}"))
}

/// An API token that Better Auth has signed, and its key.
pub struct Known {
    pub token: &'static str,
    pub subject: &'static str,
    pub key: &'static Value,
}

/// One token for each way to check a signature: inside, by the host with a curve, by the host with
/// RSA.
pub static KNOWN: LazyLock<[Known; 3]> = LazyLock::new(|| {
    ["api-jwt-eddsa-valid", "api-jwt-es256-valid", "api-jwt-rs256-valid"].map(|name| {
        let vector = vector(name);
        Known {
            token: vector["jwt"].as_str().unwrap_or_default(),
            subject: vector["expect"]["claims"]["sub"].as_str().unwrap_or_default(),
            key: &vector["jwks"]["keys"][0],
        }
    })
});

/// The keys of all known tokens, and the one that the fuzzer signs with.
pub fn known_keys() -> Value {
    let mut keys: Vec<Value> = KNOWN.iter().map(|known| known.key.clone()).collect();
    keys.push(public_key());
    json!({ "keys": keys })
}

/// An engine with one Better Auth issuer that has these further members.
pub fn engine(members: Value) -> Engine {
    let mut issuer = json!({ "type": "better-auth", "url": ORIGIN, "secret": { "env": "SECRET" } });
    if let (Some(issuer), Value::Object(members)) = (issuer.as_object_mut(), members) {
        issuer.extend(members);
    }
    let document = json!({
        "issuers": [issuer],
        "rules": [{ "path": "/public/**", "access": "public" }, { "path": "/app/**", "access": "required" }],
        "sign_in": { "path": "/sign-in" },
    });
    configured(&document.to_string())
        .unwrap_or_else(|| panic!("the configuration of the targets is wrong"))
}

/// An engine of any configuration, or nothing where it says what is wrong.
pub fn configured(document: &str) -> Option<Engine> {
    let secrets = [
        ("SECRET", SECRET),
        ("BETTER_AUTH_SECRET", "4Yk0-current-secret-of-the-vectors-8Rw2"),
        ("SECOND_SECRET", "9Tq7-retired-secret-of-the-vectors-3Lm5"),
        (
            "BETTER_AUTH_SECRETS",
            "2:4Yk0-current-secret-of-the-vectors-8Rw2,1:9Tq7-retired-secret-of-the-vectors-3Lm5",
        ),
    ];
    let values: BTreeMap<String, String> =
        secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let compiled = Config::parse(document)
        .and_then(|config| config.compile(&values, &Capabilities::checking(|_| true)));
    match compiled {
        Ok(policy) => Some(Engine::new(policy, 7)),
        Err(errors) => {
            assert!(!errors.is_empty(), "a refused configuration without an error");
            assert!(
                errors.iter().all(|error| !error.problem.is_empty() && !error.hint.is_empty()),
                "{errors:?}"
            );
            for (_, secret) in secrets {
                assert!(
                    document.contains(secret) || !format!("{errors:?}").contains(secret),
                    "an error shows a secret"
                );
            }
            None
        }
    }
}

/// Bytes as a host that follows Fetch hands them over.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// A `GET` of a page that asks for a session.
pub fn page<'a>(headers: &'a [(&'a str, &'a str)]) -> RequestHead<'a> {
    RequestHead {
        method: "GET",
        target: "/app",
        headers,
        public_origin: ORIGIN,
        client_address: Some("192.0.2.1"),
    }
}

/// What a host comes back with.
#[derive(Debug, Clone)]
pub enum Outcome {
    Answered(u16, Vec<u8>),
    Checked(bool),
    Waited,
    Failed,
    Unsupported,
}

impl Outcome {
    pub fn with<T>(&self, take: impl FnOnce(EffectResult<'_>) -> T) -> T {
        let headers = [
            ("set-cookie", "better-auth.session_data=; Max-Age=0"),
            ("set-cookie", "other=1"),
            ("age", "0"),
        ];
        match self {
            Self::Answered(status, body) => {
                take(EffectResult::Answered { status: *status, headers: &headers, body })
            }
            Self::Checked(holds) => take(EffectResult::Checked(*holds)),
            Self::Waited => take(EffectResult::Waited),
            Self::Failed => take(EffectResult::Failed),
            Self::Unsupported => take(EffectResult::Unsupported),
        }
    }
}

/// The truth about a signature: it holds if it is that of a known token, by its key.
pub fn checked(check: &SignatureCheck) -> Outcome {
    let token = [
        String::from_utf8_lossy(&check.signing_input).as_ref(),
        &URL_SAFE_NO_PAD.encode(&check.signature),
    ]
    .join(".");
    let key: Value = serde_json::from_str(&check.key).unwrap_or_default();
    Outcome::Checked(KNOWN.iter().any(|known| {
        known.token == token
            && ["x", "y", "n", "e"].iter().all(|name| key.get(name) == known.key.get(name))
    }))
}

/// A host that tells the truth about signatures, waits, and fetches by this function.
pub fn perform(
    pending: &PendingEffect,
    fetch: &mut dyn FnMut(&doorward::Fetch) -> Outcome,
) -> Outcome {
    match pending.effect() {
        Effect::Fetch(request) => fetch(request),
        Effect::Check(check) => checked(check),
        Effect::Sign(_) | Effect::Read(_) => Outcome::Unsupported,
        Effect::Wait { .. } => Outcome::Waited,
    }
}

/// Plays one request to its end, and demands of it what has to hold of every request.
pub fn play(
    engine: &mut Engine,
    head: &RequestHead<'_>,
    now: i64,
    fetch: &mut dyn FnMut(&doorward::Fetch) -> Outcome,
) -> End {
    let mut host = |pending: &PendingEffect| {
        assert!(!format!("{pending:?}").contains("eyJ"), "an effect's Debug shows a token");
        perform(pending, fetch)
    };
    play_with(engine, head, now, "x-doorward-", &mut host).0
}

/// The same with any host, and any prefix of the gate's headers. Also gives the number of effects.
pub fn play_with(
    engine: &mut Engine,
    head: &RequestHead<'_>,
    now: i64,
    prefix: &str,
    host: &mut dyn FnMut(&PendingEffect) -> Outcome,
) -> (End, usize) {
    let mut now = UnixTime::from_millis(now);
    let mut decision = engine.decide(head, now);
    let mut count = 0;
    while let Decision::Perform(pending) = decision {
        count += 1;
        assert!(count < 100, "a request goes round");
        now = now.plus_millis(5);
        decision = host(&pending).with(|result| engine.resume(head, pending, result, now));
    }
    let end = match decision {
        Decision::Forward(forward) => {
            let end = judge_forward(&forward, head, prefix);
            if let Some(pending) = forward.after {
                host(&pending).with(|result| engine.receive(pending, result, now));
            }
            end
        }
        Decision::Respond(_) => panic!("nothing is served under this policy"),
        Decision::Redirect(answer) => {
            judge_answer(&answer, head);
            let is_way = |name: &str| ["location", "x-action-redirect"].contains(&name);
            let location = answer
                .headers
                .iter()
                .find(|(name, _)| is_way(name))
                .map(|(_, location)| location.as_str());
            let leads_home = location
                .is_some_and(|location| !location.contains("//") || location.starts_with("http"));
            assert!(leads_home, "a redirect leads away: {location:?}");
            assert!((300..400).contains(&answer.status), "a redirect of status {}", answer.status);
            End::Refused(answer.reason)
        }
        Decision::Reject(answer) => {
            judge_answer(&answer, head);
            assert!(
                (400..600).contains(&answer.status) && answer.status != 500,
                "{}",
                answer.status
            );
            assert_eq!(answer.status, answer.reason.status());
            End::Refused(answer.reason)
        }
        Decision::Perform(_) => unreachable!("the loop above ends asks"),
    };
    (end, count)
}

fn judge_forward(forward: &Forward, head: &RequestHead<'_>, prefix: &str) -> End {
    let normal = |name: &str| name.to_ascii_lowercase().replace('_', "-");
    for (name, _) in head.headers {
        let is_ours = normal(name).starts_with(prefix) || normal(name).starts_with("x-middleware-");
        assert!(!is_ours || forward.remove.iter().any(|removed| removed == name), "{name:?} stays");
    }
    assert!(forward.target.starts_with('/'), "{:?}", forward.target);
    assert!(forward.target.bytes().all(|byte| byte.is_ascii_graphic()), "{:?}", forward.target);
    for (name, value) in forward.set.iter() {
        // Renewed cookies are among the request's own, in one line.
        let is_cookie =
            name == "cookie" && value.bytes().all(|byte| byte == b' ' || !byte.is_ascii_control());
        let is_ours = name.starts_with(prefix) && value.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(is_ours || is_cookie, "{name}: {value:?}");
    }
    for (name, value) in &forward.response_headers {
        assert!(
            !name.contains(char::is_control) && !value.contains(char::is_control),
            "{name}: {value:?}"
        );
    }
    let named = format!("{prefix}subject");
    let said = || forward.set.iter().filter(|(name, _)| name.starts_with(prefix));
    let subjects: Vec<&str> =
        forward.set.iter().filter(|(name, _)| *name == named).map(|(_, subject)| subject).collect();
    match subjects.as_slice() {
        [] => {
            assert!(said().next().is_none(), "something is said about nobody: {:?}", forward.set);
            End::Anonymous
        }
        [_] => {
            End::Identity(said().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        }
        _ => panic!("several subjects: {subjects:?}"),
    }
}

fn judge_answer(answer: &Refusal, head: &RequestHead<'_>) {
    for (name, value) in &answer.headers {
        assert!(
            !name.contains(char::is_control) && !value.contains(char::is_control),
            "{name}: {value:?}"
        );
    }
    assert!(head.method != "HEAD" || answer.body.is_empty(), "a body for HEAD");
    let waits = answer.headers.iter().any(|(name, _)| name == "retry-after");
    assert!(answer.status != 503 || waits, "{:?} without Retry-After", answer.reason);
}

/// Explanation and decision agree about a page that asks for a session.
pub fn agree(engine: &mut Engine, head: &RequestHead<'_>, now: i64) {
    let now = UnixTime::from_millis(now);
    let explanation = engine.explain(head, now);
    let present: Vec<&LayerVerdict> = present(&explanation).collect();
    let bad: Vec<Reason> = present
        .iter()
        .filter_map(|verdict| {
            if let LayerVerdict::Unauthenticated(reason) = verdict { Some(*reason) } else { None }
        })
        .collect();
    let subjects: Vec<String> = present
        .iter()
        .filter_map(|verdict| {
            if let LayerVerdict::Authenticated { subject } = verdict {
                Some(as_header(subject))
            } else {
                None
            }
        })
        .collect();
    match engine.decide(head, now) {
        Decision::Forward(forward) => {
            let end = judge_forward(&forward, head, "x-doorward-");
            let subject = end
                .subject()
                .unwrap_or_else(|| panic!("a page that asks for a session goes on as {end:?}"));
            // A host's verdict of an earlier request counts for a decision; an explanation would
            // ask again.
            let unknown =
                present.iter().filter(|verdict| ***verdict == LayerVerdict::EffectRequired).count();
            let all = !present.is_empty() && present.len() == subjects.len() + unknown;
            assert!(
                all && subjects.iter().all(|other| other == subject),
                "decided for {subject:?}, explained {explanation:?}"
            );
        }
        Decision::Respond(_) => {}
        Decision::Redirect(answer) | Decision::Reject(answer) => {
            let explained = match answer.reason {
                Reason::NoCredential => present.is_empty(),
                Reason::CredentialAmbiguous => present.len() > 1,
                reason => bad.contains(&reason),
            };
            assert!(explained, "refused for {:?}, explained {explanation:?}", answer.reason);
        }
        Decision::Perform(_) => {
            let asks = present.iter().any(|verdict| {
                matches!(verdict, LayerVerdict::LookupRequired | LayerVerdict::EffectRequired)
            });
            assert!(asks && bad.is_empty(), "asks, explained {explanation:?}");
        }
    }
}

fn present(explanation: &Explanation) -> impl Iterator<Item = &LayerVerdict> {
    let verdicts = explanation.credentials.iter().map(|credential| &credential.verdict);
    verdicts.filter(|verdict| **verdict != LayerVerdict::Unauthenticated(Reason::NoCredential))
}

/// A text as the gate writes it into a header.
pub fn as_header(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_graphic() && byte != b'%' {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The first line, and what comes after it.
pub fn line(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}

/// A number in a line of a script; 0 where it is none.
pub fn number(word: Option<&str>) -> i64 {
    // A year either way: arithmetic on moments saturates, and the oracle's does not.
    word.and_then(|word| word.parse().ok()).unwrap_or(0_i64).clamp(-40_000_000_000, 40_000_000_000)
}

/// The value of a cookie as Better Auth's server reads it, and the joined chunks where there are
/// such.
pub fn cookie(lines: &[String], name: &str) -> Option<String> {
    let pairs =
        || lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let value_of = |wanted: &str| {
        let (_, value) = pairs().find(|(name, _)| name.trim_matches([' ', '\t']) == wanted)?;
        let value = value.trim_matches([' ', '\t']);
        let unquoted = value.strip_prefix('"').map_or(value, |rest| {
            let mut characters = rest.chars();
            characters.next_back();
            characters.as_str()
        });
        Some(decoded(unquoted).unwrap_or_else(|| unquoted.to_owned()))
    };
    if let Some(whole) = value_of(name).filter(|whole| !whole.is_empty()) {
        return Some(whole);
    }
    let chunks: Vec<String> =
        (0..).map_while(|number| value_of(&format!("{name}.{number}"))).collect();
    if chunks.is_empty() { None } else { Some(chunks.concat()) }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first == b'%' {
            let digits =
                others.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = &others[2..];
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    // Without an escape the text stays as it is, whatever its characters.
    String::from_utf8(bytes).ok()
}
