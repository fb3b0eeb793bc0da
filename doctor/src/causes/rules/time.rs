//! Do the clocks agree?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Rule};
use crate::facts::{ApiWord, Facts};
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
    if let Some(finding) = by_the_api(facts) {
        return Some(finding);
    }
    let service = clock.token_millis.or(clock.service_millis)?;
    let is_off = |millis: i64| millis.abs() > TOLERANCE_MILLIS;
    let agree = |one: i64, other: i64| one.abs_diff(other) < SAME_MILLIS.unsigned_abs();
    // Two answers of one host may have the date of one proxy; if they differ, they do not.
    let is_other_host = clock.other_host.as_ref().is_some_and(|host| *host != plan.target.host);
    let third = clock.other_millis.filter(|third| is_other_host || !agree(*third, service));
    if let Some(third) = third {
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

/// A token that is good here is over at the API, or has not begun.
fn by_the_api(facts: &Facts) -> Option<Finding> {
    let good = facts.api.good.as_ref().filter(|good| matches!(good.status, 401 | 403 | 500))?;
    let what = [(ApiWord::Expired, "has expired"), (ApiWord::NotYet, "is not valid yet")]
        .into_iter()
        .find(|(word, _)| good.words.contains(word))?
        .1;
    let ahead = facts.api.clock_millis;
    let service = facts.clock.service_millis.unwrap_or_default();
    let seen =
        format!("the API says of a token, which is good by this machine's clock, that it {what}");
    // The answers of one proxy have one date.
    if let Some(ahead) =
        ahead.filter(|ahead| ahead.abs_diff(service) > TOLERANCE_MILLIS.unsigned_abs())
    {
        let seen = format!("{seen}; by its `Date` the API's clock is {} off", seconds(ahead));
        return Some(Finding::proof(Cause::ClockSkew, seen).by(&["api.good", "sign-out"]));
    }
    if what != "has expired" {
        return None;
    }
    let unless = "the API may allow tokens a shorter life";
    Some(Finding::strong(Cause::ClockSkew, seen, unless).by(&["api.good"]))
}

fn seconds(millis: i64) -> String {
    format!("{} s", millis.checked_div(1000).unwrap_or(0))
}
