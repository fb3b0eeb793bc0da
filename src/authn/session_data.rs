//! `session_data`, Better Auth's cookie cache, in its four strategies.

use std::borrow::Cow;

use crate::better_auth::session_data::{Compact, Strategy};
use crate::better_auth::session_record::{Pair, Session, Source};
use crate::cache::verified::{KeySetUsed, VerifiedToken};
use crate::encoding::text;
use crate::http::cookie;
use crate::http::request::RequestHead;
use crate::jose::claims::{self, Claims};
use crate::jose::jwe::Jwe;
use crate::jose::jws::Jws;
use crate::jose::verify::{self, Secret, Verified};
use crate::policy::requirements::ClaimPath;
use crate::policy::{BetterAuth, CookieCache};
use crate::reason::Reason;
use crate::time::{UnixTime, Window};

use super::{Authenticator, Missing, Obstacle};

/// What `session_data` is worth.
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
        number: usize,
        cookie: Result<&Option<Cow<'_, str>>, &Reason>,
        token: Option<&str>,
    ) -> DataState {
        let value = match cookie {
            Ok(Some(value)) => value,
            Ok(None) => return DataState::Absent,
            Err(reason) => return DataState::Miss(*reason),
        };
        match self.session_data_value(number, value, token) {
            Ok(proof) => DataState::Good(proof),
            Err(Obstacle::Bad(reason) | Obstacle::Unavailable(reason)) => DataState::Miss(reason),
            Err(Obstacle::Outdated(reason, subject)) => DataState::Outdated(reason, subject),
            Err(Obstacle::Needs(missing)) => DataState::Needs(missing),
        }
    }

    /// The cookie, its chunks joined; nothing where it is not to be read.
    pub(super) fn session_data_cookie(
        &self,
        number: usize,
    ) -> Result<Option<Cow<'e, str>>, Reason> {
        match self.service(number) {
            Ok(service) if service.cookie_cache != CookieCache::Off => {
                cookie::joined_value(&self.head, &service.cookies.session_data)
            }
            _ => Ok(None),
        }
    }

    fn session_data_value(
        &mut self,
        number: usize,
        value: &str,
        token: Option<&str>,
    ) -> Result<VerifiedToken, Obstacle> {
        let service = self.service(number)?;
        let has_secret = service.secrets.current.is_some();
        let (pair, window, key_set) = match Sealed::parse(value, service.cookie_cache, has_secret)?
        {
            Sealed::Compact(compact) => {
                // A cookie is good in the millisecond in which it expires, as it is for Better
                // Auth.
                let until = compact.unverified_expires.plus_millis(1);
                let verified = verify::compact(compact, service.current_secret()?)?;
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
                let (pair, window, key_set) = self.pair_by_key_set(number, &jws)?;
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
        let service = self.service(number)?;
        let session = pair
            .authenticator(&token, service.version.as_deref(), Source::CookieCache, self.now)
            .map_err(miss)?;
        // A session, too, is good in the millisecond in which it expires.
        let window = Window { until: window.until.min(session.expires.plus_millis(1)), ..window };
        Ok(VerifiedToken { identity: self.identity(number, session), window, key_set })
    }

    /// The pair of a token of the key set: of its own type, audience and issuer, and agreeing with
    /// itself.
    fn pair_by_key_set(
        &mut self,
        number: usize,
        jws: &Jws<'_>,
    ) -> Result<(Pair, Window, KeySetUsed), Obstacle> {
        let (verified, key_set) = self.by_key_set(number, jws)?;
        let issuer = self.issuer(number).ok_or(Reason::IssuerUnknown)?;
        let expected = issuer
            .at(&self.service(number)?.cache_expectations, self.head.public_origin)
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

/// The session that the auth service itself has just written into the cookie cache with an answer:
/// of its `Set-Cookie` lines the chunks or the whole, verified by the secret like any request's,
/// and about this very session token. Nothing where the service writes none, or signs it by its key
/// set.
pub(crate) fn of_set_cookies(
    service: &BetterAuth,
    named: &[ClaimPath],
    headers: &[(&str, &str)],
    token: &str,
    now: UnixTime,
) -> Option<Session> {
    let lines = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, line)| *line);
    let pairs: Vec<String> = lines
        .filter_map(cookie::SetCookie::parse)
        .filter(|it| !it.is_deletion())
        .map(|it| it.as_sent())
        .collect();
    let line = pairs.join("; ");
    let headers = [("cookie", line.as_str())];
    let head = RequestHead {
        method: "GET",
        target: "/",
        headers: &headers,
        public_origin: "",
        client_address: None,
    };
    let value = cookie::joined_value(&head, &service.cookies.session_data).ok()??;
    let secret = service.secrets.current.as_ref()?;
    let (pair, until) = match Sealed::parse(&value, service.cookie_cache, true).ok()? {
        Sealed::Compact(compact) => {
            let until = compact.unverified_expires.plus_millis(1);
            (pair_of(&verify::compact(compact, secret).ok()?, named).ok()?, until)
        }
        Sealed::Jwt(jws) => dated_pair(&verify::hs256(&jws, secret).ok()?, named).ok()?,
        Sealed::Jwe(jwe) => {
            dated_pair(&verify::jwe(&jwe, service.secrets.all()).ok()?, named).ok()?
        }
        Sealed::JwtJwks(_) => return None,
    };
    let session =
        pair.authenticator(token, service.version.as_deref(), Source::AuthService, now).ok()?;
    (now < until).then_some(session)
}

impl BetterAuth {
    fn current_secret(&self) -> Result<&Secret, Reason> {
        self.secrets.current.as_ref().ok_or(Reason::KeyNotFound)
    }
}

/// The pair of a token, and its `exp`: Better Auth's server has no tolerance here.
fn dated_pair(verified: &Verified<'_>, named: &[ClaimPath]) -> Result<(Pair, UnixTime), Reason> {
    let members = verified.members(None).ok_or(Reason::TokenMalformed)?;
    let pair = Pair::from_members(&members, named).ok_or(Reason::TokenMalformed)?;
    claims::check_cnf(&members)?;
    let expires = claims::date(&members, "exp")?.ok_or(Reason::ClaimMissing)?;
    Ok((pair, expires))
}

fn pair_of(verified: &Verified<'_>, named: &[ClaimPath]) -> Result<Pair, Reason> {
    verified
        .members(None)
        .and_then(|members| Pair::from_members(&members, named))
        .ok_or(Reason::TokenMalformed)
}

/// `session_data`, taken apart but not verified.
enum Sealed<'a> {
    Compact(Compact),
    Jwt(Jws<'a>),
    Jwe(Jwe<'a>),
    JwtJwks(Jws<'a>),
}

impl<'a> Sealed<'a> {
    /// By the configured strategy, or the one that the value's shape tells: one piece compact,
    /// three JWS, five JWE. Which of the two kinds of JWS it is, its algorithm tells: HS256 needs
    /// the secret, all others the key set, and neither reads the other's.
    fn parse(value: &'a str, cookie_cache: CookieCache, has_secret: bool) -> Result<Self, Reason> {
        let strategy = match cookie_cache {
            CookieCache::Only(strategy) => strategy,
            CookieCache::Off | CookieCache::Auto => match text::pieces(value, b'.').take(6).count()
            {
                1 => Strategy::Compact,
                3 => {
                    let jws = Jws::parse_joined(value)?;
                    return Ok(if has_secret && jws.header.alg == "HS256" {
                        Self::Jwt(jws)
                    } else {
                        Self::JwtJwks(jws)
                    });
                }
                5 => Strategy::Jwe,
                _ => return Err(Reason::TokenMalformed),
            },
        };
        Ok(match strategy {
            Strategy::Compact => Self::Compact(Compact::parse(value)?),
            Strategy::Jwt => Self::Jwt(Jws::parse_joined(value)?),
            Strategy::Jwe => Self::Jwe(Jwe::parse(value)?),
            Strategy::JwtJwks => Self::JwtJwks(Jws::parse_joined(value)?),
        })
    }
}
