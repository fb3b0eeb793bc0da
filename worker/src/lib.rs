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
mod panics;
mod platform;
mod start;

use std::rc::Rc;

use doorward::Decision;
use web_sys::{Request, Response};
use worker::{Context, Env, Result, event};

use crate::answer::{give, not_started};
use crate::carry::carry;
use crate::head::Head;

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    panics::report();
    let context = Rc::new(context);
    match judged(&request, &env, &context).await {
        Some(response) => Ok(response),
        None => Ok(not_started(request.method() == "HEAD")?),
    }
}

/// The response, or nothing where the gate has no place for this request: it did not start, or lost it on the way.
async fn judged(request: &Request, env: &Env, context: &Rc<Context>) -> Option<Response> {
    let settings = gate::settings(env)?;
    let head = Head::of(request, &settings)?;
    panics::plant(&head);
    let mut decision = gate::decide(&head)?;
    loop {
        decision = match decision {
            Decision::Ask(errand) => {
                let carried = carry(&errand, context).await;
                gate::resume(&head, errand, &carried)?
            }
            Decision::Forward(forward) => return forward::forward(request, &head, forward, &settings, context).await,
            Decision::Redirect(answer) | Decision::Reject(answer) => return give(&answer, head.is_head()).ok(),
        };
    }
}
