//! `Cookie` headers, one per line. Somebody is signed in exactly if another reader of cookies finds
//! the very values that Better Auth wrote.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::world::{
    End, NOW, Outcome, SECRET, agree, cookie, engine, latin1, page, play, vector, vectors,
};

const TOKEN: &str = "better-auth.session_token";
const DATA: &str = "better-auth.session_data";

/// The one session that the auth service knows.
const ALIVE: &str = "mgEmFJZZmbqoXveeu2jCGsvbqGc6pBhh";
/// The moment of the decision: by then a lease that was taken for the explanation has run out.
const THEN: i64 = NOW + 3000;

/// A session that is good at that moment: the values of its cookies, and whose it is.
struct Session {
    token: Option<String>,
    data: Option<String>,
    subject: &'static str,
}

static SESSIONS: LazyLock<Vec<Session>> = LazyLock::new(|| {
    let is_good = |vector: &&'static Value| {
        let is_odd =
            vector.get("jwks").is_some() || vector["config"].get("cookie_cache_version").is_some();
        let is_now = vector["expect"]["claims"]["cache_expires_at_ms"]
            .as_i64()
            .is_some_and(|end| THEN <= end);
        vector["expect"]["verdict"] == "authenticated"
            && vector["secrets"][0] == SECRET
            && is_now
            && !is_odd
    };
    let good = vectors().filter(is_good).map(|vector| {
        let lines = [cookies_of(vector)];
        let subject = vector["expect"]["claims"]["user_id"].as_str().unwrap_or_default();
        Session { token: cookie(&lines, TOKEN), data: cookie(&lines, DATA), subject }
    });
    good.filter(|session| session.token.is_some() && session.data.is_some()).collect()
});

pub fn run(input: &[u8]) -> End {
    let lines: Vec<String> = input.split(|byte| *byte == b'\n').map(latin1).collect();
    let headers: Vec<(&str, &str)> = lines.iter().map(|line| ("cookie", line.as_str())).collect();
    let head = page(&headers);
    let mut engine = engine(
        json!({ "jwks": { "keys": [] }, "jwks_url": null, "token_locations": ["authorization"] }),
    );
    agree(&mut engine, &head, NOW);

    let alive = json!({ "session": { "token": ALIVE, "expiresAt": "2026-11-30T03:00:00.250Z", "userId": "asked" }, "user": { "id": "asked" } });
    let body = alive.to_string().into_bytes();
    let end = play(&mut engine, &head, THEN, &mut |fetch| {
        for (name, value) in &fetch.headers {
            assert!(
                name != "cookie" || value.split("; ").all(|pair| pair.starts_with("better-auth.")),
                "a foreign cookie is sent"
            );
        }
        Outcome::Answered(200, body.clone())
    });
    assert_eq!(
        end,
        play(&mut engine, &head, THEN, &mut |_| Outcome::Failed),
        "what the auth service said is forgotten"
    );

    let token = cookie(&lines, TOKEN);
    let data = cookie(&lines, DATA);
    let is_alive = token == cookie(&[cookies_of(vector("session-token-valid-signature"))], TOKEN);
    let known = SESSIONS
        .iter()
        .find(|session| session.token == token && session.data == data)
        .map(|session| session.subject);
    let expected = known.or_else(|| is_alive.then_some("asked"));
    match (&end, expected) {
        (End::Identity(_), Some(_)) => assert_eq!(end.subject(), expected),
        (End::Refused(_), None) => {}
        (end, expected) => panic!("{end:?} where another reader finds {expected:?}"),
    }
    end
}

fn cookies_of(vector: &Value) -> String {
    vector["cookie"].as_str().unwrap_or_default().to_owned()
}
