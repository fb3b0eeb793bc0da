//! Answers: the gate's own, and those that this host must give by itself.

use doorward::{Answer, Reason, Served};
use wasm_bindgen::JsValue;

use crate::lines::Lines;
use crate::platform;

/// The gate's answer, as it is.
pub(crate) fn give(answer: &Answer, is_head: bool) -> Result<JsValue, JsValue> {
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

/// 503: the gate could not start, or a request lost its place in it.
pub(crate) fn not_started(is_head: bool) -> Result<JsValue, JsValue> {
    refusal(Reason::NotStarted, "Service Unavailable", is_head)
}

/// 400: what was judged cannot be sent as it was judged.
pub(crate) fn path_refused(is_head: bool) -> Result<JsValue, JsValue> {
    refusal(Reason::PathRefused, "Bad Request", is_head)
}

/// 502: the gate let the request pass and nobody was there. Not one of the gate's reasons: it refused nothing.
pub(crate) fn origin_unreachable(is_head: bool) -> Result<JsValue, JsValue> {
    problem(
        "urn:doorward:origin_unreachable",
        "Bad Gateway",
        502,
        "the origin could not be reached",
        "origin_unreachable",
        is_head,
    )
}

fn refusal(reason: Reason, title: &str, is_head: bool) -> Result<JsValue, JsValue> {
    let kind = format!("urn:doorward:reason:{}", reason.code());
    problem(&kind, title, reason.status(), reason.sentence(), reason.code(), is_head)
}

/// RFC 9457. All of these are words of ours: nothing in them needs an escape.
fn problem(kind: &str, title: &str, status: u16, detail: &str, reason: &str, is_head: bool) -> Result<JsValue, JsValue> {
    let headers = [("content-type", "application/problem+json"), ("cache-control", "private, no-store")];
    let headers = headers.into_iter().chain((status >= 500).then_some(("retry-after", "5")));
    let body = format!(r#"{{"type":"{kind}","title":"{title}","status":{status},"detail":"{detail}","reason":"{reason}"}}"#);
    response(status, headers, &body, is_head)
}

fn response<'a>(
    status: u16,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    body: &str,
    is_head: bool,
) -> Result<JsValue, JsValue> {
    let mut lines = Lines::new();
    let count = lines.pairs(headers);
    platform::answer(status, lines.as_str(), count, Some(body).filter(|body| !is_head && !body.is_empty()))
}
