//! What does a JWT of the service say, against what verifiers expect?

use super::api;
use crate::causes::Cause;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::facts::{ApiWord, Facts, TokenFacts};
use crate::plan::Plan;
use crate::url::Url;

pub(super) const RULES: &[Rule] = &[
    (Cause::BearerPrefixLeft, bearer_prefix_left),
    (Cause::WrongTokenSent, wrong_token_sent),
    (Cause::ExpIsADate, exp_is_a_date),
    (Cause::KidNotInJwks, kid_not_in_jwks),
    (Cause::IssuerTrailingSlash, issuer_trailing_slash),
    (Cause::IssuerPath, issuer_path),
    (Cause::IssuerScheme, issuer_scheme),
    (Cause::IssuerHost, issuer_host),
    (Cause::AudienceDiffers, audience_differs),
    (Cause::TokenExpiredNoRefresh, token_expired_no_refresh),
];

const SOURCES: &[&str] = &["token-file", "deep", "pasted.token", "sign-in.token", "jwks"];

fn token(facts: &Facts) -> Option<&TokenFacts> {
    facts.token.as_ref().filter(|token| token.not_a_jwt.is_none())
}

fn bearer_prefix_left(facts: &Facts, _: &Plan) -> Option<Finding> {
    let what = match facts.token.as_ref()?.not_a_jwt? {
        "bearer-prefix" => "begins with `Bearer `",
        "quotes" => "stands in quotes",
        _ => return None,
    };
    let seen = format!("the pasted token {what}, which is no part of a token");
    Some(Finding::proof(Cause::BearerPrefixLeft, seen))
}

fn wrong_token_sent(facts: &Facts, _: &Plan) -> Option<Finding> {
    let token = facts.token.as_ref()?;
    let seen = match token.not_a_jwt {
        Some("session-token") => "what was pasted is a session token: 32 characters without a dot",
        Some("signed-cookie") => "what was pasted is the value of the session cookie",
        Some("jwe") => "what was pasted is an encrypted session_data cookie",
        Some("opaque") => "what was pasted is no JWT: it has not three parts",
        None if token.has_nonce || token.typ.as_deref() == Some("logout+jwt") => {
            "what was pasted is an ID token or a logout token, which is not for an API"
        }
        None if token.alg.as_deref() == Some("HS256") => {
            "what was pasted is a session_data cookie (HS256), which is not for an API"
        }
        _ => return None,
    };
    Some(Finding::proof(Cause::WrongTokenSent, seen).hides(Hides::These(&[
        Cause::KidNotInJwks,
        Cause::IssuerHost,
        Cause::IssuerPath,
        Cause::IssuerScheme,
        Cause::IssuerTrailingSlash,
        Cause::AudienceDiffers,
        Cause::UrlMissing,
    ])))
}

/// A number is an absolute date for Better Auth: 3600 is one hour after midnight in 1970.
fn exp_is_a_date(facts: &Facts, _: &Plan) -> Option<Finding> {
    let token = token(facts)?;
    let exp = token.exp?;
    let before_issue = token.iat.is_some_and(|iat| exp < iat);
    if !before_issue && exp > 10_000_000 {
        return None;
    }
    let seen = format!("`exp` of the token is {exp}, a date before it was issued");
    Some(
        Finding::proof(Cause::ExpIsADate, seen)
            .by(SOURCES)
            .hides(Hides::These(&[Cause::TokenExpiredNoRefresh])),
    )
}

fn kid_not_in_jwks(facts: &Facts, _: &Plan) -> Option<Finding> {
    let token = token(facts)?;
    let count = facts.keys.keys.as_ref()?.len();
    if token.kid_is_known == Some(false) {
        let seen = format!("the key of the token is not among the {count} of the key set");
        return Some(Finding::proof(Cause::KidNotInJwks, seen).by(SOURCES));
    }
    if token.is_signed == Some(false) {
        let seen =
            "the key set has a key of the token's name, and the signature does not hold by it";
        return Some(Finding::proof(Cause::KidNotInJwks, seen).by(SOURCES));
    }
    None
}

/// `iss` and what is expected, where they differ.
fn issuers(facts: &Facts, plan: &Plan) -> Option<(String, String, String)> {
    let iss = token(facts)?.iss.clone()?;
    let expected = plan.expected_issuer();
    (iss != expected.value).then_some((iss, expected.value, expected.source))
}

fn differs(cause: Cause, (iss, expected, source): &(String, String, String)) -> Finding {
    let seen = format!("`iss` of the token is {}, and {source} is {}", shown(iss), shown(expected));
    Finding::proof(cause, seen).by(SOURCES)
}

/// Only what a URL is made of: a claim can be anything.
fn shown(text: &str) -> String {
    let plain = text.chars().take(120).all(|character| character.is_ascii_graphic());
    if plain && text.len() <= 120 && !text.contains('@') {
        format!("`{text}`")
    } else {
        "something else".to_owned()
    }
}

fn issuer_trailing_slash(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let issuers = issuers(facts, plan)?;
    let (iss, expected, _) = &issuers;
    if iss.trim_end_matches('/') != expected.trim_end_matches('/') {
        return None;
    }
    Some(differs(Cause::IssuerTrailingSlash, &issuers))
}

/// The parts of both as URLs.
fn parts(facts: &Facts, plan: &Plan) -> Option<(Url, Url, (String, String, String))> {
    let issuers = issuers(facts, plan)?;
    if issuers.0.trim_end_matches('/') == issuers.1.trim_end_matches('/') {
        return None;
    }
    Some((Url::parse(&issuers.0)?, Url::parse(&issuers.1)?, issuers))
}

fn issuer_path(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let (iss, expected, issuers) = parts(facts, plan)?;
    (iss.origin() == expected.origin()).then(|| differs(Cause::IssuerPath, &issuers))
}

fn issuer_scheme(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let (iss, expected, issuers) = parts(facts, plan)?;
    let same_host = iss.host == expected.host;
    (same_host && iss.is_https != expected.is_https).then(|| differs(Cause::IssuerScheme, &issuers))
}

fn issuer_host(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let issuers = issuers(facts, plan)?;
    let is_stated = plan.expected.issuer.is_some() || plan.expected.service.is_some();
    // From this machine a service is looked at under another name than its own.
    let is_elsewhere = Url::parse(&issuers.0).is_some_and(|iss| !iss.is_loopback());
    if !is_stated && plan.page.is_loopback() && is_elsewhere {
        return None;
    }
    let is_other = match (Url::parse(&issuers.0), Url::parse(&issuers.1)) {
        (Some(iss), Some(expected)) => {
            iss.host != expected.host
                || (iss.is_https == expected.is_https && iss.port != expected.port)
        }
        // A name that is no URL is another issuer.
        _ => issuers.0.trim_end_matches('/') != issuers.1.trim_end_matches('/'),
    };
    is_other.then(|| match is_stated {
        true => differs(Cause::IssuerHost, &issuers),
        false => {
            let seen = differs(Cause::IssuerHost, &issuers).seen;
            let unless = "verifiers may expect that issuer; nothing here says what they expect";
            Finding::strong(Cause::IssuerHost, seen, unless).by(SOURCES)
        }
    })
}

fn audience_differs(facts: &Facts, plan: &Plan) -> Option<Finding> {
    if let Some(answer) = api::says(facts, ApiWord::Audience) {
        let seen = api::refused("its body says that the audience is wrong", answer);
        return Some(
            Finding::proof(Cause::AudienceDiffers, seen).by(&["api.anonymous", "api.good"]),
        );
    }
    let aud = &token(facts)?.aud;
    let expected = plan.expected_audience();
    if expected.value.iter().any(|expected| aud.contains(expected)) {
        return None;
    }
    // An issuer that differs alike is one mistake, not two.
    let follows_issuer = token(facts)?.iss.as_ref().is_some_and(|iss| *aud == [iss.clone()])
        && plan.expected.audience.is_none();
    if follows_issuer {
        return None;
    }
    let aud = aud.iter().map(|aud| shown(aud)).collect::<Vec<_>>().join(", ");
    let wanted = expected.value.iter().map(|aud| shown(aud)).collect::<Vec<_>>().join(", ");
    let aud = if aud.is_empty() { "missing".to_owned() } else { aud };
    let seen = format!("`aud` of the token is {aud}, and {} is {wanted}", expected.source);
    if plan.expected.audience.is_some() || plan.expected.service.is_some() {
        return Some(Finding::proof(Cause::AudienceDiffers, seen).by(SOURCES));
    }
    let unless = "verifiers may expect that audience; nothing here says what they expect";
    Some(Finding::strong(Cause::AudienceDiffers, seen, unless).by(SOURCES))
}

fn token_expired_no_refresh(facts: &Facts, _: &Plan) -> Option<Finding> {
    let token = token(facts)?;
    if token.is_fresh || token.is_expired != Some(true) {
        return None;
    }
    let seen = "`exp` of the pasted token is past";
    Some(Finding::proof(Cause::TokenExpiredNoRefresh, seen))
}
