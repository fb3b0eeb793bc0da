//! The gate's configuration in a file: what it says with the variables of an environment, and where
//! each mistake stands.

use std::collections::BTreeMap;

use doorward::{Capabilities, Config, ConfigError, Policy};

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
    tree: Option<Spanned>,
    /// Nothing where it is no JSON object.
    config: Option<Config>,
    /// Variables that it names.
    pub(crate) names: Vec<String>,
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
    pub(crate) fn read(file: Option<TextFile>) -> (Self, Option<ConfigProblem>) {
        let text = file.as_ref().map(|file| file.text.clone()).unwrap_or_default();
        let parsed = serde_json::from_str::<serde_json::Value>(&text);
        let is_blank = text.trim().is_empty();
        let tree = if is_blank || parsed.is_err() { None } else { json_place::read(&text) };
        let config = Config::parse(&text);
        let problem = match (&config, &file) {
            (Err(errors), Some(file)) => Some(broken(file, parsed.err(), tree.as_ref(), errors)),
            _ => None,
        };
        let config = config.ok();
        let names = config.as_ref().map(Config::names).unwrap_or_default();
        (Self { file, tree, config, names }, problem)
    }

    /// What each rule is called.
    pub(crate) fn rule_places(&self) -> Vec<String> {
        self.config.as_ref().map(Config::rule_places).unwrap_or_default()
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
        let Some(config) = &self.config else {
            return Compiled { policy: None, errors: Vec::new(), warnings: Vec::new() };
        };
        let (policy, errors) = match config.compile(values, &host(config)) {
            Ok(policy) => (Some(policy), Vec::new()),
            Err(errors) => (None, errors),
        };
        let warnings = policy.as_ref().map(|policy| policy.warnings().to_vec()).unwrap_or_default();
        let placed = |found: Vec<ConfigError>| found.into_iter().map(|one| self.placed(one));
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

    fn placed(&self, error: ConfigError) -> ConfigProblem {
        let (place, length) = self.place(&error.path).unzip();
        let is_unset = error.problem.starts_with(FROM_THE_ENVIRONMENT)
            || error.problem.starts_with(NONE_OF_SEVERAL);
        let named = self.names.iter().find(|name| is_unset && has_word(&error.hint, name));
        ConfigProblem {
            variable: named.cloned().or_else(|| self.variable_at(&error.path)),
            is_unset,
            place,
            length: length.unwrap_or(1),
            path: error.path,
            problem: error.problem,
            hint: error.hint,
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
    errors: &[ConfigError],
) -> ConfigProblem {
    let hint = errors.first().map(|error| error.hint.clone()).unwrap_or_default();
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
            (file.place(at), format!("the member {name:?} stands here a second time"))
        }
        (None, None) => {
            (file.place(0), errors.first().map(|error| error.problem.clone()).unwrap_or_default())
        }
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

/// A host that can do everything: what a certain host cannot do it says itself when it starts.
pub(crate) fn host(config: &Config) -> Capabilities {
    Capabilities::checking(|_| true).and_signing(|_| true).and_stores(config.stores()).and_telling()
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
            let (_, problem) = ConfigFile::read(file(text));
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
        let (config, problem) = ConfigFile::read(file("{\"extends\": \"better-auth\"}"));
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
