//! An application of axum behind the gate.
//!
//! ```sh
//! BETTER_AUTH_URL=http://localhost:3000 BETTER_AUTH_SECRET=… PORT=8080 \
//! PUBLIC_ORIGIN=http://localhost:8080 cargo run -p doorward-tower --features axum --example axum
//! ```

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use doorward_tower::{GateLayer, Identity};
use futures_util::{StreamExt as _, stream};
use tower_layer::Layer as _;

const DOCUMENT: &str = r#"{
  "extends": "better-auth",
  "public": ["/"],
  "require": { "/admin/**": { "roles": "admin" } },
  "debug_header": true
}"#;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let variable = |name: &str| std::env::var(name).ok();
    let port: u16 = variable("PORT").unwrap_or_default().parse()?;
    let origin = variable("PUBLIC_ORIGIN").ok_or("PUBLIC_ORIGIN is not set")?;
    let gate = GateLayer::new(DOCUMENT, variable, &origin).map_err(|all| format!("{all:#?}"))?;
    let gate = gate.with_client_address(|extensions| {
        extensions.get::<ConnectInfo<SocketAddr>>().map(|client| client.0.ip().to_string())
    });
    let pages = Router::new()
        .route("/", get(async |who, headers| about("home", who, headers)))
        .route("/dashboard", get(async |who, headers| about("dashboard", who, headers)))
        .route("/api/me", get(async |who, headers| about("me", who, headers)))
        .route("/api/note", post(note))
        .route("/private.txt", get(async || "content:private-file"))
        .route("/stream", get(events))
        .layer(DefaultBodyLimit::max(20 << 20));
    // Around the whole router. `pages.layer(gate)` would be around those routes only that are there
    // already; what is added to `app` has no gate.
    let app = Router::new().fallback_service(gate.layer(pages.clone()));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    if std::env::var_os("WITHOUT_GATE").is_some() {
        // The wrong set-up: nothing is in front of the pages. Who asks who it is gets an error.
        axum::serve(listener, pages).await?;
        return Ok(());
    }
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn note(who: Identity, headers: HeaderMap, body: Bytes) -> String {
    format!("{} bytes:{}", about("note", who, headers), body.len())
}

/// `Identity` is who is asking; in a route that the gate has not seen it is a 500.
#[allow(clippy::needless_pass_by_value)] // as extractors give them
fn about(place: &str, Identity(who): Identity, headers: HeaderMap) -> String {
    let who = who.map_or_else(|| "nobody".to_owned(), |session| session.subject.clone());
    let header = headers.get("x-doorward-subject").and_then(|value| value.to_str().ok());
    format!("content:{place} who:{who} header:{}", header.unwrap_or("none"))
}

async fn events(who: Identity, headers: HeaderMap) -> Response {
    let first = format!("data: {}\n\n", about("stream", who, headers));
    let later = stream::once(async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        String::new()
    });
    let events = stream::once(async { first }).chain(later).map(Ok::<_, Infallible>);
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}
