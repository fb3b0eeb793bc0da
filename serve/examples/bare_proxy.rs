//! A proxy of hyper and nothing else: what `cargo xtask bench --serve` compares the server with.
//!
//! ```sh
//! cargo run --profile native -p doorward-serve --example bare_proxy -- 127.0.0.1:8081 127.0.0.1:3000
//! ```

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpListener;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut words = std::env::args().skip(1);
    let (listen, origin) = words.next().zip(words.next()).ok_or("listen and origin are missing")?;
    let listener = TcpListener::bind(listen).await?;
    let client: Client<HttpConnector, Incoming> = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .set_host(false)
        .build_http();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, origin) = (client.clone(), origin.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
            let uri = ["http://", &origin, target].concat().parse::<Uri>();
            let client = client.clone();
            async move {
                *request.uri_mut() = uri?;
                client.request(request).await.map_err(Error::from)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
