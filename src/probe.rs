//! What a diagnosis makes and opens with a Better Auth secret, behind the feature `probe`, which no
//! gate is built with.
//!
//! A made-up session token is signed here to learn whether an auth service has the same secret. The
//! token is in no store, so that it opens nothing. A made-up cookie cache (`session_data`) is a
//! working session without a user for as long as it lives: whoever makes one says so first.

use crate::better_auth::session_data::{CookieCache, Sealed};
use crate::better_auth::signed_cookie::SignedValue;
use crate::encoding::{base64, percent};
use crate::jose::jws::Jws;
use crate::jose::sign::SigningKey;
use crate::jose::verify::{self, Secret};
use crate::reason::Reason;

/// A secret to try.
#[derive(Debug, Clone)]
pub struct ProbeSecret(Secret);

/// How a `session_data` cookie is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionDataFormat {
    /// JSON with an HMAC.
    Compact,
    /// A JWT by the secret (HS256).
    Jwt,
    /// An encrypted JWT.
    Jwe,
    /// A JWT by a key of the auth service.
    JwtJwks,
}

/// A `session_data` cookie that a secret opens.
#[derive(Debug)]
pub struct OpenedSessionData {
    /// How it is written.
    pub format: SessionDataFormat,
    /// Its JSON.
    pub content: Vec<u8>,
}

impl ProbeSecret {
    /// The secret with these bytes.
    pub fn new(secret: &[u8]) -> Self {
        Self(Secret::from_bytes(secret))
    }

    /// The HMAC-SHA256 of a message.
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.0.mac(message)
    }

    /// Whether Better Auth warns of it: it can be guessed sooner than 120 bits.
    pub fn is_monotonous(&self) -> bool {
        self.0.is_monotonous()
    }

    /// The value of a signed cookie, percent-encoded as Better Auth writes it.
    pub fn signed_cookie(&self, value: &str) -> String {
        use ::base64::Engine as _;
        let mac = ::base64::engine::general_purpose::STANDARD.encode(self.0.mac(value.as_bytes()));
        percent::query_component(&[value, ".", &mac].concat())
    }

    /// Whether a signed cookie's value, already decoded, is signed by this secret.
    ///
    /// # Errors
    /// `credential_malformed`, `signature_invalid`.
    pub fn verify_cookie(&self, value: &str) -> Result<(), Reason> {
        SignedValue::from_cookie(value)?.verified(&self.0).map(drop)
    }

    /// `session_data` in the compact format. `content` is a JSON object.
    pub fn compact(&self, content: &str, expires_millis: i64) -> String {
        let expires = expires_millis.to_string();
        let open = content.strip_suffix('}').unwrap_or(content);
        let message = [open, ",\"expiresAt\":", &expires, "}"].concat();
        let mac = base64::url_encoded(&self.0.mac(message.as_bytes()));
        let outer = [
            "{\"session\":",
            content,
            ",\"expiresAt\":",
            &expires,
            ",\"signature\":\"",
            &mac,
            "\"}",
        ];
        base64::url_encoded(outer.concat().as_bytes())
    }

    /// `session_data` as a JWT by the secret.
    pub fn jwt(&self, content: &str) -> String {
        let input = [
            base64::url_encoded(b"{\"alg\":\"HS256\"}").as_str(),
            base64::url_encoded(content.as_bytes()).as_str(),
        ]
        .join(".");
        let mac = base64::url_encoded(&self.0.mac(input.as_bytes()));
        [&input, ".", &mac].concat()
    }

    /// `session_data` as an encrypted JWT (RFC 7516 with A256CBC-HS512); nothing where encryption
    /// fails, which it does for no content.
    pub fn jwe(&self, content: &str, iv: [u8; 16]) -> Option<String> {
        verify::encrypted(content.as_bytes(), &self.0, iv)
    }

    /// Opens a joined and decoded `session_data`, whatever its format. Dates are not looked at.
    ///
    /// # Errors
    /// `token_malformed`, `token_unsupported`, `signature_invalid`, `key_not_found` (encrypted by
    /// another secret), `alg_not_allowed` (signed by a key of the auth service).
    pub fn open_session_data(&self, value: &str) -> Result<OpenedSessionData, Reason> {
        let (format, verified) = match Sealed::parse(value, CookieCache::Auto, true)? {
            Sealed::Compact(compact) => (SessionDataFormat::Compact, compact.verified(&self.0)?),
            Sealed::Jwt(jws) => {
                let content = verify::hs256(&jws, &self.0)?.content().to_vec();
                return Ok(OpenedSessionData { format: SessionDataFormat::Jwt, content });
            }
            Sealed::Jwe(jwe) => {
                (SessionDataFormat::Jwe, verify::jwe(&jwe, std::iter::once(&self.0))?)
            }
            Sealed::JwtJwks(_) => return Err(Reason::AlgNotAllowed),
        };
        Ok(OpenedSessionData { format, content: verified.content().to_vec() })
    }
}

/// The format of a joined and decoded `session_data`, by its shape.
///
/// # Errors
/// `token_malformed`, `token_unsupported`.
pub fn session_data_format(value: &str) -> Result<SessionDataFormat, Reason> {
    Ok(match Sealed::parse(value, CookieCache::Auto, true)? {
        Sealed::Compact(_) => SessionDataFormat::Compact,
        Sealed::Jwt(_) => SessionDataFormat::Jwt,
        Sealed::Jwe(_) => SessionDataFormat::Jwe,
        Sealed::JwtJwks(_) => SessionDataFormat::JwtJwks,
    })
}

/// A JWS taken apart. Nothing of it is verified.
#[derive(Debug)]
pub struct UnverifiedJws {
    /// What is signed.
    pub signing_input: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Takes a token apart, as the gate does.
///
/// # Errors
/// `token_malformed`, `token_too_large`, `token_unsupported`.
pub fn unverified_jws(token: &str) -> Result<UnverifiedJws, Reason> {
    let jws = Jws::parse(token)?;
    Ok(UnverifiedJws {
        signing_input: jws.signing_input.to_owned(),
        payload: jws.unverified_payload,
        signature: jws.signature,
    })
}

/// The public side of a private key, as a JWK that says what it is for.
///
/// # Errors
/// What is wrong with the key, in words that quote nothing of it.
pub fn public_jwk(private: &str) -> Result<String, &'static str> {
    let key = SigningKey::from_jwk(private, true)?;
    key.public_jwk().ok_or("this key has no public side")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";

    /// The unit value that `better-auth` 1.7.25 computes for this secret.
    #[test]
    fn a_cookie_is_signed_as_better_auth_does() {
        let secret = ProbeSecret::new(SECRET.as_bytes());
        let cookie = secret.signed_cookie("true");
        assert_eq!(cookie, "true.8xcQuqiagjV%2Bo5KMQlfjKSg7bbC1R5OrV2M8%2FlqlV5k%3D");
        let decoded = percent::decoded(&cookie).unwrap_or_default();
        assert_eq!(secret.verify_cookie(&decoded), Ok(()));
        let other = ProbeSecret::new(b"another");
        assert_eq!(other.verify_cookie(&decoded), Err(Reason::SignatureInvalid));
    }

    /// What is sealed here is opened by what opens Better Auth's own cookies (tests/vectors).
    #[test]
    fn what_is_sealed_opens_again_with_the_same_secret_only() {
        let content = r#"{"session":{"token":"t"},"user":{"id":"u"},"exp":1}"#;
        let secret = ProbeSecret::new(SECRET.as_bytes());
        let sealed = [
            (SessionDataFormat::Compact, secret.compact(content, 1_795_402_800_000)),
            (SessionDataFormat::Jwt, secret.jwt(content)),
            (SessionDataFormat::Jwe, secret.jwe(content, [7; 16]).unwrap_or_default()),
        ];
        for (format, value) in sealed {
            let opened = secret.open_session_data(&value);
            assert!(
                opened.as_ref().is_ok_and(|opened| {
                    let begin = content.trim_end_matches('}').as_bytes();
                    opened.format == format && opened.content.starts_with(begin)
                }),
                "{format:?}: {opened:?}"
            );
            assert!(ProbeSecret::new(b"another").open_session_data(&value).is_err(), "{format:?}");
            assert_eq!(session_data_format(&value), Ok(format));
        }
    }
}
