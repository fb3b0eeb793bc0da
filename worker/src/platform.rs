//! The platform's functions, typed as this crate uses them. Each can throw or reject; none of that leaves this crate as
//! an exception.

use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Request, RequestInit, Response};
use worker::wasm_bindgen_futures;

#[wasm_bindgen]
extern "C" {
    /// Sends a request (Fetch standard).
    #[wasm_bindgen(catch)]
    pub(crate) async fn fetch(url: &str, init: &RequestInit) -> Result<JsValue, JsValue>;

    /// Sends a request that is one already.
    #[wasm_bindgen(catch, js_name = "fetch")]
    pub(crate) async fn send(request: &Request) -> Result<JsValue, JsValue>;

    /// Looks into the platform's cache. `undefined` if there is nothing.
    #[wasm_bindgen(catch, js_namespace = ["caches", "default"], js_name = "match")]
    pub(crate) async fn cache_match(key: &str) -> Result<JsValue, JsValue>;

    /// Puts a response into the platform's cache.
    #[wasm_bindgen(catch, js_namespace = ["caches", "default"], js_name = "put")]
    pub(crate) async fn cache_put(key: &str, response: &Response) -> Result<JsValue, JsValue>;

    /// Makes a key from a JWK (Web Cryptography API).
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = "importKey")]
    pub(crate) async fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &Object,
        extractable: bool,
        usages: &Array,
    ) -> Result<JsValue, JsValue>;

    /// Checks a signature (Web Cryptography API).
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    pub(crate) async fn verify(
        algorithm: &Object,
        key: &JsValue,
        signature: &Uint8Array,
        signed: &Uint8Array,
    ) -> Result<JsValue, JsValue>;

    /// A request to another URL with this one's method, headers and body, which is not read. Its headers can be changed;
    /// those of a request that came in cannot. It follows no redirects, as none that came in does.
    #[wasm_bindgen(js_name = "Request")]
    pub(crate) type Readdressed;

    /// See [`Readdressed`].
    #[wasm_bindgen(constructor, catch, js_class = "Request")]
    pub(crate) fn new(url: &str, of: &Request) -> Result<Readdressed, JsValue>;

    /// A response with another's status, headers and WebSocket. Its headers can be changed; those of a fetched one cannot.
    #[wasm_bindgen(js_name = "Response")]
    pub(crate) type Copied;

    /// See [`Copied`].
    #[wasm_bindgen(constructor, catch, js_class = "Response")]
    pub(crate) fn new(body: &JsValue, of: &Response) -> Result<Copied, JsValue>;
}
