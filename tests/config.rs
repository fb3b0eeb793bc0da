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

trait With {
    fn with_rules(self, list: Value) -> Value;
    fn with_methods(self, methods: Value) -> Value;
}

impl With for Value {
    fn with_rules(mut self, list: Value) -> Value {
        let rule = |rule: &Self| json!({ "path": rule[0], "access": rule[1] });
        self["rules"] = list.as_array().into_iter().flatten().map(rule).collect();
        self
    }

    fn with_methods(mut self, methods: Value) -> Value {
        self["rules"][0]["methods"] = methods;
        self
    }
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

/// A configuration of `tests/config`, and where the mistake in it is.
struct Case {
    name: String,
    config: Value,
    at: String,
}

fn cases(text: &str) -> Vec<Case> {
    let cases: Vec<Value> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let text = |case: &Value, member: &str| case[member].as_str().unwrap_or_default().to_owned();
    cases
        .iter()
        .map(|case| Case {
            name: text(case, "name"),
            config: case["config"].clone(),
            at: text(case, "at"),
        })
        .collect()
}

fn environment() -> BTreeMap<String, String> {
    serde_json::from_str(include_str!("config/env.json")).unwrap_or_else(|error| panic!("{error}"))
}

fn compile_with(
    document: &Value,
    values: &BTreeMap<String, String>,
) -> Result<Policy, Vec<ConfigError>> {
    Config::parse(&document.to_string())?.compile(values, &Capabilities::none())
}

#[test]
fn each_mistake_has_its_place() {
    let values = environment();
    let wrong = cases(include_str!("config/wrong.json"));
    for Case { name, config, at } in &wrong {
        let errors =
            compile_with(config, &values).err().unwrap_or_else(|| panic!("{name}: accepted"));
        assert!(errors.iter().any(|error| error.path == *at), "{name}: {errors:?}");
        for error in &errors {
            let shown = error.to_string();
            let secrets =
                ["nWGxne", "AAAAnnG", GOOD_SECRET, "a-secret-of-its-own", "fifteen-bytes"];
            assert!(
                secrets.iter().all(|secret| !shown.contains(secret)),
                "{name}: a secret is shown"
            );
            assert!(!error.hint.is_empty() && !error.problem.ends_with('.'), "{name}: {shown}");
        }
    }
    println!("wrong configurations: {} cases", wrong.len());
}

/// One mistake is told once: the errors at a place do not come from one another.
#[test]
fn what_is_of_the_wrong_kind_is_not_missing_as_well() {
    let kinds = [
        "expected ",
        "this member is missing",
        "there is no such member",
        "this member has another name",
    ];
    for Case { name, config, at } in cases(include_str!("config/wrong.json")) {
        let errors = compile_with(&config, &environment()).err().unwrap_or_default();
        let here: Vec<&ConfigError> = errors.iter().filter(|error| error.path == at).collect();
        let is_of_kind =
            here.iter().any(|error| kinds.iter().any(|kind| error.problem.starts_with(kind)));
        assert!(!is_of_kind || here.len() == 1, "{name}: {here:?}");
    }
}

/// The hint of an error says what to write, in the words of who has made the mistake.
#[test]
fn hints_name_the_member_that_was_meant() {
    let rule = |members: Value| json!({ "extends": "better-auth", "rules": [members] });
    let cases = [
        (json!({ "isuers": [] }), "isuers", "did you mean \"issuers\"?"),
        (json!({ "extends": "better-aut" }), "extends", "did you mean \"better-auth\"?"),
        (rule(json!({ "pathh": "/" })), "rules[0].pathh", "did you mean \"path\"?"),
        (rule(json!({ "access": "requird" })), "rules[0].access", "did you mean \"required\"?"),
        (rule(json!({ "refusalFormat": "api" })), "rules[0].refusalFormat", "\"refusal_format\""),
        (rule(json!({ "on_doubt": "pass" })), "rules[0].on_doubt", "\"on_unavailable\""),
        (rule(json!({ "bearer": "bridge" })), "rules[0].bearer", "\"token_exchange\": true"),
        (json!({ "asks_per_second": 5 }), "asks_per_second", "\"auth_requests_per_second\""),
        (json!({ "debug_header": "true" }), "debug_header", "without quotes"),
        (json!({ "docs_url": 7 }), "docs_url", "{\"env\": \"NAME\"}"),
    ];
    for (document, place, hint) in &cases {
        let errors = compile_with(document, &environment()).err().unwrap_or_default();
        let found = errors.iter().find(|error| error.path == *place);
        assert!(found.is_some_and(|error| error.hint.contains(hint)), "{place}: {errors:?}");
    }
    let kinds = [
        (json!(7), "found a number"),
        (json!([]), "found a list"),
        (json!(true), "found true or false"),
        (json!({}), "found an object"),
    ];
    for (value, found) in kinds {
        let errors =
            compile_with(&with("/docs_url", value), &environment()).err().unwrap_or_default();
        assert!(errors.iter().any(|error| error.problem.ends_with(found)), "{found}: {errors:?}");
    }
}

/// Places are those of the document that somebody has written; what is the preset's says so.
#[test]
fn mistakes_over_a_preset_have_the_places_that_were_written() {
    let document = json!({
        "extends": "better-auth",
        "rules": [{ "path": "x", "access": "public" }],
        "require": { "/b": { "roles": [] }, "/a/**": { "mode": "report" } },
        "public": ["y"],
        "issuers": [
            { "type": "jwt", "name": "other", "issuer": "https://a.example", "audience": "a" },
            { "cookie_prefix": "a b" },
        ],
    });
    let values = BTreeMap::from([("BETTER_AUTH_URL".to_owned(), "https://example.com".to_owned())]);
    let errors = compile_with(&document, &values).err().unwrap_or_default();
    let mut places: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    places.sort_unstable();
    places.dedup();
    let expected = [
        "issuers[0].jwks_url",
        "issuers[1].cookie_prefix",
        "issuers[1].secret",
        "public",
        "require[\"/a/**\"].report_until",
        "require[\"/b\"].roles",
        "rules[0].path",
    ];
    assert_eq!(places, expected);
    let untouched =
        compile_with(&json!({ "extends": "auth0" }), &BTreeMap::new()).err().unwrap_or_default();
    assert!(
        untouched.iter().all(|error| error.path.starts_with("preset auth0: issuers[0].")),
        "{untouched:?}"
    );
}

#[test]
fn a_preset_names_its_variables_and_stores_under_whatever_stands_over_it() {
    let config = |document: Value| {
        Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"))
    };
    let over = config(json!({
        "extends": "auth0",
        "public": { "env": "PUBLIC_PATHS", "optional": true },
        "issuers": { "audience": "fixed" },
        "deny_list": { "store": "LISTS" },
        "rules": [{ "path": "/x", "access": "required", "claims": { "env": "prod" } }],
    }));
    assert_eq!(over.names(), ["AUTH0_DOMAIN", "PUBLIC_PATHS"]);
    assert_eq!(over.stores(), ["LISTS"]);
    for (preset, variables) in [
        ("supabase", 3),
        ("clerk", 3),
        ("auth0", 2),
        ("workos", 1),
        ("cloudflare-access", 4),
        ("oidc", 3),
    ] {
        assert_eq!(config(json!({ "extends": preset })).names().len(), variables, "{preset}");
    }
}

/// What beats what is said where it surprises, and only there.
#[test]
fn an_overlap_over_a_preset_is_a_warning() {
    let over = |members: Value| {
        let mut document = json!({ "extends": "better-auth" });
        document.as_object_mut().into_iter().for_each(|own| {
            own.extend(members.as_object().cloned().unwrap_or_default());
        });
        document
    };
    for (members, places) in [
        (json!({ "public": ["/a"], "require": ["/a/**"] }), vec!["public"]),
        (json!({ "public": ["/a/*"], "require": ["/*/b"] }), vec!["public"]),
        (json!({ "public": ["/a"], "require": ["/a"] }), vec!["public"]),
        (
            json!({ "public": ["/a"], "rules": [{ "path": "/a/**", "access": "required" }] }),
            vec!["public"],
        ),
        (json!({ "public": ["/**"], "require": ["/a/**"] }), vec![]),
        (json!({ "public": ["/a/**"], "require": { "/a/b": {} } }), vec![]),
        (json!({ "public": ["/sign-in", "/favicon.ico"] }), vec![]),
        (json!({ "public": ["/a"], "rules": [{ "path": "/a", "access": "public" }] }), vec![]),
        (
            json!({ "rules": [{ "path": "/**", "access": "required" }] }),
            vec!["rules[0].path", "sign_in.path"],
        ),
        (json!({ "require": ["/api/**"] }), vec!["require"]),
        (
            json!({ "require": ["/api/**"], "rules": [{ "path": "{auth}/**", "access": "public" }] }),
            vec![],
        ),
        (
            json!({ "require": { "/api/**": {}, "/api/auth/**": {} } }),
            vec!["require[\"/api/auth/**\"]"],
        ),
    ] {
        let policy = compile_with(&over(members.clone()), &environment());
        let policy = policy.unwrap_or_else(|errors| panic!("{members}: {errors:?}"));
        let found: Vec<&str> =
            policy.warnings().iter().map(|warning| warning.path.as_str()).collect();
        assert_eq!(found, places, "{members}: {:?}", policy.warnings());
    }
}

/// The other side of the cases above: none of them is refused for something else.
#[test]
fn what_the_mistakes_are_near_is_right() {
    let right = cases(include_str!("config/right.json"));
    for Case { name, config, .. } in &right {
        compile_with(config, &environment()).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
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
    let number = at(
        "issuers[0].clock_tolerance_seconds",
        &with("/issuers/0/clock_tolerance_seconds", json!(61)),
        &[secret],
    );
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
        "bearer_tokens",
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
        (
            "issuers[0].token_locations",
            with("/issuers/0/token_locations", json!(["authorization", { "env": "WRONG" }])),
        ),
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
    let exchange = |path: &str, upstream: &str, audience: &[&str]| {
        let mut rule = json!({ "path": path, "access": "required", "token_exchange": true, "upstream": upstream });
        if !audience.is_empty() {
            rule["token_exchange"] = json!({ "audience": audience });
        }
        rule
    };
    for (one, other, is_warned) in [
        (exchange("/a", "https://a.example", &[]), exchange("/b", "https://b.example", &[]), true),
        (
            exchange("/a", "https://a.example", &["a", "c"]),
            exchange("/b", "https://b.example", &["b", "c"]),
            true,
        ),
        (
            exchange("/a", "https://a.example", &["a"]),
            exchange("/b", "https://b.example", &["b"]),
            false,
        ),
        (exchange("/a", "https://a.example", &[]), exchange("/b", "https://a.example", &[]), false),
        (
            exchange("/a", "https://a.example", &[]),
            json!({ "path": "/b", "access": "required" }),
            false,
        ),
    ] {
        let policy = compile(&with("/rules", json!([one, other])), &[("SECRET", GOOD_SECRET)]);
        let policy = policy.unwrap_or_else(|errors| panic!("{errors:?}"));
        let places: Vec<&str> = policy
            .warnings()
            .iter()
            .filter(|warning| warning.path.ends_with(".token_exchange"))
            .map(|warning| warning.path.as_str())
            .collect();
        assert_eq!(
            places,
            if is_warned { vec!["rules[1].token_exchange"] } else { vec![] },
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
        ["preset better-auth: issuers[0].secret"]
    );
}
