//! `issuers`: whom the gate believes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Compiler;
use super::reader::{Node, Reader};
use super::url::{Url, as_origin, host_of, is_broken, is_fetchable, is_token, origin_of};
use crate::better_auth::session_data::Strategy;
use crate::http::path;
use crate::jose::alg::Algorithm;
use crate::jose::claims::{Expectations, PUBLIC_ORIGIN};
use crate::jose::jwk::{JwkSet, LeftOut};
use crate::jose::verify::{self, Secret};
use crate::policy::{
    AS_OF_PURPOSE, Bearer, BetterAuth, CookieCache, CookieNames, Issuer, Secrets, TokenLocation,
};
use crate::time::Seconds;

/// Published with Better Auth: whoever reads the documentation could sign in as anybody.
const PUBLISHED_SECRETS: [&str; 2] =
    ["better-auth-secret-12345678901234567890", "better-auth-secret-123456789"];
/// A shorter secret can be guessed.
const MIN_SECRET_BYTES: usize = 16;
/// Who was signed out an hour ago is out.
const MAX_STALE_SECONDS: u32 = 3600;
/// One minute of the five that Better Auth's cookie cache lives: whoever looks at a page a minute
/// never meets its end.
const RENEW_PERCENT: u32 = 20;
/// With more, most requests would be asked about.
const MAX_RENEW_PERCENT: u32 = 80;
/// The audience of Better Auth's session tokens that are signed by its key set.
const SESSION_CACHE_AUDIENCE: &str = "better-auth:session-cache";
/// Their `typ`.
const SESSION_CACHE_TYPE: &str = "better-auth.session-cache+jwt";

const BETTER_AUTH_MEMBERS: &[&str] = &[
    "type",
    "name",
    "url",
    "base_path",
    "fetch_url",
    "secret",
    "secrets",
    "cookie_prefix",
    "secure_cookies",
    "session_token_cookie",
    "session_data_cookie",
    "cookie_domain",
    "cookie_cache",
    "cookie_cache_version",
    "bearer",
    "session_cache_seconds",
    "share_sessions",
    "stale_seconds",
    "renew_percent",
    "stateless",
    "storage",
];
const TOKEN_MEMBERS: &[&str] = &[
    "issuer",
    "audience",
    "audience_may_be_empty",
    "authorized_parties",
    "party_may_be_absent",
    "subject_claim",
    "public_hosts",
    "jwks_url",
    "jwks",
    "algorithms",
    "typ",
    "skew_seconds",
    "max_age_seconds",
    "required_claims",
    "from",
];

impl Compiler<'_> {
    pub(super) fn issuers(&mut self, root: &Node<'_>) -> Vec<Issuer> {
        let nodes = root.member("issuers").map(|list| list.items()).unwrap_or_default();
        if nodes.is_empty() {
            self.reader.wrong("issuers", "nobody is believed", "name at least one issuer");
        }
        let mut issuers: Vec<Issuer> = Vec::new();
        for node in &nodes {
            let issuer = match node.value.get("type").and_then(Value::as_str) {
                Some("better-auth") => self.better_auth_issuer(node),
                Some("jwt") => self.jwt_issuer(node),
                _ => {
                    self.reader.wrong(
                        &node.path_of("type"),
                        "this is not a kind of issuer",
                        "write \"better-auth\" or \"jwt\"",
                    );
                    None
                }
            };
            let Some(issuer) = issuer else { continue };
            if issuers.iter().any(|other| other.name == issuer.name) {
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
            if issuers.iter().any(|other| {
                other.expectations.issuer == issuer.expectations.issuer && shares_audience(other)
            }) {
                self.reader.wrong(
                    &node.path_of("audience"),
                    "another issuer has the same \"iss\" and one of these audiences",
                    "make one issuer of the two, or give each an audience of its own",
                );
            }
            issuers.push(issuer);
        }
        issuers
    }

    fn jwt_issuer(&mut self, node: &Node<'_>) -> Option<Issuer> {
        self.reader.only_members(node, &[&["type", "name"], TOKEN_MEMBERS].concat());
        let issuer = self.reader.required_text(
            node,
            "issuer",
            "the issuer is missing",
            "write the exact \"iss\" of its tokens",
        );
        let audience = self.reader.texts(node, "audience").unwrap_or_default();
        let jwks_url = self.reader.optional_text(node, "jwks_url");
        let name = self.reader.optional_text(node, "name");
        let name = name.unwrap_or_else(|| issuer.as_deref().map(host_of).unwrap_or_default());
        if node.member("name").is_none()
            && issuer.as_ref().is_some_and(|issuer| issuer.starts_with(PUBLIC_ORIGIN))
        {
            self.reader.wrong(
                &node.path_of("name"),
                "an issuer of several hosts has no host to be named after",
                "give it a name",
            );
        }
        let public_hosts = self.public_hosts(node);
        let read = self.token_issuer(
            node,
            name,
            issuer.clone().unwrap_or_default(),
            audience,
            jwks_url,
            public_hosts,
        );
        let has_set = node.member("jwks").is_some_and(|member| !member.value.is_null());
        if read.jwks_url.is_none() && !has_set {
            self.reader.wrong(
                &node.path_of("jwks_url"),
                "there are no keys",
                "give a \"jwks_url\", or \"jwks\" with keys in it",
            );
        }
        issuer.map(|_| read)
    }

    /// What issuers of both kinds have in common: their JWTs.
    fn token_issuer(
        &mut self,
        node: &Node<'_>,
        name: String,
        issuer: String,
        audience: Vec<String>,
        jwks_url: Option<String>,
        public_hosts: Vec<String>,
    ) -> Issuer {
        if let Some(url) = &jwks_url
            && !is_fetchable(url)
        {
            self.reader.wrong(
                &node.path_of("jwks_url"),
                "this is not an https URL",
                "use https; http is for loopback addresses only",
            );
        }
        let authorized_parties = self.reader.texts(node, "authorized_parties").unwrap_or_default();
        let party_may_be_absent = self.reader.flag(node, "party_may_be_absent") == Some(true);
        let audience_may_be_empty = self.reader.flag(node, "audience_may_be_empty") == Some(true);
        let audience_is_null = node.member("audience").is_some_and(|member| member.value.is_null());
        self.addressees(
            node,
            &audience,
            audience_is_null,
            &authorized_parties,
            party_may_be_absent,
            audience_may_be_empty,
        );
        let subject =
            self.reader.texts(node, "subject_claim").unwrap_or_else(|| vec!["sub".to_owned()]);
        if subject.is_empty() || subject.iter().any(String::is_empty) {
            self.reader.wrong(
                &node.path_of("subject_claim"),
                "a name is empty",
                "write \"sub\", or [\"sub\", \"common_name\"]",
            );
        }
        if is_broken(&issuer) {
            self.reader.wrong(
                &node.path_of("issuer"),
                "this begins like a URL and is none",
                "write the exact \"iss\" of its tokens",
            );
        }
        let inline_keys = self.inline_keys(node);
        let typ = self.reader.texts(node, "typ").unwrap_or_else(|| vec!["JWT".to_owned()]);
        for (member, text) in
            [("issuer", &issuer)].into_iter().chain(audience.iter().map(|text| ("audience", text)))
        {
            if text.contains(PUBLIC_ORIGIN)
                && (public_hosts.is_empty() || text.rfind(PUBLIC_ORIGIN) != Some(0))
            {
                let hint = "write it at the beginning, and the hosts that it may stand for in \"public_hosts\"";
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
        let expectations = Expectations {
            issuer,
            audience,
            audience_may_be_empty,
            authorized_parties,
            party_may_be_absent,
            subject,
            typ_may_be_absent: typ.iter().any(|typ| typ.eq_ignore_ascii_case("JWT")),
            typ,
            skew: self.reader.seconds(node, "skew_seconds", 60).unwrap_or(Seconds::new(5)),
            max_age: self.reader.seconds(node, "max_age_seconds", u32::MAX),
            required: self.reader.texts(node, "required_claims").unwrap_or_default(),
        };
        let algorithms = self.algorithms(node);
        let places = self.places(node);
        Issuer {
            name,
            expectations,
            public_hosts,
            algorithms,
            inline_keys,
            jwks_url,
            places,
            better_auth: None,
        }
    }

    /// The origins at which an issuer speaks in the name of each. What the platform says of the
    /// request picks one; nothing that a client writes does.
    fn public_hosts(&mut self, node: &Node<'_>) -> Vec<String> {
        let Some(hosts) = self.reader.texts(node, "public_hosts") else { return Vec::new() };
        let read: Vec<String> = hosts.iter().filter_map(|host| public_host(host)).collect();
        if hosts.is_empty() || read.len() < hosts.len() {
            self.reader.wrong(
                &node.path_of("public_hosts"),
                "this is not a host of this site",
                "write it like app.example.com, or with one star in the first of three labels or more, like preview-*.example.com; https, except loopback",
            );
        }
        read
    }

    /// Whom the tokens are for: that is given up for each part by itself, and in words.
    fn addressees(
        &mut self,
        node: &Node<'_>,
        audience: &[String],
        audience_is_null: bool,
        parties: &[String],
        party_may_be_absent: bool,
        audience_may_be_empty: bool,
    ) {
        // Clerk's and Cognito's tokens have no `aud`, and name the application that they were
        // issued for. Older ones of WorkOS name nobody.
        let names_somebody = !parties.is_empty() || party_may_be_absent;
        if audience.is_empty() && !audience_is_null {
            self.reader.wrong(
                &node.path_of("audience"),
                "no audience is accepted",
                "name the audience of your API, so that a token for another service never passes; for tokens without \"aud\" write null and name \"authorized_parties\"",
            );
        } else if audience.is_empty() && !names_somebody {
            self.reader.wrong(
                &node.path_of("audience"),
                "neither an audience nor a party is accepted, so tokens for any service would pass",
                "name in \"authorized_parties\" whom the tokens are issued for (their \"azp\" or \"client_id\"); where they name nobody, and the key set is this application's alone, write \"party_may_be_absent\": true",
            );
        }
        if party_may_be_absent && parties.is_empty() && !audience.is_empty() {
            self.reader.wrong(
                &node.path_of("party_may_be_absent"),
                "no party is asked for, and so none can be missing",
                "leave it out, or name \"authorized_parties\"",
            );
        }
        if audience_may_be_empty && !audience.is_empty() {
            self.reader.wrong(
                &node.path_of("audience_may_be_empty"),
                "an empty \"aud\" contains none of these audiences",
                "leave it out, or write \"audience\": null for tokens that name none",
            );
        }
    }

    fn better_auth_issuer(&mut self, node: &Node<'_>) -> Option<Issuer> {
        self.reader.only_members(node, &[BETTER_AUTH_MEMBERS, TOKEN_MEMBERS].concat());
        let url = self.reader.required_text(
            node,
            "url",
            "the URL of the auth service is missing",
            "write its public URL",
        );
        let url_origin = url.and_then(|url| self.fetchable_origin(node, "url", &url));
        // Without it the rest is read all the same, for what else is wrong.
        let public_origin = url_origin.clone().unwrap_or_else(|| "https://localhost".to_owned());
        // Read for what is wrong with it, here; `base_path_of` keeps that to itself.
        let own_path = self.reader.optional_text(node, "base_path");
        let base_path = base_path_of(node, self.reader.values);
        let base_segments = path::plain_segments(&base_path).unwrap_or_default();
        // The root is written, never meant by leaving something out.
        if base_segments.is_empty() && own_path.as_deref() != Some("/") {
            let member = if own_path.is_some() { "base_path" } else { "url" };
            let hint = "write it like /api/auth, or \"base_path\": \"/\" where the service answers at the root of its host";
            self.reader.wrong(&node.path_of(member), "this has not a plain path", hint);
        }
        let fetch_url = self.reader.optional_text(node, "fetch_url");
        let fetch_origin = fetch_url.and_then(|url| self.fetchable_origin(node, "fetch_url", &url));
        let fetch_origin = fetch_origin.unwrap_or_else(|| public_origin.clone());
        let service = [fetch_origin.as_str(), base_path.as_str()].concat();
        let jwks_url = match node.member("jwks_url") {
            Some(member) if member.value.is_null() => None,
            _ => Some(
                self.reader
                    .optional_text(node, "jwks_url")
                    .unwrap_or_else(|| [service.as_str(), "/jwks"].concat()),
            ),
        };
        let mut public_hosts = self.public_hosts(node);
        if !public_hosts.is_empty() {
            public_hosts.push(public_origin.clone());
        }
        let own_name =
            if !public_hosts.is_empty() { PUBLIC_ORIGIN.to_owned() } else { public_origin.clone() };
        let issuer = self.reader.optional_text(node, "issuer").unwrap_or_else(|| own_name.clone());
        let audience =
            self.reader.texts(node, "audience").unwrap_or_else(|| vec![own_name.clone()]);
        let name =
            self.reader.optional_text(node, "name").unwrap_or_else(|| "better-auth".to_owned());
        let mut issuer = self.token_issuer(node, name, issuer, audience, jwks_url, public_hosts);
        let is_stateless = self.reader.flag(node, "stateless") == Some(true);
        let secrets = self.secrets(node);
        issuer.better_auth = Some(BetterAuth {
            storage: self.storage(node, &secrets),
            secrets,
            cookies: self.cookies(node, &public_origin),
            cookie_domain: self.cookie_domain(node),
            cookie_cache: self.cookie_cache(node),
            version: match node.member("cookie_cache_version") {
                None => Some("1".to_owned()),
                Some(member) if member.value.is_null() => None,
                Some(member) => self.reader.text(&member),
            },
            bearer: self
                .reader
                .word(
                    node,
                    "bearer",
                    &[("off", Bearer::Off), ("signed", Bearer::Signed), ("any", Bearer::Any)],
                )
                .unwrap_or(Bearer::Off),
            // With a live cache a service that has a store would answer from the cache, and renew
            // nothing. Without a store the cache is all there is.
            get_session_url: if is_stateless {
                [service.as_str(), "/get-session"].concat()
            } else {
                [service.as_str(), "/get-session?disableCookieCache=true"].concat()
            },
            token_url: [service.as_str(), "/token"].concat(),
            is_stateless,
            session_cache: self
                .reader
                .seconds(node, "session_cache_seconds", 30)
                .unwrap_or(Seconds::new(10)),
            shares_sessions: self.reader.flag(node, "share_sessions") == Some(true),
            stale: self
                .reader
                .seconds(node, "stale_seconds", MAX_STALE_SECONDS)
                .unwrap_or_default(),
            renew_percent: self
                .reader
                .number(node, "renew_percent", 0, MAX_RENEW_PERCENT)
                .unwrap_or(RENEW_PERCENT),
            base_segments,
            origin: public_origin.clone(),
            fetch_origin,
            cache_expectations: Expectations {
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
            },
        });
        self.unusual(node, &issuer, &service);
        url_origin.map(|_| issuer)
    }

    /// What Better Auth does only if it is told to: more often it is another environment's.
    fn unusual(&mut self, node: &Node<'_>, issuer: &Issuer, asked_at: &str) {
        let Some(service) = &issuer.better_auth else { return };
        // That of the session tokens is always the service's own origin.
        let origin = &service.origin;
        if issuer.expectations.issuer != service.cache_expectations.issuer {
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
        if issuer
            .jwks_url
            .iter()
            .any(|url| ![public.as_str(), asked_at].iter().any(|base| is_below(url, base)))
        {
            let problem = "this is not below the URL of the auth service";
            let hint = format!(
                "Better Auth publishes its keys at {path}/jwks, unless its jwt plugin has another place for them"
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

    fn inline_keys(&mut self, node: &Node<'_>) -> JwkSet {
        let Some(member) = node.member("jwks").filter(|member| !member.value.is_null()) else {
            return JwkSet::default();
        };
        let set = match member.value {
            // A variable may hold the whole set as JSON.
            Value::Object(members) if members.contains_key("env") => {
                self.reader.text(&member).and_then(|text| JwkSet::parse(text.as_bytes()))
            }
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
                "give public signature keys only: RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519; docs/strictness.md has the rules",
            );
        }
        set
    }

    fn algorithms(&mut self, node: &Node<'_>) -> Vec<Algorithm> {
        let available = |algorithm: &Algorithm| verify::can_check(*algorithm, self.capabilities);
        let Some(names) = self.reader.texts(node, "algorithms") else {
            return Algorithm::all().filter(available).collect();
        };
        let mut algorithms = Vec::new();
        for name in &names {
            match Algorithm::from_name(name) {
                Some(algorithm) if available(&algorithm) => algorithms.push(algorithm),
                Some(_) => self.reader.wrong(
                    &node.path_of("algorithms"),
                    format!("this host cannot check {name}"),
                    "leave it out, or use a host with WebCrypto",
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

    fn places(&mut self, node: &Node<'_>) -> Vec<TokenLocation> {
        let Some(names) = self.reader.texts(node, "from") else {
            return vec![TokenLocation::Authorization];
        };
        let mut places = Vec::new();
        for name in &names {
            match name.split_once(':') {
                None if name == "authorization" => places.push(TokenLocation::Authorization),
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
                    &node.path_of("from"),
                    "this is not a place of a request",
                    "write authorization, cookie:<name>, header:<name> or supabase-cookie:<name>",
                ),
            }
        }
        places
    }

    fn secrets(&mut self, node: &Node<'_>) -> Secrets {
        let errors_before = self.reader.errors.len();
        let mut secrets = self.named_secrets(node);
        secrets.as_of = secrets.current.as_ref().and_then(|secret| secret.derived(AS_OF_PURPOSE));
        let is_named = ["secret", "secrets"]
            .iter()
            .any(|name| node.member(name).is_some_and(|member| !member.value.is_null()));
        if is_named && secrets.current.is_none() && self.reader.errors.len() == errors_before {
            let hint = "set BETTER_AUTH_SECRET (or the variable that you named); to go without a secret, leave \"secret\" and \"secrets\" out";
            self.reader.wrong(
                &node.path_of("secret"),
                "none of the variables that may hold the secret is set",
                hint,
            );
        }
        secrets
    }

    fn named_secrets(&mut self, node: &Node<'_>) -> Secrets {
        let single = self.secret_text(node, "secret");
        let Some(list) = self.secret_text(node, "secrets") else {
            return Secrets {
                current: self.secret(node, "secret", single.as_deref()),
                ..Secrets::default()
            };
        };
        // Better Auth's form `2:new,1:old`: the first entry is current, whatever its number.
        let entries: Vec<&str> =
            list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        let mut secrets: Vec<Secret> = Vec::new();
        for entry in &entries {
            match entry.split_once(':') {
                Some((version, secret))
                    if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    secrets.extend(self.secret(node, "secrets", Some(secret.trim())));
                }
                _ => self.reader.wrong(
                    &node.path_of("secrets"),
                    "an entry has no version",
                    "write it like 2:newest-secret,1:older-secret",
                ),
            }
        }
        // Better Auth wants the first secret of all kept beside the list: there it is the oldest
        // entry once more.
        let single = self
            .secret(node, "secret", single.as_deref())
            .filter(|single| !secrets.iter().any(|own| own.equals(single)));
        secrets.extend(single);
        let mut secrets = secrets.into_iter();
        Secrets { current: secrets.next(), retired: secrets.collect(), as_of: None }
    }

    /// Secrets are named, never written.
    fn secret_text(&mut self, node: &Node<'_>, name: &str) -> Option<String> {
        let member = node.member(name).filter(|member| !member.value.is_null())?;
        self.secret_value(&member)
    }

    /// The value of the variable that is named here.
    pub(super) fn secret_value(&mut self, member: &Node<'_>) -> Option<String> {
        if member.value.is_object() {
            return self.reader.variable(member);
        }
        self.reader.wrong(
            &member.path,
            "a secret is written in the configuration",
            "put it into the environment and write {\"env\": \"NAME\"} here",
        );
        None
    }

    fn secret(&mut self, node: &Node<'_>, name: &str, secret: Option<&str>) -> Option<Secret> {
        let secret = secret?;
        if PUBLISHED_SECRETS.contains(&secret) {
            self.reader.wrong(
                &node.path_of(name),
                "this is Better Auth's published default secret",
                "make one of your own: openssl rand -base64 32",
            );
        } else if secret.len() < MIN_SECRET_BYTES {
            self.reader.wrong(
                &node.path_of(name),
                format!("the secret has fewer than {MIN_SECRET_BYTES} bytes"),
                "make a longer one: openssl rand -base64 32",
            );
        } else if secret.trim() != secret || secret.contains(['\r', '\n']) {
            self.reader.wrong(
                &node.path_of(name),
                "the secret has white space around it or a line end in it",
                "take it away: the auth service would have to have the very same, or no cookie verifies",
            );
        }
        let secret = Secret::new(secret);
        let longer = "make a longer one: openssl rand -base64 32";
        if secret.is_short() {
            self.reader.warn(&node.path_of(name), "the secret has fewer than 32 bytes", longer);
        } else if secret.is_monotonous() {
            self.reader.warn(
                &node.path_of(name),
                "the secret has few different characters",
                longer,
            );
        }
        Some(secret)
    }

    pub(super) fn equal_secrets(&mut self, issuers: &[Issuer]) {
        let services = issuers.iter().filter_map(|issuer| issuer.better_auth.as_ref());
        let secrets: Vec<&Secret> = services.flat_map(|service| service.secrets.all()).collect();
        let equal = secrets.iter().enumerate().any(|(place, one)| {
            secrets.iter().skip(place.saturating_add(1)).any(|other| one.equals(other))
        });
        if equal {
            self.reader.wrong(
                "issuers",
                "two configured secrets are equal",
                "give each service and each version a secret of its own",
            );
        }
    }

    fn cookies(&mut self, node: &Node<'_>, public_origin: &str) -> CookieNames {
        let secure = self
            .reader
            .flag(node, "secure_cookies")
            .unwrap_or_else(|| public_origin.starts_with("https://"));
        let prefix = self
            .reader
            .optional_text(node, "cookie_prefix")
            .unwrap_or_else(|| "better-auth".to_owned());
        let mut name_of = |member: Option<&str>, logical: &str| {
            let custom = member.and_then(|member| self.reader.optional_text(node, member));
            let name = custom.unwrap_or_else(|| [prefix.as_str(), ".", logical].concat());
            if !is_token(&name) {
                self.reader.wrong(
                    &node.path_of(member.unwrap_or("cookie_prefix")),
                    "this is not a cookie name",
                    "use letters, digits, dots and dashes",
                );
            }
            if secure { ["__Secure-", name.as_str()].concat() } else { name }
        };
        CookieNames {
            session_token: name_of(Some("session_token_cookie"), "session_token"),
            session_data: name_of(Some("session_data_cookie"), "session_data"),
            dont_remember: name_of(None, "dont_remember"),
            prefix,
        }
    }

    fn cookie_domain(&mut self, node: &Node<'_>) -> Option<String> {
        let domain = self.reader.optional_text(node, "cookie_domain")?;
        // Better Auth writes it as it is configured; a browser reads it with and without the dot in
        // the same way.
        let plain = domain.strip_prefix('.').unwrap_or(&domain);
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

    fn cookie_cache(&mut self, node: &Node<'_>) -> CookieCache {
        match self.reader.optional_text(node, "cookie_cache").as_deref() {
            None | Some("auto") => CookieCache::Auto,
            Some("off") => CookieCache::Off,
            Some(name) => Strategy::from_name(name).map_or_else(
                || {
                    self.reader.wrong(
                        &node.path_of("cookie_cache"),
                        "there is no such strategy",
                        "known: auto, off, compact, jwt, jwe, jwt-jwks",
                    );
                    CookieCache::Off
                },
                CookieCache::Only,
            ),
        }
    }
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

/// The path of a Better Auth service: `base_path`, else the path in its URL, else Better Auth's
/// default.
pub(super) fn base_path_of(node: &Node<'_>, values: &BTreeMap<String, String>) -> String {
    let mut quiet = Reader::new(values);
    let of_url = quiet.optional_text(node, "url").and_then(|url| {
        Some(Url::read(&url)?.rest.trim_end_matches('/').to_owned()).filter(|path| !path.is_empty())
    });
    let path =
        quiet.optional_text(node, "base_path").or(of_url).unwrap_or_else(|| "/api/auth".to_owned());
    path.trim_end_matches('/').to_owned()
}
