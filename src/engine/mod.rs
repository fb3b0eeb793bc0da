//! The engine: the order of the rooms, and nothing of what happens inside them.

mod cross_site;
mod events;
pub(crate) mod explain;
mod standing;
mod token_exchange;

use crate::authn::credential::{self, Credential};
use crate::authn::{Finding, Footing, Judge, Need, Question, Soon};
use crate::better_auth::session_record::{Blame, Session};
use crate::cache::session_events::{LONGEST_MILLIS, LONGEST_SECONDS, Moment};
use crate::cache::shared::Keep;
use crate::cache::verified::{Identity, Proofs};
use crate::decision::{Answer, Decision, Finish, Forward, Served};
use crate::effects::asks::{Asks, REQUEST_BUDGET_MILLIS};
use crate::effects::effect::{Copies, Reply, Work};
use crate::effects::progress::{Errand, Heard, Mission, Progress, Task, Watch};
use crate::engine::explain::Explanation;
use crate::forward::assertion::{self, About};
use crate::forward::header_edits::{self, Authorization};
use crate::forward::mark::{self, Forwarded};
use crate::forward::onward::{self, Onward};
use crate::http::path::Path;
use crate::http::request::{RequestHead, RequestKind};
use crate::jose::alg::Capabilities;
use crate::policy::{Access, Covering, Policy, Preferred, Rule};
use crate::reason::Reason;
use crate::response::refusal;
use crate::time::UnixTime;

use self::events::Reach;

/// Answers one question: given this request, what we know, and this moment, what should the host do
/// next?
///
/// It never fetches, never reads a clock, never rolls dice. Give it the same calls and it gives the
/// same decisions.
pub struct Engine {
    policy: Policy,
    asks: Asks,
    proofs: Proofs,
    seed: u64,
    assertions_made: u64,
}

/// Why a request does not go on (yet).
enum Stop {
    /// And what becomes of it if nobody can be asked.
    Ask(Need, Otherwise),
    Refuse(Reason),
    /// Nobody knows, because who was asked has failed.
    InDoubt(Reason),
    /// The session of this issuer's cookie has ended, by the word of the auth service or the
    /// operator: its cookies are dead.
    SignOut(Reason, usize),
}

/// A request that goes on.
#[derive(Default)]
struct Pass {
    identity: Option<Identity>,
    /// What that rests on, where there is a bridge to cross.
    footing: Option<Footing>,
    soon: Soon,
    /// Why it would not, and why it does anyway: then it goes on as nobody's.
    in_spite_of: Option<(Reason, Leniency)>,
}

/// A credential that is good: who it is, where it was, what that rests on.
type Good<'c> = (Identity, Preferred, Option<Footing>, Credential<'c>);

/// What the origin is told besides who it is.
struct Told {
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

impl Engine {
    /// An engine for a policy. `seed` is any random number: it spreads retries over time, and
    /// nothing depends on its being secret.
    pub fn new(policy: Policy, seed: u64) -> Self {
        let asks = Asks::new(&policy, seed);
        Self { policy, asks, proofs: Proofs::new(seed), seed, assertions_made: 0 }
    }

    /// What the names of the identity headers begin with, in lower case.
    pub fn header_prefix(&self) -> &str {
        &self.policy.header_prefix
    }

    /// The same engine as it began. A suite that plays a million beginnings reads its configuration
    /// once.
    #[cfg(feature = "suites")]
    #[must_use]
    pub fn restarted(self) -> Self {
        Self::new(self.policy, self.seed)
    }

    /// Decides on a request at this moment.
    pub fn decide(&mut self, request: &RequestHead<'_>, now: UnixTime) -> Decision {
        let arrival = self.asks.events.moment(now);
        self.consider(request, Progress::new(arrival, REQUEST_BUDGET_MILLIS), now)
    }

    /// Goes on with a request after its errand. `request` is the same head again: everything is
    /// derived from it anew, so a reply can only ever count for what was asked. What a token proves
    /// is not worked out twice, if it is the same token.
    pub fn resume(
        &mut self,
        request: &RequestHead<'_>,
        errand: Errand,
        reply: Reply<'_>,
        now: UnixTime,
    ) -> Decision {
        let Task { work, mission, mut progress } = errand.into_task();
        self.asks.learn(&self.policy, (work, mission), &reply, &mut progress, now);
        self.consider(request, progress, now)
    }

    /// What the host is to put into the cache that instances share, when it has the time: what was
    /// learned since this was asked last. Nothing where the host has none
    /// ([`crate::Capabilities::and_sharing`]).
    pub fn keeps(&mut self) -> Vec<Keep> {
        self.asks.keeps()
    }

    /// Takes the answer to an errand that was carried after the response.
    pub fn receive(&mut self, errand: Errand, reply: Reply<'_>, now: UnixTime) {
        let Task { work, mission, mut progress } = errand.into_task();
        self.asks.learn(&self.policy, (work, mission), &reply, &mut progress, now);
    }

    /// Takes the answer to an errand that was carried alongside the origin, now that the origin's
    /// response is there, and says what the response gets besides. What the response itself says
    /// about the session's cookies goes before, and so does whatever has happened to the session
    /// meanwhile: somebody may have signed out.
    pub fn finish(
        &mut self,
        errand: Errand,
        reply: Reply<'_>,
        origin_set_cookies: &[&str],
        now: UnixTime,
    ) -> Finish {
        let Task { work, mission, mut progress } = errand.into_task();
        let watch = std::mem::take(&mut progress.watch);
        self.comes_back(&watch, origin_set_cookies, now);
        let arrived = progress.arrival.number;
        let withdraws_cookies = watch
            .cookies_of
            .iter()
            .any(|(session, heard)| self.asks.events.has_overtaken(session, *heard, arrived, now));
        let as_of = self.as_of(&watch, now, 0);
        Finish { withdraws_cookies, ..self.finished((work, mission), reply, progress, as_of, now) }
    }

    /// The same for a host that does not see the response: before the request goes on. Whatever
    /// that changes counts from now until a response would be there.
    pub fn finish_unseen(&mut self, errand: Errand, reply: Reply<'_>, now: UnixTime) -> Finish {
        let Task { work, mission, mut progress } = errand.into_task();
        let watch = std::mem::take(&mut progress.watch);
        self.is_unseen(&watch, now);
        let as_of = self.as_of(&watch, now.plus_millis(LONGEST_MILLIS), LONGEST_SECONDS);
        self.finished((work, mission), reply, progress, as_of, now)
    }

    fn finished(
        &mut self,
        task: (Work, Mission),
        reply: Reply<'_>,
        mut progress: Progress,
        as_of: Vec<String>,
        now: UnixTime,
    ) -> Finish {
        self.asks.learn(&self.policy, task, &reply, &mut progress, now);
        self.asks.drop_overtaken(&mut progress, now);
        let log = refusal::renewal_log_line(&progress.heard);
        let mut set_cookies = progress.heard.set_cookies;
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
    pub fn refuse(&self, request: &RequestHead<'_>, reason: Reason) -> Answer {
        let path = Path::of(request, self.policy.framework.as_ref()).ok();
        match refusal::refuse(reason, &self.policy, request, path.as_ref(), Heard::default()) {
            Decision::Reject(answer) | Decision::Redirect(answer) => answer,
            Decision::Ask(_) | Decision::Forward(_) | Decision::Respond(_) => {
                refusal::refuse_without_engine(reason, request)
            }
        }
    }

    /// The same rooms, all findings instead of the first. Changes nothing and asks nobody.
    pub fn explain(&self, request: &RequestHead<'_>, now: UnixTime) -> Explanation {
        let progress = Progress::new(Moment { number: self.asks.events.last(), at: now }, 0);
        explain::explain(Judge {
            policy: &self.policy,
            keys: &self.asks.keys,
            sessions: &self.asks.sessions,
            events: &self.asks.events,
            deny_list: self.asks.deny_list.as_ref(),
            proofs: None,
            progress: &progress,
            head: *request,
            now,
            max_staleness: None,
            soon: Soon::default(),
        })
    }

    fn consider(
        &mut self,
        request: &RequestHead<'_>,
        mut progress: Progress,
        now: UnixTime,
    ) -> Decision {
        self.asks.drop_overtaken(&mut progress, now);
        if !request.has_plain_method() {
            return refusal::refuse(
                Reason::MethodRefused,
                &self.policy,
                request,
                None,
                progress.heard,
            );
        }
        let path = match Path::of(request, self.policy.framework.as_ref()) {
            Ok(path) => path,
            Err(reason) => {
                return refusal::refuse(reason, &self.policy, request, None, progress.heard);
            }
        };
        if let Some(served) = self.key_set(request, &path) {
            return Decision::Respond(served);
        }
        let Some(rules) = self.policy.covering(&path, request) else {
            return refusal::refuse(
                Reason::RouteDenied,
                &self.policy,
                request,
                Some(&path),
                progress.heard,
            );
        };
        let outcome = self
            .rooms(request, &rules, &mut progress, now)
            .and_then(|pass| self.bridge(request, &rules, pass, &mut progress, now))
            .and_then(|(authorization, pass)| {
                let assertion =
                    self.assertion(request, &path, &rules, &pass, &mut progress, now)?;
                Ok((Told { assertion, authorization }, pass))
            });
        let reason = match outcome {
            Ok((told, pass)) => {
                return self.forward(request, &path, &rules, pass, told, progress, now);
            }
            Err(Stop::Refuse(reason) | Stop::InDoubt(reason)) => reason,
            Err(Stop::SignOut(reason, issuer)) => {
                // Whatever the service has just set for it: it does not know yet.
                if reason == Reason::SessionRevoked {
                    progress.heard.set_cookies.clear();
                }
                self.sign_out(request, issuer, &mut progress, now);
                reason
            }
            Err(Stop::Ask(need, otherwise)) => {
                match self.asks.begin(&self.policy, request, need, &mut progress, now) {
                    Ok((work, mission)) => {
                        return Decision::Ask(Errand::new(work, mission, progress));
                    }
                    // What was said longer ago may do.
                    Err(_) if !progress.has_given_up => {
                        progress.has_given_up = true;
                        return self.consider(request, progress, now);
                    }
                    Err((reason, doubt)) => match otherwise
                        .by(doubt.blame(request.client_address.is_some()))
                    {
                        None => reason,
                        Some(leniency) => {
                            let pass =
                                Pass { in_spite_of: Some((reason, leniency)), ..Pass::default() };
                            let told = Told {
                                assertion: None,
                                authorization: self.without_bridge(&rules),
                            };
                            return self.forward(request, &path, &rules, pass, told, progress, now);
                        }
                    },
                }
            }
        };
        refusal::refuse(reason, &self.policy, request, Some(&path), progress.heard)
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
        rules: &Covering,
        pass: &Pass,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Result<Option<String>, Stop> {
        let (Some(assertions), Some(identity)) = (&self.policy.assertions, &pass.identity) else {
            return Ok(None);
        };
        let (id, issued) = *progress.assertion.get_or_insert_with(|| {
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
        let host = if progress.signs_inside { &nothing } else { &self.policy.capabilities };
        match assertion::sign(assertions, &about, id, issued, progress.signed.as_ref(), host) {
            Ok(assertion) => Ok(Some(assertion)),
            Err(request) if progress.may_ask_to_sign() => {
                Err(Stop::Ask(Need::Sign(Box::new(request)), Otherwise::default()))
            }
            Err(_) => Err(Stop::Refuse(Reason::AssertionUnavailable)),
        }
    }

    /// Every rule that covers the request has to let it pass, each by itself: what one reading of
    /// the target is asked for is asked for whatever other readings there are.
    fn rooms(
        &mut self,
        request: &RequestHead<'_>,
        rules: &Covering,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Result<Pass, Stop> {
        let mut all = Pass::default();
        let mut ask: Option<(Need, Otherwise)> = None;
        for number in rules.all() {
            let outcome = self.rooms_of(request, number, progress, now);
            let rule = self.policy.rules.get(number);
            let leniency = |reason: Reason, blame: Blame| {
                rule.and_then(|rule| leniency(rule, reason, blame, now))
            };
            match outcome {
                Ok(pass) => {
                    all.identity = match (all.identity, pass.identity) {
                        (Some(one), Some(other)) if !one.is_same_person(&other) => {
                            return Err(Stop::Refuse(Reason::CredentialAmbiguous));
                        }
                        // What has been learned for one of them counts for all.
                        (Some(one), Some(other)) if one.session.known < other.session.known => {
                            Some(other)
                        }
                        (one, other) => one.or(other),
                    };
                    all.footing = all.footing.or(pass.footing);
                    all.soon.refresh.extend(pass.soon.refresh);
                    all.soon.refresh_deny_list |= pass.soon.refresh_deny_list;
                    all.soon.renewal = all.soon.renewal.or(pass.soon.renewal);
                    all.soon.vouched_for = all.soon.vouched_for.or(pass.soon.vouched_for);
                }
                Err(Stop::Ask(need, _)) => {
                    let reason = need.reason_without_answer();
                    let otherwise = Otherwise::of(|blame| leniency(reason, blame));
                    // A single rule that insists is enough for a refusal.
                    ask = Some(ask.map_or((need, otherwise), |(first, before)| {
                        (first, before.and(otherwise))
                    }));
                }
                Err(
                    stop
                    @ (Stop::Refuse(reason) | Stop::InDoubt(reason) | Stop::SignOut(reason, _)),
                ) => match leniency(reason, stop.blame()) {
                    None => return Err(stop),
                    Some(leniency) => {
                        all.in_spite_of = all.in_spite_of.or(Some((reason, leniency)))
                    }
                },
            }
        }
        if let Some((need, otherwise)) = ask {
            return Err(Stop::Ask(need, otherwise));
        }
        if all.in_spite_of.is_some() {
            all.identity = None;
        }
        Ok(all)
    }

    /// What do the request's credentials come to, and does the rule with this number accept that.
    fn rooms_of(
        &mut self,
        request: &RequestHead<'_>,
        number: usize,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Result<Pass, Stop> {
        let rule = self.policy.rules.get(number).ok_or(Stop::Refuse(Reason::RouteDenied))?;
        // A preflight carries no credentials by design, and its answer carries no content (Fetch
        // standard): so an origin that does not look at the method would answer anybody with
        // content.
        if rule.access == Access::Public || request.is_preflight() && !rule.judges_preflights {
            return Ok(Pass::default());
        }
        let mut judge = Judge {
            policy: &self.policy,
            keys: &self.asks.keys,
            sessions: &self.asks.sessions,
            events: &self.asks.events,
            deny_list: self.asks.deny_list.as_ref(),
            proofs: Some(&mut self.proofs),
            progress,
            head: *request,
            now,
            max_staleness: rule.max_staleness,
            soon: Soon::default(),
        };
        let mut good: Vec<Good<'_>> = Vec::new();
        let mut need = None;
        let mut doubt: Option<(Reason, Blame)> = None;
        for credential in credential::find(request, &self.policy, rule) {
            match judge.credential(&credential, rule) {
                Finding::Good(identity) => {
                    let footing =
                        rule.bridge.as_ref().map(|_| judge.footing(&credential, &identity));
                    let kind =
                        if credential.is_ambient() { Preferred::Cookie } else { Preferred::Header };
                    good.push((identity, kind, footing, credential));
                }
                Finding::InDoubt(reason) => doubt = doubt.or(Some((reason, Blame::Partner))),
                // One that somebody may have brought about is enough.
                Finding::Bad(reason) if reason.status() == 503 => {
                    doubt = Some((doubt.map_or(reason, |(first, _)| first), Blame::Gate));
                }
                Finding::Bad(reason) => {
                    progress.heard.noted = judge.soon.noted;
                    return Err(stop(reason, &credential));
                }
                Finding::Needs(found) => need = need.or(Some(found)),
            }
        }
        let mut soon = judge.soon;
        progress.heard.doubt = progress.heard.doubt.or(soon.doubt);
        progress.heard.noted = soon.noted.take();
        progress.heard.has_own_data |= soon.has_own_data;
        match doubt {
            Some((reason, Blame::Partner)) => return Err(Stop::InDoubt(reason)),
            Some((reason, _)) => return Err(Stop::Refuse(reason)),
            None => {}
        }
        if let Some(need) = need {
            return Err(Stop::Ask(need, Otherwise::default()));
        }
        let preferred = good
            .iter()
            .position(|(_, kind, ..)| rule.prefers.is_none_or(|preferred| preferred == *kind))
            .unwrap_or(0);
        let is_ambient = |(_, kind, ..): &Good<'_>| *kind == Preferred::Cookie;
        let only_ambient = good.iter().all(is_ambient);
        let Some((identity, ..)) = good.get(preferred) else {
            return if rule.access == Access::Optional {
                Ok(Pass::default())
            } else {
                Err(Stop::Refuse(Reason::NoCredential))
            };
        };
        if rule.prefers.is_none() && !good.iter().all(|(other, ..)| identity.is_same_person(other))
        {
            return Err(Stop::Refuse(Reason::CredentialAmbiguous));
        }
        let (mut identity, kind, footing, credential) = good.swap_remove(preferred);
        // With a preference the one that counts has to stand by itself; without one they all say
        // the same.
        let only_ambient =
            if rule.prefers.is_some() { kind == Preferred::Cookie } else { only_ambient };
        // A browser opens a WebSocket to any site, cookies included, and lets the page read what
        // comes (RFC 6455 section 10.2).
        if only_ambient
            && (!request.is_safe() || request.is_web_socket())
            && !cross_site::comes_from_here(request, &self.policy, rule)
        {
            return Err(Stop::Refuse(Reason::CrossSiteRequest));
        }
        if !rule.demands.are_met(&identity.session.facts, now) {
            let found =
                self.demanded(request, rule, (&credential, &identity), &mut soon, progress, now)?;
            // By its word of now the session may be another person's.
            if !good.is_empty() && rule.prefers.is_none() && !found.is_same_person(&identity) {
                return Err(Stop::Refuse(Reason::CredentialAmbiguous));
            }
            identity = found;
        }
        Ok(Pass { identity: Some(identity), footing, soon, ..Pass::default() })
    }

    /// Somebody who does not bring what a rule demands, as far as is known: a definite no is the
    /// auth service's word of now alone. What a cookie, a storage, a copy or a memory does not have
    /// is asked for once.
    fn demanded(
        &self,
        request: &RequestHead<'_>,
        rule: &Rule,
        (credential, identity): (&Credential<'_>, &Identity),
        soon: &mut Soon,
        progress: &mut Progress,
        now: UnixTime,
    ) -> Result<Identity, Stop> {
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
            max_staleness: rule.max_staleness,
            soon: Soon::default(),
        };
        let meets = |session: &Session| rule.demands.are_met(&session.facts, now);
        let found = judge.anew(credential, identity, meets);
        let Soon { doubt, refresh_deny_list, .. } = judge.soon;
        progress.heard.doubt = progress.heard.doubt.or(doubt);
        soon.refresh_deny_list |= refresh_deny_list;
        let refused = match found {
            Some(Finding::Good(found)) if meets(&found.session) => return Ok(found),
            Some(Finding::Needs(need)) => return Err(Stop::Ask(need, Otherwise::default())),
            // What is known speaks against it, so that no rule for doubt lets it pass.
            Some(Finding::InDoubt(reason)) => return Err(Stop::Refuse(reason)),
            Some(Finding::Bad(reason)) => return Err(stop(reason, credential)),
            Some(Finding::Good(found)) => found,
            // A token says all that there is to know.
            None => identity.clone(),
        };
        if rule.demands.come_before(&refused.session.facts, now) {
            progress.heard.cause = Some(Reason::TokenNotYetValid);
        }
        Err(Stop::Refuse(Reason::Forbidden))
    }

    #[allow(clippy::too_many_arguments)] // all that a forward is made of, each from another room
    fn forward(
        &mut self,
        request: &RequestHead<'_>,
        path: &Path<'_>,
        rules: &Covering,
        pass: Pass,
        told: Told,
        mut progress: Progress,
        now: UnixTime,
    ) -> Decision {
        let is_waited_for = pass.soon.renewal.is_some() || !progress.heard.cookies_of.is_empty();
        let reach = if is_waited_for { Reach::All } else { Reach::Changing };
        let brought = self.goes_on(request, path, reach, now);
        // It may be on its way to change what they say.
        self.asks.drop_overtaken(&mut progress, now);
        let mut heard = std::mem::take(&mut progress.heard);
        let cookies_of = std::mem::take(&mut heard.cookies_of);
        let watch = Watch { brought, cookies_of, public_origin: request.public_origin.to_owned() };
        let fresh = std::mem::take(&mut heard.set_cookies);
        let mut response_headers = refusal::set_cookie_headers(fresh.clone());
        if self.policy.debug_header {
            response_headers
                .push(("doorward-decision".to_owned(), self.describe(pass.identity.as_ref())));
        }
        let log = refusal::forward_log_line(pass.in_spite_of, &self.policy, request, path, heard);
        if let Some(vouched_for) = pass.soon.vouched_for {
            let (digest, owner) = *vouched_for;
            self.asks.sessions.vouch_for(digest, owner, now);
        }
        // What is fetched ahead of need is not always told by its headers.
        let is_ahead = path.transport() == Some(RequestKind::Prefetch);
        let renewal = pass
            .soon
            .renewal
            .filter(|question| !is_ahead && !self.is_for_the_service(request, path, question));
        let alongside = renewal.and_then(|question| {
            self.asks.renew(&self.policy, request, *question, progress.arrival, now)
        });
        let alongside = if watch.is_idle() {
            alongside
        } else {
            alongside.or_else(|| Some(Asks::watch(progress.arrival, now)))
        };
        let alongside = alongside.map(|errand| errand.watching(watch));
        // One at a time: the others follow with later requests. Keys are due less often, and of
        // them the set goes first that has waited for longest.
        let refresh = if let Some(source) = self.asks.keys.tried_first(&pass.soon.refresh) {
            self.asks.fetch_keys(
                &self.policy,
                request,
                source,
                (Copies::DoNot, None),
                &mut progress,
                now,
            )
        } else if pass.soon.refresh_deny_list {
            self.asks.fetch_deny_list(&self.policy, Copies::DoNot, &mut progress, now)
        } else {
            None
        };
        // What is carried after the response has all the time that it needs.
        progress.waits = 0;
        let Told { assertion, authorization } = told;
        let life = self.life(rules, pass.identity.as_ref(), now);
        let told = header_edits::Told {
            identity: pass.identity.as_ref(),
            assertion,
            authorization: &authorization,
            fresh: &fresh,
        };
        let (remove, set) = header_edits::edits(request, &self.policy, rules, told);
        let (target, upstream) = (path.target(), self.policy.upstream(rules).map(str::to_owned));
        let forwarded = Forwarded { head: request, target: &target, remove: &remove, set: &set };
        // A mark is for the host's own application: an upstream has assertions.
        let mark = if upstream.is_none() {
            self.mark(&forwarded, rules, pass.identity.as_ref(), now)
        } else {
            None
        };
        let set = mark.map_or_else(
            || set.clone(),
            |mark| set.and([self.policy.header_prefix.as_str(), "mark"], &mark),
        );
        let told = pass.identity.as_ref().filter(|_| self.policy.capabilities.tells());
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
            after: refresh.map(|(work, mission)| Errand::new(work, mission, progress)),
            life,
            log,
        })
    }

    /// What the application of the host is told across processes, where it wants that: no more than
    /// the headers say.
    fn mark(
        &self,
        forwarded: &Forwarded<'_>,
        rules: &Covering,
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

impl Stop {
    /// Whose doing it is.
    const fn blame(&self) -> Blame {
        match self {
            Self::InDoubt(_) => Blame::Partner,
            Self::Refuse(_) | Self::SignOut(..) | Self::Ask(..) => Blame::Caller,
        }
    }
}

impl Otherwise {
    fn of(leniency: impl Fn(Blame) -> Option<Leniency>) -> Self {
        Self { partner: leniency(Blame::Partner), gate: leniency(Blame::Gate) }
    }

    fn and(self, other: Self) -> Self {
        Self { partner: self.partner.and(other.partner), gate: self.gate.and(other.gate) }
    }

    fn by(self, blame: Blame) -> Option<Leniency> {
        if blame == Blame::Partner { self.partner } else { self.gate }
    }
}

/// Why a bad credential stops its request. Only the auth service and the operator can say that a
/// session is over, and only of its own cookie: a bearer token that has ended says nothing about
/// the cookies beside it.
const fn stop(reason: Reason, credential: &Credential<'_>) -> Stop {
    match (reason, credential) {
        (
            Reason::SessionEnded | Reason::SessionExpired | Reason::SessionRevoked,
            Credential::SessionCookie { issuer, .. },
        ) => Stop::SignOut(reason, *issuer),
        _ => Stop::Refuse(reason),
    }
}

/// Why this rule would not carry out this refusal. Doubt that the caller can bring about does not
/// open what asks for somebody: only where others have failed does such a request go on as
/// nobody's. Where nobody may pass anyway, there is nothing to be had by it.
fn leniency(rule: &Rule, reason: Reason, blame: Blame, now: UnixTime) -> Option<Leniency> {
    match rule.report_until {
        Some(until) if now < until => Some("report"),
        _ if !rule.passes_doubt || reason.status() != 503 => None,
        _ if blame == Blame::Partner || rule.access == Access::Optional => Some("anonymous"),
        _ => None,
    }
}
