//! Sessions that persist: the working day, sign-out, and each special case of `docs/sessions.md`.

use doorward::{Decision, EffectResult, RequestHead, UnixTime};
use serde_json::json;

use crate::reason;
use crate::service::{DATA, FOR_NOW, Row, TOKEN};
use crate::support::{self, ORIGIN};
use crate::world::{Outcome, START, View, World};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A page with a few requests of its own, every so often.
pub(crate) fn visits(jar: usize, from: i64, until: i64, every: i64) -> Vec<View> {
    let mut views = Vec::new();
    let mut at = from;
    while at < until {
        views.extend([0, 5, 5, 6, 30].map(|later| View { at: at + later, jar, target: "/app" }));
        at += every;
    }
    views
}

pub(crate) fn refused(outcomes: &[Outcome]) -> Vec<&Outcome> {
    outcomes.iter().filter(|outcome| outcome.status != 200).collect()
}

/// The reason that this story was written for: signed in, next request 401.
#[test]
fn a_working_day_has_no_refusal_and_one_ask_per_cookie_cache() {
    let mut world = World::new(json!({}));
    let jar = world.browser_of("ada", START);
    let outcomes = world.play(&visits(jar, START, START + 10 * HOUR, MINUTE));
    let asked = &world.service.asked;
    let least = asked.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or_default();
    println!(
        "a working day: {} requests, {} refusals, {} asks, {least} ms apart at least",
        outcomes.len(),
        refused(&outcomes).len(),
        asked.len()
    );
    assert_eq!(outcomes.len(), 3000);
    assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
    // A cache lives five minutes and is renewed in the last of them: never more than one ask in the
    // life of one.
    assert!(least >= 4 * MINUTE && asked.len() <= 150, "{} asks, {least} ms apart", asked.len());
    assert!(outcomes.iter().all(|outcome| outcome.subject.as_deref() == Some("ada")));
    assert!(
        outcomes.iter().all(|outcome| outcome.waited == 0),
        "a request met the end of the cache"
    );
}

/// A user who comes back after the cache has run out is asked about once, and goes on with a new
/// one.
#[test]
fn a_view_every_seven_minutes_asks_each_time_and_is_never_refused() {
    let mut world = World::new(json!({}));
    let jar = world.browser_of("ada", START);
    let outcomes = world.play(&visits(jar, START, START + 8 * HOUR, 7 * MINUTE));
    println!(
        "a view every seven minutes: {} requests, {} asks",
        outcomes.len(),
        world.service.asked.len()
    );
    assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
    assert_eq!(world.service.asked.len(), outcomes.len() / 5 - 1);
}

/// Eight days: the session itself is extended on the way, so that an active user is not signed out
/// on the seventh.
#[test]
fn an_active_user_is_signed_in_for_more_than_a_session_lives() {
    let mut world = World::new(json!({}));
    let jar = world.browser_of("ada", START);
    let views: Vec<View> = (0..8 * 24 * 12)
        .map(|number| View { at: START + number * 5 * MINUTE, jar, target: "/app" })
        .collect();
    let outcomes = world.play(&views);
    assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
}

#[test]
fn a_sign_out_in_another_tab_is_seen_at_once_and_one_elsewhere_within_a_cache() {
    let mut world = World::new(json!({}));
    let jar = world.browser_of("ada", START);
    assert_eq!(world.view(START + MINUTE, jar).status, 200);
    let deletions = world.service.deletions();
    world.service.rows.clear();
    world.jars[jar].take(&deletions, START + 2 * MINUTE);
    assert_eq!(world.view(START + 2 * MINUTE, jar).reason, "no_credential");
    assert!(world.service.asked.is_empty(), "no request has to be made");

    let elsewhere = world.browser_of("bob", START);
    world.service.rows.clear();
    let outcomes = world.play(&visits(elsewhere, START + SECOND, START + 10 * MINUTE, 10 * SECOND));
    let out =
        outcomes.iter().find(|outcome| outcome.status != 200).map(|outcome| outcome.at - START);
    println!("a sign-out elsewhere is noticed after {out:?} ms");
    // In the last fifth of the cache's life the renewal hears of it.
    assert!(out.is_some_and(|out| out <= 4 * MINUTE + 11 * SECOND), "{out:?}");
    assert!(
        !world.jars[elsewhere].has(DATA) && !world.jars[elsewhere].has(TOKEN),
        "dead cookies are cleared"
    );
    let after = outcomes.iter().filter(|outcome| outcome.at - START > 5 * MINUTE);
    assert!(after.clone().count() > 0 && after.clone().all(|outcome| outcome.status != 200));
}

/// `rememberMe: false` and impersonation: the cookie cache is never written again; one ask per
/// session-cache life, no refusal.
#[test]
fn sessions_whose_cache_is_never_written_again_are_asked_about_once_per_session_cache() {
    for (impersonated, minutes) in [(false, 30), (true, 30)] {
        let mut world = World::new(json!({ "session_cache_seconds": 30 }));
        let row =
            Row { user: "ada".to_owned(), expires: START + HOUR, remember: false, impersonated };
        let lines = world.service.sign_in_as(row, START);
        world.jars.push(crate::world::Jar::default());
        world.jars[0].take(&lines, START);
        assert!(world.jars[0].has(FOR_NOW));
        let outcomes = world.play(&visits(0, START, START + minutes * MINUTE, 10 * SECOND));
        println!(
            "not remembered (impersonated: {impersonated}): {} requests, {} asks in {minutes} minutes",
            outcomes.len(),
            world.service.asked.len()
        );
        assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
        assert!(
            world.service.asked.iter().all(|at| *at >= START + MINUTE),
            "there is nothing to renew"
        );
        // The cache of the first minute serves, then each answer for thirty seconds.
        assert!((42..=60).contains(&world.service.asked.len()), "{}", world.service.asked.len());
    }
}

#[test]
fn a_service_without_a_store_renews_its_own_cookie() {
    let mut world = World::new(json!({ "stateless": true }));
    world.service.stateless = true;
    world.service.cache_millis = HOUR;
    let jar = world.browser_of("ada", START);
    let outcomes = world.play(&visits(jar, START, START + 24 * HOUR, 5 * MINUTE));
    println!("stateless: {} requests, {} asks in a day", outcomes.len(), world.service.asked.len());
    assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
    assert!((24..=31).contains(&world.service.asked.len()), "{}", world.service.asked.len());

    // Told that it has a store, the gate would ask past the cookie: a service without one knows
    // nobody then. Here it ends as in Better Auth, once the cookie is gone.
    let away = START + 30 * HOUR;
    assert_eq!(world.view(away, jar).reason, "session_ended");
}

/// A rotation signs everybody out, as it does at the service (only encrypted cookies outlive it): a
/// redirect, no lookup failure, no loop of requests.
#[test]
fn a_secret_rotation_signs_out_and_asks_nobody() {
    let mut world = World::new(json!({}));
    world.service.secret = "another-secret-of-at-least-32-characters".to_owned();
    let jar = world.browser_of("ada", START);
    let outcome = world.view(START + SECOND, jar);
    assert_eq!(
        (outcome.status, outcome.reason, outcome.said.as_deref()),
        (307, "signature_invalid", Some("redirect"))
    );
    assert!(world.service.asked.is_empty());
}

/// Another strategy or `version`: old caches are misses, and one ask per browser replaces them.
#[test]
fn a_strategy_change_and_a_version_bump_cost_one_ask_and_no_refusal() {
    for (members, version) in
        [(json!({ "cookie_cache_version": "2" }), "2"), (json!({ "cookie_cache": "auto" }), "1")]
    {
        let mut world = World::new(members);
        let jar = world.browser_of("ada", START);
        if version == "1" {
            // What a service with the strategy `jwe` had written.
            world.jars[jar].take(&[format!("{DATA}=a.b.c.d.e; Path=/")], START);
        }
        world.service.version = version;
        let outcomes = world.play(&visits(jar, START + SECOND, START + 3 * MINUTE, 30 * SECOND));
        println!(
            "a new cache (version {version}): {} requests, {} asks",
            outcomes.len(),
            world.service.asked.len()
        );
        assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
        assert_eq!(world.service.asked.len(), 1);
    }
}

/// After a change of `Domain` a browser holds two cookies of each name and sends the older first.
/// The older counts, here as at the service; once its session has ended, the dead cookies are
/// cleared with and without a domain, and the newer is free.
#[test]
fn duplicates_after_a_change_of_domain_end_with_the_older_session() {
    let mut world = World::new(json!({ "cookie_domain": "localhost" }));
    let jar = world.browser_of("ada", START);
    world.service.domain = Some("localhost");
    let newer = world.service.sign_in("ada", START + MINUTE);
    world.jars[jar].take(&newer, START + MINUTE);
    assert_eq!(world.view(START + 2 * MINUTE, jar).status, 200);
    // The older session's row goes; the newer one lives.
    let first = world.service.rows.keys().next().cloned().unwrap_or_default();
    world.service.rows.remove(&first);
    let outcomes = world.play(&visits(jar, START + 3 * MINUTE, START + 9 * MINUTE, 30 * SECOND));
    let reasons: Vec<&str> = refused(&outcomes).iter().map(|outcome| outcome.reason).collect();
    println!("duplicates after a change of Domain: refused {} times", reasons.len());
    assert!(reasons.first().is_some_and(|first| *first == "session_ended"), "{reasons:?}");
    assert!(!world.jars[jar].has(TOKEN), "nothing stays behind that would be sent first again");
}

/// A clock that steps back an hour: who is signed in stays so, requests to the service go on, and
/// so does renewal.
#[test]
fn a_clock_that_steps_back_signs_nobody_out() {
    let mut world = World::new(json!({}));
    let jar = world.browser_of("ada", START);
    let mut outcomes = world.play(&visits(jar, START, START + 10 * MINUTE, 20 * SECOND));
    world.clock_error = -HOUR;
    outcomes.extend(world.play(&visits(
        jar,
        START + 10 * MINUTE,
        START + 30 * MINUTE,
        20 * SECOND,
    )));
    // Its `session_data` is gone: somebody has to be asked, by a budget that was last filled in the
    // future.
    world.jars[jar].take(&[format!("{DATA}=; Max-Age=0; Path=/")], 0);
    outcomes.extend(world.play(&visits(
        jar,
        START + 30 * MINUTE,
        START + 31 * MINUTE,
        20 * SECOND,
    )));
    assert!(refused(&outcomes).is_empty(), "{:?}", refused(&outcomes));
    world.clock_error = 0;
    let later = world.play(&visits(jar, START + 31 * MINUTE, START + 60 * MINUTE, 20 * SECOND));
    println!(
        "a clock that steps: {} requests, {} asks",
        outcomes.len() + later.len(),
        world.service.asked.len()
    );
    assert!(refused(&later).is_empty(), "{:?}", refused(&later));
}

/// Two ask about one session, and it ends in between: the answer that was true when it was asked
/// for, and comes last, does not count.
#[test]
fn an_older_answer_that_comes_later_does_not_bring_a_session_back() {
    let rules = json!([{ "path": "/app/now", "access": "required", "max_staleness_seconds": 0 }, { "path": "/**", "access": "required" }]);
    let mut engine = support::engine_of(
        json!({ "stale_if_error_seconds": 600 }),
        json!({ "rules": rules }),
        &[],
    );
    let headers = [("authorization", "Bearer aVeryPrivateSessionTokenOf32Bytes")];
    let cookie = [("set-cookie", "better-auth.session_token=renewed; Path=/")];
    let head = |target| RequestHead {
        method: "GET",
        target,
        headers: &headers,
        public_origin: ORIGIN,
        client_address: None,
    };
    let at = |millis| UnixTime::from_millis(START + millis);
    let body = json!({
        "session": { "id": "s", "token": "aVeryPrivateSessionTokenOf32Bytes", "userId": "ada", "expiresAt": "2030-01-01T00:00:00.000Z" },
        "user": { "id": "ada" },
    })
    .to_string();
    let alive = || EffectResult::Answered { status: 200, headers: &cookie, body: body.as_bytes() };
    let Decision::Perform(slow) = engine.decide(&head("/app"), at(0)) else {
        panic!("nothing is known yet")
    };
    let Decision::Perform(quick) = engine.decide(&head("/app/now"), at(600)) else {
        panic!("this path wants to know it now")
    };
    let ended = EffectResult::Answered { status: 200, headers: &[], body: b"null" };
    assert_eq!(reason(&engine.resume(&head("/app/now"), quick, ended, at(650))), "session_ended");
    let Decision::Reject(answer) = engine.resume(&head("/app"), slow, alive(), at(1900)) else {
        panic!("it has ended")
    };
    assert_eq!(answer.reason.code(), "session_ended");
    assert!(
        !answer.headers.iter().any(|(_, value)| value.contains("renewed")),
        "{:?}",
        answer.headers
    );
    assert_eq!(reason(&engine.decide(&head("/app"), at(2000))), "session_ended");
    let Decision::Perform(pending) = engine.decide(&head("/app"), at(11_800)) else {
        panic!("what is known is too old")
    };
    assert_eq!(
        reason(&engine.resume(&head("/app"), pending, EffectResult::Failed, at(11_900))),
        "session_unavailable",
        "nothing is stale"
    );
    let Decision::Perform(pending) = engine.decide(&head("/app"), at(20_000)) else {
        panic!("it is not known")
    };
    assert_eq!(
        reason(&engine.resume(&head("/app"), pending, alive(), at(20_010))),
        "forward",
        "this was asked for later"
    );
}
