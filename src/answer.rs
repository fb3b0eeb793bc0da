//! Answers: Reason × RequestKind → a redirect or a refusal.
//!
//! The reason decides the status, the kind of request only the shape. Every answer is `private, no-store`: one user's
//! refusal is nobody else's, and none outlives its moment.

use serde_json::json;

use crate::decision::{Answer, Decision};
use crate::path::Path;
use crate::policy::{Policy, SignIn};
use crate::reason::Reason;
use crate::request::{RequestHead, RequestKind};
use crate::text;

/// A longer way back is left out: a sign-in page must stay reachable.
const MAX_RETURN_BYTES: usize = 2048;
/// An outage is asked about again after so many seconds.
const RETRY_AFTER_SECONDS: &str = "5";

/// The answer to a request that may not go on.
pub(crate) fn refuse(
    reason: Reason,
    policy: &Policy,
    head: &RequestHead<'_>,
    path: Option<&Path<'_>>,
    set_cookies: Vec<String>,
) -> Decision {
    let kind = kind_of(head, path);
    let target = match (&policy.sign_in, path) {
        (Some(sign_in), Some(path)) if kind == RequestKind::Document && reason.status() == 401 => Some((sign_in, path)),
        _ => None,
    };
    match target {
        // Sending the sign-in page to itself would go round for ever.
        Some((sign_in, path)) if sign_in.segments == path.segments() => {
            Decision::Reject(rejection(Reason::RedirectLoop, policy, head, kind, set_cookies))
        }
        Some((sign_in, path)) => Decision::Redirect(redirection(reason, policy, head, sign_in, path, set_cookies)),
        None => Decision::Reject(rejection(reason, policy, head, kind, set_cookies)),
    }
}

/// The kind of request, as the target's own form tells or else its headers do.
pub(crate) fn kind_of(head: &RequestHead<'_>, path: Option<&Path<'_>>) -> RequestKind {
    match RequestKind::of(head) {
        RequestKind::Document | RequestKind::Fetch => path.and_then(Path::transport).unwrap_or_else(|| RequestKind::of(head)),
        kind => kind,
    }
}

fn redirection(
    reason: Reason,
    policy: &Policy,
    head: &RequestHead<'_>,
    sign_in: &SignIn,
    path: &Path<'_>,
    set_cookies: Vec<String>,
) -> Answer {
    let is_get = matches!(head.method, "GET" | "HEAD");
    let way_back = Some(path.target()).filter(|way_back| is_get && way_back.len() <= MAX_RETURN_BYTES);
    let location = match way_back {
        Some(way_back) => [&sign_in.path, "?", &sign_in.return_parameter, "=", &text::query_component(&way_back)].concat(),
        None => sign_in.path.clone(),
    };
    // 307 keeps GET and HEAD as they are; 303 makes a GET of everything else (RFC 9110 sections 15.4.4 and 15.4.8).
    let status = if is_get { 307 } else { 303 };
    let mut headers = common_headers(reason, "redirect", policy, set_cookies);
    headers.push(("location".to_owned(), location));
    Answer { reason, status, headers, body: String::new(), log: Some(log_line(reason, "redirect", status, head, Some(path))) }
}

fn rejection(reason: Reason, policy: &Policy, head: &RequestHead<'_>, kind: RequestKind, set_cookies: Vec<String>) -> Answer {
    let status = reason.status();
    let mut headers = common_headers(reason, "reject", policy, set_cookies);
    if let Some(challenge) = challenge(reason) {
        headers.push(("www-authenticate".to_owned(), challenge));
    }
    if status == 503 {
        headers.push(("retry-after".to_owned(), RETRY_AFTER_SECONDS.to_owned()));
    }
    let (content_type, body) = if kind == RequestKind::Document {
        ("text/html; charset=utf-8", page(reason))
    } else {
        ("application/problem+json", problem(reason))
    };
    headers.push(("content-type".to_owned(), content_type.to_owned()));
    let body = if head.method == "HEAD" { String::new() } else { body };
    Answer { reason, status, headers, body, log: Some(log_line(reason, "reject", status, head, None)) }
}

fn common_headers(reason: Reason, decision: &str, policy: &Policy, set_cookies: Vec<String>) -> Vec<(String, String)> {
    let mut headers = vec![
        ("cache-control".to_owned(), "private, no-store".to_owned()),
        (
            "vary".to_owned(),
            "Cookie, Authorization, Accept, Sec-Fetch-Mode, Sec-Fetch-Dest, RSC, Next-Router-Prefetch".to_owned(),
        ),
    ];
    if policy.debug_header {
        headers.push(("doorward-decision".to_owned(), [decision, "; reason=", reason.code()].concat()));
    }
    headers.extend(set_cookies.into_iter().map(|line| ("set-cookie".to_owned(), line)));
    headers
}

/// RFC 6750 section 3: no error code where no credential was sent.
fn challenge(reason: Reason) -> Option<String> {
    match reason {
        Reason::NoCredential | Reason::RedirectLoop => Some("Bearer".to_owned()),
        Reason::NotPermitted => Some("Bearer error=\"insufficient_scope\"".to_owned()),
        // A quoted-string of RFC 6750 has no quotation marks of its own.
        _ if reason.status() == 401 => {
            Some(["Bearer error=\"invalid_token\", error_description=\"", &reason.sentence().replace('"', "'"), "\""].concat())
        }
        _ => None,
    }
}

const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        _ => "Service Unavailable",
    }
}

/// RFC 9457.
fn problem(reason: Reason) -> String {
    json!({
        "type": (["urn:doorward:reason:", reason.code()].concat()),
        "title": title(reason.status()),
        "status": reason.status(),
        "detail": reason.sentence(),
        "reason": reason.code(),
    })
    .to_string()
}

/// A page for people. Nothing of the request is repeated in it.
fn page(reason: Reason) -> String {
    let sentence = reason.sentence().replace('"', "&quot;");
    let title = title(reason.status());
    [
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><title>",
        title,
        "</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto;padding:0 1rem}</style><h1>",
        title,
        "</h1><p>This page could not be shown: ",
        &sentence,
        ".</p><p><code>",
        reason.code(),
        "</code></p></html>\n",
    ]
    .concat()
}

/// One JSON line per refusal. The query stays out, and so does every header: they may hold secrets.
fn log_line(reason: Reason, decision: &str, status: u16, head: &RequestHead<'_>, path: Option<&Path<'_>>) -> String {
    let path = path.map_or_else(|| Path::parse(head.target, None).map(|path| path.spelled()).unwrap_or_default(), Path::spelled);
    json!({ "gate": "doorward", "decision": decision, "reason": reason.code(), "status": status, "method": head.method, "path": path }).to_string()
}
