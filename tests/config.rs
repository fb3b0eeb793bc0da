//! Wrong configurations: each mistake has its place, and all are told at once.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

use std::collections::BTreeMap;

use doorward::{Capabilities, Config, ConfigError, Policy};
use serde_json::{Value, json};

const GOOD_SECRET: &str = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";

fn compile(document: &Value, values: &[(&str, &str)]) -> Result<Policy, Vec<ConfigError>> {
    let values: BTreeMap<String, String> =
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::parse(&document.to_string())?.compile(&values, &Capabilities::none())
}

fn good() -> Value {
    json!({
        "issuers": [{ "type": "better-auth", "url": "https://example.com", "secret": { "env": "SECRET" } }],
        "rules": [{ "path": "/**", "access": "required" }],
    })
}

/// The good document with one value replaced (or added) at a JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = good();
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_else(|| panic!("{pointer}"));
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match name.parse::<usize>() {
        Ok(number) if parent.get(number).is_none() => {
            parent.as_array_mut().into_iter().for_each(|list| list.push(value.clone()))
        }
        Ok(number) => parent[number] = value,
        Err(_) => parent[name] = value,
    }
    document
}

/// A rule per path and access.
fn rules(list: Value) -> Value {
    good().with_rules(list)
}

trait With {
    fn with_rules(self, list: Value) -> Value;
    fn with_next(self, base_path: &str) -> Value;
    fn with_methods(self, methods: Value) -> Value;
    fn with_rule(self, members: Value) -> Value;
}

impl With for Value {
    fn with_rules(mut self, list: Value) -> Value {
        let rule = |rule: &Self| json!({ "path": rule[0], "access": rule[1] });
        self["rules"] = list.as_array().into_iter().flatten().map(rule).collect();
        self
    }

    fn with_rule(mut self, members: Value) -> Value {
        self["rules"] = ruled(members)["rules"].clone();
        self
    }

    fn with_next(mut self, base_path: &str) -> Value {
        self["framework"] = json!({ "name": "next", "base_path": base_path });
        self
    }

    fn with_methods(mut self, methods: Value) -> Value {
        self["rules"][0]["methods"] = methods;
        self
    }
}

/// The good document in front of a framework, of which more than its name is known.
fn with_framework(name: &str, member: &str, value: Value) -> Value {
    let mut framework = json!({ "name": name });
    framework[member] = value;
    with("/framework", framework)
}

/// The good document with members of its only rule.
fn ruled(members: Value) -> Value {
    let mut document = good();
    document["rules"][0]
        .as_object_mut()
        .into_iter()
        .for_each(|rule| rule.extend(members.as_object().cloned().unwrap_or_default()));
    document
}

/// An issuer whose tokens have no `aud`.
fn without_audience(members: Value) -> Value {
    let mut issuer = json!({ "type": "jwt", "issuer": "https://clerk.example", "audience": null, "jwks_url": "https://clerk.example/jwks" });
    issuer
        .as_object_mut()
        .into_iter()
        .for_each(|own| own.extend(members.as_object().cloned().unwrap_or_default()));
    issuer
}

/// An auth service that answers at the root of its host, and a rule.
fn at_root(path: Value, access: &str) -> Value {
    let mut document = with("/issuers/0/base_path", json!("/"));
    document["rules"] =
        json!([{ "path": path, "access": access }, { "path": "/**", "access": "required" }]);
    document
}

/// An issuer with this key set, and no other.
fn without_keys(jwks: Value) -> Value {
    json!({ "type": "jwt", "issuer": "https://a.example", "audience": "a", "jwks": jwks })
}

/// An auth service with several hosts.
fn with_hosts(members: Value) -> Value {
    let mut document = with("/issuers/0/public_hosts", json!(["one.example.com"]));
    document["issuers"][0]
        .as_object_mut()
        .into_iter()
        .for_each(|own| own.extend(members.as_object().cloned().unwrap_or_default()));
    document
}

/// A bridge over this issuer.
fn with_bridge(issuer: Value) -> Value {
    let mut document = ruled(json!({ "bearer": "bridge", "upstream": "https://api.example.com" }));
    document["issuers"] = json!([issuer]);
    document
}

fn reporting(until: &str) -> Value {
    ruled(json!({ "mode": "report", "report_until": until }))
}

fn public(mut members: Value) -> Value {
    members["access"] = json!("public");
    ruled(members)
}

/// The good document with an assertion by a shared secret, some of its members replaced.
fn assertion(members: Value) -> Value {
    let mut assertion = json!({ "audience": "billing", "secret": { "env": "LONG" } });
    assertion
        .as_object_mut()
        .into_iter()
        .for_each(|own| own.extend(members.as_object().cloned().unwrap_or_default()));
    with("/assertion", assertion)
}

fn with_keys(names: &[&str]) -> Value {
    assertion(
        json!({ "secret": null, "keys": names.iter().map(|name| json!({ "env": name })).collect::<Value>() }),
    )
}

// Of RFC 8037 appendix A.1, RFC 7515 appendix A.3, and made for this.
const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const KEY_2: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

#[test]
fn a_good_document_is_a_policy() {
    assert!(compile(&good(), &[("SECRET", GOOD_SECRET)]).is_ok());
}

#[test]
fn a_party_can_stand_in_for_an_audience() {
    let document = with(
        "/issuers/1",
        without_audience(json!({ "authorized_parties": "https://app.example" })),
    );
    assert!(compile(&document, &[("SECRET", GOOD_SECRET)]).is_ok());
}

/// Better Auth wants `BETTER_AUTH_SECRET` kept when `BETTER_AUTH_SECRETS` comes beside it.
#[test]
fn the_secret_may_be_in_the_list_once_more() {
    let document = with("/issuers/0/secrets", json!({ "env": "LIST" }));
    let list = ["2:a-secret-of-its-own-that-is-long-enough,1:", GOOD_SECRET].concat();
    assert!(compile(&document, &[("SECRET", GOOD_SECRET), ("LIST", &list)]).is_ok());
}

#[test]
fn each_mistake_has_its_place() {
    let list = "https://ops.example/revoked.json";
    let long = "a-secret-of-its-own-that-is-long-enough";
    // The list goes first; this one opens encrypted cookies all the same.
    let behind_a_list = |name: &str| {
        let mut document = with("/issuers/0/secrets", json!({ "env": "ONE" }));
        document["issuers"][0]["secret"] = json!({ "env": name });
        document
    };
    let cases: Vec<(&str, Value, &str)> = vec![
        ("an unknown member", with("/isuers", json!([])), "isuers"),
        ("no issuers", with("/issuers", json!([])), "issuers"),
        ("an issuer of no kind", with("/issuers/0/type", json!("oidc")), "issuers[0].type"),
        (
            "a misspelt option",
            with("/issuers/0/cookie_prefx", json!("x")),
            "issuers[0].cookie_prefx",
        ),
        ("a URL without scheme", with("/issuers/0/url", json!("example.com")), "issuers[0].url"),
        (
            "a public URL over plain http",
            with("/issuers/0/url", json!("http://example.com")),
            "issuers[0].url",
        ),
        (
            "a URL with a dot segment",
            with("/issuers/0/url", json!("https://example.com/api/../auth")),
            "issuers[0].url",
        ),
        ("a URL of the wrong type", with("/issuers/0/url", json!(7)), "issuers[0].url"),
        (
            "plain http to another machine",
            with("/issuers/0/fetch_url", json!("http://auth.internal:3000")),
            "issuers[0].fetch_url",
        ),
        (
            "a loopback look-alike",
            with("/issuers/0/fetch_url", json!("http://127.evil.com.x")),
            "issuers[0].fetch_url",
        ),
        (
            "an auth service at the root by too many slashes",
            with("/issuers/0/base_path", json!("//")),
            "issuers[0].base_path",
        ),
        (
            "an auth service at nothing",
            with("/issuers/0/base_path", json!("")),
            "issuers[0].base_path",
        ),
        ("all of a root made public", at_root(json!("{auth}/**"), "public"), "rules[0].path"),
        (
            "a part of a root by the word for it",
            at_root(json!("{auth}/sign-in"), "public"),
            "rules[0].path",
        ),
        (
            "a key set over plain http",
            with("/issuers/0/jwks_url", json!("http://example.com/jwks")),
            "issuers[0].jwks_url",
        ),
        (
            "a base path with a dot segment",
            with("/issuers/0/base_path", json!("/api/../auth")),
            "issuers[0].base_path",
        ),
        ("a secret in the document", with("/issuers/0/secret", json!(long)), "issuers[0].secret"),
        (
            "a short secret",
            with("/issuers/0/secret", json!({ "env": "SHORT" })),
            "issuers[0].secret",
        ),
        (
            "a secret with a line end",
            with("/issuers/0/secret", json!({ "env": "LINE_END" })),
            "issuers[0].secret",
        ),
        (
            "a secret with a blank before it",
            with("/issuers/0/secret", json!({ "env": "BLANK" })),
            "issuers[0].secret",
        ),
        (
            "a secret of two lines",
            with("/issuers/0/secret", json!({ "env": "TWO_LINES" })),
            "issuers[0].secret",
        ),
        (
            "the published secret",
            with("/issuers/0/secret", json!({ "env": "PUBLISHED" })),
            "issuers[0].secret",
        ),
        (
            "versions without numbers",
            with("/issuers/0/secrets", json!({ "env": "LONG" })),
            "issuers[0].secrets",
        ),
        ("equal secrets", with("/issuers/0/secrets", json!({ "env": "TWICE" })), "issuers"),
        ("the published secret behind a list", behind_a_list("PUBLISHED"), "issuers[0].secret"),
        ("a short secret behind a list", behind_a_list("SHORT"), "issuers[0].secret"),
        (
            "a short secret in a list",
            with("/issuers/0/secrets", json!({ "env": "SHORT_LIST" })),
            "issuers[0].secrets",
        ),
        (
            "an unknown strategy",
            with("/issuers/0/cookie_cache", json!("jws")),
            "issuers[0].cookie_cache",
        ),
        (
            "an unknown algorithm",
            with("/issuers/0/algorithms", json!(["none"])),
            "issuers[0].algorithms",
        ),
        (
            "an algorithm that the host cannot check",
            with("/issuers/0/algorithms", json!(["RS256"])),
            "issuers[0].algorithms",
        ),
        ("too much skew", with("/issuers/0/skew_seconds", json!(61)), "issuers[0].skew_seconds"),
        (
            "a duration as text",
            with("/issuers/0/skew_seconds", json!("5")),
            "issuers[0].skew_seconds",
        ),
        (
            "a session cache that is too long",
            with("/issuers/0/session_cache_seconds", json!(31)),
            "issuers[0].session_cache_seconds",
        ),
        (
            "a key set that is none",
            with("/issuers/0/jwks", json!({ "kys": [] })),
            "issuers[0].jwks",
        ),
        (
            "a symmetric key in a key set",
            with("/issuers/0/jwks", json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })),
            "issuers[0].jwks",
        ),
        (
            "a place that is none",
            with("/issuers/0/from", json!(["query:token"])),
            "issuers[0].from",
        ),
        (
            "a flag as text",
            with("/issuers/0/secure_cookies", json!("true")),
            "issuers[0].secure_cookies",
        ),
        (
            "a cookie name with a blank",
            with("/issuers/0/session_token_cookie", json!("a b")),
            "issuers[0].session_token_cookie",
        ),
        ("no rules", with("/rules", json!([])), "rules"),
        ("a rule without access", with("/rules/0", json!({ "path": "/**" })), "rules[0].access"),
        ("an unknown access", with("/rules/0/access", json!("private")), "rules[0].access"),
        ("a rule without path", with("/rules/0", json!({ "access": "public" })), "rules[0].path"),
        ("a pattern that is relative", with("/rules/0/path", json!("app/**")), "rules[0].path"),
        (
            "a pattern with ** in the middle",
            with("/rules/0/path", json!("/a/**/b")),
            "rules[0].path",
        ),
        ("a pattern with half a star", with("/rules/0/path", json!("/a*")), "rules[0].path"),
        (
            "a pattern that no canonical path has",
            with("/rules/0/path", json!("/a//b")),
            "rules[0].path",
        ),
        ("a pattern with a dot segment", with("/rules/0/path", json!("/a/../b")), "rules[0].path"),
        (
            "any number of segments, as Next.js writes it",
            with("/rules/0/path", json!("/dashboard/:path*")),
            "rules[0].path",
        ),
        (
            "one or more segments",
            with("/rules/0/path", json!("/dashboard/:path+")),
            "rules[0].path",
        ),
        (
            "a name with more behind it",
            with("/rules/0/path", json!("/files/:name.pdf")),
            "rules[0].path",
        ),
        (
            "a name with a dash behind it",
            with("/rules/0/path", json!("/:from-:to")),
            "rules[0].path",
        ),
        ("a segment of Next.js", with("/rules/0/path", json!("/admin/[id]")), "rules[0].path"),
        ("the rest, of Next.js", with("/rules/0/path", json!("/admin/[...slug]")), "rules[0].path"),
        ("a group of Next.js", with("/rules/0/path", json!("/(app)/admin/**")), "rules[0].path"),
        ("a segment of FastAPI", with("/rules/0/path", json!("/admin/{id}")), "rules[0].path"),
        ("a segment of Flask", with("/rules/0/path", json!("/admin/<id>")), "rules[0].path"),
        ("{auth} and half a segment", with("/rules/0/path", json!("{auth}x/**")), "rules[0].path"),
        (
            "a pattern with the base path",
            with("/rules/0/path", json!("/docs/admin/**")).with_next("/docs"),
            "rules[0].path",
        ),
        ("every method by a star", good().with_methods(json!(["*"])), "rules[0].methods"),
        ("every method by a word", good().with_methods(json!("ALL")), "rules[0].methods"),
        ("no method", good().with_methods(json!([])), "rules[0].methods"),
        (
            "a public rule that opens the next one by a capital",
            with(
                "/rules",
                json!([{ "path": "/Admin/**", "access": "public" }, { "path": "/admin/**", "access": "required" }]),
            ),
            "rules[1].path",
        ),
        (
            "HEAD after GET",
            with(
                "/rules",
                json!([
                    { "path": "/a", "methods": "GET", "access": "public" },
                    { "path": "/a", "methods": "HEAD", "access": "required" },
                ]),
            ),
            "rules[1].path",
        ),
        (
            "a way back under the name of the attempts",
            with("/sign_in", json!({ "path": "/sign-in", "return_parameter": "attempt" })),
            "sign_in.return_parameter",
        ),
        ("a pattern in encoded form", with("/rules/0/path", json!("/caf%C3%A9")), "rules[0].path"),
        (
            "two issuers with one iss and one audience",
            with(
                "/issuers/1",
                json!({ "type": "jwt", "name": "x", "issuer": "https://example.com", "audience": "https://example.com", "jwks_url": "https://example.com/k" }),
            ),
            "issuers[1].audience",
        ),
        (
            "no audience of a Better Auth issuer",
            with("/issuers/0/audience", json!([])),
            "issuers[0].audience",
        ),
        (
            "an empty audience beside one that is named",
            with("/issuers/0/audience_may_be_empty", json!(true)),
            "issuers[0].audience_may_be_empty",
        ),
        (
            "a missing party of none",
            with("/issuers/0/party_may_be_absent", json!(true)),
            "issuers[0].party_may_be_absent",
        ),
        (
            "a party as text",
            with("/issuers/0/party_may_be_absent", json!("true")),
            "issuers[0].party_may_be_absent",
        ),
        (
            "tokens with an empty aud for anybody",
            with("/issuers/1", without_audience(json!({ "audience_may_be_empty": true }))),
            "issuers[1].audience",
        ),
        (
            "hosts that are none",
            with("/issuers/0/public_hosts", json!([])),
            "issuers[0].public_hosts",
        ),
        (
            "a host that is any",
            with("/issuers/0/public_hosts", json!("*")),
            "issuers[0].public_hosts",
        ),
        (
            "a host that is any of a top-level domain",
            with("/issuers/0/public_hosts", json!("*.com")),
            "issuers[0].public_hosts",
        ),
        (
            "a host with two stars",
            with("/issuers/0/public_hosts", json!("*-*.example.com")),
            "issuers[0].public_hosts",
        ),
        (
            "a host with a star further on",
            with("/issuers/0/public_hosts", json!("a.*.example.com")),
            "issuers[0].public_hosts",
        ),
        (
            "a host with a path",
            with("/issuers/0/public_hosts", json!("a.example.com/x")),
            "issuers[0].public_hosts",
        ),
        (
            "a host with a star and a user",
            with("/issuers/0/public_hosts", json!("*@a.example.com")),
            "issuers[0].public_hosts",
        ),
        (
            "a host with a port that is none",
            with("/issuers/0/public_hosts", json!("a.example.com:port")),
            "issuers[0].public_hosts",
        ),
        (
            "a host over plain http",
            with("/issuers/0/public_hosts", json!("http://a.example.com")),
            "issuers[0].public_hosts",
        ),
        (
            "a star over plain http",
            with("/issuers/0/public_hosts", json!("http://*.a.example.com")),
            "issuers[0].public_hosts",
        ),
        (
            "the public origin of no hosts",
            with("/issuers/0/issuer", json!("{public_origin}")),
            "issuers[0].issuer",
        ),
        (
            "an audience of no hosts",
            with("/issuers/0/audience", json!(["{public_origin}"])),
            "issuers[0].audience",
        ),
        (
            "one iss for many hosts",
            with_hosts(json!({ "issuer": "https://example.com" })),
            "issuers[0].issuer",
        ),
        (
            "the public origin in the middle",
            with_hosts(json!({ "issuer": "x{public_origin}" })),
            "issuers[0].issuer",
        ),
        (
            "the public origin twice",
            with_hosts(json!({ "issuer": "{public_origin}/{public_origin}" })),
            "issuers[0].issuer",
        ),
        (
            "a subject without a name",
            with("/issuers/0/subject_claim", json!("")),
            "issuers[0].subject_claim",
        ),
        (
            "a subject by no claim",
            with("/issuers/0/subject_claim", json!([])),
            "issuers[0].subject_claim",
        ),
        (
            "an issuer without keys",
            with("/issuers/1", without_keys(json!({ "keys": {} }))),
            "issuers[1].jwks",
        ),
        (
            "an issuer whose keys are null",
            with("/issuers/1", without_keys(json!(null))),
            "issuers[1].jwks_url",
        ),
        (
            "a cookie of Supabase's without a name",
            with("/issuers/0/from", json!("supabase-cookie:")),
            "issuers[0].from",
        ),
        (
            "tokens without aud for anybody",
            with("/issuers/1", without_audience(json!({}))),
            "issuers[1].audience",
        ),
        (
            "tokens without aud for a list of nobody",
            with("/issuers/1", without_audience(json!({ "authorized_parties": [] }))),
            "issuers[1].audience",
        ),
        (
            "two issuers with one iss and no audience",
            {
                let party = without_audience(json!({ "authorized_parties": "web" }));
                let mut document = with("/issuers/1", party.clone());
                document["issuers"]
                    .as_array_mut()
                    .into_iter()
                    .for_each(|issuers| issuers.push(party.clone()));
                document["issuers"][2]["name"] = json!("other");
                document
            },
            "issuers[2].audience",
        ),
        ("a method in small letters", with("/rules/0/methods", json!(["get"])), "rules[0].methods"),
        (
            "an issuer that is not there",
            with("/rules/0/issuers", json!(["nobody"])),
            "rules[0].issuers",
        ),
        (
            "a sign-in page elsewhere",
            with("/sign_in", json!({ "path": "https://evil.example/" })),
            "sign_in.path",
        ),
        (
            "a sign-in page on another host",
            with("/sign_in", json!({ "path": "//evil.example" })),
            "sign_in.path",
        ),
        ("pages that are a list", with("/pages", json!([])), "pages"),
        ("a name of the site that is empty", with("/pages", json!({ "name": "" })), "pages.name"),
        ("a name of two lines", with("/pages", json!({ "name": "Acme\nInc." })), "pages.name"),
        ("a name too long", with("/pages", json!({ "name": "a".repeat(81) })), "pages.name"),
        ("a color by name", with("/pages", json!({ "accent": "red" })), "pages.accent"),
        ("more than a color", with("/pages", json!({ "accent": "#fff}" })), "pages.accent"),
        ("a home elsewhere", with("/pages", json!({ "home": "//evil.example" })), "pages.home"),
        ("a home with a scheme", with("/pages", json!({ "home": "javascript:x" })), "pages.home"),
        ("pages of another shape", with("/pages", json!({ "title": "Acme" })), "pages.title"),
        ("the name that this member had", with("/next", json!({})), "next"),
        ("the name that this member had, off", with("/next", json!(false)), "next"),
        ("a flag for what is known of the origin", with("/framework", json!(true)), "framework"),
        ("a framework that nobody knows", with("/framework", json!("rails")), "framework"),
        ("a framework in capitals", with("/framework", json!("Next")), "framework"),
        (
            "a framework by its company",
            with("/framework", json!({ "name": "tanstack" })),
            "framework.name",
        ),
        ("a framework without a name", with("/framework", json!({})), "framework.name"),
        (
            "a framework by a base path only",
            with("/framework", json!({ "base_path": "/docs" })),
            "framework.name",
        ),
        (
            "a misspelt member of it",
            with("/framework", json!({ "name": "next", "basePath": "/docs" })),
            "framework.basePath",
        ),
        (
            "a base path that is relative",
            with_framework("next", "base_path", json!("docs")),
            "framework.base_path",
        ),
        (
            "a base path with a slash at its end",
            with_framework("nuxt", "base_path", json!("/docs/")),
            "framework.base_path",
        ),
        (
            "a base path that is the root",
            with_framework("astro", "base_path", json!("/")),
            "framework.base_path",
        ),
        (
            "a base path with a dot segment",
            with_framework("next", "base_path", json!("/docs/..")),
            "framework.base_path",
        ),
        (
            "a base path of the wrong type",
            with_framework("next", "base_path", json!(7)),
            "framework.base_path",
        ),
        (
            "a locale with a slash",
            with_framework("next", "locales", json!(["en", "de/AT"])),
            "framework.locales",
        ),
        ("an empty locale", with_framework("next", "locales", json!([""])), "framework.locales"),
        (
            "locales of the wrong type",
            with_framework("next", "locales", json!([true])),
            "framework.locales[0]",
        ),
        (
            "locales of another framework",
            with_framework("astro", "locales", json!(["en"])),
            "framework.locales",
        ),
        (
            "a word for native clients",
            with("/rules/0/native_clients", json!("yes")),
            "rules[0].native_clients",
        ),
        (
            "a pattern with a locale in front",
            json!({
                "issuers": good()["issuers"],
                "rules": [{ "path": "/EN/app", "access": "required" }],
                "framework": { "name": "next", "locales": ["en"] },
            }),
            "rules[0].path",
        ),
        (
            "an app's origin with a path",
            with("/allowed_origins", json!(["capacitor://localhost/x"])),
            "allowed_origins",
        ),
        (
            "an app's origin without a host",
            with("/allowed_origins", json!(["file://"])),
            "allowed_origins",
        ),
        (
            "an app's origin in capitals",
            with("/allowed_origins", json!(["Capacitor://localhost"])),
            "allowed_origins",
        ),
        (
            "the origin that stands for none",
            with("/allowed_origins", json!(["null"])),
            "allowed_origins",
        ),
        (
            "an origin with a path",
            with("/allowed_origins", json!(["https://a.example/x"])),
            "allowed_origins",
        ),
        (
            "a reader from an origin with a path",
            with("/cors", json!({ "origins": "https://a.example/" })),
            "cors.origins",
        ),
        ("readers from everywhere", with("/cors", json!({ "origins": ["*"] })), "cors.origins"),
        (
            "credentials as text",
            with("/cors", json!({ "credentials": "include" })),
            "cors.credentials",
        ),
        ("an unknown part of CORS", with("/cors", json!({ "methods": ["GET"] })), "cors.methods"),
        ("a page of reasons that is relative", with("/docs_url", json!("/docs#")), "docs_url"),
        (
            "a page of reasons with a line end",
            with("/docs_url", json!("https://example.com/\n#")),
            "docs_url",
        ),
        (
            "a cookie domain that is a URL",
            with("/issuers/0/cookie_domain", json!("https://example.com")),
            "issuers[0].cookie_domain",
        ),
        (
            "a cookie domain with an attribute",
            with("/issuers/0/cookie_domain", json!("a.example; Path=/x")),
            "issuers[0].cookie_domain",
        ),
        (
            "a cookie domain of nothing",
            with("/issuers/0/cookie_domain", json!(".")),
            "issuers[0].cookie_domain",
        ),
        ("a deny-list from nowhere", with("/deny_list", json!({})), "deny_list"),
        (
            "a deny-list from two places",
            with("/deny_list", json!({ "url": list, "store": "LISTS" })),
            "deny_list",
        ),
        (
            "a deny-list over plain http",
            with("/deny_list", json!({ "url": "http://ops.example/x" })),
            "deny_list.url",
        ),
        (
            "a deny-list of a store that is not there",
            with("/deny_list", json!({ "store": "LISTS" })),
            "deny_list.store",
        ),
        (
            "a deny-list of a store by variable",
            with("/deny_list", json!({ "store": { "env": "LONG" } })),
            "deny_list.store",
        ),
        (
            "a key for a URL",
            with("/deny_list", json!({ "url": list, "key": "x" })),
            "deny_list.key",
        ),
        (
            "a token in the document",
            with("/deny_list", json!({ "url": list, "token": long })),
            "deny_list.token",
        ),
        (
            "a ceiling before the next list",
            with(
                "/deny_list",
                json!({ "url": list, "refresh_seconds": 30, "max_stale_seconds": 59 }),
            ),
            "deny_list.max_stale_seconds",
        ),
        (
            "a list without a pause",
            with("/deny_list", json!({ "url": list, "refresh_seconds": 0 })),
            "deny_list.refresh_seconds",
        ),
        (
            "a ceiling of more than a day",
            with("/deny_list", json!({ "url": list, "max_stale_seconds": 86_401 })),
            "deny_list.max_stale_seconds",
        ),
        (
            "a storage without a name",
            with("/issuers/0/storage", json!({})),
            "issuers[0].storage.store",
        ),
        (
            "a storage that the host has not",
            with("/issuers/0/storage", json!({ "store": "SESSIONS" })),
            "issuers[0].storage.store",
        ),
        (
            "a storage as a text",
            with("/issuers/0/storage", json!("SESSIONS")),
            "issuers[0].storage",
        ),
        (
            "a storage that is an hour and a second late",
            with("/issuers/0/storage", json!({ "store": "SESSIONS", "lag_seconds": 3601 })),
            "issuers[0].storage.lag_seconds",
        ),
        (
            "a storage for tokens that nobody has signed",
            with(
                "/issuers/0",
                json!({ "type": "better-auth", "url": "https://example.com", "storage": { "store": "SESSIONS" } }),
            ),
            "issuers[0].storage",
        ),
        (
            "a misspelt member of the deny-list",
            with("/deny_list", json!({ "url": list, "ttl": 5 })),
            "deny_list.ttl",
        ),
        ("an unknown style of answers", with("/rules/0/answer", json!("html")), "rules[0].answer"),
        (
            "a prefix that would strip everything",
            with("/header_prefix", json!("x-")),
            "header_prefix",
        ),
        ("a role without a name", with("/rules/0/roles", json!("")), "rules[0].roles"),
        (
            "a scope without a name",
            with("/rules/0/scopes", json!({ "any": ["read", ""] })),
            "rules[0].scopes",
        ),
        ("issuers that are none", with("/rules/0/issuers", json!([])), "rules[0].issuers"),
        ("roles as a bare list", with("/rules/0/roles", json!(["admin"])), "rules[0].roles"),
        (
            "roles of any and all",
            with("/rules/0/roles", json!({ "any": ["a"], "all": ["b"] })),
            "rules[0].roles",
        ),
        ("roles of none", with("/rules/0/roles", json!({ "any": [] })), "rules[0].roles"),
        (
            "a role that is an object",
            with("/rules/0/scopes", json!({ "all": [{}] })),
            "rules[0].scopes",
        ),
        ("claims that are no object", with("/rules/0/claims", json!("admin")), "rules[0].claims"),
        ("no claims", with("/rules/0/claims", json!({})), "rules[0].claims"),
        (
            "a claim that has to be null",
            with("/rules/0/claims", json!({ "a": null })),
            "rules[0].claims.a",
        ),
        (
            "a claim as a bare list",
            with("/rules/0/claims", json!({ "a": ["x"] })),
            "rules[0].claims.a",
        ),
        ("roles of null", with("/rules/0/roles", json!(null)), "rules[0].roles"),
        ("claims of null", with("/rules/0/claims", json!(null)), "rules[0].claims"),
        (
            "an age of null",
            with("/rules/0/max_session_age_seconds", json!(null)),
            "rules[0].max_session_age_seconds",
        ),
        (
            "a staleness of null",
            with("/rules/0/max_staleness_seconds", json!(null)),
            "rules[0].max_staleness_seconds",
        ),
        (
            "e-mail domains of null",
            with("/rules/0/email_domains", json!(null)),
            "rules[0].email_domains",
        ),
        (
            "e-mail domains of a variable that may be unset",
            with("/rules/0/email_domains", json!({ "env": "NOT_SET", "optional": true })),
            "rules[0].email_domains",
        ),
        (
            "an e-mail domain with its @",
            with("/rules/0/email_domains", json!("@example.com")),
            "rules[0].email_domains",
        ),
        ("no e-mail domain", with("/rules/0/email_domains", json!([])), "rules[0].email_domains"),
        (
            "an age as text",
            with("/rules/0/max_session_age_seconds", json!("60")),
            "rules[0].max_session_age_seconds",
        ),
        (
            "a connection of no time",
            with("/rules/0/max_connection_seconds", json!(0)),
            "rules[0].max_connection_seconds",
        ),
        (
            "a connection as text",
            with("/rules/0/max_connection_seconds", json!("60")),
            "rules[0].max_connection_seconds",
        ),
        (
            "a connection of eight days",
            with("/rules/0/max_connection_seconds", json!(691_200)),
            "rules[0].max_connection_seconds",
        ),
        (
            "a staleness below zero",
            with("/rules/0/max_staleness_seconds", json!(-1)),
            "rules[0].max_staleness_seconds",
        ),
        (
            "an unknown way to treat doubt",
            with("/rules/0/on_doubt", json!("allow")),
            "rules[0].on_doubt",
        ),
        ("an unknown preference", with("/rules/0/prefer", json!("bearer")), "rules[0].prefer"),
        (
            "reporting without an end",
            with("/rules/0/mode", json!("report")),
            "rules[0].report_until",
        ),
        (
            "an end without reporting",
            with("/rules/0/report_until", json!("2027-01-31")),
            "rules[0].report_until",
        ),
        ("an end that is no day", reporting("2027-02-32"), "rules[0].report_until"),
        ("an end that is no day of its month", reporting("2027-02-29"), "rules[0].report_until"),
        ("an end that is a moment", reporting("2027-01-31T00:00:00Z"), "rules[0].report_until"),
        ("an unknown mode", with("/rules/0/mode", json!("log")), "rules[0].mode"),
        (
            "a header that is not there",
            with("/rules/0/headers", json!(["role"])),
            "rules[0].headers",
        ),
        (
            "a header of the gate's own",
            with("/headers", json!({ "subject": "role" })),
            "headers.subject",
        ),
        (
            "a header with a capital letter",
            with("/headers", json!({ "Role": "role" })),
            "headers.Role",
        ),
        (
            "a header with a line end",
            with("/headers", json!({ "a\r\nb": "role" })),
            "headers.a\r\nb",
        ),
        ("a header of no claim", with("/headers", json!({ "role": "" })), "headers.role"),
        ("headers as a list", with("/headers", json!(["role"])), "headers"),
        (
            "an unknown treatment of the credential",
            with("/rules/0/credential", json!("strip")),
            "rules[0].credential",
        ),
        (
            "a replacement by no assertion",
            with("/rules/0/credential", json!("replace")),
            "rules[0]",
        ),
        ("an audience of no assertion", with("/rules/0/audience", json!("billing")), "rules[0]"),
        (
            "an upstream with a path",
            ruled(json!({ "upstream": "https://api.example.com/v1" })),
            "rules[0].upstream",
        ),
        (
            "an upstream with a slash",
            ruled(json!({ "upstream": "https://api.example.com/" })),
            "rules[0].upstream",
        ),
        (
            "an upstream with somebody's name",
            ruled(json!({ "upstream": "https://a@api.example.com" })),
            "rules[0].upstream",
        ),
        (
            "an upstream over plain http",
            ruled(json!({ "upstream": "http://api.example.com" })),
            "rules[0].upstream",
        ),
        (
            "an upstream without a scheme",
            ruled(json!({ "upstream": "api.example.com" })),
            "rules[0].upstream",
        ),
        (
            "an upstream that gets the assertions of the origin",
            assertion(json!({})).with_rule(json!({ "upstream": "https://api.example.com" })),
            "rules[0].audience",
        ),
        ("an unknown way with bearer tokens", ruled(json!({ "bearer": true })), "rules[0].bearer"),
        ("a bridge for everybody", public(json!({ "bearer": "bridge" })), "rules[0].bearer"),
        (
            "a bridge and the assertion in one place",
            assertion(json!({})).with_rule(json!({ "bearer": "bridge", "credential": "replace" })),
            "rules[0].bearer",
        ),
        (
            "a bridge of nobody's",
            with_bridge(
                json!({ "type": "jwt", "issuer": "https://a.example", "audience": "a", "jwks_url": "https://a.example/k" }),
            ),
            "rules[0].bearer",
        ),
        (
            "a bridge that nobody could check",
            with_bridge(
                json!({ "type": "better-auth", "url": "https://a.example", "jwks_url": null }),
            ),
            "rules[0].bearer",
        ),
        (
            "an audience of no bridge",
            ruled(json!({ "bearer_audience": "billing" })),
            "rules[0].bearer_audience",
        ),
        (
            "a bridge to nobody",
            ruled(json!({ "bearer": "bridge", "bearer_audience": [] })),
            "rules[0].bearer_audience",
        ),
        (
            "a bridge to an empty name",
            ruled(json!({ "bearer": "bridge", "bearer_audience": "" })),
            "rules[0].bearer_audience",
        ),
        ("an assertion for nobody", assertion(json!({ "audience": null })), "assertion.audience"),
        ("an assertion for an empty name", assertion(json!({ "audience": "" })), "assertion"),
        ("an assertion by an empty name", assertion(json!({ "issuer": "" })), "assertion"),
        ("an assertion without a key", assertion(json!({ "secret": null })), "assertion.keys"),
        (
            "an assertion with secret and key",
            assertion(json!({ "keys": [{ "env": "KEY" }] })),
            "assertion.keys",
        ),
        ("three keys", with_keys(&["KEY", "KEY_2", "KEY_3"]), "assertion.keys"),
        ("one key twice", with_keys(&["KEY", "KEY"]), "assertion.keys"),
        ("a key that is none", with_keys(&["LONG"]), "assertion.keys[0]"),
        ("a public key", with_keys(&["PUBLIC_KEY"]), "assertion.keys[0]"),
        (
            "a key whose parts do not belong together",
            with_keys(&["MIXED_KEY"]),
            "assertion.keys[0]",
        ),
        (
            "a key in the document",
            assertion(json!({ "secret": null, "keys": ["{}"] })),
            "assertion.keys[0]",
        ),
        ("a secret in the document", assertion(json!({ "secret": long })), "assertion.secret"),
        (
            "a short secret for assertions",
            assertion(json!({ "secret": { "env": "SHORT" } })),
            "assertion.secret",
        ),
        (
            "the auth service's secret for assertions",
            assertion(json!({ "secret": { "env": "SECRET" } })),
            "assertion.secret",
        ),
        ("a life of nothing", assertion(json!({ "life_seconds": 0 })), "assertion.life_seconds"),
        (
            "a life that is too long",
            assertion(json!({ "life_seconds": 61 })),
            "assertion.life_seconds",
        ),
        (
            "a shared secret that is published",
            assertion(json!({ "jwks_path": "/keys" })),
            "assertion.jwks_path",
        ),
        ("a key set at the root", assertion(json!({ "jwks_path": "/" })), "assertion.jwks_path"),
        (
            "a key set elsewhere",
            assertion(json!({ "jwks_path": "https://evil.example/keys" })),
            "assertion.jwks_path",
        ),
        ("a misspelt member of the assertion", assertion(json!({ "ttl": 30 })), "assertion.ttl"),
        ("a public rule with a role", public(json!({ "roles": "admin" })), "rules[0].access"),
        (
            "a public rule that wants to know now",
            public(json!({ "max_staleness_seconds": 0 })),
            "rules[0].access",
        ),
        (
            "a rule that none reaches",
            rules(json!([["/a/**", "required"], ["/a/b", "required"]])),
            "rules[1].path",
        ),
        (
            "a rule that none reaches, by a name",
            rules(json!([["/a/*", "required"], ["/a/:id", "required"]])),
            "rules[1].path",
        ),
        (
            "a rule that none reaches, after its like",
            rules(json!([["/a", "required"], ["/a", "optional"]])),
            "rules[1].path",
        ),
        (
            "a public rule over a protected one",
            rules(json!([["/**", "public"], ["/admin/**", "required"]])),
            "rules[1].path",
        ),
        (
            "a policy that ends too early",
            with("/require_catch_all", json!(true)).with_rules(json!([["/a/**", "required"]])),
            "rules",
        ),
        (
            "a policy that ends with one segment",
            with("/require_catch_all", json!(true)).with_rules(json!([["/*", "required"]])),
            "rules",
        ),
        (
            "a policy that ends with one method",
            with("/require_catch_all", json!(true)).with_methods(json!(["GET"])),
            "rules",
        ),
        (
            "a catch-all of another type",
            with("/require_catch_all", json!("yes")),
            "require_catch_all",
        ),
        (
            "a variable that is not set",
            with("/issuers/0/issuer", json!({ "env": "NOT_SET" })),
            "issuers[0].issuer",
        ),
        (
            "a variable without a name",
            with("/issuers/0/url", json!({ "env": [] })),
            "issuers[0].url",
        ),
    ];
    let key_3 = KEY.replace("\"kty\"", "\"kid\":\"third\",\"kty\"");
    let public_key = KEY.replace("\"d\"", "\"e\"");
    let mixed_key = KEY_2.replace("\"jpsQ", "\"AAAA");
    let one = format!("1:{long}");
    let twice = format!("2:{long},1:{long}");
    let line_end = format!("{long}\n");
    let blank = format!(" {long}");
    let two_lines = format!("{long}\r\n{long}");
    let values = [
        ("SECRET", GOOD_SECRET),
        ("SHORT", "fifteen-bytes-x"),
        ("PUBLISHED", "better-auth-secret-12345678901234567890"),
        ("LONG", long),
        ("LINE_END", line_end.as_str()),
        ("BLANK", blank.as_str()),
        ("TWO_LINES", two_lines.as_str()),
        ("TWICE", twice.as_str()),
        ("KEY", KEY),
        ("KEY_2", KEY_2),
        ("KEY_3", key_3.as_str()),
        ("PUBLIC_KEY", public_key.as_str()),
        ("MIXED_KEY", mixed_key.as_str()),
        ("ONE", one.as_str()),
        ("SHORT_LIST", "1:fifteen-bytes-x"),
    ];
    for (name, document, place) in &cases {
        let errors = compile(document, &values).err().unwrap_or_else(|| panic!("{name}: accepted"));
        assert!(errors.iter().any(|error| error.path == *place), "{name}: {errors:?}");
        for error in &errors {
            let shown = error.to_string();
            assert!(
                !shown.contains("nWGxne")
                    && !shown.contains("AAAAnnG")
                    && !shown.contains(GOOD_SECRET)
                    && !shown.contains(long)
                    && !shown.contains("fifteen-bytes"),
                "{name}: a secret is shown"
            );
            assert!(!error.hint.is_empty() && !error.problem.ends_with('.'), "{name}: {shown}");
        }
    }
    println!("wrong configurations: {} cases", cases.len());
}

/// The other side of the cases above: none of them is refused for something else.
#[test]
fn what_the_mistakes_are_near_is_right() {
    let values = [
        ("SECRET", GOOD_SECRET),
        ("LONG", "a-secret-of-its-own-that-is-long-enough"),
        ("KEY", KEY),
        ("KEY_2", KEY_2),
    ];
    let right = [
        with_hosts(json!({})),
        with_hosts(
            json!({ "public_hosts": ["https://one.example.com:443", "preview-*.example.com", "*.example.com:8443", "http://localhost:3000"] }),
        ),
        with_hosts(
            json!({ "issuer": "{public_origin}/api/auth", "audience": ["https://api.example.com", "{public_origin}"] }),
        ),
        with_hosts(json!({ "public_hosts": { "env": "NOT_SET", "optional": true } })),
        with("/issuers/1", without_audience(json!({ "party_may_be_absent": true }))),
        with(
            "/issuers/1",
            without_audience(
                json!({ "authorized_parties": "a", "party_may_be_absent": true, "audience_may_be_empty": true }),
            ),
        ),
        with("/issuers/0/subject_claim", json!(["sub", "id"])),
        with("/issuers/0/from", json!(["authorization", "supabase-cookie:sb-x-auth-token"])),
        at_root(json!(["/sign-in/**", "/callback/**"]), "public"),
        with("/issuers/0/url", json!("https://example.com:443/auth")),
        with("/issuers/0/url", json!("HTTPS://Example.com/auth")),
        with("/issuers/0/url", json!("http://[::1]:3000")),
        with("/allowed_origins", json!(["https://App.example.com:443"])),
        ruled(json!({ "upstream": "https://api.example.com:443", "bearer": "bridge" })),
        with("/issuers/0/url", json!("http://127.0.0.1:3000")),
        with("/issuers/0/url", json!("http://localhost:3000/auth")),
        ruled(
            json!({ "roles": "admin", "scopes": { "any": ["a", "b"] }, "claims": { "a.b": { "all": [1, true, "x"] } } }),
        ),
        ruled(
            json!({ "email_domains": ["example.com", "xn--bcher-kva.example"], "max_session_age_seconds": 3600 }),
        ),
        ruled(
            json!({ "max_staleness_seconds": 0, "on_doubt": "pass", "prefer": "header", "credential": "remove" }),
        ),
        reporting("2028-02-29"),
        reporting("2000-01-01"),
        assertion(json!({})),
        assertion(json!({ "life_seconds": 60, "issuer": "edge" })),
        with_keys(&["KEY"]),
        with_keys(&["KEY_2", "KEY"]),
        rules(json!(
            [["/a/b", "required"], ["/a/**", "required"], ["/a/:id", "required"]].get(..2)
        )),
        rules(json!([["/admin/**", "required"], ["/**", "public"]])),
        rules(json!([["/a/*", "public"], ["/a/**", "required"]])),
        good().with_rules(json!([["/a", "public"]])),
        with("/require_catch_all", json!(true)),
        with("/deny_list", json!({ "url": "https://ops.example/revoked.json" })),
        with(
            "/deny_list",
            json!({ "url": "http://127.0.0.1:9/x", "token": { "env": "LONG" }, "refresh_seconds": 5, "max_stale_seconds": 10 }),
        ),
        with("/headers", json!({ "role": "role", "x-2": "session.x" })),
        ruled(
            json!({ "upstream": "https://api.example.com", "bearer": "bridge", "bearer_audience": ["a", "b"] }),
        ),
        ruled(json!({ "upstream": "http://127.0.0.1:8000", "bearer": "keep" })),
        ruled(json!({ "bearer": "bridge", "credential": "remove" })),
        public(json!({ "upstream": "http://localhost:8000" })),
        assertion(json!({})).with_rule(
            json!({ "upstream": "https://api.example.com", "audience": "api", "bearer": "bridge" }),
        ),
    ];
    for document in &right {
        compile(document, &values).unwrap_or_else(|errors| panic!("{document}: {errors:?}"));
    }
    println!("right configurations: {} cases", right.len());
}

/// A place, and the document that has a URL there.
type Place = (&'static str, Box<dyn Fn(&str) -> Value>);

/// Wherever a URL stands, one that no browser reads is a mistake at its place (`src/config/url.rs`
/// is held to the crate `url`).
#[test]
fn a_url_that_is_none_is_a_mistake_wherever_it_stands() {
    let wrong = [
        "https://a.test:port",
        "https://a.test:1:2",
        "https://a.test:99999",
        "https://a.test:",
        "https://[::1",
        "https://[zz]",
        "https://1.2.3.4.5",
        "https://1.2.3.256",
        "https://user@a.test",
        "https://a.test\\@b.test",
        "https://a%2etest",
        "https://a b",
        "https://b\u{fc}cher.test",
        "https://a..test",
        "https://.test",
        "https://",
        "https:///a.test",
        "https:a.test",
        "https://xn--",
        "http:a",
        "https://a.test\t.test",
    ];
    let jwt = |issuer: &str| json!({ "type": "jwt", "name": "x", "issuer": issuer, "audience": "a", "jwks_url": "https://a.test/k" });
    let places: Vec<Place> = vec![
        ("issuers[0].url", Box::new(|url| with("/issuers/0/url", json!(url)))),
        ("issuers[0].fetch_url", Box::new(|url| with("/issuers/0/fetch_url", json!(url)))),
        ("issuers[0].jwks_url", Box::new(|url| with("/issuers/0/jwks_url", json!(url)))),
        ("issuers[0].issuer", Box::new(|url| with("/issuers/0/issuer", json!(url)))),
        ("issuers[1].issuer", Box::new(move |url| with("/issuers/1", jwt(url)))),
        ("deny_list.url", Box::new(|url| with("/deny_list", json!({ "url": url })))),
        ("rules[0].upstream", Box::new(|url| ruled(json!({ "upstream": url })))),
        (
            "allowed_origins",
            Box::new(|url| with("/allowed_origins", json!(["https://good.test", url]))),
        ),
        ("cors.origins", Box::new(|url| with("/cors", json!({ "origins": url })))),
        ("docs_url", Box::new(|url| with("/docs_url", json!(url)))),
    ];
    for (place, document) in &places {
        for url in &wrong {
            let errors = compile(&document(url), &[("SECRET", GOOD_SECRET)])
                .err()
                .unwrap_or_else(|| panic!("{place}: {url:?} is taken"));
            assert!(
                errors.iter().any(|error| error.path == *place),
                "{place}: {url:?}: {errors:?}"
            );
        }
        let good = compile(&document("https://a.test:8443"), &[("SECRET", GOOD_SECRET)]);
        assert!(good.is_ok(), "{place}: {:?}", good.err());
    }
    println!("wrong URLs: {} at {} places", wrong.len(), places.len());
}

/// A hint says what is to be done, and never what stands there already.
#[test]
fn no_hint_tells_what_has_been_done() {
    let at = |place: &str, document: &Value, values: &[(&str, &str)]| {
        let errors = compile(document, values).err().unwrap_or_else(|| panic!("{place}: accepted"));
        let found = errors.into_iter().find(|error| error.path == place);
        found.unwrap_or_else(|| panic!("nothing is wrong at {place}"))
    };
    let secret = ("SECRET", GOOD_SECRET);
    let null =
        at("issuers[1].audience", &with("/issuers/1", without_audience(json!({}))), &[secret]);
    assert!(
        !null.hint.contains("null")
            && null.hint.contains("authorized_parties")
            && null.hint.contains("party_may_be_absent"),
        "{null}"
    );
    let mut left_out = without_audience(json!({}));
    left_out.as_object_mut().and_then(|members| members.remove("audience"));
    let left_out = at("issuers[1].audience", &with("/issuers/1", left_out), &[secret]);
    assert!(left_out.hint.contains("null"), "{left_out}");
    let number =
        at("issuers[0].skew_seconds", &with("/issuers/0/skew_seconds", json!(61)), &[secret]);
    assert!(!number.hint.contains("without quotes"), "{number}");
    let blank = at(
        "issuers[0].issuer",
        &with("/issuers/0/issuer", json!({ "env": "BLANK" })),
        &[secret, ("BLANK", "  ")],
    );
    assert!(blank.problem.contains("blank") && !blank.hint.starts_with("set"), "{blank}");
    let list = "https://ops.example/revoked.json";
    let twice =
        at("deny_list", &with("/deny_list", json!({ "url": list, "store": "LISTS" })), &[secret]);
    assert!(!twice.hint.contains("give"), "{twice}");
    let methods = at(
        "rules",
        &with("/require_catch_all", json!(true)).with_methods(json!(["GET"])),
        &[secret],
    );
    assert!(methods.hint.contains("methods"), "{methods}");
    let odd = at(
        "issuers[0].jwks",
        &with("/issuers/0/jwks", json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "old" }] })),
        &[secret],
    );
    assert!(
        odd.problem.contains("old: symmetric-keys") && !odd.to_string().contains("AAAA"),
        "{odd}"
    );
}

#[test]
fn a_store_is_the_hosts_to_have() {
    let document = with("/deny_list", json!({ "store": "LISTS" }));
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(config.stores(), ["LISTS"]);
    let values = BTreeMap::from([("SECRET".to_owned(), GOOD_SECRET.to_owned())]);
    let host = |names: &[&str]| {
        Capabilities::none().and_stores(names.iter().map(|name| (*name).to_owned()))
    };
    assert!(config.compile(&values, &host(&["LISTS"])).is_ok());
    let storage = with("/issuers/0/storage", json!({ "store": "SESSIONS" }));
    let storage = Config::parse(&storage.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert!(storage.compile(&values, &host(&["SESSIONS"])).is_ok());
    let errors = config.compile(&values, &host(&["lists", "OTHER"])).err().unwrap_or_default();
    assert_eq!(
        errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>(),
        ["deny_list.store"]
    );
}

#[test]
fn apps_and_extensions_have_origins_too() {
    for origin in [
        "https://a.example:8443",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop",
        "tauri://localhost",
    ] {
        let document = with("/allowed_origins", json!([origin]));
        assert!(compile(&document, &[("SECRET", GOOD_SECRET)]).is_ok(), "{origin}");
    }
}

#[test]
fn patterns_are_written_decoded() {
    for pattern in ["/café/*", "/a b", "/$metadata", "/a(b)", "/@me/:id", "/:user_id/**", "/"] {
        assert!(
            compile(&with("/rules/0/path", json!(pattern)), &[("SECRET", GOOD_SECRET)]).is_ok(),
            "{pattern}"
        );
    }
}

#[test]
fn what_is_known_of_the_origin_may_be_little_or_nothing() {
    let little = |name: &str| json!({ "name": name, "base_path": "/a/b" });
    let names = ["next", "sveltekit", "react-router", "nuxt", "astro", "tanstack-start", "none"];
    let all = names.iter().flat_map(|name| [json!(name), json!({ "name": name }), little(name)]);
    for framework in all.chain([
        json!(null),
        json!(false),
        json!({ "name": "next", "base_path": "", "locales": [] }),
    ]) {
        assert!(
            compile(&with("/framework", framework.clone()), &[("SECRET", GOOD_SECRET)]).is_ok(),
            "{framework}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let document = json!({
        "issuers": [{ "type": "better-auth", "url": "nonsense" }, { "type": "jwt" }],
        "rules": [{ "path": "x", "access": "y" }],
        "what": 1,
    });
    let errors = compile(&document, &[]).err().unwrap_or_default();
    let places: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    for place in [
        "what",
        "issuers[0].url",
        "issuers[1].issuer",
        "issuers[1].audience",
        "rules[0].path",
        "rules[0].access",
    ] {
        assert!(places.contains(&place), "{place} is not among {places:?}");
    }
}

#[test]
fn a_missing_member_hides_no_other_mistake() {
    let document = json!({
        "issuers": [
            {
                "type": "better-auth",
                "url": { "env": "NOT_SET" },
                "secret": { "env": "NOT_SET" },
                "issuer": { "env": "NOT_SET" },
                "jwks_url": { "env": "NOT_SET" },
                "fetch_url": { "env": "NOT_SET" },
                "base_path": { "env": "NOT_SET" },
            },
            { "type": "better-auth", "name": "b", "url": "http://b.example", "fetch_url": "b", "cookie_cache": "c" },
            { "type": "jwt", "audience": "c", "jwks_url": "http://c.example", "typ": 7 },
        ],
        "rules": good()["rules"],
    });
    let errors = compile(&document, &[]).err().unwrap_or_default();
    let mut places: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    places.sort_unstable();
    let expected = [
        "issuers[0].base_path",
        "issuers[0].fetch_url",
        "issuers[0].issuer",
        "issuers[0].jwks_url",
        "issuers[0].secret",
        "issuers[0].url",
        "issuers[1].cookie_cache",
        "issuers[1].fetch_url",
        "issuers[1].url",
        "issuers[2].issuer",
        "issuers[2].jwks_url",
        "issuers[2].typ",
    ];
    assert_eq!(places, expected);
}

#[test]
fn what_is_wrong_with_a_variable_names_it_and_not_its_value() {
    let members = [
        "url",
        "fetch_url",
        "jwks_url",
        "base_path",
        "cookie_prefix",
        "cookie_domain",
        "cookie_cache",
        "bearer",
        "jwks",
    ];
    let texts = members.map(|member| {
        (
            format!("issuers[0].{member}"),
            with(&format!("/issuers/0/{member}"), json!({ "env": "WRONG" })),
        )
    });
    let own = [
        ("issuers[0].secret", with("/issuers/0/secret", json!({ "env": ["NOT_SET", "WRONG"] }))),
        ("issuers[0].secrets", with("/issuers/0/secrets", json!({ "env": "WRONG" }))),
        ("issuers[0].from", with("/issuers/0/from", json!(["authorization", { "env": "WRONG" }]))),
        ("rules[0].access", with("/rules/0/access", json!({ "env": "WRONG" }))),
        ("sign_in.path", with("/sign_in", json!({ "path": { "env": "WRONG" } }))),
        ("assertion.keys[0]", with_keys(&["WRONG"])),
        ("assertion.secret", assertion(json!({ "secret": { "env": "WRONG" } }))),
    ];
    let cases: Vec<(String, Value)> = own
        .map(|(place, document)| (place.to_owned(), document))
        .into_iter()
        .chain(texts)
        .collect();
    for (place, document) in &cases {
        let values = [("SECRET", GOOD_SECRET), ("LONG", GOOD_SECRET), ("WRONG", "not, right")];
        let errors =
            compile(document, &values).err().unwrap_or_else(|| panic!("{place}: accepted"));
        let named = errors
            .iter()
            .any(|error| error.path == *place && error.problem.ends_with(" (value of WRONG)"));
        assert!(named, "{place}: {errors:?}");
        assert!(
            errors.iter().all(|error| !error.to_string().contains("not, right")),
            "{place}: its value is shown"
        );
    }
    let written = compile(
        &with("/issuers/0/url", json!({ "env": "NOT_SET", "default": "x" })),
        &[("SECRET", GOOD_SECRET)],
    );
    assert!(
        written.err().iter().flatten().all(|error| !error.problem.contains("value of")),
        "a default is nobody's value"
    );
    println!("wrong variables: {} cases", cases.len());
}

#[test]
fn what_better_auth_does_only_if_told_to_is_a_warning() {
    let service = |members: Value| {
        let mut document = with("/issuers/0/base_path", json!("/auth"));
        document["issuers"][0]
            .as_object_mut()
            .into_iter()
            .for_each(|own| own.extend(members.as_object().cloned().unwrap_or_default()));
        document
    };
    let issuer = ("issuers[0].issuer", "https://example.com");
    let jwks_url = ("issuers[0].jwks_url", "/auth/jwks");
    let cases = [
        (json!({}), None),
        (json!({ "issuer": "https://example.com" }), None),
        (json!({ "issuer": "https://example.com/" }), Some(issuer)),
        (json!({ "issuer": "https://preview.example.com" }), Some(issuer)),
        (json!({ "issuer": "http://example.com" }), Some(issuer)),
        (json!({ "issuer": "our-issuer" }), Some(issuer)),
        (json!({ "jwks_url": null }), None),
        (json!({ "jwks_url": "https://example.com/auth/keys" }), None),
        (
            json!({ "jwks_url": "https://example.com/auth/jwks", "fetch_url": "http://127.0.0.1:3001" }),
            None,
        ),
        (
            json!({ "jwks_url": "http://127.0.0.1:3001/auth/jwks", "fetch_url": "http://127.0.0.1:3001" }),
            None,
        ),
        (json!({ "jwks_url": "https://example.com/.well-known/jwks.json" }), Some(jwks_url)),
        (json!({ "jwks_url": "https://example.com/authentic/jwks" }), Some(jwks_url)),
        (json!({ "jwks_url": "https://preview.example.com/auth/jwks" }), Some(jwks_url)),
    ];
    for (members, expected) in &cases {
        let policy = compile(&service(members.clone()), &[("SECRET", GOOD_SECRET)])
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        let warnings = policy.warnings();
        assert_eq!(
            warnings.iter().map(|warning| warning.path.as_str()).collect::<Vec<_>>(),
            expected.iter().map(|(path, _)| *path).collect::<Vec<_>>(),
            "{members}"
        );
        assert!(
            warnings.iter().zip(expected).all(|(warning, (_, usual))| warning.hint.contains(usual)),
            "{members}: {warnings:?}"
        );
    }
    let jwt = json!({ "type": "jwt", "issuer": "our-issuer", "audience": "a", "jwks_url": "https://keys.example/x" });
    let policy = compile(&with("/issuers/1", jwt), &[("SECRET", GOOD_SECRET)])
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    assert!(policy.warnings().is_empty(), "other issuers are what they are");
    let variable = service(json!({ "issuer": { "env": "ISS" } }));
    let policy = compile(&variable, &[("SECRET", GOOD_SECRET), ("ISS", "x-y-z")])
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    let shown: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
    assert!(
        shown.len() == 1
            && shown.iter().all(|line| line.contains("(value of ISS)") && !line.contains("x-y-z")),
        "{shown:?}"
    );
    println!("unusual services: {} cases", cases.len());
}

/// As Better Auth itself: below 120 bits, were each character as likely as any other of them.
#[test]
fn a_secret_of_few_characters_is_a_warning() {
    let cases = [
        ("ab".repeat(59), true),
        ("ab".repeat(60), false),
        ("abababababababababababababababab".to_owned(), true),
        ("a".repeat(500), true),
        ("abcd".repeat(15), false),
        (["abcd".repeat(14), "abc".to_owned()].concat(), true),
        (GOOD_SECRET.to_owned(), false),
    ];
    for (secret, warned) in &cases {
        let policy =
            compile(&good(), &[("SECRET", secret)]).unwrap_or_else(|errors| panic!("{errors:?}"));
        let shown: Vec<String> = policy.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), usize::from(*warned), "{secret}: {shown:?}");
        assert!(
            shown.iter().all(|line| line.contains("few different characters (value of SECRET)")
                && !line.contains(secret)),
            "{shown:?}"
        );
    }
    println!("secrets of few characters: {} cases", cases.len());
}

#[test]
fn a_policy_that_ends_too_early_is_a_warning() {
    for (rules, warned) in [
        (json!([["/a/**", "required"]]), true),
        (json!([["/*", "required"]]), true),
        (json!([["/**", "required"]]), false),
    ] {
        let policy = compile(&good().with_rules(rules.clone()), &[("SECRET", GOOD_SECRET)])
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        let places: Vec<_> =
            policy.warnings().iter().map(|warning| warning.path.as_str()).collect();
        assert_eq!(places, if warned { vec!["rules"] } else { vec![] }, "{rules}");
    }
}

#[test]
fn functions_that_a_public_rest_does_not_cover_are_a_warning() {
    let open = json!([["/admin/**", "required"], ["/**", "public"]]);
    let named = json!([["/_actions/**", "required"], ["/**", "public"]]);
    for (framework, rules, warned) in [
        (json!("astro"), &open, true),
        (json!("astro"), &named, false),
        (json!("sveltekit"), &open, true),
        (json!("sveltekit"), &json!([["/_app/remote/**", "public"], ["/**", "public"]]), false),
        (json!("tanstack-start"), &open, true),
        (json!("tanstack-start"), &json!([["/**", "required"]]), false),
        (json!("astro"), &json!([["/**", "optional"]]), false),
        (json!("next"), &open, false),
        (json!("none"), &open, false),
    ] {
        let document = with("/framework", framework.clone()).with_rules(rules.clone());
        let policy = compile(&document, &[("SECRET", GOOD_SECRET)])
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        let said = policy
            .warnings()
            .iter()
            .any(|warning| warning.path == "rules" && warning.problem.contains("functions"));
        assert_eq!(said, warned, "{framework} {rules}");
    }
}

/// A public prefix does not cover the functions below it, so a later rule for them is not in vain.
#[test]
fn a_rule_for_functions_may_follow_what_is_public_around_them() {
    let below = json!([
        ["/_app/**", "public"],
        ["/_app/remote/x/**", "required"],
        ["/_app/remote/**", "public"]
    ]);
    let rules = |list: &Value| good().with_rules(list.clone());
    assert!(compile(&rules(&below), &[("SECRET", GOOD_SECRET)]).is_ok());
    let mut known = rules(&below);
    known["framework"] = json!("sveltekit");
    assert!(compile(&known, &[("SECRET", GOOD_SECRET)]).is_ok());
    // To another framework they are paths like others.
    known["framework"] = json!("next");
    assert!(compile(&known, &[("SECRET", GOOD_SECRET)]).is_err());
    let covered = json!([["/_app/remote/**", "public"], ["/_app/remote/x/**", "required"]]);
    assert!(compile(&rules(&covered), &[("SECRET", GOOD_SECRET)]).is_err());
}

#[test]
fn a_sign_in_page_that_nobody_gets_to_is_a_warning() {
    let first = |path: &str, access: &str| json!([{ "path": path, "access": access }, { "path": "/**", "access": "required" }]);
    for (rules, warned) in [
        (first("/sign-in", "public"), false),
        (first("/sign-in", "optional"), false),
        (first("/public/**", "public"), true),
        (json!([{ "path": "/app/**", "access": "required" }]), true),
        (
            json!([{ "path": "/sign-in", "methods": "POST", "access": "public" }, { "path": "/**", "access": "required" }]),
            true,
        ),
    ] {
        let mut document = with("/sign_in", json!({ "path": "/sign-in" }));
        document["rules"] = rules.clone();
        let policy = compile(&document, &[("SECRET", GOOD_SECRET)])
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(
            policy.warnings().iter().any(|warning| warning.path == "sign_in.path"),
            warned,
            "{rules}"
        );
    }
}

#[test]
fn demands_that_signing_out_fulfils_are_a_warning() {
    for (access, warned) in [("optional", true), ("required", false)] {
        let document = ruled(json!({ "access": access, "roles": "admin" }));
        let policy = compile(&document, &[("SECRET", GOOD_SECRET)])
            .unwrap_or_else(|errors| panic!("{errors:?}"));
        assert_eq!(
            policy.warnings().iter().any(|warning| warning.path == "rules[0].access"),
            warned,
            "{access}"
        );
    }
}

#[test]
fn a_short_secret_is_a_warning() {
    for (length, warned) in [(16, true), (31, true), (32, false)] {
        let secret = "0123456789abcdef0123456789abcdef".split_at(length).0;
        let policy =
            compile(&good(), &[("SECRET", secret)]).unwrap_or_else(|errors| panic!("{errors:?}"));
        let warnings = policy.warnings();
        assert_eq!(
            warnings.iter().map(|warning| warning.path.as_str()).collect::<Vec<_>>(),
            if warned { vec!["issuers[0].secret"] } else { vec![] }
        );
        assert!(warnings.iter().all(|warning| !warning.to_string().contains(secret)
            && warning.problem.ends_with("32 bytes (value of SECRET)")));
    }
    let twice = "2:a-secret-of-its-own-that-is-long-enough,1:a-short-old-secret";
    let listed = with("/issuers/0/secrets", json!({ "env": "LIST" }));
    let policy = compile(&listed, &[("SECRET", GOOD_SECRET), ("LIST", twice)])
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    let warned: Vec<_> = policy
        .warnings()
        .iter()
        .map(|warning| (warning.path.as_str(), warning.problem.as_str()))
        .collect();
    assert_eq!(
        warned,
        [("issuers[0].secrets", "the secret has fewer than 32 bytes (value of LIST)")]
    );
}

/// On a host without a shared cache nothing would come of it.
#[test]
fn sharing_with_nobody_is_a_warning() {
    let shares = with("/issuers/0/share_sessions", json!(true));
    let values = BTreeMap::from([("SECRET".to_owned(), GOOD_SECRET.to_owned())]);
    for (host, warned) in [(Capabilities::none(), 1), (Capabilities::none().and_sharing(), 0)] {
        let policy =
            Config::parse(&shares.to_string()).and_then(|config| config.compile(&values, &host));
        let policy = policy.unwrap_or_else(|errors| panic!("{errors:?}"));
        let warnings = policy.warnings();
        assert_eq!(warnings.len(), warned);
        assert!(warnings.iter().all(|warning| warning.path == "issuers[0].share_sessions"));
    }
}

#[test]
fn one_token_for_two_origins_is_a_warning() {
    let bridge = |path: &str, upstream: &str, audience: &[&str]| {
        let mut rule =
            json!({ "path": path, "access": "required", "bearer": "bridge", "upstream": upstream });
        if !audience.is_empty() {
            rule["bearer_audience"] = json!(audience);
        }
        rule
    };
    for (one, other, is_warned) in [
        (bridge("/a", "https://a.example", &[]), bridge("/b", "https://b.example", &[]), true),
        (
            bridge("/a", "https://a.example", &["a", "c"]),
            bridge("/b", "https://b.example", &["b", "c"]),
            true,
        ),
        (
            bridge("/a", "https://a.example", &["a"]),
            bridge("/b", "https://b.example", &["b"]),
            false,
        ),
        (bridge("/a", "https://a.example", &[]), bridge("/b", "https://a.example", &[]), false),
        (
            bridge("/a", "https://a.example", &[]),
            json!({ "path": "/b", "access": "required" }),
            false,
        ),
    ] {
        let policy = compile(&with("/rules", json!([one, other])), &[("SECRET", GOOD_SECRET)]);
        let policy = policy.unwrap_or_else(|errors| panic!("{errors:?}"));
        let places: Vec<&str> = policy
            .warnings()
            .iter()
            .filter(|warning| warning.path.ends_with(".bearer"))
            .map(|warning| warning.path.as_str())
            .collect();
        assert_eq!(
            places,
            if is_warned { vec!["rules[1].bearer"] } else { vec![] },
            "{one} {other}"
        );
    }
}

#[test]
fn what_is_not_json_is_said_to_be_none() {
    for text in ["{", "[]", "7", "{\"rules\":[],\"rules\":[]}", "{} {}"] {
        assert!(Config::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_preset_names_its_variables_and_works_with_two_of_them() {
    let preset = Config::parse("").unwrap_or_else(|errors| panic!("{errors:?}"));
    let names = [
        "AUTH_SECRET",
        "BETTER_AUTH_ISSUER",
        "BETTER_AUTH_JWKS_URL",
        "BETTER_AUTH_SECRET",
        "BETTER_AUTH_SECRETS",
        "BETTER_AUTH_URL",
    ];
    assert_eq!(preset.names(), names);
    let values = BTreeMap::from(
        [("BETTER_AUTH_URL", "https://example.com"), ("BETTER_AUTH_SECRET", GOOD_SECRET)]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    assert!(preset.compile(&values, &Capabilities::none()).is_ok());
    let errors = preset.compile(&BTreeMap::new(), &Capabilities::none()).err().unwrap_or_default();
    assert!(errors.iter().any(|error| error.hint.contains("BETTER_AUTH_URL")), "{errors:?}");
    let without_secret =
        BTreeMap::from([("BETTER_AUTH_URL".to_owned(), "https://example.com".to_owned())]);
    let errors = preset.compile(&without_secret, &Capabilities::none()).err().unwrap_or_default();
    assert_eq!(
        errors.iter().map(|error| error.path.as_str()).collect::<Vec<_>>(),
        ["issuers[0].secret"]
    );
}
