//! Authorization: what a request's credentials come to, and whether its rules accept that.

use std::sync::Arc;

use crate::authn::credential::{self, Credential};
use crate::authn::identity_basis::IdentityBasis;
use crate::authn::{Authenticator, Verdict};
use crate::better_auth::session_record::{CausedBy, Session};
use crate::cache::verified::Identity;
use crate::effects::{Missing, RequestProgress};
use crate::encoding::members::Members;
use crate::policy::rules::{Access, OnConflict, Rule};
use crate::reason::Reason;

use super::admission::{Admitted, NotAdmitted, Otherwise, Routed, leniency, refuse_or_sign_out};
use super::{Engine, cross_site};

/// A credential that is good: who it is, where it was, what that rests on.
struct Good<'c> {
    identity: Identity,
    place: OnConflict,
    basis: Option<IdentityBasis>,
    credential: Credential<'c>,
}

/// What the credentials of a request have come to.
#[derive(Default)]
struct Found<'c> {
    good: Vec<Good<'c>>,
    /// What has to be known first.
    missing: Option<Missing>,
    /// Why it is not known, and who has caused that.
    failure: Option<(Reason, CausedBy)>,
}

/// The credential that counts.
struct Chosen<'c> {
    good: Good<'c>,
    /// Whether others have to be of the same person.
    has_others: bool,
    /// Whether another site can have caused the request to be sent with it.
    is_ambient: bool,
}

impl Engine {
    /// Every rule that covers the request has to let it pass, each by itself: what one reading of
    /// the target is asked for is asked for whatever other readings there are.
    pub(super) fn authorize(
        &mut self,
        routed: Routed<'_>,
        progress: &mut RequestProgress,
    ) -> Result<Admitted, NotAdmitted> {
        let mut all = Admitted::default();
        let mut ask: Option<(Missing, Otherwise)> = None;
        for rule in routed.rules.all() {
            let outcome = self.authorize_by_rule(routed, rule, progress);
            let leniency =
                |reason: Reason, caused_by: CausedBy| leniency(rule, reason, caused_by, routed.now);
            match outcome {
                Ok(admitted) => all = all.and(admitted)?,
                Err(NotAdmitted::Missing(missing, _)) => {
                    let reason = missing.reason();
                    let otherwise = Otherwise::of(|caused_by| leniency(reason, caused_by));
                    // A single rule that insists is enough for a refusal.
                    ask = Some(ask.map_or((missing, otherwise), |(first, before)| {
                        (first, before.and(otherwise))
                    }));
                }
                Err(
                    not_admitted @ (NotAdmitted::Refuse(reason)
                    | NotAdmitted::Unavailable(reason)
                    | NotAdmitted::SignOut(reason, _)),
                ) => match leniency(reason, not_admitted.caused_by()) {
                    None => {
                        progress.learned.rule = Some(Arc::clone(rule));
                        return Err(not_admitted);
                    }
                    Some(leniency) => {
                        progress.learned.rule.get_or_insert_with(|| Arc::clone(rule));
                        all.in_spite_of = all.in_spite_of.or(Some((reason, leniency)));
                    }
                },
            }
        }
        if let Some((missing, otherwise)) = ask {
            return Err(NotAdmitted::Missing(missing, otherwise));
        }
        if all.in_spite_of.is_some() {
            all.identity = None;
        }
        Ok(all)
    }

    /// What do the request's credentials come to, and does this rule accept that.
    fn authorize_by_rule(
        &mut self,
        routed: Routed<'_>,
        rule: &Rule,
        progress: &mut RequestProgress,
    ) -> Result<Admitted, NotAdmitted> {
        let Routed { head, now, .. } = routed;
        // A preflight carries no credentials by design, and its answer carries no content (Fetch
        // standard): so an origin that does not look at the method would answer anybody with
        // content.
        if rule.access == Access::Public || head.is_preflight() && !rule.refuses_preflights {
            return Ok(Admitted::default());
        }
        let mut authenticator =
            Authenticator::new(&self.policy, &self.effects, progress, *head, now);
        authenticator.max_staleness = rule.max_staleness;
        authenticator.verified_tokens = Some(&mut self.verified_tokens);
        let credentials = credential::find(head, &self.policy, rule);
        let found = verify(&mut authenticator, credentials, rule);
        if rule.access == Access::Required && found.as_ref().is_ok_and(Found::is_empty) {
            authenticator.note_absence(rule);
        }
        let mut deferred = authenticator.deferred;
        progress.learned.findings = deferred.findings.take();
        progress.learned.issuer = deferred.issuer;
        progress.learned.tally.forget_credentials();
        progress.learned.tally.take(std::mem::take(&mut deferred.tally));
        progress.learned.session_data = deferred.session_data;
        let found = found?;
        progress.learned.failure = progress.learned.failure.or(deferred.failure);
        progress.learned.has_own_data |= deferred.has_own_data;
        let Some(Chosen { good, has_others, is_ambient }) = choose(found.all_known()?, rule)?
        else {
            return match rule.access {
                Access::Optional => Ok(Admitted::default()),
                _ => Err(NotAdmitted::Refuse(Reason::NoCredential)),
            };
        };
        // A browser opens a WebSocket to any site, cookies included, and lets the page read what
        // comes (RFC 6455 section 10.2).
        if is_ambient
            && (!head.is_safe() || head.is_web_socket())
            && !cross_site::comes_from_here(head, &self.policy, rule)
        {
            return Err(NotAdmitted::Refuse(Reason::CrossSiteRequest));
        }
        if rule.requirements.are_met(&good.identity.session.attributes, now) {
            let (identity, basis) = (Some(good.identity), good.basis);
            return Ok(Admitted { identity, basis, deferred, ..Admitted::default() });
        }
        let (identity, refresh_deny_list) = self.require(routed, rule, &good, progress)?;
        deferred.refresh_deny_list |= refresh_deny_list;
        // By the answer of now the session may be another person's.
        if has_others && rule.on_conflict.is_none() && !identity.is_same_person(&good.identity) {
            return Err(NotAdmitted::Refuse(Reason::CredentialAmbiguous));
        }
        let (identity, basis) = (Some(identity), good.basis);
        Ok(Admitted { identity, basis, deferred, ..Admitted::default() })
    }

    /// An identity that does not meet what a rule requires, as far as is known: a definite no is
    /// the auth service's answer of now alone. What a cookie, a storage, a cached copy or this
    /// instance does not have is asked for once. Gives also whether the deny-list should be fetched
    /// anew.
    fn require(
        &self,
        routed: Routed<'_>,
        rule: &Rule,
        Good { credential, identity, .. }: &Good<'_>,
        progress: &mut RequestProgress,
    ) -> Result<(Identity, bool), NotAdmitted> {
        let Routed { head, now, .. } = routed;
        let mut authenticator =
            Authenticator::new(&self.policy, &self.effects, progress, *head, now);
        authenticator.max_staleness = rule.max_staleness;
        let meets = |session: &Session| rule.requirements.are_met(&session.attributes, now);
        let found = authenticator.anew(credential, identity, meets);
        let deferred = authenticator.deferred;
        progress.learned.failure = progress.learned.failure.or(deferred.failure);
        let refused = match found {
            Some(Verdict::Good(found)) if meets(&found.session) => {
                return Ok((found, deferred.refresh_deny_list));
            }
            Some(Verdict::Needs(missing)) => {
                return Err(NotAdmitted::Missing(missing, Otherwise::default()));
            }
            // What is known speaks against it, so `on_unavailable` does not let it pass.
            Some(Verdict::Unavailable(reason)) => return Err(NotAdmitted::Refuse(reason)),
            Some(Verdict::Bad(reason)) => return Err(refuse_or_sign_out(reason, credential)),
            Some(Verdict::Good(found)) => found,
            // A token says all that there is to know.
            None => identity.clone(),
        };
        let unmet = rule.requirements.first_unmet(&refused.session.attributes, now);
        if let Some((name, expected, found)) = unmet {
            let mut requirement = Members::default();
            requirement.text("name", &name);
            requirement.add("expected", expected);
            if let Some(found) = found {
                requirement.add("found", found);
            }
            let findings = progress.learned.findings.get_or_insert_default();
            findings.add("requirement", requirement.written());
            findings.text("issuer", &refused.issuer.name);
        }
        if rule.requirements.come_before(&refused.session.attributes, now) {
            progress.learned.cause = Some(Reason::TokenNotYetValid);
        }
        Err(NotAdmitted::Refuse(Reason::Forbidden))
    }
}

impl Admitted {
    /// What two rules that let the request pass come to together.
    fn and(mut self, other: Self) -> Result<Self, NotAdmitted> {
        self.identity = match (self.identity, other.identity) {
            (Some(one), Some(other)) if !one.is_same_person(&other) => {
                return Err(NotAdmitted::Refuse(Reason::CredentialAmbiguous));
            }
            // What has been learned for one of them counts for all.
            (Some(one), Some(other)) if one.session.known < other.session.known => Some(other),
            (one, other) => one.or(other),
        };
        self.basis = self.basis.or(other.basis);
        self.deferred.refresh.extend(other.deferred.refresh);
        self.deferred.refresh_deny_list |= other.deferred.refresh_deny_list;
        self.deferred.renewal = self.deferred.renewal.or(other.deferred.renewal);
        self.deferred.vouched_for = self.deferred.vouched_for.or(other.deferred.vouched_for);
        Ok(self)
    }
}

/// What each credential comes to.
///
/// # Errors
/// One of them is bad.
fn verify<'c>(
    authenticator: &mut Authenticator<'_>,
    credentials: impl Iterator<Item = Credential<'c>>,
    rule: &Rule,
) -> Result<Found<'c>, NotAdmitted> {
    let mut found = Found::default();
    for credential in credentials {
        let verdict = authenticator.credential(&credential, rule);
        authenticator.note_credential(&credential, &verdict);
        match verdict {
            Verdict::Good(identity) => {
                let exchange = rule.token_exchange.as_ref();
                let basis = exchange.map(|_| authenticator.basis(&credential, &identity));
                let place =
                    if credential.is_ambient() { OnConflict::Cookie } else { OnConflict::Header };
                found.good.push(Good { identity, place, basis, credential });
            }
            Verdict::Unavailable(reason) => {
                found.failure = found.failure.or(Some((reason, CausedBy::Partner)));
            }
            // One that somebody may have brought about is enough.
            Verdict::Bad(reason) if reason.status() == 503 => {
                let first = found.failure.map_or(reason, |(first, _)| first);
                found.failure = Some((first, CausedBy::Gate));
            }
            Verdict::Bad(reason) => {
                authenticator.note_refused(&credential, reason, rule);
                return Err(refuse_or_sign_out(reason, &credential));
            }
            Verdict::Needs(missing) => found.missing = found.missing.or(Some(missing)),
        }
    }
    Ok(found)
}

impl<'c> Found<'c> {
    /// Whether there was no credential at all.
    fn is_empty(&self) -> bool {
        self.good.is_empty() && self.missing.is_none() && self.failure.is_none()
    }

    /// The good ones, if it is known of each what it comes to.
    fn all_known(self) -> Result<Vec<Good<'c>>, NotAdmitted> {
        match (self.failure, self.missing) {
            (Some((reason, CausedBy::Partner)), _) => Err(NotAdmitted::Unavailable(reason)),
            (Some((reason, _)), _) => Err(NotAdmitted::Refuse(reason)),
            (None, Some(missing)) => Err(NotAdmitted::Missing(missing, Otherwise::default())),
            (None, None) => Ok(self.good),
        }
    }
}

/// The credential that counts, by the rule's preference; nothing where there is none.
///
/// # Errors
/// Without a preference they have to be of one person.
fn choose<'c>(mut good: Vec<Good<'c>>, rule: &Rule) -> Result<Option<Chosen<'c>>, NotAdmitted> {
    let is_preferred = |place| rule.on_conflict.is_none_or(|preferred| preferred == place);
    let preferred = good.iter().position(|each| is_preferred(each.place)).unwrap_or(0);
    let all_ambient = good.iter().all(|each| each.place == OnConflict::Cookie);
    let Some(chosen) = good.get(preferred) else { return Ok(None) };
    if rule.on_conflict.is_none()
        && !good.iter().all(|other| chosen.identity.is_same_person(&other.identity))
    {
        return Err(NotAdmitted::Refuse(Reason::CredentialAmbiguous));
    }
    let chosen = good.swap_remove(preferred);
    // With a preference the one that counts has to stand by itself; without one they all say the
    // same.
    let is_ambient = match rule.on_conflict {
        Some(_) => chosen.place == OnConflict::Cookie,
        None => all_ambient,
    };
    Ok(Some(Chosen { good: chosen, has_others: !good.is_empty(), is_ambient }))
}
