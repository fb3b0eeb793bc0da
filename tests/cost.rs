//! What does a decision cost the one who asks for it, and can a client make it cost more than its
//! bytes? Instructions are counted by valgrind's callgrind, over heads and answers of three sizes
//! each: from the second size to the third no decision may take more for each further byte than
//! from the first to the second, but for what a sorted set takes.
//!
//! Instructions, not seconds: the same on a loaded machine. It is
//! `cargo test --profile cost --test cost` (or `cargo xtask test cost`): what is not optimised
//! takes minutes under callgrind.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::process::Command;

use doorward::{
    Capabilities, Config, Decision, EffectResult, Engine, RequestHead, UnixTime, response_removals,
};
use serde_json::json;

const VALGRIND: &str = "/usr/bin/valgrind";
/// How much dearer a further byte may be at the end than before. Twice as many names take a
/// sixteenth more each to be sorted.
const MOST: f64 = 1.5;
/// Instructions for a byte: below this, how a cost grows is noise. A decision that begins to read
/// something takes that at once.
const FLOOR: f64 = 60.0;

/// Sizes of heads, of paths, and of tokens: up to what a host takes, the gate takes, and a token
/// may have.
const HEADS: [usize; 3] = [8_000, 32_000, 128_000];
const PATHS: [usize; 3] = [500, 2_000, 8_000];
const TOKENS: [usize; 3] = [1_000, 4_000, 16_000];

type Pairs = Vec<(String, String)>;

/// One thing that can be made large.
struct Case {
    name: &'static str,
    sizes: [usize; 3],
    make: fn(usize) -> Asked,
}

/// A request, and what is answered to its effects.
#[derive(Default)]
struct Asked {
    target: Option<String>,
    headers: Pairs,
    body: &'static str,
    answer_headers: Pairs,
    answer_body: Option<String>,
    response: Pairs,
}

impl Asked {
    fn and(mut self, name: &str, value: String) -> Self {
        self.headers.push((name.to_owned(), value));
        self
    }
}

/// As many parts as have so many bytes together.
fn parts(bytes: usize, mut part: impl FnMut(usize) -> String) -> Vec<String> {
    let mut left = bytes;
    let mut parts = Vec::new();
    for number in 0.. {
        let next = part(number);
        let Some(rest) = left.checked_sub(next.len().max(1)) else { break };
        left = rest;
        parts.push(next);
    }
    parts
}

fn headers(bytes: usize, name: impl Fn(usize) -> String) -> Asked {
    let headers = parts(bytes, name).into_iter().map(|name| (name, "1".to_owned())).collect();
    Asked { headers, ..Asked::default() }
}

fn cookies(bytes: usize, pair: impl Fn(usize) -> String) -> Asked {
    header("cookie", parts(bytes, pair).join("; "))
}

fn header(name: &str, value: String) -> Asked {
    Asked { headers: vec![(name.to_owned(), value)], ..Asked::default() }
}

fn target(target: String) -> Asked {
    Asked { target: Some(target), ..Asked::default() }
}

/// A session that the auth service is asked about, beside other cookies.
fn session(more: &str) -> String {
    let cookie = support::text(&support::vector("session-token-valid-signature"), "cookie");
    if more.is_empty() { cookie } else { format!("{cookie}; {more}") }
}

fn token(claims: &str) -> Asked {
    let part = |text: &str| base64url(text.as_bytes());
    let token = [part(r#"{"alg":"EdDSA","typ":"JWT"}"#), part(claims), "A".repeat(86)].join(".");
    header("authorization", format!("Bearer {token}"))
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_usize, |group, byte| group << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(group >> (18 - 6 * place)) & 63]));
        }
    }
    text
}

fn numbered(what: &str, bytes: usize, between: &str) -> String {
    parts(bytes, |number| format!("{between}{what}{number}")).concat()
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "headers: under our prefix", sizes: HEADS, make: |bytes| headers(bytes, |number| format!("x-doorward-{number}")) },
    Case { name: "headers: under our prefix, each twice", sizes: HEADS, make: |bytes| headers(bytes, |number| format!("x-doorward-{}", number / 2)) },
    Case { name: "headers: a former proxy's", sizes: HEADS, make: |bytes| headers(bytes, |number| format!("x-auth-request-{number}")) },
    Case { name: "headers: anybody's", sizes: HEADS, make: |bytes| headers(bytes, |number| format!("x-{number}")) },
    Case { name: "headers: nearly ours", sizes: HEADS, make: |bytes| headers(bytes, |number| format!("x-forwarded-{number}")) },
    Case { name: "headers: of one letter", sizes: HEADS, make: |bytes| headers(bytes, |_| "x".to_owned()) },
    Case { name: "headers: named in Connection", sizes: HEADS, make: |bytes| {
        let mut asked = headers(bytes / 2, |number| format!("a{number}"));
        let named = asked.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",");
        asked.headers.push(("connection".to_owned(), named));
        asked
    } },
    Case { name: "headers: many lines of Connection", sizes: HEADS, make: |bytes| {
        Asked { headers: parts(bytes, |number| format!("a{number}")).into_iter().map(|named| ("connection".to_owned(), named)).collect(), ..Asked::default() }
    } },
    Case { name: "headers: long values", sizes: HEADS, make: |bytes| header("accept", "text/htm,".repeat(bytes / 9)) },
    Case { name: "headers: a long Origin", sizes: HEADS, make: |bytes| header("origin", "https://a".repeat(bytes / 9)) },
    Case { name: "headers: a long X-Forwarded-Host", sizes: HEADS, make: |bytes| header("x-forwarded-host", "a".repeat(bytes)) },
    Case { name: "cookies: others", sizes: HEADS, make: |bytes| cookies(bytes, |number| format!("c{number}=1")) },
    Case { name: "cookies: without a value", sizes: HEADS, make: |bytes| cookies(bytes, |_| ";".to_owned()) },
    Case { name: "cookies: on many lines", sizes: HEADS, make: |bytes| {
        Asked { headers: parts(bytes, |number| format!("c{number}=1")).into_iter().map(|pair| ("cookie".to_owned(), pair)).collect(), ..Asked::default() }
    } },
    Case { name: "cookies: of the session, again and again", sizes: HEADS, make: |bytes| cookies(bytes, |number| format!("better-auth.session_token={number}")) },
    Case { name: "cookies: of the session, all alike, behind others", sizes: HEADS, make: |bytes| {
        let alike = parts(bytes / 2, |_| format!("better-auth.session_token=a.{}%3D", "A".repeat(43)));
        cookies(bytes / 2, |number| format!("c{number}=1")).and("cookie", alike.join("; "))
    } },
    Case { name: "cookies: a chunk that is missing, among others", sizes: HEADS, make: |bytes| cookies(bytes, |number| format!("better-auth.session_data.{}=x", 1 + number % 900)) },
    Case { name: "cookies: chunks of the session", sizes: HEADS, make: |bytes| header("cookie", session(&parts(bytes, |number| format!("better-auth.session_data.{}=x", number % 1000)).join("; "))) },
    Case { name: "cookies: chunks that are cleared", sizes: HEADS, make: |bytes| Asked {
        answer_body: Some("null".to_owned()),
        ..header("cookie", session(&parts(bytes, |number| format!("better-auth.session_data.{}=", number % 1000)).join("; ")))
    } },
    Case { name: "cookies: other accounts", sizes: HEADS, make: |bytes| cookies(bytes, |number| format!("better-auth.session_token_multi-{number}=1")) },
    Case { name: "cookies: chunks of a token", sizes: HEADS, make: |bytes| cookies(bytes, |number| format!("token.{}=x", number % 1000)) },
    Case { name: "cookies: one long session_data", sizes: HEADS, make: |bytes| header("cookie", session(&format!("better-auth.session_data={}", "eyJ".repeat(bytes / 3)))) },
    Case { name: "cookies: one with escapes", sizes: HEADS, make: |bytes| cookies(bytes, |_| "better-auth.session_token=%41%42%43".to_owned()) },
    Case { name: "paths: segments", sizes: PATHS, make: |bytes| target("/a".repeat(bytes / 2)) },
    Case { name: "paths: segments of many rules", sizes: PATHS, make: |bytes| target(format!("/r0{}", "/same".repeat(bytes / 5))) },
    Case { name: "paths: one long segment", sizes: PATHS, make: |bytes| target(format!("/{}", "a".repeat(bytes - 1))) },
    Case { name: "paths: dots", sizes: PATHS, make: |bytes| target(format!("/{}.rsc", "a.".repeat(bytes / 2 - 3))) },
    Case { name: "paths: escapes", sizes: PATHS, make: |bytes| target(format!("/{}", "%C3%A9/".repeat(bytes / 7))) },
    Case { name: "paths: _next/data", sizes: PATHS, make: |bytes| target(format!("/_next/data/b{}.json", "/index".repeat(bytes / 6 - 4))) },
    Case { name: "paths: segments/", sizes: PATHS, make: |bytes| target(format!("/a.segments{}", "/x.segments".repeat(bytes / 11 - 2))) },
    Case { name: "paths: of an image", sizes: PATHS, make: |bytes| target(format!("/_next/image?url={}", "%2Fa".repeat(bytes / 4 - 5))) },
    Case { name: "paths: Next-Url", sizes: PATHS, make: |bytes| header("next-url", "/a".repeat(bytes / 2)) },
    Case { name: "queries: parameters", sizes: PATHS, make: |bytes| target(format!("/?{}", numbered("n=1", bytes - 2, "&"))) },
    Case { name: "queries: escaped names", sizes: PATHS, make: |bytes| target(format!("/?{}", "%6e%78&".repeat(bytes / 7))) },
    Case { name: "queries: over what is taken", sizes: HEADS, make: |bytes| target(format!("/?{}", numbered("n=1", bytes, "&"))) },
    Case { name: "tokens: a long signature", sizes: TOKENS, make: |bytes| header("authorization", format!("Bearer e30.e30.{}", "A".repeat(bytes - 16))) },
    Case { name: "tokens: over what is taken", sizes: HEADS, make: |bytes| header("authorization", format!("Bearer e30.e30.{}", "A".repeat(bytes))) },
    Case { name: "tokens: dots", sizes: HEADS, make: |bytes| header("authorization", format!("Bearer {}", ".".repeat(bytes))) },
    Case { name: "tokens: deep claims", sizes: TOKENS, make: |bytes| token(&"[".repeat(bytes * 3 / 4 - 120)) },
    Case { name: "tokens: deep claims within a member", sizes: TOKENS, make: |bytes| token(&format!("{{\"a\":{}", "{\"a\":".repeat(bytes * 3 / 20 - 30))) },
    Case { name: "tokens: many claims", sizes: TOKENS, make: |bytes| token(&format!("{{\"iss\":\"http://localhost:3000\"{}}}", numbered("x\":1", bytes * 3 / 4 - 200, ",\"").replace("x\":1", "x").split(",\"").skip(1).fold(String::new(), |mut all, name| { let _ = write!(all, ",\"{name}\":1"); all }))) },
    Case { name: "tokens: a long audience list", sizes: TOKENS, make: |bytes| token(&format!("{{\"iss\":\"http://localhost:3000\",\"aud\":[\"\"{}]}}", ",\"a\"".repeat(bytes * 3 / 16 - 60))) },
    Case { name: "answers: Set-Cookie lines", sizes: HEADS, make: |bytes| Asked {
        answer_body: Some("null".to_owned()),
        answer_headers: parts(bytes, |number| format!("better-auth.session_data.{number}=x; Path=/")).into_iter().map(|line| ("set-cookie".to_owned(), line)).collect(),
        ..header("cookie", session(""))
    } },
    Case { name: "answers: a large session", sizes: HEADS, make: |bytes| Asked { answer_body: Some(format!("{{\"session\":{{}},\"user\":{{\"id\":\"a\"{}}}}}", ",\"a\":[[1]]".repeat(bytes / 10))), ..header("cookie", session("")) } },
    Case { name: "answers: a deep session", sizes: HEADS, make: |bytes| Asked { answer_body: Some("[".repeat(bytes)), ..header("cookie", session("")) } },
    Case { name: "responses: named in Connection", sizes: HEADS, make: |bytes| {
        let mut asked = headers(bytes / 2, |number| format!("a{number}"));
        let named = asked.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",");
        let mut response = std::mem::take(&mut asked.headers);
        response.push(("Connection".to_owned(), named));
        Asked { response, ..Asked::default() }
    } },
];

/// Everything that a client's bytes can go through.
fn engine() -> Engine {
    let mut rules: Vec<_> =
        (0..40).map(|number| json!({ "path": format!("/r{number}/same/same/same/same/same"), "access": "required" })).collect();
    rules.push(json!({ "path": "/**", "access": "optional", "credential": "remove", "upstream": "https://api.example.com" }));
    let document = json!({
        "issuers": [
            { "type": "better-auth", "url": support::ORIGIN, "secret": { "env": "SECRET" }, "bearer_tokens": "any", "token_locations": ["authorization", "cookie:token", "header:x-token"] },
            { "type": "jwt", "issuer": "https://issuer.example", "audience": "a", "jwks": { "keys": [] }, "token_locations": ["authorization", "cookie:other"] },
        ],
        "rules": rules, "sign_in": { "path": "/sign-in" }, "allowed_origins": ["https://other.example"], "debug_header": true,
    });
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let values = BTreeMap::from([("SECRET".to_owned(), support::SECRET.to_owned())]);
    Engine::new(
        config
            .compile(&values, &Capabilities::none())
            .unwrap_or_else(|errors| panic!("{errors:?}")),
        7,
    )
}

/// What callgrind counts: one request from its head to what is carried out.
#[inline(never)]
fn whole_decision(
    engine: &mut Engine,
    asked: &Asked,
    head: &RequestHead<'_>,
    answer: &[(&str, &str)],
    response: &[(&str, &str)],
) -> usize {
    let now = UnixTime::from_millis(1_795_402_800_000);
    let body = asked.answer_body.as_deref().unwrap_or(asked.body);
    let mut decision = engine.decide(head, now);
    while let Decision::Perform(pending) = decision {
        let is_answered = asked.answer_body.is_some() || !asked.answer_headers.is_empty();
        let result = if is_answered {
            EffectResult::Answered { status: 200, headers: answer, body: body.as_bytes() }
        } else {
            EffectResult::Failed
        };
        decision = engine.resume(head, pending, result, now);
    }
    let removed = response_removals(response).len();
    removed
        + match &decision {
            Decision::Forward(forward) => engine.onward(head, forward).remove.len(),
            _ => 0,
        }
}

#[inline(never)]
fn planted_decision(names: &[(&str, &str)]) -> usize {
    let mut seen: Vec<&str> = Vec::new();
    for (name, _) in names {
        if !seen.contains(name) {
            seen.push(name);
        }
    }
    seen.len()
}

fn lent(pairs: &Pairs) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Runs under callgrind only: everything once, in the order in which it is read afterwards.
#[test]
#[ignore = "is run by the other test, under callgrind"]
fn all_of_them() {
    for Case { sizes, make, .. } in CASES {
        for bytes in sizes {
            let asked = make(*bytes);
            let (headers, answer, response) =
                (lent(&asked.headers), lent(&asked.answer_headers), lent(&asked.response));
            let target = asked.target.as_deref().unwrap_or("/a");
            let head = RequestHead {
                method: "GET",
                target,
                headers: &headers,
                public_origin: support::ORIGIN,
                client_address: None,
            };
            black_box(whole_decision(&mut engine(), &asked, &head, &answer, &response));
        }
    }
    for bytes in PATHS {
        let planted = headers(bytes, |number| format!("x-doorward-{number}"));
        black_box(planted_decision(&lent(&planted.headers)));
    }
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "counts what is optimised: cargo test --profile cost --test cost"
)]
fn no_decision_costs_more_than_its_bytes() {
    if !std::path::Path::new(VALGRIND).exists() {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no valgrind: `cargo xtask test` installs it"
        );
        return eprintln!(
            "NOTHING IS PROVEN: there is no {VALGRIND} to count instructions with (apt-get install valgrind)"
        );
    }
    let counted = counted();
    assert_eq!(counted.len(), 3 * (CASES.len() + 1));
    let mut wrong = Vec::new();
    let (last, cases) = counted
        .split_last_chunk::<3>()
        .map(|(cases, last)| (last, cases))
        .unwrap_or_else(|| panic!());
    for (Case { name, sizes, .. }, counts) in CASES.iter().zip(cases.as_chunks::<3>().0) {
        let (first, second) = slopes(sizes, counts);
        println!("{name:45} {counts:>12?} {first:8.0} {second:8.0}");
        if second > MOST * first.max(FLOOR) {
            wrong.push(format!("{name}: {first:.0} instructions for a byte, then {second:.0}"));
        }
    }
    let (first, second) = slopes(&PATHS, last);
    assert!(
        second > MOST * first.max(FLOOR),
        "a planted list that is searched through is not noticed: {last:?}"
    );
    assert!(wrong.is_empty(), "cost grows more than bytes:\n{}", wrong.join("\n"));
}

/// Instructions for a further byte, from the first size to the second and from there to the third.
#[allow(clippy::as_conversions, clippy::cast_precision_loss)] // counts far below 2^53
fn slopes(sizes: &[usize; 3], counts: &[u64; 3]) -> (f64, f64) {
    let slope = |from: usize| {
        (counts[from + 1] as f64 - counts[from] as f64) / (sizes[from + 1] - sizes[from]) as f64
    };
    (slope(0), slope(1))
}

/// Instructions of each decision, in order.
fn counted() -> Vec<u64> {
    let folder = std::env::temp_dir().join(format!("doorward-cost-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{error}"));
    let own = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let output = Command::new(VALGRIND)
        .args(["--tool=callgrind", "--quiet"])
        // In another spelling: of two options with one name callgrind heeds the last.
        .args(["whole", "planted"].map(|what| format!("--toggle-collect=*{what}_decision*")))
        .args(["whole", "planted"].map(|what| format!("--dump-after=cost::{what}_decision")))
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(own)
        .args(["all_of_them", "--exact", "--ignored", "--test-threads=1"])
        .output()
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut counts = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{error}")).flatten() {
        let number = entry
            .file_name()
            .to_string_lossy()
            .strip_prefix("out.")
            .and_then(|number| number.parse::<u32>().ok());
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        let total = text.lines().find_map(|line| {
            line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: "))
        });
        if let (Some(number), Some(total)) =
            (number, total.and_then(|total| total.trim().parse().ok()))
        {
            counts.insert(number, total);
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    counts.into_values().collect()
}
