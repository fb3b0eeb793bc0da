//! A user signs out, or changes what the service knows of a session, while other requests of the
//! session are under way: whatever was said before restores nothing, however late it comes.

use doorward::{
    Decision, Effect, EffectResult, Engine, Finish, Forward, PendingEffect, RequestHead, UnixTime,
};
use serde_json::{Value, json};

use crate::reason;
use crate::service::Service;
use crate::support::{ORIGIN, engine_of, engine_with};

const START: UnixTime = UnixTime::from_millis(1_795_402_800_000);
const TOKEN: &str = "aVeryPrivateSessionTokenOf32Bytes";
const RENEWED: &str =
    "better-auth.session_token=renewed; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax";
const GONE: &str = "better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax";

fn signed() -> String {
    Service::new().signed(TOKEN)
}

/// An instance, and what its clock says.
struct Instance {
    engine: Engine,
    now: UnixTime,
}

impl Instance {
    fn new(members: Value) -> Self {
        Self {
            engine: engine_of(
                members,
                json!({ "claim_headers": { "org": "session.activeOrganizationId" } }),
                &[],
            ),
            now: START,
        }
    }

    fn later(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    fn decide(&mut self, request: &Request) -> Decision {
        request.with_head(|head| self.engine.decide(head, self.now))
    }

    fn answer(&mut self, request: &Request, pending: PendingEffect, answer: &Says) -> Decision {
        answer.with(|result| {
            request.with_head(|head| self.engine.resume(head, pending, result, self.now))
        })
    }

    fn finish(&mut self, pending: PendingEffect, answer: &Says, set_cookies: &[&str]) -> Finish {
        answer.with(|result| self.engine.finish(pending, result, set_cookies, self.now))
    }

    /// A request whose every question is answered so, at once.
    fn forward(&mut self, request: &Request, answer: &Says) -> Forward {
        let mut decision = self.decide(request);
        while let Decision::Perform(pending) = decision {
            decision = self.answer(request, pending, answer);
        }
        forwarded(decision)
    }
}

/// What the auth service says.
enum Says {
    Lives(&'static str, Vec<&'static str>),
    Ended,
    Fails,
    Nothing,
}

impl Says {
    fn with<T>(&self, take: impl FnOnce(EffectResult<'_>) -> T) -> T {
        let body = |org: &str| {
            let session = json!({ "id": "s", "token": TOKEN, "userId": "ada", "expiresAt": "2030-01-01T00:00:00.000Z", "activeOrganizationId": org });
            json!({ "session": session, "user": { "id": "ada" } }).to_string()
        };
        match self {
            Self::Lives(org, lines) => {
                let headers: Vec<(&str, &str)> =
                    lines.iter().map(|line| ("set-cookie", *line)).collect();
                take(EffectResult::Answered {
                    status: 200,
                    headers: &headers,
                    body: body(org).as_bytes(),
                })
            }
            Self::Ended => take(EffectResult::Answered {
                status: 200,
                headers: &[("set-cookie", GONE)],
                body: b"null",
            }),
            Self::Fails => take(EffectResult::Failed),
            Self::Nothing => take(EffectResult::Waited),
        }
    }
}

struct Request {
    method: &'static str,
    target: &'static str,
    cookies: String,
}

impl Request {
    fn of(method: &'static str, target: &'static str) -> Self {
        Self { method, target, cookies: format!("better-auth.session_token={}", signed()) }
    }

    fn with(mut self, cookie: &str) -> Self {
        self.cookies = format!("{}; {cookie}", self.cookies);
        self
    }

    fn with_head<T>(&self, act: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers =
            [("cookie", self.cookies.as_str()), ("origin", ORIGIN), ("accept", "application/json")];
        act(&RequestHead {
            method: self.method,
            target: self.target,
            headers: &headers,
            public_origin: ORIGIN,
            client_address: None,
        })
    }
}

fn forwarded(decision: Decision) -> Forward {
    match decision {
        Decision::Forward(forward) => forward,
        other => panic!("{}", reason(&other)),
    }
}

fn asked(decision: Decision) -> PendingEffect {
    match decision {
        Decision::Perform(pending) => pending,
        other => panic!("{}", reason(&other)),
    }
}

fn alongside(forward: &mut Forward) -> PendingEffect {
    forward.alongside.take().unwrap_or_else(|| panic!("nothing is alongside"))
}

fn org(forward: &Forward) -> Option<String> {
    forward
        .set
        .iter()
        .find(|(name, _)| *name == "x-doorward-org")
        .map(|(_, value)| value.to_owned())
}

fn cookies(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, line)| line.as_str()).collect()
}

/// Cookies that the client gets with a response, and what of them is about the session.
fn of_session<'a>(forward: &'a Forward, finish: &'a Finish) -> Vec<&'a str> {
    let held =
        if finish.withdraws_cookies { Vec::new() } else { cookies(&forward.response_headers) };
    held.into_iter()
        .chain(cookies(&finish.headers))
        .filter(|line| line.starts_with("better-auth."))
        .collect()
}

const PAGE: fn() -> Request = || Request::of("GET", "/app");
const SIGN_OUT: fn() -> Request = || Request::of("POST", "/api/auth/sign-out");

/// A page past `updateAge` is slow, and its user signs out before it is there.
#[test]
fn a_slow_page_brings_no_cookie_after_a_sign_out() {
    let mut gate = Instance::new(json!({}));
    let mut page = gate.forward(&PAGE(), &Says::Lives("a", vec![RENEWED]));
    assert_eq!(cookies(&page.response_headers), [RENEWED]);
    let of_page = alongside(&mut page);
    gate.later(100);
    let mut out = gate.forward(&SIGN_OUT(), &Says::Fails);
    let pending = alongside(&mut out);
    gate.later(100);
    assert!(!gate.finish(pending, &Says::Nothing, &[GONE]).withdraws_cookies);
    gate.later(2000);
    let finish = gate.finish(of_page, &Says::Nothing, &[]);
    assert_eq!(of_session(&page, &finish), [""; 0], "the sign-out stands");
}

/// The same page, without a sign-out.
#[test]
fn a_slow_page_brings_its_cookie_where_nothing_has_happened() {
    let mut gate = Instance::new(json!({}));
    let mut page = gate.forward(&PAGE(), &Says::Lives("a", vec![RENEWED]));
    let pending = alongside(&mut page);
    let mut post = gate.forward(&Request::of("POST", "/app"), &Says::Fails);
    assert!(!gate.finish(alongside(&mut post), &Says::Nothing, &["theme=dark"]).withdraws_cookies);
    gate.later(30_000);
    assert_eq!(of_session(&page, &gate.finish(pending, &Says::Nothing, &[])), [RENEWED]);
}

/// Its own origin signs out: what the gate has heard before does not follow behind.
#[test]
fn an_origin_that_signs_out_itself_is_not_contradicted() {
    let mut gate = Instance::new(json!({}));
    let mut page = gate.forward(&PAGE(), &Says::Lives("a", vec![RENEWED]));
    let pending = alongside(&mut page);
    assert_eq!(of_session(&page, &gate.finish(pending, &Says::Nothing, &[GONE])), [""; 0]);
    assert!(matches!(gate.decide(&PAGE()), Decision::Perform(_)), "and nothing is remembered");
}

/// What was asked before, and comes back after it: it is not remembered, sets nothing, and is not
/// trusted.
#[test]
fn what_was_asked_before_a_sign_out_counts_for_nothing_after_it() {
    for comes_back in ["at once", "later"] {
        let mut gate = Instance::new(json!({}));
        let pending = asked(gate.decide(&PAGE()));
        gate.later(10);
        let mut out = gate.forward(&SIGN_OUT(), &Says::Fails);
        let of_sign_out = alongside(&mut out);
        let _ = gate.finish(of_sign_out, &Says::Nothing, &[GONE]);
        gate.later(if comes_back == "later" { 10 } else { 0 });
        let again = asked(gate.answer(&PAGE(), pending, &Says::Lives("a", vec![RENEWED])));
        let decision = gate.answer(&PAGE(), again, &Says::Ended);
        assert_eq!(reason(&decision), "session_ended", "{comes_back}");
        let (Decision::Redirect(answer) | Decision::Reject(answer)) = decision else {
            panic!("{comes_back}")
        };
        assert_eq!(
            cookies(&answer.headers),
            [""; 0],
            "who has signed in meanwhile keeps the cookies: {comes_back}"
        );
    }
}

/// What comes back while it is under way is for those who asked before, and for no others: no
/// client has heard of it yet.
#[test]
fn what_was_asked_before_a_sign_out_counts_for_its_own_request_until_that_is_answered() {
    let mut gate = Instance::new(json!({}));
    let pending = asked(gate.decide(&PAGE()));
    gate.later(10);
    let mut out = gate.forward(&SIGN_OUT(), &Says::Fails);
    let of_sign_out = alongside(&mut out);
    gate.later(10);
    let mut page = forwarded(gate.answer(&PAGE(), pending, &Says::Lives("a", vec![RENEWED])));
    assert_eq!(
        (org(&page).as_deref(), cookies(&page.response_headers)),
        (Some("a"), vec![]),
        "no cookies from before"
    );
    let _ = gate.finish(of_sign_out, &Says::Nothing, &[GONE]);
    if let Some(pending) = page.alongside.take() {
        assert_eq!(of_session(&page, &gate.finish(pending, &Says::Nothing, &[])), [""; 0]);
    }
    assert!(matches!(gate.decide(&PAGE()), Decision::Perform(_)), "and nothing is remembered");
}

/// Twice is enough: then it is a lookup failure.
#[test]
fn a_request_asks_once_more_and_not_for_ever() {
    let mut gate = Instance::new(json!({}));
    let mut decision = gate.decide(&PAGE());
    for _ in 0..2 {
        let pending = asked(decision);
        let mut change = gate.forward(&Request::of("POST", "/api/auth/update-user"), &Says::Fails);
        let _ = gate.finish(alongside(&mut change), &Says::Nothing, &[]);
        decision = gate.answer(&PAGE(), pending, &Says::Lives("a", vec![]));
    }
    assert_eq!(reason(&decision), "session_unavailable");
    let (Decision::Redirect(answer) | Decision::Reject(answer)) = decision else {
        panic!("an answer")
    };
    assert!(answer.log.is_some_and(|log| log.contains(r#""lookup_failure":"session-changed""#)));
}

/// Who asks in the middle of it gets either state, and no one after it gets that one.
#[test]
fn what_is_asked_in_the_middle_is_for_those_who_came_before_it() {
    let mut gate = Instance::new(json!({}));
    let mut change =
        gate.forward(&Request::of("POST", "/api/auth/organization/set-active"), &Says::Fails);
    let pending = alongside(&mut change);
    gate.later(10);
    let waiting = asked(gate.decide(&PAGE()));
    let other = asked(gate.decide(&PAGE()));
    assert!(matches!(other.effect(), Effect::Wait { .. }));
    gate.later(10);
    let page = forwarded(gate.answer(&PAGE(), waiting, &Says::Lives("a", vec![RENEWED])));
    assert_eq!(
        (org(&page).as_deref(), cookies(&page.response_headers)),
        (Some("a"), vec![]),
        "no cookies from the middle"
    );
    // It came in before that was asked? No: it waited for one that had been asked before. It asks
    // itself.
    let own = asked(gate.answer(&PAGE(), other, &Says::Nothing));
    assert!(matches!(own.effect(), Effect::Fetch(_)));
    gate.later(10);
    assert_eq!(
        org(&forwarded(gate.answer(&PAGE(), own, &Says::Lives("b", vec![])))).as_deref(),
        Some("b")
    );
    gate.later(10);
    let finish = gate.finish(pending, &Says::Nothing, &[]);
    assert_eq!(cookies(&finish.headers).len(), 1, "other instances are told");
    assert_eq!(org(&gate.forward(&PAGE(), &Says::Lives("c", vec![]))).as_deref(), Some("c"));
    assert_eq!(
        org(&gate.forward(&PAGE(), &Says::Fails)).as_deref(),
        Some("c"),
        "and from then on it is remembered"
    );
}

/// A host that does not see the response: it may come for five seconds.
#[test]
fn where_the_response_is_not_seen_it_may_come_at_any_moment_of_five_seconds() {
    let mut gate = Instance::new(json!({}));
    let mut change = gate.forward(&Request::of("POST", "/api/auth/update-user"), &Says::Fails);
    let pending = alongside(&mut change);
    let finish = Says::Nothing.with(|result| gate.engine.finish_unseen(pending, result, gate.now));
    let told = cookies(&finish.headers).first().copied().unwrap_or_default().to_owned();
    assert!(
        told.starts_with("doorward_as_of=1795402805000.") && told.contains("; Max-Age=15;"),
        "{told}"
    );
    for (seconds, expected) in [(1, "a"), (4, "b"), (6, "c")] {
        gate.now = START.plus_millis(seconds * 1000);
        assert_eq!(
            org(&gate.forward(&PAGE(), &Says::Lives(expected, vec![]))).as_deref(),
            Some(expected),
            "after {seconds} s"
        );
    }
    assert_eq!(org(&gate.forward(&PAGE(), &Says::Fails)).as_deref(), Some("c"), "remembered");

    let mut other = Instance::new(json!({}));
    other.later(500);
    assert_eq!(org(&other.forward(&PAGE(), &Says::Lives("a", vec![]))).as_deref(), Some("a"));
    let with_it = || PAGE().with(told.split(';').next().unwrap_or_default());
    for (seconds, expected) in [(1, "b"), (4, "c"), (6, "d")] {
        other.now = START.plus_millis(seconds * 1000);
        assert_eq!(
            org(&other.forward(&with_it(), &Says::Lives(expected, vec![]))).as_deref(),
            Some(expected),
            "elsewhere, after {seconds} s"
        );
    }
    assert_eq!(
        org(&other.forward(&with_it(), &Says::Fails)).as_deref(),
        Some("d"),
        "remembered elsewhere"
    );
}

/// Two instances, the second one remembers what the first has seen change.
#[test]
fn another_instance_is_told_by_the_browser() {
    let (mut one, mut other) = (Instance::new(json!({})), Instance::new(json!({})));
    assert_eq!(org(&other.forward(&PAGE(), &Says::Lives("a", vec![]))).as_deref(), Some("a"));
    one.later(1000);
    other.later(2000);
    let mut change =
        one.forward(&Request::of("POST", "/api/auth/organization/set-active"), &Says::Fails);
    let pending = alongside(&mut change);
    let finish = one.finish(pending, &Says::Nothing, &[]);
    let told = cookies(&finish.headers)
        .first()
        .map(|line| line.split(';').next().unwrap_or_default().to_owned())
        .unwrap_or_default();
    assert_eq!(
        org(&other.forward(&PAGE(), &Says::Fails)).as_deref(),
        Some("a"),
        "who does not tell is told what is remembered"
    );
    let page = other.forward(&PAGE().with(&told), &Says::Lives("b", vec![]));
    assert_eq!(org(&page).as_deref(), Some("b"));
    let forwarded =
        page.set.iter().find(|(name, _)| *name == "cookie").map(|(_, line)| line.to_owned());
    assert_eq!(forwarded, Some(PAGE().cookies), "the origin does not hear of it");
}

/// In a cache that instances share, what was known before is taken off, and an answer that is late
/// does not put it back for long.
#[test]
fn a_copy_is_taken_off_the_shared_cache() {
    let mut gate = Instance::new(json!({ "share_sessions": true }));
    let _ = gate.forward(&PAGE(), &Says::Lives("a", vec![]));
    let name = gate.engine.cache_writes().pop().map(|keep| keep.key);
    gate.later(1000);
    let _ = gate.forward(&Request::of("POST", "/api/auth/update-user"), &Says::Fails);
    let kept = gate
        .engine
        .cache_writes()
        .into_iter()
        .filter(|keep| Some(&keep.key) == name.as_ref())
        .map(|keep| keep.text)
        .next();
    assert!(kept.is_some_and(|text| text.ends_with("\nnull") && text.contains(" 1795402801000 ")));
}

/// A client that sends such requests and goes away: nothing is left to wait for.
#[test]
fn a_response_that_never_comes_is_waited_for_five_seconds() {
    let mut gate = Instance::new(json!({}));
    drop(gate.forward(&SIGN_OUT(), &Says::Fails));
    gate.later(5001);
    assert_eq!(org(&gate.forward(&PAGE(), &Says::Lives("a", vec![]))).as_deref(), Some("a"));
    assert_eq!(org(&gate.forward(&PAGE(), &Says::Fails)).as_deref(), Some("a"));
}

/// A renewal that was on its way when its user signed out.
#[test]
fn a_renewal_under_way_brings_nothing_after_a_sign_out() {
    let good = crate::support::vector("compact-valid");
    let mut engine = engine_with(json!({ "renew_percent": 80 }));
    let cookie = crate::support::text(&good, "cookie");
    let now = crate::support::moment(&good);
    let head = |method, target, act: &mut dyn FnMut(&RequestHead<'_>)| {
        let headers = [("cookie", cookie.as_str()), ("origin", ORIGIN)];
        act(&RequestHead {
            method,
            target,
            headers: &headers,
            public_origin: ORIGIN,
            client_address: None,
        });
    };
    let mut decisions = Vec::new();
    head("GET", "/app", &mut |head| decisions.push(engine.decide(head, now)));
    head("POST", "/api/auth/sign-out", &mut |head| decisions.push(engine.decide(head, now)));
    let mut pending: Vec<PendingEffect> =
        decisions.into_iter().map(|decision| alongside(&mut forwarded(decision))).collect();
    let session = &good["expect"]["decoded_payload"];
    let body = json!({ "session": session["session"], "user": session["user"] }).to_string();
    let out = pending.pop().unwrap_or_else(|| panic!("a watch"));
    let renewal = pending.pop().unwrap_or_else(|| panic!("a renewal"));
    assert!(matches!(renewal.effect(), Effect::Fetch(_)));
    let _ = engine.finish(out, EffectResult::Waited, &[GONE], now);
    let headers = [("set-cookie", RENEWED)];
    let finish = engine.finish(
        renewal,
        EffectResult::Answered { status: 200, headers: &headers, body: body.as_bytes() },
        &[],
        now,
    );
    assert!(finish.headers.is_empty());
    head("GET", "/app", &mut |head| {
        assert!(
            matches!(engine.decide(head, now), Decision::Perform(_)),
            "its cookie cache is from before the sign-out"
        );
    });
}

/// Better Auth with `deferSessionRefresh` refreshes nothing before it gets a POST of its own site.
#[test]
fn a_session_that_is_to_be_refreshed_is_asked_for_with_a_post_of_its_own_site() {
    let mut engine = engine_with(json!({}));
    let session = json!({ "id": "s", "token": TOKEN, "userId": "ada", "expiresAt": "2030-01-01T00:00:00.000Z" });
    let body =
        json!({ "session": session, "user": { "id": "ada" }, "needsRefresh": true }).to_string();
    let page = PAGE();
    let pending = asked(page.with_head(|head| engine.decide(head, START)));
    let result = EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() };
    let mut forward = forwarded(page.with_head(|head| engine.resume(head, pending, result, START)));
    let pending = alongside(&mut forward);
    let Effect::Fetch(fetch) = pending.effect() else { panic!("{pending:?}") };
    assert_eq!((fetch.method, fetch.timeout_ms), ("POST", 1000));
    assert!(fetch.url.ends_with("/api/auth/get-session?disableCookieCache=true"), "{}", fetch.url);
    assert!(fetch.headers.contains(&("origin".to_owned(), ORIGIN.to_owned())));
}
