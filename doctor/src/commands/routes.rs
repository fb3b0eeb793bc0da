//! `doorward routes`: which rule covers which route.

use serde_json::json;

use crate::effects::Io;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::project::built::{self, BuiltRoute};
use crate::project::{Project, Wanted};
use crate::usage::{Argument, Opt, Usage, Words};

/// What it takes, and its help.
pub(crate) const USAGE: Usage = Usage {
    name: "routes",
    about: "Show which rule covers each route of a built application",
    arguments: &[
        Argument::optional("DIR", "The directory of the application").usual("."),
    ],
    options: &[
        Opt::value("config", "FILE", "The gate's configuration, where it is not DIR/doorward.json"),
        Opt::flag("strict", "Fail for prerendered and cached routes as well"),
    ],
    commands: &[],
    more: "\
The routes are those of the last build: Next's manifests in .next, React Router's in build/client; for
SvelteKit, Nuxt and Astro the folders that they route by, with what the build has prerendered. For each
it says what the gate's rules ask, whether the matcher of proxy.ts or middleware.ts lets the gate see
it, and whether it is prerendered or cached: then everybody gets the same page.

Marked are routes that need a session and
  ✘  are left out by the matcher: the gate never sees them (exit 1)
  !  are prerendered or cached: with a gate in the application's own hooks they may be served without
     it, and they must not show what is one user's (exit 1 with --strict)

Examples:
  npx next build && doorward routes
  doorward routes apps/web --json",
};

/// What the command line says.
pub(crate) struct Args {
    dir: String,
    config: Option<String>,
    strict: bool,
}

impl Args {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self {
            dir: words.one("DIR").unwrap_or_else(|| ".".to_owned()),
            config: words.one("config"),
            strict: words.has("strict"),
        }
    }
}

/// A route and what the rules say of it.
struct Covered {
    route: BuiltRoute,
    /// `public`, `optional`, `required`, `denied` or `refused`.
    access: &'static str,
    rule: String,
}

impl Covered {
    fn is_protected(&self) -> bool {
        matches!(self.access, "required" | "optional")
    }

    fn is_left_out(&self) -> bool {
        self.access != "public" && self.route.reaches_gate == Some(false)
    }

    fn is_kept(&self) -> bool {
        self.is_protected() && self.route.kept.is_some()
    }
}

/// Runs the command.
pub(crate) async fn run(io: &Io, args: Args, output: Output) -> ExitCode {
    let wanted = Wanted { config: args.config.as_deref(), env_files: &[] };
    let project = match Project::read(io, &args.dir, &wanted).await {
        Ok(project) => project,
        Err(wrong) => return usage(io, &wrong, "doorward routes --help").await,
    };
    let Some(built) = built::find(&project.folder).await else {
        let wrong = format!("there is no application in {} that could be read", args.dir);
        return usage(
            io,
            &wrong,
            "build it first: routes are read from what the build has written",
        )
        .await;
    };
    if let Some(file) = &project.config_in_code {
        let wrong = format!("the gate's configuration stands in the code of {file}");
        return usage(io, &wrong, "put it into doorward.json, and import that").await;
    }
    let compiled = project.config.policy_anyhow(&project.values());
    let Some(policy) = compiled.policy else {
        return usage(io, "the configuration is wrong", "doorward check says where and why").await;
    };
    let samples: Vec<&str> = built.routes.iter().map(|route| route.sample.as_str()).collect();
    let covered: Vec<Covered> = policy
        .coverage(&samples)
        .into_iter()
        .zip(&built.routes)
        .map(|(own, route)| {
            let rule = own.rule.and_then(|number| project.config.rule_places.get(number));
            let rule = rule.map_or_else(|| "no rule".to_owned(), String::clone);
            Covered { route: route.clone(), access: own.access, rule }
        })
        .collect();
    let text = if output.json { as_json(&built, &covered) } else { as_text(&built, &covered) };
    io.out(text).await;
    let is_bad = covered.iter().any(|own| own.is_left_out() || args.strict && own.is_kept());
    if is_bad { ExitCode::Bad } else { ExitCode::Good }
}

async fn usage(io: &Io, wrong: &str, hint: &str) -> ExitCode {
    io.error(wrong, Some(hint)).await;
    ExitCode::Usage
}

fn as_text(built: &built::Built, covered: &[Covered]) -> String {
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0).min(48);
    let width = widest(&mut covered.iter().map(|own| own.route.pattern.chars().count()));
    let rules = widest(&mut covered.iter().map(|own| own.rule.chars().count()));
    let mut out = String::new();
    for own in covered {
        let mark = match (own.is_left_out(), own.is_kept()) {
            (true, _) => "✘",
            (_, true) => "!",
            _ => " ",
        };
        let mut notes = Vec::new();
        if own.is_left_out() {
            notes.push("left out by the matcher".to_owned());
        }
        notes.extend(own.route.kept.clone());
        let (pattern, access, rule) = (&own.route.pattern, own.access, &own.rule);
        let line =
            format!("{mark} {pattern:width$}  {access:8}  {rule:rules$}  {}", notes.join(", "));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let count = |which: &dyn Fn(&&Covered) -> bool| covered.iter().filter(which).count();
    out.push_str(&format!(
        "{} routes of {}: {} need a session, {} left out by the matcher, {} prerendered or cached\n",
        covered.len(),
        built.framework,
        count(&|own| own.access == "required"),
        count(&|own| own.is_left_out()),
        count(&|own| own.is_kept()),
    ));
    if let Some(matcher) = &built.matcher {
        out.push_str(&format!("matcher: {matcher}\n"));
    }
    out
}

fn as_json(built: &built::Built, covered: &[Covered]) -> String {
    let routes = covered.iter().map(|own| {
        json!({
            "route": own.route.pattern,
            "access": own.access,
            "rule": own.rule,
            "kept": own.route.kept,
            "reaches_gate": own.route.reaches_gate,
            "left_out": own.is_left_out(),
        })
    });
    let value = json!({
        "schema": "routes-1",
        "version": env!("CARGO_PKG_VERSION"),
        "framework": built.framework,
        "matcher": built.matcher,
        "routes": routes.collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}
