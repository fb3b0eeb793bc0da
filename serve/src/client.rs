//! Connections of this server to others: to the origin, and to auth services and issuers.

use std::error::Error as _;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use doorward::{Fetch, Reason};
use doorward_host::Failure;
use hyper::body::{Body as _, Incoming};
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::Error;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use crate::body::{Outgoing, Progress};
use crate::options::{Options, Upstream, Wrong};
use crate::tls;

/// A connection that is not there by then does not come.
const CONNECT: Duration = Duration::from_secs(5);
/// Many servers close an idle connection after five seconds (Node): one that is used again must not
/// be closing.
const IDLE: Duration = Duration::from_secs(4);
/// A response's head may be so large.
const MAX_HEAD: usize = 128 * 1024;

/// What sends requests.
pub(crate) struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Outgoing>,
    upstream: Option<Upstream>,
    timeout: Duration,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, Wrong> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls::client()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http1_max_buf_size(MAX_HEAD)
            .set_host(false)
            .build(connector);
        let timeout = options.origin_timeout;
        Ok(Self { pool, upstream: options.upstream.clone(), timeout })
    }

    /// Where requests go to that no rule sends elsewhere.
    pub(crate) fn origin(&self) -> &str {
        self.upstream.as_ref().map_or("", |upstream| upstream.origin.as_str())
    }

    /// Sends the request of an effect.
    pub(crate) async fn fetch(
        &self,
        request: Request<()>,
        fetch: &Fetch,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = request.map(|()| Outgoing::Empty);
        let is_own = fetch.url.starts_with('/');
        let public = request.headers().get("x-forwarded-host").cloned().filter(|_| is_own);
        let host = self.host(request.uri(), public.as_ref()).ok_or(Failure::Failed)?;
        request.headers_mut().insert(HOST, host);
        self.pool.request(request).await.map_err(|error| Failure::Unreachable(code(&error)))
    }

    /// Sends a client's request on, and says by which name the origin was asked. `public_host` is
    /// the name that the client knows this site by.
    pub(crate) async fn send(
        &self,
        mut request: Request<Outgoing>,
        public_host: &str,
        progress: &Arc<Progress>,
    ) -> Result<(Response<Incoming>, String), Reason> {
        let public = HeaderValue::try_from(public_host).ok();
        let host = self.host(request.uri(), public.as_ref()).ok_or(Reason::HeadMalformed)?;
        let asked = host.to_str().unwrap_or_default().to_owned();
        request.headers_mut().insert(HOST, host);
        let again = repeatable(&request);
        let response = match self.sent(request, progress).await {
            // It may have closed a connection that is kept in the moment in which it was used
            // again: then it has not read the request.
            Err(Some(error)) if !error.is_connect() => match again {
                Some(again) => self.sent(again, progress).await,
                None => Err(Some(error)),
            },
            response => response,
        };
        match response {
            Ok(response) => Ok((response, asked)),
            Err(Some(_)) => Err(Reason::OriginUnreachable),
            Err(None) => Err(Reason::OriginTimedOut),
        }
    }

    /// The response; the error, or nothing where it took too long. While the body goes out the
    /// origin may wait for the rest of it.
    async fn sent(
        &self,
        request: Request<Outgoing>,
        progress: &Arc<Progress>,
    ) -> Result<Response<Incoming>, Option<Error>> {
        let mut response = std::pin::pin!(self.pool.request(request));
        let mut before = 0;
        loop {
            match timeout(self.timeout, response.as_mut()).await {
                Ok(response) => return response.map_err(Some),
                Err(_) if progress.bytes() > before => before = progress.bytes(),
                Err(_) => return Err(None),
            }
        }
    }

    /// The name by which a server is asked.
    fn host(&self, uri: &Uri, public: Option<&HeaderValue>) -> Option<HeaderValue> {
        let own = uri.authority()?;
        let upstream = self.upstream.as_ref().filter(|upstream| {
            let origin = upstream.origin.split_once("://").map(|(_, authority)| authority);
            origin == Some(own.as_str())
        });
        let keeps_public = upstream
            .and_then(|upstream| upstream.keeps_public_host)
            .unwrap_or_else(|| !has_virtual_hosts(own.host()));
        let public = public.filter(|_| keeps_public).cloned();
        public.map_or_else(|| HeaderValue::try_from(own.as_str()).ok(), Some)
    }
}

/// A server chooses one of its sites by a domain name: not by an address, nor by a name without
/// dots (`localhost`, a container's).
fn has_virtual_hosts(host: &str) -> bool {
    let is_address =
        host.starts_with('[') || host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    !is_address && host.contains('.')
}

/// The same request again, if it changes nothing (RFC 9110 section 9.2.1) and brings no body.
fn repeatable(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if !is_safe || !request.body().is_end_stream() {
        return None;
    }
    let mut again = Request::new(Outgoing::Empty);
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

/// A word for the log.
fn code(error: &Error) -> &'static str {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            match error.kind() {
                ErrorKind::ConnectionRefused => return "ECONNREFUSED",
                ErrorKind::ConnectionReset => return "ECONNRESET",
                ErrorKind::TimedOut => return "ETIMEDOUT",
                ErrorKind::HostUnreachable => return "EHOSTUNREACH",
                ErrorKind::NetworkUnreachable => return "ENETUNREACH",
                ErrorKind::InvalidData => return "TLS",
                _ => {}
            }
        }
        cause = error.source();
    }
    if error.is_connect() { "CONNECT" } else { "CONNECTION_LOST" }
}
