//! Probes: one file for each question that is put to a deployment. A probe sends requests and fills
//! [`Facts`]; it knows no cause.
//!
//! Every response is looked at for a wall first (`wall.rs`), and only then for its own meaning. The
//! whole run has a budget of requests and keeps a pace.

pub(crate) mod api;
pub(crate) mod app;
pub(crate) mod arrival;
pub(crate) mod deep;
pub(crate) mod gate;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod names;
pub(crate) mod oracle;
pub(crate) mod pasted;
pub(crate) mod reach;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod token;

use crate::answer::{Answer, Body};
use crate::effects::{HttpFailure, HttpRequest, Io, Phase};
use crate::facts::{Exchange, Facts, Limit};
use crate::plan::Plan;
use crate::url::Url;
use crate::wall::Wall;

/// Requests of a run, all probes together.
pub(crate) const MAX_REQUESTS: usize = 20;
/// Milliseconds between two requests to another machine: four a second.
const PACE_MILLIS: u64 = 250;
const MAX_HEADER_BYTES: usize = 64 * 1024;
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What browsers call themselves, for walls that tell by it.
pub(crate) const BROWSER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
/// What PyJWT's key client calls itself.
pub(crate) const PYTHON_AGENT: &str = "Python-urllib/3.11";

/// A run: what it is about, and what was learned so far.
pub(crate) struct Run<'a> {
    pub(crate) io: &'a Io,
    pub(crate) plan: &'a Plan,
    pub(crate) facts: Facts,
    /// The user agent that gets through.
    pub(crate) agent: String,
    /// Someone wants to see each request as it is sent.
    pub(crate) is_verbose: bool,
    /// Where the service is, once it is known.
    pub(crate) base: String,
    /// Requests that are kept for the probes that the command line asks for.
    pub(crate) reserve: usize,
    /// A JWT that an API may be asked with. It is in no fact and no report.
    pub(crate) token: Option<String>,
    /// Cookies of a sign-in. They are in no fact and no report.
    pub(crate) cookies: Option<String>,
}

/// A request that is about to be sent.
pub(crate) struct Ask {
    id: &'static str,
    method: &'static str,
    url: Url,
    query: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    agent: Option<&'static str>,
    is_fresh: bool,
    is_elsewhere: bool,
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    pub(crate) fn json(mut self, body: String) -> Self {
        self.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        self.body = Some(body);
        self
    }

    pub(crate) const fn agent(mut self, agent: &'static str) -> Self {
        self.agent = Some(agent);
        self
    }

    /// Over a connection of its own.
    pub(crate) const fn fresh(mut self) -> Self {
        self.is_fresh = true;
        self
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(io: &'a Io, plan: &'a Plan, is_verbose: bool) -> Self {
        Self {
            io,
            plan,
            facts: Facts::default(),
            agent: concat!("doorward-doctor/", env!("CARGO_PKG_VERSION")).to_owned(),
            is_verbose,
            base: plan.base.value.clone(),
            reserve: 1,
            token: None,
            cookies: None,
        }
    }

    /// `GET` a path below the service's base.
    pub(crate) fn get(&self, id: &'static str, path: &str) -> Ask {
        self.ask(id, "GET", &[&self.base, path].concat())
    }

    /// `POST` to a path below the service's base.
    pub(crate) fn post(&self, id: &'static str, path: &str) -> Ask {
        self.ask(id, "POST", &[&self.base, path].concat())
    }

    /// A request to a path of the target.
    pub(crate) fn ask(&self, id: &'static str, method: &'static str, path: &str) -> Ask {
        Self::ask_at(id, method, self.plan.target.with_path(path), false)
    }

    /// A request to another place that the command line names.
    pub(crate) fn ask_elsewhere(id: &'static str, method: &'static str, url: Url) -> Ask {
        Self::ask_at(id, method, url, true)
    }

    fn ask_at(id: &'static str, method: &'static str, url: Url, is_elsewhere: bool) -> Ask {
        Ask {
            id,
            method,
            url,
            query: String::new(),
            headers: Vec::new(),
            body: None,
            agent: None,
            is_fresh: false,
            is_elsewhere,
        }
    }

    /// How many requests may still be sent.
    pub(crate) fn left(&self) -> usize {
        MAX_REQUESTS.saturating_sub(self.facts.requests.len())
    }

    /// Sends a request and writes down that it was sent.
    pub(crate) async fn send(&mut self, ask: Ask) -> Result<Answer, HttpFailure> {
        let none = |phase, kind: &str| Err(HttpFailure { phase, kind: kind.to_owned() });
        if self.io.is_interrupted() {
            return none(Phase::Interrupted, "");
        }
        if self.left() == 0 {
            return none(Phase::Http, "budget");
        }
        if !self.is_at_hand(&ask) && !self.facts.requests.is_empty() {
            self.io.sleep(PACE_MILLIS).await;
        }
        let (id, method, path) = (ask.id, ask.method, ask.url.path.clone());
        let is_service = !ask.is_elsewhere && self.facts.reach.base.is_some();
        let host = (ask.url.host != self.plan.target.host).then(|| ask.url.host.clone());
        let started = self.io.now().await;
        let result = self.io.http(self.request(ask)).await;
        let millis = self.io.now().await.saturating_sub(started);
        let result = result.map(Answer::new);
        let is_page = |answer: &Answer| answer.status() == 200 && answer.body() == Body::Html;
        if is_service && result.as_ref().is_ok_and(is_page) {
            self.facts.reach.pages.push(id);
        }
        let (status, summary) = match &result {
            Ok(answer) => (Some(answer.status()), answer.summary()),
            Err(failure) => (None, failure_words(failure)),
        };
        if self.is_verbose {
            let host = host.as_deref().unwrap_or_default();
            self.io.err(format!("  {method} {host}{path}  {summary}\n")).await;
        }
        self.facts.requests.push(Exchange { id, method, path, host, status, summary, millis });
        result
    }

    /// The same, and what the response means if it is the service's own.
    ///
    /// # Errors
    /// What stands in front of it, or that there was no response.
    pub(crate) async fn send_past_walls(&mut self, ask: Ask) -> Result<Answer, Stop> {
        let url = ask.url.clone();
        let answer = self.send(ask).await.map_err(Stop::Failure)?;
        match Wall::of(&answer, &url) {
            Some(wall) => {
                self.note_limit(&wall, url.path);
                Err(Stop::Wall(wall))
            }
            None => Ok(answer),
        }
    }

    /// A limit that this run has brought about itself is another thing than one that was there.
    fn note_limit(&mut self, wall: &Wall, path: String) {
        let Wall::RateLimit { by_service, retry_after } = wall else { return };
        if self.facts.limit.is_some() {
            return;
        }
        let is_answered = |exchange: &&Exchange| {
            exchange.path == path && exchange.status.is_some_and(|status| status != 429)
        };
        self.facts.limit = Some(Limit {
            answered_before: self.facts.requests.iter().filter(is_answered).count(),
            path,
            by_service: *by_service,
            retry_after: retry_after.clone(),
        });
    }

    /// Random text of letters and digits.
    pub(crate) async fn random_text(&self, length: usize) -> String {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let bytes = self.io.random(length).await.unwrap_or_else(|| vec![7; length]);
        // 256 is no multiple of 62, which does not matter: it names nothing and guards nothing.
        let letter = |byte: u8| {
            let at = usize::from(byte).checked_rem(ALPHABET.len()).unwrap_or(0);
            ALPHABET.get(at).copied().map_or('A', char::from)
        };
        bytes.into_iter().map(letter).collect()
    }

    /// A query that nobody has asked before, so that no cache has its answer.
    pub(crate) async fn fresh_query(&self) -> String {
        format!("doorward={}", self.random_text(12).await)
    }

    fn is_at_hand(&self, ask: &Ask) -> bool {
        if ask.is_elsewhere { ask.url.is_loopback() } else { self.plan.is_local() }
    }

    fn request(&self, ask: Ask) -> HttpRequest {
        let query = if ask.query.is_empty() { String::new() } else { format!("?{}", ask.query) };
        let agent = ask.agent.unwrap_or(&self.agent);
        let mut headers = vec![("user-agent".to_owned(), agent.to_owned())];
        let has_accept = ask.headers.iter().any(|(name, _)| name == "accept");
        if !has_accept {
            headers.push(("accept".to_owned(), "application/json".to_owned()));
        }
        headers.push(("accept-encoding".to_owned(), "identity".to_owned()));
        headers.extend(ask.headers);
        if !ask.is_elsewhere {
            headers.extend(self.plan.headers.iter().cloned());
        }
        let connect =
            self.plan.connect.clone().filter(|_| !ask.is_elsewhere || self.is_target(&ask.url));
        HttpRequest {
            method: ask.method.to_owned(),
            url: format!("{}{query}", ask.url),
            connect,
            headers,
            body: ask.body,
            ca_files: self.plan.ca_files.clone(),
            fresh_connection: ask.is_fresh,
            timeout_millis: self.plan.timeout_millis,
            max_header_bytes: MAX_HEADER_BYTES,
            max_body_bytes: MAX_BODY_BYTES,
        }
    }

    fn is_target(&self, url: &Url) -> bool {
        url.origin() == self.plan.target.origin()
    }
}

/// Why an answer is not the service's.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    Failure(HttpFailure),
    Wall(Wall),
}

impl Stop {
    pub(crate) fn wall(self) -> Option<Wall> {
        match self {
            Self::Wall(wall) => Some(wall),
            Self::Failure(_) => None,
        }
    }
}

/// In words: `no response (connection refused)`.
pub(crate) fn failure_words(failure: &HttpFailure) -> String {
    let what = match (failure.phase, failure.kind.as_str()) {
        (Phase::Network, _) => "this machine has no network",
        (Phase::Dns, "temporary") => "the name could not be resolved",
        (Phase::Dns, _) => "the name has no address",
        (Phase::Connect, "refused") => "connection refused",
        (Phase::Connect, _) => "host unreachable",
        (Phase::Tls, "expired") => "the certificate has expired",
        (Phase::Tls, "not-yet-valid") => "the certificate is not valid yet",
        (Phase::Tls, "name-mismatch") => "the certificate is for another name",
        (Phase::Tls, "untrusted") => "the certificate is not trusted",
        (Phase::Tls, _) => "the TLS handshake failed",
        (Phase::Http, "closed") => "connection closed",
        (Phase::Http, "budget") => "not sent: the run has used up its requests",
        (Phase::Http, _) => "what came is no HTTP",
        (Phase::Headers, _) => "more than 64 KB of response headers",
        (Phase::Timeout, _) => "time-out",
        (Phase::Interrupted, _) => "interrupted",
    };
    format!("no response ({what})")
}
