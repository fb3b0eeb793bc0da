//! Does it hold for anything? Arbitrary requests, arbitrary replies.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use doorward::{Config, Decision, EffectResult, Engine, RequestHead, UnixTime};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{ORIGIN, moment, text, vector};

/// Names that the engine looks at, and others.
fn header_name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("cookie".to_owned()),
        Just("Cookie".to_owned()),
        Just("authorization".to_owned()),
        Just("x-token".to_owned()),
        Just("origin".to_owned()),
        Just("accept".to_owned()),
        Just("connection".to_owned()),
        Just("next-action".to_owned()),
        Just("x-doorward-subject".to_owned()),
        Just("X_Doorward_Email".to_owned()),
        Just("x.doorward~session".to_owned()),
        "[ -~]{0,20}",
        any::<String>(),
    ]
}

/// Bytes as Fetch hands them over (Latin-1), near-credentials, and anything.
fn header_value() -> impl Strategy<Value = String> {
    let good = [
        text(&vector("compact-valid"), "cookie"),
        format!("Bearer {}", text(&vector("api-jwt-eddsa-valid"), "jwt")),
    ];
    let (cookie, bearer) = (good[0].clone(), good[1].clone());
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200)
            .prop_map(|bytes| bytes.into_iter().map(char::from).collect()),
        any::<String>(),
        "Bearer [A-Za-z0-9._~+/=-]{0,80}",
        "better-auth\\.session_token=[A-Za-z0-9%.=+/-]{0,90}",
        "better-auth\\.session_data(\\.[0-9]{1,3})?=[A-Za-z0-9%._=-]{0,90}; better-auth\\.session_token=.{0,40}",
        (any::<prop::sample::Index>(), any::<char>())
            .prop_map(move |(place, replacement)| with_one_character(&cookie, place, replacement)),
        (any::<prop::sample::Index>(), any::<char>())
            .prop_map(move |(place, replacement)| with_one_character(&bearer, place, replacement)),
    ]
}

fn with_one_character(text: &str, place: prop::sample::Index, replacement: char) -> String {
    let place = place.index(text.chars().count());
    text.chars()
        .enumerate()
        .map(|(number, character)| if number == place { replacement } else { character })
        .collect()
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("/app/x".to_owned()),
        Just("/optional/x?y=1".to_owned()),
        Just("/public/x".to_owned()),
        Just("/nowhere".to_owned()),
        "/(app|public|optional)(/|//|/\\.\\./|%2f|%2e%2e/|;x/|\\\\){1,3}[a-z.%0-9]{0,12}",
        any::<String>(),
    ]
}

/// What a host may come back with: answers of every shape, and failures.
#[derive(Debug, Clone)]
enum Outcome {
    Answered(u16, Vec<u8>),
    Checked(bool),
    Found(Vec<u8>),
    Absent,
    Waited,
    Failed,
    Unsupported,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let jwks = vector("api-jwt-eddsa-valid")["jwks"].to_string().into_bytes();
    prop_oneof![
        (any::<u16>(), proptest::collection::vec(any::<u8>(), 0..60))
            .prop_map(|(status, body)| Outcome::Answered(status, body)),
        Just(Outcome::Answered(200, b"null".to_vec())),
        Just(Outcome::Answered(200, b"{\"keys\":[]}".to_vec())),
        Just(Outcome::Answered(200, jwks)),
        any::<bool>().prop_map(Outcome::Checked),
        Just(Outcome::Answered(200, b"{\"sessions\":[]}".to_vec())),
        proptest::collection::vec(any::<u8>(), 0..60).prop_map(Outcome::Found),
        Just(Outcome::Found(session_of_mallory())),
        Just(Outcome::Absent),
        Just(Outcome::Waited),
        Just(Outcome::Failed),
        Just(Outcome::Unsupported),
    ]
}

/// A session as a storage has it, of somebody whom no request here names.
fn session_of_mallory() -> Vec<u8> {
    let session = json!({ "token": "of-mallory", "userId": "mallory", "expiresAt": "9999-01-01T00:00:00.000Z" });
    json!({ "session": session, "user": { "id": "mallory" } }).to_string().into_bytes()
}

fn with_reply<T>(outcome: &Outcome, use_it: impl FnOnce(EffectResult<'_>) -> T) -> T {
    let headers = [
        ("set-cookie", "better-auth.session_data=; Max-Age=0"),
        ("set-cookie", "other=1"),
        ("cache-control", "max-age=99999999999"),
    ];
    match outcome {
        Outcome::Answered(status, body) => {
            use_it(EffectResult::Answered { status: *status, headers: &headers, body })
        }
        Outcome::Checked(holds) => use_it(EffectResult::Checked(*holds)),
        Outcome::Found(value) => use_it(EffectResult::Found(value)),
        Outcome::Absent => use_it(EffectResult::Absent),
        Outcome::Waited => use_it(EffectResult::Waited),
        Outcome::Failed => use_it(EffectResult::Failed),
        Outcome::Unsupported => use_it(EffectResult::Unsupported),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No request and no reply makes the engine panic or go round for ever, and nobody who is not
    /// the user of the vectors gets an identity.
    #[test]
    fn every_request_ends_and_nobody_is_invented(
        method in prop_oneof![Just("GET".to_owned()), Just("POST".to_owned()), Just("OPTIONS".to_owned()), any::<String>()],
        target in target(),
        headers in proptest::collection::vec((header_name(), header_value()), 0..6),
        public_origin in prop_oneof![Just(ORIGIN.to_owned()), any::<String>()],
        outcomes in proptest::collection::vec(outcome(), 0..12),
        now in prop_oneof![Just(moment(&vector("compact-valid")).as_millis()), any::<i64>()],
        with_stores in any::<bool>(),
    ) {
        let mut engine = if with_stores {
            let storage = json!({ "storage": { "store": "SESSIONS" } });
            support::engine_of(storage, json!({ "deny_list": { "url": "https://ops.test/revoked" } }), &["SESSIONS"])
        } else {
            support::engine()
        };
        let pairs: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let head = RequestHead { method: &method, target: &target, headers: &pairs, public_origin: &public_origin, client_address: None };
        let mut now = UnixTime::from_millis(now);
        let mut decision = engine.decide(&head, now);
        let mut steps = 0;
        let mut outcomes = outcomes.iter();
        while let Decision::Perform(pending) = decision {
            steps += 1;
            prop_assert!(steps < 100, "a request goes round");
            prop_assert!(!format!("{pending:?}").contains("eyJ"), "an effect's Debug shows a token");
            now = now.plus_millis(5);
            decision = with_reply(outcomes.next().unwrap_or(&Outcome::Failed), |result| engine.resume(&head, pending, result, now));
        }
        match decision {
            Decision::Forward(forward) => {
                let is_separator = |letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric();
                let inbound_identity = |name: &str| name.to_lowercase().replace(is_separator, "-").starts_with("x-doorward-");
                for (name, _) in &pairs {
                    prop_assert!(!inbound_identity(name) || forward.remove.iter().any(|removed| removed == name), "{name:?} stays");
                }
                let subjects = forward.set.iter().filter(|(name, _)| *name == "x-doorward-subject").map(|(_, subject)| subject);
                for subject in subjects {
                    // The two subjects of the vectors that these requests are mutated from.
                    prop_assert!(["xGHWBsuARlZ9mkfSDr2de0lTtwWobqEK", "KVEqlSbHXmV2z44nLOZ9W6IKDg0Opmj0"].contains(&subject), "{subject}");
                }
                for (name, value) in forward.set.iter() {
                    prop_assert!(value.bytes().all(|byte| byte.is_ascii_graphic()), "{name}: {value:?}");
                }
            }
            Decision::Redirect(answer) => {
                let ways: Vec<_> = answer.headers.iter().filter(|(name, _)| ["location", "x-action-redirect"].contains(&name.as_str())).collect();
                let [(name, way)] = ways.as_slice() else { panic!("not one way but {ways:?}") };
                let way = if name == "location" { way } else { way.trim_start_matches("./").trim_start_matches("../") };
                prop_assert!(way.trim_start_matches('/').starts_with("sign-in") && !way.starts_with("//"), "{way:?}");
                for (name, value) in &answer.headers {
                    prop_assert!(!value.contains(char::is_control), "{name}: {value:?}");
                }
            }
            Decision::Reject(answer) => {
                prop_assert!((400..600).contains(&answer.status) && answer.status != 500, "{}", answer.status);
                prop_assert_eq!(answer.status, answer.reason.status());
            }
            Decision::Respond(_) => prop_assert!(false, "nothing is served under this policy"),
            Decision::Perform(_) => unreachable!("the loop above ends asks"),
        }
    }

    /// Explaining never panics and changes nothing: the decision afterwards is the same as without
    /// it.
    #[test]
    fn explaining_changes_nothing(headers in proptest::collection::vec((header_name(), header_value()), 0..5)) {
        let pairs: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let head = RequestHead { method: "GET", target: "/app", headers: &pairs, public_origin: ORIGIN, client_address: None };
        let now = moment(&vector("compact-valid"));
        let mut asked = support::engine();
        let mut plain = support::engine();
        let _ = asked.explain(&head, now);
        prop_assert_eq!(format!("{:?}", asked.decide(&head, now)), format!("{:?}", plain.decide(&head, now)));
    }

    /// What has been verified before is judged at its own moment: a warm engine decides as a cold
    /// one does.
    #[test]
    fn a_warm_engine_decides_like_a_cold_one(
        name in prop_oneof![
            Just("compact-valid"), Just("jwt-hs256-valid"), Just("jwe-valid"), Just("compact-chunked-2"), Just("stateless-jwe-7d"),
            Just("api-jwt-eddsa-valid"), Just("jwks-cookie-cache-valid-with-secret"), Just("compact-impersonation"),
        ],
        offsets in proptest::collection::vec(prop_oneof![
            -20_000..20_000_i64, 200_000..400_000_i64, 880_000..920_000_i64, 604_000_000..605_000_000_i64,
            Just(240_000), Just(240_001), Just(239_999), Just(840_000), Just(845_000), Just(844_999), Just(-60_250), Just(-65_250), Just(-65_251),
        ], 2..6),
        max_age in prop_oneof![Just(Value::Null), Just(json!(100))],
    ) {
        let vector = vector(name);
        let members = json!({
            "jwks": vector.get("jwks").cloned().unwrap_or_else(|| json!({ "keys": [] })), "jwks_url": null, "max_age_seconds": max_age,
        });
        let credential = match vector.get("jwt") {
            Some(_) => ("authorization", format!("Bearer {}", text(&vector, "jwt"))),
            None => ("cookie", text(&vector, "cookie")),
        };
        let headers = [(credential.0, credential.1.as_str())];
        let head = RequestHead { method: "GET", target: "/app", headers: &headers, public_origin: ORIGIN, client_address: None };
        let mut warm = support::engine_with(members.clone());
        for offset in offsets {
            let now = moment(&vector).plus_millis(offset);
            let cold = support::engine_with(members.clone()).decide(&head, now);
            // Whom to ask is a matter of leases, and so is when cookies are renewed; whether to ask
            // is not.
            let shown = |mut decision: Decision| {
                if let Decision::Forward(forward) = &mut decision {
                    forward.alongside = None;
                }
                if let Decision::Perform(_) = decision { "ask".to_owned() } else { format!("{decision:?}") }
            };
            prop_assert_eq!(shown(warm.decide(&head, now)), shown(cold), "{} at {}", name, offset);
        }
    }

    /// Any document is a policy or a list of errors with places and hints.
    #[test]
    fn any_configuration_ends_in_a_policy_or_in_errors(text in prop_oneof![any::<String>(), config_like()]) {
        let compiled = Config::parse(&text).and_then(|config| config.compile(&Default::default(), &doorward_native::capabilities()));
        if let Err(errors) = compiled {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| !error.problem.is_empty() && !error.hint.is_empty()));
        }
    }
}

fn config_like() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i32>().prop_map(|number| number.to_string()),
        prop_oneof![
            Just("better-auth"),
            Just("jwt"),
            Just("/**"),
            Just("public"),
            Just("https://a.example"),
            Just("http://b.example"),
            Just("{auth}/x"),
            Just("")
        ]
        .prop_map(|text| format!("{text:?}")),
    ];
    let name = prop_oneof![
        Just("issuers"),
        Just("rules"),
        Just("type"),
        Just("url"),
        Just("path"),
        Just("access"),
        Just("env"),
        Just("secret"),
        Just("jwks"),
        Just("keys"),
        Just("audience"),
        Just("issuer"),
        Just("sign_in"),
        Just("methods"),
        Just("typ"),
        Just("from"),
        Just("x"),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::btree_map(name.clone(), inner, 0..5).prop_map(|members| {
                let members: Vec<String> =
                    members.into_iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// The same calls give the same decisions.
#[test]
fn two_engines_with_one_seed_agree() {
    let vector = vector("compact-expired-by-1ms");
    let cookie = text(&vector, "cookie");
    let headers = [("cookie", cookie.as_str())];
    let head = RequestHead {
        method: "GET",
        target: "/app",
        headers: &headers,
        public_origin: ORIGIN,
        client_address: Some("192.0.2.1"),
    };
    let run = |engine: &mut Engine| {
        let now = moment(&vector);
        let Decision::Perform(pending) = engine.decide(&head, now) else {
            panic!("an expired cache is asked about")
        };
        let asked = format!("{pending:?}");
        format!("{asked} {:?}", engine.resume(&head, pending, EffectResult::Failed, now))
    };
    assert_eq!(run(&mut support::engine()), run(&mut support::engine()));
}
