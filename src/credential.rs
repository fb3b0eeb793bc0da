//! Where the credentials of a request are. Finding is not believing: nothing here is verified.

use std::borrow::Cow;

use crate::cookie;
use crate::policy::{Bearer, Issuer, Place, Policy, Rule};
use crate::reason::Reason;
use crate::request::RequestHead;
use crate::text;

/// Something that a request offers as proof of who it is.
pub(crate) enum Credential<'a> {
    /// A token that claims to be of one of the issuers who may put it at this place.
    Jwt {
        /// The token.
        token: Cow<'a, str>,
        /// Where it was.
        place: Place,
    },
    /// The `session_token` cookie of a Better Auth service.
    SessionCookie {
        /// The issuer's number.
        issuer: usize,
        /// The decoded value.
        value: Cow<'a, str>,
    },
    /// A token of Better Auth's bearer plugin.
    BearerToken {
        /// The issuer's number.
        issuer: usize,
        /// The decoded value.
        value: Cow<'a, str>,
    },
    /// Something at a credential's place that is none.
    Malformed(Reason),
}

impl Credential<'_> {
    /// Whether a browser sends it along by itself, so that another site can cause it to be sent.
    pub(crate) fn is_ambient(&self) -> bool {
        matches!(self, Self::SessionCookie { .. } | Self::Jwt { place: Place::Cookie(_), .. })
    }
}

/// All credentials that the rule admits, in the order in which they count.
pub(crate) fn find<'a>(head: &RequestHead<'a>, policy: &Policy, rule: &Rule) -> Vec<Credential<'a>> {
    let believed = || policy.issuers.iter().enumerate().filter(|(number, _)| rule.believes(*number));
    let mut found: Vec<Credential<'a>> = of_authorization(head, believed).into_iter().collect();
    for (number, issuer) in believed() {
        if let Some(service) = &issuer.better_auth
            && let Some(value) = cookie::value(head, &service.cookies.session_token).filter(|value| !value.is_empty())
        {
            found.push(Credential::SessionCookie { issuer: number, value });
        }
    }
    let mut places: Vec<&Place> = Vec::new();
    for place in believed().flat_map(|(_, issuer)| &issuer.places) {
        if places.contains(&place) {
            continue;
        }
        places.push(place);
        let token = match place {
            Place::Authorization => None,
            Place::Cookie(name) => cookie::joined_value(head, name).transpose(),
            Place::Header(name) => head.header(name).map(|value| Ok(Cow::Borrowed(value))),
        };
        found.extend(
            token.map(|token| token.map_or_else(Credential::Malformed, |token| Credential::Jwt { token, place: place.clone() })),
        );
    }
    found
}

/// The credential in `Authorization: Bearer` (RFC 6750 section 2.1). Another scheme is not ours, and neither is a bearer
/// token where nobody is expected to send one.
fn of_authorization<'a, 'p, I>(head: &RequestHead<'a>, believed: impl Fn() -> I) -> Option<Credential<'a>>
where
    I: Iterator<Item = (usize, &'p Issuer)>,
{
    let takes_jwt = believed().any(|(_, issuer)| issuer.places.contains(&Place::Authorization));
    let plugin = believed().find_map(|(number, issuer)| {
        let bearer = issuer.better_auth.as_ref()?.bearer;
        if bearer == Bearer::Off { None } else { Some((number, bearer)) }
    });
    if !takes_jwt && plugin.is_none() {
        return None;
    }
    let mut lines = head.headers_named("authorization");
    let line = lines.next()?;
    if lines.next().is_some() {
        return Some(Credential::Malformed(Reason::CredentialMalformed));
    }
    let (scheme, value) = line.split_once(' ').unwrap_or((line, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let value = value.trim_matches(' ');
    if value.is_empty() || value.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b',') {
        return Some(Credential::Malformed(Reason::CredentialMalformed));
    }
    match value.bytes().filter(|byte| *byte == b'.').count() {
        0 | 1 => Some(match plugin {
            Some((issuer, _)) => match text::percent_decoded(value) {
                Some(value) => Credential::BearerToken { issuer, value },
                None => Credential::Malformed(Reason::CredentialMalformed),
            },
            None => Credential::Malformed(Reason::TokenMalformed),
        }),
        _ if takes_jwt => Some(Credential::Jwt { token: Cow::Borrowed(value), place: Place::Authorization }),
        _ => Some(Credential::Malformed(Reason::CredentialMalformed)),
    }
}
