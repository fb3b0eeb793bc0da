//! What the origin is told of an identity, in headers and in an assertion: put together once, when
//! the identity is known.

use serde_json::Value;

use crate::better_auth::session_record::Session;
use crate::encoding::{base64, json, percent};
use crate::http::header_pairs::{HeaderPairs, Joining};
use crate::policy::Policy;
use crate::policy::rules::CredentialHandling;

/// A claim whose value is longer is left out, and its name told: servers refuse heads of 8 to 16
/// KiB.
const MAX_CLAIM_BYTES: usize = 4096;
/// All claims together.
const MAX_CLAIMS_BYTES: usize = 6144;
/// All that says who it is: identity headers with their names, the mark, and the assertion, twice
/// where it replaces the credential. Node, Daphne and Tomcat take heads of 16 KiB and of 8 KiB, the
/// client's own part included, gunicorn 8190 bytes a field. What does not fit is left out and its
/// name told.
const MAX_ADDED_BYTES: usize = 7680;
/// What an assertion has besides: its name, a header, the claims about the request, a signature.
const ASSERTION_BYTES: usize = 1024;

/// What the gate says about a verified session of the issuer of this name: in headers, and in an
/// assertion where there are any.
pub(crate) fn identity(
    session: &Session,
    issuer: &str,
    policy: &Policy,
) -> (HeaderPairs, Option<String>) {
    let mut headers = Joining::new();
    let mut add = |name: &str, value: &str| {
        headers.add([&policy.header_prefix, name], |text| percent::push_header_value(text, value));
    };
    let mut room = Room::under(policy);
    for (name, value) in [
        ("subject", session.subject.as_str()),
        ("issuer", issuer),
        ("expires", &session.expires.as_seconds().to_string()),
        ("source", session.source.name()),
    ] {
        // Without these there would be no identity.
        let _ = room.takes(name, percent::header_value(value).len(), || json::quoted(value).len());
        add(name, value);
    }
    let (mut omitted, mut told, mut left) = (Vec::new(), Vec::new(), MAX_CLAIMS_BYTES);
    for (name, value) in [("session", &session.id), ("email", &session.email)] {
        let Some(value) = value else { continue };
        if room.takes(name, percent::header_value(value).len(), || json::quoted(value).len()) {
            add(name, value);
        } else {
            omitted.push(name);
        }
    }
    for (name, claim) in &policy.claim_headers {
        let Some(value) = session.attributes.claim(claim) else { continue };
        let as_header = claim_value(value);
        match left.checked_sub(as_header.len()) {
            Some(rest)
                if as_header.len() <= MAX_CLAIM_BYTES
                    && room.takes(name, as_header.len(), || value.to_string().len()) =>
            {
                left = rest;
                headers.add([&policy.header_prefix, name], |text| text.push_str(&as_header));
                told.push((name.as_str(), value));
            }
            _ => omitted.push(name.as_str()),
        }
    }
    if !omitted.is_empty() {
        headers.add([&policy.header_prefix, "omitted"], |text| {
            percent::push_header_value(text, &omitted.join(","))
        });
    }
    let is_stated = policy.assertions.is_some() || policy.capabilities.tells();
    let has_room = |name: &str| !omitted.contains(&name);
    let statement = is_stated.then(|| statement(session, issuer, &told, has_room));
    (headers.done(), statement)
}

/// What is left of [`MAX_ADDED_BYTES`].
struct Room {
    left: usize,
    prefix: usize,
    /// How often an assertion says the same.
    assertions: usize,
}

impl Room {
    fn under(policy: &Policy) -> Self {
        let is_replaced =
            || policy.rules.iter().any(|rule| rule.credential == CredentialHandling::Replace);
        let assertions = usize::from(policy.assertions.is_some())
            .saturating_add(usize::from(policy.assertions.is_some() && is_replaced()));
        // A mark has the same in it.
        let assertions = assertions.saturating_add(usize::from(policy.mark.is_some()));
        let left = MAX_ADDED_BYTES.saturating_sub(assertions.saturating_mul(ASSERTION_BYTES));
        Self { left, prefix: policy.header_prefix.len(), assertions }
    }

    /// Takes the room for a header, and for the same in each assertion, if there is so much left.
    fn takes(
        &mut self,
        name: &str,
        header_bytes: usize,
        json_bytes: impl FnOnce() -> usize,
    ) -> bool {
        let header = [self.prefix, name.len(), ": \r\n".len(), header_bytes]
            .into_iter()
            .fold(0, usize::saturating_add);
        let stated = if self.assertions == 0 {
            0
        } else {
            // A member of a JSON object, and four bytes of base64url for three.
            let member = json_bytes().saturating_add(name.len()).saturating_add("\"\":,".len());
            member.saturating_mul(4).div_ceil(3).saturating_mul(self.assertions)
        };
        match self.left.checked_sub(header.saturating_add(stated)) {
            Some(rest) => {
                self.left = rest;
                true
            }
            None => false,
        }
    }
}

/// A claim as a header: texts as every other identity header, numbers and flags as they are, lists
/// and objects as JSON in base64url. No value of any of them can end a header.
fn claim_value(value: &Value) -> String {
    match value {
        Value::String(text) => percent::header_value(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => base64::url_encoded(value.to_string().as_bytes()),
    }
}

/// What an assertion says about a session, as members of a JSON object: made once when the session
/// is known. `is_told` is asked for what goes by the name of an identity header and may be missing.
pub(crate) fn statement(
    session: &Session,
    issuer: &str,
    claims: &[(&str, &Value)],
    is_told: impl Fn(&str) -> bool,
) -> String {
    let mut members = ["\"sub\":", &json::quoted(&session.subject)].concat();
    let mut add = |name: &str, value: &str| {
        for part in [",\"", name, "\":", value] {
            members.push_str(part);
        }
    };
    for (header, name, value) in
        [("session", "sid", &session.id), ("email", "email", &session.email)]
    {
        if let Some(value) = value
            && is_told(header)
        {
            add(name, &json::quoted(value));
        }
    }
    add("idp", &json::quoted(issuer));
    add("src", &json::quoted(session.source.name()));
    add("sess_exp", &session.expires.as_seconds().to_string());
    let claims: Vec<String> = claims
        .iter()
        .map(|(name, value)| [&json::quoted(name), ":", &value.to_string()].concat())
        .collect();
    if !claims.is_empty() {
        add("claims", &["{", &claims.join(","), "}"].concat());
    }
    members
}
