//! Carries effects: does what one describes and comes back with the answer or the failure.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use doorward::{Effect, EffectResult, PendingEffect};
use worker::Delay;

use crate::check::{check, sign};
use crate::fetch_effect::fetch;
use crate::head::borrowed;
use crate::stores::read;

/// What came of an effect, owned.
pub(crate) enum Performed {
    Answered {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    Copied(Vec<u8>),
    Checked(bool),
    Signed(Vec<u8>),
    Found(Vec<u8>),
    Absent,
    Waited,
    TooLarge,
    /// This platform takes heads of any size that the gate does; a vector may bring one that is
    /// larger.
    #[cfg(feature = "conformance")]
    HeadTooLarge,
    Failed,
    Unsupported,
}

impl Performed {
    /// Shows it to the engine.
    pub(crate) fn lend<R>(&self, work: impl FnOnce(EffectResult<'_>) -> R) -> R {
        match self {
            Self::Answered { status, headers, body } => {
                work(EffectResult::Answered { status: *status, headers: &borrowed(headers), body })
            }
            Self::Copied(text) => work(EffectResult::Copied(text)),
            Self::Checked(holds) => work(EffectResult::Checked(*holds)),
            Self::Signed(signature) => work(EffectResult::Signed(signature)),
            Self::Found(value) => work(EffectResult::Found(value)),
            Self::Absent => work(EffectResult::Absent),
            Self::Waited => work(EffectResult::Waited),
            Self::TooLarge => work(EffectResult::TooLarge),
            #[cfg(feature = "conformance")]
            Self::HeadTooLarge => work(EffectResult::HeadTooLarge),
            Self::Failed => work(EffectResult::Failed),
            Self::Unsupported => work(EffectResult::Unsupported),
        }
    }
}

/// Carries one effect.
pub(crate) async fn perform(pending: &PendingEffect) -> Performed {
    #[cfg(feature = "conformance")]
    if let Some(performed) = crate::conformance::performed(pending) {
        return performed;
    }
    match pending.effect() {
        Effect::Fetch(pending) => fetch(pending).await,
        Effect::Check(pending) => check(pending).await,
        Effect::Sign(pending) => sign(pending).await,
        Effect::Read(pending) => read(pending).await,
        Effect::Wait { millis } => {
            delay(*millis).await;
            Performed::Waited
        }
    }
}

/// The work's result, or nothing if it takes longer than this.
pub(crate) async fn within<T>(millis: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut alarm = pin!(delay(millis));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => alarm.as_mut().poll(context).map(|()| None),
    })
    .await
}

fn delay(millis: u32) -> Delay {
    Delay::from(Duration::from_millis(millis.into()))
}
