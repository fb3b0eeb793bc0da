//! What the log says of credentials that are refused or missing: what was expected, and what came
//! that is near it. Nothing of it is verified, and all of it is bounded and escaped. Names of
//! cookies and members of tokens that tell nothing of a person, and never a value that is a
//! credential or a part of one.

use crate::authn::credential::Credential;
use crate::better_auth::signed_cookie::SignedValue;
use crate::encoding::json::{self, Object, Value};
use crate::encoding::members::{Members, list, shown};
use crate::encoding::{ascii, percent};
use crate::http::cookie::{self, Cookie};
use crate::http::request::RequestHead;
use crate::jose::claims::{self, Expectations};
use crate::jose::jws::Jws;
use crate::policy::auth_service::{AuthService, CookieNames, without_browser_prefix};
use crate::policy::issuer::Issuer;
use crate::policy::rules::Rule;
use crate::reason::Reason;

use super::Authenticator;

/// So many near names of cookies are shown, and so many items of a list.
const MAX_SHOWN: usize = 6;
/// So much of a cookie's name is shown.
const MAX_NAME_BYTES: usize = 64;
/// A session token of Better Auth: 32 letters and digits.
const SESSION_TOKEN_BYTES: usize = 32;

impl Authenticator<'_> {
    /// Notes what there is instead of a credential.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_absence(&mut self, rule: &Rule) {
        let mut findings = Members::default();
        self.add_cookies(&mut findings, rule, true);
        if let Some(line) = self.head.header("authorization") {
            let scheme = line.split([' ', ',']).next().unwrap_or_default();
            // A line without a space may be a credential as a whole.
            if scheme.len() < line.len() {
                findings.shown("authorization_scheme", scheme);
            }
        }
        self.note(&findings);
    }

    /// Notes what there is to see of a credential that is refused.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_refused(
        &mut self,
        credential: &Credential<'_>,
        reason: Reason,
        rule: &Rule,
    ) {
        let mut findings = Members::default();
        match credential {
            Credential::Bearer(value) => return self.note_refused(&value.read(), reason, rule),
            Credential::Jwt { token, .. } => self.add_token(&mut findings, token, reason),
            Credential::SessionCookie { service, cookie } => {
                self.add_cookies(&mut findings, rule, false);
                add_secret(&mut findings, service, &cookie.value(), reason);
            }
            Credential::BearerToken { service, value } => {
                add_secret(&mut findings, service, value, reason);
            }
            Credential::Malformed(_) => self.add_cookies(&mut findings, rule, false),
        }
        self.note(&findings);
    }

    fn note(&mut self, findings: &Members) {
        self.deferred.findings.get_or_insert_default().extend(findings);
    }

    /// The names of session cookies that were looked for, and the near ones that came.
    #[cold]
    #[inline(never)]
    fn add_cookies(&self, findings: &mut Members, rule: &Rule, is_absent: bool) {
        let accepted = || self.policy.issuers.iter().filter(|issuer| rule.accepts(issuer.id));
        let services =
            || self.policy.services.iter().filter(|service| rule.accepts(service.issuer.id));
        let own: Vec<OwnCookies<'_>> =
            services().map(|service| OwnCookies::of(&service.cookies, &self.head)).collect();
        let problems = cookie::all(&self.head).filter_map(|one| {
            // A cookie of one service is near to none of another.
            let problem = match own.iter().find(|own| own.names.include(one.name)) {
                Some(own) => own.problem_of(&one),
                None => own.iter().find_map(|own| problem_of_other(&one, own.names)),
            };
            Some((one.name, problem?))
        });
        let mut near = Vec::new();
        for (name, problem) in problems.take(MAX_SHOWN) {
            near.push(near_name(name, problem));
            findings.text("hint", hint_about(problem));
        }
        let places =
            || accepted().flat_map(|issuer| &issuer.places).filter_map(|place| place.cookie());
        for place in places().filter(|place| cookie::joined_value(&self.head, place).is_err()) {
            near.push(near_name(place, "chunk-missing"));
            findings.text("hint", hint_about("chunk-missing"));
        }
        let names = services().map(|service| service.cookies.session_token.as_str());
        let expected: Vec<String> = names.chain(places()).map(json::quoted).collect();
        if expected.is_empty() || near.is_empty() && !is_absent {
            return;
        }
        let mut cookies = Members::default();
        cookies.add("expected", list(&expected));
        if !near.is_empty() {
            cookies.add("near", list(&near));
        }
        findings.add("cookies", cookies.written());
    }

    /// What a token says of itself, and what is expected in place of what is wrong with it.
    #[cold]
    #[inline(never)]
    fn add_token(&self, findings: &mut Members, token: &str, reason: Reason) {
        let mut said = Members::default();
        let Ok(jws) = Jws::parse(token) else {
            said.number("parts", i64::try_from(ascii::pieces(token, b'.').count()).unwrap_or(0));
            return findings.add("token", said.written());
        };
        let header = &jws.header;
        let mut unverified = Members::default();
        unverified.shown("alg", &header.alg);
        for (name, value) in [("kid", &header.kid), ("typ", &header.typ)] {
            if let Some(value) = value {
                unverified.shown(name, value);
            }
        }
        let claims = jws.unverified_claims();
        let members = claims.as_ref().map(|claims| &claims.members);
        for name in ["iss", "aud", "azp", "client_id", "exp", "iat", "nbf"] {
            let value = members.and_then(|members| members.get(name)).and_then(as_shown);
            if let Some(value) = value {
                unverified.add(name, value);
            }
        }
        said.add("unverified", unverified.written());
        let iss = members.and_then(|members| members.text("iss"));
        let issuer = self.policy.issuers.iter().find(|issuer| {
            let expected = issuer.expected(self.head.public_origin);
            expected.is_some_and(|expected| Some(expected.issuer.as_str()) == iss)
        });
        if let (Some(issuer), Some(members)) = (issuer, members) {
            findings.text("issuer", &issuer.name);
            if let Some(expected) = self.expected_of_token(reason, issuer, members) {
                said.add("expected", expected);
            }
        }
        if let Some(seconds) = members.and_then(|members| self.seconds_off(reason, members)) {
            said.number("seconds_off", seconds);
        }
        findings.add("token", said.written());
    }

    /// What an issuer's tokens have in place of what is wrong.
    #[cold]
    #[inline(never)]
    fn expected_of_token(
        &self,
        reason: Reason,
        issuer: &Issuer,
        claims: &Object<'_>,
    ) -> Option<String> {
        let expected = issuer.expected(self.head.public_origin)?;
        let (name, values) = match reason {
            Reason::AlgNotAllowed => {
                let names = issuer.algorithms.iter().map(|algorithm| algorithm.name().to_owned());
                ("alg", names.collect())
            }
            Reason::AudienceMismatch => ("aud", expected.audience.clone()),
            Reason::AuthorizedPartyMismatch => ("azp", expected.authorized_parties.clone()),
            Reason::TypeMismatch => ("typ", expected.typ.clone()),
            Reason::KeyNotFound => ("kid", self.keys.kids(issuer.id, self.now)),
            Reason::ClaimMissing => ("claims", missing(claims, &expected)),
            _ => return None,
        };
        let values: Vec<String> = values.iter().take(MAX_SHOWN).map(|value| shown(value)).collect();
        let mut expected = Members::default();
        expected.add(name, list(&values));
        Some(expected.written())
    }

    /// By how many seconds a token is too late, or too early.
    fn seconds_off(&self, reason: Reason, claims: &Object<'_>) -> Option<i64> {
        let date = |name| json::integer(claims, name);
        let (now, date) = match reason {
            Reason::TokenExpired => (self.now.as_seconds(), date("exp")?),
            Reason::TokenNotYetValid => (self.now.as_seconds(), date("nbf").max(date("iat"))?),
            _ => return None,
        };
        Some(now.saturating_sub(date))
    }
}

/// The secret by which a signature does not hold, and which text like it would have been right.
#[cold]
#[inline(never)]
fn add_secret(findings: &mut Members, service: &AuthService, value: &str, reason: Reason) {
    findings.text("issuer", &service.issuer.name);
    if reason != Reason::SignatureInvalid {
        return;
    }
    let signed = SignedValue::from_cookie(value);
    let like = signed.ok().and_then(|signed| signed_like(service, &signed));
    findings.text("hint", like.map_or(OTHER_SECRET, |(_, hint)| hint));
    let mut secret = service.secrets.about.clone();
    secret.text_if_any("service_has", like.map(|(like, _)| like));
    findings.add("secret", secret.written());
}

/// A name that came, and what is the matter with it, as JSON.
fn near_name(name: &str, problem: &str) -> String {
    let mut members = Members::default();
    members.text("name", &percent::loggable(without_account(name), MAX_NAME_BYTES));
    members.text("problem", problem);
    members.written()
}

/// A name without what the multi-session plugin puts behind it: a session's token.
fn without_account(name: &str) -> &str {
    name.split_once("_multi-").map_or(name, |(name, _)| name)
}

/// What came of one service's cookies, read once: a client can send thousands of them.
struct OwnCookies<'a> {
    names: &'a CookieNames,
    session_token: Option<Cookie<'a>>,
    is_session_data_broken: bool,
}

impl<'a> OwnCookies<'a> {
    fn of(names: &'a CookieNames, head: &RequestHead<'a>) -> Self {
        Self {
            names,
            session_token: cookie::first(head, &names.session_token),
            is_session_data_broken: cookie::joined_value(head, &names.session_data).is_err(),
        }
    }

    /// What is the matter with one of them.
    #[cold]
    #[inline(never)]
    fn problem_of(&self, cookie: &Cookie<'_>) -> Option<&'static str> {
        if cookie.name == self.names.session_token {
            let is_other = self.session_token?.as_received() != cookie.as_received();
            return if is_other { Some("repeated") } else { problem_of_value(cookie) };
        }
        (self.is_session_data_broken && cookie.name != self.names.dont_remember)
            .then_some("chunk-missing")
    }
}

/// As what a cookie could be meant that is none of a session.
#[cold]
#[inline(never)]
fn problem_of_other(cookie: &Cookie<'_>, names: &CookieNames) -> Option<&'static str> {
    let (name, expected) = (without_account(cookie.name), names.session_token.as_str());
    if name == expected {
        return None;
    }
    let (bare, bare_expected) = (without_browser_prefix(name), without_browser_prefix(expected));
    let ends = [".session_token", "-session_token"];
    if bare == bare_expected {
        Some("secure-prefix")
    } else if name.eq_ignore_ascii_case(expected) || bare.eq_ignore_ascii_case(bare_expected) {
        Some("case")
    } else if ends.iter().any(|end| bare.ends_with(end)) {
        Some("prefix")
    } else {
        let value = cookie.value();
        let signed = SignedValue::from_cookie(&value).ok().filter(|_| !names.are_secret(name))?;
        let token = signed.unverified_value;
        let is_token = token.len() == SESSION_TOKEN_BYTES
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_token.then_some("name")
    }
}

/// What is wrong with the form of a session cookie's value.
fn problem_of_value(cookie: &Cookie<'_>) -> Option<&'static str> {
    let value = cookie.value();
    let is_signed = |value: &str| SignedValue::from_cookie(value).is_ok();
    if value.is_empty() {
        Some("empty")
    } else if is_signed(&value) {
        None
    } else if percent::decoded(&value).is_some_and(|again| is_signed(&again)) {
        Some("encoded-twice")
    } else if value.contains('.') {
        Some("cut")
    } else {
        Some("unsigned")
    }
}

const fn hint_about(problem: &str) -> &'static str {
    match problem.as_bytes() {
        b"secure-prefix" => {
            "The scheme of the auth service's URL decides about __Secure-: give the gate the same \
             url (https or http) as the auth service, or set secure_cookies"
        }
        b"prefix" => "Set cookie_prefix to advanced.cookiePrefix of the auth service",
        b"name" => "Set session_token_cookie to the name that the auth service gives the cookie",
        b"case" => "Cookie names are compared letter by letter: set cookie_prefix as it is spelled",
        b"repeated" => {
            "Two cookies of one name differ, and the first counts: delete the one with the old \
             Domain or Path"
        }
        b"chunk-missing" => {
            "A chunk of the cookie is missing: look for a limit of header sizes on the way"
        }
        b"encoded-twice" => "Something on the way has percent-encoded the cookie a second time",
        _ => "Send the cookie's whole value as the auth service has set it: token.signature",
    }
}

const OTHER_SECRET: &str = "The auth service signs with another secret: give the gate the value \
    that the auth service has in this environment, and restart both";

/// Which text like the secret has made a signature: what the auth service has, and what to do.
#[cold]
#[inline(never)]
fn signed_like(
    service: &AuthService,
    signed: &SignedValue<'_>,
) -> Option<(&'static str, &'static str)> {
    let secret = service.secrets.current.as_ref()?;
    let (message, mac) = (signed.unverified_value.as_bytes(), &signed.mac);
    if service.secrets.retired.iter().any(|retired| retired.authenticates(message, mac)) {
        let hint = "The cookie is signed by a retired secret: users sign in again, and the auth \
            service must have the same list of secrets";
        return Some(("retired", hint));
    }
    secret.authenticates_like(message, mac).map(|like| {
        let hint = match like {
            "without-quotes" => {
                "The gate's secret has quotation marks around it, and the auth service's has not: \
                 take them away"
            }
            "with-quotes" => {
                "The auth service's secret has quotation marks around it, and the gate's has not: \
                 take them away there"
            }
            "published-default" => {
                "The auth service has no secret of its own and uses Better Auth's published \
                 default: set BETTER_AUTH_SECRET there"
            }
            _ => {
                "The auth service's secret ends with a line end or a space, and the gate's does \
                 not: take it away there"
            }
        };
        (like, hint)
    })
}

/// A text, a date or a list of texts, as it is shown.
#[cold]
#[inline(never)]
fn as_shown(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(shown(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::List(items) => {
            let items =
                items.iter().take(MAX_SHOWN).filter_map(|item| Some(shown(item.as_text()?)));
            Some(list(&items.collect::<Vec<_>>()))
        }
        _ => None,
    }
}

/// Names of claims that a token has to have, and has not.
#[cold]
#[inline(never)]
fn missing(claims: &Object<'_>, expected: &Expectations) -> Vec<String> {
    let aud = if expected.audience.is_empty() { "exp" } else { "aud" };
    let names = ["exp", aud].into_iter().chain(expected.required.iter().map(String::as_str));
    let mut missing: Vec<String> =
        names.filter(|name| !claims.has(name)).map(str::to_owned).collect();
    if claims::subject(claims, &expected.subject).is_err() {
        missing.extend(expected.subject.iter().cloned());
    }
    missing.dedup();
    missing
}
