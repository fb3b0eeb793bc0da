//! Does a connection that stays open end with what it rests on? When it ends by itself,
//! `tests/vectors/topics/connections.mjs` says; here is what ends it before.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use doorward::{
    ConnectionStatus, Decision, Effect, EffectResult, Engine, Reason, RequestHead, UnixTime,
};
use serde_json::json;
use support::{engine_of, engine_with, moment, text, vector};

const SECOND: i64 = 1000;

/// A connection of a session: its head, and when it began.
struct Connection {
    headers: Vec<(String, String)>,
    began: UnixTime,
}

impl Connection {
    fn of(name: &str) -> Self {
        let vector = vector(name);
        let headers = vec![
            ("accept".to_owned(), "text/event-stream".to_owned()),
            ("cookie".to_owned(), text(&vector, "cookie")),
        ];
        Self { headers, began: moment(&vector) }
    }

    fn with<T>(&self, look: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let public_origin = support::ORIGIN;
        look(&RequestHead {
            method: "GET",
            target: "/app/events",
            headers: &headers,
            public_origin,
            client_address: None,
        })
    }

    fn later(&self, seconds: i64) -> UnixTime {
        self.began.plus_millis(seconds * SECOND)
    }

    /// What there is to say of it after so many seconds. `carry` answers what is asked.
    fn rechecked(
        &self,
        engine: &mut Engine,
        seconds: i64,
        perform: impl Fn(&Effect) -> EffectResult<'static>,
    ) -> (Option<Reason>, Vec<String>) {
        let (now, mut asked) = (self.later(seconds), Vec::new());
        let mut status = self.with(|head| engine.recheck(head, now));
        while let ConnectionStatus::Perform(pending) = status {
            asked.push(match pending.effect() {
                Effect::Fetch(fetch) => fetch.url.clone(),
                other => format!("{other:?}"),
            });
            let result = perform(pending.effect());
            status = self.with(|head| engine.rechecked(head, pending, result, now));
        }
        (if let ConnectionStatus::Closed(reason) = status { Some(reason) } else { None }, asked)
    }
}

fn answered(body: &'static str) -> impl Fn(&Effect) -> EffectResult<'static> {
    move |_| EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() }
}

fn nothing(work: &Effect) -> EffectResult<'static> {
    panic!("nothing should be asked: {work:?}")
}

#[test]
fn while_the_cookie_cache_is_good_nobody_is_asked_and_afterwards_the_service_is() {
    let (mut engine, connection) = (engine_with(json!({})), Connection::of("compact-valid"));
    let decision = connection.with(|head| engine.decide(head, connection.began));
    assert!(
        matches!(&decision, Decision::Forward(forward) if forward.connection.recheck_after_ms == Some(10_000)),
        "{decision:?}"
    );
    assert_eq!(connection.rechecked(&mut engine, 10, nothing), (None, vec![]));
    let url = format!(
        "{}/api/auth/get-session?disableCookieCache=true&disableRefresh=true",
        support::ORIGIN
    );
    assert_eq!(
        connection.rechecked(&mut engine, 310, answered("null")),
        (Some(Reason::SessionEnded), vec![url])
    );
    assert_eq!(
        connection.rechecked(&mut engine, 312, nothing),
        (Some(Reason::SessionEnded), vec![]),
        "what is known is not asked again"
    );
}

#[test]
fn a_lookup_failure_ends_no_connection() {
    let (mut engine, connection) = (engine_with(json!({})), Connection::of("compact-valid"));
    for (seconds, status) in [(310, 500), (320, 302), (330, 401), (340, 429)] {
        let perform = |_: &Effect| EffectResult::Answered { status, headers: &[], body: b"" };
        assert_eq!(connection.rechecked(&mut engine, seconds, perform).0, None, "{status}");
    }
    assert_eq!(connection.rechecked(&mut engine, 350, |_| EffectResult::Failed).0, None);
    assert_eq!(
        connection.rechecked(&mut engine, 360, answered("null")).0,
        Some(Reason::SessionEnded),
        "and it is asked again"
    );
}

#[test]
fn what_the_operator_revokes_ends_it() {
    let list = json!({ "deny_list": { "store": "LISTS", "refresh_seconds": 30 } });
    let (mut engine, connection) =
        (engine_of(json!({}), list, &["LISTS"]), Connection::of("compact-valid"));
    let found = |list: &'static str| move |_: &Effect| EffectResult::Found(list.as_bytes());
    assert_eq!(connection.rechecked(&mut engine, 0, found(r#"{"sessions":["another"]}"#)).0, None);
    assert_eq!(connection.rechecked(&mut engine, 50, nothing).0, None);
    let revoked = found(r#"{"sessions":["pKvVGdGDBbb5jXbZ0hC1WSawOslPPtZQ"]}"#);
    assert_eq!(
        connection.rechecked(&mut engine, 61, revoked).0,
        Some(Reason::SessionRevoked),
        "twice the refresh, and a second"
    );
}

#[test]
fn many_connections_of_one_session_ask_once() {
    let (mut engine, connection) = (engine_with(json!({})), Connection::of("compact-valid"));
    let now = connection.later(310);
    let first = connection.with(|head| engine.recheck(head, now));
    assert!(
        matches!(&first, ConnectionStatus::Perform(pending) if matches!(pending.effect(), Effect::Fetch(_)))
    );
    for _ in 0..50 {
        let other = connection.with(|head| engine.recheck(head, now));
        assert!(
            matches!(&other, ConnectionStatus::Perform(pending) if matches!(pending.effect(), Effect::Wait { .. })),
            "{other:?}"
        );
    }
}
