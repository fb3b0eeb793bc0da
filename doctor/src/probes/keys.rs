//! The key set (`GET /jwks`), and whether the jwt plugin is there (`GET /token`).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::answer::{Answer, Body};
use crate::facts::KeyFact;
use crate::order;
use crate::probes::{PYTHON_AGENT, Run, Stop};

/// Algorithms that a key may be for, by its type and curve.
const USABLE: [(&str, &str); 6] = [
    ("OKP", "Ed25519"),
    ("EC", "P-256"),
    ("EC", "P-384"),
    ("EC", "P-521"),
    ("RSA", ""),
    ("OKP", "Ed448"),
];

/// Fetches the key set.
pub(crate) async fn run(run: &mut Run<'_>) {
    let answer = match run.send_past_walls(run.get("jwks", "/jwks")).await {
        Ok(answer) => answer,
        Err(Stop::Wall(wall)) => {
            run.facts.keys.wall = Some(wall);
            return;
        }
        Err(Stop::Failure(_)) => return,
    };
    run.facts.keys.status = Some(answer.status());
    match answer.status() {
        200 => {
            run.facts.keys.keys = keys(&answer);
            if run.facts.keys.keys.is_none() {
                run.facts.keys.wrong_kind = Some(kind(answer.body()));
                return;
            }
            as_python(run).await;
        }
        404 => ask_for_token(run).await,
        _ => {}
    }
}

/// The key set once more, as PyJWT would: walls tell it by its user agent, and two stores by other
/// keys.
async fn as_python(run: &mut Run<'_>) {
    let ask = run.get("jwks.python", "/jwks").agent(PYTHON_AGENT).header("accept", "*/*").fresh();
    match run.send_past_walls(ask).await {
        Ok(answer) => {
            let (Some(first), Some(second)) = (&run.facts.keys.keys, keys(&answer)) else { return };
            let kids = |keys: &[KeyFact]| -> BTreeSet<String> {
                order::collected(keys.iter().filter_map(|key| key.kid.clone()))
            };
            let (first, second) = (kids(first), kids(&second));
            // Keys may be added between the two; they do not vanish.
            if !first.is_subset(&second) {
                run.facts.keys.other_kids = Some(second);
            }
        }
        Err(Stop::Wall(_)) => {
            let status = run.facts.requests.last().and_then(|exchange| exchange.status);
            run.facts.keys.refused_agent = status.map(|status| (PYTHON_AGENT, status));
        }
        Err(Stop::Failure(_)) => {}
    }
}

/// `/jwks` is not there: the key set may have another path, or be elsewhere.
async fn ask_for_token(run: &mut Run<'_>) {
    if let Ok(answer) = run.send_past_walls(run.get("token", "/token")).await {
        run.facts.keys.token_status = Some(answer.status());
    }
}

/// The keys of a set; nothing where it is none.
pub(crate) fn keys(answer: &Answer) -> Option<Vec<KeyFact>> {
    let keys = answer.member("keys")?.as_array()?;
    Some(keys.iter().take(100).map(key).collect())
}

/// The keys of a pasted set; nothing where it is none.
pub(crate) fn of_text(text: &str) -> Option<Vec<KeyFact>> {
    let set: Value = serde_json::from_str(text).ok()?;
    Some(set.get("keys")?.as_array()?.iter().take(100).map(key).collect())
}

fn key(jwk: &Value) -> KeyFact {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str).map(str::to_owned);
    let (kty, crv) = (text("kty").unwrap_or_default(), text("crv").unwrap_or_default());
    let is_usable = USABLE.iter().any(|(own_kty, own_crv)| *own_kty == kty && *own_crv == crv)
        && text("use").is_none_or(|purpose| purpose == "sig");
    KeyFact { kid: text("kid"), alg: text("alg"), is_usable, jwk: jwk.to_string() }
}

const fn kind(body: Body) -> &'static str {
    match body {
        Body::Empty => "empty",
        Body::Null | Body::Json => "json",
        Body::Html => "html",
        Body::Text => "text",
    }
}
