//! The body of a key set's answer. Whatever it says, a token counts only if its own public key
//! stands in it, an answer that holds no set leaves the keys in use that were there before, and a
//! set without keys withdraws them.
//!
//! ```text
//! {…}                the body; or, one line for each key:
//! keys
//! <n> <members>      known key n (0 to 2) with these members before its own, of which those are left out
//! ```

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::world::{
    End, KNOWN, NOW, ORIGIN, Outcome, agree, configured, engine, known_keys, page, play,
};

pub fn run(input: &[u8]) -> End {
    let edited = input.strip_prefix(b"keys\n").map(edited);
    let input = edited.as_deref().unwrap_or(input);
    let set: Option<Value> = serde_json::from_slice(input).ok();
    let is_set = keys_of(input).is_some();
    let keys = keys_of(input).unwrap_or_default();
    let is_plain = is_written_plainly(input, set.as_ref());
    // A set with a key that is used, so that the one before it is gone.
    let replaces =
        is_plain && keys.iter().take(64).any(|key| KNOWN.iter().any(|known| known.key == key));
    let mut last = End::Anonymous;

    let engine_by_url = || engine(json!({ "jwks_url": format!("{ORIGIN}/jwks") }));
    for known in KNOWN.iter() {
        let bearer = format!("Bearer {}", known.token);
        let headers = [("authorization", bearer.as_str())];
        let head = page(&headers);
        let stands_there = keys.iter().any(|key| is_usable_as(key, known.key));

        // A new instance: the first set is this one.
        let mut engine = engine_by_url();
        let end = play(&mut engine, &head, NOW, &mut |_| Outcome::Answered(200, input.to_vec()));
        judge(&end, known.subject, stands_there);
        let must = keys.len() == 1 && keys.iter().all(|key| key == known.key) && is_plain;
        assert!(!must || end.subject() == Some(known.subject), "a good set is not used: {end:?}");
        agree(&mut engine, &head, NOW + 20);

        // The keys are there already: an answer without a set costs nothing, a set without the key,
        // or without any, ends it.
        let mut engine = engine_by_url();
        let good = known_keys().to_string().into_bytes();
        let first = play(&mut engine, &head, NOW, &mut |_| Outcome::Answered(200, good.clone()));
        assert_eq!(first.subject(), Some(known.subject), "the known set is not used");
        let later = NOW + 301_000; // stale, so that this request has the set fetched after its response
        let second =
            play(&mut engine, &head, later, &mut |_| Outcome::Answered(200, input.to_vec()));
        assert_eq!(second, first, "a stale set is not used while a new one is on its way");
        let third = play(&mut engine, &head, later + 100, &mut |_| Outcome::Failed);
        judge(&third, known.subject, stands_there || third == first && !replaces);
        assert!(is_set || third == first, "an answer that is no set empties the cache: {third:?}");
        let has_withdrawn_all = is_plain && is_set && keys.is_empty();
        assert!(
            !has_withdrawn_all || end_is_refusal(&third),
            "a key counts that is withdrawn: {third:?}"
        );
        if matches!(end, End::Identity(_)) || last == End::Anonymous {
            last = end;
        }
    }

    // The same document inside a configuration is a policy, or errors with places and hints.
    if let Some(set) = set {
        let document = json!({
            "issuers": [{ "type": "jwt", "issuer": ORIGIN, "audience": ORIGIN, "jwks": set }],
            "rules": [{ "path": "/**", "access": "required" }],
        });
        let _ = configured(&document.to_string());
    }
    last
}

fn end_is_refusal(end: &End) -> bool {
    matches!(end, End::Refused(_))
}

/// A set of known keys with other members.
fn edited(lines: &[u8]) -> Vec<u8> {
    let keys = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let (number, members) = line.split_first()?;
        let known = KNOWN.get(usize::from(number.checked_sub(b'0')?))?.key.as_object()?;
        let members =
            String::from_utf8_lossy(members.strip_prefix(b" ")?).trim_end_matches(',').to_owned();
        let own = known.iter().filter(|(name, _)| !members.contains(&format!("\"{name}\":")));
        let own = own.map(|(name, value)| format!("\"{name}\":{value}"));
        let all: Vec<String> = Some(members.clone())
            .filter(|members| !members.is_empty())
            .into_iter()
            .chain(own)
            .collect();
        Some(format!("{{{}}}", all.join(",")))
    });
    format!("{{\"keys\":[{}]}}", keys.collect::<Vec<_>>().join(",")).into_bytes()
}

/// The keys of a set, each read on its own: one that cannot be read at all costs none of the
/// others.
fn keys_of(input: &[u8]) -> Option<Vec<Value>> {
    let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(input).ok()?;
    let keys: Vec<Box<RawValue>> = serde_json::from_str(members.get("keys")?.get()).ok()?;
    Some(keys.iter().map(|key| serde_json::from_str(key.get()).unwrap_or_default()).collect())
}

fn judge(end: &End, subject: &str, stands_there: bool) {
    match end {
        End::Identity(_) => assert!(
            end.subject() == Some(subject) && stands_there,
            "{end:?} by a key that is not in the set"
        ),
        End::Refused(_) => {}
        End::Anonymous => panic!("a page that asks for a session goes on without one"),
    }
}

/// Whether this may be used as that key: the same material, public, for signatures.
fn is_usable_as(key: &Value, known: &Value) -> bool {
    let is_same = ["kty", "crv", "x", "y", "n", "e"]
        .iter()
        .all(|name| known.get(name).is_none() || key.get(name) == known.get(name));
    is_same
        && may_verify(key)
        && key
            .get("alg")
            .is_none_or(|alg| alg == &known["alg"] || known["alg"] == "EdDSA" && alg == "Ed25519")
}

fn may_verify(key: &Value) -> bool {
    let is_private =
        ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| key.get(name).is_some());
    let verifies = key
        .get("key_ops")
        .is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")));
    !is_private && verifies && key.get("use").is_none_or(|used| used == "sig")
}

/// Whether the document is what a writer of JSON makes of it, but for the order of members.
fn is_written_plainly(input: &[u8], set: Option<&Value>) -> bool {
    set.is_some_and(|set| set.to_string().len() == input.len())
}
