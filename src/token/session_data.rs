//! Better Auth's cookie cache: four strategies, and the bytes of the one that is neither JWS nor JWE.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json;
use crate::reason::Reason;
use crate::text;
use crate::time::UnixTime;

/// How Better Auth writes `session_data` (`session.cookieCache.strategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// JSON with an HMAC-SHA256, in base64url.
    Compact,
    /// A JWT, HS256 with the Better Auth secret.
    Jwt,
    /// An encrypted JWT.
    Jwe,
    /// A JWT signed by a key of the auth service's JWKS.
    JwtJwks,
}

impl Strategy {
    /// The strategy of this name in the configuration.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "compact" => Some(Self::Compact),
            "jwt" => Some(Self::Jwt),
            "jwe" => Some(Self::Jwe),
            "jwt-jwks" => Some(Self::JwtJwks),
            _ => None,
        }
    }
}

/// A compact cookie, taken apart but not verified.
pub(crate) struct Compact {
    /// The signed text: the session's own bytes with `expiresAt` put in, never re-serialised.
    pub(crate) message: Vec<u8>,
    pub(crate) mac: [u8; 32],
    pub(crate) unverified_expires: UnixTime,
}

/// The outer object. Unknown and duplicate members are refused, so that what is verified is what is used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer<'a> {
    #[serde(borrow)]
    session: &'a RawValue,
    #[serde(borrow, rename = "expiresAt")]
    expires_at: &'a RawValue,
    signature: &'a str,
}

impl Compact {
    /// Takes a cookie value apart.
    ///
    /// # Errors
    /// `token_malformed`.
    pub(crate) fn parse(value: &str) -> Result<Self, Reason> {
        let json = text::from_base64url(value).ok_or(Reason::TokenMalformed)?;
        if !json::is_object(&json) {
            return Err(Reason::TokenMalformed);
        }
        let outer: Outer<'_> = serde_json::from_slice(&json).map_err(|_| Reason::TokenMalformed)?;
        let session = outer.session.get().strip_suffix('}').ok_or(Reason::TokenMalformed)?;
        let millis = outer.expires_at.get();
        let plain_number = millis.len() <= 15 && millis.bytes().all(|byte| byte.is_ascii_digit());
        let unverified_expires = match millis.parse() {
            Ok(millis) if plain_number => UnixTime::from_millis(millis),
            _ => return Err(Reason::TokenMalformed),
        };
        // The session is an object with members: `{` alone would make the comma below a syntax error.
        if session.len() < 2 || !session.starts_with('{') {
            return Err(Reason::TokenMalformed);
        }
        let message = [session, ",\"expiresAt\":", millis, "}"].concat().into_bytes();
        let mac = text::from_base64url(outer.signature).and_then(|bytes| bytes.try_into().ok()).ok_or(Reason::TokenMalformed)?;
        Ok(Self { message, mac, unverified_expires })
    }
}
