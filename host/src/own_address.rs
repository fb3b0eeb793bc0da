//! What an origin writes by the name under which the gate reaches it: redirects and cookies that
//! would lead past the gate, or nowhere. Frameworks take that name from `Host` (a slash that is
//! missing, a sign-in that is due); what the public one is, the gate knows.
//! `middleware/own-address.js` is the same for JavaScript hosts.

use http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};

use crate::latin1;

const WITH_ADDRESS: [HeaderName; 3] =
    [http::header::LOCATION, http::header::CONTENT_LOCATION, http::header::REFRESH];

/// Says public addresses in place of the origin's own, in the headers of its response. `origin` is
/// the address under which it was asked (scheme, host name and port), `public_origin` the one that
/// clients see.
pub fn say_public_addresses(headers: &mut HeaderMap, origin: &str, public_origin: &str) {
    for name in WITH_ADDRESS {
        let Some(value) = headers.get(&name) else { continue };
        let value = latin1::text(value.as_bytes());
        let edited = match name == http::header::REFRESH {
            true => refreshed(&value, origin, public_origin),
            false => public_address(&value, origin, public_origin),
        };
        if let Some(edited) = edited.as_deref().and_then(header_value) {
            headers.insert(name, edited);
        }
    }
    let (host, public_host) = (hostname_of(origin), hostname_of(public_origin));
    let lines = headers.get_all(SET_COOKIE).iter();
    let lines: Vec<String> = lines.map(|line| latin1::text(line.as_bytes())).collect();
    let edited: Vec<String> =
        lines.iter().map(|line| public_cookie(line, &host, &public_host)).collect();
    if edited != lines {
        headers.remove(SET_COOKIE);
        for line in edited.iter().filter_map(|line| header_value(line)) {
            headers.append(SET_COOKIE, line);
        }
    }
}

fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(latin1::bytes(text)?).ok()
}

/// An address at the origin itself, whatever scheme it says, as the public one of the same path;
/// nothing for any other.
fn public_address(address: &str, origin: &str, public_origin: &str) -> Option<String> {
    let (scheme, rest) = match address.split_once("//")? {
        ("", rest) => (None, rest),
        (scheme, rest) => (Some(scheme.strip_suffix(':')?.to_ascii_lowercase()), rest),
    };
    if scheme.as_deref().is_some_and(|scheme| !["http", "https"].contains(&scheme)) {
        return None;
    }
    let (own_scheme, own_authority) = origin.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    // A proxy in front says https where the origin hears http, and so the origin may say either.
    let is_own = without_usual_port(authority, scheme.as_deref().unwrap_or(own_scheme))
        == without_usual_port(own_authority, own_scheme);
    is_own.then(|| [public_origin, path].concat())
}

/// In lower case, without the dot after a name and the port that its scheme has anyway.
fn without_usual_port(authority: &str, scheme: &str) -> String {
    let authority = authority.to_ascii_lowercase();
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (authority.as_str(), ""),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let usual = if scheme == "http" { "80" } else { "443" };
    if port.is_empty() || port == usual { name.to_owned() } else { [name, ":", port].concat() }
}

/// `Refresh: 5; url=…`, as browsers read it.
fn refreshed(value: &str, origin: &str, public_origin: &str) -> Option<String> {
    let seconds = value.trim_start();
    let rest = seconds.trim_start_matches(|one: char| one.is_ascii_digit() || one == '.');
    let rest = rest.trim_start();
    let mut address = rest.strip_prefix([';', ','])?.trim_start();
    if let Some(name) = address.get(..3)
        && name.eq_ignore_ascii_case("url")
        && let Some(said) = address.get(3..)?.trim_start().strip_prefix('=')
    {
        address = said.trim_start();
    }
    let address = address.strip_prefix(['"', '\'']).unwrap_or(address);
    let before = value.get(..value.len().checked_sub(address.len())?)?;
    Some([before, &public_address(address, origin, public_origin)?].concat())
}

/// A cookie for the origin's own host is for no host that browsers know: a browser takes it for the
/// host that it asked, without `Domain`.
fn public_cookie(line: &str, host: &str, public_host: &str) -> String {
    let is_for_origin = |attribute: &&str| {
        let Some((name, domain)) = attribute.split_once('=') else { return false };
        let domain = domain.trim().to_ascii_lowercase();
        let domain = domain.strip_prefix('.').unwrap_or(&domain);
        let above = public_host.strip_suffix(domain);
        let is_for_public = above.is_some_and(|above| above.is_empty() || above.ends_with('.'));
        name.trim().eq_ignore_ascii_case("domain") && domain == host && !is_for_public
    };
    let mut parts = line.split(';');
    let cookie = parts.next().into_iter();
    cookie.chain(parts.filter(|part| !is_for_origin(part))).collect::<Vec<_>>().join(";")
}

/// The name without the port, in lower case.
fn hostname_of(origin: &str) -> String {
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The cases of `middleware/test/own-address.test.js`.
    const PUBLIC: &str = "https://app.test";

    #[test]
    fn an_address_at_the_origin_is_the_public_ones() {
        let at = |address: &str, origin: &str, expected: &str| {
            assert_eq!(public_address(address, origin, PUBLIC).as_deref(), Some(expected));
        };
        let plain = "http://127.0.0.1:8000";
        at("http://127.0.0.1:8000/items/?a=b#c", plain, "https://app.test/items/?a=b#c");
        at("https://127.0.0.1:8000/items/", plain, "https://app.test/items/");
        at("//127.0.0.1:8000/items/", plain, "https://app.test/items/");
        at("HTTP://127.0.0.1:8000", plain, "https://app.test");
        at("http://127.0.0.1:8000?a", plain, "https://app.test?a");
        at("http://origin.test/a", "http://origin.test", "https://app.test/a");
        at("http://origin.test:80/a", "http://origin.test", "https://app.test/a");
        at("https://Origin.Test:443/a", "https://origin.test", "https://app.test/a");
        at("https://origin.test./a", "https://origin.test", "https://app.test/a");
        at("http://[::1]:8000/a", "http://[::1]:8000", "https://app.test/a");
    }

    #[test]
    fn any_other_address_stays() {
        for address in [
            "/items/",
            "items",
            "",
            "http://127.0.0.1:8001/",
            "http://127.0.0.1/",
            "http://127.0.0.1:8000.evil.test/",
            "http://127.0.0.1:8000@evil.test/",
            "http://evil.test/http://127.0.0.1:8000/",
            "http://evil.test\\@127.0.0.1:8000/",
            "https://app.test/a",
            "javascript:alert(1)",
            "ftp://127.0.0.1:8000/",
            "http:/127.0.0.1:8000/",
        ] {
            assert_eq!(public_address(address, "http://127.0.0.1:8000", PUBLIC), None, "{address}");
        }
    }

    fn edited(lines: &[(&'static str, &str)], origin: &str, public_origin: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap_or(HeaderValue::from_static("")));
        }
        say_public_addresses(&mut headers, origin, public_origin);
        headers.values().map(|value| latin1::text(value.as_bytes())).collect()
    }

    #[test]
    fn each_header_that_names_an_address_is_looked_at() {
        let origin = "http://origin.internal:8000";
        let at = |name, value: &str, expected: &str| {
            assert_eq!(edited(&[(name, value)], origin, PUBLIC), [expected]);
        };
        at("location", "http://origin.internal:8000/a", "https://app.test/a");
        at("content-location", "//origin.internal:8000/b", "https://app.test/b");
        at("refresh", "5; url=http://origin.internal:8000/a", "5; url=https://app.test/a");
        at("refresh", "0;URL='http://origin.internal:8000/a'", "0;URL='https://app.test/a'");
        at("refresh", "3, http://origin.internal:8000/", "3, https://app.test/");
        at("refresh", "5; url=/a", "5; url=/a");
        at("refresh", "5", "5");
        at("link", "<http://origin.internal:8000/a>", "<http://origin.internal:8000/a>");
    }

    #[test]
    fn a_cookie_for_the_origins_own_host_is_one_for_the_host_that_was_asked() {
        let origin = "http://origin.internal:8000";
        let lines = [
            ("set-cookie", "a=b; Domain=origin.internal; Path=/"),
            ("set-cookie", "c=d; Domain=elsewhere.test"),
        ];
        assert_eq!(edited(&lines, origin, PUBLIC), ["a=b; Path=/", "c=d; Domain=elsewhere.test"]);
        let line = [("set-cookie", "a=b; domain=.Origin.internal")];
        assert_eq!(edited(&line, origin, PUBLIC), ["a=b"]);
        // The public host is below it: the cookie is meant for both.
        let line = [("set-cookie", "a=b; Domain=example.test")];
        let both = edited(&line, "https://example.test", "https://app.example.test");
        assert_eq!(both, ["a=b; Domain=example.test"]);
    }
}
