//! What comes of effects, owned for as long as it takes until the engine is shown it.

use doorward::EffectResult;

use crate::head::borrowed;

/// An HTTP response, whatever its status.
#[derive(Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header pairs; `Set-Cookie` may repeat, one pair each.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why an effect brought no result. There are no others: the engine tells just these apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It could not be done: no connection, a time-out, an exception.
    Failed,
    /// The same of a fetch, with a code for it that the log shows, like `TIMEOUT`.
    Unreachable(&'static str),
    /// The body or value has more bytes than the effect allows.
    TooLarge,
    /// The head of the response is larger than the platform takes.
    HeadTooLarge,
    /// The platform cannot do this at all.
    Unsupported,
}

/// Errors of whatever the host is made of: `?` is enough.
impl<E: std::error::Error> From<E> for Failure {
    fn from(_: E) -> Self {
        Self::Failed
    }
}

/// What came of an effect.
pub enum OwnedResult {
    /// The HTTP response.
    Answered(Response),
    /// A cached copy, in place of a response.
    Copied(Vec<u8>),
    /// The verdict on a signature.
    Checked(bool),
    /// A signature.
    Signed(Vec<u8>),
    /// What the store has.
    Found(Vec<u8>),
    /// The store has nothing.
    Absent,
    /// The wait is over.
    Waited,
    /// There is no result.
    Missing(Failure),
}

impl OwnedResult {
    /// Shows it to the engine.
    pub fn lend<R>(&self, work: impl FnOnce(EffectResult<'_>) -> R) -> R {
        let headers = match self {
            Self::Answered(response) => borrowed(&response.headers),
            _ => Vec::new(),
        };
        work(match self {
            Self::Answered(Response { status, body, .. }) => {
                EffectResult::Answered { status: *status, headers: &headers, body }
            }
            Self::Copied(text) => EffectResult::Copied(text),
            Self::Checked(holds) => EffectResult::Checked(*holds),
            Self::Signed(signature) => EffectResult::Signed(signature),
            Self::Found(value) => EffectResult::Found(value),
            Self::Absent => EffectResult::Absent,
            Self::Waited => EffectResult::Waited,
            Self::Missing(Failure::Failed) => EffectResult::Failed,
            Self::Missing(Failure::Unreachable(code)) => EffectResult::Unreachable(code),
            Self::Missing(Failure::TooLarge) => EffectResult::TooLarge,
            Self::Missing(Failure::HeadTooLarge) => EffectResult::HeadTooLarge,
            Self::Missing(Failure::Unsupported) => EffectResult::Unsupported,
        })
    }
}

impl From<Failure> for OwnedResult {
    fn from(failure: Failure) -> Self {
        Self::Missing(failure)
    }
}
