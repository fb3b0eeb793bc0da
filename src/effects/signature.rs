//! Signatures that the platform checks: what a host was asked to check, and what follows where one
//! holds.

use crate::better_auth::session_record::LookupFailure;
use crate::cache::verified::VerifiedClaims;
use crate::effect::{Effect, EffectResult};
use crate::http::request::RequestHead;
use crate::jose::platform::{Checked, SignatureCheck};
use crate::jose::verify::Unconfirmed;
use crate::reason::Reason;

use super::{Begun, Context, Continuation, Purpose};

/// The key that was there, and the one in its place.
const MAX_KEYS_TRIED: usize = 2;

/// A signature to check, and what follows if it holds.
pub(crate) struct ToCheck {
    pub(crate) check: SignatureCheck,
    pub(crate) unconfirmed: Option<Unconfirmed<Box<VerifiedClaims>>>,
}

/// The signatures of one request.
#[derive(Default)]
pub(crate) struct Memory {
    /// Those that the host was asked to check.
    pub(crate) checked: Vec<Checked>,
    /// What follows from those that hold.
    pub(crate) proven: Vec<VerifiedClaims>,
}

impl Memory {
    /// Whether the request may not have this signature checked (again): once by each key, and by
    /// two keys at most, because the issuer may have another one by now.
    pub(crate) fn has_asked(&self, wanted: &SignatureCheck) -> bool {
        let is_same = |check: &SignatureCheck| {
            check.signing_input == wanted.signing_input && check.signature == wanted.signature
        };
        let by = |key: &SignatureCheck| key.scheme == wanted.scheme && key.key == wanted.key;
        let same =
            || self.checked.iter().map(|checked| &checked.check).filter(|check| is_same(check));
        same().any(by) || same().count() >= MAX_KEYS_TRIED
    }

    /// Whether the platform could not check this signature because it does not have the scheme,
    /// which the token chose.
    pub(crate) fn is_unsupported(&self, wanted: &SignatureCheck) -> bool {
        self.checked.iter().any(|checked| {
            checked.is_unsupported && checked.check.signing_input == wanted.signing_input
        })
    }
}

impl super::Memory for Memory {
    fn weight(&self) -> usize {
        let checked = self.checked.iter().map(|checked| checked.check.weight());
        let proven = self.proven.iter().map(|claimed| claimed.token.len().saturating_mul(2));
        checked.chain(proven).fold(0, usize::saturating_add)
    }
}

impl Purpose for ToCheck {
    type Pending = Option<Unconfirmed<Box<VerifiedClaims>>>;
    type Memory = Memory;

    fn reason(&self) -> Reason {
        Reason::SignatureCheckUnavailable
    }

    fn begin(self, _: &RequestHead<'_>, _: &mut Context<'_>) -> Result<Begun, LookupFailure> {
        Ok((Effect::Check(self.check), Continuation::Check(self.unconfirmed)))
    }

    fn learn(
        unconfirmed: Self::Pending,
        effect: Effect,
        result: &EffectResult<'_>,
        context: &mut Context<'_>,
    ) {
        let Effect::Check(check) = effect else { return };
        let (checked, memory) = (checked(check, result), &mut context.progress.memory.signature);
        let claimed = unconfirmed.and_then(|unconfirmed| unconfirmed.given(&checked));
        memory.proven.extend(claimed.map(|claimed| *claimed));
        memory.checked.push(checked);
    }
}

/// What was to be checked, and what came of it.
pub(crate) fn checked(check: SignatureCheck, result: &EffectResult<'_>) -> Checked {
    let verdict = match result {
        EffectResult::Checked(holds) => Some(*holds),
        _ => None,
    };
    Checked { check, verdict, is_unsupported: matches!(result, EffectResult::Unsupported) }
}
