//! Explanation: the same rooms, all findings instead of the first.

use crate::authn::credential::Credential;
use crate::authn::{DataState, Finding, Judge, TokenState};
use crate::http::cookie;
use crate::policy::{Place, Rule};
use crate::reason::Reason;

/// What every credential of a request is worth, layer by layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// One entry for each credential that was looked for.
    pub credentials: Vec<CredentialExplanation>,
}

/// What one credential is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialExplanation {
    /// The name of the issuer whose credential this would be, where its place tells.
    pub issuer: Option<String>,
    /// Its layers.
    pub layers: Layers,
    /// All layers together.
    pub verdict: Verdict,
}

/// The layers of a credential, each judged on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive] // further kinds of credentials have layers of their own
pub enum Layers {
    /// The cookies of a Better Auth service.
    BetterAuthCookies {
        /// `session_token`.
        token: Layer,
        /// `session_data`.
        data: Layer,
    },
    /// A token of Better Auth's bearer plugin.
    BearerToken {
        /// The token.
        token: Layer,
    },
    /// A JWT.
    Jwt {
        /// The token.
        jwt: Layer,
    },
}

/// What a layer is worth by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// There is none.
    Absent,
    /// It holds.
    Valid,
    /// There is no secret to check it with.
    Unverified,
    /// It carries no signature.
    Unsigned,
    /// It does not hold, and why.
    Bad(Reason),
    /// Not known without an errand.
    Unknown,
}

/// What a credential comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody: the subject.
    Authenticated {
        /// The issuer's name for who it is.
        subject: String,
    },
    /// Not authenticated by itself: the auth service would be asked.
    LookupRequired,
    /// Not known before the issuer's keys are fetched or the platform has checked a signature.
    ErrandRequired,
    /// Nobody, and why.
    Unauthenticated(Reason),
}

/// Explains every credential that any issuer could give at its places.
pub(crate) fn explain(mut judge: Judge<'_>) -> Explanation {
    let rule = Rule::default();
    let found: Vec<_> = crate::authn::credential::find(&judge.head, judge.policy, &rule).collect();
    let mut credentials = Vec::new();
    for (number, issuer) in judge.policy.issuers.iter().enumerate() {
        let Some(service) = &issuer.better_auth else {
            continue;
        };
        let cookie = cookie::first(&judge.head, &service.cookies.session_token)
            .filter(|cookie| !cookie.is_empty());
        let layers = judge.cookie_layers(number, cookie.map(|cookie| cookie.value()).as_deref());
        let token = match layers.token {
            Err(Reason::NoCredential) => Layer::Absent,
            Err(reason) => Layer::Bad(reason),
            Ok(state) => of_token(state),
        };
        let data = match &layers.data {
            DataState::Absent => Layer::Absent,
            DataState::Good(_) => Layer::Valid,
            DataState::Miss(reason) | DataState::Outdated(reason, _) => Layer::Bad(*reason),
            DataState::Needs(_) => Layer::Unknown,
        };
        let verdict = match cookie {
            None => Verdict::Unauthenticated(Reason::NoCredential),
            Some(cookie) => verdict(
                judge.credential(&Credential::SessionCookie { issuer: number, cookie }, &rule),
            ),
        };
        credentials.push(CredentialExplanation {
            issuer: Some(issuer.name.clone()),
            layers: Layers::BetterAuthCookies { token, data },
            verdict,
        });
    }
    for credential in found {
        let credential = match credential {
            Credential::Bearer(value) => value.read(),
            other => other,
        };
        let (issuer, layers) = match &credential {
            Credential::Bearer(_) | Credential::SessionCookie { .. } => continue,
            Credential::Malformed(reason) => (None, Layers::Jwt { jwt: Layer::Bad(*reason) }),
            Credential::BearerToken { issuer, value } => {
                let token = judge.bearer_layer(*issuer, value).map_or_else(Layer::Bad, of_token);
                (
                    judge.policy.issuers.get(*issuer).map(|issuer| issuer.name.clone()),
                    Layers::BearerToken { token },
                )
            }
            Credential::Jwt { token, place } => {
                (None, Layers::Jwt { jwt: of_jwt(&mut judge, token, place, &rule) })
            }
        };
        let verdict = verdict(judge.credential(&credential, &rule));
        credentials.push(CredentialExplanation { issuer, layers, verdict });
    }
    Explanation { credentials }
}

fn of_token(state: TokenState) -> Layer {
    match state {
        TokenState::Signed => Layer::Valid,
        TokenState::Unverified => Layer::Unverified,
        TokenState::Unsigned => Layer::Unsigned,
    }
}

fn of_jwt(judge: &mut Judge<'_>, token: &str, place: &Place, rule: &Rule) -> Layer {
    match judge.jwt(token, place, rule) {
        Finding::Good(_) => Layer::Valid,
        Finding::Bad(reason) | Finding::InDoubt(reason) => Layer::Bad(reason),
        Finding::Needs(_) => Layer::Unknown,
    }
}

fn verdict(finding: Finding) -> Verdict {
    use crate::authn::Need;
    match finding {
        Finding::Good(identity) => {
            Verdict::Authenticated { subject: identity.session.subject.clone() }
        }
        Finding::Bad(reason) | Finding::InDoubt(reason) => Verdict::Unauthenticated(reason),
        Finding::Needs(
            Need::Session(_) | Need::Storage(_) | Need::Wait(Reason::SessionUnavailable),
        ) => Verdict::LookupRequired,
        Finding::Needs(_) => Verdict::ErrandRequired,
    }
}
