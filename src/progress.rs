//! Progress: what one request has asked for and learned, and the errand that carries it to the host and back.

use std::fmt;

use crate::budget::Share;
use crate::errand::{Checked, Copies, SignatureCheck, Work};
use crate::session::{self, Doubt};
use crate::time::UnixTime;

/// Something to do before (or after) a decision can be carried out.
///
/// An errand is handed back by value: it remembers what its request has asked for already and what it has learned, so a
/// request can neither ask twice nor be confused with another.
#[must_use = "an errand that is dropped leaves its request undecided"]
pub struct Errand {
    /// Apart, so that the decisions of requests that ask nothing stay small.
    task: Box<Task>,
}

/// What an errand consists of.
pub(crate) struct Task {
    pub(crate) work: Work,
    pub(crate) mission: Mission,
    pub(crate) progress: Progress,
}

impl Errand {
    pub(crate) fn new(work: Work, mission: Mission, progress: Progress) -> Self {
        Self { task: Box::new(Task { work, mission, progress }) }
    }

    pub(crate) fn into_task(self) -> Task {
        *self.task
    }

    /// What the host is to do.
    pub fn work(&self) -> &Work {
        &self.task.work
    }

    /// The moment after which the request no longer waits for it. A host that keeps errands may forget this one then.
    pub fn deadline(&self) -> UnixTime {
        self.task.progress.deadline
    }
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand").field("work", self.work()).finish_non_exhaustive()
    }
}

/// What the engine will do with the reply.
pub(crate) enum Mission {
    /// Put it into the key source of this number; it was for a token with this `kid`.
    Keys { source: usize, copies: Copies, kid: Option<String> },
    /// Read it as the auth service's word on the session of this token; its cookies are for this host. A renewal gives up
    /// too soon for its failure to say anything about the service.
    Session { issuer: usize, digest: [u8; 32], token: String, share: Share, host: String, is_renewal: bool },
    /// Take it for the verdict on the signature of the errand's work.
    Check,
    /// Take it for the signature over the errand's work.
    Sign,
    /// Look again.
    Wait,
}

/// What a fetch is about: a request asks at most once per subject, and once for each signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The key set of the key source with this number.
    Keys(usize, Copies),
    /// The session whose credential has this digest.
    Session([u8; 32]),
    /// The signature on the request's assertion.
    Assertion,
}

/// What one request has asked for and learned so far.
pub(crate) struct Progress {
    /// All asks of a request share this deadline.
    pub(crate) deadline: UnixTime,
    /// Subjects asked for, successfully or not.
    pub(crate) asked: Vec<Subject>,
    /// How often it has waited for another request's errand.
    pub(crate) waits: u32,
    /// Signatures that the host was asked to check.
    pub(crate) checked: Vec<Checked>,
    /// What the auth service answered to this request, by digest of the credential.
    pub(crate) answers: Vec<([u8; 32], session::Answer)>,
    /// Number and moment of the request's assertion: the same when it is looked at again.
    pub(crate) assertion: Option<([u8; 16], UnixTime)>,
    /// What the host has signed, and its signature.
    pub(crate) signed: Option<(Vec<u8>, Vec<u8>)>,
    /// The host was asked to sign and does not have the algorithm.
    pub(crate) signs_inside: bool,
    /// What the auth service had to say besides.
    pub(crate) heard: Heard,
    /// There is no time or no budget for anything more: what is known already has to do.
    pub(crate) has_given_up: bool,
}

/// What the auth service had to say besides its answers, or why it said nothing.
#[derive(Default)]
pub(crate) struct Heard {
    /// `Set-Cookie` lines for this request's client.
    pub(crate) set_cookies: Vec<String>,
    /// Names of cookies that are not passed on.
    pub(crate) dropped: Vec<String>,
    /// Why it is not known what has become of a session.
    pub(crate) doubt: Option<Doubt>,
}

impl Progress {
    /// The progress of a request that has just come in.
    pub(crate) fn new(deadline: UnixTime) -> Self {
        Self {
            deadline,
            asked: Vec::new(),
            waits: 0,
            checked: Vec::new(),
            answers: Vec::new(),
            assertion: None,
            signed: None,
            signs_inside: false,
            heard: Heard::default(),
            has_given_up: false,
        }
    }

    /// Whether this request has asked for that already.
    pub(crate) fn has_asked(&self, subject: &Subject) -> bool {
        self.asked.contains(subject)
    }

    /// Whether this request has asked for a check of this signature already. The key is left out, so that a rotation in the
    /// middle of a request does not let it ask again.
    pub(crate) fn has_asked_to_check(&self, wanted: &SignatureCheck) -> bool {
        let is_same = |check: &SignatureCheck| check.signing_input == wanted.signing_input && check.signature == wanted.signature;
        self.checked.iter().any(|checked| is_same(&checked.check))
    }

    /// What the auth service answered to this request.
    pub(crate) fn answer(&self, digest: &[u8; 32]) -> Option<&session::Answer> {
        self.answers.iter().find(|(answered, _)| answered == digest).map(|(_, answer)| answer)
    }
}
