//! What an identity rests on, for what is asked about it again.

use crate::authn::credential::Credential;
use crate::better_auth::signed_cookie::token_of;
use crate::cache::rate_limit::party_of;
use crate::cache::verified::Identity;
use crate::effects::session::Question;

use super::Authenticator;

/// What an identity rests on, as far as the token exchange has to know.
pub(crate) enum IdentityBasis {
    /// A session of an auth service, as a question about it.
    Session(Box<Question>),
    /// A token that the origin can take as it came.
    Authorization,
    /// A token that is somewhere else.
    Elsewhere,
}

impl Authenticator<'_> {
    /// What an identity that this credential has come to rests on.
    pub(crate) fn basis(&self, credential: &Credential<'_>, identity: &Identity) -> IdentityBasis {
        let (service, header, value, token) = match credential {
            Credential::SessionCookie { service, cookie } => {
                let value = cookie.value().into_owned();
                let token = token_of(&value).to_owned();
                (*service, ("cookie", self.session_cookies(service, |_| true)), value, token)
            }
            Credential::BearerToken { service, value } => {
                let token = value.split_once('.').map_or(&**value, |(token, _)| token).to_owned();
                (
                    *service,
                    ("authorization", ["Bearer ", value].concat()),
                    value.clone().into_owned(),
                    token,
                )
            }
            Credential::Bearer(value) => match value.read() {
                // What was read once is not to be read again.
                Credential::Jwt { .. } | Credential::Bearer(_) => {
                    return IdentityBasis::Authorization;
                }
                read => return self.basis(&read, identity),
            },
            Credential::Jwt { .. } | Credential::Malformed(_) => return IdentityBasis::Elsewhere,
        };
        // Whoever could vary an unverified token could have any number of sessions.
        let is_known = header.0 == "cookie" && service.secrets.current.is_some();
        let owner = is_known.then(|| party_of(service.issuer.id, &identity.session.subject));
        IdentityBasis::Session(Box::new(self.question(service, (&value, &token), header, owner)))
    }
}
