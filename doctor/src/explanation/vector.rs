//! What was pasted as a policy test (`doorward test`), for whoever keeps it: a case in the form of
//! the gate's vectors, with everything replaced that opens something or names somebody. What the
//! secret at hand has signed is signed anew, by one that protects nothing; other signatures are
//! letters, so that the case may come to another decision than the pasted text: then it says so.

use doorward::Reason;
use doorward::probe::{ProbeSecret, SessionDataFormat, unverified_jws};
use serde_json::{Map, Value, json};

use crate::cookie_file::{decoded, pairs};
use crate::effects::Io;
use crate::explanation::cookies;
use crate::gate_view::GateView;
use crate::plan::Plan;
use crate::policy_test;
use crate::secret::Secret;

/// A session token that no service has made.
const TOKEN: &str = "TestsTestsTestsTestsTestsTests00";
/// A user that no service has.
const SOMEBODY: &str = "somebody";
/// Headers by which a gate decides, and in which nobody is named.
const KEPT_HEADERS: [&str; 12] = [
    "accept",
    "content-type",
    "next-router-prefetch",
    "origin",
    "purpose",
    "rsc",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-purpose",
    "upgrade",
    "x-requested-with",
];
/// Claims by which a gate decides, and in which nobody is named.
const KEPT_CLAIMS: [&str; 15] = [
    "aud",
    "azp",
    "client_id",
    "email_verified",
    "exp",
    "iat",
    "iss",
    "nbf",
    "role",
    "roles",
    "scope",
    "token_use",
    "typ",
    "updatedAt",
    "version",
];

/// The test; nothing where no gate starts with the configuration.
pub(crate) async fn of(io: &Io, plan: &Plan, gate: &GateView, now: i64) -> Option<Value> {
    let replaced = Replaced {
        secret: plan.expected.secret.as_ref().map(|stated| &stated.value),
        new: ProbeSecret::new(policy_test::SECRET.as_bytes()),
    };
    let head = &gate.head;
    let headers: Vec<[String; 2]> = head
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let value = match name.as_str() {
                "cookie" => replaced.cookies(value),
                "authorization" => replaced.authorization(value),
                own if KEPT_HEADERS.contains(&own) => value.clone(),
                _ => return None,
            };
            Some([name, value])
        })
        .collect();
    let config: Value = serde_json::from_str(&gate.document).ok()?;
    let mut file = json!({
        "policies": { "pasted": { "config": without_secrets(config), "env": variables(gate) } },
        "cases": [{
            "name": "",
            "policy": "pasted",
            "now_ms": now,
            "request": {
                "method": head.method,
                "target": without_values(&head.target),
                "public_origin": head.public_origin,
                "headers": headers,
            },
            "results": [],
        }],
    });
    let got = policy_test::decided(io, &file).await.ok()?;
    let code = |reason: Option<Reason>| reason.map_or("passes", Reason::code);
    let own = reason_of(&got).unwrap_or("passes");
    let was = code(gate.reason());
    let name = if own == was {
        was.to_owned()
    } else {
        format!("{own}, in place of {was}: what has signed it is not at hand")
    };
    let case = file.pointer_mut("/cases/0")?.as_object_mut()?;
    case.insert("name".to_owned(), name.into());
    case.insert("expect".to_owned(), got);
    Some(file)
}

fn reason_of(decision: &Value) -> Option<&str> {
    decision.as_object()?.values().next()?.get("reason")?.as_str()
}

/// The variables that the configuration names: of a URL where it is, else a stand-in.
fn variables(gate: &GateView) -> Map<String, Value> {
    let shown = |value: &str| match crate::url::Url::parse(value) {
        Some(url) => url.origin(),
        None => policy_test::SECRET.to_owned(),
    };
    let named = gate.values.iter().filter(|(name, _)| !name.ends_with("SECRETS"));
    named.map(|(name, value)| (name.clone(), shown(value).into())).collect()
}

/// A configuration may have secrets and private keys in it.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, _)| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()))
            .map(|(name, value)| match &value {
                Value::String(_) if ["secret", "k", "private_key"].contains(&name.as_str()) => {
                    (name, policy_test::SECRET.into())
                }
                _ => (name, without_secrets(value)),
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(without_secrets).collect(),
        value => value,
    }
}

/// A target with the names of its query's parameters alone.
fn without_values(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let names = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) => [name, "=x"].concat(),
        None => "x".to_owned(),
    });
    [path, "?", &names.collect::<Vec<_>>().join("&")].concat()
}

/// Letters and digits become one letter; what gives a value its form stays.
fn masked(value: &str) -> String {
    let mut left = 0_u8;
    let letter = |letter: char| {
        if letter == '%' {
            left = 2;
            return letter;
        }
        let is_escape = left > 0;
        left = left.saturating_sub(1);
        if letter.is_alphanumeric() && !is_escape { 'a' } else { letter }
    };
    value.chars().map(letter).collect()
}

struct Replaced<'a> {
    /// What has signed the pasted text, if it is at hand.
    secret: Option<&'a Secret>,
    /// What signs it anew.
    new: ProbeSecret,
}

impl Replaced<'_> {
    fn cookies(&self, header: &str) -> String {
        let is_data = |name: &str| {
            let bare = name.rsplit_once('.').filter(|(_, end)| end.parse::<u16>().is_ok());
            bare.map_or(name, |(before, _)| before).ends_with("session_data")
        };
        let mut data: Vec<(&str, &str)> = pairs(header).filter(|(name, _)| is_data(name)).collect();
        let joined: String = data.iter().map(|(_, value)| decoded(value)).collect();
        let sealed = self.sealed_anew(&joined);
        let mut replaced = Vec::new();
        for (name, value) in pairs(header) {
            let value = if !is_data(name) {
                self.cookie(name, value)
            } else if let Some(sealed) = &sealed {
                // One cookie stands for all chunks.
                if data.is_empty() {
                    continue;
                }
                data.clear();
                let bare = name.split_inclusive("session_data").next().unwrap_or(name);
                replaced.push(format!("{bare}={sealed}"));
                continue;
            } else {
                masked(value)
            };
            replaced.push(format!("{}={value}", cookies::shown_name(name)));
        }
        replaced.join("; ")
    }

    fn cookie(&self, name: &str, value: &str) -> String {
        let is_mark = name.ends_with("dont_remember");
        if !is_mark && !name.ends_with("session_token") {
            return "x".to_owned();
        }
        let text = decoded(value);
        let holds = self.secret.is_some_and(|secret| secret.probe().verify_cookie(&text).is_ok());
        match (holds, text.rsplit_once('.')) {
            (true, Some(("true", _))) if is_mark => self.new.signed_cookie("true"),
            (true, Some(_)) if !is_mark => self.new.signed_cookie(TOKEN),
            (_, Some((own, signature))) if own.len() == TOKEN.len() && signature.len() == 44 => {
                format!("{TOKEN}.{}%3D", "A".repeat(43))
            }
            _ => masked(value),
        }
    }

    /// A cookie cache with the same dates and somebody else in it, sealed in the same format.
    fn sealed_anew(&self, joined: &str) -> Option<String> {
        let opened = self.secret?.probe().open_session_data(joined).ok()?;
        let mut content: Map<String, Value> = serde_json::from_slice(&opened.content).ok()?;
        // The format adds it.
        let ends = content.get("expiresAt").and_then(Value::as_i64);
        let members = content.iter_mut();
        members.for_each(|(name, value)| {
            if let (true, Value::Object(members)) = (name == "session" || name == "user", value) {
                *members = somebody(std::mem::take(members), name == "user");
            }
        });
        content.retain(|name, _| name == "session" || name == "user" || is_kept(name));
        let text = |content: &Map<String, Value>| Value::Object(content.clone()).to_string();
        match opened.format {
            SessionDataFormat::Compact => {
                content.remove("expiresAt");
                Some(self.new.compact(&text(&content), ends?))
            }
            SessionDataFormat::Jwt => Some(self.new.jwt(&text(&content))),
            SessionDataFormat::Jwe => self.new.jwe(&text(&content), [7; 16]),
            _ => None,
        }
    }

    fn authorization(&self, value: &str) -> String {
        let Some((scheme, token)) = value.split_once(' ') else { return masked(value) };
        let of_session = || {
            let text = decoded(token);
            text.contains('.').then(|| self.cookie("session_token", token))
        };
        let token = jwt_of_somebody(token.trim()).or_else(of_session);
        format!(
            "{scheme} {}",
            token.unwrap_or_else(|| masked(value.get(scheme.len()..).unwrap_or_default())
                .trim()
                .to_owned())
        )
    }
}

fn is_kept(claim: &str) -> bool {
    KEPT_CLAIMS.contains(&claim) || claim == "expiresAt"
}

/// Dates, numbers and flags, and the role; every name and address is another's.
fn somebody(members: Map<String, Value>, is_user: bool) -> Map<String, Value> {
    let own = |(name, value): (String, Value)| {
        let value = match (name.as_str(), &value) {
            ("id", _) if is_user => SOMEBODY.into(),
            ("id", _) => "session-1".into(),
            ("userId", _) => SOMEBODY.into(),
            ("token", _) => TOKEN.into(),
            ("email", Value::String(_)) => "user@example.com".into(),
            ("name", Value::String(_)) => "User".into(),
            ("role" | "expiresAt" | "createdAt" | "updatedAt", _) => value,
            (_, Value::Bool(_) | Value::Null) => value,
            _ => return None,
        };
        Some((name, value))
    };
    members.into_iter().filter_map(own).collect()
}

/// A JWT with the same header and the same dates, without its signature.
fn jwt_of_somebody(token: &str) -> Option<String> {
    let jws = unverified_jws(token).ok()?;
    let mut claims: Map<String, Value> = serde_json::from_slice(&jws.payload).ok()?;
    claims.retain(|name, _| is_kept(name) || name == "sub");
    if let Some(subject) = claims.get_mut("sub") {
        *subject = SOMEBODY.into();
    }
    let (header, _) = token.split_once('.')?;
    let payload = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        Value::Object(claims).to_string(),
    );
    let length = token.rsplit('.').next()?.len();
    Some([header, &payload, &"A".repeat(length)].join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_form_alone() {
        let cases = [("abc.DEF%3D", "aaa.aaa%3D"), ("a%252Bb", "a%25aaa"), ("eyJ.0-_", "aaa.a-_")];
        println!("{} values", cases.len());
        for (value, expected) in cases {
            assert_eq!(masked(value), expected);
        }
        assert_eq!(without_values("/a?code=1&b&c=2"), "/a?code=x&x&c=x");
    }
}
