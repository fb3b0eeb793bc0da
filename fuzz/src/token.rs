//! A token at one of the places where an API token may be.
//!
//! ```text
//! raw <place> <later>               the rest is the token
//! signed <place> <later> [aged]     next line: header; the rest: payload; signed by a key of the set
//! ```
//! `place`: `a`uthorization, `c`ookie, `h`eader. `later`: milliseconds until the second look.
//! `aged`: with a maximum age of 100 s.

use serde_json::json;

use super::world::{
    End, KNOWN, NOW, Outcome, agree, as_header, cookie, engine, known_keys, latin1, line, number,
    page, play,
};
use super::{oracle, sign};

/// Who may have an identity at a moment, and whether they must.
struct Allowed {
    subject: String,
    must: bool,
}

pub fn run(input: &[u8]) -> End {
    let (first, rest) = line(input);
    let first = String::from_utf8_lossy(first);
    let mut words = first.split(' ');
    let (mode, place, later) = (words.next(), words.next(), number(words.next()));
    let max_age = (words.next() == Some("aged")).then_some(100);

    let token = if mode == Some("signed") {
        let (header, payload) = line(rest);
        sign::eddsa(header, payload)
    } else {
        latin1(rest)
    };
    let allowed_at = |now: i64| -> Option<Allowed> {
        if mode == Some("signed") {
            let (header, payload) = line(rest);
            let (subject, must) = oracle::of_jwt(header, payload, max_age, now)?;
            return Some(Allowed { subject: as_header(&subject), must });
        }
        // Only at its place in `Authorization` may white space surround a token.
        let seen = match place {
            Some("c") => cookie(&[format!("jwt={token}")], "jwt").unwrap_or_default(),
            Some("h") => token.clone(),
            _ => token.trim_matches(' ').to_owned(),
        };
        let known = KNOWN.iter().find(|known| known.token == seen)?;
        let payload = known.token.split('.').nth(1).unwrap_or_default();
        let payload = base64_decoded(payload);
        let exp = oracle::exp_millis(&payload)?;
        let is_now = (NOW - 60_250 - 5000..exp + 5000).contains(&now)
            && max_age.is_none_or(|age| now <= NOW - 60_250 + age * 1000 + 5000);
        is_now.then(|| Allowed { subject: known.subject.to_owned(), must: token == known.token })
    };
    let header = match place {
        Some("c") => ("cookie", format!("jwt={token}")),
        Some("h") => ("x-token", token.clone()),
        _ => ("authorization", format!("Bearer {token}")),
    };
    let headers = [(header.0, header.1.as_str())];
    let head = page(&headers);
    let new_engine = || {
        engine(
            json!({ "jwks": known_keys(), "jwks_url": null, "max_age_seconds": max_age, "token_locations": ["authorization", "cookie:jwt", "header:x-token"] }),
        )
    };
    let mut nothing = |_: &doorward::Fetch| Outcome::Failed;

    let mut warm = new_engine();
    agree(&mut warm, &head, NOW);
    let end = play(&mut warm, &head, NOW, &mut nothing);
    judge(&end, allowed_at, NOW);
    // Seen before, it is judged at its own moment, as by an engine that has never seen it.
    let then = NOW + later;
    agree(&mut warm, &head, then);
    let again = play(&mut warm, &head, then, &mut nothing);
    judge(&again, allowed_at, then);
    assert_eq!(
        again,
        play(&mut new_engine(), &head, then, &mut nothing),
        "a warm engine differs from a cold one"
    );
    if matches!(again, End::Identity(_)) { again } else { end }
}

fn judge(end: &End, allowed_at: impl Fn(i64) -> Option<Allowed>, now: i64) {
    // An effect takes a few milliseconds: near an edge of the window either is right.
    let around = [now, now + 10].map(&allowed_at);
    match end {
        End::Identity(_) => {
            let is_allowed = around
                .iter()
                .flatten()
                .any(|allowed| Some(allowed.subject.as_str()) == end.subject());
            assert!(is_allowed, "{end:?} is invented");
        }
        End::Refused(reason) => {
            let must =
                around.iter().all(|allowed| allowed.as_ref().is_some_and(|allowed| allowed.must));
            assert!(!must, "a good token is refused: {reason:?}");
        }
        End::Anonymous => panic!("a page that asks for a session goes on without one"),
    }
}

fn base64_decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}
