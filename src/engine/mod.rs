//! The engine: the order in which a request is decided, and nothing of what happens in each step.

mod admission;
mod assertion;
mod authorize;
mod connection;
mod cross_site;
mod events;
pub(crate) mod explain;
mod forward;
pub(crate) mod measurements;
mod token_exchange;

use crate::authn::Authenticator;
use crate::cache::session_events::{LONGEST_MILLIS, LONGEST_SECONDS, Moment};
use crate::cache::shared::CacheWrite;
use crate::cache::verified::VerifiedTokens;
use crate::decision::{Decision, Finish, Forward, Refusal};
use crate::effect::{Effect, EffectResult};
use crate::effects::learned::Learned;
use crate::effects::page::PageToShow;
use crate::effects::pending::{PendingEffect, PendingParts};
use crate::effects::state::{EffectState, REQUEST_BUDGET_MILLIS};
use crate::effects::{Context, Missing, RequestProgress};
use crate::engine::explain::Explanation;
use crate::forward::forward_auth::ForwardAuth;
use crate::forward::onward::{self, Onward};
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::http::set_cookie;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::response::{RequestContext, log, refusal, start};
use crate::time::UnixTime;

use self::admission::{Admitted, Counted, NotAdmitted, OriginContext, Otherwise, Routed};

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
    /// Requests that were forwarded without anything to say of them, for the sample in the log.
    passes: u32,
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
            passes: 0,
        }
    }

    /// What the names of the identity headers begin with, in lower case.
    pub fn header_prefix(&self) -> &str {
        &self.policy.header_prefix
    }

    /// What the log says when the gate starts: a line with where its configuration comes from
    /// (which the host knows, `variable DOORWARD`), the issuers, and of each secret the variable,
    /// the class of its length and a fingerprint; then a line for each warning.
    pub fn start_lines(&self, source: &str, now: UnixTime) -> Vec<String> {
        start::start_lines(&self.policy, source, now)
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

    /// Takes the answer to an effect that was performed after the response.
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

    /// Takes the answer to an effect that was performed alongside the origin, now that the origin's
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
        let is_renewal = matches!(parts.effect, Effect::Fetch(_));
        let mut progress = self.learn(parts, &result, now);
        self.context(&mut progress, now).drop_overtaken();
        if is_renewal {
            self.count_renewal(&progress.learned);
        }
        let log = log::renewal_line(&progress.learned, now);
        let mut set_cookies = progress.learned.set_cookies;
        set_cookies.extend(as_of);
        Finish { headers: set_cookie::response_headers(set_cookies), withdraws_cookies: false, log }
    }

    /// All header edits of a forward for a host that sends it on over a connection of its own.
    pub fn onward(&self, request: &RequestHead<'_>, forward: &Forward) -> Onward {
        onward::onward(&self.policy, request, forward)
    }

    /// What the configuration of a proxy has to name that asks this gate by forward-auth.
    pub fn forward_auth(&self) -> ForwardAuth {
        ForwardAuth::of(&self.policy)
    }

    /// What such a proxy copies to a request that may go on, of [`Engine::forward_auth`].
    pub fn told_to_proxy(
        &self,
        names: &ForwardAuth,
        request: &RequestHead<'_>,
        forward: &Forward,
    ) -> Vec<(String, String)> {
        names.answer(request, forward)
    }

    /// The answer for what only the host finds out, after the decision:
    /// [`Reason::OriginUnreachable`], [`Reason::OriginTimedOut`], or [`Reason::PathRefused`] where
    /// the platform would send another path than the one decided about.
    pub fn refuse(&mut self, head: &RequestHead<'_>, reason: Reason, now: UnixTime) -> Refusal {
        let path = Path::of(head, self.policy.framework.as_ref()).ok();
        self.count_failure(reason, (head, path.as_ref()));
        // The decision has been made: no page is fetched any more.
        let mut learned = Learned { page: Some(Err("")), ..Learned::default() };
        match self.refusal(reason, (head, path.as_ref()), &mut learned, now) {
            Ok(Decision::Reject(answer) | Decision::Redirect(answer)) => answer,
            _ => refusal::refuse_without_engine(reason, head, now),
        }
    }

    /// Refuses a request. Where a page of the application is shown for that, it is fetched first.
    fn refused(
        &mut self,
        reason: Reason,
        request: (&RequestHead<'_>, Option<&Path<'_>>),
        mut progress: RequestProgress,
        now: UnixTime,
    ) -> Decision {
        let url = match self.refusal(reason, request, &mut progress.learned, now) {
            Ok(decision) => {
                let counted = Counted::of(&mut progress.learned);
                self.count_refusal(reason, request, &decision, counted);
                return decision;
            }
            Err(url) => url,
        };
        let missing = Missing::from(PageToShow { reason, url });
        if let Ok(begun) = missing.begin(request.0, &mut self.context(&mut progress, now)) {
            return Decision::Perform(PendingEffect::new(begun, progress));
        }
        progress.learned.page = Some(Err("too_late"));
        self.refused(reason, request, progress, now)
    }

    fn refusal(
        &self,
        reason: Reason,
        (head, path): (&RequestHead<'_>, Option<&Path<'_>>),
        learned: &mut Learned,
        now: UnixTime,
    ) -> Result<Decision, String> {
        learned.clock_difference = self.effects.clock_difference;
        let request = RequestContext { policy: Some(&self.policy), head, path, now };
        refusal::refuse(reason, request, learned)
    }

    /// What each credential comes to, layer by layer. Changes nothing and begins no effect.
    pub fn explain(&self, request: &RequestHead<'_>, now: UnixTime) -> Explanation {
        let moment = Moment { number: self.effects.events.last(), at: now };
        let progress = RequestProgress::new(moment, 0);
        explain::explain(Authenticator::new(&self.policy, &self.effects, &progress, *request, now))
    }

    /// The steps of a decision.
    fn consider(
        &mut self,
        head: &RequestHead<'_>,
        mut progress: RequestProgress,
        now: UnixTime,
    ) -> Decision {
        self.context(&mut progress, now).drop_overtaken();
        if let Some(reason) = progress.memory.page.refused {
            let path = Path::of(head, self.policy.framework.as_ref()).ok();
            return self.refused(reason, (head, path.as_ref()), progress, now);
        }
        if !head.has_plain_method() {
            let reason = Reason::MethodRefused;
            return self.refused(reason, (head, None), progress, now);
        }
        let path = match Path::of(head, self.policy.framework.as_ref()) {
            Ok(path) => path,
            Err(reason) => {
                return self.refused(reason, (head, None), progress, now);
            }
        };
        if let Some(served) = self.key_set(head, &path) {
            self.count_served((head, Some(&path)));
            return Decision::Respond(served);
        }
        let Some(rules) = self.policy.matched_rules(&path, head) else {
            let reason = Reason::RouteDenied;
            return self.refused(reason, (head, Some(&path)), progress, now);
        };
        let routed = Routed { head, path: &path, rules: &rules, now };
        let reason = match self.admit(routed, &mut progress) {
            Ok((for_origin, admitted)) => {
                return self.forward(routed, admitted, for_origin, progress);
            }
            Err(NotAdmitted::Missing(missing, otherwise)) => {
                return self.begin(routed, missing, otherwise, progress);
            }
            Err(NotAdmitted::Refuse(reason) | NotAdmitted::Unavailable(reason)) => reason,
            Err(NotAdmitted::SignOut(reason, service)) => {
                // Whatever the service has just set for it: it does not know yet.
                if reason == Reason::SessionRevoked {
                    progress.learned.set_cookies.clear();
                }
                self.sign_out(head, &service, &mut progress, now);
                reason
            }
        };
        self.refused(reason, (head, Some(&path)), progress, now)
    }

    /// Whether the request goes on, and with what.
    fn admit(
        &mut self,
        routed: Routed<'_>,
        progress: &mut RequestProgress,
    ) -> Result<(OriginContext, Admitted), NotAdmitted> {
        let admitted = self.authorize(routed, progress)?;
        let (authorization, admitted) = self.token_exchange(routed, admitted, progress)?;
        let assertion = self.assertion(routed, &admitted, progress)?;
        Ok((OriginContext { assertion, authorization }, admitted))
    }

    /// Asks the host for what is missing. Where nothing can be asked, what was said longer ago may
    /// do, or the rule lets the request pass.
    fn begin(
        &mut self,
        routed: Routed<'_>,
        missing: Missing,
        otherwise: Otherwise,
        mut progress: RequestProgress,
    ) -> Decision {
        let Routed { head, path, rules, now } = routed;
        let begun = missing.begin(head, &mut self.context(&mut progress, now));
        let (reason, failure) = match begun {
            Ok(begun) => return Decision::Perform(PendingEffect::new(begun, progress)),
            Err(_) if !progress.has_given_up => {
                progress.has_given_up = true;
                return self.consider(head, progress, now);
            }
            Err(failed) => failed,
        };
        match otherwise.by(failure.caused_by(head.client_address.is_some())) {
            None => self.refused(reason, (head, Some(path)), progress, now),
            Some(leniency) => {
                let in_spite_of = Some((reason, leniency));
                let admitted = Admitted { in_spite_of, ..Admitted::default() };
                let authorization = self.without_token_exchange(rules);
                let for_origin = OriginContext { assertion: None, authorization };
                self.forward(routed, admitted, for_origin, progress)
            }
        }
    }
}
