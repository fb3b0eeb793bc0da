//! `issuers`: whose credentials are accepted.

use std::sync::Arc;

use serde_json::Value;

use super::compiler::Compiler;
use super::reader::Node;
use super::table::JWT_ISSUER;
use super::url::{Url, as_origin, host_of, is_broken, is_fetchable, is_token};
use crate::jose::alg::Algorithm;
use crate::jose::claims::{Expectations, PUBLIC_ORIGIN};
use crate::jose::jwk::{JwkSet, LeftOut};
use crate::jose::verify;
use crate::policy::auth_service::AuthService;
use crate::policy::issuer::{Issuer, IssuerId, TokenLocation};
use crate::time::Seconds;

/// The issuers of a document.
#[derive(Default)]
pub(super) struct Issuers {
    pub(super) all: Vec<Arc<Issuer>>,
    /// Those of them that are auth services.
    pub(super) services: Vec<Arc<AuthService>>,
}

/// What is said about an issuer of either type before its JWTs are.
pub(super) struct Named {
    pub(super) id: IssuerId,
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) audience: Vec<String>,
    pub(super) jwks_url: Option<String>,
    pub(super) public_hosts: Vec<String>,
}

impl Compiler<'_> {
    pub(super) fn issuers(&mut self, root: &Node<'_>) -> Issuers {
        let nodes = root.items("issuers");
        if nodes.is_empty() {
            let hint = "write \"extends\": \"better-auth\", or name at least one issuer";
            self.reader.wrong("issuers", "there is no issuer, so no credential is accepted", hint);
        }
        let mut issuers = Issuers::default();
        for node in &nodes {
            let id = IssuerId::new(issuers.all.len());
            let (issuer, service) = match node.text("type") {
                Some("better-auth") => {
                    let service = self.auth_service(node, id).map(Arc::new);
                    (service.as_ref().map(|service| Arc::clone(&service.issuer)), service)
                }
                Some("jwt") => (self.jwt_issuer(node, id).map(Arc::new), None),
                _ => (None, None),
            };
            let Some(issuer) = issuer else { continue };
            self.distinct(node, &issuer, &issuers.all);
            issuers.all.push(issuer);
            issuers.services.extend(service);
        }
        issuers
    }

    /// Which issuer a token is from can be told by its name, its `iss` and its `aud`.
    fn distinct(&mut self, node: &Node<'_>, issuer: &Issuer, others: &[Arc<Issuer>]) {
        if others.iter().any(|other| other.name == issuer.name) {
            self.reader.wrong(
                &node.path_of("name"),
                "two issuers have this name",
                "give each a \"name\" of its own",
            );
        }
        let shares_audience = |other: &Issuer| {
            let (one, other) = (&issuer.expectations.audience, &other.expectations.audience);
            one.is_empty() && other.is_empty()
                || other.iter().any(|audience| one.contains(audience))
        };
        if others.iter().any(|other| {
            other.expectations.issuer == issuer.expectations.issuer && shares_audience(other)
        }) {
            self.reader.wrong(
                &node.path_of("audience"),
                "another issuer has the same \"iss\" and one of these audiences",
                "make one issuer of the two, or give each an audience of its own",
            );
        }
    }

    fn jwt_issuer(&mut self, node: &Node<'_>, id: IssuerId) -> Option<Issuer> {
        let issuer = node.text("issuer").map(str::to_owned);
        let name = node
            .text("name")
            .map_or_else(|| issuer.as_deref().map(host_of).unwrap_or_default(), str::to_owned);
        if !node.has("name")
            && issuer.as_ref().is_some_and(|issuer| issuer.starts_with(PUBLIC_ORIGIN))
        {
            self.reader.wrong(
                &node.path_of("name"),
                "an issuer of several hosts has no host to be named after",
                "give it a name",
            );
        }
        let named = Named {
            id,
            name,
            issuer: issuer.clone().unwrap_or_default(),
            audience: node.texts("audience").unwrap_or_default(),
            jwks_url: node.text("jwks_url").map(str::to_owned),
            public_hosts: self.public_hosts(node),
        };
        let read = self.token_issuer(node, named);
        if !node.has("jwks_url") && !node.has("jwks") {
            self.reader.wrong(
                &node.path_of("jwks_url"),
                "there are no keys",
                "give a \"jwks_url\", or \"jwks\" with keys in it",
            );
        }
        issuer.map(|_| read)
    }

    /// What issuers of both types have in common: their JWTs.
    pub(super) fn token_issuer(&mut self, node: &Node<'_>, named: Named) -> Issuer {
        let Named { id, name, issuer, audience, jwks_url, public_hosts } = named;
        if jwks_url.as_ref().is_some_and(|url| !is_fetchable(url)) {
            self.reader.wrong(
                &node.path_of("jwks_url"),
                "this is not an https URL",
                "use https; http is for loopback addresses only",
            );
        }
        let typ = node.texts("typ").unwrap_or_else(|| vec!["JWT".to_owned()]);
        let expectations = Expectations {
            issuer,
            audience,
            audience_may_be_empty: node.flag("audience_may_be_empty"),
            authorized_parties: node.texts("authorized_parties").unwrap_or_default(),
            party_may_be_absent: node.flag("party_may_be_absent"),
            subject: node.texts("subject_claim").unwrap_or_else(|| vec!["sub".to_owned()]),
            typ_may_be_absent: typ.iter().any(|typ| typ.eq_ignore_ascii_case("JWT")),
            typ,
            skew: Seconds::new(node.number(&JWT_ISSUER, "clock_tolerance_seconds")),
            max_age: node.optional_number("max_age_seconds").map(Seconds::new),
            required: node.texts("required_claims").unwrap_or_default(),
        };
        self.addressees(node, &expectations);
        self.public_names(node, &expectations, &public_hosts);
        let subject = &expectations.subject;
        if subject.is_empty() || subject.iter().any(String::is_empty) {
            self.reader.wrong(
                &node.path_of("subject_claim"),
                "a name is empty",
                "write \"sub\", or [\"sub\", \"common_name\"]",
            );
        }
        let places = self.places(node, &expectations.issuer);
        Issuer {
            id,
            name,
            expectations,
            public_hosts,
            algorithms: self.algorithms(node),
            inline_keys: self.inline_keys(node),
            jwks_url,
            places,
        }
    }

    /// `{public_origin}` stands at the beginning, and there are hosts that it may stand for.
    fn public_names(&mut self, node: &Node<'_>, expected: &Expectations, public_hosts: &[String]) {
        let issuer = &expected.issuer;
        if is_broken(issuer) {
            self.reader.wrong(
                &node.path_of("issuer"),
                "this begins like a URL and is none",
                "write the exact \"iss\" of its tokens",
            );
        }
        for (member, text) in [("issuer", issuer)]
            .into_iter()
            .chain(expected.audience.iter().map(|text| ("audience", text)))
        {
            if text.contains(PUBLIC_ORIGIN)
                && (public_hosts.is_empty() || text.rfind(PUBLIC_ORIGIN) != Some(0))
            {
                let hint = "write it at the beginning, and the hosts that it may stand for in \
                    \"public_hosts\"";
                self.reader.wrong(
                    &node.path_of(member),
                    "{public_origin} stands for nothing here",
                    hint,
                );
            }
        }
        if !public_hosts.is_empty() && !issuer.starts_with(PUBLIC_ORIGIN) {
            let hint = "begin it with {public_origin}, or leave \"public_hosts\" out";
            self.reader.wrong(
                &node.path_of("issuer"),
                "this is the same \"iss\" at every host",
                hint,
            );
        }
    }

    /// The origins at which an issuer speaks in the name of each. What the platform says of the
    /// request picks one; nothing that a client writes does.
    pub(super) fn public_hosts(&mut self, node: &Node<'_>) -> Vec<String> {
        let Some(hosts) = node.texts("public_hosts") else { return Vec::new() };
        let read: Vec<String> = hosts.iter().filter_map(|host| public_host(host)).collect();
        if hosts.is_empty() || read.len() < hosts.len() {
            self.reader.wrong(
                &node.path_of("public_hosts"),
                "this is not a host of this site",
                "write it like app.example.com, or with one star in the first of three labels or \
                 more, like preview-*.example.com; https, except loopback",
            );
        }
        read
    }

    /// Whom the tokens are for: that is given up for each part by itself, and in words.
    fn addressees(&mut self, node: &Node<'_>, expected: &Expectations) {
        let (audience, parties) = (&expected.audience, &expected.authorized_parties);
        // Clerk's and Cognito's tokens have no `aud`, and name the application that they were
        // issued for. Older ones of WorkOS name no audience.
        let names_somebody = !parties.is_empty() || expected.party_may_be_absent;
        if audience.is_empty() && !node.is_null("audience") {
            self.reader.wrong(
                &node.path_of("audience"),
                "no audience is accepted",
                "name the audience of your API, so that a token for another service never \
                 passes; for tokens without \"aud\" write null and name \"authorized_parties\"",
            );
        } else if audience.is_empty() && !names_somebody {
            self.reader.wrong(
                &node.path_of("audience"),
                "neither an audience nor a party is accepted, so tokens for any service would pass",
                "name in \"authorized_parties\" whom the tokens are issued for (their \"azp\" or \
                 \"client_id\"); where they name none, and the key set is this application's \
                 alone, write \"party_may_be_absent\": true",
            );
        }
        if expected.party_may_be_absent && parties.is_empty() && !audience.is_empty() {
            self.reader.wrong(
                &node.path_of("party_may_be_absent"),
                "no party is asked for, and so none can be missing",
                "leave it out, or name \"authorized_parties\"",
            );
        }
        if expected.audience_may_be_empty && !audience.is_empty() {
            self.reader.wrong(
                &node.path_of("audience_may_be_empty"),
                "an empty \"aud\" contains none of these audiences",
                "leave it out, or write \"audience\": null for tokens that name none",
            );
        }
    }

    fn inline_keys(&mut self, node: &Node<'_>) -> JwkSet {
        let Some(member) = node.member("jwks") else {
            return JwkSet::default();
        };
        let set = match member.value {
            Value::String(text) => JwkSet::parse(text.as_bytes()),
            value => JwkSet::from_value(&value.into()),
        };
        let Some(set) = set else {
            self.reader.wrong(
                &member.path,
                "this is not a key set",
                "write {\"keys\": [ … ]} as in RFC 7517",
            );
            return JwkSet::default();
        };
        if set.skipped() > 0 {
            let named = |odd: &LeftOut| {
                [odd.kid.as_deref().unwrap_or("(no kid)"), ": ", odd.rule.name()].concat()
            };
            let odd: Vec<String> = set.left_out().iter().map(named).collect();
            self.reader.wrong(
                &member.path,
                format!("a key of the set is unusable ({})", odd.join(", ")),
                "give public signature keys only: RSA of 2048 to 8192 bits, P-256, P-384, P-521 \
                 or Ed25519; docs/strictness.md has the rules",
            );
        }
        set
    }

    fn algorithms(&mut self, node: &Node<'_>) -> Vec<Algorithm> {
        let available = |algorithm: &Algorithm| {
            verify::can_check(*algorithm, self.capabilities.checks(*algorithm))
        };
        let Some(names) = node.texts("algorithms") else {
            return Algorithm::all().filter(available).collect();
        };
        let mut algorithms = Vec::new();
        for name in &names {
            match Algorithm::from_name(name) {
                Some(algorithm) if available(&algorithm) => algorithms.push(algorithm),
                Some(_) => self.reader.wrong(
                    &node.path_of("algorithms"),
                    format!("this host cannot check {name}"),
                    "leave it out, or use a host that can check it",
                ),
                None => {
                    let known: Vec<&str> = Algorithm::all().map(Algorithm::name).collect();
                    self.reader.wrong(
                        &node.path_of("algorithms"),
                        "this is not the name of a public-key algorithm",
                        format!("known: {}", known.join(", ")),
                    );
                }
            }
        }
        algorithms
    }

    fn places(&mut self, node: &Node<'_>, issuer: &str) -> Vec<TokenLocation> {
        let Some(names) = node.texts("token_locations") else {
            return vec![TokenLocation::Authorization];
        };
        let mut places = Vec::new();
        for name in &names {
            match name.split_once(':') {
                None if name == "authorization" => places.push(TokenLocation::Authorization),
                None if name == "supabase-cookie" => {
                    places.push(TokenLocation::SupabaseCookie(supabase_cookie(issuer)))
                }
                Some(("cookie", name)) if is_token(name) => {
                    places.push(TokenLocation::Cookie(name.to_owned()))
                }
                Some(("supabase-cookie", name)) if is_token(name) => {
                    places.push(TokenLocation::SupabaseCookie(name.to_owned()))
                }
                Some(("header", name)) if is_token(name) => {
                    places.push(TokenLocation::Header(name.to_ascii_lowercase()))
                }
                _ => self.reader.wrong(
                    &node.path_of("token_locations"),
                    "this is not a place of a request",
                    "write authorization, cookie:<name>, header:<name>, supabase-cookie or \
                     supabase-cookie:<name>",
                ),
            }
        }
        places
    }
}

/// What supabase-js calls the cookie of a project, after the first label of its host.
fn supabase_cookie(issuer: &str) -> String {
    let host = host_of(issuer);
    ["sb-", host.split(['.', ':']).next().unwrap_or_default(), "-auth-token"].concat()
}

/// The origin that this host stands for, with its star.
fn public_host(host: &str) -> Option<String> {
    let written = if host.contains("://") { host.to_owned() } else { ["https://", host].concat() };
    let Some((before, behind)) = written.split_once('*') else {
        return as_origin(&written).filter(|origin| is_fetchable(origin));
    };
    // A star in a label of its own stands for no label of somebody else's: two more have to follow.
    let is_first_label = !behind.contains('*') && !before.split_once("://")?.1.contains('.');
    let following = behind.split_once('.')?.1;
    let (before, behind) = (before.to_ascii_lowercase(), behind.to_ascii_lowercase());
    let origin = as_origin(&[before.as_str(), "x", &behind].concat())
        .filter(|origin| origin.starts_with("https://"))?;
    let (before, behind) =
        (origin.get(..before.len())?, origin.get(before.len().checked_add(1)?..)?);
    (is_first_label && following.contains('.')).then(|| [before, "*", behind].concat())
}

/// The base path of the first Better Auth service.
pub(super) fn auth_path(root: &Node<'_>) -> Option<String> {
    root.items("issuers")
        .iter()
        .find(|node| node.text("type") == Some("better-auth"))
        .map(base_path_of)
}

/// The path of a Better Auth service: `base_path`, else the path in its URL, else Better Auth's
/// default.
pub(super) fn base_path_of(node: &Node<'_>) -> String {
    let of_url = node
        .text("url")
        .and_then(Url::read)
        .map(|url| url.rest.trim_end_matches('/'))
        .filter(|path| !path.is_empty());
    node.text("base_path").or(of_url).unwrap_or("/api/auth").trim_end_matches('/').to_owned()
}
