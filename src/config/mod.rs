//! The configuration: parse → names → compile, and every error at once.
//!
//! The document is walked, not deserialised in one go: a reader wants all mistakes with their
//! places, not the first one with a byte offset. `docs/configuration.md` is the reference; a test
//! holds the two together.

mod assertion;
mod deny_list;
mod framework;
mod headers;
mod issuers;
mod mark;
mod pages;
mod reader;
mod requirements;
mod rules;
mod storage;
mod url;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::encoding::json;
use crate::http::path::framework::usual_functions;
use crate::http::path::{self, Path};
use crate::http::request::RequestHead;
use crate::jose::alg::Capabilities;
use crate::policy::{ATTEMPT, Access, Cors, Policy, SignIn};
pub use mark::MARK_SECRET;
use reader::{Node, Reader};

/// With no document at all.
const PRESET: &str = include_str!("better-auth.json");
/// An instance is one of many: a service that answers a few hundred a second stays up when a dozen
/// of them start at once.
const ASKS_PER_SECOND: u32 = 20;

/// The variable in which JavaScript's tools say what is going on: `development` is the only word
/// that counts, and only where the request, too, comes from this machine.
const MODE: &str = "NODE_ENV";

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
            Some(members) => Ok(Self { document: json::Value::Object(members).into() }),
            None => Err(vec![ConfigError {
                path: String::new(),
                problem: "the configuration is not one JSON object without duplicate members"
                    .to_owned(),
                hint: "check for a trailing comma, a comment, or a member that appears twice"
                    .to_owned(),
            }]),
        }
    }

    /// Names of the environment variables whose values [`Self::compile`] may use: the host supplies
    /// just these.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.document, "env", &mut names);
        names
    }

    /// Names of the stores that the document speaks of: a host says which of them it has
    /// ([`Capabilities::and_stores`]).
    pub fn stores(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.document, "store", &mut names);
        names
    }

    /// Turns the document into a policy, given the values of its variables and what the host can
    /// carry. A host on which people develop gives the value of `NODE_ENV` as well.
    ///
    /// # Errors
    /// Every error at once, each with its place and a hint.
    pub fn compile(
        &self,
        values: &BTreeMap<String, String>,
        capabilities: &Capabilities,
    ) -> Result<Policy, Vec<ConfigError>> {
        Compiler { reader: Reader::new(values), capabilities }.policy(&self.document)
    }
}

/// What members of this name say: in order, each once.
fn collect(value: &Value, member: &str, names: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(named) = members.get(member) {
                let list =
                    named.as_array().map_or_else(|| std::slice::from_ref(named), Vec::as_slice);
                for name in list.iter().filter_map(Value::as_str) {
                    if let Err(place) = names.binary_search_by(|known| known.as_str().cmp(name)) {
                        names.insert(place, name.to_owned());
                    }
                }
            }
            members.values().for_each(|inner| collect(inner, member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, member, names)),
        _ => {}
    }
}

/// Scheme, host and port of each Better Auth service. What is wrong with their URLs is said
/// elsewhere.
fn service_origins(root: &Node<'_>, values: &BTreeMap<String, String>) -> Vec<String> {
    let nodes = root.member("issuers").map(|list| list.items()).unwrap_or_default();
    let services = nodes
        .iter()
        .filter(|node| node.value.get("type").and_then(Value::as_str) == Some("better-auth"));
    services
        .filter_map(|node| Reader::new(values).optional_text(node, "url"))
        .filter_map(|service| url::origin_of(&service))
        .collect()
}

/// A sign-in page that asks for a session: whoever is sent there is sent there again.
fn closed_sign_in(policy: &Policy) -> Option<ConfigError> {
    let target = &policy.sign_in.as_ref()?.path;
    let head = RequestHead {
        method: "GET",
        target,
        headers: &[],
        public_origin: "",
        client_address: None,
    };
    let path = Path::of(&head, policy.framework.as_ref()).ok()?;
    let matched_rules = policy.matched_rules(&path, &head);
    let is_open = matched_rules.is_some_and(|matched_rules| {
        policy.rules_of(&matched_rules).all(|rule| rule.access != Access::Required)
    });
    (!is_open).then(|| ConfigError {
        path: "sign_in.path".to_owned(),
        problem: "nobody gets there without a session".to_owned(),
        hint: format!(
            "add a rule before the others: {{\"path\": \"{target}\", \"access\": \"public\"}}"
        ),
    })
}

/// Functions of the framework that no rule covers: those of a site whose last word is a public
/// `/**`.
fn closed_functions(policy: &Policy) -> Option<ConfigError> {
    let mut usual = usual_functions(policy.framework.as_ref()?.kind);
    let is_covered = |prefix: &String| {
        let target = [prefix, "/a/b"].concat();
        let head = RequestHead {
            method: "POST",
            target: &target,
            headers: &[],
            public_origin: "",
            client_address: None,
        };
        Path::parse(&target, None).is_ok_and(|path| policy.matched_rules(&path, &head).is_some())
    };
    let prefix = usual.find(|prefix| !is_covered(prefix))?;
    Some(ConfigError {
        path: "rules".to_owned(),
        problem: format!(
            "no rule covers the functions below {prefix}, so they are denied: a public one has to name them"
        ),
        hint: format!(
            "add a rule before the others, like {{\"path\": \"{prefix}/**\", \"access\": \"required\"}}"
        ),
    })
}

struct Compiler<'v> {
    reader: Reader<'v>,
    capabilities: &'v Capabilities,
}

impl Compiler<'_> {
    fn policy(mut self, document: &Value) -> Result<Policy, Vec<ConfigError>> {
        let root = Node { value: document, path: String::new() };
        self.reader.only_members(
            &root,
            &[
                "issuers",
                "rules",
                "framework",
                "sign_in",
                "pages",
                "allowed_origins",
                "cors",
                "docs_url",
                "header_prefix",
                "keep_headers",
                "debug_header",
                "assertion",
                "headers",
                "require_catch_all",
                "asks_per_second",
                "deny_list",
            ],
        );
        let issuers = self.issuers(&root);
        let base_path =
            root.member("issuers").map(|list| list.items()).unwrap_or_default().iter().find_map(
                |node| {
                    if node.value.get("type").and_then(Value::as_str) == Some("better-auth") {
                        Some(issuers::base_path_of(node, self.reader.values))
                    } else {
                        None
                    }
                },
            );
        let framework = self.framework(&root);
        let assertions = self.assertions(&root, &issuers);
        let mark = self.mark(&issuers);
        let rules = self.rules(
            &root,
            &issuers,
            framework.as_ref(),
            base_path.as_deref(),
            assertions.as_ref(),
        );
        let claim_headers = self.claim_headers(&root, &rules);
        let sign_in = self.sign_in(&root);
        let pages = self.pages(&root, framework.as_ref());
        let allowed_origins = self.origins(&root, "allowed_origins").unwrap_or_default();
        let service_origins = service_origins(&root, self.reader.values);
        let is_development = self.reader.values.get(MODE).is_some_and(|mode| mode == "development");
        let cors = self.cors(&root, &allowed_origins);
        let docs_url = self.docs_url(&root);
        let header_prefix = self.header_prefix(&root);
        let keep_headers = self.keep_headers(&root);
        let debug_header = self.reader.flag(&root, "debug_header").unwrap_or(false);
        let asks_per_second =
            self.reader.number(&root, "asks_per_second", 4, 10_000).unwrap_or(ASKS_PER_SECOND);
        let deny_list = self.deny_list(&root);
        self.equal_secrets(&issuers);
        if self.reader.errors.is_empty() {
            let capabilities = self.capabilities.clone();
            let named_claims = headers::named_claims(&rules, &claim_headers);
            let mut policy = Policy {
                issuers,
                rules,
                framework,
                sign_in,
                pages,
                allowed_origins,
                service_origins,
                is_development,
                cors,
                docs_url,
                header_prefix,
                keep_headers,
                debug_header,
                assertions,
                mark,
                claim_headers,
                named_claims,
                deny_list,
                asks_per_second,
                capabilities,
                warnings: self.reader.warnings,
            };
            policy.warnings.extend(closed_sign_in(&policy));
            policy.warnings.extend(closed_functions(&policy));
            Ok(policy)
        } else {
            Err(self.reader.errors)
        }
    }

    fn sign_in(&mut self, root: &Node<'_>) -> Option<SignIn> {
        let node = root.member("sign_in").filter(|node| !node.value.is_null())?;
        self.reader.only_members(&node, &["path", "return_parameter"]);
        let path = self.reader.optional_text(&node, "path").unwrap_or_default();
        let return_parameter = self
            .reader
            .optional_text(&node, "return_parameter")
            .unwrap_or_else(|| "callbackURL".to_owned());
        if !url::is_token(&return_parameter) {
            self.reader.wrong(
                &node.path_of("return_parameter"),
                "this is not the name of a query parameter",
                "use letters and digits",
            );
        }
        if return_parameter == ATTEMPT {
            self.reader.wrong(
                &node.path_of("return_parameter"),
                "the gate counts attempts under this name",
                "take another one, like callbackURL",
            );
        }
        let Some(segments) = path::plain_segments(&path) else {
            self.reader.wrong(
                &node.path_of("path"),
                "this is not a path of this site",
                "write it like /sign-in",
            );
            return None;
        };
        Some(SignIn { path, segments, return_parameter })
    }

    fn origins(&mut self, node: &Node<'_>, name: &str) -> Option<Vec<String>> {
        let origins = self.reader.texts(node, name)?;
        let read: Option<Vec<String>> =
            origins.iter().map(|origin| url::as_origin(origin)).collect();
        if read.is_none() {
            self.reader.wrong(
                &node.path_of(name),
                "this is not an origin",
                "write scheme, host and port only, like https://app.example.com",
            );
        }
        Some(read.unwrap_or_default())
    }

    /// Whoever may send a cookie from another origin may read why it was refused.
    fn cors(&mut self, root: &Node<'_>, allowed_origins: &[String]) -> Cors {
        let Some(node) = root.member("cors").filter(|node| !node.value.is_null()) else {
            return Cors { origins: allowed_origins.to_vec(), credentials: true };
        };
        self.reader.only_members(&node, &["origins", "credentials"]);
        Cors {
            origins: self.origins(&node, "origins").unwrap_or_else(|| allowed_origins.to_vec()),
            credentials: self.reader.flag(&node, "credentials").unwrap_or(true),
        }
    }

    fn docs_url(&mut self, root: &Node<'_>) -> Option<String> {
        let docs_url = self.reader.optional_text(root, "docs_url")?;
        if url::origin_of(&docs_url).is_none()
            || !docs_url.bytes().all(|byte| byte.is_ascii_graphic())
        {
            self.reader.wrong(
                "docs_url",
                "this is not an absolute http(s) URL",
                "write what comes before a reason's code, like https://example.com/docs/reasons#",
            );
        }
        Some(docs_url)
    }

    fn header_prefix(&mut self, root: &Node<'_>) -> String {
        let prefix = self
            .reader
            .optional_text(root, "header_prefix")
            .unwrap_or_else(|| "x-doorward-".to_owned())
            .to_ascii_lowercase();
        let plain = prefix
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !plain || !prefix.starts_with("x-") || !prefix.ends_with('-') || prefix.len() < 5 {
            self.reader.wrong(
                "header_prefix",
                "this is not a prefix for headers of our own",
                "write it like x-doorward-",
            );
        }
        prefix
    }
}
