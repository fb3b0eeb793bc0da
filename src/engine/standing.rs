//! Connections that stay open: how long, and whether what they rest on still holds.

use crate::cache::verified::Identity;
use crate::decision::{Life, Standing};
use crate::effects::effect::{Purpose, Reply, Work};
use crate::effects::progress::{Errand, Progress, Task};
use crate::http::path::Path;
use crate::http::request::RequestHead;
use crate::policy::Covering;
use crate::reason::Reason;
use crate::time::UnixTime;

use super::{Engine, REQUEST_BUDGET_MILLIS, Stop};

/// The clocks of whoever made a token and of the gate are not the same to the millisecond.
const GRACE_MILLIS: i64 = 1000;
/// So often what is open is looked at: a session that is known to have ended goes on for no longer
/// than that.
const LOOK_AGAIN_MILLIS: u32 = 10_000;

impl Engine {
    /// Whether a connection may stay open that began with this head: whatever a new request with it
    /// would be refused for ends it, the auth service's and the operator's word included. Nothing
    /// is renewed, signed or minted for it.
    pub fn look_again(&mut self, request: &RequestHead<'_>, now: UnixTime) -> Standing {
        let arrival = self.asks.events.moment(now);
        self.look(request, Progress::new(arrival, REQUEST_BUDGET_MILLIS), now)
    }

    /// Goes on with that after its errand. `request` is the same head again.
    pub fn looked(
        &mut self,
        request: &RequestHead<'_>,
        errand: Errand,
        reply: Reply<'_>,
        now: UnixTime,
    ) -> Standing {
        let Task { work, mission, mut progress } = errand.into_task();
        self.asks.learn(&self.policy, (work, mission), &reply, &mut progress, now);
        self.look(request, progress, now)
    }

    fn look(
        &mut self,
        request: &RequestHead<'_>,
        mut progress: Progress,
        now: UnixTime,
    ) -> Standing {
        let Ok(path) = Path::of(request, self.policy.framework.as_ref()) else {
            return Standing::Over(Reason::PathRefused);
        };
        let Some(rules) = self.policy.covering(&path, request) else {
            return Standing::Over(Reason::RouteDenied);
        };
        let need = match self.rooms(request, &rules, &mut progress, now) {
            Ok(_) | Err(Stop::InDoubt(_)) => return Standing::Good,
            // Also where the gate's own budget is spent: many connections must not end each other.
            Err(Stop::Refuse(reason) | Stop::SignOut(reason, _)) if reason.status() == 503 => {
                return Standing::Good;
            }
            Err(Stop::Refuse(reason) | Stop::SignOut(reason, _)) => return Standing::Over(reason),
            Err(Stop::Ask(need, _)) => need,
        };
        match self.asks.begin(&self.policy, request, need, &mut progress, now) {
            Ok((work, mission)) => {
                Standing::Ask(Errand::new(without_renewal(work), mission, progress))
            }
            // What was said longer ago may do.
            Err(_) if !progress.has_given_up => {
                progress.has_given_up = true;
                self.look(request, progress, now)
            }
            Err(_) => Standing::Good,
        }
    }

    /// How long the connection of a request may stay open that goes on now.
    pub(super) fn life(
        &self,
        rules: &Covering,
        identity: Option<&Identity>,
        now: UnixTime,
    ) -> Life {
        let longest = self.policy.covered_by(rules).filter_map(|rule| rule.max_connection).min();
        let by_rule = longest.map(|seconds| now.plus(seconds));
        let by_identity =
            identity.map(|identity| identity.session.expires.plus_millis(GRACE_MILLIS));
        Life {
            // A token may be over already, by less than the tolerance.
            until: by_rule.into_iter().chain(by_identity).min().map(|until| until.max(now)),
            look_again_ms: identity.map(|_| LOOK_AGAIN_MILLIS),
        }
    }
}

/// The client of a connection that is open gets no cookies: the service must not set any for it.
fn without_renewal(work: Work) -> Work {
    match work {
        Work::Fetch(mut fetch) if fetch.purpose == Purpose::Session => {
            fetch.url.push_str("&disableRefresh=true");
            Work::Fetch(fetch)
        }
        other => other,
    }
}
