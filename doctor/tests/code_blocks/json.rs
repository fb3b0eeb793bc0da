//! JSON: a configuration or a part of one is read as the gate reads it.

use std::collections::BTreeMap;

use doorward::Config;
use serde_json::{Map, Value, json};

use super::shell;

/// What a block of JSON turned out to be.
pub(crate) enum Kind {
    /// A configuration, an entry of `issuers` or some of `rules`: accepted, or refused with these
    /// mistakes.
    Configuration(Result<(), String>),
    /// A line of the log.
    LogLine(Result<(), String>),
    /// Scripts of a package.json.
    Scripts(Result<(), String>),
    /// Anything else: the comment before it has to say what holds it.
    Other,
}

/// Reads a block; an error where it is not JSON.
pub(crate) fn read(text: &str) -> Result<Kind, String> {
    // Entries of a list may stand without its brackets.
    let entries: Vec<Value> =
        serde_json::from_str(&format!("[{text}]")).map_err(|error| error.to_string())?;
    let Some(Value::Object(first)) = entries.first() else { return Ok(Kind::Other) };
    let has = |name: &str| first.contains_key(name);
    let top = ["extends", "issuers", "rules", "public", "require", "sign_in", "framework", "pages"];
    Ok(if has("gate") && has("event") {
        Kind::LogLine(log_line(first))
    } else if let Some(Value::Object(scripts)) = first.get("scripts") {
        Kind::Scripts(scripts_are_known(scripts))
    } else if has("path") && has("access") {
        Kind::Configuration(compiles(&json!({ "extends": "better-auth", "rules": entries })))
    } else if has("type") && has("issuer") {
        let rule = json!({ "path": "/**", "access": "required" });
        Kind::Configuration(compiles(&json!({ "issuers": entries, "rules": [rule] })))
    } else if top.iter().any(|name| has(name)) || is_known(first) {
        Kind::Configuration(compiles(&over_the_preset(first)))
    } else {
        Kind::Other
    })
}

/// Whether all members are those of a configuration, by its schema.
fn is_known(members: &Map<String, Value>) -> bool {
    let schema: Value =
        serde_json::from_str(include_str!("../../../middleware/doorward.schema.json"))
            .unwrap_or_default();
    let known = schema.get("properties").and_then(Value::as_object);
    let known = known.unwrap_or_else(|| panic!("the schema has no properties"));
    !members.is_empty() && members.keys().all(|name| known.contains_key(name))
}

/// A part of a configuration stands over the preset.
fn over_the_preset(members: &Map<String, Value>) -> Value {
    let mut whole = members.clone();
    if !whole.contains_key("issuers") || !whole.contains_key("rules") {
        whole.entry("extends").or_insert_with(|| json!("better-auth"));
    }
    Value::Object(whole)
}

fn compiles(document: &Value) -> Result<(), String> {
    let said = |errors: Vec<doorward::ConfigError>| {
        let lines = errors
            .iter()
            .map(|error| format!("{}: {} ({})", error.path, error.problem, error.hint));
        lines.collect::<Vec<_>>().join("; ")
    };
    let config = Config::parse(&document.to_string()).map_err(said)?;
    let samples: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../../../tests/config/env.json")).unwrap_or_default();
    let usual = "https://value.example.com/k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC";
    let value = |name: String| {
        let value = samples.get(&name).cloned().unwrap_or_else(|| usual.to_owned());
        // Those that have another form than a URL or a secret.
        (!["NODE_ENV", "BETTER_AUTH_SECRETS"].contains(&&*name)).then_some((name, value))
    };
    let values = config.names().into_iter().filter_map(value).collect();
    let capabilities = doorward_native::capabilities().and_stores(config.stores()).and_sharing();
    config.compile(&values, &capabilities).map(drop).map_err(said)
}

/// Members that the page on the log has.
fn log_line(members: &Map<String, Value>) -> Result<(), String> {
    let page = include_str!("../../../docs/reference/log.md");
    let unknown = members.keys().find(|name| !page.contains(&format!("`{name}`")));
    unknown.map_or(Ok(()), |name| Err(format!("docs/reference/log.md has no member `{name}`")))
}

fn scripts_are_known(scripts: &Map<String, Value>) -> Result<(), String> {
    let lines = scripts.values().filter_map(Value::as_str).flat_map(shell::commands);
    lines.filter_map(|words| shell::problem(&words).0).next().map_or(Ok(()), Err)
}

#[test]
fn kinds_are_told_apart_and_wrong_ones_found() {
    let is_right = |text: &str| match read(text) {
        Ok(Kind::Configuration(found)) => ("configuration", found.is_ok()),
        Ok(Kind::LogLine(found)) => ("line", found.is_ok()),
        Ok(Kind::Scripts(found)) => ("scripts", found.is_ok()),
        Ok(Kind::Other) => ("other", true),
        Err(_) => ("none", false),
    };
    assert_eq!(is_right(r#"{ "public": ["/pricing"] }"#), ("configuration", true));
    assert_eq!(is_right(r#"{ "public": "pricing" }"#), ("configuration", false));
    assert_eq!(is_right(r#"{ "public": [], "pubic": [] }"#), ("configuration", false));
    assert_eq!(is_right(r#"{ "server_timing": true }"#).0, "configuration");
    assert_eq!(
        is_right(r#"{ "path": "/a", "access": "required", "role": "x" }"#),
        ("configuration", false)
    );
    assert_eq!(
        is_right(r#"{ "gate": "doorward", "event": "refusal", "cookie": "x" }"#),
        ("line", false)
    );
    assert_eq!(is_right(r#"{ "scripts": { "prebuild": "doorward chek" } }"#), ("scripts", false));
    assert_eq!(is_right(r#"{ "a": 1 }"#), ("other", true));
    assert_eq!(is_right(r#"{ "a": 1, }"#), ("none", false));
}
