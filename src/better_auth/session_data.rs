//! Better Auth's cookie cache: four strategies, and the bytes of the one that is neither JWS nor
//! JWE.

use crate::encoding::json;
use crate::encoding::text;
use crate::reason::Reason;
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

impl Compact {
    /// Takes a cookie value apart.
    ///
    /// # Errors
    /// `token_malformed`.
    pub(crate) fn parse(value: &str) -> Result<Self, Reason> {
        Self::taken_apart(value).ok_or(Reason::TokenMalformed)
    }

    /// Unknown and duplicate members are refused, so that what is verified is what is used.
    fn taken_apart(value: &str) -> Option<Self> {
        let json = String::from_utf8(text::from_base64url(value)?).ok()?;
        let outer = json::unread_object(&json).filter(|outer| outer.len() == 3)?;
        let session = outer.spelled("session")?.strip_suffix('}')?;
        let millis = outer.spelled("expiresAt")?;
        // Nothing in base64url has to be escaped.
        let signature = outer.spelled("signature")?.strip_prefix('"')?.strip_suffix('"')?;
        // The session is an object with members: `{` alone would make the comma below a syntax
        // error.
        let is_plain_number =
            millis.len() <= 15 && millis.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain_number || session.len() < 2 || !session.starts_with('{') {
            return None;
        }
        Some(Self {
            message: [session, ",\"expiresAt\":", millis, "}"].concat().into_bytes(),
            mac: text::from_base64url(signature)?.try_into().ok()?,
            unverified_expires: UnixTime::from_millis(millis.parse().ok()?),
        })
    }
}
