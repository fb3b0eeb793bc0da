//! Issuers, and where their tokens are.
//!
//! Whatever has to do with an issuer holds it (`Arc<Issuer>`, `Arc<AuthService>`) and looks nothing
//! up: so no issuer can be missing, and no auth service can turn out to be none.

use std::borrow::Cow;

use crate::jose::alg::Algorithm;
use crate::jose::claims::Expectations;
use crate::jose::jwk::JwkSet;

/// Which issuer of its policy it is, where one is named and not held: by a rule, and by what is
/// kept for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IssuerId(usize);

impl IssuerId {
    /// The one at this place of the policy's list.
    pub(crate) const fn new(place: usize) -> Self {
        Self(place)
    }

    pub(crate) const fn place(self) -> usize {
        self.0
    }
}

/// A party whose credentials count.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) id: IssuerId,
    pub(crate) name: String,
    /// As they are written: [`Self::expected`] says what they come to.
    pub(crate) expectations: Expectations,
    /// The public origins at which it speaks in the name of each by itself, with one star in the
    /// first label perhaps. None: it speaks in one name everywhere.
    pub(crate) public_hosts: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) inline_keys: JwkSet,
    pub(crate) jwks_url: Option<String>,
    pub(crate) places: Vec<TokenLocation>,
}

/// Where a JWT may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenLocation {
    /// `Authorization: Bearer`.
    Authorization,
    /// A cookie of this name.
    Cookie(String),
    /// The session of `@supabase/ssr` in the cookie of this name.
    SupabaseCookie(String),
    /// A header of this name (lower case).
    Header(String),
}

impl Issuer {
    /// What its tokens have to say at this public origin; nothing where it has no name there, and
    /// so no token of its own.
    pub(crate) fn expected(&self, public_origin: &str) -> Option<Cow<'_, Expectations>> {
        self.at(&self.expectations, public_origin)
    }

    /// The same of other expectations of this issuer's.
    pub(crate) fn at<'x>(
        &self,
        expectations: &'x Expectations,
        public_origin: &str,
    ) -> Option<Cow<'x, Expectations>> {
        if self.public_hosts.is_empty() {
            return Some(Cow::Borrowed(expectations));
        }
        let is_named = self.public_hosts.iter().any(|host| is_named_by(public_origin, host));
        is_named.then(|| Cow::Owned(expectations.at(public_origin)))
    }
}

/// Whether a public origin is this one, or is named by this pattern: a star stands for at least one
/// character of one label.
fn is_named_by(public_origin: &str, pattern: &str) -> bool {
    let Some((before, behind)) = pattern.split_once('*') else { return public_origin == pattern };
    let star = public_origin.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
    star.is_some_and(|star| {
        !star.is_empty()
            && star.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

impl TokenLocation {
    /// The cookie that it is in, whole or in chunks.
    pub(crate) fn cookie(&self) -> Option<&str> {
        match self {
            Self::Cookie(name) | Self::SupabaseCookie(name) => Some(name),
            Self::Authorization | Self::Header(_) => None,
        }
    }
}

#[cfg(test)]
impl Issuer {
    /// One of which nothing matters but that it is there.
    pub(crate) fn unnamed() -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self {
            id: IssuerId::new(0),
            name: String::new(),
            expectations: Expectations {
                issuer: String::new(),
                audience: Vec::new(),
                audience_may_be_empty: true,
                authorized_parties: Vec::new(),
                party_may_be_absent: true,
                subject: Vec::new(),
                typ: Vec::new(),
                typ_may_be_absent: true,
                skew: crate::time::Seconds::new(0),
                max_age: None,
                required: Vec::new(),
            },
            public_hosts: Vec::new(),
            algorithms: Vec::new(),
            inline_keys: JwkSet::default(),
            jwks_url: None,
            places: Vec::new(),
        })
    }
}
