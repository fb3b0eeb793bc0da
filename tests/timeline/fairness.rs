//! No user is refused, and none admitted, because of the requests of another.

use serde_json::{Value, json};

use crate::service::DATA;
use crate::sessions::refused;
use crate::world::{Outcome, START, View, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

/// A path that wants to know it now, and all others.
fn rules() -> Value {
    json!({ "rules": [
        { "path": "/app/now", "access": "required", "max_staleness_seconds": 0 },
        { "path": "/app/**", "access": "required" },
    ] })
}

/// So many users, each of whom has been here, and whose cookie caches have run out since.
fn known(issuer: Value, users: usize) -> World {
    let mut world = World::with(issuer, rules());
    for number in 0..users {
        world.browser_of(&format!("user{number}"), START);
    }
    let views: Vec<View> = (0..users).map(|jar| View { at: START, jar, target: "/app" }).collect();
    assert!(refused(&world.play(&views)).is_empty());
    let gone = format!("{DATA}=; Max-Age=0; Path=/");
    world.jars.iter_mut().for_each(|jar| jar.take(std::slice::from_ref(&gone), START));
    world.service.asked.clear();
    world
}

/// One of them asks fifty times a second.
fn hammer(from: i64, until: i64, jar: usize) -> Vec<View> {
    (from..until).step_by(20).map(|at| View { at, jar, target: "/app/now" }).collect()
}

fn sorted(mut views: Vec<View>) -> Vec<View> {
    views.sort_by_key(|view| view.at);
    views
}

#[test]
fn one_account_that_asks_all_the_time_costs_nobody_else_a_refusal() {
    let mut world = known(json!({}), 20);
    // No cookie cache is written any more: each of the others has to be asked about.
    world.service.writes_cache = false;
    let start = START + MINUTE;
    let others = (0..200_i64).map(|number| View {
        at: start + number * 97,
        jar: 1 + usize::try_from(number % 19).unwrap_or_default(),
        target: if number % 3 == 0 { "/app/now" } else { "/app" },
    });
    let views = sorted(hammer(start, start + 20 * SECOND, 0).into_iter().chain(others).collect());
    let outcomes = world.play(&views);
    let (his, others): (Vec<&Outcome>, Vec<&Outcome>) =
        outcomes.iter().partition(|outcome| outcome.jar == 0);
    let longest = |outcomes: &[&Outcome]| {
        outcomes.iter().map(|outcome| outcome.waited).max().unwrap_or_default()
    };
    println!(
        "fifty a second: {} of his, at most {} ms; {} of others, at most {} ms; {} asks in 20 s",
        his.len(),
        longest(&his),
        others.len(),
        longest(&others),
        world.service.asked.len()
    );
    assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes).first());
    assert!(longest(&others) <= 100 && longest(&his) <= SECOND);
    assert!(world.service.asked.len() <= 20 * 20, "{}", world.service.asked.len());
}

/// What comes at once is asked about once or twice, and each answer is to what was asked after its
/// request came.
#[test]
fn a_page_with_twenty_requests_that_want_to_know_now_costs_two_asks() {
    let mut world = known(json!({}), 1);
    let at = START + MINUTE;
    let views: Vec<View> = (0..20).map(|_| View { at, jar: 0, target: "/app/now" }).collect();
    let outcomes = world.play(&views);
    println!(
        "twenty at once: {} asks, at most {:?} ms",
        world.service.asked.len(),
        outcomes.iter().map(|it| it.waited).max()
    );
    assert!(
        refused(&outcomes).is_empty() && world.service.asked.len() == 2,
        "{}",
        world.service.asked.len()
    );

    // It ends while the first request is on its way: a request that came after that hears of it.
    world.service.asked.clear();
    let at = at + MINUTE;
    let first = View { at, jar: 0, target: "/app/now" };
    assert_eq!(world.view(at, 0).status, 200);
    let mut later = world.play(&[first]);
    world.service.rows.clear();
    later.extend(world.play(&[View { at: at + 30, ..first }, View { at: at + 31, ..first }]));
    let reasons: Vec<&str> = later.iter().map(|outcome| outcome.reason).collect();
    assert_eq!(reasons[..2], ["forward", "session_ended"], "{reasons:?}");
}

/// While the service is there, no request passes on what was known before, whatever the gate is
/// kept busy with.
#[test]
fn a_revoked_session_is_refused_while_another_user_uses_up_the_requests() {
    let mut world = known(json!({ "stale_if_error_seconds": 600 }), 8);
    world.service.writes_cache = false;
    let start = START + MINUTE;
    let token = world
        .service
        .rows
        .iter()
        .find(|(_, row)| row.user == "user7")
        .map(|(token, _)| token.clone());
    world.service.rows.remove(&token.unwrap_or_default());
    let hammers = (0..7).flat_map(|jar| hammer(start, start + 10 * SECOND, jar));
    let revoked =
        (0..40).map(|number| View { at: start + 500 + number * 200, jar: 7, target: "/app" });
    let outcomes = world.play(&sorted(hammers.chain(revoked).collect()));
    let his: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.jar == 7).collect();
    assert!(his.len() == 40 && his.iter().all(|outcome| outcome.status != 200), "{his:?}");
    assert_eq!(his[0].reason, "session_ended");
    println!(
        "seven accounts at fifty a second: {} refused of {}",
        refused(&outcomes).len() - his.len(),
        outcomes.len() - his.len()
    );
}

/// A client that breaks requests off while they ask keeps the next one waiting, and could leave it
/// hardly any time: that is no outage.
#[test]
fn requests_that_are_broken_off_make_no_outage() {
    use doorward::{Decision, EffectResult, RequestHead, UnixTime};

    let mut engine =
        crate::support::engine_of(json!({ "stale_if_error_seconds": 600 }), json!({}), &[]);
    let headers = [("authorization", "Bearer aVeryPrivateSessionTokenOf32Bytes")];
    let head = RequestHead {
        method: "GET",
        target: "/app",
        headers: &headers,
        public_origin: crate::support::ORIGIN,
        client_address: None,
    };
    let at = |millis| UnixTime::from_millis(START + millis);
    let body = json!({
        "session": { "id": "s", "token": "aVeryPrivateSessionTokenOf32Bytes", "userId": "ada", "expiresAt": "2030-01-01T00:00:00.000Z" },
        "user": { "id": "ada" },
    })
    .to_string();
    let Decision::Perform(pending) = engine.decide(&head, at(0)) else {
        panic!("nothing is known yet")
    };
    let alive = EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() };
    assert_eq!(crate::reason(&engine.resume(&head, pending, alive, at(20))), "forward");

    // Revoked. Somebody asks and goes away; and again, as soon as that lease is over.
    let Decision::Perform(_gone) = engine.decide(&head, at(60_000)) else {
        panic!("that was too long ago")
    };
    let mut gone = None;
    let mut now = 61_600;
    let mut decision = engine.decide(&head, at(now));
    while let Decision::Perform(pending) = decision {
        let result = match pending.effect() {
            doorward::Effect::Wait { millis } => {
                now += i64::from(*millis);
                if now > 62_250 && gone.is_none() {
                    gone = Some(engine.decide(&head, at(now)));
                }
                EffectResult::Waited
            }
            // There is hardly any time left for it. The answer takes longer than that.
            doorward::Effect::Fetch(fetch) => {
                now += i64::from(fetch.timeout_ms);
                EffectResult::Failed
            }
            work => panic!("{work:?}"),
        };
        decision = engine.resume(&head, pending, result, at(now));
    }
    assert!(matches!(gone, Some(Decision::Perform(_))));
    assert_eq!(crate::reason(&decision), "session_unavailable");
    let Decision::Perform(pending) = engine.decide(&head, at(now + 2300)) else {
        panic!("the next request asks")
    };
    let ended = EffectResult::Answered { status: 200, headers: &[], body: b"null" };
    assert_eq!(
        crate::reason(&engine.resume(&head, pending, ended, at(now + 2320))),
        "session_ended"
    );
}
