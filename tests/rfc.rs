//! The examples of the RFCs: RFC 7515 appendix A, RFC 7520 section 4, RFC 8037 appendix A.
//!
//! Data in `vectors/rfc/`, one file per RFC: the section, the token, its public key (or its secret,
//! for HS256), and what comes of it. What is accepted is refused with another signature.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)] // a test that panics has found something

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::{Reason, conformance};
use serde_json::{Value, json};

const FILES: [(&str, &str); 3] = [
    ("RFC 7515", include_str!("vectors/rfc/rfc7515.json")),
    ("RFC 7520", include_str!("vectors/rfc/rfc7520.json")),
    ("RFC 8037", include_str!("vectors/rfc/rfc8037.json")),
];

#[test]
fn the_examples_of_the_rfcs_come_out_as_they_say() {
    for (rfc, file) in FILES {
        let vectors: Vec<Value> =
            serde_json::from_str(file).unwrap_or_else(|error| panic!("{rfc}: {error}"));
        let accepted = vectors.iter().filter(|vector| holds(rfc, vector)).count();
        println!(
            "{rfc}: {} examples, {accepted} accepted, {} refused",
            vectors.len(),
            vectors.len() - accepted
        );
    }
}

/// Whether it is accepted; an error if that is not as it should be.
fn holds(rfc: &str, vector: &Value) -> bool {
    let token = vector["token"].as_str().unwrap_or_default();
    let outcome = judge(vector, token);
    let code = outcome.as_ref().map_or_else(|reason| reason.code(), |_| "accepted");
    assert_eq!(vector["expect"], code, "{rfc} section {}: {}", vector["section"], vector["about"]);
    if let Ok(content) = &outcome {
        let signed = token.split('.').nth(1).map(|part| URL_SAFE_NO_PAD.decode(part));
        assert_eq!(signed, Some(Ok(content.clone())), "{rfc} section {}", vector["section"]);
        let changed = [&token[..token.len() - 4], "AAAA"].concat();
        assert_eq!(
            judge(vector, &changed),
            Err(Reason::SignatureInvalid),
            "{rfc} section {}",
            vector["section"]
        );
    }
    outcome.is_ok()
}

fn judge(vector: &Value, token: &str) -> Result<Vec<u8>, Reason> {
    if let Some(secret) = vector["secret"].as_str() {
        let secret = URL_SAFE_NO_PAD.decode(secret).unwrap_or_else(|error| panic!("{error}"));
        return conformance::hs256_content(&secret, token);
    }
    let key_set = json!({ "keys": [vector["key"]] }).to_string();
    let policy = support::jwt_policy(&doorward_native::capabilities());
    conformance::signed_content(&policy, key_set.as_bytes(), token, doorward_native::check)
}
