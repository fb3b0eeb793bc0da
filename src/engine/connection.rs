//! Connections that stay open: how long, and whether what they rest on still holds.

use crate::cache::verified::Identity;
use crate::decision::{ConnectionLimits, ConnectionStatus};
use crate::effect::EffectResult;
use crate::effects::pending::PendingEffect;
use crate::effects::{RequestProgress, session};
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::policy::rules::MatchedRules;
use crate::reason::Reason;
use crate::time::UnixTime;

use super::admission::{NotAdmitted, Routed};
use super::{Engine, REQUEST_BUDGET_MILLIS};

/// The clocks of whoever made a token and of the gate are not the same to the millisecond.
const GRACE_MILLIS: i64 = 1000;
/// So often what is open is looked at: a session that is known to have ended goes on for no longer
/// than that.
const RECHECK_AFTER_MILLIS: u32 = 10_000;

impl Engine {
    /// Whether a connection may stay open that began with this head: whatever a new request with it
    /// would be refused for ends it, the auth service's and the operator's word included. Nothing
    /// is renewed, signed or exchanged for it.
    pub fn recheck(&mut self, request: &RequestHead<'_>, now: UnixTime) -> ConnectionStatus {
        let arrival = self.effects.events.moment(now);
        self.look(request, RequestProgress::new(arrival, REQUEST_BUDGET_MILLIS), now)
    }

    /// Goes on with that after its effect. `request` is the same head again.
    pub fn rechecked(
        &mut self,
        request: &RequestHead<'_>,
        pending: PendingEffect,
        result: EffectResult<'_>,
        now: UnixTime,
    ) -> ConnectionStatus {
        let progress = self.learn(pending.into_parts(), &result, now);
        self.look(request, progress, now)
    }

    fn look(
        &mut self,
        request: &RequestHead<'_>,
        mut progress: RequestProgress,
        now: UnixTime,
    ) -> ConnectionStatus {
        let Ok(path) = Path::of(request, self.policy.framework.as_ref()) else {
            return ConnectionStatus::Closed(Reason::PathRefused);
        };
        let Some(rules) = self.policy.matched_rules(&path, request) else {
            return ConnectionStatus::Closed(Reason::RouteDenied);
        };
        let routed = Routed { head: request, path: &path, rules: &rules, now };
        let missing = match self.authorize(routed, &mut progress) {
            Ok(_) | Err(NotAdmitted::Unavailable(_)) => return ConnectionStatus::Open,
            // Also where the gate's own budget is spent: many connections must not end each other.
            Err(NotAdmitted::Refuse(reason) | NotAdmitted::SignOut(reason, _))
                if reason.status() == 503 =>
            {
                return ConnectionStatus::Open;
            }
            Err(NotAdmitted::Refuse(reason) | NotAdmitted::SignOut(reason, _)) => {
                return ConnectionStatus::Closed(reason);
            }
            Err(NotAdmitted::Missing(missing, _)) => missing,
        };
        let mut context = self.context(&mut progress, now);
        match missing.begin(request, &mut context) {
            Ok((effect, continuation)) => {
                let begun = (session::without_renewal(effect), continuation);
                ConnectionStatus::Perform(PendingEffect::new(begun, progress))
            }
            // What was said longer ago may do.
            Err(_) if !progress.has_given_up => {
                progress.has_given_up = true;
                self.look(request, progress, now)
            }
            Err(_) => ConnectionStatus::Open,
        }
    }

    /// How long the connection of a request may stay open that goes on now.
    pub(super) fn connection(
        &self,
        rules: &MatchedRules,
        identity: Option<&Identity>,
        now: UnixTime,
    ) -> ConnectionLimits {
        let longest = rules.all().filter_map(|rule| rule.max_connection).min();
        let by_rule = longest.map(|seconds| now.plus(seconds));
        let by_identity =
            identity.map(|identity| identity.session.expires.plus_millis(GRACE_MILLIS));
        ConnectionLimits {
            // A token may be over already, by less than the tolerance.
            until: by_rule.into_iter().chain(by_identity).min().map(|until| until.max(now)),
            recheck_after_ms: identity.map(|_| RECHECK_AFTER_MILLIS),
        }
    }
}
