//! What the gate itself makes of a pasted credential: each layer by itself (`Engine::explain`), and
//! what it would answer where a session is needed. Nothing is sent.

use std::collections::BTreeMap;

use doorward::Reason;
use serde_json::{Map, Value, json};

use crate::effects::Io;
use crate::plan::Variables;
use crate::policy::{self, Decided, Head, NoResponses, Policy};
use crate::report::wrap::labelled;

const MAX_FILE_BYTES: usize = 512 * 1024;

/// What was pasted, and what it is judged by.
pub(crate) struct Pasted<'a> {
    pub(crate) cookies: Option<&'a str>,
    pub(crate) token: Option<&'a str>,
    pub(crate) config: Option<&'a str>,
    pub(crate) env_files: &'a [String],
    pub(crate) jwks: Option<&'a str>,
    /// The public origin of the application.
    pub(crate) origin: &'a str,
}

/// The gate's view.
pub(crate) struct GateView {
    decided: Decided,
}

/// The gate's view of what was pasted.
///
/// # Errors
/// A file is not there, or the configuration is wrong: what the gate would log at its start.
pub(crate) async fn view(io: &Io, pasted: &Pasted<'_>) -> Result<GateView, String> {
    let variables = Variables::read(io, pasted.env_files).await?;
    let document = document(io, pasted).await?.to_string();
    let names = io.carrier().inspect(&json!({ "config": document }));
    let names = names.get("names").and_then(Value::as_array).into_iter().flatten();
    let mut values = BTreeMap::new();
    for name in names.filter_map(Value::as_str) {
        if let Some(value) = variables.first(io, &[name]).await {
            values.insert(name.to_owned(), value.value);
        }
    }
    if pasted.cookies.is_none() {
        // A token needs no secret.
        values
            .entry("BETTER_AUTH_SECRET".to_owned())
            .or_insert_with(|| "stands-for-a-secret-0123456789-ABCDEFGHIJKL".to_owned());
    }
    let compiled = Policy::compile(io.carrier(), &document, &values);
    let Some(policy) = compiled.policy else {
        return Err(compiled.errors.first().map(in_words).unwrap_or_default());
    };
    let authorization = pasted.token.map(|token| format!("Bearer {token}"));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = [header("accept", "application/json")]
        .into_iter()
        .chain(pasted.cookies.map(|cookies| header("cookie", cookies)))
        .chain(authorization.as_deref().map(|value| header("authorization", value)))
        .collect();
    let head = Head {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers,
        public_origin: pasted.origin.to_owned(),
        client_address: None,
    };
    let now = io.now().await;
    let decided = policy.decide(io, &head, &mut NoResponses, now).await;
    Ok(GateView { decided })
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
        let answer = match self.decided.reason() {
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
        };
        out.push_str(&labelled(2, "answer", 13, &answer));
        out
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
            "passes": reason.is_none(),
            "reason": reason.map(Reason::code),
        })
    }
}

/// The configuration with one rule, which asks everybody for a session, and with the keys that were
/// given.
async fn document(io: &Io, pasted: &Pasted<'_>) -> Result<Value, String> {
    let file = pasted.config.unwrap_or("doorward.json");
    let text = match io.read_text(file, MAX_FILE_BYTES).await? {
        Some(text) => text,
        None if pasted.config.is_some() => return Err(format!("{file} does not exist")),
        None => "{\"extends\":\"better-auth\"}".to_owned(),
    };
    let mut document: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| format!("{file} is no JSON object: {error}"))?;
    for member in ["require", "public", "sign_in", "deny_list"] {
        document.remove(member);
    }
    let everything =
        json!([{ "path": "/", "access": "required" }, { "path": "/**", "access": "required" }]);
    let rules =
        everything.as_array().map(|rules| rules.iter().take(1).cloned().collect::<Vec<_>>());
    let is_preset = document.contains_key("extends");
    document.insert("rules".to_owned(), if is_preset { rules.into() } else { everything });
    if let Some(path) = pasted.jwks {
        let text = io.read_text(path, MAX_FILE_BYTES).await?;
        let text = text.ok_or_else(|| format!("{path} does not exist"))?;
        let keys: Value =
            serde_json::from_str(&text).map_err(|error| format!("{path} is no JSON: {error}"))?;
        add_keys(&mut document, &keys);
    }
    Ok(Value::Object(document))
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
