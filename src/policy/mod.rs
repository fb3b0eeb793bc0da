//! The policy: valid rules. Made by `config` only, so nothing here has to be checked again.

pub(crate) mod config_error;
pub(crate) mod pages;
pub(crate) mod requirements;

use std::borrow::Cow;
use std::fmt;

use crate::better_auth::attributes::ClaimPath;
use crate::better_auth::session_data::CookieCache;
use crate::capabilities::Capabilities;
use crate::encoding::digest;
use crate::http::cookie;
use crate::http::header_pairs::{begins_with, is_spelled};
use crate::http::path::framework::{self, Framework};
use crate::http::path::{Path, data_forms};
use crate::http::request::RequestHead;
use crate::jose::alg::Algorithm;
use crate::jose::claims::Expectations;
use crate::jose::jwk::JwkSet;
use crate::jose::sign::SigningKey;
use crate::jose::verify::Secret;
use crate::policy::config_error::ConfigError;
use crate::policy::pages::Pages;
use crate::policy::requirements::Requirements;
use crate::time::{Seconds, UnixTime};

/// Names, without the prefix, of the headers by which the origin learns who it is.
pub(crate) const IDENTITY_HEADERS: [&str; 9] =
    ["subject", "issuer", "expires", "source", "session", "email", "assertion", "omitted", "mark"];

/// Valid rules, made by [`crate::Config::compile`] only.
#[derive(Debug)]
pub struct Policy {
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) rules: Vec<Rule>,
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
    pub(crate) assertions: Option<Assertions>,
    /// The key of the marks, where the host wants them.
    pub(crate) mark: Option<Secret>,
    /// Headers that tell the origin a claim: name without prefix, and which claim.
    pub(crate) claim_headers: Vec<(String, ClaimPath)>,
    /// Claims that a rule or a header names: the only ones that are kept of a credential.
    pub(crate) named_claims: Vec<ClaimPath>,
    pub(crate) deny_list: Option<DenyListPolicy>,
    /// How often the auth services are asked.
    pub(crate) asks_per_second: u32,
    pub(crate) capabilities: Capabilities,
    /// What its document said that is not wrong, and should be otherwise.
    pub(crate) warnings: Vec<ConfigError>,
}

impl Policy {
    /// The auth service that this issuer is, if it is one.
    pub(crate) fn service(&self, issuer: usize) -> Option<&BetterAuth> {
        self.issuers.get(issuer)?.better_auth.as_ref()
    }

    /// What is not wrong, and should be otherwise: for the log, once.
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

/// A header that another proxy writes, and that the origin may believe.
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

/// Somebody whose word counts. Its place in the list is the number of its key source.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) name: String,
    /// As they are written: [`Self::expected`] says what they come to.
    pub(crate) expectations: Expectations,
    /// The public origins at which it speaks in the name of each by itself, with one star in the
    /// first label perhaps. None: it speaks in one name everywhere.
    pub(crate) public_hosts: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) inline_keys: JwkSet,
    pub(crate) jwks_url: Option<String>,
    pub(crate) places: Vec<TokenLocation>,
    pub(crate) better_auth: Option<BetterAuth>,
}

/// Where a JWT may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenLocation {
    /// `Authorization: Bearer`.
    Authorization,
    /// A cookie of this name.
    Cookie(String),
    /// The session of `@supabase/ssr` in the cookie of this name.
    SupabaseCookie(String),
    /// A header of this name (lower case).
    Header(String),
}

impl Issuer {
    /// What its tokens have to say at this public origin; nothing where it has no name there, and
    /// so no token of its own.
    pub(crate) fn expected(&self, public_origin: &str) -> Option<Cow<'_, Expectations>> {
        self.at(&self.expectations, public_origin)
    }

    /// The same of other expectations of this issuer's.
    pub(crate) fn at<'x>(
        &self,
        expectations: &'x Expectations,
        public_origin: &str,
    ) -> Option<Cow<'x, Expectations>> {
        if self.public_hosts.is_empty() {
            return Some(Cow::Borrowed(expectations));
        }
        let is_named = self.public_hosts.iter().any(|host| is_named_by(public_origin, host));
        is_named.then(|| Cow::Owned(expectations.at(public_origin)))
    }
}

/// Whether a public origin is this one, or is named by this pattern: a star stands for at least one
/// character of one label.
fn is_named_by(public_origin: &str, pattern: &str) -> bool {
    let Some((before, behind)) = pattern.split_once('*') else { return public_origin == pattern };
    let star = public_origin.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
    star.is_some_and(|star| {
        !star.is_empty()
            && star.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

impl TokenLocation {
    /// The cookie that it is in, whole or in chunks.
    pub(crate) fn cookie(&self) -> Option<&str> {
        match self {
            Self::Cookie(name) | Self::SupabaseCookie(name) => Some(name),
            Self::Authorization | Self::Header(_) => None,
        }
    }
}

/// What is particular about a Better Auth service.
#[derive(Debug)]
pub(crate) struct BetterAuth {
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

/// A rule: what is asked of whom, and what the origin gets.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) methods: Option<Vec<String>>,
    pub(crate) access: Access,
    /// Numbers of the issuers that this rule believes; all where it does not say.
    pub(crate) issuers: Option<Vec<usize>>,
    pub(crate) answer: RefusalFormat,
    pub(crate) requirements: Requirements,
    /// How old the knowledge of a session may be.
    pub(crate) max_staleness: Option<Seconds>,
    /// How long a connection may stay open.
    pub(crate) max_connection: Option<Seconds>,
    /// Whether a request goes on anonymously where a lookup has failed (`on_unavailable`).
    pub(crate) passes_unavailable: bool,
    /// Whether a CORS preflight is judged like any other request, and so refused: it has no
    /// credentials.
    pub(crate) judges_preflights: bool,
    /// Whether clients that are no browsers change things with nothing but a cookie: they send
    /// neither `Origin` nor `Sec-Fetch-Site`.
    pub(crate) has_native_clients: bool,
    /// Which of several good credentials counts.
    pub(crate) on_conflict: Option<OnConflict>,
    /// Until then, refusals are only reported.
    pub(crate) report_until: Option<UnixTime>,
    /// Names (without prefix) of the identity headers that the origin gets; all where it does not
    /// say.
    pub(crate) headers: Option<Vec<String>>,
    /// What becomes of the credential itself.
    pub(crate) credential: CredentialHandling,
    /// `aud` of this rule's assertions, where its origin is another one.
    pub(crate) audience: Option<String>,
    /// The origin, where it is another than the host's own.
    pub(crate) upstream: Option<String>,
    /// Whether sessions go on with a token of their issuer.
    pub(crate) token_exchange: Option<TokenExchange>,
}

/// For whom the token of a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenExchange {
    /// `aud` must contain one of these; where there are none, one of the issuer's own.
    pub(crate) audience: Vec<String>,
    /// Their digest.
    pub(crate) key: [u8; 32],
}

impl TokenExchange {
    /// For one of these; with none, for whom the issuer's tokens are.
    pub(crate) fn to(audience: Vec<String>) -> Self {
        let parts: Vec<&[u8]> = audience.iter().map(String::as_bytes).collect();
        Self { key: digest::of_parts(&parts), audience }
    }
}

/// How a refusal looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RefusalFormat {
    /// By the kind of request.
    #[default]
    Auto,
    /// Clients that do not say what they are get a page.
    Page,
    /// Every client gets what programs read, and no redirect.
    Api,
}

/// Numbers of the rules that cover one request, each of which has to let it pass.
#[derive(Debug)]
pub(crate) struct MatchedRules {
    /// Of the strictest access; among equals that of the last reading. How a refusal looks is its
    /// matter.
    pub(crate) strictest: usize,
    /// Of the target as it stands: where the request goes is its matter.
    of_target: usize,
    others: Vec<usize>,
}

/// The kind of credential that counts when good ones name different people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnConflict {
    /// What a browser sends along by itself: cookies.
    Cookie,
    /// What a script puts there: `Authorization`, other headers.
    Header,
}

/// What becomes of the credential on its way to the origin. In order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum CredentialHandling {
    /// It goes on as it came.
    #[default]
    Keep,
    /// It is removed.
    Remove,
    /// It is removed, and `Authorization` carries the assertion.
    Replace,
}

/// What a rule asks. In order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Access {
    /// Nothing: credentials are not even looked at.
    Public,
    /// Absent passes as anonymous; present and bad fails.
    Optional,
    /// A good credential.
    #[default]
    Required,
}

/// A pattern over the decoded segments of a canonical path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<SegmentPattern>,
    /// Whether anything may follow (`/**`).
    pub(crate) open: bool,
}

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SegmentPattern {
    /// Exactly this.
    Literal(String),
    /// Any one segment.
    Any,
}

/// How letters of a pattern are compared.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Case {
    /// One by one.
    Exact,
    /// As by routers that do not tell capitals from small letters.
    Any,
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

impl Policy {
    /// The rules that cover a request: of each reading, all of which must be covered, the first
    /// that matches. Many routers take `/Admin` for `/admin`: a rule that would come first there
    /// counts as well. Many frameworks serve what a page shows under a name of its own,
    /// `/admin.json` for `/admin`: a rule for the page that would come first counts as well, unless
    /// the rule names that very file. A function of a framework is made public only by a rule that
    /// names it: what a prefix stands for is not meant. A preflight is covered by the rules of the
    /// request that it asks for.
    pub(crate) fn matched_rules(
        &self,
        path: &Path<'_>,
        head: &RequestHead<'_>,
    ) -> Option<MatchedRules> {
        let method = head.asked_method();
        let kind = self.framework.as_ref().map(|framework| framework.kind);
        let first = |segments: &[Cow<'_, str>], case| {
            let spelled = framework::spelled(kind, segments);
            self.rules.iter().position(|rule| rule.covers(segments, method, case, spelled))
        };
        let access = |number: usize| self.rules.get(number).map(|rule| rule.access);
        let of_target = first(path.readings().next()?, Case::Exact)?;
        let mut matched_rules =
            MatchedRules { strictest: of_target, of_target, others: Vec::new() };
        for segments in path.readings() {
            let exact = first(segments, Case::Exact)?;
            let is_named = || self.rules.get(exact).is_some_and(|rule| rule.names(segments));
            let page = data_forms::page_of_data(segments).filter(|_| !is_named());
            let of_page = page
                .and_then(|page| first(page.as_slice(), Case::Any))
                .filter(|number| *number < exact);
            // Before the exact match or the exact match itself: a letter in another case makes no
            // fewer rules match.
            for number in [exact, first(segments, Case::Any)?].into_iter().chain(of_page) {
                if matched_rules.all().any(|known| known == number) {
                    continue;
                }
                let is_stricter = access(number) >= access(matched_rules.strictest);
                matched_rules.others.push(if is_stricter {
                    std::mem::replace(&mut matched_rules.strictest, number)
                } else {
                    number
                });
            }
        }
        Some(matched_rules)
    }

    /// The rules that cover a request, the strictest first.
    pub(crate) fn rules_of(&self, matched_rules: &MatchedRules) -> impl Iterator<Item = &Rule> {
        matched_rules.all().filter_map(|number| self.rules.get(number))
    }

    /// Where a request goes, if not to the host's own origin.
    pub(crate) fn upstream(&self, matched_rules: &MatchedRules) -> Option<&str> {
        self.rules.get(matched_rules.of_target)?.upstream.as_deref()
    }

    /// The bridge that a request's session goes over: where all rules that cover it have the same,
    /// to the same origin. A token never goes where one of them would not have it.
    pub(crate) fn token_exchange(&self, matched_rules: &MatchedRules) -> Option<&TokenExchange> {
        let rule = self.rules.get(matched_rules.of_target)?;
        let is_same = |other: &Rule| {
            other.token_exchange == rule.token_exchange && other.upstream == rule.upstream
        };
        let agree = matched_rules.all().all(|number| self.rules.get(number).is_some_and(is_same));
        rule.token_exchange.as_ref().filter(|_| agree)
    }

    /// Whether some rule that covers a request keeps `Authorization` for a bridge.
    pub(crate) fn has_token_exchange(&self, matched_rules: &MatchedRules) -> bool {
        self.rules_of(matched_rules).any(|rule| rule.token_exchange.is_some())
    }
}

impl MatchedRules {
    /// All of them, the strictest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> {
        [self.strictest].into_iter().chain(self.others.iter().copied())
    }
}

impl Rule {
    /// Whether it counts for these segments, of which one that makes them public has to spell out
    /// so many.
    fn covers(&self, segments: &[Cow<'_, str>], method: &str, case: Case, spelled: usize) -> bool {
        let spelled = if self.access == Access::Public { spelled } else { 0 };
        self.methods.as_ref().is_none_or(|methods| include(methods, method))
            && self
                .patterns
                .iter()
                .any(|pattern| pattern.spells(spelled) && pattern.matches(segments, case))
    }

    /// Whether a pattern of the rule has the last of these segments in it as it stands.
    fn names(&self, segments: &[Cow<'_, str>]) -> bool {
        let ends_so = |pattern: &Pattern| {
            !pattern.open && matches!(pattern.segments.last(), Some(SegmentPattern::Literal(_)))
        };
        self.patterns
            .iter()
            .any(|pattern| ends_so(pattern) && pattern.matches(segments, Case::Exact))
    }

    /// Whether the rule believes the issuer of this number.
    pub(crate) fn believes(&self, issuer: usize) -> bool {
        self.issuers.as_ref().is_none_or(|issuers| issuers.contains(&issuer))
    }
}

/// Whether a rule's methods include this one: `HEAD` is `GET` without the content (RFC 9110 section
/// 9.3.2), and routers answer it so.
pub(crate) fn include(methods: &[String], method: &str) -> bool {
    methods.iter().any(|candidate| candidate == method || candidate == "GET" && method == "HEAD")
}

impl Pattern {
    /// Whether this matches every path that the other matches, letters compared so.
    pub(crate) fn covers(&self, other: &Self, case: Case) -> bool {
        let long_enough = match (self.open, other.open) {
            (true, _) => other.segments.len() >= self.segments.len(),
            (false, true) => false,
            (false, false) => other.segments.len() == self.segments.len(),
        };
        long_enough
            && self.segments.iter().zip(&other.segments).all(|pair| match pair {
                (SegmentPattern::Any, _) => true,
                (SegmentPattern::Literal(own), SegmentPattern::Literal(other)) => {
                    case.is_same(own, other)
                }
                (SegmentPattern::Literal(_), SegmentPattern::Any) => false,
            })
    }

    /// Whether its first so many segments are no placeholders.
    pub(crate) fn spells(&self, count: usize) -> bool {
        self.segments.get(..count).is_some_and(|start| {
            start.iter().all(|segment| matches!(segment, SegmentPattern::Literal(_)))
        })
    }

    fn matches(&self, segments: &[Cow<'_, str>], case: Case) -> bool {
        let long_enough = if self.open {
            segments.len() >= self.segments.len()
        } else {
            segments.len() == self.segments.len()
        };
        long_enough
            && self.segments.iter().zip(segments).all(|(pattern, segment)| match pattern {
                SegmentPattern::Any => true,
                SegmentPattern::Literal(literal) => case.is_same(literal, segment),
            })
    }
}

impl Case {
    fn is_same(self, literal: &str, segment: &str) -> bool {
        match self {
            Self::Exact => literal == segment,
            Self::Any if literal.is_ascii() && segment.is_ascii() => {
                literal.eq_ignore_ascii_case(segment)
            }
            Self::Any => small(literal) == small(segment),
        }
    }
}

/// In small letters. Routers that fold to capitals take U+017F for `S` and U+0131 for `I`; U+212A
/// is `k` by itself.
fn small(text: &str) -> String {
    text.replace('\u{17f}', "s").replace('\u{131}', "i").to_lowercase()
}

impl CookieNames {
    /// Whether a cookie belongs to the session: these are sent to the auth service and taken from
    /// it.
    pub(crate) fn include(&self, name: &str) -> bool {
        name == self.session_token
            || name == self.dont_remember
            || cookie::is_named(name, &self.session_data)
    }

    /// Whether a cookie is the service's own affair, so that an origin that gets no credential does
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
fn without_browser_prefix(name: &str) -> &str {
    name.strip_prefix("__Secure-").or_else(|| name.strip_prefix("__Host-")).unwrap_or(name)
}

impl BetterAuth {
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
