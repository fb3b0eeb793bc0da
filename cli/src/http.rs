//! HTTP: one request, one response as it came, or how far it got.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::net::ToSocketAddrs as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorward_doctor::effects::{EffectResult, HttpFailure, HttpRequest, HttpResponse, Phase};
use ureq::config::{AutoHeaderValue, Config};
use ureq::http;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Timeout};

use crate::clock;

/// Agents, each with its open connections.
#[derive(Clone, Default)]
pub(crate) struct Client {
    agents: Arc<Mutex<BTreeMap<AgentKey, Agent>>>,
}

/// What requests over one agent have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct AgentKey {
    connect: Option<String>,
    ca_files: Vec<String>,
    max_header_bytes: usize,
}

impl Client {
    /// Sends the request; follows no redirect.
    pub(crate) fn send(&self, request: &HttpRequest) -> EffectResult {
        match self.exchange(request) {
            Ok(response) => EffectResult::Http(response),
            Err(failure) => EffectResult::HttpFailed(failure),
        }
    }

    fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let agent = self.agent(request);
        let started_millis = clock::now();
        let mut builder =
            http::Request::builder().method(request.method.as_str()).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value.as_bytes());
        }
        let has_body = request.body.is_some() || request.method == "POST";
        let timeout = Some(Duration::from_millis(request.timeout_millis));
        let response = if has_body {
            let body = request.body.clone().unwrap_or_default();
            let request = builder.body(body).map_err(|_| malformed())?;
            agent.run(agent.configure_request(request).timeout_global(timeout).build())
        } else {
            let request = builder.body(()).map_err(|_| malformed())?;
            agent.run(agent.configure_request(request).timeout_global(timeout).build())
        };
        let mut response = response.map_err(|error| failure(&error))?;
        let mut body = Vec::new();
        let limit = u64::try_from(request.max_body_bytes).unwrap_or(u64::MAX);
        // A body that breaks off is a body that was short: what came of it counts.
        let _ = response.body_mut().as_reader().take(limit).read_to_end(&mut body);
        let headers = response.headers().iter().map(|(name, value)| {
            // Each byte is a character, as Node has it.
            let value = value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
            (name.as_str().to_owned(), value)
        });
        Ok(HttpResponse {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body,
            started_millis,
            ended_millis: clock::now(),
        })
    }

    fn agent(&self, request: &HttpRequest) -> Agent {
        let key = AgentKey {
            connect: request.connect.clone(),
            ca_files: request.ca_files.clone(),
            max_header_bytes: request.max_header_bytes,
        };
        if request.fresh_connection {
            return agent(&key);
        }
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        agents.entry(key).or_insert_with_key(agent).clone()
    }
}

fn agent(key: &AgentKey) -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots(&key.ca_files))));
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .user_agent(AutoHeaderValue::None)
        .accept(AutoHeaderValue::None)
        .accept_encoding(AutoHeaderValue::None)
        .proxy(None)
        .max_response_header_size(key.max_header_bytes)
        .input_buffer_size(key.max_header_bytes.saturating_add(16 * 1024))
        .tls_config(tls.build())
        .build();
    Agent::with_parts(
        config,
        DefaultConnector::default(),
        Addresses { connect: key.connect.clone() },
    )
}

/// The platform's authorities and those of these files.
fn roots(files: &[String]) -> Vec<Certificate<'static>> {
    let platform = rustls_native_certs::load_native_certs();
    let mut roots: Vec<_> = platform
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned())
        .collect();
    for file in files {
        let Ok(pem) = std::fs::read(file) else { continue };
        roots.extend(parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        }));
    }
    roots
}

/// Connects where it is told to, and to the URL's host otherwise.
#[derive(Debug)]
struct Addresses {
    connect: Option<String>,
}

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some(connect) = &self.connect else {
            return DefaultResolver::default().resolve(uri, config, timeout);
        };
        let mut found = self.empty();
        for address in connect.to_socket_addrs()?.take(4) {
            found.push(address);
        }
        if found.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(found) }
    }
}

fn malformed() -> HttpFailure {
    HttpFailure { phase: Phase::Http, kind: "malformed".to_owned() }
}

/// How far it got, in words that are the same from each carrier.
fn failure(error: &ureq::Error) -> HttpFailure {
    let (phase, kind) = match error {
        ureq::Error::HostNotFound => (Phase::Dns, "not-found"),
        ureq::Error::ConnectionFailed => (Phase::Connect, "refused"),
        ureq::Error::Timeout(Timeout::Resolve) => (Phase::Dns, "temporary"),
        ureq::Error::Timeout(_) => (Phase::Timeout, ""),
        ureq::Error::LargeResponseHeader(..) => (Phase::Headers, ""),
        ureq::Error::Rustls(error) => (Phase::Tls, of_rustls(&error.to_string())),
        ureq::Error::Tls(_) | ureq::Error::Pem(_) => (Phase::Tls, "protocol"),
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => (Phase::Http, "malformed"),
        ureq::Error::Io(error) => of_io(error),
        _ => (Phase::Http, ""),
    };
    HttpFailure { phase, kind: kind.to_owned() }
}

fn of_io(error: &std::io::Error) -> (Phase, &'static str) {
    let words = error.to_string();
    // A failed handshake comes as an error of the stream.
    if words.contains("certificate") || words.contains("tls") || words.contains("TLS") {
        return (Phase::Tls, of_rustls(&words));
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => (Phase::Connect, "refused"),
        ErrorKind::HostUnreachable => (Phase::Connect, "unreachable"),
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => (Phase::Network, "unreachable"),
        ErrorKind::TimedOut => (Phase::Timeout, ""),
        ErrorKind::InvalidData => (Phase::Tls, of_rustls(&words)),
        _ if words.contains("failed to lookup") => match words.contains("emporary") {
            true => (Phase::Dns, "temporary"),
            false => (Phase::Dns, "not-found"),
        },
        _ => (Phase::Http, "closed"),
    }
}

/// rustls names what is wrong with a certificate in its words.
fn of_rustls(words: &str) -> &'static str {
    let kinds = [
        ("NotValidForName", "name-mismatch"),
        ("not valid for name", "name-mismatch"),
        ("Expired", "expired"),
        ("expired", "expired"),
        ("NotValidYet", "not-yet-valid"),
        ("not valid yet", "not-yet-valid"),
        ("UnknownIssuer", "untrusted"),
        ("CaUsedAsEndEntity", "untrusted"),
        ("invalid peer certificate", "untrusted"),
    ];
    kinds.iter().find(|(part, _)| words.contains(part)).map_or("protocol", |(_, kind)| *kind)
}
