//! `doorward explain` says of every vector (tests/vectors/) what the engine decides, offline: the
//! same kind of decision, for the same reason. Where a vector needs no result of an effect, that is
//! also what its hand-written expectation says.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use doorward::{
    Capabilities, Config, Decision, Effect, EffectResult, Engine, RequestHead, UnixTime,
};
use serde_json::{Value, json};
use support::World;

#[test]
fn every_vector_is_explained_as_it_is_decided() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/decisions");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    let halves = [0, 1].map(|half| {
        let own: Vec<_> = files.iter().skip(half).step_by(2).cloned().collect();
        std::thread::spawn(move || {
            let mut count = Count::default();
            for file in &own {
                count.play(file);
            }
            count
        })
    });
    let mut all = Count::default();
    for half in halves {
        let own = half.join().unwrap_or_else(|_| panic!("a thread ended"));
        all.compared += own.compared;
        all.expected += own.expected;
        all.left_out += own.left_out;
        all.kept += own.kept;
        all.changed += own.changed;
        all.searched += own.searched;
        all.wrong.extend(own.wrong);
    }
    println!(
        "{} vectors explained as they are decided, {} of them also as expected by hand; {} have a target that no URL has",
        all.compared, all.expected, all.left_out
    );
    println!(
        "{} of them are the same as a saved vector, {} are not, for want of what has signed them; \
         {} values of cookies and tokens searched for",
        all.kept, all.changed, all.searched
    );
    assert!(all.kept > 2_000 && all.searched > 2_000);
    assert!(all.wrong.is_empty(), "{} differ:\n{}", all.wrong.len(), all.wrong.join("\n"));
    assert!(all.compared > 3_000 && all.expected > 1_500 && all.left_out < 10);
}

#[derive(Default)]
struct Count {
    compared: usize,
    expected: usize,
    left_out: usize,
    /// Saved as a vector, it comes to the same decision, or to another one.
    kept: usize,
    changed: usize,
    /// Values that must not be in a saved vector.
    searched: usize,
    wrong: Vec<String>,
}

impl Count {
    fn play(&mut self, file: &Path) {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}"));
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        for case in document["cases"].as_array().into_iter().flatten() {
            let policy = &document["policies"][case["policy"].as_str().unwrap_or_default()];
            if !case["request"]["target"].as_str().is_some_and(|target| target.starts_with('/')) {
                self.left_out += 1;
                continue;
            }
            let (explained, vector) = explained(policy, case);
            let decided = decided(policy, case);
            self.compared += 1;
            let name = &case["name"];
            self.look_at(&vector, case, &explained[1]);
            if explained != decided {
                self.wrong.push(format!("{name}: explained {explained}, decided {decided}"));
            }
            let is_empty = |member: &str| case[member].as_array().is_none_or(Vec::is_empty);
            // A pasted request does not tell that it came from this machine.
            let address = case["request"]["client_address"].as_str().unwrap_or_default();
            let is_local = address.contains("127.") || address == "::1";
            let is_alone = case["after"].is_null() && is_empty("results") && !is_local;
            if is_alone && only_checks(&case["expect"]) {
                self.expected += 1;
                let expected = expected(&case["expect"]);
                if explained != expected {
                    self.wrong.push(format!("{name}: explained {explained}, expected {expected}"));
                }
            }
        }
    }
}

impl Count {
    /// A saved vector has nothing of a cookie or a token in it, and says where it comes to another
    /// decision.
    fn look_at(&mut self, vector: &Value, case: &Value, reason: &Value) {
        if vector.is_null() {
            return;
        }
        let own = &vector["cases"][0];
        let text = vector.to_string();
        for value in values_of(&case["request"]) {
            self.searched += 1;
            if text.contains(&value) {
                self.wrong.push(format!("{}: {value} is in the saved vector", case["name"]));
            }
        }
        let kind = own["expect"].as_object().and_then(|members| members.values().next());
        let is_same = kind.is_some_and(|kind| kind["reason"] == *reason);
        let says_so = !own["name"].as_str().unwrap_or_default().contains("in place of");
        if is_same {
            self.kept += 1;
        } else {
            self.changed += 1;
        }
        if is_same != says_so {
            self.wrong
                .push(format!("{}: the saved vector is called {}", case["name"], own["name"]));
        }
    }
}

/// What of cookies and `Authorization` is long enough to be told from others. The first part of a
/// JWT says how it is signed, and a chunk may begin with dates: these stay.
fn values_of(request: &Value) -> Vec<String> {
    let mut values = Vec::new();
    for pair in request["headers"].as_array().into_iter().flatten() {
        let (name, value) =
            (pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default());
        match &*name.to_ascii_lowercase() {
            "cookie" => {
                let pairs = value.split(';').filter_map(|own| own.trim().split_once('='));
                for (name, value) in pairs {
                    let token = name.split_once("_multi-").map(|(_, token)| token.to_owned());
                    values.extend(token);
                    if !name.ends_with(|letter: char| letter.is_ascii_digit()) {
                        values.push(value.to_owned());
                    }
                }
            }
            "authorization" => {
                values.push(value.rsplit(' ').next().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }
    let parts = values.iter().flat_map(|value| {
        let is_jwt = value.starts_with("eyJ") && value.contains('.');
        let parts = value.split(['.', '%', '+', '/', '=', ',', ' ']);
        parts.skip(usize::from(is_jwt)).filter(|part| !names_nobody(part)).map(str::to_owned)
    });
    let is_telling = |part: &String| {
        let first = part.chars().next();
        part.len() >= 20 && part.chars().any(|letter| Some(letter) != first)
    };
    parts.filter(is_telling).collect()
}

/// Claims of a JWT without a subject stay as they are.
fn names_nobody(part: &str) -> bool {
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
    let claims: Value = serde_json::from_slice(&payload.unwrap_or_default()).unwrap_or_default();
    claims.as_object().is_some_and(|claims| !claims.contains_key("sub"))
}

/// Whether nothing had to be fetched, read or signed.
fn only_checks(expect: &Value) -> bool {
    let effects = expect["effects"].as_array();
    effects.is_none_or(|effects| effects.iter().all(|effect| effect == "check"))
}

fn expected(expect: &Value) -> Value {
    for kind in ["forward", "reject", "redirect", "respond"] {
        if let Some(own) = expect.get(kind) {
            return json!([kind, own.get("reason")]);
        }
    }
    Value::Null
}

/// What the command says, and the vector that it gives.
fn explained(policy: &Value, case: &Value) -> (Value, Value) {
    let request = &case["request"];
    let headers = request["headers"].as_array().into_iter().flatten();
    let url = |name: &str| request[name].as_str().unwrap_or_default();
    let har = json!({
        "method": request["method"],
        "url": format!("{}{}", url("public_origin"), url("target")),
        "headers": headers.map(|pair| json!({ "name": pair[0], "value": pair[1] })).collect::<Vec<_>>(),
    });
    let mut world = World::default();
    world.files.insert("doorward.json".to_owned(), policy["config"].to_string());
    world.files.insert("request.har".to_owned(), har.to_string());
    world.env = env(policy);
    let at = moment(case["now_ms"].as_i64().unwrap_or_default());
    let played = world.play(&["explain", "request.har", "--json", "--at", &at]);
    let said: Value = serde_json::from_str(&played.out).unwrap_or_default();
    if said["gate"]["decision"].is_null() {
        return (json!([played.err, said["gate"]]), Value::Null);
    }
    assert!(played.others.is_empty(), "nothing is sent: {:?}", played.others);
    // The way ends where the reason belongs.
    let passes = said["way"].as_array().into_iter().flatten().all(|own| own["state"] == "passed");
    assert_eq!(passes, said["gate"]["reason"].is_null(), "{said:#}");
    (json!([said["gate"]["decision"], said["gate"]["reason"]]), said["vector"].clone())
}

/// What the engine decides where nobody answers.
fn decided(policy: &Value, case: &Value) -> Value {
    let request = &case["request"];
    let text = |name: &str| request[name].as_str().unwrap_or_default();
    let config =
        Config::parse(&policy["config"].to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let host = Capabilities::checking(|_| true)
        .and_signing(|_| true)
        .and_telling()
        .and_stores(config.stores());
    let compiled = config.compile(&env(policy), &host);
    let mut engine = Engine::new(compiled.unwrap_or_else(|errors| panic!("{errors:?}")), 7);
    let headers: Vec<(&str, &str)> = request["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pair| (pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default()))
        .collect();
    let head = RequestHead {
        method: text("method"),
        target: text("target"),
        headers: &headers,
        public_origin: text("public_origin"),
        client_address: None,
    };
    let now = UnixTime::from_millis(case["now_ms"].as_i64().unwrap_or_default());
    let mut decision = engine.decide(&head, now);
    loop {
        let pending = match decision {
            Decision::Perform(pending) => pending,
            Decision::Forward(_) => return json!(["forward", null]),
            Decision::Respond(_) => return json!(["respond", null]),
            Decision::Reject(refusal) => return json!(["reject", refusal.reason.code()]),
            Decision::Redirect(refusal) => return json!(["redirect", refusal.reason.code()]),
        };
        let result = match pending.effect() {
            Effect::Check(check) => doorward_native::check_signature(check)
                .map_or(EffectResult::Failed, EffectResult::Checked),
            Effect::Sign(_) => EffectResult::Signed(&[0; 64]),
            Effect::Wait { .. } => EffectResult::Waited,
            _ => EffectResult::Failed,
        };
        decision = engine.resume(&head, pending, result, now);
    }
}

fn env(policy: &Value) -> BTreeMap<String, String> {
    let own = policy["env"].as_object().into_iter().flatten();
    own.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// Milliseconds since 1970 as the command line takes a moment (RFC 3339).
fn moment(millis: i64) -> String {
    let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let mut year = 1970;
    let mut left = days;
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while left >= if is_leap(year) { 366 } else { 365 } {
        left -= if is_leap(year) { 366 } else { 365 };
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (seconds, thousandths) = (of_day / 1000 % 60, of_day % 1000);
    format!(
        "{year}-{month:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}Z",
        left + 1
    )
}
