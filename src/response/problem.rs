//! A refusal for programs: a problem document (RFC 9457), or one line of text.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::encoding::json;
use crate::reason::Reason;

/// The problem document about a refusal. `cause` says why each round of a redirect loop ended
/// without a session, `docs` is the URL of the reason's documentation, `findings` the line of the
/// log, where the client may see it.
pub(super) fn document(
    reason: Reason,
    cause: Option<Reason>,
    docs: Option<String>,
    findings: Option<&str>,
) -> String {
    json::written(&Problem {
        findings: findings.and_then(|line| serde_json::from_str(line).ok()),
        cause: cause.map(Reason::code),
        detail: reason.sentence(),
        docs,
        reason: reason.code(),
        status: reason.status(),
        title: title(reason.status()),
        kind: &["urn:doorward:reason:", reason.code()].concat(),
    })
}

/// One line: the message of an error that the application's `error.js` shows.
pub(super) fn line(reason: Reason) -> String {
    [title(reason.status()), ": ", reason.sentence(), " (", reason.code(), ")"].concat()
}

/// The members of RFC 9457 and our own.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    detail: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    docs: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<&'a RawValue>,
    reason: &'static str,
    status: u16,
    title: &'static str,
    #[serde(rename = "type")]
    kind: &'a str,
}

const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        502 => "Bad Gateway",
        504 => "Gateway Timeout",
        _ => "Service Unavailable",
    }
}
