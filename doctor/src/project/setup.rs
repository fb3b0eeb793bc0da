//! What kind of project it is: where a gate would run.

use crate::project::Project;

/// Where the gate would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Next,
    SvelteKit,
    Nuxt,
    Astro,
    TanStackStart,
    ReactRouter,
    Hono,
    Express,
    Worker,
    /// None that is known.
    Other,
}

/// A project that can be set up.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) kind: Kind,
    pub(crate) is_typescript: bool,
    /// Whether a Node program serves it, as far as can be told.
    pub(crate) is_node_program: bool,
    pub(crate) start_script: StartScript,
}

/// The script `start` of a Node program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StartScript {
    /// It has the gate before the program.
    Gated,
    /// It can have it: the script as it is, and as it should be.
    Ungated(String, String),
    /// There is none, or it starts something else than node.
    Other,
}

/// Packages by which a kind is told, the more special ones first: many projects have Express or Hono
/// besides.
const PACKAGES: [(&str, Kind); 9] = [
    ("next", Kind::Next),
    ("@sveltejs/kit", Kind::SvelteKit),
    ("nuxt", Kind::Nuxt),
    ("astro", Kind::Astro),
    ("@tanstack/react-start", Kind::TanStackStart),
    ("@tanstack/start", Kind::TanStackStart),
    ("@react-router/dev", Kind::ReactRouter),
    ("hono", Kind::Hono),
    ("express", Kind::Express),
];

impl Setup {
    /// The kind of a project; nothing where it is none.
    pub(crate) async fn find(project: &Project) -> Option<Self> {
        let names = project.folder.names().await;
        let is_there = |name: &str| names.iter().any(|own| own == name);
        let is_worker =
            ["wrangler.toml", "wrangler.jsonc", "wrangler.json"].into_iter().any(is_there);
        let manifest = project.manifest.as_ref();
        let value =
            manifest.and_then(|file| serde_json::from_str::<serde_json::Value>(&file.text).ok());
        let depends = |package: &str| {
            value.as_ref().is_some_and(|value| {
                ["dependencies", "devDependencies"]
                    .iter()
                    .any(|group| value.get(group).is_some_and(|own| own.get(package).is_some()))
            })
        };
        let known = PACKAGES.iter().find(|(package, _)| depends(package)).map(|(_, kind)| *kind);
        let kind = match known {
            // Hono runs on Workers, too: then the gate is in the same program.
            Some(kind) => kind,
            None if is_worker => Kind::Worker,
            None if manifest.is_some() => Kind::Other,
            None => return None,
        };
        let is_node_program = !matches!(kind, Kind::Next | Kind::Worker) && !is_worker;
        let start = value.as_ref().and_then(|value| value.get("scripts")?.get("start")?.as_str());
        let start_script = match start.filter(|_| is_node_program) {
            Some(start) if start.contains("doorward/register") => StartScript::Gated,
            start => start
                .and_then(|start| Some((start.to_owned(), with_register(start)?)))
                .map_or(StartScript::Other, |(old, new)| StartScript::Ungated(old, new)),
        };
        Some(Self { kind, is_typescript: is_there("tsconfig.json"), is_node_program, start_script })
    }

    /// What is to be added by hand.
    pub(crate) fn step(&self) -> Option<&'static str> {
        if self.is_node_program && self.start_script == StartScript::Other {
            return self.kind.start();
        }
        match self.kind {
            Kind::Hono if !self.is_node_program => Some(
                "before all routes: export default { fetch: (request, ...rest) => createGate({ config }).handle(request, (request) => app.fetch(request, ...rest)) }, with one gate for all requests",
            ),
            Kind::Worker => {
                Some("docs/deploy/cloudflare.md deploys the gate as a Worker before yours")
            }
            _ => None,
        }
    }
}

/// A command that starts a Node program, with the gate before it.
fn with_register(start: &str) -> Option<String> {
    let mut words = start.split(' ').peekable();
    let mut before = String::new();
    // Variables for the program stand before it.
    while words.peek()?.contains('=') {
        before.push_str(words.next()?);
        before.push(' ');
    }
    let rest: Vec<&str> = words.collect();
    let (program, arguments) = rest.split_first()?;
    (*program == "node" && !arguments.is_empty())
        .then(|| format!("{before}node --import doorward/register {}", arguments.join(" ")))
}

impl Kind {
    /// A stable name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::SvelteKit => "sveltekit",
            Self::Nuxt => "nuxt",
            Self::Astro => "astro",
            Self::TanStackStart => "tanstack-start",
            Self::ReactRouter => "react-router",
            Self::Hono => "hono",
            Self::Express => "express",
            Self::Worker => "worker",
            Self::Other => "other",
        }
    }

    /// What it is, in a sentence.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Next => "This is a Next.js application: the gate runs in its proxy.",
            Self::SvelteKit => {
                "This is a SvelteKit application: the gate runs before its Node server."
            }
            Self::Nuxt => "This is a Nuxt application: the gate runs before its Node server.",
            Self::Astro => "This is an Astro application: the gate runs before its Node server.",
            Self::TanStackStart => {
                "This is a TanStack Start application: the gate runs before its Node server."
            }
            Self::ReactRouter => {
                "This is a React Router application: the gate runs before its Node server."
            }
            Self::Hono => "This is a Hono application: the gate runs before its routes.",
            Self::Express => {
                "This is an Express application: the gate runs before its Node server."
            }
            Self::Worker => "This is a Cloudflare Worker: the gate is a Worker before it.",
            Self::Other => {
                "This is no framework that is known here: the gate runs before its Node server."
            }
        }
    }

    /// As `framework` of the configuration calls it, where it knows it.
    pub(crate) const fn framework(self) -> Option<&'static str> {
        match self {
            Self::Next
            | Self::SvelteKit
            | Self::Nuxt
            | Self::Astro
            | Self::TanStackStart
            | Self::ReactRouter => Some(self.name()),
            Self::Hono | Self::Express | Self::Worker | Self::Other => None,
        }
    }

    /// How its program is started with the gate before it.
    const fn start(self) -> Option<&'static str> {
        match self {
            Self::Next | Self::Worker => None,
            Self::SvelteKit => Some(
                "start what adapter-node has built with the gate before it: node --import doorward/register build",
            ),
            Self::Nuxt => Some(
                "start what is built with the gate before it: node --import doorward/register .output/server/index.mjs",
            ),
            Self::Astro => Some(
                "start what @astrojs/node has built with the gate before it: node --import doorward/register dist/server/entry.mjs",
            ),
            Self::TanStackStart => Some(
                "start what is built with the gate before it: node --import doorward/register .output/server/index.mjs",
            ),
            Self::ReactRouter => Some(
                "start it with the gate before it: node --import doorward/register node_modules/.bin/react-router-serve build/server/index.js",
            ),
            Self::Hono | Self::Express | Self::Other => Some(
                "start the program with the gate before it: node --import doorward/register server.js",
            ),
        }
    }
}
