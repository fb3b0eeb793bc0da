//! The Cloudflare host: the gate in front of an origin.
//!
//! It knows the platform and no rule. A request's head goes to the engine, the engine's errands are carried, and the final
//! decision is carried out; there is no `if` about authentication in this crate.
//!
//! ```text
//! fetch ─▶ head ─▶ gate: decide ─▶ Ask ─▶ carry (fetch_errand, check, wait) ─▶ gate: resume ─▶ … ─▶ forward | answer
//! ```
//!
//! Whatever goes wrong here ends in a refusal. What goes wrong so badly that nothing here can run any more is answered by
//! the JavaScript around it (`worker/shim`).

mod answer;
mod carry;
mod check;
mod fetch_errand;
mod forward;
mod gate;
mod head;
mod keys_cache;
mod lines;
mod panics;
mod platform;
mod start;

use std::rc::Rc;

use doorward::{Decision, Errand};
use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::{Context, Env, worker_sys};

use crate::answer::{give, not_started, serve};
use crate::carry::carry;
use crate::head::Head;
use crate::start::Settings;

/// What becomes of a request: a response, or the promise of one. A request that needs no errand needs no future either.
///
/// # Errors
/// Where the platform refuses to make the response that says that there is no gate.
#[wasm_bindgen]
pub fn fetch(request: Request, env: &Env, context: worker_sys::Context) -> Result<JsValue, JsValue> {
    panics::report();
    let is_head = request.method() == "HEAD";
    begun(request, env, context).map_or_else(|| not_started(is_head), Ok)
}

/// The answer to a request whose origin is away.
///
/// # Errors
/// Where the platform refuses to make a response.
#[wasm_bindgen]
pub fn origin_unreachable(is_head: bool) -> Result<JsValue, JsValue> {
    worker::console_error!("doorward: the origin could not be reached");
    answer::origin_unreachable(is_head)
}

/// Nothing where the gate has no place for this request: it did not start.
fn begun(request: Request, env: &Env, context: worker_sys::Context) -> Option<JsValue> {
    let settings = gate::settings(env)?;
    let head = Head::of(&request, &settings)?;
    panics::plant(&head);
    let visit = Visit { request, head, settings, context: Rc::new(Context::new(context)) };
    match gate::decide(&visit.head)? {
        Decision::Ask(errand) => Some(future_to_promise(visit.resumed(errand)).into()),
        decision => visit.ended(decision),
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
    /// Carries errands until it is decided.
    async fn resumed(self, mut errand: Errand) -> Result<JsValue, JsValue> {
        loop {
            let carried = carry(&errand, &self.context).await;
            let response = match gate::resume(&self.head, errand, &carried) {
                Some(Decision::Ask(next)) => {
                    errand = next;
                    continue;
                }
                Some(decision) => self.ended(decision),
                None => None,
            };
            return response.map_or_else(|| not_started(self.head.is_head()), Ok);
        }
    }

    /// Carries a final decision out. Nothing if it is not final, or cannot be carried out.
    fn ended(&self, decision: Decision) -> Option<JsValue> {
        match decision {
            Decision::Ask(_) => None,
            Decision::Forward(forward) => forward::forward(&self.request, &self.head, forward, &self.settings, &self.context),
            Decision::Redirect(answer) | Decision::Reject(answer) => give(&answer, self.head.is_head()).ok(),
            Decision::Respond(served) => serve(&served, self.head.is_head()).ok(),
        }
    }
}
