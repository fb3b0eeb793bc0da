//! JWS in compact serialisation (RFC 7515 section 7.1), as far as it can be judged without a key.

use serde_json::Value;

use crate::json::{self, Object};
use crate::reason::Reason;
use crate::text;

/// Larger tokens are not read: headers over 16 KiB do not survive most servers.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// A protected header holds a few names.
const MAX_HEADER_BYTES: usize = 2 * 1024;

/// A token that is well-formed and unverified.
pub(crate) struct Jws<'a> {
    pub(crate) header: Header,
    pub(crate) signing_input: &'a str,
    pub(crate) unverified_payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// What the protected header says. `jku`, `jwk`, `x5u` and `x5c` have no place here: a token does not bring its own key.
pub(crate) struct Header {
    /// `alg`: only ever compared with what the key and the issuer allow.
    pub(crate) alg: String,
    /// `kid`.
    pub(crate) kid: Option<String>,
    /// `typ`.
    pub(crate) typ: Option<String>,
}

impl<'a> Jws<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// `token_too_large`, `token_malformed`; `token_unsupported` for JWE, JSON serialisation, `crit`, `b64` and nesting.
    pub(crate) fn parse(token: &'a str) -> Result<Self, Reason> {
        Self::parse_up_to(token, MAX_TOKEN_BYTES)
    }

    /// Reads a token of a cookie, whose length was bounded when its chunks were joined.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(crate) fn parse_joined(token: &'a str) -> Result<Self, Reason> {
        Self::parse_up_to(token, usize::MAX)
    }

    fn parse_up_to(token: &'a str, max_bytes: usize) -> Result<Self, Reason> {
        if token.len() > max_bytes {
            return Err(Reason::TokenTooLarge);
        }
        if token.starts_with('{') || token.bytes().filter(|byte| *byte == b'.').count() == 4 {
            return Err(Reason::TokenUnsupported);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Reason::TokenMalformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Reason::TokenMalformed)?;
        if payload.contains('.') {
            return Err(Reason::TokenMalformed);
        }
        let header = Header::from_members(&protected_header(header)?)?;
        let unverified_payload = text::from_base64url(payload).ok_or(Reason::TokenMalformed)?;
        let signature = text::from_base64url(signature).ok_or(Reason::TokenMalformed)?;
        Ok(Self { header, signing_input, unverified_payload, signature })
    }
}

impl Header {
    fn from_members(members: &Object) -> Result<Self, Reason> {
        if members.contains_key("crit") || members.contains_key("b64") || members.contains_key("zip") {
            return Err(Reason::TokenUnsupported);
        }
        // `cty: JWT` is a nested token (RFC 7519 section 5.2): what it carries would not be what is verified here.
        let nested = text_member(members, "cty")?.is_some_and(|cty| cty.eq_ignore_ascii_case("JWT"));
        if nested {
            return Err(Reason::TokenUnsupported);
        }
        let alg = text_member(members, "alg")?.ok_or(Reason::TokenMalformed)?;
        Ok(Self { alg, kid: text_member(members, "kid")?, typ: text_member(members, "typ")? })
    }
}

/// Reads the first part of a JWS or JWE.
pub(crate) fn protected_header(encoded: &str) -> Result<Object, Reason> {
    if encoded.len() > MAX_HEADER_BYTES {
        return Err(Reason::TokenTooLarge);
    }
    text::from_base64url(encoded).and_then(|bytes| json::object(&bytes)).ok_or(Reason::TokenMalformed)
}

/// A member that is a string or absent; anything else is malformed, never absent.
pub(crate) fn text_member(members: &Object, name: &str) -> Result<Option<String>, Reason> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Reason::TokenMalformed),
    }
}
