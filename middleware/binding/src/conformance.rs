//! The door for conformance suites (`doorward::conformance`) as JavaScript sees it: behind the
//! feature `suites`, in nothing that ships. Answers are JSON: `{}` for what holds, `{"reason"}`, or
//! `{"check"}` for what the host is to check first; its verdict comes with the second call.

use doorward::{
    Algorithm, Capabilities, EffectResult, HashFunction, Reason, SignatureCheck, SignatureScheme,
    conformance,
};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Gate, moment, wire};

const POLICY: &str = r#"{
    "issuers": [{ "type": "jwt", "issuer": "https://issuer.test", "audience": "a", "jwks_url": "https://issuer.test/jwks" }],
    "rules": [{ "path": "/**", "access": "required" }]
}"#;

#[wasm_bindgen]
impl Gate {
    /// What the session's cookie of that kind is found to be, before anything is asked: `valid`,
    /// `absent`, or the reason why it does not count. Nothing where there is no Better Auth issuer.
    pub fn session_data(&self, length: u32, now: f64) -> Option<String> {
        let head = self.head.get(..usize::try_from(length).ok()?)?;
        wire::with_head(head, |head| conformance::session_data(&self.engine, head, moment(now)))?
            .map(str::to_owned)
    }
}

/// A token by a key set.
#[wasm_bindgen]
pub fn suite_token(host: &str, key_set: &str, token: &str, verdict: Option<bool>) -> String {
    let policy = doorward::Config::parse(POLICY)
        .and_then(|config| config.compile(&Default::default(), &read_capabilities(host)));
    let Ok(policy) = policy else {
        return json!({ "reason": "not_started" }).to_string();
    };
    let mut asked = Value::Null;
    let outcome = conformance::signed_content(&policy, key_set.as_bytes(), token, |check| {
        perform(check, verdict, &mut asked)
    });
    answer(outcome.map(drop), asked)
}

/// A token by the secret of HS256 cookies.
#[wasm_bindgen]
pub fn suite_hs256(secret: &[u8], token: &str) -> String {
    answer(conformance::hs256_content(secret, token).map(drop), Value::Null)
}

/// An encrypted token by the secret of such cookies.
#[wasm_bindgen]
pub fn suite_jwe(secret: &[u8], token: &str) -> String {
    answer(conformance::jwe_content(secret, token).map(drop), Value::Null)
}

/// What A256CBC-HS512 has encrypted.
#[wasm_bindgen]
pub fn suite_decrypted(
    key: &[u8],
    aad: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Vec<u8>> {
    conformance::decrypted(key, aad, iv, ciphertext, tag)
}

/// A signature over any bytes.
#[wasm_bindgen]
pub fn suite_signature(
    host: &str,
    jwk: &str,
    algorithm: &str,
    message: &[u8],
    signature: &[u8],
    verdict: Option<bool>,
) -> String {
    let Some(algorithm) = Algorithm::from_name(algorithm) else {
        return answer(Err(Reason::AlgNotAllowed), Value::Null);
    };
    let mut asked = Value::Null;
    let perform = |check: &SignatureCheck| perform(check, verdict, &mut asked);
    let outcome = conformance::signature_holds(
        &read_capabilities(host),
        jwk,
        algorithm,
        message,
        signature,
        perform,
    );
    answer(
        outcome.and_then(|holds| if holds { Ok(()) } else { Err(Reason::SignatureInvalid) }),
        asked,
    )
}

/// An HMAC-SHA256.
#[wasm_bindgen]
pub fn suite_mac(secret: &[u8], message: &[u8], mac: &[u8]) -> bool {
    conformance::mac_holds(secret, message, mac)
}

/// What a host checks: JSON, `checks`, the parts of signatures.
fn read_capabilities(host: &str) -> Capabilities {
    let host: Value = serde_json::from_str(host).unwrap_or_default();
    let checks =
        host.get("checks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let parts: Vec<&str> = checks.iter().filter_map(Value::as_str).collect();
    Capabilities::checking(|scheme| scheme.is_made_of(&parts))
}

fn perform(
    check: &SignatureCheck,
    verdict: Option<bool>,
    asked: &mut Value,
) -> EffectResult<'static> {
    let Some(verdict) = verdict else {
        *asked = json!({
            "scheme": scheme(check.scheme),
            "key": &*check.key,
            "thumbprint": &*check.thumbprint,
            "signingInput": check.signing_input,
            "signature": check.signature,
        });
        return EffectResult::Failed;
    };
    EffectResult::Checked(verdict)
}

/// A scheme as hosts see it: what its kind has no use for is not there.
fn scheme(scheme: SignatureScheme) -> Value {
    let mut members = json!({
        "kind": scheme.kind(),
        "curve": scheme.curve(),
        "hash": scheme.hash().map(HashFunction::name),
        "saltBytes": scheme.salt_bytes(),
    });
    if let Some(members) = members.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    members
}

fn answer(outcome: Result<(), Reason>, asked: Value) -> String {
    match outcome {
        _ if asked.is_object() => json!({ "check": asked }),
        Ok(()) => json!({}),
        Err(reason) => json!({ "reason": reason.code() }),
    }
    .to_string()
}
