//! How two hosts stand to each other: the same site, or two.

use crate::facts::Relation;
use crate::suffixes::Suffixes;
use crate::url::{self, Url};

/// The relation of an application's origin to a service.
pub(crate) fn relation(suffixes: &Suffixes, app: &Url, service: &Url) -> Relation {
    if app.origin() == service.origin() {
        return Relation::SameOrigin;
    }
    if app.host == service.host {
        return Relation::SameHost;
    }
    match (suffixes.registrable(&app.host), suffixes.registrable(&service.host)) {
        (Some(one), Some(other)) if one == other && app.is_https == service.is_https => {
            Relation::SameSite
        }
        _ => Relation::CrossSite,
    }
}

/// Whether a cookie with this `Domain` may be set by this host (RFC 6265 section 5.1.3).
pub(crate) fn covers(domain: &str, host: &str) -> bool {
    let domain = domain.trim_start_matches('.');
    host == domain
        || (!url::is_address(host)
            && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_by_the_public_suffix_list() {
        let suffixes = Suffixes::new(include_str!("suffixes.txt"));
        let cases = [
            ("https://a.example.com", "https://a.example.com", Relation::SameOrigin),
            ("http://localhost:3000", "http://localhost:4000", Relation::SameHost),
            ("https://app.example.com", "https://auth.example.com", Relation::SameSite),
            ("https://app.example.co.uk", "https://auth.example.co.uk", Relation::SameSite),
            ("https://a.vercel.app", "https://b.vercel.app", Relation::CrossSite),
            ("https://a.workers.dev", "https://b.workers.dev", Relation::CrossSite),
            ("http://localhost:3000", "http://127.0.0.1:4000", Relation::CrossSite),
            ("http://app.example.com", "https://auth.example.com", Relation::CrossSite),
        ];
        for (app, service, expected) in cases {
            let (Some(one), Some(other)) = (Url::parse(app), Url::parse(service)) else {
                continue;
            };
            assert_eq!(relation(&suffixes, &one, &other), expected, "{app} {service}");
        }
        assert!(covers(".example.com", "app.example.com") && covers("example.com", "example.com"));
        assert!(!covers("other.example", "app.example.com") && !covers("ample.com", "example.com"));
    }
}
