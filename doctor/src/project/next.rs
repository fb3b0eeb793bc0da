//! A project with Next: where the gate's file is, what it exports, and the routes of its folders.

use crate::project::folder::{Folder, TextFile};
use crate::project::javascript::{Literal, Source};
use crate::project::matcher::{self, Matcher};
use crate::project::version::Package;

/// Endings of files that Next runs, by default.
const ENDINGS: [&str; 4] = ["ts", "tsx", "js", "jsx"];
/// Endings that it does not, though Node does.
const OTHER_ENDINGS: [&str; 4] = ["mjs", "mts", "cjs", "cts"];

/// What there is of Next.
#[derive(Debug, Clone)]
pub(crate) struct Next {
    pub(crate) package: Package,
    /// Folders of routes: `app`, `src/app`, `pages`, `src/pages`.
    pub(crate) route_folders: Vec<String>,
    /// `proxy.*` and `middleware.*`, wherever they are.
    pub(crate) gate_files: Vec<GateFile>,
    pub(crate) routes: Vec<Route>,
    /// `next.config.*`.
    pub(crate) config: Option<(TextFile, Source)>,
}

/// A file that Next runs before its routes, or would if it were in the right place.
#[derive(Debug, Clone)]
pub(crate) struct GateFile {
    pub(crate) file: TextFile,
    pub(crate) source: Source,
    /// `proxy` or `middleware`.
    pub(crate) stem: &'static str,
    /// The folder below the project: nothing, `src/`, `app/`.
    pub(crate) folder: &'static str,
    /// Whether Next takes a file with this ending.
    pub(crate) has_known_ending: bool,
    /// Nothing where there is no matcher, or where it is computed.
    pub(crate) matchers: Option<Vec<Matcher>>,
}

/// A route, by the file that serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The file.
    pub(crate) file: String,
    /// `/blog/[slug]`.
    pub(crate) pattern: String,
    /// A path that it serves.
    pub(crate) sample: String,
}

impl GateFile {
    /// Whether the gate is in it.
    pub(crate) fn has_gate(&self) -> bool {
        self.source.imports().iter().any(|(_, module)| module.starts_with("doorward"))
    }

    /// Whether the gate is given a configuration in code.
    pub(crate) fn has_own_config(&self) -> bool {
        let calls = self.source.calls("gate");
        calls.iter().any(|(_, options)| {
            options.member("config").is_some() || matches!(options, Literal::Word(_))
        })
    }

    pub(crate) fn exports(&self, name: &str) -> bool {
        self.source.exports().iter().any(|(_, own)| *own == name)
    }

    /// Whether a path reaches it by its matcher; nothing where that is not known.
    pub(crate) fn reaches(&self, path: &str) -> Option<bool> {
        let Some(matchers) = &self.matchers else {
            // Without a config, everything; with one that is computed, nobody knows.
            return self.source.word("matcher").is_none().then_some(true);
        };
        let answers: Option<Vec<bool>> = matchers.iter().map(|own| own.matches(path)).collect();
        Some(answers?.contains(&true))
    }
}

impl Next {
    /// What there is, in a project that has the package.
    pub(crate) async fn find(folder: &Folder, package: Package) -> Self {
        let mut route_folders = Vec::new();
        let mut routes = Vec::new();
        for name in ["app", "src/app", "pages", "src/pages"] {
            let files = folder.tree(name).await;
            if !files.is_empty() {
                route_folders.push(name.to_owned());
                routes.extend(files.iter().filter_map(|file| route(name, file)));
            }
        }
        let names = ["next.config.ts", "next.config.mjs", "next.config.js", "next.config.cjs"];
        let config = folder.first(&names).await.map(|file| {
            let source = Source::read(&file.text);
            (file, source)
        });
        Self { package, route_folders, gate_files: gate_files(folder).await, routes, config }
    }

    /// Whether routes are below `src/`: then the gate's file has to be there, too.
    pub(crate) fn is_in_src(&self) -> Option<bool> {
        let first = self.route_folders.first()?;
        Some(first.starts_with("src/"))
    }

    /// The file that Next runs.
    pub(crate) fn gate(&self) -> Option<&GateFile> {
        let folder = if self.is_in_src().unwrap_or(false) { "src/" } else { "" };
        self.gate_files.iter().find(|own| {
            own.folder == folder
                && own.has_known_ending
                && (own.stem == "middleware" || !self.is_before(16))
        })
    }

    /// Whether its version is known to be before this major one.
    pub(crate) fn is_before(&self, major: u32) -> bool {
        self.package.version.is_some_and(|version| version.0 < major)
    }
}

async fn gate_files(folder: &Folder) -> Vec<GateFile> {
    let mut found = Vec::new();
    for below in ["", "src/", "app/", "src/app/"] {
        let names =
            if below.is_empty() { folder.names().await } else { folder.below(below).names().await };
        for name in names {
            let Some((stem, ending)) = name.split_once('.') else { continue };
            let Some(stem) = ["proxy", "middleware"].into_iter().find(|own| *own == stem) else {
                continue;
            };
            let has_known_ending = ENDINGS.contains(&ending);
            if !has_known_ending && !OTHER_ENDINGS.contains(&ending) {
                continue;
            }
            let Some(file) = folder.file(&format!("{below}{name}")).await else { continue };
            let source = Source::read(&file.text);
            let config = source.constant("config");
            let matchers =
                config.as_ref().filter(|config| matches!(config, Literal::Object(_))).and_then(
                    |config| matcher::of_config(folder.carrier(), config, |at| file.place(at)),
                );
            found.push(GateFile { file, source, stem, folder: below, has_known_ending, matchers });
        }
    }
    found
}

/// The route of a file in a folder of routes.
fn route(folder: &str, file: &str) -> Option<Route> {
    let inner = file.strip_prefix(folder)?.strip_prefix('/')?;
    let (stem, ending) = inner.rsplit_once('.')?;
    if !ENDINGS.contains(&ending) {
        return None;
    }
    let is_app = folder.ends_with("app");
    let (parents, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let segments: Vec<&str> = if is_app {
        if !matches!(name, "page" | "route") {
            return None;
        }
        parents.split('/').filter(|segment| !segment.is_empty()).collect()
    } else {
        if name.starts_with('_') {
            return None;
        }
        let last = if name == "index" { "" } else { name };
        parents.split('/').chain([last]).filter(|segment| !segment.is_empty()).collect()
    };
    let (mut pattern, mut sample) = (String::new(), String::new());
    for segment in segments {
        // Groups and slots have no part in the path; an intercepting route is another's page, and
        // a private folder is none.
        if segment.starts_with("(.") || segment.starts_with('_') && is_app {
            return None;
        }
        if segment.starts_with('(') || segment.starts_with('@') {
            continue;
        }
        pattern.push('/');
        pattern.push_str(segment);
        if segment.starts_with("[[...") {
            continue;
        }
        sample.push('/');
        sample.push_str(if segment.starts_with('[') { "x" } else { segment });
    }
    let rooted = |path: String| if path.is_empty() { "/".to_owned() } else { path };
    Some(Route { file: file.to_owned(), pattern: rooted(pattern), sample: rooted(sample) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_routes_as_next_has_them() {
        let cases = [
            ("app", "app/page.tsx", Some(("/", "/"))),
            ("app", "app/(shop)/cart/page.tsx", Some(("/cart", "/cart"))),
            ("app", "app/blog/[slug]/page.tsx", Some(("/blog/[slug]", "/blog/x"))),
            ("app", "app/api/auth/[...all]/route.ts", Some(("/api/auth/[...all]", "/api/auth/x"))),
            ("app", "app/docs/[[...path]]/page.tsx", Some(("/docs/[[...path]]", "/docs"))),
            ("app", "app/@modal/(.)photo/page.tsx", None),
            ("app", "app/layout.tsx", None),
            ("app", "app/_lib/page.tsx", None),
            ("src/pages", "src/pages/index.tsx", Some(("/", "/"))),
            ("pages", "pages/api/user.ts", Some(("/api/user", "/api/user"))),
            ("pages", "pages/_app.tsx", None),
            ("pages", "pages/styles.css", None),
        ];
        for (folder, file, expected) in cases {
            let found = route(folder, file);
            let found = found.as_ref().map(|route| (route.pattern.as_str(), route.sample.as_str()));
            assert_eq!(found, expected, "{file}");
        }
    }
}
