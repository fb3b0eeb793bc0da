//! What a verified credential says beyond who it is: the claims that the configuration names.

use serde_json::Value;

use crate::encoding::collections::object_of;
use crate::encoding::json::{self, Object};
use crate::time::UnixTime;

/// Where a claim is: its exact name, or else names with dots between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimPath(String);

/// What a verified credential says beyond who it is: the claims that the configuration names, and
/// no others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Attributes {
    claims: Vec<(ClaimPath, Value)>,
    /// The address, if whoever vouches for it says that it is verified.
    pub(crate) verified_email: Option<String>,
    /// When the person signed in.
    pub(crate) began: Option<UnixTime>,
}

impl ClaimPath {
    pub(crate) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The name as it is configured.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The claim's value. Names like `https://example.com/roles` have dots of their own, so the
    /// exact name comes first.
    pub(crate) fn find<'o, 'd>(&self, members: &'o Object<'d>) -> Option<&'o json::Value<'d>> {
        members.get(&self.0).or_else(|| {
            let (first, rest) = self.0.split_once('.')?;
            rest.split('.').try_fold(members.get(first)?, |value, name| match value {
                json::Value::Object(members) => members.get(name),
                _ => None,
            })
        })
    }
}

impl Attributes {
    /// The attributes that the policy names, each where it is found first; the address is in the
    /// first of these.
    pub(crate) fn read(
        objects: &[&Object<'_>],
        named: &[ClaimPath],
        began: Option<UnixTime>,
    ) -> Self {
        // What is `null` says nothing (RFC 7519 leaves it open): it is as good as missing.
        let found = |path: &ClaimPath| {
            objects.iter().find_map(|members| path.find(members)).cloned().map(Value::from)
        };
        let found = |path: &ClaimPath| found(path).filter(|value| !value.is_null());
        let claims = named.iter().filter_map(|path| Some((path.clone(), found(path)?))).collect();
        let member = |name: &str| objects.first().and_then(|members| members.get(name));
        // `email_verified` in OpenID Connect, `emailVerified` in Better Auth. Two that contradict
        // each other are a no.
        let said = ["email_verified", "emailVerified"]
            .map(|name| member(name).filter(|said| **said != json::Value::Null));
        let is_verified = said.iter().any(Option::is_some)
            && said.iter().flatten().all(|said| **said == json::Value::Bool(true));
        let verified_email = member("email")
            .and_then(json::Value::as_text)
            .filter(|_| is_verified)
            .map(str::to_owned);
        Self { claims, verified_email, began }
    }

    /// The attributes as members of a copy.
    pub(crate) fn to_members(&self) -> Vec<(&'static str, Value)> {
        let claims =
            self.claims.iter().map(|(path, value)| (path.name().to_owned(), value.clone()));
        let mut members = vec![("claims", Value::Object(object_of(claims)))];
        members.extend(
            self.verified_email.as_deref().map(|email| ("verified_email", Value::from(email))),
        );
        members.extend(self.began.map(|began| ("began", Value::from(began.as_millis()))));
        members
    }

    /// The attributes from the members of a copy: those that the policy names.
    pub(crate) fn from_members(members: &Object<'_>, named: &[ClaimPath]) -> Option<Self> {
        let Some(json::Value::Object(kept)) = members.get("claims") else {
            return None;
        };
        let claims = named
            .iter()
            .filter_map(|path| Some((path.clone(), kept.get(path.name())?.clone().into())));
        Some(Self {
            claims: claims.collect(),
            verified_email: members.text("verified_email").map(str::to_owned),
            began: json::integer(members, "began").map(UnixTime::from_millis),
        })
    }

    /// The value of a claim that the policy names.
    pub(crate) fn claim(&self, path: &ClaimPath) -> Option<&Value> {
        self.claims.iter().find(|(own, _)| own == path).map(|(_, value)| value)
    }

    /// What they weigh in memory, in bytes, rounded up.
    pub(crate) fn weight(&self) -> usize {
        let claims = self.claims.iter().map(|(path, value)| {
            weight_of(value).saturating_add(path.name().len()).saturating_add(64)
        });
        let email = self.verified_email.as_ref().map_or(0, String::len);
        claims.fold(email, usize::saturating_add)
    }

    /// The texts in claims of these names; what is one text in lists is split.
    pub(crate) fn texts(&self, names: [&str; 2], separator: char) -> Vec<Value> {
        let values = self
            .claims
            .iter()
            .filter(|(path, _)| names.contains(&path.name()))
            .map(|(_, value)| value);
        let mut texts = Vec::new();
        for value in values {
            match value {
                Value::String(list) => {
                    texts.extend(list.split(separator).map(|text| Value::from(text.trim())))
                }
                Value::Array(items) => {
                    texts.extend(items.iter().filter(|item| item.is_string()).cloned())
                }
                _ => {}
            }
        }
        texts
    }
}

/// What a value weighs in memory, rounded up: a number takes as much as a short text.
fn weight_of(value: &Value) -> usize {
    const NODE: usize = 32;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => NODE,
        Value::String(text) => text.len().saturating_add(NODE),
        Value::Array(items) => items.iter().map(weight_of).fold(NODE, usize::saturating_add),
        Value::Object(members) => {
            let each = members.iter().map(|(name, value)| {
                weight_of(value).saturating_add(name.len()).saturating_add(2 * NODE)
            });
            each.fold(NODE, usize::saturating_add)
        }
    }
}
