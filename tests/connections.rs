//! Does a connection that stays open end with what it rests on? When it ends by itself,
//! `tests/vectors/topics/connections.mjs` says; here is what ends it before.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use doorward::{Decision, Engine, Reason, Reply, RequestHead, Standing, UnixTime, Work};
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
    fn looked(
        &self,
        engine: &mut Engine,
        seconds: i64,
        carry: impl Fn(&Work) -> Reply<'static>,
    ) -> (Option<Reason>, Vec<String>) {
        let (now, mut asked) = (self.later(seconds), Vec::new());
        let mut standing = self.with(|head| engine.look_again(head, now));
        while let Standing::Ask(errand) = standing {
            asked.push(match errand.work() {
                Work::Fetch(fetch) => fetch.url.clone(),
                other => format!("{other:?}"),
            });
            let reply = carry(errand.work());
            standing = self.with(|head| engine.looked(head, errand, reply, now));
        }
        (if let Standing::Over(reason) = standing { Some(reason) } else { None }, asked)
    }
}

fn answered(body: &'static str) -> impl Fn(&Work) -> Reply<'static> {
    move |_| Reply::Answered { status: 200, headers: &[], body: body.as_bytes() }
}

fn nothing(work: &Work) -> Reply<'static> {
    panic!("nothing should be asked: {work:?}")
}

#[test]
fn while_the_cookie_cache_is_good_nobody_is_asked_and_afterwards_the_service_is() {
    let (mut engine, connection) = (engine_with(json!({})), Connection::of("compact-valid"));
    let decision = connection.with(|head| engine.decide(head, connection.began));
    assert!(
        matches!(&decision, Decision::Forward(forward) if forward.life.look_again_ms == Some(10_000)),
        "{decision:?}"
    );
    assert_eq!(connection.looked(&mut engine, 10, nothing), (None, vec![]));
    let url = format!(
        "{}/api/auth/get-session?disableCookieCache=true&disableRefresh=true",
        support::ORIGIN
    );
    assert_eq!(
        connection.looked(&mut engine, 310, answered("null")),
        (Some(Reason::SessionEnded), vec![url])
    );
    assert_eq!(
        connection.looked(&mut engine, 312, nothing),
        (Some(Reason::SessionEnded), vec![]),
        "what is known is not asked again"
    );
}

#[test]
fn doubt_ends_no_connection() {
    let (mut engine, connection) = (engine_with(json!({})), Connection::of("compact-valid"));
    for (seconds, status) in [(310, 500), (320, 302), (330, 401), (340, 429)] {
        let carry = |_: &Work| Reply::Answered { status, headers: &[], body: b"" };
        assert_eq!(connection.looked(&mut engine, seconds, carry).0, None, "{status}");
    }
    assert_eq!(connection.looked(&mut engine, 350, |_| Reply::Failed).0, None);
    assert_eq!(
        connection.looked(&mut engine, 360, answered("null")).0,
        Some(Reason::SessionEnded),
        "and it is asked again"
    );
}

#[test]
fn what_the_operator_revokes_ends_it() {
    let list = json!({ "deny_list": { "store": "LISTS", "refresh_seconds": 30 } });
    let (mut engine, connection) =
        (engine_of(json!({}), list, &["LISTS"]), Connection::of("compact-valid"));
    let found = |list: &'static str| move |_: &Work| Reply::Found(list.as_bytes());
    assert_eq!(connection.looked(&mut engine, 0, found(r#"{"sessions":["another"]}"#)).0, None);
    assert_eq!(connection.looked(&mut engine, 50, nothing).0, None);
    let revoked = found(r#"{"sessions":["pKvVGdGDBbb5jXbZ0hC1WSawOslPPtZQ"]}"#);
    assert_eq!(
        connection.looked(&mut engine, 61, revoked).0,
        Some(Reason::SessionRevoked),
        "twice the refresh, and a second"
    );
}

#[test]
fn many_connections_of_one_session_ask_once() {
    let (mut engine, connection) = (engine_with(json!({})), Connection::of("compact-valid"));
    let now = connection.later(310);
    let first = connection.with(|head| engine.look_again(head, now));
    assert!(matches!(&first, Standing::Ask(errand) if matches!(errand.work(), Work::Fetch(_))));
    for _ in 0..50 {
        let other = connection.with(|head| engine.look_again(head, now));
        assert!(
            matches!(&other, Standing::Ask(errand) if matches!(errand.work(), Work::Wait { .. })),
            "{other:?}"
        );
    }
}
