//! What the integration tests share: an engine over Better Auth's own vectors.
#![allow(dead_code)] // each test file uses a part

use std::collections::BTreeMap;
use std::sync::LazyLock;

use doorward::{Capabilities, Config, Engine, Policy, UnixTime};
use serde_json::{Value, json};

/// The public origin of every request here.
pub(crate) const ORIGIN: &str = "http://localhost:3000";
/// The secret of the vectors: a throwaway.
pub(crate) const SECRET: &str = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";

static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../vectors/better-auth/vectors.json")).unwrap_or_default()
});

/// A vector of `tests/vectors/better-auth/vectors.json` by its name.
pub(crate) fn vector(name: &str) -> Value {
    let vectors = VECTORS["vectors"].as_array().into_iter().flatten();
    vectors
        .into_iter()
        .find(|vector| vector["name"] == name)
        .cloned()
        .unwrap_or_else(|| panic!("there is no vector {name}"))
}

/// The moment of a vector.
pub(crate) fn moment(vector: &Value) -> UnixTime {
    UnixTime::from_millis(vector["now_ms"].as_i64().unwrap_or_default())
}

/// A text of a vector.
pub(crate) fn text(vector: &Value, name: &str) -> String {
    vector[name].as_str().unwrap_or_default().to_owned()
}

/// An engine that asks for everything: public, optional and required paths, cookies, bearer tokens
/// and JWTs.
pub(crate) fn engine() -> Engine {
    engine_with(json!({}))
}

/// The same with further members of the issuer.
pub(crate) fn engine_with(members: Value) -> Engine {
    engine_of(members, json!({}), &[])
}

/// The same with further members of the document, and stores that the host has.
pub(crate) fn engine_of(members: Value, more: Value, stores: &[&str]) -> Engine {
    let stores = stores.iter().map(|name| (*name).to_owned());
    engine_on(&doorward_native::capabilities().and_sharing().and_stores(stores), members, more)
}

/// The same on a host that has no cache to share, and has everything counted.
pub(crate) fn measuring_engine_of(members: Value, more: Value) -> Engine {
    engine_on(&doorward_native::capabilities().and_measuring(), members, more)
}

fn engine_on(host: &Capabilities, members: Value, more: Value) -> Engine {
    let mut issuer = json!({
        "type": "better-auth",
        "url": ORIGIN,
        "secret": { "env": "SECRET" },
        "bearer_tokens": "any",
        "token_locations": ["authorization", "cookie:jwt", "header:x-token"],
    });
    if let (Some(issuer), Some(members)) = (issuer.as_object_mut(), members.as_object()) {
        issuer.extend(members.clone());
    }
    let mut document = json!({
        "issuers": [issuer],
        "rules": [
            { "path": ["{auth}/**", "/public/**", "/sign-in"], "access": "public" },
            { "path": "/optional/**", "access": "optional" },
            { "path": "/denied-by-method", "methods": ["PUT"], "access": "required" },
            { "path": ["/", "/app/**", "/api/**"], "access": "required" },
        ],
        "sign_in": { "path": "/sign-in" },
        "debug_header": true,
    });
    if let (Some(document), Some(more)) = (document.as_object_mut(), more.as_object()) {
        document.extend(more.clone());
    }
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let values = BTreeMap::from([("SECRET".to_owned(), SECRET.to_owned())]);
    let policy = config.compile(&values, host).unwrap_or_else(|errors| panic!("{errors:?}"));
    Engine::new(policy, 7)
}

/// The policy of an issuer whose tokens are only looked at up to their signature.
pub(crate) fn jwt_policy(host: &Capabilities) -> Policy {
    let document = json!({
        "issuers": [{ "type": "jwt", "issuer": "https://issuer.test", "audience": "a", "jwks_url": "https://issuer.test/jwks" }],
        "rules": [{ "path": "/**", "access": "required" }],
    });
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    config.compile(&BTreeMap::new(), host).unwrap_or_else(|errors| panic!("{errors:?}"))
}
