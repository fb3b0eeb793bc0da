//! The session that `@supabase/ssr` keeps in a cookie: JSON, after `base64-` in base64url (its
//! default), or as it is.

use crate::encoding::{base64, json};
use crate::reason::Reason;

/// The access token of a session. Nothing about it is verified.
///
/// # Errors
/// `token_malformed` where this is no such session.
pub(crate) fn access_token(session: &str) -> Result<String, Reason> {
    let decoded;
    let json = match session.strip_prefix("base64-") {
        Some(encoded) => {
            decoded = base64::url_decoded(encoded).ok_or(Reason::TokenMalformed)?;
            decoded.as_slice()
        }
        None => session.as_bytes(),
    };
    let members = json::object(json).ok_or(Reason::TokenMalformed)?;
    members.text("access_token").map(str::to_owned).ok_or(Reason::TokenMalformed)
}
