//! Reasons: one table of every way in which a request can be refused. Each has a stable code, a
//! status, who has to act, and a sentence.
//!
//! Codes are never renamed. `docs/reasons.md` has the cure and the cause of each; `tests/words.rs`
//! holds that page to this table.

use std::fmt;

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The caller: the request or its token is wrong.
    Client,
    /// The operator of the gate, or of a service that it depends on.
    Operator,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:literal $actor:ident $sentence:literal;)*) => {
        /// Why a request is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive] // reasons are added, never renamed
        pub enum Reason {
            $(#[doc = $sentence] $(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status of a refusal for this reason (RFC 9110 section 15).
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Who has to act.
            pub const fn actor(self) -> Actor {
                match self { $(Self::$name => Actor::$actor,)* }
            }

            /// One sentence for developers: no full stop, no secrets.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    // the request
    HeadMalformed "head_malformed" 400 Client
        "The host passed a malformed request to the gate";
    MethodRefused "method_refused" 400 Client
        "The request method is not written in capital letters";
    PathRefused "path_refused" 400 Client
        "The request path is ambiguous: servers could read it in different ways";
    RouteDenied "route_denied" 403 Client
        "No rule matches this path and method";
    NoCredential "no_credential" 401 Client
        "The request has no session cookie and no token";
    CrossSiteRequest "cross_site_request" 403 Client
        "The request relies on a cookie and does not come from this site (CSRF protection)";
    Forbidden "forbidden" 403 Client
        "The user is authenticated but does not meet the rule's requirements";
    RedirectLoop "redirect_loop" 401 Client
        "Sign-in redirects back here without creating a session (redirect loop)";

    // the credential
    CredentialMalformed "credential_malformed" 401 Client
        "The cookie or header that holds the credential is malformed";
    CredentialAmbiguous "credential_ambiguous" 400 Client
        "The request has valid credentials of two different users";
    CookieIncomplete "cookie_incomplete" 401 Client
        "A chunk of the session cookie is missing";
    TokenTooLarge "token_too_large" 401 Client
        "The token exceeds the size limit";
    TokenMalformed "token_malformed" 401 Client
        "The token is malformed";
    TokenUnsupported "token_unsupported" 401 Client
        "The token uses a format or feature that is not supported";
    AlgNotAllowed "alg_not_allowed" 401 Client
        "The algorithm of the token (\"alg\") is not allowed";
    SignatureInvalid "signature_invalid" 401 Client
        "The signature is invalid";

    // the key
    KeyNotFound "key_not_found" 401 Client
        "The issuer's key set has no key with this \"kid\"";
    KeyAmbiguous "key_ambiguous" 401 Client
        "More than one key of the issuer matches the token";
    KeyUnsuitable "key_unsuitable" 401 Client
        "The key with this \"kid\" does not fit the algorithm of the token";
    KeysUnavailable "keys_unavailable" 503 Operator
        "The issuer's key set could not be fetched or has no usable key";
    SignatureCheckUnavailable "signature_check_unavailable" 503 Operator
        "The platform failed to verify the signature";

    // the claims
    IssuerUnknown "issuer_unknown" 401 Client
        "The issuer of the token (\"iss\") is not trusted here";
    ClaimsMalformed "claims_malformed" 401 Client
        "A claim has the wrong type";
    ClaimMissing "claim_missing" 401 Client
        "A required claim is missing";
    TypeMismatch "type_mismatch" 401 Client
        "The type of the token (\"typ\") is not accepted here";
    AudienceMismatch "audience_mismatch" 401 Client
        "The token is for another audience (\"aud\")";
    AuthorizedPartyMismatch "authorized_party_mismatch" 401 Client
        "The token was issued to a client that is not an authorized party (\"azp\")";
    TokenBound "token_bound" 401 Client
        "The token is bound to a key (\"cnf\") and cannot be used as a bearer token";
    TokenExpired "token_expired" 401 Client
        "The token has expired";
    TokenNotYetValid "token_not_yet_valid" 401 Client
        "The token is not valid yet";
    TokenTooOld "token_too_old" 401 Client
        "The token was issued too long ago";

    // the session
    SessionExpired "session_expired" 401 Client
        "The session has expired";
    SessionMismatch "session_mismatch" 401 Client
        "The cookie cache belongs to another session";
    SessionVersion "session_version" 401 Client
        "The cookie cache has another version than the gate expects";
    SessionEnded "session_ended" 401 Client
        "The auth service reports that the session has ended";
    SessionRevoked "session_revoked" 401 Client
        "The session or the token has been revoked";
    SessionUnavailable "session_unavailable" 503 Operator
        "The auth service could not be asked about the session";
    RevocationUnavailable "revocation_unavailable" 503 Operator
        "The deny-list of revoked sessions could not be fetched";

    // the token exchange
    TokenExchangeUnavailable "token_exchange_unavailable" 503 Operator
        "The auth service issued no token for the origin";
    ExchangedTokenInvalid "exchanged_token_invalid" 503 Operator
        "The token that the auth service issued for the origin is invalid";

    // the gate
    AssertionUnavailable "assertion_unavailable" 503 Operator
        "The platform failed to sign the assertion for the origin";
    NotStarted "not_started" 503 Operator
        "The gate is not running (bad configuration, failed start, or a crash during this request)";

    // the origin
    OriginUnreachable "origin_unreachable" 502 Operator
        "The origin could not be reached or closed the connection";
    OriginTimedOut "origin_timed_out" 504 Operator
        "The origin did not respond in time";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
