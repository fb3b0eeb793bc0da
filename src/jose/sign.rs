//! Signatures that the gate makes, with keys of its own. Beside `verify.rs` the only file that
//! names crates of cryptography.
//!
//! HMAC is made inside. ES256 and EdDSA are made by a host that has them, because in WebAssembly
//! they take several times as long as the platform does; elsewhere `p256` makes ES256, with the
//! nonce of RFC 6979, so that nothing here needs randomness.

use std::fmt;

use crate::encoding::json::{self, Value};
use crate::encoding::{base64, digest};
use crate::jose::alg::Algorithm;
use crate::jose::jwk::Material;
use crate::jose::platform::SignatureRequest;
use crate::jose::verify::Secret;

/// A shorter secret is weaker than the hash (RFC 7518 section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// A key that the gate signs with.
pub(crate) struct SigningKey {
    /// `kid`: the key's own, or its thumbprint (RFC 7638).
    pub(crate) kid: String,
    kind: Kind,
}

enum Kind {
    Hs256(Secret),
    Pair {
        /// The whole pair as a JWK, for the host.
        private: String,
        public: Material,
        inside: Inside,
    },
}

/// A private key as it signs inside.
enum Inside {
    EdDSA(Box<ed25519_dalek::SigningKey>),
    #[cfg(feature = "es256")]
    Es256(Box<p256::ecdsa::SigningKey>),
    /// It does not: the host has this algorithm, or the key is refused.
    #[cfg(not(feature = "es256"))]
    Es256,
}

/// What came of signing.
pub(crate) enum Signing {
    /// The signature.
    Done(Vec<u8>),
    /// The host has to make it.
    ByHost(SignatureRequest),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A private key as a JWK: EC on P-256, or OKP on Ed25519.
    ///
    /// # Errors
    /// What is wrong with it, in words that quote nothing of it.
    pub(crate) fn from_jwk(
        jwk: &str,
        #[cfg_attr(feature = "es256", allow(unused_variables))] is_es256_by_host: bool, // with p256 nothing is wanting
    ) -> Result<Self, &'static str> {
        let members = json::object(jwk.as_bytes()).ok_or("this is not a JWK: one JSON object")?;
        let public = Material::from_members(&members)
            .map_err(|_| "this is neither an EC key on P-256 nor an OKP key on Ed25519")?;
        let private = members.text("d").and_then(base64::url_decoded);
        let private: [u8; 32] = private
            .ok_or("the private part \"d\" is missing or not base64url")?
            .try_into()
            .map_err(|_| "the private part \"d\" has not 32 bytes")?;
        let kid = match members.get("kid") {
            None => base64::url_encoded(&digest::of(public.as_jwk().as_bytes())),
            Some(Value::Text(kid))
                if !kid.is_empty() && kid.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                kid.clone().into_owned()
            }
            Some(_) => return Err("\"kid\" is not a plain text"),
        };
        let inside = match &public {
            Material::Okp { x } => {
                let key = ed25519_dalek::SigningKey::from_bytes(&private);
                if key.verifying_key().as_bytes() != x.bytes() {
                    return Err("\"x\" is not the public part of \"d\"");
                }
                Inside::EdDSA(Box::new(key))
            }
            #[cfg(feature = "es256")]
            Material::Ec { curve: "P-256", .. } => Inside::Es256(
                es256_key(&public, &private)
                    .ok_or("\"x\" and \"y\" are not the public part of \"d\"")?,
            ),
            #[cfg(not(feature = "es256"))]
            Material::Ec { curve: "P-256", .. } if is_es256_by_host => Inside::Es256,
            #[cfg(not(feature = "es256"))]
            Material::Ec { curve: "P-256", .. } => return Err("this host cannot sign with ES256"),
            _ => return Err("this is neither an EC key on P-256 nor an OKP key on Ed25519"),
        };
        Ok(Self {
            kid,
            kind: Kind::Pair { private: private_jwk(&public, &private), public, inside },
        })
    }

    /// A shared secret, for HS256. Its name is a digest that says nothing about it beyond whether
    /// two are the same.
    ///
    /// # Errors
    /// It is too short.
    pub(crate) fn from_secret(secret: &str) -> Result<Self, &'static str> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err("the secret is shorter than 32 bytes");
        }
        let secret = Secret::new(secret);
        let name = secret.mac(b"the name of this key in assertions");
        Ok(Self { kid: base64::url_encoded(&name), kind: Kind::Hs256(secret) })
    }

    /// `alg`.
    pub(crate) fn algorithm(&self) -> &'static str {
        match &self.kind {
            Kind::Hs256(_) => "HS256",
            Kind::Pair { inside, .. } => inside.algorithm().name(),
        }
    }

    /// The shared secret, where it is one.
    pub(crate) const fn secret(&self) -> Option<&Secret> {
        match &self.kind {
            Kind::Hs256(secret) => Some(secret),
            Kind::Pair { .. } => None,
        }
    }

    /// The public key as a JWK that says what it is for; nothing for a shared secret.
    pub(crate) fn public_jwk(&self) -> Option<String> {
        let Kind::Pair { public, .. } = &self.kind else {
            return None;
        };
        let defining = public.as_jwk();
        let kid = json::quoted(&self.kid);
        Some(
            [
                defining.strip_suffix('}')?,
                ",\"alg\":\"",
                self.algorithm(),
                "\",\"use\":\"sig\",\"kid\":",
                &kid,
                "}",
            ]
            .concat(),
        )
    }

    /// The signature over this input, as a JWS has it (for ECDSA: r and s side by side).
    pub(crate) fn sign(&self, input: &[u8], is_by_host: impl Fn(Algorithm) -> bool) -> Signing {
        let (private, inside) = match &self.kind {
            Kind::Hs256(secret) => return Signing::Done(secret.mac(input).to_vec()),
            Kind::Pair { private, inside, .. } => (private, inside),
        };
        let algorithm = inside.algorithm();
        match inside {
            Inside::EdDSA(key) if !is_by_host(algorithm) => {
                Signing::Done(ed25519_dalek::Signer::sign(&**key, input).to_bytes().to_vec())
            }
            #[cfg(feature = "es256")]
            Inside::Es256(key) if !is_by_host(algorithm) => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::signature::Signer::sign(&**key, input);
                Signing::Done(signature.to_bytes().to_vec())
            }
            _ => Signing::ByHost(SignatureRequest {
                scheme: algorithm.scheme(),
                key: private.clone(),
                kid: self.kid.clone(),
                input: input.to_vec(),
            }),
        }
    }
}

impl Inside {
    const fn algorithm(&self) -> Algorithm {
        match self {
            Self::EdDSA(_) => Algorithm::EdDSA,
            #[cfg(feature = "es256")]
            Self::Es256(_) => Algorithm::ES256,
            #[cfg(not(feature = "es256"))]
            Self::Es256 => Algorithm::ES256,
        }
    }
}

/// The private key as a JWK with just the members that define it.
fn private_jwk(public: &Material, private: &[u8; 32]) -> String {
    let public = public.as_jwk();
    [
        public.strip_suffix('}').unwrap_or_default(),
        ",\"d\":\"",
        &base64::url_encoded(private),
        "\"}",
    ]
    .concat()
}

/// The private key; nothing where the two parts do not belong together.
#[cfg(feature = "es256")]
fn es256_key(public: &Material, private: &[u8; 32]) -> Option<Box<p256::ecdsa::SigningKey>> {
    let key = p256::ecdsa::SigningKey::from_slice(private).ok()?;
    let own = key.verifying_key().to_sec1_point(false);
    let Material::Ec { x, y, .. } = public else { return None };
    if own.as_bytes() == [&[4], x.as_slice(), y.as_slice()].concat() {
        Some(Box::new(key))
    } else {
        None
    }
}

#[cfg(test)]
#[allow(clippy::panic)] // a test that panics has found something
mod tests {
    use super::*;

    /// RFC 8037 appendix A.1 and A.4.
    #[test]
    fn ed25519_signs_as_the_rfc_does() {
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let key = SigningKey::from_jwk(jwk, false).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(key.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"); // appendix A.3
        let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let Signing::Done(signature) = key.sign(input.as_bytes(), |_| false) else {
            panic!("nobody else is there")
        };
        assert_eq!(
            base64::url_encoded(&signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
        assert_eq!(
            key.public_jwk().as_deref(),
            Some(
                r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA","use":"sig","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}"#
            )
        );
        let by_host = |algorithm| algorithm == Algorithm::EdDSA;
        assert!(
            matches!(key.sign(b"input", by_host), Signing::ByHost(request) if request.scheme == Algorithm::EdDSA.scheme())
        );
    }

    /// The key of RFC 7515 appendix A.3, the nonce of RFC 6979: two signatures of one input are the
    /// same, and it holds.
    #[test]
    fn es256_holds_and_a_host_is_asked_where_it_can() {
        let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","kid":"a"}"#;
        let key = SigningKey::from_jwk(jwk, false).unwrap_or_else(|wrong| panic!("{wrong}"));
        let Signing::Done(signature) = key.sign(b"input", |_| false) else {
            panic!("nobody else is there")
        };
        let public = [4].into_iter().chain(
            base64::url_decoded("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").unwrap_or_default(),
        );
        let public: Vec<u8> = public
            .chain(
                base64::url_decoded("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
                    .unwrap_or_default(),
            )
            .collect();
        let verifier = p256::ecdsa::VerifyingKey::from_sec1_bytes(&public)
            .unwrap_or_else(|_| panic!("a point"));
        let parsed = p256::ecdsa::Signature::from_slice(&signature)
            .unwrap_or_else(|_| panic!("a signature"));
        assert!(p256::ecdsa::signature::Verifier::verify(&verifier, b"input", &parsed).is_ok());
        let by_host = |algorithm| algorithm == Algorithm::ES256;
        assert!(
            matches!(key.sign(b"input", by_host), Signing::ByHost(request) if request.kid == "a" && request.input == b"input")
        );
        assert!(!format!("{:?} {:?}", key, key.public_jwk()).contains("jpsQ"));
    }

    #[test]
    fn what_is_no_key_of_ours_is_refused() {
        let refused = |jwk: &str| SigningKey::from_jwk(jwk, false).err();
        for jwk in [
            "",
            "[]",
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","d":"AWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"AAsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#,
        ] {
            assert!(refused(jwk).is_some(), "{jwk}");
        }
        assert!(SigningKey::from_secret("0123456789abcdef0123456789abcde").is_err());
        assert!(SigningKey::from_secret("0123456789abcdef0123456789abcdef").is_ok());
    }
}
