//! The cache that instances share: a KV namespace where the deployment has bound one, the
//! platform's Cache API otherwise.
//!
//! What is kept, under which key and for how long, the engine says; here are only the two stores.
//! Whatever one of them does other than to give what was put there is as good as nothing.

use doorward::CacheWrite;
use js_sys::{JsString, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Response, ResponseInit};

use crate::platform::{KvNamespace, awaited, cache_match, cache_put};
use crate::stream::body;

/// KV keeps nothing for less, in seconds.
const LEAST_KV_SECONDS: u32 = 60;
/// The Cache API is shared with the zone's own traffic: under this host, which cannot exist (RFC
/// 6761 section 6.4), nothing is looked up.
const NOWHERE: &str = "https://doorward.invalid/";

/// What there is under this key, in the namespace or else in the Cache API; nothing if it is more
/// than so many bytes.
pub(crate) async fn get(
    namespace: Option<&KvNamespace>,
    key: &str,
    max_bytes: u32,
) -> Result<Option<Vec<u8>>, JsValue> {
    let response = match namespace {
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

/// Puts a text there.
pub(crate) async fn put(
    namespace: Option<&KvNamespace>,
    CacheWrite { key, text, seconds }: CacheWrite,
) -> Result<JsValue, JsValue> {
    if let Some(kv) = namespace {
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
