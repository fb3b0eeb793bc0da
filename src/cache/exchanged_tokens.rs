//! Token exchange: JWTs that the auth service has issued for sessions, for origins that know no
//! cookies.
//!
//! Rules of this file:
//! - a token is kept by the session's credential and the audience it is for, and found by both;
//! - it is used until shortly before it expires or its session does; in what is left of its life
//!   only where there is no newer one to be had;
//! - a hit is checked at its own moment; whether its key set is still in use, and its user the
//!   session's, the caller checks;
//! - a burst makes one request: the first takes a lease, the others wait; after a failure there is
//!   a pause;
//! - the table is bounded; the entry that was made longest ago gives way. Only signed-in users fill
//!   it: no other session has a token;
//! - when something happens to the session (`events`), what was issued for it before is forgotten.

use std::sync::Arc;

use crate::better_auth::session_record::LookupFailure;
use crate::cache::bounded_map::{BoundedMap, Bounds, Weighed};
use crate::cache::fetch_state::FetchState;
use crate::cache::session_events::{Moment, Number, Since};
use crate::cache::sessions::CredentialDigest;
use crate::cache::verified::KeySetUsed;
use crate::effect::EffectResult;
use crate::encoding::json;
use crate::policy::rules::AudienceDigest;
use crate::reason::Reason;
use crate::time::{UnixTime, Window};

/// An entry is a token of a kilobyte or two.
const BOUNDS: Bounds = Bounds { entries: 1024, bytes: 4 * 1024 * 1024 };
/// What an entry weighs without its token.
const ENTRY_BYTES: usize = 256;
/// After a failure, so long this token is not requested again: it is shorter than what a refusal
/// tells clients to wait.
const PAUSE_MILLIS: i64 = 2000;
/// A new token is asked for in the last fifth of its life…
const RENEWAL_PART: i64 = 5;
/// …and no earlier than this before its end: the origin's clock is off by some seconds, and what it
/// does takes some.
const MAX_RENEWAL_MILLIS: i64 = 60_000;

/// Where a token is kept. In this order, so that all tokens of a credential stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExchangeKey {
    /// Of the session.
    pub(crate) credential: CredentialDigest,
    /// For whom it is.
    pub(crate) audience: AudienceDigest,
}

/// A token that has been verified.
#[derive(Clone)]
pub(crate) struct ExchangedToken {
    pub(crate) jwt: Arc<str>,
    /// Whose it is.
    pub(crate) subject: String,
    /// When it may be passed on at all.
    pub(crate) window: Window,
    /// From when on a newer one is asked for.
    renewal: UnixTime,
    pub(crate) key_set: KeySetUsed,
    /// When it was asked for.
    pub(crate) asked: Moment,
}

impl ExchangedToken {
    /// A token that was asked for at that moment, verified now, and is good within this window.
    pub(crate) fn new(
        jwt: &str,
        subject: String,
        window: Window,
        key_set: KeySetUsed,
        asked: Moment,
        now: UnixTime,
    ) -> Self {
        let margin = window
            .until
            .millis_since(now)
            .checked_div(RENEWAL_PART)
            .unwrap_or(0)
            .min(MAX_RENEWAL_MILLIS);
        let renewal = window.until.plus_millis(margin.saturating_neg());
        Self { jwt: Arc::from(jwt), subject, window, renewal, key_set, asked }
    }

    /// Whether it was issued after all that counts for this request.
    fn counts(&self, since: &Since) -> bool {
        since.admits(self.asked)
    }

    fn weight(&self) -> usize {
        self.jwt.len().saturating_add(self.subject.len()).saturating_add(ENTRY_BYTES)
    }
}

/// Recent tokens.
pub(crate) struct ExchangedTokens {
    entries: BoundedMap<ExchangeKey, Entry>,
}

impl Default for ExchangedTokens {
    fn default() -> Self {
        Self { entries: BoundedMap::new(BOUNDS) }
    }
}

#[derive(Default)]
struct Entry {
    token: Option<ExchangedToken>,
    /// Who has the lease, and how the last request went.
    fetch: FetchState<Number, (Reason, Option<LookupFailure>)>,
}

impl Weighed for Entry {
    fn weight(&self) -> usize {
        self.token.as_ref().map_or(0, ExchangedToken::weight)
    }
}

/// What is known about a token.
pub(crate) enum TokenLookup<'t> {
    /// There is one.
    Good(&'t ExchangedToken),
    /// Somebody is asking.
    Asked,
    /// Somebody has just asked in vain.
    InVain(Reason, Option<LookupFailure>),
    /// Nothing, and no request has the lease.
    Nothing,
}

impl TokenLookup<'_> {
    /// What came of it, as a label of measurements.
    pub(crate) const fn result(&self) -> &'static str {
        match self {
            Self::Good(_) => "hit",
            Self::Asked | Self::Nothing => "miss",
            Self::InVain(..) => "negative",
        }
    }
}

impl ExchangedTokens {
    /// What is known about the token of this place.
    pub(crate) fn look_up(
        &self,
        place: &ExchangeKey,
        since: &Since,
        now: UnixTime,
    ) -> TokenLookup<'_> {
        let Some(entry) = self.entries.get(place) else {
            return TokenLookup::Nothing;
        };
        let failed = entry.fetch.failure_within(PAUSE_MILLIS, now);
        match (entry.token.as_ref().filter(|token| token.counts(since)), failed) {
            (Some(token), _) if token.window.contains(now) && now < token.renewal => {
                TokenLookup::Good(token)
            }
            _ if entry.fetch.is_under_way(now) => TokenLookup::Asked,
            (_, Some((reason, failure))) => TokenLookup::InVain(reason, failure),
            _ => TokenLookup::Nothing,
        }
    }

    /// A token that is near its end and good all the same.
    pub(crate) fn spare(
        &self,
        place: &ExchangeKey,
        since: &Since,
        now: UnixTime,
    ) -> Option<&ExchangedToken> {
        self.entries
            .get(place)?
            .token
            .as_ref()
            .filter(|token| token.window.contains(now) && token.counts(since))
    }

    /// Takes the lease of a place: this one is asking until then.
    pub(crate) fn lease(
        &mut self,
        place: ExchangeKey,
        number: Number,
        until: UnixTime,
        now: UnixTime,
    ) {
        self.change(place, |entry| entry.fetch.begin(number, until, now));
    }

    /// Keeps a token; the lease ends, unless somebody has asked since.
    pub(crate) fn keep(&mut self, place: ExchangeKey, token: ExchangedToken, now: UnixTime) {
        self.change(place, |entry| {
            entry.fetch.end(token.asked.number, Ok(()), now);
            entry.token = Some(token);
        });
    }

    /// A request has failed; its lease ends. What was kept stays.
    pub(crate) fn fail(
        &mut self,
        place: ExchangeKey,
        number: Number,
        reason: Reason,
        failure: Option<LookupFailure>,
        now: UnixTime,
    ) {
        self.change(place, |entry| entry.fetch.end(number, Err((reason, failure)), now));
    }

    /// There was nothing to learn: the lease ends.
    pub(crate) fn release(&mut self, place: ExchangeKey, number: Number) {
        self.change(place, |entry| entry.fetch.release(number));
    }

    /// Forgets everything that was minted for it.
    pub(crate) fn forget(&mut self, credential: &CredentialDigest) {
        let places: Vec<ExchangeKey> = self.entries.keys_in(all_of(credential)).copied().collect();
        for place in &places {
            self.entries.remove(place);
        }
    }

    /// Changes the entry of a place, which keeps its turn to give way.
    fn change(&mut self, place: ExchangeKey, change: impl FnOnce(&mut Entry)) {
        if !self.entries.contains(&place) {
            self.entries.put(place, Entry::default());
        }
        self.entries.update(&place, change);
    }
}

/// All places of a credential.
fn all_of(credential: &CredentialDigest) -> std::ops::RangeInclusive<ExchangeKey> {
    let with =
        |audience| ExchangeKey { credential: *credential, audience: AudienceDigest::new(audience) };
    with([0; 32])..=with([u8::MAX; 32])
}

/// Reads the auth service's answer to the question for a token. What it says is not verified.
///
/// # Errors
/// Anything but `200` with a token. The auth service answers `401` where it knows no such
/// session, but a proxy can answer `401` for other reasons: it does not end a session.
pub(crate) fn read(result: &EffectResult<'_>) -> Result<String, LookupFailure> {
    match result {
        EffectResult::Answered { status: 200, body, .. } => {
            let token =
                json::object(body).and_then(|members| members.text("token").map(str::to_owned));
            token.filter(|token| !token.is_empty()).ok_or(LookupFailure::OddBody)
        }
        // Better Auth answers so where there is no such endpoint.
        EffectResult::Answered { status: 404, .. } => Err(LookupFailure::NoJwtPlugin),
        EffectResult::Answered { status, .. } => Err(LookupFailure::of_status(*status)),
        EffectResult::TooLarge => Err(LookupFailure::TooLarge),
        EffectResult::HeadTooLarge => Err(LookupFailure::HeadersTooLarge),
        _ => Err(LookupFailure::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut tokens = ExchangedTokens::default();
        let now = UnixTime::from_millis(1000);
        let window = Window::up_to(UnixTime::from_millis(1_000_000));
        let place = |number: u16| ExchangeKey {
            credential: CredentialDigest::new(crate::encoding::digest::of(&number.to_be_bytes())),
            audience: AudienceDigest::new([0; 32]),
        };
        for number in 0..5000 {
            let asked = Moment { number: Number::of(u64::from(number) + 1), at: now };
            tokens.lease(place(number), asked.number, now.plus_millis(2000), now);
            let key_set = KeySetUsed { generation: 1 };
            tokens.keep(
                place(number),
                ExchangedToken::new(
                    &"x".repeat(16_000),
                    "ada".repeat(100),
                    window,
                    key_set,
                    asked,
                    now,
                ),
                now,
            );
        }
        let kept: usize = tokens.entries.values().map(Weighed::weight).sum();
        assert_eq!(kept, tokens.entries.bytes());
        assert!(kept <= BOUNDS.bytes && kept > BOUNDS.bytes / 2, "{kept}");
        assert!(matches!(tokens.look_up(&place(4999), &Since::EVER, now), TokenLookup::Good(_)));
        tokens.forget(&place(4999).credential);
        assert!(
            tokens.entries.bytes() < kept
                && matches!(tokens.look_up(&place(4999), &Since::EVER, now), TokenLookup::Nothing)
        );
    }
}
