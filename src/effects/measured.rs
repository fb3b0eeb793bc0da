//! What is counted of effects: what each was for, and what came of it.

use crate::better_auth::session_record::LookupFailure;
use crate::effect::{Effect, EffectResult};
use crate::metrics::{Family, Series};

use super::learned::Learned;
use super::state::EffectState;

/// The code for a time-out, by every host.
const TIMEOUT: &str = "TIMEOUT";

/// What is remembered of an effect until its result has been learned.
pub(super) struct Measured {
    purpose: &'static str,
    may_be_copied: bool,
    had_failed: bool,
}

impl Measured {
    /// Nothing where the host does not want to know, and of waits.
    pub(super) fn of(
        purpose: &'static str,
        effect: &Effect,
        (state, learned): (&EffectState, &mut Learned),
    ) -> Option<Self> {
        state.counters.as_ref()?;
        let may_be_copied = match effect {
            Effect::Wait { .. } => return None,
            Effect::Fetch(fetch) => fetch.copy.is_some(),
            _ => false,
        };
        learned.is_odd = false;
        Some(Self { purpose, may_be_copied, had_failed: has_failed(learned) })
    }

    /// Counts it, now that its result has been learned.
    #[inline(never)]
    pub(super) fn count(
        self,
        result: &EffectResult<'_>,
        state: &mut EffectState,
        learned: &Learned,
    ) {
        let is_odd = learned.is_odd || !self.had_failed && has_failed(learned);
        let outcome = match result {
            EffectResult::Answered { status: 200, .. } | EffectResult::Found(_) if is_odd => "body",
            EffectResult::Answered { status: 200, .. }
            | EffectResult::Found(_)
            | EffectResult::Absent
            | EffectResult::Checked(_)
            | EffectResult::Signed(_)
            | EffectResult::Waited => "ok",
            EffectResult::Answered { status: 300..=399, .. } => "redirect",
            EffectResult::Answered { .. } => "status",
            EffectResult::Copied(_) => "copy",
            EffectResult::TooLarge | EffectResult::HeadTooLarge => "too_large",
            EffectResult::Unreachable(TIMEOUT) => "timeout",
            EffectResult::Failed | EffectResult::Unreachable(_) => "network",
            EffectResult::Unsupported => "unsupported",
        };
        state.count(|| Series::words(Family::Effects, [self.purpose, outcome]));
        if self.may_be_copied {
            let result = if outcome == "copy" { "hit" } else { "miss" };
            state.count(|| Series::words(Family::CacheLookups, ["shared", result]));
        }
    }
}

/// Counts an effect that does not begin, because the gate asks for too much already.
pub(super) fn not_begun(purpose: &'static str, failure: LookupFailure, state: &mut EffectState) {
    if failure == LookupFailure::OutOfBudget {
        state.count(|| Series::words(Family::Effects, [purpose, "limit"]));
    }
}

fn has_failed(learned: &Learned) -> bool {
    learned.failure.is_some() || learned.deny_list.is_some()
}
