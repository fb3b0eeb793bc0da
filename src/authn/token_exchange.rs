//! Token exchange: with which JWT of its issuer a session is forwarded to an origin that knows no
//! cookies.

use std::sync::Arc;

use crate::better_auth::session_record::{LookupFailure, SessionState};
use crate::cache::exchanged_tokens::{ExchangeKey, ExchangedToken, ExchangedTokens, TokenLookup};
use crate::cache::session_events::Moment;
use crate::cache::sessions::SessionLookup;
use crate::cache::verified::Identity;
use crate::effects::session::Question;
use crate::effects::token::TokenQuestion;
use crate::effects::wait::Wait;
use crate::effects::{self, Missing};
use crate::http::cookie;
use crate::jose::claims::{self, Claims};
use crate::jose::jws::Jws;
use crate::policy::rules::TokenExchange;
use crate::reason::Reason;
use crate::time::Window;

use super::{Authenticator, Obstacle};

/// What came of a token exchange.
pub(crate) enum ExchangeOutcome {
    /// With a token. A new one is to be kept; one that is near its end is taken for want of a newer
    /// one.
    With(ExchangedToken, TokenOrigin),
    /// Not without an effect.
    Needs(Missing),
    /// Not at all: the auth service says that it has ended.
    Ended,
    /// Not at all, why, and what the reason behind that is.
    Refused(Reason, Because),
    /// Not at all, because who was asked for something else than the token has failed.
    Unavailable(Reason),
}

/// Where a token is from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenOrigin {
    Cached,
    Fresh,
    Spare,
}

/// What is behind a refusal.
#[derive(Clone, Copy)]
pub(crate) enum Because {
    /// The auth service has not said anything useful.
    Unavailable(Option<LookupFailure>),
    /// The token does not hold.
    Token(Reason),
}

impl Authenticator<'_> {
    /// Whether the token in `Authorization`, which has been verified already, is for one of these
    /// too.
    pub(crate) fn suits(&self, token_exchange: &TokenExchange) -> bool {
        let token = self
            .head
            .header("authorization")
            .and_then(|line| line.split_once(' '))
            .map_or("", |(_, token)| token);
        let is_for = |jws: Jws<'_>| {
            let claims = jws.unverified_claims();
            claims.is_some_and(|claims| {
                claims::is_for(&claims.members, &token_exchange.audience).is_ok()
            })
        };
        token_exchange.audience.is_empty() || Jws::parse(token.trim_matches(' ')).is_ok_and(is_for)
    }

    /// The key under which the token of a session is kept for this exchange: with the public origin
    /// where a service has several hosts.
    pub(crate) fn place_of(
        &self,
        session: &Question,
        token_exchange: &TokenExchange,
    ) -> ExchangeKey {
        let audience = if session.service.issuer.public_hosts.is_empty() {
            token_exchange.key
        } else {
            token_exchange.key.at(self.head.public_origin)
        };
        ExchangeKey { credential: session.credential, audience }
    }

    /// With which token a session is forwarded. Its own check has said whose it is; that it is
    /// still active says the auth service, which issues tokens for no other.
    pub(crate) fn exchanged(
        &mut self,
        tokens: &ExchangedTokens,
        session: &Question,
        who: &Identity,
        token_exchange: &TokenExchange,
    ) -> ExchangeOutcome {
        if self.has_ended(session) {
            return ExchangeOutcome::Ended;
        }
        let fetched = self.progress.memory.token.fetched.as_ref();
        match fetched.map(|fetched| (&fetched.token, fetched.asked)) {
            Some((Ok(jwt), asked)) => {
                return self.with_new(jwt, asked, session, who, token_exchange);
            }
            Some((Err(LookupFailure::Unauthorized), _)) => return self.denied(session),
            Some((Err(_), _)) | None => {}
        }
        let place = self.place_of(session, token_exchange);
        let known = tokens.look_up(&place, &session.since, self.now);
        self.note_lookup("exchanged_tokens", known.result());
        let failure = match known {
            TokenLookup::Good(token) => {
                match self.if_still_good(token, session, who, token_exchange) {
                    Ok((token, origin_of_token)) => {
                        return ExchangeOutcome::With(token, origin_of_token);
                    }
                    Err(Obstacle::Needs(missing)) => return ExchangeOutcome::Needs(missing),
                    // Its key is gone, or it is somebody else's: it counts for nothing.
                    Err(Obstacle::Bad(_) | Obstacle::Outdated(_, _) | Obstacle::Unavailable(_)) => {
                        None
                    }
                }
            }
            // What is near its end does until the other has it.
            TokenLookup::Asked if !self.progress.has_given_up => {
                return match tokens
                    .spare(&place, &session.since, self.now)
                    .map(|token| self.if_still_good(token, session, who, token_exchange))
                {
                    Some(Ok((token, origin_of_token))) => {
                        ExchangeOutcome::With(token, origin_of_token)
                    }
                    _ => ExchangeOutcome::Needs(Wait(Reason::TokenExchangeUnavailable).into()),
                };
            }
            TokenLookup::InVain(reason, failure) if reason != Reason::TokenExchangeUnavailable => {
                return ExchangeOutcome::Refused(reason, Because::Unavailable(failure));
            }
            TokenLookup::InVain(_, failure) => Some(failure),
            TokenLookup::Asked | TokenLookup::Nothing => None,
        };
        if failure.is_none()
            && !self.progress.has_given_up
            && !self.progress.has_asked(&effects::token::KEY)
        {
            return ExchangeOutcome::Needs(self.token_question(session, place).into());
        }
        let failure = failure.flatten().or(self.progress.learned.failure);
        let spare = tokens
            .spare(&place, &session.since, self.now)
            .filter(|_| failure.is_none_or(LookupFailure::may_pass));
        match spare.map(|token| self.if_still_good(token, session, who, token_exchange)) {
            Some(Ok((token, _))) => ExchangeOutcome::With(token, TokenOrigin::Spare),
            _ => unavailable(failure),
        }
    }

    /// Whether the auth service has said to this request or lately that a session has ended.
    fn has_ended(&self, session: &Question) -> bool {
        let came = self.progress.arrival;
        let (credential, max_age) = (&session.credential, session.service.session_cache);
        self.progress.memory.session.answer(credential) == Some(&SessionState::Ended)
            || matches!(
                self.sessions.look_up(credential, max_age, &session.since, came, self.now),
                SessionLookup::Known(SessionState::Ended)
            )
    }

    /// The question for a token of this session.
    fn token_question(&self, session: &Question, place: ExchangeKey) -> TokenQuestion {
        let service = &session.service;
        let sent = |name: &str| {
            service.is_stateless || !cookie::is_named(name, &service.cookies.session_data)
        };
        let header = match &session.header {
            ("cookie", _) => ("cookie", self.session_cookies(service, sent)),
            (name, value) => (*name, value.clone()),
        };
        let (rate_key, session) = (session.rate_key, session.session);
        TokenQuestion { service: Arc::clone(service), place, session, rate_key, header }
    }

    /// The token that was brought for this request, if it holds.
    fn with_new(
        &mut self,
        jwt: &str,
        asked: Moment,
        session: &Question,
        who: &Identity,
        token_exchange: &TokenExchange,
    ) -> ExchangeOutcome {
        match self.checked((jwt, asked), session, who, token_exchange) {
            Ok(token) => ExchangeOutcome::With(token, TokenOrigin::Fresh),
            Err(Obstacle::Needs(missing)) => ExchangeOutcome::Needs(missing),
            // That the keys are away says nothing about the token.
            Err(Obstacle::Unavailable(reason)) => ExchangeOutcome::Unavailable(reason),
            Err(Obstacle::Bad(reason) | Obstacle::Outdated(reason, _))
                if reason.status() == 503 =>
            {
                ExchangeOutcome::Refused(reason, Because::Unavailable(None))
            }
            Err(Obstacle::Bad(reason) | Obstacle::Outdated(reason, _)) => {
                ExchangeOutcome::Refused(Reason::ExchangedTokenInvalid, Because::Token(reason))
            }
        }
    }

    /// The auth service has denied a token. Only what it says of the session itself ends that.
    fn denied(&self, session: &Question) -> ExchangeOutcome {
        let has_asked = self.progress.has_given_up
            || self.progress.has_asked(&effects::session::key(session.credential));
        // What a storage or another instance has said does not count against it.
        if !has_asked {
            return ExchangeOutcome::Needs(session.clone().into());
        }
        let failure = self.progress.learned.failure.unwrap_or(LookupFailure::Unauthorized);
        ExchangeOutcome::Refused(
            Reason::TokenExchangeUnavailable,
            Because::Unavailable(Some(failure)),
        )
    }

    /// A token that is kept, if it is this user's; verified anew where the keys are others by now.
    fn if_still_good(
        &mut self,
        token: &ExchangedToken,
        session: &Question,
        who: &Identity,
        token_exchange: &TokenExchange,
    ) -> Result<(ExchangedToken, TokenOrigin), Obstacle> {
        let issuer = &session.service.issuer;
        let in_use = self.keys.generation(issuer.id, self.now);
        let is_overdue = self.keys.is_overdue(issuer.id, self.progress, self.now);
        if in_use == Some(token.key_set.generation)
            && !is_overdue
            && token.subject == who.session.subject
        {
            self.note_refresh(issuer);
            return Ok((token.clone(), TokenOrigin::Cached));
        }
        Ok((
            self.checked((&token.jwt, token.asked), session, who, token_exchange)?,
            TokenOrigin::Fresh,
        ))
    }

    /// Verifies a token: its signature, its claims, and that it names this user. No clock tolerance
    /// is added to its `exp`.
    fn checked(
        &mut self,
        (jwt, asked): (&str, Moment),
        session: &Question,
        who: &Identity,
        token_exchange: &TokenExchange,
    ) -> Result<ExchangedToken, Obstacle> {
        let jws = Jws::parse(jwt)?;
        let issuer = &session.service.issuer;
        let (verified, key_set) = self.by_key_set(issuer, &jws)?;
        let mut expected =
            issuer.expected(self.head.public_origin).ok_or(Reason::IssuerUnknown)?.into_owned();
        if !token_exchange.audience.is_empty() {
            expected.audience.clone_from(&token_exchange.audience);
        }
        let claims = Claims::check(&verified, None, jws.header.typ.as_deref(), &expected, self.now);
        if let (Err(Reason::IssuerUnknown), Some(unverified)) = (&claims, jws.unverified_claims()) {
            self.note_minted(issuer, &unverified);
        }
        let claims = claims?;
        let subject = Some(claims.subject())
            .filter(|subject| *subject == who.session.subject)
            .ok_or(Reason::SessionMismatch)?;
        if claims.expires() <= self.now {
            return Err(Reason::TokenExpired.into());
        }
        let until = claims.expires().min(who.session.expires).min(claims.window().until);
        let window = Window { from: claims.window().from, until };
        Ok(ExchangedToken::new(jwt, subject.to_owned(), window, key_set, asked, self.now))
    }
}

/// The auth service has not given a token.
const fn unavailable(failure: Option<LookupFailure>) -> ExchangeOutcome {
    ExchangeOutcome::Refused(Reason::TokenExchangeUnavailable, Because::Unavailable(failure))
}
