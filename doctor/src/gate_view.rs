//! What the gate itself makes of a pasted credential: each layer by itself (`Engine::explain`), and
//! what it would answer where a session is needed. Nothing is sent.

use std::collections::BTreeMap;

use doorward::Reason;
use serde_json::{Map, Value, json};

use crate::effects::Io;
use crate::explanation::paste::Paste;
use crate::plan::Variables;
use crate::policy::{self, Coverage, Decided, Head, NoResponses, Policy};
use crate::report::wrap::labelled;

const MAX_FILE_BYTES: usize = 512 * 1024;

/// What was pasted, and what it is judged by.
pub(crate) struct Pasted<'a> {
    pub(crate) request: &'a Paste,
    pub(crate) config: Option<&'a str>,
    pub(crate) env_files: &'a [String],
    pub(crate) jwks: Option<&'a str>,
    /// The public origin of the application.
    pub(crate) origin: &'a str,
}

/// The gate's view.
pub(crate) struct GateView {
    policy: Policy,
    pub(crate) head: Head,
    /// The configuration, with the keys that were given.
    pub(crate) document: String,
    /// The variables that it names, as far as they are set.
    pub(crate) values: BTreeMap<String, String>,
    /// What covers the path; nothing where no path is known, and everything needs a session.
    pub(crate) coverage: Option<Coverage>,
    /// What the rule is called that covers it.
    pub(crate) rule: Option<String>,
    decided: Decided,
}

/// The gate's view of what was pasted at a moment.
///
/// # Errors
/// A file is not there, or the configuration is wrong: what the gate would log at its start.
pub(crate) async fn view(io: &Io, pasted: &Pasted<'_>, now: i64) -> Result<GateView, String> {
    let variables = Variables::read(io, pasted.env_files).await?;
    let document = document(io, pasted).await?.to_string();
    let said = io.carrier().inspect(&json!({ "config": document }));
    let texts = |name: &str| {
        let texts = said.get(name).and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut values = BTreeMap::new();
    for name in texts("names") {
        if let Some(value) = variables.first(io, &[&name]).await {
            values.insert(name, value.value);
        }
    }
    if pasted.request.joined("cookie").is_none() {
        // A token needs no secret.
        values
            .entry("BETTER_AUTH_SECRET".to_owned())
            .or_insert_with(|| "stands-for-a-secret-0123456789-ABCDEFGHIJKL".to_owned());
    }
    let compiled = Policy::compile(io.carrier(), &document, &values);
    let Some(policy) = compiled.policy else {
        return Err(compiled.errors.first().map(in_words).unwrap_or_default());
    };
    let head = head(pasted);
    let target = pasted.request.target.as_deref();
    let coverage = target.and_then(|target| policy.coverage(&[target]).into_iter().next());
    let rule = coverage.as_ref().and_then(|own| texts("rules").into_iter().nth(own.rule?));
    let decided = policy.decide(io, &head, &mut NoResponses, now).await;
    Ok(GateView { policy, head, document, values, coverage, rule, decided })
}

/// The request's head, as a program would send it where only a credential was pasted.
fn head(pasted: &Pasted<'_>) -> Head {
    let request = pasted.request;
    let mut headers = request.headers.clone();
    if request.target.is_none() {
        headers.insert(0, ("accept".to_owned(), "application/json".to_owned()));
    }
    Head {
        method: request.method.clone().unwrap_or_else(|| "GET".to_owned()),
        target: request.target.clone().unwrap_or_else(|| "/".to_owned()),
        headers,
        public_origin: request.origin.clone().unwrap_or_else(|| pasted.origin.to_owned()),
        client_address: None,
    }
}

/// A member of the log line in words: `token.unverified.alg: EdDSA`.
fn told(name: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(own, value)| told(&format!("{name}.{own}"), value, lines));
        }
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            lines.push(format!("{name}: {}", texts.join(", ")));
        }
        Value::Array(items) => items.iter().for_each(|item| told(name, item, lines)),
        Value::String(text) => lines.push(format!("{name}: {text}")),
        value => lines.push(format!("{name}: {value}")),
    }
}

/// A mistake of the configuration, as the gate says it.
fn in_words([path, problem, hint]: &[String; 3]) -> String {
    let place = if path.is_empty() { "the document" } else { path };
    format!("{place}: {problem} (hint: {hint})")
}

impl GateView {
    /// As lines of text.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for credential in self.decided.credentials() {
            let issuer = member(credential, "issuer").unwrap_or("any issuer");
            out.push_str(&format!("\nthe gate, credential of {issuer}\n"));
            for own in layers(credential) {
                let name = member(own, "name").unwrap_or_default();
                out.push_str(&labelled(2, name, 13, &with_reason(layer(own), policy::reason(own))));
            }
            let words = with_reason(verdict(credential), policy::reason(credential));
            out.push_str(&labelled(2, "so", 13, &words));
        }
        out.push_str(&labelled(2, "answer", 13, &self.answer()));
        out
    }

    /// The decision in words.
    pub(crate) fn answer(&self) -> String {
        match self.decided.reason() {
            None => "it would let it pass".to_owned(),
            Some(reason) if reason.status() == 503 => {
                format!("it would have to ask, and offline nobody answers ({})", reason.code())
            }
            Some(reason) => format!(
                "it would answer {}: {} ({})",
                reason.status(),
                reason.sentence(),
                reason.code()
            ),
        }
    }

    /// Why it is refused; nothing where it is not.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.decided.reason()
    }

    /// What is decided at another moment: the code of a reason, or nothing.
    pub(crate) async fn reason_at(&self, io: &Io, moment: i64) -> Option<&'static str> {
        let decided = self.policy.decide(io, &self.head, &mut NoResponses, moment).await;
        decided.reason().map(Reason::code)
    }

    /// The members of the gate's log line that say what was expected and what came.
    pub(crate) fn findings(&self) -> Vec<String> {
        const KNOWN: [&str; 11] = [
            "decision",
            "event",
            "gate",
            "method",
            "path",
            "reason",
            "status",
            "time",
            "rule",
            "kind",
            "request_id",
        ];
        let line = self.decided.decision().get("log").and_then(Value::as_object);
        let members = line.into_iter().flatten();
        let mut lines = Vec::new();
        for (name, value) in members.filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
            told(name, value, &mut lines);
        }
        lines
    }

    /// What the engine says of each layer of each credential.
    pub(crate) fn credential_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for credential in self.decided.credentials() {
            for own in layers(credential) {
                let name = member(own, "name").unwrap_or_default();
                lines.push(format!("{name} {}", with_reason(layer(own), policy::reason(own))));
            }
        }
        lines
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let code = |own: &Value| policy::reason(own).map(Reason::code);
        let credentials = self.decided.credentials().iter().map(|credential| {
            let layers = layers(credential).iter().map(
                |own| json!({ "name": own.get("name"), "words": layer(own), "reason": code(own) }),
            );
            json!({
                "issuer": credential.get("issuer"),
                "layers": layers.collect::<Vec<_>>(),
                "verdict": { "words": verdict(credential), "reason": code(credential) },
            })
        });
        let reason = self.decided.reason();
        json!({
            "credentials": credentials.collect::<Vec<_>>(),
            "decision": self.decided.decision().get("kind"),
            "passes": reason.is_none(),
            "reason": reason.map(Reason::code),
        })
    }
}

/// The configuration with the keys that were given. Where no path is known, it has one rule, which
/// asks everybody for a session.
async fn document(io: &Io, pasted: &Pasted<'_>) -> Result<Value, String> {
    let file = pasted.config.unwrap_or("doorward.json");
    let text = match io.read_text(file, MAX_FILE_BYTES).await? {
        Some(text) => text,
        None if pasted.config.is_some() => return Err(format!("{file} does not exist")),
        None => "{\"extends\":\"better-auth\"}".to_owned(),
    };
    let mut document: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| format!("{file} is no JSON object: {error}"))?;
    if pasted.request.target.is_none() {
        ask_everybody(&mut document);
    }
    if let Some(path) = pasted.jwks {
        let text = io.read_text(path, MAX_FILE_BYTES).await?;
        let text = text.ok_or_else(|| format!("{path} does not exist"))?;
        let keys: Value =
            serde_json::from_str(&text).map_err(|error| format!("{path} is no JSON: {error}"))?;
        add_keys(&mut document, &keys);
    }
    Ok(Value::Object(document))
}

fn ask_everybody(document: &mut Map<String, Value>) {
    for member in ["require", "public", "sign_in", "deny_list"] {
        document.remove(member);
    }
    let mut rules = vec![json!({ "path": "/", "access": "required" })];
    // The preset has a rule for all other paths.
    if !document.contains_key("extends") {
        rules.push(json!({ "path": "/**", "access": "required" }));
    }
    document.insert("rules".to_owned(), rules.into());
}

fn add_keys(document: &mut Map<String, Value>, keys: &Value) {
    let issuers = document.entry("issuers").or_insert_with(|| json!({}));
    let list = match issuers {
        Value::Array(items) => items.iter_mut().collect(),
        one => vec![one],
    };
    for issuer in list {
        if let Value::Object(members) = issuer {
            members.remove("jwks_url");
            members.insert("jwks".to_owned(), keys.clone());
        }
    }
}

fn member<'a>(own: &'a Value, name: &str) -> Option<&'a str> {
    own.get(name).and_then(Value::as_str)
}

/// The layers of a credential, each by itself.
fn layers(credential: &Value) -> &[Value] {
    credential.get("layers").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What the engine says of a layer, in words.
fn layer(own: &Value) -> &'static str {
    match member(own, "is").unwrap_or_default() {
        "absent" => "is not there",
        "valid" => "holds",
        "unverified" => "is there; there is no secret to check it with",
        "unsigned" => "has no signature",
        "bad" => "does not hold",
        _ => "is not known without a key or the platform",
    }
}

/// What a credential comes to, in words.
fn verdict(credential: &Value) -> &'static str {
    match member(credential, "verdict").unwrap_or_default() {
        "authenticated" => "authenticated",
        "lookup-required" => "the gate would ask the auth service",
        "effect-required" => "the gate would fetch keys or have a signature checked",
        _ => "nobody",
    }
}

fn with_reason(words: &'static str, reason: Option<Reason>) -> String {
    match reason {
        Some(reason) => format!("{words}: {} ({})", reason.sentence(), reason.code()),
        None => words.to_owned(),
    }
}
