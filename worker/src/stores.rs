//! Stores: namespaces of Workers KV, by the names under which the deployment has bound them.

use doorward::StoreRead;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStream;
use worker::Env;

use crate::fetch_effect::whole;
use crate::gate;
use crate::perform::{Performed, within};
use crate::platform::{KvNamespace, awaited};

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

/// What a store has under a key.
pub(crate) async fn read(pending: &StoreRead) -> Performed {
    let Some(store) = gate::store(&pending.store) else { return Performed::Unsupported };
    match within(pending.timeout_ms, value(&store, pending)).await {
        Some(Ok(found)) => found,
        Some(Err(_)) | None => Performed::Failed,
    }
}

async fn value(store: &KvNamespace, pending: &StoreRead) -> Result<Performed, JsValue> {
    let found = awaited(store.get(&pending.key, "stream")).await?;
    if found.is_null() {
        return Ok(Performed::Absent);
    }
    let stream: ReadableStream = found.dyn_into()?;
    Ok(whole(&stream, pending.max_bytes).await?.map_or(Performed::TooLarge, Performed::Found))
}
