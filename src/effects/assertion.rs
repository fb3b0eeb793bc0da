//! The signature on a request's assertion, made by the platform.

use crate::better_auth::session_record::LookupFailure;
use crate::effect::{Effect, EffectResult};
use crate::http::request::RequestHead;
use crate::jose::alg::SignatureScheme;
use crate::jose::platform::SignatureRequest;
use crate::reason::Reason;
use crate::time::UnixTime;

use super::{Begun, Context, Continuation, Purpose};

/// What to sign.
pub(crate) struct ToSign(pub(crate) SignatureRequest);

/// A request's assertion.
#[derive(Default)]
pub(crate) struct Memory {
    /// Its number and its moment: the same when the request is looked at again.
    pub(crate) number: Option<([u8; 16], UnixTime)>,
    /// What the host has signed, and its signature.
    pub(crate) signed: Option<(Vec<u8>, Vec<u8>)>,
    /// The host was asked to sign and does not have the scheme.
    pub(crate) signs_inside: bool,
    /// How often the host was asked to sign.
    asked: u32,
}

impl Memory {
    /// Whether the host may be asked to sign: once, and once more if it has signed what is no
    /// longer the last that is known of the session. The cookie cache may have run out meanwhile,
    /// or another request may have heard of it.
    pub(crate) const fn may_ask(&self) -> bool {
        match self.asked {
            0 => true,
            1 => self.signed.is_some(),
            _ => false,
        }
    }
}

impl super::Memory for Memory {
    fn weight(&self) -> usize {
        self.signed
            .as_ref()
            .map_or(0, |(input, signature)| input.len().saturating_add(signature.len()))
    }
}

impl Purpose for ToSign {
    type Pending = ();
    type Memory = Memory;

    fn reason(&self) -> Reason {
        Reason::AssertionUnavailable
    }

    fn begin(self, _: &RequestHead<'_>, context: &mut Context<'_>) -> Result<Begun, LookupFailure> {
        let asked = &mut context.progress.memory.assertion.asked;
        *asked = asked.saturating_add(1);
        Ok((Effect::Sign(self.0), Continuation::Sign(())))
    }

    fn learn((): (), effect: Effect, result: &EffectResult<'_>, context: &mut Context<'_>) {
        let Effect::Sign(request) = effect else { return };
        let memory = &mut context.progress.memory.assertion;
        // Not every WebCrypto has Ed25519, and no host finds out before it tries.
        memory.signs_inside = matches!(request.scheme, SignatureScheme::EdDsa { .. })
            && matches!(result, EffectResult::Unsupported);
        // A failure is no signature.
        memory.signed = match result {
            EffectResult::Signed(signature) => Some((request.input, signature.to_vec())),
            _ => None,
        };
    }
}
