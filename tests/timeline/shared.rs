//! Instances that share a cache: what one has learned, another knows, and for no longer than the
//! first.

use std::collections::BTreeMap;

use doorward::{Decision, Effect, EffectResult, Engine, PendingEffect, RequestHead, UnixTime};
use serde_json::json;

use crate::reason;
use crate::support::{ORIGIN, engine_with, moment, text, vector};

const SESSION_TOKEN: &str = "aVeryPrivateSessionTokenOf32Bytes";
const START: UnixTime = UnixTime::from_millis(1_795_402_800_000);

/// What all instances share, and what those who know have been asked for.
#[derive(Default)]
struct Shared {
    cache: BTreeMap<String, String>,
    asked: Vec<&'static str>,
}

impl Shared {
    fn keep(&mut self, engine: &mut Engine) {
        for keep in engine.cache_writes() {
            assert!(!format!("{keep:?}").contains("ada@example.com"), "{keep:?}");
            self.cache.insert(keep.key, keep.text);
        }
    }

    /// What becomes of a request with this credential at this instance, where the issuer answers
    /// so.
    fn view(
        &mut self,
        engine: &mut Engine,
        target: &str,
        credential: &str,
        issuer: &str,
        now: UnixTime,
    ) -> &'static str {
        with_head(target, credential, |head| {
            let mut decision = engine.decide(head, now);
            while let Decision::Perform(pending) = decision {
                decision = self.reply_and_resume(engine, head, pending, issuer, now);
            }
            if let Decision::Forward(forward) = &mut decision
                && let Some(pending) = forward.after.take()
            {
                self.reply_and_receive(engine, pending, issuer, now);
            }
            reason(&decision)
        })
    }

    fn reply_and_resume(
        &mut self,
        engine: &mut Engine,
        head: &RequestHead<'_>,
        pending: PendingEffect,
        issuer: &str,
        now: UnixTime,
    ) -> Decision {
        let decision = self
            .reply_to(pending, issuer, |pending, result| engine.resume(head, pending, result, now));
        self.keep(engine);
        decision
    }

    fn reply_and_receive(
        &mut self,
        engine: &mut Engine,
        pending: PendingEffect,
        issuer: &str,
        now: UnixTime,
    ) {
        self.reply_to(pending, issuer, |pending, result| engine.receive(pending, result, now));
        self.keep(engine);
    }

    /// What the cache has under the effect's name, else what the issuer says.
    fn reply_to<T>(
        &mut self,
        pending: PendingEffect,
        issuer: &str,
        act: impl FnOnce(PendingEffect, EffectResult<'_>) -> T,
    ) -> T {
        let Effect::Fetch(fetch) = pending.effect() else { panic!("{pending:?}") };
        match fetch.copy.as_ref().and_then(|name| self.cache.get(name)) {
            Some(copy) => act(pending, EffectResult::Copied(copy.as_bytes())),
            None => {
                self.asked.push(fetch.purpose);
                act(
                    pending,
                    EffectResult::Answered { status: 200, headers: &[], body: issuer.as_bytes() },
                )
            }
        }
    }
}

fn with_head<T>(target: &str, credential: &str, act: impl FnOnce(&RequestHead<'_>) -> T) -> T {
    let authorization = format!("Bearer {credential}");
    let headers = [("authorization", authorization.as_str())];
    act(&RequestHead {
        method: "GET",
        target,
        headers: &headers,
        public_origin: ORIGIN,
        client_address: None,
    })
}

/// Ada's session, as the auth service tells it.
fn alive() -> String {
    let session = json!({ "id": "s", "token": SESSION_TOKEN, "userId": "ada", "expiresAt": "2030-01-01T00:00:00.000Z" });
    json!({ "session": session, "user": { "id": "ada", "email": "ada@example.com" } }).to_string()
}

/// Ten instances that start one after the other ask for the keys once in five minutes, and none of
/// them uses them for longer than the first would.
#[test]
fn instances_that_start_find_the_keys_and_their_age() {
    let good = vector("api-jwt-eddsa-valid");
    let (start, token, keys) = (moment(&good), text(&good, "jwt"), good["jwks"].to_string());
    let mut shared = Shared::default();
    for number in 0..10_i64 {
        let now = start.plus_millis(number * 1000);
        let mut instance = engine_with(json!({ "clock_tolerance_seconds": 60 }));
        assert_eq!(shared.view(&mut instance, "/api/x", &token, &keys, now), "forward");
    }
    assert_eq!(shared.asked, ["keys"], "ten instances have asked once");

    let long = json!({ "clock_tolerance_seconds": 60, "algorithms": ["EdDSA"] });
    let mut late = engine_with(long.clone());
    let before = start.plus_millis(299_000);
    assert_eq!(shared.view(&mut late, "/api/x", &token, &keys, before), "forward");
    assert_eq!(shared.asked.len(), 1, "a copy of 299 seconds is of use");
    shared.view(&mut late, "/api/x", &token, &keys, start.plus_millis(301_000));
    assert_eq!(shared.asked.len(), 2, "it was fetched 301 seconds ago, and is no longer fresh");
    shared.cache.retain(|_, copy| copy.contains(&format!(" {} ", start.as_millis())));
    shared.view(&mut engine_with(long), "/api/x", &token, &keys, start.plus_millis(301_000));
    assert_eq!(shared.asked.len(), 3, "a copy that has not been renewed is none any more");
}

#[test]
fn a_session_is_shared_only_where_it_is_said_and_by_digest_only() {
    for (shares, asks) in [(true, 1), (false, 3)] {
        let mut shared = Shared::default();
        for number in 0..3 {
            let mut instance = engine_with(json!({ "share_sessions": shares }));
            let now = START.plus_millis(number * 1000);
            assert_eq!(
                shared.view(&mut instance, "/api/x", SESSION_TOKEN, &alive(), now),
                "forward"
            );
        }
        assert_eq!(
            (shared.asked.len(), shared.cache.len()),
            (asks, usize::from(shares)),
            "share_sessions: {shares}"
        );
        for (key, copy) in &shared.cache {
            assert!(
                ![key, copy]
                    .iter()
                    .any(|text| text.contains(SESSION_TOKEN) || text.contains("oken")),
                "{key} {copy}"
            );
        }
    }
}

/// A session that has ended is remembered as such for ten seconds after an instance has heard of
/// it; the others hear of it ten seconds after they have last heard of the session, wherever that
/// was.
#[test]
fn a_copy_delays_no_sign_out() {
    let mut shared = Shared::default();
    let share = || engine_with(json!({ "share_sessions": true }));
    let (mut first, mut second) = (share(), share());
    assert_eq!(shared.view(&mut first, "/api/x", SESSION_TOKEN, &alive(), START), "forward");
    // Signed out. The second instance starts nine seconds later, with a copy.
    assert_eq!(
        shared.view(&mut second, "/api/x", SESSION_TOKEN, "null", START.plus_millis(9000)),
        "forward"
    );
    assert_eq!(
        shared.view(&mut second, "/api/x", SESSION_TOKEN, "null", START.plus_millis(10_000)),
        "session_ended"
    );
}

/// Who hears that a session has ended takes the copy back: an instance that starts then asks for
/// itself.
#[test]
fn the_end_of_a_session_takes_its_copy_back() {
    let mut shared = Shared::default();
    let share = || engine_with(json!({ "share_sessions": true, "session_cache_seconds": 30 }));
    let (mut first, mut second) = (share(), share());
    shared.view(&mut first, "/api/x", SESSION_TOKEN, &alive(), START);
    shared.cache.clear();
    shared.view(&mut second, "/api/x", SESSION_TOKEN, &alive(), START.plus_millis(20_000));
    // The first hears of the end from the auth service itself: the cache was slow to say what the
    // second has put there.
    let put = std::mem::take(&mut shared.cache);
    assert_eq!(
        shared.view(&mut first, "/api/x", SESSION_TOKEN, "null", START.plus_millis(31_000)),
        "session_ended"
    );
    shared.cache = put.into_iter().chain(std::mem::take(&mut shared.cache)).collect();
    let asked = shared.asked.len();
    assert_eq!(
        shared.view(&mut share(), "/api/x", SESSION_TOKEN, "null", START.plus_millis(32_000)),
        "session_ended"
    );
    assert_eq!((shared.asked.len(), shared.cache.len()), (asked + 1, 1));
}

/// Forged tokens would fill the cache with their ends.
#[test]
fn the_end_of_a_session_that_nobody_has_heard_of_is_not_kept() {
    let mut shared = Shared::default();
    let mut engine = engine_with(json!({ "share_sessions": true }));
    for number in 0..3 {
        let token = format!("{SESSION_TOKEN}{number}");
        assert_eq!(shared.view(&mut engine, "/api/x", &token, "null", START), "session_ended");
    }
    assert_eq!((shared.asked.len(), shared.cache.len()), (3, 0));
}

/// While a copy is looked for, another request hears that the session has ended: that counts.
#[test]
fn an_end_that_is_known_wins_over_a_copy_that_arrives_later() {
    let mut shared = Shared::default();
    let share = || engine_with(json!({ "share_sessions": true, "session_cache_seconds": 30 }));
    shared.view(&mut share(), "/api/x", SESSION_TOKEN, &alive(), START);
    let copy = shared.cache.values().next().cloned().unwrap_or_default();
    let mut engine = share();
    let now = START.plus_millis(3000);
    let looking = with_head("/api/x", SESSION_TOKEN, |head| engine.decide(head, now));
    let Decision::Perform(pending) = looking else { panic!("{looking:?}") };
    // Its lease runs out, and another request takes over.
    shared.cache.clear();
    let later = now.plus_millis(2300);
    assert_eq!(shared.view(&mut engine, "/api/x", SESSION_TOKEN, "null", later), "session_ended");
    let late = with_head("/api/x", SESSION_TOKEN, |head| {
        engine.resume(head, pending, EffectResult::Copied(copy.as_bytes()), later)
    });
    assert_eq!(reason(&late), "session_ended");
}

/// A host that never takes what is to be kept costs no memory.
#[test]
fn what_nobody_takes_is_not_heaped_up() {
    let mut engine = engine_with(json!({ "share_sessions": true }));
    for number in 0..200 {
        let token = format!("{SESSION_TOKEN}{number}");
        let body = alive().replace(SESSION_TOKEN, &token);
        let now = START.plus_millis(number * 1000);
        with_head("/api/x", &token, |head| {
            let Decision::Perform(pending) = engine.decide(head, now) else {
                panic!("it has to be asked about")
            };
            let decision = engine.resume(
                head,
                pending,
                EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() },
                now,
            );
            assert_eq!(reason(&decision), "forward");
        });
    }
    assert_eq!(engine.cache_writes().len(), 64);
    assert_eq!(engine.cache_writes().len(), 0);
}
