//! Who knows the truth, and what has to hold of every path.
//!
//! - What the origin is told of a request was true at some moment that is not too long ago: the
//!   organisation of its own session, and no older than the writes that its client had been
//!   answered before it began.
//! - A token that goes on instead says the same.
//! - Once a sign-out has been answered, no request passes as her: neither by memory nor by cookies
//!   that a late response has brought back. Once Bob has signed in, only Bob does.
//! - Where the host sees responses, the response of a request through the same instance adds no
//!   session cookie that was made before a change that has been answered; and no response deletes
//!   the cookies of a session that lives.
//! - An active session is refused only by 503, and by 503 only where something has failed.
//! - A request asks once about each thing, and ends (`world.rs`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::HeaderPairs;
use serde_json::Value;

use crate::service::{DATA, Number, Service, TOKEN};
use crate::setups::{Host, Kind, Plan, Setup};
use crate::world::{Flight, is_session_cookie};

/// How long the gate may remember what the service has said: `session_cache_seconds`, and an ask
/// that was on its way.
const MEMORY_MILLIS: i64 = 10_000 + 3000;
/// How long other instances are told that something has changed: `session_cache_seconds`.
const AS_OF_MILLIS: i64 = 10_000;
/// How late the storage may be, in milliseconds.
const STORE_LAG_MILLIS: i64 = 60_000;

/// What the origin is told of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    subject: Option<String>,
    organisation: Option<String>,
    /// Subject and organisation of the token that goes on.
    token: Option<(String, String)>,
}

impl Told {
    pub(crate) fn of(set: &HeaderPairs) -> Self {
        let value = |wanted: &str| {
            set.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
        };
        Self {
            subject: value("x-doorward-subject"),
            organisation: value("x-doorward-org"),
            token: value("authorization").and_then(|line| claims_of(line.strip_prefix("Bearer ")?)),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.subject, &self.organisation) {
            (Some(subject), Some(organisation)) => write!(f, "{subject} in {organisation}")?,
            (Some(subject), None) => write!(f, "{subject}")?,
            _ => write!(f, "anonymous")?,
        }
        match &self.token {
            Some((subject, organisation)) => {
                write!(f, ", with a token of {subject} in {organisation}")
            }
            None => Ok(()),
        }
    }
}

thread_local! {
    static READ: RefCell<BTreeMap<String, (String, String)>> = const { RefCell::new(BTreeMap::new()) };
}

fn claims_of(token: &str) -> Option<(String, String)> {
    if let Some(claims) = READ.with_borrow(|read| read.get(token).cloned()) {
        return Some(claims);
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let claim = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
    let claims = (claim("sub"), claim("org"));
    READ.with_borrow_mut(|read| read.insert(token.to_owned(), claims.clone()));
    Some(claims)
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The promise that is broken.
    pub(crate) what: &'static str,
    /// By which request, and how.
    pub(crate) how: String,
}

/// A change that was made through the gate.
struct Write {
    request: usize,
    instance: usize,
    kind: Kind,
    /// The session that it was sent with.
    session: Option<Number>,
    /// The session that its browser has from then on.
    becomes: Option<Number>,
    /// The version that it has made.
    version: usize,
    processed: u32,
    at: i64,
    answered: Option<u32>,
}

/// What was known of a request when it began.
#[derive(Default, Clone)]
struct Begun {
    /// The session that its cookies are of.
    session: Option<Number>,
    /// The version in its cookie cache.
    cached: Option<usize>,
    is_alive: bool,
    /// What its client had been answered: at least this version.
    floor: usize,
    /// A change had been answered: this is the session of the browser since.
    expected: Option<Option<Number>>,
}

pub(crate) struct Oracle {
    host: Host,
    plans: Vec<Plan>,
    has_storage: bool,
    is_flooded: bool,
    tick: i64,
    writes: Vec<Write>,
    begun: BTreeMap<usize, Begun>,
    pub(crate) wrong: Vec<Wrong>,
    pub(crate) ends: BTreeMap<&'static str, u64>,
    pub(crate) asked: u32,
}

impl Oracle {
    pub(crate) fn new(setup: &Setup, plans: &[Plan]) -> Self {
        Self {
            host: setup.host,
            plans: plans.to_vec(),
            has_storage: setup.has_storage,
            is_flooded: setup.is_flooded,
            tick: setup.tick,
            writes: Vec::new(),
            begun: BTreeMap::new(),
            wrong: Vec::new(),
            ends: BTreeMap::new(),
            asked: 0,
        }
    }

    pub(crate) fn blame(&mut self, what: &'static str, number: usize, how: impl Into<String>) {
        let how = format!("[{}] {}", number + 1, how.into());
        self.wrong.push(Wrong { what, how });
    }

    pub(crate) fn ended(&mut self, how: &'static str) {
        *self.ends.entry(how).or_default() += 1;
    }

    /// A request leaves its client.
    pub(crate) fn begun(&mut self, number: usize, flight: &Flight, service: &Service) {
        let session = service.session_of(&flight.cookies);
        let data = flight.cookies.split("; ").find(|pair| pair.starts_with(DATA));
        let cached = data.and_then(|data| {
            let made = service.made.iter().find(|(line, _)| line.split(';').next() == Some(data));
            made.and_then(|(_, made)| made.version)
        });
        let answered = || self.writes.iter().filter(|write| write.answered.is_some());
        let floor = answered()
            .filter(|write| write.session == session)
            .map(|write| write.version)
            .max()
            .unwrap_or(0);
        let last = answered().max_by_key(|write| write.answered);
        let is_alive = session.is_some_and(|session| service.sessions[session].ended.is_none());
        let expected =
            last.map(|write| write.becomes).filter(|_| flight.plan.kind.is_of_the_browser());
        self.begun.insert(number, Begun { session, cached, is_alive, floor, expected });
    }

    /// The auth service has carried a request out.
    pub(crate) fn changed(
        &mut self,
        request: usize,
        session: Option<Number>,
        becomes: Option<Number>,
        service: &Service,
        (processed, at): (u32, i64),
    ) {
        let version = session.map_or(0, |session| service.sessions[session].version());
        let (kind, instance) =
            self.plans.get(request).map_or((Kind::Page, 0), |plan| (plan.kind, plan.instance));
        self.writes.push(Write {
            request,
            instance,
            kind,
            session,
            becomes,
            version,
            processed,
            at,
            answered: None,
        });
    }

    /// A request goes on to the origin.
    pub(crate) fn told(&mut self, number: usize, flight: &Flight, told: &Told, service: &Service) {
        let begun = self.begun.get(&number).cloned().unwrap_or_default();
        if matches!(flight.plan.kind, Kind::Switch | Kind::SignOut | Kind::SignIn) {
            if told.subject.is_some() || told.token.is_some() {
                self.blame("no identity is named on a public path", number, told.to_string());
            }
            return;
        }
        let Some(session) = begun.session else {
            return self.blame("no request passes without a session", number, told.to_string());
        };
        let truth = &service.sessions[session];
        let named = told
            .subject
            .as_deref()
            .into_iter()
            .chain(told.token.as_ref().map(|(subject, _)| subject.as_str()));
        if named.clone().count() == 0 || named.clone().any(|subject| subject != truth.user) {
            self.blame(
                "no user is taken for another",
                number,
                format!("{told}, and it is {}", truth.user),
            );
        }
        match begun.expected {
            Some(None) => self.blame("who has signed out is out", number, told.to_string()),
            // Who does not see a response cannot take back what has been put on it: the first
            // person's cookies, whose session lives.
            Some(Some(other)) if other != session && self.host == Host::Sees => {
                self.blame(
                    "who has signed in is in",
                    number,
                    format!("{told}, and it is {}", service.sessions[other].user),
                );
            }
            _ => {}
        }
        let version = |name: &str| {
            name.strip_prefix("org-").and_then(|version| version.parse::<usize>().ok())
        };
        let by_header = told.organisation.as_deref().and_then(version);
        let by_token = told.token.as_ref().and_then(|(_, organisation)| version(organisation));
        // Other instances hear of a change by the cookie that the gate sets with the auth service's
        // own answer, and for as long as that lives. What the application sets by itself they hear
        // of by the cookie cache, if there is one.
        let here = |write: &Write| write.instance == flight.plan.instance;
        let is_told = |write: &Write| {
            here(write) || write.kind != Kind::Action && flight.began_at - write.at < AS_OF_MILLIS
        };
        for version in by_header.into_iter().chain(by_token) {
            // A client that has kept its cookies brings what was true then, signed.
            let is_kept = flight.plan.kind == Kind::Kept;
            let floor = if is_kept && begun.cached.is_some() { 0 } else { begun.floor };
            let later = |write: &&Write| {
                write.session == begun.session && write.version > version && write.version <= floor
            };
            let is_promised = self
                .writes
                .iter()
                .filter(later)
                .any(|write| here(write) || !is_kept && is_told(write));
            // Two changes at two instances in one millisecond have no order.
            let has_order = self.tick > 0
                || self.writes.windows(2).all(|pair| pair[0].instance == pair[1].instance);
            if version < floor && is_promised && has_order {
                let how = format!("{told}, and it was answered org-{floor} before it began");
                self.blame("own writes are read back", number, how);
            }
        }
        if let Some(version) = by_header {
            let lag = if self.has_storage { STORE_LAG_MILLIS } else { 0 };
            let until = truth.versions.get(version + 1).map_or(i64::MAX, |(_, since)| *since);
            let is_cached = begun.cached == Some(version);
            if until < flight.began_at - MEMORY_MILLIS - lag && !is_cached {
                self.blame("nothing is remembered for too long", number, told.to_string());
            }
        }
        let Some((ended, at)) = truth.ended else { return };
        let lag = if self.has_storage { STORE_LAG_MILLIS } else { 0 };
        if at < flight.began_at - MEMORY_MILLIS - lag && begun.cached.is_none() {
            self.blame(
                "nothing is remembered for too long",
                number,
                format!("{told}, whose session is over"),
            );
        }
        // Who kept the cookies and sends them after the sign-out passes by what is signed in them,
        // or at an instance that does not know yet.
        let is_known_here = |write: &&Write| {
            write.kind == Kind::SignOut
                && write.session == Some(session)
                && write.instance == flight.plan.instance
        };
        let answered =
            self.writes.iter().filter(is_known_here).filter_map(|write| write.answered).min();
        if flight.plan.kind == Kind::Kept
            && answered.is_some_and(|answered| answered < flight.begun)
            && begun.cached.is_none()
        {
            self.blame(
                "who has signed out is out",
                number,
                format!("{told}, by kept cookies; it was over at step {ended}"),
            );
        }
    }

    /// A request is refused.
    pub(crate) fn refused(
        &mut self,
        number: usize,
        (code, log): (&'static str, &str),
        service: &Service,
        has_failed: bool,
    ) {
        let begun = self.begun.get(&number).cloned().unwrap_or_default();
        let lives = begun.session.is_some_and(|session| service.sessions[session].ended.is_none());
        let is_doubt = ["session_unavailable", "token_exchange_unavailable"].contains(&code);
        let has_spent = log.contains("request-limit");
        if has_spent
            && (self.plans.get(number).is_none_or(|plan| plan.kind == Kind::Another)
                || !self.is_flooded)
        {
            self.blame(
                "no user is refused because of another's requests",
                number,
                format!("{code} {log}"),
            );
        }
        // What has ended while it was asked about is not known for certain.
        let has_ended = begun.is_alive && !lives;
        // Two changes overtake two answers.
        let is_overtaken = log.contains("\"changed\"")
            && self.plans.iter().filter(|plan| plan.kind.is_write()).count() > 1;
        if is_doubt && !has_failed && !has_spent && !has_ended && !is_overtaken {
            self.blame("a lookup failure has a cause", number, format!("{code} {log}"));
        }
        if lives && begun.is_alive && !is_doubt {
            self.blame("a session that lives is not refused", number, format!("{code} {log}"));
        }
    }

    /// A response has left, with what the gate has added to it.
    pub(crate) fn left(
        &mut self,
        number: usize,
        flight: &Flight,
        added: &[String],
        service: &Service,
        step: u32,
    ) {
        let begun = self.begun.get(&number).cloned().unwrap_or_default();
        // What other instances and hosts that see no response cannot know: there, what comes of it
        // counts.
        let knows = |write: &&Write| {
            self.host == Host::Sees
                && write.instance == flight.plan.instance
                && write.request != number
                && write.answered.is_some()
        };
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for line in added.iter().filter(|line| is_session_cookie(line)) {
            let name = line.split('=').next().unwrap_or_default();
            let Some(made) = service.made.get(line) else {
                let current = begun.expected_now(&self.writes);
                let lives = |session: Number| service.sessions[session].ended.is_none();
                let is_another =
                    current.is_some_and(|session| lives(session) && Some(session) != begun.session);
                let is_own = begun.session.is_some_and(lives);
                let is_far = self.host == Host::SeesNothing
                    || self.writes.iter().any(|write| write.instance != flight.plan.instance);
                if name == TOKEN
                    && flight.plan.kind.is_of_the_browser()
                    && (is_own || is_another && !is_far)
                {
                    found.push((
                        "no cookies of an active session are deleted",
                        format!("{name} is deleted"),
                    ));
                }
                continue;
            };
            for write in self.writes.iter().filter(knows) {
                let is_of_it = write.session == Some(made.session);
                if is_of_it && made.version.is_some() && made.at < write.processed {
                    found.push((
                        "no late response brings old cookies back",
                        format!("{name} from before {:?}", write.kind),
                    ));
                } else if is_of_it && write.kind == Kind::SignOut {
                    found.push((
                        "no late response brings a session back",
                        format!("{name} after {:?}", write.kind),
                    ));
                } else if is_of_it
                    && write.kind == Kind::SignIn
                    && write.answered > Some(flight.begun)
                {
                    found.push((
                        "no late response brings another session back",
                        format!("{name} of {}", service.sessions[made.session].user),
                    ));
                }
            }
            if Some(made.session) != begun.session {
                found.push(("no user gets another's cookies", name.to_owned()));
            }
        }
        for (what, how) in found {
            self.blame(what, number, how);
        }
        if let Some(write) = self.writes.iter_mut().find(|write| write.request == number) {
            write.answered = Some(step);
        }
    }
}

impl Begun {
    /// The session of the browser, as far as it has been changed.
    fn expected_now(&self, writes: &[Write]) -> Option<Number> {
        let last = writes
            .iter()
            .filter(|write| write.answered.is_some())
            .max_by_key(|write| write.answered);
        last.map_or(self.session, |write| write.becomes)
    }
}
