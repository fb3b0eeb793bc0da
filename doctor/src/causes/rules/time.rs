//! Do the clocks agree?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Rule};
use crate::facts::Facts;
use crate::plan::Plan;

pub(super) const RULES: &[Rule] = &[(Cause::ClockSkew, clock_skew)];

/// Less is within what verifiers allow and what `Date` can tell.
const TOLERANCE_MILLIS: i64 = 30_000;
/// Two clocks that differ by less are the same.
const SAME_MILLIS: i64 = 5_000;

/// Three witnesses name the odd one out; two only differ.
fn clock_skew(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let clock = &facts.clock;
    if let Some(ahead) = clock.pasted_ahead_millis.filter(|ahead| *ahead > TOLERANCE_MILLIS) {
        let seen = format!("`iat` of the pasted token is {} ahead of this machine", seconds(ahead));
        let agrees = clock.service_millis.is_some_and(|millis| millis.abs() < TOLERANCE_MILLIS);
        return Some(if agrees {
            let seen = format!("{seen}, whose clock agrees with the service's");
            Finding::proof(Cause::ClockSkew, seen).by(&["sign-out"])
        } else {
            let unless = "this machine's clock may be the one that is off";
            Finding::strong(Cause::ClockSkew, seen, unless)
        });
    }
    let service = clock.token_millis.or(clock.service_millis)?;
    let is_off = |millis: i64| millis.abs() > TOLERANCE_MILLIS;
    let third = clock
        .other_millis
        .filter(|_| clock.other_host.as_ref().is_some_and(|host| *host != plan.target.host));
    if let Some(third) = third {
        let agree = |one: i64, other: i64| one.abs_diff(other) < SAME_MILLIS.unsigned_abs();
        let host = clock.other_host.as_deref().unwrap_or_default();
        let seen = match (is_off(service), is_off(third)) {
            (false, false) => return None,
            (true, false) => format!("the auth service's clock is {} off", seconds(service)),
            (false, true) => format!("the clock of {host} is {} off", seconds(third)),
            (true, true) if agree(service, third) => {
                format!("this machine's clock is {} off", seconds(service.saturating_neg()))
            }
            (true, true) => format!("three clocks differ, by up to {}", seconds(service)),
        };
        return Some(Finding::proof(Cause::ClockSkew, seen).by(&["sign-out", "gate.anonymous"]));
    }
    if !is_off(service) {
        return None;
    }
    let by_token =
        clock.token_millis.is_some_and(is_off) && clock.service_millis.is_some_and(is_off);
    let seen = format!(
        "the auth service's clock and this machine's differ by {}{}",
        seconds(service),
        if by_token { ", by its `Date` and by `iat` of a fresh token" } else { "" }
    );
    let unless = "this machine's clock may be the one that is off";
    Some(Finding::strong(Cause::ClockSkew, seen, unless).by(&["sign-out"]))
}

fn seconds(millis: i64) -> String {
    format!("{} s", millis.checked_div(1000).unwrap_or(0))
}
