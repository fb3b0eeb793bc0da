//! The way over a bridge: sessions go on with a token of their issuer, and it is noticed when one ends.

use crate::annotate::Authorization;
use crate::cookie;
use crate::judge::{self, Because, Crossing, Footing, Judge, Soon, Stock};
use crate::path::Path;
use crate::policy::Covering;
use crate::progress::{Errand, Progress, Subject};
use crate::reason::Reason;
use crate::request::RequestHead;
use crate::session::Blame;
use crate::time::UnixTime;

use super::{Engine, Otherwise, Pass, Stop, leniency};

impl Engine {
    /// What stands in `Authorization` of a request that goes on. Rules that would not carry a refusal out let this one pass,
    /// as nobody's.
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
            Err(stop @ (Stop::Refuse(reason) | Stop::InDoubt(reason) | Stop::SignOut(reason, _))) => {
                match leniency(reason, stop.blame()) {
                    None => Err(stop),
                    Some(leniency) => {
                        let pass = Pass { soon: pass.soon, in_spite_of: Some((reason, leniency)), ..Pass::default() };
                        Ok((self.without_bridge(rules), pass))
                    }
                }
            }
        }
    }

    /// Where sessions go over a bridge, they go with a token of their issuer. A token that came by itself is one already.
    fn cross(
        &mut self,
        request: &RequestHead<'_>,
        rules: &Covering,
        pass: &mut Pass,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Result<Authorization, Stop> {
        let (Some(bridge), Some(identity), Some(footing)) = (self.policy.bridge(rules), &pass.identity, &pass.footing) else {
            return Ok(self.without_bridge(rules));
        };
        let mut judge = Judge {
            policy: &self.policy,
            keys: &self.asks.keys,
            sessions: &self.asks.sessions,
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
                    Stock::Spare => pass.in_spite_of = pass.in_spite_of.or(Some((Reason::BridgeUnavailable, "stale"))),
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
                let blame = doubt.map_or(Blame::Gate, |doubt| doubt.blame(request.client_address.is_some()));
                (reason, doubt, None, blame)
            }
            Crossing::Refused(reason, Because::Token(cause)) => (reason, None, Some(cause), Blame::Caller),
        };
        progress.heard.doubt = progress.heard.doubt.or(doubt);
        progress.heard.cause = cause;
        progress.heard.noted = noted;
        // Whoever asked has failed for all that wait.
        if progress.has_asked(&Subject::Token) {
            self.asks.tokens.fail(place, reason, doubt, now);
        }
        Err(if blame == Blame::Partner { Stop::InDoubt(reason) } else { Stop::Refuse(reason) })
    }

    /// `Authorization` of a request that goes over no bridge: what clients put there never passes for a token of one.
    pub(super) fn without_bridge(&self, rules: &Covering) -> Authorization {
        if self.policy.has_bridge(rules) { Authorization::Removed } else { Authorization::AsCredential }
    }

    /// The name of the session in the request's cookie of this issuer, as far as it is one.
    pub(super) fn session_of(&self, request: &RequestHead<'_>, number: usize) -> Option<[u8; 32]> {
        let issuer = self.policy.issuers.get(number)?;
        let cookie = cookie::first(request, &issuer.better_auth.as_ref()?.cookies.session_token)?;
        Some(judge::digest_of(issuer, "cookie", &cookie.value()))
    }

    /// A request that may end its own session, for which tokens are kept. The auth service itself does so: nothing is kept
    /// from here on. Another origin may do so: its response says.
    pub(super) fn watch(&mut self, request: &RequestHead<'_>, path: &Path<'_>, now: UnixTime) -> Option<Errand> {
        if request.is_safe() {
            return None;
        }
        for number in 0..self.policy.issuers.len() {
            let Some(digest) = self.session_of(request, number).filter(|digest| self.asks.tokens.knows(digest)) else { continue };
            let Some(service) = self.policy.issuers.get(number).and_then(|issuer| issuer.better_auth.as_ref()) else { continue };
            if path.readings().any(|reading| service.has(reading, request.public_origin)) {
                self.asks.tokens.forget(&digest);
            }
            return Some(self.asks.watch(number, digest, now));
        }
        None
    }
}
