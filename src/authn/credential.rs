//! Where the credentials of a request are. Nothing here is verified yet.

use std::borrow::Cow;
use std::sync::Arc;

use crate::authn::supabase;
use crate::encoding::{ascii, percent};
use crate::http::cookie::{self, Cookie};
use crate::http::request::RequestHead;
use crate::policy::Policy;
use crate::policy::auth_service::{AuthService, Bearer};
use crate::policy::issuer::TokenLocation;
use crate::policy::rules::Rule;
use crate::reason::Reason;

/// Something that a request offers as proof of who it is.
pub(crate) enum Credential<'a> {
    /// What follows `Authorization: Bearer`. What kind of token it is, [`BearerValue::read`] tells.
    Bearer(BearerValue<'a>),
    /// A token that claims to be of one of the issuers who may put it at this place.
    Jwt {
        /// The token.
        token: Cow<'a, str>,
        /// Where it was.
        place: &'a TokenLocation,
    },
    /// The `session_token` cookie of a Better Auth service.
    SessionCookie {
        /// The service.
        service: &'a Arc<AuthService>,
        /// The cookie.
        cookie: Cookie<'a>,
    },
    /// A token of Better Auth's bearer plugin.
    BearerToken {
        /// The service.
        service: &'a Arc<AuthService>,
        /// The decoded value.
        value: Cow<'a, str>,
    },
    /// Something at a credential's place that is none.
    Malformed(Reason),
}

impl Credential<'_> {
    /// What its signature is over: of a JWT header and claims, of a Better Auth session its token.
    /// A signature may have other spellings; this has not.
    pub(crate) fn signed_part(&self) -> Cow<'_, str> {
        match self {
            Self::Bearer(value) => Cow::Owned(value.read().signed_part().into_owned()),
            Self::Jwt { token, .. } => Cow::Borrowed(before_last_dot(token)),
            Self::SessionCookie { cookie, .. } => {
                Cow::Owned(before_last_dot(&cookie.value()).to_owned())
            }
            Self::BearerToken { value, .. } => {
                Cow::Borrowed(value.split_once('.').map_or(value, |(token, _)| token))
            }
            Self::Malformed(_) => Cow::Borrowed(""),
        }
    }

    /// What kind it is, as a label of measurements.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Bearer(value) => value.read().kind(),
            Self::Jwt { .. } => "jwt",
            Self::SessionCookie { .. } => "session_token",
            Self::BearerToken { .. } => "bearer_token",
            Self::Malformed(_) => "malformed",
        }
    }

    /// Whether a browser sends it along by itself, so that another site can cause it to be sent.
    pub(crate) fn is_ambient(&self) -> bool {
        match self {
            Self::SessionCookie { .. } => true,
            Self::Jwt { place, .. } => place.cookie().is_some(),
            Self::Bearer(_) | Self::BearerToken { .. } | Self::Malformed(_) => false,
        }
    }
}

fn before_last_dot(text: &str) -> &str {
    text.rsplit_once('.').map_or(text, |(before, _)| before)
}

/// All credentials that the rule admits, in the order in which they count.
pub(crate) fn find<'a>(
    head: &RequestHead<'a>,
    policy: &'a Policy,
    rule: &'a Rule,
) -> impl Iterator<Item = Credential<'a>> + use<'a> {
    let head = *head;
    let services = || policy.services.iter().filter(|service| rule.accepts(service.issuer.id));
    let session_cookies = services().filter_map(move |service| {
        let name = &service.cookies.session_token;
        let cookie = cookie::first(&head, name).filter(|cookie| !cookie.is_empty())?;
        Some(Credential::SessionCookie { service, cookie })
    });
    let accepted = move || policy.issuers.iter().filter(|issuer| rule.accepts(issuer.id));
    let places = move || accepted().flat_map(|issuer| &issuer.places);
    let jwts = places().enumerate().filter_map(move |(number, place)| {
        let is_repeated = || places().take(number).any(|earlier| earlier == place);
        let token = match place {
            TokenLocation::Authorization => return None,
            TokenLocation::Cookie(name) => cookie::joined_value(&head, name).transpose()?,
            TokenLocation::SupabaseCookie(name) => cookie::joined_value(&head, name)
                .transpose()?
                .and_then(|session| supabase::access_token(&session).map(Cow::Owned)),
            TokenLocation::Header(name) => joined(head.headers_named(name)).map(Ok)?,
        };
        if is_repeated() {
            return None;
        }
        Some(token.map_or_else(Credential::Malformed, |token| Credential::Jwt { token, place }))
    });
    let takes_jwt = places().any(|place| *place == TokenLocation::Authorization);
    let plugin = services().find(|service| service.bearer != Bearer::Off);
    of_authorization(&head, takes_jwt, plugin).into_iter().chain(session_cookies).chain(jwts)
}

/// The lines of a header as one, as hosts with Fetch's `Headers` have them; nothing where there are
/// none.
fn joined<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<Cow<'a, str>> {
    let first = lines.next()?;
    let mut joined = Cow::Borrowed(first);
    for line in lines {
        joined.to_mut().push_str(", ");
        joined.to_mut().push_str(line);
    }
    Some(joined)
}

/// The token of the bearer plugin that a request brings to this service, decoded.
pub(crate) fn bearer_token_of<'a>(
    head: &RequestHead<'a>,
    service: &'a Arc<AuthService>,
) -> Option<Cow<'a, str>> {
    let takes_jwt = service.issuer.places.contains(&TokenLocation::Authorization);
    let plugin = Some(service).filter(|service| service.bearer != Bearer::Off);
    match of_authorization(head, takes_jwt, plugin)? {
        Credential::Bearer(value) => match value.read() {
            Credential::BearerToken { value, .. } => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// The credential in `Authorization: Bearer` (RFC 6750 section 2.1). Another scheme is not ours,
/// and neither is a bearer token where nobody is expected to send one.
fn of_authorization<'a>(
    head: &RequestHead<'a>,
    takes_jwt: bool,
    plugin: Option<&'a Arc<AuthService>>,
) -> Option<Credential<'a>> {
    if !takes_jwt && plugin.is_none() {
        return None;
    }
    let lines = || head.headers_named("authorization");
    let line = lines().next()?;
    let credentials =
        || lines().flat_map(|line| ascii::pieces(line, b',')).map(|one| one.trim_matches(' '));
    let is_bearer =
        |one: &str| one.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
    // Two credentials are refused, also where a host has joined them into one line. Other schemes
    // have commas of their own.
    if credentials().nth(1).is_some() && credentials().any(is_bearer) {
        return Some(Credential::Malformed(Reason::CredentialMalformed));
    }
    let (scheme, value) = line.split_once(' ').unwrap_or((line, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Some(Credential::Bearer(BearerValue { value: value.trim_matches(' '), takes_jwt, plugin }))
}

/// What follows `Authorization: Bearer`, and who may read it.
#[derive(Clone, Copy)]
pub(crate) struct BearerValue<'a> {
    value: &'a str,
    takes_jwt: bool,
    plugin: Option<&'a Arc<AuthService>>,
}

impl<'a> BearerValue<'a> {
    /// The value, if it may be a JWT.
    pub(crate) fn as_jwt(&self) -> Option<&'a str> {
        Some(self.value).filter(|_| self.takes_jwt)
    }

    /// Tells the two kinds of tokens apart.
    pub(crate) fn read(&self) -> Credential<'a> {
        let Self { value, takes_jwt, plugin } = *self;
        if value.is_empty() || !ascii::is_visible_without(value, b',') {
            return Credential::Malformed(Reason::CredentialMalformed);
        }
        match ascii::pieces(value, b'.').take(3).count() {
            1 | 2 => match plugin {
                Some(service) => match percent::decoded(value) {
                    Some(value) => Credential::BearerToken { service, value },
                    None => Credential::Malformed(Reason::CredentialMalformed),
                },
                None => Credential::Malformed(Reason::TokenMalformed),
            },
            _ if takes_jwt => Credential::Jwt {
                token: Cow::Borrowed(value),
                place: &TokenLocation::Authorization,
            },
            _ => Credential::Malformed(Reason::CredentialMalformed),
        }
    }
}
