//! Forwarding: everything that a request that goes on takes along, and what is done beside it.

use crate::authn::Deferred;
use crate::cache::shared::CacheUse;
use crate::cache::verified::Identity;
use crate::decision::{Decision, Forward};
use crate::effects::deny_list::DenyListQuery;
use crate::effects::keys::KeySetQuery;
use crate::effects::learned::Learned;
use crate::effects::pending::PendingEffect;
use crate::effects::session::Question;
use crate::effects::watch::Watch;
use crate::effects::{Purpose, RequestProgress, wait};
use crate::forward::header_edits;
use crate::forward::mark::{self, Forwarded};
use crate::http::header_pairs::HeaderPairs;
use crate::http::request::RequestKind;
use crate::http::set_cookie;
use crate::policy::rules::MatchedRules;
use crate::reason::Reason;
use crate::response::{self, RequestContext, log};
use crate::time::UnixTime;

use super::admission::{Admitted, Counted, OriginContext, Routed};
use super::{Engine, Reach};

impl Engine {
    /// The decision that a request goes on.
    pub(super) fn forward(
        &mut self,
        routed: Routed<'_>,
        admitted: Admitted,
        for_origin: OriginContext,
        mut progress: RequestProgress,
    ) -> Decision {
        let Routed { head, path, rules, now } = routed;
        let Admitted { identity, mut deferred, in_spite_of, .. } = admitted;
        let is_waited_for = deferred.renewal.is_some() || !progress.learned.cookies_of.is_empty();
        let reach = if is_waited_for { Reach::All } else { Reach::Changing };
        let presented = self.goes_on(head, path, reach, now);
        // It may be on its way to change what they say.
        self.context(&mut progress, now).drop_overtaken();
        let mut learned = std::mem::take(&mut progress.learned);
        let cookies_of = std::mem::take(&mut learned.cookies_of);
        let watch = Watch { presented, cookies_of, public_origin: head.public_origin.to_owned() };
        let fresh = std::mem::take(&mut learned.set_cookies);
        let (policy, path_of) = (Some(&self.policy), Some(path));
        let request = RequestContext { policy, head, path: path_of, now };
        let log = log::forward_line(in_spite_of, request, &learned)
            .or_else(|| sampled(&mut self.passes, request, &learned, identity.as_ref()));
        let timing = response::server_timing(&self.policy, learned.arrived, now);
        let issuer = identity.as_ref().map(|identity| identity.issuer.id.place());
        let counted = Counted { issuer: issuer.or(learned.issuer), ..Counted::of(&mut learned) };
        let stale = learned.failure.map(|_| (Reason::SessionUnavailable, "stale-if-error"));
        self.count_forward((head, path_of), in_spite_of.or(stale), counted);
        if let Some(vouched_for) = deferred.vouched_for.take() {
            let (credential, owner) = *vouched_for;
            self.effects.sessions.vouch_for(credential, owner, now);
        }
        let renewal = deferred.renewal.take();
        let alongside = self.alongside(routed, renewal, watch, &mut progress);
        let after = self.after(routed, &deferred, progress);
        let connection = self.connection(rules, identity.as_ref(), now);
        let (remove, set) = self.request_edits(routed, identity.as_ref(), for_origin, &fresh);
        let told = identity.as_ref().filter(|_| self.policy.capabilities.tells());
        let statement = told.map(|identity| {
            ["{", &header_edits::statement(identity, &self.policy, rules), "}"].concat()
        });
        let mut response_headers = self.response_headers(identity.as_ref(), fresh);
        response_headers.extend(timing);
        Decision::Forward(Forward {
            target: path.target(),
            upstream: rules.upstream().map(str::to_owned),
            remove,
            set,
            identity: statement,
            response_headers,
            alongside,
            after,
            connection,
            log,
        })
    }

    /// What is done while the origin works: the session's cookies are renewed, or its response is
    /// waited for.
    fn alongside(
        &mut self,
        routed: Routed<'_>,
        renewal: Option<Box<Question>>,
        watch: Watch,
        progress: &mut RequestProgress,
    ) -> Option<PendingEffect> {
        let Routed { head, path, now, .. } = routed;
        // What is fetched ahead of need is not always told by its headers.
        let is_ahead = path.transport() == Some(RequestKind::Prefetch);
        let renewal =
            renewal.filter(|question| !is_ahead && !Self::is_for_the_service(routed, question));
        let mut context = self.context(progress, now);
        let renewal = renewal.and_then(|question| question.renew(head, &mut context));
        let renewal = renewal.map(|pending| {
            let (policy, path) = (Some(&self.policy), Some(path));
            let request = RequestContext { policy, head, path, now };
            pending.of_request(request.described(&progress.learned))
        });
        let pending = if watch.is_idle() {
            renewal
        } else {
            renewal.or_else(|| Some(wait::for_response(progress.arrival, now)))
        };
        pending.map(|pending| pending.watching(watch))
    }

    /// What is fetched anew after the response. One at a time: the others follow with later
    /// requests. Keys are due less often, and of them the set goes first that has waited for
    /// longest.
    fn after(
        &mut self,
        routed: Routed<'_>,
        deferred: &Deferred,
        mut progress: RequestProgress,
    ) -> Option<PendingEffect> {
        let (head, cache_use) = (routed.head, CacheUse::Bypass);
        let mut context = self.context(&mut progress, routed.now);
        let keys = &context.state.keys;
        let first = deferred.refresh.iter().min_by_key(|issuer| keys.tried_at(issuer.id));
        let begun = if let Some(issuer) = first.cloned() {
            KeySetQuery { issuer, cache_use, kid: None }.begin(head, &mut context).ok()
        } else if deferred.refresh_deny_list {
            DenyListQuery(cache_use).begin(head, &mut context).ok()
        } else {
            None
        };
        // What is performed after the response has all the time that it needs.
        progress.memory.wait.times = 0;
        begun.map(|begun| PendingEffect::new(begun, progress))
    }

    /// What is removed from the request's headers, and what is set after that.
    fn request_edits(
        &self,
        routed: Routed<'_>,
        identity: Option<&Identity>,
        for_origin: OriginContext,
        fresh: &[String],
    ) -> (Vec<String>, HeaderPairs) {
        let Routed { head, path, rules, now } = routed;
        let OriginContext { assertion, authorization } = for_origin;
        let authorization = &authorization;
        let for_header_edits =
            header_edits::HeaderContext { identity, assertion, authorization, fresh };
        let (remove, set) = header_edits::edits(head, &self.policy, rules, for_header_edits);
        // A mark is for the host's own application: an upstream has assertions.
        if rules.upstream().is_some() {
            return (remove, set);
        }
        let forwarded = Forwarded { head, target: &path.target(), remove: &remove, set: &set };
        match self.mark(&forwarded, rules, identity, now) {
            Some(mark) => {
                let set = set.and([self.policy.header_prefix.as_str(), "mark"], &mark);
                (remove, set)
            }
            None => (remove, set),
        }
    }

    /// What the response gets besides.
    fn response_headers(
        &self,
        identity: Option<&Identity>,
        fresh: Vec<String>,
    ) -> Vec<(String, String)> {
        let mut headers = set_cookie::response_headers(fresh);
        if self.policy.debug_header {
            headers.push(("doorward-decision".to_owned(), Self::describe(identity)));
        }
        headers
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
        let is_told = |name: &str| header_edits::is_told(rules, name) && has(name);
        Some(mark::sign(key, forwarded, identity, is_told, &self.policy, now))
    }

    /// Whether the request is for the auth service itself, which sees to its cookies by itself.
    fn is_for_the_service(routed: Routed<'_>, question: &Question) -> bool {
        let origin = routed.head.public_origin;
        routed.path.readings().any(|reading| question.service.has(reading, origin))
    }

    fn describe(identity: Option<&Identity>) -> String {
        match identity {
            Some(identity) => [
                "forward; issuer=",
                &crate::encoding::percent::header_value(&identity.issuer.name),
                "; source=",
                identity.session.source.name(),
            ]
            .concat(),
            None => "forward; anonymous".to_owned(),
        }
    }
}

/// The log's line about every so many requests of which there is nothing else to say.
fn sampled(
    passes: &mut u32,
    request: RequestContext<'_>,
    learned: &Learned,
    identity: Option<&Identity>,
) -> Option<String> {
    let policy = request.policy?;
    let every = policy.pass_every?;
    *passes = passes.wrapping_add(1);
    let issuer = identity.map(|identity| &*identity.issuer);
    passes.is_multiple_of(every).then(|| log::pass_line(request, learned, issuer))
}
