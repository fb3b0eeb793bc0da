//! Carries errands: does what one describes and comes back with the answer or the failure.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use doorward::{Errand, Reply, Work};
use worker::Delay;

use crate::check::{check, sign};
use crate::fetch_errand::fetch;
use crate::head::borrowed;
use crate::stores::read;

/// What came of an errand, owned.
pub(crate) enum Carried {
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

impl Carried {
    /// Shows it to the engine.
    pub(crate) fn lend<R>(&self, work: impl FnOnce(Reply<'_>) -> R) -> R {
        match self {
            Self::Answered { status, headers, body } => {
                work(Reply::Answered { status: *status, headers: &borrowed(headers), body })
            }
            Self::Copied(text) => work(Reply::Copied(text)),
            Self::Checked(holds) => work(Reply::Checked(*holds)),
            Self::Signed(signature) => work(Reply::Signed(signature)),
            Self::Found(value) => work(Reply::Found(value)),
            Self::Absent => work(Reply::Absent),
            Self::Waited => work(Reply::Waited),
            Self::TooLarge => work(Reply::TooLarge),
            #[cfg(feature = "conformance")]
            Self::HeadTooLarge => work(Reply::HeadTooLarge),
            Self::Failed => work(Reply::Failed),
            Self::Unsupported => work(Reply::Unsupported),
        }
    }
}

/// Carries one errand.
pub(crate) async fn carry(errand: &Errand) -> Carried {
    #[cfg(feature = "conformance")]
    if let Some(carried) = crate::conformance::carried(errand) {
        return carried;
    }
    match errand.work() {
        Work::Fetch(errand) => fetch(errand).await,
        Work::Check(errand) => check(errand).await,
        Work::Sign(errand) => sign(errand).await,
        Work::Read(errand) => read(errand).await,
        Work::Wait { millis } => {
            delay(*millis).await;
            Carried::Waited
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
