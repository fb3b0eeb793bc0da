//! The way to the sign-in page and back, and the guard against going round.
//!
//! The way back is path and query of this request only, as the gate spells them. A way that leads
//! here again without a session that counts is noticed twice over, because neither sign sees every
//! round: the `Referer` of somebody who comes back from the sign-in page shows how often they were
//! sent there, also where cookies are blocked; within a chain of HTTP redirects the `Referer` never
//! changes, and there a cookie counts.

use crate::encoding::digest;
use crate::encoding::text;
use crate::http::cookie;
use crate::http::path::Path;
use crate::http::request::{RequestHead, RequestKind};
use crate::policy::{ATTEMPT, SignIn};

/// A longer way back is left out: a sign-in page must stay reachable.
const MAX_RETURN_BYTES: usize = 2048;
/// Whoever comes back from the sign-in page once is sent there again: a link there may have been
/// clicked. Twice is a loop.
const MAX_ATTEMPTS: u32 = 2;
/// In a chain of redirects nobody waits, and a browser gives up after 20. Tabs that are opened
/// again at once, with one page in several of them, are fewer than this.
const MAX_ROUNDS: u32 = 4;
/// A chain of redirects takes less per round; somebody who signs in takes longer.
const ROUND_SECONDS: &str = "10";
/// `__Host-` (RFC 6265bis section 4.1.3.2) where the site has https: nobody below or beside this
/// host can set it.
const COUNTER: &str = "__Host-doorward-round";

/// The way to the sign-in page.
pub(crate) struct SignInRedirect {
    /// Path and query of the page.
    pub(crate) target: String,
    /// The counter for a browser that comes back at once.
    pub(crate) set_cookie: Option<String>,
}

/// The way to the sign-in page, with the way back; nothing where it would go round.
pub(crate) fn way(
    sign_in: &SignIn,
    head: &RequestHead<'_>,
    kind: RequestKind,
    path: &Path<'_>,
) -> Option<SignInRedirect> {
    // Sending the sign-in page to itself would go round for ever.
    if sign_in.segments == path.segments() {
        return None;
    }
    let Some(way_back) = return_path(head, kind, path) else {
        return Some(SignInRedirect { target: sign_in.path.clone(), set_cookie: None });
    };
    let target =
        [&sign_in.path, "?", &sign_in.return_parameter, "=", &text::query_component(&way_back)]
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

/// Where to come back to. A server action is sent to the page that it stands on; any other method
/// but GET has none.
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
/// are other hosts. A canonical path is none of these; this is looked at again because an open
/// redirect would be the whole site's.
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

/// How often somebody who comes from the sign-in page, and was to come back here, has been sent
/// there.
fn attempts(sign_in: &SignIn, head: &RequestHead<'_>, way_back: &str) -> Option<u32> {
    let (path, query) = head.only("referer")?.strip_prefix(head.public_origin)?.split_once('?')?;
    if path.trim_end_matches('/') != sign_in.path.trim_end_matches('/') {
        return None;
    }
    let parameter =
        |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let was_to_come_back =
        text::percent_decoded(parameter(&sign_in.return_parameter)?)? == way_back;
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

/// A short name for a way back: two tabs with two pages do not count each other's rounds.
fn tag(way_back: &str) -> String {
    let digest = digest::of(way_back.as_bytes());
    text::to_base64url(digest.get(..9).unwrap_or_default())
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
