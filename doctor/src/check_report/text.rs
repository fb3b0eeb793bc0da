//! The report as text.

use super::CheckReport;
use super::snippet;
use crate::causes::file_finding::{FileFinding, Level};
use crate::order;
use crate::project::Project;
use crate::project::environment::Kind;

/// The whole report.
pub(crate) fn text(report: &CheckReport, has_colour: bool) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&section(finding, report, has_colour));
        out.push('\n');
    }
    out.push_str(&comparison(&report.projects));
    for line in checked(report) {
        let mark = if has_colour { "\u{1b}[32m✔\u{1b}[0m" } else { "✔" };
        out.push_str(&format!("{mark} {line}\n"));
    }
    for line in not_checked(report) {
        out.push_str(&format!("– {line}\n"));
    }
    let counts = [
        (report.count(Level::Error), "error"),
        (report.count(Level::Warning), "warning"),
        (report.count(Level::Hint), "hint"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    let counts = if counts.is_empty() { "nothing is wrong".to_owned() } else { counts.join(", ") };
    out.push_str(&format!("{}: {counts}\n", report.dir));
    out
}

fn section(finding: &FileFinding, report: &CheckReport, has_colour: bool) -> String {
    let word = finding.level.word();
    let head = format!("{word}[{}]", finding.id);
    let code = match finding.level {
        Level::Error => "1;31",
        Level::Warning => "1;33",
        Level::Hint => "90",
    };
    let head = if has_colour { format!("\u{1b}[{code}m{head}\u{1b}[0m") } else { head };
    let mut out = format!("{head}: {}\n", finding.seen);
    if let Some(place) = &finding.place {
        out.push_str(&format!("  --> {place}\n"));
        let lines = source(report, &place.file)
            .filter(|_| finding.length > 0)
            .and_then(|text| snippet::lines(text, place, finding.length));
        out.extend(lines.map(|lines| lines + "\n"));
    }
    for place in &finding.also {
        out.push_str(&format!("  and {place}\n"));
    }
    if !finding.fix.is_empty() {
        out.push_str(&format!("  fix: {}\n", finding.fix));
    }
    if finding.cause.is_some() {
        out.push_str(&format!("  more: doorward causes {}\n", finding.id));
    }
    out
}

/// The text of the configuration: of no other file is a line shown, it may hold a secret.
fn source<'r>(report: &'r CheckReport, name: &str) -> Option<&'r str> {
    let mut files = report.projects.iter().filter_map(|project| project.config.file.as_ref());
    files.find(|file| file.name == name).map(|file| file.text.as_str())
}

/// How environments that the command line names differ: names, and fingerprints of what is secret.
fn comparison(projects: &[Project]) -> String {
    let mut out = String::new();
    for project in projects {
        let given: Vec<_> =
            project.environments.iter().filter(|own| own.kind == Kind::Given).collect();
        if given.len() < 2 {
            continue;
        }
        let mut names: Vec<&String> = given.iter().flat_map(|own| own.variables.keys()).collect();
        order::sort(&mut names);
        names.dedup();
        out.push_str(&format!(
            "compared: {}\n",
            given.iter().map(|own| own.name.as_str()).collect::<Vec<_>>().join(", ")
        ));
        for name in names {
            let values: Vec<_> = given.iter().map(|own| own.get(name)).collect();
            let first = values.first().copied().flatten().map(|own| own.value.text());
            let is_same = values.iter().all(|own| own.map(|own| own.value.text()) == first);
            let shown: Vec<String> = values
                .iter()
                .map(|own| own.map_or_else(|| "not set".to_owned(), |own| own.value.shown()))
                .collect();
            let words = if is_same { "the same".to_owned() } else { shown.join("; ") };
            out.push_str(&format!("  {name}: {words}\n"));
        }
        out.push('\n');
    }
    out
}

/// What was looked at.
fn checked(report: &CheckReport) -> Vec<String> {
    report.projects.iter().flat_map(checked_of).collect()
}

fn checked_of(project: &Project) -> Vec<String> {
    let mut lines = Vec::new();
    match &project.config.file {
        Some(file) => lines.push(format!("configuration: {}", file.name)),
        None if project.has_gate => {
            lines.push(
                "configuration: the preset better-auth (there is no doorward.json)".to_owned(),
            );
        }
        None => {}
    }
    for environment in project.environments.iter().filter(|own| !own.variables.is_empty()) {
        let count = environment.variables.len();
        lines.push(format!("variables: {count} of {}", environment.name));
    }
    if let Some(next) = &project.next {
        let gate =
            next.gate().map_or("no proxy.ts or middleware.ts", |gate| gate.file.name.as_str());
        lines.push(format!(
            "Next {} ({}): {gate}, {} routes",
            next.package.written,
            project.folder.name(),
            next.routes.len()
        ));
    }
    if let Some(auth) = &project.auth {
        lines.push(format!(
            "Better Auth's options: {} (as far as they are written out)",
            auth.file.name
        ));
    }
    if let Some(python) = &project.python {
        lines.push(format!("Python: {}", python.manifests.join(", ")));
    }
    lines
}

/// What could not be.
pub(crate) fn not_checked(report: &CheckReport) -> Vec<String> {
    let mut lines = Vec::new();
    for project in
        report.projects.iter().filter(|project| project.has_gate && project.broken.is_none())
    {
        let is_set =
            |name: &&String| project.environments.iter().any(|own| own.get(name).is_some());
        if !project.config.names.is_empty()
            && !project.config.names.iter().any(|name| is_set(&name))
        {
            lines.push(format!(
                "not checked: none of {} is set here; the deployment has to set what it needs (--env-file names a file with its variables)",
                project.config.names.join(", ")
            ));
        }
    }
    lines
}
