//! The verified cache: credentials that have been verified, so that a page with twenty requests
//! costs one signature.
//!
//! Rules of this file:
//! - an entry is found by the whole credential, compared to its last byte, and by what it was a
//!   credential *for*: a token that is good in one place proves nothing in another;
//! - a hit is checked at its own moment: the window of validity is compared again each time;
//! - what was verified by a key set counts as long as that very set is in use: a new set, or one
//!   past its ceiling, ends it;
//! - the number of entries and their size are bounded; of four that share a place the one unused
//!   for longest gives way. Only signed-in users fill it: what is kept has been verified. It is no
//!   `BoundedMap`: each hit would have to write that map's order, and a hit is what the cache is
//!   for.

use std::sync::Arc;

use crate::better_auth::session_record::Session;
use crate::http::header_pairs::HeaderPairs;
use crate::policy::issuer::Issuer;
use crate::time::{UnixTime, Window};

/// How many places there are; a power of two.
const SETS: usize = 512;
/// How many entries share a place: with one, two users out of thirty would push each other out all
/// day.
const WAYS: usize = 4;
/// A longer credential is verified each time.
const MAX_CREDENTIAL_BYTES: usize = 4096;
/// So is one that weighs more with what it proves: 2048 entries of this size are 24 MiB, and a
/// usual one is of two kilobytes.
const MAX_ENTRY_BYTES: usize = 12 * 1024;
/// What an entry weighs without its texts.
const ENTRY_BYTES: usize = 512;

/// What a credential is for. Part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A JWT that says who it is.
    Jwt,
    /// `session_data` beside a `session_token`.
    CookieCache,
}

/// The key set of its issuer by which something was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeySetUsed {
    pub(crate) generation: u64,
}

/// Who a verified credential names, and by which issuer.
#[derive(Clone)]
pub(crate) struct Identity {
    /// By which issuer.
    pub(crate) issuer: Arc<Issuer>,
    /// Who.
    pub(crate) session: Arc<Session>,
    /// What the origin is told about it.
    pub(crate) headers: HeaderPairs,
    /// What an assertion says about it, and the host to its application; nothing where neither is.
    pub(crate) statement: Option<Arc<str>>,
}

impl Identity {
    /// What it weighs in memory, in bytes, rounded up.
    fn weight(&self) -> usize {
        let headers = self
            .headers
            .lengths()
            .len()
            .saturating_mul(4)
            .saturating_add(self.headers.text().len());
        let statement = self.statement.as_ref().map_or(0, |statement| statement.len());
        self.session
            .weight()
            .saturating_add(headers)
            .saturating_add(statement)
            .saturating_add(ENTRY_BYTES)
    }

    /// Whether two credentials name one person.
    pub(crate) fn is_same_person(&self, other: &Self) -> bool {
        self.issuer.id == other.issuer.id && self.session.subject == other.session.subject
    }
}

/// A credential that has been verified.
#[derive(Clone)]
pub(crate) struct VerifiedToken {
    pub(crate) identity: Identity,
    pub(crate) window: Window,
    pub(crate) key_set: Option<KeySetUsed>,
}

/// A JWT, and what it proves if its signature holds.
pub(crate) struct VerifiedClaims {
    pub(crate) token: Box<str>,
    pub(crate) verified_token: VerifiedToken,
}

impl VerifiedClaims {
    /// Whether it is about this token.
    pub(crate) fn is_of(&self, token: &str) -> bool {
        are_same(self.token.as_bytes(), token.as_bytes())
    }
}

/// Verified credentials, bounded.
pub(crate) struct VerifiedTokens {
    /// The entries of each place. There is room for them when they come: all of it at once took as
    /// long as a whole decision.
    sets: Vec<Vec<Entry>>,
    seed: u64,
    clock: u64,
}

struct Entry {
    purpose: Use,
    /// The parts of the credential, one after the other; the lengths keep `ab`+`c` apart from
    /// `a`+`bc`.
    credential: Box<[u8]>,
    first_part: usize,
    /// The credential's digest: says of nearly every other one that it is another.
    digest: u64,
    verified_token: VerifiedToken,
    used: u64,
}

impl Entry {
    fn is(&self, purpose: Use, parts: [&str; 2], digest: u64) -> bool {
        let [first, second] = parts;
        self.digest == digest
            && self.purpose == purpose
            && self.first_part == first.len()
            && self.credential.split_at_checked(first.len()).is_some_and(|own| {
                are_same(own.0, first.as_bytes()) && are_same(own.1, second.as_bytes())
            })
    }
}

impl VerifiedTokens {
    /// An empty store. The seed keeps anybody from choosing who shares a place with whom.
    pub(crate) fn new(seed: u64) -> Self {
        Self { sets: (0..SETS).map(|_| Vec::new()).collect(), seed, clock: 0 }
    }

    /// What was verified of a credential, if it is good at this moment. Whether its key set is
    /// still in use, the caller asks.
    pub(crate) fn find(
        &mut self,
        purpose: Use,
        parts: [&str; 2],
        now: UnixTime,
    ) -> Option<&VerifiedToken> {
        self.clock = self.clock.wrapping_add(1);
        let clock = self.clock;
        let digest = self.digest(parts);
        let entry = self.set(digest)?.iter_mut().find(|entry| entry.is(purpose, parts, digest))?;
        if !entry.verified_token.window.contains(now) {
            return None;
        }
        entry.used = clock;
        Some(&entry.verified_token)
    }

    /// Keeps a verified credential.
    pub(crate) fn keep(&mut self, purpose: Use, parts: [&str; 2], verified_token: VerifiedToken) {
        let [first, second] = parts;
        let bytes = first.len().saturating_add(second.len());
        if bytes > MAX_CREDENTIAL_BYTES
            || verified_token.identity.weight().saturating_add(bytes) > MAX_ENTRY_BYTES
        {
            return;
        }
        let credential = [first.as_bytes(), second.as_bytes()].concat().into_boxed_slice();
        let digest = self.digest(parts);
        let entry = Entry {
            purpose,
            credential,
            first_part: first.len(),
            digest,
            verified_token,
            used: self.clock,
        };
        let Some(set) = self.set(digest) else { return };
        let same = set.iter().position(|other| other.is(purpose, parts, digest));
        let is_full = set.len() == WAYS;
        let oldest = || {
            set.iter()
                .enumerate()
                .min_by_key(|(_, other)| other.used)
                .map(|(place, _)| place)
                .filter(|_| is_full)
        };
        match same.or_else(oldest).and_then(|place| set.get_mut(place)) {
            Some(given_up) => *given_up = entry,
            None => set.push(entry),
        }
    }

    /// A digest for finding, not for proving. Credentials end in a signature, so their tails are as
    /// good as the whole; the seed goes in first.
    fn digest(&self, parts: [&str; 2]) -> u64 {
        let mut mixed = self.seed;
        for part in parts {
            let (_, tail) = part
                .as_bytes()
                .split_at_checked(part.len().saturating_sub(24))
                .unwrap_or((&[], part.as_bytes()));
            let (words, rest) = tail.as_chunks::<8>();
            let mut last = [0; 8];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            for word in words.iter().chain([&last]) {
                mixed = (mixed ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                mixed ^= mixed >> 32;
            }
        }
        mixed
    }

    /// The entries that share a place.
    fn set(&mut self, digest: u64) -> Option<&mut Vec<Entry>> {
        self.sets.get_mut(usize::try_from(digest % SETS_U64).unwrap_or(0))
    }
}

/// Whether two texts are the same to the last byte. `==` goes byte by byte in WebAssembly; this
/// takes 32 at once, and all of them.
fn are_same(one: &[u8], other: &[u8]) -> bool {
    let ((ours, our_tail), (theirs, their_tail)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let ((ours, our_words), (theirs, their_words)) =
        (ours.as_chunks::<4>(), theirs.as_chunks::<4>());
    let differing =
        |one: &[u8; 8], other: &[u8; 8]| u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other);
    let mut found = 0;
    for ([a, b, c, d], [e, f, g, h]) in ours.iter().zip(theirs) {
        found |= differing(a, e) | differing(b, f) | differing(c, g) | differing(d, h);
    }
    let found = our_words
        .iter()
        .zip(their_words)
        .fold(found, |found, (one, other)| found | differing(one, other));
    one.len() == other.len() && found == 0 && our_tail == their_tail
}

#[allow(clippy::as_conversions)] // a small constant
const SETS_U64: u64 = SETS as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut verified_tokens = VerifiedTokens::new(7);
        let claims = |bytes: usize| {
            let copy = serde_json::json!({
                "claims": { "a": "x".repeat(bytes) }, "subject": "ada", "expires": 4_000_000_000_000_i64, "impersonated": false,
            });
            let named = [crate::better_auth::attributes::ClaimPath::new("a")];
            let now = UnixTime::from_millis(1);
            Session::from_copy(crate::encoding::json::written(&copy).as_bytes(), &named, now, now)
                .unwrap_or_else(|| unreachable!("a copy"))
        };
        for number in 0..20_000_usize {
            let session = Arc::new(claims(number % 16 * 1000));
            let identity = Identity {
                issuer: Issuer::unnamed(),
                session,
                headers: HeaderPairs::default(),
                statement: None,
            };
            let verified_token = VerifiedToken {
                identity,
                window: Window::up_to(UnixTime::from_millis(i64::MAX)),
                key_set: None,
            };
            let token = format!("{number:0>width$}", width = 100 + number % 10 * 500);
            verified_tokens.keep(Use::Jwt, [&token, ""], verified_token);
        }
        let entries = || verified_tokens.sets.iter().flatten();
        let heaviest = entries()
            .map(|entry| entry.verified_token.identity.weight() + entry.credential.len())
            .max();
        assert!(
            entries().count() <= SETS * WAYS && entries().count() > SETS,
            "{}",
            entries().count()
        );
        assert!(
            heaviest.is_some_and(|most| most <= MAX_ENTRY_BYTES && most > 8 * 1024),
            "{heaviest:?}"
        );
    }
}
