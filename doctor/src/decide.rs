//! Decisions of the core without a network: signatures are checked by the carrier, everything else
//! that a host would be asked for is given or fails.

use doorward::{
    Decision, Effect, EffectResult, Engine, Fetch, HashFunction, RequestHead, SignatureScheme,
    UnixTime,
};

use crate::effects::Io;

/// No request asks for more.
const MAX_EFFECTS: usize = 32;

/// A response: status, header pairs, body.
pub(crate) type Reply = (u16, Vec<(String, String)>, Vec<u8>);

/// What stands in for the network.
pub(crate) trait Replies {
    /// The answer to a fetch; nothing where there is none.
    fn fetch(&mut self, fetch: &Fetch) -> Option<Reply>;
}

/// There are no results.
pub(crate) struct NoReplies;

impl Replies for NoReplies {
    fn fetch(&mut self, _: &Fetch) -> Option<Reply> {
        None
    }
}

/// The final decision on a request.
pub(crate) async fn decide(
    io: &Io,
    engine: &mut Engine,
    head: &RequestHead<'_>,
    replies: &mut impl Replies,
    now: UnixTime,
) -> Decision {
    let mut decision = engine.decide(head, now);
    for _ in 0..MAX_EFFECTS {
        let Decision::Perform(pending) = decision else { return decision };
        let checked;
        let answer;
        let pairs: Vec<(&str, &str)>;
        let result = match pending.effect() {
            Effect::Check(check) => {
                let name = algorithm(check.scheme).unwrap_or_default();
                let (input, signature) = (&check.signing_input, &check.signature);
                checked = io.check_signature(&name, &check.key, input, signature).await;
                checked.map_or(EffectResult::Failed, EffectResult::Checked)
            }
            Effect::Fetch(fetch) => {
                answer = replies.fetch(fetch);
                match &answer {
                    Some((status, headers, body)) => {
                        pairs = headers
                            .iter()
                            .map(|(name, value)| (name.as_str(), value.as_str()))
                            .collect();
                        EffectResult::Answered { status: *status, headers: &pairs, body }
                    }
                    None => EffectResult::Failed,
                }
            }
            Effect::Wait { .. } => EffectResult::Waited,
            _ => EffectResult::Failed,
        };
        decision = engine.resume(head, pending, result, now);
    }
    decision
}

/// `alg` of RFC 7518 for a scheme.
fn algorithm(scheme: SignatureScheme) -> Option<String> {
    let (family, hash) = match scheme {
        SignatureScheme::RsaPkcs1 { hash } => ("RS", hash),
        SignatureScheme::RsaPss { hash, .. } => ("PS", hash),
        SignatureScheme::Ecdsa { hash, .. } => ("ES", hash),
        SignatureScheme::EdDsa { .. } => return Some("EdDSA".to_owned()),
        _ => return None,
    };
    let bits = match hash {
        HashFunction::Sha256 => "256",
        HashFunction::Sha384 => "384",
        HashFunction::Sha512 => "512",
        _ => return None,
    };
    Some([family, bits].concat())
}
