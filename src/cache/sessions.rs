//! What the auth service said about sessions lately, and who is asking it now.
//!
//! A burst of one session asks once: whoever asks takes a lease, the others wait and find the
//! answer. Answers are kept briefly, by a digest of the whole credential, and count for as long
//! as nothing has happened to the session (`events`). What is not known is not kept: a failure is
//! no answer, but it is not asked about again at once.
//!
//! There are three tables, each with its own bounds: sessions that the auth service vouches for,
//! those of them that it has said have ended, and all others. So forged or ended tokens, which
//! anybody can send, cannot evict active sessions, which only signed-in users have. In each table
//! the entry that was changed longest ago is evicted. Evicting an end does not revive the session:
//! an answer that was requested before the end does not count.

use crate::better_auth::session_record::{LookupFailure, Session, SessionState};
use crate::cache::bounded_map::{BoundedMap, Bounds, Weighed};
use crate::cache::fetch_state::{FetchState, is_within};
use crate::cache::rate_limit::Party;
use crate::cache::session_events::{Moment, Number, Since};
use crate::encoding::digest::digest_type;
use crate::policy::auth_service::AuthService;
use crate::time::{Seconds, UnixTime};

/// Sessions that are vouched for. One that has been evicted is asked about once more.
const VOUCHED: Bounds = Bounds { entries: 4096, bytes: 8 * 1024 * 1024 };
/// Sessions that have ended, and as many that are unknown to the auth service: of neither is there
/// anything to remember.
const OTHERS: Bounds = Bounds { entries: 1024, bytes: 1024 * ENTRY_BYTES };
/// A session that weighs more is not remembered: each request asks about it anew. Only the claims
/// that the policy names can make it so large.
pub(crate) const MAX_REMEMBERED_BYTES: usize = 16 * 1024;
/// What an entry weighs without its session.
const ENTRY_BYTES: usize = 256;

/// After a failure, so long there is no request about this session: it is shorter than what a
/// refusal tells clients to wait.
const PAUSE_MILLIS: i64 = 2000;
/// After a request to the auth service, so long its cookies are not renewed: requests that are
/// under way carry the old ones still, and a service that has just failed is left alone.
const RENEWAL_PAUSE_MILLIS: i64 = 10_000;
/// Who takes no answer to an older question than its own waits for one that was asked so little
/// ago, to ask together with all that wait.
const TOGETHER_MILLIS: i64 = 500;

digest_type! {
    /// A credential of a session: the header that it is in, and its value. One session may have
    /// several.
    CredentialDigest
}

impl CredentialDigest {
    /// What this service says about a credential is kept by it.
    pub(crate) fn of(service: &AuthService, header: &str, value: &str) -> Self {
        Self::of_parts(&[service.issuer.name.as_bytes(), header.as_bytes(), value.as_bytes()])
    }
}

/// Recent answers by digest of the credential, which is in one of the tables.
pub(crate) struct SessionCache {
    vouched: BoundedMap<CredentialDigest, Entry>,
    /// Nothing vouches for them any more.
    ended: BoundedMap<CredentialDigest, Entry>,
    /// Nothing has ever vouched for them.
    unknown: BoundedMap<CredentialDigest, Entry>,
    /// How many of them the service waits to be asked for a refresh of.
    owed: usize,
    /// The last end that has been forgotten.
    forgotten_end: Option<UnixTime>,
}

impl Default for SessionCache {
    fn default() -> Self {
        Self {
            vouched: BoundedMap::new(VOUCHED),
            ended: BoundedMap::new(OTHERS),
            unknown: BoundedMap::new(OTHERS),
            owed: 0,
            forgotten_end: None,
        }
    }
}

#[derive(Default)]
struct Entry {
    answer: Option<Remembered>,
    /// Who has the lease, and how the last request went.
    fetch: FetchState<Number, LookupFailure>,
    /// Whose it is, where the auth service is known to have vouched for it and not to have said
    /// since that it has ended.
    owner: Option<Party>,
    was_vouched_for: bool,
    /// Whether the service waits to be asked for a refresh.
    is_owed: bool,
    /// Since when there is this entry.
    since: Option<UnixTime>,
}

impl Weighed for Entry {
    fn weight(&self) -> usize {
        match &self.answer {
            Some(Remembered { answer: SessionState::Active(session), .. }) => {
                session.weight().saturating_add(ENTRY_BYTES)
            }
            _ => ENTRY_BYTES,
        }
    }
}

/// An answer, and when it came.
struct Remembered {
    answer: SessionState,
    at: UnixTime,
    /// When it was asked for.
    asked: Moment,
    source: Source,
}

/// Who has said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Service,
    /// A storage or another instance.
    Another,
}

/// What is known about a session.
pub(crate) enum SessionLookup {
    /// The auth service said so, recently enough.
    Known(SessionState),
    /// Somebody is asking.
    Asked,
    /// Somebody has just asked in vain.
    Unavailable(LookupFailure),
    /// Nothing, and no request has the lease.
    Nothing,
}

impl SessionLookup {
    /// What came of it, as a label of measurements.
    pub(crate) const fn result(&self) -> &'static str {
        match self {
            Self::Known(_) => "hit",
            Self::Asked | Self::Nothing => "miss",
            Self::Unavailable(_) => "negative",
        }
    }
}

impl SessionCache {
    /// What is known about the session of this credential, for a request that came at that moment,
    /// if an answer of up to `max_age` counts. An answer to what has been asked since it came is as
    /// good as one of its own. That it has ended nothing undoes.
    pub(crate) fn look_up(
        &self,
        credential: &CredentialDigest,
        max_age: Seconds,
        since: &Since,
        came: Moment,
        now: UnixTime,
    ) -> SessionLookup {
        let Some(entry) = self.entry(credential) else {
            return SessionLookup::Nothing;
        };
        let recent = entry.answer.as_ref().filter(|Remembered { answer, at, asked, source }| {
            let counts = match answer {
                SessionState::Active(session) => now <= session.expires && since.admits(*asked),
                SessionState::Ended => true,
            };
            let is_of_now = *source == Source::Service && came.number < asked.number;
            counts && (is_within(*at, max_age.as_millis(), now) || is_of_now && *at <= now)
        });
        let may_wait = max_age.as_millis() > 0 || entry.fetch.is_new(TOGETHER_MILLIS, now);
        match (recent, entry.fetch.failure_within(PAUSE_MILLIS, now)) {
            (Some(Remembered { answer, .. }), _) => SessionLookup::Known(answer.clone()),
            // Whoever takes no answer but its own waits for another's only to ask together with
            // those who came meanwhile.
            _ if entry.fetch.is_under_way(now) && may_wait => SessionLookup::Asked,
            (None, Some(failure)) => SessionLookup::Unavailable(failure),
            _ => SessionLookup::Nothing,
        }
    }

    /// A session that was active so little ago, for as long as nothing newer is known.
    pub(crate) fn lived_within(
        &self,
        credential: &CredentialDigest,
        most: Seconds,
        since: &Since,
        now: UnixTime,
    ) -> Option<&Session> {
        let Remembered { answer, at, asked, .. } = self.entry(credential)?.answer.as_ref()?;
        let counts = is_within(*at, most.as_millis(), now) && since.admits(*asked);
        match answer {
            SessionState::Active(session) if counts && now <= session.expires => Some(session),
            _ => None,
        }
    }

    /// Whose session it is, where the auth service has vouched for it, in an answer or in a cookie
    /// cache.
    pub(crate) fn owner(&self, credential: &CredentialDigest) -> Option<Party> {
        self.entry(credential)?.owner
    }

    /// The auth service has signed a cookie cache for this session of this user.
    pub(crate) fn vouch_for(&mut self, credential: CredentialDigest, owner: Party, now: UnixTime) {
        self.change(credential, now, |entry| entry.owner = Some(owner));
    }

    /// Whether the service waits to be asked for a refresh of this session.
    pub(crate) fn is_owed(&self, credential: &CredentialDigest) -> bool {
        self.owed > 0 && self.entry(credential).is_some_and(|entry| entry.is_owed)
    }

    /// Whether it does of any.
    pub(crate) const fn is_owed_any(&self) -> bool {
        self.owed > 0
    }

    /// The service waits for that, or somebody sees to it.
    pub(crate) fn owe(&mut self, credential: &CredentialDigest, is_owed: bool) {
        let was_owed =
            self.update(credential, |entry| std::mem::replace(&mut entry.is_owed, is_owed));
        match (was_owed, is_owed) {
            (Some(false), true) => self.owed = self.owed.saturating_add(1),
            (Some(true), false) => self.owed = self.owed.saturating_sub(1),
            _ => {}
        }
    }

    /// Whether its cookies may be renewed: no request is doing so, and none has just done so.
    pub(crate) fn may_renew(&self, credential: &CredentialDigest, now: UnixTime) -> bool {
        let is_busy = |entry: &Entry| {
            entry.fetch.is_under_way(now)
                || !entry.is_owed && entry.fetch.was_tried_within(RENEWAL_PAUSE_MILLIS, now)
        };
        !self.entry(credential).is_some_and(is_busy)
    }

    /// Takes the lease of a session: this one is asking until then.
    pub(crate) fn lease(
        &mut self,
        credential: CredentialDigest,
        number: Number,
        until: UnixTime,
        now: UnixTime,
    ) {
        self.change(credential, now, |entry| entry.fetch.begin(number, until, now));
    }

    /// Takes the answer about this user's session to what was asked at that moment, or why there is
    /// none; its lease ends either way. Gives the answer that counts: what has ended since it was
    /// asked has ended, however late another answer comes.
    pub(crate) fn receive(
        &mut self,
        credential: CredentialDigest,
        owner: Option<Party>,
        answer: Result<SessionState, LookupFailure>,
        asked: Moment,
        now: UnixTime,
    ) -> Result<SessionState, LookupFailure> {
        let has_forgotten = self.has_forgotten_since(&credential, asked.at, now);
        self.change(credential, now, |entry| {
            entry.fetch.release(asked.number);
            if let Ok(SessionState::Active(_)) = &answer {
                match &entry.answer {
                    Some(Remembered { answer: SessionState::Ended, at: ended, .. })
                        if asked.at <= *ended && *ended <= now =>
                    {
                        return Ok(SessionState::Ended);
                    }
                    _ if has_forgotten => return Err(LookupFailure::OutOfBudget),
                    _ => {}
                }
            }
            let result = answer.as_ref().map(|_| ()).map_err(|failure| *failure);
            entry.fetch.end(asked.number, result, now);
            if let Ok(answer) = &answer {
                entry.owner = owner.filter(|_| *answer != SessionState::Ended);
                let source = Source::Service;
                entry.answer =
                    remembered(answer).map(|answer| Remembered { answer, at: now, asked, source });
            }
            answer
        })
    }

    /// Takes a session of this user from a storage or another instance, as it was at that moment.
    /// Newer knowledge counts more, and so does an end that came later. Says whether it was taken.
    pub(crate) fn receive_copy(
        &mut self,
        credential: CredentialDigest,
        owner: Party,
        session: &Session,
        (at, asked): (UnixTime, Moment),
        now: UnixTime,
    ) -> bool {
        let has_forgotten = self.has_forgotten_since(&credential, session.known, now);
        self.change(credential, now, |entry| {
            entry.fetch.release(asked.number);
            let is_news = match &entry.answer {
                Some(Remembered { answer: SessionState::Active(_), at: known, .. }) => *known < at,
                Some(Remembered { answer: SessionState::Ended, at: known, .. }) => {
                    *known < session.known
                }
                None => !has_forgotten,
            };
            if is_news {
                entry.fetch.forgive();
                entry.owner = Some(owner);
                // What it says is as old as its source says.
                let (asked, source) = (Moment { at: session.known, ..asked }, Source::Another);
                let answer = remembered(&SessionState::Active(session.clone()));
                entry.answer = answer.map(|answer| Remembered { answer, at, asked, source });
            }
            is_news
        })
    }

    /// There was nothing to learn: the lease ends.
    pub(crate) fn release(&mut self, credential: &CredentialDigest, number: Number) {
        self.update(credential, |entry| entry.fetch.release(number));
    }

    /// Whether anything is remembered of this credential, or somebody is asking.
    fn knows(&self, credential: &CredentialDigest) -> bool {
        self.entry(credential)
            .is_some_and(|entry| entry.answer.is_some() || entry.fetch.is_leased())
    }

    /// Something has happened to the session: what was said before does not count, and whoever was
    /// asking asks for nobody else.
    pub(crate) fn forget(&mut self, credential: &CredentialDigest, now: UnixTime) {
        if self.knows(credential) {
            self.change(*credential, now, |entry| {
                entry.fetch.release_all();
                entry.answer = entry
                    .answer
                    .take()
                    .filter(|remembered| remembered.answer == SessionState::Ended);
            });
        }
    }

    /// A renewal came to nothing: the lease ends, and the next one is not tried at once.
    pub(crate) fn pause_renewal(
        &mut self,
        credential: CredentialDigest,
        number: Number,
        now: UnixTime,
    ) {
        self.change(credential, now, |entry| entry.fetch.end(number, Ok(()), now));
    }

    /// Whether this session may have been said to have ended since then, and that has been
    /// forgotten with its entry.
    fn has_forgotten_since(
        &self,
        credential: &CredentialDigest,
        asked: UnixTime,
        now: UnixTime,
    ) -> bool {
        let is_newer = self
            .entry(credential)
            .is_none_or(|entry| entry.since.is_none_or(|since| asked < since));
        is_newer && self.forgotten_end.is_some_and(|end| asked <= end && end <= now)
    }

    fn entry(&self, credential: &CredentialDigest) -> Option<&Entry> {
        let others = || self.ended.get(credential).or_else(|| self.unknown.get(credential));
        self.vouched.get(credential).or_else(others)
    }

    /// Changes what does not say which table an entry belongs to.
    fn update<T>(
        &mut self,
        credential: &CredentialDigest,
        change: impl FnOnce(&mut Entry) -> T,
    ) -> Option<T> {
        let mut tables = [&mut self.vouched, &mut self.ended, &mut self.unknown].into_iter();
        tables.find(|table| table.contains(credential))?.update(credential, change)
    }

    /// Changes the entry of a credential, which is the newest of its table then.
    fn change<T>(
        &mut self,
        credential: CredentialDigest,
        now: UnixTime,
        change: impl FnOnce(&mut Entry) -> T,
    ) -> T {
        let known = self.vouched.remove(&credential).or_else(|| self.ended.remove(&credential));
        let mut entry = known
            .or_else(|| self.unknown.remove(&credential))
            .unwrap_or_else(|| Entry { since: Some(now), ..Entry::default() });
        let changed = change(&mut entry);
        entry.was_vouched_for |= entry.owner.is_some();
        let Self { vouched, ended, unknown, owed, forgotten_end } = self;
        let table = match (entry.owner, entry.was_vouched_for) {
            (Some(_), _) => vouched,
            (None, true) => ended,
            (None, false) => unknown,
        };
        table.put_and_tell(credential, entry, |evicted| {
            *owed = owed.saturating_sub(usize::from(evicted.is_owed));
            if let Some(Remembered { answer: SessionState::Ended, at, .. }) = evicted.answer {
                *forgotten_end = (*forgotten_end).max(Some(at));
            }
        });
        changed
    }
}

/// What is remembered of an answer.
fn remembered(answer: &SessionState) -> Option<SessionState> {
    match answer {
        SessionState::Active(session) if session.weight() > MAX_REMEMBERED_BYTES => None,
        answer => Some(answer.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::json;

    const START: UnixTime = UnixTime::from_millis(1_800_000_000_000);
    const LONG: Seconds = Seconds::new(30);
    const ADA: Party = Party::new([1; 32]);

    /// A moment whose place in the order is its time.
    fn moment(at: UnixTime) -> Moment {
        Moment { number: Number::of(u64::try_from(at.as_millis()).unwrap_or_default()), at }
    }

    fn digest(number: u32) -> CredentialDigest {
        CredentialDigest::new(crate::encoding::digest::of(&number.to_be_bytes()))
    }

    /// A session with a claim of so many bytes.
    fn session(claim: usize) -> Session {
        let copy = serde_json::json!({
            "claims": { "a": "x".repeat(claim) }, "subject": "ada", "expires": 4_000_000_000_000_i64, "impersonated": false,
        });
        let named = [crate::better_auth::attributes::ClaimPath::new("a")];
        let read = Session::from_copy(json::written(&copy).as_bytes(), &named, START, START);
        read.unwrap_or_else(|| unreachable!("a copy"))
    }

    fn lives(
        sessions: &mut SessionCache,
        number: u32,
        claim: usize,
        now: UnixTime,
    ) -> Result<SessionState, LookupFailure> {
        let answer = Ok(SessionState::Active(session(claim)));
        sessions.receive(digest(number), Some(ADA), answer, moment(now.plus_millis(-20)), now)
    }

    fn is_known(sessions: &SessionCache, number: u32, now: UnixTime) -> bool {
        matches!(
            sessions.look_up(&digest(number), LONG, &Since::EVER, moment(now), now),
            SessionLookup::Known(SessionState::Active(_))
        )
    }

    #[test]
    fn what_is_remembered_is_bounded_in_bytes() {
        let mut sessions = SessionCache::default();
        for number in 0..3000 {
            assert!(lives(&mut sessions, number, 15_000, START).is_ok());
            assert!(sessions.vouched.bytes() <= VOUCHED.bytes);
        }
        let kept = (0..3000).filter(|number| is_known(&sessions, *number, START)).count();
        let weighed: usize = sessions.vouched.values().map(Weighed::weight).sum();
        assert_eq!((kept, weighed), (sessions.vouched.values().count(), sessions.vouched.bytes()));
        assert!(
            kept > 500 && is_known(&sessions, 2999, START) && !is_known(&sessions, 0, START),
            "{kept}"
        );
    }

    #[test]
    fn what_is_too_large_to_be_remembered_is_vouched_for_and_asked_about_anew() {
        let mut sessions = SessionCache::default();
        assert!(matches!(lives(&mut sessions, 1, 200_000, START), Ok(SessionState::Active(_))));
        assert!(!is_known(&sessions, 1, START));
        assert!(sessions.owner(&digest(1)).is_some() && sessions.vouched.bytes() == ENTRY_BYTES);
    }

    #[test]
    fn forged_and_dead_tokens_push_out_nothing_that_is_known_of_a_session() {
        let mut sessions = SessionCache::default();
        for number in 0..101 {
            assert!(lives(&mut sessions, number, 10, START).is_ok());
        }
        assert!(
            sessions
                .receive(digest(100), None, Ok(SessionState::Ended), moment(START), START)
                .is_ok()
        );
        for number in 1000..20_000 {
            sessions.lease(digest(number), moment(START).number, START.plus_millis(2000), START);
            let answer =
                if number % 2 == 0 { Ok(SessionState::Ended) } else { Err(LookupFailure::Failed) };
            assert!(
                sessions.receive(digest(number), None, answer, moment(START), START).is_ok()
                    == (number % 2 == 0)
            );
        }
        assert!((0..100).all(|number| is_known(&sessions, number, START)));
        let ended = sessions.look_up(&digest(100), LONG, &Since::EVER, moment(START), START);
        assert!(matches!(ended, SessionLookup::Known(SessionState::Ended)), "it stays what it was");
        let counts = [&sessions.vouched, &sessions.ended, &sessions.unknown]
            .map(|table| table.values().count());
        assert_eq!(counts, [100, 1, OTHERS.entries]);
    }

    #[test]
    fn a_forgotten_end_does_not_revive_a_session() {
        let mut sessions = SessionCache::default();
        let at = |millis| START.plus_millis(millis);
        let alive = || Ok(SessionState::Active(session(10)));
        sessions.lease(digest(1), moment(at(0)).number, at(2000), at(0));
        assert!(matches!(
            sessions.receive(digest(1), None, Ok(SessionState::Ended), moment(at(10)), at(30)),
            Ok(SessionState::Ended)
        ));
        for number in 1000..1000 + u32::try_from(OTHERS.entries).unwrap_or_default() {
            assert!(
                sessions
                    .receive(digest(number), None, Ok(SessionState::Ended), moment(at(40)), at(50))
                    .is_ok()
            );
        }
        assert!(sessions.entry(&digest(1)).is_none(), "it has been pushed out");
        assert!(matches!(
            sessions.receive(digest(1), Some(ADA), alive(), moment(at(5)), at(60)),
            Err(LookupFailure::OutOfBudget)
        ));
        assert!(!is_known(&sessions, 1, at(60)));
        let copy = Session { known: at(20), ..session(10) };
        assert!(
            !sessions.receive_copy(digest(2), ADA, &copy, (at(20), moment(at(20))), at(60)),
            "nor does an older copy"
        );
        assert!(
            sessions.receive(digest(1), Some(ADA), alive(), moment(at(55)), at(70)).is_ok(),
            "this was asked for later"
        );
        sessions.lease(digest(3), moment(at(31)).number, at(2000), at(31));
        assert!(
            sessions.receive(digest(3), Some(ADA), alive(), moment(at(31)), at(80)).is_ok(),
            "its entry has been there all the while"
        );
    }

    #[test]
    fn whoever_takes_no_older_answer_asks_together_with_those_who_came_meanwhile() {
        let mut sessions = SessionCache::default();
        let at = |millis| START.plus_millis(millis);
        let now_only = Seconds::new(0);
        let look_up = |sessions: &SessionCache, came, now| {
            sessions.look_up(&digest(1), now_only, &Since::EVER, moment(at(came)), at(now))
        };
        sessions.lease(digest(1), moment(at(0)).number, at(2000), at(0));
        assert!(matches!(look_up(&sessions, 5, 5), SessionLookup::Asked));
        assert!(matches!(look_up(&sessions, 5, 505), SessionLookup::Nothing), "not for ever");
        assert!(
            sessions
                .receive(
                    digest(1),
                    Some(ADA),
                    Ok(SessionState::Active(session(10))),
                    moment(at(0)),
                    at(20)
                )
                .is_ok()
        );
        assert!(
            matches!(look_up(&sessions, 5, 20), SessionLookup::Nothing),
            "that was asked for before it came"
        );
        sessions.lease(digest(1), moment(at(20)).number, at(2020), at(20));
        assert!(
            sessions
                .receive(
                    digest(1),
                    Some(ADA),
                    Ok(SessionState::Active(session(10))),
                    moment(at(20)),
                    at(40)
                )
                .is_ok()
        );
        assert!(
            matches!(look_up(&sessions, 5, 41), SessionLookup::Known(_)),
            "that was asked for since it came"
        );
        assert!(
            matches!(look_up(&sessions, 20, 41), SessionLookup::Nothing),
            "in the same millisecond, nobody knows"
        );
    }
}
