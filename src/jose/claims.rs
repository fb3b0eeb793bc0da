//! Claims of a verified token (RFC 7519 section 4): one ordered list of checks.

use crate::encoding::json::{Object, Value};
use crate::jose::jws::UnverifiedClaims;
use crate::jose::verify::Verified;
use crate::reason::Reason;
use crate::time::{Seconds, UnixTime, Window};

/// What an issuer's tokens have to say. Issuer, audience and type are pinned together: a token of
/// one purpose never passes as another.
#[derive(Debug, Clone)]
pub(crate) struct Expectations {
    /// Exact `iss`.
    pub(crate) issuer: String,
    /// `aud` must contain one of these. Empty: there must be none, and `authorized_parties` says
    /// whom the token is for.
    pub(crate) audience: Vec<String>,
    /// Whether an `aud` that is an empty list is as good as none.
    pub(crate) audience_may_be_empty: bool,
    /// `azp` must be one of these, where there are any (OpenID Connect Core section 2): for whom
    /// the token was issued. In its place access tokens have `client_id` (RFC 9068 section 2.2).
    pub(crate) authorized_parties: Vec<String>,
    /// Whether a token may name no party. One that is named has to be an accepted one all the same.
    pub(crate) party_may_be_absent: bool,
    /// The claims that may say who it is: the first that is there, and not empty, does.
    pub(crate) subject: Vec<String>,
    /// Accepted `typ` values, compared without regard to case and without `application/` (RFC 7515
    /// section 4.1.9).
    pub(crate) typ: Vec<String>,
    /// Whether a token without `typ` is accepted.
    pub(crate) typ_may_be_absent: bool,
    /// Tolerance for `exp`, `nbf` and `iat`.
    pub(crate) skew: Seconds,
    /// Greatest age by `iat`.
    pub(crate) max_age: Option<Seconds>,
    /// Claims that must be there.
    pub(crate) required: Vec<String>,
}

/// Stands for the public origin of the request in what an issuer of several hosts has to say.
pub(crate) const PUBLIC_ORIGIN: &str = "{public_origin}";

impl Expectations {
    /// What it comes to at this public origin.
    pub(crate) fn at(&self, public_origin: &str) -> Self {
        let filled = |text: &String| match text.strip_prefix(PUBLIC_ORIGIN) {
            Some(rest) => [public_origin, rest].concat(),
            None => text.clone(),
        };
        Self {
            issuer: filled(&self.issuer),
            audience: self.audience.iter().map(filled).collect(),
            ..self.clone()
        }
    }
}

/// Proof that the claims hold at the moment of the check, and at each moment of the window.
pub(crate) struct Claims<'a> {
    members: Object<'a>,
    subject: String,
    expires: UnixTime,
    window: Window,
}

/// A check and the name of the claim it is about.
type Check = fn(&Object<'_>, &Expectations, UnixTime) -> Result<(), Reason>;

/// The checks after `typ`, in the order in which their reasons are given: whose token it is comes
/// before whether it is fresh.
const CHECKS: [Check; 9] = [
    check_iss,
    |members, expected, _now| check_aud(members, expected),
    check_azp,
    |members, _expected, _now| check_cnf(members),
    check_exp,
    check_nbf,
    check_iat,
    |members, expected, _now| subject(members, &expected.subject).map(drop),
    check_required,
];

impl<'a> Claims<'a> {
    /// Checks the claims of a verified token. `typ` is that of its protected header; claims that
    /// were read before it was verified are not read again.
    ///
    /// # Errors
    /// `claims_malformed`, `type_mismatch`, `issuer_unknown`, `audience_mismatch`, `claim_missing`,
    /// `token_bound`, `token_expired`, `token_not_yet_valid`, `token_too_old`.
    pub(crate) fn check(
        verified: &'a Verified<'_>,
        read_before: Option<UnverifiedClaims<'a>>,
        typ: Option<&str>,
        expected: &Expectations,
        now: UnixTime,
    ) -> Result<Self, Reason> {
        check_typ(typ, expected)?;
        let members = verified.members(read_before).ok_or(Reason::ClaimsMalformed)?;
        for check in CHECKS {
            check(&members, expected, now)?;
        }
        let expires = date(&members, "exp")?.ok_or(Reason::ClaimMissing)?;
        let window = window(&members, expires, expected)?;
        let subject = subject(&members, &expected.subject)?.to_owned();
        Ok(Self { members, subject, expires, window })
    }

    /// All claims.
    pub(crate) fn members(&self) -> &Object<'a> {
        &self.members
    }

    /// Who it is.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// `exp`.
    pub(crate) fn expires(&self) -> UnixTime {
        self.expires
    }

    /// From when until when they hold: the dates of the token and the issuer's tolerance, put
    /// together.
    pub(crate) fn window(&self) -> Window {
        self.window
    }

    /// A claim that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.members.text(name)
    }
}

fn check_typ(typ: Option<&str>, expected: &Expectations) -> Result<(), Reason> {
    let holds = match typ {
        None => expected.typ_may_be_absent,
        Some(typ) => expected
            .typ
            .iter()
            .any(|accepted| media_type(accepted).eq_ignore_ascii_case(media_type(typ))),
    };
    if holds { Ok(()) } else { Err(Reason::TypeMismatch) }
}

fn media_type(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest))
            if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') =>
        {
            rest
        }
        _ => typ,
    }
}

fn check_iss(members: &Object<'_>, expected: &Expectations, _now: UnixTime) -> Result<(), Reason> {
    match members.get("iss") {
        None => Err(Reason::ClaimMissing),
        Some(Value::Text(issuer)) if *issuer == expected.issuer => Ok(()),
        Some(Value::Text(_)) => Err(Reason::IssuerUnknown),
        Some(_) => Err(Reason::ClaimsMalformed),
    }
}

/// Whether the audience is an accepted one.
pub(crate) fn check_aud(members: &Object<'_>, expected: &Expectations) -> Result<(), Reason> {
    let names_no_audience =
        matches!(members.get("aud"), Some(Value::List(list)) if list.is_empty());
    if names_no_audience && expected.audience.is_empty() && expected.audience_may_be_empty {
        return Ok(());
    }
    is_for(members, &expected.audience)
}

/// Whether `aud` contains one of these; where there are none, whether none is named: a token that
/// names an audience is for no other (RFC 7519 section 4.1.3).
pub(crate) fn is_for(members: &Object<'_>, audience: &[String]) -> Result<(), Reason> {
    let accepted = |named: &str| audience.iter().any(|accepted| accepted == named);
    let holds = match members.get("aud") {
        None if audience.is_empty() => return Ok(()),
        None => return Err(Reason::ClaimMissing),
        Some(Value::Text(audience)) => accepted(audience),
        Some(Value::List(list)) => {
            let audiences = list
                .iter()
                .map(Value::as_text)
                .collect::<Option<Vec<_>>>()
                .ok_or(Reason::ClaimsMalformed)?;
            audiences.into_iter().any(accepted)
        }
        Some(_) => return Err(Reason::ClaimsMalformed),
    };
    if holds { Ok(()) } else { Err(Reason::AudienceMismatch) }
}

fn check_azp(members: &Object<'_>, expected: &Expectations, _now: UnixTime) -> Result<(), Reason> {
    if expected.authorized_parties.is_empty() && !expected.party_may_be_absent {
        return Ok(());
    }
    match members.get("azp").or_else(|| members.get("client_id")) {
        None if expected.party_may_be_absent => Ok(()),
        None => Err(Reason::ClaimMissing),
        Some(Value::Text(party))
            if expected.authorized_parties.iter().any(|accepted| accepted == party) =>
        {
            Ok(())
        }
        Some(Value::Text(_)) => Err(Reason::AuthorizedPartyMismatch),
        Some(_) => Err(Reason::ClaimsMalformed),
    }
}

/// A confirmation says that only the holder of a key may use the token (RFC 7800 section 3.1;
/// `jkt`: RFC 9449 section 6.1; `x5t#S256`: RFC 8705 section 3.1). None of its methods can be
/// checked here, so none is ever met, and whoever stole the token would be its holder. An object
/// that names no method names none that is met either; anything else is no confirmation.
pub(crate) fn check_cnf(members: &Object<'_>) -> Result<(), Reason> {
    match members.get("cnf") {
        None => Ok(()),
        Some(Value::Object(_)) => Err(Reason::TokenBound),
        Some(_) => Err(Reason::ClaimsMalformed),
    }
}

/// "on or after which the JWT MUST NOT be accepted" (RFC 7519 section 4.1.4).
fn check_exp(members: &Object<'_>, expected: &Expectations, now: UnixTime) -> Result<(), Reason> {
    let expires = date(members, "exp")?.ok_or(Reason::ClaimMissing)?;
    if now < expires.plus(expected.skew) { Ok(()) } else { Err(Reason::TokenExpired) }
}

fn check_nbf(members: &Object<'_>, expected: &Expectations, now: UnixTime) -> Result<(), Reason> {
    match date(members, "nbf")? {
        Some(begins) if begins > now.plus(expected.skew) => Err(Reason::TokenNotYetValid),
        _ => Ok(()),
    }
}

/// A token from the future is not valid yet; one older than the maximum age is too old.
fn check_iat(members: &Object<'_>, expected: &Expectations, now: UnixTime) -> Result<(), Reason> {
    let issued = date(members, "iat")?;
    match (issued, expected.max_age) {
        (Some(issued), _) if issued > now.plus(expected.skew) => Err(Reason::TokenNotYetValid),
        (Some(issued), Some(max_age)) if now > issued.plus(max_age).plus(expected.skew) => {
            Err(Reason::TokenTooOld)
        }
        (None, Some(_)) => Err(Reason::ClaimMissing),
        _ => Ok(()),
    }
}

/// Who it is, by the first of these claims that says it. An identity without a name is none.
pub(crate) fn subject<'m>(members: &'m Object<'_>, names: &[String]) -> Result<&'m str, Reason> {
    for name in names {
        match members.get(name) {
            Some(Value::Text(subject)) if !subject.is_empty() => return Ok(subject),
            None | Some(Value::Text(_)) => {}
            Some(_) => return Err(Reason::ClaimsMalformed),
        }
    }
    Err(Reason::ClaimMissing)
}

/// The moments at which [`CHECKS`] would say the same again.
fn window(
    members: &Object<'_>,
    expires: UnixTime,
    expected: &Expectations,
) -> Result<Window, Reason> {
    let (begins, issued) = (date(members, "nbf")?, date(members, "iat")?);
    let first = begins.into_iter().chain(issued).max().unwrap_or(UnixTime::from_millis(i64::MIN));
    let until = expires.plus(expected.skew);
    let too_old = issued
        .zip(expected.max_age)
        .map(|(issued, max_age)| issued.plus(max_age).plus(expected.skew).plus_millis(1));
    Ok(Window {
        from: first.plus_millis(expected.skew.as_millis().saturating_neg()),
        until: too_old.map_or(until, |too_old| too_old.min(until)),
    })
}

fn check_required(
    members: &Object<'_>,
    expected: &Expectations,
    _now: UnixTime,
) -> Result<(), Reason> {
    let present = |name: &String| members.get(name).is_some_and(|value| *value != Value::Null);
    if expected.required.iter().all(present) { Ok(()) } else { Err(Reason::ClaimMissing) }
}

/// A `NumericDate`: a number of seconds, fractions allowed. Any other type, or a number that no
/// clock will show, is malformed, never absent (CVE-2026-25537).
pub(crate) fn date(members: &Object<'_>, name: &str) -> Result<Option<UnixTime>, Reason> {
    /// 1 January of the year 5138: a larger number is milliseconds taken for seconds, or an attempt
    /// to wrap.
    const END: f64 = 1e11;
    let number = match members.get(name) {
        None => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(_) => return Err(Reason::ClaimsMalformed),
    };
    let seconds = number
        .as_f64()
        .filter(|seconds| (0.0..=END).contains(seconds))
        .ok_or(Reason::ClaimsMalformed)?;
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation)]
    // the range above fits i64 in milliseconds
    let millis = (seconds * 1000.0) as i64;
    Ok(Some(UnixTime::from_millis(millis)))
}
