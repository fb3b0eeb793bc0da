//! A crate that needs `doorward` alone: a page without a session goes to sign in, a public one goes on.

use std::collections::BTreeMap;

use doorward::{Capabilities, Config, Decision, Engine, RequestHead, UnixTime};

fn main() {
    let config = r#"{ "extends": "better-auth", "public": ["/pricing"] }"#;
    let values = [
        ("BETTER_AUTH_URL", "https://app.example"),
        ("BETTER_AUTH_SECRET", "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg"),
    ];
    let values: BTreeMap<String, String> =
        values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let policy = Config::parse(config)
        .and_then(|config| config.compile(&values, &Capabilities::none()))
        .expect("the configuration is right");
    let mut engine = Engine::new(policy, 42);
    let mut decide = |target| {
        let headers = [("accept", "text/html")];
        let head = RequestHead {
            method: "GET",
            target,
            headers: &headers,
            public_origin: "https://app.example",
            client_address: None,
        };
        engine.decide(&head, UnixTime::from_millis(1_795_402_800_000))
    };
    let Decision::Redirect(refusal) = decide("/dashboard") else { panic!("/dashboard is open") };
    assert_eq!(refusal.reason.code(), "no_credential");
    assert!(matches!(decide("/pricing"), Decision::Forward(_)), "/pricing is closed");
    println!("decided: no_credential, forward");
}
