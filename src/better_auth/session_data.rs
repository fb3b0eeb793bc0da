//! Better Auth's cookie cache: four strategies, and the bytes of the one that is neither JWS nor
//! JWE.

use crate::better_auth::attributes::ClaimPath;
use crate::better_auth::session_record::Pair;
use crate::encoding::{ascii, base64, json};
use crate::jose::claims;
use crate::jose::jwe::Jwe;
use crate::jose::jws::Jws;
use crate::jose::verify::{self, Secret, Verified};
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

/// What to do with `session_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CookieCache {
    /// Do not read it.
    Off,
    /// Tell the strategy by its shape; each keeps its own algorithm and key.
    Auto,
    /// Just this one.
    Only(Strategy),
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

    /// The signed JSON, if the signature is by this secret.
    ///
    /// # Errors
    /// `signature_invalid`.
    pub(crate) fn verified(self, secret: &Secret) -> Result<Verified<'static>, Reason> {
        verify::by_mac(self.message, &self.mac, secret)
    }

    /// Unknown and duplicate members are refused, so that what is verified is what is used.
    fn taken_apart(value: &str) -> Option<Self> {
        let json = String::from_utf8(base64::url_decoded(value)?).ok()?;
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
            mac: base64::url_decoded(signature)?.try_into().ok()?,
            unverified_expires: UnixTime::from_millis(millis.parse().ok()?),
        })
    }
}

/// The pair of a token, and its `exp`: Better Auth's server has no tolerance here.
pub(crate) fn dated_pair(
    verified: &Verified<'_>,
    named: &[ClaimPath],
) -> Result<(Pair, UnixTime), Reason> {
    let members = verified.members(None).ok_or(Reason::TokenMalformed)?;
    let pair = Pair::from_members(&members, named).ok_or(Reason::TokenMalformed)?;
    claims::check_cnf(&members)?;
    let expires = claims::date(&members, "exp")?.ok_or(Reason::ClaimMissing)?;
    Ok((pair, expires))
}

pub(crate) fn pair_of(verified: &Verified<'_>, named: &[ClaimPath]) -> Result<Pair, Reason> {
    verified
        .members(None)
        .and_then(|members| Pair::from_members(&members, named))
        .ok_or(Reason::TokenMalformed)
}

/// `session_data`, taken apart but not verified.
pub(crate) enum Sealed<'a> {
    Compact(Compact),
    Jwt(Jws<'a>),
    Jwe(Jwe<'a>),
    JwtJwks(Jws<'a>),
}

impl<'a> Sealed<'a> {
    /// By the configured strategy, or the one that the value's shape tells: one piece compact,
    /// three JWS, five JWE. Which of the two kinds of JWS it is, its algorithm tells: HS256 needs
    /// the secret, all others the key set, and neither reads the other's.
    ///
    /// # Errors
    /// `token_malformed`.
    pub(crate) fn parse(
        value: &'a str,
        cookie_cache: CookieCache,
        has_secret: bool,
    ) -> Result<Self, Reason> {
        let strategy = match cookie_cache {
            CookieCache::Only(strategy) => strategy,
            CookieCache::Off | CookieCache::Auto => {
                match ascii::pieces(value, b'.').take(6).count() {
                    1 => Strategy::Compact,
                    3 => {
                        let jws = Jws::parse_joined(value)?;
                        return Ok(if has_secret && jws.header.alg == "HS256" {
                            Self::Jwt(jws)
                        } else {
                            Self::JwtJwks(jws)
                        });
                    }
                    5 => Strategy::Jwe,
                    _ => return Err(Reason::TokenMalformed),
                }
            }
        };
        Ok(match strategy {
            Strategy::Compact => Self::Compact(Compact::parse(value)?),
            Strategy::Jwt => Self::Jwt(Jws::parse_joined(value)?),
            Strategy::Jwe => Self::Jwe(Jwe::parse(value)?),
            Strategy::JwtJwks => Self::JwtJwks(Jws::parse_joined(value)?),
        })
    }
}
