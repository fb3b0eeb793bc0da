//! `extends`, `require` and `public`: a document over a preset becomes one whole document.
//!
//! The rules of the whole are, in their order: those of the document, one for each pattern of
//! `require` (the narrower first), one for `public`, those of the preset. So what is written beats
//! the preset, and `require` beats `public`.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::reader::items;
use super::table::PRESETS;
use crate::encoding::json;

const TEXTS: [&str; 7] = [
    include_str!("presets/better-auth.json"),
    include_str!("presets/supabase.json"),
    include_str!("presets/clerk.json"),
    include_str!("presets/auth0.json"),
    include_str!("presets/workos.json"),
    include_str!("presets/cloudflare-access.json"),
    include_str!("presets/oidc.json"),
];

/// What browsers and standards fetch without a session, and that everything else needs one: the
/// rules that presets end with.
const WEB: &str = include_str!("presets/web.json");

/// A document with everything that its preset and its shorthands stand for.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    pub(super) document: Value,
    /// Places of the whole and what they are called in the document that somebody wrote; the first
    /// that a place begins with counts.
    places: Vec<(String, String)>,
    /// Where each rule is from, in their order.
    pub(super) sources: Vec<Source>,
}

/// Where a rule is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Rules,
    Require,
    Public,
    Preset,
}

impl Whole {
    /// The preset of this name, where there is no document.
    pub(super) fn preset() -> Self {
        Self::of(Map::from_iter([("extends".to_owned(), Value::from("better-auth"))]))
    }

    /// What a document stands for.
    pub(super) fn of(mut written: Map<String, Value>) -> Self {
        let name = written.get("extends").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut whole = Self { document: Value::Null, places: Vec::new(), sources: Vec::new() };
        let mut document = preset(&name);
        let preset_rules = whole.preset_rules(&mut document);
        let mut rules = match written.remove("rules") {
            Some(rules) => items(&rules, "").into_iter().map(|(rule, _)| rule.clone()).collect(),
            None => Vec::new(),
        };
        whole.sources.resize(rules.len(), Source::Rules);
        let shorthands = [("require", Source::Require), ("public", Source::Public)];
        for (member, source) in shorthands {
            // What is wrong with a shorthand stays where it is, for the reader to say.
            let Some(short) = written.get(member).and_then(|value| rules_of(value, source)) else {
                continue;
            };
            written.remove(member);
            for (place, rule) in short {
                whole.place(&format!("rules[{}].path", rules.len()), &place);
                whole.place(&format!("rules[{}]", rules.len()), &place);
                rules.push(rule);
                whole.sources.push(source);
            }
        }
        for (number, rule) in preset_rules.into_iter().enumerate() {
            whole.place(
                &format!("rules[{}]", rules.len()),
                &format!("preset {name}: rules[{number}]"),
            );
            rules.push(rule);
            whole.sources.push(Source::Preset);
        }
        let issuers = whole.issuers(&name, document.remove("issuers"), written.remove("issuers"));
        document.append(&mut written);
        if let Some(issuers) = issuers {
            document.insert("issuers".to_owned(), issuers);
        }
        if !rules.is_empty() {
            document.insert("rules".to_owned(), Value::Array(rules));
        }
        whole.document = Value::Object(document);
        whole
    }

    /// What a place of the whole is called in the document that somebody wrote.
    pub(super) fn place_of(&self, path: &str) -> String {
        let found = self.places.iter().find_map(|(whole, written)| {
            let rest = path.strip_prefix(whole.as_str())?;
            (rest.is_empty() || rest.starts_with(['.', '[']))
                .then(|| [written.as_str(), rest].concat())
        });
        found.unwrap_or_else(|| path.to_owned())
    }

    fn place(&mut self, whole: &str, written: &str) {
        if whole != written {
            self.places.push((whole.to_owned(), written.to_owned()));
        }
    }

    /// Takes the rules out of a preset.
    fn preset_rules(&self, preset: &mut Map<String, Value>) -> Vec<Value> {
        let mut rules = list(preset.remove("rules"));
        if preset.remove("web").is_some() {
            rules.extend(list(read(WEB).remove("rules")));
        }
        rules
    }

    /// The preset's issuers with what is written about them, and those that are written beside
    /// them.
    fn issuers(
        &mut self,
        preset: &str,
        own: Option<Value>,
        written: Option<Value>,
    ) -> Option<Value> {
        let Some(own) = own else { return written };
        let mut all = list(Some(own));
        for (number, _) in all.iter().enumerate() {
            self.place(
                &format!("issuers[{number}]"),
                &format!("preset {preset}: issuers[{number}]"),
            );
        }
        let written = written.filter(|written| !written.is_null()).unwrap_or_else(|| json!([]));
        for (item, place) in items(&written, "issuers") {
            let is_changed = |issuer: &Value| match item.get("name") {
                Some(name) => issuer.get("name") == Some(name),
                None => item.get("type").is_none(),
            };
            let known = item.as_object().and_then(|_| all.iter().position(is_changed));
            let number = known.unwrap_or(all.len());
            match (all.get_mut(number).and_then(Value::as_object_mut), item) {
                (Some(issuer), Value::Object(members)) => issuer.extend(members.clone()),
                _ => all.push(item.clone()),
            }
            let whole = format!("issuers[{number}]");
            self.places.retain(|(known, _)| *known != whole);
            self.place(&whole, &place);
        }
        Some(Value::Array(all))
    }
}

/// The preset of this name, or nothing.
fn preset(name: &str) -> Map<String, Value> {
    let found = PRESETS.iter().zip(TEXTS).find(|(known, _)| **known == name);
    found.map(|(_, text)| read(text)).unwrap_or_default()
}

fn read(text: &str) -> Map<String, Value> {
    let members = json::object(text.as_bytes()).map(|members| json::Value::Object(members).into());
    match members {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// The rules that a shorthand stands for, with their places; nothing where it is none.
fn rules_of(value: &Value, source: Source) -> Option<Vec<(String, Value)>> {
    if let (Value::Object(members), Source::Require) = (value, source) {
        let mut rules: Vec<(&String, &Map<String, Value>)> = members
            .iter()
            .map(|(pattern, members)| Some((pattern, members.as_object()?)))
            .collect::<Option<_>>()?;
        rules.sort_by_cached_key(|(pattern, _)| breadth(pattern));
        let rule = |(pattern, members): (&String, &Map<String, Value>)| {
            let written = members.keys().all(|name| name != "path" && name != "access");
            let mut rule = members.clone();
            rule.insert("path".to_owned(), Value::from(pattern.as_str()));
            rule.insert("access".to_owned(), Value::from("required"));
            written.then(|| (["require[\"", pattern, "\"]"].concat(), Value::Object(rule)))
        };
        return rules.into_iter().map(rule).collect();
    }
    let patterns = items(value, "");
    let is_pattern =
        |pattern: &Value| pattern.is_string() || source == Source::Public && pattern.is_object();
    let is_list = !patterns.is_empty() && patterns.iter().all(|(pattern, _)| is_pattern(pattern));
    let (place, access) =
        if source == Source::Public { ("public", "public") } else { ("require", "required") };
    is_list.then(|| vec![(place.to_owned(), json!({ "path": value, "access": access }))])
}

/// Orders patterns so that none comes after one that covers it.
fn breadth(pattern: &str) -> (Reverse<usize>, Reverse<usize>, bool) {
    // Usually `{auth}` is a path of two segments.
    let pattern = pattern.replace("{auth}", "/api/auth");
    let is_open = pattern.ends_with("/**");
    let segments = || pattern.split('/').skip(1).filter(|segment| *segment != "**");
    let is_named = |segment: &&str| *segment != "*" && !segment.starts_with(':');
    (Reverse(segments().filter(is_named).count()), Reverse(segments().count()), is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_an_object_with_one_named_issuer() {
        for name in PRESETS {
            let preset = preset(name);
            let issuers = preset
                .get("issuers")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            assert!(
                matches!(issuers, [issuer] if issuer.get("name").and_then(Value::as_str) == Some(name)),
                "{name}"
            );
        }
        assert!(!read(WEB).is_empty());
    }

    #[test]
    fn narrower_patterns_come_first() {
        let mut patterns = [
            "/**",
            "/api/**",
            "{auth}/**",
            "/a/**",
            "/a/*",
            "/a/:id/b",
            "/a/b",
            "/a",
            "/*/**",
            "/a/b/**",
        ];
        patterns.sort_by_cached_key(|pattern| breadth(pattern));
        assert_eq!(
            patterns,
            [
                "/a/:id/b",
                "/a/b",
                "{auth}/**",
                "/a/b/**",
                "/a/*",
                "/a",
                "/api/**",
                "/a/**",
                "/*/**",
                "/**"
            ]
        );
    }
}
