//! Token exchange over time: bursts, tokens that run out, outages, rotations, sign-outs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::service::{Fault, TOKEN_LIFE};
use crate::sessions::refused;
use crate::world::{Outcome, START, View, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A world in which everything but the auth service itself is an API that knows no cookies.
fn world(members: Value) -> World {
    let rule = json!({ "path": "/**", "access": "required", "token_exchange": true, "upstream": "https://api.example.com" });
    World::with(members, json!({ "rules": [rule] }))
}

fn claims(outcome: &Outcome) -> Value {
    let payload =
        outcome.token.as_deref().and_then(|token| token.split('.').nth(1)).unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap_or_default()).unwrap_or_default()
}

fn kid(outcome: &Outcome) -> String {
    let header =
        outcome.token.as_deref().and_then(|token| token.split('.').next()).unwrap_or_default();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap_or_default())
        .unwrap_or_default();
    header["kid"].as_str().unwrap_or_default().to_owned()
}

/// No request was forwarded without a token of the user's own that is good at this moment.
fn all_cross(outcomes: &[Outcome], user: &str) {
    for outcome in outcomes.iter().filter(|outcome| outcome.status == 200) {
        let claims = claims(outcome);
        assert_eq!(claims["sub"], user, "{outcome:?}");
        let expires = claims["exp"].as_i64().unwrap_or_default() * SECOND;
        assert!(outcome.at < expires, "a token that has run out went on: {outcome:?}");
    }
}

fn every(jar: usize, from: i64, until: i64, step: i64) -> Vec<View> {
    let views = (0..).map(|number| from + number * step).take_while(|at| *at < until);
    views.map(|at| View { at, jar, target: "/api/notes" }).collect()
}

#[test]
fn a_burst_asks_for_one_token() {
    for slow in [40, 300, 1500] {
        let mut world = world(json!({}));
        world.service.token_fault = match slow {
            40 => |_| Fault::None,
            300 => |_| Fault::Slow(300),
            _ => |_| Fault::Slow(1500),
        };
        let jar = world.browser_of("ada", START);
        let outcomes = world.play(&every(jar, START + SECOND, START + SECOND + 60, 1));
        let longest = outcomes.iter().map(|outcome| outcome.waited).max().unwrap_or_default();
        println!(
            "a burst of {}, {slow} ms: {} asks, {longest} ms at most",
            outcomes.len(),
            world.service.minted.len()
        );
        assert!(outcomes.len() == 60 && refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
        assert_eq!(world.service.minted.len(), 1);
        all_cross(&outcomes, "ada");
        assert!(longest < slow + 200, "{longest}");
    }
}

#[test]
fn a_working_day_asks_once_in_the_life_of_a_token_and_refuses_nobody() {
    let mut world = world(json!({}));
    let jar = world.browser_of("ada", START);
    let outcomes = world.play(&every(jar, START, START + 10 * HOUR, 10 * SECOND));
    let asked = &world.service.minted;
    let least = asked.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or_default();
    println!(
        "a working day of an API: {} requests, {} tokens, {least} ms apart at least",
        outcomes.len(),
        asked.len()
    );
    assert!(outcomes.len() == 3600 && refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
    all_cross(&outcomes, "ada");
    assert!(
        least >= (TOKEN_LIFE - 61) * SECOND && asked.len() <= 43,
        "{} tokens, {least} ms apart",
        asked.len()
    );
}

#[test]
fn two_people_never_share_a_token() {
    let mut world = world(json!({}));
    let (ada, bob) = (world.browser_of("ada", START), world.browser_of("bob", START));
    let mut views = every(ada, START + SECOND, START + HOUR, 7 * SECOND);
    views.extend(every(bob, START + SECOND, START + HOUR, 11 * SECOND));
    let outcomes = world.play(&views);
    for (jar, user) in [(ada, "ada"), (bob, "bob")] {
        let own: Vec<Outcome> =
            outcomes.iter().filter(|outcome| outcome.jar == jar).cloned().collect();
        assert!(own.len() > 300 && refused(&own).is_empty(), "{:?}", refused(&own));
        all_cross(&own, user);
    }
}

/// The auth service mints nothing for an hour: what there is serves to its very end, then it is
/// a lookup failure, never a sign-out.
#[test]
fn an_outage_is_served_to_the_end_of_the_token_and_doubt_from_then_on() {
    let mut world = world(json!({}));
    let jar = world.browser_of("ada", START);
    world.service.token_fault = |at| {
        if (START + 5 * MINUTE..START + 65 * MINUTE).contains(&at) {
            Fault::Down
        } else {
            Fault::None
        }
    };
    let outcomes = world.play(&every(jar, START, START + 70 * MINUTE, 5 * SECOND));
    let served = |from: i64, until: i64| {
        let within = outcomes
            .iter()
            .filter(move |outcome| (START + from..START + until).contains(&outcome.at));
        within
            .map(|outcome| (outcome.status, outcome.reason))
            .collect::<std::collections::BTreeSet<_>>()
    };
    let asked = world
        .service
        .minted
        .iter()
        .filter(|at| (START + 5 * MINUTE..START + 65 * MINUTE).contains(*at))
        .count();
    println!(
        "no tokens for an hour: {} requests, {} refused, {asked} asks",
        outcomes.len(),
        refused(&outcomes).len()
    );
    assert_eq!(served(0, 14 * MINUTE + 55 * SECOND), [(200, "forward")].into());
    assert_eq!(
        served(15 * MINUTE + SECOND, 65 * MINUTE),
        [(503, "token_exchange_unavailable")].into()
    );
    assert_eq!(served(65 * MINUTE + 10 * SECOND, 70 * MINUTE), [(200, "forward")].into());
    all_cross(&outcomes, "ada");
    let stale =
        outcomes.iter().filter(|outcome| outcome.said.as_deref() == Some("stale-if-error")).count();
    assert!((8..=12).contains(&stale), "{stale} went on with the last minute of a token");
}

#[test]
fn a_failure_is_not_asked_about_by_everybody() {
    let mut world = world(json!({}));
    let jar = world.browser_of("ada", START);
    world.service.token_fault = |_| Fault::Status(500);
    let outcomes = world.play(&every(jar, START + SECOND, START + SECOND + MINUTE, 50));
    println!(
        "no tokens for a minute of a burst: {} requests, {} asks",
        outcomes.len(),
        world.service.minted.len()
    );
    assert!(outcomes.iter().all(|outcome| outcome.reason == "token_exchange_unavailable"
        && outcome.lookup_failure.as_deref() == Some("server-error")));
    assert!(world.service.minted.len() <= 31, "{}", world.service.minted.len());
}

/// A key is withdrawn: what it has signed does not go on any longer than the gate has the old set.
#[test]
fn tokens_of_a_key_that_is_withdrawn_end_with_it() {
    let mut world = world(json!({}));
    let jar = world.browser_of("ada", START);
    let before = world.play(&every(jar, START, START + 4 * MINUTE, 10 * SECOND));
    assert!(before.iter().all(|outcome| kid(outcome) == "ed"), "{before:?}");
    world.service.key = 1;
    let after = world.play(&every(jar, START + 4 * MINUTE, START + 20 * MINUTE, 10 * SECOND));
    let last = after
        .iter()
        .filter(|outcome| kid(outcome) == "ed")
        .map(|outcome| outcome.at - START)
        .max()
        .unwrap_or_default();
    println!("a key is withdrawn after 240000 ms: its token goes on until {last} ms");
    assert!(refused(&after).is_empty(), "{:?}", refused(&after));
    // The set is fresh for five minutes.
    assert!(last <= 5 * MINUTE + 15 * SECOND, "{last}");
    assert_eq!(world.service.minted.len(), 3, "one for each key, and one when that runs out");
    all_cross(&after, "ada");
}

/// The reason that the cookie cache is not sent along: it would pass for a session.
#[test]
fn a_session_that_was_revoked_mints_nothing_although_its_cookie_cache_is_good() {
    let mut world = world(json!({}));
    let jar = world.browser_of("ada", START);
    world.service.rows.clear();
    let outcomes = world.play(&every(jar, START + SECOND, START + SECOND + 100, 20));
    // Those that come later find their cookies cleared.
    let is_out = |outcome: &Outcome| {
        ["session_ended", "no_credential"].contains(&outcome.reason) && outcome.token.is_none()
    };
    assert!(outcomes[0].reason == "session_ended" && outcomes.iter().all(is_out), "{outcomes:?}");
    assert_eq!((world.service.minted.len(), world.service.asked.len()), (1, 1));
}

/// What is kept goes on for as long as the session counts elsewhere in the gate, and not for as
/// long as the token lives.
#[test]
fn a_token_that_is_kept_ends_with_its_session() {
    let mut world = world(json!({}));
    let jar = world.browser_of("ada", START);
    assert_eq!(world.view(START + SECOND, jar).status, 200);
    world.service.rows.clear();
    let outcomes = world.play(&every(jar, START + 2 * SECOND, START + 10 * MINUTE, 5 * SECOND));
    let last = outcomes
        .iter()
        .filter(|outcome| outcome.status == 200)
        .map(|outcome| outcome.at - START)
        .max();
    println!("revoked elsewhere: its token goes on until {last:?} ms");
    assert!(last.is_some_and(|last| last <= 4 * MINUTE + 10 * SECOND), "{last:?}");
    assert_eq!(world.service.minted.len(), 1, "nothing is minted from then on");
}

#[test]
fn a_clock_that_steps_back_freezes_nothing() {
    let mut world = world(json!({}));
    let jar = world.browser_of("ada", START);
    assert_eq!(world.view(START + SECOND, jar).status, 200);
    world.clock_error = -30 * SECOND;
    let outcomes = world.play(&every(jar, START + 2 * SECOND, START + 2 * MINUTE, SECOND));
    let late: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| outcome.at > START + 40 * SECOND && outcome.status != 200)
        .collect();
    println!("a clock steps back 30 s: {} of {} refused", refused(&outcomes).len(), outcomes.len());
    assert!(late.is_empty(), "{late:?}");
    assert!(
        outcomes.iter().all(|outcome| [200, 503].contains(&outcome.status)),
        "{:?}",
        refused(&outcomes)
    );
}
