//! Reads the document by the table of its members, and notes what is wrong with it.
//!
//! [`Reader::object`] gives a copy of an object in which the values of variables stand in the
//! places of `{"env": …}`. Each member that is not what the table says has become an error by then,
//! and stays as it is written: [`Node`] finds nothing in it, and no second error is made of that.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::near::nearest;
use super::table::{self, BETTER_AUTH_ISSUER, JWT_ISSUER, Kind, Member, Number, Object, VARIABLE};
use crate::encoding::members::Members;
use crate::jose::verify::Secret;
use crate::policy::config_error::ConfigError;

/// Reads the document and notes what is wrong with it.
pub(super) struct Reader<'v> {
    pub(super) values: &'v BTreeMap<String, String>,
    pub(super) errors: Vec<ConfigError>,
    pub(super) warnings: Vec<ConfigError>,
    /// Variables that the document names, in order, each once.
    pub(super) names: Vec<String>,
    /// Stores that the document names, in order, each once.
    pub(super) stores: Vec<String>,
    /// Places whose variables may be missing, and are.
    unset: Vec<String>,
    /// What the log says of each secret at the start.
    pub(super) secrets: Vec<String>,
    /// How many errors are about what the reader has read.
    read: usize,
    /// Places whose value came from a variable, and from which.
    sources: Vec<(String, String)>,
}

impl<'v> Reader<'v> {
    pub(super) fn new(values: &'v BTreeMap<String, String>) -> Self {
        Self {
            values,
            errors: Vec::new(),
            warnings: Vec::new(),
            names: Vec::new(),
            stores: Vec::new(),
            secrets: Vec::new(),
            unset: Vec::new(),
            read: 0,
            sources: Vec::new(),
        }
    }

    /// Notes an error; none where the reader has said already what is wrong with the value itself.
    pub(super) fn wrong(
        &mut self,
        path: &str,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let is_here = |error: &ConfigError| is_at(&error.path, path);
        if self.errors.iter().take(self.read).any(is_here) {
            return;
        }
        let error = self.finding(path, problem.into(), hint.into());
        self.errors.push(error);
    }

    /// What works and should still be changed.
    pub(super) fn warn(&mut self, path: &str, problem: impl Into<String>, hint: impl Into<String>) {
        let warning = self.finding(path, problem.into(), hint.into());
        self.warnings.push(warning);
    }

    /// Whoever deploys knows the variable, not the document: what is said about its value names it.
    fn finding(&self, path: &str, mut problem: String, hint: String) -> ConfigError {
        let here = self.sources.iter().filter(|(place, _)| is_at(place, path));
        let mut names: Vec<&str> = here.map(|(_, name)| name.as_str()).collect();
        names.dedup();
        if !names.is_empty() {
            problem = [problem.as_str(), " (value of ", &names.join(", "), ")"].concat();
        }
        ConfigError { path: path.to_owned(), problem, hint }
    }

    /// The whole document. What is noted from now on is about what it says.
    pub(super) fn document(&mut self, document: &Value) -> Value {
        let read = self.object(document, "", &table::DOCUMENT);
        self.read = self.errors.len();
        read
    }

    /// Whether the value that is named here may be missing, and is.
    pub(super) fn is_unset(&self, path: &str) -> bool {
        self.unset.iter().any(|unset| unset == path)
    }

    /// What stands here, where the table wants something else.
    fn mismatch(&mut self, path: &str, expected: &str, value: &Value, hint: &str) {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(members) if members.contains_key("env") => "a variable",
            Value::Object(_) => "an object",
        };
        self.wrong(path, ["expected ", expected, ", found ", found].concat(), hint);
    }

    /// The object with the values of its variables.
    pub(super) fn object(&mut self, value: &Value, path: &str, object: &Object) -> Value {
        let Value::Object(members) = value else {
            self.mismatch(path, "an object", value, "write { … } here");
            return value.clone();
        };
        let mut read = Map::new();
        for (name, value) in members {
            let path = join(path, name);
            match object.find(name) {
                Some(member) => {
                    if let Some(value) = self.member(member, value, &path) {
                        read.insert(name.clone(), value);
                    }
                }
                None => self.unknown(name, &path, object),
            }
        }
        for member in object.all() {
            if let Some(hint) = member.required
                && members.get(member.name).is_none_or(Value::is_null)
            {
                self.wrong(&join(path, member.name), "this member is missing", hint);
            }
        }
        Value::Object(read)
    }

    fn unknown(&mut self, name: &str, path: &str, object: &Object) {
        if let Some((_, hint)) = object.old.iter().find(|(old, _)| *old == name) {
            self.wrong(path, "this member has another name now", *hint);
            return;
        }
        let is_issuer = std::ptr::eq(object, &JWT_ISSUER);
        if is_issuer && BETTER_AUTH_ISSUER.find(name).is_some() {
            self.wrong(
                path,
                "there is no such member here",
                "it is for issuers of the type \"better-auth\"",
            );
            return;
        }
        let known = || object.all().map(|member| member.name);
        let hint = match nearest(name, known()) {
            Some(near) => ["did you mean \"", near, "\"?"].concat(),
            None => ["known here: ", &known().collect::<Vec<_>>().join(", ")].concat(),
        };
        self.wrong(path, "there is no such member", hint);
    }

    /// The value of a member; nothing where it comes from a variable that may be missing, and is.
    fn member(&mut self, member: &Member, value: &Value, path: &str) -> Option<Value> {
        match member.kind {
            _ if value.is_null() => {}
            Kind::Text => return self.text(value, path, member.env),
            Kind::Word(words) => return self.word(value, path, words, member.env),
            Kind::Texts => return self.texts(value, path, member.env),
            Kind::Secret => return self.secret(value, path),
            Kind::Secrets | Kind::Objects(_) | Kind::Issuers => {
                return Some(self.list(member.kind, value, path));
            }
            Kind::KeySet => return self.key_set(value, path),
            Kind::Store => self.store(value, path),
            Kind::Flag if !value.is_boolean() => {
                self.mismatch(path, "true or false", value, "write true or false without quotes");
            }
            Kind::Number(number) => self.number(value, path, &number),
            Kind::Numbers(number) => {
                for (item, path) in items(value, path) {
                    self.number(item, &path, &number);
                }
            }
            Kind::Object(object) => return Some(self.object(value, path, object)),
            Kind::TextMap => return Some(self.text_map(value, path)),
            Kind::RuleMap(object) => return Some(self.rule_map(value, path, object)),
            Kind::WordOr(words, _) if !value.is_object() && *value != Value::Bool(false) => {
                return self.word(value, path, words, false);
            }
            Kind::FlagOr(_) if !value.is_object() && !value.is_boolean() => {
                self.mismatch(
                    path,
                    "true, false or an object",
                    value,
                    "write true without quotes, or { … }",
                );
            }
            Kind::TextOr(_) if !value.is_object() && !value.is_string() => {
                self.mismatch(path, "a string or an object", value, "write a string, or { … }");
            }
            Kind::WordOr(_, object) | Kind::FlagOr(object) | Kind::TextOr(object)
                if value.is_object() =>
            {
                return Some(self.object(value, path, object));
            }
            // What rules require has rules of its own (src/config/requirements.rs).
            Kind::Flag
            | Kind::WordOr(..)
            | Kind::FlagOr(_)
            | Kind::TextOr(_)
            | Kind::Requirement
            | Kind::Requirements => {}
        }
        Some(value.clone())
    }

    /// The items of a list, or the one in its place.
    fn list(&mut self, kind: Kind, value: &Value, path: &str) -> Value {
        let mut read = Vec::new();
        for (item, path) in items(value, path) {
            match kind {
                Kind::Objects(object) => read.push(self.object(item, &path, object)),
                Kind::Issuers => read.push(self.issuer(item, &path)),
                _ => read.extend(self.secret(item, &path)),
            }
        }
        Value::Array(read)
    }

    fn issuer(&mut self, value: &Value, path: &str) -> Value {
        let kind = value.get("type");
        let found =
            table::ISSUERS.iter().find(|(name, _)| kind.and_then(Value::as_str) == Some(name));
        match (found, kind) {
            (Some((_, object)), _) => self.object(value, path, object),
            (None, Some(kind)) if value.is_object() => {
                let words = table::ISSUERS.map(|(name, _)| name);
                self.word(kind, &join(path, "type"), &words, false);
                value.clone()
            }
            // That its type is missing is said once, and by the table.
            (None, _) => self.object(value, path, &BETTER_AUTH_ISSUER),
        }
    }

    fn text(&mut self, value: &Value, path: &str, env: bool) -> Option<Value> {
        match value {
            Value::String(_) => {}
            Value::Object(members) if env && members.contains_key("env") => {
                return self
                    .variable(value, path)
                    .map(|text| Value::String(affixed(value, text.trim())));
            }
            _ if env => {
                self.mismatch(path, "a string", value, "write a string, or {\"env\": \"NAME\"}")
            }
            _ => self.mismatch(path, "a string", value, "write the string itself"),
        }
        Some(value.clone())
    }

    fn word(&mut self, value: &Value, path: &str, words: &[&str], env: bool) -> Option<Value> {
        let read = self.text(value, path, env)?;
        let Value::String(text) = &read else { return Some(read) };
        if !words.contains(&text.as_str()) {
            let known = words.join(", ");
            let near = nearest(text, words.iter().copied()).filter(|_| value.is_string());
            let hint = near.map_or_else(
                || format!("write one of {known}"),
                |near| format!("did you mean \"{near}\"?"),
            );
            self.wrong(path, format!("expected one of {known}, found another word"), hint);
        }
        Some(read)
    }

    /// A list of strings, or one in its place; a variable may hold several, separated by commas.
    fn texts(&mut self, value: &Value, path: &str, env: bool) -> Option<Value> {
        let mut texts = Vec::new();
        for (item, path) in items(value, path) {
            match self.text(item, &path, env) {
                Some(Value::String(text)) if item.is_object() => {
                    let several = text.split(',').map(str::trim).filter(|text| !text.is_empty());
                    texts.extend(several.map(|text| Value::String(affixed(item, text))));
                }
                read => texts.extend(read),
            }
        }
        (!texts.is_empty() || !value.is_object()).then_some(Value::Array(texts))
    }

    fn number(&mut self, value: &Value, path: &str, range: &Number) {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        if number.is_some_and(|number| (range.least..=range.most).contains(&number)) {
            return;
        }
        let most = match range.most {
            u32::MAX => String::new(),
            most => format!(" to {most}"),
        };
        let expected = format!("a whole number of {} from {}{most}", range.unit, range.least);
        if let Value::Number(number) = value {
            let problem = format!("expected {expected}, found {number}");
            self.wrong(path, problem, "write one in that range");
        } else {
            self.mismatch(path, &expected, value, "write a number without quotes");
        }
    }

    /// The value of the variable that is named here: secrets are named, never written.
    fn secret(&mut self, value: &Value, path: &str) -> Option<Value> {
        if value.is_object() {
            let text = self.variable(value, path)?;
            // Better Auth's list of secrets: `2:new,1:old`.
            if path.ends_with(".secrets") {
                for entry in text.split(',') {
                    let secret = entry.split_once(':').map_or(entry, |(_, secret)| secret);
                    self.note_secret(path, &Secret::new(secret.trim()));
                }
            } else {
                self.note_secret(path, &Secret::new(&text));
            }
            return Some(Value::String(text));
        }
        self.wrong(
            path,
            "a secret is written in the configuration",
            "put it into the environment and write {\"env\": \"NAME\"} here",
        );
        Some(Value::Null)
    }

    /// Has the log say of a secret which variable it comes from, and what it is known by.
    #[cold]
    #[inline(never)]
    pub(super) fn note_secret(&mut self, path: &str, secret: &Secret) {
        let about = self.about_secret(path, secret).written();
        self.secrets.push(about);
    }

    /// The variable of the secret at this place, the class of its length, and its fingerprint.
    pub(super) fn about_secret(&self, path: &str, secret: &Secret) -> Members {
        let source = self.sources.iter().find(|(place, _)| place == path);
        let mut about = Members::default();
        about.text("variable", source.map_or(path, |(_, name)| name));
        about.text("length", secret.length_class());
        about.text_if_any("fingerprint", secret.fingerprint().as_deref());
        about
    }

    /// A variable may hold the whole set as JSON.
    fn key_set(&mut self, value: &Value, path: &str) -> Option<Value> {
        match value {
            Value::Object(members) if members.contains_key("env") => self.text(value, path, true),
            Value::Object(_) => Some(value.clone()),
            _ => {
                self.mismatch(
                    path,
                    "a key set",
                    value,
                    "write {\"keys\": [ … ]} as in RFC 7517, or {\"env\": \"NAME\"}",
                );
                None
            }
        }
    }

    /// The name of a store stands in the document itself: the host is asked for it before there are
    /// values.
    fn store(&mut self, value: &Value, path: &str) {
        match value.as_str() {
            Some("") | None => {
                self.mismatch(
                    path,
                    "the name of a store",
                    value,
                    "write the name itself, like \"SESSIONS\"",
                );
            }
            Some(name) => insert(&mut self.stores, name),
        }
    }

    fn text_map(&mut self, value: &Value, path: &str) -> Value {
        let Value::Object(members) = value else {
            self.mismatch(
                path,
                "an object",
                value,
                "write {\"role\": \"role\"}: the name of a header and of a claim",
            );
            return value.clone();
        };
        let mut read = Map::new();
        for (name, value) in members {
            if let Some(text) = self.text(value, &join(path, name), true) {
                read.insert(name.clone(), text);
            }
        }
        Value::Object(read)
    }

    /// What is right here has become rules before (src/config/preset.rs).
    fn rule_map(&mut self, value: &Value, path: &str, object: &Object) -> Value {
        if let Value::Object(members) = value {
            for (pattern, value) in members {
                self.object(value, &[path, "[\"", pattern, "\"]"].concat(), object);
            }
        } else {
            self.texts(value, path, false);
        }
        value.clone()
    }

    /// A value from the environment as it stands there (Better Auth does not trim its secret);
    /// `None` when no variable has one.
    fn variable(&mut self, value: &Value, path: &str) -> Option<String> {
        self.object(value, path, &VARIABLE);
        let names = value.get("env").map(|names| items(names, path)).unwrap_or_default();
        let names: Vec<&str> = names.iter().filter_map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            self.wrong(path, "\"env\" names no variable", "write {\"env\": \"NAME\"}");
        }
        names.iter().for_each(|name| insert(&mut self.names, name));
        let set = names
            .iter()
            .filter_map(|name| self.values.get_key_value(*name))
            .find(|(_, value)| !value.trim().is_empty());
        self.sources.extend(set.map(|(name, _)| (path.to_owned(), name.clone())));
        let default = value
            .get("default")
            .and_then(Value::as_str)
            .filter(|default| !default.trim().is_empty());
        let found = set.map(|(_, value)| value.as_str()).or(default).map(str::to_owned);
        let may_be_unset = matches!(value.get("optional"), Some(Value::Bool(true)));
        if found.is_none() && may_be_unset {
            self.unset.push(path.to_owned());
        } else if found.is_none() && !names.is_empty() {
            let is_blank = names.iter().any(|name| self.values.contains_key(*name));
            let problem = if is_blank {
                "the value comes from the environment, and it is blank there"
            } else {
                "the value comes from the environment, and there is none"
            };
            let hint = format!(
                "give the environment variable {} a value, or write \"optional\": true",
                names.join(" or ")
            );
            self.wrong(path, problem, hint);
        }
        found
    }
}

/// A place in the document, of which the reader has read everything.
#[derive(Clone)]
pub(super) struct Node<'d> {
    pub(super) value: &'d Value,
    pub(super) path: String,
}

/// Members are looked up in more than a hundred places: inlined, that would be tens of kilobytes.
impl<'d> Node<'d> {
    #[inline(never)]
    fn get(&self, name: &str) -> Option<&'d Value> {
        self.value.get(name)
    }

    /// The member of this name, unless it is missing or null.
    #[inline(never)]
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        let value = self.get(name).filter(|value| !value.is_null())?;
        Some(Node { value, path: self.path_of(name) })
    }

    #[inline(never)]
    pub(super) fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Whether something is written there.
    #[inline(never)]
    pub(super) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// Whether `null` is written there.
    #[inline(never)]
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.get(name).is_some_and(Value::is_null)
    }

    /// The items of the list in the member of this name.
    #[inline(never)]
    pub(super) fn items(&self, name: &str) -> Vec<Self> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let items = value.as_array().map(|_| items(value, &self.path_of(name))).unwrap_or_default();
        items.into_iter().map(|(value, path)| Node { value, path }).collect()
    }

    #[inline(never)]
    pub(super) fn text(&self, name: &str) -> Option<&'d str> {
        self.get(name)?.as_str()
    }

    #[inline(never)]
    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let items = self.get(name)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// A flag, which is false where it is missing.
    #[inline(never)]
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true)))
    }

    /// A number, or the table's default for it.
    #[inline(never)]
    pub(super) fn number(&self, object: &Object, name: &str) -> u32 {
        let usual = match object.find(name).map(|member| member.kind) {
            Some(Kind::Number(number)) => number.default,
            _ => None,
        };
        self.optional_number(name).or(usual).unwrap_or_default()
    }

    #[inline(never)]
    pub(super) fn optional_number(&self, name: &str) -> Option<u32> {
        u32::try_from(self.get(name)?.as_u64()?).ok()
    }
}

/// The items of a list, or the one item that stands in its place, with their places.
pub(super) fn items<'d>(value: &'d Value, path: &str) -> Vec<(&'d Value, String)> {
    match value {
        Value::Array(items) => {
            let place =
                |(number, item)| (item, [path, "[", &usize::to_string(&number), "]"].concat());
            items.iter().enumerate().map(place).collect()
        }
        value => vec![(value, path.to_owned())],
    }
}

/// Whether a place is this one, or an item of its list.
fn is_at(place: &str, path: &str) -> bool {
    place.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { [path, ".", name].concat() }
}

/// Text with what its variable says about its beginning and its end.
fn affixed(variable: &Value, text: &str) -> String {
    let part = |name: &str| variable.get(name).and_then(Value::as_str).unwrap_or_default();
    let (prefix, suffix) = (part("prefix"), part("suffix"));
    let prefix = if text.starts_with(prefix) { "" } else { prefix };
    if text.ends_with(suffix) {
        return [prefix, text].concat();
    }
    let text = if suffix.starts_with('/') { text.trim_end_matches('/') } else { text };
    [prefix, text, suffix].concat()
}

/// Into a sorted list, once.
fn insert(names: &mut Vec<String>, name: &str) {
    if let Err(place) = names.binary_search_by(|known| known.as_str().cmp(name)) {
        names.insert(place, name.to_owned());
    }
}
