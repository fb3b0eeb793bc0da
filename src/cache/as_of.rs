//! `doorward_as_of`: a cookie of the gate's own. Memory is each instance's own, and what somebody
//! has changed through one of them the others have not seen. So the answer to a request that may
//! have changed a session carries the moment until which knowledge of it is too old, and the
//! browser tells the next instance.
//!
//! Rules of this file:
//! - it is signed, by a key of its own that is derived from the auth service's secret, and bound to
//!   the session: nobody makes one, and one of another session counts for nothing. Without a secret
//!   there is none;
//! - it lives as long as an answer is remembered: then everything that is remembered is newer;
//! - one that comes again later than that, or from further ahead than a response takes, counts for
//!   nothing. So the most that somebody can do who sends his own again and again is to have himself
//!   asked about;
//! - it never reaches an origin.

use crate::cache::session_events::{LONGEST_MILLIS, SessionDigest};
use crate::encoding::base64;
use crate::jose::verify::Secret;
use crate::time::{Seconds, UnixTime};

/// The cookie's name.
pub(crate) const NAME: &str = "doorward_as_of";

/// How far the clocks of two instances may be apart, in milliseconds.
const SKEW_MILLIS: i64 = 5000;

/// The `Set-Cookie` line that says that knowledge of this session counts if it is newer than this
/// moment.
pub(crate) fn set_cookie(
    key: &Secret,
    session: &SessionDigest,
    at: UnixTime,
    max_age: u32,
    public_origin: &str,
) -> String {
    let millis = at.as_millis().to_string();
    let mac = base64::url_encoded(&key.mac(&message(session, &millis)));
    let secure = if public_origin.starts_with("https://") { "; Secure" } else { "" };
    [
        NAME,
        "=",
        &millis,
        ".",
        &mac,
        "; Max-Age=",
        &max_age.to_string(),
        "; Path=/; HttpOnly",
        secure,
        "; SameSite=Lax",
    ]
    .concat()
}

/// The moment that the cookie's value names, if it is ours, about this session, and of any use
/// still.
pub(crate) fn read(
    value: &str,
    key: &Secret,
    session: &SessionDigest,
    life: Seconds,
    now: UnixTime,
) -> Option<UnixTime> {
    let (millis, mac) = value.split_once('.')?;
    let at: i64 = millis.parse().ok()?;
    let mac = base64::url_decoded(mac)?.try_into().ok()?;
    let at = UnixTime::from_millis(at);
    let is_ahead = at.millis_since(now) > LONGEST_MILLIS.saturating_add(SKEW_MILLIS);
    let is_past = now.millis_since(at) > life.as_millis().saturating_add(SKEW_MILLIS);
    let holds = !is_ahead && !is_past && key.authenticates(&message(session, millis), &mac);
    holds.then_some(at)
}

fn message(session: &SessionDigest, millis: &str) -> Vec<u8> {
    [session.as_bytes(), millis.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::auth_service::AS_OF_PURPOSE as PURPOSE;

    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);
    const ADA: SessionDigest = SessionDigest::new([1; 32]);
    const LIFE: Seconds = Seconds::new(10);

    #[test]
    fn it_is_read_by_its_key_of_its_session_and_while_it_is_of_use() {
        let derived = |secret: &str| {
            Secret::new(secret).derived(PURPOSE).unwrap_or_else(|| unreachable!("a key"))
        };
        let key = derived("k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg");
        let line = set_cookie(&key, &ADA, NOW, 10, "https://app.example.com");
        let (value, attributes) = line
            .strip_prefix("doorward_as_of=")
            .and_then(|it| it.split_once("; "))
            .unwrap_or_default();
        assert_eq!(attributes, "Max-Age=10; Path=/; HttpOnly; Secure; SameSite=Lax");
        assert_eq!(read(value, &key, &ADA, LIFE, NOW), Some(NOW));
        assert_eq!(read(value, &key, &ADA, LIFE, NOW.plus_millis(15_000)), Some(NOW));
        assert_eq!(
            read(value, &key, &ADA, LIFE, NOW.plus_millis(15_001)),
            None,
            "everything that is remembered is newer"
        );
        assert_eq!(read(value, &key, &ADA, LIFE, NOW.plus_millis(-10_000)), Some(NOW));
        assert_eq!(
            read(value, &key, &ADA, LIFE, NOW.plus_millis(-10_001)),
            None,
            "no response takes so long"
        );
        assert_eq!(
            read(value, &key, &SessionDigest::new([2; 32]), LIFE, NOW),
            None,
            "it is about another session"
        );
        let secret = Secret::new("k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg");
        assert_eq!(read(value, &secret, &ADA, LIFE, NOW), None, "the secret itself is another key");
        assert_eq!(read(value, &derived("another"), &ADA, LIFE, NOW), None);
        for wrong in [
            "",
            ".",
            "1800000000000",
            "1800000000000.",
            "x.y",
            &value.replacen('1', "2", 1),
            &[value, "A"].concat(),
        ] {
            assert_eq!(read(wrong, &key, &ADA, LIFE, NOW), None, "{wrong}");
        }
        assert!(!set_cookie(&key, &ADA, NOW, 10, "http://localhost:3000").contains("Secure"));
    }
}
