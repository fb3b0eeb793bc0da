//! Signatures and MACs. The only file that makes [`Verified`], and with `ed25519` the only one that
//! names crates of cryptography.

use std::borrow::Cow;

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::encoding::collections::set_of;
use crate::encoding::json::{self, Object};
use crate::encoding::{base64, digest};
use crate::jose::alg::Algorithm;
use crate::jose::jwe::Jwe;
use crate::jose::jwk::{Jwk, Material};
use crate::jose::jws::{Jws, UnverifiedClaims};
use crate::jose::platform::{Checked, SignatureCheck};
use crate::reason::Reason;

/// Proof that a signature or MAC holds over this content. Only this file makes one.
pub(crate) struct Verified<'a> {
    content: Cow<'a, [u8]>,
}

impl Verified<'_> {
    /// What was signed: a JWT's payload, a cookie's JSON, a cookie's value.
    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// The content's members; nothing where it is not an object. What was read before counts if it
    /// was read from this very text.
    pub(crate) fn members<'v>(
        &'v self,
        read_before: Option<UnverifiedClaims<'v>>,
    ) -> Option<Object<'v>> {
        match read_before {
            Some(claims) if std::ptr::eq(claims.text, self.content()) => Some(claims.members),
            _ => json::object(self.content()),
        }
    }
}

/// What follows from a signature that is yet to be checked, worked out while the token is at hand.
/// It is shut until the verdict on that very signature is there.
pub(crate) struct Unconfirmed<T>(T);

impl<T> Unconfirmed<T> {
    /// What follows if the signature holds; nothing where nothing would.
    pub(crate) fn of<'a>(
        jws: &'a Jws<'_>,
        follow: impl FnOnce(Verified<'a>) -> Option<T>,
    ) -> Option<Self> {
        follow(Verified { content: Cow::Borrowed(&jws.unverified_payload) }).map(Self)
    }

    /// What follows now that the signature has been checked.
    pub(crate) fn given(self, checked: &Checked) -> Option<T> {
        (checked.verdict == Some(true)).then_some(self.0)
    }
}

/// Published with Better Auth: whoever reads the documentation could sign in as anybody.
pub(crate) const PUBLISHED_SECRETS: [&str; 2] =
    ["better-auth-secret-12345678901234567890", "better-auth-secret-123456789"];

/// A Better Auth secret: its UTF-8 bytes are the HMAC key, and the encryption key is derived from
/// them.
#[derive(Clone)]
pub(crate) struct Secret {
    bytes: Vec<u8>,
    /// HMAC's two blocks of the key, taken in once; there is a key of any length.
    hmac: Option<Hmac<Sha256>>,
    encryption_key: [u8; 64],
    encryption_kid: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl Secret {
    /// Derives everything once; a request derives nothing.
    pub(crate) fn new(secret: &str) -> Self {
        Self::from_bytes(secret.as_bytes())
    }

    /// The same for bytes that need not be text.
    pub(crate) fn from_bytes(secret: &[u8]) -> Self {
        let mut encryption_key = [0; 64];
        let info = b"BetterAuth.js Generated Encryption Key";
        // 64 bytes are far below HKDF's limit of 255 blocks, so this cannot fail; if it ever did,
        // the key would be all zeros and no honest token would match its kid.
        let _ = Hkdf::<Sha256>::new(Some(b"better-auth-session"), secret)
            .expand(info, &mut encryption_key);
        // `kid` is the thumbprint of the key as a JWK (RFC 7638).
        let jwk =
            ["{\"k\":\"", &base64::url_encoded(&encryption_key), "\",\"kty\":\"oct\"}"].concat();
        let encryption_kid = base64::url_encoded(&digest::of(jwk.as_bytes()));
        let hmac = Hmac::new_from_slice(secret).ok();
        Self { bytes: secret.to_vec(), hmac, encryption_key, encryption_kid }
    }

    /// A key for another use, from which nobody gets back to this one (RFC 5869, SHA-256, no salt,
    /// 32 bytes).
    pub(crate) fn derived(&self, info: &[u8]) -> Option<Self> {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &self.bytes).expand(info, &mut key).ok()?;
        Some(Self::from_bytes(&key))
    }

    /// Whether it has fewer bytes than the MACs that are made with it (RFC 7518 section 3.2 asks
    /// for as many).
    pub(crate) fn is_short(&self) -> bool {
        self.bytes.len() < 32
    }

    /// Whether it can be guessed sooner than 120 bits, were each of its bytes as likely as any
    /// other of them: what Better Auth warns of.
    pub(crate) fn is_monotonous(&self) -> bool {
        let different = set_of(self.bytes.iter().copied());
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let guesses = u128::try_from(different.len())
            .ok()
            .and_then(|different| different.checked_pow(length));
        guesses.is_some_and(|guesses| guesses < 1 << 120)
    }

    /// The first six hex digits of a MAC by it, by which two operators tell whether they have the
    /// same secret. Nothing of a secret that can be guessed.
    #[cold]
    #[inline(never)]
    pub(crate) fn fingerprint(&self) -> Option<String> {
        let [first, second, third, ..] = self.mac(b"doorward fingerprint 1");
        let digits = [first, second, third].into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        (!self.is_short()).then(|| digits.collect())
    }

    /// Into which of three classes its length falls.
    pub(crate) fn length_class(&self) -> &'static str {
        match self.bytes.len() {
            ..32 => "<32",
            32..=64 => "32\u{2013}64",
            _ => ">64",
        }
    }

    /// Which text like this secret has made a MAC, where one of the usual mistakes has: for the log
    /// alone, since it proves nothing of who sent the message.
    #[cold]
    #[inline(never)]
    pub(crate) fn authenticates_like(
        &self,
        message: &[u8],
        mac: &[u8; 32],
    ) -> Option<&'static str> {
        let own = self.bytes.as_slice();
        let bare = match own {
            [b'"', bare @ .., b'"'] | [b'\'', bare @ .., b'\''] => bare,
            _ => &[],
        };
        let around = |mark: &[u8]| [mark, own, mark].concat();
        let mut likes = vec![
            ("without-quotes", bare.to_vec()),
            ("with-quotes", around(b"\"")),
            ("with-quotes", around(b"'")),
            ("with-line-end", [own, b"\n"].concat()),
            ("with-line-end", [own, b"\r\n"].concat()),
            ("with-space", [own, b" "].concat()),
        ];
        likes.extend(
            PUBLISHED_SECRETS
                .iter()
                .map(|default| ("published-default", default.as_bytes().to_vec())),
        );
        let has_made = |(_, secret): &&(&str, Vec<u8>)| {
            !secret.is_empty()
                && Hmac::<Sha256>::new_from_slice(secret)
                    .is_ok_and(|hmac| hmac.chain_update(message).verify_slice(mac).is_ok())
        };
        likes.iter().find(has_made).map(|(like, _)| *like)
    }

    /// Whether two secrets are the same.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }

    /// The HMAC-SHA256 of the message.
    pub(crate) fn mac(&self, message: &[u8]) -> [u8; 32] {
        // HMAC takes a key of any length (RFC 2104 section 2), so there is always one.
        self.hmac
            .clone()
            .map(|hmac| hmac.chain_update(message).finalize().into_bytes().into())
            .unwrap_or_default()
    }

    /// Whether this is the HMAC-SHA256 of the message.
    pub(crate) fn authenticates(&self, message: &[u8], mac: &[u8; 32]) -> bool {
        self.hmac.clone().is_some_and(|mut hmac| {
            hmac.update(message);
            hmac.verify_slice(mac).is_ok()
        })
    }
}

/// Whether two texts are equal, in a time that depends on their lengths only.
pub(crate) fn same_text(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// A text with the HMAC-SHA256 of its secret beside it.
pub(crate) fn by_mac<'a>(
    content: impl Into<Cow<'a, [u8]>>,
    mac: &[u8; 32],
    secret: &Secret,
) -> Result<Verified<'a>, Reason> {
    let content = content.into();
    if secret.authenticates(&content, mac) {
        Ok(Verified { content })
    } else {
        Err(Reason::SignatureInvalid)
    }
}

/// An HS256 `session_data` cookie. The algorithm is pinned: Better Auth writes no other.
pub(crate) fn hs256<'a>(jws: &'a Jws<'_>, secret: &Secret) -> Result<Verified<'a>, Reason> {
    if jws.header.alg != "HS256" {
        return Err(Reason::AlgNotAllowed);
    }
    let holds = jws
        .signature
        .as_slice()
        .try_into()
        .is_ok_and(|mac| secret.authenticates(jws.signing_input.as_bytes(), mac));
    if holds {
        Ok(Verified { content: Cow::Borrowed(&jws.unverified_payload) })
    } else {
        Err(Reason::SignatureInvalid)
    }
}

/// An encrypted `session_data` cookie: the tag first, then the content (RFC 7518 section 5.2.2.2).
/// A `kid` picks the secret; without one each is tried.
pub(crate) fn jwe<'s>(
    jwe: &Jwe<'_>,
    secrets: impl Iterator<Item = &'s Secret>,
) -> Result<Verified<'static>, Reason> {
    let mut outcome = Reason::KeyNotFound;
    for secret in secrets {
        if jwe.kid.as_ref().is_some_and(|kid| !same_text(kid, &secret.encryption_kid)) {
            continue;
        }
        if let Some(content) = decrypt(jwe, &secret.encryption_key) {
            return Ok(Verified { content: content.into() });
        }
        outcome = Reason::SignatureInvalid;
    }
    Err(outcome)
}

/// The content of an encrypted token, if its tag holds.
pub(crate) fn decrypt(jwe: &Jwe<'_>, key: &[u8; 64]) -> Option<Vec<u8>> {
    let (mac_key, aes_key) = key.split_at_checked(32)?;
    let aad_bits = u64::try_from(jwe.aad.len()).ok()?.checked_mul(8)?;
    let mut hmac = Hmac::<Sha512>::new_from_slice(mac_key).ok()?;
    hmac.update(jwe.aad);
    hmac.update(&jwe.iv);
    hmac.update(&jwe.ciphertext);
    hmac.update(&aad_bits.to_be_bytes());
    hmac.verify_truncated_left(&jwe.tag).ok()?;
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(aes_key, &jwe.iv).ok()?;
    cipher.decrypt_padded_vec::<Pkcs7>(&jwe.ciphertext).ok()
}

/// A token that [`jwe`] opens with this secret, for a probe.
#[cfg(feature = "probe")]
pub(crate) fn encrypted(content: &[u8], secret: &Secret, iv: [u8; 16]) -> Option<String> {
    use cbc::cipher::BlockModeEncrypt as _;
    let header =
        [r#"{"alg":"dir","enc":"A256CBC-HS512","kid":""#, &secret.encryption_kid, "\"}"].concat();
    let aad = base64::url_encoded(header.as_bytes());
    let (mac_key, aes_key) = secret.encryption_key.split_at_checked(32)?;
    let ciphertext = cbc::Encryptor::<Aes256>::new_from_slices(aes_key, &iv)
        .ok()?
        .encrypt_padded_vec::<Pkcs7>(content);
    let aad_bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
    let mut hmac = Hmac::<Sha512>::new_from_slice(mac_key).ok()?;
    for part in [aad.as_bytes(), &iv, &ciphertext, &aad_bits.to_be_bytes()] {
        hmac.update(part);
    }
    let tag = hmac.finalize().into_bytes();
    let parts = [&iv[..], &ciphertext, tag.get(..32)?].map(base64::url_encoded);
    Some([&aad, "..", &parts.join(".")].concat())
}

/// Whether a signature of this algorithm can be checked, inside or by this host.
pub(crate) fn can_check(algorithm: Algorithm, by_host: bool) -> bool {
    algorithm == Algorithm::EdDSA
        || cfg!(feature = "es256") && algorithm == Algorithm::ES256
        || by_host
}

/// What is known about a JWS signature.
pub(crate) enum Signature<'a> {
    /// It holds.
    Holds(Verified<'a>),
    /// It does not.
    Fails,
    /// The host has to check it.
    Unchecked(SignatureCheck),
}

/// The signature of a JWS by one key.
pub(crate) fn jws<'a>(
    jws: &'a Jws<'_>,
    algorithm: Algorithm,
    key: &Jwk,
    by_host: bool,
    checked: &[Checked],
) -> Signature<'a> {
    match signature(jws.signing_input.as_bytes(), &jws.signature, algorithm, key, by_host, checked)
    {
        Ok(true) => Signature::Holds(Verified { content: Cow::Borrowed(&jws.unverified_payload) }),
        Ok(false) => Signature::Fails,
        Err(check) => Signature::Unchecked(check),
    }
}

/// A signature over any bytes by one key: inside for EdDSA (and ES256 unless the host has it);
/// otherwise the host's verdict, or what it is to check.
///
/// A host's verdict counts only if it was on exactly this scheme, key, input and signature.
pub(crate) fn signature(
    signing_input: &[u8],
    signature: &[u8],
    algorithm: Algorithm,
    key: &Jwk,
    #[cfg_attr(not(feature = "es256"), allow(unused_variables))] by_host: bool, // without p256 the host has it all
    checked: &[Checked],
) -> Result<bool, SignatureCheck> {
    match (&key.material, algorithm) {
        (Material::Okp { x }, Algorithm::EdDSA) => Ok(x.holds(signing_input, signature)),
        #[cfg(feature = "es256")]
        (Material::Ec { x, y, .. }, Algorithm::ES256) if !by_host => {
            Ok(es256_holds(x, y, signing_input, signature))
        }
        _ => {
            let verdict = checked.iter().find_map(|Checked { check, verdict, .. }| {
                let is_same = check.scheme == algorithm.scheme()
                    && check.thumbprint == key.thumbprint
                    && check.signing_input == signing_input
                    && check.signature == signature;
                verdict.filter(|_| is_same)
            });
            verdict.ok_or_else(|| SignatureCheck {
                scheme: algorithm.scheme(),
                key: key.definition.clone(),
                thumbprint: key.thumbprint.clone(),
                signing_input: signing_input.to_vec(),
                signature: signature.to_vec(),
            })
        }
    }
}

#[cfg(feature = "es256")]
fn es256_holds(x: &[u8], y: &[u8], signing_input: &[u8], signature: &[u8]) -> bool {
    use p256::ecdsa::signature::Verifier as _;
    let point = [&[4], x, y].concat();
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point);
    let signature = p256::ecdsa::Signature::from_slice(signature);
    match (key, signature) {
        (Ok(key), Ok(signature)) => key.verify(signing_input, &signature).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The unit values that `better-auth` 1.7.25 computes for this secret.
    #[test]
    fn keys_are_derived_as_better_auth_does() {
        let secret = Secret::new("k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg");
        let hex: String = secret.encryption_key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "27252ab5ec9587f31a95d28836e08452211937e658fe8ee752030dcbd358edaa148038fef2b69c67fca5f061de5cf8852142d11788b68d3b00b31c5e21336222"
        );
        assert_eq!(secret.encryption_kid, "SsSwlZ39Vw6GGm-wPopy-k1OA8Iv6B1XJcIH7vViC5c");
        let mac = base64::decoded("8xcQuqiagjV+o5KMQlfjKSg7bbC1R5OrV2M8/lqlV5k=")
            .and_then(|bytes| bytes.try_into().ok());
        assert!(mac.is_some_and(|mac| by_mac(&b"true"[..], &mac, &secret).is_ok()));
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "Secret([redacted])");
    }
}
