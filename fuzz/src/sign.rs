//! Signs and encrypts what the fuzzer writes, as Better Auth does.

use std::sync::LazyLock;

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use ed25519_dalek::{Signer as _, SigningKey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

/// The secret of Better Auth's vectors: a throwaway.
pub const SECRET: &str = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";

/// The `kid` of the key that the fuzzer signs with.
pub const KID: &str = "fuzz";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[7; 32]));

static ENCRYPTION_KEY: LazyLock<[u8; 64]> = LazyLock::new(|| {
    let mut key = [0; 64];
    let derived = Hkdf::<Sha256>::new(Some(b"better-auth-session"), SECRET.as_bytes());
    derived
        .expand(b"BetterAuth.js Generated Encryption Key", &mut key)
        .unwrap_or_else(|error| panic!("{error}"));
    key
});

pub fn public_key() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(KEY.verifying_key().as_bytes()), "kid": KID, "alg": "EdDSA" })
}

/// A JWS by the key of the set.
pub fn eddsa(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let signature = KEY.sign(input.as_bytes()).to_bytes();
    format!("{input}.{}", base64url(&signature))
}

/// A JWS by the secret.
pub fn hs256(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let mac = hmac(input.as_bytes());
    format!("{input}.{}", base64url(&mac))
}

/// A JWE by the secret.
pub fn jwe(header: &[u8], content: &[u8]) -> String {
    let (mac_key, aes_key) = ENCRYPTION_KEY.split_at(32);
    let (aad, iv) = (base64url(header), [9; 16]);
    let cipher = cbc::Encryptor::<Aes256>::new_from_slices(aes_key, &iv)
        .unwrap_or_else(|error| panic!("{error}"));
    let ciphertext = cipher.encrypt_padded_vec::<Pkcs7>(content);
    let mut mac = Hmac::<Sha512>::new_from_slice(mac_key).unwrap_or_else(|error| panic!("{error}"));
    for part in [aad.as_bytes(), &iv, &ciphertext, &(aad.len() as u64 * 8).to_be_bytes()] {
        mac.update(part);
    }
    let tag = mac.finalize().into_bytes();
    format!("{aad}..{}.{}.{}", base64url(&iv), base64url(&ciphertext), base64url(&tag[..32]))
}

/// A compact `session_data` cookie over this session.
pub fn compact(session: &[u8], expires_at: &[u8]) -> String {
    let open = session.strip_suffix(b"}").unwrap_or(session);
    let message = [open, b",\"expiresAt\":", expires_at, b"}"].concat();
    let signature = base64url(&hmac(&message));
    let outer = [
        b"{\"session\":",
        session,
        b",\"expiresAt\":",
        expires_at,
        b",\"signature\":\"",
        signature.as_bytes(),
        b"\"}",
    ];
    base64url(&outer.concat())
}

/// A signed cookie value, decoded: `value.signature`.
pub fn signed_value(value: &str) -> String {
    format!("{value}.{}", STANDARD.encode(hmac(value.as_bytes())))
}

pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hmac(message: &[u8]) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
