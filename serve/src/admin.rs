//! A second listener for whoever looks after this server: metrics and health.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use doorward_host::http::Content;
use doorward_host::metrics;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::options::Wrong;
use crate::proxy::{health, own};
use crate::server::Server;

/// The host's name, as a label.
const HOST_NAME: &str = "serve";
const TEXT: &str = "text/plain; charset=utf-8";
/// The text format of Prometheus.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
/// A request whose head is not there by then does not come.
const HEAD: Duration = Duration::from_secs(10);
/// Whoever scrapes needs one connection.
const CONNECTIONS: usize = 32;

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Wrong> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Wrong::new(format!("nothing can listen at {address}: {error}")))
}

/// Serves until it is aborted.
pub(crate) async fn serve(listener: TcpListener, server: Arc<Server>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let answer = answer(&server, &request);
            async { Ok::<_, Infallible>(answer) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD);
        let served = http.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            let _ = served.await;
            drop(place);
        });
    }
}

fn answer(server: &Server, request: &Request<Incoming>) -> Response<Content<Incoming>> {
    let said = |status, text: &str| own(status, TEXT, text.to_owned());
    let token = server.options.metrics_token.as_deref();
    if token.is_none() && !is_own_name(request) {
        return said(StatusCode::FORBIDDEN, "only by a name of this machine\n");
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return said(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match request.uri().path() {
        "/health" => health(server),
        "/metrics" if token.is_none_or(|token| has_token(request, token)) => {
            own(StatusCode::OK, METRICS, metrics(&*server.gate(), HOST_NAME, 0))
        }
        "/metrics" => said(
            StatusCode::UNAUTHORIZED,
            "Authorization: Bearer with the value of DOORWARD_METRICS_TOKEN\n",
        ),
        _ => said(StatusCode::NOT_FOUND, "the metrics are at /metrics\n"),
    }
}

/// A page in somebody's browser could have a name of its own lead here.
fn is_own_name(request: &Request<Incoming>) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn has_token(request: &Request<Incoming>, token: &str) -> bool {
    let mut lines = request.headers().get_all(AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let Some((scheme, given)) = line.to_str().ok().and_then(|line| line.split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer") && bool::from(given.as_bytes().ct_eq(token.as_bytes()))
}
