//! The cache that instances share: a KV namespace where the deployment has bound one, the
//! platform's Cache API otherwise.
//!
//! What is kept, under which key and for how long, the engine says; here are only the two stores.
//! Whatever one of them does other than to give what was put there is as good as nothing.

use std::rc::Rc;

use doorward::{CacheWrite, Fetch};
use js_sys::{JsString, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Response, ResponseInit};
use worker::Context;

use crate::fetch_effect::body;
use crate::gate;
use crate::perform::{Performed, within};
use crate::platform::{awaited, cache_match, cache_put};

/// How long a look may take; it is there to save time.
const LOOK_UP_MS: u32 = 200;
/// KV keeps nothing for less, in seconds.
const LEAST_KV_SECONDS: u32 = 60;
/// The Cache API is shared with the zone's own traffic: under this host, which cannot exist (RFC
/// 6761 section 6.4), nobody asks for anything.
const NOWHERE: &str = "https://doorward.invalid/";

/// What there is under the effect's key.
pub(crate) async fn look_up(pending: &Fetch) -> Option<Performed> {
    let key = pending.copy.as_deref()?;
    let text = within(LOOK_UP_MS, found(key, pending.max_bytes)).await?;
    text.ok().flatten().map(Performed::Copied)
}

async fn found(key: &str, max_bytes: u32) -> Result<Option<Vec<u8>>, JsValue> {
    let response = match gate::kv_namespace() {
        Some(kv) => {
            let stream = awaited(kv.get(key, "stream")).await?;
            if stream.is_null() {
                return Ok(None);
            }
            Response::new_with_opt_readable_stream(Some(&stream.dyn_into()?))?
        }
        None => match awaited(cache_match(&[NOWHERE, key].concat())).await?.dyn_into() {
            Ok(response) => response,
            Err(_) => return Ok(None),
        },
    };
    body(&response, max_bytes).await
}

/// Puts what is to be kept there, after the response of the request that has brought it.
pub(crate) fn keep(cache_writes: Vec<CacheWrite>, context: &Rc<Context>) {
    for keep in cache_writes {
        context.wait_until(async move {
            let _ = put(keep).await;
        });
    }
}

async fn put(CacheWrite { key, text, seconds }: CacheWrite) -> Result<JsValue, JsValue> {
    if let Some(kv) = gate::kv_namespace() {
        let options = Object::new();
        Reflect::set(
            &options,
            &JsString::from("expirationTtl"),
            &seconds.max(LEAST_KV_SECONDS).into(),
        )?;
        return awaited(kv.put(&key, &text, &options)).await;
    }
    let headers = Headers::new()?;
    headers.set("cache-control", &format!("public, max-age={seconds}"))?;
    let init = ResponseInit::new();
    init.set_headers(&headers);
    let response = Response::new_with_opt_str_and_init(Some(&text), &init)?;
    awaited(cache_put(&[NOWHERE, &key].concat(), &response)).await
}
