//! Auth services: their secrets, cookies and addresses.

use std::borrow::Cow;
use std::sync::Arc;

use crate::better_auth::session_data::CookieCache;
use crate::encoding::members::Members;
use crate::http::cookie;
use crate::jose::claims::Expectations;
use crate::jose::verify::Secret;
use crate::policy::issuer::Issuer;
use crate::time::Seconds;

/// An auth service: an issuer that has sessions.
#[derive(Debug)]
pub(crate) struct AuthService {
    /// What it has in common with other issuers: its JWTs.
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) secrets: Secrets,
    pub(crate) cookies: CookieNames,
    /// The `Domain` of those cookies, where they have one.
    pub(crate) cookie_domain: Option<String>,
    pub(crate) cookie_cache: CookieCache,
    pub(crate) version: Option<String>,
    pub(crate) bearer: Bearer,
    pub(crate) get_session_url: String,
    pub(crate) token_url: String,
    /// Whether the cookie cache is all that it knows.
    pub(crate) is_stateless: bool,
    pub(crate) session_cache: Seconds,
    /// Where its sessions can be read as well.
    pub(crate) storage: Option<Storage>,
    /// Whether instances tell each other what the service has answered.
    pub(crate) shares_sessions: bool,
    /// How old an answer may be while there is no better one.
    pub(crate) stale: Seconds,
    /// In the last so many percent of its life, `session_data` is renewed.
    pub(crate) renew_percent: u32,
    /// The path of the service itself; none where it answers at the root.
    pub(crate) base_segments: Vec<String>,
    /// Its own public origin.
    pub(crate) origin: String,
    /// The origin by which the gate reaches it.
    pub(crate) fetch_origin: String,
    /// What the key set's own session tokens have to say, for strategy `jwt-jwks`.
    pub(crate) cache_expectations: Expectations,
}

/// A store of the host's that a Better Auth service keeps its sessions in.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) store: String,
    /// Before every key.
    pub(crate) prefix: String,
    /// How late the store may say what has been put there.
    pub(crate) lag: Seconds,
}

/// What the key of our own `doorward_as_of` is derived for.
pub(crate) const AS_OF_PURPOSE: &[u8] = b"doorward as of 1";

/// The Better Auth secrets. Only the current one verifies; retired ones open encrypted cookies, as
/// Better Auth does.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) current: Option<Secret>,
    pub(crate) retired: Vec<Secret>,
    /// Derived from the current one: signs our own `doorward_as_of`.
    pub(crate) as_of: Option<Secret>,
    /// What the log says of the current one: its variable, and its fingerprint.
    pub(crate) about: Members,
}

/// Names of the cookies, prefixes included.
#[derive(Debug)]
pub(crate) struct CookieNames {
    pub(crate) session_token: String,
    pub(crate) session_data: String,
    pub(crate) dont_remember: String,
    /// What all others begin with, without `__Secure-`.
    pub(crate) prefix: String,
}

/// The service's own cookies by their logical names (`better-auth` 1.7.25 with its plugins): each
/// is a credential, becomes one, or is sealed by the service's secret, which also signs sessions
/// and says nothing of the cookie's name. An origin that sees one could go on as somebody with it.
/// What is not in here tells nothing: `last_used_login_method` is for scripts to read.
#[rustfmt::skip]
const SERVICE_COOKIES: [&str; 15] = [
    "session_token", "session_data", "dont_remember",
    "account_data",                                                      // tokens of social providers
    "admin_session",                                                     // the session of an admin who impersonates somebody
    "two_factor", "trust_device",                                        // half a sign-in, and the leave to skip the other half
    "state", "oauth_state", "oauth_popup", "relay_state",                // a sign-in elsewhere that is under way
    "better-auth-passkey",                                               // the challenge of a passkey
    "transfer_token", "electron",                                        // a session on its way to a desktop application
    "convex_jwt",                                                        // @convex-dev/better-auth: a JWT of the session
];

/// Such cookies without the prefix: an authorization code, and what was asked for it (the service's
/// own clients, up to 1.6).
const BARE_SERVICE_COOKIES: [&str; 2] = ["oidc_login_prompt", "oidc_consent_prompt"];

/// What to do with tokens of the bearer plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// They are no credential.
    Off,
    /// Signed ones are asked about.
    Signed,
    /// Bare ones too.
    Any,
}

impl CookieNames {
    /// Whether a cookie belongs to the session: these are sent to the auth service and taken from
    /// it.
    pub(crate) fn include(&self, name: &str) -> bool {
        name == self.session_token
            || name == self.dont_remember
            || cookie::is_named(name, &self.session_data)
    }

    /// Whether a cookie is for the service alone, so that an origin that gets no credential does
    /// not get it either. With and without `__Secure-`: what one deployment has left in the browser
    /// may be good in the next.
    pub(crate) fn are_secret(&self, name: &str) -> bool {
        let name = without_browser_prefix(name);
        let is_of = |own: &str| cookie::is_named(name, without_browser_prefix(own));
        let behind_token = name.strip_prefix(without_browser_prefix(&self.session_token));
        // The accounts of the multi-session plugin: each holds a whole signed token, and the token
        // is in its name too.
        let is_other_account = behind_token.is_some_and(|rest| {
            rest.starts_with("_multi-") || rest == ".oauth_logout_confirmation"
        });
        // `getSessionCookie` of Better Auth's own helpers reads the name with a dash as well.
        let logical =
            name.strip_prefix(self.prefix.as_str()).and_then(|rest| rest.strip_prefix(['.', '-']));
        is_other_account
            || BARE_SERVICE_COOKIES.contains(&name)
            || [&self.session_token, &self.session_data, &self.dont_remember]
                .into_iter()
                .any(|own| is_of(own))
            || logical.is_some_and(|logical| {
                SERVICE_COOKIES.iter().any(|own| cookie::is_named(logical, own))
                    || logical.starts_with("session_token_multi-")
            })
    }
}

/// A cookie's name without what browsers themselves read in it (RFC 6265bis section 4.1.3).
pub(crate) fn without_browser_prefix(name: &str) -> &str {
    name.strip_prefix("__Secure-").or_else(|| name.strip_prefix("__Host-")).unwrap_or(name)
}

impl AuthService {
    /// Whether it is the service that answers at this URL.
    pub(crate) fn is_asked_at(&self, url: &str) -> bool {
        let is_at =
            |origin: &str| url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'));
        is_at(&self.origin) || is_at(&self.fetch_origin)
    }

    /// Whether this path of the site at `public_origin` is the service's own: what goes there the
    /// service sees to by itself. One that answers at the root has every path of its own host, and
    /// none of another.
    pub(crate) fn has(&self, path: &[Cow<'_, str>], public_origin: &str) -> bool {
        let is_below = path.len() >= self.base_segments.len()
            && path
                .iter()
                .zip(&self.base_segments)
                .all(|(one, other)| one.eq_ignore_ascii_case(other));
        is_below && (!self.base_segments.is_empty() || public_origin == self.origin)
    }
}

impl Secrets {
    /// All secrets, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Secret> {
        self.current.iter().chain(&self.retired)
    }
}
