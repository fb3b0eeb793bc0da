//! `session_data`, Better Auth's cookie cache, in its four strategies.

use std::borrow::Cow;
use std::sync::Arc;

use crate::better_auth::session_data::{CookieCache, Sealed, dated_pair, pair_of};
use crate::better_auth::session_record::{Pair, Source};
use crate::cache::verified::{KeySetUsed, VerifiedToken};
use crate::effects::Missing;
use crate::http::cookie;
use crate::jose::claims::Claims;
use crate::jose::jws::Jws;
use crate::jose::verify::{self, Secret};
use crate::policy::auth_service::AuthService;
use crate::reason::Reason;
use crate::time::Window;

use super::{Authenticator, Obstacle};

/// The result of checking `session_data`.
pub(crate) enum DataState {
    /// There is none, or it is not to be read.
    Absent,
    /// It says who it is.
    Good(VerifiedToken),
    /// It is a cache miss, and why.
    Miss(Reason),
    /// A cache miss too, but the auth service did say it of this very session of this user, once.
    Outdated(Reason, Box<str>),
    /// Not known without an effect.
    Needs(Missing),
}

impl<'e> Authenticator<'e> {
    /// `session_data`: verified by its own strategy, fresh, of this version, and about this session
    /// token.
    pub(super) fn session_data(
        &mut self,
        service: &Arc<AuthService>,
        cookie: Result<&Option<Cow<'_, str>>, &Reason>,
        token: Option<&str>,
    ) -> DataState {
        let value = match cookie {
            Ok(Some(value)) => value,
            Ok(None) => return DataState::Absent,
            Err(reason) => return DataState::Miss(*reason),
        };
        match self.session_data_value(service, value, token) {
            Ok(verified_token) => DataState::Good(verified_token),
            Err(Obstacle::Bad(reason) | Obstacle::Unavailable(reason)) => DataState::Miss(reason),
            Err(Obstacle::Outdated(reason, subject)) => DataState::Outdated(reason, subject),
            Err(Obstacle::Needs(missing)) => DataState::Needs(missing),
        }
    }

    /// The cookie, its chunks joined; nothing where it is not to be read.
    pub(super) fn session_data_cookie(
        &self,
        service: &Arc<AuthService>,
    ) -> Result<Option<Cow<'e, str>>, Reason> {
        match service.cookie_cache {
            CookieCache::Off => Ok(None),
            _ => cookie::joined_value(&self.head, &service.cookies.session_data),
        }
    }

    fn session_data_value(
        &mut self,
        service: &Arc<AuthService>,
        value: &str,
        token: Option<&str>,
    ) -> Result<VerifiedToken, Obstacle> {
        let has_secret = service.secrets.current.is_some();
        let (pair, window, key_set) = match Sealed::parse(value, service.cookie_cache, has_secret)?
        {
            Sealed::Compact(compact) => {
                // A cookie is good in the millisecond in which it expires, as it is for Better
                // Auth.
                let until = compact.unverified_expires.plus_millis(1);
                let verified = compact.verified(service.current_secret()?)?;
                (pair_of(&verified, &self.policy.named_claims)?, Window::up_to(until), None)
            }
            Sealed::Jwt(jws) => {
                let (pair, until) = dated_pair(
                    &verify::hs256(&jws, service.current_secret()?)?,
                    &self.policy.named_claims,
                )?;
                (pair, Window::up_to(until), None)
            }
            Sealed::Jwe(jwe) => {
                let (pair, until) = dated_pair(
                    &verify::jwe(&jwe, service.secrets.all())?,
                    &self.policy.named_claims,
                )?;
                (pair, Window::up_to(until), None)
            }
            Sealed::JwtJwks(jws) => {
                let (pair, window, key_set) = self.pair_by_key_set(service, &jws)?;
                (pair, window, Some(key_set))
            }
        };
        let token = token.map_or_else(|| pair.token().to_owned(), str::to_owned);
        let subject = pair.is_about(&token).then(|| pair.subject().to_owned());
        let miss = |reason: Reason| match subject {
            Some(subject) => Obstacle::Outdated(reason, subject.into()),
            None => Obstacle::Bad(reason),
        };
        if !window.contains(self.now) {
            return Err(miss(Reason::TokenExpired));
        }
        let session = pair
            .validated(&token, service.version.as_deref(), Source::CookieCache, self.now)
            .map_err(miss)?;
        // A session, too, is good in the millisecond in which it expires.
        let window = Window { until: window.until.min(session.expires.plus_millis(1)), ..window };
        Ok(VerifiedToken { identity: self.identity(&service.issuer, session), window, key_set })
    }

    /// The pair of a token of the key set: of its own type, audience and issuer, and agreeing with
    /// itself.
    fn pair_by_key_set(
        &mut self,
        service: &Arc<AuthService>,
        jws: &Jws<'_>,
    ) -> Result<(Pair, Window, KeySetUsed), Obstacle> {
        let (verified, key_set) = self.by_key_set(&service.issuer, jws)?;
        let expected = service
            .issuer
            .at(&service.cache_expectations, self.head.public_origin)
            .ok_or(Reason::IssuerUnknown)?;
        let claims =
            Claims::check(&verified, None, jws.header.typ.as_deref(), &expected, self.now)?;
        let pair = Pair::from_members(claims.members(), &self.policy.named_claims)
            .ok_or(Reason::TokenMalformed)?;
        let agrees = claims.text("sub") == Some(pair.subject())
            && claims.text("sid").is_some_and(|sid| pair.is_about(sid));
        if agrees {
            Ok((pair, claims.window(), key_set))
        } else {
            Err(Obstacle::Bad(Reason::ClaimsMalformed))
        }
    }
}

impl AuthService {
    fn current_secret(&self) -> Result<&Secret, Reason> {
        self.secrets.current.as_ref().ok_or(Reason::KeyNotFound)
    }
}
