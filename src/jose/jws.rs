//! JWS in compact serialisation (RFC 7515 section 7.1), as far as it can be checked without a key.

use crate::encoding::json::{self, Object, Value};
use crate::encoding::{ascii, base64};
use crate::reason::Reason;

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

/// What the protected header says. `jku`, `jwk`, `x5u` and `x5c` have no place here: a token does
/// not bring its own key.
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
    /// `token_too_large`, `token_malformed`; `token_unsupported` for JWE, JSON serialisation,
    /// `crit`, `b64` and nesting.
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
        let mut parts = ascii::pieces(token, b'.');
        let [header, payload, signature, iv, tag, sixth] = [(); 6].map(|()| parts.next());
        let is_jwe = iv.is_some() && tag.is_some() && sixth.is_none();
        if token.starts_with('{') || is_jwe {
            return Err(Reason::TokenUnsupported);
        }
        let (Some(header), Some(payload), Some(signature), None) = (header, payload, signature, iv)
        else {
            return Err(Reason::TokenMalformed);
        };
        let signed = header.len().saturating_add(1).saturating_add(payload.len());
        let signing_input = token.get(..signed).ok_or(Reason::TokenMalformed)?;
        let header = Header::from_members(&object_of(&header_bytes(header)?)?)?;
        let unverified_payload = base64::url_decoded(payload).ok_or(Reason::TokenMalformed)?;
        let signature = base64::url_decoded(signature).ok_or(Reason::TokenMalformed)?;
        Ok(Self { header, signing_input, unverified_payload, signature })
    }

    /// The payload's members; nothing where it is not an object.
    pub(crate) fn unverified_claims(&self) -> Option<UnverifiedClaims<'_>> {
        Some(UnverifiedClaims {
            text: &self.unverified_payload,
            members: json::object(&self.unverified_payload)?,
        })
    }
}

/// Claims as they are read before anybody knows whether they are signed, and the very text that
/// they were read from.
pub(crate) struct UnverifiedClaims<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) members: Object<'a>,
}

impl Header {
    fn from_members(members: &Object<'_>) -> Result<Self, Reason> {
        if members.has("crit") || members.has("b64") || members.has("zip") {
            return Err(Reason::TokenUnsupported);
        }
        // `cty: JWT` is a nested token (RFC 7519 section 5.2): what it carries would not be what is
        // verified here.
        let nested =
            text_member(members, "cty")?.is_some_and(|cty| cty.eq_ignore_ascii_case("JWT"));
        if nested {
            return Err(Reason::TokenUnsupported);
        }
        let alg = text_member(members, "alg")?.ok_or(Reason::TokenMalformed)?;
        Ok(Self { alg, kid: text_member(members, "kid")?, typ: text_member(members, "typ")? })
    }
}

/// The first part of a JWS or JWE, decoded.
pub(crate) fn header_bytes(encoded: &str) -> Result<Vec<u8>, Reason> {
    if encoded.len() > MAX_HEADER_BYTES {
        return Err(Reason::TokenTooLarge);
    }
    base64::url_decoded(encoded).ok_or(Reason::TokenMalformed)
}

/// The members of a protected header.
pub(crate) fn object_of(header: &[u8]) -> Result<Object<'_>, Reason> {
    json::object(header).ok_or(Reason::TokenMalformed)
}

/// A member that is a string or absent; anything else is malformed, never absent.
pub(crate) fn text_member(members: &Object<'_>, name: &str) -> Result<Option<String>, Reason> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.as_ref().to_owned())),
        Some(_) => Err(Reason::TokenMalformed),
    }
}
