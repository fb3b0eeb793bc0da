//! URLs, as far as a diagnosis needs them: http and https, a host, a port, a path.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An `http` or `https` URL without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) is_https: bool,
    /// In small letters; an IPv6 address in brackets.
    pub(crate) host: String,
    /// Where it is not the scheme's own.
    pub(crate) port: Option<u16>,
    /// Begins with `/`.
    pub(crate) path: String,
}

impl Url {
    /// Reads an absolute URL; query and fragment are left out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://")?;
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if authority.contains('@') || text.contains([' ', '\n', '\\']) {
            return None;
        }
        let (host, port) = split_port(authority)?;
        let own = if is_https { 443 } else { 80 };
        Some(Self {
            is_https,
            host: host.to_ascii_lowercase(),
            port: port.filter(|port| *port != own),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        })
    }

    /// Scheme, host and port (RFC 6454).
    pub(crate) fn origin(&self) -> String {
        let scheme = self.scheme();
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }

    pub(crate) const fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// The path without a slash at its end; empty for the root.
    pub(crate) fn base(&self) -> &str {
        self.path.trim_end_matches('/')
    }

    /// The same URL with another path.
    pub(crate) fn with_path(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// Whether its host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// A `Location` of a response to this URL.
    pub(crate) fn join(&self, location: &str) -> Option<Self> {
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.scheme()));
        }
        if location.contains("://") {
            return Self::parse(location);
        }
        let path = location.split(['?', '#']).next().unwrap_or_default();
        if path.starts_with('/') {
            return Some(self.with_path(path));
        }
        let (folder, _) = self.path.rsplit_once('/').unwrap_or_default();
        Some(self.with_path(&format!("{folder}/{path}")))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

/// `localhost`, its sub-domains, `127.0.0.0/8` and `::1`.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// Whether it is an address and no name.
pub(crate) fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
}

/// `host:port` of a connection.
pub(crate) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && !host.is_empty() => {
            (host, Some(port.parse().ok()?))
        }
        _ => (authority, None),
    };
    let is_host = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte))
        && (host.starts_with('[') == host.contains(':'));
    is_host.then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_written() {
        let cases = [
            ("https://App.example.com", Some(("https://app.example.com", "/", false))),
            ("https://a.example:443/x/?q#f", Some(("https://a.example", "/x/", false))),
            ("http://127.0.0.1:3000/api/auth", Some(("http://127.0.0.1:3000", "/api/auth", true))),
            ("http://[::1]:8080", Some(("http://[::1]:8080", "/", true))),
            ("http://auth.localhost", Some(("http://auth.localhost", "/", true))),
            ("ftp://a", None),
            ("https://user@a", None),
            ("https://", None),
            ("https://a b", None),
            ("example.com", None),
            ("http://a:99999", None),
        ];
        for (text, expected) in cases {
            let found = Url::parse(text);
            let found =
                found.as_ref().map(|url| (url.origin(), url.path.as_str(), url.is_loopback()));
            let expected = expected.map(|(origin, path, own)| (origin.to_owned(), path, own));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn locations_are_joined() {
        let Some(from) = Url::parse("https://a.example/api/auth/ok") else { return };
        let cases = [
            ("/x", "https://a.example/x"),
            ("//b.example/y", "https://b.example/y"),
            ("http://c.example", "http://c.example/"),
            ("z?q", "https://a.example/api/auth/z"),
        ];
        for (location, expected) in cases {
            let joined = from.join(location).map(|url| url.to_string());
            assert_eq!(joined.as_deref(), Some(expected), "{location}");
        }
    }
}
