//! Progress: what one request has asked for and learned, and the effect that carries it to the host
//! and back.

use std::fmt;

use serde::Serialize;

use crate::better_auth::session_record::{self, LookupFailure};
use crate::cache::rate_limit::Payer;
use crate::cache::session_events::{Moment, Number, SessionName, SessionTrust, Since};
use crate::cache::shared::CacheUse;
use crate::cache::verified::VerifiedClaims;
use crate::effect::Effect;
use crate::effects::missing::SessionQuery;
use crate::jose::jwk::LeftOut;
use crate::jose::platform::{Checked, SignatureCheck};
use crate::jose::verify::Unconfirmed;
use crate::reason::Reason;
use crate::time::{Seconds, UnixTime};

/// With less time left an ask is not begun.
pub(crate) const LEAST_ASK_MILLIS: i64 = 50;
/// What an effect weighs of which there is nothing to say.
const EMPTY_ERRAND_BYTES: usize = 1024;
/// The key that was there, and the one in its place.
const MAX_KEYS_TRIED: usize = 2;

/// Something to do before (or after) a decision can be carried out.
///
/// An effect is handed back by value: it remembers what its request has asked for already and what
/// it has learned, so a request can neither ask twice nor be confused with another.
#[must_use = "an effect that is dropped leaves its request undecided"]
pub struct PendingEffect {
    /// Apart, so that the decisions of requests that ask nothing stay small.
    task: Box<PendingParts>,
}

/// What an effect consists of.
pub(crate) struct PendingParts {
    pub(crate) effect: Effect,
    pub(crate) continuation: Continuation,
    pub(crate) progress: RequestProgress,
}

impl PendingEffect {
    pub(crate) fn new(
        effect: Effect,
        continuation: Continuation,
        progress: RequestProgress,
    ) -> Self {
        Self { task: Box::new(PendingParts { effect, continuation, progress }) }
    }

    pub(crate) fn into_parts(self) -> PendingParts {
        *self.task
    }

    /// The same, and the origin's response is looked at when it is there.
    pub(crate) fn watching(mut self, watch: Watch) -> Self {
        self.task.progress.watch = watch;
        self
    }

    /// What the host is to do.
    pub fn effect(&self) -> &Effect {
        &self.task.effect
    }

    /// About how many bytes it keeps in memory, with all that its request has learned. Whoever
    /// keeps many effects bounds their sum: how much each is, a client chooses with what it sends.
    pub fn weight(&self) -> usize {
        EMPTY_ERRAND_BYTES
            .saturating_add(self.task.effect.weight())
            .saturating_add(self.task.progress.weight())
    }

    /// The moment after which the request no longer waits for it. A host that keeps effects may
    /// forget this one then.
    pub fn deadline(&self) -> UnixTime {
        self.task.progress.deadline
    }
}

impl fmt::Debug for PendingEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingEffect").field("effect", self.effect()).finish_non_exhaustive()
    }
}

/// What the engine will do with the reply.
pub(crate) enum Continuation {
    /// Put it into the key source of this number; it was for a token with this `kid`.
    Keys { source: usize, kid: Option<String> },
    /// Read it as the auth service's word on the session of this token. A renewal gives up too soon
    /// for its failure to say anything about the service.
    Session {
        issuer: usize,
        digest: [u8; 32],
        session: SessionName,
        since: Since,
        asked: Moment,
        token: String,
        copies_up_to: Seconds,
        payer: Payer,
        cookies: CookiesFor,
        is_renewal: bool,
        query: SessionQuery,
    },
    /// Read it as a token for the bridge, for this session and this audience.
    Token {
        issuer: usize,
        place: ([u8; 32], [u8; 32]),
        session: SessionName,
        asked: Moment,
        payer: Payer,
        cookies: CookiesFor,
    },
    /// See what the origin's response means for the sessions of its request ([`Watch`]).
    Watch,
    /// Read it as the list of what has been revoked, as it was when it was asked for.
    DenyList { asked: UnixTime },
    /// Read it as what a storage has under this session token; or, where a user is named, since
    /// when that user's sessions count.
    Storage {
        issuer: usize,
        digest: [u8; 32],
        session: SessionName,
        asked: Moment,
        token: String,
        user: Option<String>,
    },
    /// Take it for the verdict on the signature of the effect's work, from which this would follow.
    Check(Option<Unconfirmed<Box<VerifiedClaims>>>),
    /// Take it for the signature over the effect's work.
    Sign,
    /// Look again.
    Wait,
}

/// For whom the cookies are that come with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CookiesFor {
    /// For the browser on this host, which has sent the session's cookies.
    Host(String),
    /// For nobody: who has sent the session in a header has no use for cookies, and they would be a
    /// second credential beside it.
    Nobody,
}

/// A session that a request brings along, and that its response may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PresentedSession {
    pub(crate) issuer: usize,
    pub(crate) session: SessionName,
    /// Its credentials, under which something may be remembered.
    pub(crate) digests: Vec<[u8; 32]>,
    pub(crate) standing: SessionTrust,
    /// Whether the request goes to the service itself and is not safe: then it may change the
    /// session, whatever its response sets.
    pub(crate) is_for_service: bool,
    /// Whether a cookie names it.
    pub(crate) is_cookie: bool,
}

/// What the origin's response will be looked at for.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) presented: Vec<PresentedSession>,
    /// Of which sessions cookies are waiting for the response, and what had happened last when they
    /// were heard of.
    pub(crate) cookies_of: Vec<(SessionName, Number)>,
    /// Scheme, host and port of the site.
    pub(crate) public_origin: String,
}

impl Watch {
    /// Whether there is nothing to look at.
    pub(crate) const fn is_idle(&self) -> bool {
        self.presented.is_empty() && self.cookies_of.is_empty()
    }
}

/// What an effect is about: a request asks at most once per subject, and twice for each signature
/// and for the assertion; and once more about a session to which something has happened meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EffectKey {
    /// The key set of the key source with this number.
    Keys(usize, CacheUse),
    /// The session whose credential has this digest.
    Session([u8; 32]),
    /// A token for the request's session.
    Token,
    /// The same, where another instance's word would do.
    SessionCopy([u8; 32]),
    /// What the storage has under the session token with this digest, and then about its user.
    Storage([u8; 32], Stored),
    /// The list of what has been revoked.
    DenyList(CacheUse),
    /// The signature on the request's assertion.
    Assertion,
}

/// The two things that are read of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// The session.
    Session,
    /// Since when the user's sessions count.
    RevokedBefore,
}

/// What one request has asked for and learned so far.
pub(crate) struct RequestProgress {
    /// When the request came in: what has been asked since then is asked for it too.
    pub(crate) arrival: Moment,
    /// All asks of a request share this deadline.
    pub(crate) deadline: UnixTime,
    /// Subjects asked for, successfully or not.
    pub(crate) asked: Vec<EffectKey>,
    /// Those that have been asked for once more.
    asked_again: Vec<EffectKey>,
    /// How often it has waited: for another request's effect, or for its turn to ask.
    pub(crate) waits: u32,
    /// Whether it waits for its turn to ask.
    pub(crate) is_short_of_asks: bool,
    /// Signatures that the host was asked to check.
    pub(crate) checked: Vec<Checked>,
    /// What follows from those that hold.
    pub(crate) proven: Vec<VerifiedClaims>,
    /// What the auth service answered to this request.
    pub(crate) answers: Vec<Answered>,
    /// The token that the auth service gave to this request, or why it did not. Nothing about it is
    /// verified.
    pub(crate) fetched: Option<FetchedToken>,
    /// Sessions that a storage has, by digest of the credential, and when it was asked: they count
    /// once it is known that none of them is revoked.
    pub(crate) stored: Vec<([u8; 32], session_record::Session, Moment)>,
    /// Number and moment of the request's assertion: the same when it is looked at again.
    pub(crate) assertion: Option<([u8; 16], UnixTime)>,
    /// What the host has signed, and its signature.
    pub(crate) signed: Option<(Vec<u8>, Vec<u8>)>,
    /// The host was asked to sign and does not have the algorithm.
    pub(crate) signs_inside: bool,
    /// What the auth service had to say besides.
    pub(crate) learned: Learned,
    /// There is no time or no budget for anything more: what is known already has to do.
    pub(crate) has_given_up: bool,
    /// What is looked at when the origin's response is there.
    pub(crate) watch: Watch,
}

/// An answer to this request about the session of a credential.
pub(crate) struct Answered {
    pub(crate) digest: [u8; 32],
    pub(crate) session: SessionName,
    pub(crate) answer: session_record::SessionState,
    pub(crate) asked: Moment,
}

/// A token that was given to this request, or why none was.
pub(crate) struct FetchedToken {
    pub(crate) token: Result<String, LookupFailure>,
    pub(crate) session: SessionName,
    pub(crate) asked: Moment,
}

/// What the auth service had to say besides its answers, or why it said nothing.
#[derive(Default)]
pub(crate) struct Learned {
    /// `Set-Cookie` lines for this request's client.
    pub(crate) set_cookies: Vec<String>,
    /// Of which sessions they are, and what had happened last when they were heard of.
    pub(crate) cookies_of: Vec<(SessionName, Number)>,
    /// Names of cookies that are not passed on.
    pub(crate) dropped: Vec<String>,
    /// Why it is not known what has become of a session.
    pub(crate) failure: Option<LookupFailure>,
    /// What is wrong with the token that it gave.
    pub(crate) cause: Option<Reason>,
    /// Why there is no newer list of what has been revoked.
    pub(crate) deny_list: Option<LookupFailure>,
    /// What is to be seen of a token that was refused.
    pub(crate) noted: Option<Box<Noted>>,
    /// Who has said that the session has ended, and how.
    pub(crate) end: Option<Box<End>>,
    /// Whether the request's own `session_data` is by the configured secret.
    pub(crate) has_own_data: bool,
    /// What may be behind an answer that says nothing.
    pub(crate) hint: Option<&'static str>,
}

/// The auth service's word that a session has ended.
pub(crate) struct End {
    /// Where it was asked.
    pub(crate) url: String,
    /// Whether it has deleted the session's cookies: then it has recognised them.
    pub(crate) has_deleted_cookies: bool,
}

/// What the log says of a token that was refused, beside the reason. Bounded and escaped: whoever
/// sent it may have made it all up.
#[derive(Default)]
pub(crate) struct Noted {
    /// Keys of the issuer's set that are not used, and by which rule.
    pub(crate) left_out: Vec<LeftOut>,
    /// An `iss` that is nobody's, beside the one that it is most like.
    pub(crate) iss: Option<NearMiss>,
}

/// What a token has said, and what would have been right.
#[derive(Serialize)]
pub(crate) struct NearMiss {
    /// In what the two differ; nothing where in more than one thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) differs_in: Option<&'static str>,
    /// As it is configured; nothing where nobody is near.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<String>,
    /// As it came, shortened and escaped.
    pub(crate) unverified: String,
}

impl RequestProgress {
    /// The progress of a request that has come in at this moment, and may take so long.
    pub(crate) fn new(arrival: Moment, patience_millis: i64) -> Self {
        Self {
            arrival,
            deadline: arrival.at.plus_millis(patience_millis),
            asked: Vec::new(),
            asked_again: Vec::new(),
            waits: 0,
            is_short_of_asks: false,
            checked: Vec::new(),
            proven: Vec::new(),
            answers: Vec::new(),
            fetched: None,
            stored: Vec::new(),
            assertion: None,
            signed: None,
            signs_inside: false,
            learned: Learned::default(),
            has_given_up: false,
            watch: Watch::default(),
        }
    }

    /// About how many bytes it keeps in memory.
    fn weight(&self) -> usize {
        let answers = self.answers.iter().map(|answered| match &answered.answer {
            session_record::SessionState::Active(session) => session.weight(),
            session_record::SessionState::Ended => 0,
        });
        let stored = self.stored.iter().map(|(_, session, _)| session.weight());
        let checked = self.checked.iter().map(|checked| checked.check.weight());
        let proven = self.proven.iter().map(|claimed| claimed.token.len().saturating_mul(2));
        let fetched =
            self.fetched.iter().filter_map(|fetched| fetched.token.as_ref().ok()).map(String::len);
        let signed = self
            .signed
            .iter()
            .map(|(input, signature)| input.len().saturating_add(signature.len()));
        let cookies = self.learned.set_cookies.iter().map(String::len);
        let all = answers
            .chain(stored)
            .chain(checked)
            .chain(proven)
            .chain(fetched)
            .chain(signed)
            .chain(cookies);
        all.fold(0, usize::saturating_add)
    }

    /// Whether what has failed now had less than its usual time, because this request had to wait
    /// for others.
    pub(crate) fn was_kept_waiting(&self, now: UnixTime) -> bool {
        self.waits > 0 && self.deadline.millis_since(now) < LEAST_ASK_MILLIS
    }

    /// Whether all that it lacks is its own turn: others were before it, and did not come back in
    /// time.
    pub(crate) fn has_waited_in_vain(&self) -> bool {
        matches!(
            self.learned.failure,
            Some(LookupFailure::KeptWaiting | LookupFailure::OutOfBudget)
        )
    }

    /// Whether this request has asked for that already.
    pub(crate) fn has_asked(&self, subject: &EffectKey) -> bool {
        self.asked.contains(subject)
    }

    /// Whether the platform could not check this signature for want of the algorithm, which the
    /// token chose.
    pub(crate) fn is_unsupported(&self, wanted: &SignatureCheck) -> bool {
        self.checked.iter().any(|checked| {
            checked.is_unsupported && checked.check.signing_input == wanted.signing_input
        })
    }

    /// What was said about this does not count any more: it may be asked for again, once. Whether
    /// it may.
    pub(crate) fn may_ask_again(&mut self, subject: EffectKey) -> bool {
        if self.asked_again.contains(&subject) {
            return false;
        }
        self.asked.retain(|asked| *asked != subject);
        self.asked_again.push(subject);
        true
    }

    /// Whether this request may not have this signature checked (again): once by each key, and by
    /// two keys at most, because the issuer may have another one by now.
    pub(crate) fn has_asked_to_check(&self, wanted: &SignatureCheck) -> bool {
        let is_same = |check: &SignatureCheck| {
            check.signing_input == wanted.signing_input && check.signature == wanted.signature
        };
        let by = |key: &SignatureCheck| key.algorithm == wanted.algorithm && key.key == wanted.key;
        let same =
            || self.checked.iter().map(|checked| &checked.check).filter(|check| is_same(check));
        same().any(by) || same().count() >= MAX_KEYS_TRIED
    }

    /// What a storage has for this credential.
    pub(crate) fn stored(&self, digest: &[u8; 32]) -> Option<&session_record::Session> {
        self.stored.iter().find(|(stored, ..)| stored == digest).map(|(_, session, _)| session)
    }

    /// Whether the host may be asked to sign: once, and once more if it has signed what is no
    /// longer the last that is known of the session. The cookie cache may have run out meanwhile,
    /// or another request may have heard of it.
    pub(crate) fn may_ask_to_sign(&self) -> bool {
        match self.asked.iter().filter(|subject| **subject == EffectKey::Assertion).count() {
            0 => true,
            1 => self.signed.is_some(),
            _ => false,
        }
    }

    /// What was answered to this request last: the auth service's word comes after its storage's.
    pub(crate) fn answer(&self, digest: &[u8; 32]) -> Option<&session_record::SessionState> {
        self.answers
            .iter()
            .rfind(|answered| answered.digest == *digest)
            .map(|answered| &answered.answer)
    }
}
