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
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorward::{Config, Engine, Fetch, Reason, SignatureCheck, UnixTime};
use doorward_host::http::{self, Answer, Content};
use doorward_host::{Failure, Host, connection_end, receive};
use futures_util::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, BodyStream, LengthLimitError, Limited, StreamBody};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, Error>;

pub(crate) struct Gate {
    engine: Mutex<Engine>,
    client: Client<HttpConnector, Body>,
    origin: String,
    public_origin: String,
}

impl Host for Gate {
    fn with_engine<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        Some(work(&mut *self.engine.lock().ok()?))
    }

    fn now(&self) -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, millis: u32) {
        sleep(Duration::from_millis(millis.into())).await;
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<doorward_host::Response, Failure> {
        let request = http::fetch_request(fetch, &self.origin)?.map(|()| whole(String::new()));
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = Limited::new(body, usize::try_from(fetch.max_bytes)?).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() { Failure::TooLarge } else { Failure::Failed }
        })?;
        let (status, headers) = (head.status.as_u16(), http::header_pairs(&head.headers));
        Ok(doorward_host::Response { status, headers, body: body.to_bytes().into() })
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
    let config = Config::parse(&variable("DOORWARD").unwrap_or_default());
    let compile = |config: Config| {
        let names = config.names().into_iter();
        let values = names.filter_map(|name| variable(&name).map(|value| (name, value))).collect();
        config.compile(&values, &doorward_native::capabilities().and_fetching_pages())
    };
    let policy = config.and_then(compile).map_err(|errors| format!("{errors:#?}"))?;
    Ok(Arc::new(Gate {
        engine: Mutex::new(Engine::new(policy, RandomState::new().hash_one(0))),
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
) -> Result<Response<Body>, Infallible> {
    let head = Arc::new(http::head(&request, &gate.public_origin, &address.to_string()));
    let client = &gate.client;
    let send = |request: Request<Incoming>| async move {
        let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
        let sent = timeout(Duration::from_secs(60), client.request(request)).await;
        sent.map_err(|_| Reason::OriginTimedOut)?.map_err(|_| Reason::OriginUnreachable)
    };
    let answer = http::answer(&*gate, &head, request, &gate.origin, send).await;
    let Answer { response, connection, after } = answer;
    if let Some(pending) = after {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { receive(&*gate, pending).await });
    }
    let is_stream = http::is_event_stream(&response);
    Ok(response.map(|content| match content {
        Content::OfGate(text) => whole(text),
        Content::OfOrigin(body) if !is_stream => body.map_err(Error::from).boxed_unsync(),
        // It ends with what it rests on: the token or session of its request.
        Content::OfOrigin(body) => {
            let end = async move {
                connection_end(&*gate, &*head, connection).await;
            };
            let frames = BodyStream::new(body.map_err(Error::from)).take_until(Box::pin(end));
            StreamBody::new(frames).boxed_unsync()
        }
    }))
}

fn whole(text: String) -> Body {
    text.map_err(|never| match never {}).boxed_unsync()
}
