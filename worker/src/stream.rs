//! Reads bodies and headers of the platform's responses.

use js_sys::futures::JsFuture;
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, ReadableStream, ReadableStreamDefaultReader, Response};

/// The whole body, or nothing if it is larger than this.
pub(crate) async fn body(response: &Response, max_bytes: u32) -> Result<Option<Vec<u8>>, JsValue> {
    match response.body() {
        Some(stream) => whole(&stream, max_bytes).await,
        None => Ok(Some(Vec::new())),
    }
}

/// All that a stream brings, or nothing if it is more than this.
pub(crate) async fn whole(
    stream: &ReadableStream,
    max_bytes: u32,
) -> Result<Option<Vec<u8>>, JsValue> {
    let mut body = Vec::new();
    let reader = ReadableStreamDefaultReader::new(stream)?;
    loop {
        let step = JsFuture::from(reader.read()).await?;
        if Reflect::get(&step, &"done".into())?.is_truthy() {
            return Ok(Some(body));
        }
        let chunk: Uint8Array = Reflect::get(&step, &"value".into())?.dyn_into()?;
        let room = usize::try_from(max_bytes).unwrap_or(usize::MAX).saturating_sub(body.len());
        if usize::try_from(chunk.length()).is_ok_and(|length| length > room) {
            let _ = reader.cancel();
            return Ok(None);
        }
        body.extend(chunk.to_vec());
    }
}

/// The pairs of a Fetch `Headers`: names lower case and sorted, `Set-Cookie` once per line.
pub(crate) fn pairs(headers: &Headers) -> Vec<(String, String)> {
    headers
        .entries()
        .into_iter()
        .filter_map(|entry| {
            let pair: Array = entry.ok()?.dyn_into().ok()?;
            Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
        })
        .collect()
}
