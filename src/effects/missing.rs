//! What has to be known before a request can be decided, and the questions that are put for it.

use crate::cache::exchanged_tokens::ExchangeKey;
use crate::cache::rate_limit::Payer;
use crate::cache::session_events::{SessionName, Since};
use crate::cache::shared::CacheUse;
use crate::cache::verified::VerifiedClaims;
use crate::jose::platform::{SignatureCheck, SignatureRequest};
use crate::jose::verify::Unconfirmed;
use crate::reason::Reason;
use crate::time::Seconds;

/// What has to be known first.
pub(crate) enum Missing {
    /// The key set of this source, for a token with this `kid`.
    Keys { source: usize, cache_use: CacheUse, kid: Option<String> },
    /// The platform's verdict on a signature.
    Check(Box<ToCheck>),
    /// What the service's storage has about a session.
    Storage(Box<Lookup>),
    /// The auth service's word on a session.
    Session(Box<Question>),
    /// The auth service's token for the user of a session.
    Token(Box<TokenQuestion>),
    /// The list of what has been revoked.
    DenyList(CacheUse),
    /// The platform's signature on the assertion.
    Sign(Box<SignatureRequest>),
    /// What another request is asking for; without an answer in time, this is the reason.
    Wait(Reason),
}

impl Missing {
    /// The reason of a request that cannot wait for it.
    pub(crate) const fn reason_without_answer(&self) -> Reason {
        match self {
            Self::Keys { .. } => Reason::KeysUnavailable,
            Self::Check(_) => Reason::SignatureCheckUnavailable,
            Self::Storage(_) | Self::Session(_) => Reason::SessionUnavailable,
            Self::Token(_) => Reason::TokenExchangeUnavailable,
            Self::DenyList(_) => Reason::RevocationUnavailable,
            Self::Sign(_) => Reason::AssertionUnavailable,
            Self::Wait(reason) => *reason,
        }
    }
}

/// A signature to check, and what follows if it holds.
pub(crate) struct ToCheck {
    pub(crate) check: SignatureCheck,
    pub(crate) unconfirmed: Option<Unconfirmed<Box<VerifiedClaims>>>,
}

/// A key of a storage to read: that of a session token, or where a user is named, of when that
/// user's sessions were revoked.
pub(crate) struct Lookup {
    pub(crate) issuer: usize,
    pub(crate) digest: [u8; 32],
    /// Who pays for it.
    pub(crate) payer: Payer,
    pub(crate) session: SessionName,
    /// A token whose signature holds.
    pub(crate) token: String,
    pub(crate) user: Option<String>,
}

/// A question to the auth service.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) issuer: usize,
    pub(crate) digest: [u8; 32],
    pub(crate) session: SessionName,
    /// How new the answer has to be, where another's will do.
    pub(crate) since: Since,
    /// The session token that the answer has to be about.
    pub(crate) token: String,
    /// How old another instance's word may be; 0: only the auth service's own will do.
    pub(crate) copies_up_to: Seconds,
    /// Who pays for it.
    pub(crate) payer: Payer,
    /// The credential as a request header.
    pub(crate) header: (&'static str, String),
    pub(crate) query: SessionQuery,
}

/// A question to the auth service for a token.
pub(crate) struct TokenQuestion {
    pub(crate) issuer: usize,
    pub(crate) place: ExchangeKey,
    pub(crate) session: SessionName,
    /// Who pays for it.
    pub(crate) payer: Payer,
    /// The credential as a request header, without what the service would take for the session
    /// unseen.
    pub(crate) header: (&'static str, String),
}

/// How a question about a session is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionQuery {
    /// What has become of it?
    Read,
    /// And may it live on? With `deferSessionRefresh` the service extends nothing before it is
    /// asked so.
    Refresh,
}
