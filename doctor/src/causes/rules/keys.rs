//! Is there a key set, and can it be fetched?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Rule};
use crate::facts::Facts;
use crate::plan::Plan;
use crate::wall::Wall;

pub(super) const RULES: &[Rule] = &[
    (Cause::JwtPluginMissing, jwt_plugin_missing),
    (Cause::JwksNotJson, jwks_not_json),
    (Cause::JwksEmpty, jwks_empty),
    (Cause::SchemaNotMigrated, schema_not_migrated),
    (Cause::JwksKeyUndecryptable, jwks_key_undecryptable),
    (Cause::JwksManyKeys, jwks_many_keys),
];

fn jwt_plugin_missing(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let keys = &facts.keys;
    facts.reach.base.as_ref()?;
    if keys.status != Some(404) || keys.token_status.is_some_and(|status| status != 404) {
        return None;
    }
    let seen = "/jwks and /token are answered with 404, and the service with 200";
    let is_wanted = plan.expected.wants_jwt || plan.api.is_some() || facts.token.is_some();
    // Without anybody who verifies JWTs there is nothing wrong with a service that makes none.
    Some(if is_wanted {
        Finding::proof(Cause::JwtPluginMissing, seen).by(&["jwks", "token"])
    } else {
        let seen =
            format!("{seen}: there are no JWTs, which matters only to an API that wants them");
        Finding::hint(Cause::JwtPluginMissing, seen).by(&["jwks", "token"])
    })
}

fn jwks_not_json(facts: &Facts, _: &Plan) -> Option<Finding> {
    if let Some(status) = facts.keys.status.filter(|status| !matches!(status, 200 | 404 | 500..)) {
        let seen = format!("/jwks is answered with {status}");
        return Some(Finding::proof(Cause::JwksNotJson, seen).by(&["jwks"]));
    }
    if let Some(Wall::Forbidden { status } | Wall::Refused { status } | Wall::Gateway { status }) =
        &facts.keys.wall
    {
        let seen =
            format!("/jwks is answered with {status} by something in front of the auth service");
        return Some(Finding::proof(Cause::JwksNotJson, seen).by(&["jwks"]));
    }
    let kind = facts.keys.wrong_kind?;
    let what = match kind {
        "html" => "a page",
        "empty" => "nothing",
        "json" => "JSON that is no key set",
        _ => "text",
    };
    let seen = format!("/jwks is answered with 200 and {what}");
    Some(Finding::proof(Cause::JwksNotJson, seen).by(&["jwks"]))
}

fn jwks_empty(facts: &Facts, _: &Plan) -> Option<Finding> {
    let keys = facts.keys.keys.as_ref()?;
    if keys.iter().any(|key| key.is_usable) {
        return None;
    }
    let seen = match keys.len() {
        0 => "the key set has no key".to_owned(),
        count => format!("the key set has {count} key(s), none of a kind that verifiers know"),
    };
    Some(Finding::proof(Cause::JwksEmpty, seen).by(&["jwks"]))
}

fn schema_not_migrated(facts: &Facts, _: &Plan) -> Option<Finding> {
    let status = facts.keys.status.filter(|status| *status >= 500)?;
    if facts.oracle.knows != Some(true) || facts.oracle.lookup_error.is_some() {
        return None;
    }
    let seen = format!("sessions are looked up well, and /jwks fails ({status})");
    let unless = "the key may be unreadable for another reason; the service's log says which";
    Some(Finding::strong(Cause::SchemaNotMigrated, seen, unless).by(&["jwks", "oracle.plain"]))
}

fn jwks_key_undecryptable(facts: &Facts, _: &Plan) -> Option<Finding> {
    let keys = facts.keys.keys.as_ref()?;
    let pasted = facts.pasted.error.as_ref().filter(|error| error.code.is_none());
    let sign_in = facts.sign_in.error.as_ref().filter(|error| error.code.is_none());
    let deep = facts.deep.failed.iter().find(|(_, _, code)| code.is_none());
    let status =
        pasted.or(sign_in).map(|error| error.status).or_else(|| deep.map(|failed| failed.1))?;
    if keys.is_empty() {
        return None;
    }
    let seen = format!(
        "/jwks has {} key(s), and the service fails ({status}, no body) as it signs a token",
        keys.len()
    );
    let unless = "another error of the jwt plugin looks the same; the service's log says which";
    Some(Finding::strong(Cause::JwksKeyUndecryptable, seen, unless).by(&[
        "jwks",
        "deep",
        "pasted",
        "sign-in.session",
    ]))
}

fn jwks_many_keys(facts: &Facts, _: &Plan) -> Option<Finding> {
    let count = facts.keys.keys.as_ref()?.len();
    let seen = format!("the key set has {count} keys");
    (count > 3).then(|| Finding::hint(Cause::JwksManyKeys, seen).by(&["jwks"]))
}
