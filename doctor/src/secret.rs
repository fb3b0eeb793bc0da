//! Secrets: how one is shown (by a fingerprint), and the near misses of one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward::probe::ProbeSecret;

/// What Better Auth uses where it is given no secret. It is published, so it is no secret.
pub(crate) const DEFAULT: &str = "better-auth-secret-12345678901234567890";

/// A shorter one is neither shown by a fingerprint nor sent in a probe: message and MAC would allow
/// to guess it.
const MIN_BYTES: usize = 32;

/// A secret as text, as an environment variable has it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// For MACs.
    pub(crate) fn probe(&self) -> ProbeSecret {
        ProbeSecret::new(self.0.as_bytes())
    }

    /// Whether it has fewer bytes than a MAC's.
    pub(crate) fn is_short(&self) -> bool {
        self.0.len() < MIN_BYTES
    }

    /// Whether it is the published default.
    pub(crate) fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }

    /// How long it is, roughly.
    pub(crate) fn length_class(&self) -> &'static str {
        match self.0.len() {
            0..=31 => "<32",
            32..=64 => "32–64",
            _ => ">64",
        }
    }

    /// Six hexadecimal digits by which two secrets are compared and from which nobody gets back to
    /// one. Nothing for a short secret. The gate's start line has the same.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        if self.is_short() {
            return None;
        }
        let mac = self.probe().mac(b"doorward fingerprint 1");
        Some(mac.iter().take(3).map(|byte| format!("{byte:02x}")).collect())
    }

    /// As it is shown: `32–64 characters, fingerprint 3f9a11`.
    pub(crate) fn shown(&self) -> String {
        match self.fingerprint() {
            Some(fingerprint) => {
                format!("{} characters, fingerprint {fingerprint}", self.length_class())
            }
            None => "fewer than 32 characters".to_owned(),
        }
    }
}

/// How a near miss differs from the secret that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    /// White space at an end, here or there.
    Whitespace,
    /// Quotes at an end, here or there.
    Quotes,
    /// An escape (`\n` spelled out), or another encoding (base64, hex).
    Encoding,
    /// Another value that is at hand: a retired secret, another file's.
    Other,
    /// The published default.
    Default,
}

/// A near miss.
#[derive(Debug, Clone)]
pub(crate) struct NearMiss {
    pub(crate) secret: Secret,
    pub(crate) difference: Difference,
    /// What the auth service would have, in words: `with a line end at the end`.
    pub(crate) words: &'static str,
}

/// The near misses of a secret, the likely ones first: what the value itself suggests, then what
/// goes wrong most often.
pub(crate) fn near_misses(secret: &Secret) -> Vec<NearMiss> {
    use Difference::{Default, Encoding, Quotes, Whitespace};
    let text = secret.text();
    let mut found: Vec<NearMiss> = Vec::new();
    let mut push = |value: String, difference, words| {
        let is_new = value != text
            && !value.is_empty()
            && found.iter().all(|other: &NearMiss| other.secret.text() != value);
        if is_new {
            found.push(NearMiss { secret: Secret::new(value), difference, words });
        }
    };
    // What is odd about the value at hand is most likely what differs.
    push(text.trim().to_owned(), Whitespace, "without white space at its ends");
    push(unquoted(text).to_owned(), Quotes, "without quotes");
    push(unquoted(text.trim()).trim().to_owned(), Quotes, "without quotes and white space");
    for escape in ["\\r\\n", "\\n"] {
        let without = text.strip_suffix(escape).unwrap_or(text);
        push(without.to_owned(), Encoding, "without the escape at its end");
    }
    push(text.replace("\\n", "\n"), Encoding, "with its escape as a line end");
    push(format!("{text}\n"), Whitespace, "with a line end (LF) at its end");
    push(format!("\"{text}\""), Quotes, "in double quotes");
    push(DEFAULT.to_owned(), Default, "the published default");
    push(format!("{text}\r\n"), Whitespace, "with a line end (CR LF) at its end");
    push(format!("{text} "), Whitespace, "with a space at its end");
    push(format!("'{text}'"), Quotes, "in single quotes");
    push(format!(" {text}"), Whitespace, "with a space at its beginning");
    push(format!("{text}\\n"), Encoding, "with `\\n` spelled out at its end");
    push(STANDARD.encode(text), Encoding, "in base64");
    push(decoded(text).unwrap_or_default(), Encoding, "decoded from base64");
    push(from_hex(text).unwrap_or_default(), Encoding, "decoded from hexadecimal");
    push(format!("{text}\r"), Whitespace, "with a carriage return at its end");
    push(format!("{text}\t"), Whitespace, "with a tab at its end");
    push(format!(" {text} "), Whitespace, "with a space at each end");
    push(format!("\n{text}"), Whitespace, "with a line end at its beginning");
    push(format!("\"{text}"), Quotes, "with a double quote at its beginning");
    push(format!("{text}\""), Quotes, "with a double quote at its end");
    push(format!("'{text}"), Quotes, "with a single quote at its beginning");
    push(format!("{text}'"), Quotes, "with a single quote at its end");
    push(format!("`{text}`"), Quotes, "in backquotes");
    push(format!("\u{201c}{text}\u{201d}"), Quotes, "in typographic quotes");
    push(format!("\"{text}\"\n"), Quotes, "in double quotes, with a line end");
    push(format!("\"{text}\\n\""), Quotes, "in double quotes, with `\\n` spelled out");
    push(format!("{text}="), Encoding, "with `=` at its end");
    push(text.trim_end_matches('=').to_owned(), Encoding, "without `=` at its end");
    push(hex(text), Encoding, "in hexadecimal");
    push(text.replace('+', " "), Encoding, "decoded as a form (`+` is a space)");
    push(text.to_ascii_lowercase(), Encoding, "in lower case");
    found
}

fn unquoted(text: &str) -> &str {
    let pairs = [('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}')];
    for (open, close) in pairs {
        let inner = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        if let Some(inner) = inner {
            return inner;
        }
    }
    let quotes = ['"', '\'', '`'];
    text.strip_prefix(quotes).or_else(|| text.strip_suffix(quotes)).unwrap_or(text)
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok().filter(|text| text.len() > 7)
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<String> {
    if text.len() < 16 || !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2).map(|at| text.get(at..at.saturating_add(2)));
    let bytes: Option<Vec<u8>> = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";

    /// By `printf %s 'doorward fingerprint 1' | openssl dgst -sha256 -hmac "$SECRET"`.
    #[test]
    fn a_fingerprint_is_that_of_openssl() {
        let secret = Secret::new(SECRET);
        assert_eq!(secret.fingerprint().as_deref(), Some("7ccc96"));
        assert_eq!(secret.length_class(), "32–64");
        assert_eq!(Secret::new("short").fingerprint(), None);
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
    }

    /// Each near miss leads back: whoever has the odd one finds the plain one.
    #[test]
    fn near_misses_are_found_from_either_side() {
        let plain = Secret::new(SECRET);
        let misses = near_misses(&plain);
        println!("{} near misses", misses.len());
        assert!(misses.len() > 20);
        let odd = ["\"S\"", "'S'", "S\n", "S\r\n", " S ", "S\\n", "S ", "\"S\"\n"];
        for spelled in odd {
            let odd = Secret::new(spelled.replace('S', SECRET));
            let back = near_misses(&odd);
            let at = back.iter().position(|miss| miss.secret == plain);
            assert!(at.is_some_and(|at| at < 4), "{spelled}: {at:?}");
        }
        let first: Vec<_> = misses.iter().take(3).map(|miss| miss.difference).collect();
        assert_eq!(first, [Difference::Whitespace, Difference::Quotes, Difference::Default]);
    }
}
