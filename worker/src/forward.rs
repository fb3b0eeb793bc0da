//! Forwards a request to the origin and hands its response back. Bodies are streams that pass through, in both directions.

use std::rc::Rc;

use doorward::Forward;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Request, Response, Url};
use worker::Context;

use crate::answer::{origin_unreachable, path_refused};
use crate::carry::carry;
use crate::gate;
use crate::head::Head;
use crate::platform::{self, Copied, Readdressed};
use crate::start::Settings;

/// Headers of the connection, not of the request (RFC 9110 section 7.6.1). `Upgrade` stays: it is how a WebSocket is asked
/// for, and the platform carries it.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
];

/// Carries a `Forward` out. Nothing if it cannot be carried out as it says.
pub(crate) async fn forward(
    request: &Request,
    head: &Head,
    mut forward: Forward,
    settings: &Settings,
    context: &Rc<Context>,
) -> Option<Response> {
    if let Some(line) = &forward.log {
        worker::console_log!("{line}");
    }
    if let Some(errand) = forward.after.take() {
        // Begun now, and not waited for: the engine has told the other requests that somebody is on the way.
        let after = Rc::clone(context);
        context.wait_until(async move {
            let carried = carry(&errand, &after).await;
            gate::receive(errand, &carried);
        });
    }
    let url = format!("{}{}", settings.origin, forward.target);
    if !keeps_path(&url, settings, &forward.target) {
        return path_refused(head.is_head()).ok();
    }
    let request = readdressed(&url, request, head, &forward).ok()?;
    let answer = platform::send(&request).await.and_then(|response| response.dyn_into::<Response>());
    match answer {
        Ok(response) => with_headers(response, &forward.response_headers).ok(),
        Err(_) => {
            worker::console_error!("doorward: the origin could not be reached");
            origin_unreachable(head.is_head()).ok()
        }
    }
}

/// Whether the platform sends this path as it was judged. It reads a URL before it sends it, and would take `/a/../b` or a
/// backslash for something else.
fn keeps_path(url: &str, settings: &Settings, target: &str) -> bool {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    Url::new(url).is_ok_and(|url| url.origin() == settings.origin && url.pathname() == path && url.hash().is_empty())
}

/// The request as it goes to the origin. Its headers are the platform's own copy, so values that are no text keep their
/// bytes.
fn readdressed(url: &str, request: &Request, head: &Head, edits: &Forward) -> Result<Request, JsValue> {
    let request: Request = JsValue::from(Readdressed::new(url, request)?).dyn_into()?;
    let headers = request.headers();
    for name in HOP_BY_HOP {
        headers.delete(name)?;
    }
    describe_client(&headers, head)?;
    for name in &edits.remove {
        headers.delete(name)?;
    }
    for (name, value) in edits.set.iter() {
        headers.set(name, value)?;
    }
    Ok(request)
}

/// Says where the request came from, as the platform knows it. What a client says about itself under these names goes,
/// in every spelling that an origin may fold into one.
fn describe_client(headers: &Headers, head: &Head) -> Result<(), JsValue> {
    for name in head.header_names() {
        let folded = name.replace('_', "-");
        if folded == "forwarded" || folded == "x-real-ip" || folded.starts_with("x-forwarded-") {
            headers.delete(name)?;
        }
    }
    if let Some((scheme, host)) = head.public_origin().split_once("://") {
        headers.set("x-forwarded-proto", scheme)?;
        headers.set("x-forwarded-host", host)?;
    }
    match head.client_address() {
        Some(address) => headers.set("x-forwarded-for", address),
        None => Ok(()),
    }
}

/// The origin's response plus these headers; untouched if there are none.
fn with_headers(response: Response, added: &[(String, String)]) -> Result<Response, JsValue> {
    if added.is_empty() {
        return Ok(response);
    }
    let body = response.body().map_or(JsValue::NULL, JsValue::from);
    let response: Response = JsValue::from(Copied::new(&body, &response)?).dyn_into()?;
    for (name, value) in added {
        match name.as_str() {
            "set-cookie" => response.headers().append(name, value)?,
            _ => response.headers().set(name, value)?,
        }
    }
    Ok(response)
}
