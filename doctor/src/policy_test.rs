//! Policy tests that users write: requests, and the decisions that must come of them, in the form of
//! the gate's own vectors (tests/vectors/README.md) with shorthands.

use std::collections::BTreeMap;

use doorward::probe::ProbeSecret;
use serde_json::{Map, Value, json};

use crate::effects::Io;
use crate::order;
use crate::policy::{Head, Policy, Response, Responses};
use crate::project::config_file::ConfigFile;

/// Where requests are, unless a case says otherwise.
const ORIGIN: &str = "https://app.example.com";
/// When they are: 2027-01-15T08:00:00Z.
const NOW_MILLIS: i64 = 1_800_000_000_000;
/// Signs the sessions of tests where no secret is given; it protects nothing.
pub(crate) const SECRET: &str = "stands-for-a-secret-0123456789-ABCDEFGHIJKL";

/// What came of a case.
pub(crate) struct Outcome {
    pub(crate) name: String,
    /// Nothing: it came as expected.
    pub(crate) wrong: Option<String>,
}

/// Plays a file of cases against a configuration of a project, or its own policies.
///
/// # Errors
/// The file is none of this form, or a policy is wrong.
pub(crate) async fn play(
    io: &Io,
    text: &str,
    project: &ConfigFile,
) -> Result<Vec<Outcome>, String> {
    let file: Value =
        serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
    let cases = file.get("cases").and_then(Value::as_array);
    let cases = cases.ok_or("there is no list \"cases\"")?;
    let mut outcomes = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let name = case
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| format!("case {number}"), str::to_owned);
        let env = env_of(&file, case);
        let policy = policy_of(io, &file, case, &env, Some(project))
            .map_err(|wrong| format!("{name}: {wrong}"))?;
        let got = decision_of(io, policy, case, &env).await;
        let expect = case.get("expect").unwrap_or(&Value::Null);
        let wrong = difference(expect, &got).map_err(|wrong| format!("{name}: {wrong}"))?;
        outcomes.push(Outcome { name, wrong });
    }
    Ok(outcomes)
}

/// What comes of the first case of a file, which has its own policy.
///
/// # Errors
/// The policy is wrong.
pub(crate) async fn decided(io: &Io, file: &Value) -> Result<Value, String> {
    let case = file.pointer("/cases/0").ok_or("there is no case")?;
    let env = env_of(file, case);
    let policy = policy_of(io, file, case, &env, None)?;
    Ok(decision_of(io, policy, case, &env).await)
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    order::collected(
        members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))),
    )
}

/// The variables of a case: those of the file, then those of its policy.
fn env_of(file: &Value, case: &Value) -> BTreeMap<String, String> {
    let mut env = texts(file.get("env"));
    let policy = case.get("policy").and_then(Value::as_str);
    let policy = policy.and_then(|name| file.get("policies")?.get(name));
    env.extend(texts(policy.and_then(|policy| policy.get("env"))));
    env.entry("BETTER_AUTH_URL".to_owned()).or_insert_with(|| ORIGIN.to_owned());
    env.entry("BETTER_AUTH_SECRET".to_owned()).or_insert_with(|| SECRET.to_owned());
    env
}

fn policy_of(
    io: &Io,
    file: &Value,
    case: &Value,
    env: &BTreeMap<String, String>,
    project: Option<&ConfigFile>,
) -> Result<Policy, String> {
    let own;
    let config = match case.get("policy").and_then(Value::as_str) {
        None => project.ok_or("this case names no policy")?,
        Some(name) => {
            let policy = file.get("policies").and_then(|policies| policies.get(name));
            let policy = policy.ok_or_else(|| format!("there is no policy `{name}`"))?;
            let text = policy.get("config").unwrap_or(policy).to_string();
            let file = crate::project::folder::TextFile { name: name.to_owned(), text };
            own = ConfigFile::read(io.carrier(), Some(file)).0;
            &own
        }
    };
    let compiled = config.policy_anyhow(env);
    compiled.policy.ok_or_else(|| {
        let first = compiled.errors.first();
        first.map_or_else(
            || "the configuration is no JSON object".to_owned(),
            |error| format!("the configuration: {}: {}", error.path, error.problem),
        )
    })
}

/// The decision on a case, as it is written in `expect`.
async fn decision_of(
    io: &Io,
    policy: Policy,
    case: &Value,
    env: &BTreeMap<String, String>,
) -> Value {
    let empty = Value::Object(Map::new());
    let request = case.get("request").unwrap_or(&empty);
    let text = |name: &str, usual: &'static str| {
        request.get(name).and_then(Value::as_str).unwrap_or(usual).to_owned()
    };
    let (method, target) = (text("method", "GET"), text("target", "/"));
    let public_origin = text("public_origin", ORIGIN);
    let now = case.get("now_ms").and_then(Value::as_i64).unwrap_or(NOW_MILLIS);
    let mut headers = header_pairs(request.get("headers"));
    if let Some(session) = case.get("session") {
        let secret = env.get("BETTER_AUTH_SECRET").map_or(SECRET, String::as_str);
        let cookies = cookies_of(&policy, session, secret, now);
        headers.push(("cookie".to_owned(), cookies));
    }
    let client_address = request.get("client_address").and_then(Value::as_str);
    let client_address = client_address.map(str::to_owned);
    let head = Head { method, target, headers, public_origin, client_address };
    let results = case.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
    let decided = policy.decide(io, &head, &mut Given { results }, now).await;
    written(decided.decision())
}

/// Header pairs, as a list of pairs or as an object.
fn header_pairs(value: Option<&Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|pair| Some((text(pair.get(0)?)?, text(pair.get(1)?)?)))
            .collect(),
        Some(Value::Object(members)) => {
            members.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
        }
        _ => Vec::new(),
    }
}

/// The cookies of a session as the auth service would have written them: a signed `session_token`,
/// and a `session_data` with this user.
fn cookies_of(policy: &Policy, session: &Value, secret: &str, now: i64) -> String {
    const TOKEN: &str = "TestsTestsTestsTestsTestsTests00";
    let Some((token_name, data_name)) = policy.cookies.first() else {
        return String::new();
    };
    let secret = ProbeSecret::new(secret.as_bytes());
    let id = session.get("user").and_then(|user| user.get("id")?.as_str()).unwrap_or("user-1");
    let long = "2099-01-01T00:00:00.000Z";
    let mut own = json!({ "id": "session-1", "token": TOKEN, "userId": id, "expiresAt": long, "createdAt": "2026-12-31T00:00:00.000Z", "updatedAt": "2026-12-31T00:00:00.000Z" });
    let mut user = json!({ "id": id, "name": "Test", "email": "test@example.com", "emailVerified": true, "createdAt": "2026-12-31T00:00:00.000Z", "updatedAt": "2026-12-31T00:00:00.000Z" });
    for (name, into) in [("session", &mut own), ("user", &mut user)] {
        let members = session.get(name).and_then(Value::as_object).into_iter().flatten();
        for (name, value) in members {
            if let Value::Object(into) = into {
                into.insert(name.clone(), value.clone());
            }
        }
    }
    let content = json!({ "session": own, "user": user, "updatedAt": now, "version": "1" });
    let data = secret.compact(&content.to_string(), now.saturating_add(300_000));
    format!("{token_name}={}; {data_name}={data}", secret.signed_cookie(TOKEN))
}

/// The results of a case: each answers once.
struct Given {
    results: Vec<Value>,
}

impl Responses for Given {
    fn fetch(&mut self, purpose: &str, url: &str) -> Option<Response> {
        let is_for = |result: &Value| {
            let of = result.get("of").and_then(Value::as_str) == Some(purpose);
            of && result.get("url").and_then(Value::as_str).is_none_or(|own| own == url)
        };
        let place = self.results.iter().position(is_for)?;
        let result = self.results.remove(place);
        let status = result.get("status").and_then(Value::as_u64).unwrap_or(200);
        let body = match result.get("body")? {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let headers = header_pairs(result.get("headers"));
        Some((u16::try_from(status).ok()?, headers, body))
    }
}

/// A decision as `expect` says it.
fn written(decision: &Value) -> Value {
    let member = |name: &str| decision.get(name).cloned().unwrap_or_default();
    let kind = decision.get("kind").and_then(Value::as_str).unwrap_or("unfinished");
    let mut own = Map::new();
    match kind {
        "forward" => {
            let set: Map<String, Value> = header_pairs(decision.get("set"))
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect();
            own.insert("set".to_owned(), set.into());
            if let Some(upstream) = decision.get("upstream") {
                own.insert("upstream".to_owned(), upstream.clone());
            }
        }
        "reject" | "redirect" => {
            own.insert("status".to_owned(), member("status"));
            own.insert("reason".to_owned(), member("reason"));
            if kind == "redirect" {
                own.insert("location".to_owned(), member("location"));
            }
        }
        _ => {}
    }
    Value::Object(Map::from_iter([(kind.to_owned(), Value::Object(own))]))
}

/// How a decision differs from what was expected; nothing where it does not. Of what is expected
/// each member has to be there; a text stands for the reason, `true` for anything.
///
/// # Errors
/// The expectation is none.
fn difference(expect: &Value, got: &Value) -> Result<Option<String>, String> {
    const KINDS: [&str; 4] = ["forward", "reject", "redirect", "respond"];
    let kind_of = |value: &Value| {
        let members = value.as_object()?;
        KINDS.iter().find(|kind| members.contains_key(**kind)).copied()
    };
    let (kind, wanted) = match expect {
        Value::String(kind) if KINDS.contains(&kind.as_str()) => (kind.as_str(), Value::Bool(true)),
        value => {
            let kind = kind_of(value)
                .ok_or("\"expect\" has none of forward, reject, redirect and respond")?;
            (kind, value.get(kind).cloned().unwrap_or_default())
        }
    };
    let said = got.as_object().and_then(|members| members.iter().next());
    let said = said.map(|(kind, own)| format!("{kind} {}", brief(own))).unwrap_or_default();
    let Some(own) = got.get(kind) else {
        return Ok(Some(format!("expected {kind} {}, found {said}", brief(&wanted))));
    };
    let is_met = match &wanted {
        Value::Bool(true) | Value::Null => true,
        Value::String(reason) => own.get("reason").and_then(Value::as_str) == Some(reason),
        wanted => includes(own, wanted),
    };
    Ok((!is_met).then(|| format!("expected {kind} {}, found {said}", brief(&wanted))))
}

/// What vectors say of a decision that is not compared here: it is the gate's own matter.
const NOT_COMPARED: [&str; 5] = ["removed", "response_headers", "headers", "body", "log"];

/// Whether everything that is wanted is there.
fn includes(own: &Value, wanted: &Value) -> bool {
    match (own, wanted) {
        (Value::Object(own), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| {
            NOT_COMPARED.contains(&name.as_str())
                || own.get(name).is_some_and(|own| includes(own, wanted))
        }),
        (own, wanted) => own == wanted,
    }
}

fn brief(value: &Value) -> String {
    match value {
        Value::Bool(true) | Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
