//! What all requests to an auth service have in common: what it is told of the client, and the
//! cookies that come with its answers.

use crate::cache::session_events::SessionDigest;
use crate::http::request::RequestHead;
use crate::http::set_cookie::SetCookie;
use crate::policy::auth_service::AuthService;

use super::Context;

/// For whom the cookies are that come with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CookiesFor {
    /// For the browser on this host, which has sent the session's cookies.
    Host(String),
    /// For no one: a client that has sent the session in a header has no use for cookies, and they
    /// would be a second credential beside it.
    NoOne,
}

impl CookiesFor {
    /// For whom the cookies are that the service sets, asked with this credential.
    pub(super) fn answers_to(head: &RequestHead<'_>, credential: &(&'static str, String)) -> Self {
        if credential.0 == "cookie" { Self::Host(host_of(head)) } else { Self::NoOne }
    }
}

/// The auth service gets the session's credential and whatever it needs to tell clients apart, and
/// nothing else.
pub(super) fn request_headers(
    head: &RequestHead<'_>,
    credential: (&'static str, String),
) -> Vec<(String, String)> {
    let mut headers = vec![
        ("accept".to_owned(), "application/json".to_owned()),
        (credential.0.to_owned(), credential.1),
    ];
    headers.extend(introduction(head.public_origin));
    // Better Auth counts requests by client, and accepts a single address only.
    headers.extend(
        head.client_address.map(|address| ("x-forwarded-for".to_owned(), address.to_owned())),
    );
    headers
}

/// The public host that an auth service is asked for, whatever the question: one with several hosts
/// (`baseURL: { allowedHosts }`) answers no other (better-auth#8009).
pub(super) fn introduction(public_origin: &str) -> Vec<(String, String)> {
    match public_origin.split_once("://") {
        Some((scheme, host)) if !host.is_empty() => {
            vec![
                ("x-forwarded-host".to_owned(), host.to_owned()),
                ("x-forwarded-proto".to_owned(), scheme.to_owned()),
            ]
        }
        _ => Vec::new(),
    }
}

/// Keeps the cookies that the auth service wants to set: those of the session only, and only for
/// this host. The others' names are noted. Its `set-auth-token` and `set-auth-jwt` would give
/// scripts what cookies keep from them: they stop here.
pub(super) fn keep_cookies(
    service: &AuthService,
    cookies: &CookiesFor,
    session: SessionDigest,
    headers: &[(&str, &str)],
    context: &mut Context<'_>,
) {
    let CookiesFor::Host(host) = cookies else { return };
    let learned = &mut context.progress.learned;
    for line in set_cookie_lines(headers) {
        match SetCookie::parse(line) {
            Some(cookie) if service.cookies.include(cookie.name) && cookie.suits_host(host) => {
                learned.set_cookies.push(line.to_owned());
            }
            cookie => {
                learned.dropped.push(loggable(cookie.map_or("", |cookie| cookie.name)).to_owned())
            }
        }
    }
    learned.cookies_of.push((session, context.state.events.last()));
}

/// Whether an answer deletes cookies of the session: then the service has recognised them.
pub(super) fn deletes_cookies(service: &AuthService, headers: &[(&str, &str)]) -> bool {
    set_cookie_lines(headers)
        .filter_map(SetCookie::parse)
        .any(|cookie| cookie.is_deletion() && service.cookies.include(cookie.name))
}

fn set_cookie_lines<'h>(headers: &'h [(&str, &'h str)]) -> impl Iterator<Item = &'h str> {
    headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, line)| *line)
}

/// The public host without its port.
fn host_of(head: &RequestHead<'_>) -> String {
    let host = head.public_origin.split_once("://").map_or("", |(_, host)| host);
    host.split(':').next().unwrap_or_default().to_owned()
}

/// The name of a cookie, without what the multi-session plugin puts behind it: the session's token.
fn loggable(name: &str) -> &str {
    name.split_once("_multi-").map_or(name, |(name, _)| name)
}
