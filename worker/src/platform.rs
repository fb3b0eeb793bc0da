//! The platform's functions, typed as this crate uses them. Each can throw or reject; none of that
//! leaves this crate as an exception.

use js_sys::futures::{JsFuture, future_to_promise};
use js_sys::{Array, Object, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Request, RequestInit, Response};
use worker::wasm_bindgen_futures;

// Whole messages, each in one call (`worker/shim/message.js` says in what form).
#[wasm_bindgen(raw_module = "./message.js")]
extern "C" {
    /// Writes the head of a request. How many bytes it has; where that is more than there is room,
    /// how much room is certainly enough.
    #[wasm_bindgen(catch, js_name = "writeHead")]
    pub(crate) fn write_head(request: &Request, room: &mut [u8]) -> Result<u32, JsValue>;

    /// Sends a request on, with edits; the promise of what the client gets.
    #[wasm_bindgen(catch)]
    pub(crate) fn send(
        request: &Request,
        lines: &str,
        removed: u32,
        set: u32,
        added: u32,
    ) -> Result<JsValue, JsValue>;

    /// A response whose connection, if it stays open, ends after so long, and earlier where
    /// `recheck` says so; both in milliseconds.
    #[wasm_bindgen(catch, js_name = "endingWith")]
    pub(crate) fn ending_with(
        request: &Request,
        response: &JsValue,
        lives: Option<f64>,
        recheck: Option<u32>,
    ) -> Result<JsValue, JsValue>;

    /// A response with further headers.
    #[wasm_bindgen(catch, js_name = "addHeaders")]
    pub(crate) fn add_headers(
        response: &Response,
        lines: &str,
        count: u32,
    ) -> Result<JsValue, JsValue>;

    /// An answer that does not come from the origin.
    #[wasm_bindgen(catch)]
    pub(crate) fn answer(
        status: u16,
        lines: &str,
        count: u32,
        body: Option<&str>,
    ) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(raw_module = "./instance.js")]
extern "C" {
    #[wasm_bindgen(js_name = "whileStanding")]
    fn while_standing(promise: &Promise, otherwise: Option<&JsValue>) -> JsValue;
}

/// The promise of a response that this future brings, for the client. If the future fails, or the
/// instance falls before it has ended, the promise brings what is there `otherwise`, or fails. It
/// may fall while the response that was brought is itself still on its way.
pub(crate) fn promised(
    future: impl Future<Output = Result<JsValue, JsValue>> + 'static,
    otherwise: Option<&JsValue>,
) -> JsValue {
    while_standing(&future_to_promise(async { Ok(Array::of1(&future.await?).into()) }), otherwise)
}

#[wasm_bindgen]
extern "C" {
    /// Sends a request (Fetch standard).
    #[wasm_bindgen(catch)]
    pub(crate) async fn fetch(url: &str, init: &RequestInit) -> Result<JsValue, JsValue>;

    /// Looks into the platform's cache. `undefined` if there is nothing.
    #[wasm_bindgen(catch, js_namespace = ["caches", "default"], js_name = "match")]
    pub(crate) fn cache_match(key: &str) -> Result<JsValue, JsValue>;

    /// Puts a response into the platform's cache.
    #[wasm_bindgen(catch, js_namespace = ["caches", "default"], js_name = "put")]
    pub(crate) fn cache_put(key: &str, response: &Response) -> Result<JsValue, JsValue>;

    /// A dataset of Analytics Engine, as the deployment has bound it.
    #[derive(Clone, Debug)]
    pub(crate) type AnalyticsDataset;

    /// Writes a point.
    #[wasm_bindgen(catch, method, js_name = "writeDataPoint")]
    pub(crate) fn write_data_point(this: &AnalyticsDataset, point: &Object) -> Result<(), JsValue>;

    /// A namespace of Workers KV, as the deployment has bound it.
    #[derive(Clone, Debug)]
    pub(crate) type KvNamespace;

    /// What there is under a key, in that form; `null` if there is nothing.
    #[wasm_bindgen(catch, method)]
    pub(crate) fn get(this: &KvNamespace, key: &str, form: &str) -> Result<JsValue, JsValue>;

    /// Keeps a text under a key.
    #[wasm_bindgen(catch, method)]
    pub(crate) fn put(
        this: &KvNamespace,
        key: &str,
        text: &str,
        options: &Object,
    ) -> Result<JsValue, JsValue>;

    /// Makes a key from a JWK (Web Cryptography API).
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = "importKey")]
    pub(crate) async fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &Object,
        extractable: bool,
        usages: &Array,
    ) -> Result<JsValue, JsValue>;

    /// Checks a signature (Web Cryptography API). The bytes are read before it returns.
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    pub(crate) async fn verify(
        algorithm: &Object,
        key: &JsValue,
        signature: &[u8],
        signed: &[u8],
    ) -> Result<JsValue, JsValue>;

    /// Makes a signature (Web Cryptography API). The bytes are read before it returns.
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    pub(crate) async fn sign(
        algorithm: &Object,
        key: &JsValue,
        input: &[u8],
    ) -> Result<JsValue, JsValue>;
}

/// A store may throw where it should have given a promise.
pub(crate) async fn awaited(promise: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::resolve(&promise?)).await
}
