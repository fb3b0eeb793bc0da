//! Whose an `iss` might have been: a near miss is told in the log, with the part that differs.

use crate::encoding::members::Members;
use crate::jose::jws::UnverifiedClaims;
use crate::policy::issuer::{Issuer, TokenLocation};
use crate::policy::rules::Rule;
use crate::reason::Reason;

use super::Authenticator;

impl Authenticator<'_> {
    /// Notes an `iss` that no issuer here has, beside the configured one that it is most like.
    pub(super) fn note_issuer(
        &mut self,
        reason: Reason,
        unverified: &UnverifiedClaims<'_>,
        place: &TokenLocation,
        rule: &Rule,
    ) {
        let Some(unverified) =
            unverified.members.text("iss").filter(|_| reason == Reason::IssuerUnknown)
        else {
            return;
        };
        let near = self.policy.issuers.iter().filter_map(|issuer| {
            let expected = self.iss_here(issuer);
            let difference = if expected != unverified {
                difference(&expected, unverified)?
            } else if issuer.expected(self.head.public_origin).is_none() {
                Difference::PublicHost
            } else if rule.accepts(issuer.id) && !issuer.places.contains(place) {
                Difference::Place
            } else {
                Difference::Rule
            };
            Some((difference, expected))
        });
        let nearest = near.min_by_key(|(difference, _)| *difference);
        self.note_miss(nearest, unverified);
    }

    /// The same of a token that the service of this issuer has issued in a token exchange.
    pub(super) fn note_minted(&mut self, issuer: &Issuer, unverified: &UnverifiedClaims<'_>) {
        let Some(unverified) = unverified.members.text("iss") else { return };
        let expected = self.iss_here(issuer);
        self.note_miss(
            difference(&expected, unverified).map(|difference| (difference, expected)),
            unverified,
        );
    }

    /// The `iss` that this issuer would have at the public origin of the request, were it one of
    /// its hosts.
    fn iss_here(&self, issuer: &Issuer) -> String {
        issuer.expectations.at(self.head.public_origin).issuer
    }

    fn note_miss(&mut self, nearest: Option<(Difference, String)>, unverified: &str) {
        let mut iss = Members::default();
        if let Some((difference, expected)) = nearest {
            iss.text("differs_in", difference.name());
            iss.shown("expected", &expected);
        }
        iss.shown("unverified", unverified);
        self.deferred.findings.get_or_insert_default().add("iss", iss.written());
    }
}

/// In what an `iss` differs from a configured one that it agrees with in all else. The nearest
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// In nothing: the rule accepts others.
    Rule,
    /// In nothing: its tokens are taken at other places of a request.
    Place,
    /// In nothing, but the request is at a host that is none of the issuer's.
    PublicHost,
    TrailingSlash,
    Case,
    Scheme,
    Port,
    Path,
    Host,
}

impl Difference {
    const fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Place => "place",
            Self::PublicHost => "public host",
            Self::TrailingSlash => "trailing slash",
            Self::Case => "case",
            Self::Scheme => "scheme",
            Self::Port => "port",
            Self::Path => "path",
            Self::Host => "host",
        }
    }
}

/// The one thing in which two issuers differ; nothing where there are more.
fn difference(expected: &str, unverified: &str) -> Option<Difference> {
    let without_slash = |text: &str| text.trim_end_matches('/').to_owned();
    let (one, other) = (without_slash(expected), without_slash(unverified));
    if one == other {
        return Some(Difference::TrailingSlash);
    }
    if one.eq_ignore_ascii_case(&other) {
        return Some(Difference::Case);
    }
    let (one, other) = (parts(&one), parts(&other));
    let mut differing = [Difference::Scheme, Difference::Host, Difference::Port, Difference::Path]
        .into_iter()
        .zip(one.into_iter().zip(other))
        .filter(|(_, (one, other))| one != other)
        .map(|(difference, _)| difference);
    match (differing.next(), differing.next()) {
        // Two names that are no URLs agree in nothing.
        (Some(Difference::Host), None) if one.first() == Some(&"") => None,
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Scheme, host, port and path, each as it is spelled; nothing in place of what is missing.
fn parts(text: &str) -> [&str; 4] {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (authority, path) =
        rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (authority, ""),
    };
    [scheme, host, port, path]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_thing_that_differs_is_named() {
        for (expected, unverified, difference_of) in [
            ("https://a.example", "https://a.example/", Some("trailing slash")),
            ("https://a.example/", "https://a.example", Some("trailing slash")),
            ("https://a.example/api/auth", "https://a.example/api/auth/", Some("trailing slash")),
            ("https://a.example", "https://A.example", Some("case")),
            ("https://a.example", "http://a.example", Some("scheme")),
            ("https://accounts.example", "accounts.example", Some("scheme")),
            ("https://a.example", "https://a.example:8443", Some("port")),
            ("https://a.example", "https://a.example:443", Some("port")),
            ("http://localhost:3000", "http://localhost:3001", Some("port")),
            ("http://[::1]:3000", "http://[::1]:3001", Some("port")),
            ("https://a.example", "https://a.example/api/auth", Some("path")),
            ("https://a.example/api/auth", "https://a.example", Some("path")),
            ("https://a.example/api/auth", "https://a.example/auth/", Some("path")),
            ("https://a.example", "https://b.example", Some("host")),
            ("https://a.example/api/auth", "https://b.example/api/auth", Some("host")),
            ("https://a.example/api/auth", "https://b.example", None),
            ("https://a.example", "http://a.example:3000", None),
            ("our-issuer", "https://a.example", None),
            ("our-issuer", "their-issuer", None),
            ("https://a.example", "", None),
        ] {
            assert_eq!(
                difference(expected, unverified).map(Difference::name),
                difference_of,
                "{expected} {unverified}"
            );
        }
    }
}
