//! Carries fetches: exactly the request that is described, one answer, within its time and size.

use doorward::Fetch;
use js_sys::futures::JsFuture;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortController, Headers, ReadableStream, ReadableStreamDefaultReader, RequestInit,
    RequestRedirect, Response,
};

use crate::head::pairs;
use crate::perform::{Performed, within};
use crate::{platform, shared_cache};

/// What the shared cache has, where that will do, or the answer, or the failure; all within the
/// effect's time.
pub(crate) async fn fetch(pending: &Fetch) -> Performed {
    let Ok(controller) = AbortController::new() else { return Performed::Failed };
    let copy_or_answer = async {
        match shared_cache::look_up(pending).await {
            Some(copy) => Ok(copy),
            None => answer(pending, &controller).await,
        }
    };
    match within(pending.timeout_ms, copy_or_answer).await {
        Some(Ok(answer)) => answer,
        Some(Err(_)) => Performed::Failed,
        None => {
            controller.abort();
            Performed::Failed
        }
    }
}

async fn answer(pending: &Fetch, controller: &AbortController) -> Result<Performed, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &pending.headers {
        headers.append(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(pending.method);
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&controller.signal()));
    let response: Response = platform::fetch(&pending.url, &init).await?.dyn_into()?;
    Ok(match body(&response, pending.max_bytes).await? {
        Some(body) => Performed::Answered {
            status: response.status(),
            headers: pairs(&response.headers()),
            body,
        },
        None => {
            controller.abort();
            Performed::TooLarge
        }
    })
}

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
