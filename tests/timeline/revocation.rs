//! The deny-list over time: refreshed behind responses, outlived by an outage, and never trusted
//! past its ceiling.

use doorward::{Decision, Effect, RequestHead, UnixTime};
use serde_json::{Value, json};

use crate::service::Fault;
use crate::sessions::refused;
use crate::world::{Outcome, START, View, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const URL: &str = "https://ops.example.com/revoked.json";

fn list(members: Value) -> Option<String> {
    Some(members.to_string())
}

fn world(document: Value) -> World {
    let mut world = World::with(json!({}), json!({ "deny_list": document }));
    world.shelf.put(URL, list(json!({ "sessions": [] })), START - MINUTE);
    world
}

/// A view a second.
fn views(jar: usize, from: i64, seconds: i64) -> Vec<View> {
    (0..seconds)
        .map(|second| View { at: START + (from + second) * SECOND, jar, target: "/app" })
        .collect()
}

fn reasons(outcomes: &[Outcome]) -> Vec<&str> {
    let mut reasons: Vec<&str> = refused(outcomes).iter().map(|outcome| outcome.reason).collect();
    reasons.dedup();
    reasons
}

#[test]
fn a_list_is_fetched_once_a_refresh_and_nobody_waits_for_it_but_the_first() {
    let mut world = world(json!({ "url": URL }));
    let jar = world.browser_of("ada", START);
    // Ten requests in each second, at once.
    let burst: Vec<View> = views(jar, 0, 240).into_iter().flat_map(|view| [view; 10]).collect();
    let outcomes = world.play(&burst);
    let asked = world.shelf.times_asked(URL);
    println!(
        "the deny-list in four minutes of {} requests: {} fetches",
        outcomes.len(),
        asked.len()
    );
    assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
    assert!(
        outcomes.iter().all(|outcome| outcome.waited == 0 || outcome.at < START + SECOND),
        "a request waited"
    );
    assert!((7..=8).contains(&asked.len()), "{asked:?}");
}

#[test]
fn an_outage_is_outlived_until_the_ceiling_and_recovery_asks_once() {
    let mut world = world(json!({ "url": URL, "max_stale_seconds": 120 }));
    world.shelf.fault = |at| {
        if (START + 10 * SECOND..START + 200 * SECOND).contains(&at) {
            Fault::Down
        } else {
            Fault::None
        }
    };
    let jar = world.browser_of("ada", START);
    let before = world.play(&views(jar, 0, 120));
    assert!(refused(&before).is_empty(), "{:?}", refused(&before));
    let beyond = world.play(&views(jar, 120, 80));
    assert_eq!((refused(&beyond).len(), reasons(&beyond)), (80, vec!["revocation_unavailable"]));
    assert!(beyond.iter().all(|outcome| outcome.status == 503), "a lookup failure is no sign-out");
    let during = world.shelf.times_asked(URL).len();
    // Twenty at once, each half second: the first that may ask asks, the others wait for it.
    let mut back = Vec::new();
    for half in 0..50 {
        back.extend([View { at: START + 200 * SECOND + half * 500, jar, target: "/app" }; 20]);
    }
    let after = world.play(&back);
    let fetched: Vec<i64> =
        world.shelf.times_asked(URL).into_iter().filter(|at| *at >= START + 200 * SECOND).collect();
    let first = after
        .iter()
        .find(|outcome| outcome.status == 200)
        .map(|outcome| outcome.at - START - 200 * SECOND);
    println!(
        "an outage of the deny-list: {during} fetches in it, {} after it, passing again after {first:?} ms",
        fetched.len()
    );
    assert!(during < 20, "{during} fetches during the outage");
    assert_eq!(fetched.len(), 1, "{fetched:?}");
    assert!(
        first.is_some_and(|first| first <= 38_000),
        "the back-off grows no longer than half a minute: {first:?}"
    );
}

#[test]
fn garbage_replaces_no_list() {
    for garbage in [
        "",
        "{}",
        "null",
        "<!doctype html>",
        r#"{"sessions":["s"],"session":[]}"#,
        r#"{"sessions":[],"sessions":[]}"#,
    ] {
        let mut world = world(json!({ "url": URL, "max_stale_seconds": 120 }));
        world.shelf.put(
            URL,
            list(json!({ "not_before": { "mallory": START / SECOND + 1 } })),
            START - SECOND,
        );
        let (ada, mallory) = (world.browser_of("ada", START), world.browser_of("mallory", START));
        assert_eq!(world.view(START, mallory).reason, "session_revoked", "{garbage}");
        let mallory = world.browser_of("mallory", START);
        world.shelf.put(URL, Some(garbage.to_owned()), START + SECOND);
        let outcomes = world.play(&views(ada, 1, 119));
        assert!(refused(&outcomes).is_empty(), "{garbage}: {:?}", refused(&outcomes));
        assert_eq!(
            world.view(START + 119 * SECOND, mallory).reason,
            "session_revoked",
            "{garbage}"
        );
        assert_eq!(
            world.view(START + 125 * SECOND, ada).reason,
            "revocation_unavailable",
            "{garbage}"
        );
    }
}

/// A revoked session is signed out here though the auth service knows it as active, and does not
/// come back by itself.
#[test]
fn a_revoked_session_is_out_while_the_auth_service_still_believes_in_it() {
    let mut world = world(json!({ "url": URL }));
    let jar = world.browser_of("ada", START);
    assert_eq!(world.view(START, jar).status, 200);
    world.shelf.put(URL, list(json!({ "sessions": ["s"] })), START + SECOND);
    let outcomes = world.play(&views(jar, 1, 120));
    let out = outcomes.iter().find(|outcome| outcome.status != 200);
    assert_eq!(out.map(|outcome| outcome.reason), Some("session_revoked"));
    assert!(
        !world.jars[jar].has(crate::service::TOKEN) && !world.jars[jar].has(crate::service::DATA),
        "its cookies are cleared"
    );
    assert!(out.is_some_and(|outcome| outcome.at <= START + 32 * SECOND), "{out:?}");
    assert_eq!(reasons(&outcomes).get(..2), Some(&["session_revoked", "no_credential"][..]));
}

/// What a server gives for a token only is not for a cache that others read (RFC 9111 section 3.5).
#[test]
fn a_list_behind_a_token_is_not_shared() {
    for (token, is_shared) in [(json!(null), true), (json!({ "env": "SECRET" }), false)] {
        let mut world = world(json!({ "url": URL, "token": token }));
        let jar = world.browser_of("ada", START);
        let cookies = world.jars[jar].header(START);
        let headers = [("cookie", cookies.as_str())];
        let origin = crate::support::ORIGIN;
        let head = RequestHead {
            method: "GET",
            target: "/app",
            headers: &headers,
            public_origin: origin,
            client_address: None,
        };
        let Decision::Perform(pending) = world.engine.decide(&head, UnixTime::from_millis(START))
        else {
            panic!("nothing is asked")
        };
        let Effect::Fetch(fetch) = pending.effect() else { panic!("{pending:?}") };
        assert_eq!((fetch.url.as_str(), fetch.copy.is_some()), (URL, is_shared));
        assert_eq!(fetch.headers.iter().any(|(name, _)| name == "authorization"), !is_shared);
    }
}

#[test]
fn a_clock_that_steps_back_makes_no_list_younger() {
    let mut world = world(json!({ "url": URL }));
    let jar = world.browser_of("ada", START);
    world.clock_error = 20 * SECOND;
    assert_eq!(world.view(START, jar).status, 200);
    world.clock_error = 0;
    world.shelf.fault = |_| Fault::Down;
    assert_eq!(
        world.view(START + SECOND, jar).reason,
        "revocation_unavailable",
        "it is not known how old the list is"
    );
    world.shelf.fault = |_| Fault::None;
    assert_eq!(world.view(START + 4 * SECOND, jar).status, 200);
}
