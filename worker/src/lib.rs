//! The Cloudflare host: the gate in front of an origin.
//!
//! It knows the platform and no rule. The host kit (`doorward_host`) asks the engine and has this
//! host perform effects until a request is decided; the final decision is acted on here. There
//! is no `if` about authentication in this crate.
//!
//! ```text
//! fetch ─▶ head ─▶ kit: decide ◀─▶ host (fetch_effect, shared_cache, check, stores) ─▶ forward |
//! answer
//! ```
//!
//! Whatever goes wrong here ends in a refusal. What goes wrong so badly that nothing here can run
//! any more is answered by the JavaScript around it (`worker/shim`).

mod answer;
mod check;
mod conformance;
mod fetch_effect;
mod forward;
mod gate;
mod head;
mod host;
mod lines;
mod metrics;
mod panics;
mod platform;
mod shared_cache;
mod sink;
mod start;
mod stores;
mod stream;

use std::rc::Rc;

use doorward::{PendingEffect, Reason};
use doorward_host::{Begun, FinalDecision, begin, refuse, resume};
use js_sys::Promise;
use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::{Context, Env, worker_sys};

use crate::answer::{give, not_started, serve};
use crate::head::Head;
use crate::host::WorkerHost;
use crate::platform::promised;

/// Compiles the configuration of these variables, before the first request. It changes nothing
/// where there is a gate already.
#[wasm_bindgen]
pub fn prepare(env: &Env) {
    panics::report();
    gate::compile(env);
}

/// What becomes of a request: a response, or the promise of one. A request that needs no effect
/// needs no future either.
///
/// # Errors
/// Where the platform refuses to make the response that says that there is no gate.
#[wasm_bindgen]
pub fn fetch(
    request: Request,
    env: &Env,
    context: worker_sys::Context,
) -> Result<JsValue, JsValue> {
    panics::report();
    begun(&request, env, context).map_or_else(|| not_started(&request), Ok)
}

/// Whether the connection of this request may stay open: the promise of the reason why it is over,
/// or of nothing. Who does not know ends no connection.
#[wasm_bindgen]
pub fn recheck(request: Request) -> Promise {
    future_to_promise(async move {
        let Some((host, head)) = again(&request) else { return Ok(JsValue::UNDEFINED) };
        let reason = doorward_host::recheck(&host, &head).await;
        Ok(reason.map_or(JsValue::UNDEFINED, |reason| JsValue::from_str(reason.code())))
    })
}

/// The answer to a request whose origin is away.
///
/// # Errors
/// Where the platform refuses to make a response.
#[wasm_bindgen]
pub fn origin_unreachable(request: Request) -> Result<JsValue, JsValue> {
    match again(&request) {
        Some((host, head)) => {
            give(&refuse(&host, &head, Reason::OriginUnreachable), head.is_head())
        }
        None => not_started(&request),
    }
}

/// Lets the gate go: the next request starts another, with the variables that it brings.
#[cfg(feature = "conformance")]
#[wasm_bindgen]
pub fn restart() {
    gate::forget();
}

/// Names of the headers of an origin's response that end here, one a line; `lines` are its names
/// and values.
#[wasm_bindgen]
pub fn response_removals(lines: &str) -> String {
    let mut lines = lines.split('\n');
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        headers.push((name, value));
    }
    doorward::response_removals(&headers).join("\n")
}

/// A request that was decided before.
fn again(request: &Request) -> Option<(WorkerHost, Head)> {
    let settings = gate::known_settings()?;
    let head = Head::of(request, settings.public_origin.as_deref())?;
    Some((WorkerHost { settings, context: None }, head))
}

/// Nothing where the gate did not start, or this is no request for it.
fn begun(request: &Request, env: &Env, context: worker_sys::Context) -> Option<JsValue> {
    let settings = gate::settings(env)?;
    let head = Head::of(request, settings.public_origin.as_deref())?;
    panics::plant(&head);
    let host = WorkerHost { settings, context: Some(Rc::new(Context::new(context))) };
    conformance::looks_at(&host, &head);
    match begin(&host, &head) {
        Begun::Decided(decision) => ended(&host, request, &head, decision),
        Begun::Pending(pending) => {
            Some(promised(resumed(host, Clone::clone(request), head, pending), None))
        }
    }
}

async fn resumed(
    host: WorkerHost,
    request: Request,
    head: Head,
    pending: PendingEffect,
) -> Result<JsValue, JsValue> {
    let decision = resume(&host, &head, pending).await;
    ended(&host, &request, &head, decision).map_or_else(|| not_started(&request), Ok)
}

/// Acts on a decision. Nothing if that is not possible.
fn ended(
    host: &WorkerHost,
    request: &Request,
    head: &Head,
    decision: FinalDecision,
) -> Option<JsValue> {
    conformance::decided(&decision);
    metrics::schedule(host);
    match decision {
        FinalDecision::Forward(forward) => forward::forward(host, request, head, forward),
        FinalDecision::Redirect(refusal) | FinalDecision::Reject(refusal) => {
            give(&refusal, head.is_head()).ok()
        }
        FinalDecision::Respond(served) => serve(&served, head.is_head()).ok(),
    }
}
