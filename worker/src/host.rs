//! What this platform does for the engine: fetches, signatures, stores, the shared cache, timers.

use std::rc::Rc;
use std::time::Duration;

use doorward::{CacheWrite, Engine, Fetch, SignatureCheck, SignatureRequest, StoreRead, UnixTime};
use doorward_host::{Failure, Host, Response};
use worker::{Context, Delay};

use crate::start::Settings;
use crate::{check, fetch_effect, gate, shared_cache, stores};

/// The host of one request.
#[derive(Clone)]
pub(crate) struct WorkerHost {
    pub(crate) settings: Rc<Settings>,
    /// Keeps the instance alive for what goes on after the response. Nothing where no request is
    /// answered: when an open connection is rechecked.
    pub(crate) context: Option<Rc<Context>>,
}

impl WorkerHost {
    /// Does this after the response, or beside it.
    pub(crate) fn in_background(&self, work: impl Future<Output = ()> + 'static) {
        if let Some(context) = &self.context {
            context.wait_until(work);
        }
    }
}

impl Host for WorkerHost {
    fn with_engine<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        gate::with_engine(work)
    }

    fn now(&self) -> UnixTime {
        gate::now()
    }

    async fn sleep(&self, millis: u32) {
        Delay::from(Duration::from_millis(millis.into())).await;
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<Response, Failure> {
        fetch_effect::fetch(fetch, &self.settings).await
    }

    fn log(&self, line: &str) {
        worker::console_log!("{line}");
    }

    async fn check_signature(&self, check: &SignatureCheck) -> Result<bool, Failure> {
        check::check(check).await
    }

    async fn sign(&self, request: &SignatureRequest) -> Result<Vec<u8>, Failure> {
        check::sign(request).await
    }

    async fn read_store(&self, read: &StoreRead) -> Result<Option<Vec<u8>>, Failure> {
        stores::read(&self.settings.stores, read).await
    }

    async fn cache_get(&self, name: &str, max_bytes: u32) -> Option<Vec<u8>> {
        let found = shared_cache::get(self.settings.kv_namespace.as_ref(), name, max_bytes).await;
        found.ok().flatten()
    }

    fn cache_put(&self, write: CacheWrite) {
        let settings = Rc::clone(&self.settings);
        self.in_background(async move {
            let _ = shared_cache::put(settings.kv_namespace.as_ref(), write).await;
        });
    }

    #[cfg(feature = "conformance")]
    async fn perform(&self, effect: &doorward::Effect) -> doorward_host::OwnedResult {
        match crate::conformance::performed(effect) {
            Some(result) => result,
            None => doorward_host::perform(self, effect).await,
        }
    }
}
