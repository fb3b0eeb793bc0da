//! The configurations of proxies that ask by forward-auth: safe, with every identity header of the
//! policy by its name.

mod caddy;
mod envoy;
mod given;
mod haproxy;
mod nginx;
mod traefik;

use std::io::Write as _;
use std::sync::Arc;

use crate::client::Client;
use crate::options::{Options, Proxy, Wrong};
use crate::setup;

use given::Given;

/// The application's address where none is given.
const USUAL_APP: &str = "http://127.0.0.1:3000";
/// What each of these configurations says of a request in its own words.
const SAID_BY_PROXY: [&str; 3] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

/// Prints a configuration to standard output.
pub(crate) fn print(options: &Options, proxy: Proxy) -> Result<(), Wrong> {
    let text = written(options, proxy)?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Wrong::new(format!("the configuration cannot be written: {error}")))
}

fn written(options: &Options, proxy: Proxy) -> Result<String, Wrong> {
    let app = options.upstream.as_ref().map_or(USUAL_APP, |upstream| &upstream.origin);
    let as_asked = Options { upstream: None, print: None, metrics: None, ..options.clone() };
    let client = Arc::new(Client::new(&as_asked)?);
    let gate = setup::silent_gate(&setup::source(options)?, &as_asked, &client)?;
    let (scheme, authority) = app.split_once("://").unwrap_or(("http", app));
    let is_said = |name: &&str| !SAID_BY_PROXY.contains(name);
    let given = Given {
        gate: options.listen.clone(),
        app: (scheme.to_owned(), authority.to_owned()),
        port: public_port(options.public_origin.as_deref()),
        secret: options.secret.clone(),
        removed: gate.names.removed.iter().copied().filter(is_said).collect(),
        names: gate.names.clone(),
    };
    let public = options.public_origin.as_deref().unwrap_or("https://app.example.com");
    let about = format!(
        "# Made by `doorward serve --print-config {name}`, beside\n#   doorward serve --verify {name} \
         --listen {listen} --public-origin {public}\n# Print it anew when claims or headers of \
         doorward.json change.\n",
        name = name(proxy),
        listen = given.gate,
    );
    let text = match proxy {
        Proxy::Nginx => nginx::configuration(&given),
        Proxy::Caddy => caddy::configuration(&given),
        Proxy::Haproxy => haproxy::configuration(&given),
        Proxy::Envoy => envoy::configuration(&given)?,
        Proxy::Traefik => traefik::configuration(&given)?,
    };
    Ok([about, text].concat())
}

const fn name(proxy: Proxy) -> &'static str {
    match proxy {
        Proxy::Nginx => "nginx",
        Proxy::Caddy => "caddy",
        Proxy::Haproxy => "haproxy",
        Proxy::Envoy => "envoy",
        Proxy::Traefik => "traefik",
    }
}

/// The port of an address with one, or the usual one of plain HTTP: who has TLS adds it.
fn public_port(public: Option<&str>) -> u16 {
    let port = public.and_then(|public| public.rsplit_once(':')).map(|(_, port)| port);
    port.and_then(|port| port.parse().ok()).unwrap_or(80)
}
