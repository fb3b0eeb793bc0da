//! What every host with the types of the crate `http` does (hyper, axum and others), for any type of
//! body: the head of a request, a forward and its response, the gate's own responses, and the
//! response to a fetch.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf as _;
use doorward::{
    ConnectionLimits, Fetch, Forward, Onward, PendingEffect, Reason, Refusal, response_removals,
};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body::{Body, Frame, SizeHint};

use crate::decide::{FinalDecision, decide, refuse};
use crate::forward::{alongside, finish, onward, response_headers};
use crate::head::{OwnedHead, borrowed};
use crate::host::Host;
use crate::latin1;
use crate::result::Failure;

pub use crate::own_address::say_public_addresses;

/// The answer to a request, and what it leaves to do.
pub struct Answer<B> {
    /// What the client gets.
    pub response: Response<Content<B>>,
    /// How long it may last, if it is a stream: [`crate::connection_end`].
    pub connection: ConnectionLimits,
    /// What is left to do in the background: [`crate::receive`].
    pub after: Option<PendingEffect>,
}

/// The body of a response.
pub enum Content<B> {
    /// That of the origin's response.
    OfOrigin(B),
    /// The same, which breaks off when this future ends: a stream whose credential ends.
    OfOriginUntil(B, Pin<Box<dyn Future<Output = ()> + Send>>),
    /// One that the gate itself has written.
    OfGate(String),
}

impl<B> Content<B> {
    /// The same, which breaks off when this future ends, if it is the origin's.
    #[must_use]
    pub fn until(self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        match self {
            Self::OfOrigin(body) => Self::OfOriginUntil(body, Box::pin(end)),
            other => other,
        }
    }
}

impl<B: Body<Data: From<String>> + Unpin> Body for Content<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.get_mut() {
            Self::OfGate(text) if text.is_empty() => Poll::Ready(None),
            Self::OfGate(text) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(text).into())))),
            Self::OfOrigin(body) => Pin::new(body).poll_frame(context),
            Self::OfOriginUntil(body, end) => match end.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => Pin::new(body).poll_frame(context),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::OfGate(text) => text.is_empty(),
            Self::OfOrigin(body) | Self::OfOriginUntil(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::OfGate(text) => SizeHint::with_exact(u64::try_from(text.len()).unwrap_or(0)),
            Self::OfOrigin(body) => body.size_hint(),
            Self::OfOriginUntil(..) => SizeHint::default(),
        }
    }
}

/// The head of a request. `public_origin` and `client_address` are as [`OwnedHead`] has them.
pub fn head<B>(request: &Request<B>, public_origin: &str, client_address: &str) -> OwnedHead {
    let mut headers = header_pairs(request.headers());
    if request.version() >= Version::HTTP_2
        && let Some(authority) = request.uri().authority()
        && headers.iter().all(|(name, value)| name != "host" || value != authority.as_str())
    {
        // Where `Host` names another, these are two (RFC 9113 section 8.3.1).
        headers.push(("host".to_owned(), authority.to_string()));
    }
    OwnedHead {
        method: request.method().to_string(),
        target: target(request),
        headers,
        public_origin: public_origin.to_owned(),
        client_address: Some(client_address.to_owned()),
    }
}

/// Path and query as they were received. In HTTP/1.1 only a proxy of the client's is asked for a
/// whole address (RFC 9112 section 3.2.2): it stays what it is, and no rule has it.
fn target<B>(request: &Request<B>) -> String {
    let uri = request.uri();
    let is_whole = request.version() < Version::HTTP_2 && uri.authority().is_some();
    match uri.path_and_query().filter(|_| !is_whole) {
        Some(target) => target.to_string(),
        None => uri.to_string(),
    }
}

/// Decides on a request and acts on the decision: a forward goes to its upstream, or else to
/// `origin` (scheme, host name and port), by `send`. A client that writes `Host` by itself and
/// follows no redirect will do.
pub async fn answer<H: Host, B, R, S>(
    host: &H,
    head: &OwnedHead,
    request: Request<B>,
    origin: &str,
    send: impl FnOnce(Request<B>) -> S,
) -> Answer<R>
where
    S: Future<Output = Result<Response<R>, Reason>>,
{
    act(host, head, decide(host, head).await, (request, origin), send).await
}

/// The second half of [`answer`]: acts on a decision.
pub async fn act<H: Host, B, R, S>(
    host: &H,
    head: &OwnedHead,
    decision: FinalDecision,
    (request, origin): (Request<B>, &str),
    send: impl FnOnce(Request<B>) -> S,
) -> Answer<R>
where
    S: Future<Output = Result<Response<R>, Reason>>,
{
    let (mut connection, mut after) = (ConnectionLimits::default(), None);
    let refusal = match decision {
        FinalDecision::Respond(served) => {
            let response = own(served.status, &served.headers, served.body);
            return Answer { response, connection, after };
        }
        FinalDecision::Redirect(refusal) | FinalDecision::Reject(refusal) => refusal,
        FinalDecision::Forward(mut forward) => {
            (connection, after) = (forward.connection, forward.after.take());
            match sent_on(host, head, forward, request, (origin, send)).await {
                Ok(response) => {
                    let response = response.map(Content::OfOrigin);
                    return Answer { response, connection, after };
                }
                Err(reason) => refuse(host, head, reason),
            }
        }
    };
    Answer { response: refused(refusal), connection, after }
}

/// A refusal as it is sent.
pub fn refused<B>(refusal: Refusal) -> Response<Content<B>> {
    own(refusal.status, &refusal.headers, refusal.body)
}

/// The request of an effect; a path goes to `origin`, like a forward.
///
/// # Errors
/// It is none that HTTP has.
pub fn fetch_request(fetch: &Fetch, origin: &str) -> Result<Request<()>, Failure> {
    let origin = if fetch.url.starts_with('/') { origin } else { "" };
    let url = [origin, &fetch.url].concat();
    let mut request = Request::builder().method(fetch.method).uri(url);
    for (name, value) in &fetch.headers {
        request = request.header(name, latin1::bytes(value).ok_or(Failure::Failed)?);
    }
    request.body(()).map_err(|_| Failure::Failed)
}

/// The result of an effect from the response to its request. Of a body that is larger than the
/// effect allows the rest is not read.
///
/// # Errors
/// The body is too large, or breaks off.
pub async fn fetched<B: Body + Unpin>(
    response: Response<B>,
    fetch: &Fetch,
) -> Result<crate::Response, Failure> {
    let (head, mut origin) = response.into_parts();
    let max_bytes = usize::try_from(fetch.max_bytes)?;
    let mut body = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut origin).poll_frame(context)).await {
        let Ok(mut data) = frame.map_err(|_| Failure::Failed)?.into_data() else { continue };
        if data.remaining() > max_bytes.saturating_sub(body.len()) {
            return Err(Failure::TooLarge);
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            let length = chunk.len();
            body.extend_from_slice(chunk);
            data.advance(length);
        }
    }
    let (status, headers) = (head.status.as_u16(), header_pairs(&head.headers));
    Ok(crate::Response { status, headers, body })
}

/// Header pairs as the engine reads them.
pub fn header_pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), latin1::text(value.as_bytes()))
    };
    headers.iter().map(text).collect()
}

/// Whether a response is an event stream, or another that lasts until one of its ends closes it: by
/// its type its content is news, not a document.
pub fn is_event_stream<B>(response: &Response<B>) -> bool {
    let content_type = response.headers().get(http::header::CONTENT_TYPE);
    let Some(essence) = content_type.and_then(|value| value.to_str().ok()?.split(';').next())
    else {
        return false;
    };
    let essence = essence.trim().to_ascii_lowercase();
    STREAMS.contains(&essence.as_str()) || essence.starts_with("application/grpc")
}

/// Types of streams. The npm package has the same list (`middleware/open.js`).
const STREAMS: [&str; 7] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/json-seq",
    "application/stream+json",
    "multipart/x-mixed-replace",
];

/// Sends a request on, and gives its response with the gate's edits.
async fn sent_on<H: Host, B, R, S>(
    host: &H,
    head: &OwnedHead,
    mut forward: Forward,
    mut request: Request<B>,
    (origin, send): (&str, impl FnOnce(Request<B>) -> S),
) -> Result<Response<R>, Reason>
where
    S: Future<Output = Result<Response<R>, Reason>>,
{
    let origin = forward.upstream.as_deref().unwrap_or(origin);
    let uri: Uri = [origin, &forward.target].concat().parse().map_err(|_| Reason::PathRefused)?;
    if uri.path_and_query().is_none_or(|sent| sent.as_str() != forward.target) {
        return Err(Reason::PathRefused);
    }
    *request.uri_mut() = uri;
    let Onward { remove, set } = onward(host, head, &forward).ok_or(Reason::NotStarted)?;
    for name in remove {
        request.headers_mut().remove(name);
    }
    edit(request.headers_mut(), set.iter())?;
    // The client writes `Host` itself, and switches to no other protocol.
    for name in [http::header::HOST, http::header::UPGRADE] {
        request.headers_mut().remove(name);
    }
    let (mut response, performed) =
        alongside(host, forward.alongside.take(), send(request)).await?;
    let headers = header_pairs(response.headers());
    for name in response_removals(&borrowed(&headers)) {
        response.headers_mut().remove(name);
    }
    let cookies = headers.iter().filter(|(name, _)| name == "set-cookie");
    let cookies: Vec<&str> = cookies.map(|(_, line)| line.as_str()).collect();
    let finish = finish(host, performed, &cookies);
    let added: Vec<_> = response_headers(forward.response_headers, finish).collect();
    edit(response.headers_mut(), borrowed(&added))?;
    Ok(response)
}

/// A response of the gate.
fn own<B>(status: u16, headers: &[(String, String)], body: String) -> Response<Content<B>> {
    let mut response = Response::new(Content::OfGate(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    for (name, value) in headers {
        let value = latin1::bytes(value).and_then(|value| HeaderValue::try_from(value).ok());
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
            response.headers_mut().append(name, value);
        }
    }
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
        if name == http::header::SET_COOKIE {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
    Ok(())
}
