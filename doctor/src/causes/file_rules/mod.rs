//! Rules over what a project's files say. They read facts (`project`) and no file; a rule gives
//! what it finds, each with its place.

mod configuration;
mod environment;
mod framework;
mod options;
mod python;
mod urls;

use crate::causes::file_finding::{FileFinding, FileRule, Level};
use crate::order;
use crate::project::Project;
use crate::project::place::Place;

const RULES: &[&[FileRule]] = &[
    configuration::RULES,
    environment::RULES,
    urls::RULES,
    options::RULES,
    framework::RULES,
    python::RULES,
];

/// Everything that is wrong in a project, the worst first, then by place.
pub(crate) fn findings(project: &Project) -> Vec<FileFinding> {
    let mut found: Vec<FileFinding> = Vec::new();
    for (_, rule) in RULES.iter().copied().flatten() {
        for finding in rule(project) {
            // Two environments often share a file.
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
    }
    // What a rule says of a variable counts over what the core says of it.
    let explained: Vec<Place> = found
        .iter()
        .filter(|own| own.id != "configuration" && own.level == Level::Error)
        .filter_map(|own| own.place.clone())
        .collect();
    let is_said = |own: &FileFinding| {
        own.id == "configuration"
            && own
                .place
                .as_ref()
                .is_some_and(|place| place.column == 0 && explained.contains(place))
    };
    found.retain(|own| !is_said(own));
    order::sort_by(&mut found, |one, other| {
        (one.level, &one.place).cmp(&(other.level, &other.place))
    });
    found
}

/// What is wrong between the projects of one repository.
pub(crate) fn between(projects: &[Project]) -> Vec<FileFinding> {
    environment::between(projects)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::causes::Cause;

    #[test]
    fn every_cause_of_a_rule_has_a_sign_in_files() {
        let causes: BTreeSet<Cause> = RULES
            .iter()
            .copied()
            .flatten()
            .flat_map(|(causes, _)| causes.iter().copied())
            .collect();
        println!("{} causes are looked for in files", causes.len());
        assert!(causes.len() > 40);
        for cause in causes {
            let is_told =
                cause.signs().any(|(channel, _)| channel == crate::causes::Channel::Files);
            assert!(is_told, "{}: the table does not say how it is told in files", cause.id());
        }
    }
}
