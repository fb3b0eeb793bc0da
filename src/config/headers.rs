//! `claim_headers`: which claims the origin is told, and under which names. `keep_headers`: what
//! other proxies may tell it.

use super::compiler::Compiler;
use super::reader::Node;
use crate::better_auth::attributes::ClaimPath;
use crate::http::client_headers;
use crate::http::header_pairs;
use crate::policy::rules::Rule;
use crate::policy::{IDENTITY_HEADERS, KeptHeader};

impl Compiler<'_> {
    /// Names of headers (without prefix) and the claims that they tell.
    pub(super) fn claim_headers(
        &mut self,
        root: &Node<'_>,
        rules: &[Rule],
    ) -> Vec<(String, ClaimPath)> {
        let mut headers: Vec<(String, ClaimPath)> = Vec::new();
        let node = root.member("claim_headers");
        let members = node.iter().filter_map(|node| node.value.as_object()).flatten();
        for (name, claim) in members {
            let claim = claim.as_str().unwrap_or_default();
            let plain = name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !plain
                || name.is_empty()
                || IDENTITY_HEADERS.contains(&name.as_str())
                || claim.is_empty()
            {
                self.reader.wrong(
                    &["claim_headers.", name].concat(),
                    "this is not a header of yours and a claim",
                    "write a name of lower-case letters that the gate does not use itself, and \
                     the claim's name",
                );
            }
            headers.push((name.clone(), ClaimPath::new(claim)));
        }
        for (number, rule) in rules.iter().enumerate() {
            let is_known = |name: &String| {
                IDENTITY_HEADERS.contains(&name.as_str())
                    || headers.iter().any(|(own, _)| own == name)
            };
            if !rule.headers.iter().flatten().all(is_known) {
                self.reader.wrong(
                    &["rules[", &number.to_string(), "].identity_headers"].concat(),
                    "there is no such header",
                    "write names without the prefix, like subject, or one of \"claim_headers\"",
                );
            }
        }
        headers
    }

    /// Headers of a former proxy that stay.
    pub(super) fn keep_headers(&mut self, root: &Node<'_>) -> Vec<KeptHeader> {
        let mut kept = Vec::new();
        for name in root.texts("keep_headers").unwrap_or_default() {
            let folded: String =
                name.bytes().map(|byte| char::from(header_pairs::folded(byte))).collect();
            let beginning = name.strip_suffix('*').and_then(|own| folded.get(..own.len()));
            let is_removed = beginning
                .map_or_else(|| client_headers::is_former(&folded), client_headers::begins_former);
            if !is_removed || folded.len() < 4 {
                self.reader.wrong(
                    "keep_headers",
                    "the gate does not remove such a header as a former proxy's",
                    "name one that docs/configuration.md lists, like x-auth-request-email or \
                     x-auth-request-*",
                );
            }
            kept.push(match beginning {
                Some(beginning) => KeptHeader::Beginning(beginning.to_owned()),
                None => KeptHeader::Named(folded),
            });
        }
        kept
    }
}

/// The claims that a rule or a header looks at, each once.
pub(super) fn named_claims(rules: &[Rule], headers: &[(String, ClaimPath)]) -> Vec<ClaimPath> {
    let mut named: Vec<ClaimPath> = Vec::new();
    for claim in rules
        .iter()
        .flat_map(|rule| rule.requirements.claims_named())
        .chain(headers.iter().map(|(_, claim)| claim.clone()))
    {
        if !named.contains(&claim) {
            named.push(claim);
        }
    }
    named
}
