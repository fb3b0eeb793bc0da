//! What is learned of a project by its files: facts for rules, which are in `causes/file_rules`.
//! Nothing is executed, nothing is written, and nobody is asked over the network.

pub(crate) mod auth_options;
pub(crate) mod built;
pub(crate) mod config_file;
pub(crate) mod environment;
pub(crate) mod folder;
pub(crate) mod javascript;
pub(crate) mod json_place;
pub(crate) mod matcher;
pub(crate) mod next;
pub(crate) mod place;
pub(crate) mod python;
pub(crate) mod setup;
pub(crate) mod version;

use std::collections::BTreeSet;

use crate::effects::Io;
use crate::order;
use crate::suffixes::Suffixes;
use auth_options::AuthOptions;
use config_file::{ConfigFile, ConfigProblem};
use environment::Environment;
use folder::{Folder, TextFile};
use next::Next;
use python::Python;

/// Variables that mean something to Better Auth, to frameworks or to APIs, besides those that the
/// configuration names.
pub(crate) const SECRETS: [&str; 5] = [
    "BETTER_AUTH_SECRET",
    "BETTER_AUTH_SECRETS",
    "AUTH_SECRET",
    "DOORWARD_MARK_SECRET",
    "DOORWARD_METRICS_TOKEN",
];
/// Where the auth service is, to whoever asks it.
pub(crate) const SERVICE_URLS: [&str; 7] = [
    "BETTER_AUTH_URL",
    "NEXT_PUBLIC_BETTER_AUTH_URL",
    "PUBLIC_BETTER_AUTH_URL",
    "NUXT_PUBLIC_BETTER_AUTH_URL",
    "VITE_BETTER_AUTH_URL",
    "NEXT_PUBLIC_AUTH_URL",
    "BETTER_AUTH_BASE_URL",
];
/// Where the application is, to browsers.
pub(crate) const APP_URLS: [&str; 5] =
    ["NEXT_PUBLIC_APP_URL", "NEXT_PUBLIC_SITE_URL", "APP_URL", "SITE_URL", "PUBLIC_APP_URL"];
/// What tokens are expected to say of their issuer.
pub(crate) const ISSUERS: [&str; 4] = ["BETTER_AUTH_ISSUER", "JWT_ISSUER", "AUTH_ISSUER", "ISSUER"];
/// Where key sets are.
pub(crate) const KEY_SETS: [&str; 4] =
    ["BETTER_AUTH_JWKS_URL", "AUTH_JWKS_URL", "JWT_JWKS_URL", "JWKS_URL"];
/// What else is read.
const OTHERS: [&str; 6] = [
    "NODE_ENV",
    "VERCEL_ENV",
    "COOKIE_DOMAIN",
    "BETTER_AUTH_COOKIE_DOMAIN",
    "JWT_ALGORITHM",
    "JWT_ALGORITHMS",
];

/// One project.
pub(crate) struct Project {
    pub(crate) folder: Folder,
    pub(crate) config: ConfigFile,
    /// Its configuration is no JSON object.
    pub(crate) broken: Option<ConfigProblem>,
    /// Whether it has a gate whose configuration is known: a file, or the preset.
    pub(crate) has_gate: bool,
    /// The file in whose code a gate's configuration stands: it cannot be looked at.
    pub(crate) config_in_code: Option<String>,
    pub(crate) environments: Vec<Environment>,
    pub(crate) manifest: Option<TextFile>,
    pub(crate) next: Option<Next>,
    pub(crate) auth: Option<AuthOptions>,
    pub(crate) python: Option<Python>,
    pub(crate) git_ignore: Option<TextFile>,
    pub(crate) suffixes: Suffixes,
}

/// What the command line says about it.
pub(crate) struct Wanted<'a> {
    pub(crate) config: Option<&'a str>,
    pub(crate) env_files: &'a [String],
}

impl Project {
    /// Reads a project.
    ///
    /// # Errors
    /// A file that the command line names is not there.
    pub(crate) async fn read(io: &Io, dir: &str, wanted: &Wanted<'_>) -> Result<Self, String> {
        let folder = Folder::new(io, dir);
        let file = match wanted.config {
            Some(path) => Some(named_file(io, path).await?),
            None => folder.first(&["doorward.json", "src/doorward.json"]).await,
        };
        let manifest = folder.file("package.json").await;
        let next = match &manifest {
            Some(manifest) => match version::npm(&folder, manifest, "next").await {
                Some(package) => Some(Next::find(&folder, package).await),
                None => None,
            },
            None => None,
        };
        // Without a file the preset counts, unless the code has a configuration of its own.
        let gates = next.iter().flat_map(|next| &next.gate_files).filter(|own| own.has_gate());
        let takes_preset = gates.clone().any(|own| !own.has_own_config());
        let has_gate = file.is_some() || takes_preset;
        let config_in_code =
            (!has_gate).then(|| gates.clone().next().map(|own| own.file.name.clone())).flatten();
        let (config, broken) = ConfigFile::read(io.carrier(), file);
        let mut environments = Vec::new();
        if wanted.env_files.is_empty() {
            let known =
                [&SECRETS[..], &SERVICE_URLS, &APP_URLS, &ISSUERS, &KEY_SETS, &OTHERS].concat();
            let mut names: BTreeSet<String> =
                order::collected(known.into_iter().map(str::to_owned));
            if has_gate {
                names.extend(config.names.iter().cloned());
            }
            environments = environment::find(io, &folder, &names).await;
        }
        for path in wanted.env_files {
            environments.push(environment::given(io, path).await?);
        }
        Ok(Self {
            suffixes: io.carrier().suffixes(),
            config,
            broken,
            has_gate,
            config_in_code,
            environments,
            manifest,
            next,
            auth: AuthOptions::find(&folder).await,
            python: Python::find(&folder).await,
            git_ignore: folder.file(".gitignore").await,
            folder,
        })
    }

    /// The variables of the first environment that sets something of the configuration.
    pub(crate) fn values(&self) -> std::collections::BTreeMap<String, String> {
        let sets =
            |own: &&Environment| self.config.names.iter().any(|name| own.get(name).is_some());
        self.environments.iter().find(sets).map(Environment::values).unwrap_or_default()
    }

    /// Whether there is anything that could be looked at.
    pub(crate) fn is_empty(&self) -> bool {
        self.config.file.is_none()
            && self.manifest.is_none()
            && self.python.is_none()
            && self.environments.iter().all(|environment| environment.variables.is_empty())
    }
}

async fn named_file(io: &Io, path: &str) -> Result<TextFile, String> {
    match io.read_text(path, 512 * 1024).await {
        Ok(Some(text)) => Ok(TextFile { name: path.to_owned(), text }),
        Ok(None) => Err(format!("{path} does not exist")),
        Err(why) => Err(format!("{path}: {why}")),
    }
}

/// The folders of projects below one: itself, and where it is no project or holds workspaces, those
/// below it that are.
pub(crate) async fn folders(io: &Io, dir: &str) -> Vec<String> {
    let root = Folder::new(io, dir);
    let names = root.names().await;
    let manifest = root.file("package.json").await;
    let is_root = names.iter().any(|name| is_manifest(name));
    let has_workspaces = manifest.is_some_and(|file| file.text.contains("\"workspaces\""))
        || names.iter().any(|name| name == "pnpm-workspace.yaml");
    let mut found = Vec::new();
    if is_root {
        found.push(root.name().to_owned());
    }
    if is_root && !has_workspaces {
        return found;
    }
    for name in names.iter().filter(|name| name.ends_with('/') && !name.starts_with(['.', '_'])) {
        let below = root.below(name);
        let inner = below.names().await;
        if inner.iter().any(|name| is_manifest(name)) {
            found.push(below.name().to_owned());
        } else if matches!(name.as_str(), "apps/" | "packages/" | "services/") {
            for name in inner.iter().filter(|name| name.ends_with('/')) {
                let deeper = below.below(name);
                if deeper.names().await.iter().any(|name| is_manifest(name)) {
                    found.push(deeper.name().to_owned());
                }
            }
        }
    }
    if found.is_empty() {
        found.push(root.name().to_owned());
    }
    found
}

fn is_manifest(name: &str) -> bool {
    matches!(
        name,
        "package.json"
            | "doorward.json"
            | "pyproject.toml"
            | "requirements.txt"
            | "wrangler.toml"
            | "wrangler.jsonc"
    )
}
