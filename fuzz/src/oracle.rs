//! Who it may be at most: another reading of the rules, in as few lines as will do.

use serde_json::Value;

use super::world::ORIGIN;

/// The subject of a well-signed API token at this moment, and whether it *must* be accepted:
/// whether nothing about it is odd.
pub fn of_jwt(
    header: &[u8],
    payload: &[u8],
    max_age: Option<i64>,
    now: i64,
) -> Option<(String, bool)> {
    let (header, claims) = (object(header)?, object(payload)?);
    let mut is_plain = header.plain && claims.plain;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let kid_fits = match header.value.get("kid") {
        None => return None, // several keys of the set could have signed it
        Some(kid) => kid == super::sign::KID,
    };
    let typ = match header.value.get("typ") {
        None => "JWT".to_owned(),
        Some(typ) => text(typ)?.to_ascii_uppercase(),
    };
    let alg = header.value.get("alg").and_then(text)?;
    let unsupported = ["crit", "b64", "zip"].iter().any(|name| header.value.get(name).is_some());
    if !kid_fits
        || !["JWT", "APPLICATION/JWT"].contains(&typ.as_str())
        || !["EdDSA", "Ed25519"].contains(&alg.as_str())
        || unsupported
    {
        return None;
    }
    is_plain &= header.value.get("cty").is_none();

    let claim = |name: &str| claims.value.get(name);
    let is_for_us = match claim("aud")? {
        Value::Array(list) => {
            list.iter().any(|audience| audience == ORIGIN) && list.iter().all(Value::is_string)
        }
        audience => audience == ORIGIN,
    };
    let date = |name: &str| match claim(name) {
        None => Some(None),
        Some(value) => value
            .as_f64()
            .filter(|seconds| (0.0..=1e11).contains(seconds))
            .map(|seconds| Some((seconds * 1000.0) as i64)),
    };
    let (skew, begins, issued) = (5000, date("nbf")?, date("iat")?);
    let is_now = now < date("exp")?? + skew
        && begins.into_iter().chain(issued).all(|from| from - skew <= now);
    let is_young = max_age
        .is_none_or(|max_age| issued.is_some_and(|issued| now <= issued + max_age * 1000 + skew));
    let subject = claim("sub").and_then(text).filter(|subject| !subject.is_empty())?;
    (claim("iss")? == ORIGIN && is_for_us && is_now && is_young).then_some((subject, is_plain))
}

/// The subject of a well-signed `session_data` at this moment, beside the `session_token` of this
/// token.
pub fn of_pair(content: &[u8], token: &str, now: i64) -> Option<String> {
    let value = object(content)?.value;
    let (session, user) = (value.get("session")?, value.get("user")?);
    let subject = user.get("id")?.as_str().filter(|subject| !subject.is_empty())?;
    let is_owner = session.get("userId").is_none_or(|owner| owner == subject);
    let is_alive = match session.get("expiresAt")? {
        Value::Number(millis) => millis.as_i64()? >= now,
        // Of two moments in one notation the later one is the greater text.
        Value::String(text) if text.len() == 24 && text.ends_with('Z') => {
            text.as_str() >= iso(now).as_str()
        }
        Value::String(_) => true,
        _ => false,
    };
    (is_owner && is_alive && session.get("token")? == token).then(|| subject.to_owned())
}

/// The moment until which a dated content holds, by its `exp`.
pub fn exp_millis(content: &[u8]) -> Option<i64> {
    let seconds = object(content)?.value.get("exp")?.as_f64()?;
    (0.0..=1e11).contains(&seconds).then_some((seconds * 1000.0) as i64)
}

/// A text claim.
pub fn text(content: &[u8], name: &str) -> Option<String> {
    object(content)?.value.get(name)?.as_str().map(str::to_owned)
}

pub struct Object {
    pub value: Value,
    /// Short, flat, and written the way it is always written.
    pub plain: bool,
}

/// An object without duplicate members. Two readers agree about one only if it is as long when
/// written again, or nearly: `plain` is where it is the same.
pub fn object(text: &[u8]) -> Option<Object> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let is_scalar = |value: &Value| !value.is_object() && !value.is_array();
    let is_flat = value.as_object()?.values().all(|member| match member {
        Value::Array(items) => items.iter().all(is_scalar),
        member => is_scalar(member),
    });
    // Members are sorted here, so texts are compared as multisets of bytes.
    let sorted = |text: &[u8]| {
        let mut bytes = text.to_vec();
        bytes.sort_unstable();
        bytes
    };
    let plain =
        is_flat && text.len() < 1000 && sorted(value.to_string().as_bytes()) == sorted(text);
    Some(Object { value, plain })
}

/// `2026-11-23T03:00:00.250Z` (days to civil: Howard Hinnant).
fn iso(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) = (
        day_of_year - (153 * shifted + 2) / 5 + 1,
        if shifted < 10 { shifted + 3 } else { shifted - 9 },
    );
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}
