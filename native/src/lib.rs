//! What a native host needs besides the host kit: signature checks with `jsonwebtoken`, and ES512,
//! which that has not, with `p521`.

use doorward::{Algorithm, Capabilities, EffectResult, SignatureCheck};
use doorward_host::Failure;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, crypto};
use p521::ecdsa::signature::Verifier as _;

/// What this host can check: everything that a key set may bring.
pub fn capabilities() -> Capabilities {
    Capabilities::checking(Algorithm::all())
}

/// Checks a signature.
///
/// # Errors
/// Where there is no clear verdict; never for a bad signature.
pub fn check_signature(check: &SignatureCheck) -> Result<bool, Failure> {
    let verdict = match in_jsonwebtoken(check.algorithm) {
        Some(algorithm) => with_jsonwebtoken(check, algorithm),
        None if check.algorithm == Algorithm::ES512 => with_p521(check),
        None => return Err(Failure::Unsupported),
    };
    verdict.ok_or(Failure::Failed)
}

/// The same as the engine is told it.
pub fn check(check: &SignatureCheck) -> EffectResult<'static> {
    match check_signature(check) {
        Ok(holds) => EffectResult::Checked(holds),
        Err(Failure::Unsupported) => EffectResult::Unsupported,
        Err(_) => EffectResult::Failed,
    }
}

fn in_jsonwebtoken(algorithm: Algorithm) -> Option<jsonwebtoken::Algorithm> {
    match algorithm {
        Algorithm::ES256 => Some(jsonwebtoken::Algorithm::ES256),
        Algorithm::ES384 => Some(jsonwebtoken::Algorithm::ES384),
        Algorithm::RS256 => Some(jsonwebtoken::Algorithm::RS256),
        Algorithm::RS384 => Some(jsonwebtoken::Algorithm::RS384),
        Algorithm::RS512 => Some(jsonwebtoken::Algorithm::RS512),
        Algorithm::PS256 => Some(jsonwebtoken::Algorithm::PS256),
        Algorithm::PS384 => Some(jsonwebtoken::Algorithm::PS384),
        Algorithm::PS512 => Some(jsonwebtoken::Algorithm::PS512),
        Algorithm::EdDSA => Some(jsonwebtoken::Algorithm::EdDSA),
        Algorithm::ES512 => None,
    }
}

fn with_jsonwebtoken(check: &SignatureCheck, algorithm: jsonwebtoken::Algorithm) -> Option<bool> {
    let jwk: Jwk = serde_json::from_str(&check.key).ok()?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    // The core hands over decoded bytes; `jsonwebtoken` wants the text of the token.
    let signature = base64url(&check.signature);
    // It reports a malformed signature as an error: for us that is a signature that does not hold.
    Some(crypto::verify(&signature, &check.signing_input, &key, algorithm).unwrap_or(false))
}

fn with_p521(check: &SignatureCheck) -> Option<bool> {
    let members: serde_json::Value = serde_json::from_str(&check.key).ok()?;
    let coordinate =
        |name: &str| members.get(name).and_then(serde_json::Value::as_str).and_then(from_base64url);
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
    let signature = p521::ecdsa::Signature::from_slice(&check.signature);
    Some(signature.is_ok_and(|signature| key.verify(&check.signing_input, &signature).is_ok()))
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}
