//! Is each refusal the one of `docs/responses.md`? Every reason, every kind of request, with and
//! without a sign-in page. The tables there are written by hand from what the product promises,
//! never from what the gate answers.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::{BTreeMap, BTreeSet};

use doorward::{
    Capabilities, Config, Decision, Effect, EffectResult, Engine, Policy, Reason, Refusal,
    RequestHead, RequestKind, UnixTime, conformance, refuse_without_engine,
};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../docs/responses.md");
const SITE: &str = "https://app.example.com";
const GOING_ROUND: &str = "401, redirect loop";

type Headers = &'static [(&'static str, &'static str)];

/// One request or more of each row of the table.
const REQUESTS: &[(&str, RequestKind, &str, &str, Headers)] = &[
    (
        "document, by GET or HEAD",
        RequestKind::Document,
        "GET",
        "/a/b?c=d",
        &[("sec-fetch-mode", "navigate"), ("accept", "*/*")],
    ),
    (
        "document, by GET or HEAD",
        RequestKind::Document,
        "HEAD",
        "/a/b?c=d",
        &[("sec-fetch-dest", "iframe")],
    ),
    (
        "document, by GET or HEAD",
        RequestKind::Document,
        "GET",
        "/a/b?c=d",
        &[("accept", "text/html,*/*;q=0.8")],
    ),
    (
        "document, by another method",
        RequestKind::Document,
        "POST",
        "/a/b?c=d",
        &[("sec-fetch-mode", "navigate")],
    ),
    (
        "document, by another method",
        RequestKind::Document,
        "DELETE",
        "/a/b",
        &[("accept", "text/html")],
    ),
    (
        "payload",
        RequestKind::Rsc,
        "GET",
        "/a/b?_rsc=1",
        &[("RSC", "1"), ("sec-fetch-mode", "cors")],
    ),
    (
        "payload",
        RequestKind::Rsc,
        "GET",
        "/a/b",
        &[("x-nextjs-data", "1"), ("accept", "text/html")],
    ),
    ("payload", RequestKind::Rsc, "HEAD", "/a/b", &[("rsc", "1"), ("sec-fetch-mode", "navigate")]),
    (
        "prefetch",
        RequestKind::Prefetch,
        "GET",
        "/a/b",
        &[("next-router-prefetch", "1"), ("rsc", "1")],
    ),
    (
        "prefetch",
        RequestKind::Prefetch,
        "GET",
        "/a/b",
        &[("sec-purpose", "prefetch;prerender"), ("sec-fetch-mode", "navigate")],
    ),
    (
        "prefetch",
        RequestKind::Prefetch,
        "GET",
        "/a/b",
        &[("purpose", "prefetch"), ("accept", "text/html")],
    ),
    (
        "server action",
        RequestKind::Action,
        "POST",
        "/a/b?c=d",
        &[("next-action", "7f"), ("accept", "text/x-component")],
    ),
    ("fetch", RequestKind::Fetch, "GET", "/a/b", &[]),
    ("fetch", RequestKind::Fetch, "HEAD", "/a/b", &[("accept", "application/json")]),
    (
        "fetch",
        RequestKind::Fetch,
        "GET",
        "/a/b",
        &[("sec-fetch-mode", "cors"), ("accept", "text/html")],
    ),
    ("fetch", RequestKind::Fetch, "GET", "/a/b", &[("next-action", "7f")]),
    ("fetch", RequestKind::Fetch, "OPTIONS", "/a/b", &[("origin", "https://other.example")]),
    ("fetch", RequestKind::Fetch, "OPTIONS", "/a/b", &[("access-control-request-method", "PUT")]),
    (
        "fetch",
        RequestKind::Fetch,
        "POST",
        "/a/b",
        &[("origin", "https://other.example"), ("access-control-request-method", "PUT")],
    ),
    (
        "WebSocket",
        RequestKind::WebSocket,
        "GET",
        "/a/b",
        &[("connection", "Upgrade"), ("upgrade", "websocket"), ("accept", "text/html")],
    ),
    (
        "preflight",
        RequestKind::Preflight,
        "OPTIONS",
        "/a/b",
        &[("origin", "https://other.example"), ("access-control-request-method", "PUT")],
    ),
];

/// The answers that a cell names.
struct Cell {
    status: u16,
    shape: String,
}

#[test]
fn every_reason_and_every_kind_has_the_answer_of_the_table() {
    let (table, columns) = (table(), columns());
    let mut compared = 0;
    for has_sign_in in [true, false] {
        let policy = policy(
            json!({ "sign_in": if has_sign_in { json!({ "path": "/sign-in" }) } else { Value::Null } }),
        );
        for (reason, column) in &columns {
            let column = match (column.as_str(), has_sign_in) {
                ("401", true) => "401, with a sign-in page",
                ("401", false) => "401, without",
                (column, _) => column,
            };
            for (row, kind, method, target, headers) in REQUESTS {
                let head = RequestHead {
                    method,
                    target,
                    headers,
                    public_origin: SITE,
                    client_address: None,
                };
                assert_eq!(RequestKind::of(&head), *kind, "{method} {headers:?}");
                let cell = &table[&((*row).to_owned(), column.to_owned())];
                let name =
                    format!("{} as {row} ({method}), sign-in page: {has_sign_in}", reason.code());
                check(&name, *reason, &head, cell, conformance::answer(&policy, *reason, &head));
                compared += 1;
            }
        }
    }
    println!("answers: {compared} compared, {} reasons, {} cells", columns.len(), table.len());
    assert_eq!(compared, 2 * Reason::ALL.len() * REQUESTS.len());
}

#[test]
fn every_row_has_a_request_and_every_reason_a_column() {
    let rows: BTreeSet<String> = table().into_keys().map(|(row, _)| row).collect();
    assert_eq!(rows, REQUESTS.iter().map(|(row, ..)| (*row).to_owned()).collect());
    for (reason, column) in columns() {
        let status = column.split(',').next().unwrap_or_default();
        assert_eq!(status, reason.status().to_string(), "{}", reason.code());
        assert_eq!(column == GOING_ROUND, reason == Reason::RedirectLoop);
    }
}

/// One answer wherever there is no gate: that of the table, from the core without an engine and
/// from the JavaScript without a core.
#[test]
fn without_an_engine_the_answer_is_that_of_the_table() {
    let (table, policy, script) = (table(), policy(json!({})), script());
    for (row, _, method, target, headers) in REQUESTS {
        let head =
            RequestHead { method, target, headers, public_origin: SITE, client_address: None };
        let cell = &table[&((*row).to_owned(), "503".to_owned())];
        let answer = refuse_without_engine(Reason::NotStarted, &head, UnixTime::from_millis(0));
        let Decision::Reject(by_engine) = conformance::answer(&policy, Reason::NotStarted, &head)
        else {
            panic!("{row}")
        };
        assert_eq!((answer.status, &answer.body), (by_engine.status, &by_engine.body), "{row}");
        let without_vary = |answer: &Refusal| {
            answer.headers.iter().filter(|(name, _)| name != "vary").cloned().collect::<Vec<_>>()
        };
        assert_eq!(without_vary(&answer), without_vary(&by_engine), "{row}");
        let line: Value = serde_json::from_str(answer.log.as_deref().unwrap_or_default())
            .unwrap_or_else(|error| panic!("{row}: {error}"));
        assert_eq!([&line["event"], &line["reason"]], ["refusal", "not_started"], "{row}");
        if *method != "HEAD" {
            assert_eq!(
                script[&cell.shape],
                as_script(&answer),
                "{row}: middleware/not-started.js is not the core's"
            );
        }
        check(row, Reason::NotStarted, &head, cell, Decision::Reject(answer));
    }
}

/// The answers in `middleware/not-started.js`; with `DOORWARD_WRITE` they are written first.
fn script() -> Value {
    const FILE: &str = "middleware/not-started.js";
    let text = std::fs::read_to_string(FILE).unwrap_or_else(|error| panic!("{FILE}: {error}"));
    let (before, rest) =
        text.split_once("const ANSWERS = ").unwrap_or_else(|| panic!("{FILE} has no ANSWERS"));
    let (json, behind) =
        rest.split_once(";\n").unwrap_or_else(|| panic!("{FILE} has no end of ANSWERS"));
    if std::env::var_os("DOORWARD_WRITE").is_none() {
        return serde_json::from_str(json).unwrap_or_else(|error| panic!("{FILE}: {error}"));
    }
    let of = |method, headers: Headers| {
        let head =
            RequestHead { method, target: "/", headers, public_origin: SITE, client_address: None };
        as_script(&refuse_without_engine(Reason::NotStarted, &head, UnixTime::from_millis(0)))
    };
    let answers = json!({
        "page": of("GET", &[("accept", "text/html")]), "text": of("POST", &[("next-action", "7f")]), "problem": of("GET", &[]),
    });
    std::fs::write(FILE, format!("{before}const ANSWERS = {answers:#};\n{behind}"))
        .unwrap_or_else(|error| panic!("{FILE}: {error}"));
    answers
}

fn as_script(Refusal { reason, status, headers, body, .. }: &Refusal) -> Value {
    json!({ "status": status, "reason": reason.code(), "headers": headers, "body": body })
}

/// By its path alone a target is a payload or a prefetch, whatever its headers say of documents.
#[test]
fn the_transport_forms_of_next_are_refused_like_the_payloads_that_they_are() {
    let (table, policy) = (table(), policy(json!({ "sign_in": { "path": "/sign-in" } })));
    for (row, target) in [
        ("payload", "/a.rsc"),
        ("payload", "/_next/data/build/a.json"),
        ("prefetch", "/a.prefetch.rsc"),
        ("prefetch", "/a.segments/_tree.segment.rsc"),
    ] {
        let headers = [("sec-fetch-mode", "navigate")];
        let head = RequestHead {
            method: "GET",
            target,
            headers: &headers,
            public_origin: SITE,
            client_address: None,
        };
        let cell = &table[&(row.to_owned(), "401, with a sign-in page".to_owned())];
        check(
            target,
            Reason::NoCredential,
            &head,
            cell,
            conformance::answer(&policy, Reason::NoCredential, &head),
        );
    }
}

#[test]
fn a_rule_may_have_another_format() {
    let (table, columns) = (table(), columns());
    let styles: BTreeSet<String> = rows_of("## Another format for a rule")
        .into_iter()
        .map(|row| row[0].replace('`', ""))
        .collect();
    assert_eq!(styles, ["auto", "page", "api"].map(str::to_owned).into());
    for style in styles {
        let policy = policy(
            json!({ "sign_in": { "path": "/sign-in" }, "rules": [{ "path": "/**", "access": "required", "refusal_format": style }] }),
        );
        for (row, _, method, target, headers) in REQUESTS {
            let says_mode = headers.iter().any(|(name, _)| *name == "sec-fetch-mode");
            let counts_as = match (style.as_str(), *row) {
                ("api", _) => "fetch",
                ("page", "fetch") if !says_mode && matches!(*method, "GET" | "HEAD") => {
                    "document, by GET or HEAD"
                }
                ("page", "fetch") if !says_mode => "document, by another method",
                (_, row) => row,
            };
            let head =
                RequestHead { method, target, headers, public_origin: SITE, client_address: None };
            for (reason, column) in &columns {
                let column = if column == "401" { "401, with a sign-in page" } else { column };
                let cell = &table[&(counts_as.to_owned(), column.to_owned())];
                check(
                    &format!("{style}: {row} {method}"),
                    *reason,
                    &head,
                    cell,
                    conformance::answer(&policy, *reason, &head),
                );
            }
        }
    }
}

#[test]
fn an_answer_varies_with_every_header_that_is_read() {
    let policy = policy(json!({}));
    let head = RequestHead {
        method: "GET",
        target: "/",
        headers: &[],
        public_origin: SITE,
        client_address: None,
    };
    let (Decision::Reject(answer) | Decision::Redirect(answer)) =
        conformance::answer(&policy, Reason::NoCredential, &head)
    else {
        panic!()
    };
    let vary = header(&answer, "vary").unwrap_or_default().to_ascii_lowercase();
    let varies: BTreeSet<&str> = vary.split(", ").collect();
    assert_eq!(varies.len(), vary.split(", ").count(), "a name stands twice in {vary}");
    assert!(varies.contains("x-token"), "an issuer's own header is missing in {vary}");
    let mut read = BTreeSet::new();
    // What the effects read they ask others with, and `forward/` tells the origin: neither is about
    // the refusal.
    let sources = ["authn", "engine", "http", "policy", "response"].map(sources_in).concat();
    assert!(sources.len() > 30, "{}", sources.len());
    for source in sources.iter().flat_map(|source| source.split("#[cfg(test)]").next()) {
        for call in [".header(\"", ".headers_named(\"", ".only(\""] {
            read.extend(source.split(call).skip(1).filter_map(|rest| rest.split('"').next()));
        }
    }
    // Read by a name in a list.
    read.extend(["sec-purpose", "purpose", "rsc-action-id", "x-server-id"]);
    // Caches tell requests apart by the URL that it is a part of (RFC 9111 section 2).
    read.remove("host");
    // Only the log has it.
    read.remove("traceparent");
    assert!(read.len() > 10, "{read:?}");
    let missing: Vec<_> = read.difference(&varies).collect();
    assert!(missing.is_empty(), "{missing:?} is read, and Vary is silent about it");
}

/// The files of a folder of the core.
fn sources_in(folder: &str) -> Vec<String> {
    let path = format!("{}/src/{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .flat_map(|path| match path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")) {
            Ok(folder) if path.is_dir() => sources_in(&folder.to_string_lossy()),
            _ => std::fs::read_to_string(&path).into_iter().collect(),
        })
        .collect()
}

/// A host that cannot fetch the page of the application redirects the browser to it. What hosts
/// that can do show is in `tests/vectors/topics/app-pages.mjs`.
#[test]
fn a_host_that_fetches_no_pages_redirects_to_the_page_of_the_application() {
    let pages =
        json!({ "400": "/errors/link", "401": "/errors/signed-out", "503": "/errors/later" });
    let document = json!({
        "rules": [{ "path": "/errors/**", "access": "public" }, { "path": "/**", "access": "required" }],
        "pages": pages,
    });
    let policy = policy(document);
    let document: Headers = &[("accept", "text/html"), ("sec-fetch-mode", "navigate")];
    let script: Headers = &[("accept", "application/json")];
    let signed_out = "/errors/signed-out?reason=no_credential";
    for (method, target, headers, reason, expected) in [
        (
            "GET",
            "/a?b=c",
            document,
            Reason::NoCredential,
            Some((307, [signed_out, "&from=%2Fa%3Fb%3Dc"].concat())),
        ),
        (
            "HEAD",
            "/a",
            document,
            Reason::NoCredential,
            Some((307, [signed_out, "&from=%2Fa"].concat())),
        ),
        ("POST", "/a", document, Reason::NoCredential, Some((303, signed_out.to_owned()))),
        (
            "GET",
            "/a//b",
            document,
            Reason::PathRefused,
            Some((307, "/errors/link?reason=path_refused".to_owned())),
        ),
        (
            "GET",
            "/a",
            document,
            Reason::SessionUnavailable,
            Some((307, "/errors/later?reason=session_unavailable&from=%2Fa".to_owned())),
        ),
        ("GET", "/errors/signed-out", document, Reason::NoCredential, None),
        ("GET", "/a", document, Reason::Forbidden, None),
        ("GET", "/a", document, Reason::OriginUnreachable, None),
        ("GET", "/a", script, Reason::NoCredential, None),
    ] {
        let head =
            RequestHead { method, target, headers, public_origin: SITE, client_address: None };
        let (status, location, answer) = match conformance::answer(&policy, reason, &head) {
            Decision::Redirect(answer) => {
                (answer.status, header(&answer, "location").map(str::to_owned), answer)
            }
            Decision::Reject(answer) => (answer.status, None, answer),
            other => panic!("{other:?}"),
        };
        assert_eq!(answer.reason, reason, "{method} {target}");
        let expected =
            expected.map_or_else(|| (reason.status(), None), |(status, to)| (status, Some(to)));
        assert_eq!((status, location), expected, "{method} {target} {}", reason.code());
    }
}

/// What the application hears of a refused request when its page is fetched.
#[test]
fn a_page_is_fetched_without_anything_that_could_name_the_visitor() {
    let document = json!({
        "issuers": [{ "type": "jwt", "issuer": "https://issuer.example", "audience": "a", "jwks": { "keys": [] } }],
        "rules": [{ "path": "/errors/**", "access": "public" }, { "path": "/**", "access": "required" }],
        "pages": { "401": "/errors/signed-out" },
    });
    let host = Capabilities::none().and_fetching_pages();
    let policy = Config::parse(&document.to_string())
        .and_then(|config| config.compile(&BTreeMap::new(), &host))
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    let headers = [
        ("accept", "text/html"),
        ("accept-language", "de"),
        ("authorization", "Bearer a.b.c"),
        ("cookie", "session=1"),
        ("x-doorward-subject", "root"),
        ("x-forwarded-for", "192.0.2.1"),
        ("referer", "https://app.example.com/private"),
    ];
    let head = RequestHead {
        method: "POST",
        target: "/a",
        headers: &headers,
        public_origin: SITE,
        client_address: Some("192.0.2.7"),
    };
    let mut engine = Engine::new(policy, 1);
    let pages: [(&[u8], &str, Option<&str>); 2] = [
        (b"<title>Our own</title>", "<title>Our own</title>", None),
        (b"\xff is no UTF-8", "Code: token_malformed", Some("\"page_failure\":\"not_html\"")),
    ];
    for (body, shown, failure) in pages {
        let Decision::Perform(pending) = engine.decide(&head, UnixTime::from_millis(0)) else {
            panic!("it is decided without a page")
        };
        let Effect::Fetch(fetch) = pending.effect() else { panic!("{pending:?}") };
        let url = "/errors/signed-out?reason=token_malformed";
        assert_eq!((fetch.method, fetch.url.as_str()), ("GET", url));
        let sent = fetch.headers.iter().map(|(name, value)| [name.as_str(), value.as_str()]);
        let expected = [
            ["accept", "text/html"],
            ["accept-encoding", "identity"],
            ["accept-language", "de"],
            ["x-forwarded-host", "app.example.com"],
            ["x-forwarded-proto", "https"],
        ];
        assert_eq!(sent.collect::<Vec<_>>(), expected);
        let headers = &[
            ("Content-Type", "text/html"),
            ("content-security-policy", "default-src 'self'"),
            ("Content-Security-Policy", "img-src 'none'"),
            ("set-cookie", "a=b"),
        ];
        let page = EffectResult::Answered { status: 200, headers, body };
        let answer = match engine.resume(&head, pending, page, UnixTime::from_millis(5)) {
            Decision::Reject(answer) => answer,
            other => panic!("a refusal is a refusal: {other:?}"),
        };
        assert_eq!((answer.status, answer.reason), (401, Reason::TokenMalformed));
        assert!(answer.body.contains(shown), "{}", answer.body);
        let log = answer.log.as_deref().unwrap_or_default();
        assert_eq!(log.contains("page_failure"), failure.is_some(), "{log}");
        assert!(failure.is_none_or(|failure| log.contains(failure)), "{log}");
        let varies = header(&answer, "vary").is_some_and(|vary| vary.contains("Accept-Language"));
        let policies = answer.headers.iter().filter(|(name, _)| name == "content-security-policy");
        assert_eq!(policies.count(), if failure.is_none() { 2 } else { 1 }, "{:?}", answer.headers);
        assert_eq!(header(&answer, "set-cookie"), None);
        assert_eq!(varies, failure.is_none(), "only the page of the application has languages");
    }
}

#[test]
fn a_refusal_can_be_read_by_listed_origins_only() {
    let open = json!({ "allowed_origins": ["https://admin.example.com"] });
    let narrow = json!({ "allowed_origins": ["https://admin.example.com"], "cors": { "origins": ["https://other.example"], "credentials": false } });
    let debug = json!({ "cors": { "origins": "https://other.example" }, "debug_header": true });
    for (document, origin, allowed, credentials, exposed) in [
        (&open, "https://admin.example.com", true, true, "www-authenticate, retry-after"),
        (&open, "https://other.example", false, false, ""),
        (&open, "https://admin.example.com.evil.example", false, false, ""),
        (&open, "null", false, false, ""),
        (&narrow, "https://other.example", true, false, "www-authenticate, retry-after"),
        (&narrow, "https://admin.example.com", false, false, ""),
        (
            &debug,
            "https://other.example",
            true,
            true,
            "www-authenticate, retry-after, doorward-decision",
        ),
    ] {
        let policy = policy(document.clone());
        let preflight = [("origin", origin), ("access-control-request-method", "PUT")];
        for (method, headers) in
            [("GET", &preflight[..1]), ("POST", &preflight[..1]), ("OPTIONS", &preflight[..])]
        {
            let head = RequestHead {
                method,
                target: "/a",
                headers,
                public_origin: SITE,
                client_address: None,
            };
            for reason in Reason::ALL {
                let (Decision::Reject(answer) | Decision::Redirect(answer)) =
                    conformance::answer(&policy, *reason, &head)
                else {
                    panic!()
                };
                assert_eq!(
                    header(&answer, "access-control-allow-origin"),
                    allowed.then_some(origin),
                    "{origin}"
                );
                assert_eq!(
                    header(&answer, "access-control-allow-credentials"),
                    (allowed && credentials).then_some("true"),
                    "{origin}"
                );
                assert_eq!(
                    header(&answer, "access-control-expose-headers"),
                    allowed.then_some(exposed),
                    "{origin}"
                );
            }
        }
    }
}

#[test]
fn a_configured_docs_url_is_a_link() {
    let policy = policy(json!({ "docs_url": "https://example.com/docs?a&b=\"#" }));
    for reason in Reason::ALL {
        let answer_to = |accept: &'static str| {
            let headers = [("accept", accept)];
            let head = RequestHead {
                method: "GET",
                target: "/a",
                headers: &headers,
                public_origin: SITE,
                client_address: None,
            };
            match conformance::answer(&policy, *reason, &head) {
                Decision::Reject(answer) => answer.body,
                _ => panic!("without a sign-in page nothing is redirected"),
            }
        };
        let problem: Value =
            serde_json::from_str(&answer_to("application/json")).unwrap_or_default();
        assert_eq!(problem["docs"], format!("https://example.com/docs?a&b=\"#{}", reason.code()));
        assert_eq!(problem["type"], format!("urn:doorward:reason:{}", reason.code()));
        let link = format!(
            "<a href=\"https://example.com/docs?a&amp;b=&quot;#{0}\">{0}</a>",
            reason.code()
        );
        assert!(answer_to("text/html").contains(&link), "{link}");
    }
}

/// Every page is a small document that a visitor can use, and loads and runs nothing. What each says, and where it leads, is
/// in `tests/vectors/topics/pages.mjs`; the reasons of hosts are here.
#[test]
fn a_page_is_whole_and_leads_on() {
    let pages = json!({ "name": "Acme", "accent": "#0a7" });
    let policies =
        [policy(json!({})), policy(json!({ "pages": pages, "sign_in": { "path": "/in" } }))];
    let head = RequestHead {
        method: "GET",
        target: "/app?secret=Zx81",
        headers: &[("accept", "text/html"), ("referer", "https://app.example.com/Zx81")],
        public_origin: SITE,
        client_address: None,
    };
    for (policy, reason) in
        policies.iter().flat_map(|policy| Reason::ALL.iter().map(move |reason| (policy, *reason)))
    {
        let Decision::Reject(Refusal { status, headers, body, .. }) =
            conformance::answer(policy, reason, &head)
        else {
            continue;
        };
        let code = reason.code();
        assert_eq!(status, reason.status(), "{code}");
        assert_eq!(unclosed(&body), Vec::<&str>::new(), "{code}: {body}");
        for once in [
            "<html lang=\"en\">",
            "<main>",
            "<h1>",
            "<title>",
            "<style>",
            "<nav><a href=\"",
            "<footer>Code: ",
        ] {
            assert_eq!(body.matches(once).count(), 1, "{code}: {once}");
        }
        let tail = format!("Code: {code}</footer></main></body></html>\n");
        assert!(body.ends_with(&tail) && !body.contains("Zx81"), "{code}: {body}");
        for active in ["<script", "<img", "<link", "<form", "url(", "@import", "src=", "style="] {
            assert!(!body.contains(active), "{code}: {active}");
        }
        if status >= 500 {
            assert!(body.contains("<nav><a href=\"\">Try again</a></nav>"), "{code}: {body}");
        }
        let style = body
            .split("<style>")
            .nth(1)
            .and_then(|rest| rest.split("</style>").next())
            .unwrap_or_default();
        let digest = <sha2::Sha256 as sha2::Digest>::digest(style.as_bytes());
        let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
        let content = headers
            .iter()
            .find(|(name, _)| name == "content-security-policy")
            .map(|(_, value)| value.as_str());
        let expected = format!("default-src 'none'; style-src 'sha256-{hash}'; ");
        assert!(
            content.is_some_and(|content| content.starts_with(&expected)),
            "{code}: {content:?}"
        );
    }
}

/// Elements that are not closed, or are closed out of turn.
fn unclosed(html: &str) -> Vec<&str> {
    let mut open = Vec::new();
    for tag in html.split('<').skip(1) {
        let name = tag.split(['>', ' ']).next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) if open.last() == Some(&name) => drop(open.pop()),
            Some(name) => open.push(name),
            None if matches!(name, "!doctype" | "meta") => {}
            None => open.push(name),
        }
    }
    open
}

fn check(name: &str, reason: Reason, head: &RequestHead<'_>, cell: &Cell, decision: Decision) {
    let (is_redirect, answer) = match decision {
        Decision::Redirect(answer) => (true, answer),
        Decision::Reject(answer) => (false, answer),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!((answer.status, answer.reason), (cell.status, reason), "{name}");
    assert_eq!(header(&answer, "cache-control"), Some("private, no-store"), "{name}");
    assert!(header(&answer, "vary").is_some(), "{name}");
    assert_eq!(header(&answer, "retry-after"), (answer.status >= 500).then_some("5"), "{name}");
    let challenge = header(&answer, "www-authenticate");
    assert_eq!(challenge.is_some(), answer.status == 401 || reason == Reason::Forbidden, "{name}");
    assert!(challenge.is_none_or(|challenge| challenge.starts_with("Bearer")), "{name}");

    let content_type = header(&answer, "content-type");
    let location = header(&answer, "location");
    let action = header(&answer, "x-action-redirect");
    let with_way_back = matches!(head.method, "GET" | "HEAD") || action.is_some();
    let sign_in = if with_way_back { "/sign-in?callbackURL=%2Fa%2Fb%3Fc%3Dd" } else { "/sign-in" };
    let is_body_of = |expected: &[&str]| {
        head.method == "HEAD" && answer.body.is_empty()
            || expected.iter().all(|part| answer.body.contains(part))
    };
    let goes_on = match cell.shape.as_str() {
        "sign-in" => {
            location.is_some_and(|location| {
                location == sign_in
                    || !head.target.contains('?') && location.starts_with("/sign-in")
            }) && action.is_none()
                && answer.body.is_empty()
        }
        "action" => {
            action == Some(&format!("./../../..{sign_in};push"))
                && location.is_none()
                && answer.body.is_empty()
        }
        "page" => {
            content_type == Some("text/html; charset=utf-8")
                && is_body_of(&["<!doctype html>", reason.code()])
        }
        "text" => {
            content_type == Some("text/plain")
                && is_body_of(&[reason.sentence(), reason.code()])
                && !answer.body.contains('\n')
        }
        "problem" => {
            content_type == Some("application/problem+json")
                && is_body_of(&[
                    "\"reason\":",
                    reason.code(),
                    "\"status\":",
                    "\"title\":",
                    "\"type\":",
                    "\"detail\":",
                ])
        }
        other => panic!("there is no shape {other:?}"),
    };
    assert!(goes_on, "{name}: {} {:?} {:?}", cell.shape, answer.headers, answer.body);
    assert_eq!(is_redirect, matches!(cell.shape.as_str(), "sign-in" | "action"), "{name}");
    if !is_redirect {
        assert!(location.is_none() && action.is_none(), "{name}: a refusal leads elsewhere");
    }
}

fn header<'a>(answer: &'a Refusal, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
}

/// The answer for a row and a column.
fn table() -> BTreeMap<(String, String), Cell> {
    let rows = rows_of("| kind | 400 |");
    let columns: Vec<String> = line_of("| kind | 400 |");
    let mut table = BTreeMap::new();
    for row in rows {
        assert_eq!(row.len(), columns.len(), "{row:?}");
        for (column, cell) in columns.iter().zip(&row).skip(1) {
            let (status, shape) =
                cell.split_once(' ').unwrap_or_else(|| panic!("{cell:?} is no status and shape"));
            let status = status.parse().unwrap_or_else(|_| panic!("{cell:?}"));
            table
                .insert((row[0].clone(), column.clone()), Cell { status, shape: shape.to_owned() });
        }
    }
    table
}

/// The column of each reason.
fn columns() -> Vec<(Reason, String)> {
    let rows = rows_of("| column | reasons |");
    let column_of = |reason: &Reason| {
        let code = format!("`{}`", reason.code());
        let mut named = rows.iter().filter(|row| row[1].split(' ').any(|named| named == code));
        match (named.next(), named.next()) {
            (Some(row), None) => row[0].clone(),
            _ => panic!("{code} stands not in one column of docs/responses.md"),
        }
    };
    let columns: Vec<_> = Reason::ALL.iter().map(|reason| (*reason, column_of(reason))).collect();
    assert_eq!(
        rows.iter().flat_map(|row| row[1].split(' ')).count(),
        Reason::ALL.len(),
        "a code of docs/responses.md is no reason's"
    );
    columns
}

/// The rows of the first table at or after a line that begins so.
fn rows_of(start: &str) -> Vec<Vec<String>> {
    let lines = PAGE
        .lines()
        .skip_while(|line| !line.starts_with(start))
        .skip_while(|line| !line.starts_with('|'));
    lines.take_while(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

fn line_of(start: &str) -> Vec<String> {
    PAGE.lines().find(|line| line.starts_with(start)).map(cells).unwrap_or_default()
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn policy(members: Value) -> Policy {
    let mut document = json!({
        "issuers": [{ "type": "jwt", "issuer": "https://issuer.example", "audience": "a", "jwks": { "keys": [] }, "token_locations": ["authorization", "header:x-token"] }],
        "rules": [{ "path": "/**", "access": "required" }],
    });
    if let (Some(document), Some(members)) = (document.as_object_mut(), members.as_object()) {
        document.extend(members.clone());
    }
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    config
        .compile(&BTreeMap::new(), &Capabilities::none())
        .unwrap_or_else(|errors| panic!("{errors:?}"))
}
