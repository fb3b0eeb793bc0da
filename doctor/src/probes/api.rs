//! `--api`: what an API answers to no token, to garbage, and to a token that is good by the key
//! set.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use crate::answer::Answer;
use crate::facts::{ApiAnswer, ApiWord, Redirect};
use crate::probes::{Run, Stop};

const LATER_MILLIS: u64 = 3_000;

/// Words of refusals, as PyJWT and its kin write them.
const WORDS: [(ApiWord, &[&str]); 9] = [
    (ApiWord::Cryptography, &["cryptography"]),
    (ApiWord::Algorithm, &["alg value is not allowed", "algorithm", "invalidalgorithm"]),
    (ApiWord::Issuer, &["invalid issuer", "invalidissuer", "issuer"]),
    (ApiWord::Audience, &["audience", "invalidaudience"]),
    (
        ApiWord::Fetch,
        &[
            "fail to fetch",
            "failed to fetch",
            "pyjwkclientconnection",
            "connection error",
            "getaddrinfo",
            "urlopen",
        ],
    ),
    (ApiWord::Expired, &["expired"]),
    (ApiWord::NotYet, &["not yet valid", "immaturesignature", "(iat)", "(nbf)"]),
    (ApiWord::UnknownKey, &["unable to find a signing key", "no matching key", "unknown kid"]),
    (
        ApiWord::Missing,
        &[
            "not authenticated",
            "no token",
            "missing",
            "no authorization",
            "authorization header",
            "no bearer",
            "no credential",
        ],
    ),
];

/// Asks the API.
pub(crate) async fn run(run: &mut Run<'_>) {
    let Some(api) = run.plan.api.clone() else { return };
    run.facts.api.is_asked = true;
    let ask = Run::ask_elsewhere("api.anonymous", "GET", api.clone());
    let answer = match run.send_past_walls(ask).await {
        Ok(answer) => answer,
        // An API's own refusal may have no body that tells it from a wall.
        Err(Stop::Wall(_)) => {
            let ask = Run::ask_elsewhere("api.anonymous", "GET", api.clone());
            match run.send(ask).await {
                Ok(answer) => answer,
                Err(failure) => {
                    run.facts.api.failure = Some(failure);
                    return;
                }
            }
        }
        Err(Stop::Failure(failure)) => {
            run.facts.api.failure = Some(failure);
            return;
        }
    };
    if answer.is_redirect() {
        let to = answer.header("location").and_then(|location| api.join(location));
        run.facts.api.redirect = to.map(|to| Redirect { status: answer.status(), from: api, to });
        return;
    }
    run.facts.api.clock_millis = answer.clock_millis();
    run.facts.clock.other_millis = run.facts.clock.other_millis.or_else(|| answer.clock_millis());
    run.facts.clock.other_host.get_or_insert_with(|| api.host.clone());
    run.facts.api.anonymous = Some(api_answer(&answer));
    run.facts.api.garbage = with_token(run, "api.garbage", "doorward.is.garbage").await;
    let Some(token) = run.token.clone() else { return };
    let is_good = run
        .facts
        .token
        .as_ref()
        .is_some_and(|token| token.is_signed == Some(true) && token.is_expired != Some(true));
    if !is_good {
        return;
    }
    run.facts.api.good = with_token(run, "api.good", &token).await;
    let is_refused = run.facts.api.good.as_ref().is_some_and(|good| good.status == 401);
    if is_refused && run.facts.token.as_ref().is_some_and(|token| token.is_fresh) {
        run.io.sleep(LATER_MILLIS).await;
        run.facts.api.later = with_token(run, "api.later", &token).await;
    }
}

async fn with_token(run: &mut Run<'_>, id: &'static str, token: &str) -> Option<ApiAnswer> {
    let api = run.plan.api.clone()?;
    let ask = Run::ask_elsewhere(id, "GET", api).header("authorization", format!("Bearer {token}"));
    run.send(ask).await.ok().map(|answer| api_answer(&answer))
}

fn api_answer(answer: &Answer) -> ApiAnswer {
    let header = answer.header("www-authenticate").unwrap_or_default().to_ascii_lowercase();
    let text = format!("{} {header}", answer.text().to_ascii_lowercase());
    let words = WORDS
        .iter()
        .filter(|(_, parts)| parts.iter().any(|part| text.contains(part)))
        .map(|(word, _)| *word);
    let mut hasher = DefaultHasher::new();
    answer.response.body.hash(&mut hasher);
    ApiAnswer { status: answer.status(), words: words.collect(), same_as: hasher.finish() }
}
