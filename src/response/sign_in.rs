//! The redirect to the sign-in page with a return path, and the detection of redirect loops.
//!
//! The return path is path and query of this request only, in canonical spelling. A loop is
//! detected in two ways, because neither sees every round: the `Referer` of a user who comes back
//! from the sign-in page shows how often they were sent there, even with blocked cookies; within a
//! chain of HTTP redirects the `Referer` does not change, and there a cookie counts.

use crate::encoding::{base64, digest, percent};
use crate::http::cookie;
use crate::http::path::Path;
use crate::http::request::{RequestHead, RequestKind};
use crate::policy::{ATTEMPT, SignIn};

/// A longer return path is left out, so that the sign-in page stays reachable.
const MAX_RETURN_BYTES: usize = 2048;
/// A user who comes back from the sign-in page once is sent there again, because they may have
/// clicked a link there. Twice is a loop.
const MAX_ATTEMPTS: u32 = 2;
/// A browser gives up after 20 redirects. This is more than the tabs with one page that a browser
/// restores at once.
const MAX_ROUNDS: u32 = 4;
/// Longer than one round of a chain of redirects, shorter than a user takes to sign in.
const ROUND_SECONDS: &str = "10";
/// `__Host-` (RFC 6265bis section 4.1.3.2) where the site has https, so that no subdomain or
/// sibling can set it.
const COUNTER: &str = "__Host-doorward-round";

/// A redirect to the sign-in page.
pub(crate) struct SignInRedirect {
    /// Path and query of the page.
    pub(crate) target: String,
    /// The counter for a browser that comes back at once.
    pub(crate) set_cookie: Option<String>,
}

/// The redirect to the sign-in page, with the return path; nothing where it would be a loop.
pub(crate) fn way(
    sign_in: &SignIn,
    head: &RequestHead<'_>,
    kind: RequestKind,
    path: &Path<'_>,
) -> Option<SignInRedirect> {
    // The sign-in page redirected to itself would be a loop.
    if sign_in.segments == path.segments() {
        return None;
    }
    let Some(way_back) = return_path(head, kind, path) else {
        return Some(SignInRedirect { target: sign_in.path.clone(), set_cookie: None });
    };
    let target =
        [&sign_in.path, "?", &sign_in.return_parameter, "=", &percent::query_component(&way_back)]
            .concat();
    if kind == RequestKind::Action {
        return Some(SignInRedirect { target, set_cookie: None });
    }
    let attempts = attempts(sign_in, head, &way_back).unwrap_or(0);
    let tag = tag(&way_back);
    let rounds = rounds(head, &tag).unwrap_or(0);
    if attempts >= MAX_ATTEMPTS || rounds >= MAX_ROUNDS {
        return None;
    }
    let target = match attempts {
        0 => target,
        earlier => [&target, "&", ATTEMPT, "=", &earlier.saturating_add(1).to_string()].concat(),
    };
    Some(SignInRedirect { target, set_cookie: Some(counter(head, rounds.saturating_add(1), &tag)) })
}

/// The return path. For a server action it is the page that the action is on; for other methods
/// than GET and HEAD there is none.
pub(crate) fn return_path(
    head: &RequestHead<'_>,
    kind: RequestKind,
    path: &Path<'_>,
) -> Option<String> {
    let has_page = matches!(head.method, "GET" | "HEAD") || kind == RequestKind::Action;
    Some(path.target())
        .filter(|way_back| has_page && way_back.len() <= MAX_RETURN_BYTES && stays_here(way_back))
}

/// Whether a target still is a path of this site after a browser or a sign-in page has normalised
/// it: `//evil.example`, `/\evil.example` and whatever becomes one of them (`/..//evil.example`)
/// are other hosts. A canonical path is none of these; it is checked again because a mistake would
/// be an open redirect.
fn stays_here(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or(target);
    let is_dots = |segment: &str| {
        matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
    };
    path.starts_with('/')
        && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
        && !path.contains("//")
        && !path.contains('\\')
        && !path.split('/').any(is_dots)
}

/// How often a user who comes from the sign-in page with this return path has been sent there.
fn attempts(sign_in: &SignIn, head: &RequestHead<'_>, way_back: &str) -> Option<u32> {
    let (path, query) = head.only("referer")?.strip_prefix(head.public_origin)?.split_once('?')?;
    if path.trim_end_matches('/') != sign_in.path.trim_end_matches('/') {
        return None;
    }
    let parameter =
        |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let was_to_come_back = percent::decoded(parameter(&sign_in.return_parameter)?)? == way_back;
    was_to_come_back
        .then(|| parameter(ATTEMPT).and_then(|attempt| attempt.parse().ok()).unwrap_or(1))
}

/// How often a browser was sent to sign in from here within the last seconds.
fn rounds(head: &RequestHead<'_>, tag: &str) -> Option<u32> {
    let counter = cookie::first(head, counter_name(head))?.as_received();
    let (rounds, counted) = counter.split_once('.')?;
    if counted == tag { rounds.parse().ok() } else { None }
}

fn counter(head: &RequestHead<'_>, rounds: u32, tag: &str) -> String {
    let secure = if is_https(head) { "; Secure" } else { "" };
    let rounds = rounds.to_string();
    let name = counter_name(head);
    [
        name,
        "=",
        &rounds,
        ".",
        tag,
        "; Max-Age=",
        ROUND_SECONDS,
        "; Path=/; HttpOnly",
        secure,
        "; SameSite=Lax",
    ]
    .concat()
}

fn counter_name(head: &RequestHead<'_>) -> &'static str {
    if is_https(head) { COUNTER } else { COUNTER.trim_start_matches("__Host-") }
}

fn is_https(head: &RequestHead<'_>) -> bool {
    head.public_origin.starts_with("https://")
}

/// A short name for a return path, so that two tabs with two pages are counted apart.
fn tag(way_back: &str) -> String {
    let digest = digest::of(way_back.as_bytes());
    base64::url_encoded(digest.get(..9).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_take_for_another_host_does_not_stay_here() {
        for target in [
            "/",
            "/a/b?c=//d",
            "/@evil.example",
            "/evil.example:80/",
            "/a?x=\\",
            "/..a/.b./...",
            "/%2e%2ea",
        ] {
            assert!(stays_here(target), "{target}");
        }
        for target in [
            "",
            "a",
            "?x",
            "//evil.example",
            "/a//b",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "/..//evil.example",
            "/.//evil.example",
            "/%2e%2E//evil.example",
            "/%2e/evil.example",
            "/a/../b",
            "/a/.%2e",
            "/\tevil",
            "/a b",
            "/\u{7f}",
            "/é",
            "/a#b",
        ] {
            assert!(!stays_here(target), "{target:?}");
        }
    }
}
