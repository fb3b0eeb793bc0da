//! The gate's configuration in a file: what it says with the variables of an environment, and where
//! each mistake stands.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::functions::Carrier;
use crate::policy::{self, Policy};
use crate::project::folder::TextFile;
use crate::project::json_place::{self, Spanned};
use crate::project::place::Place;

/// The core's words for a variable without a value.
const FROM_THE_ENVIRONMENT: &str = "the value comes from the environment, and ";
/// And for several of which one has to have one.
const NONE_OF_SEVERAL: &str = "none of the variables that may hold ";

/// A configuration.
pub(crate) struct ConfigFile {
    /// Nothing: the preset, which counts where there is no file.
    pub(crate) file: Option<TextFile>,
    carrier: Carrier,
    tree: Option<Spanned>,
    /// Whether it is a JSON object.
    is_object: bool,
    /// Variables that it names.
    pub(crate) names: Vec<String>,
    /// What each rule is called.
    pub(crate) rule_places: Vec<String>,
}

/// A mistake in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigProblem {
    /// As the configuration calls it: `issuers[0].url`.
    pub(crate) path: String,
    pub(crate) place: Option<Place>,
    /// How many characters there are about it.
    pub(crate) length: usize,
    pub(crate) problem: String,
    pub(crate) hint: String,
    /// A variable that has no value, or whose value is wrong.
    pub(crate) variable: Option<String>,
    /// Whether that variable has no value.
    pub(crate) is_unset: bool,
}

/// What compiling came to.
pub(crate) struct Compiled {
    pub(crate) policy: Option<Policy>,
    pub(crate) errors: Vec<ConfigProblem>,
    pub(crate) warnings: Vec<ConfigProblem>,
}

impl ConfigFile {
    /// Reads the file; without one it is the preset.
    ///
    /// # Errors
    /// It is no JSON object without duplicate members.
    pub(crate) fn read(carrier: &Carrier, file: Option<TextFile>) -> (Self, Option<ConfigProblem>) {
        let text = file.as_ref().map(|file| file.text.clone()).unwrap_or_default();
        let parsed = serde_json::from_str::<Value>(&text);
        let is_blank = text.trim().is_empty();
        let tree = if is_blank || parsed.is_err() { None } else { json_place::read(&text) };
        let answer = carrier.inspect(&json!({ "config": text }));
        let error = answer.pointer("/errors/0");
        let problem = match (error, &file) {
            (Some(error), Some(file)) => Some(broken(file, parsed.err(), tree.as_ref(), error)),
            _ => None,
        };
        let texts = |name: &str| {
            let all = answer.get(name).and_then(Value::as_array).into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let own = Self {
            is_object: error.is_none(),
            names: texts("names"),
            rule_places: texts("rules"),
            carrier: carrier.clone(),
            tree,
            file,
        };
        (own, problem)
    }

    /// Where something stands.
    pub(crate) fn place(&self, path: &str) -> Option<(Place, usize)> {
        let file = self.file.as_ref()?;
        let (start, end) = self.tree.as_ref().map_or((0, 1), |tree| json_place::find(tree, path));
        let length = file
            .text
            .get(start..end)
            .map_or(1, |text| text.lines().next().map_or(1, |line| line.chars().count()));
        Some((file.place(start), length))
    }

    /// Compiles it with these variables.
    pub(crate) fn compile(&self, values: &BTreeMap<String, String>) -> Compiled {
        if !self.is_object {
            return Compiled { policy: None, errors: Vec::new(), warnings: Vec::new() };
        }
        let text = self.file.as_ref().map(|file| file.text.as_str()).unwrap_or_default();
        let policy::Compiled { policy, errors, warnings } =
            Policy::compile(&self.carrier, text, values);
        let placed = |found: Vec<[String; 3]>| found.into_iter().map(|one| self.placed(one));
        Compiled { errors: placed(errors).collect(), warnings: placed(warnings).collect(), policy }
    }

    /// The policy where variables that have no value yet have one that goes.
    pub(crate) fn policy_anyhow(&self, values: &BTreeMap<String, String>) -> Compiled {
        let mut values = values.clone();
        let mut compiled = self.compile(&values);
        // Values that were missing may name variables of their own.
        for _ in 0..3 {
            let unset: Vec<String> = compiled
                .errors
                .iter()
                .filter(|e| e.is_unset)
                .filter_map(|e| e.variable.clone())
                .collect();
            if unset.is_empty() {
                break;
            }
            for name in unset {
                let stand_in = stand_in(&name);
                values.insert(name, stand_in.to_owned());
            }
            compiled = self.compile(&values);
        }
        compiled
    }

    fn placed(&self, [path, problem, hint]: [String; 3]) -> ConfigProblem {
        let (place, length) = self.place(&path).unzip();
        let is_unset =
            problem.starts_with(FROM_THE_ENVIRONMENT) || problem.starts_with(NONE_OF_SEVERAL);
        let named = self.names.iter().find(|name| is_unset && has_word(&hint, name));
        ConfigProblem {
            variable: named.cloned().or_else(|| self.variable_at(&path)),
            is_unset,
            place,
            length: length.unwrap_or(1),
            path,
            problem,
            hint,
        }
    }

    /// The first variable that a place of the document names.
    fn variable_at(&self, path: &str) -> Option<String> {
        // The preset's own places stand in no document.
        if let Some(place) = path.strip_prefix("preset better-auth: issuers[0].") {
            let name = match place {
                "url" => "BETTER_AUTH_URL",
                "secret" => "BETTER_AUTH_SECRET",
                "secrets" => "BETTER_AUTH_SECRETS",
                _ => return None,
            };
            return Some(name.to_owned());
        }
        let file = self.file.as_ref()?;
        let tree = self.tree.as_ref()?;
        // Text members are found by their value, others by their name: then `env` is below it.
        let (start, end) = json_place::find(tree, &format!("{path}.env"));
        let written = file.text.get(start..end)?;
        let name = serde_json::from_str::<String>(written).ok()?;
        self.names.contains(&name).then_some(name)
    }
}

/// What is no JSON object: where, and why.
fn broken(
    file: &TextFile,
    error: Option<serde_json::Error>,
    tree: Option<&Spanned>,
    said: &Value,
) -> ConfigProblem {
    let said = |at: usize| said.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let hint = said(2);
    let duplicate = tree.and_then(json_place::duplicate);
    let (place, problem) = match (error, duplicate) {
        (Some(error), _) => {
            let place =
                Place { file: file.name.clone(), line: error.line(), column: error.column() };
            let words = error.to_string();
            let words = words.split(" at line ").next().unwrap_or_default().to_owned();
            (place, format!("this is not JSON: {words}"))
        }
        (None, Some((name, at))) => {
            (file.place(at), format!("the member \"{name}\" stands here a second time"))
        }
        (None, None) => (file.place(0), said(1)),
    };
    ConfigProblem {
        path: String::new(),
        place: Some(place),
        length: 1,
        problem,
        hint,
        variable: None,
        is_unset: false,
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|own| own == word)
}

/// A value of the right form for a variable of this name.
fn stand_in(name: &str) -> &'static str {
    let has = |part: &str| name.contains(part);
    if has("KEY") && !has("JWKS") {
        // The example of RFC 8037, appendix A.1: it protects nothing.
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\
         \"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
    } else if has("SECRET") {
        "stands-for-a-secret-0123456789-ABCDEFGHIJKL"
    } else if has("URL") || has("ISSUER") || has("ORIGIN") {
        "https://stands-for-a-variable.example"
    } else if has("DOMAIN") || has("HOST") {
        "stands-for-a-variable.example"
    } else {
        "stands-for-a-variable"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::tests::carrier;

    fn file(text: &str) -> Option<TextFile> {
        Some(TextFile { name: "doorward.json".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn what_is_no_json_object_has_its_place() {
        let cases = [
            ("{\n  \"public\": [\"/\"],\n}", "doorward.json:3:1: this is not JSON: trailing comma"),
            (
                "{\"a\": 1,\n \"a\": 2}",
                "doorward.json:2:2: the member \"a\" stands here a second time",
            ),
            (
                "[]",
                "doorward.json:1:1: the configuration is not one JSON object without duplicate members",
            ),
            ("{ // x\n}", "doorward.json:1:3: this is not JSON: key must be a string"),
        ];
        for (text, expected) in cases {
            let (_, problem) = ConfigFile::read(&carrier(), file(text));
            let found = problem.map(|problem| {
                format!(
                    "{}: {}",
                    problem.place.map(|place| place.to_string()).unwrap_or_default(),
                    problem.problem
                )
            });
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_variable_without_a_value_is_named_and_can_be_stood_in_for() {
        let (config, problem) =
            ConfigFile::read(&carrier(), file("{\"extends\": \"better-auth\"}"));
        assert_eq!(problem, None);
        let compiled = config.compile(&BTreeMap::new());
        let unset: Vec<_> = compiled
            .errors
            .iter()
            .filter(|e| e.is_unset)
            .filter_map(|e| e.variable.as_deref())
            .collect();
        assert_eq!(unset, ["BETTER_AUTH_URL", "BETTER_AUTH_SECRET"]);
        let anyhow = config.policy_anyhow(&BTreeMap::new());
        assert!(anyhow.policy.is_some(), "{:?}", anyhow.errors);
    }
}
