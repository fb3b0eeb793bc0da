//! A JWT: whose is it, does its signature hold, do its claims.

use std::borrow::Cow;
use std::sync::Arc;

use crate::authn::credential::BearerValue;
use crate::better_auth::session_record::Session;
use crate::cache::keys::{KeyMiss, KeyQuery};
use crate::cache::verified::{Identity, KeySetUsed, Use, VerifiedClaims, VerifiedToken};
use crate::effects::Missing;
use crate::effects::keys::KeySetQuery;
use crate::effects::signature::ToCheck;
use crate::effects::wait::Wait;
use crate::encoding::json;
use crate::jose::alg::Algorithm;
use crate::jose::claims::{self, Claims, Expectations};
use crate::jose::jws::{Jws, UnverifiedClaims};
use crate::jose::verify::{self, Signature, Unconfirmed, Verified};
use crate::policy::issuer::{Issuer, TokenLocation};
use crate::policy::rules::Rule;
use crate::reason::Reason;

use super::{Authenticator, Obstacle, Verdict};

impl<'e> Authenticator<'e> {
    /// What follows `Bearer`: most often a JWT that has been verified before, and then nobody has
    /// to look what it is.
    pub(super) fn bearer_value(&mut self, value: &BearerValue<'_>, rule: &Rule) -> Verdict {
        match value
            .as_jwt()
            .and_then(|token| self.proven_jwt(token, &TokenLocation::Authorization, rule))
        {
            Some(identity) => self.if_recent(identity),
            None => self.by_itself(&value.read(), rule),
        }
    }

    /// A JWT: whose is it, does its signature hold, do its claims.
    pub(crate) fn jwt(&mut self, token: &str, place: &TokenLocation, rule: &Rule) -> Verdict {
        if let Some(identity) = self.proven_jwt(token, place, rule) {
            return self.if_recent(identity);
        }
        let verified_token = self
            .unconfirmed(token, place, rule)
            .map_or_else(|| self.verify_jwt(token, place, rule), Ok);
        match verified_token {
            Ok(verified_token) => {
                self.keep(Use::Jwt, [token, self.name_of_site()], &verified_token);
                self.if_recent(verified_token.identity)
            }
            Err(Obstacle::Bad(reason) | Obstacle::Outdated(reason, _)) => Verdict::Bad(reason),
            Err(Obstacle::Unavailable(reason)) => Verdict::Unavailable(reason),
            Err(Obstacle::Needs(missing)) => Verdict::Needs(missing),
        }
    }

    fn proven_jwt(&mut self, token: &str, place: &TokenLocation, rule: &Rule) -> Option<Identity> {
        self.already_verified(Use::Jwt, [token, self.name_of_site()])
            .map(|(identity, _)| identity)
            .filter(|identity| admits(&identity.issuer, place, rule))
    }

    fn verify_jwt(
        &mut self,
        token: &str,
        place: &TokenLocation,
        rule: &Rule,
    ) -> Result<VerifiedToken, Obstacle> {
        let jws = Jws::parse(token)?;
        let unverified = jws.unverified_claims().ok_or(Reason::ClaimsMalformed)?;
        let issuer = self.issuer_of(&unverified, place, rule);
        let issuer =
            issuer.inspect_err(|reason| self.note_issuer(*reason, &unverified, place, rule))?;
        self.deferred.issuer = Some(issuer.id.place());
        let typ = jws.header.typ.as_deref();
        match self.by_key_set(issuer, &jws) {
            Ok((verified, key_set)) => {
                Ok(self.verified_token_of(issuer, &verified, unverified, typ, key_set)?)
            }
            // The claims are at hand now, and so they are read now.
            Err(Obstacle::Needs(Missing::Check(mut wanted))) => {
                let generation = self.keys.generation(issuer.id, self.now);
                wanted.unconfirmed = Unconfirmed::of(&jws, |verified| {
                    let key_set = KeySetUsed { generation: generation? };
                    let verified_token =
                        self.verified_token_of(issuer, &verified, unverified, typ, key_set).ok()?;
                    Some(Box::new(VerifiedClaims { token: token.into(), verified_token }))
                });
                Err(Obstacle::Needs(Missing::Check(wanted)))
            }
            Err(obstacle) => Err(obstacle),
        }
    }

    /// What a token proves by its claims.
    fn verified_token_of(
        &self,
        issuer: &Arc<Issuer>,
        verified: &Verified<'_>,
        read_before: UnverifiedClaims<'_>,
        typ: Option<&str>,
        key_set: KeySetUsed,
    ) -> Result<VerifiedToken, Reason> {
        let expected = issuer.expected(self.head.public_origin).ok_or(Reason::IssuerUnknown)?;
        let claims = Claims::check(verified, Some(read_before), typ, &expected, self.now)?;
        let identity =
            self.identity(issuer, Session::of_claims(&claims, &self.policy.named_claims)?);
        Ok(VerifiedToken { identity, window: claims.window(), key_set: Some(key_set) })
    }

    /// What this very token proves, worked out while its signature was being checked: if that
    /// holds, and it is still so now.
    fn unconfirmed(
        &mut self,
        token: &str,
        place: &TokenLocation,
        rule: &Rule,
    ) -> Option<VerifiedToken> {
        let claimed =
            self.progress.memory.signature.proven.iter().find(|claimed| claimed.is_of(token))?;
        let VerifiedToken { identity, window, key_set } = &claimed.verified_token;
        let holds = window.contains(self.now)
            && admits(&identity.issuer, place, rule)
            && self.still_uses(&identity.issuer, *key_set);
        holds.then(|| claimed.verified_token.clone())
    }

    /// Where a JWT was verified, as far as that says anything: one of an issuer of several hosts
    /// proves nothing at another host.
    fn name_of_site(&self) -> &'e str {
        let has_several = self.policy.issuers.iter().any(|issuer| !issuer.public_hosts.is_empty());
        if has_several { self.head.public_origin } else { "" }
    }

    /// Rejects a JWT that is older than the rule's `max_staleness_seconds`. Unlike a session, a JWT
    /// cannot be refreshed by asking the auth service.
    fn if_recent(&self, identity: Identity) -> Verdict {
        if self.is_recent(&identity.session) {
            Verdict::Good(identity)
        } else {
            Verdict::Bad(Reason::TokenTooOld)
        }
    }

    /// Whose token it says it is: that only picks the keys and the expectations that it is then
    /// held to. Of several with one `iss` the audience picks (the configuration sees to it that
    /// they share none).
    fn issuer_of(
        &self,
        unverified: &UnverifiedClaims<'_>,
        place: &TokenLocation,
        rule: &Rule,
    ) -> Result<&'e Arc<Issuer>, Reason> {
        let unverified = &unverified.members;
        let unverified_issuer = match unverified.get("iss") {
            None => return Err(Reason::ClaimMissing),
            Some(issuer) => issuer.as_text().ok_or(Reason::ClaimsMalformed)?,
        };
        let origin = self.head.public_origin;
        let candidate = |issuer: &'e Arc<Issuer>| {
            let expected =
                issuer.expected(origin).filter(|expected| expected.issuer == unverified_issuer)?;
            admits(issuer, place, rule).then_some((issuer, expected))
        };
        let mut candidates = self.policy.issuers.iter().filter_map(candidate);
        let first = candidates.next().ok_or(Reason::IssuerUnknown)?;
        let by_audience = |(_, expected): &(&Arc<Issuer>, Cow<'_, Expectations>)| {
            claims::check_aud(unverified, expected).is_ok()
        };
        let of_first = first.0;
        Ok([first]
            .into_iter()
            .chain(candidates)
            .find(by_audience)
            .map_or(of_first, |(issuer, _)| issuer))
    }

    /// The signature of a token by an issuer's key set.
    pub(crate) fn by_key_set<'j>(
        &mut self,
        issuer: &Arc<Issuer>,
        jws: &'j Jws<'_>,
    ) -> Result<(Verified<'j>, KeySetUsed), Obstacle> {
        let algorithm = Algorithm::from_name(&jws.header.alg)
            .filter(|algorithm| issuer.algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or(Obstacle::Bad(Reason::AlgNotAllowed))?;
        let wanted = KeyQuery { algorithm, kid: jws.header.kid.as_deref() };
        let key = self.keys.select(issuer.id, wanted, self.progress, self.now);
        let result = match &key {
            Ok(_) => "hit",
            Err(KeyMiss::Fetch(_) | KeyMiss::Wait) => "miss",
            Err(KeyMiss::Missing(_) | KeyMiss::Away) => "negative",
        };
        self.note_lookup("keys", result);
        let key = key.map_err(|miss| self.without_key(issuer, jws, miss))?;
        let by_host = self.policy.capabilities.checks(algorithm);
        match verify::jws(jws, algorithm, key, by_host, &self.progress.memory.signature.checked) {
            Signature::Holds(verified) => {
                let generation =
                    self.keys.generation(issuer.id, self.now).ok_or(Reason::KeysUnavailable)?;
                self.note_refresh(issuer);
                Ok((verified, KeySetUsed { generation }))
            }
            Signature::Fails => {
                let miss =
                    self.keys.refusal(issuer.id, Reason::SignatureInvalid, self.progress, self.now);
                Err(self.without_key(issuer, jws, miss))
            }
            // A second check by one key is refused: the platform has failed.
            Signature::Unchecked(check) if self.progress.memory.signature.has_asked(&check) => {
                let unavailable = if self.progress.memory.signature.is_unsupported(&check) {
                    Obstacle::Bad
                } else {
                    Obstacle::Unavailable
                };
                Err(unavailable(Reason::SignatureCheckUnavailable))
            }
            Signature::Unchecked(check) => {
                Err(Obstacle::Needs(ToCheck { check, unconfirmed: None }.into()))
            }
        }
    }

    /// Why a token has no key (yet). Where its issuer has one and it is not used, the log says so.
    fn without_key(&mut self, issuer: &Arc<Issuer>, jws: &Jws<'_>, miss: KeyMiss) -> Obstacle {
        match miss {
            KeyMiss::Fetch(cache_use) => Obstacle::Needs(
                KeySetQuery { issuer: Arc::clone(issuer), cache_use, kid: jws.header.kid.clone() }
                    .into(),
            ),
            KeyMiss::Wait => Obstacle::Needs(Wait(Reason::KeysUnavailable).into()),
            KeyMiss::Missing(reason) => {
                if matches!(reason, Reason::KeyNotFound | Reason::KeysUnavailable) {
                    self.note_left_out(issuer, jws);
                }
                Obstacle::Bad(reason)
            }
            KeyMiss::Away => {
                self.note_left_out(issuer, jws);
                Obstacle::Unavailable(Reason::KeysUnavailable)
            }
        }
    }

    /// The key of this token's issuer that would have been its key and is not used, for the log.
    fn note_left_out(&mut self, issuer: &Issuer, jws: &Jws<'_>) {
        let left_out = self.keys.left_out(issuer.id, jws.header.kid.as_deref(), self.now);
        if !left_out.is_empty() {
            let left_out = json::written(&left_out);
            self.deferred.findings.get_or_insert_default().add("left_out_keys", left_out);
        }
    }
}

/// Whether a rule accepts tokens of this issuer at this place.
fn admits(issuer: &Issuer, place: &TokenLocation, rule: &Rule) -> bool {
    rule.accepts(issuer.id) && issuer.places.contains(place)
}
