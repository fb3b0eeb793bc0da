//! Is each target read as it should be? Every file of `tests/vectors/path/`;
//! `tests/vectors/README.md` describes the format. And is no spelling of a path let through more
//! easily than the path itself?
//!
//! `DOORWARD_PATHS=<folder>` runs another folder.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)] // a test that panics has found something

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use doorward::{Capabilities, Config, Decision, Engine, Policy, RequestHead, UnixTime};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// From the folder in which cargo runs tests: the package's own, also where it was copied together
/// with what was built.
const OWN_FOLDER: &str = "tests/vectors/path";

#[test]
fn every_target_is_read_as_expected() {
    let folder =
        std::env::var_os("DOORWARD_PATHS").map_or_else(|| PathBuf::from(OWN_FOLDER), PathBuf::from);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let (mut cases, mut refused, mut wrong) = (0, 0, Vec::new());
    for path in entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
    {
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let document: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let sites: BTreeMap<&str, Policy> = document["sites"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, framework)| (name.as_str(), policy(framework, &json!([]))))
            .collect();
        for case in document["cases"].as_array().into_iter().flatten() {
            let found = read(&sites[case["site"].as_str().unwrap_or_default()], case);
            cases += 1;
            refused += usize::from(case["expect"]["refused"] == true);
            if found != in_any_order(case["expect"].clone()) {
                wrong.push(format!(
                    "{}: {} {}\n  is {found}\n  not {}",
                    path.display(),
                    case["site"],
                    case["target"],
                    case["expect"]
                ));
            }
        }
    }
    println!("path vectors: {cases} cases ({refused} refused) from {}", folder.display());
    assert!(cases > 0, "{} holds no cases", folder.display());
    assert!(wrong.is_empty(), "{} of {cases} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn read(policy: &Policy, case: &Value) -> Value {
    let headers: Vec<(&str, &str)> = case["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pair| (pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default()))
        .collect();
    let head = head(case["target"].as_str().unwrap_or_default(), &headers);
    let method = case["method"].as_str().unwrap_or("GET");
    match doorward::conformance::canonical_path(policy, &RequestHead { method, ..head }) {
        Err(reason) => {
            assert_eq!(reason.code(), "path_refused");
            json!({ "refused": true })
        }
        Ok(path) => in_any_order(json!({
            "segments": path.segments, "trailing_slash": path.trailing_slash, "forwarded": path.target, "readings": path.readings,
        })),
    }
}

/// All readings count alike.
fn in_any_order(mut expected: Value) -> Value {
    if let Some(readings) = expected["readings"].as_array() {
        let readings: BTreeSet<String> = readings.iter().map(Value::to_string).collect();
        expected["readings"] = json!(readings);
    }
    expected
}

fn policy(framework: &Value, rules: &Value) -> Policy {
    let mut rules = rules.as_array().cloned().unwrap_or_default();
    rules.push(json!({ "path": "/**", "access": "required" }));
    loop {
        let document = json!({
            "issuers": [{ "type": "jwt", "issuer": "https://issuer.test", "audience": "a", "jwks_url": "https://issuer.test/jwks" }],
            "rules": rules,
            "framework": framework,
        });
        let config =
            Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
        match config.compile(&BTreeMap::new(), &Capabilities::none()) {
            Ok(policy) => return policy,
            // A rule that no request would reach is a mistake; without it the others mean the same.
            Err(errors) => {
                let reachable = |number: &usize| {
                    errors.iter().all(|error| error.path != format!("rules[{number}].path"))
                };
                let kept: Vec<Value> = (0..rules.len())
                    .filter(reachable)
                    .map(|number| rules[number].clone())
                    .collect();
                assert!(kept.len() < rules.len(), "{errors:?}");
                rules = kept;
            }
        }
    }
}

const fn head<'a>(target: &'a str, headers: &'a [(&'a str, &'a str)]) -> RequestHead<'a> {
    RequestHead {
        method: "GET",
        target,
        headers,
        public_origin: "https://app.example.com",
        client_address: None,
    }
}

/// How easily a target is let through: 2 whatever comes with it, 1 without a credential, 0 not.
fn ease(engine: &mut Engine, target: &str, more: &[(&str, &str)]) -> u8 {
    let mut passes = |headers: &[(&str, &str)]| {
        matches!(
            engine.decide(&head(target, headers), UnixTime::from_millis(1_800_000_000_000)),
            Decision::Forward(_)
        )
    };
    let bad: Vec<(&str, &str)> =
        more.iter().copied().chain([("authorization", "Bearer x.y.z")]).collect();
    u8::from(passes(more)) + u8::from(passes(&bad))
}

/// What an origin makes of a path.
type Reader = fn(&str) -> String;

/// Ways in which origins have been seen to read a path: none of them may find something that is
/// harder to reach.
const READERS: [(&str, Reader); 13] = [
    ("as it is", str::to_owned),
    ("decoded", decoded),
    ("decoded twice", |path| decoded(&decoded(path))),
    ("decoded, dots resolved, slashes merged", |path| resolved(&decoded(path))),
    ("dots resolved, then decoded", |path| decoded(&resolved(path))),
    ("with backslashes for slashes", |path| resolved(&decoded(path).replace('\\', "/"))),
    ("without parameters", |path| {
        let cut: Vec<String> = decoded(path)
            .split('/')
            .map(|part| part.split(';').next().unwrap_or("").to_owned())
            .collect();
        resolved(&cut.join("/"))
    }),
    ("up to a mark", |path| resolved(decoded(path).split(['#', '\0', '?']).next().unwrap_or(""))),
    ("without tabs and line ends", |path| resolved(&decoded(path).replace(['\t', '\r', '\n'], ""))),
    ("as the page of a payload", |path| {
        let path = resolved(&decoded(path));
        let Some(page) = path.strip_suffix(".rsc") else { return path };
        let page = page.strip_suffix(".prefetch").unwrap_or(page);
        let page = page.find(".segments/").map_or(page, |end| &page[..end]);
        if page == "/index" { "/".to_owned() } else { page.to_owned() }
    }),
    ("as the page of data", |path| {
        let path = resolved(&decoded(path));
        let page = path.strip_prefix("/_next/data/b/").and_then(|page| page.strip_suffix(".json"));
        page.map_or_else(
            || path.clone(),
            |page| if page == "index" { "/".to_owned() } else { ["/", page].concat() },
        )
    }),
    ("in small letters", |path| resolved(&decoded(path).to_lowercase())),
    ("with a slash less", |path| {
        let path = resolved(&decoded(path));
        path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&path).to_owned()
    }),
];

/// Escapes that are whole are resolved, the others stay: as most routers do.
fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let (mut out, mut place) = (Vec::new(), 0);
    while place < bytes.len() {
        let escape =
            path.get(place + 1..place + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape.filter(|_| bytes[place] == b'%') {
            Some(byte) => (out.push(byte), place += 3),
            None => (out.push(bytes[place]), place += 1),
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// RFC 3986 section 5.2.4, and several slashes as one.
fn resolved(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        if segment == ".." {
            segments.pop();
        } else {
            segments.push(segment);
        }
    }
    let slash = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    ["/", &segments.join("/"), slash].concat()
}

/// A path as a browser would write it.
fn spelled(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@".contains(&byte);
    path.bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn hostile_target() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "/a",
        "/a",
        "/b",
        "/c",
        "/%61",
        "/%62",
        "/a.rsc",
        "/b.prefetch.rsc",
        "/c.segments/_tree.segment.rsc",
        ".rsc",
        "/index",
        "/index.rsc",
        "/_next/data/b",
        "/_next/data/b/a.json",
        "/_next/data/b/index.json",
        "/_next/data/b/index/c.json",
        ".json",
        "/",
        "/",
        "//",
        "/.",
        "/..",
        "/%2e%2e",
        "/%2E",
        "%2f",
        "%2F..%2f",
        "\\",
        "%5c",
        ";",
        ";x=1",
        "/..;",
        "#",
        "%23",
        "?",
        "?x=/a",
        "%3f",
        "%00",
        "\t",
        "%09",
        "%0a",
        "%25",
        "%2561",
        "%252e",
        "%c0%ae",
        "%c3%a9",
        "/é",
        "/ａ",
        "/A",
        "/B/c",
        "/%e2%84%aa",
        "*",
        ":",
        "@",
        "+",
        "/en",
        "/EN",
        "/shop",
        "/_next",
        "/image",
        "/_next/image?url=%2Fa",
        "/_next/image?url=%2Fc&w=1",
        "&url=%2Fb",
        "/x",
        "",
    ]);
    let mixed = proptest::collection::vec(pieces, 1..6).prop_map(|pieces| pieces.concat());
    prop_oneof![5 => mixed, 1 => "/[abc/.%;\\\\#0-9ef]{0,12}", 1 => any::<String>()]
}

fn rules() -> impl Strategy<Value = Value> {
    let segment = prop::sample::select(vec![
        "/a", "/b", "/c", "/index", "/_next", "/data", "/image", "/x", "/*", "/a.rsc", "/é", "/k",
    ]);
    let pattern = (proptest::collection::vec(segment, 0..3), any::<bool>()).prop_map(
        |(segments, is_open)| match segments.concat() {
            path if is_open => [path.as_str(), "/**"].concat(),
            path if path.is_empty() => "/".to_owned(),
            path => path,
        },
    );
    let access = prop::sample::select(vec!["public", "public", "optional", "required"]);
    proptest::collection::vec((pattern, access), 1..6).prop_map(|rules| {
        rules.into_iter().map(|(path, access)| json!({ "path": path, "access": access })).collect()
    })
}

/// `decide(x)` is never more permissive than `decide(canonical(x))`, nor than what an origin could
/// make of it.
#[test]
fn no_spelling_is_let_through_more_easily_than_what_it_spells() {
    let next = prop::sample::select(vec![
        json!(false),
        json!("next"),
        json!({ "name": "next", "base_path": "/shop" }),
        json!({ "name": "next", "locales": ["en"] }),
        json!("sveltekit"),
        json!("react-router"),
        json!("nuxt"),
        json!("astro"),
        json!("tanstack-start"),
    ]);
    let strategy = (rules(), next, proptest::collection::vec(hostile_target(), 24));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 800,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let counters = std::cell::RefCell::new((0_u32, 0_u32, 0_u32, 0_u32));
    let result = runner.run(&strategy, |(rules, next, hostile)| {
        let reader = policy(&next, &rules);
        let mut engine = Engine::new(policy(&next, &rules), 1);
        for target in &hostile {
            let mut counters = counters.borrow_mut();
            counters.0 += 1;
            let ease_of_it = ease(&mut engine, target, &[]);
            let Ok(canonical) = doorward::conformance::canonical_path(&reader, &head(target, &[])) else {
                prop_assert_eq!(ease_of_it, 0, "{:?} is refused and let through", target);
                continue;
            };
            counters.1 += 1;
            counters.2 += u32::from(ease_of_it > 0);
            let ease_of_form = ease(&mut engine, &canonical.target, &[]);
            prop_assert_eq!(ease_of_it, ease_of_form, "{:?} and {:?} with {} {}", target, &canonical.target, &rules, &next);
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let image = query.split('&').find_map(|pair| pair.strip_prefix("url=")).filter(|_| path.ends_with("/_next/image"));
            let image = image.map(|url| ("as its image", resolved(&decoded(decoded(url).split('?').next().unwrap_or("")))));
            for (name, found) in READERS.into_iter().map(|(name, reader)| (name, reader(path))).chain(image) {
                // An escape that is left is a path that no rule can name.
                if found.contains('%') {
                    continue;
                }
                let found = spelled(&found);
                counters.3 += u32::from(ease_of_it > 0);
                let ease_of_reading = if ease_of_it > 0 { ease(&mut engine, &found, &[]) } else { 0 };
                prop_assert!(
                    ease_of_it <= ease_of_reading,
                    "{target:?} is let through ({ease_of_it}), but {name} it is {found:?} ({ease_of_reading}), with {rules} {next}"
                );
            }
        }
        Ok(())
    });
    let (targets, accepted, open, compared) = counters.into_inner();
    println!(
        "spellings: {targets} targets, {accepted} accepted, {open} let through, {compared} readings of origins compared"
    );
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(
        accepted >= targets / 10 && open >= targets / 50,
        "nearly nothing is accepted: this shows nothing"
    );
}
