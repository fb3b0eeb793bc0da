//! Randomness, keys and signatures.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::{Algorithm, SignatureCheck};
use doorward_doctor::effects::EffectResult;

pub(crate) fn random(count: usize) -> EffectResult {
    let mut bytes = vec![0; count];
    match getrandom::fill(&mut bytes) {
        Ok(()) => EffectResult::Bytes { bytes },
        Err(_) => EffectResult::Absent,
    }
}

/// A key pair as a private JWK.
pub(crate) fn generate(algorithm: &str) -> EffectResult {
    let made = match algorithm {
        "EdDSA" => ed25519(),
        "ES256" => es256(),
        _ => None,
    };
    made.map_or_else(
        || EffectResult::Failed { message: "this program makes no such keys".to_owned() },
        |text| EffectResult::Text { text },
    )
}

fn ed25519() -> Option<String> {
    let mut private = [0; 32];
    getrandom::fill(&mut private).ok()?;
    let key = ed25519_dalek::SigningKey::from_bytes(&private);
    let (d, x) = (encoded(&private), encoded(key.verifying_key().as_bytes()));
    Some(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"{d}"}}"#))
}

fn es256() -> Option<String> {
    let mut private = [0; 32];
    // One in 2^32 is not below the order of the curve.
    for _ in 0..4 {
        getrandom::fill(&mut private).ok()?;
        let Ok(key) = p256::ecdsa::SigningKey::from_slice(&private) else { continue };
        let point = key.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes().get(1..)?.split_at_checked(32)?;
        let (d, x, y) = (encoded(&private), encoded(x), encoded(y));
        return Some(format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","d":"{d}"}}"#));
    }
    None
}

/// Whether a signature holds, by `jsonwebtoken` and `p521`.
pub(crate) fn check(
    algorithm: &str,
    key: String,
    signing_input: Vec<u8>,
    signature: Vec<u8>,
) -> EffectResult {
    let Some(algorithm) = Algorithm::from_name(algorithm) else { return EffectResult::Absent };
    let check = SignatureCheck {
        scheme: algorithm.scheme(),
        key: key.into(),
        thumbprint: String::new().into(),
        signing_input,
        signature,
    };
    match doorward_native::check_signature(&check) {
        Ok(holds) => EffectResult::Checked { holds },
        Err(_) => EffectResult::Absent,
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
