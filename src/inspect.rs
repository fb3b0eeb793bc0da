//! Questions about a configuration, and about what the engine makes of a request, as JSON: for the
//! command line and the page that explain a decision. They have no engine of their own and ask the
//! gate's, so that an explanation cannot differ from the decision.
//!
//! A question is a JSON object, and so is its answer:
//!
//! | member | asks | the answer has |
//! |---|---|---|
//! | `config` | what the document says | `errors`, or `names`, `stores`, `rules` (what each is called) |
//! | `values` | to compile it with these variables, for a host that can do everything | `errors`, or `warnings` and `cookies` (of each auth service: `session_token`, `session_data`) |
//! | `paths` | which rules cover each of these paths, requested by GET | `coverage` |
//! | `head`, `now`, `results` | what comes of this request at this moment, after these results of effects | `effect`, or `decision` and `credentials` (each layer by itself) |
//!
//! Each question is answered from the beginning, by a new engine: the asker keeps the results.

use crate::capabilities::Capabilities;
use crate::config::Config;
use crate::decision::{Decision, Refusal};
use crate::effect::{Effect, EffectResult};
use crate::encoding::base64;
use crate::encoding::collections::map_of;
use crate::encoding::json::{self, Object, Value};
use crate::encoding::members::{Members, list};
use crate::engine::Engine;
use crate::engine::explain::{CredentialExplanation, Layer, LayerVerdict, Layers};
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::jose::alg::Algorithm;
use crate::policy::Policy;
use crate::policy::config_error::ConfigError;
use crate::policy::rules::Access;
use crate::reason::Reason;
use crate::time::UnixTime;

/// Stands for what the platform would sign, where the question is only whether it may go on.
const UNSIGNED: [u8; 64] = [0; 64];

/// Answers a question. One that is none has an empty object as its answer.
pub fn inspect(question: &str) -> String {
    let mut answer = Members::default();
    if let Some(question) = json::object(question.as_bytes()) {
        about_document(&question, &mut answer);
    }
    answer.written()
}

fn about_document(question: &Object<'_>, answer: &mut Members) {
    let config = match Config::parse(question.text("config").unwrap_or_default()) {
        Ok(config) => config,
        Err(errors) => return answer.add("errors", listed(&errors)),
    };
    answer.add("names", texts(&config.names()));
    answer.add("stores", texts(&config.stores()));
    answer.add("rules", texts(&config.rule_places()));
    let Some(Value::Object(given)) = question.get("values") else { return };
    let values = map_of(
        given
            .iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.as_text()?.to_owned()))),
    );
    // What a certain host cannot do it says itself when it starts.
    let host = Capabilities::checking(|_| true).and_signing(|_| true).and_telling();
    match config.compile(&values, &host.and_stores(config.stores())) {
        Ok(policy) => about_policy(question, policy, answer),
        Err(errors) => answer.add("errors", listed(&errors)),
    }
}

fn about_policy(question: &Object<'_>, policy: Policy, answer: &mut Members) {
    answer.add("warnings", listed(policy.warnings()));
    let names = policy.services.iter().map(|service| {
        let cookies = &service.cookies;
        list(&[json::quoted(&cookies.session_token), json::quoted(&cookies.session_data)])
    });
    answer.add("cookies", list(&names.collect::<Vec<_>>()));
    if let Some(Value::List(paths)) = question.get("paths") {
        let paths = paths.iter().map(|path| coverage(&policy, path.as_text().unwrap_or_default()));
        answer.add("coverage", list(&paths.collect::<Vec<_>>()));
    }
    if let Some(Value::Object(head)) = question.get("head") {
        about_request(question, head, policy, answer);
    }
}

/// Which rules cover a path: the strictest access among them, and their numbers, the strictest
/// first.
fn coverage(policy: &Policy, target: &str) -> String {
    let mut covered = Members::default();
    let head = head(target, &[]);
    let path = match Path::of(&head, policy.framework.as_ref()) {
        Ok(path) => path,
        Err(reason) => {
            covered.text("access", "refused");
            covered.text("reason", reason.code());
            return covered.written();
        }
    };
    let Some(matched) = policy.matched_rules(&path, &head) else {
        covered.text("access", "denied");
        return covered.written();
    };
    let access = matched.all().map(|rule| rule.access).max();
    covered.text(
        "access",
        match access.unwrap_or_default() {
            Access::Public => "public",
            Access::Optional => "optional",
            Access::Required => "required",
        },
    );
    let numbers: Vec<String> = matched.all().map(|rule| rule.number.to_string()).collect();
    covered.add("rules", list(&numbers));
    let demands = matched.all().any(|rule| !rule.requirements.is_empty());
    covered.add("has_requirements", demands.to_string());
    covered.written()
}

const fn head<'a>(target: &'a str, headers: &'a [(&'a str, &'a str)]) -> RequestHead<'a> {
    RequestHead { method: "GET", target, headers, public_origin: "", client_address: None }
}

fn about_request(question: &Object<'_>, asked: &Object<'_>, policy: Policy, answer: &mut Members) {
    let headers = pairs(asked.get("headers"));
    let head = RequestHead {
        method: asked.text("method").unwrap_or("GET"),
        public_origin: asked.text("public_origin").unwrap_or_default(),
        client_address: asked.text("client_address"),
        ..head(asked.text("target").unwrap_or("/"), &headers)
    };
    let now = UnixTime::from_millis(json::integer(question, "now").unwrap_or_default());
    let mut engine = Engine::new(policy, 1);
    let mut decision = engine.decide(&head, now);
    let results = match question.get("results") {
        Some(Value::List(results)) => results.as_slice(),
        _ => &[],
    };
    for result in results {
        decision = match (decision, result) {
            (Decision::Perform(pending), Value::Object(result)) => {
                let headers = pairs(result.get("headers"));
                engine.resume(&head, pending, read(result, &headers), now)
            }
            (decision, _) => decision,
        };
    }
    if let Decision::Perform(pending) = &decision {
        return answer.add("effect", effect(pending.effect()));
    }
    answer.add("decision", written(&decision));
    let credentials = engine.explain(&head, now).credentials;
    answer.add("credentials", list(&credentials.iter().map(credential).collect::<Vec<_>>()));
}

fn pairs<'a>(value: Option<&'a Value<'_>>) -> Vec<(&'a str, &'a str)> {
    let Some(Value::List(items)) = value else { return Vec::new() };
    let pair = |item: &'a Value<'_>| match item {
        Value::List(pair) => Some((pair.first()?.as_text()?, pair.get(1)?.as_text()?)),
        _ => None,
    };
    items.iter().filter_map(pair).collect()
}

/// What came of an effect: `{"answered": 200, "headers": …, "body": …}`, `{"checked": true}`,
/// `{"signed": true}` (whatever the signature would be), `{"found": …}`, `{"absent": true}`,
/// `{"waited": true}`. Anything else is a failure.
fn read<'a>(result: &'a Object<'_>, headers: &'a [(&'a str, &'a str)]) -> EffectResult<'a> {
    let status = json::integer(result, "answered").and_then(|status| u16::try_from(status).ok());
    if let Some(status) = status {
        let body = result.text("body").unwrap_or_default().as_bytes();
        return EffectResult::Answered { status, headers, body };
    }
    match result.iter().next() {
        Some(("checked", Value::Bool(holds))) => EffectResult::Checked(*holds),
        Some(("signed", _)) => EffectResult::Signed(&UNSIGNED),
        Some(("found", Value::Text(text))) => EffectResult::Found(text.as_bytes()),
        Some(("absent", _)) => EffectResult::Absent,
        Some(("waited", _)) => EffectResult::Waited,
        _ => EffectResult::Failed,
    }
}

/// What the asker has to do: `kind` and what belongs to it.
fn effect(effect: &Effect) -> String {
    let mut wanted = Members::default();
    let kind = match effect {
        Effect::Check(check) => {
            let algorithm = Algorithm::all().find(|own| own.scheme() == check.scheme);
            wanted.text_if_any("algorithm", algorithm.map(Algorithm::name));
            wanted.text("key", &check.key);
            wanted.text("message", &base64::url_encoded(&check.signing_input));
            wanted.text("signature", &base64::url_encoded(&check.signature));
            "check"
        }
        Effect::Fetch(fetch) => {
            wanted.text("purpose", fetch.purpose);
            wanted.text("url", &fetch.url);
            "fetch"
        }
        Effect::Sign(_) => "sign",
        Effect::Read(read) => {
            wanted.text("store", &read.store);
            "read"
        }
        Effect::Wait { .. } => "wait",
    };
    wanted.text("kind", kind);
    wanted.written()
}

/// A decision, as far as it can be told: its `kind`, and what belongs to it.
fn written(decision: &Decision) -> String {
    let mut told = Members::default();
    let kind = match decision {
        Decision::Forward(forward) => {
            let set = forward.set.iter().map(|(name, value)| pair(name, value));
            told.add("set", list(&set.collect::<Vec<_>>()));
            told.text_if_any("upstream", forward.upstream.as_deref());
            told.text_if_any("identity", forward.identity.as_deref());
            if let Some(until) = forward.connection.until {
                told.number("until", until.as_millis());
            }
            "forward"
        }
        Decision::Redirect(refusal) => {
            refused(refusal, &mut told);
            "redirect"
        }
        Decision::Reject(refusal) => {
            refused(refusal, &mut told);
            "reject"
        }
        Decision::Respond(_) => "respond",
        Decision::Perform(_) => "perform",
    };
    told.text("kind", kind);
    told.written()
}

fn refused(refusal: &Refusal, told: &mut Members) {
    told.number("status", i64::from(refusal.status));
    told.text("reason", refusal.reason.code());
    let location = refusal.headers.iter().find(|(name, _)| name == "location");
    told.text_if_any("location", location.map(|(_, value)| value.as_str()));
    // A line is one object of JSON.
    if let Some(line) = &refusal.log {
        told.add("log", line.clone());
    }
}

fn credential(own: &CredentialExplanation) -> String {
    let mut told = Members::default();
    told.text_if_any("issuer", own.issuer.as_deref());
    let layers = match own.layers {
        Layers::BetterAuthCookies { token, data } => {
            vec![layer("session_token", token), layer("session_data", data)]
        }
        Layers::BearerToken { token } => vec![layer("bearer token", token)],
        Layers::Jwt { jwt } => vec![layer("JWT", jwt)],
    };
    told.add("layers", list(&layers));
    let (word, reason) = match &own.verdict {
        LayerVerdict::Authenticated { .. } => ("authenticated", None),
        LayerVerdict::LookupRequired => ("lookup-required", None),
        LayerVerdict::EffectRequired => ("effect-required", None),
        LayerVerdict::Unauthenticated(reason) => ("unauthenticated", Some(*reason)),
    };
    told.text("verdict", word);
    told.text_if_any("reason", reason.map(Reason::code));
    told.written()
}

fn layer(name: &str, layer: Layer) -> String {
    let mut told = Members::default();
    told.text("name", name);
    let (word, reason) = match layer {
        Layer::Absent => ("absent", None),
        Layer::Valid => ("valid", None),
        Layer::Unverified => ("unverified", None),
        Layer::Unsigned => ("unsigned", None),
        Layer::Unknown => ("unknown", None),
        Layer::Bad(reason) => ("bad", Some(reason)),
    };
    told.text("is", word);
    told.text_if_any("reason", reason.map(Reason::code));
    told.written()
}

/// Place, problem and hint of each.
fn listed(errors: &[ConfigError]) -> String {
    let error = |error: &ConfigError| {
        list(&[&error.path, &error.problem, &error.hint].map(|text| json::quoted(text)))
    };
    list(&errors.iter().map(error).collect::<Vec<_>>())
}

fn pair(name: &str, value: &str) -> String {
    list(&[json::quoted(name), json::quoted(value)])
}

fn texts(texts: &[String]) -> String {
    list(&texts.iter().map(|text| json::quoted(text)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::inspect;

    #[test]
    fn a_document_is_read_compiled_and_covered() {
        let cases = [
            ("", "{}"),
            ("[]", "{}"),
            (
                r#"{"config":"["}"#,
                r#"{"errors":[["","the configuration is not one JSON object without duplicate members","check for a trailing comma, a comment, or a member that appears twice"]]}"#,
            ),
        ];
        for (question, answer) in cases {
            assert_eq!(inspect(question), answer, "{question}");
        }
        let preset = inspect(r#"{"config":""}"#);
        assert!(preset.contains("BETTER_AUTH_URL") && preset.contains("preset better-auth: rules"));
        let unset = inspect(r#"{"config":"","values":{}}"#);
        assert!(unset.contains(r#""errors":[["preset better-auth: issuers[0].url""#), "{unset}");
        let covered = inspect(
            r#"{"config":"{\"extends\":\"better-auth\",\"public\":[\"/open\"]}","values":{"BETTER_AUTH_URL":"https://a.example","BETTER_AUTH_SECRET":"k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg"},"paths":["/open","/shut","/a/../b"]}"#,
        );
        for expected in [
            r#"{"access":"public","has_requirements":false,"rules":[0]}"#,
            r#"{"access":"required","#,
            r#"{"access":"refused","reason":"path_refused"}"#,
            r#""cookies":[["__Secure-better-auth.session_token","__Secure-better-auth.session_data"]]"#,
        ] {
            assert!(covered.contains(expected), "{expected}: {covered}");
        }
    }

    #[test]
    fn a_request_comes_to_an_effect_or_a_decision() {
        let asked = |rest: &str| {
            inspect(&format!(
                r#"{{"config":"","values":{{"BETTER_AUTH_URL":"https://a.example","BETTER_AUTH_SECRET":"k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg"}},"now":1800000000000,{rest}}}"#
            ))
        };
        let anonymous = asked(
            r#""head":{"target":"/x","public_origin":"https://a.example","headers":[["accept","application/json"]]}"#,
        );
        assert!(anonymous.contains(r#""reason":"no_credential","status":401"#), "{anonymous}");
        // The value that Better Auth signs `true` by (src/probe.rs).
        let cookie = r#""head":{"target":"/x","public_origin":"https://a.example","headers":[["cookie","__Secure-better-auth.session_token=true.8xcQuqiagjV%2Bo5KMQlfjKSg7bbC1R5OrV2M8%2FlqlV5k%3D"]]}"#;
        let first = asked(cookie);
        assert!(first.contains(r#""effect":{"kind":"fetch","purpose":"session""#), "{first}");
        let ended = asked(&format!(
            r#"{cookie},"results":[{{"answered":200,"headers":[],"body":"null"}}]"#
        ));
        assert!(ended.contains(r#""reason":"session_ended""#), "{ended}");
        let unknown = asked(&format!(r#"{cookie},"results":[{{"failed":true}}]"#));
        assert!(unknown.contains(r#""reason":"session_unavailable""#), "{unknown}");
        assert!(unknown.contains(r#"{"is":"valid","name":"session_token"}"#), "{unknown}");
    }
}
