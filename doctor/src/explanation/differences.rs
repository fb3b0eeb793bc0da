//! Claims that are not what is expected, and the first letter that differs.

use serde_json::{Value, json};

use crate::facts::TokenFacts;
use crate::plan::Plan;

/// A claim that differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) claim: &'static str,
    pub(crate) found: String,
    pub(crate) expected: String,
    /// Where the expectation stands.
    pub(crate) source: String,
    /// How many characters are the same before the first that is not.
    pub(crate) same: usize,
}

/// What differs between a token and what is expected of it. Claims are unverified; only `iss` and
/// `aud` are shown, which are no secrets.
pub(crate) fn of_token(token: &TokenFacts, plan: &Plan) -> Vec<Difference> {
    if token.not_a_jwt.is_some()
        || plan.expected.service.is_none() && plan.expected.issuer.is_none()
    {
        return Vec::new();
    }
    let issuer = plan.expected_issuer();
    let mut found = Vec::new();
    if let Some(iss) = token.iss.as_deref().filter(|iss| *iss != issuer.value) {
        found.push(difference("iss", iss, &issuer.value, &issuer.source));
    }
    let audience = plan.expected_audience();
    if !token.aud.iter().any(|aud| audience.value.contains(aud))
        && let (Some(aud), Some(wanted)) = (token.aud.first(), audience.value.first())
    {
        found.push(difference("aud", aud, wanted, &audience.source));
    }
    found
}

fn difference(claim: &'static str, found: &str, expected: &str, source: &str) -> Difference {
    let same = found.chars().zip(expected.chars()).take_while(|(one, other)| one == other).count();
    Difference {
        claim,
        found: found.to_owned(),
        expected: expected.to_owned(),
        source: source.to_owned(),
        same,
    }
}

impl Difference {
    pub(crate) fn json(&self) -> Value {
        json!({
            "claim": self.claim,
            "found": self.found,
            "expected": self.expected,
            "source": self.source,
            "same": self.same,
        })
    }

    /// In words, with the first letter that differs.
    pub(crate) fn words(&self) -> String {
        let letter = |text: &str| match text.chars().nth(self.same) {
            Some(letter) => format!("`{letter}`"),
            None => "its end".to_owned(),
        };
        let Self { claim, found, expected, source, .. } = self;
        let at = self.same.saturating_add(1);
        format!(
            "`{claim}` is {found}, expected is {expected} ({source}): at character {at} there is {} in place of {}",
            letter(found),
            letter(expected)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_letter_that_differs_is_named() {
        let cases = [
            ("https://a.example/", "https://a.example", 17, "`/` in place of its end"),
            ("http://a.example", "https://a.example", 4, "`:` in place of `s`"),
            ("https://b.example", "https://a.example", 8, "`b` in place of `a`"),
        ];
        for (found, expected, same, words) in cases {
            let difference = difference("iss", found, expected, "a file");
            assert_eq!(difference.same, same);
            assert!(difference.words().ends_with(words), "{}", difference.words());
        }
    }
}
