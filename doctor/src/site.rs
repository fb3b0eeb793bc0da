//! How two hosts stand to each other: the same site, or two.
//!
//! `suffixes.txt` is the Public Suffix List (publicsuffix.org, MPL-2.0) as the crate `psl` has it:
//! a rule a line, in ASCII, without those of one label, which the list's own default covers. The
//! crate itself is a program of 1.3 MB, which is too much for `npx`; a test holds the file to it.

use crate::facts::Relation;
use crate::url::{self, Url};

/// Begins and ends with a line end, so that a whole rule can be searched for.
const SUFFIXES: &str = include_str!("suffixes.txt");

/// The relation of an application's origin to a service.
pub(crate) fn relation(app: &Url, service: &Url) -> Relation {
    if app.origin() == service.origin() {
        return Relation::SameOrigin;
    }
    if app.host == service.host {
        return Relation::SameHost;
    }
    match (registrable(&app.host), registrable(&service.host)) {
        (Some(one), Some(other)) if one == other && app.is_https == service.is_https => {
            Relation::SameSite
        }
        _ => Relation::CrossSite,
    }
}

/// The registrable domain of a host name: what a browser takes for a site.
pub(crate) fn registrable(host: &str) -> Option<String> {
    if url::is_address(host) || !host.contains('.') {
        return Some(host.to_owned());
    }
    let suffix = suffix(host);
    let before = host.strip_suffix(suffix)?.strip_suffix('.')?;
    let label = before.rsplit('.').next().filter(|label| !label.is_empty())?;
    Some([label, ".", suffix].concat())
}

/// Whether a name is a public suffix: no cookie can be set for it.
pub(crate) fn is_public_suffix(name: &str) -> bool {
    let name = name.trim_start_matches('.');
    !url::is_address(name) && !name.is_empty() && suffix(name) == name
}

/// The public suffix of a name: by its longest rule, or its last label. An exception ends one label
/// sooner, and counts over every other rule.
fn suffix(host: &str) -> &str {
    let is_rule = |rule: &str| SUFFIXES.contains(&["\n", rule, "\n"].concat());
    let mut name = host;
    while let Some((_, parent)) = name.split_once('.') {
        if is_rule(&["!", name].concat()) {
            return parent;
        }
        if is_rule(name) || is_rule(&["*.", parent].concat()) {
            return name;
        }
        name = parent;
    }
    name
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
            assert_eq!(relation(&one, &other), expected, "{app} {service}");
        }
        for (name, expected) in
            [("vercel.app", true), (".workers.dev", true), ("example.com", false), ("com", true)]
        {
            assert_eq!(is_public_suffix(name), expected, "{name}");
        }
        assert_eq!(registrable("vercel.app"), None);
        assert!(covers(".example.com", "app.example.com") && covers("example.com", "example.com"));
        assert!(!covers("other.example", "app.example.com") && !covers("ample.com", "example.com"));
    }

    /// Every exception and wildcard, one in twenty of the rest, and hosts below each.
    #[test]
    fn suffixes_are_those_of_the_list() {
        let mut count = 0;
        let rules = SUFFIXES.lines().enumerate().filter(|(number, rule)| {
            rule.contains(['!', '*']) || (!rule.is_empty() && number % 20 == 0)
        });
        for (_, rule) in rules {
            let name = rule.trim_start_matches('!').replace('*', "any");
            for host in [name.clone(), format!("b.{name}"), format!("a.b.{name}")] {
                assert_eq!(registrable(&host), psl::domain_str(&host).map(str::to_owned), "{host}");
                count += 1;
            }
        }
        println!("{count} hosts");
        assert!(count > 1_000);
    }
}
