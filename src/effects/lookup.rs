//! What the log says of a fetch that has failed: whom it went to, what came of it, what to do.

use crate::cache::shared;
use crate::effect::EffectResult;
use crate::encoding::members::Members;
use crate::time::{self, UnixTime};

/// The longest code of a platform that is shown.
const MAX_CODE_BYTES: usize = 48;

/// The URL without its query, what came of the fetch, and a hint.
#[cold]
#[inline(never)]
pub(super) fn findings(url: &str, result: &EffectResult<'_>) -> Members {
    let mut lookup = Members::default();
    lookup.shown("url", without_query(url));
    let hint = match result {
        EffectResult::Answered { status, headers, .. } => {
            lookup.number("status", (*status).into());
            for (name, member) in [("location", "redirects_to"), ("content-type", "content_type")] {
                let of_name = |(own, _): &&(&str, &str)| own.eq_ignore_ascii_case(name);
                if let Some((_, value)) = headers.iter().find(of_name) {
                    lookup.shown(member, without_query(value));
                }
            }
            hint_about(*status)
        }
        EffectResult::Unreachable(code) => {
            if is_code(code) {
                lookup.text("network_error", code);
            }
            NO_RESPONSE
        }
        EffectResult::TooLarge => "This response is larger than any of its kind: check the URL",
        EffectResult::HeadTooLarge => {
            "The head of the response is larger than this platform takes: raise its limit \
             (--max-http-header-size), or have the auth service set less"
        }
        _ => NO_RESPONSE,
    };
    let mut findings = Members::default();
    findings.add("lookup", lookup.written());
    findings.text("hint", hint);
    findings
}

/// How many seconds the clock of whoever has answered is ahead, by its `Date` and what caches have
/// added to that.
#[cold]
#[inline(never)]
pub(super) fn clock_difference(result: &EffectResult<'_>, now: UnixTime) -> Option<i64> {
    let EffectResult::Answered { headers, .. } = result else { return None };
    let date = time::from_http_date(shared::value(headers, "date"))?.as_seconds();
    let age: i64 = shared::value(headers, "age").parse().unwrap_or(0);
    Some(date.saturating_add(age).saturating_sub(now.as_seconds()))
}

const NO_RESPONSE: &str = "Nothing answers at this URL: check that it is right, that the service \
    runs, and that the gate can reach it from where it runs";

const fn hint_about(status: u16) -> &'static str {
    match status {
        200 => "This is not the response of such a service: check the URL and base_path",
        300..=399 => "Redirects are not followed: write the address that it redirects to",
        401 | 403 => {
            "Something in front of the service wants a credential of its own (deployment \
             protection, a firewall): let the gate through"
        }
        404 | 410 => {
            "There is no such path: compare base_path with basePath of the auth service, and see \
             that the plugin is there whose path it is"
        }
        429 => "The service limits the rate of requests: raise its limit for the gate",
        500..=599 => "The service has failed: its own log says why",
        _ => "This is not the status of such a service: check the URL",
    }
}

/// A code is a word or two of a platform's own; anything else may have been made of the request.
fn is_code(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_- .".contains(&byte);
    text.len() <= MAX_CODE_BYTES && text.bytes().all(is_plain)
}

/// A query may hold a secret.
fn without_query(url: &str) -> &str {
    url.split(['?', '#', ';']).next().unwrap_or_default()
}
