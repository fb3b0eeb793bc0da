//! How late a revocation is noticed: every row of the table in `docs/revocation.md`, played at its
//! worst moment. The last request that passes must come no later than the table says, and no more
//! than a second earlier: a number that is only safe says nothing.

use doorward::{Decision, Effect, EffectResult, Engine, RequestHead, UnixTime};
use serde_json::{Value, json};

use crate::service::Fault;
use crate::support::{self, ORIGIN, text, vector};
use crate::world::{START, View, World};

const PAGE: &str = include_str!("../../docs/revocation.md");
const SECOND: i64 = 1000;
const URL: &str = "https://ops.example.com/revoked.json";
const KEY: &str = "doorward-deny-list";
/// How late Workers KV shows a change.
const KV_LAG: i64 = 60 * SECOND;

/// When the last request passes that comes after the revocation, in milliseconds: the world is at
/// its worst moment then.
type LastPass = fn(lag: i64) -> i64;

/// Each row by its name, with the lag that its formula gives for the values of the test.
const ROWS: &[(&str, i64, LastPass)] = &[
    ("a cookie cache", 300, |lag| session(lag, json!({}), json!({}), |_| Fault::None, None)),
    ("no cookie cache", 10 + 2, |lag| {
        session(lag, json!({ "cookie_cache": "off" }), json!({}), slow_before, Some(-10))
    }),
    ("`max_staleness_seconds` of 60", 60, |lag| {
        session(lag, json!({}), ruled(60), |_| Fault::None, None)
    }),
    ("`max_staleness_seconds` of 0", 2, |lag| {
        session(lag, json!({}), ruled(0), slow_before, Some(-10))
    }),
    ("`stale_if_error_seconds` of 600, the service away", 600 + 2, |lag| {
        session(
            lag,
            json!({ "cookie_cache": "off", "stale_if_error_seconds": 600 }),
            json!({}),
            away_after,
            Some(-10),
        )
    }),
    ("a deny-list at a URL", 2 * 30, |lag| {
        listed(lag, json!({ "url": URL }), URL, 0, |_| Fault::None)
    }),
    ("a deny-list at a URL, copied from a shared cache", 2 * 30, copied),
    ("a deny-list at a URL, that away", 300, |lag| {
        listed(lag, json!({ "url": URL }), URL, 0, down_after)
    }),
    ("a deny-list by a function", 2 * 30, |lag| {
        listed(lag, json!({ "store": "LISTS" }), KEY, 0, |_| Fault::None)
    }),
    ("a deny-list in Workers KV", 2 * 30 + 60, |lag| {
        listed(lag, json!({ "store": "LISTS" }), KEY, KV_LAG, |_| Fault::None)
    }),
    ("a deny-list in Workers KV, that away", 300 + 60, |lag| {
        listed(lag, json!({ "store": "LISTS" }), KEY, KV_LAG, down_later)
    }),
    ("`storage` in Redis", 10 + 1, |lag| stored(lag, 0)),
    ("`storage` in Workers KV", 10 + 60 + 1, |lag| stored(lag, KV_LAG)),
    ("a JWT of 15 minutes", 900 + 5, |lag| jwt(lag, json!({}), json!({}))),
    ("a JWT, `max_age_seconds` of 120", 120 + 5, |lag| {
        jwt(lag, json!({ "max_age_seconds": 120 }), json!({}))
    }),
    ("a JWT, `max_staleness_seconds` of 60", 60, |lag| jwt(lag, json!({}), ruled(60))),
];

#[test]
fn a_revocation_is_noticed_no_later_than_the_page_says() {
    let mut told: Vec<(String, String)> = Vec::new();
    let lines = PAGE
        .split("## How late")
        .nth(1)
        .unwrap_or_default()
        .lines()
        .skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        told.push((cells[0].to_owned(), cells[2].to_owned()));
    }
    let expected: Vec<(String, String)> =
        ROWS.iter().map(|(name, lag, _)| ((*name).to_owned(), format!("{lag} s"))).collect();
    assert_eq!(told, expected);
    for (name, lag, last_pass) in ROWS {
        let lag = lag * SECOND;
        let last = last_pass(lag);
        println!("lag: {name}: {last} ms of {lag}");
        assert!(
            last <= lag,
            "{name}: a request passes {last} ms after the revocation, not {lag} ms at most"
        );
        assert!(
            last > lag - SECOND,
            "{name}: no request passes later than {last} ms: {lag} ms is only safe"
        );
    }
    println!("lags: {} rows", ROWS.len());
}

fn slow_before(at: i64) -> Fault {
    if at < START { Fault::Slow(1990) } else { Fault::None }
}

fn away_after(at: i64) -> Fault {
    if at < START { Fault::Slow(1990) } else { Fault::Down }
}

fn down_after(at: i64) -> Fault {
    if at < START { Fault::None } else { Fault::Down }
}

fn down_later(at: i64) -> Fault {
    if at < START + KV_LAG { Fault::None } else { Fault::Down }
}

fn ruled(max_staleness: u32) -> Value {
    json!({ "rules": [{ "path": ["/app/**", "/api/**"], "access": "required", "max_staleness_seconds": max_staleness }] })
}

/// The last pass among one request each at many moments, each in a world of its own, and among a
/// request a second in one world. `world` is as it is when a session has just been revoked; what
/// passed in it by then, passed at `before`.
fn probe(lag: i64, world: impl Fn() -> (World, i64, usize)) -> i64 {
    let view = |at, jar| View { at, jar, target: "/app" };
    let seconds = (0..lag / SECOND + 30).map(|second| second * SECOND);
    let moments: Vec<i64> =
        seconds.chain((1..=10).map(|back| lag - back * 5)).chain([lag - 1, lag, lag + 1]).collect();
    let mut last = world().1;
    for moment in &moments {
        let (mut world, before, jar) = world();
        if *moment > before {
            let outcome = world.view(START + moment, jar);
            last = if outcome.status == 200 { last.max(outcome.at - START) } else { last };
        }
    }
    let (mut world, before, jar) = world();
    let steady: Vec<View> = moments
        .iter()
        .filter(|moment| **moment > before && **moment % SECOND == 0)
        .map(|moment| view(START + moment, jar))
        .collect();
    let outcomes = world.play(&steady);
    outcomes
        .iter()
        .filter(|outcome| outcome.status == 200)
        .map(|outcome| outcome.at - START)
        .chain([last])
        .max()
        .unwrap_or(last)
}

/// Revoked at the service.
fn session(
    lag: i64,
    issuer: Value,
    document: Value,
    fault: fn(i64) -> Fault,
    first: Option<i64>,
) -> i64 {
    probe(lag, || {
        let mut world = World::with(issuer.clone(), document.clone());
        world.service.fault = fault;
        let jar = world.browser_of("ada", START);
        let first = first.map(|at| world.view(START + at, jar));
        assert!(first.iter().all(|outcome| outcome.status == 200), "{first:?}");
        world.service.rows.clear();
        (world, first.map_or(0, |outcome| outcome.at - START), jar)
    })
}

/// Revoked on the list, just after it has been fetched.
fn listed(lag: i64, deny_list: Value, place: &str, shelf_lag: i64, fault: fn(i64) -> Fault) -> i64 {
    probe(lag, || {
        let mut world = World::with(json!({}), json!({ "deny_list": deny_list }));
        world.service.cache_millis = 3_600_000;
        world.shelf.lag = shelf_lag;
        world.shelf.fault = fault;
        world.shelf.put(place, Some(json!({ "sessions": [] }).to_string()), START - 120 * SECOND);
        world.shelf.put(place, Some(json!({ "sessions": ["s"] }).to_string()), START);
        let jar = world.browser_of("ada", START - SECOND);
        let first = world.view(START + shelf_lag - 1, jar);
        assert_eq!(first.status, 200, "{first:?}");
        (world, first.at - START, jar)
    })
}

/// Revoked at the service, which takes the session out of its storage.
fn stored(lag: i64, shelf_lag: i64) -> i64 {
    probe(lag, || {
        let storage = json!({ "store": "SESSIONS", "lag_seconds": shelf_lag / SECOND });
        let mut world =
            World::with(json!({ "cookie_cache": "off", "storage": storage }), json!({}));
        world.shelf.lag = shelf_lag;
        world.shelf.fault = |_| Fault::Slow(490);
        let jar = world.browser_of("ada", START - SECOND);
        let (token, pair) = world.service.stored(START - SECOND);
        world.shelf.put(&token, Some(pair), START - 120 * SECOND);
        world.shelf.put(&token, None, START);
        world.service.rows.clear();
        let first = world.view(START + shelf_lag - 10, jar);
        assert_eq!(first.status, 200, "{first:?}");
        assert!(world.service.asked.is_empty(), "the storage was enough");
        (world, first.at - START, jar)
    })
}

/// Revoked on the list, of which another instance has just left a copy: every request comes to an
/// instance that has just started.
fn copied(lag: i64) -> i64 {
    let good = vector("api-jwt-eddsa-valid");
    let (keys, authorization) =
        (good["jwks"].to_string(), format!("Bearer {}", text(&good, "jwt")));
    let t0 = support::moment(&good).plus_millis(10_000);
    let revoked =
        json!({ "not_before": { "KVEqlSbHXmV2z44nLOZ9W6IKDg0Opmj0": t0.as_millis() / SECOND } })
            .to_string();
    let mut copy = None;
    let mut passes = |moment: i64| {
        let mut engine: Engine = support::engine_of(
            json!({ "clock_tolerance_seconds": 60 }),
            json!({ "deny_list": { "url": URL } }),
            &[],
        );
        let headers = [("authorization", authorization.as_str())];
        let head = RequestHead {
            method: "GET",
            target: "/api/x",
            headers: &headers,
            public_origin: ORIGIN,
            client_address: None,
        };
        let now = t0.plus_millis(moment);
        let mut decision = engine.decide(&head, now);
        while let Decision::Perform(pending) = decision {
            let Effect::Fetch(fetch) = pending.effect() else { panic!("{pending:?}") };
            let answered = |body| EffectResult::Answered { status: 200, headers: &[], body };
            let kept: Option<String> = copy.clone().filter(|_| fetch.copy.is_some());
            decision = match (fetch.purpose, &kept) {
                ("keys", _) => engine.resume(&head, pending, answered(keys.as_bytes()), now),
                (_, Some(copy)) => {
                    engine.resume(&head, pending, EffectResult::Copied(copy.as_bytes()), now)
                }
                _ if moment < 0 => {
                    engine.resume(&head, pending, answered(br#"{"sessions":[]}"#), now)
                }
                _ => engine.resume(&head, pending, answered(revoked.as_bytes()), now),
            };
        }
        let cache_writes =
            engine.cache_writes().into_iter().find(|keep| keep.key.contains("deny-list"));
        copy = copy.take().or_else(|| cache_writes.map(|keep| keep.text));
        matches!(decision, Decision::Forward(_))
    };
    assert!(passes(-1));
    (0..lag + 30 * SECOND)
        .step_by(100)
        .chain([lag - 2, lag - 1, lag])
        .filter(|moment| passes(*moment))
        .max()
        .unwrap_or(-1)
}

/// A JWT that cannot be taken back, made at the moment of the revocation.
fn jwt(lag: i64, issuer: Value, document: Value) -> i64 {
    let good = vector("api-jwt-eddsa-valid");
    let authorization = format!("Bearer {}", text(&good, "jwt"));
    let body = good["jwks"].to_string();
    // `iat` of the vector.
    let made = 1_795_402_800_000;
    let mut engine: Engine = support::engine_of(issuer, document, &[]);
    let mut passes = |moment: i64| {
        let headers = [("authorization", authorization.as_str())];
        let head = RequestHead {
            method: "GET",
            target: "/api/x",
            headers: &headers,
            public_origin: ORIGIN,
            client_address: None,
        };
        let now = UnixTime::from_millis(made + moment);
        let mut decision = engine.decide(&head, now);
        let result = || EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() };
        while let Decision::Perform(pending) = decision {
            assert!(matches!(pending.effect(), Effect::Fetch(_)));
            decision = engine.resume(&head, pending, result(), now);
        }
        let Decision::Forward(forward) = decision else { return false };
        forward.after.into_iter().for_each(|pending| engine.receive(pending, result(), now));
        true
    };
    (0..lag + 30 * SECOND).step_by(100).filter(|moment| passes(*moment)).max().unwrap_or(-1)
}
