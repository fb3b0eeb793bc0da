//! From when until when a decision is the same. The gate's engine is asked about moments before,
//! between and after the dates of a credential; where two answers differ, the moment at which they
//! change is looked for, to the second.

use serde_json::{Value, json};

use crate::order;

/// A stretch of time with one decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first millisecond of it; nothing: from the beginning.
    pub(crate) from: Option<i64>,
    /// The code of a reason; nothing: the request passes.
    pub(crate) reason: Option<&'static str>,
}

/// Dates that are looked at: no credential has more that count.
const MAX_DATES: usize = 8;
/// What is far before the first date and far after the last.
const FAR_MILLIS: i64 = 3_600_000;

/// The dates of claims, in milliseconds: `iat`, `nbf`, `exp` (RFC 7519, in seconds), and
/// `expiresAt`, `updatedAt` of a cookie cache, also of the session in it.
pub(crate) fn dates(claims: &Value) -> Vec<i64> {
    let seconds = ["iat", "nbf", "exp"].map(|name| {
        claims.get(name).and_then(Value::as_i64).map(|seconds| seconds.saturating_mul(1000))
    });
    let millis = ["/expiresAt", "/updatedAt", "/session/expiresAt", "/session/session/expiresAt"];
    let millis = millis.map(|place| {
        let value = claims.pointer(place)?;
        value.as_i64().or_else(|| crate::time_text::millis(value.as_str()?))
    });
    let mut found: Vec<i64> = seconds.into_iter().chain(millis).flatten().collect();
    order::sort(&mut found);
    found.dedup();
    found
}

/// The stretches, in order. `decide` says what is decided at a moment.
pub(crate) async fn stretches(
    dates: &[i64],
    decide: impl AsyncFn(i64) -> Option<&'static str>,
) -> Vec<Stretch> {
    let dates = dates.get(..MAX_DATES).unwrap_or(dates);
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return Vec::new() };
    let between = dates.windows(2).filter_map(|pair| match pair {
        [one, other] => Some(one.midpoint(*other)),
        _ => None,
    });
    let looked = std::iter::once(first.saturating_sub(FAR_MILLIS))
        .chain(between)
        .chain([last.saturating_add(FAR_MILLIS)]);
    let mut found: Vec<Stretch> = Vec::new();
    let mut before = 0;
    for moment in looked {
        let reason = decide(moment).await;
        match found.last().map(|stretch| stretch.reason) {
            None => found.push(Stretch { from: None, reason }),
            Some(own) if own != reason => {
                let from = change(before, moment, own, &decide).await;
                // Between two answers there may be a third.
                let reason = if from < moment { decide(from).await } else { reason };
                found.push(Stretch { from: Some(from), reason });
                if decide(moment).await != reason {
                    let from = change(from, moment, reason, &decide).await;
                    found.push(Stretch { from: Some(from), reason: decide(moment).await });
                }
            }
            Some(_) => {}
        }
        before = moment;
    }
    found
}

/// The first second after `low` at which something else is decided.
async fn change(
    mut low: i64,
    mut high: i64,
    reason: Option<&'static str>,
    decide: &impl AsyncFn(i64) -> Option<&'static str>,
) -> i64 {
    while high.saturating_sub(low) > 1000 {
        let middle = low.midpoint(high);
        if decide(middle).await == reason { low = middle } else { high = middle }
    }
    // Dates are whole seconds; the search is not.
    high.div_euclid(1000).saturating_mul(1000).max(low.saturating_add(1))
}

/// As JSON, each stretch with its end.
pub(crate) fn json(stretches: &[Stretch]) -> Value {
    let ends = stretches.iter().skip(1).map(|own| own.from).chain([None]);
    let all = stretches.iter().zip(ends);
    all.map(|(own, until)| {
        json!({
            "from": own.from,
            "until": until,
            "passes": own.reason.is_none(),
            "reason": own.reason,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    fn played(dates: &[i64], decide: impl Fn(i64) -> Option<&'static str>) -> Vec<Stretch> {
        let work = stretches(dates, async |moment| decide(moment));
        let mut work = std::pin::pin!(work);
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => found,
            Poll::Pending => Vec::new(),
        }
    }

    #[test]
    fn the_moments_of_change_are_found() {
        // Valid from `nbf` - 5 s until `exp` + 5 s.
        let decide = |moment| match moment {
            ..995_000 => Some("token_not_yet_valid"),
            995_000..2_005_000 => None,
            _ => Some("token_expired"),
        };
        let stretch = |from, reason| Stretch { from, reason };
        assert_eq!(
            played(&[1_000_000, 2_000_000], decide),
            [
                stretch(None, Some("token_not_yet_valid")),
                stretch(Some(995_000), None),
                stretch(Some(2_005_000), Some("token_expired")),
            ]
        );
        assert_eq!(played(&[], decide), []);
        assert_eq!(played(&[5_000], |_| None), [stretch(None, None)]);
    }

    #[test]
    fn dates_are_read_in_seconds_and_milliseconds() {
        let token = json!({ "iat": 1, "exp": 3, "nbf": 2 });
        assert_eq!(dates(&token), [1_000, 2_000, 3_000]);
        let cache = json!({ "expiresAt": 5, "session": { "session": { "expiresAt": "1970-01-01T00:00:09Z" } } });
        assert_eq!(dates(&cache), [5, 9_000]);
    }
}
