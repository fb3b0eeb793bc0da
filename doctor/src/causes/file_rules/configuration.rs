//! The gate's configuration: its mistakes, and what should be otherwise.

use crate::causes::Cause;
use crate::causes::file_finding::{FileFinding, FileRule, Level};
use crate::project::Project;
use crate::project::config_file::ConfigProblem;
use crate::project::environment::{Environment, Kind};

pub(super) const RULES: &[FileRule] =
    &[(&[], broken), (&[Cause::UrlMissing], mistakes), (&[], policy)];

fn broken(project: &Project) -> Vec<FileFinding> {
    project.broken.iter().map(|problem| finding(problem, Level::Error)).collect()
}

/// What is wrong with it in each environment in which some of its variables are set. Where none is,
/// the deployment sets them, and the rest is looked at without.
fn mistakes(project: &Project) -> Vec<FileFinding> {
    if !project.has_gate || project.broken.is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut is_known = false;
    for environment in &project.environments {
        if !sets_some(project, environment) || environment.kind == Kind::Development {
            continue;
        }
        is_known = true;
        let compiled = project.config.compile(&environment.values());
        // Of environments that are compared, what one lacks is said once.
        let is_compared = |problem: &&ConfigProblem| {
            environment.kind == Kind::Given
                && problem.is_unset
                && problem.variable.as_ref().is_some_and(|name| {
                    project.environments.iter().any(|other| other.get(name).is_some())
                })
        };
        let errors = compiled.errors.iter().filter(|problem| !is_compared(problem));
        found.extend(errors.map(|problem| in_environment(problem, environment)));
        let anyhow = project.config.policy_anyhow(&environment.values());
        found.extend(anyhow.errors.iter().map(|problem| in_environment(problem, environment)));
    }
    if !is_known {
        let anyhow = project.config.policy_anyhow(&std::collections::BTreeMap::new());
        found.extend(anyhow.errors.iter().map(|problem| finding(problem, Level::Error)));
    }
    found
}

/// Whether an environment sets one of the variables that the configuration names.
pub(super) fn sets_some(project: &Project, environment: &Environment) -> bool {
    project.config.names.iter().any(|name| environment.get(name).is_some())
}

fn in_environment(problem: &ConfigProblem, environment: &Environment) -> FileFinding {
    let found = finding(problem, Level::Error);
    let Some(name) = &problem.variable else { return found };
    let variable = environment.variables.get(name);
    let source = variable.and_then(|variable| variable.place.clone());
    if problem.is_unset && variable.is_none() {
        let seen = format!("{name} has no value in {}", environment.name);
        let found = match name.as_str() {
            "BETTER_AUTH_URL" => FileFinding::strong(Cause::UrlMissing, seen),
            _ => FileFinding::other("variable-missing", Level::Error, seen),
        };
        return found.at(problem.place.clone()).length(problem.length).fix(problem.hint.clone());
    }
    let seen = format!("{name}: {}", problem.problem);
    let found = FileFinding { seen, ..found };
    // Its place is where the value stands; the configuration only names it.
    if source.is_some() { found.at(source).also(problem.place.clone()).length(0) } else { found }
}

/// What the core warns of when the gate starts.
fn policy(project: &Project) -> Vec<FileFinding> {
    if !project.has_gate || project.broken.is_some() {
        return Vec::new();
    }
    let environment = project.environments.iter().find(|own| sets_some(project, own));
    let values = environment.map(Environment::values).unwrap_or_default();
    let compiled = project.config.policy_anyhow(&values);
    let is_about_secret = |problem: &&ConfigProblem| problem.path.contains("secret");
    // What stands in for a variable that is set at the deployment is no ground for a warning.
    let is_stood_in = |problem: &&ConfigProblem| {
        problem.variable.as_ref().is_some_and(|name| !values.contains_key(name))
    };
    let warnings = compiled
        .warnings
        .iter()
        .filter(|problem| !is_about_secret(problem) && !is_stood_in(problem));
    warnings
        .map(|problem| FileFinding { id: "policy", ..finding(problem, Level::Warning) })
        .collect()
}

fn finding(problem: &ConfigProblem, level: Level) -> FileFinding {
    let seen = if problem.path.is_empty() {
        problem.problem.clone()
    } else {
        format!("{}: {}", problem.path, problem.problem)
    };
    // A line that may hold a secret is not shown.
    let is_secret =
        ["secret", "keys", "authorization"].iter().any(|part| problem.path.contains(part));
    FileFinding::other("configuration", level, seen)
        .at(problem.place.clone())
        .length(if is_secret { 0 } else { problem.length })
        .fix(problem.hint.clone())
}
