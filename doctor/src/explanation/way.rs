//! The steps of a request's way through the gate, in order, and which of them a reason belongs to.

use doorward::Reason;
use serde_json::{Value, json};

/// A step: its name, and the question that it answers.
type Step = (&'static str, &'static str);

const STEPS: [Step; 9] = [
    ("request", "can the request be read in one way only?"),
    ("rule", "which rule covers the path?"),
    ("credential", "is there a credential, and is it whole?"),
    ("key", "whose credential is it, and by which key?"),
    ("signature", "does the signature hold?"),
    ("claims", "is it for this gate, and for this moment?"),
    ("session", "is the session active?"),
    ("requirements", "may this user do this?"),
    ("origin", "does the request reach the application?"),
];

/// The step at which a request is refused for each reason.
#[rustfmt::skip]
const PLACES: [(&str, &[&str]); 9] = [
    ("request", &["head_malformed", "method_refused", "path_refused"]),
    ("rule", &["route_denied", "not_started"]),
    ("credential", &[
        "no_credential", "redirect_loop", "credential_malformed", "credential_ambiguous", "cookie_incomplete",
        "token_too_large", "token_malformed", "token_unsupported",
    ]),
    ("key", &["issuer_unknown", "alg_not_allowed", "key_not_found", "key_ambiguous", "key_unsuitable", "keys_unavailable"]),
    ("signature", &["signature_invalid", "signature_check_unavailable"]),
    ("claims", &[
        "claims_malformed", "claim_missing", "type_mismatch", "audience_mismatch", "authorized_party_mismatch",
        "token_bound", "token_expired", "token_not_yet_valid", "token_too_old",
    ]),
    ("session", &[
        "session_expired", "session_mismatch", "session_version", "session_ended", "session_revoked",
        "session_unavailable", "revocation_unavailable",
    ]),
    ("requirements", &["cross_site_request", "forbidden"]),
    ("origin", &[
        "token_exchange_unavailable", "exchanged_token_invalid", "assertion_unavailable", "origin_unreachable",
        "origin_timed_out",
    ]),
];

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Passed,
    Refused,
    /// It needs somebody who is not asked here: the auth service, a key set.
    Unknown,
    NotReached,
}

impl State {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::NotReached => "not-reached",
        }
    }

    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Passed => "✔",
            Self::Refused => "✘",
            Self::Unknown => "?",
            Self::NotReached => "–",
        }
    }
}

/// A step of the way.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    pub(crate) state: State,
    pub(crate) details: Vec<String>,
}

impl Passage {
    pub(crate) fn json(&self) -> Value {
        json!({
            "step": self.name,
            "question": self.question,
            "state": self.state.word(),
            "details": self.details,
        })
    }
}

/// The step at which a request is refused for a reason.
pub(crate) fn place_of(reason: Reason) -> &'static str {
    let here = |(_, codes): &&(&str, &[&str])| codes.contains(&reason.code());
    PLACES.iter().find(here).map_or("origin", |(step, _)| step)
}

/// The way of a request that was decided with this reason, or that passes. `details` are what is
/// known of each step.
pub(crate) fn passages(
    reason: Option<Reason>,
    mut details: impl FnMut(&str) -> Vec<String>,
) -> Vec<Passage> {
    let end = reason.map(place_of);
    let mut is_over = false;
    let mut passages = Vec::new();
    for (name, question) in STEPS {
        let state = match (is_over, end == Some(name)) {
            (true, _) => State::NotReached,
            (false, false) => State::Passed,
            // What cannot be known offline is no refusal.
            (false, true) if reason.is_some_and(|reason| reason.status() == 503) => State::Unknown,
            (false, true) => State::Refused,
        };
        is_over |= end == Some(name);
        let details = if state == State::NotReached { Vec::new() } else { details(name) };
        passages.push(Passage { name, question, state, details });
    }
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_one_place() {
        let codes: Vec<&str> = PLACES.iter().flat_map(|(_, codes)| *codes).copied().collect();
        for reason in Reason::ALL {
            let count = codes.iter().filter(|code| **code == reason.code()).count();
            assert_eq!(count, 1, "{reason}");
        }
        assert_eq!(codes.len(), Reason::ALL.len());
        let steps = STEPS.iter().map(|(name, _)| *name);
        assert!(steps.eq(PLACES.iter().map(|(name, _)| *name)));
    }

    #[test]
    fn the_way_ends_where_the_request_is_refused() {
        let states = |reason| {
            let passages = passages(reason, |_| Vec::new());
            passages.iter().map(|own| own.state.mark()).collect::<String>()
        };
        assert_eq!(states(None), "✔✔✔✔✔✔✔✔✔");
        assert_eq!(states(Some(Reason::TokenExpired)), "✔✔✔✔✔✘–––");
        assert_eq!(states(Some(Reason::SessionUnavailable)), "✔✔✔✔✔✔?––");
    }
}
