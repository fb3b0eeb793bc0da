//! Stores: namespaces of Workers KV, by the names under which the deployment has bound them.

use doorward::StoreRead;
use doorward_host::Failure;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStream;
use worker::Env;

use crate::platform::{KvNamespace, awaited};
use crate::stream::whole;

/// The namespaces of these names that are bound.
pub(crate) fn bound(env: &Env, names: Vec<String>) -> Vec<(String, KvNamespace)> {
    names.into_iter().filter_map(|name| namespace(env, &name).map(|found| (name, found))).collect()
}

/// The namespace that is bound under this name. Buckets and Durable Objects have a `get` as well;
/// this only namespaces have.
pub(crate) fn namespace(env: &Env, name: &str) -> Option<KvNamespace> {
    let binding = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    let is_namespace = Reflect::get(&binding, &"getWithMetadata".into()).ok()?.is_function();
    is_namespace.then(|| binding.unchecked_into())
}

/// What the store of that name, among these, has under a key.
pub(crate) async fn read(
    stores: &[(String, KvNamespace)],
    read: &StoreRead,
) -> Result<Option<Vec<u8>>, Failure> {
    let (_, store) =
        stores.iter().find(|(name, _)| *name == read.store).ok_or(Failure::Unsupported)?;
    value(store, read).await.unwrap_or(Err(Failure::Failed))
}

async fn value(
    store: &KvNamespace,
    read: &StoreRead,
) -> Result<Result<Option<Vec<u8>>, Failure>, JsValue> {
    let found = awaited(store.get(&read.key, "stream")).await?;
    if found.is_null() {
        return Ok(Ok(None));
    }
    let stream: ReadableStream = found.dyn_into()?;
    Ok(whole(&stream, read.max_bytes).await?.map(Some).ok_or(Failure::TooLarge))
}
