//! The host: network, clock and signature checks under the engine.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use doorward::{ConfigError, Engine, Fetch, SignatureCheck, UnixTime};
use doorward_host::{Failure, Host, engine, http as kit};
use http::Extensions;
use http_body_util::Empty;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Reads the client's network address from the extensions of a request.
type AddressOf = dyn Fn(&Extensions) -> Option<String> + Send + Sync;

pub(crate) struct Gate {
    engine: Mutex<Engine>,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    pub(crate) public_origin: String,
    pub(crate) address_of: Box<AddressOf>,
}

impl Gate {
    pub(crate) fn new(
        document: &str,
        variable: impl Fn(&str) -> Option<String>,
        public_origin: &str,
    ) -> Result<Self, Vec<ConfigError>> {
        let can = doorward_native::capabilities().and_telling();
        let engine = engine(document, variable, &can, RandomState::new().hash_one(0))?;
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1();
        Ok(Self {
            engine: Mutex::new(engine),
            client: Client::builder(TokioExecutor::new()).build(connector.build()),
            public_origin: public_origin.to_owned(),
            address_of: Box::new(|_| None),
        })
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
        tokio::time::sleep(Duration::from_millis(millis.into())).await;
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<doorward_host::Response, Failure> {
        let request = kit::fetch_request(fetch, "")?;
        kit::fetched(self.client.request(request.map(|()| Empty::new())).await?, fetch).await
    }

    async fn check_signature(&self, check: &SignatureCheck) -> Result<bool, Failure> {
        doorward_native::check_signature(check)
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}
