//! The handle that a host gives back with the result of an effect.

use std::fmt;

use crate::effect::Effect;
use crate::encoding::members::Members;
use crate::time::UnixTime;

use super::watch::Watch;
use super::{Begun, Continuation, RequestProgress};

/// What an effect weighs of which there is nothing to say.
const EMPTY_PENDING_BYTES: usize = 1024;

/// Something to do before (or after) a decision is acted on.
///
/// An effect is handed back by value: it remembers what its request has asked for already and what
/// it has learned, so a request can neither ask twice nor be confused with another.
#[must_use = "an effect that is dropped leaves its request undecided"]
pub struct PendingEffect {
    /// Apart, so that the decisions of requests that ask nothing stay small.
    parts: Box<PendingParts>,
}

/// What an effect consists of.
pub(crate) struct PendingParts {
    pub(crate) effect: Effect,
    pub(crate) continuation: Continuation,
    pub(crate) progress: RequestProgress,
}

impl PendingEffect {
    pub(crate) fn new((effect, continuation): Begun, progress: RequestProgress) -> Self {
        Self { parts: Box::new(PendingParts { effect, continuation, progress }) }
    }

    pub(crate) fn into_parts(self) -> PendingParts {
        *self.parts
    }

    /// The same, and the origin's response is looked at when it is there.
    pub(crate) fn watching(mut self, watch: Watch) -> Self {
        self.parts.progress.watch = watch;
        self
    }

    /// Which request has brought it about, for the log.
    pub(crate) fn of_request(mut self, request: Box<Members>) -> Self {
        self.parts.progress.learned.request = Some(request);
        self
    }

    /// What the host is to do.
    pub fn effect(&self) -> &Effect {
        &self.parts.effect
    }

    /// About how many bytes it keeps in memory, with all that its request has learned. Whoever
    /// keeps many effects bounds their sum: how much each is, a client chooses with what it sends.
    pub fn weight(&self) -> usize {
        EMPTY_PENDING_BYTES
            .saturating_add(self.parts.effect.weight())
            .saturating_add(self.parts.progress.weight())
    }

    /// The moment after which the request no longer waits for it. A host that keeps effects may
    /// forget this one then.
    pub fn deadline(&self) -> UnixTime {
        self.parts.progress.deadline
    }
}

impl fmt::Debug for PendingEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingEffect").field("effect", self.effect()).finish_non_exhaustive()
    }
}
