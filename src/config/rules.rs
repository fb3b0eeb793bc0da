//! `rules`: what a request needs.

use serde_json::Value;

use super::compiler::Compiler;
use super::issuers::Issuers;
use super::pattern::{functions_below, overlap, pattern};
use super::preset::Source;
use super::reader::Node;
use super::url::{Url, is_fetchable, is_token};
use crate::http::path::framework::Framework;
use crate::policy::Assertions;
use crate::policy::issuer::IssuerId;
use crate::policy::pattern::{Case, Pattern};
use crate::policy::rules::{
    Access, CredentialHandling, OnConflict, RefusalFormat, Rule, TokenExchange, include,
};
use crate::time::{self, Seconds, UnixTime};

/// `/**`.
const EVERYTHING: Pattern = Pattern { segments: Vec::new(), open: true };

/// What rules are read beside.
pub(super) struct Surroundings<'s> {
    pub(super) issuers: &'s Issuers,
    pub(super) framework: Option<&'s Framework>,
    /// What `{auth}` stands for.
    pub(super) auth_path: Option<&'s str>,
    pub(super) assertions: Option<&'s Assertions>,
}

impl Compiler<'_> {
    pub(super) fn rules(&mut self, root: &Node<'_>, beside: &Surroundings<'_>) -> Vec<Rule> {
        let nodes = root.items("rules");
        if nodes.is_empty() {
            self.reader.wrong(
                "rules",
                "there are no rules, so every request would be denied",
                "add {\"path\": \"/**\", \"access\": \"required\"}",
            );
        }
        let mut rules: Vec<Rule> = Vec::new();
        let mut sources = Vec::new();
        for (node, source) in nodes
            .iter()
            .zip(self.whole.sources.iter().copied().chain(std::iter::repeat(Source::Rules)))
        {
            let read = Some(node).filter(|node| node.value.is_object());
            let Some(rule) = read.and_then(|node| self.rule(node, beside)) else { continue };
            self.sensible(node, &rule, beside);
            self.exchangeable(node, &rule, beside.issuers, &rules);
            let earlier: Vec<(&Rule, Source)> = rules.iter().zip(sources.iter().copied()).collect();
            match source {
                // What is written beats the preset.
                Source::Preset => self.closed_service(node, &rule, &rules),
                Source::Public => self.overlapping(node, &rule, &earlier),
                Source::Rules | Source::Require => {
                    self.reachable(node, &rule, &earlier, beside.framework)
                }
            }
            rules.push(Rule { number: rules.len(), ..rule });
            sources.push(source);
        }
        self.catch_all(root, &rules);
        rules
    }

    /// What does not go together in one rule.
    fn sensible(&mut self, node: &Node<'_>, rule: &Rule, beside: &Surroundings<'_>) {
        let has_assertion = beside.assertions.is_some();
        if !has_assertion
            && (rule.credential == CredentialHandling::Replace || rule.audience.is_some())
        {
            self.reader.wrong(
                &node.path,
                "this rule is about an assertion, and there is none",
                "configure \"assertion\"",
            );
        }
        if has_assertion && rule.audience.as_deref() == Some("") {
            let hint = "write what the origin's verifier expects";
            self.reader.wrong(&node.path_of("assertion_audience"), "a name is empty", hint);
        }
        if rule.access == Access::Public
            && (!rule.requirements.is_empty() || rule.max_staleness.is_some())
        {
            let problem =
                "a public rule does not look at credentials, so it can require nothing of them";
            self.reader.wrong(&node.path_of("access"), problem, "write \"required\"");
        }
        if rule.access == Access::Optional && !rule.requirements.is_empty() {
            self.reader.warn(
                &node.path_of("access"),
                "an optional rule with requirements rejects signed-in users who lack them but \
                 admits anonymous users",
                "write \"required\" unless anonymous access is intended",
            );
        }
        if has_assertion && rule.upstream.is_some() && rule.audience.is_none() {
            self.reader.wrong(
                &node.path_of("assertion_audience"),
                "assertions for your own origin would go to another one, which could use them \
                 there",
                "name that one's audience",
            );
        }
    }

    /// What no rule covers is denied: a policy says so by its last rule.
    fn catch_all(&mut self, root: &Node<'_>, rules: &[Rule]) {
        let covers_all = |rule: &Rule| {
            rule.patterns.iter().any(|pattern| pattern.covers(&EVERYTHING, Case::Exact))
        };
        if rules.is_empty() || rules.iter().any(|rule| rule.methods.is_none() && covers_all(rule)) {
            return;
        }
        let problem = "no rule covers everything that is left, so it is denied";
        let hint = if rules.iter().any(covers_all) {
            "leave \"methods\" out of the last rule for /**: what is sent by another method is \
             denied"
        } else {
            "end with {\"path\": \"/**\", \"access\": \"required\"}"
        };
        if root.flag("require_catch_all") {
            self.reader.wrong("rules", problem, hint);
        } else {
            self.reader.warn("rules", problem, hint);
        }
    }

    /// A token exchange needs an auth service, and keys to verify its tokens by; and there is one
    /// `Authorization`.
    fn exchangeable(&mut self, node: &Node<'_>, rule: &Rule, issuers: &Issuers, earlier: &[Rule]) {
        let Some(TokenExchange { audience, .. }) = &rule.token_exchange else { return };
        let path = node.path_of("token_exchange");
        let is_same = |other: &TokenExchange| {
            other.audience.is_empty() && audience.is_empty()
                || other.audience.iter().any(|one| audience.contains(one))
        };
        if earlier.iter().any(|other| {
            other.upstream != rule.upstream && other.token_exchange.as_ref().is_some_and(is_same)
        }) {
            self.reader.warn(
                &path,
                "two origins take the same tokens, so each could use at the other what it is given",
                "give each an audience of its own: \"token_exchange\": {\"audience\": …}",
            );
        }
        if rule.access == Access::Public {
            self.reader.wrong(
                &path,
                "a public rule needs no session",
                "write \"access\": \"required\"",
            );
        }
        if rule.credential == CredentialHandling::Replace {
            self.reader.wrong(
                &path,
                "\"credential\": \"replace\" puts the assertion where the token goes",
                "leave one of the two out: the assertion has a header of its own as well",
            );
        }
        let services = issuers.services.iter().map(|service| &service.issuer);
        let mut services = services.filter(|issuer| rule.accepts(issuer.id)).peekable();
        if services.peek().is_none() {
            self.reader.wrong(
                &path,
                "this rule accepts no auth service that could issue a token",
                "add an issuer of type \"better-auth\"",
            );
        }
        if services.any(|issuer| issuer.jwks_url.is_none() && issuer.inline_keys.keys().is_empty())
        {
            self.reader.wrong(
                &path,
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
        earlier: &[(&Rule, Source)],
        framework: Option<&Framework>,
    ) {
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
            let mut shadowing = earlier
                .iter()
                .map(|(first, _)| *first)
                .filter(|first| includes_methods(first, rule));
            let Some(shadowing) = shadowing.find(|first| covers(first)) else { continue };
            let problem = if opens(shadowing) {
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

    /// `rules` and `require` beat `public`: an entry that they take something from is pointed out,
    /// unless what they say is about a part of it, as with a public site that has protected pages.
    fn overlapping(&mut self, node: &Node<'_>, rule: &Rule, earlier: &[(&Rule, Source)]) {
        for (pattern, written) in rule.patterns.iter().zip(node.texts("path").unwrap_or_default()) {
            let is_part = |other: &Pattern| pattern.covers(other, Case::Exact) && other != pattern;
            let takes = |first: &Rule| {
                first.patterns.iter().any(|other| overlap(other, pattern) && !is_part(other))
            };
            let mut closed = earlier.iter().filter(|(first, _)| first.access != Access::Public);
            let Some((_, source)) = closed.find(|(first, _)| takes(first)) else { continue };
            let name = if *source == Source::Require { "require" } else { "rules" };
            self.reader.warn(
                &node.path_of("path"),
                format!("{written:?} overlaps with \"{name}\", which counts where both match"),
                format!("take it out of \"public\" or out of \"{name}\""),
            );
        }
    }

    /// What is written over a preset may close the auth service that it leaves public.
    fn closed_service(&mut self, node: &Node<'_>, rule: &Rule, earlier: &[Rule]) {
        let written = node.texts("path").unwrap_or_default();
        let service =
            rule.patterns.iter().zip(&written).find(|(_, written)| *written == "{auth}/**");
        let Some((service, _)) = service else { return };
        let covers = |first: &Rule| {
            first.patterns.iter().any(|pattern| pattern.covers(service, Case::Exact))
        };
        if let Some(number) = earlier.iter().position(covers)
            && earlier.get(number).is_some_and(|first| first.access == Access::Required)
        {
            self.reader.warn(
                &format!("rules[{number}].path"),
                "this covers the auth service as well, so signing in would need a session",
                "add {\"path\": \"{auth}/**\", \"access\": \"public\"} to \"rules\"",
            );
        }
    }

    fn rule(&mut self, node: &Node<'_>, beside: &Surroundings<'_>) -> Option<Rule> {
        let access = match node.text("access") {
            Some("public") => Some(Access::Public),
            Some("optional") => Some(Access::Optional),
            Some("required") => Some(Access::Required),
            _ => None,
        };
        let patterns = self.patterns(node, beside);
        let requirements = self.requirements(node);
        let upstream = self.upstream(node);
        // Only the auth service itself needs the session's cookies at another origin.
        let is_service = |upstream: &String| {
            let at = |url: &str| {
                url.strip_prefix(upstream.as_str()).is_some_and(|rest| rest.starts_with('/'))
            };
            beside.issuers.services.iter().any(|service| at(&service.token_url))
        };
        let usual = if upstream.as_ref().is_none_or(is_service) {
            CredentialHandling::Keep
        } else {
            CredentialHandling::Remove
        };
        Some(Rule {
            number: 0, // its place is known when it has one
            name: node.texts("path").unwrap_or_default().join(", "),
            patterns,
            methods: self.methods(node),
            access: access?,
            issuers: self.accepted(node, beside.issuers),
            answer: match node.text("refusal_format") {
                Some("page") => RefusalFormat::Page,
                Some("api") => RefusalFormat::Api,
                _ => RefusalFormat::Auto,
            },
            requirements,
            max_staleness: node.optional_number("max_staleness_seconds").map(Seconds::new),
            max_connection: node.optional_number("max_connection_seconds").map(Seconds::new),
            passes_unavailable: node.text("on_unavailable") == Some("anonymous"),
            refuses_preflights: node.text("preflight") == Some("refuse"),
            has_native_clients: node.flag("native_clients"),
            on_conflict: match node.text("on_conflict") {
                Some("cookie") => Some(OnConflict::Cookie),
                Some("header") => Some(OnConflict::Header),
                _ => None,
            },
            report_until: self.report_until(node, node.text("mode") == Some("report")),
            headers: node.texts("identity_headers"),
            credential: match node.text("credential") {
                Some("keep") => CredentialHandling::Keep,
                Some("remove") => CredentialHandling::Remove,
                Some("replace") => CredentialHandling::Replace,
                _ => usual,
            },
            audience: node.text("assertion_audience").map(str::to_owned),
            upstream,
            token_exchange: self.token_exchange(node),
        })
    }

    fn patterns(&mut self, node: &Node<'_>, beside: &Surroundings<'_>) -> Vec<Pattern> {
        let paths = node.texts("path").unwrap_or_default();
        if paths.is_empty() {
            self.reader.wrong(
                &node.path_of("path"),
                "the rule covers no path",
                "write a pattern like /app/**",
            );
        }
        let mut patterns = Vec::new();
        for path in &paths {
            match pattern(path, beside.framework, beside.auth_path) {
                Ok(pattern) => patterns.push(pattern),
                Err(hint) => self.reader.wrong(
                    &node.path_of("path"),
                    format!("the pattern {path:?} can match nothing"),
                    hint,
                ),
            }
        }
        patterns
    }

    fn methods(&mut self, node: &Node<'_>) -> Option<Vec<String>> {
        let methods = node.texts("methods")?;
        if methods.is_empty() || methods.iter().any(|method| is_every(method)) {
            self.reader.wrong(
                &node.path_of("methods"),
                "no request has such a method",
                "leave \"methods\" out for all of them",
            );
        }
        if methods.iter().any(|method| {
            !is_token(method) || method.chars().any(|character| character.is_ascii_lowercase())
        }) {
            let hint = "methods are written in capitals: GET, POST";
            self.reader.wrong(&node.path_of("methods"), "this is not an HTTP method", hint);
        }
        Some(methods)
    }

    /// The issuers that a rule names.
    fn accepted(&mut self, node: &Node<'_>, issuers: &Issuers) -> Option<Vec<IssuerId>> {
        let names = node.texts("issuers")?;
        let path = node.path_of("issuers");
        if names.is_empty() {
            let hint = "leave \"issuers\" out for all of them";
            self.reader.wrong(&path, "no issuer is accepted, so no request can pass", hint);
        }
        let mut accepted = Vec::new();
        for name in &names {
            match issuers.all.iter().find(|issuer| issuer.name == *name) {
                Some(issuer) => accepted.push(issuer.id),
                None => {
                    self.reader.wrong(
                        &path,
                        format!("there is no issuer {name:?}"),
                        "use the \"name\" of an issuer above",
                    );
                }
            }
        }
        Some(accepted)
    }

    fn upstream(&mut self, node: &Node<'_>) -> Option<String> {
        let upstream = node.text("upstream")?;
        let path = node.path_of("upstream");
        let Some(Url { origin: upstream, rest: "" }) = Url::read(upstream) else {
            self.reader.wrong(
                &path,
                "this is not an origin",
                "write scheme, host and port only, like https://api.example.com",
            );
            return Some(upstream.to_owned());
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
        let member =
            node.member("token_exchange").filter(|member| *member.value != Value::Bool(false))?;
        let audience = member.texts("audience");
        if audience
            .as_ref()
            .is_some_and(|audience| audience.is_empty() || audience.iter().any(String::is_empty))
        {
            self.reader.wrong(
                &member.path_of("audience"),
                "a name is empty",
                "write the \"aud\" that the origin expects",
            );
        }
        Some(TokenExchange::to(audience.unwrap_or_default()))
    }

    /// The end of report mode: without one, enforcement would never begin.
    fn report_until(&mut self, node: &Node<'_>, reports: bool) -> Option<UnixTime> {
        const DAY_MILLIS: i64 = 86_400_000;
        if reports != node.has("report_until") {
            self.reader.wrong(
                &node.path_of("report_until"),
                "\"mode\": \"report\" and the day on which it ends belong together",
                "write both, like \"mode\": \"report\", \"report_until\": \"2027-01-31\"",
            );
        }
        let begins = time::from_iso(&[node.text("report_until")?, "T00:00:00.000Z"].concat());
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

/// Whether the methods of one rule are among those of an earlier one.
fn includes_methods(first: &Rule, later: &Rule) -> bool {
    match (&first.methods, &later.methods) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(first), Some(later)) => later.iter().all(|method| include(first, method)),
    }
}

/// What people write for every method.
fn is_every(method: &str) -> bool {
    ["*", "ALL", "ANY"].contains(&method)
}
