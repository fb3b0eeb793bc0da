//! Performs fetches: exactly the request that is described, one response, within its size.

use std::borrow::Cow;

use doorward::Fetch;
use doorward_host::{Failure, Response as Answer};
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Headers, RequestInit, RequestRedirect, Response};

use crate::platform;
use crate::start::Settings;
use crate::stream::{body, pairs};

/// The response, or the failure. A fetch that is dropped, or whose body is too large, ends.
pub(crate) async fn fetch(fetch: &Fetch, settings: &Settings) -> Result<Answer, Failure> {
    let aborting = AbortController::new().map(Aborting).map_err(|_| Failure::Failed)?;
    match answer(fetch, settings, &aborting.0).await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Failure::TooLarge),
        Err(error) => Err(Failure::Unreachable(code_of(&error))),
    }
}

/// The platform has messages and no codes.
fn code_of(error: &JsValue) -> &'static str {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    let message = message.unwrap_or_default().to_ascii_lowercase();
    let codes = [
        ("refused", "CONNECTION_REFUSED"),
        ("lost", "CONNECTION_LOST"),
        ("dns", "DNS_ERROR"),
        ("tls", "TLS_ERROR"),
        ("certificate", "TLS_ERROR"),
    ];
    codes.iter().find(|(word, _)| message.contains(word)).map_or("NETWORK_ERROR", |(_, code)| code)
}

/// Aborts what is still on its way.
struct Aborting(AbortController);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Nothing if the body is too large.
async fn answer(
    fetch: &Fetch,
    settings: &Settings,
    controller: &AbortController,
) -> Result<Option<Answer>, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &fetch.headers {
        headers.append(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(fetch.method);
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&controller.signal()));
    let mut url = Cow::from(&fetch.url);
    if url.starts_with('/') {
        url = [settings.origin.as_str(), &fetch.url].concat().into();
        if let Some(elsewhere) = &settings.resolve_override {
            let cf = Object::new();
            Reflect::set(&cf, &"resolveOverride".into(), &elsewhere.into())?;
            Reflect::set(&init, &"cf".into(), &cf)?;
        }
    }
    let response: Response = platform::fetch(&url, &init).await?.dyn_into()?;
    let body = body(&response, fetch.max_bytes).await?;
    Ok(body.map(|body| Answer {
        status: response.status(),
        headers: pairs(&response.headers()),
        body,
    }))
}
