//! Browsers, a host that does its duty, and virtual time: requests interleave as their effects take
//! time.

use std::collections::BTreeMap;

use doorward::{Decision, Effect, EffectResult, Engine, PendingEffect, RequestHead, UnixTime};
use serde_json::Value;

use crate::service::{Answer, Service};
use crate::shelf::Shelf;
use crate::support::ORIGIN;

/// The moment at which every story begins.
pub(crate) const START: i64 = 1_795_402_800_000;

/// A browser's cookies, with when they end.
#[derive(Clone, Default)]
pub(crate) struct Jar {
    cookies: BTreeMap<(String, String), (String, Option<i64>)>,
}

impl Jar {
    pub(crate) fn take(&mut self, lines: &[String], now: i64) {
        for line in lines {
            let mut parts = line.split("; ");
            let (name, value) =
                parts.next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
            let attribute = |wanted: &str| {
                line.split("; ")
                    .skip(1)
                    .filter_map(|it| it.split_once('='))
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| value)
            };
            let age: Option<i64> = attribute("Max-Age").and_then(|age| age.parse().ok());
            // Browsers keep cookies of one name apart by their domain.
            let key = (name.to_owned(), attribute("Domain").unwrap_or_default().to_owned());
            match age {
                Some(0) => drop(self.cookies.remove(&key)),
                _ => drop(
                    self.cookies.insert(key, (value.to_owned(), age.map(|age| now + age * 1000))),
                ),
            }
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.cookies.keys().any(|(own, _)| own == name)
    }

    /// As a browser sends them: those without a domain, which are older, first.
    pub(crate) fn header(&self, now: i64) -> String {
        let alive = self.cookies.iter().filter(|(_, (_, ends))| ends.is_none_or(|ends| now < ends));
        let pairs: Vec<String> =
            alive.map(|((name, _), (value, _))| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

/// What became of a request.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) at: i64,
    /// How long it took to decide.
    pub(crate) waited: i64,
    pub(crate) jar: usize,
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    pub(crate) subject: Option<String>,
    /// The token that the origin gets.
    pub(crate) token: Option<String>,
    /// The decision in the log: `stale-if-error`, `reject`, …
    pub(crate) said: Option<String>,
    pub(crate) lookup_failure: Option<String>,
}

/// A view: when, in whose browser, of what.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) at: i64,
    pub(crate) jar: usize,
    pub(crate) target: &'static str,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) service: Service,
    /// What URLs and stores have.
    pub(crate) shelf: Shelf,
    pub(crate) jars: Vec<Jar>,
    /// Added to what the engine takes for now: its clock, not the world's.
    pub(crate) clock_error: i64,
    /// What is carried after responses, and when it is there.
    background: Vec<(i64, PendingEffect, Option<Answer>)>,
}

struct Flight {
    view: View,
    /// What the browser sent.
    cookies: String,
    next: Next,
}

#[allow(clippy::large_enum_variant)] // a few live at a time
enum Next {
    Arrive,
    Return(PendingEffect, Option<Answer>),
    Finish(PendingEffect, Option<Answer>),
    Done,
}

impl World {
    pub(crate) fn new(issuer: Value) -> Self {
        Self::with(issuer, serde_json::json!({}))
    }

    /// The same with further members of the configuration, and two stores.
    pub(crate) fn with(issuer: Value, document: Value) -> Self {
        Self {
            engine: crate::support::engine_of(issuer, document, &["LISTS", "SESSIONS"]),
            service: Service::new(),
            shelf: Shelf::default(),
            jars: Vec::new(),
            clock_error: 0,
            background: Vec::new(),
        }
    }

    /// A browser of a user who has just signed in. Its number.
    pub(crate) fn browser_of(&mut self, user: &str, at: i64) -> usize {
        let mut jar = Jar::default();
        jar.take(&self.service.sign_in(user, at), at);
        self.jars.push(jar);
        self.jars.len() - 1
    }

    pub(crate) fn view(&mut self, at: i64, jar: usize) -> Outcome {
        let outcomes = self.play(&[View { at, jar, target: "/app" }]);
        outcomes.into_iter().next().unwrap_or_else(|| panic!("a request without an end"))
    }

    /// Plays views to their ends: what happens earliest happens first.
    pub(crate) fn play(&mut self, views: &[View]) -> Vec<Outcome> {
        let mut queue: BTreeMap<(i64, usize), Flight> = BTreeMap::new();
        for (number, view) in views.iter().enumerate() {
            queue.insert(
                (view.at, number),
                Flight { view: *view, cookies: String::new(), next: Next::Arrive },
            );
        }
        let mut outcomes = Vec::new();
        while let Some(((at, number), mut flight)) = queue.pop_first() {
            self.hear_back(at);
            if let Next::Arrive = flight.next {
                flight.cookies = self.jars[flight.view.jar].header(at);
            }
            let due = self.step(&mut flight, at, &mut outcomes);
            if let Some(due) = due {
                assert!(due - flight.view.at <= 6000, "a request outlives its budget");
                queue.insert((due, number), flight);
            }
        }
        outcomes
    }

    /// Takes what has come after responses until now.
    fn hear_back(&mut self, at: i64) {
        let (due, later) =
            std::mem::take(&mut self.background).into_iter().partition(|(due, ..)| *due <= at);
        self.background = later;
        for (due, pending, answer) in due {
            let now = UnixTime::from_millis(due + self.clock_error);
            with_reply(answer.as_ref(), &pending.effect().into(), |result| {
                self.engine.receive(pending, result, now)
            });
        }
    }

    /// The next step of a request, and when the one after that is due.
    fn step(&mut self, flight: &mut Flight, at: i64, outcomes: &mut Vec<Outcome>) -> Option<i64> {
        let now = UnixTime::from_millis(at + self.clock_error);
        let headers = [
            ("cookie", flight.cookies.as_str()),
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
        ];
        let head = RequestHead {
            method: "GET",
            target: flight.view.target,
            headers: &headers,
            public_origin: ORIGIN,
            client_address: None,
        };
        let decision = match std::mem::replace(&mut flight.next, Next::Done) {
            Next::Arrive => self.engine.decide(&head, now),
            Next::Return(pending, answer) => {
                with_reply(answer.as_ref(), &pending.effect().into(), |result| {
                    self.engine.resume(&head, pending, result, now)
                })
            }
            Next::Finish(pending, answer) => {
                let finish = with_reply(answer.as_ref(), &Kind::Fetch, |result| {
                    self.engine.finish(pending, result, &[], now)
                });
                self.jars[flight.view.jar].take(&set_cookies(&finish.headers), at);
                return None;
            }
            Next::Done => return None,
        };
        let (status, reason, headers, log) = match decision {
            Decision::Perform(pending) => {
                let (answer, due) = self.perform(&pending, at);
                flight.next = Next::Return(pending, answer);
                return Some(due);
            }
            Decision::Forward(forward) => {
                let set = |wanted: &str| {
                    forward
                        .set
                        .iter()
                        .find(|(name, _)| *name == wanted)
                        .map(|(_, value)| value.to_owned())
                };
                let told = (set("x-doorward-subject"), set("authorization"));
                outcomes.push(outcome(
                    at,
                    flight.view,
                    200,
                    "forward",
                    told,
                    forward.log.as_deref(),
                ));
                self.jars[flight.view.jar].take(&set_cookies(&forward.response_headers), at);
                if let Some(pending) = forward.after {
                    let (answer, due) = self.perform(&pending, at);
                    self.background.push((due, pending, answer));
                }
                let pending = forward.alongside?;
                let (answer, due) = self.perform(&pending, at);
                flight.next = Next::Finish(pending, answer);
                return Some(due);
            }
            Decision::Redirect(answer) | Decision::Reject(answer) => {
                (answer.status, answer.reason.code(), answer.headers, answer.log)
            }
            Decision::Respond(_) => panic!("nothing is served here"),
        };
        outcomes.push(outcome(at, flight.view, status, reason, (None, None), log.as_deref()));
        self.jars[flight.view.jar].take(&set_cookies(&headers), at);
        None
    }

    /// What comes of an effect, and when.
    fn perform(&mut self, pending: &PendingEffect, at: i64) -> (Option<Answer>, i64) {
        let fetch = match pending.effect() {
            Effect::Wait { millis } => return (None, at + i64::from(*millis)),
            Effect::Fetch(fetch) if fetch.purpose == "deny-list" => {
                return within(self.shelf.fetch(&fetch.url, at), i64::from(fetch.timeout_ms), at);
            }
            Effect::Read(read) => {
                return within(self.shelf.read(&read.key, at), i64::from(read.timeout_ms), at);
            }
            Effect::Fetch(fetch) => fetch,
            Effect::Check(_) | Effect::Sign(_) => panic!("no signature is the host's here"),
        };
        let line = fetch
            .headers
            .iter()
            .find(|(name, _)| name == "cookie")
            .map_or("", |(_, line)| line.as_str());
        let mut cookies = BTreeMap::new();
        for (name, value) in line.split("; ").filter_map(|pair| pair.split_once('=')) {
            cookies.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        let answer = match fetch.purpose {
            "keys" => Some(self.service.key_set()),
            "token" => self.service.token(&cookies, at),
            _ => self.service.get_session(&fetch.url, &cookies, at),
        };
        within(answer, i64::from(fetch.timeout_ms), at)
    }
}

/// An answer, if it comes in time, and when it or its failure is there.
fn within(answer: Option<Answer>, timeout: i64, at: i64) -> (Option<Answer>, i64) {
    match answer {
        Some(answer) if answer.after_millis <= timeout => {
            let due = at + answer.after_millis;
            (Some(answer), due)
        }
        Some(_) => (None, at + timeout),
        None => (None, at + 5),
    }
}

/// What an effect is answered with.
#[derive(PartialEq, Eq)]
enum Kind {
    Wait,
    Read,
    Fetch,
}

impl From<&Effect> for Kind {
    fn from(work: &Effect) -> Self {
        match work {
            Effect::Wait { .. } => Self::Wait,
            Effect::Read(_) => Self::Read,
            _ => Self::Fetch,
        }
    }
}

fn with_reply<T>(
    answer: Option<&Answer>,
    kind: &Kind,
    take: impl FnOnce(EffectResult<'_>) -> T,
) -> T {
    match answer {
        None if *kind == Kind::Wait => take(EffectResult::Waited),
        None => take(EffectResult::Failed),
        Some(answer) if *kind == Kind::Read && answer.status == 404 => take(EffectResult::Absent),
        Some(answer) if *kind == Kind::Read => take(EffectResult::Found(answer.body.as_bytes())),
        Some(answer) if answer.body.len() > 262_144 => take(EffectResult::TooLarge),
        Some(answer) => {
            let headers: Vec<(&str, &str)> =
                answer.set_cookies.iter().map(|line| ("set-cookie", line.as_str())).collect();
            take(EffectResult::Answered {
                status: answer.status,
                headers: &headers,
                body: answer.body.as_bytes(),
            })
        }
    }
}

fn set_cookies(headers: &[(String, String)]) -> Vec<String> {
    headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, line)| line.clone()).collect()
}

fn outcome(
    at: i64,
    view: View,
    status: u16,
    reason: &'static str,
    (subject, authorization): (Option<String>, Option<String>),
    log: Option<&str>,
) -> Outcome {
    let token = authorization.and_then(|line| line.strip_prefix("Bearer ").map(str::to_owned));
    let line: Value = log.map_or(Value::Null, |line| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    let word = |name: &str| line[name].as_str().map(str::to_owned);
    Outcome {
        at,
        waited: at - view.at,
        jar: view.jar,
        status,
        reason,
        subject,
        token,
        said: word("decision"),
        lookup_failure: word("lookup_failure"),
    }
}
