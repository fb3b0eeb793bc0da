//! What a native host needs besides the host kit: signature checks with `jsonwebtoken`, and ECDSA on
//! P-521, which that has not, with `p521`; and the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use doorward::HashFunction::{Sha256, Sha384, Sha512};
use doorward::SignatureScheme::{Ecdsa, EdDsa, RsaPkcs1, RsaPss};
use doorward::{Capabilities, EffectResult, SignatureCheck, SignatureScheme, UnixTime};
use doorward_host::Failure;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, crypto};
use p521::ecdsa::signature::Verifier as _;

/// What this host can check: the schemes for which there is a crate below.
pub fn capabilities() -> Capabilities {
    Capabilities::checking(|scheme| by_crate(scheme).is_some())
}

/// The time of this machine. A clock before 1970 is 1970, where no token is good yet.
pub fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Checks a signature.
///
/// # Errors
/// Where there is no clear verdict; never for a bad signature.
pub fn check_signature(check: &SignatureCheck) -> Result<bool, Failure> {
    let verdict = match by_crate(check.scheme).ok_or(Failure::Unsupported)? {
        ByCrate::Jsonwebtoken(algorithm) => with_jsonwebtoken(check, algorithm),
        ByCrate::P521 => with_p521(check),
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

/// The crate that checks signatures of a scheme.
enum ByCrate {
    /// `jsonwebtoken`, which has names of its own for schemes.
    Jsonwebtoken(Algorithm),
    /// `p521`.
    P521,
}

fn by_crate(scheme: SignatureScheme) -> Option<ByCrate> {
    let algorithm = match scheme {
        EdDsa { curve: "Ed25519" } => Algorithm::EdDSA,
        Ecdsa { curve: "P-256", hash: Sha256 } => Algorithm::ES256,
        Ecdsa { curve: "P-384", hash: Sha384 } => Algorithm::ES384,
        Ecdsa { curve: "P-521", hash: Sha512 } => return Some(ByCrate::P521),
        RsaPkcs1 { hash: Sha256 } => Algorithm::RS256,
        RsaPkcs1 { hash: Sha384 } => Algorithm::RS384,
        RsaPkcs1 { hash: Sha512 } => Algorithm::RS512,
        RsaPss { hash: Sha256, salt_bytes: 32 } => Algorithm::PS256,
        RsaPss { hash: Sha384, salt_bytes: 48 } => Algorithm::PS384,
        RsaPss { hash: Sha512, salt_bytes: 64 } => Algorithm::PS512,
        _ => return None,
    };
    Some(ByCrate::Jsonwebtoken(algorithm))
}

fn with_jsonwebtoken(check: &SignatureCheck, algorithm: Algorithm) -> Option<bool> {
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
