//! `Set-Cookie` lines: what one says, one that deletes, the cookies of a request after them, and
//! the headers of a response that has them (RFC 6265bis).

use crate::http::cookie;
use crate::http::request::RequestHead;

/// Headers that caches obey. A CDN prefers the first of these that it knows to `Cache-Control` (RFC
/// 9213 section 2.2), so each of them is replaced.
const FOR_CACHES: [&str; 6] = [
    "cache-control",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "vercel-cdn-cache-control",
    "netlify-cdn-cache-control",
    "surrogate-control",
];

/// Headers of a response that sets these cookies: no cache may store it.
pub(crate) fn response_headers(lines: Vec<String>) -> Vec<(String, String)> {
    let for_caches = if lines.is_empty() { &[][..] } else { &FOR_CACHES };
    let own = for_caches.iter().map(|name| ((*name).to_owned(), "private, no-store".to_owned()));
    own.chain(lines.into_iter().map(|line| ("set-cookie".to_owned(), line))).collect()
}

/// A `Set-Cookie` line that deletes a session's cookie: with no life, and the attributes with which
/// Better Auth sets and deletes it (`better-auth` 1.7, `dist/cookies/index.mjs`), in its order.
/// Browsers take a name with `__Secure-` only with `Secure`.
pub(crate) fn deletion(name: &str, domain: Option<&str>) -> String {
    let domain = domain.map_or_else(String::new, |domain| ["; Domain=", domain].concat());
    let secure = if name.starts_with("__Secure-") { "; Secure" } else { "" };
    [name, "=; Max-Age=0", &domain, "; Path=/; HttpOnly", secure, "; SameSite=Lax"].concat()
}

/// The cookies of a request as they are after these `Set-Cookie` lines: a new value takes the place
/// of the first of its name, and of those behind it, since not every reader takes the first; what
/// is deleted or in chunks no longer goes. `chunked` are names of cookies that may be cut in
/// chunks: of these only what was set now is left. One of this other name goes as well.
pub(crate) fn renewed(
    head: &RequestHead<'_>,
    lines: &[String],
    chunked: &[&str],
    without: &str,
) -> String {
    let set: Vec<SetCookie<'_>> = lines.iter().filter_map(|line| SetCookie::parse(line)).collect();
    let value_of = |name: &str| {
        set.iter().rfind(|it| it.name == name && !it.is_deletion()).map(|it| it.raw_value)
    };
    let is_replaced = |name: &str| {
        let base = chunked.iter().find(|base| cookie::is_named(name, base));
        let is_rewritten =
            |base: &&str| set.iter().any(|it| cookie::is_named(it.name, base) && !it.is_deletion());
        set.iter().any(|it| it.name == name) || base.is_some_and(is_rewritten)
    };
    let mut written: Vec<&str> = Vec::new();
    let mut sent: Vec<String> = Vec::new();
    for cookie in cookie::all(head).filter(|cookie| cookie.name != without) {
        match value_of(cookie.name) {
            Some(_) if written.contains(&cookie.name) => {}
            Some(value) => {
                written.push(cookie.name);
                sent.push([cookie.name, "=", value].concat());
            }
            None if is_replaced(cookie.name) => {}
            None => sent.push(cookie.as_sent()),
        }
    }
    for name in set.iter().map(|it| it.name) {
        if let Some(value) = value_of(name).filter(|_| !written.contains(&name)) {
            written.push(name);
            sent.push([name, "=", value].concat());
        }
    }
    sent.join("; ")
}

/// What a `Set-Cookie` line says about name, value and domain (RFC 6265bis section 5.6).
pub(crate) struct SetCookie<'a> {
    pub(crate) name: &'a str,
    raw_value: &'a str,
    pub(crate) domain: Option<&'a str>,
    ends: bool,
}

impl<'a> SetCookie<'a> {
    /// Reads a line; nothing where it has no name or would not survive as one header.
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        if line.chars().any(char::is_control) {
            return None;
        }
        let mut parts = line.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let attributes = || parts.clone().filter_map(|attribute| attribute.split_once('='));
        let last = |wanted: &str| {
            let named =
                attributes().filter(|(attribute, _)| attribute.trim().eq_ignore_ascii_case(wanted));
            named.map(|(_, value)| value.trim()).next_back()
        };
        let domain = last("domain").map(|domain| domain.trim_start_matches('.'));
        // `Max-Age` counts before `Expires`; a date is taken for a deletion only where it is the
        // usual one.
        let ends = match last("max-age") {
            Some(age) => age.parse::<i64>().is_ok_and(|age| age <= 0),
            None => last("expires").is_some_and(|date| date.contains("1970")),
        };
        Some(Self { name: name.trim(), raw_value: value.trim(), domain, ends })
    }

    /// The pair as it goes into a `Cookie` header.
    pub(crate) fn as_sent(&self) -> String {
        [self.name, "=", self.raw_value].concat()
    }

    /// Whether it deletes the cookie, or leaves nothing in it.
    pub(crate) fn is_deletion(&self) -> bool {
        self.ends || self.raw_value.is_empty()
    }

    /// Whether a browser on `host` would take the cookie's `Domain` (RFC 6265bis section 5.1.3).
    pub(crate) fn suits_host(&self, host: &str) -> bool {
        self.domain.is_none_or(|domain| {
            let domain = domain.to_ascii_lowercase();
            let host = host.to_ascii_lowercase();
            host == domain
                || host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|rest| rest.ends_with('.') && !domain.is_empty())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::cookie::tests::with_cookies;

    #[test]
    fn what_was_set_just_now_stands_where_the_old_one_was() {
        let after = |line: &str, lines: &[&str]| {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            with_cookies(line, |head| renewed(head, &lines, &["d"], "ours"))
        };
        assert_eq!(after("a=1; s=old; b=2", &["s=new; Path=/; HttpOnly"]), "a=1; s=new; b=2");
        assert_eq!(
            after("s=old; a=1; s=older", &["s=new"]),
            "s=new; a=1",
            "who reads the last one reads it too"
        );
        assert_eq!(after("a=1", &["s=new; Max-Age=300", "d=x"]), "a=1; s=new; d=x");
        assert_eq!(
            after("d=1; a=1; s=1", &["d=; Max-Age=0", "s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]),
            "a=1"
        );
        assert_eq!(
            after("d.0=a; d.1=b; d.2=c; a=1", &["d.0=x", "d.1=y", "d.2=; Max-Age=0"]),
            "d.0=x; d.1=y; a=1"
        );
        assert_eq!(
            after("d.0=a; d.1=b; a=1", &["d=whole"]),
            "a=1; d=whole",
            "chunks of the old one are none of the new"
        );
        assert_eq!(after("d=whole; dd=2", &["d.0=x", "d.1=y"]), "dd=2; d.0=x; d.1=y");
        assert_eq!(
            after("s=1", &["s=; Max-Age=0", "s=2; Domain=example.com"]),
            "s=2",
            "a deletion without the domain is another's"
        );
        assert_eq!(after("ours=1; a=%2B", &[]), "a=%2B");
        assert_eq!(after("ours=1", &[]), "");
    }

    #[test]
    fn a_foreign_domain_is_seen() {
        let suits = |line: &str, host: &str| {
            SetCookie::parse(line).is_some_and(|cookie| cookie.suits_host(host))
        };
        assert!(suits("s=1; Path=/; HttpOnly", "app.example.com"));
        assert!(suits("s=1; Domain=.example.com", "app.example.com"));
        assert!(suits("s=1; domain=APP.example.com", "app.example.com"));
        assert!(!suits("s=1; Domain=evil.com", "app.example.com"));
        assert!(!suits("s=1; Domain=ample.com", "app.example.com"));
        assert!(!suits("s=1; Domain=", "app.example.com"));
        assert!(!suits("s=1\r\nx: y", "app.example.com"));
    }
}
