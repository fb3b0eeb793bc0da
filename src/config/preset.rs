//! `extends`, `require` and `public`: a document over a preset becomes one whole document.
//!
//! The rules of the whole are, in their order: those of the document, one for each pattern of
//! `require` (the narrower first), one for `public`, those of the preset. So what is written beats
//! the preset, and `require` beats `public`.

use std::cmp::Reverse;

use serde_json::{Map, Value};

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
/// Behind it everything comes with a token.
const WITHOUT_WEB: &str = "cloudflare-access";

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

/// A document, with what is put together apart from the rest.
#[derive(Default)]
struct Parts {
    issuers: Option<Value>,
    rules: Vec<Value>,
    require: Option<Value>,
    public: Option<Value>,
    rest: Map<String, Value>,
}

impl Parts {
    fn of(members: Map<String, Value>) -> Self {
        let mut parts = Self::default();
        for (name, value) in members {
            match name.as_str() {
                "issuers" => parts.issuers = Some(value),
                "rules" => parts.rules = listed(value),
                "require" => parts.require = Some(value),
                "public" => parts.public = Some(value),
                _ => drop(parts.rest.insert(name, value)),
            }
        }
        parts
    }

    /// The preset of this name, or nothing.
    fn of_preset(name: &str) -> Self {
        let found = PRESETS.iter().zip(TEXTS).find(|(known, _)| **known == name);
        let mut parts = found.map(|(_, text)| Self::of(read(text))).unwrap_or_default();
        if name != WITHOUT_WEB && found.is_some() {
            parts.rules.append(&mut Self::of(read(WEB)).rules);
        }
        parts
    }
}

impl Whole {
    /// The preset where there is no document.
    pub(super) fn preset() -> Self {
        let mut document = Map::new();
        document.insert("extends".to_owned(), Value::from("better-auth"));
        Self::of(document)
    }

    /// What a document stands for.
    pub(super) fn of(written: Map<String, Value>) -> Self {
        let written = Parts::of(written);
        let extends = written.rest.get("extends").and_then(Value::as_str).unwrap_or_default();
        let prefix = ["preset ", extends, ": "].concat();
        let preset = Parts::of_preset(extends);
        let mut whole = Self { document: Value::Null, places: Vec::new(), sources: Vec::new() };
        let mut document = preset.rest;
        for (name, value) in written.rest {
            document.insert(name, value);
        }
        let mut rules = written.rules;
        whole.sources.resize(rules.len(), Source::Rules);
        let shorthands = [
            ("require", written.require, Source::Require),
            ("public", written.public, Source::Public),
        ];
        for (name, value, source) in shorthands {
            let Some(value) = value else { continue };
            // What is wrong with a shorthand stays where it is, for the reader to say.
            let Some(short) = rules_of(&value, source) else {
                document.insert(name.to_owned(), value);
                continue;
            };
            for (place, rule) in short {
                let number = numbered("rules", rules.len());
                whole.places.push(([&number, ".path"].concat(), place.clone()));
                whole.places.push((number, place));
                rules.push(rule);
                whole.sources.push(source);
            }
        }
        for (number, rule) in preset.rules.into_iter().enumerate() {
            let place = [prefix.as_str(), &numbered("rules", number)].concat();
            whole.places.push((numbered("rules", rules.len()), place));
            rules.push(rule);
            whole.sources.push(Source::Preset);
        }
        if let Some(issuers) = whole.issuers(&prefix, preset.issuers, written.issuers) {
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
        for (whole, written) in &self.places {
            if let Some(rest) = path.strip_prefix(whole.as_str())
                && (rest.is_empty() || rest.starts_with(['.', '[']))
            {
                return [written.as_str(), rest].concat();
            }
        }
        path.to_owned()
    }

    /// The preset's issuers with what is written about them, and those that are written beside
    /// them.
    fn issuers(
        &mut self,
        prefix: &str,
        own: Option<Value>,
        written: Option<Value>,
    ) -> Option<Value> {
        let Some(own) = own else { return written };
        let mut all = listed(own);
        let own_places = self.places.len();
        for number in 0..all.len() {
            let place = numbered("issuers", number);
            self.places.push((place.clone(), [prefix, &place].concat()));
        }
        let written = written.filter(|written| !written.is_null());
        for (item, place) in written.iter().flat_map(|written| items(written, "issuers")) {
            let is_changed = |issuer: &Value| match item.get("name") {
                Some(name) => issuer.get("name") == Some(name),
                None => item.get("type").is_none(),
            };
            let known = item.as_object().and_then(|_| all.iter().position(is_changed));
            let number = known.unwrap_or(all.len());
            match (all.get_mut(number).and_then(Value::as_object_mut), item) {
                (Some(issuer), Value::Object(members)) => {
                    for (name, value) in members {
                        issuer.insert(name.clone(), value.clone());
                    }
                }
                _ => all.push(item.clone()),
            }
            // Before the place of the preset's.
            self.places.insert(own_places, (numbered("issuers", number), place));
        }
        Some(Value::Array(all))
    }
}

fn numbered(name: &str, number: usize) -> String {
    [name, "[", &number.to_string(), "]"].concat()
}

fn read(text: &str) -> Map<String, Value> {
    match json::object(text.as_bytes()).map(|members| json::Value::Object(members).into()) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// A list, or the one item that stands in its place.
fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        item => vec![item],
    }
}

/// The rules that a shorthand stands for, with their places; nothing where it is none.
fn rules_of(value: &Value, source: Source) -> Option<Vec<(String, Value)>> {
    let (name, access) = match source {
        Source::Public => ("public", "public"),
        _ => ("require", "required"),
    };
    let rule = |path: Value, mut members: Map<String, Value>| {
        members.insert("path".to_owned(), path);
        members.insert("access".to_owned(), Value::from(access));
        Value::Object(members)
    };
    if let (Value::Object(members), Source::Require) = (value, source) {
        let mut rules: Vec<(Breadth, String, Value)> = Vec::new();
        for (pattern, members) in members {
            let members = members.as_object()?;
            if members.contains_key("path") || members.contains_key("access") {
                return None;
            }
            let breadth = breadth(pattern);
            let place = rules.iter().position(|(other, ..)| *other > breadth);
            let read = rule(Value::from(pattern.as_str()), members.clone());
            let name = [name, "[\"", pattern, "\"]"].concat();
            rules.insert(place.unwrap_or(rules.len()), (breadth, name, read));
        }
        return Some(rules.into_iter().map(|(_, name, rule)| (name, rule)).collect());
    }
    let patterns = items(value, "");
    let is_pattern =
        |pattern: &Value| pattern.is_string() || source == Source::Public && pattern.is_object();
    let is_list = !patterns.is_empty() && patterns.iter().all(|(pattern, _)| is_pattern(pattern));
    is_list.then(|| vec![(name.to_owned(), rule(value.clone(), Map::new()))])
}

/// How much a pattern covers: none covers one that is less.
type Breadth = (Reverse<usize>, Reverse<usize>, bool);

fn breadth(pattern: &str) -> Breadth {
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
            let issuers = Parts::of_preset(name).issuers.map(listed).unwrap_or_default();
            assert!(
                matches!(issuers.as_slice(), [issuer] if issuer.get("name").and_then(Value::as_str) == Some(name)),
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
        patterns.sort_by_key(|pattern| breadth(pattern));
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
