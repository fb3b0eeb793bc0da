//! The layer, and the service that it makes of another one.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use doorward::{ConfigError, Forward, Reason};
use doorward_host::http::{Content, header_pairs, is_event_stream};
use doorward_host::{
    FinalDecision, OwnedHead, alongside, connection_end, decide, finish, latin1, receive, refuse,
    response_headers,
};
use http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::uri::PathAndQuery;
use http::{Extensions, Request, Response, StatusCode, Uri};
use tower_layer::Layer;
use tower_service::Service;

use crate::gate::Gate;
use crate::identity::{Identity, Session};

/// The gate as a layer. Clones share its engine and its caches.
#[derive(Clone)]
pub struct GateLayer {
    gate: Arc<Gate>,
}

impl GateLayer {
    /// The gate with this configuration: a JSON document, empty for the preset `better-auth`, the
    /// variables that it names, and scheme, host and port that browsers see, like
    /// `https://app.example`.
    ///
    /// # Errors
    /// Every mistake in the configuration, at once.
    pub fn new(
        document: &str,
        variable: impl Fn(&str) -> Option<String>,
        public_origin: &str,
    ) -> Result<Self, Vec<ConfigError>> {
        Ok(Self { gate: Arc::new(Gate::new(document, variable, public_origin)?) })
    }

    /// The same, with how the client's network address is read from the extensions of a request;
    /// never take it from a header that clients can write. Nothing changes where the layer has
    /// been cloned already.
    #[must_use]
    pub fn with_client_address(
        mut self,
        address: impl Fn(&Extensions) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        if let Some(gate) = Arc::get_mut(&mut self.gate) {
            gate.address_of = Box::new(address);
        }
        self
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = GateService<S>;

    fn layer(&self, inner: S) -> GateService<S> {
        GateService { inner, gate: Arc::clone(&self.gate) }
    }
}

/// A service behind the gate.
#[derive(Clone)]
pub struct GateService<S> {
    inner: S,
    gate: Arc<Gate>,
}

impl<S, B, R> Service<Request<B>> for GateService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<Content<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready is used, and a clone stays for the next request.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        Box::pin(answered(Arc::clone(&self.gate), inner, request))
    }
}

async fn answered<S, B, R>(
    gate: Arc<Gate>,
    inner: S,
    request: Request<B>,
) -> Result<Response<Content<R>>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    let head = head(&gate, &request);
    let refusal = match decide(&*gate, &head).await {
        FinalDecision::Respond(served) => {
            return Ok(own(served.status, &served.headers, served.body));
        }
        FinalDecision::Redirect(refusal) | FinalDecision::Reject(refusal) => refusal,
        // Another origin is for hosts that are proxies.
        FinalDecision::Forward(forward) if forward.upstream.is_some() => {
            refuse(&*gate, &head, Reason::OriginUnreachable)
        }
        FinalDecision::Forward(forward) => match edited(request, &forward) {
            Some(request) => return passed(gate, head, forward, inner, request).await,
            None => refuse(&*gate, &head, Reason::PathRefused),
        },
    };
    Ok(own(refusal.status, &refusal.headers, refusal.body))
}

fn head<B>(gate: &Gate, request: &Request<B>) -> OwnedHead {
    let uri = request.uri();
    OwnedHead {
        method: request.method().to_string(),
        target: uri.path_and_query().map_or_else(|| uri.to_string(), ToString::to_string),
        headers: header_pairs(request.headers()),
        public_origin: gate.public_origin.clone(),
        client_address: (gate.address_of)(request.extensions()),
    }
}

/// The request that was decided about; nothing where it cannot be written.
fn edited<B>(mut request: Request<B>, forward: &Forward) -> Option<Request<B>> {
    let target: PathAndQuery = forward.target.parse().ok()?;
    if target.as_str() != forward.target {
        return None;
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(target);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    for name in &forward.remove {
        request.headers_mut().remove(name);
    }
    edit(request.headers_mut(), forward.set.iter())?;
    let session = forward.identity.as_deref().map(Session::read);
    // An identity that cannot be read is no anonymous request.
    let session = if let Some(read) = session { Some(read?) } else { None };
    request.extensions_mut().insert(Identity(session.map(Arc::new)));
    Some(request)
}

/// Lets the application answer, and adds what the gate has to add.
async fn passed<S, B, R>(
    gate: Arc<Gate>,
    head: OwnedHead,
    mut forward: Forward,
    mut inner: S,
    request: Request<B>,
) -> Result<Response<Content<R>>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    let (mut response, performed) =
        alongside(&*gate, forward.alongside.take(), inner.call(request)).await?;
    let pairs = header_pairs(response.headers());
    let cookies = pairs.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<&str> = cookies.map(|(_, line)| line.as_str()).collect();
    let finish = finish(&*gate, performed, &cookies);
    let added: Vec<_> = response_headers(forward.response_headers, finish).collect();
    let added = added.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    if edit(response.headers_mut(), added).is_none() {
        let refusal = refuse(&*gate, &head, Reason::HeadMalformed);
        return Ok(own(refusal.status, &refusal.headers, refusal.body));
    }
    if let Some(pending) = forward.after {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { receive(&*gate, pending).await });
    }
    let response = response.map(Content::OfOrigin);
    if !is_event_stream(&response) {
        return Ok(response);
    }
    // It ends with what it rests on: the token or session of its request.
    let limits = forward.connection;
    let end = async move {
        connection_end(&*gate, &head, limits).await;
    };
    Ok(response.map(|content| content.until(end)))
}

/// A response of the gate.
fn own<R>(status: u16, headers: &[(String, String)], body: String) -> Response<Content<R>> {
    let mut response = Response::new(Content::OfGate(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let Some((name, value)) = pair(name, value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Sets headers; lines of cookies and of `server-timing` come in addition. Nothing where one is
/// none that HTTP has.
fn edit<'a>(
    headers: &mut HeaderMap,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<()> {
    for (name, value) in pairs {
        let (name, value) = pair(name, value)?;
        if name == SET_COOKIE || name == "server-timing" {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
    Some(())
}

fn pair(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let value = HeaderValue::try_from(latin1::bytes(value)?).ok()?;
    Some((HeaderName::try_from(name).ok()?, value))
}
