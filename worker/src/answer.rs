//! Answers: the gate's own, and the one that this host must give by itself.

use doorward::{Reason, Refusal, RequestHead, Served, refuse_without_engine};
use doorward_host::LendHead as _;
use wasm_bindgen::JsValue;
use web_sys::Request;

use crate::gate;
use crate::head::Head;
use crate::lines::Lines;
use crate::platform;

/// The gate's refusal, as it is.
pub(crate) fn give(refusal: &Refusal, is_head: bool) -> Result<JsValue, JsValue> {
    response(refusal.status, &refusal.headers, &refusal.body, is_head)
}

/// Something that the gate itself serves.
pub(crate) fn serve(served: &Served, is_head: bool) -> Result<JsValue, JsValue> {
    response(served.status, &served.headers, &served.body, is_head)
}

/// 503: the gate could not start, or the decision cannot be acted on. Without a head, as far
/// as the platform knows the request.
pub(crate) fn not_started(request: &Request) -> Result<JsValue, JsValue> {
    let refused =
        |head: &RequestHead<'_>| refuse_without_engine(Reason::NotStarted, head, gate::now());
    let refusal = match Head::of(request, None) {
        Some(head) => head.lend(refused),
        None => refused(&RequestHead {
            method: &request.method(),
            target: "/",
            headers: &[],
            public_origin: "",
            client_address: None,
        }),
    };
    if let Some(line) = &refusal.log {
        worker::console_log!("{line}");
    }
    give(&refusal, request.method() == "HEAD")
}

fn response(
    status: u16,
    headers: &[(String, String)],
    body: &str,
    is_head: bool,
) -> Result<JsValue, JsValue> {
    let mut lines = Lines::new();
    let count = lines.pairs(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    platform::answer(
        status,
        lines.as_str(),
        count,
        Some(body).filter(|body| !is_head && !body.is_empty()),
    )
}
