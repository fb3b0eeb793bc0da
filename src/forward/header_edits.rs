//! Header edits on the way to the origin: first everything that only the gate may say is removed,
//! then the gate says it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::authn::identity_headers;
use crate::cache::as_of;
use crate::cache::verified::Identity;
use crate::http::client_headers;
use crate::http::cookie;
use crate::http::header_pairs::{HeaderPairs, is_spelled};
use crate::http::request::RequestHead;
use crate::http::set_cookie;
use crate::policy::Policy;
use crate::policy::issuer::TokenLocation;
use crate::policy::rules::{CredentialHandling, MatchedRules};

/// What becomes of `Authorization`.
pub(crate) enum Authorization {
    /// It is a credential like others.
    AsCredential,
    /// It is the token that the origin is to get.
    Kept,
    /// A token exchange owns it, and this request has no token of it.
    Removed,
    /// It has this token of a token exchange.
    Exchanged(Arc<str>),
}

/// What the origin is told.
pub(crate) struct HeaderContext<'a> {
    pub(crate) identity: Option<&'a Identity>,
    pub(crate) assertion: Option<String>,
    pub(crate) authorization: &'a Authorization,
    /// `Set-Cookie` lines of the auth service that go to the browser with the response.
    pub(crate) fresh: &'a [String],
}

/// All edits of a forward: what is removed, and what is set after that. Of several rules the origin
/// gets what all of them let it have.
pub(crate) fn edits(
    head: &RequestHead<'_>,
    policy: &Policy,
    rules: &MatchedRules,
    told: HeaderContext<'_>,
) -> (Vec<String>, HeaderPairs) {
    let HeaderContext { identity, assertion, authorization, fresh } = told;
    let mut remove =
        client_headers::removals(head, &policy.header_prefix, |name| policy.keeps_header(name));
    let identity = identity.map(|identity| identity.headers.clone()).unwrap_or_default();
    let treatment = rules.all().map(|rule| rule.credential).max().unwrap_or_default();
    let is_credential = matches!(authorization, Authorization::AsCredential);
    let renews = !fresh.is_empty() || cookie::first(head, as_of::NAME).is_some();
    if treatment == CredentialHandling::Keep
        && is_credential
        && assertion.is_none()
        && tells_all(rules)
        && !renews
    {
        return (remove, identity);
    }
    let told = identity.iter().filter(|(name, _)| is_told(rules, own_name(policy, name)));
    let mut set: Vec<(String, String)> =
        told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if treatment != CredentialHandling::Keep {
        let (names, cookies) = without_credential(head, policy, is_credential);
        remove.extend(names);
        set.extend(cookies.map(|cookies| ("cookie".to_owned(), cookies)));
    } else if renews {
        // What goes on is what the browser would send after the response: the application may read
        // the session once more.
        remove.extend(
            head.headers
                .iter()
                .filter(|(name, _)| is_cookie(name))
                .map(|(name, _)| (*name).to_owned()),
        );
        let services = policy.services.iter();
        let chunked: Vec<&str> =
            services.map(|service| service.cookies.session_data.as_str()).collect();
        let cookies = set_cookie::renewed(head, fresh, &chunked, as_of::NAME);
        set.extend(
            Some(cookies)
                .filter(|cookies| !cookies.is_empty())
                .map(|cookies| ("cookie".to_owned(), cookies)),
        );
    }
    if matches!(authorization, Authorization::Removed | Authorization::Exchanged(_)) {
        remove.extend(
            head.headers
                .iter()
                .filter(|(name, _)| is_authorization(name))
                .map(|(name, _)| (*name).to_owned()),
        );
    }
    if let Authorization::Exchanged(jwt) = authorization {
        set.push(("authorization".to_owned(), ["Bearer ", jwt].concat()));
    }
    if let Some(assertion) = assertion {
        if treatment == CredentialHandling::Replace {
            set.push(("authorization".to_owned(), ["Bearer ", &assertion].concat()));
        }
        set.push(([policy.header_prefix.as_str(), "assertion"].concat(), assertion));
    }
    (remove, set.into_iter().collect())
}

/// Whether no rule that covers the request leaves anything out.
fn tells_all(rules: &MatchedRules) -> bool {
    rules.all().all(|rule| rule.headers.is_none())
}

/// Whether the origin is told what goes by this name: every rule that covers the request has to let
/// it.
pub(crate) fn is_told(rules: &MatchedRules, name: &str) -> bool {
    rules
        .all()
        .filter_map(|rule| rule.headers.as_ref())
        .all(|told| told.iter().any(|wanted| wanted == name))
}

/// An identity header's name without its prefix.
fn own_name<'n>(policy: &Policy, name: &'n str) -> &'n str {
    name.strip_prefix(policy.header_prefix.as_str()).unwrap_or(name)
}

/// What an assertion says about somebody under these rules: of what may be missing there, only what
/// the origin is told in headers.
pub(crate) fn statement<'i>(
    identity: &'i Identity,
    policy: &Policy,
    rules: &MatchedRules,
) -> Cow<'i, str> {
    if tells_all(rules) {
        return Cow::Borrowed(identity.statement.as_deref().unwrap_or_default());
    }
    // A claim that was too long for a header is in neither.
    let has =
        |wanted: &str| identity.headers.iter().any(|(name, _)| own_name(policy, name) == wanted);
    let is_told = |name: &str| is_told(rules, name) && has(name);
    let claims = policy.claim_headers.iter().filter(|(name, _)| is_told(name));
    let claims: Vec<_> = claims
        .filter_map(|(name, claim)| {
            Some((name.as_str(), identity.session.attributes.claim(claim)?))
        })
        .collect();
    let issuer = &identity.issuer.name;
    Cow::Owned(identity_headers::statement(&identity.session, issuer, &claims, is_told))
}

/// Under whatever name an origin may read it.
fn is_cookie(name: &str) -> bool {
    name.eq_ignore_ascii_case("cookie")
}

fn is_authorization(name: &str) -> bool {
    is_spelled(name, "authorization")
}

/// The edits that keep the credential itself from the origin: names of headers to remove, and what
/// is left of the cookies. `Authorization` may be somebody else's matter.
fn without_credential(
    head: &RequestHead<'_>,
    policy: &Policy,
    has_authorization: bool,
) -> (Vec<String>, Option<String>) {
    let is_session = |name: &str| {
        name == as_of::NAME
            || policy.services.iter().any(|service| service.cookies.are_secret(name))
            || policy
                .issuers
                .iter()
                .flat_map(|issuer| &issuer.places)
                .filter_map(TokenLocation::cookie)
                .any(|own| cookie::is_named(name, own))
    };
    let mut removals: Vec<String> = Vec::new();
    for (name, value) in head.headers {
        // However an origin may split it: `Bearer` and a tab, or nothing between.
        let is_bearer = has_authorization
            && name.eq_ignore_ascii_case("authorization")
            && value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
        if is_bearer || policy.holds_token(name) || name.eq_ignore_ascii_case("cookie") {
            removals.push((*name).to_owned());
        }
    }
    let kept: Vec<String> = cookie::all(head)
        .filter(|cookie| !is_session(cookie.name))
        .map(|cookie| cookie.as_sent())
        .collect();
    (removals, Some(kept.join("; ")).filter(|kept| !kept.is_empty()))
}
