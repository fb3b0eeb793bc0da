//! Connections of clients: accepted within a limit, with TLS or without, in HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, timeout};

use crate::options::{Address, Wrong};
use crate::server::{Connection, Opened, Server};
use crate::{log, proxy, verify};

/// A client that has not shaken hands by then, or sent the head of its next request, is gone.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(60);
/// Streams of one connection.
const MAX_STREAMS: u32 = 200;
/// After a failure to accept (no more file descriptors) it is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// What waits for connections.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    pub(crate) async fn bind(address: &Address) -> Result<Self, Wrong> {
        let bound = match address {
            Address::Tcp(socket) => TcpListener::bind(socket).await.map(Self::Tcp),
            #[cfg(unix)]
            Address::Unix(path) => {
                // What a server has left behind that nobody listens at.
                let connected = std::os::unix::net::UnixStream::connect(path);
                if connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
                    let _ = std::fs::remove_file(path);
                }
                UnixListener::bind(path).map(Self::Unix)
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(ErrorKind::Unsupported.into()),
        };
        bound.map_err(|error| Wrong::new(format!("nothing can listen at {address}: {error}")))
    }

    /// Where it listens: the port that it has got, where any was asked for.
    pub(crate) fn address(&self, asked: &Address) -> Address {
        match self {
            Self::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| asked.clone(), Address::Tcp)
            }
            #[cfg(unix)]
            Self::Unix(_) => asked.clone(),
        }
    }
}

/// Accepts connections until the server stops.
pub(crate) async fn accept(listener: Listener, server: Arc<Server>) {
    loop {
        let Ok(room) = Arc::clone(&server.room).acquire_owned().await else { return };
        let place = (server.opened(), room);
        let accepted = async {
            match &listener {
                Listener::Tcp(listener) => {
                    let (stream, peer) = listener.accept().await?;
                    tokio::spawn(tcp(stream, peer, place, Arc::clone(&server)));
                }
                #[cfg(unix)]
                Listener::Unix(listener) => {
                    let (stream, _) = listener.accept().await?;
                    let local = "http://localhost".to_owned();
                    let connection = Connection { peer: None, local };
                    let served = plain(stream, connection, Arc::clone(&server));
                    tokio::spawn(held(place, served));
                }
            }
            Ok::<_, std::io::Error>(())
        };
        tokio::select! {
            accepted = accepted => if let Err(error) = accepted {
                log::event("accept_failed", &[("problem", &error.to_string())]);
                sleep(AGAIN).await;
            },
            () = server.stopped() => return,
        }
    }
}

/// A connection's place, for as long as it is served.
type Place = (Opened, OwnedSemaphorePermit);

async fn held(place: Place, served: impl Future<Output = ()>) {
    served.await;
    drop(place);
}

async fn tcp(stream: TcpStream, peer: SocketAddr, place: Place, server: Arc<Server>) {
    let _ = stream.set_nodelay(true);
    let scheme = if server.acceptor.is_some() { "https" } else { "http" };
    let local = stream
        .local_addr()
        .map(|address| SocketAddr::new(address.ip().to_canonical(), address.port()).to_string());
    let local = [scheme, "://", &local.unwrap_or_default()].concat();
    let connection = Connection { peer: Some(peer.ip().to_canonical()), local };
    match server.acceptor.as_ref().map(|acceptor| acceptor.current()) {
        None => held(place, plain(stream, connection, server)).await,
        Some(acceptor) => {
            let Some(acceptor) = acceptor else { return };
            let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let served = async {
                match is_h2 {
                    true => multiplexed(stream, connection, server).await,
                    false => plain(stream, connection, server).await,
                }
            };
            held(place, served).await;
        }
    }
}

/// HTTP/1.1.
async fn plain<S>(stream: S, connection: Connection, server: Arc<Server>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(server.options.max_head);
    let connection = Arc::new(connection);
    let stream = TokioIo::new(stream);
    if server.options.verify.is_some() {
        let service = service_fn(|request| {
            unfailing(verify::answer(Arc::clone(&server), Arc::clone(&connection), request))
        });
        let mut served = pin!(http.serve_connection(stream, service));
        tokio::select! {
            _ = served.as_mut() => return,
            () = server.stopped() => served.as_mut().graceful_shutdown(),
        }
        let _ = served.await;
    } else {
        let service = service_fn(|request| {
            unfailing(proxy::answer(Arc::clone(&server), Arc::clone(&connection), request))
        });
        let mut served = pin!(http.serve_connection(stream, service).with_upgrades());
        tokio::select! {
            _ = served.as_mut() => return,
            () = server.stopped() => served.as_mut().graceful_shutdown(),
        }
        let _ = served.await;
    }
}

/// HTTP/2.
async fn multiplexed<S>(stream: S, connection: Connection, server: Arc<Server>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(server.options.max_head).unwrap_or(u32::MAX));
    let connection = Arc::new(connection);
    let service = service_fn(|request| {
        let (server, connection) = (Arc::clone(&server), Arc::clone(&connection));
        unfailing(async move {
            match server.options.verify {
                Some(_) => verify::answer(server, connection, request).await,
                None => proxy::answer(server, connection, request).await,
            }
        })
    });
    let mut served = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = served.as_mut() => return,
        () = server.stopped() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

async fn unfailing<B>(
    response: impl Future<Output = Response<B>>,
) -> Result<Response<B>, Infallible> {
    Ok(response.await)
}
