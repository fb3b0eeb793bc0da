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

use doorward::{Config, Engine, Fetch, Forward, Onward, Reason, SignatureCheck, UnixTime};
use doorward_host::{Failure, FinalDecision, Host, OwnedHead, borrowed, latin1};
use futures_util::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, BodyStream, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
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
        let mut request = Request::builder().method(fetch.method).uri(&fetch.url);
        for (name, value) in &fetch.headers {
            request = request.header(name, latin1::bytes(value).ok_or(Failure::Failed)?);
        }
        let response = self.client.request(request.body(whole(String::new()))?).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, usize::try_from(fetch.max_bytes)?).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() { Failure::TooLarge } else { Failure::Failed }
        })?;
        Ok(doorward_host::Response {
            status: head.status.as_u16(),
            headers: pairs(&head.headers),
            body: body.to_bytes().into(),
        })
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
        config.compile(&values, &doorward_native::capabilities())
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
    client: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let uri = request.uri();
    let head = Arc::new(OwnedHead {
        method: request.method().to_string(),
        target: uri.path_and_query().map_or_else(|| uri.to_string(), ToString::to_string),
        headers: pairs(request.headers()),
        public_origin: gate.public_origin.clone(),
        client_address: Some(client.to_string()),
    });
    let refusal = match doorward_host::decide(&*gate, &*head).await {
        FinalDecision::Respond(served) => {
            return Ok(answer(served.status, &served.headers, served.body));
        }
        FinalDecision::Redirect(refusal) | FinalDecision::Reject(refusal) => refusal,
        FinalDecision::Forward(forward) => match pass(&gate, &head, forward, request).await {
            Ok(response) => return Ok(response),
            Err(reason) => doorward_host::refuse(&*gate, &*head, reason),
        },
    };
    Ok(answer(refusal.status, &refusal.headers, refusal.body))
}

/// Sends a request on, and its response back.
async fn pass(
    gate: &Arc<Gate>,
    head: &Arc<OwnedHead>,
    mut forward: Forward,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Reason> {
    if let Some(pending) = forward.after.take() {
        let gate = Arc::clone(gate);
        tokio::spawn(async move { doorward_host::receive(&*gate, pending).await });
    }
    let origin = forward.upstream.as_deref().unwrap_or(&gate.origin);
    let uri: Uri = [origin, &forward.target].concat().parse().map_err(|_| Reason::PathRefused)?;
    if uri.path_and_query().is_none_or(|sent| sent.as_str() != forward.target) {
        return Err(Reason::PathRefused);
    }
    *request.uri_mut() = uri;
    let onward = doorward_host::onward(&**gate, &**head, &forward);
    let Onward { remove, set } = onward.ok_or(Reason::NotStarted)?;
    for name in remove {
        request.headers_mut().remove(name);
    }
    edit(request.headers_mut(), set.iter())?;
    // The client writes `Host` itself, and switches to no other protocol.
    for name in ["host", "upgrade"] {
        request.headers_mut().remove(name);
    }

    let request = request.map(|body| body.map_err(Error::from).boxed_unsync());
    let sent = timeout(Duration::from_secs(60), gate.client.request(request));
    let origin = async {
        sent.await.map_err(|_| Reason::OriginTimedOut)?.map_err(|_| Reason::OriginUnreachable)
    };
    let alongside = doorward_host::alongside(&**gate, forward.alongside.take(), origin);
    let (mut response, performed) = alongside.await?;

    let headers = pairs(response.headers());
    for name in doorward::response_removals(&borrowed(&headers)) {
        response.headers_mut().remove(name);
    }
    let cookies = headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<&str> = cookies.map(|(_, line)| line.as_str()).collect();
    let finish = doorward_host::finish(&**gate, performed, &cookies);
    let added: Vec<_> = doorward_host::response_headers(forward.response_headers, finish).collect();
    edit(response.headers_mut(), borrowed(&added))?;

    let is_stream = headers
        .iter()
        .any(|(name, value)| name == "content-type" && value.starts_with("text/event-stream"));
    if !is_stream {
        return Ok(response.map(|body| body.map_err(Error::from).boxed_unsync()));
    }
    // It ends with what it rests on: the token or session of its request.
    let (gate, head) = (Arc::clone(gate), Arc::clone(head));
    let end = async move {
        doorward_host::connection_end(&*gate, &*head, forward.connection).await;
    };
    Ok(response.map(|body| {
        let frames = BodyStream::new(body.map_err(Error::from)).take_until(Box::pin(end));
        StreamBody::new(frames).boxed_unsync()
    }))
}

fn answer(status: u16, headers: &[(String, String)], body: String) -> Response<Body> {
    let mut response = Response::new(whole(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let _ = edit(response.headers_mut(), borrowed(headers));
    response
}

/// Sets headers; cookies come in addition.
fn edit<'a>(
    headers: &mut HeaderMap,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), Reason> {
    for (name, value) in pairs {
        let bytes = latin1::bytes(value).ok_or(Reason::HeadMalformed)?;
        let name = HeaderName::try_from(name).map_err(|_| Reason::HeadMalformed)?;
        let value = HeaderValue::try_from(bytes).map_err(|_| Reason::HeadMalformed)?;
        if name == "set-cookie" {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
    Ok(())
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), latin1::text(value.as_bytes()))
    };
    headers.iter().map(text).collect()
}

fn whole(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}
