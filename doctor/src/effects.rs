//! What a command asks its carrier to do, and what comes of it.
//!
//! A command is an `async fn` that calls [`Io`]. Each call puts one [`Effect`] before the carrier
//! and waits for its [`EffectResult`], so a command reads from top to bottom and yet performs no
//! IO: the native carrier, the WebAssembly carrier and tests play the same command.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use serde::Serialize;
use serde_json::Value;

use crate::functions::Carrier;
use crate::order;

/// What the carrier is asked to do.
#[derive(Clone, Serialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Effect {
    /// Sends one HTTP request, follows no redirect, and gives the response or the failure.
    Http(HttpRequest),
    /// Reads a file, of at most this many bytes. The path `-` is standard input.
    Read {
        /// The file, relative to the working directory.
        path: String,
        /// A longer file is a failure.
        max_bytes: usize,
    },
    /// Lists a directory: names only, a directory's with `/` at the end.
    List {
        /// The directory.
        dir: String,
    },
    /// The value of an environment variable.
    Env {
        /// Its name.
        name: String,
    },
    /// The names of all environment variables, without their values.
    EnvNames,
    /// Makes ready what [`crate::functions::Functions`] needs: some carriers load the gate's engine
    /// only for commands that ask it.
    LoadFunctions,
    /// The page that explains in a browser, as HTML; carriers without it give nothing.
    Page,
    /// The time, in milliseconds since 1970.
    Now,
    /// Random bytes of the operating system.
    Random {
        /// How many.
        count: usize,
    },
    /// Makes a key pair and gives it as a private JWK.
    GenerateKey {
        /// `EdDSA` or `ES256`.
        algorithm: String,
    },
    /// Checks a signature with the platform's cryptography.
    CheckSignature {
        /// `alg` of RFC 7518.
        algorithm: String,
        /// The public key, as JWK text.
        key: String,
        /// What was signed.
        #[serde(with = "base64_bytes")]
        message: Vec<u8>,
        /// The signature, as a JWS has it.
        #[serde(with = "base64_bytes")]
        signature: Vec<u8>,
    },
    /// Writes text to a standard stream.
    Print {
        /// Which.
        stream: Stream,
        /// The text, line ends included.
        text: String,
    },
    /// Asks the person at the terminal.
    Prompt {
        /// The question.
        text: String,
        /// Whether what is typed is not shown.
        secret: bool,
    },
    /// Writes a file; only `init` and `keys` do.
    Write {
        /// The file.
        path: String,
        /// Its whole content.
        text: String,
        /// Whether only its owner may read it.
        private: bool,
    },
    /// Serves requests until the process is told to stop, or prints a proxy's configuration: what
    /// the native program alone can do.
    Serve {
        /// Options of `doorward serve`, by their names, in order.
        options: Vec<(String, String)>,
    },
    /// Waits.
    Sleep {
        /// How long.
        millis: u64,
    },
}

/// A standard stream: the answer goes to `Out`, the talk to `Err`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// An HTTP request.
#[derive(Clone, Serialize)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// The whole URL; it decides about TLS, `Host` and the server name of the handshake.
    pub url: String,
    /// `host:port` to connect to, where that is not the URL's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<String>,
    /// Further header lines, in order.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Files with certificates of authorities that count besides the platform's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_files: Vec<String>,
    /// Whether a connection that is already open may be used.
    pub fresh_connection: bool,
    /// How long the whole exchange may take.
    pub timeout_millis: u64,
    /// How many bytes of response headers are accepted.
    pub max_header_bytes: usize,
    /// How many bytes of the body are read; the rest is left out.
    pub max_body_bytes: usize,
}

/// What comes of an effect. As JSON it is an object whose member `result` is the name in small
/// letters with hyphens ([`EffectResult::read`]).
#[derive(Clone)]
#[non_exhaustive]
pub enum EffectResult {
    /// It is done; there is nothing to tell.
    Done,
    /// An HTTP response.
    Http(HttpResponse),
    /// No HTTP response.
    HttpFailed(HttpFailure),
    /// Bytes: of a file, or random ones.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A text: a variable, what was typed, a key.
    Text {
        /// The text.
        text: String,
    },
    /// There is none: no such file, directory or variable.
    Absent,
    /// Names.
    Names {
        /// The names, in any order.
        names: Vec<String>,
    },
    /// The time.
    Time {
        /// Milliseconds since 1970.
        millis: i64,
    },
    /// A verdict on a signature.
    Checked {
        /// Whether it holds.
        holds: bool,
    },
    /// It failed.
    Failed {
        /// Why, in the platform's words.
        message: String,
    },
    /// What was asked for is wrong.
    Refused {
        /// Why.
        problem: String,
        /// What would be right; empty where that cannot be said.
        hint: String,
    },
    /// The person has interrupted the program.
    Interrupted,
}

/// An HTTP response, whatever its status.
#[derive(Clone, Default)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Header lines as they came, each by itself; names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body's beginning.
    pub body: Vec<u8>,
    /// The clock of this machine when the request went out.
    pub started_millis: i64,
    /// The clock of this machine when the response was there.
    pub ended_millis: i64,
}

/// Why there is no HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpFailure {
    /// How far the request came.
    pub phase: Phase,
    /// What it was, as a word that is the same from each carrier: `refused`, `unreachable`;
    /// `not-found`, `temporary`; `expired`, `not-yet-valid`, `untrusted`, `name-mismatch`,
    /// `protocol`; `closed`, `malformed`; or nothing.
    pub kind: String,
}

/// How far a request came that has no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// This machine has no network.
    Network,
    /// The name has no address.
    Dns,
    /// Nothing accepts the connection.
    Connect,
    /// The TLS handshake failed; the certificate is not trusted.
    Tls,
    /// The connection was closed, or what came is no HTTP.
    Http,
    /// The response headers were over the limit.
    Headers,
    /// It took too long.
    Timeout,
    /// The person has interrupted the program.
    Interrupted,
}

impl Phase {
    const ALL: [Self; 8] = [
        Self::Network,
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Http,
        Self::Headers,
        Self::Timeout,
        Self::Interrupted,
    ];

    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Headers => "headers",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Where a command and its carrier meet.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) effect: RefCell<Option<Effect>>,
    pub(crate) result: RefCell<Option<EffectResult>>,
    pub(crate) interrupted: Cell<bool>,
}

/// What a command performs its effects by.
#[derive(Clone)]
pub(crate) struct Io {
    desk: Rc<Desk>,
    carrier: Carrier,
}

impl Io {
    pub(crate) const fn new(desk: Rc<Desk>, carrier: Carrier) -> Self {
        Self { desk, carrier }
    }

    /// Has the carrier perform an effect.
    pub(crate) async fn perform(&self, effect: Effect) -> EffectResult {
        *self.desk.result.borrow_mut() = None;
        *self.desk.effect.borrow_mut() = Some(effect);
        Answer { desk: &self.desk }.await
    }

    /// What the carrier computes.
    pub(crate) const fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// Whether the person has interrupted the program: a command then says how far it came.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.desk.interrupted.get()
    }

    /// Writes to standard output.
    pub(crate) async fn out(&self, text: impl Into<String>) {
        self.print(Stream::Out, text.into()).await;
    }

    /// Writes to standard error.
    pub(crate) async fn err(&self, text: impl Into<String>) {
        self.print(Stream::Err, text.into()).await;
    }

    /// Writes an error, and a hint if there is one, to standard error.
    pub(crate) async fn error(&self, message: &str, hint: Option<&str>) {
        let hint = hint.map(|hint| format!("doorward: hint: {hint}\n")).unwrap_or_default();
        self.err(format!("doorward: error: {message}\n{hint}")).await;
    }

    async fn print(&self, stream: Stream, text: String) {
        if !text.is_empty() {
            self.perform(Effect::Print { stream, text }).await;
        }
    }

    /// Sends an HTTP request.
    pub(crate) async fn http(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let failure = |phase| Err(HttpFailure { phase, kind: String::new() });
        match self.perform(Effect::Http(request)).await {
            EffectResult::Http(response) => Ok(response),
            EffectResult::HttpFailed(failure) => Err(failure),
            EffectResult::Interrupted => failure(Phase::Interrupted),
            _ => failure(Phase::Http),
        }
    }

    /// Reads a file; nothing where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is longer than allowed.
    pub(crate) async fn read(
        &self,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, String> {
        match self.perform(Effect::Read { path: path.to_owned(), max_bytes }).await {
            EffectResult::Bytes { bytes } => Ok(Some(bytes)),
            EffectResult::Absent => Ok(None),
            EffectResult::Failed { message } => Err(message),
            _ => Err("it cannot be read".to_owned()),
        }
    }

    /// Reads a file as text; nothing where there is none.
    ///
    /// # Errors
    /// It cannot be read, is longer than allowed, or is not UTF-8.
    pub(crate) async fn read_text(
        &self,
        path: &str,
        max_bytes: usize,
    ) -> Result<Option<String>, String> {
        match self.read(path, max_bytes).await? {
            None => Ok(None),
            Some(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err("it is not UTF-8 text".to_owned()),
            },
        }
    }

    /// The names in a directory, sorted; directories end with `/`. Nothing where there is none.
    pub(crate) async fn list(&self, dir: &str) -> Option<Vec<String>> {
        match self.perform(Effect::List { dir: dir.to_owned() }).await {
            EffectResult::Names { mut names } => {
                order::sort(&mut names);
                Some(names)
            }
            _ => None,
        }
    }

    /// The value of an environment variable.
    pub(crate) async fn env(&self, name: &str) -> Option<String> {
        match self.perform(Effect::Env { name: name.to_owned() }).await {
            EffectResult::Text { text } => Some(text),
            _ => None,
        }
    }

    /// The time, in milliseconds since 1970.
    pub(crate) async fn now(&self) -> i64 {
        match self.perform(Effect::Now).await {
            EffectResult::Time { millis } => millis,
            _ => 0,
        }
    }

    /// Random bytes; nothing where the platform gives none.
    pub(crate) async fn random(&self, count: usize) -> Option<Vec<u8>> {
        match self.perform(Effect::Random { count }).await {
            EffectResult::Bytes { bytes } if bytes.len() == count => Some(bytes),
            _ => None,
        }
    }

    /// Whether a signature holds; nothing where the platform cannot tell.
    pub(crate) async fn check_signature(
        &self,
        algorithm: &str,
        key: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let effect = Effect::CheckSignature {
            algorithm: algorithm.to_owned(),
            key: key.to_owned(),
            message: message.to_vec(),
            signature: signature.to_vec(),
        };
        match self.perform(effect).await {
            EffectResult::Checked { holds } => Some(holds),
            _ => None,
        }
    }

    /// A new key pair as a private JWK.
    ///
    /// # Errors
    /// The platform has no such keys.
    pub(crate) async fn generate_key(&self, algorithm: &str) -> Result<String, String> {
        match self.perform(Effect::GenerateKey { algorithm: algorithm.to_owned() }).await {
            EffectResult::Text { text } => Ok(text),
            EffectResult::Failed { message } => Err(message),
            _ => Err("this platform makes no such keys".to_owned()),
        }
    }

    /// What the person at the terminal types; nothing where there is no terminal.
    pub(crate) async fn prompt(&self, text: &str, secret: bool) -> Option<String> {
        match self.perform(Effect::Prompt { text: text.to_owned(), secret }).await {
            EffectResult::Text { text } => Some(text),
            _ => None,
        }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) async fn write(&self, path: &str, text: &str, private: bool) -> Result<(), String> {
        let effect = Effect::Write { path: path.to_owned(), text: text.to_owned(), private };
        match self.perform(effect).await {
            EffectResult::Done => Ok(()),
            EffectResult::Failed { message } => Err(message),
            _ => Err("it cannot be written".to_owned()),
        }
    }

    /// Waits.
    pub(crate) async fn sleep(&self, millis: u64) {
        if millis > 0 {
            self.perform(Effect::Sleep { millis }).await;
        }
    }
}

/// Resolves when the carrier has given its result.
struct Answer<'a> {
    desk: &'a Desk,
}

impl Future for Answer<'_> {
    type Output = EffectResult;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<EffectResult> {
        self.desk.result.borrow_mut().take().map_or(Poll::Pending, Poll::Ready)
    }
}

// Effects carry secrets (a probe's cookie, a private key) and results may (a variable, a file), so
// neither shows its content.
macro_rules! says_its_name_only {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

says_its_name_only! { Effect EffectResult HttpRequest HttpResponse }

impl EffectResult {
    /// Reads a result that a carrier gives as JSON. (`Deserialize`, derived, is 20 KB of code for
    /// the same.)
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let value: Value = serde_json::from_str(text).map_err(|_| "the result is no JSON")?;
        Self::of(&value).ok_or("this is no result of an effect")
    }

    fn of(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| value.get(name).and_then(Value::as_i64);
        let names = || {
            let names = value.get("names")?.as_array()?.iter();
            names.map(|name| Some(name.as_str()?.to_owned())).collect::<Option<Vec<_>>>()
        };
        Some(match value.get("result")?.as_str()? {
            "done" => Self::Done,
            "http" => Self::Http(HttpResponse {
                status: u16::try_from(number("status")?).ok()?,
                headers: pairs(value.get("headers")?)?,
                body: base64_bytes::decoded(&text("body")?)?,
                started_millis: number("started_millis")?,
                ended_millis: number("ended_millis")?,
            }),
            "http-failed" => {
                let word = text("phase")?;
                let phase = Phase::ALL.into_iter().find(|phase| phase.word() == word)?;
                Self::HttpFailed(HttpFailure { phase, kind: text("kind").unwrap_or_default() })
            }
            "bytes" => Self::Bytes { bytes: base64_bytes::decoded(&text("bytes")?)? },
            "text" => Self::Text { text: text("text")? },
            "absent" => Self::Absent,
            "names" => Self::Names { names: names()? },
            "time" => Self::Time { millis: number("millis")? },
            "checked" => Self::Checked { holds: value.get("holds")?.as_bool()? },
            "failed" => Self::Failed { message: text("message")? },
            "interrupted" => Self::Interrupted,
            _ => return None,
        })
    }
}

fn pairs(value: &Value) -> Option<Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    value.as_array()?.iter().map(|pair| Some((text(pair.get(0)?)?, text(pair.get(1)?)?))).collect()
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
        STANDARD.decode(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_as_carriers_write_them() {
        let body = r#"{"result":"http","status":200,"headers":[["a","b"]],"body":"eA==","started_millis":1,"ended_millis":2}"#;
        assert!(matches!(
            EffectResult::read(body),
            Ok(EffectResult::Http(response)) if response.status == 200 && response.body == b"x"
                && response.headers == [("a".to_owned(), "b".to_owned())]
                && response.ended_millis == 2
        ));
        let failed = r#"{"result":"http-failed","phase":"dns","kind":"not-found"}"#;
        assert!(matches!(
            EffectResult::read(failed),
            Ok(EffectResult::HttpFailed(failure)) if failure.phase == Phase::Dns && failure.kind == "not-found"
        ));
        let good = [
            r#"{"result":"done"}"#,
            r#"{"result":"bytes","bytes":"eA=="}"#,
            r#"{"result":"text","text":"a"}"#,
            r#"{"result":"absent"}"#,
            r#"{"result":"names","names":["a"]}"#,
            r#"{"result":"time","millis":1}"#,
            r#"{"result":"checked","holds":true}"#,
            r#"{"result":"failed","message":"a"}"#,
            r#"{"result":"interrupted"}"#,
        ];
        assert!(good.into_iter().all(|text| EffectResult::read(text).is_ok()));
        for bad in ["", "{}", r#"{"result":"bytes","bytes":"?"}"#, r#"{"result":"other"}"#] {
            assert!(EffectResult::read(bad).is_err(), "{bad}");
        }
    }
}
