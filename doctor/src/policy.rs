//! A configuration with the values of its variables, as the gate's engine has it: which rules cover
//! a path, and what comes of a request.

use std::collections::BTreeMap;

use doorward::Reason;
use serde_json::{Value, json};

use crate::effects::Io;
use crate::functions::Carrier;

/// No request asks for more.
const MAX_EFFECTS: usize = 32;

/// A configuration that compiles.
#[derive(Debug)]
pub(crate) struct Policy {
    carrier: Carrier,
    config: String,
    values: BTreeMap<String, String>,
    /// Of each auth service: `session_token`, `session_data`.
    pub(crate) cookies: Vec<(String, String)>,
}

/// Which rules cover a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// `public`, `optional`, `required`, `denied` (by no rule) or `refused` (its path).
    pub(crate) access: &'static str,
    /// The strictest of them, by its number.
    pub(crate) rule: Option<usize>,
}

/// A request's head.
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) public_origin: String,
    pub(crate) client_address: Option<String>,
}

/// A response: status, header pairs, body.
pub(crate) type Response = (u16, Vec<(String, String)>, String);

/// What stands in for the network.
pub(crate) trait Responses {
    /// What is answered to a fetch for this purpose; nothing where nobody answers.
    fn fetch(&mut self, purpose: &str, url: &str) -> Option<Response>;
}

/// Nobody answers.
pub(crate) struct NoResponses;

impl Responses for NoResponses {
    fn fetch(&mut self, _: &str, _: &str) -> Option<Response> {
        None
    }
}

/// What the gate's engine says of a configuration: place, problem and hint of each.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) policy: Option<Policy>,
    pub(crate) errors: Vec<[String; 3]>,
    pub(crate) warnings: Vec<[String; 3]>,
}

impl Policy {
    /// Compiles a configuration.
    pub(crate) fn compile(
        carrier: &Carrier,
        config: &str,
        values: &BTreeMap<String, String>,
    ) -> Compiled {
        let answer = carrier.inspect(&json!({ "config": config, "values": values }));
        let errors = triples(answer.get("errors"));
        let Some(cookies) = answer.get("cookies").and_then(Value::as_array) else {
            return Compiled { policy: None, errors, warnings: Vec::new() };
        };
        let text =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let policy = Self {
            carrier: carrier.clone(),
            config: config.to_owned(),
            values: values.clone(),
            cookies: cookies.iter().map(|names| (text(names.get(0)), text(names.get(1)))).collect(),
        };
        Compiled { policy: Some(policy), errors, warnings: triples(answer.get("warnings")) }
    }

    /// Which rules cover each of these paths.
    pub(crate) fn coverage(&self, paths: &[&str]) -> Vec<Coverage> {
        let question = json!({ "config": self.config, "values": self.values, "paths": paths });
        let answer = self.carrier.inspect(&question);
        let covered = answer.get("coverage").and_then(Value::as_array);
        covered.into_iter().flatten().map(coverage).collect()
    }

    /// The final decision on a request, and each of its credentials layer by layer. Signatures are
    /// checked by the carrier, and where the gate would sign something it is taken as signed.
    pub(crate) async fn decide(
        &self,
        io: &Io,
        head: &Head,
        responses: &mut impl Responses,
        now: i64,
    ) -> Decided {
        let mut results: Vec<Value> = Vec::new();
        loop {
            let answer = self.carrier.inspect(&json!({
                "config": self.config,
                "values": self.values,
                "now": now,
                "head": {
                    "method": head.method,
                    "target": head.target,
                    "headers": head.headers,
                    "public_origin": head.public_origin,
                    "client_address": head.client_address,
                },
                "results": results,
            }));
            let Some(effect) = answer.get("effect").filter(|_| results.len() < MAX_EFFECTS) else {
                return Decided { answer };
            };
            let result = performed(io, effect, responses).await;
            results.push(result);
        }
    }
}

fn triples(value: Option<&Value>) -> Vec<[String; 3]> {
    let text =
        |own: &Value, at: usize| own.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let all = value.and_then(Value::as_array).into_iter().flatten();
    all.map(|own| [text(own, 0), text(own, 1), text(own, 2)]).collect()
}

fn coverage(covered: &Value) -> Coverage {
    const WORDS: [&str; 5] = ["public", "optional", "required", "denied", "refused"];
    let access = covered.get("access").and_then(Value::as_str);
    let rule = covered.pointer("/rules/0").and_then(Value::as_u64);
    Coverage {
        access: WORDS.into_iter().find(|word| Some(*word) == access).unwrap_or("denied"),
        rule: rule.and_then(|number| usize::try_from(number).ok()),
    }
}

async fn performed(io: &Io, effect: &Value, responses: &mut impl Responses) -> Value {
    let text = |name: &str| effect.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("kind") {
        "check" => {
            let (message, signature) = (bytes(text("message")), bytes(text("signature")));
            let holds = io.check_signature(text("algorithm"), text("key"), &message, &signature);
            holds.await.map_or(json!({}), |holds| json!({ "checked": holds }))
        }
        "sign" => json!({ "signed": true }),
        "wait" => json!({ "waited": true }),
        "fetch" => match responses.fetch(text("purpose"), text("url")) {
            Some((status, headers, body)) => {
                json!({ "answered": status, "headers": headers, "body": body })
            }
            None => json!({}),
        },
        _ => json!({}),
    }
}

fn bytes(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Decided {
    answer: Value,
}

impl Decided {
    /// The decision: its `kind`, and what belongs to it.
    pub(crate) fn decision(&self) -> &Value {
        self.answer.get("decision").unwrap_or(&Value::Null)
    }

    /// Why it is refused; nothing where it is not.
    pub(crate) fn reason(&self) -> Option<Reason> {
        reason(self.decision())
    }

    /// Each credential of the request.
    pub(crate) fn credentials(&self) -> &[Value] {
        self.answer.get("credentials").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// The reason that an object names.
pub(crate) fn reason(value: &Value) -> Option<Reason> {
    let code = value.get("reason").and_then(Value::as_str)?;
    Reason::ALL.iter().copied().find(|reason| reason.code() == code)
}
