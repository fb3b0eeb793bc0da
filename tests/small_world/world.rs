//! One path through the small world: instances of the gate, a host that does its duty, browsers,
//! and steps of which each is taken when the explorer says so.

use std::collections::BTreeMap;

use doorward::{Decision, Effect, EffectResult, Engine, PendingEffect, RequestHead, UnixTime};

use crate::oracle::{Oracle, Told, Wrong};
use crate::service::{Answer, CACHE_MILLIS, DATA, START, Service, TOKEN};
use crate::setups::{Age, Host, Kind, Plan, Setup};
use crate::support::{self, ORIGIN};

/// No request takes longer to be decided on: its budget, and one fetch that began just before its
/// end.
const LONGEST_MILLIS: i64 = 5000;
const PAUSE_MILLIS: i64 = 11_000;
/// An instance asks twenty times a second, at most.
const FLOOD: usize = 60;

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The request leaves its client, and the gate looks at it.
    Begin(usize),
    /// The auth service takes what it was asked or told, and what is true is from then on.
    Process(usize, Place),
    /// What an effect has brought comes back to the gate.
    Arrive(usize, Place),
    /// The shared cache or the store is looked at: it shows what was put there last, or what was
    /// there before that.
    Look(usize, Place, View),
    /// No answer.
    Fail(usize, Place),
    /// No answer in time.
    TimeOut(usize, Place),
    /// A wait is over.
    Wake(usize),
    /// The origin's response comes back and goes out.
    Respond(usize),
    /// The client goes away while its request is at the origin.
    Abort(usize),
    /// Time passes.
    Pause,
}

/// Which of a request's effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The one without which it is not decided.
    First,
    /// The one alongside the origin.
    Alongside,
    /// The request itself, at the auth service.
    Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Newest,
    Older,
    Nothing,
}

/// What a step touches. Steps that touch different things come to the same in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touch {
    request: Option<usize>,
    engine: Option<usize>,
    reads_truth: bool,
    writes_truth: bool,
    everything: bool,
}

impl Touch {
    pub(crate) fn is_apart_from(&self, other: &Self) -> bool {
        let apart = |one: Option<usize>, other: Option<usize>| {
            one.is_none() || other.is_none() || one != other
        };
        // Whatever an engine does may end in a response, and those go into one jar.
        let both_decide = self.engine.is_some() && other.engine.is_some();
        !self.everything
            && !other.everything
            && apart(self.request, other.request)
            && !both_decide
            && !(self.writes_truth && (other.reads_truth || other.writes_truth))
            && !(other.writes_truth && self.reads_truth)
    }
}

/// A browser's cookies, each with its end.
#[derive(Clone, Default)]
pub(crate) struct Jar(BTreeMap<String, (String, i64)>);

impl Jar {
    fn take(&mut self, lines: &[String], now: i64) {
        for line in lines {
            let (name, rest) = line.split_once('=').unwrap_or((line, ""));
            let value = rest.split(';').next().unwrap_or_default();
            let age = rest
                .split(';')
                .find_map(|part| part.trim().strip_prefix("Max-Age=")?.parse::<i64>().ok());
            match age {
                Some(age) if age <= 0 => drop(self.0.remove(name)),
                age => drop(self.0.insert(
                    name.to_owned(),
                    (value.to_owned(), age.map_or(i64::MAX, |age| now + age * 1000)),
                )),
            }
        }
    }

    fn header(&self, now: i64) -> String {
        let alive = self.0.iter().filter(|(_, (_, ends))| now < *ends);
        let pairs: Vec<String> =
            alive.map(|(name, (value, _))| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

/// One request under way.
pub(crate) struct Flight {
    pub(crate) plan: Plan,
    /// What its client sent, when, and in which step.
    pub(crate) cookies: String,
    pub(crate) began_at: i64,
    pub(crate) begun: u32,
    /// What it has asked for, and how many changes had gone on or come back by then.
    asked: Vec<(String, u32)>,
    /// Whether only the auth service's own answer of now will do for another user's page.
    is_strict: bool,
    state: State,
}

#[allow(clippy::large_enum_variant)] // three live at a time
enum State {
    NotYet,
    Asking(Op),
    Onward(Onward),
    Done,
}

/// An effect under way.
struct Op {
    pending: PendingEffect,
    kind: Ask,
    /// How many changes had gone on or come back when it was given out.
    changes: u32,
    due: i64,
    answer: Option<Answer>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    Service,
    Copy,
    Store,
    /// Until when, and whether anything has happened at its instance since.
    Wait {
        may_matter: bool,
    },
}

/// A request at the origin.
struct Onward {
    /// What the gate adds to the response.
    headers: Vec<(String, String)>,
    alongside: Option<Op>,
    /// What the effect alongside has brought: it waits for the response.
    brought: Option<(PendingEffect, Option<Answer>)>,
    /// Cookies that the origin's response sets; nothing before it has been made.
    response: Option<Vec<String>>,
}

pub(crate) struct World<'s> {
    setup: &'s Setup,
    engines: Vec<Engine>,
    pub(crate) service: Service,
    /// What instances share: newest last.
    cache: BTreeMap<String, Vec<String>>,
    /// What the store had under each key before the last change.
    store_before: BTreeMap<String, Option<String>>,
    browser: Jar,
    others: Jar,
    kept: String,
    clock: i64,
    step: u32,
    faults: u32,
    pauses: u32,
    /// Whether an effect has come to nothing, or had to wait for too long.
    has_failed: bool,
    /// How many changes have gone on or come back.
    changes: u32,
    flights: Vec<Flight>,
    oracle: Oracle,
    story: Option<Vec<String>>,
}

impl<'s> World<'s> {
    pub(crate) fn new(setup: &'s Setup, plans: &[Plan], engines: Vec<Engine>, tells: bool) -> Self {
        let mut service = Service::new(setup);
        let (mut browser, mut others) = (Jar::default(), Jar::default());
        for (jar, user) in [(&mut browser, "ada"), (&mut others, "carol")] {
            let number = service.begin(user, 0, START);
            let mut lines = service.lines(number, 0, START);
            let life = match setup.age {
                Age::Never | Age::Gone => None,
                Age::Fresh => Some(CACHE_MILLIS / 2),
                Age::Due => Some(CACHE_MILLIS / 10),
            };
            lines.truncate(1);
            lines.extend(life.map(|life| service.data_line(number, 0, START, life)));
            jar.take(&lines, START);
        }
        let flight = |plan: &Plan| Flight {
            plan: *plan,
            cookies: String::new(),
            began_at: START,
            begun: 0,
            asked: Vec::new(),
            is_strict: setup.is_flooded,
            state: State::NotYet,
        };
        let kept = browser.header(START);
        let mut world = Self {
            setup,
            engines,
            service,
            cache: BTreeMap::new(),
            store_before: BTreeMap::new(),
            browser,
            others,
            kept,
            clock: START,
            step: 0,
            faults: 0,
            pauses: 0,
            has_failed: false,
            changes: 0,
            flights: Vec::new(),
            oracle: Oracle::new(setup, &[]),
            story: None,
        };
        if setup.is_warm {
            world.warm_up(plans, flight);
        }
        if setup.is_flooded {
            world.flood(flight);
        }
        world.faults = setup.faults;
        world.pauses = setup.pauses;
        world.flights = plans.iter().map(flight).collect();
        world.oracle = Oracle::new(setup, plans);
        world.story = tells.then(Vec::new);
        world
    }

    /// Each instance has served each kind of request once. What it hears then its client does not
    /// take: the cookies are as old as they are to be.
    fn warm_up(&mut self, plans: &[Plan], flight: impl Fn(&Plan) -> Flight) {
        let jars = (self.browser.clone(), self.others.clone());
        let mut seen: Vec<Plan> = Vec::new();
        for plan in plans {
            let kind = match plan.kind {
                Kind::Call | Kind::Another => plan.kind,
                _ => Kind::Page,
            };
            let plan = Plan { kind, ..*plan };
            if !seen.contains(&plan) {
                seen.push(plan);
            }
        }
        for plan in seen {
            self.flights = vec![flight(&plan)];
            while let Some(step) = self.steps().first().copied() {
                self.take(step);
            }
        }
        (self.browser, self.others) = jars;
        // What was looked at ahead of the path may be as old as the path needs it to be.
        self.clock += 1000;
    }

    /// Ada asks for more in one moment than the gate asks in a second.
    fn flood(&mut self, flight: impl Fn(&Plan) -> Flight) {
        let jars = (self.browser.clone(), self.others.clone());
        for number in 0..FLOOD {
            self.flights =
                vec![flight(&Plan { kind: Kind::Strict, instance: number % self.engines.len() })];
            // Who would have to wait goes away.
            while let Some(step) =
                self.steps().first().copied().filter(|step| !matches!(step, Step::Wake(_)))
            {
                self.take(step);
            }
        }
        (self.browser, self.others) = jars;
    }

    pub(crate) fn wrong(&self) -> &[Wrong] {
        &self.oracle.wrong
    }

    /// The instances, for another path.
    pub(crate) fn into_engines(self) -> Vec<Engine> {
        self.engines
    }

    pub(crate) fn story(self) -> Vec<String> {
        self.story.unwrap_or_default()
    }

    pub(crate) fn ends(&self) -> &BTreeMap<&'static str, u64> {
        &self.oracle.ends
    }

    /// Everything that can happen next. Nothing: the path is at its end.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut wakes = Vec::new();
        for (number, flight) in self.flights.iter().enumerate() {
            match &flight.state {
                // Of two that are alike the first goes first.
                State::NotYet
                    if self.flights[..number].iter().any(|other| {
                        other.plan == flight.plan && matches!(other.state, State::NotYet)
                    }) => {}
                State::NotYet => steps.push(Step::Begin(number)),
                State::Asking(Op { kind: Ask::Wait { may_matter }, .. }) => {
                    if *may_matter { &mut steps } else { &mut wakes }.push(Step::Wake(number));
                }
                State::Asking(op) => self.steps_of(number, Place::First, op, &mut steps),
                State::Onward(onward) => {
                    if let Some(op) = &onward.alongside {
                        self.steps_of(number, Place::Alongside, op, &mut steps);
                    }
                    let is_sent = self.setup.host == Host::Sees || onward.alongside.is_none();
                    match onward.response {
                        None if is_sent => steps.push(Step::Process(number, Place::Origin)),
                        None => {}
                        Some(_) if onward.alongside.is_none() => {
                            steps.push(Step::Respond(number));
                            if self.faults > 0 && flight.plan.kind.is_write() {
                                steps.push(Step::Abort(number));
                            }
                        }
                        Some(_) => {}
                    }
                }
                State::Done => {}
            }
        }
        if self.pauses > 0 && !steps.is_empty() {
            steps.push(Step::Pause);
        }
        if steps.is_empty() { wakes } else { steps }
    }

    fn steps_of(&self, number: usize, place: Place, op: &Op, steps: &mut Vec<Step>) {
        if self.clock >= op.due {
            return steps.push(Step::TimeOut(number, place));
        }
        match op.kind {
            Ask::Service if op.answer.is_none() => steps.push(Step::Process(number, place)),
            Ask::Service => return steps.push(Step::Arrive(number, place)),
            Ask::Copy | Ask::Store => {
                steps.push(Step::Look(number, place, View::Newest));
                if self.has_older(op) {
                    steps.push(Step::Look(number, place, View::Older));
                }
                if op.kind == Ask::Copy {
                    steps.push(Step::Look(number, place, View::Nothing));
                }
            }
            Ask::Wait { .. } => {}
        }
        if self.faults > 0 {
            steps.push(Step::Fail(number, place));
            if op.kind == Ask::Service {
                steps.push(Step::TimeOut(number, place));
            }
        }
    }

    fn has_older(&self, op: &Op) -> bool {
        match op.pending.effect() {
            Effect::Fetch(fetch) => fetch
                .copy
                .as_ref()
                .and_then(|key| self.cache.get(key))
                .is_some_and(|put| put.len() > 1),
            Effect::Read(read) => self.store_before.contains_key(&read.key),
            _ => false,
        }
    }

    /// What a step touches, before it is taken.
    pub(crate) fn touch(&self, step: Step) -> Touch {
        let nothing = Touch {
            request: None,
            engine: None,
            reads_truth: false,
            writes_truth: false,
            everything: false,
        };
        let decides = |number: usize| Touch {
            request: Some(number),
            engine: Some(self.flights[number].plan.instance),
            ..nothing
        };
        match step {
            Step::Begin(number) if self.flights[number].plan.kind == Kind::Elsewhere => {
                Touch { request: Some(number), writes_truth: true, ..nothing }
            }
            Step::Process(number, Place::Origin) => {
                Touch { request: Some(number), writes_truth: true, ..nothing }
            }
            Step::Process(number, _) => {
                Touch { request: Some(number), reads_truth: true, ..nothing }
            }
            Step::Look(number, ..) => Touch { reads_truth: true, ..decides(number) },
            Step::Begin(number) | Step::Arrive(number, _) | Step::Respond(number) => {
                decides(number)
            }
            Step::Fail(..) | Step::TimeOut(..) | Step::Wake(_) | Step::Abort(_) | Step::Pause => {
                Touch { everything: true, ..nothing }
            }
        }
    }

    pub(crate) fn take(&mut self, step: Step) {
        self.step += 1;
        self.clock += self.setup.tick;
        self.tell(|world| world.sentence(step));
        match step {
            Step::Begin(number) => self.begin(number),
            Step::Process(number, place) => self.process(number, place),
            Step::Arrive(number, place) => self.arrive(number, place, Outcome::Answer),
            Step::Look(number, place, view) => self.look(number, place, view),
            Step::Fail(number, place) => {
                self.faults -= 1;
                self.arrive(number, place, Outcome::Failure);
            }
            Step::TimeOut(number, place) => {
                let due = self.op(number, place).map_or(self.clock, |op| op.due);
                if self.clock < due {
                    self.faults -= 1;
                    self.clock = due;
                }
                self.arrive(number, place, Outcome::Failure);
            }
            Step::Wake(number) => {
                let due = self.op(number, Place::First).map_or(self.clock, |op| op.due);
                self.clock = self.clock.max(due);
                self.arrive(number, Place::First, Outcome::Waited);
            }
            Step::Respond(number) => self.respond(number),
            Step::Abort(number) => {
                self.faults -= 1;
                self.flights[number].state = State::Done;
                self.oracle.ended("aborted");
            }
            Step::Pause => {
                self.pauses -= 1;
                self.clock += PAUSE_MILLIS;
                self.has_failed |=
                    self.flights.iter().any(|flight| matches!(flight.state, State::Asking(_)));
            }
        }
    }

    /// Whether everything has come to its end; else that is wrong.
    pub(crate) fn close(&mut self) {
        for number in 0..self.flights.len() {
            if !matches!(self.flights[number].state, State::Done) {
                self.oracle.blame("a request does not end", number, "nothing is left to happen");
            }
        }
    }

    fn begin(&mut self, number: usize) {
        let kind = self.flights[number].plan.kind;
        if kind == Kind::Elsewhere {
            self.remember_store(0);
            self.service.end(0, self.step, self.clock);
            self.flights[number].state = State::Done;
            return;
        }
        let flight = &mut self.flights[number];
        flight.cookies = match kind {
            Kind::Kept => self.kept.clone(),
            Kind::Another => self.others.header(self.clock),
            _ => self.browser.header(self.clock),
        };
        (flight.begun, flight.began_at) = (self.step, self.clock);
        self.oracle.begun(number, flight, &self.service);
        let now = UnixTime::from_millis(self.clock);
        let decision = with_head(&self.flights[number], |head, instance| {
            self.engines[instance].decide(head, now)
        });
        self.decided(number, decision);
    }

    fn process(&mut self, number: usize, place: Place) {
        let (step, clock) = (self.step, self.clock);
        if place == Place::Origin {
            let (kind, cookies) =
                (self.flights[number].plan.kind, self.flights[number].cookies.clone());
            let lines = self.change(number, kind, &cookies);
            if let State::Onward(onward) = &mut self.flights[number].state {
                onward.response = Some(lines);
            }
            return;
        }
        let Some(op) = self.op(number, place) else { return };
        let Effect::Fetch(fetch) = op.pending.effect() else { return };
        let cookies = fetch
            .headers
            .iter()
            .find(|(name, _)| name == "cookie")
            .map_or(String::new(), |(_, line)| line.clone());
        let answer = match fetch.purpose {
            "token" => self.service.token(&cookies, clock),
            _ => self.service.get_session(&cookies, step, clock),
        };
        if let Some(op) = self.op_mut(number, place) {
            op.answer = Some(answer);
        }
    }

    /// What a request changes at the auth service, and the cookies that its response sets.
    fn change(&mut self, number: usize, kind: Kind, cookies: &str) -> Vec<String> {
        let (step, clock) = (self.step, self.clock);
        let session = self
            .service
            .session_of(cookies)
            .filter(|it| self.service.sessions[*it].ended.is_none());
        let (lines, becomes) = match (kind, session) {
            (Kind::Switch | Kind::Action, Some(session)) => {
                self.remember_store(session);
                self.service.switch(session, step, clock);
                (self.service.lines(session, step, clock), Some(session))
            }
            (Kind::SignOut, session) => {
                if let Some(session) = session {
                    self.remember_store(session);
                    self.service.end(session, step, clock);
                }
                (crate::service::deletions(), None)
            }
            (Kind::SignIn, _) => {
                let session = self.service.begin("bob", step, clock);
                (self.service.lines(session, step, clock), Some(session))
            }
            // No organisation was to be switched; or nothing was to be changed at all.
            _ => return Vec::new(),
        };
        self.oracle.changed(number, session, becomes, &self.service, (step, clock));
        lines
    }

    fn remember_store(&mut self, session: usize) {
        let key = self.service.token_of(session);
        let value = self.service.stored(&key, START);
        self.store_before.insert(key, value);
    }

    fn look(&mut self, number: usize, place: Place, view: View) {
        let Some(op) = self.op(number, place) else { return };
        let body = match op.pending.effect() {
            Effect::Fetch(fetch) => {
                let put = fetch
                    .copy
                    .as_ref()
                    .and_then(|key| self.cache.get(key))
                    .map_or(&[][..], |put| put.as_slice());
                let at = match view {
                    View::Newest => put.last(),
                    View::Older => put.len().checked_sub(2).and_then(|place| put.get(place)),
                    View::Nothing => None,
                };
                at.cloned()
            }
            Effect::Read(read) if view == View::Older => {
                self.store_before.get(&read.key).cloned().flatten()
            }
            Effect::Read(read) => self.service.stored(&read.key, START),
            _ => None,
        };
        let is_copy = op.kind == Ask::Copy;
        match body {
            Some(body) if is_copy => self.arrive(number, place, Outcome::Copied(body)),
            // Nothing is there: who knows is asked.
            None if is_copy => {
                if let Some(op) = self.op_mut(number, place) {
                    op.kind = Ask::Service;
                }
                self.note_ask(number, place);
            }
            Some(body) => self.arrive(number, place, Outcome::Found(body)),
            None => self.arrive(number, place, Outcome::Absent),
        }
    }

    /// What was brought comes back to the gate.
    fn arrive(&mut self, number: usize, place: Place, outcome: Outcome) {
        self.has_failed |= matches!(outcome, Outcome::Failure);
        let flight = &mut self.flights[number];
        if place == Place::Alongside {
            let State::Onward(onward) = &mut flight.state else { return };
            let Some(op) = onward.alongside.take() else { return };
            onward.brought =
                Some((op.pending, op.answer.filter(|_| matches!(outcome, Outcome::Answer))));
            if self.setup.host == Host::SeesNothing {
                self.finish(number, &[]);
            }
            return;
        }
        let State::Asking(op) = std::mem::replace(&mut flight.state, State::Done) else { return };
        let now = UnixTime::from_millis(self.clock);
        let decision = with_head(&self.flights[number], |head, instance| {
            let engine = &mut self.engines[instance];
            with_reply(&outcome, op.answer.as_ref(), |result| {
                engine.resume(head, op.pending, result, now)
            })
        });
        self.decided(number, decision);
    }

    fn decided(&mut self, number: usize, decision: Decision) {
        let instance = self.flights[number].plan.instance;
        self.learned(number, instance);
        match decision {
            Decision::Perform(pending) => self.ask(number, pending),
            Decision::Forward(forward) => {
                let told = Told::of(&forward.set);
                self.tell(|_| format!("   … the gate forwards it: {told}"));
                self.oracle.told(number, &self.flights[number], &told, &self.service);
                self.oracle.ended("forwarded");
                let _ = forward.after;
                self.changes += u32::from(self.flights[number].plan.kind.is_write());
                // A page is answered when the explorer says so; what is true changes at the auth
                // service.
                let response = (!self.flights[number].plan.kind.is_write()).then(Vec::new);
                let onward = Onward {
                    headers: forward.response_headers,
                    alongside: None,
                    brought: None,
                    response,
                };
                self.flights[number].state = State::Onward(onward);
                if let Some(pending) = forward.alongside {
                    self.carry_alongside(number, pending);
                }
            }
            Decision::Redirect(answer) | Decision::Reject(answer) => {
                let (code, log) = (answer.reason.code(), answer.log.unwrap_or_default());
                self.tell(|_| format!("   … the gate refuses it: {code}"));
                self.oracle.ended(code);
                self.oracle.refused(number, (code, &log), &self.service, self.has_failed);
                self.flights[number].state = State::Done;
                self.leave(number, &[], &answer.headers);
            }
            Decision::Respond(_) => panic!("nothing is served here"),
        }
        let waited = self.clock - self.flights[number].began_at;
        let paused =
            i64::from(self.setup.pauses - self.pauses.min(self.setup.pauses)) * PAUSE_MILLIS;
        if waited > LONGEST_MILLIS + paused {
            self.oracle.blame("a request does not end", number, "it outlives its budget");
        }
    }

    /// An instance has learned something: what it shares is put into the cache, and who waits there
    /// looks again.
    fn learned(&mut self, number: usize, instance: usize) {
        for keep in self.engines[instance].cache_writes() {
            self.cache.entry(keep.key).or_default().push(keep.text);
        }
        for (other, flight) in self.flights.iter_mut().enumerate() {
            if let State::Asking(Op { kind: Ask::Wait { may_matter }, .. }) = &mut flight.state
                && other != number
                && flight.plan.instance == instance
            {
                *may_matter = true;
            }
        }
    }

    fn ask(&mut self, number: usize, pending: PendingEffect) {
        let clock = self.clock;
        let (kind, timeout) = match pending.effect() {
            Effect::Wait { millis } => (Ask::Wait { may_matter: false }, *millis),
            Effect::Read(read) => (Ask::Store, read.timeout_ms),
            // Keys are the same all the time.
            Effect::Fetch(fetch) if fetch.purpose == "keys" => {
                let now = UnixTime::from_millis(clock);
                let keys = Service::key_set();
                let decision = with_head(&self.flights[number], |head, instance| {
                    let engine = &mut self.engines[instance];
                    with_reply(&Outcome::Answer, Some(&keys), |result| {
                        engine.resume(head, pending, result, now)
                    })
                });
                return self.decided(number, decision);
            }
            Effect::Fetch(fetch) => {
                (if fetch.copy.is_some() { Ask::Copy } else { Ask::Service }, fetch.timeout_ms)
            }
            Effect::Check(_) | Effect::Sign(_) => panic!("no signature is the host's here"),
        };
        self.flights[number].state = State::Asking(Op {
            pending,
            kind,
            changes: self.changes,
            due: clock + i64::from(timeout),
            answer: None,
        });
        if kind == Ask::Service {
            self.note_ask(number, Place::First);
        }
    }

    fn carry_alongside(&mut self, number: usize, pending: PendingEffect) {
        let (due, is_wait) = match pending.effect() {
            Effect::Fetch(fetch) => (self.clock + i64::from(fetch.timeout_ms), false),
            _ => (self.clock, true),
        };
        let State::Onward(onward) = &mut self.flights[number].state else { return };
        if is_wait {
            onward.brought = Some((pending, None));
            if self.setup.host == Host::SeesNothing {
                self.finish(number, &[]);
            }
        } else {
            onward.alongside =
                Some(Op { pending, kind: Ask::Service, changes: self.changes, due, answer: None });
            self.note_ask(number, Place::Alongside);
        }
    }

    /// A request asks once about each thing.
    fn note_ask(&mut self, number: usize, place: Place) {
        let Some(Effect::Fetch(fetch)) = self.op(number, place).map(|op| op.pending.effect())
        else {
            return;
        };
        let credential =
            fetch.headers.iter().find(|(name, _)| name == "cookie" || name == "authorization");
        let what = format!("{} {credential:?}", fetch.purpose);
        let purpose = fetch.purpose;
        self.tell(|_| format!("   … the auth service is asked: {purpose}"));
        self.oracle.asked += 1;
        let changes = self.op(number, place).map_or(0, |op| op.changes);
        let flight = &mut self.flights[number];
        let before: Vec<u32> = flight
            .asked
            .iter()
            .filter(|(asked, _)| *asked == what)
            .map(|(_, then)| *then)
            .collect();
        flight.asked.push((what, changes));
        // Once more where a change has overtaken the answer.
        if before.len() > 1 || before.contains(&changes) {
            self.oracle.blame("a request asks once about each thing", number, purpose);
        }
    }

    fn respond(&mut self, number: usize) {
        self.changes += u32::from(self.flights[number].plan.kind.is_write());
        let State::Onward(onward) = &self.flights[number].state else { return };
        let own = onward.response.clone().unwrap_or_default();
        if self.setup.host == Host::Sees {
            self.finish(number, &own);
        }
        let State::Onward(onward) = std::mem::replace(&mut self.flights[number].state, State::Done)
        else {
            return;
        };
        self.leave(number, &own, &onward.headers);
    }

    /// Tells the gate what the origin's response sets, as far as the host sees it, with what the
    /// effect alongside has brought.
    fn finish(&mut self, number: usize, own: &[String]) {
        let State::Onward(onward) = &mut self.flights[number].state else { return };
        let Some((pending, answer)) = onward.brought.take() else { return };
        let now = UnixTime::from_millis(self.clock);
        let instance = self.flights[number].plan.instance;
        let lines: Vec<&str> = own.iter().map(String::as_str).collect();
        let engine = &mut self.engines[instance];
        let outcome = match (pending.effect(), &answer) {
            (Effect::Wait { .. }, _) => Outcome::Waited,
            (_, Some(_)) => Outcome::Answer,
            (_, None) => Outcome::Failure,
        };
        let host = self.setup.host;
        let finish = with_reply(&outcome, answer.as_ref(), |result| match host {
            Host::Sees => engine.finish(pending, result, &lines, now),
            Host::SeesNothing => engine.finish_unseen(pending, result, now),
        });
        if let State::Onward(onward) = &mut self.flights[number].state {
            onward.headers.retain(|(name, _)| !finish.withdraws_cookies || name != "set-cookie");
            onward.headers.extend(finish.headers);
        }
        self.learned(number, instance);
    }

    /// A response goes out to its client.
    fn leave(&mut self, number: usize, own: &[String], headers: &[(String, String)]) {
        let added: Vec<String> = headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .map(|(_, line)| line.clone())
            .collect();
        self.tell(|_| format!("   … its response sets {}", names(own, &added)));
        let flight = &self.flights[number];
        self.oracle.left(number, flight, &added, &self.service, self.step);
        let lines: Vec<String> = own.iter().chain(&added).cloned().collect();
        match flight.plan.kind {
            Kind::Another => self.others.take(&lines, self.clock),
            Kind::Kept | Kind::Elsewhere => {}
            _ => self.browser.take(&lines, self.clock),
        }
    }

    fn op(&self, number: usize, place: Place) -> Option<&Op> {
        match (&self.flights[number].state, place) {
            (State::Asking(op), Place::First) => Some(op),
            (State::Onward(onward), Place::Alongside) => onward.alongside.as_ref(),
            _ => None,
        }
    }

    fn op_mut(&mut self, number: usize, place: Place) -> Option<&mut Op> {
        match (&mut self.flights[number].state, place) {
            (State::Asking(op), Place::First) => Some(op),
            (State::Onward(onward), Place::Alongside) => onward.alongside.as_mut(),
            _ => None,
        }
    }

    fn tell(&mut self, sentence: impl FnOnce(&Self) -> String) {
        if self.story.is_some() {
            let sentence = sentence(self);
            self.story.iter_mut().for_each(|story| story.push(sentence.clone()));
        }
    }

    fn sentence(&self, step: Step) -> String {
        let who = |number: usize| {
            let Plan { kind, instance } = self.flights[number].plan;
            let at = if self.setup.instances > 1 {
                format!(" at instance {instance}")
            } else {
                String::new()
            };
            format!("{}: {kind:?}{at}", number + 1)
        };
        let what = |number, place| match self.op(number, place).map(|op| op.pending.effect()) {
            Some(Effect::Fetch(fetch)) => format!("the question for a {}", fetch.purpose),
            Some(Effect::Read(_)) => "the read of the store".to_owned(),
            _ => "the request itself".to_owned(),
        };
        let sentence = match step {
            Step::Begin(number) => format!("[{}] begins", who(number)),
            Step::Process(number, Place::Origin) => {
                format!("[{}] is acted on by the auth service", who(number))
            }
            Step::Process(number, place) => {
                format!("[{}] the auth service takes {}", who(number), what(number, place))
            }
            Step::Arrive(number, place) => {
                format!("[{}] the answer to {} arrives", who(number), what(number, place))
            }
            Step::Look(number, place, view) => {
                format!("[{}] {} shows {view:?}", who(number), what(number, place))
            }
            Step::Fail(number, place) => format!("[{}] {} fails", who(number), what(number, place)),
            Step::TimeOut(number, place) => {
                format!("[{}] {} takes too long", who(number), what(number, place))
            }
            Step::Wake(number) => format!("[{}] has waited for another's answer", who(number)),
            Step::Respond(number) => {
                format!("[{}] the origin's response arrives and goes out", who(number))
            }
            Step::Abort(number) => format!("[{}] the client is gone", who(number)),
            Step::Pause => "eleven seconds pass".to_owned(),
        };
        format!("{:>6} ms  {sentence}", self.clock - START)
    }
}

/// What comes back.
enum Outcome {
    Answer,
    Failure,
    Waited,
    Copied(String),
    Found(String),
    Absent,
}

fn with_reply<T>(
    outcome: &Outcome,
    answer: Option<&Answer>,
    take: impl FnOnce(EffectResult<'_>) -> T,
) -> T {
    match (outcome, answer) {
        (Outcome::Answer, Some(answer)) => {
            let headers: Vec<(&str, &str)> =
                answer.set_cookies.iter().map(|line| ("set-cookie", line.as_str())).collect();
            take(EffectResult::Answered {
                status: answer.status,
                headers: &headers,
                body: answer.body.as_bytes(),
            })
        }
        (Outcome::Waited, _) => take(EffectResult::Waited),
        (Outcome::Copied(body), _) => take(EffectResult::Copied(body.as_bytes())),
        (Outcome::Found(body), _) => take(EffectResult::Found(body.as_bytes())),
        (Outcome::Absent, _) => take(EffectResult::Absent),
        (Outcome::Answer | Outcome::Failure, _) => take(EffectResult::Failed),
    }
}

fn with_head<T>(flight: &Flight, act: impl FnOnce(&RequestHead<'_>, usize) -> T) -> T {
    let (method, target) = match flight.plan.kind {
        Kind::Another if flight.is_strict => ("GET", "/strict"),
        Kind::Page | Kind::Kept | Kind::Another | Kind::Elsewhere => ("GET", "/app"),
        Kind::Call => ("GET", "/api/notes"),
        Kind::Strict => ("GET", "/strict"),
        Kind::Switch => ("POST", "/api/auth/organization/set-active"),
        Kind::Action => ("POST", "/app/organisation"),
        Kind::SignOut => ("POST", "/api/auth/sign-out"),
        Kind::SignIn => ("POST", "/api/auth/sign-in/email"),
    };
    let mut headers = vec![("sec-fetch-site", "same-origin"), ("origin", ORIGIN)];
    if !flight.cookies.is_empty() {
        headers.push(("cookie", flight.cookies.as_str()));
    }
    act(
        &RequestHead {
            method,
            target,
            headers: &headers,
            public_origin: ORIGIN,
            client_address: None,
        },
        flight.plan.instance,
    )
}

/// The names of the cookies that a response sets and deletes.
fn names(own: &[String], added: &[String]) -> String {
    let name = |line: &String| {
        let (name, rest) = line.split_once('=').unwrap_or((line, ""));
        let is_deleted = rest.contains("Max-Age=0");
        format!("{}{}", if is_deleted { "-" } else { "" }, name.trim_start_matches("better-auth."))
    };
    let list = |lines: &[String]| lines.iter().map(name).collect::<Vec<_>>().join(" ");
    match (own.is_empty(), added.is_empty()) {
        (true, true) => "no cookies".to_owned(),
        (false, true) => format!("{} by itself", list(own)),
        (true, false) => format!("{} by the gate", list(added)),
        (false, false) => format!("{} by itself, {} by the gate", list(own), list(added)),
    }
}

/// Instances of the gate, as they start.
pub(crate) fn engines(setup: &Setup) -> Vec<Engine> {
    let (issuer, document) = setup.document();
    let stores: &[&str] = if setup.has_storage { &["SESSIONS"] } else { &[] };
    (0..setup.instances)
        .map(|_| support::engine_of(issuer.clone(), document.clone(), stores))
        .collect()
}

/// Whether these are names of a session's cookies.
pub(crate) fn is_session_cookie(line: &str) -> bool {
    line.starts_with(TOKEN) || line.starts_with(DATA)
}
