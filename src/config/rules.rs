//! `rules`: what is asked of whom.

use std::borrow::Cow;

use super::reader::Node;
use super::url::{Url, is_fetchable, is_token};
use super::{Compiler, requirements};
use crate::http::path;
use crate::http::path::framework::{self, Framework};
use crate::policy::{
    self, Access, Assertions, Case, CredentialHandling, Issuer, OnConflict, Pattern, RefusalFormat,
    Rule, SegmentPattern, TokenExchange,
};
use crate::time::{self, Seconds, UnixTime};

const MEMBERS: &[&str] = &[
    "path",
    "methods",
    "access",
    "issuers",
    "answer",
    "max_connection_seconds",
    "on_doubt",
    "preflight",
    "native_clients",
    "prefer",
    "mode",
    "report_until",
    "headers",
    "credential",
    "audience",
    "upstream",
    "bearer",
    "bearer_audience",
];

/// No connection is known to last longer than a week.
const MAX_CONNECTION_SECONDS: u32 = 604_800;

/// `/**`.
const EVERYTHING: Pattern = Pattern { segments: Vec::new(), open: true };

impl Compiler<'_> {
    pub(super) fn rules(
        &mut self,
        root: &Node<'_>,
        issuers: &[Issuer],
        framework: Option<&Framework>,
        base_path: Option<&str>,
        assertions: Option<&Assertions>,
    ) -> Vec<Rule> {
        let nodes = root.member("rules").map(|list| list.items()).unwrap_or_default();
        if nodes.is_empty() {
            self.reader.wrong(
                "rules",
                "there are no rules, so every request would be denied",
                "add {\"path\": \"/**\", \"access\": \"required\"}",
            );
        }
        let mut rules: Vec<Rule> = Vec::new();
        for node in &nodes {
            let Some(rule) = self.rule(node, issuers, framework, base_path) else { continue };
            if assertions.is_none()
                && (rule.credential == CredentialHandling::Replace || rule.audience.is_some())
            {
                self.reader.wrong(
                    &node.path,
                    "this rule speaks of an assertion, and there is none",
                    "configure \"assertion\"",
                );
            }
            if assertions.is_some() && rule.audience.as_deref() == Some("") {
                self.reader.wrong(
                    &node.path_of("audience"),
                    "a name is empty",
                    "write what the origin's verifier expects",
                );
            }
            if rule.access == Access::Public
                && (!rule.requirements.is_empty() || rule.max_staleness.is_some())
            {
                self.reader.wrong(
                    &node.path_of("access"),
                    "a public rule asks nobody for anything",
                    "write \"required\"",
                );
            }
            if rule.access == Access::Optional && !rule.requirements.is_empty() {
                self.reader.warn(
                    &node.path_of("access"),
                    "who is signed in has to bring something here, and who is not has not",
                    "write \"required\", unless others than those may come only as nobody",
                );
            }
            if assertions.is_some() && rule.upstream.is_some() && rule.audience.is_none() {
                self.reader.wrong(
                    &node.path_of("audience"),
                    "assertions for your own origin would go to another one, which could use them there",
                    "name that one's audience",
                );
            }
            self.bridged(node, &rule, issuers, &rules);
            self.reachable(node, &rule, &rules, framework);
            rules.push(rule);
        }
        let catches_all = |rule: &Rule| {
            rule.methods.is_none()
                && rule.patterns.iter().any(|pattern| pattern.covers(&EVERYTHING, Case::Exact))
        };
        let is_required = self.reader.flag(root, "require_catch_all") == Some(true);
        if !rules.is_empty() && !rules.iter().any(catches_all) {
            let problem = "no rule covers everything that is left, so it is denied";
            let covers_some = |rule: &Rule| {
                rule.patterns.iter().any(|pattern| pattern.covers(&EVERYTHING, Case::Exact))
            };
            let hint = if rules.iter().any(covers_some) {
                "leave \"methods\" out of the last rule for /**: what is sent by another method is denied"
            } else {
                "end with {\"path\": \"/**\", \"access\": \"required\"}"
            };
            if is_required {
                self.reader.wrong("rules", problem, hint)
            } else {
                self.reader.warn("rules", problem, hint)
            }
        }
        rules
    }

    /// A bridge needs somebody who mints tokens, and keys to verify them by; and there is one
    /// `Authorization`.
    fn bridged(&mut self, node: &Node<'_>, rule: &Rule, issuers: &[Issuer], earlier: &[Rule]) {
        let Some(TokenExchange { audience, .. }) = &rule.token_exchange else { return };
        let bearer = node.path_of("bearer");
        let is_same = |other: &TokenExchange| {
            other.audience.is_empty() && audience.is_empty()
                || other.audience.iter().any(|one| audience.contains(one))
        };
        if earlier.iter().any(|other| {
            other.upstream != rule.upstream && other.token_exchange.as_ref().is_some_and(is_same)
        }) {
            self.reader.warn(
                &bearer,
                "two origins take the same tokens, so each could use at the other what it is given",
                "give each a \"bearer_audience\" of its own",
            );
        }
        if rule.access == Access::Public {
            self.reader.wrong(
                &bearer,
                "a public rule asks nobody for a session",
                "write \"access\": \"required\"",
            );
        }
        if rule.credential == CredentialHandling::Replace {
            self.reader.wrong(
                &bearer,
                "\"credential\": \"replace\" puts the assertion where the token goes",
                "leave one of the two out: the assertion has a header of its own as well",
            );
        }
        let believed = issuers
            .iter()
            .enumerate()
            .filter(|(number, _)| rule.believes(*number))
            .map(|(_, issuer)| issuer);
        let mut services = believed.filter(|issuer| issuer.better_auth.is_some()).peekable();
        if services.peek().is_none() {
            self.reader.wrong(
                &bearer,
                "this rule believes no auth service that could mint a token",
                "add an issuer of type \"better-auth\"",
            );
        }
        if services.any(|issuer| issuer.jwks_url.is_none() && issuer.inline_keys.keys().is_empty())
        {
            self.reader.wrong(
                &bearer,
                "the auth service's tokens could not be verified",
                "give that issuer its \"jwks_url\" or \"jwks\"",
            );
        }
    }

    /// A pattern that an earlier rule covers whole is a mistake: what its rule says would never
    /// count.
    fn reachable(
        &mut self,
        node: &Node<'_>,
        rule: &Rule,
        earlier: &[Rule],
        framework: Option<&Framework>,
    ) {
        let all_methods = |first: &Rule| match (&first.methods, &rule.methods) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(first), Some(later)) => later.iter().all(|method| policy::include(first, method)),
        };
        let opens = |first: &Rule| first.access == Access::Public && rule.access != Access::Public;
        for pattern in &rule.patterns {
            // To routers that do not tell capitals from small letters `/Admin` is `/admin`.
            let spelled = functions_below(pattern, framework);
            let covers = |first: &Rule| {
                let case = if opens(first) { Case::Any } else { Case::Exact };
                let spelled = if first.access == Access::Public { spelled } else { 0 };
                first
                    .patterns
                    .iter()
                    .any(|candidate| candidate.spells(spelled) && candidate.covers(pattern, case))
            };
            let matched_rules =
                earlier.iter().filter(|first| all_methods(first)).find(|first| covers(first));
            let Some(matched_rules) = matched_rules else { continue };
            let problem = if opens(matched_rules) {
                "an earlier rule makes public what this one protects"
            } else {
                "an earlier rule covers all that this one is about"
            };
            self.reader.wrong(
                &node.path_of("path"),
                problem,
                "the first match counts: write the narrower rule first",
            );
        }
    }

    fn rule(
        &mut self,
        node: &Node<'_>,
        issuers: &[Issuer],
        framework: Option<&Framework>,
        base_path: Option<&str>,
    ) -> Option<Rule> {
        self.reader.only_members(node, &[MEMBERS, requirements::MEMBERS].concat());
        let access = self.reader.word(
            node,
            "access",
            &[
                ("public", Access::Public),
                ("optional", Access::Optional),
                ("required", Access::Required),
            ],
        );
        if access.is_none() && node.member("access").is_none() {
            self.reader.wrong(
                &node.path_of("access"),
                "the rule does not say what it asks",
                "write \"public\", \"optional\" or \"required\"",
            );
        }
        let paths = self.reader.texts(node, "path").unwrap_or_default();
        if paths.is_empty() {
            self.reader.wrong(
                &node.path_of("path"),
                "the rule covers no path",
                "write a pattern like /app/**",
            );
        }
        let mut patterns = Vec::new();
        for path in &paths {
            match pattern(path, framework, base_path) {
                Ok(pattern) => patterns.push(pattern),
                Err(hint) => self.reader.wrong(
                    &node.path_of("path"),
                    format!("the pattern {path:?} can match nothing"),
                    hint,
                ),
            }
        }
        let methods = self.reader.texts(node, "methods");
        if methods.as_ref().is_some_and(|methods| {
            methods.is_empty() || methods.iter().any(|method| is_every(method))
        }) {
            self.reader.wrong(
                &node.path_of("methods"),
                "no request has such a method",
                "leave \"methods\" out for all of them",
            );
        }
        if methods.iter().flatten().any(|method| {
            !is_token(method) || method.chars().any(|character| character.is_ascii_lowercase())
        }) {
            self.reader.wrong(
                &node.path_of("methods"),
                "this is not an HTTP method",
                "methods are written in capitals: GET, POST",
            );
        }
        let believed = self.reader.texts(node, "issuers").map(|names| {
            let mut numbers = Vec::new();
            if names.is_empty() {
                let hint = "leave \"issuers\" out for all of them";
                self.reader.wrong(
                    &node.path_of("issuers"),
                    "nobody is believed, so nobody can pass",
                    hint,
                );
            }
            for name in &names {
                match issuers.iter().position(|issuer| issuer.name == *name) {
                    Some(number) => numbers.push(number),
                    None => self.reader.wrong(
                        &node.path_of("issuers"),
                        format!("there is no issuer {name:?}"),
                        "use the \"name\" of an issuer above",
                    ),
                }
            }
            numbers
        });
        let styles = [
            ("auto", RefusalFormat::Auto),
            ("page", RefusalFormat::Page),
            ("api", RefusalFormat::Api),
        ];
        let answer = self.reader.word(node, "answer", &styles).unwrap_or(RefusalFormat::Auto);
        let requirements = self.requirements(node);
        let upstream = self.upstream(node);
        // Only the auth service itself needs the session's cookies at another origin.
        let is_service = |upstream: &String| {
            let at = |url: &str| {
                url.strip_prefix(upstream.as_str()).is_some_and(|rest| rest.starts_with('/'))
            };
            issuers
                .iter()
                .filter_map(|issuer| issuer.better_auth.as_ref())
                .any(|service| at(&service.token_url))
        };
        let usual = if upstream.as_ref().is_none_or(is_service) {
            CredentialHandling::Keep
        } else {
            CredentialHandling::Remove
        };
        let mode = self
            .reader
            .word(node, "mode", &[("enforce", false), ("report", true)])
            .unwrap_or(false);
        Some(Rule {
            patterns,
            methods,
            access: access?,
            issuers: believed,
            answer,
            requirements,
            max_staleness: self.reader.seconds(node, "max_staleness_seconds", u32::MAX),
            max_connection: self
                .reader
                .number(node, "max_connection_seconds", 1, MAX_CONNECTION_SECONDS)
                .map(Seconds::new),
            passes_unavailable: self
                .reader
                .word(node, "on_doubt", &[("refuse", false), ("pass", true)])
                .unwrap_or(false),
            judges_preflights: self
                .reader
                .word(node, "preflight", &[("forward", false), ("refuse", true)])
                .unwrap_or(false),
            has_native_clients: self.reader.flag(node, "native_clients").unwrap_or(false),
            on_conflict: self.reader.word(
                node,
                "prefer",
                &[("cookie", OnConflict::Cookie), ("header", OnConflict::Header)],
            ),
            report_until: self.report_until(node, mode),
            headers: self.reader.texts(node, "headers"),
            credential: self
                .reader
                .word(
                    node,
                    "credential",
                    &[
                        ("keep", CredentialHandling::Keep),
                        ("remove", CredentialHandling::Remove),
                        ("replace", CredentialHandling::Replace),
                    ],
                )
                .unwrap_or(usual),
            audience: self.reader.optional_text(node, "audience"),
            upstream,
            token_exchange: self.token_exchange(node),
        })
    }

    fn upstream(&mut self, node: &Node<'_>) -> Option<String> {
        let upstream = self.reader.optional_text(node, "upstream")?;
        let path = node.path_of("upstream");
        let Some(Url { origin: upstream, rest: "" }) = Url::read(&upstream) else {
            self.reader.wrong(
                &path,
                "this is not an origin",
                "write scheme, host and port only, like https://api.example.com",
            );
            return Some(upstream);
        };
        if !is_fetchable(&upstream) {
            self.reader.wrong(
                &path,
                "requests would go there over plain http",
                "use https; http is for loopback addresses only",
            );
        }
        Some(upstream)
    }

    fn token_exchange(&mut self, node: &Node<'_>) -> Option<TokenExchange> {
        let is_bridged =
            self.reader.word(node, "bearer", &[("keep", false), ("bridge", true)]).unwrap_or(false);
        let audience = self.reader.texts(node, "bearer_audience");
        if audience
            .as_ref()
            .is_some_and(|audience| audience.is_empty() || audience.iter().any(String::is_empty))
        {
            self.reader.wrong(
                &node.path_of("bearer_audience"),
                "a name is empty",
                "write the \"aud\" that the origin expects",
            );
        }
        if audience.is_some() && !is_bridged {
            self.reader.wrong(
                &node.path_of("bearer_audience"),
                "there is no bridge",
                "write \"bearer\": \"bridge\"",
            );
        }
        is_bridged.then(|| TokenExchange::to(audience.unwrap_or_default()))
    }

    /// The end of reporting: it has to have one, or nobody would ever begin to enforce.
    fn report_until(&mut self, node: &Node<'_>, reports: bool) -> Option<UnixTime> {
        const DAY_MILLIS: i64 = 86_400_000;
        let day = self.reader.optional_text(node, "report_until");
        if reports != day.is_some() {
            self.reader.wrong(
                &node.path_of("report_until"),
                "\"mode\": \"report\" and the day on which it ends belong together",
                "write both, like \"mode\": \"report\", \"report_until\": \"2027-01-31\"",
            );
        }
        let begins = time::from_iso(&[day?.as_str(), "T00:00:00.000Z"].concat());
        if begins.is_none() {
            self.reader.wrong(
                &node.path_of("report_until"),
                "this is not a day",
                "write it like 2027-01-31",
            );
        }
        begins.map(|begins| begins.plus_millis(DAY_MILLIS))
    }
}

fn pattern(
    text: &str,
    framework: Option<&Framework>,
    auth_path: Option<&str>,
) -> Result<Pattern, &'static str> {
    let text = match text.strip_prefix("{auth}") {
        Some(rest) => {
            if !(rest.is_empty() || rest.starts_with('/')) {
                return Err("behind {auth} there is nothing, or a /");
            }
            let auth_path = auth_path.ok_or(
                "{auth} stands for the base path of a Better Auth issuer, and there is none",
            )?;
            if auth_path.is_empty() {
                return Err(
                    "{auth} would stand for the whole site: the auth service answers at the root, so write the paths that are its own",
                );
            }
            [within(framework, auth_path), rest].concat()
        }
        None => text.to_owned(),
    };
    let (text, open) = match text.strip_suffix("/**") {
        Some(rest) => (rest.to_owned(), true),
        None => (text, false),
    };
    if text.is_empty() && open || text == "/" && !open {
        return Ok(Pattern { segments: Vec::new(), open });
    }
    let inner = text.strip_prefix('/').ok_or("a pattern begins with /")?;
    let segments = inner.split('/').map(|segment| match segment {
        "*" => Ok(SegmentPattern::Any),
        "**" => Err("/** stands at the end only"),
        named if named.strip_prefix(':').is_some_and(is_name) => Ok(SegmentPattern::Any),
        named if named.starts_with(':') => Err("write /** for any number of segments, and :name, in letters and digits, for one"),
        other if is_of_another_router(other) => Err("write :name for one segment, /** for any number, and leave groups out"),
        wild if wild.contains('*') => Err("* stands for a whole segment"),
        literal if path::is_segment(literal) => Ok(SegmentPattern::Literal(literal.to_owned())),
        _ => Err("write segments decoded (é, not %C3%A9) and without empty ones, dots, or characters that a path cannot have"),
    });
    let segments = segments.collect::<Result<Vec<_>, _>>()?;
    match (framework, segments.first()) {
        (Some(framework), Some(SegmentPattern::Literal(first))) if framework.is_locale(first) => {
            Err("leave the locale out: it is taken off first")
        }
        (Some(framework), _)
            if !framework.base_path.is_empty() && begins_with(&segments, &framework.base_path) =>
        {
            Err("leave the base path out: it is taken off first")
        }
        _ => Ok(Pattern { segments, open }),
    }
}

/// How many segments a public pattern has to spell in order to cover what this one covers: it may
/// be about functions of a framework.
fn functions_below(pattern: &Pattern, framework: Option<&Framework>) -> usize {
    let text = |segment: &SegmentPattern| match segment {
        SegmentPattern::Literal(literal) => Cow::Owned(literal.clone()),
        SegmentPattern::Any => Cow::Borrowed("*"),
    };
    // `/_actions/**` is about what is below.
    let below = Some(Cow::Borrowed("*")).filter(|_| pattern.open);
    let segments: Vec<_> = pattern.segments.iter().map(text).chain(below).collect();
    framework::spelled(framework.map(|framework| framework.kind), &segments)
}

/// What people write for every method.
fn is_every(method: &str) -> bool {
    ["*", "ALL", "ANY"].contains(&method)
}

/// The name of a segment, as path-to-regexp reads it: with anything behind it, it would be more
/// than one segment, or part of one.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `[id]`, `[...slug]`, `{id}`, `<id>`, `(group)`: what other routers have for a segment or for
/// none. As it stands it is in no path.
fn is_of_another_router(segment: &str) -> bool {
    [('[', ']'), ('{', '}'), ('<', '>'), ('(', ')')]
        .iter()
        .any(|(begin, end)| segment.starts_with(*begin) && segment.ends_with(*end))
}

fn begins_with(segments: &[SegmentPattern], base: &[String]) -> bool {
    let is_same = |(segment, base): (&SegmentPattern, &String)| matches!(segment, SegmentPattern::Literal(own) if own == base);
    segments.len() >= base.len() && segments.iter().zip(base).all(is_same)
}

/// A path of this site without the base path of its app, as patterns are written.
fn within<'p>(framework: Option<&Framework>, path: &'p str) -> &'p str {
    let base_path: String = framework
        .iter()
        .flat_map(|framework| &framework.base_path)
        .flat_map(|segment| ["/", segment.as_str()])
        .collect();
    path.strip_prefix(base_path.as_str())
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .unwrap_or(path)
}
