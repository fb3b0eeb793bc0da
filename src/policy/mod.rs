//! The policy: valid rules. Made by `config` only, so nothing here has to be checked again.

pub(crate) mod auth_service;
pub(crate) mod config_error;
pub(crate) mod issuer;
pub(crate) mod pages;
pub(crate) mod pattern;
pub(crate) mod requirements;
pub(crate) mod rules;

use std::fmt;
use std::sync::Arc;

use crate::better_auth::attributes::ClaimPath;
use crate::capabilities::Capabilities;
use crate::http::header_pairs::{begins_with, is_spelled};
use crate::http::path::Path;
use crate::http::path::framework::Framework;
use crate::http::request::RequestHead;
use crate::jose::sign::SigningKey;
use crate::jose::verify::Secret;
use crate::policy::auth_service::AuthService;
use crate::policy::config_error::ConfigError;
use crate::policy::issuer::{Issuer, TokenLocation};
use crate::policy::pages::{OwnPage, Pages};
use crate::policy::rules::{MatchedRules, Rule};
use crate::time::Seconds;

/// Names, without the prefix, of the identity headers.
pub(crate) const IDENTITY_HEADERS: [&str; 9] =
    ["subject", "issuer", "expires", "source", "session", "email", "assertion", "omitted", "mark"];

/// Valid rules, made by [`crate::Config::compile`] only.
#[derive(Debug)]
pub struct Policy {
    pub(crate) issuers: Vec<Arc<Issuer>>,
    /// Those of them that are auth services, in the same order.
    pub(crate) services: Vec<Arc<AuthService>>,
    pub(crate) rules: Vec<Arc<Rule>>,
    pub(crate) framework: Option<Framework>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) pages: Pages,
    pub(crate) allowed_origins: Vec<String>,
    /// Where Better Auth services are: scheme, host and port.
    pub(crate) service_origins: Vec<String>,
    /// Whether the host's environment says that somebody develops here. By itself it says nothing
    /// about a request.
    pub(crate) is_development: bool,
    pub(crate) cors: Cors,
    pub(crate) docs_url: Option<String>,
    pub(crate) header_prefix: String,
    /// Headers of a former proxy that stay: names, or beginnings of names, in lower case with
    /// dashes.
    pub(crate) keep_headers: Vec<KeptHeader>,
    pub(crate) debug_header: bool,
    /// Whether responses say how long the gate has waited.
    pub(crate) server_timing: bool,
    /// Of so many requests that pass, one is logged.
    pub(crate) pass_every: Option<u32>,
    /// Whether refusals show what the log says of them.
    pub(crate) debug: bool,
    pub(crate) assertions: Option<Assertions>,
    /// The key of the marks, where the host wants them.
    pub(crate) mark: Option<Secret>,
    /// Headers that tell the origin a claim: name without prefix, and which claim.
    pub(crate) claim_headers: Vec<(String, ClaimPath)>,
    /// Claims that a rule or a header names: the only ones that are kept of a credential.
    pub(crate) named_claims: Vec<ClaimPath>,
    pub(crate) deny_list: Option<DenyListPolicy>,
    /// How many requests a second one instance sends to auth services.
    pub(crate) auth_requests_per_second: u32,
    pub(crate) capabilities: Capabilities,
    /// Of its document, for whoever starts the gate.
    pub(crate) warnings: Vec<ConfigError>,
    /// What the log says of each secret at the start, as JSON.
    pub(crate) secrets: Vec<String>,
}

impl Policy {
    /// The auth service that this issuer is, if it is one.
    pub(crate) fn service_of(&self, issuer: &Issuer) -> Option<&Arc<AuthService>> {
        self.services.iter().find(|service| service.issuer.id == issuer.id)
    }

    /// The rules that cover a request; nothing where a reading of its path has none.
    pub(crate) fn matched_rules(
        &self,
        path: &Path<'_>,
        head: &RequestHead<'_>,
    ) -> Option<MatchedRules> {
        let kind = self.framework.as_ref().map(|framework| framework.kind);
        MatchedRules::among(&self.rules, kind, path, head)
    }

    /// The rules that cover a page of the application: whoever asks for it has no credential.
    pub(crate) fn rules_of_page(&self, page: &OwnPage) -> Option<MatchedRules> {
        let head = RequestHead {
            method: "GET",
            target: &page.path,
            headers: &[],
            public_origin: "",
            client_address: None,
        };
        let path = Path::of(&head, self.framework.as_ref()).ok()?;
        self.matched_rules(&path, &head)
    }

    /// Warnings about its document, for the log, once: what compiles and should be otherwise.
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    /// Whether a header of this name stays, although a former proxy may have written it: the
    /// configuration names it, or an issuer's tokens are there.
    pub(crate) fn keeps_header(&self, name: &str) -> bool {
        let is_named = self.keep_headers.iter().any(|kept| match kept {
            KeptHeader::Named(own) => is_spelled(name, own),
            KeptHeader::Beginning(own) => begins_with(name, own),
        });
        is_named || self.holds_token(name)
    }

    /// Whether some issuer's tokens may be in a header of this name.
    pub(crate) fn holds_token(&self, name: &str) -> bool {
        let places = self.issuers.iter().flat_map(|issuer| &issuer.places);
        places.into_iter().any(
            |place| matches!(place, TokenLocation::Header(own) if own.eq_ignore_ascii_case(name)),
        )
    }
}

/// A header that another proxy writes, and that the origin may trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeptHeader {
    /// Of this name.
    Named(String),
    /// Whose name begins so.
    Beginning(String),
}

/// Where the list of what has been revoked comes from, and how old it may be.
#[derive(Debug)]
pub(crate) struct DenyListPolicy {
    pub(crate) source: DenyListSource,
    /// When it is fetched anew.
    pub(crate) refresh: Seconds,
    /// When it is of no use any more.
    pub(crate) max_stale: Seconds,
}

/// Where the list of what has been revoked comes from.
pub(crate) enum DenyListSource {
    /// A URL, and what to send as `Authorization`.
    Url(String, Option<String>),
    /// A key of a store of the host's.
    Store { name: String, key: String },
}

impl fmt::Debug for DenyListSource {
    /// What is sent along is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url, _) => f.debug_tuple("Url").field(url).finish_non_exhaustive(),
            Self::Store { name, key } => {
                f.debug_struct("Store").field("name", name).field("key", key).finish()
            }
        }
    }
}

/// Who may read a refusal from another origin (CORS).
#[derive(Debug)]
pub(crate) struct Cors {
    pub(crate) origins: Vec<String>,
    /// Whether also where the request carried cookies.
    pub(crate) credentials: bool,
}

/// What the gate says to the origin in its own name.
#[derive(Debug)]
pub(crate) struct Assertions {
    /// `iss`.
    pub(crate) issuer: String,
    /// `aud`, where a rule names no other.
    pub(crate) audience: String,
    /// From `iat` to `exp`.
    pub(crate) life: Seconds,
    pub(crate) keys: SigningKeys,
    /// Where the public keys are found.
    pub(crate) jwks_path: Option<Vec<String>>,
}

/// The keys of the assertions: the one that signs, and in a rotation the one before it or after it.
#[derive(Debug)]
pub(crate) struct SigningKeys {
    pub(crate) signing: SigningKey,
    pub(crate) other: Option<SigningKey>,
}

impl SigningKeys {
    /// All of them, the one that signs first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &SigningKey> {
        [&self.signing].into_iter().chain(&self.other)
    }
}

/// In the sign-in page's query: which attempt this is, from the second on.
pub(crate) const ATTEMPT: &str = "attempt";

/// Where pages without a session are sent.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) path: String,
    pub(crate) segments: Vec<String>,
    pub(crate) return_parameter: String,
}
