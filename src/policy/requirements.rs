//! Requirements: what a rule asks of an identity beyond there being one, and the attributes
//! that it asks about.
//!
//! All requirements of a rule have to hold, each is a plain yes or no, and what is missing or of an
//! unexpected type is a no.

use serde_json::Value;

use crate::better_auth::attributes::{Attributes, ClaimPath};
use crate::encoding::members::{list, shown};
use crate::time::{Seconds, UnixTime};

/// What a rule asks for; nothing of it where a member is empty.
#[derive(Debug, Default)]
pub(crate) struct Requirements {
    pub(crate) roles: Option<RequiredValue>,
    pub(crate) scopes: Option<RequiredValue>,
    pub(crate) claims: Vec<(ClaimPath, RequiredValue)>,
    /// Of a verified e-mail address; lower case.
    pub(crate) email_domains: Vec<String>,
    /// Since the person signed in.
    pub(crate) max_session_age: Option<Seconds>,
}

/// Values of which one, or all, have to be there.
#[derive(Debug)]
pub(crate) enum RequiredValue {
    Any(Vec<Value>),
    All(Vec<Value>),
}

/// So many values are shown in the log.
const MAX_SHOWN: usize = 6;

/// A session from the future began on a clock that goes ahead by up to this: the most that is
/// tolerated anywhere.
const MOST_SKEW: Seconds = Seconds::new(60);

/// Names of the claims that say which roles somebody has (Better Auth's admin plugin; others).
pub(crate) const ROLE_CLAIMS: [&str; 2] = ["role", "roles"];
/// Names of the claims that say what a token is good for (RFC 8693 section 4.2; Microsoft, Okta).
pub(crate) const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

impl Requirements {
    /// Whether everything that is asked for is there.
    pub(crate) fn are_met(&self, attributes: &Attributes, now: UnixTime) -> bool {
        self.roles.as_ref().is_none_or(|wanted| wanted.is_in(&attributes.texts(ROLE_CLAIMS, ',')))
            && self
                .scopes
                .as_ref()
                .is_none_or(|wanted| wanted.is_in(&attributes.texts(SCOPE_CLAIMS, ' ')))
            && self.claims.iter().all(|(path, wanted)| {
                attributes.claim(path).is_some_and(|value| wanted.is_in(values_of(value)))
            })
            && (self.email_domains.is_empty()
                || attributes.verified_email.as_deref().is_some_and(|email| self.has_domain(email)))
            && self.max_session_age.is_none_or(|most| {
                attributes
                    .began
                    .is_some_and(|began| began <= now.plus(MOST_SKEW) && now <= began.plus(most))
            })
    }

    /// The first requirement that is not met: its name, and as JSON what is required and what is
    /// there, where that tells nothing of the person beyond what the rule asks.
    #[cold]
    #[inline(never)]
    pub(crate) fn first_unmet(
        &self,
        attributes: &Attributes,
        now: UnixTime,
    ) -> Option<(String, String, Option<String>)> {
        let is_in = |wanted: &RequiredValue, present: &[Value]| wanted.is_in(present);
        for (name, wanted, claims, separator) in
            [("roles", &self.roles, ROLE_CLAIMS, ','), ("scopes", &self.scopes, SCOPE_CLAIMS, ' ')]
        {
            let present = attributes.texts(claims, separator);
            if let Some(wanted) = wanted.as_ref().filter(|wanted| !is_in(wanted, &present)) {
                // Whatever looks like an address stays out.
                let texts = present.iter().filter_map(Value::as_str);
                let texts = texts.filter(|text| !text.contains('@')).take(MAX_SHOWN).map(shown);
                let found = list(&texts.collect::<Vec<_>>());
                return Some((name.to_owned(), wanted.written(), Some(found)));
            }
        }
        for (path, wanted) in &self.claims {
            let value = attributes.claim(path);
            if !value.is_some_and(|value| is_in(wanted, values_of(value))) {
                let found = value.map_or("\"absent\"", |_| "\"another value\"").to_owned();
                return Some((["claims.", path.name()].concat(), wanted.written(), Some(found)));
            }
        }
        let email = attributes.verified_email.as_deref();
        if !self.email_domains.is_empty() && !email.is_some_and(|email| self.has_domain(email)) {
            let domains: Vec<String> = self.email_domains.iter().map(|one| shown(one)).collect();
            let found = email.map_or("\"no verified address\"", |_| "\"another domain\"");
            return Some(("email_domains".to_owned(), list(&domains), Some(found.to_owned())));
        }
        let age = attributes.began.map(|began| now.as_seconds().saturating_sub(began.as_seconds()));
        let most = self.max_session_age?.get().to_string();
        let name = "max_session_age_seconds".to_owned();
        (!self.are_met(attributes, now)).then_some((name, most, age.map(|age| age.to_string())))
    }

    /// The address that one reader sees must be the one that every other sees.
    fn has_domain(&self, email: &str) -> bool {
        let domain = email
            .split_once('@')
            .filter(|(local, domain)| is_plain_local_part(local) && is_plain_domain(domain));
        domain.is_some_and(|(_, domain)| {
            self.email_domains.iter().any(|accepted| accepted.eq_ignore_ascii_case(domain))
        })
    }

    /// Whether what is required is that the session began lately, and it began in the future: a
    /// clock is off.
    pub(crate) fn come_before(&self, attributes: &Attributes, now: UnixTime) -> bool {
        self.max_session_age.is_some()
            && attributes.began.is_some_and(|began| began > now.plus(MOST_SKEW))
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        let texts = self.roles.is_none() && self.scopes.is_none() && self.claims.is_empty();
        texts && self.email_domains.is_empty() && self.max_session_age.is_none()
    }

    /// The claims that these requirements look at.
    pub(crate) fn claims_named(&self) -> impl Iterator<Item = ClaimPath> {
        let roles = ROLE_CLAIMS.iter().filter(|_| self.roles.is_some());
        let scopes = SCOPE_CLAIMS.iter().filter(|_| self.scopes.is_some());
        roles
            .chain(scopes)
            .map(|name| ClaimPath::new(name))
            .chain(self.claims.iter().map(|(path, _)| path.clone()))
    }
}

/// A dot-atom (RFC 5322 section 3.2.3) that no reader decodes or reroutes: not `a%40evil.com` and
/// `evil.com!a`, which old mailers forward; not `a=40evil.com` and `=?utf-8?q?a=40?=`, which are
/// encodings (RFC 2045, RFC 2047); and none in quotation marks.
fn is_plain_local_part(local: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"#$&'*+-/?^_`{|}~".contains(&byte);
    local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_plain))
}

/// Labels of letters, digits and hyphens (RFC 5890 section 2.3.1); of names in other scripts their
/// A-labels.
fn is_plain_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    domain.len() <= 253 && domain.split('.').all(is_label)
}

/// The items of a list, or the one value.
fn values_of(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}

impl RequiredValue {
    /// As JSON, for the log.
    fn written(&self) -> String {
        let (Self::Any(values) | Self::All(values)) = self;
        let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), shown);
        list(&values.iter().take(MAX_SHOWN).map(value).collect::<Vec<_>>())
    }

    fn is_in(&self, present: &[Value]) -> bool {
        match self {
            Self::Any(wanted) => wanted.iter().any(|value| present.contains(value)),
            Self::All(wanted) => {
                !wanted.is_empty() && wanted.iter().all(|value| present.contains(value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::encoding::json;

    fn attributes(members: Value, named: &[&str]) -> Attributes {
        let text = members.to_string();
        let members = json::object(text.as_bytes()).unwrap_or_else(|| unreachable!("an object"));
        let named: Vec<ClaimPath> = named.iter().map(|name| ClaimPath::new(name)).collect();
        Attributes::read(&[&members], &named, UnixTime::from_seconds(1000))
    }

    fn any(values: &[&str]) -> Option<RequiredValue> {
        Some(RequiredValue::Any(values.iter().map(|value| Value::from(*value)).collect()))
    }

    const NOW: UnixTime = UnixTime::from_millis(1_010_000);

    #[test]
    fn roles_are_a_list_or_a_text_with_commas() {
        let requirements = Requirements { roles: any(&["admin"]), ..Requirements::default() };
        for (role, met) in [
            (json!({"role": "admin"}), true),
            (json!({"role": "user, admin"}), true),
            (json!({"roles": ["user", "admin"]}), true),
            (json!({"role": "administrator"}), false),
            (json!({"role": "Admin"}), false),
            (json!({"role": {"admin": true}}), false),
            (json!({"role": true}), false),
            (json!({"roles": [["admin"]]}), false),
            (json!({"scope": "admin"}), false),
            (json!({}), false),
        ] {
            assert_eq!(
                requirements.are_met(&attributes(role.clone(), &["role", "roles"]), NOW),
                met,
                "{role}"
            );
        }
    }

    #[test]
    fn all_means_all_and_any_means_one() {
        let wanted = |all: bool| {
            let values = vec![Value::from("read"), Value::from("write")];
            Some(if all { RequiredValue::All(values) } else { RequiredValue::Any(values) })
        };
        for (scope, all, one) in [
            (json!({"scope": "read write"}), true, true),
            (json!({"scp": ["write", "read", "x"]}), true, true),
            (json!({"scope": "read"}), false, true),
            (json!({"scope": "read,write"}), false, false),
            (json!({"scope": 1}), false, false),
        ] {
            let attributes = attributes(scope.clone(), &["scope", "scp"]);
            assert_eq!(
                Requirements { scopes: wanted(true), ..Requirements::default() }
                    .are_met(&attributes, NOW),
                all,
                "all of {scope}"
            );
            assert_eq!(
                Requirements { scopes: wanted(false), ..Requirements::default() }
                    .are_met(&attributes, NOW),
                one,
                "any of {scope}"
            );
        }
    }

    #[test]
    fn claims_are_found_by_name_or_path_and_compared_with_their_type() {
        let requirements = |path: &str, value: Value| Requirements {
            claims: vec![(ClaimPath::new(path), RequiredValue::Any(vec![value]))],
            ..Requirements::default()
        };
        let members = json!({"org": {"id": "a", "tags": ["x", 2]}, "https://e.com/plan": "pro", "level": 3, "on": true});
        for (path, value, met) in [
            ("org.id", json!("a"), true),
            ("org.tags", json!(2), true),
            ("org.tags", json!("2"), false),
            ("https://e.com/plan", json!("pro"), true),
            ("level", json!(3), true),
            ("level", json!("3"), false),
            ("on", json!(true), true),
            ("org", json!("a"), false),
            ("org.id.x", json!("a"), false),
            ("none", json!(null), false),
        ] {
            assert_eq!(
                requirements(path, value.clone())
                    .are_met(&attributes(members.clone(), &[path]), NOW),
                met,
                "{path} {value}"
            );
        }
    }

    /// GHSA-7rqj-j65f-68wh, GHSA-c5c4-8r6x-56w3: two readers, two addresses.
    #[test]
    fn only_a_verified_plain_address_has_a_domain() {
        let requirements = Requirements {
            email_domains: vec!["example.com".to_owned()],
            ..Requirements::default()
        };
        for (email, verified, met) in [
            ("ada@example.com", json!(true), true),
            ("ada@EXAMPLE.com", json!(true), true),
            ("ada@example.com", json!(false), false),
            ("ada@example.com", json!("true"), false),
            ("ada@example.com", json!(null), false),
            ("ada@evil.com@example.com", json!(true), false),
            ("ada@example.com@evil.com", json!(true), false),
            ("@example.com", json!(true), false),
            ("ada@sub.example.com", json!(true), false),
            ("ada@examp\u{212a}e.com", json!(true), false),
            ("ada@example.com ", json!(true), false),
            ("example.com", json!(true), false),
        ] {
            for name in ["email_verified", "emailVerified"] {
                let attributes = attributes(json!({"email": email, name: verified}), &[]);
                assert_eq!(requirements.are_met(&attributes, NOW), met, "{email} {verified}");
            }
        }
    }

    #[test]
    fn an_old_session_is_too_old_and_one_without_a_beginning_too() {
        let requirements = |seconds| Requirements {
            max_session_age: Some(Seconds::new(seconds)),
            ..Requirements::default()
        };
        assert!(requirements(10).are_met(&attributes(json!({}), &[]), NOW));
        assert!(!requirements(9).are_met(&attributes(json!({}), &[]), NOW));
        assert!(!requirements(10).are_met(&Attributes::default(), NOW));
        assert!(
            requirements(10).are_met(&attributes(json!({}), &[]), UnixTime::from_millis(940_000))
        );
        assert!(
            !requirements(10).are_met(&attributes(json!({}), &[]), UnixTime::from_millis(939_999))
        );
    }

    /// Each requirement by itself and with each other: the worst counts (Clerk #8372).
    #[test]
    fn every_requirement_has_to_hold() {
        let good = json!({"role": "admin", "scope": "read", "plan": "pro", "email": "a@example.com", "email_verified": true});
        let bad = json!({"role": "user", "scope": "write", "plan": "free", "email": "a@evil.com", "email_verified": true});
        let mut combinations = 0;
        for broken in 0..32_u32 {
            let is_broken = |place: u32| broken >> place & 1 == 1;
            let mut members = serde_json::Map::new();
            for (place, name) in [(0, "role"), (1, "scope"), (2, "plan"), (3, "email")] {
                let source = if is_broken(place) { &bad } else { &good };
                members.insert(name.to_owned(), source[name].clone());
            }
            members.insert("email_verified".to_owned(), Value::Bool(true));
            let text = Value::Object(members).to_string();
            let Some(members) = json::object(text.as_bytes()) else { unreachable!("an object") };
            let named: Vec<ClaimPath> =
                ["role", "roles", "scope", "scp", "plan"].map(ClaimPath::new).to_vec();
            let began = UnixTime::from_seconds(if is_broken(4) { 10 } else { 1000 });
            let requirements = Requirements {
                roles: any(&["admin"]),
                scopes: any(&["read"]),
                claims: vec![(ClaimPath::new("plan"), RequiredValue::Any(vec![json!("pro")]))],
                email_domains: vec!["example.com".to_owned()],
                max_session_age: Some(Seconds::new(60)),
            };
            let attributes = Attributes::read(&[&members], &named, began);
            assert_eq!(requirements.are_met(&attributes, NOW), broken == 0, "{broken:b}");
            let unmet = requirements.first_unmet(&attributes, NOW).map(|(name, ..)| name);
            let first = ["roles", "scopes", "claims.plan", "email_domains"];
            let first = first.iter().chain(&["max_session_age_seconds"]);
            let expected = first.enumerate().find(|(place, _)| broken >> place & 1 == 1);
            assert_eq!(unmet.as_deref(), expected.map(|(_, name)| *name), "{broken:b}");
            combinations += 1;
        }
        assert_eq!(combinations, 32);
    }
}
