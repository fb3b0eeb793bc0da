//! Better Auth's own bytes: every vector, layer by layer, with tolerance 0.
//!
//! The vectors were made by running the published packages and re-derived by an independent script;
//! see the file's own `semantics`. `DOORWARD_BETTER_AUTH_VECTORS=<file>` runs another file.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::BTreeMap;

use doorward::{
    Algorithm, Capabilities, Config, CredentialExplanation, Decision, Effect, Engine, Forward,
    Layer, LayerVerdict, Layers, Reason, RequestHead, UnixTime,
};
use serde_json::{Value, json};

/// From the folder in which cargo runs tests: the package's own, also where it was copied together
/// with what was built.
const OWN_FILE: &str = "tests/vectors/better-auth/vectors.json";

#[test]
fn every_vector_holds_layer_by_layer() {
    let file =
        std::env::var("DOORWARD_BETTER_AUTH_VECTORS").unwrap_or_else(|_| OWN_FILE.to_owned());
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let document: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let vectors = document["vectors"].as_array().cloned().unwrap_or_default();
    assert!(!vectors.is_empty(), "{file} holds no cases");
    // Once with ES256 checked by the host, and once inside.
    let hosts = [
        doorward_native::capabilities(),
        Capabilities::checking(|scheme| scheme != Algorithm::ES256.scheme()),
    ];
    let wrong: Vec<String> = hosts
        .iter()
        .flat_map(|host| vectors.iter().flat_map(|vector| check(vector, host)))
        .collect();
    println!("better auth vectors: {} cases from {file}", vectors.len());
    assert!(
        wrong.is_empty(),
        "{} of {} vectors differ:\n{}",
        wrong.len(),
        vectors.len(),
        wrong.join("\n")
    );
}

/// What differs from the vector's expectation, each as a line.
fn check(vector: &Value, host: &Capabilities) -> Vec<String> {
    let name = vector["name"].as_str().unwrap_or("(no name)");
    let found = judge(vector, host);
    let expect = &vector["expect"];
    let mut wrong = Vec::new();
    for layer in ["verdict", "token", "data", "jwt"] {
        let expected = expect.get(layer).and_then(Value::as_str);
        let got = found.get(layer).map(String::as_str);
        // Every layer that the vector names is compared, and a vector of a kind names all of that
        // kind's layers.
        if expected.is_some() && expected != got {
            wrong.push(format!("{name}: {layer} is {got:?}, expected {expected:?}"));
        }
    }
    if expect.get("verdict").is_none() {
        wrong.push(format!("{name}: the vector expects no verdict"));
    }
    let subject = expect
        .pointer("/claims/user_id")
        .or_else(|| expect.pointer("/claims/sub"))
        .and_then(Value::as_str);
    if expect["verdict"] == "authenticated" && subject != found.get("subject").map(String::as_str) {
        wrong.push(format!(
            "{name}: the subject is {:?}, expected {subject:?}",
            found.get("subject")
        ));
    }
    wrong
}

/// The layers of a vector, by the functions that `explain` uses, and the verdict, by deciding a
/// request.
fn judge(vector: &Value, host: &Capabilities) -> BTreeMap<&'static str, String> {
    let mut engine = engine(vector, host);
    let now = UnixTime::from_millis(vector["now_ms"].as_i64().unwrap_or_default());
    let text = |name: &str| vector.get(name).and_then(Value::as_str);
    let bearer = text("jwt").map(|jwt| format!("Bearer {jwt}"));
    let mut headers = vec![("accept", "application/json")];
    headers.extend(text("cookie").map(|cookie| ("cookie", cookie)));
    headers.extend(
        text("authorization")
            .or(bearer.as_deref())
            .map(|authorization| ("authorization", authorization)),
    );
    let head = RequestHead {
        method: "GET",
        target: "/app",
        headers: &headers,
        public_origin: "http://localhost:3000",
        client_address: None,
    };

    let kind = text("kind").unwrap_or_default();
    let explanation = engine.explain(&head, now);
    let mut found = BTreeMap::new();
    let of_kind = explanation.credentials.iter().find(|credential| match credential.layers {
        Layers::BetterAuthCookies { .. } => kind == "cookie-cache" || kind == "session-token",
        Layers::BearerToken { .. } => kind == "bearer",
        Layers::Jwt { .. } => kind == "jwt",
        _ => false,
    });
    let Some(CredentialExplanation { layers, verdict, .. }) = of_kind else {
        panic!("{}: no credential of kind {kind} was found", vector["name"])
    };
    match layers {
        Layers::BetterAuthCookies { token, data } => {
            found.insert("token", token_word(*token).to_owned());
            found.insert("data", data_word(*data).to_owned());
        }
        Layers::BearerToken { token } => {
            found.insert("token", token_word(*token).to_owned());
            // The kind has no second layer: `session_data` does not count beside a bearer token.
            found.insert("data", "absent".to_owned());
        }
        Layers::Jwt { jwt } => {
            found.insert("jwt", jwt_word(*jwt).to_owned());
        }
        _ => panic!("a kind of layers that no vector knows"),
    }
    let explained = match verdict {
        LayerVerdict::Authenticated { .. } => "authenticated",
        LayerVerdict::LookupRequired => "lookup-required",
        LayerVerdict::Unauthenticated(_) => "unauthenticated",
        LayerVerdict::EffectRequired => "effect-required",
    };
    let (decided, subject) = decide(&mut engine, &head, now);
    // RS256 needs a host: what `explain` cannot know without an effect, the decision does.
    if explained == "effect-required" {
        found.insert(
            "jwt",
            if decided == "authenticated" { "valid" } else { "bad-signature" }.to_owned(),
        );
    } else {
        assert_eq!(explained, decided, "{}: explanation and decision differ", vector["name"]);
    }
    found.insert("verdict", decided.to_owned());
    found.extend(subject.map(|subject| ("subject", subject)));
    found
}

/// The verdict as the engine's decision shows it: forwarded at once, asked about, or refused.
fn decide(
    engine: &mut Engine,
    head: &RequestHead<'_>,
    now: UnixTime,
) -> (&'static str, Option<String>) {
    let mut decision = engine.decide(head, now);
    loop {
        decision = match decision {
            Decision::Perform(pending) => match pending.effect() {
                Effect::Check(check) => {
                    let result = doorward_native::check(check);
                    engine.resume(head, pending, result, now)
                }
                _ => return ("lookup-required", None),
            },
            Decision::Forward(Forward { set, .. }) => {
                let subject = set
                    .iter()
                    .find(|(name, _)| *name == "x-doorward-subject")
                    .map(|(_, subject)| subject);
                return ("authenticated", subject.map(str::to_owned));
            }
            Decision::Redirect(_) | Decision::Reject(_) | Decision::Respond(_) => {
                return ("unauthenticated", None);
            }
        };
    }
}

fn engine(vector: &Value, host: &Capabilities) -> Engine {
    let config = &vector["config"];
    let text = |name: &str| config.get(name).and_then(Value::as_str);
    let secrets: Vec<&str> =
        vector["secrets"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut issuer = json!({
        "type": "better-auth",
        "url": text("issuer").unwrap_or("http://localhost:3000"),
        "secure_cookies": config["secure_prefix"] == true,
        "bearer_tokens": "any",
        "jwks_url": null,
        "clock_tolerance_seconds": 0,
    });
    let mut give = |name: &str, value: Value| {
        issuer.as_object_mut().map(|members| members.insert(name.to_owned(), value))
    };
    if let Some(strategy) = text("strategy") {
        give("cookie_cache", json!(strategy));
    }
    let names = [
        ("cookie_prefix", "cookie_prefix"),
        ("session_token_cookie", "session_token_name"),
        ("session_data_cookie", "session_data_name"),
        ("cookie_cache_version", "cookie_cache_version"),
        ("issuer", "issuer"),
        ("audience", "audience"),
        ("typ", "typ"),
    ];
    for (member, name) in names {
        if let Some(value) = text(name) {
            give(member, json!(value));
        }
    }
    if let Some(jwks) = vector.get("jwks") {
        give("jwks", jwks.clone());
    }
    let mut values = BTreeMap::new();
    match secrets.as_slice() {
        [] => {}
        [secret] => {
            give("secret", json!({ "env": "SECRET" }));
            values.insert("SECRET".to_owned(), (*secret).to_owned());
        }
        list => {
            give("secrets", json!({ "env": "SECRETS" }));
            let entries = list
                .iter()
                .enumerate()
                .map(|(place, secret)| format!("{}:{secret}", list.len() - place));
            values.insert("SECRETS".to_owned(), entries.collect::<Vec<_>>().join(","));
        }
    }
    let document =
        json!({ "issuers": [issuer], "rules": [{ "path": "/**", "access": "required" }] });
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let policy = config
        .compile(&values, host)
        .unwrap_or_else(|errors| panic!("{}: {errors:?}", vector["name"]));
    Engine::new(policy, 1)
}

fn token_word(layer: Layer) -> &'static str {
    match layer {
        Layer::Absent => "absent",
        Layer::Valid => "valid",
        Layer::Unverified => "unverified",
        Layer::Unsigned => "unsigned",
        Layer::Bad(Reason::SignatureInvalid) => "bad-signature",
        Layer::Bad(Reason::CredentialMalformed) => "malformed",
        Layer::Bad(_) | Layer::Unknown => "(not a state of this layer)",
    }
}

fn data_word(layer: Layer) -> &'static str {
    match layer {
        Layer::Bad(
            Reason::IssuerUnknown
            | Reason::AudienceMismatch
            | Reason::ClaimsMalformed
            | Reason::ClaimMissing,
        ) => "wrong-claims",
        layer => word(layer),
    }
}

fn jwt_word(layer: Layer) -> &'static str {
    match layer {
        Layer::Bad(Reason::IssuerUnknown) => "wrong-issuer",
        Layer::Bad(Reason::AudienceMismatch) => "wrong-audience",
        layer => word(layer),
    }
}

/// The vectors' word for a layer's state.
fn word(layer: Layer) -> &'static str {
    let reason = match layer {
        Layer::Absent => return "absent",
        Layer::Valid => return "valid",
        Layer::Unverified | Layer::Unsigned | Layer::Unknown => {
            return "(not a state of this layer)";
        }
        Layer::Bad(reason) => reason,
    };
    match reason {
        Reason::TokenExpired => "expired",
        Reason::SessionExpired => "session-expired",
        Reason::SessionVersion => "version-mismatch",
        Reason::SessionMismatch => "token-mismatch",
        Reason::SignatureInvalid => "bad-signature",
        Reason::KeyNotFound => "unknown-key",
        Reason::TypeMismatch => "wrong-type",
        Reason::TokenMalformed
        | Reason::TokenUnsupported
        | Reason::TokenTooLarge
        | Reason::AlgNotAllowed
        | Reason::CookieIncomplete
        | Reason::CredentialMalformed
        | Reason::ClaimsMalformed
        | Reason::ClaimMissing => "malformed",
        other => other.code(),
    }
}
