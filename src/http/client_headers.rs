//! What a client may not say: names of inbound headers that never reach an origin, on every
//! forward.
//!
//! Three tables: our own prefix, what would tell an origin another path or method than the decided
//! one, and what only a proxy in front of the origin may say about who is there. Names are compared
//! as an origin may read them.

use std::collections::BTreeSet;

use crate::http::header_pairs::{begins_with, folded, is_spelled};
use crate::http::request::RequestHead;

/// Headers by which a client could tell the origin another path, or another method, than the one
/// that was decided about. Left alone are `x-nextjs-data`, which the Pages Router's client sends
/// and which names no path, and `next-url`, which is a reading.
#[rustfmt::skip]
const INTERNAL_NAMES: [&str; 21] = [
    "x-matched-path", "x-now-route-matches",                             // Next.js behind Vercel: the route and its parameters
    "next-resume", "x-next-resume-state-length",                         // Next.js: the rest of a page, from the request's body
    "x-original-url", "x-rewrite-url",                                   // IIS, Symfony (CVE-2018-14773), Zend
    "x-original-uri", "x-forwarded-uri", "x-envoy-original-path",        // nginx, Traefik (oauth2-proxy CVE-2026-40575), Envoy
    "x-original-method",                                                 // what proxies ask forward-auth about, beside x-original-uri
    "x-forwarded-path", "x-real-url", "x-request-uri",                   // gateways and connectors of their own making
    "x-forwarded-prefix",                                                // Spring's context path, ASP.NET's PathBase, WSGI's ProxyFix
    "script-name", "path-info", "x-script-name",                         // gunicorn (#2650) and what WSGI apps are told to install
    "daphne-root-path",                                                  // Daphne: taken off the path that Django routes by
    "x-http-method-override", "x-http-method", "x-method-override",      // Rack, Symfony, Laravel, Express, ASP.NET
];
/// How such headers begin: the words between Next.js and its middleware, between its processes, and
/// between Astro and its adapters (CVE-2026-33768).
const INTERNAL_PREFIXES: [&str; 3] = ["x-middleware-", "x-invoke-", "x-astro-"];
/// Where proxies say who was asked, and by whom. Frameworks put their URL together from it.
const FORWARDED_NAMES: [&str; 6] = [
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-for",
];

/// Headers in which a proxy or a platform says who is there. An origin that once stood behind one
/// may still trust them, and behind the gate a client would write them. Not in here is what an
/// origin verifies or looks up itself, like `X-Auth-Token` or `X-Api-Key`.
#[rustfmt::skip]
const FORMER_NAMES: [&str; 45] = [
    "remote-user", "remote-group", "remote-groups", "remote-name", "remote-email", "remote-roles", // Authelia, CGI's REMOTE_USER
    "x-remote-name", "x-remote-email", "x-remote-roles",
    "auth-user", "x-auth-email", "x-auth-name", "x-auth-group", "x-auth-groups", "x-auth-role", "x-auth-roles", "x-auth-subject",
    "proxy-user", "x-proxy-user", "x-proxy-remote-user", "proxy-remote-user", "ynh-user",
    "x-forwarded-user", "x-forwarded-email", "x-forwarded-groups", "x-forwarded-preferred-username", // oauth2-proxy, Databricks
    "x-forwarded-access-token", "x-forwarded-id-token", "x-forwarded-name", "x-forwarded-login",
    "x-goog-iap-jwt-assertion", "x-endpoint-api-userinfo", "x-apigateway-api-userinfo", // Google
    "cf-access-jwt-assertion", "teleport-jwt-assertion", "x-jwt-assertion",             // Cloudflare Access, Teleport, WSO2
    "x-userinfo", "x-anonymous-consumer", "x-credential-identifier", "x-credential-username", // Kong
    "x-token-subject",                                                                  // caddy-security
    "x-iis-windowsauthtoken", "x-arr-clientcert",                                       // IIS, Azure App Service
    "x-client-verify", "x-client-dn",
];
/// How such headers begin.
#[rustfmt::skip]
const FORMER_PREFIXES: [&str; 38] = [
    "x-auth-request-", "x-forwarded-user-",                                             // oauth2-proxy
    "x-goog-authenticated-", "x-appengine-user-",                                       // Google IAP, App Engine
    "x-amzn-oidc-", "x-amzn-mtls-clientcert",                                           // AWS ALB
    "x-ms-client-principal", "x-ms-token-", "ms-aspnetcore-",                           // Azure App Service, ASP.NET Core's module
    "cf-access-authenticated-user-", "cf-client-cert-",                                 // Cloudflare
    "tailscale-user-", "tailscale-app-", "ngrok-auth-user-",
    "x-authentik-", "x-authelia-", "x-vouch-", "x-pomerium-", "x-token-user-",
    "x-webauth-", "x-authenticated-", "x-consumer-", "x-auth-user",                     // Grafana; Kong
    "x-remote-user", "x-remote-group", "x-remote-extra-",                               // Kubernetes, Rancher
    "oidc-", "shib-", "x-shib-", "sm-user", "sm-universalid",                           // Apache's modules, SiteMinder
    "x-clerk-auth-", "x-replit-user-", "x-sandstorm-",
    // Certificates that somebody else has looked at (nginx, Envoy, Traefik, Apache; RFC 9440).
    "ssl-client-", "x-ssl-client-", "x-client-cert", "client-cert",
];
/// What somebody has looked at, under names that begin like other proxies' words.
const FORMER_CERTIFICATES: [&str; 3] =
    ["x-forwarded-client-cert", "x-forwarded-tls-client-cert", "x-ssl-cert"];

/// All names in these tables.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let tables: [&'static [&'static str]; 4] =
        [&INTERNAL_NAMES, &FORWARDED_NAMES, &FORMER_NAMES, &FORMER_CERTIFICATES];
    tables.into_iter().flatten().copied()
}

/// How all names begin that are in these tables by their beginning.
pub(crate) fn prefixes() -> impl Iterator<Item = &'static str> {
    INTERNAL_PREFIXES.into_iter().chain(FORMER_PREFIXES)
}

/// Names of inbound headers that must not reach the origin. Each spelling once, in the order in
/// which they came. `stays` is asked for what only a former proxy would have written.
pub(crate) fn removals(
    head: &RequestHead<'_>,
    own_prefix: &str,
    stays: impl Fn(&str) -> bool,
) -> Vec<String> {
    let initials = INITIALS | initial(own_prefix.as_bytes());
    let ours = |name: &str| {
        initials & initial(name.as_bytes()) != 0
            && (begins_with(name, own_prefix) || renames(name) || is_former(name) && !stays(name))
    };
    let is_removed = |(name, value): &&(&str, &str)| {
        ours(name) || drops_headers(name, value) || leads_elsewhere(name, value)
    };
    // Sorted, not searched through: a client may send thousands of names.
    let mut seen = BTreeSet::new();
    let names = head
        .headers
        .iter()
        .filter(is_removed)
        .map(|(name, _)| *name)
        .filter(|name| seen.insert(*name));
    names.map(str::to_owned).collect()
}

/// Whether an origin may take a header of this name for an identity.
pub(crate) fn is_former(name: &str) -> bool {
    FORMER_PREFIXES.iter().chain(&FORMER_CERTIFICATES).any(|prefix| begins_with(name, prefix))
        || FORMER_NAMES.iter().any(|former| is_spelled(name, former))
}

/// Whether some header whose name begins so is among those.
pub(crate) fn begins_former(prefix: &str) -> bool {
    let all = FORMER_PREFIXES.iter().chain(&FORMER_CERTIFICATES).chain(&FORMER_NAMES);
    is_former(prefix) || all.into_iter().any(|known| begins_with(known, prefix))
}

/// Initials of all these names: most headers are seen to be none of them at once.
const INITIALS: u32 = initials(&INTERNAL_NAMES)
    | initials(&INTERNAL_PREFIXES)
    | initials(&FORMER_NAMES)
    | initials(&FORMER_PREFIXES)
    | initials(&FORMER_CERTIFICATES);

const fn initials(mut names: &[&str]) -> u32 {
    let mut initials = 0;
    while let [name, rest @ ..] = names {
        initials |= initial(name.as_bytes());
        names = rest;
    }
    initials
}

/// One bit for the first character as an origin may read it; all bits for none, which begins
/// everything.
#[allow(clippy::as_conversions)] // a byte fits; `From` is not const
const fn initial(name: &[u8]) -> u32 {
    match name.first() {
        Some(first) => 1_u32.rotate_left(folded(*first) as u32),
        None => u32::MAX,
    }
}

/// Whether a header of this name tells some origin another path or method.
fn renames(name: &str) -> bool {
    INTERNAL_PREFIXES.iter().any(|prefix| begins_with(name, prefix))
        || INTERNAL_NAMES.iter().any(|internal| is_spelled(name, internal))
}

/// `Connection: x-doorward-subject` would have the next proxy drop what we say (RFC 9110 section
/// 7.6.1).
fn drops_headers(name: &str, value: &str) -> bool {
    let harmless = |option: &str| {
        ["keep-alive", "close", "upgrade"].iter().any(|known| option.eq_ignore_ascii_case(known))
    };
    let is_connection =
        ["connection", "proxy-connection"].iter().any(|known| name.eq_ignore_ascii_case(known));
    is_connection && !value.split(',').map(str::trim).all(harmless)
}

/// A path in what proxies say about host or port: `X-Forwarded-Host: a:80/admin?` (CVE-2025-31137).
fn leads_elsewhere(name: &str, value: &str) -> bool {
    // Values are long: they are read last.
    (initial(b"x") | initial(b"f")) & initial(name.as_bytes()) != 0
        && FORWARDED_NAMES.iter().any(|known| is_spelled(name, known))
        && value.contains(['/', '\\', '?', '#', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_known_in_each_spelling() {
        let [by_path, by_person]: [fn(&str) -> bool; 2] = [renames, is_former];
        let begun = |prefix: &&str| [*prefix, "email"].concat();
        let internal = INTERNAL_NAMES
            .iter()
            .map(|name| (*name).to_owned())
            .chain(INTERNAL_PREFIXES.iter().map(begun));
        let prefixes = FORMER_PREFIXES.iter().chain(&FORMER_CERTIFICATES).map(begun);
        let former = FORMER_NAMES.iter().map(|name| (*name).to_owned()).chain(prefixes);
        let internal = internal.map(|name| (name, by_path));
        for (name, is_known) in internal.chain(former.map(|name| (name, by_person))) {
            let capitals = name.to_ascii_uppercase();
            let dashes = [
                name.replace('-', "_"),
                name.replacen('-', "_", 1),
                name.replace('-', "."),
                capitals.replace('-', "_"),
            ];
            for spelling in dashes.into_iter().chain([capitals, name]) {
                assert!(is_known(&spelling), "{spelling}");
                assert!(INITIALS & initial(spelling.as_bytes()) != 0, "{spelling}");
            }
        }
        for other in [
            "x-nextjs-data",
            "next-url",
            "x-forwarded-proto",
            "x-matched-paths",
            "xx-middleware-next",
            "script",
            "path",
            "x-request-id",
            "authorization",
            "cookie",
            "x-auth-token",
            "x-api-key",
            "user-agent",
            "remote-addr",
            "x-user-agent",
            "x-forwarded-for",
            "x-real-ip",
            "cf-connecting-ip",
            "cf-ray",
            "x-client-info",
            "x-client-ip",
            "x-csrf-token",
            "client-id",
            "x-authorization",
        ] {
            assert!(!renames(other) && !is_former(other), "{other}");
        }
    }
}
