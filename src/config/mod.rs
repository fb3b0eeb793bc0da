//! The configuration: parse → names → compile, and every error at once.
//!
//! `table` declares the members, `preset` makes one document of a preset and what is written over
//! it, `reader` reads that by the table, and what is left here turns it into a policy.

mod assertion;
mod better_auth;
mod compiler;
mod deny_list;
mod framework;
mod headers;
mod issuers;
mod mark;
mod near;
mod pages;
mod pattern;
mod preset;
mod reader;
mod requirements;
mod rules;
mod secrets;
mod storage;
pub(crate) mod table;
mod url;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::capabilities::Capabilities;
use crate::encoding::json;
use crate::http::path::framework::usual_functions;
use crate::http::path::{self, Path};
use crate::http::request::RequestHead;
use crate::policy::config_error::ConfigError;
use crate::policy::rules::Access;
use crate::policy::{ATTEMPT, Cors, Policy, SignIn};
use compiler::Compiler;
pub use mark::MARK_SECRET;
use preset::Whole;
use reader::{Node, Reader, items};
use table::DOCUMENT;

/// The variable in which JavaScript's tools say what is going on: `development` is the only word
/// that counts, and only where the request, too, comes from this machine.
const MODE: &str = "NODE_ENV";

/// A configuration document that is not compiled yet, with all that its preset stands for.
#[derive(Debug, Clone)]
pub struct Config {
    whole: Whole,
}

impl Config {
    /// Reads a document; an empty text is the preset `better-auth`.
    ///
    /// # Errors
    /// The document is not a JSON object, or has a member twice.
    pub fn parse(json: &str) -> Result<Self, Vec<ConfigError>> {
        if json.trim().is_empty() {
            return Ok(Self { whole: Whole::preset() });
        }
        match json::object(json.as_bytes()).map(|members| json::Value::Object(members).into()) {
            Some(Value::Object(members)) => Ok(Self { whole: Whole::of(members) }),
            _ => Err(vec![ConfigError {
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
        self.read(|reader| reader.names)
    }

    /// Names of the stores that the document speaks of: a host says which of them it has
    /// ([`Capabilities::and_stores`]).
    pub fn stores(&self) -> Vec<String> {
        self.read(|reader| reader.stores)
    }

    /// The ports that the document leaves without a gate, for the host that is in front of a whole
    /// program. A value that is none is left out here; [`Self::compile`] refuses it.
    pub fn ungated_ports(&self) -> Vec<u16> {
        let ports = self.whole.document.get("ungated_ports").map(|ports| items(ports, ""));
        let port = |(port, _): (&Value, String)| u16::try_from(port.as_u64()?).ok();
        ports.into_iter().flatten().filter_map(port).filter(|port| *port > 0).collect()
    }

    /// What each rule is called in the document that somebody wrote, in the order of the rules:
    /// `rules[0]`, `require["/admin/**"]`, `preset better-auth: rules[1]`.
    pub fn rule_places(&self) -> Vec<String> {
        let count = self.whole.document.get("rules").and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).map(|number| self.whole.place_of(&format!("rules[{number}]"))).collect()
    }

    fn read<T>(&self, found: impl FnOnce(Reader<'_>) -> T) -> T {
        let values = BTreeMap::new();
        let mut reader = Reader::new(&values);
        reader.document(&self.whole.document);
        found(reader)
    }

    /// Turns the document into a policy with its warnings ([`Policy::warnings`]), given the values
    /// of its variables and what the host can do. A host on which people develop gives the value of
    /// `NODE_ENV` as well.
    ///
    /// # Errors
    /// Every error at once, each with its place and a hint.
    pub fn compile(
        &self,
        values: &BTreeMap<String, String>,
        capabilities: &Capabilities,
    ) -> Result<Policy, Vec<ConfigError>> {
        let mut compiler =
            Compiler { reader: Reader::new(values), capabilities, whole: &self.whole };
        let policy = compiler.policy();
        let Reader { mut errors, mut warnings, secrets, .. } = compiler.reader;
        errors.extend(policy.iter().flat_map(pages::closed_pages));
        let rename = |found: &mut ConfigError| found.path = self.whole.place_of(&found.path);
        errors.iter_mut().for_each(rename);
        match policy {
            Some(policy) if errors.is_empty() => {
                warnings.extend(closed_sign_in(&policy));
                warnings.extend(closed_functions(&policy));
                warnings.iter_mut().for_each(rename);
                Ok(Policy { warnings, secrets, ..policy })
            }
            _ => Err(errors),
        }
    }
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
    let matched = policy.matched_rules(&path, &head);
    let is_open =
        matched.is_some_and(|matched| matched.all().all(|rule| rule.access != Access::Required));
    (!is_open).then(|| ConfigError {
        path: "sign_in.path".to_owned(),
        problem: "this page cannot be reached without a session".to_owned(),
        hint: format!("make it public: \"public\": [{target:?}]"),
    })
}

/// Functions of the framework that no rule matches: those of a site whose last rule is a public
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
            "no rule matches the functions below {prefix}, so they are denied: a public rule has \
             to name them"
        ),
        hint: format!(
            "add a rule before the others, like {{\"path\": \"{prefix}/**\", \"access\": \
             \"required\"}}"
        ),
    })
}

impl Compiler<'_> {
    /// The policy; nothing where something that it cannot do without is wrong. It counts only where
    /// there are no errors.
    fn policy(&mut self) -> Option<Policy> {
        let document = self.reader.document(&self.whole.document);
        let root = Node { value: &document, path: String::new() };
        let issuers = self.issuers(&root);
        let framework = self.framework(&root);
        let assertions = self.assertions(&root, &issuers.services);
        let mark = self.mark(&issuers.services);
        let auth_path = issuers::auth_path(&root);
        let surroundings = rules::Surroundings {
            issuers: &issuers,
            framework: framework.as_ref(),
            auth_path: auth_path.as_deref(),
            assertions: assertions.as_ref(),
        };
        let rules = self.rules(&root, &surroundings);
        let claim_headers = self.claim_headers(&root, &rules);
        let named_claims = headers::named_claims(&rules, &claim_headers);
        let sign_in = self.sign_in(&root);
        let pages = self.pages(&root, framework.as_ref());
        let allowed_origins = self.origins(&root, "allowed_origins").unwrap_or_default();
        let service_origins =
            issuers.services.iter().map(|service| service.origin.clone()).collect();
        let cors = self.cors(&root, &allowed_origins);
        let docs_url = self.docs_url(&root);
        let header_prefix = self.header_prefix(&root);
        let keep_headers = self.keep_headers(&root);
        let deny_list = self.deny_list(&root);
        self.equal_secrets(&issuers.services);
        Some(Policy {
            issuers: issuers.all,
            services: issuers.services,
            rules: rules.into_iter().map(Arc::new).collect(),
            framework,
            sign_in,
            pages,
            allowed_origins,
            service_origins,
            is_development: self.reader.values.get(MODE).is_some_and(|mode| mode == "development"),
            cors,
            docs_url,
            header_prefix,
            keep_headers,
            debug_header: root.flag("debug_header"),
            server_timing: root.flag("server_timing"),
            pass_every: root.member("log").and_then(|log| log.optional_number("pass_every")),
            debug: self.debug(&root),
            assertions,
            mark,
            claim_headers,
            named_claims,
            deny_list,
            auth_requests_per_second: root.number(&DOCUMENT, "auth_requests_per_second"),
            capabilities: self.capabilities.clone(),
            warnings: Vec::new(),
            secrets: Vec::new(),
        })
    }

    /// Whoever is refused is then told what was expected.
    fn debug(&mut self, root: &Node<'_>) -> bool {
        let is_on = root.flag("debug");
        if is_on {
            let hint = "leave it out once the cause is found; the log says the same";
            self.reader.warn("debug", "refusals show their findings to whoever is refused", hint);
        }
        is_on
    }

    fn sign_in(&mut self, root: &Node<'_>) -> Option<SignIn> {
        let node = root.member("sign_in")?;
        let short = node.value.as_str();
        let place = if short.is_some() { node.path.clone() } else { node.path_of("path") };
        let path = short.or_else(|| node.text("path")).unwrap_or_default();
        let return_parameter = node.text("return_parameter").unwrap_or("callbackURL");
        if !url::is_token(return_parameter) {
            self.reader.wrong(
                &node.path_of("return_parameter"),
                "this is not the name of a query parameter",
                "use letters and digits",
            );
        }
        if return_parameter == ATTEMPT {
            self.reader.wrong(
                &node.path_of("return_parameter"),
                "the gate counts attempts to sign in under this name",
                "take another one, like callbackURL",
            );
        }
        let Some(segments) = path::plain_segments(path) else {
            let problem = "this is not a path of this site";
            self.reader.wrong(&place, problem, "write it like /sign-in");
            return None;
        };
        Some(SignIn {
            path: path.to_owned(),
            segments,
            return_parameter: return_parameter.to_owned(),
        })
    }

    fn origins(&mut self, node: &Node<'_>, name: &str) -> Option<Vec<String>> {
        let origins = node.texts(name)?;
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
        let node = root.member("cors");
        let origins = node.as_ref().and_then(|node| self.origins(node, "origins"));
        Cors {
            origins: origins.unwrap_or_else(|| allowed_origins.to_vec()),
            credentials: node
                .is_none_or(|node| node.flag("credentials") || !node.has("credentials")),
        }
    }

    fn docs_url(&mut self, root: &Node<'_>) -> Option<String> {
        let docs_url = root.text("docs_url")?;
        if url::origin_of(docs_url).is_none()
            || !docs_url.bytes().all(|byte| byte.is_ascii_graphic())
        {
            self.reader.wrong(
                "docs_url",
                "this is not an absolute http(s) URL",
                "write what comes before a reason's code, like https://example.com/docs/reasons#",
            );
        }
        Some(docs_url.to_owned())
    }

    fn header_prefix(&mut self, root: &Node<'_>) -> String {
        let prefix = root.text("header_prefix").unwrap_or("x-doorward-").to_ascii_lowercase();
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
