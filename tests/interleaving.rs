//! Many requests, one engine: random schedules in virtual time, with slow, failing and lost
//! replies.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use std::collections::BTreeMap;

use doorward::{Decision, Effect, EffectResult, PendingEffect, RequestHead, UnixTime};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{ORIGIN, moment, text, vector};

/// Longest life of a lease, as `asks` states it: after that its owner counts as dead.
const LEASE_MILLIS: i64 = 2250;
/// A request's budget, and one fetch's.
const BUDGET_MILLIS: i64 = 3000;
const FETCH_MILLIS: i64 = 2000;

/// What a request brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brings {
    /// A session whose cookie cache has expired: has to be asked about.
    StaleSession,
    /// A JWT by the key set.
    Jwt,
    /// A JWT of another algorithm, whose signature the host checks.
    Rs256,
    /// Both a stale session and a JWT of the same kind of service.
    Tampered,
    /// A JWT with an unknown `kid`.
    UnknownKid,
}

/// What happens to an effect.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered {
        after_millis: i64,
    },
    Failed {
        after_millis: i64,
    },
    /// The host never comes back: its request was cancelled.
    Lost,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    brings: Brings,
    arrives_millis: i64,
}

fn plan() -> impl Strategy<Value = Plan> {
    let brings = prop_oneof![
        Just(Brings::StaleSession),
        Just(Brings::Jwt),
        Just(Brings::Rs256),
        Just(Brings::Tampered),
        Just(Brings::UnknownKid),
    ];
    (brings, prop_oneof![0..50_i64, 0..9000_i64])
        .prop_map(|(brings, arrives_millis)| Plan { brings, arrives_millis })
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0..1900_i64).prop_map(|after_millis| Fate::Answered { after_millis }),
        2 => (0..FETCH_MILLIS).prop_map(|after_millis| Fate::Failed { after_millis }),
        1 => Just(Fate::Lost),
    ]
}

/// The heads, built once from Better Auth's vectors.
struct World {
    stale: Value,
    jwt: Value,
    rs256: Value,
    unknown_kid: Value,
    jwks: String,
    session: String,
}

impl World {
    fn new() -> Self {
        let (jwt, rs256, stale) = (
            vector("api-jwt-eddsa-valid"),
            vector("api-jwt-rs256-valid"),
            vector("compact-expired-by-1ms"),
        );
        let keys: Vec<Value> = [&jwt, &rs256]
            .iter()
            .flat_map(|vector| vector["jwks"]["keys"].as_array().cloned().unwrap_or_default())
            .collect();
        let valid = vector("compact-valid");
        let session = json!({ "session": valid["expect"]["decoded_payload"]["session"], "user": valid["expect"]["decoded_payload"]["user"] });
        Self {
            stale,
            jwt,
            rs256,
            unknown_kid: vector("api-jwt-rotation-new-key"),
            jwks: json!({ "keys": keys }).to_string(),
            session: session.to_string(),
        }
    }

    fn header(&self, brings: Brings) -> (&'static str, String) {
        let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
        match brings {
            Brings::StaleSession => ("cookie", text(&self.stale, "cookie")),
            Brings::Jwt => bearer(&text(&self.jwt, "jwt")),
            Brings::Rs256 => bearer(&text(&self.rs256, "jwt")),
            Brings::Tampered => bearer(&text(&self.jwt, "jwt").replacen(".TLDD", ".ALDD", 1)),
            Brings::UnknownKid => bearer(&text(&self.unknown_kid, "jwt")),
        }
    }
}

/// One request under way.
struct Flight {
    plan: Plan,
    state: State,
    started: i64,
    asked: Vec<String>,
}

#[allow(clippy::large_enum_variant)] // a few dozen live in a test
enum State {
    NotYet,
    Out { pending: PendingEffect, fate: Fate, due: i64, what: String },
    Done(String),
    Cancelled,
}

/// What the engine knows besides the auth service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    /// A deny-list at a URL, and the service's storage.
    ListAndStorage,
}

fn simulate(
    plans: &[Plan],
    fates: &[Fate],
    beside: Beside,
) -> Result<BTreeMap<String, u32>, TestCaseError> {
    let world = World::new();
    let mut engine = match beside {
        Beside::Nothing => support::engine_with(json!({ "session_cache_seconds": 10 })),
        Beside::ListAndStorage => support::engine_of(
            json!({ "session_cache_seconds": 10, "storage": { "store": "SESSIONS" } }),
            json!({ "deny_list": { "url": "https://ops.test/revoked", "refresh_seconds": 1, "max_stale_seconds": 4 } }),
            &["SESSIONS"],
        ),
    };
    let start = moment(&vector("compact-expired-by-1ms")).as_millis();
    let mut fates = fates.iter().copied().cycle();
    let mut flights: Vec<Flight> = plans
        .iter()
        .map(|plan| Flight { plan: *plan, state: State::NotYet, started: 0, asked: Vec::new() })
        .collect();
    let mut leases: BTreeMap<String, i64> = BTreeMap::new();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut clock = 0_i64;
    loop {
        // The next thing that happens: an arrival or a reply, the earliest first.
        let next = flights
            .iter()
            .enumerate()
            .filter_map(|(number, flight)| match &flight.state {
                State::NotYet => Some((flight.plan.arrives_millis, number)),
                State::Out { due, .. } => Some((*due, number)),
                State::Done(_) | State::Cancelled => None,
            })
            .min();
        let Some((due, number)) = next else { break };
        clock = clock.max(due);
        let now = UnixTime::from_millis(start + clock);
        let flight = &mut flights[number];
        let (name, value) = world.header(flight.plan.brings);
        let headers = [(name, value.as_str())];
        let head = RequestHead {
            method: "GET",
            target: "/api/x",
            headers: &headers,
            public_origin: ORIGIN,
            client_address: None,
        };
        let decision = match std::mem::replace(&mut flight.state, State::Cancelled) {
            State::NotYet => {
                flight.started = clock;
                engine.decide(&head, now)
            }
            State::Out { pending, fate, what, .. } => {
                if let Fate::Lost = fate {
                    *counts.entry("lost".to_owned()).or_default() += 1;
                    continue;
                }
                leases.remove(&what);
                let verdict = match pending.effect() {
                    Effect::Check(check) => doorward_native::check(check),
                    _ => EffectResult::Failed,
                };
                let result = match (pending.effect(), fate) {
                    (Effect::Wait { .. }, _) => EffectResult::Waited,
                    (_, Fate::Failed { .. }) => EffectResult::Failed,
                    (Effect::Check(_), _) => verdict,
                    (Effect::Sign(_), _) => EffectResult::Unsupported,
                    (Effect::Read(read), _) if read.key.starts_with("revoked-") => {
                        EffectResult::Absent
                    }
                    (Effect::Read(_), _) => EffectResult::Found(world.session.as_bytes()),
                    (Effect::Fetch(fetch), _) => {
                        let body = match fetch.purpose {
                            "keys" => &world.jwks,
                            "deny-list" => r#"{"sessions":["another"]}"#,
                            _ => &world.session,
                        };
                        EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() }
                    }
                };
                engine.resume(&head, pending, result, now)
            }
            State::Done(_) | State::Cancelled => continue,
        };
        prop_assert!(
            clock - flight.started <= BUDGET_MILLIS + FETCH_MILLIS,
            "a request outlives its budget"
        );
        flight.state = match decision {
            Decision::Perform(pending) => {
                let (what, due, fate) = match pending.effect() {
                    Effect::Wait { millis } => (
                        String::new(),
                        clock + i64::from(*millis),
                        Fate::Answered { after_millis: 0 },
                    ),
                    Effect::Sign(_) => (String::new(), clock, Fate::Answered { after_millis: 0 }),
                    Effect::Read(read) => {
                        let what = format!("read {}", read.key);
                        prop_assert!(
                            leases.get(&what).is_none_or(|until| *until <= clock),
                            "two reads under one lease"
                        );
                        leases.insert(what.clone(), clock + LEASE_MILLIS);
                        *counts.entry("read".to_owned()).or_default() += 1;
                        let fate = fates.next().unwrap_or(Fate::Lost);
                        (what, clock + after(fate).min(i64::from(read.timeout_ms)), fate)
                    }
                    Effect::Check(check) => {
                        let what = format!("check {:?}", check.signature);
                        let fate = fates.next().unwrap_or(Fate::Lost);
                        (what, clock + after(fate), fate)
                    }
                    Effect::Fetch(fetch) => {
                        let credential = fetch
                            .headers
                            .iter()
                            .find(|(name, _)| name == "cookie" || name == "authorization");
                        let what = format!("{} {} {credential:?}", fetch.purpose, fetch.url);
                        let until = leases.get(&what).copied();
                        prop_assert!(
                            until.is_none_or(|until| until <= clock),
                            "two fetches under one lease: {}",
                            fetch.purpose
                        );
                        leases.insert(what.clone(), clock + LEASE_MILLIS);
                        *counts.entry(fetch.purpose.to_owned()).or_default() += 1;
                        let fate = fates.next().unwrap_or(Fate::Lost);
                        (what, clock + after(fate), fate)
                    }
                };
                if !what.is_empty() {
                    prop_assert!(!flight.asked.contains(&what), "a request asks twice: {what}");
                    flight.asked.push(what.clone());
                }
                State::Out { pending, fate, due, what }
            }
            Decision::Forward(forward) => {
                if let Some(after) = forward.after {
                    engine.receive(after, EffectResult::Failed, now);
                }
                let good = matches!(
                    flight.plan.brings,
                    Brings::StaleSession | Brings::Jwt | Brings::Rs256
                );
                prop_assert!(good, "{:?} passes", flight.plan.brings);
                prop_assert!(forward.set.iter().any(|(name, _)| name == "x-doorward-subject"));
                State::Done("forward".to_owned())
            }
            Decision::Respond(_) => State::Done("respond".to_owned()),
            Decision::Redirect(answer) | Decision::Reject(answer) => {
                let expected: &[&str] = match flight.plan.brings {
                    Brings::StaleSession => &["session_unavailable"],
                    Brings::Jwt => &["keys_unavailable"],
                    Brings::Rs256 => &["keys_unavailable", "signature_check_unavailable"],
                    Brings::Tampered => &["keys_unavailable", "signature_invalid"],
                    Brings::UnknownKid => &["keys_unavailable", "key_not_found"],
                };
                let is_in_doubt =
                    beside != Beside::Nothing && answer.reason.code() == "revocation_unavailable";
                prop_assert!(
                    is_in_doubt || expected.contains(&answer.reason.code()),
                    "{:?}: {}",
                    flight.plan.brings,
                    answer.reason.code()
                );
                State::Done(answer.reason.code().to_owned())
            }
        };
        if let State::Done(how) = &flights[number].state {
            *counts.entry(how.clone()).or_default() += 1;
        }
    }
    let ended = flights
        .iter()
        .filter(|flight| matches!(flight.state, State::Done(_) | State::Cancelled))
        .count();
    prop_assert_eq!(ended, flights.len());
    Ok(counts)
}

fn after(fate: Fate) -> i64 {
    match fate {
        Fate::Answered { after_millis } | Fate::Failed { after_millis } => after_millis,
        Fate::Lost => FETCH_MILLIS,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// At most one ask per purpose and subject per request, one fetch per lease, every request
    /// ends, and each ends as its credential deserves.
    #[test]
    fn interleaved_requests_share_one_fetch_and_all_end(
        plans in proptest::collection::vec(plan(), 12..40),
        fates in proptest::collection::vec(fate(), 1..30),
    ) {
        simulate(&plans, &fates, Beside::Nothing)?;
        simulate(&plans, &fates, Beside::ListAndStorage)?;
    }
}

/// The property above can see something: in a calm world a burst asks once and everybody good goes
/// on.
#[test]
fn a_burst_asks_once() {
    let burst =
        |brings| (0..20).map(|number| Plan { brings, arrives_millis: number }).collect::<Vec<_>>();
    let calm = [Fate::Answered { after_millis: 100 }];
    let counts = simulate(&burst(Brings::StaleSession), &calm, Beside::Nothing)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(counts, BTreeMap::from([("forward".to_owned(), 20), ("session".to_owned(), 1)]));
    let counts = simulate(&burst(Brings::Jwt), &calm, Beside::Nothing)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(counts, BTreeMap::from([("forward".to_owned(), 20), ("keys".to_owned(), 1)]));
    let counts = simulate(&burst(Brings::UnknownKid), &calm, Beside::Nothing)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(counts, BTreeMap::from([("key_not_found".to_owned(), 20), ("keys".to_owned(), 1)]));
    let counts = simulate(&burst(Brings::StaleSession), &calm, Beside::ListAndStorage)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        counts,
        BTreeMap::from([
            ("forward".to_owned(), 20),
            ("read".to_owned(), 2),
            ("deny-list".to_owned(), 1)
        ])
    );
}

/// A lease whose owner died is taken over within the budget of those who wait for it.
#[test]
fn a_dead_owner_is_survived() {
    let plans: Vec<Plan> = [0, 100, 200]
        .map(|arrives_millis| Plan { brings: Brings::StaleSession, arrives_millis })
        .to_vec();
    let fates = [Fate::Lost, Fate::Answered { after_millis: 50 }];
    let counts =
        simulate(&plans, &fates, Beside::Nothing).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        counts,
        BTreeMap::from([
            ("forward".to_owned(), 2),
            ("lost".to_owned(), 1),
            ("session".to_owned(), 2)
        ])
    );
}
