//! What a rule requires of an identity: roles, scopes, claims, e-mail domains, the age of the
//! session.

use serde_json::Value;

use super::compiler::Compiler;
use super::reader::Node;
use crate::better_auth::attributes::ClaimPath;
use crate::policy::requirements::{RequiredValue, Requirements};
use crate::time::Seconds;

/// Members in which `null` is not the same as nothing.
const MEMBERS: &[&str] = &[
    "roles",
    "scopes",
    "claims",
    "email_domains",
    "max_session_age_seconds",
    "max_staleness_seconds",
];

const NOTHING: &str = "this requires nothing that can be there";

impl Compiler<'_> {
    pub(super) fn requirements(&mut self, node: &Node<'_>) -> Requirements {
        // Elsewhere `null` is as good as nothing. A requirement that is none lets people in.
        for name in MEMBERS {
            if node.is_null(name) || self.reader.is_unset(&node.path_of(name)) {
                self.reader.wrong(
                    &node.path_of(name),
                    NOTHING,
                    "leave it out, or write what is required",
                );
            }
        }
        let mut claims = Vec::new();
        if let Some(member) = node.member("claims") {
            match member.value {
                Value::Object(named) if !named.is_empty() => {
                    for name in named.keys() {
                        claims.extend(
                            self.wanted(&member, name).map(|wanted| (ClaimPath::new(name), wanted)),
                        );
                    }
                }
                _ => self.reader.wrong(
                    &member.path,
                    "this names no claims",
                    "write {\"org.id\": \"acme\"}",
                ),
            }
        }
        let email_domains = node.texts("email_domains").unwrap_or_default();
        if email_domains.is_empty() && node.has("email_domains") {
            self.reader.wrong(
                &node.path_of("email_domains"),
                NOTHING,
                "write a domain, or leave it out",
            );
        }
        if email_domains.iter().any(|domain| !is_domain(domain)) {
            self.reader.wrong(
                &node.path_of("email_domains"),
                "this is not a plain domain",
                "write what stands after the @, like example.com",
            );
        }
        Requirements {
            roles: self.wanted_words(node, "roles"),
            scopes: self.wanted_words(node, "scopes"),
            claims,
            email_domains,
            max_session_age: node.optional_number("max_session_age_seconds").map(Seconds::new),
        }
    }

    /// Of words in a text, of which none is empty: `"user,"` has a second one that is.
    fn wanted_words(&mut self, node: &Node<'_>, name: &str) -> Option<RequiredValue> {
        let wanted = self.wanted(node, name)?;
        let (RequiredValue::Any(values) | RequiredValue::All(values)) = &wanted;
        if values.iter().any(|value| value.as_str() == Some("")) {
            self.reader.wrong(
                &node.path_of(name),
                "a name is empty",
                "leave it out, or write what is required",
            );
        }
        Some(wanted)
    }

    /// One value, or `{"any": […]}`, or `{"all": […]}`: a bare list would leave open which of the
    /// two is meant.
    fn wanted(&mut self, node: &Node<'_>, name: &str) -> Option<RequiredValue> {
        let value = node.value.get(name)?;
        let member = Node { value, path: node.path_of(name) };
        let hint = "write one value, or {\"any\": [ … ]}, or {\"all\": [ … ]}";
        let Value::Object(members) = member.value else {
            if !is_scalar(member.value) {
                self.reader.wrong(&member.path, "it is open whether one of these is enough", hint);
            }
            return Some(RequiredValue::All(vec![member.value.clone()]));
        };
        let list = |name: &str| {
            members.get(name).and_then(Value::as_array).filter(|list| !list.is_empty()).cloned()
        };
        let (wanted, values) = match (members.len(), list("any"), list("all")) {
            (1, Some(any), None) => (RequiredValue::Any(any.clone()), any),
            (1, None, Some(all)) => (RequiredValue::All(all.clone()), all),
            _ => {
                self.reader.wrong(&member.path, NOTHING, hint);
                return None;
            }
        };
        if !values.iter().all(is_scalar) {
            self.reader.wrong(
                &member.path,
                "only texts, numbers, true and false are compared",
                hint,
            );
        }
        Some(wanted)
    }
}

fn is_scalar(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

fn is_domain(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}
