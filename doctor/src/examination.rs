//! An examination of one deployment: what the command line says about it, and the probes in the
//! order of a request's way.

use crate::cookie_file;
use crate::effects::Io;
use crate::facts::Facts;
use crate::plan::{self, Expected, Plan, Sources, Stated};
use crate::probes::{self, Run};
use crate::url::{self, Url};
use crate::usage::{Opt, Words};

/// The configuration that is looked at.
pub(crate) const CONFIG: Opt = Opt::value(
    "config",
    "FILE",
    "The gate's configuration [default: doorward.json, where it is there]",
);

/// Where variables are read.
pub(crate) const ENV_FILE: Opt = Opt::value(
    "env-file",
    "FILE",
    "A file with variables, instead of the usual ones; may be given several times",
);

/// What an examination takes.
pub(crate) const OPTIONS: &[Opt] = &[
    Opt::value(
        "app",
        "URL",
        "The application's URL, where it has another origin than the auth service",
    ),
    Opt::value("api", "URL", "A URL of the API that verifies tokens"),
    Opt::value("gate", "URL", "A protected URL behind the gate, or a path of the target"),
    CONFIG,
    ENV_FILE,
    Opt::value("cookie-file", "FILE", "A file with a `Cookie` header of a browser, or `-`"),
    Opt::value("token-file", "FILE", "A file with a token that the API refuses, or `-`"),
    Opt::flag(
        "deep",
        "Also make a session without a user that lives for a minute, to see the cookie cache's strategy and a JWT of the service",
    ),
    Opt::value(
        "sign-in",
        "EMAIL",
        "Also sign in with this address; the password is asked for, or read from DOORWARD_PASSWORD",
    ),
    Opt::flag("create", "With --sign-in: create the account first"),
    Opt::value(
        "connect",
        "HOST:PORT",
        "Connect to this address; the URL's host stays in `Host` and in the TLS handshake",
    ),
    Opt::value(
        "ca-file",
        "FILE",
        "A file with certificates of authorities to trust, besides the system's",
    ),
    Opt::value(
        "header",
        "HEADER",
        "A header for every request to the target, as `Name: value`; `Name: @VARIABLE` takes the value from the environment",
    ),
    Opt {
        usual: Some("5"),
        ..Opt::value("timeout", "SECONDS", "Seconds that a response may take")
    },
    Opt::value(
        "only",
        "PHASE",
        "Look only into this phase: reach, cookies, keys, secret, gate, app, session, token or api",
    ),
    Opt::flag("offline", "Send nothing: say what would be sent, and look at what is pasted"),
    Opt::flag("report", "Print the report as Markdown, for a ticket"),
    Opt::flag("yes", "The target is mine, although no configuration names it"),
    Opt { short: Some('v'), ..Opt::flag("verbose", "Show each request on standard error") },
];

#[derive(Clone, Default)]
pub(crate) struct Options {
    /// The application's URL, where it has another origin than the auth service
    pub(crate) app: Option<String>,
    /// A URL of the API that verifies tokens
    pub(crate) api: Option<String>,
    /// A protected URL behind the gate, or a path of the target
    pub(crate) gate: Option<String>,
    /// The gate's configuration [default: doorward.json, where it is there]
    pub(crate) config: Option<String>,
    /// A file with variables, instead of the usual ones; may be given several times
    pub(crate) env_file: Vec<String>,
    /// A file with a `Cookie` header of a browser, or `-`
    pub(crate) cookie_file: Option<String>,
    /// A file with a token that the API refuses, or `-`
    pub(crate) token_file: Option<String>,
    /// Also make a session without a user that lives for a minute, to see the cookie cache's strategy
    /// and a JWT of the service
    pub(crate) deep: bool,
    /// Also sign in with this address; the password is asked for, or read from DOORWARD_PASSWORD
    pub(crate) sign_in: Option<String>,
    /// With --sign-in: create the account first
    pub(crate) create: bool,
    /// Connect to this address; the URL's host stays in `Host` and in the TLS handshake
    pub(crate) connect: Option<String>,
    /// A file with certificates of authorities to trust, besides the system's
    pub(crate) ca_file: Vec<String>,
    /// A header for every request to the target, as `Name: value`; `Name: @VARIABLE` takes the
    /// value from the environment
    pub(crate) header: Vec<String>,
    /// Seconds that a response may take
    pub(crate) timeout: u64,
    /// Look only into this phase: reach, cookies, keys, secret, gate, app, session, token or api
    pub(crate) only: Option<String>,
    /// Send nothing: say what would be sent, and look at what is pasted
    pub(crate) offline: bool,
    /// Print the report as Markdown, for a ticket
    pub(crate) report: bool,
    /// The target is mine, although no configuration names it
    pub(crate) yes: bool,
    /// Show each request on standard error
    pub(crate) verbose: bool,
}

impl Options {
    pub(crate) fn of(words: &mut Words) -> Self {
        Self {
            app: words.one("app"),
            api: words.one("api"),
            gate: words.one("gate"),
            config: words.one("config"),
            env_file: words.all("env-file"),
            cookie_file: words.one("cookie-file"),
            token_file: words.one("token-file"),
            deep: words.has("deep"),
            sign_in: words.one("sign-in"),
            create: words.has("create"),
            connect: words.one("connect"),
            ca_file: words.all("ca-file"),
            header: words.all("header"),
            timeout: words.one("timeout").and_then(|text| text.parse().ok()).unwrap_or(5),
            only: words.one("only"),
            offline: words.has("offline"),
            report: words.has("report"),
            yes: words.has("yes"),
            verbose: words.has("verbose"),
        }
    }
}

const PHASES: [&str; 9] =
    ["reach", "cookies", "keys", "secret", "gate", "app", "session", "token", "api"];

/// Sends the probes, in the order of a request's way.
///
/// # Errors
/// A file that was named cannot be read.
pub(crate) async fn learn(io: &Io, plan: &Plan, options: &Options) -> Result<Facts, String> {
    let cookies = match &options.cookie_file {
        Some(file) => Some(cookie_file::read(io, file).await?),
        None => None,
    };
    let token = match &options.token_file {
        Some(file) => Some(cookie_file::read_token(io, file).await?),
        None => None,
    };
    let wants = |phase: &str| options.only.as_deref().is_none_or(|only| only == phase);
    let now = io.now().await;
    let mut run = Run::new(io, plan, options.verbose);
    probes::oracle::describe(&mut run);
    run.reserve = reserve(plan, options);
    if options.offline {
        probes::pasted::look(&mut run, cookies.as_deref(), now);
        probes::token::pasted(&mut run, token.as_deref(), io.now().await).await;
        return Ok(run.facts);
    }
    probes::reach::run(&mut run).await;
    let is_there = run.facts.reach.base.is_some();
    if is_there && run.facts.reach.wall.is_none() {
        probe_service(&mut run, &wants).await;
        if options.sign_in.is_none() {
            probe_limits(&mut run, &wants).await;
        }
    }
    probes::pasted::look(&mut run, cookies.as_deref(), now);
    if is_there {
        if let Some(cookies) = &cookies {
            probes::pasted::ask(&mut run, cookies).await;
        }
        if options.deep {
            probes::deep::run(&mut run).await;
        }
        if let Some(email) = &options.sign_in {
            probes::sign_in::run(&mut run, email, options.create).await;
            // A new session needs what is left first.
            probe_limits(&mut run, &wants).await;
        }
    }
    probes::token::pasted(&mut run, token.as_deref(), io.now().await).await;
    if wants("gate") {
        probes::gate::run(&mut run).await;
    }
    if wants("app") {
        probes::app::run(&mut run).await;
    }
    if wants("api") {
        probes::api::run(&mut run).await;
    }
    Ok(run.facts)
}

/// How many requests the probes need that the command line asks for.
fn reserve(plan: &Plan, options: &Options) -> usize {
    let wanted = [
        (true, 1),
        (plan.gate.is_some(), 3),
        (plan.app.is_some(), 2),
        (plan.api.is_some(), 3),
        (options.cookie_file.is_some(), 3),
        (options.deep, 4),
        (options.sign_in.is_some(), 7),
    ];
    let needed = wanted.iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, count)| *count);
    needed.sum::<usize>().min(8)
}

async fn probe_service(run: &mut Run<'_>, wants: &impl Fn(&str) -> bool) {
    probes::session::run(run).await;
    if run.facts.reach.wall.is_some() || run.facts.reach.failure.is_some() {
        return;
    }
    // The secret's question needs the names, and names alone are cheap.
    probes::names::run(run).await;
    if wants("cookies") || wants("secret") {
        probes::arrival::run(run).await;
    }
    if wants("keys") || wants("token") || wants("api") {
        probes::keys::run(run).await;
    }
    if wants("secret") || wants("gate") {
        probes::oracle::run(run).await;
    }
}

async fn probe_limits(run: &mut Run<'_>, wants: &impl Fn(&str) -> bool) {
    if wants("cookies") && run.facts.reach.wall.is_none() && run.facts.reach.failure.is_none() {
        probes::limits::run(run).await;
    }
}

/// What the command line says, checked.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) async fn plan(io: &Io, url: &str, options: &Options) -> Result<Plan, String> {
    let target = Url::parse(url).ok_or_else(|| {
        format!("`{}` is no http or https URL", url.chars().take(80).collect::<String>())
    })?;
    if let Some(only) = &options.only
        && !PHASES.contains(&only.as_str())
    {
        return Err(format!("--only takes one of {}", PHASES.join(", ")));
    }
    if let Some(connect) = &options.connect
        && url::split_port(connect).is_none_or(|(_, port)| port.is_none())
    {
        return Err("--connect takes HOST:PORT".to_owned());
    }
    let sources = Sources { config: options.config.clone(), env_files: options.env_file.clone() };
    let expected = Expected::read(io, &sources).await?;
    let base = base(&target, &expected);
    let page = page(&target, &expected);
    let other = |name: &str, url: &Option<String>| match url {
        None => Ok(None),
        Some(text) => match text.strip_prefix('/') {
            Some(_) => Ok(Some(target.with_path(text))),
            None => match Url::parse(text) {
                Some(url) => Ok(Some(url)),
                None => Err(format!("--{name} takes an http or https URL")),
            },
        },
    };
    let mut ca_files = options.ca_file.clone();
    for name in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
        ca_files.extend(io.env(name).await.filter(|file| !file.is_empty()));
    }
    for file in &options.ca_file {
        if !matches!(io.read(file, 1024 * 1024).await, Ok(Some(_))) {
            return Err(format!("{file} cannot be read"));
        }
    }
    Ok(Plan {
        suffixes: io.carrier().suffixes(),
        app: other("app", &options.app)?,
        api: other("api", &options.api)?,
        gate: other("gate", &options.gate)?,
        headers: headers(io, &options.header).await?,
        base,
        page,
        connect: options.connect.clone(),
        ca_files,
        timeout_millis: options.timeout.clamp(1, 60).saturating_mul(1000),
        is_yes: options.yes,
        expected,
        config_mistake: plan::config_mistake(io, &sources).await,
        target,
    })
}

/// Where the service is expected: a path of the target, of the configuration, of the service's URL,
/// or the usual one.
fn base(target: &Url, expected: &Expected) -> Stated<String> {
    let stated = |value: &str, source: String| Stated {
        value: value.trim_end_matches('/').to_owned(),
        source,
    };
    if !target.base().is_empty() {
        return stated(target.base(), "the path of the target".to_owned());
    }
    if let Some(base) = &expected.base_path {
        return stated(&base.value, base.source.clone());
    }
    if let Some(service) = &expected.service
        && !service.value.base().is_empty()
    {
        return stated(service.value.base(), format!("the path of {}", service.source));
    }
    Stated { value: "/api/auth".to_owned(), source: "the usual place".to_owned() }
}

/// The origin that browsers see.
fn page(target: &Url, expected: &Expected) -> Url {
    let service = expected.service.as_ref().map(|stated| &stated.value);
    match service {
        Some(service) if target.is_loopback() && !service.is_loopback() => service.with_path("/"),
        _ => target.with_path("/"),
    }
}

async fn headers(io: &Io, lines: &[String]) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) =
            line.split_once(':').ok_or("--header takes `Name: value` or `Name: @VARIABLE`")?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_name || value.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("--header takes `Name: value` or `Name: @VARIABLE`".to_owned());
        }
        let value = match value.strip_prefix('@') {
            Some(variable) => match io.env(variable).await {
                Some(value) => value.trim().to_owned(),
                None => return Err(format!("--header: the variable {variable} is not set")),
            },
            None if matches!(name.as_str(), "cookie" | "authorization" | "proxy-authorization") => {
                return Err(format!("--header: give the value of {name} as @VARIABLE"));
            }
            None => value.to_owned(),
        };
        headers.push((name, value));
    }
    Ok(headers)
}
