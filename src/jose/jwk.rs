//! JWK and JWK Set (RFC 7517): public signature keys of known kinds and sufficient strength.
//!
//! One odd key never costs the others: a key that is unknown, weak, private or broken is left out,
//! and the rest is used. Which ones, and by which rule of `docs/strictness.md`, the log can say.

use std::sync::Arc;

use serde::Serialize;

use crate::encoding::json::{self, Object, Value};
use crate::encoding::{base64, digest, percent};
use crate::jose::alg::{Algorithm, KeyType};
use crate::jose::curve::Curve;
use crate::jose::ed25519;

/// A larger document is not read.
pub(crate) const MAX_SET_BYTES: u32 = 256 * 1024;
/// Further keys are not looked at: to see whether a point is on its curve takes time. Better Auth
/// keeps the keys of a month.
const MAX_KEYS: usize = 512;
/// NIST SP 800-131A; RFC 7518 section 3.3.
const MIN_RSA_BITS: usize = 2048;
/// A larger modulus buys nothing but work for us.
const MAX_RSA_BITS: usize = 8192;
/// An exponent of five bytes or more is no honest one.
const MAX_EXPONENT_BYTES: usize = 4;

/// So many of the keys that are left out are named: a log's line is for people.
const MAX_NAMED: usize = 8;
/// So much of a name that somebody else has made up is shown.
const MAX_NAME_BYTES: usize = 64;

/// The usable keys of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct JwkSet {
    keys: Vec<Jwk>,
    left_out: Vec<LeftOut>,
    skipped: usize,
    is_cut: bool,
}

/// A key of a set that is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LeftOut {
    /// Its `kid` as far as it is one, shortened, and escaped for a log.
    pub(crate) kid: Option<String>,
    /// The rule of `docs/strictness.md` that it falls under.
    pub(crate) rule: Rule,
}

/// Why a key is not used. The names are those of `docs/strictness.md`; a test holds the two
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rule {
    /// It is no strict JSON object.
    StrictJson,
    /// It is a secret, and stands where everybody reads it.
    SymmetricKeys,
    /// It is not for verifying, or it is private.
    KeyUse,
    /// Its kind or its curve is unknown here.
    KeyTypes,
    /// A member that makes it a key is missing or of the wrong type.
    KeyMembers,
    /// A member is spelled otherwise than RFC 7515 has it.
    Base64url,
    /// A number has zeros before it (RFC 7518 section 2, "Base64urlUInt").
    MinimalIntegers,
    /// Somebody, or anybody, could sign for it.
    WeakKeys,
    /// Its `alg` is not a name that is registered.
    RegisteredAlg,
    /// Its `alg` is not for its kind.
    AlgOfTheKey,
    /// It comes after as many as are looked at.
    Size,
}

impl Rule {
    /// The name in `docs/strictness.md`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::StrictJson => "strict-json",
            Self::SymmetricKeys => "symmetric-keys",
            Self::KeyUse => "key-use",
            Self::KeyTypes => "key-types",
            Self::KeyMembers => "key-members",
            Self::Base64url => "base64url",
            Self::MinimalIntegers => "minimal-integers",
            Self::WeakKeys => "weak-keys",
            Self::RegisteredAlg => "registered-alg",
            Self::AlgOfTheKey => "alg-of-the-key",
            Self::Size => "size",
        }
    }
}

/// A public signature key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jwk {
    /// `kid`.
    pub(crate) kid: Option<String>,
    /// `alg`, where the key says it.
    algorithm: Option<Algorithm>,
    /// The key itself.
    pub(crate) material: Material,
    /// The members that define it, as a JWK.
    pub(crate) definition: Arc<str>,
    /// RFC 7638.
    pub(crate) thumbprint: Arc<str>,
}

/// The members that define a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// Ed25519.
    Okp { x: Arc<ed25519::Key> },
    /// A point on the curve of this name, coordinates of full length.
    Ec { curve: &'static str, x: Vec<u8>, y: Vec<u8> },
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl JwkSet {
    /// Reads a key set; nothing where the document is not one. A set without a usable key is a set.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        if document.len() > usize::try_from(MAX_SET_BYTES).ok()? {
            return None;
        }
        let document = json::unread_object(std::str::from_utf8(document).ok()?)?;
        let Value::List(keys) = json::unread(document.spelled("keys")?)? else { return None };
        Some(Self::of(&keys, |key| match key {
            Value::Unread(text) => json::object(text.as_bytes())
                .map_or(Err(LeftOut::nameless(Rule::StrictJson)), |members| Jwk::read(&members)),
            _ => Err(LeftOut::nameless(Rule::StrictJson)),
        }))
    }

    /// The key set that a document has within it.
    pub(crate) fn from_value(document: &Value<'_>) -> Option<Self> {
        let Value::Object(document) = document else { return None };
        let Value::List(keys) = document.get("keys")? else { return None };
        Some(Self::of(keys, |key| match key {
            Value::Object(members) => Jwk::read(members),
            _ => Err(LeftOut::nameless(Rule::StrictJson)),
        }))
    }

    fn of<'k, 'd: 'k>(
        found: &'k [Value<'d>],
        read: impl Fn(&'k Value<'d>) -> Result<Jwk, LeftOut>,
    ) -> Self {
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for key in found.iter().take(MAX_KEYS) {
            match read(key) {
                Ok(key) => keys.push(key),
                Err(odd) if left_out.len() < MAX_NAMED => left_out.push(odd),
                Err(_) => {}
            }
        }
        let is_cut = found.len() > MAX_KEYS;
        if is_cut && left_out.len() < MAX_NAMED {
            left_out.push(LeftOut::nameless(Rule::Size));
        }
        Self { skipped: found.len().saturating_sub(keys.len()), keys, left_out, is_cut }
    }

    /// Whether the document has keys, and none of them is usable: it says that there are others,
    /// and not which.
    pub(crate) fn is_all_odd(&self) -> bool {
        self.keys.is_empty() && self.skipped > 0
    }

    /// The first of the keys that were left out.
    pub(crate) fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Whether there are further keys, which were not looked at.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The usable keys.
    pub(crate) fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// How many keys of the document were left out.
    pub(crate) fn skipped(&self) -> usize {
        self.skipped
    }
}

impl LeftOut {
    const fn nameless(rule: Rule) -> Self {
        Self { kid: None, rule }
    }

    /// Whether it may be the key of this `kid`, as far as what is shown of its own tells.
    pub(crate) fn is_named(&self, kid: &str) -> bool {
        self.kid.as_ref().is_some_and(|own| *own == percent::loggable(kid, MAX_NAME_BYTES))
    }
}

impl Jwk {
    fn read(members: &Object<'_>) -> Result<Self, LeftOut> {
        let kid = || members.text("kid").map(|kid| percent::loggable(kid, MAX_NAME_BYTES));
        Self::from_members(members).map_err(|rule| LeftOut { kid: kid(), rule })
    }

    fn from_members(members: &Object<'_>) -> Result<Self, Rule> {
        if members.text("kty") == Some("oct") {
            return Err(Rule::SymmetricKeys);
        }
        let is_private =
            ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| members.has(name));
        let for_signatures = match members.get("use") {
            None => true,
            Some(used) => used.as_text() == Some("sig"),
        };
        let for_verifying = match members.get("key_ops") {
            None => true,
            Some(Value::List(operations)) => {
                operations.iter().any(|operation| operation.as_text() == Some("verify"))
            }
            Some(_) => false,
        };
        if is_private || !for_signatures || !for_verifying {
            return Err(Rule::KeyUse);
        }
        let material = Material::from_members(members)?;
        let algorithm = match members.get("alg") {
            None => None,
            Some(Value::Text(name)) => Some(Algorithm::from_name(name).ok_or(Rule::RegisteredAlg)?),
            Some(_) => return Err(Rule::KeyMembers),
        };
        if algorithm.is_some_and(|algorithm| !material.suits(algorithm)) {
            return Err(Rule::AlgOfTheKey);
        }
        let kid = match members.get("kid") {
            None => None,
            Some(Value::Text(kid)) => Some(kid.as_ref().to_owned()),
            Some(_) => return Err(Rule::KeyMembers),
        };
        let definition = material.as_jwk();
        let thumbprint = base64::url_encoded(&digest::of(definition.as_bytes()));
        Ok(Self {
            kid,
            algorithm,
            material,
            definition: definition.into(),
            thumbprint: thumbprint.into(),
        })
    }

    /// Whether this key may be used with `algorithm`: by its type, its curve, and its own `alg`.
    pub(crate) fn suits(&self, algorithm: Algorithm) -> bool {
        self.material.suits(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }
}

impl Material {
    /// The defining members of a JWK, private or not.
    ///
    /// # Errors
    /// The rule by which it is no key.
    pub(crate) fn from_members(members: &Object<'_>) -> Result<Self, Rule> {
        let text_of = |name: &str| members.text(name).ok_or(Rule::KeyMembers);
        let bytes_of = |name: &str| {
            text_of(name).and_then(|text| base64::url_decoded(text).ok_or(Rule::Base64url))
        };
        match text_of("kty")? {
            "OKP" if text_of("crv")? == "Ed25519" => {
                let x = bytes_of("x")?.try_into().map_err(|_| Rule::KeyMembers)?;
                Ok(Self::Okp { x: Arc::new(ed25519::Key::new(x)) })
            }
            "EC" => {
                let curve = Curve::of(text_of("crv")?).ok_or(Rule::KeyTypes)?;
                let (x, y) = (bytes_of("x")?, bytes_of("y")?);
                if curve.has(&x, &y) {
                    Ok(Self::Ec { curve: curve.name, x, y })
                } else {
                    Err(Rule::WeakKeys)
                }
            }
            "RSA" => {
                let (n, e) = (bytes_of("n")?, bytes_of("e")?);
                // One key, one spelling: its thumbprint depends on it. Libraries that sign their
                // numbers put a zero before them.
                if n.first() == Some(&0) || e.first() == Some(&0) {
                    return Err(Rule::MinimalIntegers);
                }
                let is_good = is_strong_modulus(&n) && is_sane_exponent(&e) && !is_of_roca(&n);
                if is_good { Ok(Self::Rsa { n, e }) } else { Err(Rule::WeakKeys) }
            }
            _ => Err(Rule::KeyTypes),
        }
    }

    fn suits(&self, algorithm: Algorithm) -> bool {
        let scheme = algorithm.scheme();
        match self {
            Self::Okp { .. } => scheme.key_type() == KeyType::Okp,
            Self::Ec { curve, .. } => {
                scheme.key_type() == KeyType::Ec && scheme.curve() == Some(curve)
            }
            Self::Rsa { .. } => scheme.key_type() == KeyType::Rsa,
        }
    }

    /// The key as a JWK with just the members that define it, in the order of RFC 7638 section 3.
    pub(crate) fn as_jwk(&self) -> String {
        let encode = |bytes: &[u8]| base64::url_encoded(bytes);
        match self {
            Self::Okp { x } => {
                ["{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"", &encode(x.bytes()), "\"}"]
                    .concat()
            }
            Self::Ec { curve, x, y } => [
                "{\"crv\":\"",
                curve,
                "\",\"kty\":\"EC\",\"x\":\"",
                &encode(x),
                "\",\"y\":\"",
                &encode(y),
                "\"}",
            ]
            .concat(),
            Self::Rsa { n, e } => {
                ["{\"e\":\"", &encode(e), "\",\"kty\":\"RSA\",\"n\":\"", &encode(n), "\"}"].concat()
            }
        }
    }
}

fn is_strong_modulus(n: &[u8]) -> bool {
    let Some(first) = n.first() else { return false };
    let bits = n
        .len()
        .saturating_mul(8)
        .saturating_sub(usize::try_from(first.leading_zeros()).unwrap_or(8));
    let is_odd = n.last().is_some_and(|last| last & 1 == 1);
    *first != 0 && is_odd && (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits)
}

/// Odd and at least 3: with 1 anybody can sign.
fn is_sane_exponent(e: &[u8]) -> bool {
    let at_least_three = match e {
        [] | [0, ..] | [1] => false,
        [..] => true,
    };
    at_least_three && e.len() <= MAX_EXPONENT_BYTES && e.last().is_some_and(|last| last & 1 == 1)
}

/// Whether a modulus has the mark of ROCA (CVE-2017-15361): chips whose primes were powers of
/// 65537, so that their private keys can be computed. Modulo each of these primes such a modulus is
/// a power of 65537 too; of others one in 2^27 is.
fn is_of_roca(n: &[u8]) -> bool {
    const PRIMES: [u32; 17] =
        [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
    let is_power = |prime: u32| {
        // Below 157 * 65537, so nothing wraps.
        let times = |rest: u32, factor: u32, more: u32| {
            rest.wrapping_mul(factor).wrapping_add(more).checked_rem(prime).unwrap_or_default()
        };
        let rest = n.iter().fold(0, |rest, byte| times(rest, 256, u32::from(*byte)));
        std::iter::successors(Some(1), |power| {
            Some(times(*power, 65537, 0)).filter(|power| *power != 1)
        })
        .any(|power| power == rest)
    };
    PRIMES.into_iter().all(is_power)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.3 names the thumbprint of the key of appendix A.1.
    #[test]
    fn thumbprint_is_that_of_rfc_8037() {
        let set = JwkSet::parse(br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#);
        let thumbprints: Vec<Arc<str>> =
            set.iter().flat_map(JwkSet::keys).map(|key| key.thumbprint.clone()).collect();
        assert_eq!(thumbprints, [Arc::from("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]);
    }

    #[test]
    fn one_odd_key_never_costs_the_others() {
        let good = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"good"}"#;
        let odd = [
            r#"{"kty":"oct","k":"AAAA"}"#,
            r#"{"kty":"OKP","crv":"Ed448","x":"AAAA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AAAA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"enc"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","key_ops":["sign"]}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"RS256"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":1}"#,
            r#"{"kty":"OKP","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
            r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA"}"#,
            "7",
            "null",
        ];
        let document = format!("{{\"keys\":[{},{good}],\"x\":1}}", odd.join(","));
        let set = JwkSet::parse(document.as_bytes()).unwrap_or_default();
        assert_eq!(
            set.keys().iter().map(|key| key.kid.as_deref()).collect::<Vec<_>>(),
            [Some("good")]
        );
        assert_eq!(set.skipped(), odd.len());
    }

    #[test]
    fn a_rule_is_logged_by_its_name() {
        for rule in [
            Rule::StrictJson,
            Rule::SymmetricKeys,
            Rule::Base64url,
            Rule::AlgOfTheKey,
            Rule::MinimalIntegers,
        ] {
            assert_eq!(json::written(&rule), format!("{:?}", rule.name()));
        }
    }

    #[test]
    fn an_array_is_no_set() {
        let key =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert!(JwkSet::parse(format!(" {{\"keys\":[{key}]}}").as_bytes()).is_some());
        assert!(JwkSet::parse(format!("[[{key}]]").as_bytes()).is_none());
    }

    #[test]
    fn weak_rsa_keys_are_left_out() {
        assert!(
            !is_sane_exponent(&[1])
                && !is_sane_exponent(&[])
                && !is_sane_exponent(&[0, 3])
                && !is_sane_exponent(&[2])
        );
        assert!(is_sane_exponent(&[3]) && is_sane_exponent(&[1, 0, 1]));
        assert!(!is_strong_modulus(&[0xff; 255]) && is_strong_modulus(&[0xff; 256]));
        assert!(
            !is_strong_modulus(&[0x7f; 256])
                && !is_strong_modulus(&[0xfe; 256])
                && !is_strong_modulus(&[0xff; 1025])
        );
    }
}
