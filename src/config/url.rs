//! URLs and names, as far as the configuration has to tell them apart.

use std::net::Ipv4Addr;

/// Scheme, host and port of an absolute URL, as a browser writes an origin.
pub(super) fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_chars = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    let host = authority.strip_suffix(default_port).unwrap_or(authority);
    if host.is_empty() || host.starts_with(':') || !host.bytes().all(host_chars) {
        return None;
    }
    Some([scheme, "://", &host.to_ascii_lowercase()].concat())
}

/// Whether a client sends this as its `Origin`: a site, or an app or extension with a scheme of its own (`capacitor://localhost`).
pub(super) fn is_origin(text: &str) -> bool {
    let is_app = |scheme: &str, host: &str| {
        !matches!(scheme, "http" | "https")
            && scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte))
            && host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte))
            && !host.is_empty()
    };
    origin_of(text).as_deref() == Some(text) || text.split_once("://").is_some_and(|(scheme, host)| is_app(scheme, host))
}

/// Host and port of a URL, or the whole text where it is none.
pub(super) fn host_of(url: &str) -> String {
    origin_of(url).and_then(|origin| origin.split_once("://").map(|(_, host)| host.to_owned())).unwrap_or_else(|| url.to_owned())
}

/// Whether the gate may fetch from here: https, or http to this machine.
pub(super) fn is_fetchable(url: &str) -> bool {
    let Some(origin) = origin_of(url) else {
        return false;
    };
    let clean = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains('#');
    let is_loopback = || {
        let host = host_of(&origin);
        let name =
            if host.starts_with('[') { host.split(']').next().unwrap_or("") } else { host.split(':').next().unwrap_or("") };
        matches!(name, "localhost" | "[::1") || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    };
    clean && (origin.starts_with("https://") || is_loopback())
}

/// A token of RFC 9110 section 5.6.2: names of headers, cookies, methods.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
