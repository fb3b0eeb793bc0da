//! JWE in compact serialisation (RFC 7516 section 7.1), of the one kind that Better Auth writes:
//! `{"alg":"dir","enc":"A256CBC-HS512","kid":…}`.

use crate::encoding::base64;
use crate::jose::jws::{header_bytes, object_of, text_member};
use crate::reason::Reason;

const IV_BYTES: usize = 16;
const TAG_BYTES: usize = 32;
const BLOCK_BYTES: usize = 16;

/// A token that is well-formed, unverified and undecrypted.
pub(crate) struct Jwe<'a> {
    /// The encoded protected header: the additional authenticated data.
    pub(crate) aad: &'a [u8],
    pub(crate) kid: Option<String>,
    pub(crate) iv: [u8; IV_BYTES],
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: [u8; TAG_BYTES],
}

impl<'a> Jwe<'a> {
    /// Reads a token. Everything that would cost work before a key is checked (PBES2, `zip`) is
    /// refused here.
    ///
    /// # Errors
    /// `token_malformed`, `token_too_large`, `token_unsupported`.
    pub(crate) fn parse(token: &'a str) -> Result<Self, Reason> {
        let mut parts = token.split('.');
        let (Some(aad), Some(key), Some(iv), Some(ciphertext), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Reason::TokenMalformed);
        };
        let header = header_bytes(aad)?;
        let header = object_of(&header)?;
        let is = |name: &str, wanted: &str| {
            text_member(&header, name).map(|found| found.as_deref() == Some(wanted))
        };
        if !is("alg", "dir")? || !is("enc", "A256CBC-HS512")? {
            return Err(Reason::TokenUnsupported);
        }
        if header.has("zip") || header.has("crit") {
            return Err(Reason::TokenUnsupported);
        }
        let iv = base64::url_decoded(iv)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(Reason::TokenMalformed)?;
        let tag = base64::url_decoded(tag)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(Reason::TokenMalformed)?;
        let ciphertext = base64::url_decoded(ciphertext).ok_or(Reason::TokenMalformed)?;
        let whole_blocks = !ciphertext.is_empty() && ciphertext.len().is_multiple_of(BLOCK_BYTES);
        if !key.is_empty() || !whole_blocks {
            return Err(Reason::TokenMalformed);
        }
        Ok(Self { aad: aad.as_bytes(), kid: text_member(&header, "kid")?, iv, ciphertext, tag })
    }
}
