//! Waiting: for what another request is asking for, for a turn to ask, for the origin's response.

use crate::better_auth::session_record::LookupFailure;
use crate::cache::rate_limit::{RateClass, RateKey};
use crate::cache::session_events::Moment;
use crate::effect::{Effect, EffectResult};
use crate::http::request::RequestHead;
use crate::reason::Reason;
use crate::time::UnixTime;

use super::pending::PendingEffect;
use super::{Begun, Context, Continuation, Purpose, RequestProgress};

/// The first wait for another request's effect; each further one is twice as long.
const FIRST_WAIT_MILLIS: u32 = 10;
/// Up to this.
const LONGEST_WAIT_MILLIS: u32 = 160;
/// The budget divided by the longest wait, and some: a clock that steps back must not let a request
/// wait for ever.
const MAX_WAITS: u32 = 40;
/// An origin that takes longer to answer is not heard any more.
const WATCH_MILLIS: i64 = 5000;

/// What another request is asking for; without an answer in time, this is the reason.
pub(crate) struct Wait(pub(crate) Reason);

/// How a request has waited.
#[derive(Default)]
pub(crate) struct Memory {
    /// How often: for another request's effect, or for its turn to ask.
    pub(crate) times: u32,
    /// Whether it waits for its turn to ask.
    pub(super) is_for_turn: bool,
}

impl super::Memory for Memory {}

impl Purpose for Wait {
    type Pending = ();
    type Memory = Memory;

    fn reason(&self) -> Reason {
        self.0
    }

    fn begin(self, _: &RequestHead<'_>, context: &mut Context<'_>) -> Result<Begun, LookupFailure> {
        if context.progress.memory.wait.times < MAX_WAITS {
            Ok(pause(context.progress))
        } else {
            Err(context.progress.run_out_of_time())
        }
    }

    fn learn((): (), _: Effect, _: &EffectResult<'_>, _: &mut Context<'_>) {}
}

/// Takes a request to the auth service from the limit. Where there is none left, what the request
/// does instead: it waits, or it has failed.
///
/// A user for whom there is none left waits for the next: whoever comes meanwhile and asks the same
/// asks together with this request. Unverified credentials do not wait: a flood of them would be
/// kept as long as it lasts.
pub(super) fn without_turn(
    rate_key: &RateKey,
    context: &mut Context<'_>,
) -> Option<Result<Begun, LookupFailure>> {
    let waits = &mut context.progress.memory.wait;
    let may_ask = match waits.is_for_turn {
        true => context.state.rate_limit.draw_after_wait(rate_key, context.now),
        false => context.state.rate_limit.draw(rate_key, context.now),
    };
    waits.is_for_turn &= !may_ask;
    if may_ask {
        return None;
    }
    if rate_key.class == RateClass::Known && waits.times < MAX_WAITS {
        waits.is_for_turn = true;
        return Some(Ok(pause(context.progress)));
    }
    context.progress.learned.failure = Some(LookupFailure::OutOfBudget);
    Some(Err(LookupFailure::OutOfBudget))
}

/// Goes on at once.
pub(super) const fn not_at_all() -> Begun {
    (Effect::Wait { millis: 0 }, Continuation::Wait(()))
}

/// An effect that says what the response of the origin sets. It has nothing to do but to wait for
/// that.
pub(crate) fn for_response(arrival: Moment, now: UnixTime) -> PendingEffect {
    let arrival = Moment { at: now, ..arrival };
    PendingEffect::new(not_at_all(), RequestProgress::new(arrival, WATCH_MILLIS))
}

fn pause(progress: &mut RequestProgress) -> Begun {
    let waits = &mut progress.memory.wait;
    let millis = FIRST_WAIT_MILLIS
        .checked_shl(waits.times)
        .unwrap_or(LONGEST_WAIT_MILLIS)
        .clamp(FIRST_WAIT_MILLIS, LONGEST_WAIT_MILLIS);
    waits.times = waits.times.saturating_add(1);
    (Effect::Wait { millis }, Continuation::Wait(()))
}
