//! The policy: valid rules. Made by `config` only, so nothing here has to be checked again.

use std::borrow::Cow;

use crate::alg::{Algorithm, Capabilities};
use crate::claims::Expectations;
use crate::jwk::JwkSet;
use crate::path::{Next, Path};
use crate::request::RequestHead;
use crate::time::Seconds;
use crate::token::session_data::Strategy;
use crate::verify::Secret;

/// Valid rules, made by [`crate::Config::compile`] only.
#[derive(Debug)]
pub struct Policy {
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) next: Option<Next>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) cors: Cors,
    pub(crate) docs_url: Option<String>,
    pub(crate) header_prefix: String,
    pub(crate) debug_header: bool,
    pub(crate) capabilities: Capabilities,
}

/// Somebody whose word counts. Its place in the list is the number of its key source.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) name: String,
    pub(crate) expectations: Expectations,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) inline_keys: JwkSet,
    pub(crate) jwks_url: Option<String>,
    pub(crate) places: Vec<Place>,
    pub(crate) better_auth: Option<BetterAuth>,
}

/// Where a JWT may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// `Authorization: Bearer`.
    Authorization,
    /// A cookie of this name.
    Cookie(String),
    /// A header of this name (lower case).
    Header(String),
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
    pub(crate) session_cache: Seconds,
    /// What the key set's own session tokens have to say, for strategy `jwt-jwks`.
    pub(crate) cache_expectations: Expectations,
}

/// The Better Auth secrets. Only the current one verifies; retired ones open encrypted cookies, as Better Auth does.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    pub(crate) current: Option<Secret>,
    pub(crate) retired: Vec<Secret>,
}

/// Names of the cookies, prefixes included.
#[derive(Debug)]
pub(crate) struct CookieNames {
    pub(crate) session_token: String,
    pub(crate) session_data: String,
    pub(crate) dont_remember: String,
}

/// What to do with `session_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CookieCache {
    /// Do not read it.
    Off,
    /// Tell the strategy by its shape; each keeps its own algorithm and key.
    Auto,
    /// Just this one.
    Only(Strategy),
}

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

/// A rule: what is asked of whom.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) methods: Option<Vec<String>>,
    pub(crate) access: Access,
    /// Numbers of the issuers that this rule believes; all where it does not say.
    pub(crate) issuers: Option<Vec<usize>>,
    pub(crate) answer: AnswerStyle,
}

/// How a refusal looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerStyle {
    /// By the kind of request.
    Auto,
    /// Clients that do not say what they are get a page.
    Page,
    /// Every client gets what programs read, and no redirect.
    Api,
}

/// What a rule asks. In order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// Nothing: credentials are not even looked at.
    Public,
    /// Absent passes as anonymous; present and bad fails.
    Optional,
    /// A good credential.
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
enum Case {
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

/// Where pages without a session are sent.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) path: String,
    pub(crate) segments: Vec<String>,
    pub(crate) return_parameter: String,
}

impl Policy {
    /// The rule that covers a request: that of its strictest reading, each of which must be covered; among equals the last.
    /// A preflight is covered by the rule of the request that it asks for.
    ///
    /// Many routers take `/Admin` for `/admin`: a rule that would come first there counts as well.
    pub(crate) fn rule(&self, path: &Path<'_>, head: &RequestHead<'_>) -> Option<(usize, &Rule)> {
        let asked_for = if head.is_preflight() { head.header("access-control-request-method") } else { None };
        let method = asked_for.unwrap_or(head.method);
        let first = |segments: &[Cow<'_, str>]| {
            let covers = |case| move |(_, rule): &(usize, &Rule)| rule.covers(segments, method, case);
            let exact = self.rules.iter().enumerate().find(covers(Case::Exact))?;
            let other = self.rules.iter().enumerate().take(exact.0).find(covers(Case::Any));
            Some(other.filter(|other| other.1.access >= exact.1.access).unwrap_or(exact))
        };
        let mut readings = path.readings();
        let of_first = first(readings.next()?)?;
        readings.try_fold(of_first, |strictest, segments| {
            first(segments).map(|found| if found.1.access >= strictest.1.access { found } else { strictest })
        })
    }
}

impl Rule {
    fn covers(&self, segments: &[Cow<'_, str>], method: &str, case: Case) -> bool {
        let of_method = self.methods.as_ref().is_none_or(|methods| methods.iter().any(|candidate| candidate == method));
        of_method && self.patterns.iter().any(|pattern| pattern.matches(segments, case))
    }

    /// Whether the rule believes the issuer of this number.
    pub(crate) fn believes(&self, issuer: usize) -> bool {
        self.issuers.as_ref().is_none_or(|issuers| issuers.contains(&issuer))
    }
}

impl Pattern {
    fn matches(&self, segments: &[Cow<'_, str>], case: Case) -> bool {
        let long_enough = if self.open { segments.len() >= self.segments.len() } else { segments.len() == self.segments.len() };
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
            Self::Any if literal.is_ascii() && segment.is_ascii() => literal.eq_ignore_ascii_case(segment),
            Self::Any => small(literal) == small(segment),
        }
    }
}

/// In small letters. Routers that fold to capitals take U+017F for `S` and U+0131 for `I`; U+212A is `k` by itself.
fn small(text: &str) -> String {
    text.replace('\u{17f}', "s").replace('\u{131}', "i").to_lowercase()
}

impl CookieNames {
    /// Whether a cookie belongs to the session: these are sent to the auth service and taken from it.
    pub(crate) fn include(&self, name: &str) -> bool {
        name == self.session_token || name == self.dont_remember || crate::cookie::is_named(name, &self.session_data)
    }
}

impl Secrets {
    /// All secrets, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Secret> {
        self.current.iter().chain(&self.retired)
    }
}
