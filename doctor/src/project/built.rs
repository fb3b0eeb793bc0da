//! The routes of a built application, from the manifests that its framework writes, and where there
//! is none for it from the folders that it routes by.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::order;
use crate::project::folder::Folder;

/// A built application.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// `Next`, `SvelteKit`.
    pub(crate) framework: &'static str,
    pub(crate) routes: Vec<BuiltRoute>,
    /// Whether a matcher says what reaches the gate, and where it stands.
    pub(crate) matcher: Option<String>,
}

/// One of its routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuiltRoute {
    /// As the framework writes it: `/blog/[slug]`.
    pub(crate) pattern: String,
    /// A path that it serves.
    pub(crate) sample: String,
    /// How it is kept: rendered at build time, or for so many seconds.
    pub(crate) kept: Option<String>,
    /// Whether the gate sees it by the matcher; nothing where there is no matcher.
    pub(crate) reaches_gate: Option<bool>,
}

/// The application that was built in a folder; nothing where there is none.
pub(crate) async fn find(folder: &Folder) -> Option<Built> {
    if let Some(built) = next(folder).await {
        return Some(built);
    }
    if let Some(built) = sveltekit(folder).await {
        return Some(built);
    }
    if let Some(built) = nuxt(folder).await {
        return Some(built);
    }
    if let Some(built) = react_router(folder).await {
        return Some(built);
    }
    astro(folder).await
}

async fn json(folder: &Folder, name: &str) -> Option<Value> {
    serde_json::from_str(&folder.lock_file(name).await?.text).ok()
}

/// `.next`, or the folder that `distDir` names.
async fn next(folder: &Folder) -> Option<Built> {
    let names = folder.names().await;
    let mut dirs: Vec<String> =
        names.into_iter().filter(|name| name.starts_with(".next")).collect();
    order::sort(&mut dirs);
    let mut found = None;
    for dir in dirs {
        let below = folder.below(&dir);
        if let Some(manifest) = json(&below, "routes-manifest.json").await {
            found = Some((below, manifest));
            break;
        }
    }
    let (dir, manifest) = found?;
    let mut patterns = BTreeSet::new();
    for list in ["staticRoutes", "dynamicRoutes"] {
        let items = manifest.get(list).and_then(Value::as_array).into_iter().flatten();
        patterns.extend(items.filter_map(|route| route.get("page")?.as_str()).map(str::to_owned));
    }
    if let Some(Value::Object(paths)) = json(&dir, "app-path-routes-manifest.json").await {
        patterns.extend(paths.values().filter_map(Value::as_str).map(str::to_owned));
    }
    if let Some(Value::Object(pages)) = json(&dir, "server/pages-manifest.json").await {
        patterns.extend(pages.keys().cloned());
    }
    let kept = next_kept(&json(&dir, "prerender-manifest.json").await.unwrap_or_default());
    let (matcher, expressions) = next_matcher(&dir).await;
    let base = manifest.get("basePath").and_then(Value::as_str).unwrap_or_default();
    let routes = patterns
        .into_iter()
        .filter(|pattern| !pattern.starts_with("/_") && *pattern != "/404" && *pattern != "/500")
        .map(|pattern| {
            let sample = sample(&pattern);
            let reaches =
                |expression: &String| folder.carrier().matches(expression, &sample) == Some(true);
            BuiltRoute {
                kept: kept.get(&pattern).cloned(),
                reaches_gate: matcher.as_ref().map(|_| expressions.iter().any(reaches)),
                pattern: format!("{base}{pattern}"),
                sample: format!("{base}{sample}"),
            }
        })
        .collect();
    Some(Built { framework: "Next", routes, matcher })
}

/// Routes that Next keeps, by their pattern.
fn next_kept(manifest: &Value) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    let members = |name: &str| manifest.get(name).and_then(Value::as_object).into_iter().flatten();
    for (path, route) in members("routes").chain(members("dynamicRoutes")) {
        let pattern = route.get("srcRoute").and_then(Value::as_str).unwrap_or(path);
        let seconds = route.get("initialRevalidateSeconds").and_then(Value::as_u64);
        let words = seconds.map_or_else(
            || "rendered at build time".to_owned(),
            |seconds| format!("kept for {seconds} s"),
        );
        kept.insert(pattern.to_owned(), words);
    }
    kept
}

/// The matcher of proxy.ts (Node) or middleware.ts (edge), compiled by Next: where it stands, and
/// its expressions.
async fn next_matcher(dir: &Folder) -> (Option<String>, Vec<String>) {
    let places = [
        ("server/functions-config-manifest.json", "/functions/~1_middleware/matchers"),
        ("server/middleware-manifest.json", "/middleware/~1/matchers"),
    ];
    for (name, pointer) in places {
        let manifest = json(dir, name).await.unwrap_or_default();
        if let Some(matchers) = manifest.pointer(pointer).and_then(Value::as_array) {
            let expressions = matchers
                .iter()
                .filter_map(|matcher| Some(matcher.get("regexp")?.as_str()?.to_owned()));
            return (Some(dir.path(name)), expressions.collect());
        }
    }
    (None, Vec::new())
}

/// SvelteKit: its folders, and what it has prerendered.
async fn sveltekit(folder: &Folder) -> Option<Built> {
    let routes = folder.tree("src/routes").await;
    if folder.first(&["svelte.config.js", "svelte.config.ts"]).await.is_none() || routes.is_empty()
    {
        return None;
    }
    let prerendered = pages_of(folder, ".svelte-kit/output/prerendered/pages").await;
    let mut patterns = BTreeSet::new();
    for file in &routes {
        let Some((parents, name)) =
            file.strip_prefix("src/routes").and_then(|own| own.rsplit_once('/'))
        else {
            continue;
        };
        if name.starts_with("+page.") || name.starts_with("+server.") {
            patterns.insert(rooted(parents));
        }
    }
    Some(by_folders("SvelteKit", patterns, &prerendered))
}

/// Nuxt: its pages and server routes, and what Nitro has written as files.
async fn nuxt(folder: &Folder) -> Option<Built> {
    folder.first(&["nuxt.config.ts", "nuxt.config.js", "nuxt.config.mjs"]).await?;
    let prerendered = pages_of(folder, ".output/public").await;
    let mut patterns = BTreeSet::new();
    for (root, below) in
        [("pages", ""), ("app/pages", ""), ("server/api", "/api"), ("server/routes", "")]
    {
        for file in folder.tree(root).await {
            let Some(inner) = file.strip_prefix(root) else { continue };
            let stem = inner.split('.').next().unwrap_or(inner);
            let stem = stem.strip_suffix("/index").unwrap_or(stem);
            patterns.insert(rooted(&format!("{below}{stem}")));
        }
    }
    Some(by_folders("Nuxt", patterns, &prerendered))
}

/// Astro: its pages, and what it has written as files.
async fn astro(folder: &Folder) -> Option<Built> {
    folder.first(&["astro.config.mjs", "astro.config.ts", "astro.config.js"]).await?;
    let mut prerendered = pages_of(folder, "dist/client").await;
    if prerendered.is_empty() {
        prerendered = pages_of(folder, "dist").await;
    }
    let mut patterns = BTreeSet::new();
    for file in folder.tree("src/pages").await {
        let Some(inner) = file.strip_prefix("src/pages") else { continue };
        let name = inner.rsplit('/').next().unwrap_or(inner);
        if name.starts_with('_') {
            continue;
        }
        let stem = inner.rsplit_once('.').map_or(inner, |(stem, _)| stem);
        patterns.insert(rooted(stem.strip_suffix("/index").unwrap_or(stem)));
    }
    Some(by_folders("Astro", patterns, &prerendered))
}

/// React Router in framework mode: the manifest that browsers load.
async fn react_router(folder: &Folder) -> Option<Built> {
    let assets = folder.below("build/client/assets");
    let names = assets.names().await;
    let name = names.iter().find(|name| name.starts_with("manifest-") && name.ends_with(".js"))?;
    let text = assets.lock_file(name).await?.text;
    let start = text.find('{')?;
    let end = text.rfind('}')?.saturating_add(1);
    let manifest: Value = serde_json::from_str(text.get(start..end)?).ok()?;
    let routes = manifest.get("routes")?.as_object()?;
    let prerendered = pages_of(folder, "build/client").await;
    let mut patterns = BTreeSet::new();
    for route in routes.values() {
        let mut path = String::new();
        let mut own = Some(route);
        let mut depth = 0_usize;
        // A route's path stands below those of its parents.
        while let Some(route) = own.filter(|_| depth < 32) {
            if let Some(part) =
                route.get("path").and_then(Value::as_str).filter(|part| !part.is_empty())
            {
                path = format!("/{}{path}", part.trim_matches('/'));
            }
            own = route.get("parentId").and_then(Value::as_str).and_then(|id| routes.get(id));
            depth = depth.saturating_add(1);
        }
        let is_layout = route.get("path").is_none()
            && route.get("index").and_then(Value::as_bool) != Some(true);
        if !is_layout {
            patterns.insert(rooted(&path));
        }
    }
    Some(by_folders("React Router", patterns, &prerendered))
}

/// The paths of HTML files below a folder.
async fn pages_of(folder: &Folder, below: &str) -> BTreeSet<String> {
    let below = below.trim_end_matches('/');
    let dir = folder.below(below);
    let files = dir.tree("").await;
    files
        .iter()
        .filter_map(|file| file.strip_suffix(".html"))
        .map(|path| match path.strip_suffix("index") {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => {
                rooted(&format!("/{}", folder.trim_end_matches('/')))
            }
            _ => rooted(&format!("/{path}")),
        })
        .collect()
}

/// Routes by their patterns; with what was prerendered, which any of them may have served.
fn by_folders(
    framework: &'static str,
    patterns: BTreeSet<String>,
    prerendered: &BTreeSet<String>,
) -> Built {
    let mut routes: Vec<BuiltRoute> = patterns
        .iter()
        .map(|pattern| BuiltRoute {
            pattern: pattern.clone(),
            sample: sample(pattern),
            kept: prerendered.contains(pattern).then(|| "rendered at build time".to_owned()),
            reaches_gate: None,
        })
        .collect();
    for path in prerendered.iter().filter(|path| !patterns.contains(*path)) {
        if path.starts_with("/200") || path.starts_with("/404") || path.starts_with("/500") {
            continue;
        }
        routes.push(BuiltRoute {
            pattern: path.clone(),
            sample: path.clone(),
            kept: Some("rendered at build time".to_owned()),
            reaches_gate: None,
        });
    }
    Built { framework, routes, matcher: None }
}

/// A path without groups, which have no part in it.
fn rooted(path: &str) -> String {
    let segments =
        path.split('/').filter(|segment| !segment.is_empty() && !segment.starts_with('('));
    let joined: Vec<&str> = segments.collect();
    format!("/{}", joined.join("/"))
}

/// A path that a pattern serves: `[slug]`, `:slug`, `[...all]` and `*` become a segment.
fn sample(pattern: &str) -> String {
    let segments = pattern.split('/').filter(|segment| !segment.is_empty());
    let mut out = String::new();
    for segment in segments {
        if segment.starts_with("[[") || segment.ends_with('?') && segment.starts_with(':') {
            continue;
        }
        out.push('/');
        let is_parameter = segment.contains('[') || segment.starts_with([':', '*']);
        out.push_str(if is_parameter { "x" } else { segment });
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_samples() {
        let cases = [
            ("/", "/"),
            ("/blog/[slug]", "/blog/x"),
            ("/docs/[[...path]]", "/docs"),
            ("/files/:id?", "/files"),
            ("/files/*", "/files/x"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(sample(pattern), expected, "{pattern}");
        }
        assert_eq!(rooted("/(app)/a/"), "/a");
    }
}
