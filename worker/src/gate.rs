//! The engine of this instance: one for all of its requests.
//!
//! A borrow of it never lives across an `await`: it is lent to a function and comes back.

use std::cell::RefCell;
use std::rc::Rc;

#[cfg(not(feature = "conformance"))]
use doorward::UnixTime;
use doorward::{ConfigError, Engine, config_error_line};
use worker::Env;

use crate::sink::write_config_errors;
use crate::start::{Prepared, Settings, prepare, start};

#[allow(clippy::large_enum_variant)] // there is one, for as long as the instance lives
enum Gate {
    /// Before the first request.
    Prepared(Box<Prepared>),
    Started(Engine, Rc<Settings>),
    /// The configuration is wrong. Variables do not change within the life of an instance, so it
    /// stays so.
    Misconfigured,
}

thread_local! {
    static GATE: RefCell<Option<Gate>> = const { RefCell::new(None) };
}

/// Compiles the configuration before there is a request, so that the first one does not wait for
/// it. One that is wrong is compiled again when the first request comes, which brings the clock for
/// the log; so is one of other variables than that request brings.
pub(crate) fn compile(env: &Env) {
    GATE.with(|gate| {
        if let (Ok(mut gate), Ok(prepared)) = (gate.try_borrow_mut(), prepare(env)) {
            gate.get_or_insert_with(|| Gate::Prepared(Box::new(prepared)));
        }
    });
}

/// Starts the gate if no request has yet: clock and randomness are there only when the first
/// request is. Nothing where the configuration is wrong.
pub(crate) fn settings(env: &Env) -> Option<Rc<Settings>> {
    GATE.with(|gate| {
        let mut gate = gate.try_borrow_mut().ok()?;
        let known = match gate.take() {
            Some(Gate::Prepared(prepared)) if prepared.is_of(env) => started(env, Ok(*prepared)),
            None | Some(Gate::Prepared(_)) => started(env, prepare(env)),
            Some(known) => known,
        };
        match gate.insert(known) {
            Gate::Started(_, settings) => Some(Rc::clone(settings)),
            Gate::Prepared(_) | Gate::Misconfigured => None,
        }
    })
}

fn started(env: &Env, prepared: Result<Prepared, Vec<ConfigError>>) -> Gate {
    match prepared.and_then(|prepared| start(prepared, now())) {
        Ok((engine, settings)) => Gate::Started(engine, Rc::new(settings)),
        Err(errors) => {
            write_config_errors(env, errors.len(), now());
            for error in errors {
                worker::console_error!("{}", config_error_line(&error, now()));
            }
            Gate::Misconfigured
        }
    }
}

/// What this host was told, if it has started.
pub(crate) fn known_settings() -> Option<Rc<Settings>> {
    GATE.with(|gate| match gate.try_borrow().ok()?.as_ref()? {
        Gate::Started(_, settings) => Some(Rc::clone(settings)),
        Gate::Prepared(_) | Gate::Misconfigured => None,
    })
}

/// Lends the engine. Nothing where there is none.
pub(crate) fn with_engine<R>(work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
    GATE.with(|gate| match gate.try_borrow_mut().ok()?.as_mut()? {
        Gate::Started(engine, _) => Some(work(engine)),
        Gate::Prepared(_) | Gate::Misconfigured => None,
    })
}

/// Lets the engine go.
#[cfg(feature = "conformance")]
pub(crate) fn forget() {
    GATE.with(|gate| drop(gate.take()));
}

#[cfg(feature = "conformance")]
pub(crate) use crate::conformance::now;

/// The platform's clock. It stands still between two I/O events, which is all the engine needs.
#[cfg(not(feature = "conformance"))]
#[allow(clippy::as_conversions)] // JavaScript's milliseconds are whole and far below 2^53
pub(crate) fn now() -> UnixTime {
    UnixTime::from_millis(js_sys::Date::now() as i64)
}
