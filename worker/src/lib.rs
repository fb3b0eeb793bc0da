//! The Cloudflare host: the gate in front of an origin.
//!
//! It knows the platform and no rule. A request's head goes to the engine, the engine's effects are
//! carried, and the final decision is carried out; there is no `if` about authentication in this
//! crate.
//!
//! ```text
//! fetch ─▶ head ─▶ gate: decide ─▶ Perform ─▶ perform (fetch_effect, shared_cache, check, stores, wait) ─▶ gate: resume ─▶ … ─▶ forward | answer
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
mod lines;
mod panics;
mod perform;
mod platform;
mod shared_cache;
mod start;
mod stores;

use std::rc::Rc;

use doorward::{ConnectionStatus, Decision, PendingEffect, Reason};
use js_sys::Promise;
use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::{Context, Env, worker_sys};

use crate::answer::{give, not_started, serve};
use crate::head::Head;
use crate::perform::perform;
use crate::platform::promised;
use crate::start::Settings;

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
    begun(&request, env, context)
        .map_or_else(|| not_started(&request, Head::of(&request, None).as_ref()), Ok)
}

/// Whether the connection of this request may stay open: the promise of the reason why it is over,
/// or of nothing. Who does not know ends no connection.
#[wasm_bindgen]
pub fn recheck(request: Request) -> Promise {
    future_to_promise(async move {
        let reason = status(&request).await.map(|reason| reason.code());
        Ok(reason.map_or(JsValue::UNDEFINED, JsValue::from_str))
    })
}

async fn status(request: &Request) -> Option<Reason> {
    let head = Head::of(request, Some(&*gate::known_settings()?))?;
    let mut status = gate::recheck(&head)?;
    while let ConnectionStatus::Perform(pending) = status {
        let performed = perform(&pending).await;
        status = gate::rechecked(&head, pending, &performed)?;
    }
    if let ConnectionStatus::Closed(reason) = status { Some(reason) } else { None }
}

/// The answer to a request whose origin is away.
///
/// # Errors
/// Where the platform refuses to make a response.
#[wasm_bindgen]
pub fn origin_unreachable(request: Request) -> Result<JsValue, JsValue> {
    match gate::known_settings().and_then(|settings| Head::of(&request, Some(&*settings))) {
        Some(head) => answer::refused(&request, &head, Reason::OriginUnreachable),
        None => not_started(&request, None),
    }
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

/// Nothing where the gate has no place for this request: it did not start.
fn begun(request: &Request, env: &Env, context: worker_sys::Context) -> Option<JsValue> {
    let settings = gate::settings(env)?;
    let head = Head::of(request, Some(&*settings))?;
    panics::plant(&head);
    conformance::looked_at(&head);
    let context = Rc::new(Context::new(context));
    match gate::decide(&head)? {
        Decision::Perform(pending) => {
            let visit = Visit { request: Clone::clone(request), head, settings, context };
            Some(promised(visit.resumed(pending), None))
        }
        decision => ended(decision, request, &head, &settings, &context),
    }
}

/// Carries a final decision out. Nothing if it is not final, or cannot be carried out.
fn ended(
    decision: Decision,
    request: &Request,
    head: &Head,
    settings: &Settings,
    context: &Rc<Context>,
) -> Option<JsValue> {
    conformance::decided(&decision);
    match decision {
        Decision::Perform(_) => None,
        Decision::Forward(forward) => forward::forward(request, head, forward, settings, context),
        Decision::Redirect(answer) | Decision::Reject(answer) => give(&answer, head.is_head()).ok(),
        Decision::Respond(served) => serve(&served, head.is_head()).ok(),
    }
}

/// A request on its way through the gate.
struct Visit {
    request: Request,
    head: Head,
    settings: Rc<Settings>,
    context: Rc<Context>,
}

impl Visit {
    /// Carries effects until it is decided.
    async fn resumed(self, mut pending: PendingEffect) -> Result<JsValue, JsValue> {
        loop {
            let performed = perform(&pending).await;
            let resumed = gate::resume(&self.head, pending, &performed);
            shared_cache::keep(gate::cache_writes(), &self.context);
            let response = match resumed {
                Some(Decision::Perform(next)) => {
                    pending = next;
                    continue;
                }
                Some(decision) => {
                    ended(decision, &self.request, &self.head, &self.settings, &self.context)
                }
                None => None,
            };
            return response.map_or_else(|| not_started(&self.request, Some(&self.head)), Ok);
        }
    }
}
