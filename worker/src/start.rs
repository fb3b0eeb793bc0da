//! From the variables of the deployment to an engine, or to every error at once.

use std::collections::BTreeMap;

use doorward::{Capabilities, Config, ConfigError, Engine, Policy, UnixTime};
use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;
use web_sys::Url;
use worker::Env;

use crate::check;
use crate::platform::KvNamespace;
use crate::sink::{Sink, sink};
use crate::stores::{bound, namespace};

/// What this host needs to know besides the policy.
pub(crate) struct Settings {
    /// Scheme, host and port of the origin.
    pub(crate) origin: String,
    /// Scheme, host and port that clients see, where it is not that of the request's URL.
    pub(crate) public_origin: Option<String>,
    /// The host whose address is asked in place of the origin's, which then is the one that clients
    /// see.
    pub(crate) resolve_override: Option<String>,
    /// The stores that the configuration names and the deployment has bound.
    pub(crate) stores: Vec<(String, KvNamespace)>,
    /// What instances share, where it is bound; else it is the platform's cache.
    pub(crate) kv_namespace: Option<KvNamespace>,
    /// Where what is counted is written.
    pub(crate) metrics: Option<Sink>,
}

/// What can be made before the first request, which brings the clock and randomness.
pub(crate) struct Prepared {
    policy: Policy,
    settings: Settings,
    /// Where the configuration stands.
    source: &'static str,
    /// The variables and bindings that it was made of, as [`shown`].
    variables: Vec<(String, Option<String>)>,
}

impl Prepared {
    /// Whether these variables are the same. A Worker around this one may give others than the
    /// deployment has.
    pub(crate) fn is_of(&self, env: &Env) -> bool {
        self.variables.iter().all(|(name, value)| shown(env, name) == *value)
    }
}

/// What this host reads itself, besides the variables and stores that the configuration names.
const OWN_VARIABLES: [&str; 8] = [
    "DOORWARD",
    "ORIGIN_URL",
    "PUBLIC_ORIGIN",
    "ORIGIN_RESOLVE_OVERRIDE",
    "DOORWARD_CACHE",
    "DOORWARD_ANALYTICS",
    "DOORWARD_METRICS",
    "NODE_ENV",
];

/// A variable as text, a table as JSON; of a binding, that it is there.
fn shown(env: &Env, name: &str) -> Option<String> {
    let value = variable(env, name);
    if value.is_undefined() || value.is_null() {
        return None;
    }
    value.as_string().or_else(|| JSON::stringify(&value).ok()?.as_string())
}

/// Reads the variables and compiles the configuration.
pub(crate) fn prepare(env: &Env) -> Result<Prepared, Vec<ConfigError>> {
    // What is no document has no place in one: what is known is the variable.
    let in_variable = |error| ConfigError { path: "DOORWARD".to_owned(), ..error };
    let parsed = |document: String| {
        Config::parse(&document)
            .map_err(|errors| errors.into_iter().map(in_variable).collect::<Vec<_>>())
    };
    let document = document(env);
    let is_preset = document.as_ref().is_ok_and(String::is_empty);
    let source = if is_preset { "preset" } else { "variable DOORWARD" };
    let config = document.and_then(parsed);
    let names = config.as_ref().map(|config| [config.names(), config.stores()].concat());
    let names = names.unwrap_or_default().into_iter();
    let variables = names
        .chain(OWN_VARIABLES.map(str::to_owned))
        .map(|name| (name.clone(), shown(env, &name)))
        .collect();
    let stores = config.as_ref().map(|config| bound(env, config.stores())).unwrap_or_default();
    let policy = config.and_then(|config| policy(env, &config, &stores));
    match (policy, settings(env, stores)) {
        (Ok(policy), Ok(settings)) => Ok(Prepared { policy, settings, source, variables }),
        (policy, settings) => {
            Err([policy.err(), settings.err()].into_iter().flatten().flatten().collect())
        }
    }
}

/// Starts the engine and says so in the log.
pub(crate) fn start(
    prepared: Prepared,
    now: UnixTime,
) -> Result<(Engine, Settings), Vec<ConfigError>> {
    let Prepared { policy, settings, source, .. } = prepared;
    let seed = getrandom::u64().map_err(|_| {
        vec![error("", "the platform provides no randomness", "report this as a bug")]
    })?;
    let engine = Engine::new(policy, seed);
    let mut lines = engine.start_lines(source, now).into_iter();
    if let Some(started) = lines.next() {
        worker::console_log!("{started}");
    }
    for warning in lines {
        worker::console_warn!("{warning}");
    }
    Ok((engine, settings))
}

fn policy(
    env: &Env,
    config: &Config,
    stores: &[(String, KvNamespace)],
) -> Result<Policy, Vec<ConfigError>> {
    // `wrangler dev` is where people develop.
    let names = config.names().into_iter().chain(["NODE_ENV".to_owned()]);
    let values: BTreeMap<_, _> =
        names.filter_map(|name| Some((name.clone(), text(env, &name)?))).collect();
    let host = Capabilities::checking(check::has)
        .and_signing(check::has)
        .and_sharing()
        .and_fetching_pages();
    let host = if sink(env).is_some() { host.and_measuring() } else { host };
    config.compile(&values, &host.and_stores(stores.iter().map(|(name, _)| name.clone())))
}

/// The variable `DOORWARD`: a table, or the same as JSON text. Absent is the preset.
fn document(env: &Env) -> Result<String, Vec<ConfigError>> {
    let value = variable(env, "DOORWARD");
    if value.is_undefined() || value.is_null() {
        return Ok(String::new());
    }
    if let Some(text) = value.as_string() {
        return Ok(text);
    }
    let text = JSON::stringify(&value).ok().and_then(|text| text.as_string());
    text.ok_or_else(|| {
        vec![error(
            "DOORWARD",
            "is neither a table nor JSON text",
            "write it as [vars.DOORWARD] in wrangler.toml",
        )]
    })
}

fn settings(env: &Env, stores: Vec<(String, KvNamespace)>) -> Result<Settings, Vec<ConfigError>> {
    let hint = "write scheme, host and port only, like https://app.internal.example";
    let origin = match text(env, "ORIGIN_URL") {
        Some(url) => origin(&url)
            .ok_or_else(|| error("ORIGIN_URL", "is not the origin of an http or https URL", hint)),
        None => Err(error(
            "ORIGIN_URL",
            "is required: requests are forwarded to this origin",
            "set it under [vars] in wrangler.toml",
        )),
    };
    let public_origin = match text(env, "PUBLIC_ORIGIN") {
        Some(url) => origin_or(
            &url,
            error("PUBLIC_ORIGIN", "is not the origin of an http or https URL", hint),
        ),
        None => Ok(None),
    };
    let resolve_override = text(env, "ORIGIN_RESOLVE_OVERRIDE");
    let override_error = resolve_override.as_deref().filter(|name| !is_host_name(name)).map(|_| {
        let hint = "write the name of a host in your zone, like origin.example.com, and the public address in ORIGIN_URL";
        error("ORIGIN_RESOLVE_OVERRIDE", "is not a host name", hint)
    });
    match (origin, public_origin, kv_namespace(env), override_error) {
        (Ok(origin), Ok(public_origin), Ok(kv_namespace), None) => {
            let metrics = sink(env);
            Ok(Settings { origin, public_origin, resolve_override, stores, kv_namespace, metrics })
        }
        (origin, public_origin, kv, wrong) => {
            Err([origin.err(), public_origin.err(), kv.err(), wrong]
                .into_iter()
                .flatten()
                .collect())
        }
    }
}

/// The binding `DOORWARD_CACHE`.
fn kv_namespace(env: &Env) -> Result<Option<KvNamespace>, ConfigError> {
    let binding = variable(env, "DOORWARD_CACHE");
    if binding.is_undefined() {
        return Ok(None);
    }
    let wrong = || {
        error(
            "DOORWARD_CACHE",
            "is not a KV namespace",
            "bind one under [[kv_namespaces]] in wrangler.toml",
        )
    };
    namespace(env, "DOORWARD_CACHE").map(Some).ok_or_else(wrong)
}

/// Letters, digits, dots and hyphens: no scheme, port or path.
fn is_host_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}

fn origin_or(url: &str, error: ConfigError) -> Result<Option<String>, ConfigError> {
    origin(url).map(Some).ok_or(error)
}

/// The origin of an absolute URL that has nothing else: no path, query, fragment, or name and
/// password.
fn origin(url: &str) -> Option<String> {
    let url = Url::new(url).ok()?;
    let alone = matches!(url.protocol().as_str(), "http:" | "https:")
        && url.href() == format!("{}/", url.origin());
    alone.then(|| url.origin())
}

/// A variable or secret that is text and not empty.
fn text(env: &Env, name: &str) -> Option<String> {
    variable(env, name).as_string().filter(|text| !text.is_empty())
}

fn variable(env: &Env, name: &str) -> JsValue {
    Reflect::get(env, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn error(path: &str, problem: &str, hint: &str) -> ConfigError {
    ConfigError { path: path.to_owned(), problem: problem.to_owned(), hint: hint.to_owned() }
}
