//! Key sets in the platform's cache, so that a new instance starts warm.
//!
//! The errand says how old a copy may be: a new instance takes one, and a request whose key is not in it asks the issuer.

use std::rc::Rc;

use doorward::Fetch;
use web_sys::{Headers, Response, ResponseInit};
use worker::Context;

use crate::carry::{Carried, within};
use crate::fetch_errand::body;
use crate::gate::now;
use crate::head::pairs;
use crate::platform;
use wasm_bindgen::{JsCast, JsValue};

/// How long a copy is kept, in seconds, where the issuer says nothing: a key that is new by then is looked for by asking
/// the issuer, but only after this copy has been read.
const DEFAULT_SECONDS: u32 = 60;
/// The longest time that a copy is kept, in seconds, whatever the issuer says.
const MAX_SECONDS: u32 = 300;
/// How long a look into the cache may take; it is there to save time.
const LOOK_UP_MS: u32 = 200;

/// When the copy was fetched, in milliseconds since 1970.
const FETCHED_AT: &str = "doorward-fetched-at";
/// The issuer's own `Cache-Control`; the copy's belongs to the cache.
const CACHE_CONTROL: &str = "doorward-cache-control";

/// The copy of an earlier instance with its `Age` (RFC 9111 section 5.1), if there is one and one will do.
pub(crate) async fn look_up(errand: &Fetch) -> Option<Carried> {
    if errand.max_copy_age_seconds == 0 {
        return None;
    }
    within(LOOK_UP_MS.min(errand.timeout_ms), copy(errand)).await?
}

async fn copy(errand: &Fetch) -> Option<Carried> {
    let response: Response = platform::cache_match(&key(&errand.url)).await.ok()?.dyn_into().ok()?;
    let body = body(&response, errand.max_bytes).await.ok()??;
    let kept = pairs(&response.headers());
    let fetched_at: i64 = value(&kept, FETCHED_AT)?.parse().ok()?;
    let age = now().as_millis().checked_sub(fetched_at)?.checked_div(1000)?;
    if !(0..=i64::from(errand.max_copy_age_seconds)).contains(&age) {
        return None;
    }
    let mut headers = vec![("age".to_owned(), age.to_string())];
    for (name, stored) in [("content-type", "content-type"), ("etag", "etag"), ("cache-control", CACHE_CONTROL)] {
        headers.extend(value(&kept, stored).map(|value| (name.to_owned(), value.to_owned())));
    }
    Some(Carried::Answered { status: 200, headers, body })
}

/// Keeps a copy of a good answer, after the response of the request that asked for it; gives the answer back.
pub(crate) fn keep(errand: &Fetch, answer: Carried, context: &Rc<Context>) -> Carried {
    if let Carried::Answered { status: 200, headers, body } = &answer
        && let Some(seconds) = lifetime(headers)
        && let Ok(response) = stored(headers, body, seconds)
    {
        let key = key(&errand.url);
        context.wait_until(async move {
            let _ = platform::cache_put(&key, &response).await;
        });
    }
    answer
}

fn stored(headers: &[(String, String)], body: &[u8], seconds: u32) -> Result<Response, JsValue> {
    let kept = Headers::new()?;
    kept.set("cache-control", &format!("public, max-age={seconds}"))?;
    kept.set(FETCHED_AT, &now().as_millis().to_string())?;
    for (name, stored) in [("content-type", "content-type"), ("etag", "etag"), ("cache-control", CACHE_CONTROL)] {
        if let Some(value) = value(headers, name) {
            kept.set(stored, value)?;
        }
    }
    let init = ResponseInit::new();
    init.set_headers(&kept);
    Response::new_with_opt_js_u8_array_and_init(Some(&js_sys::Uint8Array::from(body)), &init)
}

/// How long a copy of this answer may be kept; nothing if it may not be.
fn lifetime(headers: &[(String, String)]) -> Option<u32> {
    let Some(control) = value(headers, "cache-control") else { return Some(DEFAULT_SECONDS) };
    let control = control.to_ascii_lowercase();
    let mut directives = control.split(',').map(str::trim);
    if directives.clone().any(|directive| matches!(directive, "no-store" | "no-cache" | "private")) {
        return None;
    }
    match directives.find_map(|directive| directive.strip_prefix("max-age=")) {
        Some(seconds) => seconds.parse().ok().map(|seconds: u32| seconds.min(MAX_SECONDS)).filter(|seconds| *seconds > 0),
        None => Some(DEFAULT_SECONDS),
    }
}

/// The cache is shared with the zone's own traffic, so a copy goes under a URL that nobody else asks for.
fn key(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}doorward-keys=1")
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
