//! A request's body on its way to the origin: as it comes, counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// What is sent to an origin or an auth service.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Nothing.
    Empty,
    /// A client's body.
    Client(Counted),
}

/// How much of a body has come.
#[derive(Debug, Default)]
pub(crate) struct Progress(AtomicU64);

impl Progress {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A client's body, which breaks off where it is larger than it may be.
#[derive(Debug)]
pub(crate) struct Counted {
    body: Incoming,
    limit: u64,
    progress: Arc<Progress>,
}

impl Counted {
    pub(crate) const fn new(body: Incoming, limit: u64, progress: Arc<Progress>) -> Self {
        Self { body, limit, progress }
    }
}

/// Why a body ends early.
pub(crate) type Problem = Box<dyn std::error::Error + Send + Sync>;

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Problem;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Problem>>> {
        let Self::Client(Counted { body, limit, progress }) = self.get_mut() else {
            return Poll::Ready(None);
        };
        let frame = match ready!(Pin::new(body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => return Poll::Ready(None),
        };
        let length = frame.data_ref().map_or(0, |data| data.remaining());
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let so_far = progress.0.fetch_add(length, Ordering::Relaxed).saturating_add(length);
        Poll::Ready(Some(match so_far > *limit {
            true => Err("the body is too large".into()),
            false => Ok(frame),
        }))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Client(counted) => counted.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Client(counted) => counted.body.size_hint(),
        }
    }
}
