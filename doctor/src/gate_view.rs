//! What the gate itself makes of a pasted credential: each layer by itself (`Engine::explain`), and
//! what it would answer where a session is needed. Nothing is sent.

use std::collections::BTreeMap;

use doorward::{
    Config, CredentialExplanation, Decision, Engine, Explanation, Layer, LayerVerdict, Layers,
    Reason, RequestHead, UnixTime,
};
use serde_json::{Map, Value, json};

use crate::decide::{NoReplies, decide};
use crate::effects::Io;
use crate::plan::Variables;
use crate::project::config_file::host;
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
    explanation: Explanation,
    /// What the gate would answer where everything needs a session; nothing: it forwards.
    reason: Option<Reason>,
}

/// The gate's view of what was pasted.
///
/// # Errors
/// A file is not there, or the configuration is wrong: what the gate would log at its start.
pub(crate) async fn view(io: &Io, pasted: &Pasted<'_>) -> Result<GateView, String> {
    let variables = Variables::read(io, pasted.env_files).await?;
    let document = document(io, pasted).await?;
    let wrong = |errors: Vec<doorward::ConfigError>| {
        errors.first().map(ToString::to_string).unwrap_or_default()
    };
    let config = Config::parse(&document.to_string()).map_err(wrong)?;
    let mut values = BTreeMap::new();
    for name in config.names() {
        if let Some(value) = variables.first(io, &[name.as_str()]).await {
            values.insert(name, value.value);
        }
    }
    if pasted.cookies.is_none() {
        // A token needs no secret.
        values
            .entry("BETTER_AUTH_SECRET".to_owned())
            .or_insert_with(|| "stands-for-a-secret-0123456789-ABCDEFGHIJKL".to_owned());
    }
    let policy = config.compile(&values, &host(&config)).map_err(wrong)?;
    let mut engine = Engine::new(policy, 1);
    let authorization = pasted.token.map(|token| format!("Bearer {token}"));
    let headers: Vec<(&str, &str)> = [("accept", "application/json")]
        .into_iter()
        .chain(pasted.cookies.map(|cookies| ("cookie", cookies)))
        .chain(authorization.as_deref().map(|value| ("authorization", value)))
        .collect();
    let head = RequestHead {
        method: "GET",
        target: "/",
        headers: &headers,
        public_origin: pasted.origin,
        client_address: None,
    };
    let now = UnixTime::from_millis(io.now().await);
    let explanation = engine.explain(&head, now);
    let reason = match decide(io, &mut engine, &head, &mut NoReplies, now).await {
        Decision::Reject(refusal) | Decision::Redirect(refusal) => Some(refusal.reason),
        _ => None,
    };
    Ok(GateView { explanation, reason })
}

impl GateView {
    /// As lines of text.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for credential in &self.explanation.credentials {
            let issuer = credential.issuer.as_deref().unwrap_or("any issuer");
            out.push_str(&format!("\nthe gate, credential of {issuer}\n"));
            for (name, own) in layers(credential) {
                out.push_str(&labelled(2, name, 13, &with_reason(layer(own))));
            }
            out.push_str(&labelled(2, "so", 13, &with_reason(verdict(&credential.verdict))));
        }
        let answer = match self.reason {
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
        let credentials = self.explanation.credentials.iter().map(|credential| {
            let layers = layers(credential).into_iter().map(|(name, own)| {
                let (words, reason) = layer(own);
                json!({ "name": name, "words": words, "reason": reason.map(Reason::code) })
            });
            let (words, reason) = verdict(&credential.verdict);
            json!({
                "issuer": credential.issuer,
                "layers": layers.collect::<Vec<_>>(),
                "verdict": { "words": words, "reason": reason.map(Reason::code) },
            })
        });
        json!({
            "credentials": credentials.collect::<Vec<_>>(),
            "passes": self.reason.is_none(),
            "reason": self.reason.map(Reason::code),
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

const fn layer(layer: Layer) -> (&'static str, Option<Reason>) {
    match layer {
        Layer::Absent => ("is not there", None),
        Layer::Valid => ("holds", None),
        Layer::Unverified => ("is there; there is no secret to check it with", None),
        Layer::Unsigned => ("has no signature", None),
        Layer::Unknown => ("is not known without a key or the platform", None),
        Layer::Bad(reason) => ("does not hold", Some(reason)),
    }
}

/// Names and layers of a credential.
fn layers(credential: &CredentialExplanation) -> Vec<(&'static str, Layer)> {
    match credential.layers {
        Layers::BetterAuthCookies { token, data } => {
            vec![("session_token", token), ("session_data", data)]
        }
        Layers::BearerToken { token } => vec![("bearer token", token)],
        Layers::Jwt { jwt } => vec![("JWT", jwt)],
        _ => Vec::new(),
    }
}

fn verdict(verdict: &LayerVerdict) -> (&'static str, Option<Reason>) {
    match verdict {
        LayerVerdict::Authenticated { .. } => ("authenticated", None),
        LayerVerdict::LookupRequired => ("the gate would ask the auth service", None),
        LayerVerdict::EffectRequired => {
            ("the gate would fetch keys or have a signature checked", None)
        }
        LayerVerdict::Unauthenticated(reason) => ("nobody", Some(*reason)),
    }
}

fn with_reason((words, reason): (&'static str, Option<Reason>)) -> String {
    match reason {
        Some(reason) => format!("{words}: {} ({})", reason.sentence(), reason.code()),
        None => words.to_owned(),
    }
}
