//! Session: what the application gets to know, and what the auth service answered about one.

use crate::better_auth::attributes::{Attributes, ClaimPath};
use crate::encoding::collections::object_of;
use crate::encoding::json::{self, Object, Value};
use crate::jose::claims::{self, Claims};
use crate::jose::verify;
use crate::reason::Reason;
use crate::time::{self, Seconds, UnixTime};

/// Where the knowledge of a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Better Auth's cookie cache.
    CookieCache,
    /// The auth service's answer.
    AuthService,
    /// The same, as another instance has heard it.
    Copy,
    /// The storage that the auth service keeps its sessions in.
    Storage,
    /// A JWT of its own.
    Jwt,
}

impl Source {
    /// A stable name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CookieCache => "cookie-cache",
            Self::AuthService | Self::Copy => "auth-service",
            Self::Storage => "storage",
            Self::Jwt => "jwt",
        }
    }
}

/// Who it is. The raw session token is no part of it: Better Auth's bearer plugin would take it as
/// a credential.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) subject: String,
    pub(crate) id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) expires: UnixTime,
    pub(crate) source: Source,
    /// Whether it is somebody else's who looks through this person's eyes (admin plugin).
    pub(crate) is_impersonated: bool,
    /// When this was known: the age of this knowledge counts, wherever it was kept since.
    pub(crate) known: UnixTime,
    /// What rules and headers want to know besides.
    pub(crate) attributes: Attributes,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Session {
    /// The session of a JWT whose claims hold. It was known when it was issued, and began when the
    /// person signed in (`auth_time`, OpenID Connect Core section 2) or else at that moment too.
    pub(crate) fn of_claims(claims: &Claims<'_>, named: &[ClaimPath]) -> Result<Self, Reason> {
        let subject = claims.subject().to_owned();
        let id = name_of_session(claims.members().get("sid")).ok_or(Reason::ClaimsMalformed)?;
        let issued = claims::date(claims.members(), "iat")?;
        let began = claims::date(claims.members(), "auth_time")?.or(issued);
        Ok(Self {
            subject,
            id,
            // Supabase writes an empty one for somebody anonymous: that is no address.
            email: claims.text("email").filter(|email| !email.is_empty()).map(str::to_owned),
            expires: claims.expires(),
            source: Source::Jwt,
            is_impersonated: false,
            known: issued.unwrap_or(LONG_AGO),
            attributes: Attributes::read(&[claims.members()], named, began),
        })
    }
}

impl Session {
    /// What it weighs in memory, in bytes, rounded up.
    pub(crate) fn weight(&self) -> usize {
        let texts = [Some(&self.subject), self.id.as_ref(), self.email.as_ref()];
        let texts = texts.into_iter().flatten().map(String::len);
        texts.fold(self.attributes.weight(), usize::saturating_add)
    }
}

impl Session {
    /// What other instances need to know of it, for the shared cache: no token and no cookie, and
    /// of the claims only those that the policy names.
    pub(crate) fn to_copy(&self) -> String {
        let mut members = self.attributes.to_members();
        members.push(("subject", self.subject.as_str().into()));
        members.push(("expires", self.expires.as_millis().into()));
        members.push(("impersonated", self.is_impersonated.into()));
        members.extend(self.id.as_deref().map(|id| ("id", id.into())));
        members.extend(self.email.as_deref().map(|email| ("email", email.into())));
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
        json::written(&object_of(members))
    }

    /// The session of a copy that was the auth service's answer at that moment, if it still lives.
    pub(crate) fn from_copy(
        copy: &[u8],
        named: &[ClaimPath],
        known: UnixTime,
        now: UnixTime,
    ) -> Option<Self> {
        let members = json::object(copy)?;
        let expires = json::integer(&members, "expires")
            .map(UnixTime::from_millis)
            .filter(|expires| now <= *expires)?;
        Some(Self {
            subject: members.text("subject").filter(|subject| !subject.is_empty())?.to_owned(),
            id: members.text("id").map(str::to_owned),
            email: members.text("email").map(str::to_owned),
            expires,
            source: Source::Copy,
            is_impersonated: members.get("impersonated") != Some(&Value::Bool(false)),
            known,
            attributes: Attributes::from_members(&members, named)?,
        })
    }
}

/// Knowledge without a date is as old as can be.
pub(crate) const LONG_AGO: UnixTime = UnixTime::from_millis(i64::MIN);

/// Better Auth's pair of `session` and `user`, as it stands in the cookie cache and in
/// `/get-session`'s answer.
pub(crate) struct Pair {
    token: String,
    expires: UnixTime,
    version: Option<String>,
    subject: String,
    id: Option<String>,
    email: Option<String>,
    is_impersonated: bool,
    known: UnixTime,
    attributes: Attributes,
}

impl Pair {
    /// Reads the pair. Only what a decision needs is required: `session.token`,
    /// `session.expiresAt`, `user.id`, and that `session.userId`, where it is there, names the same
    /// user.
    pub(crate) fn from_members(members: &Object<'_>, named: &[ClaimPath]) -> Option<Self> {
        let (Some(Value::Object(session)), Some(Value::Object(user))) =
            (members.get("session"), members.get("user"))
        else {
            return None;
        };
        let text = |object: &Object<'_>, name: &str| object.text(name).map(str::to_owned);
        let subject = text(user, "id").filter(|id| !id.is_empty())?;
        let names_another =
            session.get("userId").is_some_and(|owner| owner.as_text() != Some(subject.as_str()));
        if names_another {
            return None;
        }
        let version = match members.get("version") {
            None => None,
            Some(Value::Text(version)) => Some(version.as_ref().to_owned()),
            Some(_) => return None,
        };
        Some(Self {
            token: text(session, "token").filter(|token| !token.is_empty())?,
            expires: instant(session.get("expiresAt")?)?,
            version,
            id: name_of_session(session.get("id"))?,
            email: text(user, "email").filter(|email| !email.is_empty()),
            is_impersonated: session
                .get("impersonatedBy")
                .is_some_and(|by| !matches!(by, Value::Null)),
            known: members.get("updatedAt").and_then(instant).unwrap_or(LONG_AGO),
            // A claim is the user's; `session.…` leads to the session's own members.
            attributes: Attributes::read(
                &[user, members],
                named,
                session.get("createdAt").and_then(instant),
            ),
            subject,
        })
    }

    /// Whether the pair is about this session token.
    pub(crate) fn is_about(&self, token: &str) -> bool {
        verify::same_text(&self.token, token)
    }

    /// The user's id.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The session token, for comparison only.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The session, checked as Better Auth's server does: not expired, of this version, of this
    /// session token.
    ///
    /// # Errors
    /// `session_expired`, `session_version`, `session_mismatch`.
    pub(crate) fn validated(
        self,
        token: &str,
        version: Option<&str>,
        source: Source,
        now: UnixTime,
    ) -> Result<Session, Reason> {
        if self.expires < now {
            return Err(Reason::SessionExpired);
        }
        let own_version =
            self.version.as_deref().filter(|version| !version.is_empty()).unwrap_or("1");
        if version.is_some_and(|expected| expected != own_version) {
            return Err(Reason::SessionVersion);
        }
        if !self.is_about(token) {
            return Err(Reason::SessionMismatch);
        }
        let known = if source == Source::AuthService { now } else { self.known };
        let Self { subject, id, email, expires, is_impersonated, attributes, .. } = self;
        Ok(Session { subject, id, email, expires, source, is_impersonated, known, attributes })
    }
}

/// The name by which a deny-list knows a session, where it has one: a text, or a whole number as it
/// is written. Anything else would be on no list: it is wrong, not absent.
fn name_of_session(value: Option<&Value<'_>>) -> Option<Option<String>> {
    match value {
        None | Some(Value::Null) => Some(None),
        Some(Value::Text(name)) => Some(Some(name.as_ref().to_owned())),
        Some(Value::Number(number)) => number.as_i64().map(|number| Some(number.to_string())),
        Some(_) => None,
    }
}

fn instant(value: &Value<'_>) -> Option<UnixTime> {
    match value {
        Value::Text(text) => time::from_iso(text),
        Value::Number(millis) => millis.as_i64().map(UnixTime::from_millis),
        _ => None,
    }
}

impl Session {
    /// The session that a Better Auth service has stored under this token, if it lives.
    pub(crate) fn stored(
        value: &[u8],
        token: &str,
        named: &[ClaimPath],
        lag: Seconds,
        now: UnixTime,
    ) -> Option<Self> {
        let pair = Pair::from_members(&json::object(value)?, named)?;
        let session = pair.validated(token, None, Source::Storage, now).ok()?;
        Some(Self { known: now.plus_millis(lag.as_millis().saturating_neg()), ..session })
    }
}

/// What the auth service said about a session.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SessionState {
    /// It lives.
    Active(Session),
    /// `200 null`: the only answer that means signed out.
    Ended,
}

/// Why it is not known what has become of a session. The codes are stable; they are for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LookupFailure {
    Failed,
    Absent,
    TooLarge,
    HeadersTooLarge,
    Redirect,
    Unauthorized,
    RateLimited,
    ServerError,
    OddStatus,
    ClientError,
    OddBody,
    OtherToken,
    Expired,
    OutOfBudget,
    OutOfTime,
    KeptWaiting,
    NoJwtPlugin,
    Changed,
}

/// Who caused a lookup failure. Only a failure of somebody else allows an older answer to be used
/// or a request to go on anonymously: otherwise a caller could bring the failure about and be
/// admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CausedBy {
    /// Whoever was asked has failed, for whoever asks.
    Partner,
    /// Whoever was asked has answered, about this caller or this session.
    Caller,
    /// The gate itself did not ask, or not in time.
    Gate,
}

impl LookupFailure {
    /// As the log says it; `docs/sessions.md` has the list.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "no-response",
            Self::Absent => "not-found",
            Self::TooLarge => "too-large",
            Self::HeadersTooLarge => "headers-too-large",
            Self::Redirect => "redirect",
            Self::Unauthorized => "unauthorized",
            Self::RateLimited => "rate-limited",
            Self::ServerError => "server-error",
            Self::OddStatus | Self::ClientError => "unexpected-status",
            Self::OddBody => "unexpected-body",
            Self::OtherToken => "other-session",
            Self::Expired => "expired",
            Self::OutOfBudget => "request-limit",
            Self::OutOfTime => "deadline-exceeded",
            Self::KeptWaiting => "waited-too-long",
            Self::NoJwtPlugin => "no-jwt-plugin",
            Self::Changed => "session-changed",
        }
    }

    /// Whose doing it is; `docs/sessions.md` has the list. The auth service counts requests by
    /// client where it is told who that is (`knows_client`): then too many are this client's.
    pub(crate) const fn caused_by(self, knows_client: bool) -> CausedBy {
        match self {
            Self::Failed
            | Self::Absent
            | Self::Redirect
            | Self::ServerError
            | Self::OddStatus
            | Self::OddBody => CausedBy::Partner,
            // All its time went on effects of its own, each of which somebody took too long for.
            Self::OtherToken | Self::OutOfTime | Self::NoJwtPlugin => CausedBy::Partner,
            Self::RateLimited if !knows_client => CausedBy::Partner,
            // Somebody's own data can be too large, and so can somebody's cookies: a status of 4xx
            // is about the request (RFC 9110 section 15.5).
            Self::TooLarge
            | Self::HeadersTooLarge
            | Self::ClientError
            | Self::RateLimited
            | Self::Unauthorized
            | Self::Expired
            | Self::Changed => CausedBy::Caller,
            Self::OutOfBudget | Self::KeptWaiting => CausedBy::Gate,
        }
    }

    /// Whether a token that was issued before may stand for a new one: not where the service has
    /// spoken.
    pub(crate) const fn may_pass(self) -> bool {
        !matches!(self, Self::Unauthorized | Self::NoJwtPlugin)
    }

    /// What an answer with a status other than 200 comes to.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            401 => Self::Unauthorized,
            429 => Self::RateLimited,
            // There is no such place, for anybody.
            404 | 410 => Self::OddStatus,
            400..=499 => Self::ClientError,
            500..=599 => Self::ServerError,
            _ => Self::OddStatus,
        }
    }
}

/// Whether a `/get-session` answer asks for a refresh: with `deferSessionRefresh` nothing else
/// extends the session.
pub(crate) fn needs_refresh(body: &[u8]) -> bool {
    json::object(body)
        .is_some_and(|members| members.get("needsRefresh") == Some(&Value::Bool(true)))
}

/// Whether a `/get-session` answer is an object without the session's token, as `customSession` can
/// make it.
pub(crate) fn hides_token(body: &[u8]) -> bool {
    let has_token = |members: &Object<'_>| matches!(members.get("session"), Some(Value::Object(session)) if session.text("token").is_some());
    json::object(body).is_some_and(|members| !has_token(&members))
}

impl SessionState {
    /// Reads a `/get-session` answer.
    ///
    /// # Errors
    /// Anything but `200` with `null` or with a live session *of this token* means that we do not
    /// know.
    pub(crate) fn read(
        status: u16,
        body: &[u8],
        token: &str,
        named: &[ClaimPath],
        now: UnixTime,
    ) -> Result<Self, LookupFailure> {
        if status != 200 {
            return Err(LookupFailure::of_status(status));
        }
        match json::value(body) {
            Some(Value::Null) => Ok(Self::Ended),
            Some(Value::Object(members)) => {
                let pair = Pair::from_members(&members, named).ok_or(LookupFailure::OddBody)?;
                match pair.validated(token, None, Source::AuthService, now) {
                    Ok(session) => Ok(Self::Active(session)),
                    Err(Reason::SessionExpired) => Err(LookupFailure::Expired),
                    Err(_) => Err(LookupFailure::OtherToken),
                }
            }
            _ => Err(LookupFailure::OddBody),
        }
    }
}
