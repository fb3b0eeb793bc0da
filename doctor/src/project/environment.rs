//! The variables of a project, by environment: what a build or a server would find.

use std::collections::{BTreeMap, BTreeSet};

use crate::effects::Io;
use crate::env_file;
use crate::order;
use crate::project::folder::{Folder, TextFile};
use crate::project::place::Place;
use crate::secret::Secret;

const MAX_ENV_FILE_BYTES: usize = 256 * 1024;

/// Files that Next and its kin read for a production build, the ones that count first.
const PRODUCTION: [&str; 4] = [".env.production.local", ".env.local", ".env.production", ".env"];
/// And for development.
const DEVELOPMENT: [&str; 4] = [".env.development.local", ".env.local", ".env.development", ".env"];

/// Which environment it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What this process has, over the files of a production build.
    Here,
    /// The files of development.
    Development,
    /// A Worker's variables.
    Worker,
    /// A file that the command line names.
    Given,
}

/// One environment.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// `.env.local and .env`.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) variables: BTreeMap<String, Variable>,
}

/// A variable and where it is from.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) value: Secret,
    /// Nothing: this process has it.
    pub(crate) place: Option<Place>,
    /// Whether it is in a file that a deployment takes with it as it is: wrangler's `vars`.
    pub(crate) is_in_deployment: bool,
}

impl Environment {
    fn new(kind: Kind) -> Self {
        Self { name: String::new(), kind, variables: BTreeMap::new() }
    }

    /// The value of a variable, unless it is blank.
    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name).filter(|variable| !variable.value.text().trim().is_empty())
    }

    /// Everything, for compiling a configuration.
    pub(crate) fn values(&self) -> BTreeMap<String, String> {
        let pair = |(name, variable): (&String, &Variable)| {
            (name.clone(), variable.value.text().to_owned())
        };
        order::collected(self.variables.iter().map(pair))
    }

    /// Whether production runs with it, as its files say.
    pub(crate) fn is_production(&self, variable: &Variable) -> bool {
        let says = |name: &str, word: &str| {
            self.variables.get(name).is_some_and(|own| own.value.text().trim() == word)
        };
        let file = variable.place.as_ref().map(|place| place.file.as_str()).unwrap_or_default();
        let file = file.rsplit('/').next().unwrap_or_default();
        file.starts_with(".env.production")
            || says("VERCEL_ENV", "production")
            || self.kind == Kind::Given && file.contains("prod")
    }

    fn add_file(&mut self, file: &TextFile) {
        for variable in env_file::parse(&file.text) {
            let place = Some(Place::line(&file.name, variable.line));
            let value = Secret::new(variable.value);
            let found = Variable { value, place, is_in_deployment: false };
            // Of two in one file the last counts, of two files the first.
            match self.variables.get(&variable.name).and_then(|known| known.place.as_ref()) {
                Some(known) if known.file != file.name => {}
                None if self.variables.contains_key(&variable.name) => {}
                _ => drop(self.variables.insert(variable.name, found)),
            }
        }
        if !self.name.is_empty() {
            self.name.push_str(", ");
        }
        self.name.push_str(&file.name);
    }
}

/// The environments of a project. `names` are those variables of this process that count.
pub(crate) async fn find(io: &Io, folder: &Folder, names: &BTreeSet<String>) -> Vec<Environment> {
    let mut here = Environment::new(Kind::Here);
    for name in names {
        if let Some(text) = io.env(name).await {
            let variable =
                Variable { value: Secret::new(text), place: None, is_in_deployment: false };
            here.variables.insert(name.clone(), variable);
        }
    }
    if !here.variables.is_empty() {
        here.name = "this process".to_owned();
    }
    for name in PRODUCTION {
        if let Some(file) = folder.file(name).await {
            here.add_file(&file);
        }
    }
    let mut found = vec![here];
    let mut development = Environment::new(Kind::Development);
    for name in DEVELOPMENT {
        if let Some(file) = folder.file(name).await {
            development.add_file(&file);
        }
    }
    if development.name.contains(".env.development") {
        found.push(development);
    }
    found.extend(worker(folder).await);
    found
}

/// The environment of a file that the command line names.
///
/// # Errors
/// It is not there, or no text.
pub(crate) async fn given(io: &Io, path: &str) -> Result<Environment, String> {
    let text =
        io.read_text(path, MAX_ENV_FILE_BYTES).await.map_err(|why| format!("{path}: {why}"))?;
    let text = text.ok_or_else(|| format!("{path} does not exist"))?;
    let mut environment = Environment::new(Kind::Given);
    environment.add_file(&TextFile { name: path.to_owned(), text });
    Ok(environment)
}

/// What `wrangler dev` and a Worker's deployment find.
async fn worker(folder: &Folder) -> Option<Environment> {
    let mut environment = Environment::new(Kind::Worker);
    if let Some(file) = folder.file(".dev.vars").await {
        environment.add_file(&file);
    }
    let files = ["wrangler.toml", "wrangler.jsonc", "wrangler.json"];
    if let Some(file) = folder.first(&files).await {
        for (name, value, place) in vars_of(&file) {
            let value = Secret::new(value);
            let variable = Variable { value, place: Some(place), is_in_deployment: true };
            environment.variables.entry(name).or_insert(variable);
        }
        if !environment.name.is_empty() {
            environment.name.push_str(", ");
        }
        environment.name.push_str(&file.name);
    }
    (!environment.variables.is_empty()).then_some(environment)
}

/// `vars` of wrangler's configuration: TOML by its lines, JSON with comments by its quotes.
fn vars_of(file: &TextFile) -> Vec<(String, String, Place)> {
    let is_toml = file.name.ends_with(".toml");
    let mut found = Vec::new();
    let mut is_in_vars = false;
    for (number, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if is_toml && line.starts_with('[') {
            is_in_vars = line == "[vars]" || line.ends_with(".vars]");
            continue;
        }
        if !is_toml && line.contains("\"vars\"") {
            is_in_vars = true;
            continue;
        }
        if !is_toml && line.starts_with('}') {
            is_in_vars = false;
        }
        let pair = if is_toml { line.split_once('=') } else { line.split_once(':') };
        let Some((name, value)) = pair.filter(|_| is_in_vars) else { continue };
        let value = value.trim().trim_end_matches(',').trim();
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let inner = quote.and_then(|quote| value.strip_prefix(quote)?.split(quote).next());
        if let Some(inner) = inner {
            let place = Place::line(&file.name, number.saturating_add(1));
            found.push((name.trim().trim_matches('"').to_owned(), inner.to_owned(), place));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_files_the_first_counts_and_of_two_lines_the_last() {
        let mut environment = Environment::new(Kind::Here);
        let file =
            |name: &str, text: &str| TextFile { name: name.to_owned(), text: text.to_owned() };
        environment.add_file(&file(".env.local", "A=1\nA=2\n"));
        environment.add_file(&file(".env", "A=3\nB=4\n"));
        let text = |name: &str| environment.get(name).map(|own| own.value.text().to_owned());
        assert_eq!((text("A").as_deref(), text("B").as_deref()), (Some("2"), Some("4")));
        assert_eq!(environment.name, ".env.local, .env");
    }

    #[test]
    fn the_variables_of_a_worker_are_found_in_each_form() {
        let cases = [
            (
                "wrangler.toml",
                "name = \"x\"\n[vars]\nA = \"b\" # c\n[env.production.vars]\nB='d'\n[other]\nC=\"e\"\n",
            ),
            (
                "wrangler.jsonc",
                "{\n// x\n\"vars\": {\n  \"A\": \"b\",\n  \"B\": \"d\"\n},\n\"name\": \"e\"\n}\n",
            ),
        ];
        for (name, text) in cases {
            let found = vars_of(&TextFile { name: name.to_owned(), text: text.to_owned() });
            let found: Vec<_> =
                found.iter().map(|(name, value, _)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, [("A", "b"), ("B", "d")], "{name}");
        }
    }
}
