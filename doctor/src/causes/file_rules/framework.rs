//! Next: whether the gate runs, and for which paths.

use super::configuration::sets_some;
use crate::causes::Cause;
use crate::causes::file_finding::{FileFinding, FileRule, Level};
use crate::policy::Policy;
use crate::project::Project;
use crate::project::environment::Environment;
use crate::project::javascript::Literal;
use crate::project::next::{GateFile, Next};
use crate::project::version::Version;

pub(super) const RULES: &[FileRule] = &[
    (&[Cause::ProxyFileNotRun], not_run),
    (&[Cause::MatcherExcludes], left_out),
    (&[Cause::EdgeRuntimeNodeImport], node_on_the_edge),
    (&[Cause::OldNextBypass], old_next),
    (&[Cause::HeadersNotPassed], headers_not_passed),
    (&[], presence_only),
    (&[], body_limit),
];

/// Versions of Next that skip middleware for whoever asks them to (CVE-2025-29927): from, and the
/// first that does not.
const BYPASSED: [(Version, Version); 4] = [
    (Version(11, 1, 4), Version(12, 3, 5)),
    (Version(13, 0, 0), Version(13, 5, 9)),
    (Version(14, 0, 0), Version(14, 2, 25)),
    (Version(15, 0, 0), Version(15, 2, 3)),
];
/// What Next hands on of a body behind any proxy, unless it is told otherwise. Bytes.
const NEXT_TAKES: u64 = 10 * 1024 * 1024;

fn not_run(project: &Project) -> Vec<FileFinding> {
    let Some(next) = &project.next else { return Vec::new() };
    let mut found = Vec::new();
    for own in next.gate_files.iter().filter(|own| own.has_gate()) {
        found.extend(why_not_run(next, own).map(|seen| {
            FileFinding::strong(Cause::ProxyFileNotRun, seen.0).at(own.file.place(0)).fix(seen.1)
        }));
    }
    let runs: Vec<&GateFile> = next.gate_files.iter().filter(|own| in_place(next, own)).collect();
    if let [one, other, ..] = runs.as_slice()
        && one.stem != other.stem
    {
        let seen = format!(
            "{} and {} are both there: Next refuses to build",
            one.file.name, other.file.name
        );
        found.push(
            FileFinding::proof(Cause::ProxyFileNotRun, seen)
                .at(if one.stem == "middleware" { one } else { other }.file.place(0))
                .fix("keep one of them: proxy.ts from Next 16 on"),
        );
    }
    if project.has_gate && next.gate_files.is_empty() && project.config.file.is_some() {
        let seen = "there is a doorward.json, and no proxy.ts or middleware.ts that runs the gate";
        found.push(
            FileFinding::hint(Cause::ProxyFileNotRun, seen)
                .at(project.config.place("").map(|(place, _)| place))
                .fix("doorward init writes one; nothing is wrong where the gate runs elsewhere"),
        );
    }
    found
}

fn in_place(next: &Next, own: &GateFile) -> bool {
    let folder = if next.is_in_src().unwrap_or(false) { "src/" } else { "" };
    own.folder == folder && own.has_known_ending
}

/// Why Next does not run a file, and what to do.
fn why_not_run(next: &Next, own: &GateFile) -> Option<(String, String)> {
    let name = &own.file.name;
    let file = name.rsplit('/').next().unwrap_or(name);
    let folders = next.route_folders.join(", ");
    if own.folder.ends_with("app/") {
        let seen = format!("{name} is in the folder of routes, where Next does not look for it");
        return Some((
            seen,
            format!("move it beside that folder: {}{file}", own.folder.trim_end_matches("app/")),
        ));
    }
    match (next.is_in_src(), own.folder) {
        (Some(true), "") => {
            return Some((
                format!(
                    "{name} is not in src/, and the routes are ({folders}): Next does not run it"
                ),
                format!("move it to src/{file}"),
            ));
        }
        (Some(false), "src/") => {
            return Some((
                format!(
                    "{name} is in src/, and the routes are not ({folders}): Next does not run it"
                ),
                format!("move it to {file}"),
            ));
        }
        _ => {}
    }
    if !own.has_known_ending {
        return Some((
            format!("Next runs no {file}: its endings are ts, tsx, js and jsx"),
            format!("rename it to {}.ts", own.stem),
        ));
    }
    if own.stem == "proxy" && next.is_before(16) {
        let seen =
            format!("Next {} knows no proxy.ts: it is there from 16 on", next.package.written);
        return Some((seen, "name it middleware.ts, and export `middleware`".to_owned()));
    }
    if !own.exports(own.stem) && !own.exports("default") {
        let seen =
            format!("{name} exports neither `{}` nor a default: Next runs nothing of it", own.stem);
        return Some((seen, format!("write: export const {} = gate(…)", own.stem)));
    }
    own.exports("proxyConfig").then(|| {
        (
            format!(
                "{name} exports `proxyConfig`, which Next does not read: its matcher does not count"
            ),
            "call it `config`".to_owned(),
        )
    })
}

/// The policy of the first environment that sets something of it.
fn policy(project: &Project) -> Option<Policy> {
    let environment = project.environments.iter().find(|own| sets_some(project, own));
    project.config.policy_anyhow(&environment.map(Environment::values).unwrap_or_default()).policy
}

/// Routes that a rule protects and that the matcher leaves out.
fn left_out(project: &Project) -> Vec<FileFinding> {
    let Some(next) = project.next.as_ref().filter(|_| project.has_gate) else { return Vec::new() };
    let Some(gate) = next.gate().filter(|gate| gate.has_gate()) else { return Vec::new() };
    let Some(policy) = policy(project) else { return Vec::new() };
    let mut found = Vec::new();
    let unseen: Vec<_> =
        next.routes.iter().filter(|route| gate.reaches(&route.sample) == Some(false)).collect();
    let samples: Vec<&str> = unseen.iter().map(|route| route.sample.as_str()).collect();
    for (route, covered) in unseen.into_iter().zip(policy.coverage(&samples)) {
        let access = covered.access;
        if matches!(access, "public" | "refused") {
            continue;
        }
        let rule = covered.rule.and_then(|number| project.config.rule_places.get(number));
        let rule = rule.map(String::as_str);
        let seen = format!(
            "{} ({}) is {access} by {}, and the matcher leaves it out: the gate does not see it",
            route.pattern,
            route.file,
            rule.unwrap_or("no rule")
        );
        let matcher = gate.matchers.as_ref().and_then(|all| all.first());
        found.push(
            FileFinding::proof(Cause::MatcherExcludes, seen)
                .at(matcher.map_or_else(|| gate.file.place(0), |own| own.place.clone()))
                .fix("leave out static files only: matcher: [\"/((?!_next/static/).*)\"]"),
        );
    }
    found
}

fn node_on_the_edge(project: &Project) -> Vec<FileFinding> {
    let Some(next) = &project.next else { return Vec::new() };
    let mut found = Vec::new();
    for own in next.gate_files.iter().filter(|own| own.stem == "middleware") {
        let is_node = own
            .source
            .constant("config")
            .is_some_and(|config| config.text("runtime") == Some("nodejs"));
        let needs_node = |module: &str| {
            matches!(
                module,
                "better-auth" | "pg" | "mysql2" | "better-sqlite3" | "fs" | "crypto" | "path"
            ) || module.starts_with("node:")
                || module.ends_with("/lib/auth")
                || module.ends_with("/auth")
        };
        let first = own.source.imports().into_iter().find(|(_, module)| needs_node(module));
        if let Some((at, module)) = first.filter(|_| !is_node) {
            let seen = format!(
                "{} runs on the edge and imports \"{module}\", which may need Node",
                own.file.name
            );
            found
                .push(FileFinding::hint(Cause::EdgeRuntimeNodeImport, seen).at(own.file.place(at)));
        }
    }
    found
}

fn old_next(project: &Project) -> Vec<FileFinding> {
    let Some(next) = &project.next else { return Vec::new() };
    let Some(version) = next.package.version else { return Vec::new() };
    let Some((_, fixed)) = BYPASSED.iter().find(|(from, fixed)| (*from..*fixed).contains(&version))
    else {
        return Vec::new();
    };
    let fix = format!(
        "npm install next@{}.{}.{} or newer, or refuse x-middleware-subrequest in front of it",
        fixed.0, fixed.1, fixed.2
    );
    let seen = format!(
        "Next {} skips its middleware for a request with x-middleware-subrequest (CVE-2025-29927)",
        next.package.written
    );
    let runs = next.gate_files.iter().any(GateFile::has_gate);
    let found = if runs && next.package.is_locked {
        FileFinding::proof(Cause::OldNextBypass, seen)
    } else if runs {
        FileFinding::strong(Cause::OldNextBypass, seen + ", unless a newer one is installed")
    } else {
        FileFinding::hint(Cause::OldNextBypass, seen)
    };
    vec![found.at(next.package.place.clone()).fix(fix)]
}

fn headers_not_passed(project: &Project) -> Vec<FileFinding> {
    let Some(next) = &project.next else { return Vec::new() };
    let mut found = Vec::new();
    for own in &next.gate_files {
        for (at, options) in own.source.calls("getSession") {
            let is_given =
                matches!(&options, Literal::Object(_)) && options.member("headers").is_none();
            if is_given {
                let seen = "getSession gets no `headers`: it sees no cookie";
                found.push(FileFinding::hint(Cause::HeadersNotPassed, seen).at(own.file.place(at)));
            }
        }
    }
    found
}

/// A proxy that looks whether there is a cookie and takes that for a session.
fn presence_only(project: &Project) -> Vec<FileFinding> {
    let Some(next) = &project.next else { return Vec::new() };
    let mut found = Vec::new();
    for own in next.gate_files.iter().filter(|own| !own.has_gate()) {
        if let Some((at, _)) = own.source.calls("getSessionCookie").first() {
            let seen =
                "getSessionCookie only looks whether there is a cookie: anybody can send one";
            found.push(
                FileFinding::other("presence-only", Level::Warning, seen)
                    .at(own.file.place(*at))
                    .fix("let the gate verify it: export const proxy = gate() of doorward/next"),
            );
        }
    }
    found
}

/// Behind any proxy Next truncates long bodies, and a server action that takes longer ones gets a
/// part of them.
fn body_limit(project: &Project) -> Vec<FileFinding> {
    let Some(next) = &project.next else { return Vec::new() };
    let (Some((file, source)), Some(_)) = (&next.config, next.gate()) else { return Vec::new() };
    let options = source.default_object().filter(|own| matches!(own, Literal::Object(_)));
    let options = options.or_else(|| source.constant("nextConfig"));
    let Some(options) = options else { return Vec::new() };
    let paths = ["experimental.serverActions.bodySizeLimit", "serverActions.bodySizeLimit"];
    let Some(member) = paths.iter().find_map(|path| options.member(path)) else {
        return Vec::new();
    };
    let limit = match &member.value {
        Literal::Text(text) | Literal::Number(text) => bytes(text),
        _ => None,
    };
    let proxy = options.member("experimental.proxyClientMaxBodySize").map(|own| match &own.value {
        Literal::Text(text) | Literal::Number(text) => bytes(text).unwrap_or(u64::MAX),
        _ => u64::MAX,
    });
    let takes = proxy.unwrap_or(NEXT_TAKES);
    if limit.is_none_or(|limit| limit <= takes) {
        return Vec::new();
    }
    let seen = format!(
        "server actions take longer bodies than Next hands on behind a proxy ({} MB): the rest is cut off without an error",
        takes.checked_div(1024 * 1024).unwrap_or(0)
    );
    vec![FileFinding::other("body-limit", Level::Error, seen).at(file.place(member.at)).fix(
        "set experimental.proxyClientMaxBodySize to as much, or leave the path out of the matcher",
    )]
}

/// `20mb` in bytes.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '_' | '.'))).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: u64 = number.split('.').next()?.replace('_', "").parse().ok()?;
    let factor = match unit.trim() {
        "" | "b" => 1,
        "kb" => 1024,
        "mb" => 1024 * 1024,
        "gb" => 1024 * 1024 * 1024,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let cases = [
            ("20mb", Some(20 * 1024 * 1024)),
            ("1000", Some(1000)),
            ("2 MB", Some(2 * 1024 * 1024)),
            ("x", None),
        ];
        for (text, expected) in cases {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
