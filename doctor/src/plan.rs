//! What a run of `doorward doctor` is about: its target, and what the project expects of it.
//!
//! Expectations come from the gate's configuration, from variables and from the command line. A
//! rule that compares something with an expectation names where that stands.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::effects::Io;
use crate::env_file::{self, Variable};
use crate::project::config_file::ConfigFile;
use crate::project::folder::TextFile;
use crate::secret::Secret;
use crate::suffixes::Suffixes;
use crate::url::{self, Url};

const MAX_FILE_BYTES: usize = 256 * 1024;

/// Files of variables that are read where none is named; the first that has a variable counts.
const ENV_FILES: [&str; 8] = [
    ".env.production.local",
    ".env.local",
    ".env.development.local",
    ".env.production",
    ".env.development",
    ".env",
    ".dev.vars",
    ".env.test",
];

/// Variables with the base URL of the auth service, as Better Auth reads them.
const URL_NAMES: [&str; 6] = [
    "BETTER_AUTH_URL",
    "NEXT_PUBLIC_BETTER_AUTH_URL",
    "PUBLIC_BETTER_AUTH_URL",
    "NUXT_PUBLIC_BETTER_AUTH_URL",
    "NUXT_PUBLIC_AUTH_URL",
    "BASE_URL",
];

const ISSUER_NAMES: [&str; 5] =
    ["BETTER_AUTH_ISSUER", "JWT_ISSUER", "AUTH_ISSUER", "TOKEN_ISSUER", "ISSUER"];
const AUDIENCE_NAMES: [&str; 5] =
    ["BETTER_AUTH_AUDIENCE", "JWT_AUDIENCE", "AUTH_AUDIENCE", "TOKEN_AUDIENCE", "AUDIENCE"];
const JWKS_NAMES: [&str; 4] = ["BETTER_AUTH_JWKS_URL", "JWKS_URL", "AUTH_JWKS_URL", "JWT_JWKS_URL"];

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stated<T> {
    pub(crate) value: T,
    /// `BETTER_AUTH_URL in .env.local`.
    pub(crate) source: String,
}

/// What the gate and the project expect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// The auth service's base URL.
    pub(crate) service: Option<Stated<Url>>,
    /// The same as it is written.
    pub(crate) service_text: Option<String>,
    /// The secret that counts.
    pub(crate) secret: Option<Stated<Secret>>,
    /// Other values of it: retired ones, those of other files.
    pub(crate) other_secrets: Vec<Stated<Secret>>,
    pub(crate) base_path: Option<Stated<String>>,
    pub(crate) cookie_prefix: Option<Stated<String>>,
    pub(crate) session_token_cookie: Option<Stated<String>>,
    pub(crate) secure_cookies: Option<Stated<bool>>,
    /// The cookie cache's strategy: `compact`, `jwt`, `jwe`, `off`.
    pub(crate) strategy: Option<Stated<String>>,
    pub(crate) cache_version: Option<Stated<String>>,
    pub(crate) issuer: Option<Stated<String>>,
    pub(crate) audience: Option<Stated<Vec<String>>>,
    pub(crate) jwks_url: Option<Stated<String>>,
    /// A variable names a database.
    pub(crate) has_database_url: bool,
    /// Something verifies JWTs of the service.
    pub(crate) wants_jwt: bool,
    /// Hosts that a gate's configuration or `BETTER_AUTH_URL` names.
    pub(crate) hosts: Vec<String>,
}

/// Where the expectations come from.
pub(crate) struct Sources {
    /// `--config`.
    pub(crate) config: Option<String>,
    /// `--env-file`.
    pub(crate) env_files: Vec<String>,
}

/// Variables: those of the files that count, and the process's.
pub(crate) struct Variables {
    files: Vec<(String, Vec<Variable>)>,
    /// Files were named: then they count over the process.
    files_count_first: bool,
}

impl Expected {
    /// Reads the files and variables.
    ///
    /// # Errors
    /// A file that was named is not there or cannot be read.
    pub(crate) async fn read(io: &Io, sources: &Sources) -> Result<Self, String> {
        let variables = Variables::read(io, &sources.env_files).await?;
        let config = read_config(io, sources.config.as_deref()).await?;
        let mut expected = Self::default();
        expected.read_variables(io, &variables).await;
        if let Some((name, config)) = &config {
            expected.read_config(io, &variables, name, config).await;
        }
        expected.hosts = expected.service.iter().map(|url| url.value.host.clone()).collect();
        Ok(expected)
    }

    async fn read_variables(&mut self, io: &Io, variables: &Variables) {
        let url = variables.first(io, &URL_NAMES).await;
        self.service_text = url.as_ref().map(|stated| stated.value.clone());
        self.service = url.and_then(|stated| {
            Some(Stated { value: Url::parse(&stated.value)?, source: stated.source })
        });
        self.issuer = variables.first(io, &ISSUER_NAMES).await;
        self.audience = variables.first(io, &AUDIENCE_NAMES).await.map(|stated| Stated {
            value: stated.value.split(',').map(|part| part.trim().to_owned()).collect(),
            source: stated.source,
        });
        self.jwks_url = variables.first(io, &JWKS_NAMES).await;
        self.wants_jwt =
            self.issuer.is_some() || self.audience.is_some() || self.jwks_url.is_some();
        for name in ["DATABASE_URL", "POSTGRES_URL", "DB_URL", "TURSO_DATABASE_URL", "MONGODB_URI"]
        {
            self.has_database_url |= !variables.all(io, name).await.is_empty();
        }
        let mut secrets = rotated(variables.all(io, "BETTER_AUTH_SECRETS").await);
        for name in ["BETTER_AUTH_SECRET", "AUTH_SECRET"] {
            secrets.extend(
                variables.all(io, name).await.into_iter().map(|stated| Stated {
                    value: Secret::new(stated.value),
                    source: stated.source,
                }),
            );
        }
        self.take_secrets(secrets);
    }

    /// The first counts; the others are candidates for what the service has.
    fn take_secrets(&mut self, secrets: Vec<Stated<Secret>>) {
        let mut secrets = secrets.into_iter().filter(|stated| !stated.value.text().is_empty());
        self.secret = secrets.next();
        for other in secrets {
            let known = self.secret.iter().chain(&self.other_secrets);
            if known.clone().all(|stated| stated.value != other.value) {
                self.other_secrets.push(other);
            }
        }
    }

    /// What the first `better-auth` issuer of the gate's configuration says.
    async fn read_config(&mut self, io: &Io, variables: &Variables, file: &str, config: &Value) {
        let issuers = config.get("issuers").unwrap_or(&Value::Null);
        let is_ours = |issuer: &&Value| {
            issuer.get("type").and_then(Value::as_str).is_none_or(|kind| kind == "better-auth")
        };
        // Over a preset one object says what differs.
        let issuer = match issuers.as_array() {
            Some(all) => all.iter().find(is_ours).unwrap_or(&Value::Null),
            None => issuers,
        };
        let source = |member: &str| format!("{member} in {file}");
        let stated = |member: &str, value: String| Stated { value, source: source(member) };
        if let Some(text) = value_of(io, variables, issuer.get("url")).await {
            if let Some(url) = Url::parse(&text) {
                self.service = Some(Stated { value: url, source: source("url") });
            }
            self.service_text = Some(text);
        }
        for (member, place) in [
            ("base_path", &mut self.base_path),
            ("cookie_prefix", &mut self.cookie_prefix),
            ("session_token_cookie", &mut self.session_token_cookie),
            ("cookie_cache", &mut self.strategy),
            ("cookie_cache_version", &mut self.cache_version),
            ("issuer", &mut self.issuer),
            ("jwks_url", &mut self.jwks_url),
        ] {
            if let Some(text) = value_of(io, variables, issuer.get(member)).await {
                self.wants_jwt |= matches!(member, "issuer" | "jwks_url");
                *place = Some(stated(member, text));
            }
        }
        if let Some(secure) = issuer.get("secure_cookies").and_then(Value::as_bool) {
            self.secure_cookies = Some(Stated { value: secure, source: source("secure_cookies") });
        }
        if let Some(audience) = issuer.get("audience") {
            let single = std::slice::from_ref(audience);
            let all = audience.as_array().map_or(single, Vec::as_slice);
            let mut value = Vec::new();
            for one in all {
                value.extend(value_of(io, variables, Some(one)).await);
            }
            self.audience = Some(Stated { value, source: source("audience") });
            self.wants_jwt = true;
        }
        let rules = config.get("rules").and_then(Value::as_array);
        let exchanges = |rule: &Value| rule.get("token_exchange").is_some();
        self.wants_jwt |= rules.is_some_and(|rules| rules.iter().any(exchanges));
        self.read_secrets(io, variables, file, issuer).await;
    }

    /// The secrets of an issuer, the current one first.
    async fn read_secrets(&mut self, io: &Io, variables: &Variables, file: &str, issuer: &Value) {
        let mut secrets = Vec::new();
        for one in [issuer.get("secret")]
            .into_iter()
            .chain(issuer.get("secrets").and_then(Value::as_array).into_iter().flatten().map(Some))
        {
            secrets.extend(value_of(io, variables, one).await.map(|text| Stated {
                value: Secret::new(text),
                source: format!("{} by {file}", env_name(one).unwrap_or("secret")),
            }));
        }
        if !secrets.is_empty() {
            secrets.extend(self.secret.take());
            secrets.append(&mut self.other_secrets);
            self.take_secrets(secrets);
        }
    }
}

impl Variables {
    /// Reads the files that are named, or those that are usual.
    ///
    /// # Errors
    /// A file that was named is not there or cannot be read.
    pub(crate) async fn read(io: &Io, named: &[String]) -> Result<Self, String> {
        let mut files = Vec::new();
        for name in named {
            match io.read_text(name, MAX_FILE_BYTES).await {
                Ok(Some(text)) => files.push((name.clone(), env_file::parse(&text))),
                Ok(None) => return Err(format!("{name} does not exist")),
                Err(message) => return Err(format!("{name}: {message}")),
            }
        }
        if named.is_empty() {
            for name in ENV_FILES {
                if let Ok(Some(text)) = io.read_text(name, MAX_FILE_BYTES).await {
                    files.push((name.to_owned(), env_file::parse(&text)));
                }
            }
        }
        Ok(Self { files, files_count_first: !named.is_empty() })
    }

    /// Every value of a variable, the one that counts first. Blank is missing.
    pub(crate) async fn all(&self, io: &Io, name: &str) -> Vec<Stated<String>> {
        let in_files = self.files.iter().filter_map(|(file, variables)| {
            let variable = env_file::last(variables, name)?;
            Some(Stated { value: variable.value.clone(), source: format!("{name} in {file}") })
        });
        let in_process = io
            .env(name)
            .await
            .map(|value| Stated { value, source: format!("{name} of this shell") });
        let mut found: Vec<_> = in_files.collect();
        let at = if self.files_count_first { found.len() } else { 0 };
        if let Some(stated) = in_process {
            found.insert(at, stated);
        }
        found.retain(|stated| !stated.value.trim().is_empty());
        found
    }

    /// The value that counts of the first of these variables that there is.
    pub(crate) async fn first(&self, io: &Io, names: &[&str]) -> Option<Stated<String>> {
        for name in names {
            if let Some(stated) = self.all(io, name).await.into_iter().next() {
                return Some(stated);
            }
        }
        None
    }
}

/// `2:new,1:old`: the first is current.
fn rotated(lists: Vec<Stated<String>>) -> Vec<Stated<Secret>> {
    let entries = lists.iter().flat_map(|list| {
        list.value.split(',').map(|entry| {
            let entry = entry.trim();
            let is_version = |version: &str| version.bytes().all(|byte| byte.is_ascii_digit());
            let secret = entry
                .split_once(':')
                .filter(|(version, _)| is_version(version))
                .map_or(entry, |(_, secret)| secret);
            Stated { value: Secret::new(secret), source: list.source.clone() }
        })
    });
    entries.collect()
}

/// The gate's configuration: the file that is named, or `doorward.json` where it is there.
async fn read_config(io: &Io, named: Option<&str>) -> Result<Option<(String, Value)>, String> {
    let name = named.unwrap_or("doorward.json");
    let text = match io.read_text(name, MAX_FILE_BYTES).await {
        Ok(Some(text)) => text,
        Ok(None) if named.is_none() => return Ok(None),
        Ok(None) => return Err(format!("{name} does not exist")),
        Err(message) => return Err(format!("{name}: {message}")),
    };
    match serde_json::from_str(&text) {
        Ok(config) => Ok(Some((name.to_owned(), config))),
        Err(error) if named.is_some() => Err(format!("{name} is no JSON (line {})", error.line())),
        Err(_) => Ok(None),
    }
}

/// Why a gate would not start with the configuration and the variables that are here. What a
/// variable without a value would do is no mistake: the deployment may set it.
pub(crate) async fn config_mistake(io: &Io, sources: &Sources) -> Option<String> {
    let name = sources.config.as_deref().unwrap_or("doorward.json").to_owned();
    let text = io.read_text(&name, MAX_FILE_BYTES).await.ok().flatten();
    let file = text.map(|text| TextFile { name, text });
    let (config, broken) = ConfigFile::read(io.carrier(), file);
    let variables = Variables::read(io, &sources.env_files).await.ok()?;
    let mut values = BTreeMap::new();
    for name in &config.names {
        if let Some(stated) = variables.first(io, &[name]).await {
            values.insert(name.clone(), stated.value);
        }
    }
    let mistake = broken.or_else(|| config.policy_anyhow(&values).errors.into_iter().next())?;
    let place = if mistake.path.is_empty() { "doorward.json" } else { &mistake.path };
    Some(format!("{place}: {}", mistake.problem))
}

/// A text of the configuration, or the variable that stands for it.
async fn value_of(io: &Io, variables: &Variables, value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Object(members) => {
            let part = |member: &str| {
                members.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            match variables.first(io, &env_names(members.get("env")?)).await {
                Some(stated) => Some([part("prefix"), stated.value, part("suffix")].concat()),
                None => members.get("default").and_then(Value::as_str).map(str::to_owned),
            }
        }
        _ => None,
    }
}

fn env_name(value: Option<&Value>) -> Option<&str> {
    env_names(value?.get("env")?).first().copied()
}

/// One name, or several of which the first that is there counts.
fn env_names(env: &Value) -> Vec<&str> {
    match env {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        single => single.as_str().into_iter().collect(),
    }
}

/// What a run is about.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) target: Url,
    /// Where the service is expected, and where that stands.
    pub(crate) base: Stated<String>,
    /// The origin that browsers see: the target's, or that of the service's URL where the target
    /// is this machine and the URL is not.
    pub(crate) page: Url,
    pub(crate) app: Option<Url>,
    pub(crate) api: Option<Url>,
    pub(crate) gate: Option<Url>,
    pub(crate) connect: Option<String>,
    pub(crate) ca_files: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout_millis: u64,
    pub(crate) is_yes: bool,
    pub(crate) expected: Expected,
    /// Why a gate would not start with the configuration and the variables that are here.
    pub(crate) config_mistake: Option<String>,
    pub(crate) suffixes: Suffixes,
}

impl Plan {
    /// Whether requests stay on this machine.
    pub(crate) fn is_local(&self) -> bool {
        match &self.connect {
            Some(connect) => {
                url::split_port(connect).is_some_and(|(host, _)| url::is_loopback(host))
            }
            None => self.target.is_loopback(),
        }
    }

    /// Why the secret is not used in a probe, if it must not be.
    pub(crate) fn secret_must_stay(&self) -> Option<&'static str> {
        if self.is_local() {
            return None;
        }
        if !self.target.is_https {
            return Some("the target is not https, and message and MAC could be read on the way");
        }
        let is_known = self.expected.hosts.contains(&self.target.host);
        if !is_known && !self.is_yes {
            return Some(
                "no configuration or BETTER_AUTH_URL names this host; --yes says that it is yours",
            );
        }
        None
    }

    /// The origin that the application's requests have.
    pub(crate) fn app_origin(&self) -> String {
        self.app.as_ref().unwrap_or(&self.page).origin()
    }

    /// The name that the gate expects of the session cookie.
    pub(crate) fn expected_token_name(&self) -> String {
        let expected = &self.expected;
        let prefix = if self.expects_secure_names() { "__Secure-" } else { "" };
        let own = expected.session_token_cookie.as_ref().map(|stated| stated.value.clone());
        let name = own.unwrap_or_else(|| {
            let prefix = expected.cookie_prefix.as_ref().map(|stated| stated.value.as_str());
            format!("{}.session_token", prefix.unwrap_or("better-auth"))
        });
        if name.starts_with("__Secure-") { name } else { [prefix, &name].concat() }
    }

    /// Whether the gate expects `__Secure-`: it follows the URL's scheme.
    pub(crate) fn expects_secure_names(&self) -> bool {
        match (&self.expected.secure_cookies, &self.expected.service) {
            (Some(stated), _) => stated.value,
            (None, Some(service)) => service.value.is_https,
            (None, None) => self.page.is_https,
        }
    }

    /// The issuer that verifiers expect: what is stated, or the origin of the service.
    pub(crate) fn expected_issuer(&self) -> Stated<String> {
        self.expected.issuer.clone().unwrap_or_else(|| self.service_origin())
    }

    /// The audiences that verifiers expect.
    pub(crate) fn expected_audience(&self) -> Stated<Vec<String>> {
        self.expected.audience.clone().unwrap_or_else(|| {
            let Stated { value, source } = self.service_origin();
            Stated { value: vec![value], source }
        })
    }

    fn service_origin(&self) -> Stated<String> {
        match &self.expected.service {
            Some(service) => Stated {
                value: service.value.origin(),
                source: format!("the origin of {}", service.source),
            },
            None => {
                Stated { value: self.page.origin(), source: "the origin of the target".to_owned() }
            }
        }
    }
}
