//! The host: an engine with the clock, the network and the cryptography of this machine.

use std::sync::{Arc, Mutex};

use doorward::{Engine, Fetch, ForwardAuth, SignatureCheck, UnixTime};
use doorward_host::{Failure, Host, Response, http};
use tokio::time::{Duration, sleep};

use crate::client::Client;
use crate::log;

/// A gate as its configuration makes it. A request keeps the one that it began with; another
/// configuration is another gate.
pub(crate) struct Gate {
    engine: Mutex<Engine>,
    pub(crate) client: Arc<Client>,
    /// What a proxy has to hear by name.
    pub(crate) names: ForwardAuth,
}

impl Gate {
    pub(crate) fn new(engine: Engine, client: Arc<Client>) -> Self {
        Self { names: engine.forward_auth(), engine: Mutex::new(engine), client }
    }
}

impl Host for Gate {
    fn with_engine<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        Some(work(&mut *self.engine.lock().ok()?))
    }

    fn now(&self) -> UnixTime {
        doorward_native::now()
    }

    async fn sleep(&self, millis: u32) {
        sleep(Duration::from_millis(millis.into())).await;
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<Response, Failure> {
        let request = http::fetch_request(fetch, self.client.origin())?;
        let response = self.client.fetch(request, fetch).await?;
        http::fetched(response, fetch).await
    }

    async fn check_signature(&self, check: &SignatureCheck) -> Result<bool, Failure> {
        doorward_native::check_signature(check)
    }

    fn log(&self, line: &str) {
        log::write(line);
    }
}
