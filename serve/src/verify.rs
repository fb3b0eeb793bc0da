//! Forward-auth: a proxy asks about a request that it will forward by itself, and hears 200 with
//! the headers to set, or the refusal that the client is to get.
//!
//! Method and target of the request that it is about come from the places that the proxy's
//! configuration (`doorward serve --print-config`) fills, and from nowhere else.

use std::sync::Arc;

use doorward::{Forward, Reason};
use doorward_host::http::{self, Content, refused};
use doorward_host::{
    FinalDecision, Host as _, OwnedHead, decide, finish_unseen, receive, refuse, response_headers,
};
use doorward_host::{LendHead as _, latin1};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use hyper::{Request, Response, StatusCode};
use subtle::ConstantTimeEq as _;

use crate::gate::Gate;
use crate::options::Proxy;
use crate::proxy::{client_address, health, own, problem};
use crate::server::{Connection, Server};

type Answered = Response<Content<Incoming>>;

/// Where a proxy asks.
pub(crate) const PATH: &str = "/verify";
/// Where nginx asks a second time: what the client gets in place of the origin's response.
pub(crate) const ANSWER_PATH: &str = "/answer";
/// What a proxy elsewhere proves itself by.
pub(crate) const SECRET_HEADER: &str = "doorward-verify-secret";
/// Where a proxy says that a WebSocket is asked for, if it cannot pass `Upgrade` on.
pub(crate) const UPGRADE_HEADER: &str = "x-original-upgrade";
/// Where nginx finds cookies of a pass: it sees the first line of a header alone.
pub(crate) const COOKIE_HEADER: &str = "x-doorward-set-cookie-";
/// How many of them it looks for. Where there are more it gets none: parts of a cookie are none.
pub(crate) const COOKIES: usize = 8;

/// What is asked.
enum Question {
    /// May it go on?
    Pass,
    /// What does the client get, as it may not?
    Answer,
}

/// The places of method and target.
pub(crate) struct Places {
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
}

impl Proxy {
    /// Where this proxy says them; nothing where they are the question's own.
    pub(crate) const fn places(self) -> Option<Places> {
        match self {
            Self::Nginx | Self::Haproxy => {
                Some(Places { method: "x-original-method", target: "x-original-uri" })
            }
            Self::Caddy | Self::Traefik => {
                Some(Places { method: "x-forwarded-method", target: "x-forwarded-uri" })
            }
            Self::Envoy => None,
        }
    }
}

/// Answers a proxy.
pub(crate) async fn answer(
    server: Arc<Server>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Answered {
    let options = &server.options;
    if options.health.as_deref() == Some(request.uri().path()) {
        return health(&server);
    }
    if let Some(secret) = &options.secret
        && !proves_itself(request.headers(), secret)
    {
        return problem(StatusCode::FORBIDDEN, "this question is not from the configured proxy");
    }
    let Some(proxy) = options.verify else {
        return problem(StatusCode::NOT_FOUND, "no proxy is configured to ask here");
    };
    let public_origin = options.public_origin.as_deref().unwrap_or_default();
    let mut head = http::head(&request, public_origin, "");
    head.client_address = client_address(&request, &connection, Some("x-forwarded-for"));
    let gate = server.gate();
    let question = match asked(proxy, &mut head) {
        Ok(question) => question,
        Err(NotAsked::Elsewhere) => {
            return problem(StatusCode::NOT_FOUND, "questions are asked at /verify");
        }
        Err(NotAsked::Unclear) => return refused(refuse(&*gate, &head, Reason::HeadMalformed)),
    };
    let decision = decide(&*gate, &head).await;
    match (decision, question) {
        (FinalDecision::Forward(forward), Question::Pass) => {
            pass(gate, &head, forward, proxy).await
        }
        // It was refused a moment ago. Whatever a client gets now, it is not what it asked for.
        (FinalDecision::Forward(_), Question::Answer) => again(),
        (FinalDecision::Redirect(refusal) | FinalDecision::Reject(refusal), question) => {
            match (proxy, question) {
                // nginx throws the body away, and with it the connection. It asks for it again.
                (Proxy::Nginx, Question::Pass) => {
                    refused(refusal).map(|_: Content<Incoming>| Content::OfGate(String::new()))
                }
                _ => refused(refusal),
            }
        }
        (FinalDecision::Respond(served), Question::Answer) => {
            let mut response = own(StatusCode::OK, "application/json", served.body);
            add(response.headers_mut(), served.headers);
            response
        }
        // 200 would mean that the request may go on.
        (FinalDecision::Respond(_), Question::Pass) => match proxy {
            Proxy::Nginx => {
                let mut response = Response::new(Content::OfGate(String::new()));
                *response.status_mut() = StatusCode::FORBIDDEN;
                response
            }
            _ => problem(
                StatusCode::NOT_FOUND,
                "this is served by `doorward serve --upstream` alone",
            ),
        },
    }
}

/// Why a request asks nothing.
enum NotAsked {
    /// It is for another path.
    Elsewhere,
    /// Method or target are not there exactly once.
    Unclear,
}

/// What is asked; the head becomes that of the request that it is about.
fn asked(proxy: Proxy, head: &mut OwnedHead) -> Result<Question, NotAsked> {
    let path = head.target.split('?').next().unwrap_or_default().to_owned();
    let Some(Places { method, target }) = proxy.places() else {
        let rest = head.target.strip_prefix(PATH).filter(|rest| rest.starts_with('/'));
        head.target = rest.ok_or(NotAsked::Elsewhere)?.to_owned();
        said_elsewhere(head, &[])?;
        return Ok(Question::Pass);
    };
    let question = match path.as_str() {
        PATH => Question::Pass,
        // A named location of nginx asks by the path that the client has asked for.
        _ if proxy == Proxy::Nginx => Question::Answer,
        _ => return Err(NotAsked::Elsewhere),
    };
    "/".clone_into(&mut head.target);
    let only = |name: &str| {
        let mut values = head.headers.iter().filter(|(own, _)| own == name);
        let value = values.next().map(|(_, value)| value.clone());
        value.filter(|_| values.next().is_none()).ok_or(NotAsked::Unclear)
    };
    let (method_said, target_said) = (only(method)?, only(target)?);
    (head.method, head.target) = (method_said, target_said);
    said_elsewhere(head, &[method, target])?;
    Ok(question)
}

/// Takes out what is the proxy's and not the client's, and puts in that a WebSocket is asked for
/// where the proxy says so.
fn said_elsewhere(head: &mut OwnedHead, places: &[&str]) -> Result<(), NotAsked> {
    let upgrades = head.headers.iter().filter(|(name, _)| name == UPGRADE_HEADER);
    let upgrades: Vec<String> =
        upgrades.map(|(_, value)| value.clone()).filter(|value| !value.is_empty()).collect();
    let of_proxy = ["content-length", "connection", SECRET_HEADER, UPGRADE_HEADER];
    head.headers
        .retain(|(name, _)| !places.contains(&name.as_str()) && !of_proxy.contains(&name.as_str()));
    match upgrades.as_slice() {
        [] => Ok(()),
        [upgrade] => {
            head.headers.push(("upgrade".to_owned(), upgrade.clone()));
            Ok(())
        }
        _ => Err(NotAsked::Unclear),
    }
}

/// The request may go on, with these headers.
async fn pass(gate: Arc<Gate>, head: &OwnedHead, mut forward: Forward, proxy: Proxy) -> Answered {
    if proxy == Proxy::Nginx && !can_be_removed(&gate, &forward) {
        return refused(refuse(&*gate, head, Reason::HeadMalformed));
    }
    let finish = finish_unseen(&*gate, forward.alongside.take()).await;
    let told = gate
        .with_engine(|engine| head.lend(|head| engine.told_to_proxy(&gate.names, head, &forward)));
    let Some(told) = told else { return refused(refuse(&*gate, head, Reason::NotStarted)) };
    if let Some(pending) = forward.after.take() {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { receive(&*gate, pending).await });
    }
    let mut response = Response::new(Content::OfGate(String::new()));
    add(response.headers_mut(), response_headers(forward.response_headers, finish));
    if proxy == Proxy::Nginx {
        let cookies: Vec<HeaderValue> =
            response.headers().get_all(SET_COOKIE).iter().cloned().collect();
        if cookies.len() > COOKIES {
            response.headers_mut().remove(SET_COOKIE);
        } else {
            let numbered = (1..).zip(cookies);
            for (number, cookie) in numbered {
                let name = HeaderName::try_from(format!("{COOKIE_HEADER}{number}"));
                name.into_iter().for_each(|name| {
                    response.headers_mut().insert(name, cookie.clone());
                });
            }
        }
    }
    add(response.headers_mut(), told);
    response
}

/// Whether nginx can leave out what a client may not say to the application: it knows names alone,
/// and among those that are known by their beginning is any.
fn can_be_removed(gate: &Gate, forward: &Forward) -> bool {
    let is_named = |name: &String| {
        let name = name.to_ascii_lowercase();
        gate.names.removed.contains(&name.as_str())
            || gate.names.identity.contains(&name)
            || ["cookie", "authorization"].contains(&name.as_str())
    };
    forward.remove.iter().all(is_named)
}

/// Adds header lines.
fn add(headers: &mut HeaderMap, pairs: impl IntoIterator<Item = (String, String)>) {
    for (name, value) in pairs {
        let value = latin1::bytes(&value).and_then(|value| HeaderValue::try_from(value).ok());
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
            match name == SET_COOKIE {
                true => drop(headers.append(name, value)),
                false => drop(headers.insert(name, value)),
            }
        }
    }
}

/// What was refused would pass now: the client asks again.
fn again() -> Answered {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "ask again");
    response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
    response
}

/// Whether the secret is there, exactly once.
fn proves_itself(headers: &HeaderMap, secret: &str) -> bool {
    let mut lines = headers.get_all(SECRET_HEADER).iter();
    let (Some(given), None) = (lines.next(), lines.next()) else { return false };
    given.as_bytes().ct_eq(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &str, headers: &[(&str, &str)]) -> OwnedHead {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        OwnedHead {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: headers.iter().map(pair).collect(),
            ..OwnedHead::default()
        }
    }

    fn read(proxy: Proxy, target: &str, headers: &[(&str, &str)]) -> Option<(String, bool)> {
        let mut head = head(target, headers);
        match asked(proxy, &mut head) {
            Ok(question) => {
                let passes = matches!(question, Question::Pass);
                Some((format!("{} {}", head.method, head.target), passes))
            }
            Err(_) => None,
        }
    }

    #[test]
    fn method_and_target_come_from_their_places_and_from_nowhere_else() {
        let named = [("x-original-method", "PUT"), ("x-original-uri", "/a?b")];
        let put = Some(("PUT /a?b".to_owned(), true));
        assert_eq!(read(Proxy::Nginx, "/verify", &named), put);
        assert_eq!(read(Proxy::Haproxy, "/verify?x", &named), put);
        assert_eq!(read(Proxy::Caddy, "/verify", &named), None, "by another proxy's headers");
        let forwarded = [("x-forwarded-method", "PUT"), ("x-forwarded-uri", "/a?b")];
        assert_eq!(read(Proxy::Caddy, "/verify", &forwarded), put);
        assert_eq!(read(Proxy::Nginx, "/verify", &forwarded), None);
        let twice = [named.as_slice(), &[("x-original-uri", "/c")]].concat();
        assert_eq!(read(Proxy::Nginx, "/verify", &twice), None);
        assert_eq!(read(Proxy::Nginx, "/verify", &named[..1]), None, "the target is missing");
        assert_eq!(read(Proxy::Nginx, "/verify", &named[1..]), None, "the method is missing");
    }

    #[test]
    fn a_second_question_is_never_taken_for_the_first() {
        let named = [("x-original-method", "GET"), ("x-original-uri", "/a")];
        let answer = Some(("GET /a".to_owned(), false));
        for path in ["/a", "/", ANSWER_PATH, "/verify/", "/verifyx", "/x?/verify"] {
            assert_eq!(read(Proxy::Nginx, path, &named), answer, "{path}");
            assert_eq!(read(Proxy::Haproxy, path, &named), None, "{path}");
        }
    }

    #[test]
    fn envoy_asks_by_the_path_behind_its_prefix() {
        let read = |target| read(Proxy::Envoy, target, &[("x-original-uri", "/other")]);
        assert_eq!(read("/verify/a?b"), Some(("GET /a?b".to_owned(), true)));
        assert_eq!(read("/verify//a"), Some(("GET //a".to_owned(), true)));
        for target in ["/verify", "/verifya", "/a", "/", "//verify/a", "/verify?/a"] {
            assert_eq!(read(target), None, "{target}");
        }
    }

    #[test]
    fn a_proxy_from_elsewhere_proves_itself_once() {
        let secret = "0123456789abcdef0123456789abcdef";
        let is_proven = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(SECRET_HEADER, line.parse().unwrap_or(HeaderValue::from_static("")));
            }
            proves_itself(&headers, secret)
        };
        assert!(is_proven(&[secret]));
        assert!(
            !is_proven(&[])
                && !is_proven(&[secret, secret])
                && !is_proven(&[secret.trim_start_matches('0')])
        );
    }
}
