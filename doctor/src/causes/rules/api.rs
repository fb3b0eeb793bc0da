//! What does the API refuse?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::facts::{ApiAnswer, ApiWord, Facts};
use crate::plan::Plan;

pub(super) const RULES: &[Rule] = &[
    (Cause::ApiRedirectLosesAuthorization, api_redirect_loses_authorization),
    (Cause::ApiNoCryptography, api_no_cryptography),
    (Cause::ApiAlgorithm, api_algorithm),
    (Cause::IssuerDiffersAtApi, issuer_differs_at_api),
    (Cause::ApiCannotFetchJwks, api_cannot_fetch_jwks),
    (Cause::ApiJwksCachedStale, api_jwks_cached_stale),
    (Cause::ApiLeeway, api_leeway),
    (Cause::AuthorizationStripped, authorization_stripped),
    (Cause::ApiRefusesGoodToken, api_refuses_good_token),
    (Cause::Api403Not401, api_403_not_401),
];

const ASKED: &[&str] = &["api.anonymous", "api.garbage", "api.good"];

/// The API's refusal of a token that is good by the key set.
fn refusal(facts: &Facts) -> Option<&ApiAnswer> {
    let good = facts.api.good.as_ref()?;
    matches!(good.status, 401 | 403 | 500).then_some(good)
}

pub(super) fn says(facts: &Facts, word: ApiWord) -> Option<&ApiAnswer> {
    refusal(facts).filter(|answer| answer.words.contains(&word))
}

pub(super) fn refused(what: &str, answer: &ApiAnswer) -> String {
    format!("the API refuses a token that is good by the key set ({}), and {what}", answer.status)
}

fn api_redirect_loses_authorization(facts: &Facts, _: &Plan) -> Option<Finding> {
    let redirect = facts.api.redirect.as_ref()?;
    let (from, to) = (&redirect.from, &redirect.to);
    let is_downgrade = from.is_https && !to.is_https;
    let is_elsewhere = from.host != to.host || from.port != to.port;
    if !is_downgrade && !is_elsewhere {
        return None;
    }
    let seen = format!(
        "{from} redirects to {to} ({}): clients drop Authorization on the way",
        redirect.status
    );
    Some(Finding::proof(Cause::ApiRedirectLosesAuthorization, seen).by(ASKED))
}

fn api_no_cryptography(facts: &Facts, _: &Plan) -> Option<Finding> {
    let answer = says(facts, ApiWord::Cryptography)?;
    let seen = refused("its body says that `cryptography` is not installed", answer);
    Some(
        Finding::proof(Cause::ApiNoCryptography, seen)
            .by(ASKED)
            .hides(Hides::These(&[Cause::ApiAlgorithm, Cause::ApiCannotFetchJwks])),
    )
}

fn api_algorithm(facts: &Facts, _: &Plan) -> Option<Finding> {
    let answer = says(facts, ApiWord::Algorithm)?;
    let alg = facts.token.as_ref().and_then(|token| token.alg.clone()).unwrap_or_default();
    let seen =
        refused(&format!("its body says that the algorithm is not allowed; it is {alg}"), answer);
    Some(Finding::proof(Cause::ApiAlgorithm, seen).by(ASKED))
}

fn issuer_differs_at_api(facts: &Facts, _: &Plan) -> Option<Finding> {
    let answer = says(facts, ApiWord::Issuer)?;
    let seen = refused("its body says that the issuer is wrong", answer);
    let unless = "the words of the API may mean another check";
    Some(Finding::strong(Cause::IssuerDiffersAtApi, seen, unless).by(ASKED))
}

fn api_cannot_fetch_jwks(facts: &Facts, _: &Plan) -> Option<Finding> {
    let answer = says(facts, ApiWord::Fetch)?;
    let seen = refused(
        "its body says that it cannot fetch the key set, which is fetched well here",
        answer,
    );
    let unless = "the API may fetch another URL";
    Some(Finding::strong(Cause::ApiCannotFetchJwks, seen, unless).by(ASKED))
}

fn api_jwks_cached_stale(facts: &Facts, _: &Plan) -> Option<Finding> {
    let answer = says(facts, ApiWord::UnknownKey)?;
    let seen =
        refused("its body says that it does not know the key, which the key set has now", answer);
    let unless = "the API may read the key set of another service";
    Some(Finding::strong(Cause::ApiJwksCachedStale, seen, unless).by(ASKED))
}

fn api_leeway(facts: &Facts, _: &Plan) -> Option<Finding> {
    if clock_is_off(facts) {
        return None;
    }
    let later_good = facts.api.later.as_ref().is_some_and(|later| later.status < 400);
    let first = refusal(facts)?;
    if !later_good && !first.words.contains(&ApiWord::NotYet) {
        return None;
    }
    let seen = if later_good {
        "the API refuses a fresh token and accepts it some seconds later".to_owned()
    } else {
        refused("its body says that the token is not valid yet", first)
    };
    let unless = "one of the clocks may be off by more";
    Some(Finding::strong(Cause::ApiLeeway, seen, unless).by(ASKED))
}

/// The API's own `Date` says that its clock is another than the service's.
fn clock_is_off(facts: &Facts) -> bool {
    const LEAST_MILLIS: u64 = 30_000;
    let service = facts.clock.service_millis.unwrap_or_default();
    facts.api.clock_millis.is_some_and(|millis| millis.abs_diff(service) > LEAST_MILLIS)
}

fn authorization_stripped(facts: &Facts, _: &Plan) -> Option<Finding> {
    if !is_answered_as_none(facts) {
        return None;
    }
    let seen = "the API says to a good token, to garbage and to no token, byte for byte, that \
                there is none";
    let unless = "the API may say so of every token that it does not accept";
    Some(Finding::strong(Cause::AuthorizationStripped, seen, unless).by(ASKED))
}

/// A good token is answered exactly as none, and garbage is too.
fn is_answered_as_none(facts: &Facts) -> bool {
    let api = &facts.api;
    let (Some(none), Some(garbage), Some(good)) = (&api.anonymous, &api.garbage, refusal(facts))
    else {
        return false;
    };
    let alike = |one: &ApiAnswer| one.status == none.status && one.same_as == none.same_as;
    alike(good) && alike(garbage) && none.words.contains(&ApiWord::Missing)
}

fn api_refuses_good_token(facts: &Facts, _: &Plan) -> Option<Finding> {
    let answer = refusal(facts)?;
    let is_explained = answer.words.iter().any(|word| {
        matches!(
            word,
            ApiWord::Cryptography
                | ApiWord::Algorithm
                | ApiWord::Issuer
                | ApiWord::Audience
                | ApiWord::Fetch
                | ApiWord::UnknownKey
                | ApiWord::NotYet
                | ApiWord::Expired
        )
    });
    let is_early = facts.api.later.as_ref().is_some_and(|later| later.status < 400);
    if is_explained || clock_is_off(facts) || is_early || is_answered_as_none(facts) {
        return None;
    }
    let seen = refused("does not say why", answer);
    let unless = "the token's user may lack a permission there";
    Some(Finding::strong(Cause::ApiRefusesGoodToken, seen, unless).by(ASKED))
}

fn api_403_not_401(facts: &Facts, _: &Plan) -> Option<Finding> {
    let none = facts.api.anonymous.as_ref()?;
    if none.status != 403 || !none.words.contains(&ApiWord::Missing) {
        return None;
    }
    let seen = "the API answers 403 to a request without a token";
    Some(Finding::hint(Cause::Api403Not401, seen).by(ASKED))
}
