//! Forwards a request to the origin and hands its response back. Bodies are streams that pass through, in both directions.

use std::rc::Rc;

use doorward::Forward;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Request, RequestInit, RequestRedirect, Response, Url};
use worker::Context;

use crate::answer::{origin_unreachable, path_refused};
use crate::carry::carry;
use crate::head::Head;
use crate::platform::{self, Copied};
use crate::start::Settings;
use crate::gate;

/// Headers of the connection, not of the request (RFC 9110 section 7.6.1). `Upgrade` stays: it is how a WebSocket is asked
/// for, and the platform carries it.
const HOP_BY_HOP: [&str; 8] =
    ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding"];

/// Carries a `Forward` out. Nothing if it cannot be carried out as it says.
pub(crate) async fn forward(
    request: &Request,
    head: &Head,
    forward: Forward,
    settings: &Settings,
    context: &Rc<Context>,
) -> Option<Response> {
    if let Some(line) = &forward.log {
        worker::console_log!("{line}");
    }
    let url = format!("{}{}", settings.origin, forward.target);
    if !keeps_path(&url, settings, &forward.target) {
        return path_refused(head.is_head()).ok();
    }
    let init = request_init(request, head, &forward).ok()?;
    let answer = platform::fetch(&url, &init).await.and_then(|response| Ok(response.dyn_into::<Response>()?));
    if let Some(errand) = forward.after {
        let after = Rc::clone(context);
        context.wait_until(async move {
            let carried = carry(&errand, &after).await;
            gate::receive(errand, &carried);
        });
    }
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

fn request_init(request: &Request, head: &Head, forward: &Forward) -> Result<RequestInit, JsValue> {
    // A copy of the platform's own object: values that are no text keep their bytes.
    let headers = Headers::new_with_headers(&request.headers())?;
    for name in HOP_BY_HOP {
        headers.delete(name)?;
    }
    describe_client(&headers, head)?;
    for name in &forward.remove {
        headers.delete(name)?;
    }
    for (name, value) in &forward.set {
        headers.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(head.method());
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    if let Some(body) = request.body() {
        init.set_body(&body);
    }
    Ok(init)
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
        response.headers().append(name, value)?;
    }
    Ok(response)
}
