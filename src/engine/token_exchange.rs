//! Token exchange: sessions are forwarded with a JWT of their issuer.

use std::sync::Arc;

use crate::authn::Authenticator;
use crate::authn::identity_basis::IdentityBasis;
use crate::authn::token_exchange::{Because, ExchangeOutcome, TokenOrigin};
use crate::better_auth::session_record::CausedBy;
use crate::cache::exchanged_tokens::ExchangeKey;
use crate::effects::{RequestProgress, token};
use crate::forward::header_edits::Authorization;
use crate::policy::rules::MatchedRules;
use crate::reason::Reason;

use super::Engine;
use super::admission::{Admitted, NotAdmitted, Otherwise, Routed, leniency};

impl Engine {
    /// What `Authorization` holds when the request is forwarded. Where a rule does not enforce a
    /// refusal, the request is forwarded anonymously.
    pub(super) fn token_exchange(
        &mut self,
        routed: Routed<'_>,
        mut admitted: Admitted,
        progress: &mut RequestProgress,
    ) -> Result<(Authorization, Admitted), NotAdmitted> {
        let Routed { rules, now, .. } = routed;
        let crossed = self.exchange(routed, &mut admitted, progress);
        let leniency = |reason: Reason, caused_by: CausedBy| {
            let each = rules.all().map(|rule| leniency(rule, reason, caused_by, now));
            each.reduce(Option::and).flatten()
        };
        match crossed {
            Ok(authorization) => Ok((authorization, admitted)),
            Err(NotAdmitted::Missing(missing, _)) => {
                let reason = missing.reason();
                let otherwise = Otherwise::of(|caused_by| leniency(reason, caused_by));
                Err(NotAdmitted::Missing(missing, otherwise))
            }
            Err(
                not_admitted @ (NotAdmitted::Refuse(reason)
                | NotAdmitted::Unavailable(reason)
                | NotAdmitted::SignOut(reason, _)),
            ) => match leniency(reason, not_admitted.caused_by()) {
                None => Err(not_admitted),
                Some(leniency) => {
                    let admitted = Admitted {
                        deferred: admitted.deferred,
                        in_spite_of: Some((reason, leniency)),
                        ..Admitted::default()
                    };
                    Ok((self.without_token_exchange(rules), admitted))
                }
            },
        }
    }

    /// Where the rules ask for a token exchange, a session is forwarded with a token of its issuer.
    /// A token that came by itself is one already.
    fn exchange(
        &mut self,
        routed: Routed<'_>,
        admitted: &mut Admitted,
        progress: &mut RequestProgress,
    ) -> Result<Authorization, NotAdmitted> {
        let Routed { head, rules, now, .. } = routed;
        let (Some(token_exchange), Some(identity), Some(basis)) =
            (rules.token_exchange(), &admitted.identity, &admitted.basis)
        else {
            return Ok(self.without_token_exchange(rules));
        };
        let mut authenticator =
            Authenticator::new(&self.policy, &self.effects, progress, *head, now);
        let question = match basis {
            IdentityBasis::Session(question) => question,
            IdentityBasis::Authorization if authenticator.suits(token_exchange) => {
                return Ok(Authorization::Kept);
            }
            IdentityBasis::Authorization => {
                return Err(NotAdmitted::Refuse(Reason::AudienceMismatch));
            }
            IdentityBasis::Elsewhere => return Ok(Authorization::Removed),
        };
        let place = authenticator.place_of(question, token_exchange);
        let outcome =
            authenticator.exchanged(&self.effects.tokens, question, identity, token_exchange);
        admitted.deferred.refresh.extend(authenticator.deferred.refresh);
        let (findings, tally) = (authenticator.deferred.findings, authenticator.deferred.tally);
        progress.learned.tally.take(tally);
        let (token, origin_of_token) = match outcome {
            ExchangeOutcome::With(token, origin_of_token) => (token, origin_of_token),
            ExchangeOutcome::Needs(missing) => {
                return Err(NotAdmitted::Missing(missing, Otherwise::default()));
            }
            ExchangeOutcome::Ended if question.header.0 == "cookie" => {
                return Err(NotAdmitted::SignOut(
                    Reason::SessionEnded,
                    Arc::clone(&question.service),
                ));
            }
            ExchangeOutcome::Ended => return Err(NotAdmitted::Refuse(Reason::SessionEnded)),
            ExchangeOutcome::Unavailable(reason) => {
                progress.learned.findings = findings;
                return Err(self.not_exchanged(routed, place, (reason, None), progress));
            }
            ExchangeOutcome::Refused(reason, because) => {
                progress.learned.findings = findings;
                return Err(self.not_exchanged(routed, place, (reason, Some(because)), progress));
            }
        };
        let jwt = token.jwt.clone();
        match origin_of_token {
            TokenOrigin::Fresh => self.effects.tokens.keep(place, token, routed.now),
            TokenOrigin::Spare => {
                let stale = (Reason::TokenExchangeUnavailable, "stale-if-error");
                admitted.in_spite_of = admitted.in_spite_of.or(Some(stale));
            }
            TokenOrigin::Cached => {}
        }
        Ok(Authorization::Exchanged(jwt))
    }

    /// Why a session goes on with no token. Whoever asked has failed for all that wait.
    fn not_exchanged(
        &mut self,
        routed: Routed<'_>,
        place: ExchangeKey,
        (reason, because): (Reason, Option<Because>),
        progress: &mut RequestProgress,
    ) -> NotAdmitted {
        let (failure, cause, caused_by) = match because {
            None => (None, None, CausedBy::Partner),
            Some(Because::Token(cause)) => (None, Some(cause), CausedBy::Caller),
            Some(Because::Unavailable(failure)) => {
                let knows_client = routed.head.client_address.is_some();
                let caused_by =
                    failure.map_or(CausedBy::Gate, |failure| failure.caused_by(knows_client));
                (failure, None, caused_by)
            }
        };
        progress.learned.failure = progress.learned.failure.or(failure);
        progress.learned.cause = cause;
        if let Some(fetched) =
            progress.memory.token.fetched.as_ref().filter(|_| progress.has_asked(&token::KEY))
        {
            self.effects.tokens.fail(place, fetched.asked.number, reason, failure, routed.now);
        }
        if caused_by == CausedBy::Partner {
            NotAdmitted::Unavailable(reason)
        } else {
            NotAdmitted::Refuse(reason)
        }
    }

    /// `Authorization` of a request without a token exchange: what clients put there never passes
    /// for an exchanged token.
    pub(super) fn without_token_exchange(&self, rules: &MatchedRules) -> Authorization {
        if rules.has_token_exchange() {
            Authorization::Removed
        } else {
            Authorization::AsCredential
        }
    }
}
