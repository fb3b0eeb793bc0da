//! What a Rust host shows a scraper: the counts of decided requests, how long effects took by the
//! host's clock, and that there is no engine where there is none.

#![allow(clippy::panic)] // a test that panics has found something

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use doorward::{Capabilities, Engine, Fetch, UnixTime};
use doorward_host::{Failure, Host, OwnedHead, Response, decide, engine, metrics};

const TOKEN: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoiYSIsInN1YiI6InUiLCJleHAiOjQwMDAwMDAwMDB9.AAAA";
const DOCUMENT: &str = r#"{
  "issuers": [{ "type": "jwt", "name": "main", "issuer": "https://issuer.example", "audience": "a", "jwks_url": "https://issuer.example/jwks" }],
  "rules": [{ "path": "/open", "access": "public" }, { "path": "/**", "access": "required" }]
}"#;

/// A host whose clock moves while it fetches, and whose issuer is away.
struct Desk {
    engine: Option<Mutex<Engine>>,
    clock: AtomicI64,
}

impl Desk {
    fn new(can: &Capabilities) -> Self {
        let engine = engine(DOCUMENT, |_| None, can, 1);
        let engine = engine.unwrap_or_else(|errors| panic!("{errors:#?}"));
        Self { engine: Some(Mutex::new(engine)), clock: AtomicI64::new(1_800_000_000_000) }
    }

    async fn request(&self, target: &str, bearer: Option<&str>) {
        let bearer = bearer.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        let accept = ("accept".to_owned(), "application/json".to_owned());
        let head = OwnedHead {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: [accept].into_iter().chain(bearer).collect(),
            public_origin: "https://app.example".to_owned(),
            client_address: None,
        };
        drop(decide(self, &head).await);
    }

    /// What is shown, by series.
    fn shown(&self) -> BTreeMap<String, String> {
        series(&metrics(self, "desk", 3))
    }
}

/// Each line but comments, as a series and its value.
fn series(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

impl Host for Desk {
    fn with_engine<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        Some(work(&mut *self.engine.as_ref()?.lock().ok()?))
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.clock.load(Ordering::Relaxed))
    }

    async fn sleep(&self, _: u32) {
        std::future::pending().await
    }

    async fn fetch(&self, _: &Fetch) -> Result<Response, Failure> {
        self.clock.fetch_add(40, Ordering::Relaxed);
        Ok(Response { status: 500, ..Response::default() })
    }

    fn log(&self, _: &str) {}
}

#[tokio::test]
async fn what_was_decided_and_asked_for_is_shown() {
    let desk = Desk::new(&doorward_native::capabilities().and_measuring());
    desk.request("/app", None).await;
    desk.request("/app?secret=hidden", None).await;
    desk.request("/open", None).await;
    desk.request("/app", Some(TOKEN)).await;
    let shown = desk.shown();
    let decided = |labels: &str| shown.get(&format!("doorward_decisions_total{{{labels}}}"));
    let expected = [
        (r#"outcome="refuse",reason="no_credential",kind="fetch",rule="/**",mode="enforce""#, "2"),
        (r#"outcome="forward",kind="fetch",rule="/open",mode="enforce""#, "1"),
        (
            r#"outcome="unavailable",reason="keys_unavailable",kind="fetch",rule="/**",issuer="main",mode="enforce""#,
            "1",
        ),
    ];
    for (labels, count) in expected {
        assert_eq!(decided(labels).map(String::as_str), Some(count), "{labels}: {shown:#?}");
    }
    let one = |name: &str| shown.get(name).map(String::as_str);
    assert_eq!(one(r#"doorward_effects_total{purpose="keys",outcome="status"}"#), Some("1"));
    // By the clock of the host, which moves by 40 ms while it fetches.
    let duration = |of: &str| {
        one(&format!(r#"doorward_effect_duration_seconds_{of}{{purpose="keys"}}"#))
            .map(str::to_owned)
    };
    assert_eq!(duration("count").as_deref(), Some("1"), "{shown:#?}");
    assert_eq!(duration("sum").as_deref().map(|sum| sum.trim_end_matches('0')), Some("0.04"));
    assert_eq!(one("doorward_started"), Some("1"));
    let version = env!("CARGO_PKG_VERSION");
    let build = format!(r#"doorward_build_info{{host="desk",version="{version}"}}"#);
    assert_eq!(one(&build), Some("1"), "{shown:#?}");
    let leaks: Vec<_> =
        shown.keys().filter(|name| name.contains("hidden") || name.contains("eyJ")).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    println!("{} series", shown.len());
}

#[tokio::test]
async fn a_host_that_does_not_measure_counts_nothing() {
    let desk = Desk::new(&doorward_native::capabilities());
    desk.request("/app", None).await;
    let shown = desk.shown();
    let counted: Vec<_> = shown.keys().filter(|name| name.contains("_total")).collect();
    assert!(counted.is_empty(), "{counted:?}");
    assert_eq!(shown.get("doorward_started").map(String::as_str), Some("1"));
}

#[test]
fn without_an_engine_it_says_so() {
    let desk = Desk { engine: None, clock: AtomicI64::new(0) };
    let shown = desk.shown();
    let expected = BTreeMap::from(
        [
            ("doorward_config_errors".to_owned(), "3"),
            ("doorward_started".to_owned(), "0"),
            (
                format!(
                    r#"doorward_build_info{{host="desk",version="{}"}}"#,
                    env!("CARGO_PKG_VERSION")
                ),
                "1",
            ),
        ]
        .map(|(name, value)| (name, value.to_owned())),
    );
    assert_eq!(shown, expected);
}
