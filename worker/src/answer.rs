//! Answers: the gate's own, and those that this host must give by itself.

use doorward::{Reason, Refusal, RequestHead, Served, refuse_without_engine};
use wasm_bindgen::JsValue;
use web_sys::Request;

use crate::gate;
use crate::head::Head;
use crate::lines::Lines;
use crate::platform;

/// The gate's answer, as it is.
pub(crate) fn give(answer: &Refusal, is_head: bool) -> Result<JsValue, JsValue> {
    if let Some(line) = &answer.log {
        worker::console_log!("{line}");
    }
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    response(answer.status, headers, &answer.body, is_head)
}

/// Something that the gate itself serves.
pub(crate) fn serve(served: &Served, is_head: bool) -> Result<JsValue, JsValue> {
    let headers = served.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    response(served.status, headers, &served.body, is_head)
}

/// 503: the gate could not start, or a request lost its place in it. Without a head, as far as the
/// platform knows the request.
pub(crate) fn not_started(request: &Request, head: Option<&Head>) -> Result<JsValue, JsValue> {
    let answer = match head {
        Some(head) => head.lend(|head| refuse_without_engine(Reason::NotStarted, head)),
        None => {
            let (method, public_origin) = (&*request.method(), "");
            let head = RequestHead {
                method,
                target: "/",
                headers: &[],
                public_origin,
                client_address: None,
            };
            refuse_without_engine(Reason::NotStarted, &head)
        }
    };
    give(&answer, request.method() == "HEAD")
}

/// What this host finds out after the decision: what was judged cannot be sent as it was judged, or
/// nobody is there to send it to.
pub(crate) fn refused(request: &Request, head: &Head, reason: Reason) -> Result<JsValue, JsValue> {
    match gate::refuse(head, reason) {
        Some(answer) => give(&answer, head.is_head()),
        None => not_started(request, Some(head)),
    }
}

fn response<'a>(
    status: u16,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    body: &str,
    is_head: bool,
) -> Result<JsValue, JsValue> {
    let mut lines = Lines::new();
    let count = lines.pairs(headers);
    platform::answer(
        status,
        lines.as_str(),
        count,
        Some(body).filter(|body| !is_head && !body.is_empty()),
    )
}
