//! Entry points for conformance suites, behind the feature `conformance`, which nothing that ships
//! turns on.
//!
//! The tokens of such suites sign `foo`. The engine refuses that for its claims before it looks for
//! a key: it has to read `iss` to know whose key. The functions here do the same
//! steps (the token's form, the key set as it is fetched, the key, the signature) and stop before
//! the claims: the result is a signed token, and no identity.

use crate::authn::{Authenticator, Obstacle};
use crate::cache::keys::KeyCache;
use crate::capabilities::Capabilities;
use crate::decision::Decision;
use crate::effect::EffectResult;
use crate::effects::learned::Learned;
use crate::effects::state::EffectState;
use crate::effects::{Missing, RequestProgress, signature};
use crate::engine::Engine;
use crate::engine::explain::{Layer, Layers};
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::jose::alg::Algorithm;
use crate::jose::jwe::Jwe;
use crate::jose::jwk::JwkSet;
use crate::jose::jws::Jws;
use crate::jose::platform::SignatureCheck;
use crate::jose::verify::{self, Secret};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::response::{RequestContext, refusal};
use crate::time::UnixTime;

/// What a token signs, by a key of this set, as the first issuer of the policy would have it.
/// `carry` checks a signature, as a host does.
///
/// # Errors
/// Every reason that has to do with a token's form, its key and its signature.
pub fn signed_content(
    policy: &Policy,
    key_set: &[u8],
    token: &str,
    mut carry: impl FnMut(&SignatureCheck) -> EffectResult<'static>,
) -> Result<Vec<u8>, Reason> {
    let issuer = policy.issuers.first().ok_or(Reason::IssuerUnknown)?;
    let now = UnixTime::from_millis(0);
    let mut state = EffectState::new(policy, 0);
    state.keys = KeyCache::new([(JwkSet::default(), true)], 0);
    state.keys.receive(
        issuer.id,
        None,
        &EffectResult::Answered { status: 200, headers: &[], body: key_set },
        now,
    );
    let head = RequestHead {
        method: "GET",
        target: "/",
        headers: &[],
        public_origin: "",
        client_address: None,
    };
    let mut progress = RequestProgress::new(state.events.moment(now), 0);
    loop {
        let mut authenticator = Authenticator::new(policy, &state, &progress, head, now);
        let wanted = match authenticator.by_key_set(issuer, &Jws::parse(token)?) {
            Ok((verified, _)) => return Ok(verified.content().to_vec()),
            Err(
                Obstacle::Bad(reason)
                | Obstacle::Outdated(reason, _)
                | Obstacle::Unavailable(reason),
            ) => return Err(reason),
            Err(Obstacle::Needs(Missing::Check(wanted))) => wanted,
            Err(Obstacle::Needs(_)) => return Err(Reason::KeysUnavailable),
        };
        let result = carry(&wanted.check);
        progress.memory.signature.checked.push(signature::checked(wanted.check, &result));
    }
}

/// The answer to a request that is refused for this reason; without the policy's pages where a page
/// of the application would have to be fetched for it.
pub fn answer(policy: &Policy, reason: Reason, head: &RequestHead<'_>) -> Decision {
    let path = Path::of(head, policy.framework.as_ref()).ok();
    let now = UnixTime::from_millis(0);
    let request = RequestContext { policy: Some(policy), head, path: path.as_ref(), now };
    refusal::refuse(reason, request, &mut Learned::default())
        .unwrap_or_else(|_| Decision::Reject(refusal::refuse_without_engine(reason, head, now)))
}

/// What an HS256 `session_data` cookie signs with this secret.
///
/// # Errors
/// Every reason that has to do with a token's form and its MAC.
pub fn hs256_content(secret: &[u8], token: &str) -> Result<Vec<u8>, Reason> {
    verify::hs256(&Jws::parse_joined(token)?, &Secret::from_bytes(secret))
        .map(|verified| verified.content().to_vec())
}

/// What a `session_data` cookie of the encrypted kind holds, with this secret.
///
/// # Errors
/// Every reason that has to do with a token's form and its tag.
pub fn jwe_content(secret: &[u8], token: &str) -> Result<Vec<u8>, Reason> {
    let secret = Secret::from_bytes(secret);
    verify::jwe(&Jwe::parse(token)?, std::iter::once(&secret))
        .map(|verified| verified.content().to_vec())
}

/// What A256CBC-HS512 has encrypted (RFC 7518 section 5.2.5), if the tag holds; nothing where a
/// part has another length than it has in a token.
pub fn decrypted(
    key: &[u8],
    aad: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Option<Vec<u8>> {
    let (iv, tag) = (iv.try_into().ok()?, tag.try_into().ok()?);
    verify::decrypt(
        &Jwe { aad, kid: None, iv, ciphertext: ciphertext.to_vec(), tag },
        key.try_into().ok()?,
    )
}

/// Whether a signature over any bytes holds, by a key that is given as a JWK.
///
/// # Errors
/// `key_not_found` where a key set would leave the key out, `key_unsuitable`,
/// `signature_check_unavailable`.
pub fn signature_holds(
    host: &Capabilities,
    jwk: &str,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
    carry: impl FnOnce(&SignatureCheck) -> EffectResult<'static>,
) -> Result<bool, Reason> {
    let set = JwkSet::parse(["{\"keys\":[", jwk, "]}"].concat().as_bytes())
        .ok_or(Reason::KeysUnavailable)?;
    let key = set.keys().first().ok_or(Reason::KeyNotFound)?;
    if !key.suits(algorithm) {
        return Err(Reason::KeyUnsuitable);
    }
    verify::signature(message, signature, algorithm, key, host.checks(algorithm), &[]).or_else(
        |check| match carry(&check) {
            EffectResult::Checked(holds) => Ok(holds),
            _ => Err(Reason::SignatureCheckUnavailable),
        },
    )
}

/// Whether this is the HMAC-SHA256 of a message.
pub fn mac_holds(secret: &[u8], message: &[u8], mac: &[u8]) -> bool {
    mac.try_into().is_ok_and(|mac| Secret::from_bytes(secret).authenticates(message, mac))
}

/// What the `session_data` cookie of a request is found to be by itself: `valid`, `absent`, or the
/// reason why it does not count. Nothing where there is no Better Auth issuer.
pub fn session_data(
    engine: &Engine,
    head: &RequestHead<'_>,
    now: UnixTime,
) -> Option<&'static str> {
    engine.explain(head, now).credentials.into_iter().find_map(|credential| {
        match credential.layers {
            Layers::BetterAuthCookies { data, .. } => Some(match data {
                Layer::Absent => "absent",
                Layer::Valid => "valid",
                Layer::Bad(reason) => reason.code(),
                Layer::Unverified | Layer::Unsigned | Layer::Unknown => "unknown",
            }),
            _ => None,
        }
    })
}

/// A target in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    /// Decoded segments.
    pub segments: Vec<String>,
    /// Whether a slash follows the last one.
    pub trailing_slash: bool,
    /// What is forwarded.
    pub target: String,
    /// Everything that a rule must cover, as decoded segments.
    pub readings: Vec<Vec<String>>,
}

/// The canonical form of a request's target.
///
/// # Errors
/// `path_refused`.
pub fn canonical_path(policy: &Policy, head: &RequestHead<'_>) -> Result<CanonicalPath, Reason> {
    let path = Path::of(head, policy.framework.as_ref())?;
    Ok(CanonicalPath {
        segments: path.segments().iter().map(|segment| segment.to_string()).collect(),
        trailing_slash: path.spelled().len() > 1 && path.spelled().ends_with('/'),
        target: path.target(),
        readings: path
            .readings()
            .map(|segments| segments.iter().map(|segment| segment.to_string()).collect())
            .collect(),
    })
}
