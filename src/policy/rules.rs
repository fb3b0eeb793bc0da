//! Rules: what a request needs, and which of them match one.

use std::borrow::Cow;
use std::sync::Arc;

use crate::encoding::digest::digest_type;
use crate::http::path::framework::{self, Kind};
use crate::http::path::{Path, data_forms};
use crate::http::request::RequestHead;
use crate::policy::issuer::IssuerId;
use crate::policy::pattern::{Case, Pattern, SegmentPattern};
use crate::policy::requirements::Requirements;
use crate::time::{Seconds, UnixTime};

/// A rule: which requests it matches, what they need, and what the origin gets.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    /// Its place among the rules: the first that matches counts.
    pub(crate) number: usize,
    /// Its patterns as they are written, for the log.
    pub(crate) name: String,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) methods: Option<Vec<String>>,
    pub(crate) access: Access,
    /// The issuers that this rule accepts; all where it does not say.
    pub(crate) issuers: Option<Vec<IssuerId>>,
    pub(crate) answer: RefusalFormat,
    pub(crate) requirements: Requirements,
    /// How old the knowledge of a session may be.
    pub(crate) max_staleness: Option<Seconds>,
    /// How long a connection may stay open.
    pub(crate) max_connection: Option<Seconds>,
    /// Whether a request goes on anonymously where a lookup has failed (`on_unavailable`).
    pub(crate) passes_unavailable: bool,
    /// Whether a CORS preflight needs what any other request needs, and so is refused: it has no
    /// credentials.
    pub(crate) refuses_preflights: bool,
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

digest_type! {
    /// For whom a token is: a list of audiences.
    AudienceDigest
}

impl AudienceDigest {
    /// The same audiences at one of several public origins.
    pub(crate) fn at(&self, public_origin: &str) -> Self {
        Self::of_parts(&[self.as_bytes(), public_origin.as_bytes()])
    }
}

/// For whom the token of a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenExchange {
    /// `aud` must contain one of these; where there are none, one of the issuer's own.
    pub(crate) audience: Vec<String>,
    /// Their digest.
    pub(crate) key: AudienceDigest,
}

impl TokenExchange {
    /// For one of these; with none, for whom the issuer's tokens are.
    pub(crate) fn to(audience: Vec<String>) -> Self {
        let parts: Vec<&[u8]> = audience.iter().map(String::as_bytes).collect();
        Self { key: AudienceDigest::of_parts(&parts), audience }
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

/// The rules that cover one request, each of which has to let it pass.
#[derive(Debug)]
pub(crate) struct MatchedRules {
    /// That of the strictest access; among equals that of the last reading. It decides how a
    /// refusal looks.
    pub(crate) strictest: Arc<Rule>,
    /// That of the target as it stands: it decides where the request goes.
    of_target: Arc<Rule>,
    others: Vec<Arc<Rule>>,
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

impl MatchedRules {
    /// The rules that cover a request: of each reading, all of which must be covered, the first
    /// that matches. Many routers take `/Admin` for `/admin`: a rule that would come first there
    /// counts as well. Many frameworks serve what a page shows under a name of its own,
    /// `/admin.json` for `/admin`: a rule for the page that would come first counts as well, unless
    /// the rule names that very file. A function of a framework is made public only by a rule that
    /// names it: what a prefix stands for is not meant. A preflight is covered by the rules of the
    /// request that it asks for.
    pub(super) fn among(
        rules: &[Arc<Rule>],
        kind: Option<Kind>,
        path: &Path<'_>,
        head: &RequestHead<'_>,
    ) -> Option<Self> {
        let method = head.asked_method();
        let first = |segments: &[Cow<'_, str>], case| {
            let spelled = framework::spelled(kind, segments);
            rules.iter().find(|rule| rule.covers(segments, method, case, spelled))
        };
        let of_target = first(path.readings().next()?, Case::Exact)?;
        let (strictest, of_target) = (Arc::clone(of_target), Arc::clone(of_target));
        let mut matched_rules = Self { strictest, of_target, others: Vec::new() };
        for segments in path.readings() {
            let exact = first(segments, Case::Exact)?;
            let page = data_forms::page_of_data(segments).filter(|_| !exact.names(segments));
            let of_page = page
                .and_then(|page| first(page.as_slice(), Case::Any))
                .filter(|rule| rule.number < exact.number);
            // Before the exact match or the exact match itself: a letter in another case makes no
            // fewer rules match.
            for rule in [exact, first(segments, Case::Any)?].into_iter().chain(of_page) {
                if matched_rules.all().any(|known| known.number == rule.number) {
                    continue;
                }
                let rule = Arc::clone(rule);
                let is_stricter = rule.access >= matched_rules.strictest.access;
                matched_rules.others.push(if is_stricter {
                    std::mem::replace(&mut matched_rules.strictest, rule)
                } else {
                    rule
                });
            }
        }
        Some(matched_rules)
    }

    /// All of them, the strictest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Rule>> {
        [&self.strictest].into_iter().chain(&self.others)
    }

    /// Where a request goes, if not to the host's own origin.
    pub(crate) fn upstream(&self) -> Option<&str> {
        self.of_target.upstream.as_deref()
    }

    /// The token exchange of a request's session: where all rules that cover it have the same, to
    /// the same origin. A token never goes where one of them would not have it.
    pub(crate) fn token_exchange(&self) -> Option<&TokenExchange> {
        let rule = &self.of_target;
        let agree = self.all().all(|other| {
            other.token_exchange == rule.token_exchange && other.upstream == rule.upstream
        });
        rule.token_exchange.as_ref().filter(|_| agree)
    }

    /// Whether some rule that covers a request keeps `Authorization` for a token exchange.
    pub(crate) fn has_token_exchange(&self) -> bool {
        self.all().any(|rule| rule.token_exchange.is_some())
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

    /// Whether the rule accepts this issuer.
    pub(crate) fn accepts(&self, issuer: IssuerId) -> bool {
        self.issuers.as_ref().is_none_or(|issuers| issuers.contains(&issuer))
    }
}

/// Whether a rule's methods include this one: `HEAD` is `GET` without the content (RFC 9110 section
/// 9.3.2), and routers answer it so.
pub(crate) fn include(methods: &[String], method: &str) -> bool {
    methods.iter().any(|candidate| candidate == method || candidate == "GET" && method == "HEAD")
}
