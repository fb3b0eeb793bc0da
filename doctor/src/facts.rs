//! What was learned about a deployment, by name and type. Probes write here and rules read here.
//!
//! Each fact says what was seen, never what it means. `None` means that it was not looked at, or
//! that what came back did not tell.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use crate::answer::{ServiceError, SessionAnswer};
use crate::cookie_line::CookieLine;
use crate::effects::HttpFailure;
use crate::secret::Difference;
use crate::url::Url;
use crate::wall::Wall;

/// All that was learned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Every request that was sent, in order.
    pub(crate) requests: Vec<Exchange>,
    pub(crate) reach: Reach,
    /// The first 429.
    pub(crate) limit: Option<Limit>,
    pub(crate) names: Names,
    pub(crate) arrival: Arrival,
    pub(crate) cache: CacheFacts,
    pub(crate) keys: KeyFacts,
    pub(crate) oracle: Oracle,
    pub(crate) gate: GateFacts,
    pub(crate) app: AppFacts,
    pub(crate) pasted: Pasted,
    pub(crate) deep: Deep,
    pub(crate) sign_in: SignIn,
    pub(crate) api: ApiFacts,
    pub(crate) clock: Clock,
    pub(crate) token: Option<TokenFacts>,
}

/// One request and what came of it, without anything secret.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// A name for evidence: `sign-out`, `oracle.plain`.
    pub(crate) id: &'static str,
    pub(crate) method: &'static str,
    /// The path, without a query.
    pub(crate) path: String,
    /// The host, where it is not the target's.
    pub(crate) host: Option<String>,
    /// The status, or nothing where there was no response.
    pub(crate) status: Option<u16>,
    /// What came back, in a few words: `200 null, 3 deletions`.
    pub(crate) summary: String,
    pub(crate) millis: i64,
}

/// A 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) path: String,
    /// How many requests to the same path were answered well before it in this run.
    pub(crate) answered_before: usize,
    pub(crate) by_service: bool,
    pub(crate) retry_after: Option<String>,
}

/// Whether and where the auth service answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    /// No response came.
    pub(crate) failure: Option<HttpFailure>,
    /// Something in front of the service answers.
    pub(crate) wall: Option<Wall>,
    /// The service answers under this base path.
    pub(crate) base: Option<String>,
    /// Where it was expected, and nothing is there.
    pub(crate) absent_at: Option<String>,
    /// `/ok` or `/get-session` redirects there.
    pub(crate) redirect: Option<Redirect>,
    /// A page came where the service should answer.
    pub(crate) is_html: bool,
    /// The service answers with this status to a request without cookies, to each path.
    pub(crate) service_error: Option<ServiceError>,
    /// Under this other host name the same server answers well.
    pub(crate) good_at_host: Option<String>,
    /// With a browser's user agent there is a response, with ours a wall.
    pub(crate) walled_by_agent: Option<Wall>,
    /// `/get-session` forbids to keep its answer, which Better Auth does since 1.6.
    pub(crate) forbids_storing: bool,
    /// A proxy answered `/ok` with this status, and the service did right after it.
    pub(crate) gateway_by_turns: Option<u16>,
    /// Requests below the service's base that were answered with a page and 200, by their names.
    pub(crate) pages: Vec<&'static str>,
    /// A gate answers in place of the service, with this reason.
    pub(crate) gate_reason: Option<String>,
    /// The response to `/get-session` without a cookie.
    pub(crate) session: Option<SessionAnswer>,
    /// How large a `Cookie` header was refused, and with which status.
    pub(crate) refused_cookie_bytes: Option<(usize, u16)>,
}

/// A redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redirect {
    pub(crate) status: u16,
    pub(crate) from: Url,
    pub(crate) to: Url,
}

/// The service's cookies, by what it deletes at `/sign-out`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// It was Better Auth's `{"success":true}`.
    pub(crate) is_success: bool,
    /// Every deletion line.
    pub(crate) deletions: Vec<CookieLine>,
    /// `Set-Cookie` lines that hold more than one cookie.
    pub(crate) joined_lines: usize,
    /// The name of `session_token`.
    pub(crate) session_token: Option<String>,
    /// The name of `session_data`.
    pub(crate) session_data: Option<String>,
    /// The name of `session_token` in another answer, where it is another.
    pub(crate) other_session_token: Option<String>,
    /// Whether the service keeps its state in cookies (no database).
    pub(crate) is_stateless: bool,
}

impl Names {
    /// The line that deletes `session_token`.
    pub(crate) fn token_line(&self) -> Option<&CookieLine> {
        let name = self.session_token.as_deref()?;
        self.deletions.iter().find(|line| line.name == name)
    }
}

/// What arrives at the service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrival {
    /// Whether the service has seen a cookie: it deleted the chunk that was sent, or asked for an
    /// origin because there was a cookie.
    pub(crate) cookie: Option<bool>,
    /// Whether the service refuses a request with a cookie and without `Origin`.
    pub(crate) checks_origin: Option<bool>,
    /// Origins that were tried, and whether the service trusts them.
    pub(crate) origins: BTreeMap<String, bool>,
    /// The service said that there is no `Origin` where one was sent.
    pub(crate) origin_is_lost: bool,
    /// The same request was refused for its origin, and was not.
    pub(crate) origin_varies: bool,
    /// The service refused a request without any cookie for its origin: something adds one.
    pub(crate) cookie_is_added: bool,
    /// Whether a signed bearer token was recognised.
    pub(crate) bearer: Option<bool>,
}

/// Signs of a cache before the service.
#[derive(Debug, Clone, Default)]
pub(crate) struct CacheFacts {
    /// A header of `/get-session` says that it came from a cache: name and value.
    pub(crate) hit: Option<(String, String)>,
    /// `/get-session` may be stored by shared caches: the header's value.
    pub(crate) is_storable: Option<String>,
    /// The same cookie was recognised at an address that nobody asked for before, and not at the
    /// usual one.
    pub(crate) differs_from_fresh: bool,
    /// `HEAD` is answered, which the service itself does not do.
    pub(crate) answers_head: bool,
    /// The answer's date does not go on.
    pub(crate) stands_still: bool,
}

/// The key set.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyFacts {
    pub(crate) status: Option<u16>,
    pub(crate) wall: Option<Wall>,
    /// What it is instead of a key set: `html`, `empty`, `text`, `json`.
    pub(crate) wrong_kind: Option<&'static str>,
    pub(crate) keys: Option<Vec<KeyFact>>,
    /// The keys' names at the second request, where they were others.
    pub(crate) other_kids: Option<BTreeSet<String>>,
    /// The status of `/token` without a session.
    pub(crate) token_status: Option<u16>,
    /// A user agent that is refused where others are not, and the status.
    pub(crate) refused_agent: Option<(&'static str, u16)>,
}

/// A key of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyFact {
    pub(crate) kid: Option<String>,
    pub(crate) alg: Option<String>,
    pub(crate) is_usable: bool,
    /// The key as JWK text: it is public.
    pub(crate) jwk: String,
}

/// Whether the service has the same secret.
#[derive(Debug, Clone, Default)]
pub(crate) struct Oracle {
    /// Why the question was not put.
    pub(crate) skipped: Option<&'static str>,
    /// Where the secret comes from: `BETTER_AUTH_SECRET in .env.local`.
    pub(crate) source: Option<String>,
    /// How the secret is shown.
    pub(crate) shown: Option<String>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) length_class: Option<&'static str>,
    pub(crate) is_short: bool,
    pub(crate) is_monotonous: bool,
    pub(crate) is_default: bool,
    /// No secret was found at all.
    pub(crate) is_missing: bool,
    /// A cookie signed with it was recognised.
    pub(crate) knows: Option<bool>,
    /// A second question, which rests on something else, gave the same answer.
    pub(crate) is_confirmed: bool,
    /// Of tokens that are signed alike some were recognised, and some were not.
    pub(crate) varies: bool,
    /// A near miss that was recognised.
    pub(crate) hit: Option<Hit>,
    /// How many near misses were tried.
    pub(crate) tried: usize,
    /// The service failed as it looked the made-up session up: status and code.
    pub(crate) lookup_error: Option<ServiceError>,
    /// A wall came up during the questions.
    pub(crate) wall: Option<Wall>,
}

/// A near miss that the service recognises.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) difference: Difference,
    pub(crate) words: String,
}

/// What a gate answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct GateFacts {
    pub(crate) is_asked: bool,
    pub(crate) failure: Option<HttpFailure>,
    /// Status and reason of a protected path without a credential.
    pub(crate) anonymous: Option<GateAnswer>,
    /// The same with a made-up session that is signed with the service's secret.
    pub(crate) signed: Option<GateAnswer>,
    /// The same under the other form of the name (with or without `__Secure-`), or the default one.
    pub(crate) renamed: Option<(String, GateAnswer)>,
    /// A gate refuses a path that gates alone refuse, so one runs.
    pub(crate) runs: Option<bool>,
    /// A page of the application came with signs of a cache: name and value of the header.
    pub(crate) cached: Option<(String, String)>,
    /// A prefetch without a cookie gets a redirect that may be stored: the header's value.
    pub(crate) prefetch: Option<String>,
}

/// One response of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GateAnswer {
    pub(crate) status: u16,
    pub(crate) reason: Option<String>,
    pub(crate) location: Option<Url>,
    pub(crate) platform: Option<String>,
}

/// The application on another origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct AppFacts {
    pub(crate) origin: Option<Url>,
    pub(crate) relation: Option<Relation>,
    /// What a preflight gets: status, allowed origin, whether credentials are allowed.
    pub(crate) preflight: Option<Cors>,
    /// The same of the request itself.
    pub(crate) actual: Option<Cors>,
}

/// Headers of CORS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cors {
    pub(crate) status: u16,
    pub(crate) allow_origin: Option<String>,
    pub(crate) allow_credentials: bool,
}

/// How two hosts stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The same origin.
    SameOrigin,
    /// The same host on another port or scheme.
    SameHost,
    /// Another host below the same registrable domain.
    SameSite,
    /// Another site.
    CrossSite,
}

/// What pasted cookies are worth.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pasted {
    pub(crate) is_given: bool,
    pub(crate) bytes: usize,
    /// The session cookie, by its name.
    pub(crate) token: Option<PastedToken>,
    /// The name of a cookie that is a session cookie under another name than expected.
    pub(crate) other_name: Option<String>,
    /// How many session cookies of one name there are, and whether they differ.
    pub(crate) duplicates: Option<(usize, bool)>,
    pub(crate) data: Option<PastedData>,
    pub(crate) has_dont_remember: bool,
    pub(crate) has_two_factor: bool,
    pub(crate) cookie_count: usize,
    /// What the service says to them.
    pub(crate) session: Option<SessionAnswer>,
    /// The same, past the cookie cache.
    pub(crate) session_in_store: Option<SessionAnswer>,
    /// The service deleted the cookies with `null`.
    pub(crate) is_deleted: bool,
    /// The service failed: status and code.
    pub(crate) error: Option<ServiceError>,
    /// The service wrote a new `session_data`.
    pub(crate) is_renewed: bool,
    /// The answers of several tries differ.
    pub(crate) varies: bool,
    /// How long the session lives in all, in seconds.
    pub(crate) life_seconds: Option<i64>,
    /// Something in front of the service answered the pasted header in its place.
    pub(crate) wall: Option<Wall>,
}

/// The form of a pasted session cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastedToken {
    pub(crate) name: String,
    pub(crate) form: TokenForm,
    /// Whether the secret at hand has signed it.
    pub(crate) is_signed: Option<bool>,
    /// A near miss of the secret has signed it.
    pub(crate) signed_by: Option<(Difference, String)>,
}

/// How a session cookie's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenForm {
    /// `token.signature`, whole.
    Whole,
    /// The signature is missing or cut.
    Cut,
    /// Percent-encoded twice.
    DoubleEncoded,
}

/// A pasted `session_data`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PastedData {
    /// `compact`, `jwt`, `jwe`, `jwt-jwks`.
    pub(crate) format: Option<&'static str>,
    pub(crate) chunks: usize,
    pub(crate) has_gap: bool,
    /// Its parts do not make a whole.
    pub(crate) is_cut: bool,
    pub(crate) is_signed: Option<bool>,
    pub(crate) is_expired: Option<bool>,
    /// Its dates, in milliseconds.
    pub(crate) dates: Vec<i64>,
    pub(crate) version: Option<String>,
}

/// What self-made cookie caches are answered with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deep {
    pub(crate) is_asked: bool,
    pub(crate) skipped: Option<&'static str>,
    /// Strategies that were answered with the made-up session.
    pub(crate) answered: Vec<&'static str>,
    pub(crate) tried: Vec<&'static str>,
    /// Strategies whose cache made the service fail: name, status, code.
    pub(crate) failed: Vec<(&'static str, u16, Option<String>)>,
    /// The answer had `set-auth-jwt`.
    pub(crate) has_token: bool,
}

/// A whole sign-in.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignIn {
    pub(crate) is_asked: bool,
    pub(crate) skipped: Option<&'static str>,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) needs_second_factor: bool,
    pub(crate) has_cookie: bool,
    pub(crate) has_body_token: bool,
    pub(crate) max_age: Option<i64>,
    /// The sign-in has set a cookie cache, which may answer in the store's place.
    pub(crate) has_cache: bool,
    /// What each try over a new connection says.
    pub(crate) tries: Vec<Option<SessionAnswer>>,
    /// The same past the cookie cache: right after the tries, and where a try or this one found no
    /// session, several times more some seconds later.
    pub(crate) stored: Vec<Option<SessionAnswer>>,
    pub(crate) error: Option<ServiceError>,
}

/// What an API answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct ApiFacts {
    pub(crate) is_asked: bool,
    pub(crate) failure: Option<HttpFailure>,
    pub(crate) redirect: Option<Redirect>,
    pub(crate) anonymous: Option<ApiAnswer>,
    pub(crate) garbage: Option<ApiAnswer>,
    pub(crate) good: Option<ApiAnswer>,
    /// Its clock minus this machine's, in milliseconds.
    pub(crate) clock_millis: Option<i64>,
    /// The good token once more, some seconds later.
    pub(crate) later: Option<ApiAnswer>,
}

/// One response of an API: its status, and words of its body by which causes are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiAnswer {
    pub(crate) status: u16,
    /// Which known words its body has.
    pub(crate) words: Vec<ApiWord>,
    /// A digest by which two bodies are compared.
    pub(crate) same_as: u64,
}

/// Words in an API's refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiWord {
    Cryptography,
    Algorithm,
    Issuer,
    Audience,
    Fetch,
    Expired,
    NotYet,
    UnknownKey,
    Missing,
}

/// Clocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    /// The service's clock minus this machine's, in milliseconds; several responses agree.
    pub(crate) service_millis: Option<i64>,
    /// The same of another host.
    pub(crate) other_millis: Option<i64>,
    pub(crate) other_host: Option<String>,
    /// `iat` of a fresh token minus this machine's clock.
    pub(crate) token_millis: Option<i64>,
    /// `iat` of a pasted token is ahead of this machine's clock by so much.
    pub(crate) pasted_ahead_millis: Option<i64>,
}

/// A JWT of the service: what it says, without its text.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenFacts {
    pub(crate) is_fresh: bool,
    /// Why it is no JWT: `bearer-prefix`, `quotes`, `session-token`, `signed-cookie`, `opaque`.
    pub(crate) not_a_jwt: Option<&'static str>,
    pub(crate) typ: Option<String>,
    pub(crate) alg: Option<String>,
    pub(crate) kid: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) aud: Vec<String>,
    pub(crate) iat: Option<i64>,
    pub(crate) exp: Option<i64>,
    pub(crate) has_nonce: bool,
    /// The key set has its key.
    pub(crate) kid_is_known: Option<bool>,
    /// The signature holds.
    pub(crate) is_signed: Option<bool>,
    /// Its dates, in milliseconds.
    pub(crate) dates: Vec<i64>,
    /// It ended before the moment of the question.
    pub(crate) is_expired: Option<bool>,
}
