//! Variables: secrets that are weak, quoted or padded, and what differs between environments.

use super::configuration::sets_some;
use crate::causes::Cause;
use crate::causes::file_finding::{FileFinding, FileRule, Level};
use crate::order;
use crate::project::environment::{Environment, Kind, Variable};
use crate::project::{Project, SECRETS};

pub(super) const RULES: &[FileRule] = &[
    (
        &[Cause::SecretWhitespace, Cause::SecretQuoted, Cause::SecretDefault, Cause::SecretShort],
        secrets,
    ),
    (&[Cause::SecretRetired], retired),
    (&[Cause::SecretBundledAtBuild], bundled),
    (&[Cause::EnvPreviewMissing], missing_in_one),
    (&[Cause::SecretDiffers], differing_names),
];

/// Whether a variable of this name holds a secret.
fn is_secret(project: &Project, name: &str) -> bool {
    SECRETS.contains(&name)
        || project.config.names.iter().any(|own| own == name) && name.contains("SECRET")
}

fn secrets(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        for (name, variable) in &environment.variables {
            if is_secret(project, name) {
                found.extend(weakness(name, variable));
            }
        }
    }
    found
}

/// What is wrong with one secret by itself.
fn weakness(name: &str, variable: &Variable) -> Option<FileFinding> {
    let text = variable.value.text();
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let length = variable.value.length_class();
    let found = if trimmed != text || text.contains(['\n', '\r']) {
        let seen =
            format!("{name} ({length} characters) has white space at an end, or a line end in it");
        FileFinding::proof(Cause::SecretWhitespace, seen)
            .fix("set it again without it: `printf %s`, not `echo`, where it is piped")
    } else if is_quoted(text) {
        let seen = format!(
            "{name} ({length} characters) begins and ends with a quote that belongs to the value"
        );
        FileFinding::proof(Cause::SecretQuoted, seen)
            .fix("set it again without quotes: only a .env file takes them away")
    } else if variable.value.is_default() {
        let seen = format!("{name} is Better Auth's published default");
        FileFinding::proof(Cause::SecretDefault, seen)
            .fix("make one: doorward keys new --alg HS256")
    } else if name.ends_with("SECRETS") {
        return None;
    } else if text.len() < 16 {
        let seen = format!("{name} has fewer than 16 characters: it can be guessed");
        FileFinding::proof(Cause::SecretShort, seen).fix("make one: doorward keys new --alg HS256")
    } else if variable.value.is_short() || variable.value.probe().is_monotonous() {
        let seen = if variable.value.is_short() {
            format!("{name} has fewer than 32 characters")
        } else {
            format!("{name} has few different characters")
        };
        FileFinding::proof(Cause::SecretShort, seen)
            .level(Level::Warning)
            .fix("make a longer one: doorward keys new --alg HS256")
    } else {
        return None;
    };
    Some(found.at(variable.place.clone()))
}

fn is_quoted(text: &str) -> bool {
    let pairs = [('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}')];
    text.chars().count() > 1
        && pairs.iter().any(|(open, close)| text.starts_with(*open) && text.ends_with(*close))
}

/// `BETTER_AUTH_SECRETS` counts from the first: a single secret beside it that is a later one is the
/// retired one.
fn retired(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        let Some(list) = environment.get("BETTER_AUTH_SECRETS") else { continue };
        let entries: Vec<&str> = list.value.text().split(',').map(str::trim).collect();
        let versions: Option<Vec<u32>> = entries
            .iter()
            .map(|entry| entry.split_once(':').and_then(|(version, _)| version.parse().ok()))
            .collect();
        let Some(versions) = versions else { continue };
        let newest = versions.iter().max();
        if versions.len() > 1 && versions.first() != newest {
            let seen = "BETTER_AUTH_SECRETS: the first entry is the current one, and a later one has a higher version";
            found.push(
                FileFinding::hint(Cause::SecretRetired, seen)
                    .at(list.place.clone())
                    .fix("write the newest first: 2:newest,1:older"),
            );
        }
    }
    found
}

/// Secrets in files that a deployment or a repository takes along.
fn bundled(project: &Project) -> Vec<FileFinding> {
    let ignored = project.git_ignore.as_ref().map(|file| file.text.as_str()).unwrap_or_default();
    let is_ignored = |file: &str| {
        let name = file.rsplit('/').next().unwrap_or_default();
        ignored.lines().map(str::trim).any(|line| {
            let line = line.trim_start_matches('/');
            line == name
                || line == ".env*" && name.starts_with(".env")
                || line == ".env.*" && name.starts_with(".env.")
                || line == ".env*.local" && name.starts_with(".env") && name.ends_with(".local")
                || line == ".dev.vars*" && name.starts_with(".dev.vars")
        })
    };
    let mut found = Vec::new();
    for environment in &project.environments {
        if environment.kind == Kind::Given {
            continue;
        }
        for (name, variable) in &environment.variables {
            let Some(place) = variable.place.clone().filter(|_| is_secret(project, name)) else {
                continue;
            };
            if variable.is_in_deployment {
                let seen = format!(
                    "{name} stands in wrangler's `vars`: everybody who reads the repository or the dashboard has it"
                );
                found.push(
                    FileFinding::other("secret-in-file", Level::Error, seen)
                        .at(place)
                        .fix(format!("take it out and run: npx wrangler secret put {name}")),
                );
            } else if project.git_ignore.is_some() && !is_ignored(&place.file) {
                let seen = format!("{name} stands in a file that git does not ignore");
                found.push(FileFinding::hint(Cause::SecretBundledAtBuild, seen).at(place).fix(
                    "add the file to .gitignore, and set the variable where the application runs",
                ));
            }
        }
    }
    found
}

/// Of environments that are compared, each has to set what the configuration needs.
fn missing_in_one(project: &Project) -> Vec<FileFinding> {
    let given: Vec<&Environment> =
        project.environments.iter().filter(|own| own.kind == Kind::Given).collect();
    if given.len() < 2 {
        return Vec::new();
    }
    let mut found = Vec::new();
    let known = SECRETS.iter().take(3).copied().chain(["BETTER_AUTH_URL"]).map(str::to_owned);
    let mut names: Vec<String> = known.chain(project.config.names.iter().cloned()).collect();
    order::sort(&mut names);
    names.dedup();
    for name in names {
        let Some(has) = given.iter().find(|own| own.get(&name).is_some()) else { continue };
        for lacks in given.iter().filter(|own| own.get(&name).is_none()) {
            // What no environment needs by the configuration is missed by nobody.
            if project.has_gate && !sets_some(project, lacks) && !sets_some(project, has) {
                continue;
            }
            let seen = format!("{name} is set in {} and not in {}", has.name, lacks.name);
            found.push(
                FileFinding::strong(Cause::EnvPreviewMissing, seen)
                    .at(crate::project::place::Place::file(&lacks.name))
                    .also(has.get(&name).and_then(|own| own.place.clone())),
            );
        }
    }
    found
}

/// Two names of one secret in one environment.
fn differing_names(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        let pair = (environment.get("BETTER_AUTH_SECRET"), environment.get("AUTH_SECRET"));
        let (Some(one), Some(other)) = pair else { continue };
        if one.value != other.value {
            let seen = format!(
                "BETTER_AUTH_SECRET and AUTH_SECRET differ ({}; {}): Better Auth reads the first",
                one.value.shown(),
                other.value.shown()
            );
            found.push(
                FileFinding::hint(Cause::SecretDiffers, seen)
                    .at(other.place.clone())
                    .also(one.place.clone())
                    .fix("leave AUTH_SECRET out, or give it the same value"),
            );
        }
    }
    found
}

/// The same secret has to be in all projects of one repository that run together.
pub(super) fn between(projects: &[Project]) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for kind in [Kind::Here, Kind::Development] {
        let in_files = |project: &Project| {
            let environment = project.environments.iter().find(|own| own.kind == kind)?;
            let variable = environment.get("BETTER_AUTH_SECRET")?.clone();
            variable.place.is_some().then_some(variable)
        };
        let secrets: Vec<Variable> = projects.iter().filter_map(in_files).collect();
        let Some((first, others)) = secrets.split_first() else { continue };
        for other in others.iter().filter(|other| other.value != first.value) {
            let seen = format!(
                "BETTER_AUTH_SECRET differs between two projects of this repository ({}; {})",
                first.value.shown(),
                other.value.shown()
            );
            found.push(
                FileFinding::strong(Cause::SecretDiffers, seen)
                    .at(other.place.clone())
                    .also(first.place.clone())
                    .fix("give both the same value, unless they belong to two auth services"),
            );
        }
    }
    found
}
