//! Explanation: the same steps, with all findings instead of the first.

use crate::authn::credential::Credential;
use crate::authn::session::{TokenState, bearer_layer};
use crate::authn::session_data::DataState;
use crate::authn::{Authenticator, Verdict};
use crate::http::cookie;
use crate::policy::issuer::TokenLocation;
use crate::policy::rules::Rule;
use crate::reason::Reason;

/// The verdicts on every credential of a request, layer by layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// One entry for each credential that was looked for.
    pub credentials: Vec<CredentialExplanation>,
}

/// The verdict on one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialExplanation {
    /// The name of the issuer whose credential this would be, where its place tells.
    pub issuer: Option<String>,
    /// Its layers.
    pub layers: Layers,
    /// All layers together.
    pub verdict: LayerVerdict,
}

/// The layers of a credential, each checked by itself.
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

/// The state of a layer by itself.
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
    /// Not known without an effect.
    Unknown,
}

/// What a credential comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerVerdict {
    /// Somebody: the subject.
    Authenticated {
        /// The issuer's name for who it is.
        subject: String,
    },
    /// Not authenticated by itself: the auth service would be asked.
    LookupRequired,
    /// Not known before the issuer's keys are fetched or the platform has checked a signature.
    EffectRequired,
    /// No identity, and why.
    Unauthenticated(Reason),
}

/// Explains every credential that any issuer could give at its places.
pub(crate) fn explain(mut authenticator: Authenticator<'_>) -> Explanation {
    let rule = Rule::default();
    let found: Vec<_> =
        crate::authn::credential::find(&authenticator.head, authenticator.policy, &rule).collect();
    let mut credentials = Vec::new();
    for service in &authenticator.policy.services {
        let cookie = cookie::first(&authenticator.head, &service.cookies.session_token)
            .filter(|cookie| !cookie.is_empty());
        let layers =
            authenticator.cookie_layers(service, cookie.map(|cookie| cookie.value()).as_deref());
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
            None => LayerVerdict::Unauthenticated(Reason::NoCredential),
            Some(cookie) => verdict(
                authenticator.credential(&Credential::SessionCookie { service, cookie }, &rule),
            ),
        };
        credentials.push(CredentialExplanation {
            issuer: Some(service.issuer.name.clone()),
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
            Credential::BearerToken { service, value } => {
                let token = bearer_layer(service, value).map_or_else(Layer::Bad, of_token);
                (Some(service.issuer.name.clone()), Layers::BearerToken { token })
            }
            Credential::Jwt { token, place } => {
                (None, Layers::Jwt { jwt: of_jwt(&mut authenticator, token, place, &rule) })
            }
        };
        let verdict = verdict(authenticator.credential(&credential, &rule));
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

fn of_jwt(
    authenticator: &mut Authenticator<'_>,
    token: &str,
    place: &TokenLocation,
    rule: &Rule,
) -> Layer {
    match authenticator.jwt(token, place, rule) {
        Verdict::Good(_) => Layer::Valid,
        Verdict::Bad(reason) | Verdict::Unavailable(reason) => Layer::Bad(reason),
        Verdict::Needs(_) => Layer::Unknown,
    }
}

fn verdict(verdict: Verdict) -> LayerVerdict {
    match verdict {
        Verdict::Good(identity) => {
            LayerVerdict::Authenticated { subject: identity.session.subject.clone() }
        }
        Verdict::Bad(reason) | Verdict::Unavailable(reason) => {
            LayerVerdict::Unauthenticated(reason)
        }
        Verdict::Needs(missing) if missing.reason() == Reason::SessionUnavailable => {
            LayerVerdict::LookupRequired
        }
        Verdict::Needs(_) => LayerVerdict::EffectRequired,
    }
}
