//! `Set-Cookie` lines about the cookies of a session: whether a response has any, and those that
//! clear them.

use crate::encoding::collections::set_of;
use crate::http::cookie;
use crate::http::request::RequestHead;
use crate::http::set_cookie::{self, SetCookie};
use crate::policy::auth_service::AuthService;

/// Whether one of these lines sets or clears a cookie of this auth service.
pub(crate) fn are_set(service: &AuthService, lines: &[&str]) -> bool {
    let is_ours = |line: &&str| {
        let name = line.split(['=', ';']).next().unwrap_or_default().trim();
        service.cookies.include(name)
    };
    lines.iter().any(is_ours)
}

/// `Set-Cookie` lines that clear the cookies of an ended session as Better Auth itself does: its
/// names, with the chunks that were sent; also without a domain, in case they were set before one
/// was configured. A name that the auth service itself sets or clears is left to it.
pub(crate) fn deletions(
    service: &AuthService,
    head: &RequestHead<'_>,
    already_set: &[String],
) -> Vec<String> {
    let names = &service.cookies;
    let always =
        [names.session_token.as_str(), names.session_data.as_str(), names.dont_remember.as_str()];
    // Chunks that no auth service can have written stay: there could be thousands of them.
    let sent = cookie::all(head)
        .map(|sent| sent.name)
        .filter(|name| cookie::is_chunk(name, &names.session_data));
    let already_set =
        already_set.iter().filter_map(|line| SetCookie::parse(line)).map(|cookie| cookie.name);
    let mut seen = set_of(already_set);
    let mut lines = Vec::new();
    for name in always.into_iter().chain(sent).filter(|name| seen.insert(*name)) {
        lines.extend(
            service.cookie_domain.as_deref().map(|domain| set_cookie::deletion(name, Some(domain))),
        );
        lines.push(set_cookie::deletion(name, None));
    }
    lines
}
