//! Memory under hostile traffic: what an engine keeps stays within what `docs/sessions.md` says,
//! whatever is put into it.
//!
//! One test in a process of its own: it looks at what the process takes, on systems that say so.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::{Decision, Effect, EffectResult, RequestHead, UnixTime};
use serde_json::{Value, json};
use support::ORIGIN;

const START: i64 = 1_795_402_800_000;
const MIB: usize = 1024 * 1024;

/// What the process holds in memory, in bytes.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().ok().map(|kib| kib * 1024)
}

#[test]
fn memory_stays_within_what_is_said() {
    sessions_with_large_claims_take_no_more_than_their_table();
    an_effect_weighs_what_it_takes();
}

/// Four hundred sessions, each with a claim of 200 KB that a rule names, and between them tokens
/// that the auth service does not know: without a bound this would be 80 MB and more.
fn sessions_with_large_claims_take_no_more_than_their_table() {
    let rules =
        json!([{ "path": "/**", "access": "required", "claims": { "a": { "any": ["x", "y"] } } }]);
    let mut engine = support::engine_of(
        json!({}),
        json!({ "rules": rules, "auth_requests_per_second": 10_000 }),
        &[],
    );
    let large: String = "z".repeat(200_000);
    let small: Vec<u32> = (0..200).collect();
    let before = resident();
    let mut forwarded = 0;
    for number in 0..1200_i64 {
        let token = format!("aVeryPrivateSessionTokenOf32Bytes{number}");
        let claims = match number % 3 {
            0 => json!(["x", large]),
            1 => json!(["x", small]),
            _ => json!(["x"]),
        };
        let body = json!({
            "session": { "id": format!("s{number}"), "token": token, "userId": format!("u{number}"), "expiresAt": "2030-01-01T00:00:00.000Z" },
            "user": { "id": format!("u{number}"), "a": claims },
        })
        .to_string();
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let head = RequestHead {
            method: "GET",
            target: "/",
            headers: &headers,
            public_origin: ORIGIN,
            client_address: None,
        };
        let now = UnixTime::from_millis(START + number * 2);
        let Decision::Perform(pending) = engine.decide(&head, now) else {
            panic!("nothing is known of {number}")
        };
        let result = if number % 5 == 4 { "null" } else { &body };
        let result = EffectResult::Answered { status: 200, headers: &[], body: result.as_bytes() };
        forwarded +=
            usize::from(matches!(engine.resume(&head, pending, result, now), Decision::Forward(_)));
        drop(engine.cache_writes());
    }
    assert_eq!(forwarded, 960, "what is too large to be remembered counts for its request");
    if let Some(grown) = resident().zip(before).map(|(after, before)| after.saturating_sub(before))
    {
        println!("1200 sessions, a third of them of 200 KB: {} MiB", grown / MIB);
        assert!(grown < 48 * MIB, "{} MiB", grown / MIB);
    }
}

/// Forged tokens of fifteen kilobytes, each waiting for its signature to be checked: hosts bound
/// the sum of what effects say that they weigh, so that must not be less than what they take.
fn an_effect_weighs_what_it_takes() {
    let keys: Value = serde_json::from_str(include_str!("vectors/keys.json")).unwrap_or_default();
    let rsa = json!({ "kty": "RSA", "kid": "rsa", "n": keys["rsa"]["n"], "e": keys["rsa"]["e"] });
    let mut engine =
        support::engine_of(json!({ "jwks": { "keys": [rsa] }, "jwks_url": null }), json!({}), &[]);
    let now = UnixTime::from_millis(START);
    let claims = json!({ "iss": ORIGIN, "aud": ORIGIN, "sub": "ada", "iat": START / 1000, "exp": START / 1000 + 600, "pad": "p".repeat(11_000) });
    let input = [json!({ "alg": "RS256", "kid": "rsa" }), claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let before = resident();
    let pending: Vec<_> = (0..1000_u32)
        .map(|number| {
            let mut signature = [7; 256];
            signature[..4].copy_from_slice(&number.to_be_bytes());
            let authorization = format!("Bearer {input}.{}", URL_SAFE_NO_PAD.encode(signature));
            let headers = [("authorization", authorization.as_str())];
            let head = RequestHead {
                method: "GET",
                target: "/api/x",
                headers: &headers,
                public_origin: ORIGIN,
                client_address: None,
            };
            let Decision::Perform(pending) = engine.decide(&head, now) else {
                panic!("its signature is to be checked")
            };
            assert!(matches!(pending.effect(), Effect::Check(_)));
            pending
        })
        .collect();
    let weight: usize = pending.iter().map(doorward::PendingEffect::weight).sum();
    if let Some(grown) = resident().zip(before).map(|(after, before)| after.saturating_sub(before))
    {
        println!(
            "1000 forged tokens on their way: {} MiB, said to be {} MiB",
            grown / MIB,
            weight / MIB
        );
        assert!(
            grown < weight + 8 * MIB && weight < 64 * MIB,
            "{} of {} MiB",
            grown / MIB,
            weight / MIB
        );
    }
}
