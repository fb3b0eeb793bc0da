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
        Some(Self { kind, is_typescript: is_there("tsconfig.json") })
    }
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
            Self::SvelteKit => "This is a SvelteKit application: the gate runs in its hooks.",
            Self::Nuxt => "This is a Nuxt application: the gate runs in a server middleware.",
            Self::Astro => "This is an Astro application: the gate runs in its middleware.",
            Self::TanStackStart => {
                "This is a TanStack Start application: the gate runs in its request middleware."
            }
            Self::ReactRouter => "This is a React Router application: the gate runs in its server.",
            Self::Hono => "This is a Hono application: the gate runs before its routes.",
            Self::Express => "This is an Express application: the gate is its first middleware.",
            Self::Worker => "This is a Cloudflare Worker: the gate is a Worker before it.",
            Self::Other => {
                "This is no framework that is known here: the gate runs as a proxy before it."
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

    /// What is to be added by hand.
    pub(crate) const fn step(self) -> Option<&'static str> {
        match self {
            Self::Next => None,
            Self::SvelteKit => Some(
                "in `handle` of src/hooks.server: const verdict = await createGate({ config }).decide(event.request); return verdict.response where verdict.kind is \"answer\"; hand verdict.identity to event.locals (doorward's README.md, decide)",
            ),
            Self::Nuxt => Some(
                "in server/middleware/0.doorward: const verdict = await createGate({ config }).decide(toWebRequest(event)); return verdict.response where verdict.kind is \"answer\"; hand verdict.identity to event.context (doorward's README.md, decide)",
            ),
            Self::Astro => Some(
                "in `onRequest` of src/middleware: const verdict = await createGate({ config }).decide(context.request); return verdict.response where verdict.kind is \"answer\"; hand verdict.identity to context.locals (doorward's README.md, decide)",
            ),
            Self::TanStackStart => Some(
                "in a request middleware: const verdict = await createGate({ config }).decide(request); return verdict.response where verdict.kind is \"answer\"; hand verdict.identity on in the context (doorward's README.md, decide)",
            ),
            Self::ReactRouter => Some(
                "before its request handler: const verdict = await createGate({ config }).decide(request); return verdict.response where verdict.kind is \"answer\" (doorward's README.md, decide)",
            ),
            Self::Hono => Some(
                "before all routes: export default { fetch: (request, ...rest) => createGate({ config }).handle(request, (request) => app.fetch(request, ...rest)) }, with one gate for all requests",
            ),
            Self::Express => {
                Some("before all routes: app.use(middleware({ config })) of doorward/node")
            }
            Self::Worker => {
                Some("docs/deploy/cloudflare.md deploys the gate as a Worker before yours")
            }
            Self::Other => {
                Some("createProxy({ config, origin }) of doorward/node is a server before yours")
            }
        }
    }
}
