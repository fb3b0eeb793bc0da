//! The auth service of the small world: what is true of each session, since when, and what it says
//! about that. What it says it says as Better Auth does; `../timeline/service.rs` holds its pen.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::pen;
use crate::setups::{Age, Setup};
use crate::support::ORIGIN;

pub(crate) use pen::{DATA, TOKEN};

/// The moment at which every path begins.
pub(crate) const START: i64 = 1_795_402_800_000;
/// What a cookie cache lives, in milliseconds.
pub(crate) const CACHE_MILLIS: i64 = 300_000;
/// What a session lives, in milliseconds.
const LIFE: i64 = 604_800_000;

static PEN: LazyLock<pen::Service> = LazyLock::new(pen::Service::new);

/// The number of a session.
pub(crate) type Number = usize;

/// One session, with all that was ever true of it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user: &'static str,
    /// Its organisations, each since a step and a moment: the place in this list is the version.
    pub(crate) versions: Vec<(u32, i64)>,
    /// Since when it is over.
    pub(crate) ended: Option<(u32, i64)>,
}

impl Session {
    pub(crate) fn version(&self) -> usize {
        self.versions.len() - 1
    }
}

/// An answer to an effect.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) set_cookies: Vec<String>,
}

/// What a line of `Set-Cookie` gives away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) session: Number,
    /// The step in which it was made.
    pub(crate) at: u32,
    /// The version that it tells; nothing in `session_token`.
    pub(crate) version: Option<usize>,
}

pub(crate) struct Service {
    pub(crate) sessions: Vec<Session>,
    /// Lines of `Set-Cookie` that it has written, and what is in them.
    pub(crate) made: BTreeMap<String, Made>,
    cookie_cache: bool,
    serial: u32,
}

impl Service {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            sessions: Vec::new(),
            made: BTreeMap::new(),
            cookie_cache: setup.age != Age::Never,
            serial: 0,
        }
    }

    /// A session of this user.
    pub(crate) fn begin(&mut self, user: &'static str, step: u32, now: i64) -> Number {
        self.sessions.push(Session { user, versions: vec![(step, now)], ended: None });
        self.sessions.len() - 1
    }

    /// The organisation of a session is another from now on.
    pub(crate) fn switch(&mut self, number: Number, step: u32, now: i64) {
        self.sessions[number].versions.push((step, now));
    }

    /// A session is over.
    pub(crate) fn end(&mut self, number: Number, step: u32, now: i64) {
        self.sessions[number].ended.get_or_insert((step, now));
    }

    /// The session of a `Cookie` header.
    pub(crate) fn session_of(&self, cookies: &str) -> Option<Number> {
        let value =
            cookies.split("; ").find_map(|pair| pair.strip_prefix(TOKEN)?.strip_prefix('='))?;
        self.sessions
            .iter()
            .enumerate()
            .map(|(number, _)| number)
            .find(|number| self.token_cookie(*number) == value)
    }

    /// `/get-session`, without its cookie cache.
    pub(crate) fn get_session(&mut self, cookies: &str, step: u32, now: i64) -> Answer {
        let alive =
            self.session_of(cookies).filter(|number| self.sessions[*number].ended.is_none());
        let Some(number) = alive else {
            return Answer { status: 200, body: "null".to_owned(), set_cookies: deletions() };
        };
        // As on the second day: the session is extended with each answer.
        Answer {
            status: 200,
            body: self.written_pair(number, now),
            set_cookies: self.lines(number, step, now),
        }
    }

    /// `/token`.
    pub(crate) fn token(&mut self, cookies: &str, now: i64) -> Answer {
        let alive =
            self.session_of(cookies).filter(|number| self.sessions[*number].ended.is_none());
        let Some(number) = alive else {
            return Answer { status: 401, body: "{}".to_owned(), set_cookies: Vec::new() };
        };
        let (user, version, issued) =
            (self.sessions[number].user, self.sessions[number].version(), now / 1000);
        let body = remembered(format!("jwt {user} {version} {issued}"), || {
            let claims = json!({ "sub": user, "org": organisation(version), "iat": issued, "exp": issued + pen::TOKEN_LIFE, "iss": ORIGIN, "aud": ORIGIN });
            json!({ "token": PEN.jwt(&claims) }).to_string()
        });
        Answer { status: 200, body, set_cookies: Vec::new() }
    }

    /// `/jwks`.
    pub(crate) fn key_set() -> Answer {
        let body = remembered("keys".to_owned(), || PEN.key_set().body);
        Answer { status: 200, body, set_cookies: Vec::new() }
    }

    /// Both cookies of a session, as a write's response sets them.
    pub(crate) fn lines(&mut self, number: Number, step: u32, now: i64) -> Vec<String> {
        let mut lines = vec![self.token_line(number, step)];
        if self.cookie_cache {
            lines.push(self.data_line(number, step, now, CACHE_MILLIS));
        }
        lines
    }

    fn token_line(&mut self, number: Number, step: u32) -> String {
        let line = format!(
            "{TOKEN}={}; Max-Age={}; Path=/; HttpOnly; SameSite=Lax",
            self.token_cookie(number),
            LIFE / 1000
        );
        self.made.insert(line.clone(), Made { session: number, at: step, version: None });
        line
    }

    /// The cookie cache of a session, good for so long. No two are alike.
    pub(crate) fn data_line(&mut self, number: Number, step: u32, now: i64, life: i64) -> String {
        self.serial += 1;
        let version = self.sessions[number].version();
        let known = now + life - CACHE_MILLIS;
        let name = format!(
            "data {number} {} {version} {known} {}",
            self.sessions[number].user, self.serial
        );
        let value = remembered(name, || {
            let mut pair = self.pair(number, known);
            pair["serial"] = json!(self.serial);
            PEN.compact(&pair, known + CACHE_MILLIS)
        });
        let line =
            format!("{DATA}={value}; Max-Age={}; Path=/; HttpOnly; SameSite=Lax", life / 1000);
        self.made.insert(line.clone(), Made { session: number, at: step, version: Some(version) });
        line
    }

    /// What it has in its storage under a key, as it is now.
    pub(crate) fn stored(&self, key: &str, now: i64) -> Option<String> {
        let number = (0..self.sessions.len()).find(|number| self.token_of(*number) == key)?;
        self.sessions[number].ended.is_none().then(|| self.written_pair(number, now))
    }

    pub(crate) fn token_of(&self, number: Number) -> String {
        format!("token-of-{}-{number:020}", self.sessions[number].user)
    }

    fn token_cookie(&self, number: Number) -> String {
        let token = self.token_of(number);
        remembered(token.clone(), || PEN.signed(&token))
    }

    fn written_pair(&self, number: Number, now: i64) -> String {
        let (user, version) = (self.sessions[number].user, self.sessions[number].version());
        remembered(format!("pair {number} {user} {version} {now}"), || {
            self.pair(number, now).to_string()
        })
    }

    fn pair(&self, number: Number, now: i64) -> Value {
        let session = &self.sessions[number];
        let (id, organisation) = (format!("s{number}"), organisation(session.version()));
        let (began, expires) = (pen::iso(START - 3_600_000), pen::iso(START + LIFE));
        json!({
            "session": { "id": id, "token": self.token_of(number), "userId": session.user, "createdAt": began, "expiresAt": expires, "activeOrganizationId": organisation },
            "user": { "id": session.user, "email": "x@example.com", "name": "x" },
            "updatedAt": now,
            "version": "1",
        })
    }
}

/// The name of the organisation that a session has in this version.
pub(crate) fn organisation(version: usize) -> String {
    format!("org-{version}")
}

/// The lines with which the service deletes its cookies.
pub(crate) fn deletions() -> Vec<String> {
    [TOKEN, DATA, pen::FOR_NOW]
        .map(|name| format!("{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"))
        .to_vec()
}

thread_local! {
    static WRITTEN: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// What is written again and again on a million paths, written once.
fn remembered(name: String, write: impl FnOnce() -> String) -> String {
    if let Some(text) = WRITTEN.with_borrow(|written| written.get(&name).cloned()) {
        return text;
    }
    let text = write();
    WRITTEN.with_borrow_mut(|written| written.insert(name, text.clone()));
    text
}
