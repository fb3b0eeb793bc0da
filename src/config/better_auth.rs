//! Issuers of the type `better-auth`: an auth service, its cookies and its caches.

use std::sync::Arc;

use super::compiler::Compiler;
use super::issuers::{Named, base_path_of};
use super::reader::Node;
use super::table::BETTER_AUTH_ISSUER;
use super::url::{is_fetchable, is_token, origin_of};
use crate::better_auth::session_data::CookieCache;
use crate::better_auth::session_data::Strategy;
use crate::http::path;
use crate::jose::claims::{Expectations, PUBLIC_ORIGIN};
use crate::policy::auth_service::{AuthService, Bearer, CookieNames};
use crate::policy::issuer::{Issuer, IssuerId};
use crate::time::Seconds;

/// The audience of Better Auth's session tokens that are signed by its key set.
const SESSION_CACHE_AUDIENCE: &str = "better-auth:session-cache";
/// Their `typ`.
const SESSION_CACHE_TYPE: &str = "better-auth.session-cache+jwt";

/// Where an auth service is.
struct Addresses {
    /// The public origin; another where there is none, so that the rest is read all the same.
    public_origin: String,
    /// The origin by which the gate reaches it.
    fetch_origin: String,
    base_path: String,
    base_segments: Vec<String>,
}

impl Compiler<'_> {
    pub(super) fn auth_service(&mut self, node: &Node<'_>, id: IssuerId) -> Option<AuthService> {
        let addresses = self.addresses(node);
        let asked_at = [addresses.fetch_origin.as_str(), addresses.base_path.as_str()].concat();
        let mut public_hosts = self.public_hosts(node);
        if !public_hosts.is_empty() {
            public_hosts.push(addresses.public_origin.clone());
        }
        let own_name = if public_hosts.is_empty() {
            addresses.public_origin.clone()
        } else {
            PUBLIC_ORIGIN.to_owned()
        };
        let usual_jwks_url =
            || (!node.is_null("jwks_url")).then(|| [asked_at.as_str(), "/jwks"].concat());
        let named = Named {
            id,
            name: node.text("name").unwrap_or("better-auth").to_owned(),
            issuer: node.text("issuer").unwrap_or(&own_name).to_owned(),
            audience: node.texts("audience").unwrap_or_else(|| vec![own_name.clone()]),
            jwks_url: node.text("jwks_url").map(str::to_owned).or_else(usual_jwks_url),
            public_hosts,
        };
        let issuer = Arc::new(self.token_issuer(node, named));
        let service = self.service(node, issuer, addresses, own_name, &asked_at);
        self.unusual(node, &service, &asked_at);
        node.text("url").map(|_| service)
    }

    fn addresses(&mut self, node: &Node<'_>) -> Addresses {
        let url_origin = node.text("url").and_then(|url| self.fetchable_origin(node, "url", url));
        let public_origin = url_origin.unwrap_or_else(|| "https://localhost".to_owned());
        let own_path = node.text("base_path");
        let base_path = base_path_of(node);
        let base_segments = path::plain_segments(&base_path).unwrap_or_default();
        // The root is written, never meant by leaving something out.
        if base_segments.is_empty() && own_path != Some("/") {
            let member = if own_path.is_some() { "base_path" } else { "url" };
            let hint = "write it like /api/auth, or \"base_path\": \"/\" where the service \
                answers at the root of its host";
            self.reader.wrong(&node.path_of(member), "this has not a plain path", hint);
        }
        let fetch_origin =
            node.text("fetch_url").and_then(|url| self.fetchable_origin(node, "fetch_url", url));
        Addresses {
            fetch_origin: fetch_origin.unwrap_or_else(|| public_origin.clone()),
            public_origin,
            base_path,
            base_segments,
        }
    }

    fn service(
        &mut self,
        node: &Node<'_>,
        issuer: Arc<Issuer>,
        addresses: Addresses,
        own_name: String,
        asked_at: &str,
    ) -> AuthService {
        let secrets = self.secrets(node);
        let number = |name: &str| node.number(&BETTER_AUTH_ISSUER, name);
        let is_stateless = node.flag("stateless");
        // With a live cache a service that has a store would answer from the cache, and renew
        // nothing. Without a store the cache is all there is.
        let get_session =
            if is_stateless { "/get-session" } else { "/get-session?disableCookieCache=true" };
        AuthService {
            issuer,
            storage: self.storage(node, &secrets),
            secrets,
            cookies: self.cookies(node, &addresses.public_origin),
            cookie_domain: self.cookie_domain(node),
            cookie_cache: cookie_cache(node),
            version: match node.text("cookie_cache_version") {
                None if node.is_null("cookie_cache_version") => None,
                version => Some(version.unwrap_or("1").to_owned()),
            },
            bearer: match node.text("bearer_tokens") {
                Some("signed") => Bearer::Signed,
                Some("any") => Bearer::Any,
                _ => Bearer::Off,
            },
            get_session_url: [asked_at, get_session].concat(),
            token_url: [asked_at, "/token"].concat(),
            is_stateless,
            session_cache: Seconds::new(number("session_cache_seconds")),
            shares_sessions: node.flag("share_sessions"),
            stale: Seconds::new(number("stale_if_error_seconds")),
            renew_percent: number("renew_percent"),
            base_segments: addresses.base_segments,
            origin: addresses.public_origin,
            fetch_origin: addresses.fetch_origin,
            cache_expectations: cache_expectations(own_name),
        }
    }

    /// What Better Auth does only if it is told to: more often it is another environment's.
    fn unusual(&mut self, node: &Node<'_>, service: &AuthService, asked_at: &str) {
        // That of the session tokens is always the service's own origin.
        let origin = &service.origin;
        if service.issuer.expectations.issuer != service.cache_expectations.issuer {
            let problem = "this is not the \"iss\" that Better Auth writes by itself";
            let hint = format!(
                "Better Auth writes {origin}, unless its jwt plugin has an issuer of its own"
            );
            self.reader.warn(&node.path_of("issuer"), problem, hint);
        }
        if service.shares_sessions && !self.capabilities.shares() {
            let hint = "give the gate the option \"cache\", or leave it out";
            self.reader.warn(
                &node.path_of("share_sessions"),
                "this host has no cache that instances share",
                hint,
            );
        }
        let path: String =
            service.base_segments.iter().flat_map(|segment| ["/", segment.as_str()]).collect();
        let public = [origin.as_str(), path.as_str()].concat();
        let is_below = |url: &str, base: &str| {
            url.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'))
        };
        if service
            .issuer
            .jwks_url
            .iter()
            .any(|url| ![public.as_str(), asked_at].iter().any(|base| is_below(url, base)))
        {
            let problem = "this is not below the URL of the auth service";
            let hint = format!(
                "Better Auth publishes its keys at {path}/jwks, unless its jwt plugin has \
                 another place for them"
            );
            self.reader.warn(&node.path_of("jwks_url"), problem, hint);
        }
    }

    fn fetchable_origin(&mut self, node: &Node<'_>, member: &str, url: &str) -> Option<String> {
        let origin = origin_of(url).filter(|origin| is_fetchable(origin));
        if origin.is_none() {
            let hint =
                "write it like https://auth.example.com; http is for loopback addresses only";
            self.reader.wrong(&node.path_of(member), "this is not an https URL", hint);
        }
        origin
    }

    fn cookies(&mut self, node: &Node<'_>, public_origin: &str) -> CookieNames {
        let secure = if node.has("secure_cookies") {
            node.flag("secure_cookies")
        } else {
            public_origin.starts_with("https://")
        };
        let prefix = node.text("cookie_prefix").unwrap_or("better-auth");
        for member in ["cookie_prefix", "session_token_cookie", "session_data_cookie"] {
            if node.text(member).is_some_and(|name| !is_token(name)) {
                self.reader.wrong(
                    &node.path_of(member),
                    "this is not a cookie name",
                    "use letters, digits, dots and dashes",
                );
            }
        }
        let name_of = |member: &str, logical: &str| {
            let usual = [prefix, ".", logical].concat();
            let name = node.text(member).unwrap_or(&usual);
            if secure { ["__Secure-", name].concat() } else { name.to_owned() }
        };
        CookieNames {
            session_token: name_of("session_token_cookie", "session_token"),
            session_data: name_of("session_data_cookie", "session_data"),
            dont_remember: name_of("", "dont_remember"),
            prefix: prefix.to_owned(),
        }
    }

    fn cookie_domain(&mut self, node: &Node<'_>) -> Option<String> {
        let domain = node.text("cookie_domain")?;
        // Better Auth writes it as it is configured; a browser reads it with and without the dot in
        // the same way.
        let plain = domain.strip_prefix('.').unwrap_or(domain);
        if !plain.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }) {
            self.reader.wrong(
                &node.path_of("cookie_domain"),
                "this is not a domain",
                "write it like example.com",
            );
        }
        Some(plain.to_owned())
    }
}

fn cookie_cache(node: &Node<'_>) -> CookieCache {
    match node.text("cookie_cache") {
        None | Some("auto") => CookieCache::Auto,
        Some(name) => Strategy::from_name(name).map_or(CookieCache::Off, CookieCache::Only),
    }
}

/// What Better Auth's own session tokens have to say that are signed by its key set.
fn cache_expectations(own_name: String) -> Expectations {
    Expectations {
        issuer: own_name,
        audience: vec![SESSION_CACHE_AUDIENCE.to_owned()],
        audience_may_be_empty: false,
        authorized_parties: Vec::new(),
        party_may_be_absent: false,
        subject: vec!["sub".to_owned()],
        typ: vec![SESSION_CACHE_TYPE.to_owned()],
        typ_may_be_absent: false,
        skew: Seconds::new(0),
        max_age: None,
        required: Vec::new(),
    }
}
