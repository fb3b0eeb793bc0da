//! base64 and base64url (RFC 4648).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Decodes base64url without padding (RFC 7515 section 2): no white space, no padding, canonical
/// trailing bits, so that a token has one spelling only.
pub(crate) fn url_decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes base64url without padding.
pub(crate) fn url_encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes standard base64 with padding (RFC 4648 section 4).
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_spelling() {
        assert_eq!(url_decoded("-_8"), Some(vec![0xfb, 0xff]));
        for other in ["-_8=", "+/8", "-_9", "-_8 ", " -_8", "-_8\n", "-", "-_8A="] {
            assert_eq!(url_decoded(other), None, "{other:?}");
        }
    }
}
