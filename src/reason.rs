//! Why not: one table of every way a request can fail, with its code, status, who must act, and a sentence.
//!
//! Codes are stable and never renamed. `docs/reasons.md` gives cause and cure of each; a test holds the two together.

use std::fmt;

/// Who has to do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The caller: the request or its token is wrong.
    Client,
    /// Whoever runs the service that we depend on.
    Operator,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:literal $actor:ident $sentence:literal;)*) => {
        /// Why a request was not let through as somebody.
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

            /// Who has to do something about it.
            pub const fn actor(self) -> Actor {
                match self { $(Self::$name => Actor::$actor,)* }
            }

            /// One sentence: lower case, no full stop, no secrets.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    // the request
    HeadMalformed "head_malformed" 400 Client "the request's head is not what the host promised";
    MethodRefused "method_refused" 400 Client "the method is not a word in capitals";
    PathRefused "path_refused" 400 Client "the request target has more than one plausible reading";
    RouteDenied "route_denied" 403 Client "no rule covers this path and method";
    NoCredential "no_credential" 401 Client "the request carries no session and no token";
    CrossSiteRequest "cross_site_request" 403 Client "a request that changes something came with a cookie from another site";
    Forbidden "forbidden" 403 Client "the identity is good but this rule does not accept it";
    RedirectLoop "redirect_loop" 401 Client "signing in goes round in a circle";

    // the credential
    CredentialMalformed "credential_malformed" 401 Client "the credential is not of the form that its place calls for";
    CredentialAmbiguous "credential_ambiguous" 400 Client "the credentials are good but name different people";
    CookieIncomplete "cookie_incomplete" 401 Client "a chunk of the session cookie is missing";
    TokenTooLarge "token_too_large" 401 Client "the token is larger than any that is accepted";
    TokenMalformed "token_malformed" 401 Client "the token is not well-formed";
    TokenUnsupported "token_unsupported" 401 Client "the token is of a kind that is not accepted here";
    AlgNotAllowed "alg_not_allowed" 401 Client "\"alg\" is not an accepted algorithm";
    SignatureInvalid "signature_invalid" 401 Client "the signature does not hold";

    // the key
    KeyNotFound "key_not_found" 401 Client "no key of the issuer has this \"kid\"";
    KeyAmbiguous "key_ambiguous" 401 Client "the token names no \"kid\" and several keys would do";
    KeyUnsuitable "key_unsuitable" 401 Client "the key is not meant for this algorithm";
    KeysUnavailable "keys_unavailable" 503 Operator "the issuer's keys could not be fetched";
    SignatureCheckUnavailable "signature_check_unavailable" 503 Operator "the platform could not check the signature";

    // the claims
    IssuerUnknown "issuer_unknown" 401 Client "\"iss\" is not an issuer that is believed here";
    ClaimsMalformed "claims_malformed" 401 Client "a claim has the wrong type";
    ClaimMissing "claim_missing" 401 Client "a required claim is missing";
    TypeMismatch "type_mismatch" 401 Client "\"typ\" names a token of another purpose";
    AudienceMismatch "audience_mismatch" 401 Client "\"aud\" does not contain an accepted audience";
    AuthorizedPartyMismatch "authorized_party_mismatch" 401 Client "\"azp\" is not an accepted party";
    TokenBound "token_bound" 401 Client "the token is bound to a key (\"cnf\") and cannot be used as a plain bearer token";
    TokenExpired "token_expired" 401 Client "the token has expired";
    TokenNotYetValid "token_not_yet_valid" 401 Client "the token is not valid yet";
    TokenTooOld "token_too_old" 401 Client "the token was issued too long ago";

    // the session
    SessionExpired "session_expired" 401 Client "the session inside the cookie has expired";
    SessionMismatch "session_mismatch" 401 Client "the cached session belongs to another session token";
    SessionVersion "session_version" 401 Client "the cached session has another version";
    SessionEnded "session_ended" 401 Client "the auth service says that the session has ended";
    SessionRevoked "session_revoked" 401 Client "the session or the token has been revoked";
    SessionUnavailable "session_unavailable" 503 Operator "the auth service could not be asked about the session";
    RevocationUnavailable "revocation_unavailable" 503 Operator "the list of what has been revoked could not be fetched";

    // the bridge
    TokenExchangeUnavailable "token_exchange_unavailable" 503 Operator "the auth service gave no token for the origin";
    ExchangedTokenInvalid "exchanged_token_invalid" 503 Operator "the token that the auth service gave for the origin does not hold";

    // the gate
    AssertionUnavailable "assertion_unavailable" 503 Operator "the platform could not sign the assertion for the origin";
    NotStarted "not_started" 503 Operator "the gate could not start or lost its place";

    // the origin
    OriginUnreachable "origin_unreachable" 502 Operator "the origin could not be reached or broke off";
    OriginTimedOut "origin_timed_out" 504 Operator "the origin did not answer in time";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
