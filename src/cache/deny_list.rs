//! The deny-list: sessions and tokens that the operator has revoked, and since when a user's
//! sessions count.
//!
//! ```json
//! { "sessions": ["<session id>"], "tokens": ["<SHA-256, base64url>"], "not_before": { "<user id>": 1800000000 } }
//! ```
//!
//! Rules of this file:
//! - a document is read whole or not at all: what is not understood might be a revocation;
//! - one that could not be had or read leaves the one before in use, up to its ceiling; past that
//!   no request is admitted by it;
//! - the operator alone fills it, by one document whose size is bounded: nothing of it is evicted;
//! - one fetch at a time, as for keys; how old a list is counts from when it was asked for, also
//!   where it comes as a copy from the shared cache;
//! - a token is named by the SHA-256 of what its signature is over: an ECDSA signature has two
//!   spellings, and who holds a token could choose the other one.
//!
//! *May ask*: not cooling down, and this request has not asked yet.
//!
//! | the list is | may ask? | asked by another now? | answer |
//! |---|---|---|---|
//! | younger than `refresh` | – | – | use it |
//! | younger than twice that | – | – | use it; fetch after the response if may ask, and no request is asking |
//! | older, or not there | yes | no | ask |
//! | older, or not there | – | yes | wait, unless this request has asked |
//! | older | no | no | use it |
//! | past its ceiling, or not there | no | no | `revocation_unavailable` (503) |

use std::collections::{BTreeMap, BTreeSet};

use crate::better_auth::session_record::{LookupFailure, Session};
use crate::cache::fetch_state::{FetchState, is_within};
use crate::cache::shared::CacheUse;
use crate::cache::shared::{self, Copied};
use crate::effect::EffectResult;
use crate::encoding::base64;
use crate::encoding::collections::set_of;
use crate::encoding::digest::{self, digest_type};
use crate::encoding::json::{self, Object, Value};
use crate::time::{Seconds, UnixTime};

/// Some thirty thousand entries. With more, revoke by `not_before` or shorten what lives so long.
pub(crate) const MAX_LIST_BYTES: u32 = 1024 * 1024;
/// After a fetch that succeeded: a list that was old when it came (`Age`) is not asked for all the
/// time.
const COOLDOWN: Seconds = Seconds::new(10);
/// 1 January of the year 5138: a larger number is milliseconds taken for seconds.
const LAST_SECOND: i64 = 100_000_000_000;

/// The list in use, and who is fetching the next one.
pub(crate) struct DenyList {
    refresh: Seconds,
    max_stale: Seconds,
    jitter: u64,
    fetch: FetchState<(), LookupFailure>,
    list: Option<(Revoked, UnixTime)>,
}

digest_type! {
    /// What the signature of a token is over.
    TokenDigest
}

impl TokenDigest {
    /// As the document has it: the plain SHA-256.
    fn of(signed_part: &str) -> Self {
        Self::new(digest::of(signed_part.as_bytes()))
    }
}

/// What has been revoked.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    sessions: BTreeSet<String>,
    tokens: BTreeSet<TokenDigest>,
    not_before: BTreeMap<String, UnixTime>,
}

/// What to do about the list.
pub(crate) enum Selection<'a> {
    /// Use this one; whether to fetch the next after the response.
    Use(&'a Revoked, bool),
    /// No request is fetching it: fetch it, and where no copy has been looked for yet, one will do.
    Fetch(CacheUse),
    /// Somebody is asking: wait.
    Wait,
    /// There is none that counts.
    Missing,
}

impl DenyList {
    /// No list yet. One is fetched anew after `refresh`, and of no use after `max_stale`.
    pub(crate) fn new(refresh: Seconds, max_stale: Seconds, seed: u64) -> Self {
        Self { refresh, max_stale, jitter: seed, fetch: FetchState::default(), list: None }
    }

    /// The list for a request; `has_asked`: whether that has asked for it already, or cannot, and
    /// for which.
    pub(crate) fn select(
        &self,
        has_asked: impl Fn(CacheUse) -> bool,
        now: UnixTime,
    ) -> Selection<'_> {
        let cache_use =
            if has_asked(CacheUse::AllowCached) { CacheUse::Bypass } else { CacheUse::AllowCached };
        let has_asked = has_asked(CacheUse::Bypass);
        let younger_than =
            |millis: i64| self.list.as_ref().filter(|(_, asked)| is_within(*asked, millis, now));
        let refresh = self.refresh.as_millis();
        let may_ask =
            !has_asked && !self.fetch.is_cooling(COOLDOWN.min(self.refresh), self.jitter, now);
        let is_asked = self.fetch.is_under_way(now);
        if let Some((revoked, asked)) = younger_than(self.usual_life().as_millis()) {
            return Selection::Use(
                revoked,
                may_ask && !is_asked && !is_within(*asked, refresh, now),
            );
        }
        match younger_than(self.max_stale.as_millis()) {
            _ if is_asked && !has_asked => Selection::Wait,
            _ if may_ask => Selection::Fetch(cache_use),
            Some((revoked, _)) => Selection::Use(revoked, false),
            None => Selection::Missing,
        }
    }

    /// How many entries the list in use has, and when it was asked for.
    pub(crate) fn in_use(&self) -> Option<(usize, UnixTime)> {
        let (revoked, asked) = self.list.as_ref()?;
        let entries = [revoked.sessions.len(), revoked.tokens.len(), revoked.not_before.len()];
        Some((entries.into_iter().fold(0, usize::saturating_add), *asked))
    }

    /// How many fetches have failed since one succeeded.
    pub(crate) fn failures(&self) -> u32 {
        self.fetch.failures()
    }

    /// Somebody is on the way until then.
    pub(crate) fn lease(&mut self, until: UnixTime, now: UnixTime) {
        self.fetch.begin((), until, now);
    }

    /// Whoever was on the way had too little time left for it: that says nothing about the source.
    pub(crate) fn release(&mut self) {
        self.fetch.release(());
    }

    /// Takes what came of a fetch that was begun at that moment. Gives what other instances can use
    /// of it, and for how many seconds.
    ///
    /// # Errors
    /// Why it is not a list. The one before stays.
    pub(crate) fn receive<'r>(
        &mut self,
        asked: UnixTime,
        result: &EffectResult<'r>,
        now: UnixTime,
    ) -> Result<Option<(Copied<'r>, u32)>, LookupFailure> {
        let read = match result {
            EffectResult::Answered { status: 200, headers, body } => {
                Revoked::parse(body).map(|list| (list, age(headers)))
            }
            EffectResult::Found(body) => Revoked::parse(body).map(|list| (list, Seconds::new(0))),
            EffectResult::Answered { status, .. } => Err(LookupFailure::of_status(*status)),
            EffectResult::Absent => Err(LookupFailure::Absent),
            EffectResult::TooLarge => Err(LookupFailure::TooLarge),
            EffectResult::HeadTooLarge => Err(LookupFailure::HeadersTooLarge),
            _ => Err(LookupFailure::Failed),
        };
        self.fetch.end((), read.as_ref().map(|_| ()).map_err(|failure| *failure), now);
        let (list, age) = read?;
        let fetched = asked.plus_millis(age.as_millis().saturating_neg());
        self.put(list, fetched, now);
        let EffectResult::Answered { headers, body, .. } = result else { return Ok(None) };
        let cache_control = shared::value(headers, "cache-control");
        let seconds = shared::lifetime(cache_control, self.usual_life().get());
        Ok(Some((Copied { fetched, cache_control, body }, seconds)))
    }

    /// Takes what was found in the shared cache. It says nothing about where the list comes from:
    /// so it starts no cool-down, and the same request can still ask there.
    pub(crate) fn receive_copy(&mut self, copied: &[u8], now: UnixTime) {
        self.fetch.release(());
        let copy = Copied::open(copied, self.usual_life(), now);
        if let Some((list, fetched)) =
            copy.and_then(|copy| Some((Revoked::read(copy.body)?, copy.fetched)))
        {
            self.put(list, fetched, now);
        }
    }

    /// Caches on the way do not agree with each other: what has been heard is not forgotten for an
    /// older copy.
    fn put(&mut self, list: Revoked, fetched: UnixTime, now: UnixTime) {
        let has_newer =
            self.list.as_ref().is_some_and(|(_, in_use)| fetched < *in_use && *in_use <= now);
        if !has_newer {
            self.list = Some((list, fetched));
        }
    }

    /// A list that is older is not used as long as there is a newer one to be had.
    fn usual_life(&self) -> Seconds {
        Seconds::new(self.refresh.get().saturating_mul(2))
    }
}

impl Revoked {
    /// Reads a document.
    ///
    /// # Errors
    /// It is not strictly of the form above.
    fn parse(document: &[u8]) -> Result<Self, LookupFailure> {
        Self::read(document).ok_or(LookupFailure::OddBody)
    }

    fn read(document: &[u8]) -> Option<Self> {
        let members = json::object(document)?;
        let known = ["sessions", "tokens", "not_before"];
        // A name that is not known might be a slip of the pen, and `{}` somebody's error.
        let there = known.iter().filter(|name| members.has(name)).count();
        if there == 0 || there != members.len() {
            return None;
        }
        let sessions = set_of(texts(&members, "sessions")?.map(str::to_owned));
        let digest = |text: &str| base64::url_decoded(text)?.try_into().ok().map(TokenDigest::new);
        let mut tokens = BTreeSet::new();
        for text in texts(&members, "tokens")? {
            tokens.insert(digest(text)?);
        }
        let mut not_before = BTreeMap::new();
        match members.get("not_before") {
            None => {}
            Some(Value::Object(users)) => {
                for (user, since) in users.iter() {
                    not_before.insert(user.to_owned(), moment(since)?);
                }
            }
            Some(_) => return None,
        }
        Some(Self { sessions, tokens, not_before })
    }

    /// Whether this session is on the list, or the token that it was told by: what its signature is
    /// over.
    pub(crate) fn includes<'t>(
        &self,
        session: &Session,
        token: impl FnOnce() -> std::borrow::Cow<'t, str>,
    ) -> bool {
        let is_too_old =
            |since: &UnixTime| session.attributes.began.is_none_or(|began| began < *since);
        session.id.as_ref().is_some_and(|id| self.sessions.contains(id))
            || self.not_before.get(&session.subject).is_some_and(is_too_old)
            || !self.tokens.is_empty() && self.tokens.contains(&TokenDigest::of(&token()))
    }
}

/// A list of texts, none of them empty; a missing one is empty.
fn texts<'o>(members: &'o Object<'_>, name: &str) -> Option<impl Iterator<Item = &'o str>> {
    let items = match members.get(name) {
        None => &[],
        Some(Value::List(items)) => items.as_slice(),
        Some(_) => return None,
    };
    let texts: Vec<&str> = items
        .iter()
        .map(|item| item.as_text().filter(|text| !text.is_empty()))
        .collect::<Option<_>>()?;
    Some(texts.into_iter())
}

/// Whole seconds since 1970.
fn moment(since: &Value<'_>) -> Option<UnixTime> {
    match since {
        Value::Number(seconds) => seconds
            .as_i64()
            .filter(|seconds| (0..=LAST_SECOND).contains(seconds))
            .and_then(UnixTime::from_seconds),
        _ => None,
    }
}

/// How long the answer has been in caches (RFC 9111 section 5.1).
fn age(headers: &[(&str, &str)]) -> Seconds {
    Seconds::new(shared::value(headers, "age").trim().parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_whole_or_not_at_all() {
        let digest = "A".repeat(43);
        for (text, is_read) in [
            (r#"{"sessions":[]}"#.to_owned(), true),
            (r#"{"sessions":["a","b","a"],"tokens":[],"not_before":{}}"#.to_owned(), true),
            (format!(r#"{{"tokens":["{digest}"],"not_before":{{"ada":1800000000}}}}"#), true),
            (r#"{"not_before":{"ada":0}}"#.to_owned(), true),
            (String::new(), false),
            ("null".to_owned(), false),
            ("[]".to_owned(), false),
            ("{}".to_owned(), false),
            (r#"{"session":[]}"#.to_owned(), false),
            (r#"{"sessions":[],"error":"no"}"#.to_owned(), false),
            (r#"{"sessions":[],"sessions":[]}"#.to_owned(), false),
            (r#"{"sessions":{}}"#.to_owned(), false),
            (r#"{"sessions":null}"#.to_owned(), false),
            (r#"{"sessions":[1]}"#.to_owned(), false),
            (r#"{"sessions":[""]}"#.to_owned(), false),
            (r#"{"tokens":["abc"]}"#.to_owned(), false),
            (format!(r#"{{"tokens":["{digest}="]}}"#), false),
            (format!(r#"{{"tokens":["{}"]}}"#, "0".repeat(64)), false),
            (r#"{"not_before":[]}"#.to_owned(), false),
            (r#"{"not_before":{"ada":"1800000000"}}"#.to_owned(), false),
            (r#"{"not_before":{"ada":1800000000.5}}"#.to_owned(), false),
            (r#"{"not_before":{"ada":-1}}"#.to_owned(), false),
            (r#"{"not_before":{"ada":1800000000000}}"#.to_owned(), false),
            (r#"{"not_before":{"ada":1,"ada":1}}"#.to_owned(), false),
            (r#"{"sessions":[]} x"#.to_owned(), false),
        ] {
            assert_eq!(Revoked::parse(text.as_bytes()).is_ok(), is_read, "{text}");
        }
    }
}
