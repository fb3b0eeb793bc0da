//! Does the smallest host keep a gate's promise? Over real sockets, before a real origin.

#![allow(clippy::panic, clippy::indexing_slicing)] // a test that panics has found something

#[path = "../examples/minimal_host.rs"]
#[allow(dead_code)] // its `main`
mod minimal_host;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use minimal_host::Error;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

const ISSUER: &str = "https://issuer.example";

#[test]
fn a_request_needs_a_token_and_the_origin_is_told_whose_it_is() -> Result<(), Error> {
    let key = SigningKey::from_slice(&[7; 32])?;
    let service = service(key_set(&key))?;
    let gate = gate(service)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;

    let (status, body) = get(gate, &["accept: application/json"])?;
    assert_eq!((status, reason(&body).as_str()), (401, "no_credential"));

    let bearer = ["authorization: Bearer ", &token(&key, now + Duration::from_secs(60))].concat();
    assert_eq!(get(gate, &[&bearer])?, (200, "this is alice".to_owned()));

    let forged = ["x-doorward-subject: root", "x-doorward-roles: admin", bearer.as_str()];
    assert_eq!(get(gate, &forged)?, (200, "this is alice".to_owned()));

    let expired = token(&key, now - Duration::from_secs(3600));
    let expired = ["authorization: Bearer ", &expired].concat();
    let (status, body) = get(gate, &["accept: application/json", &expired])?;
    assert_eq!((status, reason(&body).as_str()), (401, "token_expired"));

    let other = token(&SigningKey::from_slice(&[8; 32])?, now + Duration::from_secs(60));
    let other = ["authorization: Bearer ", &other].concat();
    let (status, body) = get(gate, &["accept: application/json", &other])?;
    assert_eq!((status, reason(&body).as_str()), (401, "signature_invalid"));
    Ok(())
}

/// The application's own page is shown under the status of the refusal, and hears nothing of the
/// visitor's credentials; where it fails, the gate's own is.
#[test]
fn a_page_of_the_origin_is_shown_in_place() -> Result<(), Error> {
    let service = service(key_set(&SigningKey::from_slice(&[7; 32])?))?;
    let gate = gate(service)?;
    let visitor =
        ["accept: text/html", "accept-language: de", "cookie: a=b", "x-doorward-subject: root"];

    let (status, body) = get(gate, &visitor)?;
    let heard: Vec<&str> = body.lines().collect();
    assert_eq!(status, 401, "{body}");
    assert_eq!(heard[0], "GET /errors/signed-out?reason=no_credential&from=%2Fapp HTTP/1.1");
    for line in ["accept-language: de", "x-forwarded-host: app.example", "x-forwarded-proto: https"]
    {
        assert!(heard.contains(&line), "{line} is missing in {body}");
    }
    assert!(!body.contains("cookie") && !body.contains("x-doorward"), "{body}");

    let bad = "authorization: Bearer a.b";
    let (status, body) = get(gate, &[visitor[0], bad])?;
    assert_eq!(status, 401);
    assert!(body.contains("reason=token_malformed"), "{body}");

    let (status, body) = get(gate, &[visitor[0], "host: b c"])?;
    assert_eq!(status, 400);
    assert!(body.contains("Code: path_refused"), "the page for 400 is too large: {body}");
    Ok(())
}

/// The gate in front of this port; its own port.
fn gate(origin: u16) -> Result<u16, Error> {
    let config = json!({
        "issuers": [{
            "type": "jwt",
            "issuer": ISSUER,
            "audience": "app",
            "jwks_url": format!("http://127.0.0.1:{origin}/jwks"),
        }],
        "rules": [{ "path": "/errors/**", "access": "public" }, { "path": "/**", "access": "required" }],
        "pages": { "400": "/errors/large", "401": "/errors/signed-out" },
    });
    let gate = minimal_host::start(|name| match name {
        "DOORWARD" => Some(config.to_string()),
        "ORIGIN_URL" => Some(format!("http://127.0.0.1:{origin}")),
        "PUBLIC_ORIGIN" => Some("https://app.example".to_owned()),
        _ => None,
    })?;
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || runtime.block_on(minimal_host::serve(listener, gate)));
    Ok(port)
}

/// Serves the issuer's key set, and pages that repeat the request's head; says to every other
/// request whose it is by its headers.
fn service(key_set: String) -> Result<u16, Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let answer = move |connection: &mut TcpStream| {
        let head = BufReader::new(&*connection).lines().map_while(Result::ok);
        let head: Vec<String> = head.take_while(|line| !line.is_empty()).collect();
        let body = if head.iter().any(|line| line.starts_with("GET /jwks ")) {
            key_set.clone()
        } else if head.iter().any(|line| line.starts_with("GET /errors/large?")) {
            "too large".repeat(100_000)
        } else if head.iter().any(|line| line.starts_with("GET /errors/")) {
            head.join("\n")
        } else {
            let told = head.iter().filter_map(|line| {
                let [subject, roles] = ["x-doorward-subject: ", "x-doorward-roles: "];
                line.strip_prefix(subject).or_else(|| line.strip_prefix(roles))
            });
            format!("this is {}", told.collect::<Vec<_>>().join(" and "))
        };
        write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", body.len())?;
        write!(connection, "content-type: text/html\r\nconnection: close\r\n\r\n{body}")
    };
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|mut connection| drop(answer(&mut connection)));
    });
    Ok(port)
}

/// Status and body of the answer to a request with these header lines.
fn get(port: u16, lines: &[&str]) -> Result<(u16, String), Error> {
    let mut connection = TcpStream::connect(("127.0.0.1", port))?;
    let head = [&["GET /app HTTP/1.1", "host: app.example", "connection: close"], lines].concat();
    write!(connection, "{}\r\n\r\n", head.join("\r\n"))?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no head")?;
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

fn reason(problem: &str) -> String {
    let problem: Value = serde_json::from_str(problem).unwrap_or_default();
    problem["reason"].as_str().unwrap_or_default().to_owned()
}

fn key_set(key: &SigningKey) -> String {
    let point = key.verifying_key().to_sec1_point(false);
    let [x, y] = [1..33, 33..65].map(|part| BASE64URL.encode(&point.as_bytes()[part]));
    json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y }] }).to_string()
}

fn token(key: &SigningKey, expires: Duration) -> String {
    let header = BASE64URL.encode(json!({ "alg": "ES256", "kid": "k" }).to_string());
    let claims = json!({ "iss": ISSUER, "aud": "app", "sub": "alice", "exp": expires.as_secs() });
    let input = [header, BASE64URL.encode(claims.to_string())].join(".");
    let signature: Signature = key.sign(input.as_bytes());
    [input, BASE64URL.encode(signature.to_bytes())].join(".")
}
