//! The configuration: parse → names → compile, and every error at once.
//!
//! The document is walked, not deserialised in one go: a reader wants all mistakes with their places, not the first one
//! with a byte offset. `docs/configuration.md` is the reference; a test holds the two together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use serde_json::Value;

use crate::alg::{Algorithm, Capabilities};
use crate::claims::Expectations;
use crate::json;
use crate::jwk::JwkSet;
use crate::path;
use crate::policy::{
    Access, Bearer, BetterAuth, CookieCache, CookieNames, Issuer, Pattern, Place, Policy, Rule, Secrets, SegmentPattern, SignIn,
};
use crate::time::Seconds;
use crate::token::session_data::Strategy;
use crate::verify::Secret;

/// With no document at all.
const PRESET: &str = include_str!("presets/better-auth.json");
/// Published with Better Auth: whoever reads the documentation could sign in as anybody.
const PUBLISHED_SECRETS: [&str; 2] = ["better-auth-secret-12345678901234567890", "better-auth-secret-123456789"];
/// A shorter secret can be guessed.
const MIN_SECRET_BYTES: usize = 16;
/// The audience of Better Auth's session tokens that are signed by its key set.
const SESSION_CACHE_AUDIENCE: &str = "better-auth:session-cache";
/// Their `typ`.
const SESSION_CACHE_TYPE: &str = "better-auth.session-cache+jwt";

/// Something wrong with the configuration: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where in the document, like `issuers[0].url`.
    pub path: String,
    /// What is wrong: one sentence, lower case, no secrets.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the document" } else { &self.path };
        write!(f, "{place}: {} (hint: {})", self.problem, self.hint)
    }
}

impl std::error::Error for ConfigError {}

/// A configuration document, read but not yet judged.
#[derive(Debug, Clone)]
pub struct Config {
    document: Value,
}

impl Config {
    /// Reads a document; an empty text is the preset `better-auth`.
    ///
    /// # Errors
    /// The document is not a JSON object, or has a member twice.
    pub fn parse(json: &str) -> Result<Self, Vec<ConfigError>> {
        let text = if json.trim().is_empty() { PRESET } else { json };
        match json::object(text.as_bytes()) {
            Some(members) => Ok(Self { document: Value::Object(members) }),
            None => Err(vec![ConfigError {
                path: String::new(),
                problem: "the configuration is not one JSON object without duplicate members".to_owned(),
                hint: "check for a trailing comma, a comment, or a member that appears twice".to_owned(),
            }]),
        }
    }

    /// Names of the environment variables whose values [`Self::compile`] may use: the host supplies just these.
    pub fn names(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        collect_names(&self.document, &mut names);
        names.into_iter().collect()
    }

    /// Turns the document into a policy, given the values of its variables and what the host can carry.
    ///
    /// # Errors
    /// Every error at once, each with its place and a hint.
    pub fn compile(&self, values: &BTreeMap<String, String>, capabilities: &Capabilities) -> Result<Policy, Vec<ConfigError>> {
        let reader = Reader { values, errors: Vec::new() };
        Compiler { reader, capabilities }.policy(&self.document)
    }
}

fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(env) = members.get("env") {
                let list = env.as_array().map_or_else(|| std::slice::from_ref(env), Vec::as_slice);
                names.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            members.values().for_each(|member| collect_names(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        _ => {}
    }
}

/// Reads members of the document and notes what is wrong with them.
struct Reader<'v> {
    values: &'v BTreeMap<String, String>,
    errors: Vec<ConfigError>,
}

/// A value with its place in the document.
struct Node<'d> {
    value: &'d Value,
    path: String,
}

impl<'d> Node<'d> {
    fn member(&self, name: &str) -> Option<Self> {
        let path = if self.path.is_empty() { name.to_owned() } else { [self.path.as_str(), ".", name].concat() };
        self.value.get(name).map(|value| Node { value, path })
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { [self.path.as_str(), ".", name].concat() }
    }

    /// The items of a list, or the one item that stands in place of a list.
    fn items(&self) -> Vec<Self> {
        match self.value {
            Value::Array(items) => {
                let place =
                    |(number, value)| Node { value, path: [self.path.as_str(), "[", &usize::to_string(&number), "]"].concat() };
                items.iter().enumerate().map(place).collect()
            }
            value => vec![Node { value, path: self.path.clone() }],
        }
    }
}

impl Reader<'_> {
    fn wrong(&mut self, path: &str, problem: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(ConfigError { path: path.to_owned(), problem: problem.into(), hint: hint.into() });
    }

    fn only_members(&mut self, node: &Node<'_>, known: &[&str]) {
        let Value::Object(members) = node.value else {
            self.wrong(&node.path, "this is not an object", "write { … } here");
            return;
        };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            self.wrong(&node.path_of(name), "there is no such member", format!("known here: {}", known.join(", ")));
        }
    }

    /// A text, or the value of the first environment variable that has one.
    fn text(&mut self, node: &Node<'_>) -> Option<String> {
        match node.value {
            Value::String(text) => Some(text.clone()),
            Value::Object(_) => self.variable(node).map(|value| value.trim().to_owned()),
            _ => {
                self.wrong(&node.path, "this is not a string", "write a string or {\"env\": \"NAME\"}");
                None
            }
        }
    }

    /// A value from the environment as it stands there (Better Auth does not trim its secret); `None` when no variable has one.
    fn variable(&mut self, node: &Node<'_>) -> Option<String> {
        self.only_members(node, &["env", "default"]);
        let names = node.member("env").map(|env| env.items()).unwrap_or_default();
        let names: Vec<&str> = names.iter().filter_map(|name| name.value.as_str()).collect();
        if names.is_empty() {
            self.wrong(&node.path, "\"env\" names no variable", "write {\"env\": \"NAME\"}");
        }
        let set = names.iter().filter_map(|name| self.values.get(*name)).find(|value| !value.trim().is_empty());
        let default = node.member("default").and_then(|default| default.value.as_str().map(str::to_owned));
        set.cloned().or(default)
    }

    fn optional_text(&mut self, node: &Node<'_>, name: &str) -> Option<String> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        self.text(&member)
    }

    /// A list of texts, or one text in place of it; a variable may hold several, separated by commas.
    fn texts(&mut self, node: &Node<'_>, name: &str) -> Option<Vec<String>> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        let mut texts = Vec::new();
        for item in member.items() {
            let Some(text) = self.text(&item) else {
                continue;
            };
            if item.value.is_object() {
                texts.extend(text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned));
            } else {
                texts.push(text);
            }
        }
        if texts.is_empty() && member.value.is_object() { None } else { Some(texts) }
    }

    fn flag(&mut self, node: &Node<'_>, name: &str) -> Option<bool> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        let flag = member.value.as_bool();
        if flag.is_none() {
            self.wrong(&member.path, "this is neither true nor false", "write true or false without quotes");
        }
        flag
    }

    fn seconds(&mut self, node: &Node<'_>, name: &str, most: u32) -> Option<Seconds> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        let seconds = member.value.as_u64().and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds <= most);
        if seconds.is_none() {
            self.wrong(
                &member.path,
                format!("this is not a whole number of seconds from 0 to {most}"),
                "write a number without quotes",
            );
        }
        seconds.map(Seconds::new)
    }

    /// One of a closed list of words.
    fn word<T: Copy>(&mut self, node: &Node<'_>, name: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.optional_text(node, name)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(
                &node.path_of(name),
                "this is not one of the words that are known here",
                format!("known: {}", known.join(", ")),
            );
        }
        found
    }
}

struct Compiler<'v> {
    reader: Reader<'v>,
    capabilities: &'v Capabilities,
}

impl Compiler<'_> {
    fn policy(mut self, document: &Value) -> Result<Policy, Vec<ConfigError>> {
        let root = Node { value: document, path: String::new() };
        self.reader.only_members(&root, &["issuers", "rules", "sign_in", "allowed_origins", "header_prefix", "debug_header"]);
        let issuers = self.issuers(&root);
        let base_path = root.member("issuers").map(|list| list.items()).unwrap_or_default().iter().find_map(|node| {
            if node.value.get("type").and_then(Value::as_str) == Some("better-auth") {
                Some(base_path_of(node, self.reader.values))
            } else {
                None
            }
        });
        let rules = self.rules(&root, &issuers, base_path.as_deref());
        let sign_in = self.sign_in(&root);
        let allowed_origins = self.allowed_origins(&root);
        let header_prefix = self.header_prefix(&root);
        let debug_header = self.reader.flag(&root, "debug_header").unwrap_or(false);
        self.equal_secrets(&issuers);
        if self.reader.errors.is_empty() {
            let capabilities = self.capabilities.clone();
            Ok(Policy { issuers, rules, sign_in, allowed_origins, header_prefix, debug_header, capabilities })
        } else {
            Err(self.reader.errors)
        }
    }

    fn issuers(&mut self, root: &Node<'_>) -> Vec<Issuer> {
        let nodes = root.member("issuers").map(|list| list.items()).unwrap_or_default();
        if nodes.is_empty() {
            self.reader.wrong("issuers", "nobody is believed", "name at least one issuer");
        }
        let mut issuers: Vec<Issuer> = Vec::new();
        for node in &nodes {
            let issuer = match node.value.get("type").and_then(Value::as_str) {
                Some("better-auth") => self.better_auth_issuer(node),
                Some("jwt") => self.jwt_issuer(node),
                _ => {
                    self.reader.wrong(&node.path_of("type"), "this is not a kind of issuer", "write \"better-auth\" or \"jwt\"");
                    None
                }
            };
            let Some(issuer) = issuer else { continue };
            if issuers.iter().any(|other| other.name == issuer.name) {
                self.reader.wrong(&node.path_of("name"), "two issuers have this name", "give each a \"name\" of its own");
            }
            issuers.push(issuer);
        }
        issuers
    }

    fn jwt_issuer(&mut self, node: &Node<'_>) -> Option<Issuer> {
        self.reader.only_members(node, &[&["type", "name"], TOKEN_MEMBERS].concat());
        let issuer = self.reader.optional_text(node, "issuer");
        let audience = self.reader.texts(node, "audience").unwrap_or_default();
        if audience.is_empty() {
            self.reader.wrong(
                &node.path_of("audience"),
                "no audience is accepted",
                "name the audience of your API, so that a token for another service never passes",
            );
        }
        let Some(issuer) = issuer else {
            self.reader.wrong(&node.path_of("issuer"), "the issuer is missing", "write the exact \"iss\" of its tokens");
            return None;
        };
        let jwks_url = self.reader.optional_text(node, "jwks_url");
        let name = self.reader.optional_text(node, "name").unwrap_or_else(|| host_of(&issuer));
        if jwks_url.is_none() && node.member("jwks").is_none() {
            self.reader.wrong(&node.path_of("jwks_url"), "there are no keys", "give \"jwks_url\" or \"jwks\"");
        }
        Some(self.token_issuer(node, name, issuer, audience, jwks_url))
    }

    /// What issuers of both kinds have in common: their JWTs.
    fn token_issuer(
        &mut self,
        node: &Node<'_>,
        name: String,
        issuer: String,
        audience: Vec<String>,
        jwks_url: Option<String>,
    ) -> Issuer {
        if let Some(url) = &jwks_url
            && !is_fetchable(url)
        {
            self.reader.wrong(
                &node.path_of("jwks_url"),
                "this is not an https URL",
                "use https; http is for loopback addresses only",
            );
        }
        let inline_keys = self.inline_keys(node);
        let typ = self.reader.texts(node, "typ").unwrap_or_else(|| vec!["JWT".to_owned()]);
        let expectations = Expectations {
            issuer,
            audience,
            typ_may_be_absent: typ.iter().any(|typ| typ.eq_ignore_ascii_case("JWT")),
            typ,
            skew: self.reader.seconds(node, "skew_seconds", 60).unwrap_or(Seconds::new(5)),
            max_age: self.reader.seconds(node, "max_age_seconds", u32::MAX),
            required: self.reader.texts(node, "required_claims").unwrap_or_default(),
        };
        let algorithms = self.algorithms(node);
        let places = self.places(node);
        Issuer { name, expectations, algorithms, inline_keys, jwks_url, places, better_auth: None }
    }

    fn better_auth_issuer(&mut self, node: &Node<'_>) -> Option<Issuer> {
        self.reader.only_members(node, &[BETTER_AUTH_MEMBERS, TOKEN_MEMBERS].concat());
        let Some(url) = self.reader.optional_text(node, "url") else {
            self.reader.wrong(
                &node.path_of("url"),
                "the URL of the auth service is missing",
                hint_for_variable(node, "url", "write its public URL"),
            );
            return None;
        };
        let Some(public_origin) = origin_of(&url) else {
            self.reader.wrong(
                &node.path_of("url"),
                "this is not an absolute http(s) URL",
                "write it like https://auth.example.com",
            );
            return None;
        };
        let base_path = base_path_of(node, self.reader.values);
        if path::plain_segments(&base_path).is_none_or(|segments| segments.is_empty()) {
            self.reader.wrong(&node.path_of("base_path"), "this is not a plain path", "write it like /api/auth");
        }
        let fetch_origin = match self.reader.optional_text(node, "fetch_url") {
            None => public_origin.clone(),
            Some(fetch_url) => origin_of(&fetch_url).unwrap_or_else(|| {
                self.reader.wrong(
                    &node.path_of("fetch_url"),
                    "this is not an absolute http(s) URL",
                    "write it like http://127.0.0.1:3001",
                );
                public_origin.clone()
            }),
        };
        if !is_fetchable(&fetch_origin) {
            self.reader.wrong(
                &node.path_of("fetch_url"),
                "the auth service would be asked over plain http",
                "use https; http is for loopback addresses only",
            );
        }
        let service = [fetch_origin.as_str(), base_path.as_str()].concat();
        let jwks_url = match node.member("jwks_url") {
            Some(member) if member.value.is_null() => None,
            _ => Some(self.reader.optional_text(node, "jwks_url").unwrap_or_else(|| [service.as_str(), "/jwks"].concat())),
        };
        let issuer = self.reader.optional_text(node, "issuer").unwrap_or_else(|| public_origin.clone());
        let audience = self.reader.texts(node, "audience").unwrap_or_else(|| vec![public_origin.clone()]);
        let name = self.reader.optional_text(node, "name").unwrap_or_else(|| "better-auth".to_owned());
        let mut issuer = self.token_issuer(node, name, issuer, audience, jwks_url);
        issuer.better_auth = Some(BetterAuth {
            secrets: self.secrets(node),
            cookies: self.cookies(node, &public_origin),
            cookie_cache: self.cookie_cache(node),
            version: match node.member("cookie_cache_version") {
                None => Some("1".to_owned()),
                Some(member) if member.value.is_null() => None,
                Some(member) => self.reader.text(&member),
            },
            bearer: self
                .reader
                .word(node, "bearer", &[("off", Bearer::Off), ("signed", Bearer::Signed), ("any", Bearer::Any)])
                .unwrap_or(Bearer::Off),
            get_session_url: [service.as_str(), "/get-session"].concat(),
            session_cache: self.reader.seconds(node, "session_cache_seconds", 30).unwrap_or(Seconds::new(10)),
            cache_expectations: Expectations {
                issuer: public_origin,
                audience: vec![SESSION_CACHE_AUDIENCE.to_owned()],
                typ: vec![SESSION_CACHE_TYPE.to_owned()],
                typ_may_be_absent: false,
                skew: Seconds::new(0),
                max_age: None,
                required: Vec::new(),
            },
        });
        Some(issuer)
    }

    fn inline_keys(&mut self, node: &Node<'_>) -> JwkSet {
        let Some(member) = node.member("jwks").filter(|member| !member.value.is_null()) else {
            return JwkSet::default();
        };
        let set = match member.value {
            // A variable may hold the whole set as JSON.
            Value::Object(members) if members.contains_key("env") => {
                self.reader.text(&member).and_then(|text| JwkSet::parse(text.as_bytes()))
            }
            value => JwkSet::parse(value.to_string().as_bytes()),
        };
        let Some(set) = set else {
            self.reader.wrong(&member.path, "this is not a key set", "write {\"keys\": [ … ]} as in RFC 7517");
            return JwkSet::default();
        };
        if set.skipped() > 0 {
            self.reader.wrong(
                &member.path,
                "a key of the set is unusable",
                "give public signature keys only: RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519",
            );
        }
        set
    }

    fn algorithms(&mut self, node: &Node<'_>) -> Vec<Algorithm> {
        let available = |algorithm: &Algorithm| {
            matches!(algorithm, Algorithm::EdDSA | Algorithm::ES256) || self.capabilities.checks(*algorithm)
        };
        let Some(names) = self.reader.texts(node, "algorithms") else {
            return Algorithm::all().filter(available).collect();
        };
        let mut algorithms = Vec::new();
        for name in &names {
            match Algorithm::from_name(name) {
                Some(algorithm) if available(&algorithm) => algorithms.push(algorithm),
                Some(_) => self.reader.wrong(
                    &node.path_of("algorithms"),
                    format!("this host cannot check {name}"),
                    "leave it out, or use a host with WebCrypto",
                ),
                None => {
                    let known: Vec<&str> = Algorithm::all().map(Algorithm::name).collect();
                    self.reader.wrong(
                        &node.path_of("algorithms"),
                        "this is not the name of a public-key algorithm",
                        format!("known: {}", known.join(", ")),
                    );
                }
            }
        }
        algorithms
    }

    fn places(&mut self, node: &Node<'_>) -> Vec<Place> {
        let Some(names) = self.reader.texts(node, "from") else {
            return vec![Place::Authorization];
        };
        let mut places = Vec::new();
        for name in &names {
            match name.split_once(':') {
                None if name == "authorization" => places.push(Place::Authorization),
                Some(("cookie", name)) if is_token(name) => places.push(Place::Cookie(name.to_owned())),
                Some(("header", name)) if is_token(name) => places.push(Place::Header(name.to_ascii_lowercase())),
                _ => self.reader.wrong(
                    &node.path_of("from"),
                    "this is not a place of a request",
                    "write authorization, cookie:<name> or header:<name>",
                ),
            }
        }
        places
    }

    fn secrets(&mut self, node: &Node<'_>) -> Secrets {
        let single = self.secret_text(node, "secret");
        let Some(list) = self.secret_text(node, "secrets") else {
            return Secrets { current: self.secret(node, "secret", single.as_deref()), retired: Vec::new() };
        };
        // Better Auth's form `2:new,1:old`: the first entry is current, whatever its number.
        let entries: Vec<&str> = list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        let mut secrets: Vec<Secret> = Vec::new();
        for entry in &entries {
            match entry.split_once(':') {
                Some((version, secret)) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => {
                    secrets.extend(self.secret(node, "secrets", Some(secret.trim())));
                }
                _ => self.reader.wrong(
                    &node.path_of("secrets"),
                    "an entry has no version",
                    "write it like 2:newest-secret,1:older-secret",
                ),
            }
        }
        secrets.extend(single.as_deref().map(Secret::new));
        let mut secrets = secrets.into_iter();
        Secrets { current: secrets.next(), retired: secrets.collect() }
    }

    /// Secrets are named, never written.
    fn secret_text(&mut self, node: &Node<'_>, name: &str) -> Option<String> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        if member.value.is_object() {
            return self.reader.variable(&member);
        }
        self.reader.wrong(
            &member.path,
            "a secret is written in the configuration",
            "put it into the environment and write {\"env\": \"NAME\"} here",
        );
        None
    }

    fn secret(&mut self, node: &Node<'_>, name: &str, secret: Option<&str>) -> Option<Secret> {
        let secret = secret?;
        if PUBLISHED_SECRETS.contains(&secret) {
            self.reader.wrong(
                &node.path_of(name),
                "this is Better Auth's published default secret",
                "make one of your own: openssl rand -base64 32",
            );
        } else if secret.len() < MIN_SECRET_BYTES {
            self.reader.wrong(
                &node.path_of(name),
                format!("the secret has fewer than {MIN_SECRET_BYTES} bytes"),
                "make a longer one: openssl rand -base64 32",
            );
        }
        Some(Secret::new(secret))
    }

    fn equal_secrets(&mut self, issuers: &[Issuer]) {
        let services = issuers.iter().filter_map(|issuer| issuer.better_auth.as_ref());
        let secrets: Vec<&Secret> = services.flat_map(|service| service.secrets.all()).collect();
        let equal = secrets
            .iter()
            .enumerate()
            .any(|(place, one)| secrets.iter().skip(place.saturating_add(1)).any(|other| one.equals(other)));
        if equal {
            self.reader.wrong(
                "issuers",
                "two configured secrets are equal",
                "give each service and each version a secret of its own",
            );
        }
    }

    fn cookies(&mut self, node: &Node<'_>, public_origin: &str) -> CookieNames {
        let secure = self.reader.flag(node, "secure_cookies").unwrap_or_else(|| public_origin.starts_with("https://"));
        let prefix = self.reader.optional_text(node, "cookie_prefix").unwrap_or_else(|| "better-auth".to_owned());
        let mut name_of = |member: Option<&str>, logical: &str| {
            let custom = member.and_then(|member| self.reader.optional_text(node, member));
            let name = custom.unwrap_or_else(|| [prefix.as_str(), ".", logical].concat());
            if !is_token(&name) {
                self.reader.wrong(
                    &node.path_of(member.unwrap_or("cookie_prefix")),
                    "this is not a cookie name",
                    "use letters, digits, dots and dashes",
                );
            }
            if secure { ["__Secure-", name.as_str()].concat() } else { name }
        };
        CookieNames {
            session_token: name_of(Some("session_token_cookie"), "session_token"),
            session_data: name_of(Some("session_data_cookie"), "session_data"),
            dont_remember: name_of(None, "dont_remember"),
        }
    }

    fn cookie_cache(&mut self, node: &Node<'_>) -> CookieCache {
        match self.reader.optional_text(node, "cookie_cache").as_deref() {
            None | Some("auto") => CookieCache::Auto,
            Some("off") => CookieCache::Off,
            Some(name) => Strategy::from_name(name).map_or_else(
                || {
                    self.reader.wrong(
                        &node.path_of("cookie_cache"),
                        "there is no such strategy",
                        "known: auto, off, compact, jwt, jwe, jwt-jwks",
                    );
                    CookieCache::Off
                },
                CookieCache::Only,
            ),
        }
    }

    fn rules(&mut self, root: &Node<'_>, issuers: &[Issuer], base_path: Option<&str>) -> Vec<Rule> {
        let nodes = root.member("rules").map(|list| list.items()).unwrap_or_default();
        if nodes.is_empty() {
            self.reader.wrong(
                "rules",
                "there are no rules, so every request would be denied",
                "add {\"path\": \"/**\", \"access\": \"required\"}",
            );
        }
        nodes.iter().filter_map(|node| self.rule(node, issuers, base_path)).collect()
    }

    fn rule(&mut self, node: &Node<'_>, issuers: &[Issuer], base_path: Option<&str>) -> Option<Rule> {
        self.reader.only_members(node, &["path", "methods", "access", "issuers"]);
        let access = self.reader.word(
            node,
            "access",
            &[("public", Access::Public), ("optional", Access::Optional), ("required", Access::Required)],
        );
        if access.is_none() && node.member("access").is_none() {
            self.reader.wrong(
                &node.path_of("access"),
                "the rule does not say what it asks",
                "write \"public\", \"optional\" or \"required\"",
            );
        }
        let paths = self.reader.texts(node, "path").unwrap_or_default();
        if paths.is_empty() {
            self.reader.wrong(&node.path_of("path"), "the rule covers no path", "write a pattern like /app/**");
        }
        let mut patterns = Vec::new();
        for path in &paths {
            match pattern(path, base_path) {
                Ok(pattern) => patterns.push(pattern),
                Err(hint) => self.reader.wrong(&node.path_of("path"), format!("the pattern {path:?} can match nothing"), hint),
            }
        }
        let methods = self.reader.texts(node, "methods");
        if methods
            .iter()
            .flatten()
            .any(|method| !is_token(method) || method.chars().any(|character| character.is_ascii_lowercase()))
        {
            self.reader.wrong(
                &node.path_of("methods"),
                "this is not an HTTP method",
                "methods are written in capitals: GET, POST",
            );
        }
        let believed = self.reader.texts(node, "issuers").map(|names| {
            let mut numbers = Vec::new();
            for name in &names {
                match issuers.iter().position(|issuer| issuer.name == *name) {
                    Some(number) => numbers.push(number),
                    None => self.reader.wrong(
                        &node.path_of("issuers"),
                        format!("there is no issuer {name:?}"),
                        "use the \"name\" of an issuer above",
                    ),
                }
            }
            numbers
        });
        Some(Rule { patterns, methods, access: access?, issuers: believed })
    }

    fn sign_in(&mut self, root: &Node<'_>) -> Option<SignIn> {
        let node = root.member("sign_in").filter(|node| !node.value.is_null())?;
        self.reader.only_members(&node, &["path", "return_parameter"]);
        let path = self.reader.optional_text(&node, "path").unwrap_or_default();
        let return_parameter = self.reader.optional_text(&node, "return_parameter").unwrap_or_else(|| "callbackURL".to_owned());
        if !is_token(&return_parameter) {
            self.reader.wrong(
                &node.path_of("return_parameter"),
                "this is not the name of a query parameter",
                "use letters and digits",
            );
        }
        let Some(segments) = path::plain_segments(&path) else {
            self.reader.wrong(&node.path_of("path"), "this is not a path of this site", "write it like /sign-in");
            return None;
        };
        Some(SignIn { path, segments, return_parameter })
    }

    fn allowed_origins(&mut self, root: &Node<'_>) -> Vec<String> {
        let origins = self.reader.texts(root, "allowed_origins").unwrap_or_default();
        if origins.iter().any(|origin| origin_of(origin).as_deref() != Some(origin)) {
            self.reader.wrong(
                "allowed_origins",
                "this is not an origin",
                "write scheme, host and port only, like https://app.example.com",
            );
        }
        origins
    }

    fn header_prefix(&mut self, root: &Node<'_>) -> String {
        let prefix =
            self.reader.optional_text(root, "header_prefix").unwrap_or_else(|| "x-doorward-".to_owned()).to_ascii_lowercase();
        let plain = prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !plain || !prefix.starts_with("x-") || !prefix.ends_with('-') || prefix.len() < 5 {
            self.reader.wrong("header_prefix", "this is not a prefix for headers of our own", "write it like x-doorward-");
        }
        prefix
    }
}

const BETTER_AUTH_MEMBERS: &[&str] = &[
    "type",
    "name",
    "url",
    "base_path",
    "fetch_url",
    "secret",
    "secrets",
    "cookie_prefix",
    "secure_cookies",
    "session_token_cookie",
    "session_data_cookie",
    "cookie_cache",
    "cookie_cache_version",
    "bearer",
    "session_cache_seconds",
];
const TOKEN_MEMBERS: &[&str] = &[
    "issuer",
    "audience",
    "jwks_url",
    "jwks",
    "algorithms",
    "typ",
    "skew_seconds",
    "max_age_seconds",
    "required_claims",
    "from",
];

/// The path of a Better Auth service: `base_path`, else the path in its URL, else Better Auth's default.
fn base_path_of(node: &Node<'_>, values: &BTreeMap<String, String>) -> String {
    let mut quiet = Reader { values, errors: Vec::new() };
    let of_url = quiet.optional_text(node, "url").and_then(|url| {
        let origin = origin_of(&url)?;
        url.strip_prefix(origin.as_str()).map(|path| path.trim_end_matches('/').to_owned()).filter(|path| !path.is_empty())
    });
    let path = quiet.optional_text(node, "base_path").or(of_url).unwrap_or_else(|| "/api/auth".to_owned());
    path.trim_end_matches('/').to_owned()
}

fn hint_for_variable(node: &Node<'_>, name: &str, otherwise: &str) -> String {
    let names = node.member(name).and_then(|member| member.member("env")).map(|env| env.items()).unwrap_or_default();
    let names: Vec<&str> = names.iter().filter_map(|name| name.value.as_str()).collect();
    if names.is_empty() { otherwise.to_owned() } else { format!("set the environment variable {}", names.join(" or ")) }
}

fn pattern(text: &str, base_path: Option<&str>) -> Result<Pattern, &'static str> {
    let text = match text.strip_prefix("{auth}") {
        Some(rest) => {
            [base_path.ok_or("{auth} stands for the base path of a Better Auth issuer, and there is none")?, rest].concat()
        }
        None => text.to_owned(),
    };
    let (text, open) = match text.strip_suffix("/**") {
        Some(rest) => (rest.to_owned(), true),
        None => (text, false),
    };
    if text.is_empty() && open || text == "/" && !open {
        return Ok(Pattern { segments: Vec::new(), open });
    }
    let inner = text.strip_prefix('/').ok_or("a pattern begins with /")?;
    let segments = inner.split('/').map(|segment| match segment {
        "*" => Ok(SegmentPattern::Any),
        "**" => Err("/** stands at the end only"),
        named if named.strip_prefix(':').is_some_and(is_token) => Ok(SegmentPattern::Any),
        wild if wild.contains('*') || wild.starts_with(':') => Err("* stands for a whole segment"),
        literal => match path::plain_segments(&["/", literal].concat()).as_deref() {
            Some([segment]) if segment == literal => Ok(SegmentPattern::Literal(literal.to_owned())),
            _ => Err("write segments decoded and without empty ones, dots, or characters that a path cannot have"),
        },
    });
    Ok(Pattern { segments: segments.collect::<Result<_, _>>()?, open })
}

/// Scheme, host and port of an absolute URL, as a browser writes an origin.
pub(crate) fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_chars = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    let host = authority.strip_suffix(default_port).unwrap_or(authority);
    if host.is_empty() || host.starts_with(':') || !host.bytes().all(host_chars) {
        return None;
    }
    Some([scheme, "://", &host.to_ascii_lowercase()].concat())
}

/// Host and port of a URL, or the whole text where it is none.
fn host_of(url: &str) -> String {
    origin_of(url).and_then(|origin| origin.split_once("://").map(|(_, host)| host.to_owned())).unwrap_or_else(|| url.to_owned())
}

/// Whether the gate may fetch from here: https, or http to this machine.
fn is_fetchable(url: &str) -> bool {
    let Some(origin) = origin_of(url) else {
        return false;
    };
    let clean = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains('#');
    let is_loopback = || {
        let host = host_of(&origin);
        let name =
            if host.starts_with('[') { host.split(']').next().unwrap_or("") } else { host.split(':').next().unwrap_or("") };
        matches!(name, "localhost" | "[::1") || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    };
    clean && (origin.starts_with("https://") || is_loopback())
}

/// A token of RFC 9110 section 5.6.2: names of headers, cookies, methods.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
