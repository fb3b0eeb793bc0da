//! The report as JSON: `check-1`. Members are added, never renamed.

use serde_json::{Value, json};

use super::CheckReport;
use super::text::not_checked;
use crate::causes::file_finding::FileFinding;
use crate::project::environment::Environment;
use crate::project::place::Place;

/// The whole report.
pub(crate) fn json(report: &CheckReport) -> String {
    let environments = report.projects.iter().flat_map(|project| &project.environments);
    let environments = environments.filter(|own| !own.variables.is_empty());
    let value = json!({
        "schema": "check-1",
        "version": env!("CARGO_PKG_VERSION"),
        "dir": report.dir,
        "verdict": if report.is_clean() { "clean" } else { "wrong" },
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "projects": report.projects.iter().map(|project| json!({
            "dir": project.folder.name(),
            "config": project.config.file.as_ref().map(|file| &file.name),
            "next": project.next.as_ref().map(|next| &next.package.written),
            "routes": project.next.as_ref().map(|next| next.routes.len()),
        })).collect::<Vec<_>>(),
        "environments": environments.map(environment).collect::<Vec<_>>(),
        "not_checked": not_checked(report),
    });
    format!("{value:#}\n")
}

fn finding(finding: &FileFinding) -> Value {
    json!({
        "id": finding.id,
        "level": finding.level.word(),
        "certainty": finding.certainty.word(),
        "place": finding.place.as_ref().map(place),
        "also": finding.also.iter().map(place).collect::<Vec<_>>(),
        "seen": finding.seen,
        "fix": finding.fix,
        "doc": finding.cause.map(|cause| cause.doc()),
    })
}

fn place(place: &Place) -> Value {
    let number = |number: usize| (number > 0).then_some(number);
    json!({ "file": place.file, "line": number(place.line), "column": number(place.column) })
}

/// Names, and of values what tells two apart.
fn environment(environment: &Environment) -> Value {
    let variables = environment.variables.iter().map(|(name, variable)| {
        json!({
            "name": name,
            "place": variable.place.as_ref().map(place),
            "length": variable.value.length_class(),
            "fingerprint": variable.value.fingerprint(),
        })
    });
    json!({ "name": environment.name, "variables": variables.collect::<Vec<_>>() })
}
