//! `doorward init`: sets a project up.

use serde_json::{Map, Value, json};

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::project::folder::TextFile;
use crate::project::setup::{Kind, Setup, StartScript};
use crate::project::{Project, Wanted};
use crate::usage::{Argument, Opt, Usage, Words};

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "init",
    about: "Set up the gate in a project: shows what it would write, then writes it",
    arguments: &[
        Argument::optional("DIR", "The directory of the project").usual("."),
    ],
    options: &[
        Opt::flag("yes", "Write the changes"),
    ],
    commands: &[],
    more: "\
Recognised are Next (proxy.ts from 16 on, middleware.ts before, with app/ or src/), SvelteKit, Nuxt,
Astro, React Router, TanStack Start, Hono, Express and a Cloudflare Worker. Written are doorward.json,
with what Better Auth's options say where they are written out, a \"prebuild\" script, and what runs the
gate: with Next a file of its own, elsewhere `--import doorward/register` in a \"start\" script that
starts node. What it cannot write it names. Nothing is executed, no file that is there is replaced,
and without --yes nothing is written.

Examples:
  doorward init              the changes, as a diff
  doorward init --yes        the same, written",
};

/// What the command line says.
pub(crate) struct Args {
    dir: String,
    yes: bool,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self { dir: words.one("DIR").unwrap_or_else(|| ".".to_owned()), yes: words.has("yes") }
    }
}

/// A file that is written.
struct Change {
    path: String,
    before: Option<String>,
    after: String,
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    let wanted = Wanted { config: None, env_files: &[] };
    let project = match Project::read(io, &args.dir, &wanted).await {
        Ok(project) => project,
        Err(wrong) => return usage(io, &wrong).await,
    };
    let Some(setup) = Setup::find(&project).await else {
        let wrong = format!("{} has neither a package.json nor a wrangler configuration", args.dir);
        return usage(io, &wrong).await;
    };
    let changes = changes(&project, &setup);
    let mut written = Vec::new();
    for change in changes.iter().filter(|_| args.yes) {
        if let Err(why) = io.write(&change.path, &change.after, false).await {
            io.error(&format!("{} was not written: {why}", change.path), None).await;
            return ExitCode::Unfinished;
        }
        written.push(change.path.clone());
    }
    let steps = steps(&project, &setup, args.yes);
    let text = if output.json {
        as_json(&setup, &changes, &written, &steps)
    } else {
        as_text(&setup, &changes, &steps)
    };
    io.out(text).await;
    ExitCode::Good
}

async fn usage(io: &Io, wrong: &str) -> ExitCode {
    io.error(wrong, Some("doorward init --help")).await;
    ExitCode::Usage
}

fn changes(project: &Project, setup: &Setup) -> Vec<Change> {
    let mut changes = Vec::new();
    if project.config.file.is_none() {
        let path = project.folder.path("doorward.json");
        changes.push(Change { path, before: None, after: config(project, setup) });
    }
    if let Some((path, text)) = gate_file(project, setup) {
        changes.push(Change { path, before: None, after: text });
    }
    if let Some(file) = &project.manifest
        && let Some(after) = with_scripts(file, setup)
    {
        changes.push(Change { path: file.name.clone(), before: Some(file.text.clone()), after });
    }
    changes
}

/// The configuration: the preset, the framework, and what the auth service's options say.
fn config(project: &Project, setup: &Setup) -> String {
    let mut document = Map::new();
    document.insert("$schema".into(), "./node_modules/doorward/doorward.schema.json".into());
    document.insert("extends".into(), "better-auth".into());
    if let Some(name) = setup.kind.framework() {
        document.insert("framework".into(), name.into());
    }
    let pairs = [
        ("basePath", "base_path"),
        ("advanced.cookiePrefix", "cookie_prefix"),
        ("advanced.cookies.session_token.name", "session_token_cookie"),
        ("session.cookieCache.strategy", "cookie_cache"),
        ("session.cookieCache.version", "cookie_cache_version"),
    ];
    let mut issuer = Map::new();
    for (option, member) in pairs {
        if let Some(text) = project.auth.as_ref().and_then(|auth| auth.options.text(option)) {
            issuer.insert(member.into(), text.into());
        }
    }
    if !issuer.is_empty() {
        document.insert("issuers".into(), Value::Object(issuer));
    }
    format!("{:#}\n", Value::Object(document))
}

/// The file that runs the gate, where it is one of its own.
fn gate_file(project: &Project, setup: &Setup) -> Option<(String, String)> {
    let next = project.next.as_ref().filter(|_| setup.kind == Kind::Next)?;
    if !next.gate_files.is_empty() {
        return None;
    }
    let is_in_src = next.is_in_src().unwrap_or(false);
    let (folder, up) = if is_in_src { ("src/", "../") } else { ("", "./") };
    let stem = if next.is_before(16) { "middleware" } else { "proxy" };
    let is_typed = setup.is_typescript;
    let (types, cast, ending) =
        if is_typed { ("type Config, ", " as Config", "ts") } else { ("", "", "js") };
    let text = format!(
        "import {{ {types}gate }} from \"doorward/next\";\n\
         import rules from \"{up}doorward.json\";\n\n\
         export const {stem} = gate({{ config: rules{cast} }});\n\n\
         // What the matcher leaves out the gate does not see: static files only.\n\
         export const config = {{ matcher: [\"/((?!_next/static/).*)\"] }};\n"
    );
    Some((project.folder.path(&format!("{folder}{stem}.{ending}")), text))
}

/// The manifest with its scripts changed; nothing where they are as they should be.
fn with_scripts(file: &TextFile, setup: &Setup) -> Option<String> {
    let checked = with_prebuild(file);
    let text = checked.as_deref().unwrap_or(&file.text);
    let gated = match &setup.start_script {
        StartScript::Ungated(old, new) => with_start(text, old, new),
        _ => None,
    };
    gated.or(checked)
}

/// The manifest with another script `start`.
fn with_start(text: &str, old: &str, new: &str) -> Option<String> {
    let (before, behind) = text.split_once("\"start\"")?;
    let (between, rest) = behind.split_once(&quoted(old))?;
    // The value of this very member.
    (between.trim() == ":").then(|| [before, "\"start\"", between, &quoted(new), rest].concat())
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The manifest with a `prebuild` script; nothing where there is one, or no build.
fn with_prebuild(file: &TextFile) -> Option<String> {
    let value: Value = serde_json::from_str(&file.text).ok()?;
    let scripts = value.get("scripts")?.as_object()?;
    if scripts.contains_key("prebuild") || !scripts.contains_key("build") {
        return None;
    }
    let at = file.text.find("\"build\"")?;
    let (before, behind) = file.text.split_at_checked(at)?;
    let line_start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
    let indent = before.get(line_start..)?;
    let separator = if indent.trim().is_empty() { format!("\n{indent}") } else { " ".to_owned() };
    Some(format!("{before}\"prebuild\": \"doorward check\",{separator}{behind}"))
}

/// What is left to do by hand.
fn steps(project: &Project, setup: &Setup, is_written: bool) -> Vec<String> {
    let mut steps = Vec::new();
    if !is_written {
        steps.push("doorward init --yes writes the changes above".to_owned());
    }
    let depends = project.manifest.as_ref().is_some_and(|file| file.text.contains("\"doorward\""));
    if project.manifest.is_some() && !depends {
        steps.push("npm install doorward".to_owned());
    }
    let has_other_gate = project.next.as_ref().is_some_and(|next| {
        next.gate_files.iter().any(|own| !own.has_gate()) && setup.kind == Kind::Next
    });
    if has_other_gate {
        steps.push("there is a proxy or middleware file already: let it call gate() of doorward/next, and return its response where there is one".to_owned());
    }
    steps.extend(setup.step().map(str::to_owned));
    let has_url = project.environments.iter().any(|own| own.get("BETTER_AUTH_URL").is_some());
    if !has_url {
        steps.push("set BETTER_AUTH_URL and BETTER_AUTH_SECRET where the gate runs, as the auth service has them".to_owned());
    }
    steps.push("doorward check".to_owned());
    steps
}

fn as_text(setup: &Setup, changes: &[Change], steps: &[String]) -> String {
    let mut out = format!("{}\n\n", setup.kind.words());
    for change in changes {
        out.push_str(&diff(change));
        out.push('\n');
    }
    out.push_str("then:\n");
    for step in steps {
        out.push_str(&format!("  {step}\n"));
    }
    out
}

/// What changes in a file: all of a new one, else the lines that are added.
fn diff(change: &Change) -> String {
    let Some(before) = &change.before else {
        let lines: String = change.after.lines().map(|line| format!("+{line}\n")).collect();
        return format!("--- /dev/null\n+++ {}\n{lines}", change.path);
    };
    let mut out = format!("--- {0}\n+++ {0}\n", change.path);
    let old: Vec<&str> = before.lines().collect();
    let new: Vec<&str> = change.after.lines().collect();
    let same = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let same_end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(old.len().min(new.len()).saturating_sub(same))
        .take_while(|(one, other)| one == other)
        .count();
    let part = |lines: &[&str], mark: &str| -> String {
        let end = lines.len().saturating_sub(same_end);
        lines
            .get(same..end)
            .unwrap_or_default()
            .iter()
            .map(|line| format!("{mark}{line}\n"))
            .collect()
    };
    if let Some(line) = same.checked_sub(1).and_then(|at| old.get(at)) {
        out.push_str(&format!(" {line}\n"));
    }
    out.push_str(&part(&old, "-"));
    out.push_str(&part(&new, "+"));
    if let Some(line) = old.len().checked_sub(same_end).and_then(|at| old.get(at)) {
        out.push_str(&format!(" {line}\n"));
    }
    out
}

fn as_json(setup: &Setup, changes: &[Change], written: &[String], steps: &[String]) -> String {
    let changes = changes.iter().map(|change| {
        json!({ "path": change.path, "is_new": change.before.is_none(), "text": change.after })
    });
    let value = json!({
        "schema": "init-1",
        "version": env!("CARGO_PKG_VERSION"),
        "recognised": setup.kind.name(),
        "changes": changes.collect::<Vec<_>>(),
        "written": written,
        "steps": steps,
    });
    format!("{value:#}\n")
}
