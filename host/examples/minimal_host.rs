//! A whole gate in front of an origin, with hyper: a host's duty without its comforts.
//!
//! ```sh
//! ORIGIN_URL=http://127.0.0.1:3000 PUBLIC_ORIGIN=http://localhost:8787 \
//! DOORWARD="$(cat doorward.json)" cargo run -p doorward-host --example minimal_host
//! ```
//!
//! What it leaves out: TLS (give the client a connector like `hyper-rustls`), WebSockets (no origin
//! is asked to switch protocols), and a cache that instances share.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorward::{Engine, Fetch, Reason, SignatureCheck, UnixTime};
use doorward_host::http::{self, Answer, Content};
use doorward_host::{Failure, Host, connection_end, engine, receive};
use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, server::conn::http1, service::service_fn};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

pub(crate) struct Gate {
    engine: Mutex<Engine>,
    client: Client<HttpConnector, Either<Incoming, Empty<Bytes>>>,
    origin: String,
    public_origin: String,
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

    async fn fetch(&self, fetch: &Fetch) -> Result<doorward_host::Response, Failure> {
        let request = http::fetch_request(fetch, &self.origin)?;
        let response = self.client.request(request.map(|()| Either::Right(Empty::new()))).await?;
        http::fetched(response, fetch).await
    }

    async fn check_signature(&self, check: &SignatureCheck) -> Result<bool, Failure> {
        doorward_native::check_signature(check)
    }

    fn log(&self, line: &str) {
        eprintln!("{line}");
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let gate = start(|name| std::env::var(name).ok())?;
    serve(TcpListener::bind("127.0.0.1:8787").await?, gate).await
}

/// The gate, from the configuration and the variables that it names.
pub(crate) fn start(variable: impl Fn(&str) -> Option<String>) -> Result<Arc<Gate>, Error> {
    let document = variable("DOORWARD").unwrap_or_default();
    let can = doorward_native::capabilities().and_fetching_pages();
    let engine = engine(&document, &variable, &can, RandomState::new().hash_one(0));
    Ok(Arc::new(Gate {
        engine: Mutex::new(engine.map_err(|errors| format!("{errors:#?}"))?),
        client: Client::builder(TokioExecutor::new()).build_http(),
        origin: variable("ORIGIN_URL").ok_or("ORIGIN_URL is not set")?,
        public_origin: variable("PUBLIC_ORIGIN").ok_or("PUBLIC_ORIGIN is not set")?,
    }))
}

pub(crate) async fn serve(listener: TcpListener, gate: Arc<Gate>) -> Result<(), Error> {
    loop {
        let (connection, client) = listener.accept().await?;
        let gate = Arc::clone(&gate);
        let service = service_fn(move |request| answered(Arc::clone(&gate), client.ip(), request));
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new());
        tokio::spawn(server.serve_connection(TokioIo::new(connection), service));
    }
}

async fn answered(
    gate: Arc<Gate>,
    address: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Content<Incoming>>, Infallible> {
    let head = http::head(&request, &gate.public_origin, &address.to_string());
    let client = &gate.client;
    let send = |request: Request<Incoming>| async move {
        let sent = client.request(request.map(Either::Left));
        let sent = timeout(Duration::from_secs(60), sent).await;
        sent.map_err(|_| Reason::OriginTimedOut)?.map_err(|_| Reason::OriginUnreachable)
    };
    let Answer { response, connection, after } =
        http::answer(&*gate, &head, request, &gate.origin, send).await;
    if let Some(pending) = after {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { receive(&*gate, pending).await });
    }
    if !http::is_event_stream(&response) {
        return Ok(response);
    }
    // It ends with what it rests on: the token or session of its request.
    let end = async move {
        connection_end(&*gate, &head, connection).await;
    };
    Ok(response.map(|content| content.until(end)))
}
