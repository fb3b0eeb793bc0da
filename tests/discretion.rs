//! What must not be said is not said: secrets in `Debug`, queries in log lines; and what must
//! differ does: names of assertions.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorward::{Config, Decision, Effect, EffectResult, Engine, RequestHead, UnixTime};
use serde_json::{Value, json};

/// Every place of a configuration that holds a secret: variable and value. Throwaway.
const SECRETS: [(&str, &str); 5] = [
    ("CURRENT", "2:q7Wk0nZ1xC4vB8mL5jH2gF9dS6aP3oI-uYtR,1:e4R7tY1uI9oP3aS6dF0gH5jK8lZ2xC-vBnM"),
    ("FIRST_OF_ALL", "m5N8b2V6c0X4z9L3k7J1h-G5f8D2s6A0q4W9e"),
    ("DENY_LIST_TOKEN", "deny-list-token-h3J9k2L5m8N1b4V7"),
    ("ASSERTION", "p0O9i8U7y6T5r4E3w2Q1-a9S8d7F6g5H4j3K2"),
    ("STORAGE", "not-a-secret-but-named-like-one-0123456789"),
];

fn engine(seed: u64) -> (Engine, String) {
    let document = json!({
        "issuers": [{
            "type": "better-auth",
            "url": support::ORIGIN,
            "secrets": { "env": "CURRENT" },
            "secret": { "env": "FIRST_OF_ALL" },
            "jwks_url": null,
            "bearer_tokens": "any",
        }],
        "rules": [
            { "path": "/report/**", "access": "required", "mode": "report", "report_until": "2999-01-01" },
            { "path": "/pass/**", "access": "required", "on_unavailable": "anonymous" },
            { "path": "/admin/**", "access": "required", "roles": "admin" },
            { "path": "/**", "access": "required" },
        ],
        "sign_in": { "path": "/report/sign-in" },
        "deny_list": { "url": "https://lists.example.com/revoked", "token": { "env": "DENY_LIST_TOKEN" } },
        "assertion": { "audience": "app", "secret": { "env": "ASSERTION" } },
    });
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let values: BTreeMap<String, String> =
        SECRETS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let policy = config
        .compile(&values, &doorward_native::capabilities())
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    let debugged = format!("{policy:#?}");
    (Engine::new(policy, seed), debugged)
}

/// The parts of a text that would give the secret away, as they stand and encoded.
fn spellings(secret: &str) -> Vec<String> {
    let single =
        secret.split(',').map(|entry| entry.split_once(':').map_or(entry, |(_, secret)| secret));
    single
        .flat_map(|secret| {
            [secret.to_owned(), STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)]
        })
        .collect()
}

fn gives_away(text: &str) -> Option<&'static str> {
    SECRETS
        .iter()
        .find(|(_, secret)| spellings(secret).iter().any(|spelling| text.contains(spelling)))
        .map(|(name, _)| *name)
}

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

/// The answer of an auth service for whom this token's session lives.
fn session(token: &str) -> String {
    json!({
        "session": { "id": "s", "token": token, "userId": "ada", "expiresAt": "2030-01-01T00:00:00.000Z" },
        "user": { "id": "ada", "email": "ada@example.com" },
    })
    .to_string()
}

/// What the gate says and shows of one request on its way: `Debug` of each effect and decision, and
/// the log.
fn played(
    engine: &mut Engine,
    target: &str,
    bearer: &str,
    answers: impl Fn(&str) -> Option<String>,
) -> (Vec<String>, Decision) {
    let authorization = format!("Bearer {bearer}");
    let headers = [("authorization", authorization.as_str()), ("accept", "application/json")];
    let head = RequestHead {
        method: "GET",
        target,
        headers: &headers,
        public_origin: support::ORIGIN,
        client_address: None,
    };
    let mut said = vec![format!("{head:?}")];
    let mut decision = engine.decide(&head, NOW);
    while let Decision::Perform(pending) = decision {
        said.push(format!("{pending:?}"));
        let body = match pending.effect() {
            Effect::Fetch(fetch) => answers(fetch.purpose),
            _ => None,
        };
        let result = match &body {
            Some(body) => {
                EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() }
            }
            None => EffectResult::Failed,
        };
        decision = engine.resume(&head, pending, result, NOW);
    }
    said.push(format!("{decision:?}"));
    let log = match &decision {
        Decision::Forward(forward) => forward.log.clone(),
        Decision::Redirect(answer) | Decision::Reject(answer) => answer.log.clone(),
        Decision::Perform(_) | Decision::Respond(_) => None,
    };
    said.extend(log);
    (said, decision)
}

#[test]
fn no_secret_is_in_what_is_debugged() {
    let (mut engine, policy) = engine(7);
    assert!(policy.contains("lists.example.com"), "what is looked through is the policy: {policy}");
    let mut said = vec![policy];
    for (target, answers) in [("/app", Some("[]")), ("/app", None)] {
        said.extend(
            played(&mut engine, target, "a-token-of-nobody", |_| answers.map(str::to_owned)).0,
        );
    }
    assert!(
        said.iter().any(|text| text.contains("DenyList")),
        "the deny-list was never asked for: {said:?}"
    );
    for text in &said {
        assert_eq!(gives_away(text), None, "{text}");
    }
    let planted = format!("Url(\"https://lists.example.com\", {:?})", SECRETS[2].1);
    assert_eq!(gives_away(&planted), Some("DENY_LIST_TOKEN"), "what is there is found");
}

#[test]
fn no_query_and_no_token_is_in_a_log_line() {
    let mut lines = 0;
    for (path, bearer, asked) in [
        ("/app", "tok.forged", "refused"),
        ("/app", "living", "down"),
        ("/pass/x", "living", "down"),
        ("/report/x", "dead", "ended"),
        ("/admin/x", "living", "alive"),
        ("/a//b", "living", "alive"),
    ] {
        let target = format!("{path}?code=once-only-4711&state=hush");
        let answers = |purpose: &str| match (purpose, asked) {
            ("deny-list", _) => Some(r#"{"sessions":[]}"#.to_owned()),
            ("session", "ended") => Some("null".to_owned()),
            ("session", "alive") => Some(session("living")),
            _ => None,
        };
        let (said, _) = played(&mut engine(7).0, &target, bearer, answers);
        for text in &said {
            assert!(!text.contains(bearer), "{path}: {text}");
            assert!(
                !text.contains("4711") && !text.contains("hush") && !text.contains("code="),
                "{path}: {text}"
            );
        }
        for line in said.iter().filter(|text| text.starts_with('{')) {
            let line: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(line.is_object(), "{line}");
            lines += 1;
        }
    }
    println!("{lines} log lines were read");
    assert!(lines >= 5, "only {lines} log lines");
}

#[test]
fn no_two_assertions_have_one_name() {
    let mut names = BTreeSet::new();
    let mut made = 0;
    // Gates that start in one moment, each with requests in that very moment.
    for seed in 0..4 {
        let (mut engine, _) = engine(seed);
        for _ in 0..8 {
            let answers = |purpose: &str| match purpose {
                "deny-list" => Some(r#"{"sessions":[]}"#.to_owned()),
                _ => Some(session("living")),
            };
            let (_, decision) = played(&mut engine, "/app", "living", answers);
            let Decision::Forward(forward) = decision else { panic!("{decision:?}") };
            let assertion = forward.set.iter().find(|(name, _)| *name == "x-doorward-assertion");
            let assertion = assertion
                .map(|(_, value)| value.to_owned())
                .unwrap_or_else(|| panic!("no assertion"));
            let claims = assertion
                .split('.')
                .nth(1)
                .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
                .unwrap_or_default();
            let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
            let name = claims["jti"].as_str().unwrap_or_else(|| panic!("{claims}")).to_owned();
            assert!(name.len() >= 22, "128 bits: {name}");
            names.insert(name);
            made += 1;
        }
    }
    assert_eq!((names.len(), made), (32, 32));
}
