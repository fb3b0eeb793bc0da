//! The engine: the order of the rooms, and nothing of what happens inside them.

use crate::decision::{Answer, Decision};
use crate::errand::{Errand, Reply};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::RequestHead;
use crate::time::UnixTime;

/// Answers one question: given this request, what we know, and this moment, what should the host do next?
pub struct Engine {
    policy: Policy,
}

impl Engine {
    /// An engine for a policy. `seed` is any random number: it spreads retries and ids, never security.
    pub fn new(policy: Policy, _seed: u64) -> Self {
        Self { policy }
    }

    /// Decides on a request at this moment.
    pub fn decide(&mut self, _request: &RequestHead<'_>, _now: UnixTime) -> Decision {
        let _ = &self.policy;
        Decision::Reject(Answer {
            reason: Reason::NotStarted,
            status: 503,
            headers: Vec::new(),
            body: String::new(),
            log: None,
        })
    }

    /// Goes on with a request after its errand.
    pub fn resume(&mut self, request: &RequestHead<'_>, _errand: Errand, _reply: Reply<'_>, now: UnixTime) -> Decision {
        self.decide(request, now)
    }

    /// Takes the answer to an errand that was carried after the response.
    pub fn receive(&mut self, _errand: Errand, _reply: Reply<'_>, _now: UnixTime) {}
}
