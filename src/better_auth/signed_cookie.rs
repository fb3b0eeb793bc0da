//! A cookie value signed by Better Auth: `value.signature`, the signature an HMAC-SHA256 in padded
//! base64.
//!
//! Every signed cookie of Better Auth uses the same key with nothing that binds it to the cookie's
//! name, so a valid signature on `session_token` proves that Better Auth wrote the value, not that
//! anybody signed in.

use crate::encoding::base64;
use crate::jose::verify::{self, Secret, Verified};
use crate::reason::Reason;

/// A signed value, split but not verified.
pub(crate) struct SignedValue<'a> {
    pub(crate) unverified_value: &'a str,
    pub(crate) mac: [u8; 32],
}

impl<'a> SignedValue<'a> {
    /// Splits a cookie's value at the last dot, as Better Auth does for cookies.
    ///
    /// # Errors
    /// `credential_malformed` when it has not this form.
    pub(crate) fn from_cookie(value: &'a str) -> Result<Self, Reason> {
        Self::split(value.rsplit_once('.'))
    }

    /// Splits a bearer credential at the first dot, as the bearer plugin does.
    ///
    /// # Errors
    /// `credential_malformed` when it has not this form.
    pub(crate) fn from_bearer(value: &'a str) -> Result<Self, Reason> {
        Self::split(value.split_once('.'))
    }

    /// The value, if it is signed by this secret.
    ///
    /// # Errors
    /// `signature_invalid`.
    pub(crate) fn verified(&self, secret: &Secret) -> Result<Verified<'a>, Reason> {
        verify::by_mac(self.unverified_value.as_bytes(), &self.mac, secret)
    }

    fn split(parts: Option<(&'a str, &'a str)>) -> Result<Self, Reason> {
        let well_formed = |(value, mac): &(&str, &str)| !value.is_empty() && mac.len() == 44;
        let (unverified_value, mac) =
            parts.filter(well_formed).ok_or(Reason::CredentialMalformed)?;
        let mac = base64::decoded(mac)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(Reason::CredentialMalformed)?;
        Ok(Self { unverified_value, mac })
    }
}

/// The session token in a signed cookie: what stands before the last dot.
pub(crate) fn token_of(value: &str) -> &str {
    value.rsplit_once('.').map_or(value, |(token, _)| token)
}
