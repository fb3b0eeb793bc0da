//! A carrier without IO: files, variables and an auth service that answers as Better Auth 1.7.25
//! was seen to answer, with one fault each. `tests/causes/` plays the same against real ones.

#![allow(dead_code)] // each test uses a part of it

use std::collections::BTreeMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::probe::{ProbeSecret, unverified_jws};
use doorward_doctor::effects::{
    Effect, EffectResult, HttpFailure, HttpRequest, HttpResponse, Phase, Stream,
};
use doorward_doctor::functions::Native;
use doorward_doctor::program::{Input, Program, Step};

/// The secret of the auth service, unless a fault says otherwise.
pub(crate) const SECRET: &str = "k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
pub(crate) const OTHER: &str = "zzQ2vX9mB4tR8wZ1pL6nD3sF5hJ0yC-aUeTg";
/// The moment of every test.
pub(crate) const NOW: i64 = 1_795_402_800_000;
const DATE: &str = "Mon, 23 Nov 2026 03:00:00 GMT";

/// What is answered to a request in place of the service's answer.
pub(crate) type Fault = fn(&HttpRequest, &Service) -> Option<EffectResult>;

/// The auth service.
pub(crate) struct Service {
    pub secret: String,
    pub token_name: &'static str,
    pub attributes: &'static str,
    pub base: &'static str,
    pub origin: &'static str,
    pub checks_origin: bool,
    pub has_jwt: bool,
    pub fault: Option<Fault>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            secret: SECRET.to_owned(),
            token_name: "better-auth.session_token",
            attributes: "Path=/; HttpOnly; SameSite=Lax",
            base: "/api/auth",
            origin: "http://127.0.0.1:3000",
            checks_origin: true,
            has_jwt: true,
            fault: None,
        }
    }
}

/// What a command has printed, and how it ended.
pub(crate) struct Outcome {
    pub out: String,
    pub err: String,
    pub exit: u8,
    pub requests: usize,
}

/// Everything around a command.
#[derive(Default)]
pub(crate) struct World {
    pub service: Service,
    pub env: BTreeMap<&'static str, String>,
    pub files: BTreeMap<&'static str, String>,
    /// The effect after which the person interrupts.
    pub interrupts_after: Option<usize>,
}

impl World {
    /// Plays a command to its end.
    pub(crate) fn play(&self, args: &[&str]) -> Outcome {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let mut program = Program::new(Input { args, ..Input::default() }, Rc::new(Native));
        let mut outcome = Outcome { out: String::new(), err: String::new(), exit: 99, requests: 0 };
        let mut step = program.start();
        let mut random = 0;
        for number in 0..1_000 {
            match step {
                Step::Exit(code) => {
                    outcome.exit = code.number();
                    break;
                }
                Step::Perform(effect) => {
                    let result = if self.interrupts_after == Some(number) {
                        EffectResult::Interrupted
                    } else {
                        self.perform(effect, &mut outcome, &mut random)
                    };
                    step = program.resume(result);
                }
            }
        }
        outcome
    }

    fn perform(&self, effect: Effect, outcome: &mut Outcome, random: &mut u8) -> EffectResult {
        match effect {
            Effect::Http(request) => {
                outcome.requests += 1;
                self.service.answer(&request)
            }
            Effect::Env { name } => self
                .env
                .get(name.as_str())
                .map_or(EffectResult::Absent, |text| EffectResult::Text { text: text.clone() }),
            Effect::Read { path, .. } => {
                self.files.get(path.as_str()).map_or(EffectResult::Absent, |text| {
                    EffectResult::Bytes { bytes: text.clone().into_bytes() }
                })
            }
            Effect::Now => EffectResult::Time { millis: NOW },
            Effect::Random { count } => {
                *random = random.wrapping_add(1);
                let first = *random;
                let bytes = (0..count).map(|at| first.wrapping_mul(31).wrapping_add(at as u8));
                EffectResult::Bytes { bytes: bytes.collect() }
            }
            Effect::Print { stream: Stream::Out, text } => {
                outcome.out.push_str(&text);
                EffectResult::Done
            }
            Effect::Print { text, .. } => {
                outcome.err.push_str(&text);
                EffectResult::Done
            }
            _ => EffectResult::Done,
        }
    }
}

/// A response with a `Date`.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> EffectResult {
    let mut lines = vec![("date".to_owned(), DATE.to_owned())];
    lines.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    EffectResult::Http(HttpResponse {
        status,
        headers: lines,
        body: body.as_bytes().to_vec(),
        started_millis: NOW,
        ended_millis: NOW,
    })
}

pub(crate) fn no_response(phase: Phase, kind: &str) -> EffectResult {
    EffectResult::HttpFailed(HttpFailure { phase, kind: kind.to_owned() })
}

/// The path of a request, without its query.
pub(crate) fn path(request: &HttpRequest) -> &str {
    let rest = request.url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    path.split('?').next().unwrap_or_default()
}

pub(crate) fn header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

impl Service {
    fn answer(&self, request: &HttpRequest) -> EffectResult {
        if let Some(result) = self.fault.and_then(|fault| fault(request, self)) {
            return result;
        }
        self.well(request)
    }

    /// The answer of a service without a fault.
    pub(crate) fn well(&self, request: &HttpRequest) -> EffectResult {
        let Some(below) = path(request).strip_prefix(self.base) else {
            return response(404, &[], "");
        };
        let cookie = header(request, "cookie");
        match (request.method.as_str(), below) {
            ("GET", "/ok") => response(200, &[], r#"{"ok":true}"#),
            ("GET", "/get-session") => self.lookup(200, "null", cookie),
            ("GET", "/list-sessions") => {
                self.lookup(401, r#"{"message":"Unauthorized","code":"UNAUTHORIZED"}"#, cookie)
            }
            ("GET", "/verify-email") => self.verify_email(request),
            ("POST", "/sign-out") => self.sign_out(cookie, header(request, "origin")),
            ("GET", "/jwks") if self.has_jwt => response(
                200,
                &[],
                r#"{"keys":[{"alg":"EdDSA","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kty":"OKP","kid":"k1"}]}"#,
            ),
            ("GET", "/token") if self.has_jwt => response(401, &[], r#"{"code":"UNAUTHORIZED"}"#),
            _ => response(404, &[], ""),
        }
    }

    /// The cookies that are deleted: the session's, the cookie cache's, and chunks that came.
    pub(crate) fn deletions(&self, cookie: Option<&str>) -> Vec<String> {
        let data = self.token_name.replace("session_token", "session_data");
        let rest = self.token_name.replace("session_token", "dont_remember");
        let mut names = vec![self.token_name.to_owned(), data.clone()];
        let sent = cookie.unwrap_or_default().split("; ").filter_map(|pair| pair.split_once('='));
        names.extend(
            sent.map(|(name, _)| name)
                .filter(|name| name.starts_with(&format!("{data}.")))
                .map(str::to_owned),
        );
        names.push(rest);
        names.iter().map(|name| format!("{name}=; Max-Age=0; {}", self.attributes)).collect()
    }

    fn lookup(&self, status: u16, body: &str, cookie: Option<&str>) -> EffectResult {
        let prefix = format!("{}=", self.token_name);
        let value = cookie.and_then(|cookie| {
            cookie.split("; ").find_map(|pair| pair.strip_prefix(prefix.as_str()))
        });
        let knows = value.is_some_and(|value| {
            let value = value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
            ProbeSecret::new(self.secret.as_bytes()).verify_cookie(&value).is_ok()
        });
        let lines = if knows { self.deletions(None) } else { Vec::new() };
        let mut headers: Vec<_> = lines.iter().map(|line| ("set-cookie", line.as_str())).collect();
        headers.push(("cache-control", "no-store"));
        response(status, &headers, body)
    }

    fn verify_email(&self, request: &HttpRequest) -> EffectResult {
        let token = request.url.split_once("token=").map_or("", |(_, token)| token);
        let knows = unverified_jws(token).is_ok_and(|jws| {
            let mac = ProbeSecret::new(self.secret.as_bytes()).mac(jws.signing_input.as_bytes());
            URL_SAFE_NO_PAD.encode(mac) == URL_SAFE_NO_PAD.encode(&jws.signature)
        });
        let code = if knows { "TOKEN_EXPIRED" } else { "INVALID_TOKEN" };
        response(401, &[], &format!(r#"{{"message":"…","code":"{code}"}}"#))
    }

    fn sign_out(&self, cookie: Option<&str>, origin: Option<&str>) -> EffectResult {
        let refused = |code| response(403, &[], &format!(r#"{{"message":"…","code":"{code}"}}"#));
        match (cookie, origin) {
            (Some(_), None) if self.checks_origin => return refused("MISSING_OR_NULL_ORIGIN"),
            (Some(_), Some(origin)) if self.checks_origin && origin != self.origin => {
                return refused("INVALID_ORIGIN");
            }
            _ => {}
        }
        let lines = self.deletions(cookie);
        let lines: Vec<_> = lines.iter().map(|line| ("set-cookie", line.as_str())).collect();
        response(200, &lines, r#"{"success":true}"#)
    }
}
