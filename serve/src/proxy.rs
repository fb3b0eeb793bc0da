//! A request on its way to the origin, and the response on its way back: streaming both ways.

use std::sync::{Arc, Mutex};

use doorward::Reason;
use doorward_host::http::{self, Answer, Content, act, is_event_stream, say_public_addresses};
use doorward_host::{decide, receive};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Version};

use crate::body::{Counted, Outgoing, Progress};
use crate::over::over;
use crate::server::{Connection, Server};
use crate::tunnel::tunnel;

type Answered = Response<Content<Incoming>>;

/// Answers a request.
pub(crate) async fn answer(
    server: Arc<Server>,
    connection: Arc<Connection>,
    mut request: Request<Incoming>,
) -> Answered {
    let options = &server.options;
    if options.health.as_deref() == Some(request.uri().path()) {
        return health(&server);
    }
    let limit = options.max_body.unwrap_or(u64::MAX);
    if request.body().size_hint().lower() > limit {
        return too_large();
    }
    let gate = server.gate();
    let public_origin = options.public_origin.as_deref().unwrap_or(&connection.local);
    let address = client_address(&request, &connection, options.client_address_header.as_deref());
    let mut head = http::head(&request, public_origin, address.as_deref().unwrap_or_default());
    head.client_address = address;
    let client = is_web_socket(&request).then(|| hyper::upgrade::on(&mut request));
    let origin_side = Mutex::new(None);
    let progress = Arc::new(Progress::default());
    let send = |request| async {
        let request = outgoing(request, limit, &progress, client.is_some());
        let public_host = public_origin.split_once("://").map_or("", |(_, host)| host);
        sent(&gate.client, request, (public_origin, public_host), &progress, &origin_side).await
    };
    let decision = decide(&*gate, &head).await;
    let origin = gate.client.origin();
    let answered = act(&*gate, &head, decision, (request, origin), send).await;
    let Answer { mut response, connection, after } = answered;
    if progress.bytes() > limit {
        return too_large();
    }
    if let Some(pending) = after {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { receive(&*gate, pending).await });
    }
    let origin_side = origin_side.into_inner().ok().flatten();
    if let (Some(client), Some(origin)) = (client, origin_side) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        let opened = server.opened();
        tokio::spawn(async move {
            tunnel(client, origin, over(server, gate, head, connection)).await;
            drop(opened);
        });
        return response;
    }
    if !is_event_stream(&response) {
        return response;
    }
    let end = async move {
        over(server, gate, head, connection).await;
    };
    response.map(|content| content.until(end))
}

/// The request as it goes out: framed anew, and asking for a WebSocket if the client does.
fn outgoing(
    request: Request<Incoming>,
    limit: u64,
    progress: &Arc<Progress>,
    asks_for_web_socket: bool,
) -> Request<Outgoing> {
    let mut request = request.map(|body| match body.is_end_stream() {
        true => Outgoing::Empty,
        false => Outgoing::Client(Counted::new(body, limit, Arc::clone(progress))),
    });
    *request.version_mut() = Version::HTTP_11;
    if asks_for_web_socket {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        request.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    request
}

/// Sends it on. What the origin says about its own address is said of the public one.
async fn sent(
    client: &crate::client::Client,
    request: Request<Outgoing>,
    (public_origin, public_host): (&str, &str),
    progress: &Arc<Progress>,
    origin_side: &Mutex<Option<OnUpgrade>>,
) -> Result<Response<Incoming>, Reason> {
    let asks_for_web_socket = request.headers().contains_key(UPGRADE);
    let uri = request.uri();
    let scheme = uri.scheme_str().unwrap_or("http").to_owned();
    let own = uri.authority().map(ToString::to_string).unwrap_or_default();
    let (mut response, asked) = client.send(request, public_host, progress).await?;
    for host in [asked.as_str(), &own] {
        let address = [&scheme, "://", host].concat();
        say_public_addresses(response.headers_mut(), &address, public_origin);
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        // Switching protocols is no answer to who has not asked for it.
        if !asks_for_web_socket {
            return Err(Reason::OriginUnreachable);
        }
        if let Ok(mut side) = origin_side.lock() {
            *side = Some(hyper::upgrade::on(&mut response));
        }
    }
    Ok(response)
}

/// A WebSocket's handshake (RFC 6455 section 4.1). Any other protocol would be a second
/// conversation with the origin that the gate does not hear: it is not switched to.
fn is_web_socket(request: &Request<Incoming>) -> bool {
    let names = |name, word: &str| {
        let lines = request.headers().get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && names(UPGRADE, "websocket")
        && names(CONNECTION, "upgrade")
}

/// The client's address: the connection's, or the last of the header that a proxy in front writes.
pub(crate) fn client_address<B>(
    request: &Request<B>,
    connection: &Connection,
    header: Option<&str>,
) -> Option<String> {
    let said = header.and_then(|name| {
        let line = request.headers().get_all(name).iter().next_back()?.to_str().ok()?;
        let last = line.rsplit(',').next()?.trim();
        last.parse::<std::net::IpAddr>().ok()
    });
    said.or(connection.peer).map(|address| address.to_canonical().to_string())
}

/// Whether this server takes requests.
pub(crate) fn health(server: &Server) -> Answered {
    let (status, text) = match server.is_stopping() {
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        false => (StatusCode::OK, "ok\n"),
    };
    own(status, "text/plain; charset=utf-8", text.to_owned())
}

fn too_large() -> Answered {
    problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
}

/// A problem document of this server (RFC 9457).
pub(crate) fn problem(status: StatusCode, title: &str) -> Answered {
    let (number, title) = (status.as_u16(), serde_json::Value::from(title));
    let body = format!(r#"{{"type":"about:blank","title":{title},"status":{number}}}"#);
    own(status, "application/problem+json", body)
}

pub(crate) fn own(status: StatusCode, content_type: &'static str, body: String) -> Answered {
    let mut response = Response::new(Content::OfGate(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    headers.insert("cache-control", HeaderValue::from_static("private, no-store"));
    response
}
