//! In whose name an auth service is asked: whatever the question, in that of the public host that
//! the platform vouches for.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::BTreeMap;

use doorward::{
    Config, Decision, Effect, EffectResult, Engine, PendingEffect, RequestHead, UnixTime,
};
use serde_json::{Value, json};

const SECRET: &str = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);
const JWK: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}"#;

fn engine(issuers: Value, rule: Value) -> Engine {
    let document = json!({ "issuers": issuers, "rules": [rule] });
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let values = BTreeMap::from([("SECRET".to_owned(), SECRET.to_owned())]);
    let policy = config
        .compile(&values, &doorward_native::capabilities())
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    Engine::new(policy, 7)
}

fn service(members: Value) -> Value {
    let mut issuer = json!({ "type": "better-auth", "url": "https://app.example.com", "secret": { "env": "SECRET" } });
    issuer
        .as_object_mut()
        .into_iter()
        .for_each(|own| own.extend(members.as_object().cloned().unwrap_or_default()));
    issuer
}

/// A token by a key of RFC 8037 appendix A: nothing but its key is asked for here.
fn jwt(issuer: &str) -> String {
    use base64::Engine as _;
    let encode =
        |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(json!({ "alg": "EdDSA", "kid": "a" }));
    let claims =
        encode(json!({ "iss": issuer, "aud": issuer, "sub": "ada", "exp": 1_800_000_600 }));
    [header, claims, "AAAA".to_owned()].join(".")
}

/// What an effect says of who asks: purpose, and the headers that begin so.
fn introduction(pending: &PendingEffect) -> (&'static str, Vec<String>) {
    let Effect::Fetch(fetch) = pending.effect() else { panic!("{pending:?}") };
    let told = fetch.headers.iter().filter(|(name, _)| name.starts_with("x-forwarded-"));
    (fetch.purpose, told.map(|(name, value)| format!("{name}: {value}")).collect())
}

fn head<'a>(headers: &'a [(&'a str, &'a str)], public_origin: &'a str) -> RequestHead<'a> {
    RequestHead {
        method: "GET",
        target: "/",
        headers,
        public_origin,
        client_address: Some("192.0.2.7"),
    }
}

fn asked(decision: Decision) -> PendingEffect {
    match decision {
        Decision::Perform(pending) => pending,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_question_to_a_service_is_asked_in_the_name_of_the_public_host() {
    let cookie = format!("__Secure-better-auth.session_token={}", signed_token());
    let session = json!({
        "session": { "token": "T", "expiresAt": "2027-02-15T08:00:00.000Z", "userId": "ada", "id": "s" },
        "user": { "id": "ada" },
    });
    let public = ["x-forwarded-host: two.example.com:8443", "x-forwarded-proto: https"];
    let for_client = [public[0], public[1], "x-forwarded-for: 192.0.2.7"];
    let mut engine = engine(
        json!([service(json!({}))]),
        json!({ "path": "/**", "access": "required", "token_exchange": true }),
    );
    let headers = [("cookie", cookie.as_str())];
    let head = head(&headers, "https://two.example.com:8443");

    let pending = asked(engine.decide(&head, NOW));
    assert_eq!(introduction(&pending), ("session", for_client.map(str::to_owned).to_vec()));
    let session = session.to_string();
    let result = EffectResult::Answered { status: 200, headers: &[], body: session.as_bytes() };
    let pending = asked(engine.resume(&head, pending, result, NOW));
    assert_eq!(introduction(&pending), ("token", for_client.map(str::to_owned).to_vec()));
    let body = json!({ "token": jwt("https://app.example.com") }).to_string();
    let pending = asked(engine.resume(
        &head,
        pending,
        EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() },
        NOW,
    ));
    assert_eq!(
        introduction(&pending),
        ("keys", public.map(str::to_owned).to_vec()),
        "the set is everybody's: no client is named"
    );
}

/// A session token signed with the secret.
fn signed_token() -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = <Hmac<sha2::Sha256>>::new_from_slice(SECRET.as_bytes())
        .unwrap_or_else(|_| unreachable!("any length"));
    mac.update(b"T");
    use base64::Engine as _;
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    format!("T.{}", signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"))
}

/// A deployment has addresses that its auth service knows nothing of. Who comes by one must not
/// keep the keys from the others.
#[test]
fn where_a_host_gets_no_keys_the_next_try_is_in_the_name_of_the_service() {
    let mut engine = engine(
        json!([service(json!({ "fetch_url": "http://127.0.0.1:3000" }))]),
        json!({ "path": "/**", "access": "required" }),
    );
    let authorization = format!("Bearer {}", jwt("https://app.example.com"));
    let headers = [("authorization", authorization.as_str())];
    let head = head(&headers, "https://x7-team.vercel.app");
    let mut hosts = Vec::new();
    for second in [0, 10, 20, 60] {
        let now = NOW.plus_millis(second * 1000);
        let pending = asked(engine.decide(&head, now));
        let (purpose, told) = introduction(&pending);
        assert_eq!(purpose, "keys");
        hosts.push(told[0].clone());
        drop(engine.resume(
            &head,
            pending,
            EffectResult::Answered { status: 500, headers: &[], body: b"" },
            now,
        ));
    }
    let (first, second) =
        ("x-forwarded-host: x7-team.vercel.app", "x-forwarded-host: app.example.com");
    assert_eq!(hosts, [first, second, first, second]);
}

#[test]
fn later_fetches_name_the_public_host_too_and_other_issuers_are_told_nothing() {
    let jwk: Value = serde_json::from_str(JWK).unwrap_or_default();
    let elsewhere = json!({ "type": "jwt", "issuer": "https://issuer.example", "audience": "https://issuer.example", "jwks_url": "https://issuer.example/jwks" });
    for (issuer, issuers, told) in [
        ("https://issuer.example", json!([elsewhere]), 0),
        ("https://app.example.com", json!([service(json!({}))]), 2),
        (
            "https://app.example.com",
            json!([service(json!({ "jwks_url": "https://app.example.com/keys" }))]),
            2,
        ),
        (
            "https://app.example.com",
            json!([service(json!({ "jwks_url": "https://cdn.example.net/jwks" }))]),
            0,
        ),
    ] {
        let mut engine = engine(issuers, json!({ "path": "/**", "access": "required" }));
        let authorization = format!("Bearer {}", jwt(issuer));
        let headers = [("authorization", authorization.as_str())];
        let head = head(&headers, "https://app.example.com");
        let pending = asked(engine.decide(&head, NOW));
        assert_eq!(introduction(&pending).1.len(), told, "{issuer}");
        let body = json!({ "keys": [jwk] }).to_string();
        drop(engine.resume(
            &head,
            pending,
            EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() },
            NOW,
        ));
        // The signature does not hold; a stale set is asked for anew before that is said.
        let pending = asked(engine.decide(&head, NOW.plus_millis(400_000)));
        assert_eq!(introduction(&pending).1.len(), told, "{issuer}");
    }
}
