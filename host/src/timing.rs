//! Two futures at once, without an executor.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// The work's result, or nothing if the alarm comes first: then the work is dropped.
pub(crate) async fn within<T>(
    alarm: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> Option<T> {
    let (mut alarm, mut work) = (pin!(alarm), pin!(work));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => alarm.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Waits for both at once, or until the first has failed.
pub(crate) async fn both<R, E, T>(
    first: impl Future<Output = Result<R, E>>,
    second: impl Future<Output = T>,
) -> Result<(R, T), E> {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut response, mut result) = (None, None);
    poll_fn(|context| {
        if response.is_none()
            && let Poll::Ready(outcome) = first.as_mut().poll(context)?
        {
            response = Some(outcome);
        }
        if result.is_none()
            && let Poll::Ready(outcome) = second.as_mut().poll(context)
        {
            result = Some(outcome);
        }
        match (response.take(), result.take()) {
            (Some(response), Some(result)) => Poll::Ready(Ok((response, result))),
            unfinished => {
                (response, result) = unfinished;
                Poll::Pending
            }
        }
    })
    .await
}
