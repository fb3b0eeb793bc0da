//! `doorward explain-log`, `explain`, `test`, `routes` and `init`: played with files and variables as tables.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use serde_json::{Value, json};
use support::{Played, World};

const SECRET: &str = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
const NOW_MILLIS: i64 = 1_800_000_000_000;

fn world(files: &[(&str, &str)]) -> World {
    World {
        files: files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        env: [("BETTER_AUTH_URL", "https://app.example.com"), ("BETTER_AUTH_SECRET", SECRET)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        now_millis: NOW_MILLIS,
    }
}

fn answer(played: &Played) -> Value {
    serde_json::from_str(&played.out)
        .unwrap_or_else(|error| panic!("{error}: {}{}", played.out, played.err))
}

/// A line of the gate's log with these members.
fn line(time: &str, reason: &str, more: Value) -> String {
    let mut line = json!({ "gate": "doorward", "event": "refusal", "decision": "reject", "time": time, "reason": reason, "status": 401 });
    for (name, value) in more.as_object().into_iter().flatten() {
        line[name] = value.clone();
    }
    line.to_string()
}

/// Which cause a line speaks for, by the members that docs/reference/log.md has.
#[test]
fn a_line_of_the_log_speaks_for_its_cause() {
    let near = |problem: &str| json!({ "cookies": { "expected": ["a"], "near": [{ "name": "b", "problem": problem }] } });
    let failed = |word: &str| json!({ "lookup_failure": word });
    let cases = [
        ("no_credential", json!({}), "no-session-cookie hint"),
        ("no_credential", near("secure-prefix"), "secure-prefix-differs proof"),
        ("no_credential", near("prefix"), "cookie-name-differs strong"),
        ("no_credential", near("repeated"), "duplicate-cookies proof"),
        ("no_credential", near("chunk-missing"), "chunk-missing proof"),
        ("credential_malformed", near("cut"), "cookie-cut proof"),
        ("credential_malformed", near("encoded-twice"), "cookie-double-encoded proof"),
        ("redirect_loop", json!({ "cause": "signature_invalid" }), "secret-differs strong"),
        ("signature_invalid", json!({}), "secret-differs strong"),
        (
            "signature_invalid",
            json!({ "secret": { "service_has": "without-quotes" } }),
            "secret-quoted proof",
        ),
        (
            "signature_invalid",
            json!({ "secret": { "service_has": "with-line-end" } }),
            "secret-whitespace proof",
        ),
        (
            "signature_invalid",
            json!({ "secret": { "service_has": "retired" } }),
            "secret-retired proof",
        ),
        (
            "signature_invalid",
            json!({ "secret": { "service_has": "published-default" } }),
            "secret-default proof",
        ),
        ("session_unavailable", failed("no-response"), "unreachable proof"),
        ("session_unavailable", failed("redirect"), "base-url-redirects proof"),
        ("session_unavailable", failed("unauthorized"), "deployment-protection strong"),
        ("session_unavailable", failed("rate-limited"), "rate-limited proof"),
        ("session_unavailable", failed("not-found"), "base-path-differs strong"),
        ("session_unavailable", failed("unexpected-body"), "html-instead-of-auth strong"),
        ("session_unavailable", failed("headers-too-large"), "header-too-large proof"),
        ("session_unavailable", failed("other-session"), "get-session-cached strong"),
        ("session_unavailable", failed("server-error"), "database-unreachable hint"),
        ("keys_unavailable", failed("not-found"), "jwt-plugin-missing strong"),
        ("keys_unavailable", failed("unexpected-body"), "jwks-not-json proof"),
        ("token_exchange_unavailable", failed("no-jwt-plugin"), "jwt-plugin-missing proof"),
        (
            "issuer_unknown",
            json!({ "iss": { "differs_in": "trailing slash" } }),
            "issuer-trailing-slash proof",
        ),
        ("issuer_unknown", json!({ "iss": { "differs_in": "scheme" } }), "issuer-scheme proof"),
        ("issuer_unknown", json!({ "iss": { "differs_in": "host" } }), "issuer-host proof"),
        ("issuer_unknown", json!({ "iss": { "differs_in": "path" } }), "issuer-path proof"),
        ("audience_mismatch", json!({}), "audience-differs proof"),
        ("key_not_found", json!({}), "kid-not-in-jwks strong"),
        ("token_expired", json!({}), "token-expired-no-refresh hint"),
        ("token_expired", json!({ "clock_difference_seconds": -95 }), "clock-skew strong"),
        ("session_ended", json!({ "cookies_deleted": true }), "session-not-in-store hint"),
        ("head_malformed", json!({}), "none"),
    ];
    for (reason, more, expected) in &cases {
        let log = line("2026-11-30T10:00:00.000Z", reason, more.clone());
        let group =
            answer(&world(&[("log", &log)]).play(&["explain-log", "log", "--json"]))["groups"][0]
                .clone();
        let found = match (group["cause"].as_str(), group["certainty"].as_str()) {
            (Some(cause), Some(certainty)) => format!("{cause} {certainty}"),
            _ => "none".to_owned(),
        };
        assert_eq!((&found.as_str(), &group["reason"]), (expected, &json!(reason)), "{log}");
    }
    println!("{} lines", cases.len());
}

#[test]
fn a_log_is_counted_and_what_rises_is_said() {
    let mut log = String::from("not a line of ours\n");
    for minute in 0..10 {
        log += &format!(
            "web-1 | {}\n",
            line(&format!("2026-11-30T10:{minute:02}:00Z"), "token_expired", json!({}))
        );
        log += &format!(
            "{}\n",
            line(&format!("2026-11-30T11:{minute:02}:00Z"), "token_expired", json!({}))
        );
        log += &format!(
            "{}\n",
            line(
                &format!("2026-11-30T11:{minute:02}:30Z"),
                "signature_invalid",
                json!({ "rule": "/account" })
            )
        );
    }
    let world = world(&[("-", &log)]);
    let found = answer(&world.play(&["explain-log", "--since", "2026-11-30T10:30:00Z", "--json"]));
    let groups: Vec<_> = found["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| {
            (
                group["reason"].as_str(),
                group["before"].as_u64(),
                group["since"].as_u64(),
                group["rises"].as_bool(),
            )
        })
        .collect();
    assert_eq!(
        groups,
        [
            (Some("token_expired"), Some(10), Some(10), Some(false)),
            (Some("signature_invalid"), Some(0), Some(10), Some(true)),
        ]
    );
    assert_eq!((found["gate_lines"].as_u64(), found["lines"].as_u64()), (Some(30), Some(31)));
    let played = world.play(&["explain-log", "-", "--since", "2026-11-30T10:30:00Z"]);
    assert_eq!(played.exit, 1);
    for words in [
        "10  signature_invalid: secret-differs [strong] (0 before, 10 since, rises)",
        "rules   /account",
    ] {
        assert!(played.out.contains(words), "{words}\n{}", played.out);
    }
}

#[test]
fn what_is_no_log_is_used_wrongly() {
    let world = world(&[("log", "nothing\n")]);
    for args in [
        &["explain-log", "log"][..],
        &["explain-log", "nowhere"],
        &["explain-log", "log", "--since", "soon"],
    ] {
        let played = world.play(args);
        assert_eq!((played.exit, played.out.as_str()), (2, ""), "{args:?} {}", played.err);
    }
}

/// Cookies of the vectors, which Better Auth's own algorithms have made.
fn vector_cookies(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/decisions")
        .join(name);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let file: Value = serde_json::from_str(&text).unwrap_or_default();
    let headers = file["cases"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|case| case["request"]["headers"].as_array().cloned().unwrap_or_default());
    let mut cookies = headers
        .filter(|pair| pair[0] == "cookie")
        .filter_map(|pair| pair[1].as_str().map(str::to_owned));
    cookies
        .find(|cookie| cookie.contains("session_token=") && cookie.contains("session_data="))
        .unwrap_or_default()
}

#[test]
fn a_pasted_cookie_is_explained_layer_by_layer() {
    let cookies = vector_cookies("session-cookies.json");
    assert!(!cookies.is_empty());
    let mut world = world(&[("cookies.txt", &cookies)]);
    let secret = "4Yk0-current-secret-of-the-vectors-8Rw2".to_owned();
    world.env.insert("BETTER_AUTH_SECRET".to_owned(), secret);
    let found = answer(&world.play(&["explain", "--cookie-file", "cookies.txt", "--json"]));
    let layers = &found["gate"]["credentials"][0]["layers"];
    let named: Vec<_> = layers
        .as_array()
        .into_iter()
        .flatten()
        .map(|layer| layer["name"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(named, ["session_token", "session_data"], "{found:#}");
    // It passes until the cookie cache has run out; then the gate would ask.
    let ends: Vec<_> = found["times"].as_array().into_iter().flatten().collect();
    let last = ends.last().map(|own| (own["reason"].as_str(), own["from"].is_i64()));
    assert_eq!(last, Some((Some("session_unavailable"), true)), "{found:#}");
    assert!(found["way"].as_array().is_some_and(|way| way.len() == 9));
    // With another secret no layer holds, and the cause is named.
    world
        .env
        .insert("BETTER_AUTH_SECRET".to_owned(), "Zr8-qW3eR5tY7uI9oP1aS2dF4gH6jK8lZ0x".to_owned());
    let played = world.play(&[
        "explain",
        "--cookie-file",
        "cookies.txt",
        "--json",
        "--why-not",
        "secret-quoted",
    ]);
    let found = answer(&played);
    assert_eq!(
        (played.exit, found["gate"]["reason"].as_str()),
        (1, Some("signature_invalid")),
        "{found:#}"
    );
    assert!(found["why_not"]["why"].is_string());
    assert!(played.others.is_empty(), "nothing is sent: {:?}", played.others);
    let value = cookies.split(['=', ';']).nth(1).unwrap_or_default();
    assert!(value.len() > 20 && !played.out.contains(value));
}

const CONFIG: &str = r#"{ "extends": "better-auth", "public": ["/pricing"], "require": { "/admin/**": { "attributes": { "role": "admin" } } }, "sign_in": { "path": "/sign-in" } }"#;

#[test]
fn policy_tests_pass_and_fail_as_they_should() {
    let cases = json!({ "cases": [
        { "name": "a public page", "request": { "target": "/pricing" }, "expect": "forward" },
        { "name": "a guest of the API", "request": { "target": "/admin", "headers": { "accept": "application/json" } }, "expect": { "reject": "no_credential" } },
        { "name": "a guest with a browser", "request": { "target": "/admin", "headers": { "accept": "text/html" } }, "expect": { "redirect": { "reason": "no_credential", "location": "/sign-in?callbackURL=%2Fadmin" } } },
        { "name": "a user", "request": { "target": "/" }, "session": { "user": { "id": "ada" } }, "expect": { "forward": { "set": { "x-doorward-subject": "ada" } } } },
        { "name": "a forged session", "request": { "target": "/", "headers": { "accept": "application/json", "cookie": "__Secure-better-auth.session_token=a.b" } }, "expect": { "reject": { "status": 401 } } },
    ] });
    let text = cases.to_string();
    let config = CONFIG.replace(
        ", \"require\": { \"/admin/**\": { \"attributes\": { \"role\": \"admin\" } } }",
        "",
    );
    let played =
        world(&[("doorward.json", &config), ("doorward.test.json", &text)]).play(&["test"]);
    assert_eq!(
        (played.exit, played.out.as_str()),
        (0, "5 cases: 5 as expected, 0 not\n"),
        "{}",
        played.err
    );

    let wrong = text.replace("\"expect\":\"forward\"", "\"expect\":{\"reject\":\"no_credential\"}");
    let played =
        world(&[("doorward.json", &config), ("doorward.test.json", &wrong)]).play(&["test"]);
    assert_eq!(played.exit, 1);
    assert!(
        played.out.starts_with("✘ a public page\n  expected reject no_credential, found forward"),
        "{}",
        played.out
    );
    for (name, text) in [
        ("no expectation", r#"{"cases":[{"request":{}}]}"#),
        ("no case", r#"{"cases":[]}"#),
        ("no JSON", "x"),
    ] {
        let played = world(&[("doorward.test.json", text)]).play(&["test"]);
        assert_eq!((played.exit, played.out.as_str()), (2, ""), "{name}");
    }
}

/// The manifests are those of Next 16.4.5, shortened.
#[test]
fn routes_of_a_built_next_app_are_covered() {
    let files = [
        ("package.json", r#"{"dependencies":{"next":"16.4.5"}}"#),
        ("doorward.json", r#"{ "extends": "better-auth", "public": ["/pricing"] }"#),
        (
            ".next/routes-manifest.json",
            r#"{"basePath":"","staticRoutes":[{"page":"/"},{"page":"/_not-found"},{"page":"/pricing"},{"page":"/reports"}],"dynamicRoutes":[{"page":"/blog/[slug]"}]}"#,
        ),
        (".next/app-path-routes-manifest.json", r#"{"/page":"/","/api/notes/route":"/api/notes"}"#),
        (
            ".next/prerender-manifest.json",
            r#"{"routes":{"/pricing":{"initialRevalidateSeconds":false,"srcRoute":"/pricing"},"/reports":{"initialRevalidateSeconds":60,"srcRoute":"/reports"}},"dynamicRoutes":{}}"#,
        ),
        (
            ".next/server/functions-config-manifest.json",
            r#"{"functions":{"/_middleware":{"runtime":"nodejs","matchers":[{"regexp":"^(?:\\/(_next\\/data\\/[^/]{1,}))?(?:\\/((?!api).*))(\\.json|\\.rsc|\\.segments\\/.+\\.segment\\.rsc)?[\\/#\\?]?$","originalSource":"/((?!api).*)"}]}}}"#,
        ),
    ];
    let played = world(&files).play(&["routes", "--json"]);
    let found = answer(&played);
    let routes: Vec<_> = found["routes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|route| {
            format!(
                "{} {} {} {}",
                route["route"].as_str().unwrap_or_default(),
                route["access"].as_str().unwrap_or_default(),
                route["kept"].as_str().unwrap_or("-"),
                route["left_out"]
            )
        })
        .collect();
    assert_eq!(
        routes,
        [
            "/ required - false",
            "/api/notes required - true",
            "/blog/[slug] required - false",
            "/pricing public rendered at build time false",
            "/reports required kept for 60 s false",
        ],
        "{}",
        played.err
    );
    assert_eq!(played.exit, 1);
    let text = world(&files).play(&["routes"]).out;
    assert!(
        text.contains(
            "5 routes of Next: 4 need a session, 1 left out by the matcher, 1 prerendered or cached"
        ),
        "{text}"
    );
}

#[test]
fn routes_of_other_frameworks_are_found() {
    let config = ("doorward.json", r#"{ "extends": "better-auth", "public": ["/about"] }"#);
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 4] = [
        (
            "SvelteKit",
            &[
                ("svelte.config.js", "x"),
                ("src/routes/+page.svelte", ""),
                ("src/routes/(app)/about/+page.svelte", ""),
                ("src/routes/blog/[slug]/+server.ts", ""),
                (".svelte-kit/output/prerendered/pages/about.html", ""),
            ],
            &["/ required false", "/about public true", "/blog/[slug] required false"],
        ),
        (
            "Nuxt",
            &[
                ("nuxt.config.ts", "x"),
                ("app/pages/index.vue", ""),
                ("app/pages/users/[id].vue", ""),
                ("server/api/me.get.ts", ""),
                (".output/public/users/7/index.html", ""),
            ],
            &[
                "/ required false",
                "/api/me required false",
                "/users/[id] required false",
                "/users/7 required true",
            ],
        ),
        (
            "Astro",
            &[
                ("astro.config.mjs", "x"),
                ("src/pages/index.astro", ""),
                ("src/pages/about.md", ""),
                ("src/pages/_part.astro", ""),
                ("dist/client/index.html", ""),
            ],
            &["/ required true", "/about public false"],
        ),
        (
            "React Router",
            &[(
                "build/client/assets/manifest-1a2b.js",
                r#"window.__reactRouterManifest={"routes":{"root":{"id":"root","path":""},"home":{"id":"home","parentId":"root","index":true},"layout":{"id":"layout","parentId":"root"},"team":{"id":"team","parentId":"layout","path":"team/:id"}}};"#,
            )],
            &["/ required false", "/team/:id required false"],
        ),
    ];
    for (framework, files, expected) in cases {
        let mut all = files.to_vec();
        all.push(config);
        let played = world(&all).play(&["routes", "--json"]);
        let found = answer(&played);
        let routes: Vec<_> = found["routes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|route| {
                format!(
                    "{} {} {}",
                    route["route"].as_str().unwrap_or_default(),
                    route["access"].as_str().unwrap_or_default(),
                    !route["kept"].is_null()
                )
            })
            .collect();
        assert_eq!(
            (found["framework"].as_str(), routes.as_slice()),
            (
                Some(framework),
                expected.iter().map(|own| (*own).to_owned()).collect::<Vec<_>>().as_slice()
            ),
            "{framework}"
        );
    }
}

/// What is recognised, and the files that are written with `--yes`; what was written is clean.
#[test]
fn a_project_is_set_up_and_is_right_then() {
    let package = |name: &str, version: &str| {
        json!({ "scripts": { "build": "x" }, "dependencies": { name: version } }).to_string()
    };
    type Case<'a> = (&'a str, String, &'a [&'a str], &'a str, &'a [&'a str]);
    let cases: [Case<'_>; 11] = [
        (
            "Next 16 with app/",
            package("next", "16.4.5"),
            &["app/page.tsx", "tsconfig.json"],
            "next",
            &["doorward.json", "package.json", "proxy.ts"],
        ),
        (
            "Next 16 with src/",
            package("next", "16.4.5"),
            &["src/app/page.tsx", "tsconfig.json"],
            "next",
            &["doorward.json", "package.json", "src/proxy.ts"],
        ),
        (
            "Next 15",
            package("next", "15.5.0"),
            &["pages/index.js"],
            "next",
            &["doorward.json", "middleware.js", "package.json"],
        ),
        (
            "SvelteKit",
            package("@sveltejs/kit", "2.0.0"),
            &[],
            "sveltekit",
            &["doorward.json", "package.json"],
        ),
        ("Nuxt", package("nuxt", "4.0.0"), &[], "nuxt", &["doorward.json", "package.json"]),
        ("Astro", package("astro", "5.0.0"), &[], "astro", &["doorward.json", "package.json"]),
        (
            "React Router",
            package("@react-router/dev", "7.0.0"),
            &[],
            "react-router",
            &["doorward.json", "package.json"],
        ),
        (
            "TanStack Start",
            package("@tanstack/react-start", "1.0.0"),
            &[],
            "tanstack-start",
            &["doorward.json", "package.json"],
        ),
        ("Hono", package("hono", "4.0.0"), &[], "hono", &["doorward.json", "package.json"]),
        (
            "Express",
            package("express", "5.0.0"),
            &[],
            "express",
            &["doorward.json", "package.json"],
        ),
        (
            "a Worker",
            package("wrangler", "4.0.0"),
            &["wrangler.toml"],
            "worker",
            &["doorward.json", "package.json"],
        ),
    ];
    for (name, manifest, files, kind, expected) in &cases {
        let mut files: Vec<(&str, &str)> = files.iter().map(|file| (*file, "x")).collect();
        files.push(("package.json", manifest));
        let mut world = world(&files);
        let shown = world.play(&["init"]);
        assert_eq!((shown.exit, shown.written.len()), (0, 0), "{name}: {}", shown.err);
        assert!(
            shown.out.contains("+++ doorward.json")
                && shown.out.contains("\"prebuild\": \"doorward check\""),
            "{}",
            shown.out
        );
        let played = world.play(&["init", "--yes", "--json"]);
        let found = answer(&played);
        let written: Vec<&str> = played.written.keys().map(String::as_str).collect();
        assert_eq!(
            (found["recognised"].as_str(), written.as_slice()),
            (Some(*kind), *expected),
            "{name}"
        );
        world.files.extend(played.written);
        let checked = world.play(&["check"]);
        assert_eq!(checked.exit, 0, "{name}: {}{}", checked.out, checked.err);
        // A second time there is nothing to write.
        let again = world.play(&["init", "--yes"]);
        assert_eq!(again.written.len(), 0, "{name}: {}", again.out);
    }
    println!("{} kinds of projects", cases.len());
}

/// What `init` makes of a script `start`; nothing where it leaves it.
#[test]
fn a_program_is_started_with_the_gate_before_it() {
    let cases = [
        ("express", "node server.js", Some("node --import doorward/register server.js")),
        (
            "nuxt",
            "PORT=80 node .output/server/index.mjs --a \"b c\"",
            Some("PORT=80 node --import doorward/register .output/server/index.mjs --a \"b c\""),
        ),
        ("express", "node --import doorward/register server.js", None),
        ("@react-router/dev", "react-router-serve ./build/server/index.js", None),
        ("next", "node server.js", None),
        ("express", "nodemon server.js", None),
        ("express", "node", None),
    ];
    for (package, start, expected) in cases {
        let manifest = json!({
            "scripts": { "prestart": "true", "start": start, "build": "x" },
            "dependencies": { package: "1.0.0" },
        });
        let played = world(&[("package.json", &format!("{manifest:#}"))]).play(&["init", "--yes"]);
        let written = played.written.get("package.json").cloned().unwrap_or_default();
        let after: Value = serde_json::from_str(&written).unwrap_or_default();
        assert_eq!(after["scripts"]["start"], expected.unwrap_or(start), "{package}: {start}");
        assert_eq!(after["scripts"]["prebuild"], "doorward check");
        // It says what is left where it could not do it itself.
        let is_left = played.out.contains("  start ");
        let has_gate = expected.is_some() || start.contains("register") || package == "next";
        assert_eq!(is_left, !has_gate, "{}", played.out);
    }
    println!("{} scripts", cases.len());
}

#[test]
fn the_options_of_better_auth_are_taken_over() {
    let auth = "export const auth = betterAuth({ basePath: \"/auth\", database, advanced: { cookiePrefix: \"acme\" }, session: { cookieCache: { enabled: true, strategy: \"jwe\" } } });";
    let played = world(&[("package.json", "{}"), ("lib/auth.ts", auth)]).play(&["init", "--yes"]);
    let config = played.written.get("doorward.json").cloned().unwrap_or_default();
    let config: Value = serde_json::from_str(&config).unwrap_or_default();
    assert_eq!(
        config["issuers"],
        json!({ "base_path": "/auth", "cookie_prefix": "acme", "cookie_cache": "jwe" })
    );
}
