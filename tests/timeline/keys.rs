//! Keys over time: rotations, outages, floods, a clock that steps back.

use doorward::{Decision, Effect, EffectResult, Engine, PendingEffect, RequestHead, UnixTime};
use serde_json::{Value, json};

use crate::reason;
use crate::support::{self, ORIGIN, moment, text, vector};

fn bearer(name: &str) -> String {
    format!("Bearer {}", text(&vector(name), "jwt"))
}

fn with_head<T>(authorization: &str, act: impl FnOnce(&RequestHead<'_>) -> T) -> T {
    let headers = [("authorization", authorization)];
    act(&RequestHead {
        method: "GET",
        target: "/api/x",
        headers: &headers,
        public_origin: ORIGIN,
        client_address: None,
    })
}

/// Decides, answering every fetch with this key set, until there is something other than a fetch to
/// do.
fn decide_with_keys(
    engine: &mut Engine,
    head: &RequestHead<'_>,
    jwks: &Value,
    now: UnixTime,
) -> Decision {
    let mut decision = engine.decide(head, now);
    while let Decision::Perform(pending) = decision {
        if !matches!(pending.effect(), Effect::Fetch(_)) {
            return Decision::Perform(pending);
        }
        let body = jwks.to_string();
        let result = EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() };
        decision = engine.resume(head, pending, result, now);
    }
    decision
}

/// A key set whose RSA key has the same `kid` and another modulus.
fn with_another_rsa_key(jwks: &Value) -> Value {
    let mut other = jwks.clone();
    for key in other["keys"].as_array_mut().into_iter().flatten() {
        let n = key["n"].as_str().unwrap_or_default().to_owned();
        let middle = n.len() / 2;
        let swapped = if n.as_bytes()[middle] == b'A' { "B" } else { "A" };
        key["n"] = json!(format!("{}{swapped}{}", &n[..middle], &n[middle + 1..]));
    }
    other
}

/// The platform says yes, but to a key that has been replaced in the meantime: that is no yes.
#[test]
fn a_verdict_on_a_replaced_key_counts_for_nothing() {
    let good = vector("api-jwt-rs256-valid");
    let start = moment(&good);
    let mut engine = support::engine();
    let authorization = bearer("api-jwt-rs256-valid");
    let asked =
        with_head(&authorization, |head| decide_with_keys(&mut engine, head, &good["jwks"], start));
    let Decision::Perform(pending) = asked else { panic!("RS256 is checked by the host") };

    // A token with an unknown `kid` makes the engine fetch again, and the key behind the
    // first `kid` is another now.
    let later = start.plus_millis(11_000);
    let unknown = with_head(&bearer("api-jwt-rotation-new-key"), |head| {
        decide_with_keys(&mut engine, head, &with_another_rsa_key(&good["jwks"]), later)
    });
    assert_eq!(reason(&unknown), "key_not_found");

    let decision = with_head(&authorization, |head| {
        engine.resume(head, pending, EffectResult::Checked(true), later)
    });
    assert_eq!(reason(&decision), "signature_check_unavailable");
}

/// What an old key has proven ends with the old key.
#[test]
fn a_proof_ends_with_its_key() {
    let good = vector("api-jwt-eddsa-valid");
    let start = moment(&good);
    let mut engine = support::engine();
    let decide = |engine: &mut Engine, name: &str, jwks: &Value, now: UnixTime| {
        with_head(&bearer(name), |head| reason(&decide_with_keys(engine, head, jwks, now)))
    };
    assert_eq!(decide(&mut engine, "api-jwt-eddsa-valid", &good["jwks"], start), "forward");
    let without = vector("api-jwt-rs256-valid")["jwks"].clone();
    let later = start.plus_millis(11_000);
    assert_eq!(
        decide(&mut engine, "api-jwt-eddsa-valid", &without, later),
        "forward",
        "it is in the cache"
    );
    assert_eq!(
        decide(&mut engine, "api-jwt-rotation-new-key", &without, later),
        "key_not_found",
        "this fetches the new set"
    );
    assert_eq!(
        decide(&mut engine, "api-jwt-eddsa-valid", &without, later.plus_millis(1)),
        "key_not_found"
    );
}

/// All asks of a request share three seconds: after one that has taken two, the next is given one.
#[test]
fn the_second_of_two_slow_fetches_is_given_what_is_left() {
    let good = vector("api-jwt-eddsa-valid");
    let (start, jwks) = (moment(&good), good["jwks"].to_string());
    let jwt = text(&good, "jwt");
    let session = json!({ "token": "a-session-token-of-more-than-32-bytes", "userId": "ada", "expiresAt": "2030-01-01T00:00:00.000Z" });
    let session = json!({ "session": session, "user": { "id": "ada" } }).to_string();
    let headers = [
        ("authorization", "Bearer a-session-token-of-more-than-32-bytes"),
        ("x-token", jwt.as_str()),
    ];
    let head = RequestHead {
        method: "GET",
        target: "/api/x",
        headers: &headers,
        public_origin: ORIGIN,
        client_address: None,
    };
    let mut engine = support::engine();
    let mut decision = engine.decide(&head, start);
    let mut asked = Vec::new();
    while let Decision::Perform(pending) = decision {
        let Effect::Fetch(fetch) = pending.effect() else { panic!("{pending:?}") };
        asked.push((fetch.purpose, fetch.timeout_ms));
        let body = if asked.len() == 1 { &session } else { &jwks };
        let now = start.plus_millis(2000);
        decision = engine.resume(
            &head,
            pending,
            EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() },
            now,
        );
    }
    assert_eq!(asked, [("session", 2000), ("keys", 1000)]);
    assert_eq!(reason(&decision), "credential_ambiguous", "the two are of different people");
}

/// Ten thousand unknown `kid`s cost one fetch per cool-down.
#[test]
fn a_flood_of_unknown_kids_is_bounded() {
    let good = vector("api-jwt-eddsa-valid");
    let start = moment(&good);
    let mut engine = support::engine();
    let token = text(&good, "jwt");
    let (_, rest) = token.split_once('.').unwrap_or_default();
    let body = good["jwks"].to_string();
    let mut fetches = 0;
    for number in 0..10_000_i64 {
        let header = format!("{{\"alg\":\"EdDSA\",\"kid\":\"{number}\"}}");
        let authorization = format!("Bearer {}.{rest}", base64url(header.as_bytes()));
        let now = start.plus_millis(number * 6);
        with_head(&authorization, |head| {
            let mut decision = engine.decide(head, now);
            while let Decision::Perform(pending) = decision {
                fetches += 1;
                decision = engine.resume(
                    head,
                    pending,
                    EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() },
                    now,
                );
            }
            assert_eq!(reason(&decision), "key_not_found");
        });
    }
    // A minute of flood: at the beginning, and after each cool-down of ten seconds.
    assert!((5..=7).contains(&fetches), "{fetches} fetches");
}

/// A clock that steps back an hour freezes nothing: the next request fetches, and good tokens pass
/// all the while.
#[test]
fn a_clock_that_steps_back_freezes_nothing() {
    let good = vector("api-jwt-eddsa-valid");
    let start = moment(&good);
    let mut engine = support::engine_with(json!({ "clock_tolerance_seconds": 60 }));
    let authorization = bearer("api-jwt-eddsa-valid");
    let ahead = start.plus_millis(600_000);
    let first =
        with_head(&authorization, |head| decide_with_keys(&mut engine, head, &good["jwks"], ahead));
    assert_eq!(reason(&first), "forward");
    let back = with_head(&authorization, |head| engine.decide(head, start));
    let Decision::Forward(forward) = back else { panic!("{}", reason(&back)) };
    assert!(
        forward.after.is_some(),
        "how old the keys are is not known any more: they are fetched anew"
    );
}

/// An outage of the key server: tokens of known keys pass, the fetches back off, and recovery is
/// noticed.
#[test]
fn an_outage_of_the_key_server_signs_nobody_out() {
    let good = vector("api-jwt-eddsa-valid");
    let start = moment(&good);
    let mut engine = support::engine();
    let authorization = bearer("api-jwt-eddsa-valid");
    let first =
        with_head(&authorization, |head| decide_with_keys(&mut engine, head, &good["jwks"], start));
    assert_eq!(reason(&first), "forward");
    let mut refreshes = 0;
    for second in 1..830_i64 {
        let now = start.plus_millis(second * 1000);
        let decision = with_head(&authorization, |head| engine.decide(head, now));
        let Decision::Forward(forward) = decision else {
            panic!("second {second}: {}", reason(&decision))
        };
        if let Some(pending) = forward.after {
            refreshes += 1;
            engine.receive(pending, EffectResult::Failed, now);
        }
    }
    // From the fifth minute on, at most one a second at first and one in thirty later.
    assert!((10..40).contains(&refreshes), "{refreshes} refreshes");
}

/// Decides on a good token, answering every fetch, those for after the response included. Gives the
/// reason and what was fetched.
fn view(
    engine: &mut Engine,
    authorization: &str,
    jwks: &str,
    now: UnixTime,
) -> (&'static str, Vec<&'static str>) {
    let mut fetched = Vec::new();
    let mut body = |pending: &PendingEffect| {
        let Effect::Fetch(fetch) = pending.effect() else { panic!("{pending:?}") };
        fetched.push(fetch.purpose);
        if fetch.purpose == "keys" {
            jwks.to_owned()
        } else {
            json!({ "sessions": [] }).to_string()
        }
    };
    let reason = with_head(authorization, |head| {
        let mut decision = engine.decide(head, now);
        while let Decision::Perform(pending) = decision {
            let body = body(&pending);
            decision = engine.resume(
                head,
                pending,
                EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() },
                now,
            );
        }
        let name = reason(&decision);
        if let Decision::Forward(forward) = decision
            && let Some(pending) = forward.after
        {
            let body = body(&pending);
            engine.receive(
                pending,
                EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() },
                now,
            );
        }
        name
    });
    (reason, fetched)
}

/// With a request every 45 seconds the deny-list is due each time, and the keys are fetched all the
/// same: a key that has been withdrawn passes for hardly longer than its set is fresh.
#[test]
fn a_list_that_is_always_due_does_not_keep_the_keys_from_being_fetched() {
    let good = vector("api-jwt-eddsa-valid");
    let start = moment(&good);
    let without = vector("api-jwt-rs256-valid")["jwks"].to_string();
    let mut engine = support::engine_of(
        json!({}),
        json!({ "deny_list": { "url": "https://ops.example.com/list" } }),
        &[],
    );
    let authorization = bearer("api-jwt-eddsa-valid");
    assert_eq!(view(&mut engine, &authorization, &good["jwks"].to_string(), start).0, "forward");
    let mut fetched = Vec::new();
    let mut last = 0;
    for second in (45..900).step_by(45) {
        let (reason, more) =
            view(&mut engine, &authorization, &without, start.plus_millis(second * 1000));
        fetched.extend(more);
        last = if reason == "forward" { second } else { last };
    }
    let lists = fetched.iter().filter(|purpose| **purpose == "deny-list").count();
    assert!(last < 400 && lists >= 5, "it passes until {last} s; {fetched:?}");
}

/// A copy that comes after a newer set, because its request took long, changes nothing.
#[test]
fn a_late_copy_does_not_bring_a_withdrawn_key_back() {
    let good = vector("api-jwt-eddsa-valid");
    let start = moment(&good);
    let mut engine = support::engine();
    let authorization = bearer("api-jwt-eddsa-valid");
    let Decision::Perform(slow) = with_head(&authorization, |head| engine.decide(head, start))
    else {
        panic!("there are no keys yet")
    };
    let later = start.plus_millis(2300);
    let without = vector("api-jwt-rs256-valid")["jwks"].to_string();
    assert_eq!(view(&mut engine, &authorization, &without, later).0, "key_not_found");
    let (fetched, until) = (later.as_millis() - 250_000, later.as_millis() + 50_000);
    let copy = format!("doorward-copy-1 {fetched} {until}\n\n{}", good["jwks"]);
    let decision = with_head(&authorization, |head| {
        engine.resume(head, slow, EffectResult::Copied(copy.as_bytes()), later)
    });
    assert_ne!(reason(&decision), "forward");
    assert_eq!(
        view(&mut engine, &authorization, &without, later.plus_millis(1)).0,
        "key_not_found"
    );
}

/// Of a set with more keys than are looked at it cannot be said that a key is not in it.
#[test]
fn a_set_that_is_cut_proves_no_absence() {
    let good = vector("api-jwt-eddsa-valid");
    let start = moment(&good);
    let authorization = bearer("api-jwt-eddsa-valid");
    let own = good["jwks"]["keys"].as_array().cloned().unwrap_or_default();
    let other = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "other" });
    for (others, expected) in [(512 - own.len(), "forward"), (512, "keys_unavailable")] {
        let keys: Vec<Value> =
            std::iter::repeat_n(other.clone(), others).chain(own.clone()).collect();
        let set = json!({ "keys": keys }).to_string();
        assert_eq!(
            view(&mut support::engine(), &authorization, &set, start).0,
            expected,
            "{others} other keys"
        );
    }
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// A CDN that serves the old set for a minute after a rotation: old tokens pass all the while, new
/// ones as soon as it has caught up, and the tokens by unknown keys cost one fetch per
/// cool-down.
#[test]
fn a_rotation_behind_a_lagging_cdn_is_survived() {
    let (old, new) =
        (vector("api-jwt-rotation-old-key-in-grace"), vector("api-jwt-rotation-new-key"));
    let start = moment(&new);
    let kid = |vector: &Value| {
        let header =
            text(vector, "jwt").split('.').next().and_then(from_base64url).unwrap_or_default();
        serde_json::from_slice::<Value>(&header).unwrap_or_default()["kid"].clone()
    };
    let mut lagging = new["jwks"].clone();
    if let Some(keys) = lagging["keys"].as_array_mut() {
        keys.retain(|key| key["kid"] != kid(&new));
        assert_eq!(keys.len(), 1);
    }
    let mut engine = support::engine();
    let (mut fetches, mut passed_at) = (0, None);
    for second in 0..120_i64 {
        let now = start.plus_millis(second * 1000);
        let body = if second < 60 { lagging.to_string() } else { new["jwks"].to_string() };
        for name in ["api-jwt-rotation-old-key-in-grace", "api-jwt-rotation-new-key"] {
            let how = with_head(&bearer(name), |head| {
                let mut decision = engine.decide(head, now);
                while let Decision::Perform(pending) = decision {
                    fetches += 1;
                    decision = engine.resume(
                        head,
                        pending,
                        EffectResult::Answered {
                            status: 200,
                            headers: &[("age", "30")],
                            body: body.as_bytes(),
                        },
                        now,
                    );
                }
                reason(&decision)
            });
            match how {
                "forward" if name.ends_with("new-key") => passed_at = passed_at.or(Some(second)),
                "key_not_found" if name.ends_with("new-key") && passed_at.is_none() => {}
                "forward" => {}
                other => panic!("second {second}: {name}: {other}"),
            }
        }
    }
    println!(
        "a lagging CDN: the new key counts after {passed_at:?} s, {fetches} fetches in two minutes"
    );
    assert!(passed_at.is_some_and(|second| (60..=70).contains(&second)), "{passed_at:?}");
    assert!(fetches <= 9, "{fetches} fetches");
    assert_ne!(text(&old, "jwt"), text(&new, "jwt"));
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
