//! The engine of this instance: one for all of its requests.
//!
//! A borrow of it never lives across an `await`: every function here borrows, calls the engine, and
//! gives the borrow back.

use std::cell::RefCell;
use std::rc::Rc;

#[cfg(not(feature = "conformance"))]
use doorward::UnixTime;
use doorward::{
    CacheWrite, ConnectionStatus, Decision, Engine, Finish, Forward, Onward, PendingEffect, Reason,
    Refusal,
};
use worker::Env;

use crate::conformance;
use crate::head::Head;
use crate::perform::Performed;
use crate::platform::KvNamespace;
use crate::start::{Settings, start};

#[allow(clippy::large_enum_variant)] // there is one, for as long as the instance lives
enum Gate {
    Started(Engine, Rc<Settings>),
    /// The configuration is wrong. Variables do not change within the life of an instance, so it
    /// stays so.
    Misconfigured,
}

thread_local! {
    static GATE: RefCell<Option<Gate>> = const { RefCell::new(None) };
}

/// Starts the gate if nobody has yet: variables and randomness are there only when the first
/// request is. Nothing where the configuration is wrong.
pub(crate) fn settings(env: &Env) -> Option<Rc<Settings>> {
    GATE.with(|gate| {
        let mut gate = gate.try_borrow_mut().ok()?;
        match gate.get_or_insert_with(|| started(env)) {
            Gate::Started(_, settings) => Some(Rc::clone(settings)),
            Gate::Misconfigured => None,
        }
    })
}

fn started(env: &Env) -> Gate {
    match start(env) {
        Ok((engine, settings)) => Gate::Started(engine, Rc::new(settings)),
        Err(errors) => {
            worker::console_error!(
                "doorward: error: the configuration has mistakes, so every request gets 503"
            );
            for error in errors {
                worker::console_error!("doorward: error: {}: {}", error.path, error.problem);
                worker::console_error!("doorward: hint: {}", error.hint);
            }
            Gate::Misconfigured
        }
    }
}

/// The store of this name.
pub(crate) fn store(name: &str) -> Option<KvNamespace> {
    GATE.with(|gate| match gate.try_borrow().ok()?.as_ref()? {
        Gate::Started(_, settings) => {
            settings.stores.iter().find(|(own, _)| own == name).map(|(_, store)| store.clone())
        }
        Gate::Misconfigured => None,
    })
}

/// The KV namespace that instances share, where the deployment has bound one.
pub(crate) fn kv_namespace() -> Option<KvNamespace> {
    GATE.with(|gate| match gate.try_borrow().ok()?.as_ref()? {
        Gate::Started(_, settings) => settings.kv_namespace.clone(),
        Gate::Misconfigured => None,
    })
}

/// Decides on a request. Nothing where there is no engine.
pub(crate) fn decide(head: &Head) -> Option<Decision> {
    with_engine(|engine| head.lend(|head| engine.decide(head, now())))
}

/// Goes on with a request after its effect. Nothing where there is no engine.
pub(crate) fn resume(
    head: &Head,
    pending: PendingEffect,
    performed: &Performed,
) -> Option<Decision> {
    with_engine(|engine| {
        head.lend(|head| performed.lend(|result| engine.resume(head, pending, result, now())))
    })
}

/// Whether a connection may stay open that began with this head. Nothing where there is no engine.
pub(crate) fn recheck(head: &Head) -> Option<ConnectionStatus> {
    with_engine(|engine| head.lend(|head| engine.recheck(head, now())))
}

/// Goes on with that after its effect. Nothing where there is no engine.
pub(crate) fn rechecked(
    head: &Head,
    pending: PendingEffect,
    performed: &Performed,
) -> Option<ConnectionStatus> {
    with_engine(|engine| {
        head.lend(|head| performed.lend(|result| engine.rechecked(head, pending, result, now())))
    })
}

/// What this host was told, if it has started.
pub(crate) fn known_settings() -> Option<Rc<Settings>> {
    GATE.with(|gate| match gate.try_borrow().ok()?.as_ref()? {
        Gate::Started(_, settings) => Some(Rc::clone(settings)),
        Gate::Misconfigured => None,
    })
}

/// All header edits of a forward. Nothing where there is no engine.
pub(crate) fn onward(head: &Head, forward: &Forward) -> Option<Onward> {
    let onward = with_engine(|engine| head.lend(|head| engine.onward(head, forward)))?;
    conformance::sends_on(&onward);
    Some(onward)
}

/// The answer for what this host finds out after the decision. Nothing where there is no engine.
pub(crate) fn refuse(head: &Head, reason: Reason) -> Option<Refusal> {
    with_engine(|engine| head.lend(|head| engine.refuse(head, reason)))
}

/// Takes the answer to an effect that was carried after the response.
pub(crate) fn receive(pending: PendingEffect, performed: &Performed) {
    let _ = with_engine(|engine| performed.lend(|result| engine.receive(pending, result, now())));
}

/// Takes the answer to an effect that was carried alongside the origin, and says what its response
/// gets besides.
pub(crate) fn finish(
    pending: PendingEffect,
    performed: &Performed,
    origin_set_cookies: &[&str],
) -> Finish {
    let finish = with_engine(|engine| {
        performed.lend(|result| engine.finish(pending, result, origin_set_cookies, now()))
    });
    let finish = finish.unwrap_or_default();
    conformance::finished(&finish);
    finish
}

/// What is to be put into the shared cache since this was asked last.
pub(crate) fn cache_writes() -> Vec<CacheWrite> {
    with_engine(Engine::cache_writes).unwrap_or_default()
}

fn with_engine<R>(work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
    GATE.with(|gate| match gate.try_borrow_mut().ok()?.as_mut()? {
        Gate::Started(engine, _) => Some(work(engine)),
        Gate::Misconfigured => None,
    })
}

/// Lets the engine go.
#[cfg(feature = "conformance")]
pub(crate) fn forget() {
    GATE.with(|gate| drop(gate.take()));
}

/// What `session_data` of a request is found to be.
#[cfg(feature = "conformance")]
pub(crate) fn session_data(head: &Head) -> Option<&'static str> {
    with_engine(|engine| head.lend(|head| doorward::conformance::session_data(engine, head, now())))
        .flatten()
}

#[cfg(feature = "conformance")]
pub(crate) use crate::conformance::now;

/// The platform's clock. It stands still between two I/O events, which is all the engine needs.
#[cfg(not(feature = "conformance"))]
#[allow(clippy::as_conversions)] // JavaScript's milliseconds are whole and far below 2^53
pub(crate) fn now() -> UnixTime {
    UnixTime::from_millis(js_sys::Date::now() as i64)
}
