//! The way over a bridge: sessions go on with a token of their issuer.

use crate::authn::{Because, Crossing, Footing, Judge, Soon, Stock};
use crate::better_auth::session_record::Blame;
use crate::effects::progress::{Progress, Subject};
use crate::forward::header_edits::Authorization;
use crate::http::request::RequestHead;
use crate::policy::Covering;
use crate::reason::Reason;
use crate::time::UnixTime;

use super::{Engine, Otherwise, Pass, Stop, leniency};

impl Engine {
    /// What stands in `Authorization` of a request that goes on. Rules that would not carry a
    /// refusal out let this one pass, as nobody's.
    pub(super) fn bridge(
        &mut self,
        request: &RequestHead<'_>,
        rules: &Covering,
        mut pass: Pass,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Result<(Authorization, Pass), Stop> {
        let crossed = self.cross(request, rules, &mut pass, progress, now);
        let leniency = |reason: Reason, blame: Blame| {
            let each = self.policy.covered_by(rules).map(|rule| leniency(rule, reason, blame, now));
            each.reduce(Option::and).flatten()
        };
        match crossed {
            Ok(authorization) => Ok((authorization, pass)),
            Err(Stop::Ask(need, _)) => {
                let reason = need.reason_without_answer();
                let otherwise = Otherwise::of(|blame| leniency(reason, blame));
                Err(Stop::Ask(need, otherwise))
            }
            Err(
                stop @ (Stop::Refuse(reason) | Stop::InDoubt(reason) | Stop::SignOut(reason, _)),
            ) => match leniency(reason, stop.blame()) {
                None => Err(stop),
                Some(leniency) => {
                    let pass = Pass {
                        soon: pass.soon,
                        in_spite_of: Some((reason, leniency)),
                        ..Pass::default()
                    };
                    Ok((self.without_bridge(rules), pass))
                }
            },
        }
    }

    /// Where sessions go over a bridge, they go with a token of their issuer. A token that came by
    /// itself is one already.
    fn cross(
        &mut self,
        request: &RequestHead<'_>,
        rules: &Covering,
        pass: &mut Pass,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Result<Authorization, Stop> {
        let (Some(bridge), Some(identity), Some(footing)) =
            (self.policy.bridge(rules), &pass.identity, &pass.footing)
        else {
            return Ok(self.without_bridge(rules));
        };
        let mut judge = Judge {
            policy: &self.policy,
            keys: &self.asks.keys,
            sessions: &self.asks.sessions,
            events: &self.asks.events,
            deny_list: self.asks.deny_list.as_ref(),
            proofs: None,
            progress,
            head: *request,
            now,
            max_staleness: None,
            soon: Soon::default(),
        };
        let question = match footing {
            Footing::Session(question) => question,
            Footing::Authorization if judge.suits(bridge) => return Ok(Authorization::Kept),
            Footing::Authorization => return Err(Stop::Refuse(Reason::AudienceMismatch)),
            Footing::Elsewhere => return Ok(Authorization::Removed),
        };
        let place = judge.place_of(question, bridge);
        let crossing = judge.bridged(&self.asks.tokens, question, identity, bridge);
        pass.soon.refresh.extend(judge.soon.refresh);
        let noted = judge.soon.noted;
        let (reason, doubt, cause, blame) = match crossing {
            Crossing::With(token, stock) => {
                let jwt = token.jwt.clone();
                match stock {
                    Stock::New => self.asks.tokens.keep(place, token),
                    Stock::Spare => {
                        pass.in_spite_of = pass
                            .in_spite_of
                            .or(Some((Reason::TokenExchangeUnavailable, "stale-if-error")))
                    }
                    Stock::Kept => {}
                }
                return Ok(Authorization::Bridged(jwt));
            }
            Crossing::Needs(need) => return Err(Stop::Ask(need, Otherwise::default())),
            Crossing::InDoubt(reason) => (reason, None, None, Blame::Partner),
            Crossing::Ended if question.header.0 == "cookie" => {
                return Err(Stop::SignOut(Reason::SessionEnded, question.issuer));
            }
            Crossing::Ended => return Err(Stop::Refuse(Reason::SessionEnded)),
            Crossing::Refused(reason, Because::Doubt(doubt)) => {
                let blame = doubt
                    .map_or(Blame::Gate, |doubt| doubt.blame(request.client_address.is_some()));
                (reason, doubt, None, blame)
            }
            Crossing::Refused(reason, Because::Token(cause)) => {
                (reason, None, Some(cause), Blame::Caller)
            }
        };
        progress.heard.doubt = progress.heard.doubt.or(doubt);
        progress.heard.cause = cause;
        progress.heard.noted = noted;
        // Whoever asked has failed for all that wait.
        if let Some(minted) =
            progress.minted.as_ref().filter(|_| progress.has_asked(&Subject::Token))
        {
            self.asks.tokens.fail(place, minted.asked.number, reason, doubt, now);
        }
        Err(if blame == Blame::Partner { Stop::InDoubt(reason) } else { Stop::Refuse(reason) })
    }

    /// `Authorization` of a request that goes over no bridge: what clients put there never passes
    /// for a token of one.
    pub(super) fn without_bridge(&self, rules: &Covering) -> Authorization {
        if self.policy.has_bridge(rules) {
            Authorization::Removed
        } else {
            Authorization::AsCredential
        }
    }
}
