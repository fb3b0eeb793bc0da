//! `doorward check` on projects as tables (`check/cases.json`): each says which findings there are,
//! with level and place, and no other may be there.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::World;

fn cases() -> Vec<Value> {
    let text = include_str!("check/cases.json");
    serde_json::from_str::<Vec<Value>>(text).unwrap_or_else(|error| panic!("{error}"))
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let members = value.as_object().into_iter().flatten();
    members
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        })
        .collect()
}

fn world(case: &Value) -> World {
    World { files: texts(&case["files"]), env: texts(&case["env"]), now_millis: 0 }
}

fn args(case: &Value) -> Vec<String> {
    let more = case["args"].as_array().into_iter().flatten();
    std::iter::once("check".to_owned())
        .chain(more.filter_map(Value::as_str).map(str::to_owned))
        .collect()
}

#[test]
fn each_project_has_just_the_findings_that_its_case_says() {
    let mut count = 0;
    let mut ids = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in cases() {
        let name = case["name"].as_str().unwrap_or_default();
        let mut args = args(&case);
        args.push("--json".to_owned());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let played = world(&case).play(&args);
        let report: Value = serde_json::from_str(&played.out).unwrap_or_default();
        let mut found: Vec<String> = report["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|finding| {
                let place = &finding["place"];
                let file = place["file"].as_str().unwrap_or("-");
                let line =
                    place["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
                let (level, id) = (finding["level"].as_str(), finding["id"].as_str());
                let (level, id) = (level.unwrap_or_default(), id.unwrap_or_default());
                ids.insert(id.to_owned());
                format!("{level} {id} {file}{line}")
            })
            .collect();
        found.sort();
        let expected = case["expect"].as_array().into_iter().flatten();
        let mut expected: Vec<String> =
            expected.filter_map(Value::as_str).map(str::to_owned).collect();
        expected.sort();
        let exit = u8::from(expected.iter().any(|line| line.starts_with("error")));
        let exit = case["exit"].as_u64().map_or(exit, |exit| u8::try_from(exit).unwrap_or(9));
        if found != expected
            || played.exit != exit
            || !played.others.is_empty()
            || !played.written.is_empty()
        {
            wrong.push(format!(
                "{name}:\n  found    {found:?}\n  expected {expected:?}\n  exit {} {}{}",
                played.exit, played.err, report
            ));
        }
        count += 1;
    }
    println!("{count} projects, {} kinds of findings", ids.len());
    assert!(count > 0 && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_value_of_a_secret_is_printed() {
    let mut looked = 0;
    for case in cases() {
        let mut secrets: Vec<String> = texts(&case["env"])
            .into_iter()
            .filter(|(name, _)| name.contains("SECRET"))
            .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
            .collect();
        for text in texts(&case["files"]).values() {
            let lines = text.lines().filter_map(|line| line.split_once('='));
            secrets.extend(
                lines
                    .filter(|(name, _)| name.contains("SECRET"))
                    .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned()),
            );
        }
        for json in [false, true] {
            let mut args = args(&case);
            args.extend(json.then(|| "--json".to_owned()));
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let played = world(&case).play(&args);
            for secret in secrets.iter().filter(|secret| secret.len() > 7) {
                let is_shown = played.out.contains(secret) || played.err.contains(secret);
                assert!(!is_shown, "{}: {}", case["name"], played.out);
                looked += 1;
            }
        }
    }
    println!("{looked} secrets looked for");
    assert!(looked > 0);
}

#[test]
fn a_clean_project_says_what_was_looked_at() {
    let case = cases().into_iter().find(|case| case["name"] == "a clean project with Next");
    let case = case.unwrap_or_else(|| panic!("the case is gone"));
    let played = world(&case).play(&["check"]);
    let expected = "\
✔ configuration: doorward.json
✔ variables: 2 of .env.local
✔ Next 16.4.5 (.): proxy.ts, 3 routes
.: nothing is wrong
";
    assert_eq!((played.exit, played.out.as_str()), (0, expected));
}
