//! What a suite brings in place of the clock and the network, and what it hears.

use doorward::{Effect, Finish, UnixTime};
use doorward_host::{FinalDecision, OwnedHead, OwnedResult};

/// A vector as it is played.
pub trait Script: Send + Sync {
    /// The clock.
    fn now(&self) -> UnixTime;
    /// What comes of an effect; nothing: it is performed for real.
    fn perform(&self, effect: &Effect) -> Option<OwnedResult>;
    /// Hears a line of the log.
    fn log(&self, line: &str);
    /// Hears a decision.
    fn decided(&self, head: &OwnedHead, decision: &FinalDecision);
    /// Hears what finishes a response.
    fn finished(&self, finish: &Finish);
}
