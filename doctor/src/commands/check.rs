//! `doorward check`: what is wrong with the files of a project.

use crate::causes::file_rules;
use crate::check_report::{CheckReport, json, text};
use crate::effects::Io;
use crate::exit::ExitCode;
use crate::order;
use crate::output::Output;
use crate::project::{Project, Wanted, folders};
use crate::usage::{Argument, Opt, Usage, Words};

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "check",
    about: "Check a project's files: configuration, variables, routes; for a build step",
    arguments: &[
        Argument::optional("DIR", "The directory of the project, or one with several below it").usual("."),
    ],
    options: &[
        Opt::value("config", "FILE", "The gate's configuration, where it is not DIR/doorward.json"),
        Opt::value("env-file", "FILE", "Take the variables from this file alone; several are compared"),
        Opt::flag("strict", "Fail for warnings as well"),
    ],
    commands: &[],
    more: "\
Nothing is executed or written, and no connection is opened. Looked at are: the gate's configuration
(doorward.json) with the variables that it names; .env files as Next reads them, .dev.vars and
wrangler's vars; Next's proxy.ts or middleware.ts, its matcher and the routes beside it; the versions of
Next; Better Auth's options where they are written out; what a Python API requires. Values are never
printed: secrets are compared by a fingerprint.

As a build step, in package.json:
  \"scripts\": { \"prebuild\": \"doorward check\" }

Examples:
  doorward check                                  this directory
  doorward check apps/web --strict                warnings count, too
  doorward check --env-file .env.preview --env-file .env.production
                                                  do two environments set the same?",
};

/// What the command line says.
pub(crate) struct Args {
    dir: String,
    config: Option<String>,
    env_files: Vec<String>,
    strict: bool,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self {
            dir: words.one("DIR").unwrap_or_else(|| ".".to_owned()),
            config: words.one("config"),
            env_files: words.all("env-file"),
            strict: words.has("strict"),
        }
    }
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    let report = match report(io, args).await {
        Ok(report) => report,
        Err(wrong) => {
            io.error(&wrong, Some("doorward check --help")).await;
            return ExitCode::Usage;
        }
    };
    if io.is_interrupted() {
        io.error("interrupted", None).await;
        return ExitCode::Unfinished;
    }
    let written =
        if output.json { json::json(&report) } else { text::text(&report, output.colour) };
    io.out(written).await;
    if report.is_clean() { ExitCode::Good } else { ExitCode::Bad }
}

async fn report(io: &Io, args: Args) -> Result<CheckReport, String> {
    if io.list(&args.dir).await.is_none() {
        return Err(format!("{} is no directory", args.dir));
    }
    let dirs = match &args.config {
        Some(_) => vec![args.dir.clone()],
        None => folders(io, &args.dir).await,
    };
    let wanted = Wanted { config: args.config.as_deref(), env_files: &args.env_files };
    let mut projects = Vec::new();
    let mut findings = Vec::new();
    for dir in dirs {
        let project = Project::read(io, &dir, &wanted).await?;
        findings.extend(file_rules::findings(&project));
        projects.push(project);
    }
    if projects.iter().all(Project::is_empty) {
        return Err(format!("there is no project in {}", args.dir));
    }
    findings.extend(file_rules::between(&projects));
    order::sort_by(&mut findings, |one, other| one.level.cmp(&other.level));
    Ok(CheckReport { dir: args.dir, projects, findings, is_strict: args.strict })
}
