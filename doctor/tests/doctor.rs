//! `doorward doctor` against an auth service with one fault each: which cause comes first, how
//! certain it is, what it costs, and that nothing secret is printed.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)] // a test that panics has found something

mod world;

use doorward_doctor::effects::Phase;
use serde_json::Value;
use world::{OTHER, SECRET, Service, World, header, no_response, path, response};

const URL: &str = "http://127.0.0.1:3000";

/// A row: its name, the service, further words of the command line, the cause and its certainty.
type Row = (&'static str, Service, &'static [&'static str], Option<(&'static str, &'static str)>);

fn service(change: impl FnOnce(&mut Service)) -> Service {
    let mut service = Service::default();
    change(&mut service);
    service
}

fn secret(secret: &str) -> Service {
    service(|service| service.secret = secret.to_owned())
}

#[allow(clippy::too_many_lines)] // a table
fn rows() -> Vec<Row> {
    let proof = |cause| Some((cause, "proof"));
    let strong = |cause| Some((cause, "strong"));
    vec![
        ("healthy", Service::default(), &[], None),
        ("no jwt plugin", service(|service| service.has_jwt = false), &[], None),
        ("no check of origins", service(|service| service.checks_origin = false), &[], None),
        (
            "a prefix of its own, which the gate's configuration knows",
            service(|service| service.token_name = "acme.session_token"),
            &["--config", "acme.json"],
            None,
        ),
        (
            "/ok is switched off",
            service(|service| {
                service.fault = Some(|request, _| {
                    path(request).ends_with("/ok").then(|| response(404, &[], ""))
                });
            }),
            &[],
            None,
        ),
        (
            "a balancer sets cookies",
            service(|service| {
                service.fault = Some(|request, service| {
                    let doorward_doctor::effects::EffectResult::Http(mut answer) =
                        service.well(request)
                    else {
                        return None;
                    };
                    answer
                        .headers
                        .insert(0, ("set-cookie".to_owned(), "AWSALB=a; Path=/".to_owned()));
                    Some(doorward_doctor::effects::EffectResult::Http(answer))
                });
            }),
            &[],
            None,
        ),
        ("another secret", secret(OTHER), &[], proof("secret-differs")),
        ("a line end", secret(&format!("{SECRET}\n")), &[], proof("secret-whitespace")),
        ("CR LF", secret(&format!("{SECRET}\r\n")), &[], proof("secret-whitespace")),
        ("quotes", secret(&format!("\"{SECRET}\"")), &[], proof("secret-quoted")),
        (
            "the published default",
            secret("better-auth-secret-12345678901234567890"),
            &[],
            proof("secret-default"),
        ),
        (
            "another base path",
            service(|service| service.base = "/auth"),
            &[],
            proof("base-path-differs"),
        ),
        (
            "the gate looks for another name",
            service(|service| service.token_name = "acme.session_token"),
            &["--config", "doorward.json"],
            proof("cookie-name-differs"),
        ),
        (
            "cookies for https",
            service(|service| {
                service.token_name = "__Secure-better-auth.session_token";
                service.attributes = "Path=/; HttpOnly; Secure; SameSite=Lax";
            }),
            &[],
            strong("secure-cookie-on-http"),
        ),
        (
            "a foreign Domain",
            service(|service| service.attributes = "Domain=.other.example; Path=/; SameSite=Lax"),
            &[],
            proof("cookie-domain-foreign"),
        ),
        (
            "a public suffix",
            service(|service| service.attributes = "Domain=.vercel.app; Path=/; SameSite=Lax"),
            &[],
            proof("cookie-domain-public-suffix"),
        ),
        (
            "another origin",
            service(|service| service.origin = "https://app.example.com"),
            &[],
            proof("origin-not-trusted"),
        ),
        (
            "Cookie is removed",
            service(|service| {
                service.fault = Some(|request, service| {
                    let mut request = request.clone();
                    request.headers.retain(|(name, _)| name != "cookie");
                    Some(service.well(&request))
                });
            }),
            &[],
            proof("cookie-header-stripped"),
        ),
        (
            "Set-Cookie is removed",
            service(|service| {
                service.fault = Some(|request, service| {
                    let doorward_doctor::effects::EffectResult::Http(mut answer) =
                        service.well(request)
                    else {
                        return None;
                    };
                    answer.headers.retain(|(name, _)| name != "set-cookie");
                    Some(doorward_doctor::effects::EffectResult::Http(answer))
                });
            }),
            &[],
            proof("set-cookie-stripped"),
        ),
        (
            "a cache that says so",
            service(|service| {
                service.fault = Some(|request, _| {
                    path(request)
                        .ends_with("/get-session")
                        .then(|| response(200, &[("x-cache", "HIT")], "null"))
                });
            }),
            &[],
            proof("get-session-cached"),
        ),
        (
            "a cache that says nothing, of the usual address",
            service(|service| {
                service.fault = Some(|request, _| {
                    request.url.ends_with("/get-session").then(|| response(200, &[], "null"))
                });
            }),
            &[],
            proof("get-session-cached"),
        ),
        (
            "a limit that is full",
            service(|service| {
                service.fault = Some(|request, _| {
                    path(request).ends_with("/get-session").then(|| {
                        response(
                            429,
                            &[("x-retry-after", "10")],
                            r#"{"message":"Too many requests. Please try again later."}"#,
                        )
                    })
                });
            }),
            &[],
            proof("rate-limited"),
        ),
        (
            "nothing listens",
            service(|service| {
                service.fault = Some(|_, _| Some(no_response(Phase::Connect, "refused")));
            }),
            &[],
            proof("unreachable"),
        ),
        (
            "an expired certificate",
            service(|service| {
                service.fault = Some(|_, _| Some(no_response(Phase::Tls, "expired")));
            }),
            &[],
            proof("unreachable"),
        ),
        (
            "a single-page application",
            service(|service| {
                service.fault = Some(|_, _| {
                    Some(response(200, &[("content-type", "text/html")], "<!doctype html><p>"))
                });
            }),
            &[],
            proof("html-instead-of-auth"),
        ),
        (
            "a redirect to another host",
            service(|service| {
                service.fault = Some(|_, _| {
                    Some(response(308, &[("location", "https://app.example.com/api/auth/ok")], ""))
                });
            }),
            &[],
            proof("base-url-redirects"),
        ),
        (
            "Vercel's protection",
            service(|service| {
                service.fault = Some(|_, _| {
                    let cookie = ("set-cookie", "_vercel_sso_nonce=a; Path=/");
                    Some(response(401, &[cookie], "<html>Authentication Required"))
                });
            }),
            &[],
            proof("deployment-protection"),
        ),
        (
            "a challenge for programs",
            service(|service| {
                service.fault = Some(|request, service| {
                    let is_browser = header(request, "user-agent")
                        .is_some_and(|agent| agent.contains("Mozilla"));
                    if is_browser {
                        return Some(service.well(request));
                    }
                    Some(response(403, &[("cf-mitigated", "challenge")], "<html>Just a moment..."))
                });
            }),
            &[],
            proof("bot-challenge"),
        ),
        (
            "the store is down",
            service(|service| {
                service.fault = Some(|request, _| {
                    let is_lookup = path(request).ends_with("/get-session")
                        && header(request, "cookie")
                            .is_some_and(|cookie| cookie.contains("session_token="));
                    is_lookup.then(|| response(500, &[], r#"{"code":"FAILED_TO_GET_SESSION"}"#))
                });
            }),
            &[],
            strong("database-unreachable"),
        ),
        (
            "a Path that is too narrow",
            service(|service| service.attributes = "Path=/app; HttpOnly; SameSite=Lax"),
            &[],
            proof("cookie-path-narrow"),
        ),
        (
            "Origin is removed on the way",
            service(|service| {
                service.fault = Some(|request, service| {
                    let mut bare = request.clone();
                    bare.headers.retain(|(name, _)| name != "origin");
                    Some(service.well(&bare))
                });
            }),
            &[],
            strong("origin-not-trusted"),
        ),
        (
            "errors become a page with 200",
            service(|service| {
                service.fault = Some(|request, service| {
                    let doorward_doctor::effects::EffectResult::Http(answer) =
                        service.well(request)
                    else {
                        return None;
                    };
                    (answer.status >= 400)
                        .then(|| response(200, &[("content-type", "text/html")], "<h1>Oh</h1>"))
                });
            }),
            &[],
            strong("html-instead-of-auth"),
        ),
        (
            "the key set is forbidden by something in front",
            service(|service| {
                service.fault = Some(|request, _| {
                    path(request).ends_with("/jwks").then(|| response(403, &[], "<h1>No</h1>"))
                });
            }),
            &[],
            proof("jwks-not-json"),
        ),
        (
            "no jwt plugin, and an API wants tokens",
            service(|service| service.has_jwt = false),
            &["--api", "http://127.0.0.1:3000/items"],
            proof("jwt-plugin-missing"),
        ),
    ]
}

fn played(service: Service, words: &[&str]) -> (Value, world::Outcome) {
    let mut world = World { service, ..World::default() };
    world.env.insert("BETTER_AUTH_SECRET", SECRET.to_owned());
    world.files.insert("doorward.json", r#"{"extends":"better-auth"}"#.to_owned());
    let acme = r#"{"extends":"better-auth","issuers":{"cookie_prefix":"acme"}}"#;
    world.files.insert("acme.json", acme.to_owned());
    if !words.contains(&"--config") {
        world.files.clear();
    }
    let line: Vec<&str> = ["doctor", URL, "--json"].iter().chain(words).copied().collect();
    let outcome = world.play(&line);
    (serde_json::from_str(&outcome.out).unwrap_or_default(), outcome)
}

#[test]
fn the_first_cause_is_the_right_one() {
    let rows = rows();
    let mut wrong = Vec::new();
    let count = rows.len();
    for (name, service, words, expected) in rows {
        let (report, outcome) = played(service, words);
        let first = &report["causes"][0];
        let found = first["id"].as_str().zip(first["certainty"].as_str());
        let exit = if expected.is_some() { 1 } else { 0 };
        if found != expected || outcome.exit != exit || outcome.requests > 20 {
            wrong.push(format!(
                "{name}: {found:?} instead of {expected:?}, exit {}, {} requests: {}{}",
                outcome.exit, outcome.requests, outcome.err, report["requests"]
            ));
        }
        for part in [SECRET, "k7Q2vX9mB4tR8wZ1"] {
            assert!(!outcome.out.contains(part) && !outcome.err.contains(part), "{name}");
        }
    }
    println!("{count} set-ups");
    assert!(count > 25 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_interruption_says_how_far_it_came() {
    let world = World { interrupts_after: Some(25), ..World::default() };
    let outcome = world.play(&["doctor", URL, "--json"]);
    let report: Value = serde_json::from_str(&outcome.out).unwrap_or_default();
    assert_eq!(
        (outcome.exit, report["verdict"].as_str()),
        (3, Some("unfinished")),
        "{}",
        outcome.out
    );
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let lines: [&[&str]; 8] = [
        &["doctor"],
        &["doctor", "app.example.com"],
        &["doctor", URL, "--connect", "nowhere"],
        &["doctor", URL, "--only", "everything"],
        &["doctor", URL, "--env-file", "missing"],
        &["doctor", URL, "--header", "cookie: a=b"],
        &["explain"],
        &["causes", "no-such-cause"],
    ];
    for line in lines {
        let outcome = World::default().play(line);
        assert_eq!(outcome.exit, 2, "{line:?}: {}", outcome.out);
        assert!(outcome.err.starts_with("doorward: error: ") && outcome.out.is_empty(), "{line:?}");
    }
}

/// A short secret, a foreign host and plain http keep the secret here.
#[test]
fn a_secret_that_must_stay_is_not_used() {
    let cases = [
        ("http://app.example.com", SECRET, "http://app.example.com"),
        ("https://other.example", SECRET, "https://app.example.com"),
        ("http://127.0.0.1:3000", "too short", ""),
    ];
    for (url, secret, service) in cases {
        let mut world = World::default();
        world.env.insert("BETTER_AUTH_SECRET", secret.to_owned());
        world.env.insert("BETTER_AUTH_URL", service.to_owned());
        let outcome = world.play(&["doctor", url, "--json"]);
        let report: Value = serde_json::from_str(&outcome.out).unwrap_or_default();
        let asked = report["requests"].as_array().is_some_and(|requests| {
            requests
                .iter()
                .any(|request| request["id"].as_str().is_some_and(|id| id.starts_with("oracle")))
        });
        assert!(!asked, "{url}: {}", report["requests"]);
    }
}

/// The report has the members of its schema, and the schema those of the report.
#[test]
fn the_report_is_what_its_schema_says() {
    let schema: Value =
        serde_json::from_str(include_str!("../../schema/doctor-1.schema.json")).unwrap_or_default();
    let (report, _) = played(secret(OTHER), &[]);
    let names = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> =
            value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names
    };
    let required = |value: &Value| -> Vec<String> {
        let all = value["required"].as_array().into_iter().flatten();
        let mut names: Vec<String> = all.filter_map(Value::as_str).map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    for (schema, value) in [
        (&schema, &report),
        (&schema["$defs"]["finding"], &report["causes"][0]),
        (&schema["$defs"]["request"], &report["requests"][0]),
    ] {
        assert!(!names(value).is_empty());
        assert_eq!(names(value), names(&schema["properties"]));
        assert_eq!(names(value), required(schema));
    }
    let verdicts = schema["properties"]["verdict"]["enum"].as_array().cloned().unwrap_or_default();
    assert!(verdicts.contains(&report["verdict"]), "{}", report["verdict"]);
}
