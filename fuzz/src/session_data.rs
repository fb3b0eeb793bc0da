//! `session_data` beside a good `session_token`.
//!
//! ```text
//! compact <later>    next line: expiresAt; the rest: the session
//! jwt <later>        next line: header; the rest: payload; HS256 by the secret
//! jwe <later>        the same, encrypted
//! jwks <later>       the same, signed by a key of the set
//! raw <later> <n>    the rest is the cookie's value as sent, beside the token of known session n
//! ```
//! `later`: milliseconds until the second look.

use serde_json::json;

use super::world::{
    End, NOW, Outcome, agree, as_header, cookie, engine, known_keys, latin1, line, number, page,
    play, vector,
};
use super::{oracle, sign};

/// The session token that all but known sessions stand beside.
pub const TOKEN: &str = "aukNCkS3PZEdr54k0zJC2e7lU5PMYdzx";
/// Sessions that Better Auth has signed.
const SESSIONS: [&str; 4] =
    ["compact-valid", "jwt-hs256-valid", "jwe-valid", "compact-impersonation"];

pub fn run(input: &[u8]) -> End {
    let (first, rest) = line(input);
    let first = String::from_utf8_lossy(first);
    let mut words = first.split(' ');
    let (mode, later) = (words.next().unwrap_or_default(), number(words.next()));
    let (above, below) = line(rest);
    let known = vector(SESSIONS[number(words.next()).rem_euclid(4) as usize]);
    let known_cookie = known["cookie"].as_str().unwrap_or_default().to_owned();
    let expires_at = String::from_utf8_lossy(above);

    let value = match mode {
        "compact" => sign::compact(below, above),
        "jwt" => sign::hs256(above, below),
        "jwe" => sign::jwe(above, below),
        "jwks" => sign::eddsa(above, below),
        _ => latin1(rest),
    };
    let signed =
        sign::signed_value(TOKEN).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let token_pair = match mode {
        "compact" | "jwt" | "jwe" | "jwks" => format!("better-auth.session_token={signed}"),
        _ => known_cookie.split("; ").next().unwrap_or_default().to_owned(),
    };
    let line = format!("{token_pair}; better-auth.session_data={value}");
    let allowed_at = |now: i64| -> Option<String> {
        let subject = match mode {
            "compact" => {
                let expires_at: i64 = expires_at.parse().ok()?;
                oracle::of_pair(below, TOKEN, now).filter(|_| now <= expires_at)
            }
            "jwt" | "jwe" => oracle::of_pair(below, TOKEN, now)
                .filter(|_| oracle::exp_millis(below).is_some_and(|exp| now < exp)),
            "jwks" => {
                let subject = oracle::of_pair(below, TOKEN, now)?;
                let is =
                    |name: &str, wanted: &str| oracle::text(below, name).as_deref() == Some(wanted);
                let is_typed = oracle::text(above, "typ").is_some_and(|typ| {
                    typ.to_ascii_lowercase().ends_with("better-auth.session-cache+jwt")
                });
                let is_ours =
                    is("sub", &subject) && is("sid", TOKEN) && is("iss", super::world::ORIGIN);
                let is_now = oracle::exp_millis(below).is_some_and(|exp| now < exp);
                (is_typed && is_ours && is_now).then_some(subject)
            }
            _ => {
                let name = "better-auth.session_data";
                let expect = &known["expect"]["claims"];
                let is_now = expect["cache_expires_at_ms"].as_i64().is_some_and(|end| now <= end);
                let same = cookie(std::slice::from_ref(&line), name)
                    == cookie(std::slice::from_ref(&known_cookie), name);
                (same && is_now).then(|| expect["user_id"].as_str().unwrap_or_default().to_owned())
            }
        };
        subject.map(|subject| as_header(&subject))
    };
    let judge = |end: &End, now: i64| {
        if end.subject().is_some() {
            assert_eq!(end.subject(), allowed_at(now).as_deref(), "somebody is invented");
        }
        assert_ne!(*end, End::Anonymous, "a page that asks for a session goes on without one");
    };
    let headers = [("cookie", line.as_str())];
    let head = page(&headers);
    let new_engine = || engine(json!({ "jwks": known_keys(), "jwks_url": null }));
    // The auth service is away: nothing but the cookie tells who it is.
    let mut nothing = |_: &doorward::Fetch| Outcome::Failed;

    let mut warm = new_engine();
    let end = play(&mut warm, &head, NOW, &mut nothing);
    judge(&end, NOW);
    let then = NOW + later;
    agree(&mut warm, &head, then);
    let again = play(&mut warm, &head, then + 3000, &mut nothing);
    judge(&again, then + 3000);
    assert_eq!(
        again,
        play(&mut new_engine(), &head, then + 3000, &mut nothing),
        "a warm engine differs from a cold one"
    );
    if matches!(again, End::Identity(_)) { again } else { end }
}
