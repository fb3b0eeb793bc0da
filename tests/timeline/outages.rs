//! The auth service goes wrong: who is signed in goes on or is told to come back (503), and
//! never loses a cookie.

use std::collections::BTreeMap;

use serde_json::json;

use crate::service::{DATA, Fault, TOKEN};
use crate::sessions::visits;
use crate::world::{Outcome, START, View, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Signed-in users, a few seconds apart.
fn users(world: &mut World, count: usize) {
    for number in 0..count {
        let at = START - i64::try_from(number).unwrap_or_default() * 997 % (4 * MINUTE);
        world.browser_of(&format!("user{number}"), at);
    }
}

/// All of them look at something, each every so often.
fn crowd(world: &World, from: i64, until: i64, every: i64) -> Vec<View> {
    let spread = |jar: usize| i64::try_from(jar).unwrap_or_default() * 1777 % every;
    let mut views: Vec<View> = (0..world.jars.len())
        .flat_map(|jar| visits(jar, from + spread(jar), until, every))
        .collect();
    views.sort_by_key(|view| view.at);
    views
}

/// What must hold whatever the service does: forward as oneself, or 503; no cookie is lost.
fn no_user_is_signed_out(world: &World, outcomes: &[Outcome]) {
    for outcome in outcomes {
        match outcome.status {
            200 => assert_eq!(
                outcome.subject.as_deref(),
                Some(format!("user{}", outcome.jar).as_str())
            ),
            503 => assert!(
                outcome.reason == "session_unavailable" && outcome.lookup_failure.is_some(),
                "{outcome:?}"
            ),
            _ => panic!("a lookup failure became {outcome:?}"),
        }
    }
    assert!(world.jars.iter().all(|jar| jar.has(TOKEN) && jar.has(DATA)), "a cookie is gone");
}

fn shares(outcomes: &[Outcome]) -> (usize, usize) {
    let served = outcomes.iter().filter(|outcome| outcome.status == 200).count();
    (served, outcomes.len() - served)
}

/// The most asks that began within any one second.
fn busiest_second(asked: &[i64]) -> usize {
    (0..asked.len())
        .map(|first| asked[first..].iter().take_while(|at| **at < asked[first] + SECOND).count())
        .max()
        .unwrap_or(0)
}

#[test]
fn an_hour_without_the_auth_service() {
    for (stale, least_percent) in [(0, 4), (3600, 90)] {
        let mut world = World::new(json!({ "stale_if_error_seconds": stale }));
        users(&mut world, 40);
        let before = world.play(&crowd(&world, START, START + 10 * MINUTE, MINUTE));
        assert_eq!(shares(&before).1, 0);
        world.service.asked.clear();

        world.service.fault = |_| Fault::Down;
        let (down, up) = (START + 10 * MINUTE, START + 70 * MINUTE);
        let outcomes = world.play(&crowd(&world, down, up, MINUTE));
        no_user_is_signed_out(&world, &outcomes);
        let (served, refused) = shares(&outcomes);
        println!(
            "an hour down, stale_if_error_seconds {stale}: {served} served, {refused} answered 503 ({} %), {} asks",
            served * 100 / outcomes.len(),
            world.service.asked.len()
        );
        assert!(served * 100 >= outcomes.len() * least_percent, "{served} of {}", outcomes.len());
        assert!(
            world.service.asked.len() <= 40 * 60,
            "more than one ask per visit: {}",
            world.service.asked.len()
        );
        assert!(
            busiest_second(&world.service.asked) <= 40,
            "{}",
            busiest_second(&world.service.asked)
        );

        // It is back, and everybody reloads at once, and again after the five seconds that
        // `Retry-After` names.
        world.service.fault = |_| Fault::None;
        world.service.asked.clear();
        let mut rounds = Vec::new();
        for round in 0..4 {
            let views: Vec<View> = (0..40)
                .map(|jar| View { at: up + 3 * SECOND + round * 5 * SECOND, jar, target: "/app" })
                .collect();
            let outcomes = world.play(&views);
            no_user_is_signed_out(&world, &outcomes);
            rounds.push(shares(&outcomes).0);
        }
        println!(
            "back again: served {rounds:?} of 40 in rounds of five seconds, {} asks, {} in the busiest second",
            world.service.asked.len(),
            busiest_second(&world.service.asked)
        );
        assert_eq!(rounds.last(), Some(&40));
        assert!(
            busiest_second(&world.service.asked) <= 20 && world.service.asked.len() <= 41,
            "{:?}",
            world.service.asked.len()
        );
    }
}

/// Slower than a renewal waits, faster than an ask gives up: everybody is served.
#[test]
fn a_slow_service_costs_time_and_refuses_nobody() {
    let mut world = World::new(json!({}));
    users(&mut world, 5);
    world.service.fault = |_| Fault::Slow(1500);
    let outcomes = world.play(&crowd(&world, START, START + HOUR, MINUTE));
    println!(
        "a slow service: {:?} served and refused, {} asks",
        shares(&outcomes),
        world.service.asked.len()
    );
    no_user_is_signed_out(&world, &outcomes);
    assert_eq!(shares(&outcomes).1, 0);
}

/// Wrong in every way, one after the other: no user becomes another, none is signed out.
#[test]
fn a_service_that_lies_signs_nobody_in_or_out() {
    type Named = (&'static str, fn(i64) -> Fault);
    let faults: [Named; 9] = [
        ("unexpected-body", |_| Fault::Html),
        ("server-error", |_| Fault::ErrorWithSession),
        ("other-session", |_| Fault::OtherUser),
        ("expired", |_| Fault::Expired),
        ("too-large", |_| Fault::Huge),
        ("redirect", |_| Fault::Redirect),
        ("unauthorized", |_| Fault::Status(401)),
        ("unexpected-status", |_| Fault::Status(404)),
        ("no-response", |_| Fault::Slow(5000)),
    ];
    for (word, fault) in faults {
        let mut world = World::new(json!({}));
        users(&mut world, 5);
        world.service.fault = fault;
        let outcomes = world.play(&crowd(&world, START, START + 20 * MINUTE, MINUTE));
        no_user_is_signed_out(&world, &outcomes);
        let mut failures: BTreeMap<&str, usize> = BTreeMap::new();
        for outcome in &outcomes {
            *failures.entry(outcome.lookup_failure.as_deref().unwrap_or("none")).or_default() += 1;
        }
        println!("{word}: {:?} served and refused, {failures:?}", shares(&outcomes));
        assert!(failures.get(word).is_some_and(|count| *count > 5), "{word}: {failures:?}");
    }
}

#[test]
fn a_service_that_flaps_or_limits_is_asked_with_restraint() {
    let flapping: fn(i64) -> Fault =
        |at| if (at / (20 * SECOND)) % 2 == 0 { Fault::Down } else { Fault::None };
    // Four seconds of seven it says that there were too many.
    let limiting: fn(i64) -> Fault =
        |at| if (at / SECOND) % 7 < 3 { Fault::None } else { Fault::Status(429) };
    for (name, fault, least_percent) in
        [("flapping", flapping, 95), ("rate-limiting", limiting, 80)]
    {
        let mut world = World::new(json!({ "stale_if_error_seconds": 300 }));
        users(&mut world, 30);
        world.service.fault = fault;
        let outcomes = world.play(&crowd(&world, START, START + HOUR, MINUTE));
        no_user_is_signed_out(&world, &outcomes);
        let (served, refused) = shares(&outcomes);
        println!(
            "{name}: {served} served, {refused} answered 503, {} asks for {} requests",
            world.service.asked.len(),
            outcomes.len()
        );
        assert!(
            served * 100 >= outcomes.len() * least_percent,
            "{name}: {served} of {}",
            outcomes.len()
        );
        assert!(
            world.service.asked.len() <= outcomes.len() / 3,
            "{name}: {}",
            world.service.asked.len()
        );
    }
}

/// Forged and dead tokens have a share of their own: a flood of them does not keep one user
/// waiting.
#[test]
fn a_flood_of_dead_tokens_leaves_the_users_their_share() {
    let mut world = World::new(json!({}));
    users(&mut world, 20);
    let crowd_size = world.jars.len();
    let visits: Vec<View> =
        (0..crowd_size).map(|jar| View { at: START, jar, target: "/app" }).collect();
    assert_eq!(shares(&world.play(&visits)).1, 0);
    let mut flood = Vec::new();
    for number in 0..2000_i64 {
        // Signed by the service once, but no session: any signed value can be put into the cookie
        // (wire format, fact 1).
        let jar = world.browser_of(&format!("dead{number}"), START);
        world.jars[jar].take(&[format!("{DATA}=; Max-Age=0; Path=/")], START);
        flood.push(View { at: START + 5 * MINUTE + number * 10, jar, target: "/app" });
    }
    world.service.rows.retain(|_, row| !row.user.starts_with("dead"));
    // The users have been here before, and their caches have run out since: each of them has to be
    // asked about in the middle of the flood.
    let users: Vec<View> = (0..crowd_size)
        .map(|jar| View {
            at: START + 5 * MINUTE + 10 * SECOND + i64::try_from(jar).unwrap_or_default() * 100,
            jar,
            target: "/app",
        })
        .collect();
    let asked_before = world.service.asked.len();
    let mut views = flood;
    views.extend(users);
    views.sort_by_key(|view| view.at);
    let outcomes = world.play(&views);
    let of_users: Vec<&Outcome> =
        outcomes.iter().filter(|outcome| outcome.jar < crowd_size).collect();
    let mut dead: BTreeMap<(u16, &str), usize> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.jar >= crowd_size) {
        *dead.entry((outcome.status, outcome.reason)).or_default() += 1;
    }
    println!(
        "a flood of 100 dead tokens a second: {dead:?}, {} asks in 20 s; {} users",
        world.service.asked.len() - asked_before,
        of_users.len()
    );
    assert!(
        of_users.len() == crowd_size && of_users.iter().all(|outcome| outcome.status == 200),
        "{of_users:?}"
    );
    assert!(dead.get(&(503, "session_unavailable")).is_some_and(|count| *count > 1500), "{dead:?}");
    assert!(world.service.asked.len() - asked_before <= 150);
}
