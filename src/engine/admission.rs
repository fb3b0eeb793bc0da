//! Whether a request goes on: what the steps of a decision hand on to each other.

use std::sync::Arc;

use crate::authn::Deferred;
use crate::authn::credential::Credential;
use crate::authn::identity_basis::IdentityBasis;
use crate::better_auth::session_record::CausedBy;
use crate::cache::verified::Identity;
use crate::effects::Missing;
use crate::effects::learned::Learned;
use crate::forward::header_edits::Authorization;
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::metrics::Tally;
use crate::policy::auth_service::AuthService;
use crate::policy::rules::{Access, MatchedRules, Rule};
use crate::reason::Reason;
use crate::time::UnixTime;

/// A request whose path and rules are known, at this moment.
#[derive(Clone, Copy)]
pub(super) struct Routed<'r> {
    pub(super) head: &'r RequestHead<'r>,
    pub(super) path: &'r Path<'r>,
    pub(super) rules: &'r MatchedRules,
    pub(super) now: UnixTime,
}

/// Why a request is not forwarded (yet).
pub(super) enum NotAdmitted {
    /// Something has to be looked up first; and what becomes of the request if that is impossible.
    Missing(Missing, Otherwise),
    Refuse(Reason),
    /// It cannot be known, because a lookup has failed.
    Unavailable(Reason),
    /// The session of this service's cookie has ended, says the auth service or the deny-list: its
    /// cookies are cleared.
    SignOut(Reason, Arc<AuthService>),
}

/// A request that is forwarded.
#[derive(Default)]
pub(super) struct Admitted {
    pub(super) identity: Option<Identity>,
    /// What the identity rests on, where a token exchange needs to know it.
    pub(super) basis: Option<IdentityBasis>,
    pub(super) deferred: Deferred,
    /// The reason of a refusal that is not enforced, and why not: then it is forwarded anonymously.
    pub(super) in_spite_of: Option<(Reason, Leniency)>,
}

/// What the origin is told besides who it is.
pub(super) struct OriginContext {
    pub(super) assertion: Option<String>,
    pub(super) authorization: Authorization,
}

/// What was learned of a request, as far as it is counted.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) tally: Tally,
    pub(super) rule: Option<Arc<Rule>>,
    pub(super) issuer: Option<usize>,
}

impl Counted {
    pub(super) fn of(learned: &mut Learned) -> Self {
        let tally = std::mem::take(&mut learned.tally);
        Self { tally, rule: learned.rule.clone(), issuer: learned.issuer }
    }
}

/// Why a refusal is not enforced, as the log says it.
pub(super) type Leniency = &'static str;

/// What becomes of a request that cannot be decided, by who has caused that.
#[derive(Clone, Copy, Default)]
pub(super) struct Otherwise {
    partner: Option<Leniency>,
    gate: Option<Leniency>,
}

impl NotAdmitted {
    /// Whose doing it is.
    pub(super) const fn caused_by(&self) -> CausedBy {
        match self {
            Self::Unavailable(_) => CausedBy::Partner,
            Self::Refuse(_) | Self::SignOut(..) | Self::Missing(..) => CausedBy::Caller,
        }
    }
}

impl Otherwise {
    pub(super) fn of(leniency: impl Fn(CausedBy) -> Option<Leniency>) -> Self {
        Self { partner: leniency(CausedBy::Partner), gate: leniency(CausedBy::Gate) }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { partner: self.partner.and(other.partner), gate: self.gate.and(other.gate) }
    }

    pub(super) fn by(self, caused_by: CausedBy) -> Option<Leniency> {
        if caused_by == CausedBy::Partner { self.partner } else { self.gate }
    }
}

/// Why a bad credential stops its request. Only the auth service and the operator can say that a
/// session is over, and only of its own cookie: a bearer token that has ended says nothing about
/// the cookies beside it.
pub(super) fn refuse_or_sign_out(reason: Reason, credential: &Credential<'_>) -> NotAdmitted {
    match (reason, credential) {
        (
            Reason::SessionEnded | Reason::SessionExpired | Reason::SessionRevoked,
            Credential::SessionCookie { service, .. },
        ) => NotAdmitted::SignOut(reason, Arc::clone(service)),
        _ => NotAdmitted::Refuse(reason),
    }
}

/// Why this rule does not enforce this refusal. A lookup failure that the caller can bring about
/// never lets a request pass that needs an identity: only if others have failed is it forwarded
/// anonymously. A rule that admits anonymous requests anyway gains nothing by it.
pub(super) fn leniency(
    rule: &Rule,
    reason: Reason,
    caused_by: CausedBy,
    now: UnixTime,
) -> Option<Leniency> {
    match rule.report_until {
        Some(until) if now < until => Some("report"),
        _ if !rule.passes_unavailable || reason.status() != 503 => None,
        _ if caused_by == CausedBy::Partner || rule.access == Access::Optional => Some("anonymous"),
        _ => None,
    }
}
