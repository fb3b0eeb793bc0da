//! The engine: the order of the rooms, and nothing of what happens inside them.

mod connection;
mod cross_site;
mod events;
pub(crate) mod explain;
mod token_exchange;

use crate::authn::credential::{self, Credential};
use crate::authn::identity_basis::IdentityBasis;
use crate::authn::{Authenticator, Deferred, Verdict};
use crate::better_auth::session_record::{CausedBy, Session};
use crate::cache::session_events::{LONGEST_MILLIS, LONGEST_SECONDS, Moment};
use crate::cache::shared::CacheUse;
use crate::cache::shared::CacheWrite;
use crate::cache::verified::{Identity, VerifiedTokens};
use crate::capabilities::Capabilities;
use crate::decision::{Decision, Finish, Forward, Refusal, Served};
use crate::effect::EffectResult;
use crate::effects::assertion::ToSign;
use crate::effects::deny_list::DenyListQuery;
use crate::effects::keys::KeySetQuery;
use crate::effects::learned::Learned;
use crate::effects::pending::{PendingEffect, PendingParts};
use crate::effects::session::Question;
use crate::effects::state::{EffectState, REQUEST_BUDGET_MILLIS};
use crate::effects::watch::Watch;
use crate::effects::{Context, Missing, Purpose, RequestProgress, wait};
use crate::engine::explain::Explanation;
use crate::forward::assertion::{self, About};
use crate::forward::header_edits::{self, Authorization};
use crate::forward::mark::{self, Forwarded};
use crate::forward::onward::{self, Onward};
use crate::http::path::Path;
use crate::http::request::{RequestHead, RequestKind};
use crate::policy::{Access, MatchedRules, OnConflict, Policy, Rule};
use crate::reason::Reason;
use crate::response::refusal;
use crate::time::UnixTime;

/// Answers one question: given this request, what we know, and this moment, what should the host do
/// next?
///
/// It never fetches, never reads a clock, never rolls dice. Give it the same calls and it gives the
/// same decisions.
pub struct Engine {
    policy: Policy,
    effects: EffectState,
    verified_tokens: VerifiedTokens,
    seed: u64,
    assertions_made: u64,
}

/// Why a request does not go on (yet).
enum NotAdmitted {
    /// And what becomes of it if nobody can be asked.
    Missing(Missing, Otherwise),
    Refuse(Reason),
    /// Nobody knows, because who was asked has failed.
    Unavailable(Reason),
    /// The session of this issuer's cookie has ended, by the word of the auth service or the
    /// operator: its cookies are dead.
    SignOut(Reason, usize),
}

/// A request that goes on.
#[derive(Default)]
struct Admitted {
    identity: Option<Identity>,
    /// What that rests on, where there is a bridge to cross.
    basis: Option<IdentityBasis>,
    deferred: Deferred,
    /// Why it would not, and why it does anyway: then it goes on as nobody's.
    in_spite_of: Option<(Reason, Leniency)>,
}

/// A credential that is good: who it is, where it was, what that rests on.
type Good<'c> = (Identity, OnConflict, Option<IdentityBasis>, Credential<'c>);

/// What the origin is told besides who it is.
struct OriginContext {
    assertion: Option<String>,
    authorization: Authorization,
}

/// Why a refusal is not carried out, as the log says it.
type Leniency = &'static str;

/// What becomes of a request for which nobody can be asked, by whose doing that is.
#[derive(Clone, Copy, Default)]
struct Otherwise {
    partner: Option<Leniency>,
    gate: Option<Leniency>,
}

/// Which of a request's sessions are looked at when its response is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Those that such a request may change.
    Changing,
    /// All of them: cookies are waiting for the response.
    All,
}

impl Engine {
    /// An engine for a policy. `seed` is any random number: it spreads retries over time, and
    /// nothing depends on its being secret.
    pub fn new(policy: Policy, seed: u64) -> Self {
        let effects = EffectState::new(&policy, seed);
        Self {
            policy,
            effects,
            verified_tokens: VerifiedTokens::new(seed),
            seed,
            assertions_made: 0,
        }
    }

    /// What the names of the identity headers begin with, in lower case.
    pub fn header_prefix(&self) -> &str {
        &self.policy.header_prefix
    }

    /// The same engine as it began. A suite that plays a million beginnings reads its configuration
    /// once.
    #[cfg(feature = "conformance")]
    #[must_use]
    pub fn restarted(self) -> Self {
        Self::new(self.policy, self.seed)
    }

    /// Decides on a request at this moment.
    pub fn decide(&mut self, request: &RequestHead<'_>, now: UnixTime) -> Decision {
        let arrival = self.effects.events.moment(now);
        self.consider(request, RequestProgress::new(arrival, REQUEST_BUDGET_MILLIS), now)
    }

    /// Goes on with a request after its effect. `request` is the same head again: everything is
    /// derived from it anew, so a reply can only ever count for what was asked. What a token proves
    /// is not worked out twice, if it is the same token.
    pub fn resume(
        &mut self,
        request: &RequestHead<'_>,
        pending: PendingEffect,
        result: EffectResult<'_>,
        now: UnixTime,
    ) -> Decision {
        let progress = self.learn(pending.into_parts(), &result, now);
        self.consider(request, progress, now)
    }

    /// What the host is to put into the cache that instances share, when it has the time: what was
    /// learned since this was asked last. Nothing where the host has none
    /// ([`crate::Capabilities::and_sharing`]).
    pub fn cache_writes(&mut self) -> Vec<CacheWrite> {
        self.effects.cache_writes()
    }

    /// Takes the answer to an effect that was carried after the response.
    pub fn receive(&mut self, pending: PendingEffect, result: EffectResult<'_>, now: UnixTime) {
        self.learn(pending.into_parts(), &result, now);
    }

    /// Learns what an effect has brought; gives what its request has learned so far.
    fn learn(
        &mut self,
        parts: PendingParts,
        result: &EffectResult<'_>,
        now: UnixTime,
    ) -> RequestProgress {
        let PendingParts { effect, continuation, mut progress } = parts;
        continuation.learn(effect, result, &mut self.context(&mut progress, now));
        progress
    }

    /// What effects of this request begin with and are learned into.
    const fn context<'c>(
        &'c mut self,
        progress: &'c mut RequestProgress,
        now: UnixTime,
    ) -> Context<'c> {
        Context { policy: &self.policy, state: &mut self.effects, progress, now }
    }

    /// Takes the answer to an effect that was carried alongside the origin, now that the origin's
    /// response is there, and says what the response gets besides. What the response itself says
    /// about the session's cookies goes before, and so does whatever has happened to the session
    /// meanwhile: somebody may have signed out.
    pub fn finish(
        &mut self,
        pending: PendingEffect,
        result: EffectResult<'_>,
        origin_set_cookies: &[&str],
        now: UnixTime,
    ) -> Finish {
        let mut parts = pending.into_parts();
        let watch = std::mem::take(&mut parts.progress.watch);
        self.comes_back(&watch, origin_set_cookies, now);
        let arrived = parts.progress.arrival.number;
        let withdraws_cookies = watch.cookies_of.iter().any(|(session, learned)| {
            self.effects.events.has_overtaken(session, *learned, arrived, now)
        });
        let as_of = self.as_of(&watch, now, 0);
        Finish { withdraws_cookies, ..self.finished(parts, result, as_of, now) }
    }

    /// The same for a host that does not see the response: before the request goes on. Whatever
    /// that changes counts from now until a response would be there.
    pub fn finish_unseen(
        &mut self,
        pending: PendingEffect,
        result: EffectResult<'_>,
        now: UnixTime,
    ) -> Finish {
        let mut parts = pending.into_parts();
        let watch = std::mem::take(&mut parts.progress.watch);
        self.is_unseen(&watch, now);
        let as_of = self.as_of(&watch, now.plus_millis(LONGEST_MILLIS), LONGEST_SECONDS);
        self.finished(parts, result, as_of, now)
    }

    fn finished(
        &mut self,
        parts: PendingParts,
        result: EffectResult<'_>,
        as_of: Vec<String>,
        now: UnixTime,
    ) -> Finish {
        let mut progress = self.learn(parts, &result, now);
        self.context(&mut progress, now).drop_overtaken();
        let log = refusal::renewal_log_line(&progress.learned);
        let mut set_cookies = progress.learned.set_cookies;
        set_cookies.extend(as_of);
        Finish { headers: refusal::set_cookie_headers(set_cookies), withdraws_cookies: false, log }
    }

    /// All header edits of a forward for a host that sends it on over a connection of its own.
    pub fn onward(&self, request: &RequestHead<'_>, forward: &Forward) -> Onward {
        onward::onward(&self.policy, request, forward)
    }

    /// The answer for what only the host finds out, after the decision:
    /// [`Reason::OriginUnreachable`], [`Reason::OriginTimedOut`], or [`Reason::PathRefused`] where
    /// the platform would send another path than the judged one.
    pub fn refuse(&self, request: &RequestHead<'_>, reason: Reason) -> Refusal {
        let path = Path::of(request, self.policy.framework.as_ref()).ok();
        match refusal::refuse(reason, &self.policy, request, path.as_ref(), Learned::default()) {
            Decision::Reject(answer) | Decision::Redirect(answer) => answer,
            Decision::Perform(_) | Decision::Forward(_) | Decision::Respond(_) => {
                refusal::refuse_without_engine(reason, request)
            }
        }
    }

    /// The same rooms, all findings instead of the first. Changes nothing and asks nobody.
    pub fn explain(&self, request: &RequestHead<'_>, now: UnixTime) -> Explanation {
        let progress =
            RequestProgress::new(Moment { number: self.effects.events.last(), at: now }, 0);
        explain::explain(Authenticator {
            policy: &self.policy,
            keys: &self.effects.keys,
            sessions: &self.effects.sessions,
            events: &self.effects.events,
            deny_list: self.effects.deny_list.as_ref(),
            verified_tokens: None,
            progress: &progress,
            head: *request,
            now,
            max_staleness: None,
            deferred: Deferred::default(),
        })
    }

    fn consider(
        &mut self,
        request: &RequestHead<'_>,
        mut progress: RequestProgress,
        now: UnixTime,
    ) -> Decision {
        self.context(&mut progress, now).drop_overtaken();
        if !request.has_plain_method() {
            return refusal::refuse(
                Reason::MethodRefused,
                &self.policy,
                request,
                None,
                progress.learned,
            );
        }
        let path = match Path::of(request, self.policy.framework.as_ref()) {
            Ok(path) => path,
            Err(reason) => {
                return refusal::refuse(reason, &self.policy, request, None, progress.learned);
            }
        };
        if let Some(served) = self.key_set(request, &path) {
            return Decision::Respond(served);
        }
        let Some(rules) = self.policy.matched_rules(&path, request) else {
            return refusal::refuse(
                Reason::RouteDenied,
                &self.policy,
                request,
                Some(&path),
                progress.learned,
            );
        };
        let outcome = self
            .authorize(request, &rules, &mut progress, now)
            .and_then(|admitted| self.token_exchange(request, &rules, admitted, &mut progress, now))
            .and_then(|(authorization, admitted)| {
                let assertion =
                    self.assertion(request, &path, &rules, &admitted, &mut progress, now)?;
                Ok((OriginContext { assertion, authorization }, admitted))
            });
        let reason = match outcome {
            Ok((for_origin, admitted)) => {
                return self.forward(request, &path, &rules, admitted, for_origin, progress, now);
            }
            Err(NotAdmitted::Refuse(reason) | NotAdmitted::Unavailable(reason)) => reason,
            Err(NotAdmitted::SignOut(reason, issuer)) => {
                // Whatever the service has just set for it: it does not know yet.
                if reason == Reason::SessionRevoked {
                    progress.learned.set_cookies.clear();
                }
                self.sign_out(request, issuer, &mut progress, now);
                reason
            }
            Err(NotAdmitted::Missing(missing, otherwise)) => {
                match missing.begin(request, &mut self.context(&mut progress, now)) {
                    Ok(begun) => return Decision::Perform(PendingEffect::new(begun, progress)),
                    // What was said longer ago may do.
                    Err(_) if !progress.has_given_up => {
                        progress.has_given_up = true;
                        return self.consider(request, progress, now);
                    }
                    Err((reason, failure)) => {
                        match otherwise.by(failure.caused_by(request.client_address.is_some())) {
                            None => reason,
                            Some(leniency) => {
                                let admitted = Admitted {
                                    in_spite_of: Some((reason, leniency)),
                                    ..Admitted::default()
                                };
                                let for_origin = OriginContext {
                                    assertion: None,
                                    authorization: self.without_token_exchange(&rules),
                                };
                                return self.forward(
                                    request, &path, &rules, admitted, for_origin, progress, now,
                                );
                            }
                        }
                    }
                }
            }
        };
        refusal::refuse(reason, &self.policy, request, Some(&path), progress.learned)
    }

    /// The public keys of the assertions, for whoever asks at their path: they are no secret.
    fn key_set(&self, request: &RequestHead<'_>, path: &Path<'_>) -> Option<Served> {
        let assertions = self.policy.assertions.as_ref()?;
        if assertions.jwks_path.as_deref()? != path.segments()
            || !matches!(request.method, "GET" | "HEAD")
        {
            return None;
        }
        let body =
            if request.method == "HEAD" { String::new() } else { assertion::key_set(assertions) };
        let headers = vec![
            ("content-type".to_owned(), "application/jwk-set+json".to_owned()),
            ("cache-control".to_owned(), "public, max-age=300".to_owned()),
        ];
        Some(Served { status: 200, headers, body })
    }

    /// What the gate says to the origin about this request, signed; nothing where nobody is vouched
    /// for.
    fn assertion(
        &mut self,
        request: &RequestHead<'_>,
        path: &Path<'_>,
        rules: &MatchedRules,
        admitted: &Admitted,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) -> Result<Option<String>, NotAdmitted> {
        let (Some(assertions), Some(identity)) = (&self.policy.assertions, &admitted.identity)
        else {
            return Ok(None);
        };
        let (id, issued) = *progress.memory.assertion.number.get_or_insert_with(|| {
            self.assertions_made = self.assertions_made.wrapping_add(1);
            (assertion::id(self.seed, self.assertions_made, now), now)
        });
        let audience =
            self.policy.rules.get(rules.strictest).and_then(|rule| rule.audience.as_deref());
        let statement = &header_edits::statement(identity, &self.policy, rules);
        let about = About {
            request,
            target: &path.target(),
            audience: audience.unwrap_or(&assertions.audience),
            statement,
        };
        let nothing = Capabilities::none();
        let memory = &progress.memory.assertion;
        let host = if memory.signs_inside { &nothing } else { &self.policy.capabilities };
        match assertion::sign(assertions, &about, id, issued, memory.signed.as_ref(), host) {
            Ok(assertion) => Ok(Some(assertion)),
            Err(request) if memory.may_ask() => {
                Err(NotAdmitted::Missing(ToSign(request).into(), Otherwise::default()))
            }
            Err(_) => Err(NotAdmitted::Refuse(Reason::AssertionUnavailable)),
        }
    }

    /// Every rule that covers the request has to let it pass, each by itself: what one reading of
    /// the target is asked for is asked for whatever other readings there are.
    fn authorize(
        &mut self,
        request: &RequestHead<'_>,
        rules: &MatchedRules,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) -> Result<Admitted, NotAdmitted> {
        let mut all = Admitted::default();
        let mut ask: Option<(Missing, Otherwise)> = None;
        for number in rules.all() {
            let outcome = self.authorize_by_rule(request, number, progress, now);
            let rule = self.policy.rules.get(number);
            let leniency = |reason: Reason, caused_by: CausedBy| {
                rule.and_then(|rule| leniency(rule, reason, caused_by, now))
            };
            match outcome {
                Ok(admitted) => {
                    all.identity = match (all.identity, admitted.identity) {
                        (Some(one), Some(other)) if !one.is_same_person(&other) => {
                            return Err(NotAdmitted::Refuse(Reason::CredentialAmbiguous));
                        }
                        // What has been learned for one of them counts for all.
                        (Some(one), Some(other)) if one.session.known < other.session.known => {
                            Some(other)
                        }
                        (one, other) => one.or(other),
                    };
                    all.basis = all.basis.or(admitted.basis);
                    all.deferred.refresh.extend(admitted.deferred.refresh);
                    all.deferred.refresh_deny_list |= admitted.deferred.refresh_deny_list;
                    all.deferred.renewal = all.deferred.renewal.or(admitted.deferred.renewal);
                    all.deferred.vouched_for =
                        all.deferred.vouched_for.or(admitted.deferred.vouched_for);
                }
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
                    None => return Err(not_admitted),
                    Some(leniency) => {
                        all.in_spite_of = all.in_spite_of.or(Some((reason, leniency)))
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

    /// What do the request's credentials come to, and does the rule with this number accept that.
    fn authorize_by_rule(
        &mut self,
        request: &RequestHead<'_>,
        number: usize,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) -> Result<Admitted, NotAdmitted> {
        let rule = self.policy.rules.get(number).ok_or(NotAdmitted::Refuse(Reason::RouteDenied))?;
        // A preflight carries no credentials by design, and its answer carries no content (Fetch
        // standard): so an origin that does not look at the method would answer anybody with
        // content.
        if rule.access == Access::Public || request.is_preflight() && !rule.judges_preflights {
            return Ok(Admitted::default());
        }
        let mut authenticator = Authenticator {
            policy: &self.policy,
            keys: &self.effects.keys,
            sessions: &self.effects.sessions,
            events: &self.effects.events,
            deny_list: self.effects.deny_list.as_ref(),
            verified_tokens: Some(&mut self.verified_tokens),
            progress,
            head: *request,
            now,
            max_staleness: rule.max_staleness,
            deferred: Deferred::default(),
        };
        let mut good: Vec<Good<'_>> = Vec::new();
        let mut missing = None;
        let mut failure: Option<(Reason, CausedBy)> = None;
        for credential in credential::find(request, &self.policy, rule) {
            match authenticator.credential(&credential, rule) {
                Verdict::Good(identity) => {
                    let basis = rule
                        .token_exchange
                        .as_ref()
                        .map(|_| authenticator.basis(&credential, &identity));
                    let kind = if credential.is_ambient() {
                        OnConflict::Cookie
                    } else {
                        OnConflict::Header
                    };
                    good.push((identity, kind, basis, credential));
                }
                Verdict::Unavailable(reason) => {
                    failure = failure.or(Some((reason, CausedBy::Partner)))
                }
                // One that somebody may have brought about is enough.
                Verdict::Bad(reason) if reason.status() == 503 => {
                    failure = Some((failure.map_or(reason, |(first, _)| first), CausedBy::Gate));
                }
                Verdict::Bad(reason) => {
                    progress.learned.noted = authenticator.deferred.noted;
                    return Err(refuse_or_sign_out(reason, &credential));
                }
                Verdict::Needs(found) => missing = missing.or(Some(found)),
            }
        }
        let mut deferred = authenticator.deferred;
        progress.learned.failure = progress.learned.failure.or(deferred.failure);
        progress.learned.noted = deferred.noted.take();
        progress.learned.has_own_data |= deferred.has_own_data;
        match failure {
            Some((reason, CausedBy::Partner)) => return Err(NotAdmitted::Unavailable(reason)),
            Some((reason, _)) => return Err(NotAdmitted::Refuse(reason)),
            None => {}
        }
        if let Some(missing) = missing {
            return Err(NotAdmitted::Missing(missing, Otherwise::default()));
        }
        let preferred = good
            .iter()
            .position(|(_, kind, ..)| rule.on_conflict.is_none_or(|preferred| preferred == *kind))
            .unwrap_or(0);
        let is_ambient = |(_, kind, ..): &Good<'_>| *kind == OnConflict::Cookie;
        let only_ambient = good.iter().all(is_ambient);
        let Some((identity, ..)) = good.get(preferred) else {
            return if rule.access == Access::Optional {
                Ok(Admitted::default())
            } else {
                Err(NotAdmitted::Refuse(Reason::NoCredential))
            };
        };
        if rule.on_conflict.is_none()
            && !good.iter().all(|(other, ..)| identity.is_same_person(other))
        {
            return Err(NotAdmitted::Refuse(Reason::CredentialAmbiguous));
        }
        let (mut identity, kind, basis, credential) = good.swap_remove(preferred);
        // With a preference the one that counts has to stand by itself; without one they all say
        // the same.
        let only_ambient =
            if rule.on_conflict.is_some() { kind == OnConflict::Cookie } else { only_ambient };
        // A browser opens a WebSocket to any site, cookies included, and lets the page read what
        // comes (RFC 6455 section 10.2).
        if only_ambient
            && (!request.is_safe() || request.is_web_socket())
            && !cross_site::comes_from_here(request, &self.policy, rule)
        {
            return Err(NotAdmitted::Refuse(Reason::CrossSiteRequest));
        }
        if !rule.requirements.are_met(&identity.session.attributes, now) {
            let found = self.require(
                request,
                rule,
                (&credential, &identity),
                &mut deferred,
                progress,
                now,
            )?;
            // By its word of now the session may be another person's.
            if !good.is_empty() && rule.on_conflict.is_none() && !found.is_same_person(&identity) {
                return Err(NotAdmitted::Refuse(Reason::CredentialAmbiguous));
            }
            identity = found;
        }
        Ok(Admitted { identity: Some(identity), basis, deferred, ..Admitted::default() })
    }

    /// Somebody who does not bring what a rule demands, as far as is known: a definite no is the
    /// auth service's word of now alone. What a cookie, a storage, a copy or a memory does not have
    /// is asked for once.
    fn require(
        &self,
        request: &RequestHead<'_>,
        rule: &Rule,
        (credential, identity): (&Credential<'_>, &Identity),
        deferred: &mut Deferred,
        progress: &mut RequestProgress,
        now: UnixTime,
    ) -> Result<Identity, NotAdmitted> {
        let mut authenticator = Authenticator {
            policy: &self.policy,
            keys: &self.effects.keys,
            sessions: &self.effects.sessions,
            events: &self.effects.events,
            deny_list: self.effects.deny_list.as_ref(),
            verified_tokens: None,
            progress,
            head: *request,
            now,
            max_staleness: rule.max_staleness,
            deferred: Deferred::default(),
        };
        let meets = |session: &Session| rule.requirements.are_met(&session.attributes, now);
        let found = authenticator.anew(credential, identity, meets);
        let Deferred { failure, refresh_deny_list, .. } = authenticator.deferred;
        progress.learned.failure = progress.learned.failure.or(failure);
        deferred.refresh_deny_list |= refresh_deny_list;
        let refused = match found {
            Some(Verdict::Good(found)) if meets(&found.session) => return Ok(found),
            Some(Verdict::Needs(missing)) => {
                return Err(NotAdmitted::Missing(missing, Otherwise::default()));
            }
            // What is known speaks against it, so that no rule for doubt lets it pass.
            Some(Verdict::Unavailable(reason)) => return Err(NotAdmitted::Refuse(reason)),
            Some(Verdict::Bad(reason)) => return Err(refuse_or_sign_out(reason, credential)),
            Some(Verdict::Good(found)) => found,
            // A token says all that there is to know.
            None => identity.clone(),
        };
        if rule.requirements.come_before(&refused.session.attributes, now) {
            progress.learned.cause = Some(Reason::TokenNotYetValid);
        }
        Err(NotAdmitted::Refuse(Reason::Forbidden))
    }

    #[allow(clippy::too_many_arguments)] // all that a forward is made of, each from another room
    fn forward(
        &mut self,
        request: &RequestHead<'_>,
        path: &Path<'_>,
        rules: &MatchedRules,
        admitted: Admitted,
        for_origin: OriginContext,
        mut progress: RequestProgress,
        now: UnixTime,
    ) -> Decision {
        let is_waited_for =
            admitted.deferred.renewal.is_some() || !progress.learned.cookies_of.is_empty();
        let reach = if is_waited_for { Reach::All } else { Reach::Changing };
        let presented = self.goes_on(request, path, reach, now);
        // It may be on its way to change what they say.
        self.context(&mut progress, now).drop_overtaken();
        let mut learned = std::mem::take(&mut progress.learned);
        let cookies_of = std::mem::take(&mut learned.cookies_of);
        let watch =
            Watch { presented, cookies_of, public_origin: request.public_origin.to_owned() };
        let fresh = std::mem::take(&mut learned.set_cookies);
        let mut response_headers = refusal::set_cookie_headers(fresh.clone());
        if self.policy.debug_header {
            response_headers
                .push(("doorward-decision".to_owned(), self.describe(admitted.identity.as_ref())));
        }
        let log =
            refusal::forward_log_line(admitted.in_spite_of, &self.policy, request, path, learned);
        if let Some(vouched_for) = admitted.deferred.vouched_for {
            let (digest, owner) = *vouched_for;
            self.effects.sessions.vouch_for(digest, owner, now);
        }
        // What is fetched ahead of need is not always told by its headers.
        let is_ahead = path.transport() == Some(RequestKind::Prefetch);
        let renewal = admitted
            .deferred
            .renewal
            .filter(|question| !is_ahead && !self.is_for_the_service(request, path, question));
        let mut context = self.context(&mut progress, now);
        let alongside = renewal.and_then(|question| question.renew(request, &mut context));
        let alongside = if watch.is_idle() {
            alongside
        } else {
            alongside.or_else(|| Some(wait::for_response(progress.arrival, now)))
        };
        let alongside = alongside.map(|pending| pending.watching(watch));
        // One at a time: the others follow with later requests. Keys are due less often, and of
        // them the set goes first that has waited for longest.
        let (mut context, cache_use) = (self.context(&mut progress, now), CacheUse::Bypass);
        let refresh =
            if let Some(source) = context.state.keys.tried_first(&admitted.deferred.refresh) {
                KeySetQuery { source, cache_use, kid: None }.begin(request, &mut context).ok()
            } else if admitted.deferred.refresh_deny_list {
                DenyListQuery(cache_use).begin(request, &mut context).ok()
            } else {
                None
            };
        // What is carried after the response has all the time that it needs.
        progress.memory.wait.times = 0;
        let OriginContext { assertion, authorization } = for_origin;
        let connection = self.connection(rules, admitted.identity.as_ref(), now);
        let for_header_edits = header_edits::HeaderContext {
            identity: admitted.identity.as_ref(),
            assertion,
            authorization: &authorization,
            fresh: &fresh,
        };
        let (remove, set) = header_edits::edits(request, &self.policy, rules, for_header_edits);
        let (target, upstream) = (path.target(), self.policy.upstream(rules).map(str::to_owned));
        let forwarded = Forwarded { head: request, target: &target, remove: &remove, set: &set };
        // A mark is for the host's own application: an upstream has assertions.
        let mark = if upstream.is_none() {
            self.mark(&forwarded, rules, admitted.identity.as_ref(), now)
        } else {
            None
        };
        let set = mark.map_or_else(
            || set.clone(),
            |mark| set.and([self.policy.header_prefix.as_str(), "mark"], &mark),
        );
        let told = admitted.identity.as_ref().filter(|_| self.policy.capabilities.tells());
        let identity = told.map(|identity| {
            ["{", &header_edits::statement(identity, &self.policy, rules), "}"].concat()
        });
        Decision::Forward(Forward {
            target,
            upstream,
            remove,
            set,
            identity,
            response_headers,
            alongside,
            after: refresh.map(|begun| PendingEffect::new(begun, progress)),
            connection,
            log,
        })
    }

    /// What the application of the host is told across processes, where it wants that: no more than
    /// the headers say.
    fn mark(
        &self,
        forwarded: &Forwarded<'_>,
        rules: &MatchedRules,
        identity: Option<&Identity>,
        now: UnixTime,
    ) -> Option<String> {
        let key = self.policy.mark.as_ref()?;
        let has = |name: &str| {
            let is_it = |header: &str| {
                header.strip_prefix(self.policy.header_prefix.as_str()) == Some(name)
            };
            identity
                .is_some_and(|identity| identity.headers.iter().any(|(header, _)| is_it(header)))
        };
        let is_told = |name: &str| header_edits::is_told(&self.policy, rules, name) && has(name);
        Some(mark::sign(key, forwarded, identity, is_told, &self.policy, now))
    }

    /// Whether the request is for the auth service itself, which sees to its cookies by itself.
    fn is_for_the_service(
        &self,
        request: &RequestHead<'_>,
        path: &Path<'_>,
        question: &Question,
    ) -> bool {
        let service =
            self.policy.issuers.get(question.issuer).and_then(|issuer| issuer.better_auth.as_ref());
        service.is_none_or(|service| {
            path.readings().any(|reading| service.has(reading, request.public_origin))
        })
    }

    fn describe(&self, identity: Option<&Identity>) -> String {
        match identity
            .and_then(|identity| Some((identity, self.policy.issuers.get(identity.issuer)?)))
        {
            Some((identity, issuer)) => [
                "forward; issuer=",
                &crate::encoding::text::header_value(&issuer.name),
                "; source=",
                identity.session.source.name(),
            ]
            .concat(),
            None => "forward; anonymous".to_owned(),
        }
    }
}

impl NotAdmitted {
    /// Whose doing it is.
    const fn caused_by(&self) -> CausedBy {
        match self {
            Self::Unavailable(_) => CausedBy::Partner,
            Self::Refuse(_) | Self::SignOut(..) | Self::Missing(..) => CausedBy::Caller,
        }
    }
}

impl Otherwise {
    fn of(leniency: impl Fn(CausedBy) -> Option<Leniency>) -> Self {
        Self { partner: leniency(CausedBy::Partner), gate: leniency(CausedBy::Gate) }
    }

    fn and(self, other: Self) -> Self {
        Self { partner: self.partner.and(other.partner), gate: self.gate.and(other.gate) }
    }

    fn by(self, caused_by: CausedBy) -> Option<Leniency> {
        if caused_by == CausedBy::Partner { self.partner } else { self.gate }
    }
}

/// Why a bad credential stops its request. Only the auth service and the operator can say that a
/// session is over, and only of its own cookie: a bearer token that has ended says nothing about
/// the cookies beside it.
const fn refuse_or_sign_out(reason: Reason, credential: &Credential<'_>) -> NotAdmitted {
    match (reason, credential) {
        (
            Reason::SessionEnded | Reason::SessionExpired | Reason::SessionRevoked,
            Credential::SessionCookie { issuer, .. },
        ) => NotAdmitted::SignOut(reason, *issuer),
        _ => NotAdmitted::Refuse(reason),
    }
}

/// Why this rule would not carry out this refusal. Doubt that the caller can bring about does not
/// open what asks for somebody: only where others have failed does such a request go on as
/// nobody's. Where nobody may pass anyway, there is nothing to be had by it.
fn leniency(rule: &Rule, reason: Reason, caused_by: CausedBy, now: UnixTime) -> Option<Leniency> {
    match rule.report_until {
        Some(until) if now < until => Some("report"),
        _ if !rule.passes_unavailable || reason.status() != 503 => None,
        _ if caused_by == CausedBy::Partner || rule.access == Access::Optional => Some("anonymous"),
        _ => None,
    }
}
