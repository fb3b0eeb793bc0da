//! The border to JavaScript hosts: bytes in, bytes out.
//!
//! An engine behind four calls: `decide`, `resume`, `finish`, `receive`. Heads and replies come in
//! and decisions go out in the form that `WIRE.md` describes, because strings and objects cost many
//! times more at this border than the decision itself. The host writes a head where it will be read
//! and reads a decision where it was written: nothing is copied across. The effect of an unfinished
//! request stays here, under a number; the host keeps the head and passes it to each call.

#[cfg(feature = "conformance")]
pub mod conformance;
mod panics;
mod pending;
mod wire;

use std::collections::BTreeMap;

use doorward::{
    Capabilities, Config, ConfigError, ConnectionStatus, Decision, Duration, Engine, Finish,
    MARK_SECRET, Onward, PendingEffect, Reason, Refusal, RequestHead, UnixTime,
    refuse_without_engine, response_removals,
};
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

use crate::pending::Pending;
use crate::wire::Writer;

/// A configuration on its way to an engine: read once, then given what its host knows.
#[wasm_bindgen]
#[allow(missing_debug_implementations)] // lives behind the border, where nobody can print it
pub struct Draft {
    config: Config,
    values: BTreeMap<String, String>,
    checks: Vec<String>,
    signs: Vec<String>,
    stores: Vec<String>,
    shares: bool,
    marks: bool,
    proxies: bool,
    measures: bool,
}

#[wasm_bindgen]
impl Draft {
    /// Reads a configuration.
    ///
    /// # Errors
    /// JSON text with what is wrong with it.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str) -> Result<Self, JsValue> {
        panics::install();
        let config = Config::parse(config).map_err(|errors| refused(&errors))?;
        let (checks, signs, stores) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            config,
            values: BTreeMap::new(),
            checks,
            signs,
            stores,
            shares: false,
            marks: false,
            proxies: false,
            measures: false,
        })
    }

    /// Ports that need no gate, of a program before which the gate is.
    #[wasm_bindgen(js_name = ungatedPorts)]
    pub fn ungated_ports(&self) -> Vec<u16> {
        self.config.ungated_ports()
    }

    /// Names of the environment variables that it needs, as JSON.
    pub fn names(&self) -> String {
        let mut names = self.config.names();
        if self.marks && !names.iter().any(|name| name == MARK_SECRET) {
            names.push(MARK_SECRET.to_owned());
        }
        serde_json::to_string(&names).unwrap_or_default()
    }

    /// The value of a variable.
    pub fn value(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// A part of the signatures that the host checks: a kind, a curve or a hash function.
    pub fn checks(&mut self, part: &str) {
        self.checks.push(part.to_owned());
    }

    /// A part of the signatures that the host makes.
    pub fn signs(&mut self, part: &str) {
        self.signs.push(part.to_owned());
    }

    /// The name of a store that the host has.
    pub fn stores(&mut self, name: &str) {
        self.stores.push(name.to_owned());
    }

    /// The host has a cache that instances share.
    pub fn shares(&mut self) {
        self.shares = true;
    }

    /// The host's application is another process, and is told by a mark. Said before the names are
    /// asked for.
    pub fn marks(&mut self) {
        self.marks = true;
    }

    /// The host sends each request on over a connection of its own, not only those that have an
    /// upstream; so it fetches pages of the application.
    pub fn proxies(&mut self) {
        self.proxies = true;
    }

    /// The host wants to have counted what the engine does.
    pub fn measures(&mut self) {
        self.measures = true;
    }

    /// Compiles it.
    ///
    /// # Errors
    /// JSON text with all that is wrong with it.
    pub fn compile(self) -> Result<Gate, JsValue> {
        let host = Capabilities::checking(|scheme| scheme.is_made_of(&self.checks))
            .and_signing(|scheme| scheme.is_made_of(&self.signs));
        let host = host.and_stores(self.stores.iter().cloned());
        let host = host.and_telling();
        let host = if self.shares { host.and_sharing() } else { host };
        let host = if self.marks { host.and_marking() } else { host };
        let host = if self.proxies { host.and_fetching_pages() } else { host };
        let host = if self.measures { host.and_measuring() } else { host };
        let policy = self.config.compile(&self.values, &host).map_err(|errors| refused(&errors))?;
        let (engine, pending) = (Engine::new(policy, random()?), Pending::starting_at(random()?));
        Ok(Gate {
            engine,
            pending,
            proxies: self.proxies,
            head: Vec::new(),
            decision: Writer::default(),
            has_started: false,
        })
    }
}

/// One configuration's engine, and the effects that its requests are waiting for.
#[wasm_bindgen]
#[allow(missing_debug_implementations)] // lives behind the border, where nobody can print it
pub struct Gate {
    engine: Engine,
    pending: Pending,
    proxies: bool,
    /// Where the host writes heads.
    head: Vec<u8>,
    decision: Writer,
    has_started: bool,
}

/// The memory in which heads are written and decisions are read.
#[wasm_bindgen(js_name = linearMemory)]
pub fn linear_memory() -> JsValue {
    wasm_bindgen::memory()
}

#[wasm_bindgen]
impl Gate {
    /// Lines for the log, one under the other: that the gate has started, and by what (`source`
    /// says where the configuration stands); then what should be otherwise. Told once.
    #[wasm_bindgen(js_name = startLines)]
    pub fn start_lines(&mut self, source: &str, now: f64) -> String {
        if std::mem::replace(&mut self.has_started, true) {
            return String::new();
        }
        self.engine.start_lines(source, moment(now)).join("\n")
    }

    /// What the names of the identity headers begin with.
    pub fn prefix(&self) -> String {
        self.engine.header_prefix().to_owned()
    }

    /// Makes room for a head of so many bytes, and gives its address. What was written before is
    /// gone.
    pub fn room(&mut self, bytes: u32) -> u32 {
        self.head = Vec::new();
        self.head.resize(usize::try_from(bytes).unwrap_or(usize::MAX), 0);
        address(&self.head)
    }

    /// Decides on the request with the head of so many bytes that the host has written, at this
    /// moment (milliseconds since 1970). Gives the decision's address.
    pub fn decide(&mut self, length: u32, now: f64) -> u32 {
        let now = moment(now);
        self.with_written(length, |gate, message| {
            let decided = wire::with_head(message, |head| {
                let decision = gate.engine.decide(head, now);
                (gate.onward(head, &decision), decision)
            });
            gate.hand_out(message, decided, now)
        })
    }

    /// The answer for what only the host finds out, after the decision on the request with the head
    /// of so many bytes: the code of a reason, like `origin_unreachable`. Gives its address.
    pub fn refuse(&mut self, length: u32, code: &str, now: f64) -> u32 {
        let now = moment(now);
        let reason = Reason::ALL
            .iter()
            .copied()
            .find(|reason| reason.code() == code)
            .unwrap_or(Reason::NotStarted);
        self.with_written(length, |gate, message| {
            let answer = wire::with_head(message, |head| gate.engine.refuse(head, reason, now));
            address(gate.decision.answer(&answer.unwrap_or_else(|| refusal(message, reason, now))))
        })
    }

    /// Goes on with a request after the effect with this number. Gives the decision's address.
    pub fn resume(&mut self, head: &[u8], id: u32, result: &[u8], now: f64) -> u32 {
        let now = moment(now);
        let Some(pending) = self.pending.take(id) else {
            return self.turn_away(head, Reason::NotStarted, now);
        };
        let decided = wire::with_head(head, |head| {
            let decision =
                wire::with_result(result, |result| self.engine.resume(head, pending, result, now));
            (self.onward(head, &decision), decision)
        });
        self.hand_out(head, decided, now)
    }

    /// Whether a connection that began with this head may stay open. Gives the address of its
    /// standing.
    pub fn look(&mut self, head: &[u8], now: f64) -> u32 {
        let now = moment(now);
        let status = wire::with_head(head, |head| self.engine.recheck(head, now));
        self.tell(status, now)
    }

    /// Goes on with that after the effect with this number. Gives the address of its standing.
    pub fn rechecked(&mut self, head: &[u8], id: u32, result: &[u8], now: f64) -> u32 {
        let now = moment(now);
        let status = self.pending.take(id).and_then(|pending| {
            wire::with_head(head, |head| {
                wire::with_result(result, |result| {
                    self.engine.rechecked(head, pending, result, now)
                })
            })
        });
        self.tell(status, now)
    }

    /// Who does not know ends no connection.
    fn tell(&mut self, status: Option<ConnectionStatus>, now: UnixTime) -> u32 {
        match status {
            Some(ConnectionStatus::Perform(pending)) => match self.pending.number(now) {
                Some(id) => {
                    let address = address(self.decision.perform(id, pending.effect()));
                    self.pending.keep(id, pending);
                    address
                }
                None => address(self.decision.status(None)),
            },
            Some(ConnectionStatus::Closed(reason)) => address(self.decision.status(Some(reason))),
            Some(ConnectionStatus::Open) | None => address(self.decision.status(None)),
        }
    }

    /// Takes the reply to an effect that was carried after the response.
    pub fn receive(&mut self, id: u32, result: &[u8], now: f64) {
        if let Some(pending) = self.pending.take(id) {
            wire::with_result(result, |result| self.engine.receive(pending, result, moment(now)));
        }
    }

    /// Takes the reply to an effect that was carried alongside the origin, and the lines of
    /// `Set-Cookie` of the origin's response, one under the other. Gives the address of what the
    /// response gets besides.
    pub fn finish(&mut self, id: u32, result: &[u8], origin_set_cookies: &str, now: f64) -> u32 {
        let lines: Vec<&str> = origin_set_cookies.lines().collect();
        let finish = self.pending.take(id).map(|pending| {
            wire::with_result(result, |result| {
                self.engine.finish(pending, result, &lines, moment(now))
            })
        });
        // Whose effect has been given up does not know what has happened since: no cookies.
        address(self.decision.finished(
            &finish.unwrap_or_else(|| Finish { withdraws_cookies: true, ..Finish::default() }),
        ))
    }

    /// The same where the host does not see the response, before the request goes on.
    #[wasm_bindgen(js_name = finishUnseen)]
    pub fn finish_unseen(&mut self, id: u32, result: &[u8], now: f64) -> u32 {
        let finish = self.pending.take(id).map(|pending| {
            wire::with_result(result, |result| {
                self.engine.finish_unseen(pending, result, moment(now))
            })
        });
        address(self.decision.finished(&finish.unwrap_or_default()))
    }

    /// Gives an effect up: its request has come to an end without a response.
    pub fn abandon(&mut self, id: u32) {
        let _ = self.pending.take(id);
    }

    /// What is to be put into the shared cache since this was asked last. Gives the address of the
    /// message.
    #[wasm_bindgen(js_name = cacheWrites)]
    pub fn cache_writes(&mut self) -> u32 {
        address(self.decision.cache_writes(&self.engine.cache_writes()))
    }

    /// What has been counted, in the text format of Prometheus, for the host of this name.
    pub fn prometheus(&self, host: &str, now: f64) -> String {
        self.engine.prometheus(host, moment(now))
    }

    /// Takes how long something took, in microseconds: an effect of this purpose, or a decision
    /// that has waited for that.
    pub fn took(&mut self, is_decision: bool, word: &str, micros: u32) {
        let what = if is_decision { Duration::Decision(word) } else { Duration::Effect(word) };
        self.engine.took(what, micros.into());
    }

    /// The number under which an effect is kept. One that finds no place is not carried: the
    /// request itself is decided.
    fn kept(&mut self, pending: Option<PendingEffect>, now: UnixTime) -> Option<u32> {
        let pending = pending?;
        let id = self.pending.number(now)?;
        self.pending.keep(id, pending);
        Some(id)
    }

    /// Lends out what the host has written: so many bytes of it.
    fn with_written(&mut self, length: u32, work: impl FnOnce(&mut Self, &[u8]) -> u32) -> u32 {
        let head = std::mem::take(&mut self.head);
        let message =
            usize::try_from(length).ok().and_then(|length| head.get(..length)).unwrap_or_default();
        let address = work(self, message);
        self.head = head;
        address
    }

    /// The edits for another connection, where the request goes over one.
    fn onward(&self, head: &RequestHead<'_>, decision: &Decision) -> Option<Onward> {
        match decision {
            Decision::Forward(forward) if self.proxies || forward.upstream.is_some() => {
                Some(self.engine.onward(head, forward))
            }
            _ => None,
        }
    }

    fn hand_out(
        &mut self,
        head: &[u8],
        decided: Option<(Option<Onward>, Decision)>,
        now: UnixTime,
    ) -> u32 {
        let Some((onward, decision)) = decided else {
            return self.turn_away(head, Reason::HeadMalformed, now);
        };
        match decision {
            Decision::Perform(pending) => match self.pending.number(now) {
                Some(id) => {
                    let address = address(self.decision.perform(id, pending.effect()));
                    self.pending.keep(id, pending);
                    address
                }
                None => self.turn_away(head, Reason::NotStarted, now),
            },
            Decision::Forward(mut forward) => {
                let alongside =
                    forward.alongside.take().map(|pending| self.pending.keep_alongside(pending));
                let kept = [self.kept(forward.after.take(), now), alongside];
                if let Some(line) = self.pending.told_given_up(now) {
                    forward.log =
                        Some(forward.log.into_iter().chain([line]).collect::<Vec<_>>().join("\n"));
                }
                let pending = kept.map(|id| id.and_then(|id| Some((id, self.pending.effect(id)?))));
                address(self.decision.forward(&forward, pending, onward.as_ref(), now))
            }
            Decision::Redirect(answer) | Decision::Reject(answer) => {
                address(self.decision.answer(&answer))
            }
            Decision::Respond(served) => address(self.decision.served(&served)),
        }
    }

    /// What goes wrong at the border itself.
    fn turn_away(&mut self, head: &[u8], reason: Reason, now: UnixTime) -> u32 {
        self.engine.note_refusal(reason);
        address(self.decision.answer(&refusal(head, reason, now)))
    }
}

/// Answers a question of the command line about a configuration and a request, as JSON
/// ([`doorward::inspect`]).
#[wasm_bindgen]
pub fn inspect(question: &str) -> String {
    doorward::inspect(question)
}

/// Names of headers of an origin's response that end at a proxy. Names and values in turn, each on
/// a line of its own; so are the names that it gives.
#[wasm_bindgen(js_name = responseRemovals)]
pub fn removed_from_response(headers: &str) -> String {
    let lines: Vec<&str> = headers.split('\n').collect();
    let (pairs, _) = lines.as_chunks::<2>();
    let pairs: Vec<_> = pairs.iter().map(|[name, value]| (*name, *value)).collect();
    response_removals(&pairs).join("\n")
}

/// Where bytes are in the memory of WebAssembly, whose addresses have 32 bits.
fn address(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.as_ptr().addr()).unwrap_or(u32::MAX)
}

/// Errors as they are thrown.
fn refused(errors: &[ConfigError]) -> JsValue {
    JsValue::from_str(&listed(errors))
}

/// Place, problem and hint of each, as JSON.
fn listed(errors: &[ConfigError]) -> String {
    let errors: Vec<_> =
        errors.iter().map(|error| [&error.path, &error.problem, &error.hint]).collect();
    serde_json::to_string(&errors).unwrap_or_default()
}

/// Random bits for jitter and for numbers of effects; nothing rests on them.
fn random() -> Result<u64, JsValue> {
    getrandom::u64().map_err(|_| JsError::new("the platform gives no random numbers").into())
}

/// The host's clock. A number that is none is the beginning of time: no session is valid then that
/// is not valid for ever.
#[allow(clippy::as_conversions)] // saturates, and turns NaN into 0; there is no `From` between the two
const fn moment(millis: f64) -> UnixTime {
    UnixTime::from_millis(millis as i64)
}

/// The answer without an engine, for a head that may be none.
fn refusal(message: &[u8], reason: Reason, now: UnixTime) -> Refusal {
    let nothing = RequestHead {
        method: "",
        target: "",
        headers: &[],
        public_origin: "",
        client_address: None,
    };
    wire::with_head(message, |head| refuse_without_engine(reason, head, now))
        .unwrap_or_else(|| refuse_without_engine(reason, &nothing, now))
}
