//! What the command line says, checked.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;

/// What is wrong, and what to do about it: for a person.
#[derive(Debug)]
pub struct Wrong {
    /// In a sentence.
    pub problem: String,
    /// What would be right, if that can be said.
    pub hint: Option<String>,
}

impl Wrong {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

/// A proxy that asks by forward-auth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proxy {
    Nginx,
    Caddy,
    Haproxy,
    Envoy,
    Traefik,
}

impl Proxy {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "nginx" => Self::Nginx,
            "caddy" => Self::Caddy,
            "haproxy" => Self::Haproxy,
            "envoy" => Self::Envoy,
            "traefik" => Self::Traefik,
            _ => return None,
        })
    }
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Whether nobody else can connect than who is on this machine.
    pub(crate) const fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where requests go to, and which name the origin is asked by.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    /// Scheme, host name and port.
    pub(crate) origin: String,
    /// Whether the origin hears the public name as `Host`; otherwise its own. Not given: as
    /// `docs/origins.md` says.
    pub(crate) keeps_public_host: Option<bool>,
}

/// What the command line says.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) listen: Address,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) verify: Option<Proxy>,
    pub(crate) print: Option<Proxy>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) public_origin: Option<String>,
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) health: Option<String>,
    pub(crate) client_address_header: Option<String>,
    pub(crate) max_head: usize,
    pub(crate) max_body: Option<u64>,
    pub(crate) max_connections: usize,
    pub(crate) origin_timeout: Duration,
    pub(crate) drain: Duration,
    /// What a proxy elsewhere proves itself by.
    pub(crate) secret: Option<String>,
    /// What whoever reads the metrics from elsewhere proves himself by.
    pub(crate) metrics_token: Option<String>,
}

/// A shorter secret could be guessed. Bytes.
const LEAST_SECRET: usize = 32;
/// The variables of secrets.
const SECRET: &str = "DOORWARD_VERIFY_SECRET";
const METRICS_TOKEN: &str = "DOORWARD_METRICS_TOKEN";
/// Variables that the public origin may be in.
const PUBLIC_ORIGIN: [&str; 2] = ["DOORWARD_PUBLIC_ORIGIN", "PUBLIC_ORIGIN"];

impl Options {
    /// What these options say, by their names without dashes, with the variables of this process.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn of(given: &[(String, String)]) -> Result<Self, Wrong> {
        Self::read(given, |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
    }

    fn read(
        given: &[(String, String)],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Wrong> {
        let given = Given(given);
        let proxy = |name| given.text(name).map(|word| proxy(name, word)).transpose();
        let (verify, print) = (proxy("verify")?, proxy("print-config")?);
        let usual = match verify.or(print) {
            Some(_) => "127.0.0.1:4180",
            None => "127.0.0.1:8080",
        };
        let public_origin = given.text("public-origin").map(str::to_owned);
        let public_origin =
            public_origin.or_else(|| PUBLIC_ORIGIN.iter().find_map(|name| variable(name)));
        let keeps_public_host = given.text("origin-host").map(|word| word == "public");
        let upstream =
            given.text("upstream").map(|url| bare_origin("upstream", url)).transpose()?;
        let secret = |name| checked_secret(name, variable(name));
        let options = Self {
            listen: address(given.text("listen").unwrap_or(usual))?,
            upstream: upstream.map(|origin| Upstream { origin, keeps_public_host }),
            verify,
            print,
            config: given.text("config").map(PathBuf::from),
            public_origin: public_origin
                .map(|url| bare_origin("public-origin", &url))
                .transpose()?,
            tls: tls(given.text("tls-cert"), given.text("tls-key"))?,
            metrics: given.text("metrics").map(|text| socket("metrics", text)).transpose()?,
            health: given.text("health").map(health).transpose()?,
            client_address_header: given.text("client-address-header").map(str::to_lowercase),
            max_head: given.number("max-head", 64 * 1024)?.max(8192),
            max_body: given.optional_number("max-body")?,
            max_connections: given.number("max-connections", 10_000)?.max(1),
            origin_timeout: Duration::from_secs(given.number("origin-timeout", 60)?),
            drain: Duration::from_secs(given.number("drain", 10)?),
            secret: secret(SECRET)?,
            metrics_token: secret(METRICS_TOKEN)?,
        };
        options.fit_together()?;
        Ok(options)
    }

    fn fit_together(&self) -> Result<(), Wrong> {
        if self.print.is_some() {
            return Ok(());
        }
        match (&self.upstream, self.verify) {
            (Some(_), Some(_)) => {
                return Err(Wrong::new("--upstream and --verify exclude each other").hint(
                    "--upstream: this server forwards requests; --verify: another proxy asks it",
                ));
            }
            (None, None) => {
                return Err(Wrong::new("neither --upstream nor --verify is given")
                    .hint("doorward serve --upstream http://127.0.0.1:3000"));
            }
            (None, Some(_)) if self.public_origin.is_none() => {
                return Err(Wrong::new("--public-origin is missing").hint(
                    "the address that visitors see, like https://app.example.com: a proxy's \
                     headers say only what the client has said",
                ));
            }
            (None, Some(_)) if !self.listen.is_local() && self.secret.is_none() => {
                return Err(Wrong::new(format!(
                    "{} can be reached from elsewhere, and {SECRET} is not set",
                    self.listen
                ))
                .hint(format!(
                    "listen on 127.0.0.1 or a Unix socket, or set {SECRET} (`doorward keys new \
                     --alg HS256` makes one); --print-config writes it into the proxy's \
                     configuration"
                )));
            }
            _ => {}
        }
        match self.metrics {
            Some(address) if !address.ip().is_loopback() && self.metrics_token.is_none() => {
                Err(Wrong::new(format!("{address} can be reached from elsewhere"))
                    .hint(format!("let --metrics listen on 127.0.0.1, or set {METRICS_TOKEN}")))
            }
            _ => Ok(()),
        }
    }
}

/// Options by their names.
struct Given<'a>(&'a [(String, String)]);

impl<'a> Given<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        let own = self.0.iter().rfind(|(own, _)| own == name);
        own.map(|(_, value)| value.as_str())
    }

    fn optional_number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, Wrong> {
        let number = |text: &str| {
            text.parse().map_err(|_| Wrong::new(format!("--{name} is not a whole number: {text}")))
        };
        self.text(name).map(number).transpose()
    }

    fn number<N: std::str::FromStr>(&self, name: &str, usual: N) -> Result<N, Wrong> {
        Ok(self.optional_number(name)?.unwrap_or(usual))
    }
}

fn proxy(name: &str, word: &str) -> Result<Proxy, Wrong> {
    Proxy::of(word).ok_or_else(|| Wrong::new(format!("--{name} knows no {word}")))
}

fn address(text: &str) -> Result<Address, Wrong> {
    match text.strip_prefix("unix:") {
        Some(path) => Ok(Address::Unix(path.into())),
        None => socket("listen", text).map(Address::Tcp),
    }
}

fn socket(name: &str, text: &str) -> Result<SocketAddr, Wrong> {
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    text.parse().map_err(|_| {
        Wrong::new(format!("--{name} is not an address and a port: {text}"))
            .hint("like 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080")
    })
}

/// Scheme, host name and port of a URL that has nothing else.
fn bare_origin(name: &str, url: &str) -> Result<String, Wrong> {
    let wrong = || {
        Wrong::new(format!("--{name} is not scheme, host name and port"))
            .hint("like http://127.0.0.1:3000, without a path")
    };
    let uri: Uri = url.trim().parse().map_err(|_| wrong())?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(wrong)?;
    let is_bare = uri.path() == "/" && uri.query().is_none();
    if !is_bare || !["http", "https"].contains(&scheme) || authority.as_str().contains('@') {
        return Err(wrong());
    }
    Ok([scheme, "://", &authority.as_str().to_ascii_lowercase()].concat())
}

fn tls(cert: Option<&str>, key: Option<&str>) -> Result<Option<(PathBuf, PathBuf)>, Wrong> {
    match (cert, key) {
        (Some(cert), Some(key)) => Ok(Some((cert.into(), key.into()))),
        (None, None) => Ok(None),
        _ => Err(Wrong::new("--tls-cert and --tls-key belong together")),
    }
}

fn health(path: &str) -> Result<String, Wrong> {
    let is_path = path.starts_with('/') && !path.contains(['?', '#', ' ']);
    is_path.then(|| path.to_owned()).ok_or_else(|| Wrong::new("--health is not a path"))
}

fn checked_secret(name: &str, value: Option<String>) -> Result<Option<String>, Wrong> {
    let is_plain = |value: &String| value.bytes().all(|byte| byte.is_ascii_graphic());
    match value {
        Some(value) if value.len() < LEAST_SECRET || !is_plain(&value) => Err(Wrong::new(format!(
            "{name} has less than {LEAST_SECRET} characters, or others \
                than visible ASCII"
        ))
        .hint("`doorward keys new --alg HS256` makes one")),
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "0123456789abcdef0123456789abcdef";

    fn read(line: &str, secret: Option<&str>) -> Result<Options, Wrong> {
        let words = line.split_whitespace().collect::<Vec<_>>();
        let pairs = words.chunks(2).map(|pair| match pair {
            [name, value] => (name.trim_start_matches('-').to_owned(), (*value).to_owned()),
            _ => Default::default(),
        });
        let variable = |name: &str| {
            secret.filter(|_| name == SECRET || name == METRICS_TOKEN).map(str::to_owned)
        };
        Options::read(&pairs.collect::<Vec<_>>(), variable)
    }

    #[test]
    fn forward_auth_is_reached_from_this_machine_or_with_a_secret() {
        let asked = "--verify nginx --public-origin https://a.test";
        let is_right = |more: &str, secret| read(&format!("{asked} {more}"), secret).is_ok();
        assert!(is_right("", None));
        assert!(is_right("--listen unix:/run/doorward.sock", None));
        assert!(is_right("--listen [::1]:4180", None));
        assert!(!is_right("--listen 0.0.0.0:4180", None));
        assert!(!is_right("--listen 10.0.0.1:4180", None));
        assert!(!is_right("--listen 0.0.0.0:4180", Some("short")));
        assert!(is_right("--listen 0.0.0.0:4180", Some(PLAIN)));
        assert!(
            read("--verify nginx", None).is_err(),
            "the public origin is not the proxy's to say"
        );
    }

    #[test]
    fn exactly_one_mode_is_chosen_and_addresses_are_bare() {
        assert!(read("--upstream http://127.0.0.1:3000", None).is_ok());
        assert!(read("", None).is_err());
        assert!(read("--upstream http://a --verify nginx --public-origin http://b", None).is_err());
        for url in ["http://a/x", "http://a?x", "ftp://a", "http://u:p@a", "a:3000", ""] {
            assert!(read(&format!("--upstream {url}"), None).is_err(), "{url}");
        }
        let upper = read("--upstream HTTP://App.Test:3000/", None);
        assert!(upper.is_ok_and(|options| {
            options.upstream.is_some_and(|upstream| upstream.origin == "http://app.test:3000")
        }));
    }

    #[test]
    fn metrics_are_for_this_machine_or_for_a_token() {
        let is_right = |more: &str, secret| {
            read(&format!("--upstream http://127.0.0.1:3000 --metrics {more}"), secret).is_ok()
        };
        assert!(is_right("127.0.0.1:9464", None) && is_right("localhost:9464", None));
        assert!(!is_right("0.0.0.0:9464", None) && is_right("0.0.0.0:9464", Some(PLAIN)));
    }
}
