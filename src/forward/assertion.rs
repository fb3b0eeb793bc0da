//! The assertion: the gate's signed statement to the origin about one request (RFC 7519).
//! `docs/assertion.md` is its reference; `origin/` holds its verifiers.
//!
//! It is bound to the method, the public host and the exact target that is forwarded, lives for
//! seconds, and has a type of its own, so that no other token passes for one and it passes for no
//! other token.

use crate::capabilities::Capabilities;
use crate::encoding::{base64, digest, json};
use crate::http::request::RequestHead;
use crate::jose::platform::SignatureRequest;
use crate::jose::sign::{Signing, SigningKey};
use crate::policy::Assertions;
use crate::time::UnixTime;

/// `typ` of an assertion (RFC 8725 section 3.11).
const TYPE: &str = "doorward-assertion+jwt";

/// What an assertion is about.
pub(crate) struct About<'a> {
    pub(crate) request: &'a RequestHead<'a>,
    /// The exact target that is forwarded.
    pub(crate) target: &'a str,
    pub(crate) audience: &'a str,
    /// What [`crate::authn::identity_headers::statement`] said about the session.
    pub(crate) statement: &'a str,
}

/// A number that no other assertion has: gates differ by their seeds, one gate's assertions by
/// their count.
pub(crate) fn id(seed: u64, count: u64, now: UnixTime) -> [u8; 16] {
    let digest = digest::of_parts(&[
        &seed.to_be_bytes(),
        &count.to_be_bytes(),
        &now.as_millis().to_be_bytes(),
    ]);
    digest.first_chunk().copied().unwrap_or_default()
}

/// The signed assertion, or what the host has to sign first. `signed` is what it has signed for
/// this request, and its signature: it counts for exactly that.
pub(crate) fn sign(
    policy: &Assertions,
    about: &About<'_>,
    id: [u8; 16],
    issued: UnixTime,
    signed: Option<&(Vec<u8>, Vec<u8>)>,
    host: &Capabilities,
) -> Result<String, SignatureRequest> {
    let key = &policy.keys.signing;
    let input = signing_input(policy, key, about, id, issued);
    let by_host = signed
        .filter(|(signed, _)| signed == input.as_bytes())
        .map(|(_, signature)| Signing::Done(signature.clone()));
    match by_host.unwrap_or_else(|| key.sign(input.as_bytes(), |algorithm| host.signs(algorithm))) {
        Signing::Done(signature) => {
            Ok([input.as_str(), ".", &base64::url_encoded(&signature)].concat())
        }
        Signing::ByHost(request) => Err(request),
    }
}

fn signing_input(
    policy: &Assertions,
    key: &SigningKey,
    about: &About<'_>,
    id: [u8; 16],
    issued: UnixTime,
) -> String {
    let host = about
        .request
        .public_origin
        .split_once("://")
        .map_or("", |(_, host)| host)
        .to_ascii_lowercase();
    let issued = issued.as_seconds();
    let expires = issued.saturating_add(i64::from(policy.life.get()));
    let header = [
        "{\"alg\":\"",
        key.algorithm(),
        "\",\"kid\":",
        &json::quoted(&key.kid),
        ",\"typ\":\"",
        TYPE,
        "\"}",
    ]
    .concat();
    let claims = [
        "{\"iss\":",
        &json::quoted(&policy.issuer),
        ",\"aud\":",
        &json::quoted(about.audience),
        ",\"iat\":",
        &issued.to_string(),
        ",\"exp\":",
        &expires.to_string(),
        ",\"jti\":\"",
        &base64::url_encoded(&id),
        "\",\"htm\":",
        &json::quoted(about.request.method),
        ",\"host\":",
        &json::quoted(&host),
        ",\"tgt\":\"",
        &base64::url_encoded(&digest::of(about.target.as_bytes())),
        "\",",
        about.statement,
        "}",
    ]
    .concat();
    [base64::url_encoded(header.as_bytes()), base64::url_encoded(claims.as_bytes())].join(".")
}

/// The public keys (RFC 7517 section 5): what the origin verifies assertions with. All of them are
/// shown, so that an origin knows the next key before the gate signs with it.
pub(crate) fn key_set(policy: &Assertions) -> String {
    let keys: Vec<String> = policy.keys.all().filter_map(SigningKey::public_jwk).collect();
    ["{\"keys\":[", &keys.join(","), "]}"].concat()
}
