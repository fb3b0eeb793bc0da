//! Reading members of the document, and noting what is wrong with them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ConfigError;
use crate::time::Seconds;

/// Reads members of the document and notes what is wrong with them.
pub(super) struct Reader<'v> {
    pub(super) values: &'v BTreeMap<String, String>,
    pub(super) errors: Vec<ConfigError>,
    pub(super) warnings: Vec<ConfigError>,
    /// Places whose value came from a variable, and from which.
    sources: Vec<(String, String)>,
}

/// A value with its place in the document.
pub(super) struct Node<'d> {
    pub(super) value: &'d Value,
    pub(super) path: String,
}

impl<'d> Node<'d> {
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            [self.path.as_str(), ".", name].concat()
        };
        self.value.get(name).map(|value| Node { value, path })
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            [self.path.as_str(), ".", name].concat()
        }
    }

    /// The items of a list, or the one item that stands in place of a list.
    pub(super) fn items(&self) -> Vec<Self> {
        match self.value {
            Value::Array(items) => {
                let place = |(number, value)| Node {
                    value,
                    path: [self.path.as_str(), "[", &usize::to_string(&number), "]"].concat(),
                };
                items.iter().enumerate().map(place).collect()
            }
            value => vec![Node { value, path: self.path.clone() }],
        }
    }
}

impl<'v> Reader<'v> {
    pub(super) fn new(values: &'v BTreeMap<String, String>) -> Self {
        Self { values, errors: Vec::new(), warnings: Vec::new(), sources: Vec::new() }
    }

    pub(super) fn wrong(
        &mut self,
        path: &str,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let error = self.verdict(path, problem.into(), hint.into());
        self.errors.push(error);
    }

    /// What is not wrong, and should be otherwise.
    pub(super) fn warn(&mut self, path: &str, problem: impl Into<String>, hint: impl Into<String>) {
        let warning = self.verdict(path, problem.into(), hint.into());
        self.warnings.push(warning);
    }

    /// Whoever deploys knows the variable, not the document: what is said about its value names it.
    fn verdict(&self, path: &str, mut problem: String, hint: String) -> ConfigError {
        let is_here = |place: &str| {
            place.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        let mut names: Vec<&str> = self
            .sources
            .iter()
            .filter(|(place, _)| is_here(place))
            .map(|(_, name)| name.as_str())
            .collect();
        names.dedup();
        if !names.is_empty() {
            problem = [problem.as_str(), " (value of ", &names.join(", "), ")"].concat();
        }
        ConfigError { path: path.to_owned(), problem, hint }
    }

    pub(super) fn only_members(&mut self, node: &Node<'_>, known: &[&str]) {
        let Value::Object(members) = node.value else {
            self.wrong(&node.path, "this is not an object", "write { … } here");
            return;
        };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            self.wrong(
                &node.path_of(name),
                "there is no such member",
                format!("known here: {}", known.join(", ")),
            );
        }
    }

    /// A text, or the value of the first environment variable that has one.
    pub(super) fn text(&mut self, node: &Node<'_>) -> Option<String> {
        match node.value {
            Value::String(text) => Some(text.clone()),
            Value::Object(_) => self.variable(node).map(|value| value.trim().to_owned()),
            _ => {
                self.wrong(
                    &node.path,
                    "this is not a string",
                    "write a string or {\"env\": \"NAME\"}",
                );
                None
            }
        }
    }

    /// A value from the environment as it stands there (Better Auth does not trim its secret);
    /// `None` when no variable has one.
    pub(super) fn variable(&mut self, node: &Node<'_>) -> Option<String> {
        self.only_members(node, &["env", "default", "optional"]);
        let names = node.member("env").map(|env| env.items()).unwrap_or_default();
        let names: Vec<&str> = names.iter().filter_map(|name| name.value.as_str()).collect();
        if names.is_empty() {
            self.wrong(&node.path, "\"env\" names no variable", "write {\"env\": \"NAME\"}");
        }
        let set = names
            .iter()
            .filter_map(|name| self.values.get_key_value(*name))
            .find(|(_, value)| !value.trim().is_empty());
        self.sources.extend(set.map(|(name, _)| (node.path.clone(), name.clone())));
        let default = node.member("default").and_then(|default| default.value.as_str());
        let found = set.map(|(_, value)| value.as_str()).or(default).map(str::to_owned);
        let may_be_unset = node.value.get("optional") == Some(&Value::Bool(true));
        if found.is_none() && !may_be_unset && !names.is_empty() {
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
            self.wrong(&node.path, problem, hint);
        }
        found
    }

    /// A text that must be there.
    pub(super) fn required_text(
        &mut self,
        node: &Node<'_>,
        name: &str,
        problem: &str,
        hint: &str,
    ) -> Option<String> {
        if node.member(name).is_none_or(|member| member.value.is_null()) {
            self.wrong(&node.path_of(name), problem, hint);
        }
        self.optional_text(node, name)
    }

    pub(super) fn optional_text(&mut self, node: &Node<'_>, name: &str) -> Option<String> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        self.text(&member)
    }

    /// A list of texts, or one text in place of it; a variable may hold several, separated by
    /// commas.
    pub(super) fn texts(&mut self, node: &Node<'_>, name: &str) -> Option<Vec<String>> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        let mut texts = Vec::new();
        for item in member.items() {
            let Some(text) = self.text(&item) else {
                continue;
            };
            if item.value.is_object() {
                texts.extend(
                    text.split(',')
                        .map(str::trim)
                        .filter(|text| !text.is_empty())
                        .map(str::to_owned),
                );
            } else {
                texts.push(text);
            }
        }
        if texts.is_empty() && member.value.is_object() { None } else { Some(texts) }
    }

    pub(super) fn flag(&mut self, node: &Node<'_>, name: &str) -> Option<bool> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        let flag = member.value.as_bool();
        if flag.is_none() {
            self.wrong(
                &member.path,
                "this is neither true nor false",
                "write true or false without quotes",
            );
        }
        flag
    }

    pub(super) fn seconds(&mut self, node: &Node<'_>, name: &str, most: u32) -> Option<Seconds> {
        self.whole(node, name, "of seconds ", 0, most).map(Seconds::new)
    }

    pub(super) fn number(
        &mut self,
        node: &Node<'_>,
        name: &str,
        least: u32,
        most: u32,
    ) -> Option<u32> {
        self.whole(node, name, "", least, most)
    }

    fn whole(
        &mut self,
        node: &Node<'_>,
        name: &str,
        of: &str,
        least: u32,
        most: u32,
    ) -> Option<u32> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        let number = member.value.as_u64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.wrong(
                &member.path,
                format!("this is not a whole number {of}from {least} to {most}"),
                if member.value.is_number() {
                    "take one that is"
                } else {
                    "write a number without quotes"
                },
            );
        }
        number
    }

    /// One of a closed list of words.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node<'_>,
        name: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.optional_text(node, name)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(
                &node.path_of(name),
                "this is not one of the words that are known here",
                format!("known: {}", known.join(", ")),
            );
        }
        found
    }
}
