//! The report as JSON: `doctor-1`. Members are added, never renamed.

use serde_json::{Map, Value, json};

use crate::answer::is_word;
use crate::causes::finding::Finding;
use crate::facts::{Facts, SessionAnswer};
use crate::report::phases::{State, phases};
use crate::run_report::Report;

/// The whole report.
pub(crate) fn json(report: &Report<'_>) -> String {
    let mut is_first = true;
    let causes: Vec<Value> = report
        .causes()
        .map(|finding| finding_json(finding, std::mem::take(&mut is_first)))
        .collect();
    let hints: Vec<Value> = report.hints().map(|finding| finding_json(finding, false)).collect();
    let also: Vec<&str> = report.causes().skip(1).map(|finding| finding.cause.id()).collect();
    let excluded: Vec<&str> = report.excluded().into_iter().map(|cause| cause.id()).collect();
    let value = json!({
        "schema": "doctor-1",
        "version": env!("CARGO_PKG_VERSION"),
        "at": iso(report.started_millis),
        "target": report.plan.target.to_string(),
        "verdict": report.verdict.word(),
        "causes": causes,
        "also": also,
        "hints": hints,
        "excluded": excluded,
        "skipped": skipped(report),
        "not_provable": report
            .not_provable
            .iter()
            .map(|(what, needs)| json!({ "what": what, "needs": needs }))
            .collect::<Vec<_>>(),
        "facts": facts(report.facts),
        "requests": requests(report.facts),
        "elapsed_ms": report.elapsed_millis,
    });
    format!("{value:#}\n")
}

pub(crate) fn finding_json(finding: &Finding, is_primary: bool) -> Value {
    json!({
        "id": finding.cause.id(),
        "certainty": finding.certainty.word(),
        "primary": is_primary,
        "title": finding.cause.title(),
        "seen": finding.seen,
        "unless": finding.unless,
        "evidence": finding.evidence,
        "actor": finding.cause.actor().name(),
        "fix": finding.fix.as_deref().unwrap_or_else(|| finding.cause.fix()),
        "doc": finding.cause.doc(),
    })
}

fn skipped(report: &Report<'_>) -> Vec<Value> {
    phases(report.facts, report.plan)
        .into_iter()
        .filter(|phase| phase.state == State::Skipped)
        .map(|phase| json!({ "probe": phase.name, "needs": phase.words }))
        .collect()
}

fn requests(facts: &Facts) -> Vec<Value> {
    facts
        .requests
        .iter()
        .map(|exchange| {
            json!({
                "id": exchange.id,
                "method": exchange.method,
                "host": exchange.host,
                "path": exchange.path,
                "status": exchange.status,
                "summary": exchange.summary,
                "ms": exchange.millis,
            })
        })
        .collect()
}

/// Facts by dotted names; what was not learned is left out.
pub(crate) fn facts(facts: &Facts) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    put("reach.base", json!(facts.reach.base));
    put("reach.session", json!(facts.reach.session.map(session_word)));
    put("cookie.name", json!(facts.names.session_token));
    if let Some(line) = facts.names.token_line() {
        put("cookie.secure", json!(line.is_secure));
        put("cookie.domain", json!(line.domain));
        put("cookie.same_site", json!(line.same_site));
        put("cookie.path", json!(line.path));
    }
    put("cookie.arrives", json!(facts.arrival.cookie));
    put("origin.checked", json!(facts.arrival.checks_origin));
    for (origin, is_trusted) in &facts.arrival.origins {
        put(&format!("origin.trusted.{origin}"), json!(is_trusted));
    }
    put("keys.status", json!(facts.keys.status));
    if let Some(keys) = &facts.keys.keys {
        put("keys.count", json!(keys.len()));
        let algorithms: Vec<&str> = keys.iter().filter_map(|key| key.alg.as_deref()).collect();
        put("keys.alg", json!(algorithms));
        let kids: Vec<&str> =
            keys.iter().filter_map(|key| key.kid.as_deref()).filter(|kid| is_word(kid)).collect();
        put("keys.kid", json!(kids));
    }
    put("oracle.plain", json!(facts.oracle.knows));
    put("oracle.tried", json!(facts.oracle.tried));
    put("oracle.hit", json!(facts.oracle.hit.as_ref().map(|hit| hit.words.clone())));
    if let Some(source) = &facts.oracle.source {
        put(
            "secret",
            json!({
                "name": source,
                "length": facts.oracle.length_class,
                "fingerprint": facts.oracle.fingerprint,
            }),
        );
    }
    put("gate.reason", json!(facts.gate.anonymous.as_ref().map(|answer| answer.reason.clone())));
    put("gate.signed", json!(facts.gate.signed.as_ref().map(|answer| answer.reason.clone())));
    put("pasted.session", json!(facts.pasted.session.map(session_word)));
    put("clock.service_ms", json!(facts.clock.service_millis));
    if !facts.deep.tried.is_empty() {
        put("deep.strategy", json!(facts.deep.answered));
    }
    if let Some(token) = &facts.token {
        put("token.alg", json!(token.alg.as_deref().filter(|alg| is_word(alg))));
        put("token.kid", json!(token.kid.as_deref().filter(|kid| is_word(kid))));
        put("token.signed", json!(token.is_signed));
        // Claims are printed only where they are URLs: they can be anything.
        let iss = token.iss.as_deref().and_then(crate::url::Url::parse);
        put("token.iss", json!(iss.map(|iss| iss.origin())));
        put("token.exp", json!(token.exp));
        put("token.iat", json!(token.iat));
    }
    Value::Object(members)
}

const fn session_word(answer: SessionAnswer) -> &'static str {
    match answer {
        SessionAnswer::Null => "null",
        SessionAnswer::Session => "session",
    }
}

/// Milliseconds since 1970 as RFC 3339 has them.
pub(crate) fn iso(millis: i64) -> String {
    let seconds = millis.div_euclid(1000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hours, rest) = (of_day.div_euclid(3600), of_day.rem_euclid(3600));
    let (minutes, seconds) = (rest.div_euclid(60), rest.rem_euclid(60));
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
}

/// Year, month and day of a day after 1 January 1970 (Gregorian calendar, years from March).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let years = of_era
        .saturating_sub(of_era.div_euclid(1460))
        .saturating_add(of_era.div_euclid(36_524))
        .saturating_sub(of_era.div_euclid(146_096))
        .div_euclid(365);
    let before = years
        .saturating_mul(365)
        .saturating_add(years.div_euclid(4))
        .saturating_sub(years.div_euclid(100));
    let of_year = of_era.saturating_sub(before);
    let shifted_month = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let day = of_year
        .saturating_sub(shifted_month.saturating_mul(153).saturating_add(2).div_euclid(5))
        .saturating_add(1);
    let month = if shifted_month < 10 {
        shifted_month.saturating_add(3)
    } else {
        shifted_month.saturating_sub(9)
    };
    let year = era.saturating_mul(400).saturating_add(years);
    (if month <= 2 { year.saturating_add(1) } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::iso;

    /// By `date -u -d @… +%FT%TZ`.
    #[test]
    fn moments_are_written() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59Z"),
            (1_796_048_208_000, "2026-11-30T14:16:48Z"),
            (-1000, "1969-12-31T23:59:59Z"),
        ];
        for (millis, expected) in cases {
            assert_eq!(iso(millis), expected);
        }
    }
}
