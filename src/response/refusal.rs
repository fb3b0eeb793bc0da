//! Refusals: from the reason and the kind of request to a page, a problem document, a line of text
//! or a redirect. `docs/responses.md` has the table; `tests/responses.rs` compares the two.
//!
//! The reason decides the status, the kind of request only the form. Every refusal is
//! `private, no-store`: it is for one user at one moment.

use crate::decision::{Decision, Refusal};
use crate::effects::learned::Learned;
use crate::encoding::percent;
use crate::http::path::Path;
use crate::http::request::{RequestHead, RequestKind};
use crate::policy::Policy;
use crate::policy::issuer::TokenLocation;
use crate::policy::pages::Pages;
use crate::policy::rules::{MatchedRules, RefusalFormat};
use crate::reason::Reason;
use crate::response::log::LoggedRequest;
use crate::response::page::Page;
use crate::response::{self, RequestContext};
use crate::response::{problem, sign_in};
use crate::time::UnixTime;

/// `Retry-After` of every 5xx.
const RETRY_AFTER_SECONDS: &str = "5";
/// Every request header that a refusal depends on.
const VARY: &str = "Cookie, Authorization, Origin, Referer, Accept, Upgrade, Sec-Fetch-Site, \
    Sec-Fetch-Mode, Sec-Fetch-Dest, Sec-Purpose, Purpose, RSC, Next-Action, Next-Router-Prefetch, \
    Next-Url, X-Nextjs-Data, X-SvelteKit-Pathname, RSC-Action-Id, X-Server-Id, \
    Access-Control-Request-Method";

/// The form of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `Location`, for a browser.
    SignIn,
    /// `x-action-redirect`, for the client of Next.js.
    ActionSignIn,
    /// HTML, for visitors.
    Page,
    /// One line of text: the client of Next.js throws it as an error's message.
    Text,
    /// RFC 9457, for programs.
    Problem,
}

impl Form {
    /// The table. Only what signing in can cure leads to the sign-in page.
    const fn of(reason: Reason, kind: RequestKind, has_sign_in: bool) -> Self {
        match (kind, reason.status()) {
            (RequestKind::Document, 401) if has_sign_in => Self::SignIn,
            (RequestKind::Action, 401) if has_sign_in => Self::ActionSignIn,
            (RequestKind::Document, _) => Self::Page,
            (RequestKind::Action, _) => Self::Text,
            _ => Self::Problem,
        }
    }
}

/// What a refusal is made of.
struct RefusalContext<'a> {
    reason: Reason,
    /// Why each round of a redirect loop ended without a session.
    cause: Option<Reason>,
    request: RequestContext<'a>,
    learned: &'a mut Learned,
}

/// The refusal where there is no engine: it did not start, or the head could not be read. It is the
/// same as an engine's without what a configuration adds (`docs_url`, `cors`, `debug_header`, a
/// rule's `refusal_format`).
///
/// Where the WebAssembly itself is missing, hosts have these bytes in `middleware/not-started.js`.
pub fn refuse_without_engine(reason: Reason, head: &RequestHead<'_>, now: UnixTime) -> Refusal {
    let request = RequestContext { policy: None, head, path: None, now };
    let refusal = RefusalContext { reason, cause: None, request, learned: &mut Learned::default() };
    refusal.rejection(Form::of(reason, RequestKind::of(head), false))
}

/// Refuses a request.
///
/// # Errors
/// A page of the application has to be fetched first: its URL. Where that has been tried
/// ([`Learned::page`]) there is none.
pub(crate) fn refuse<'a>(
    reason: Reason,
    request: RequestContext<'a>,
    learned: &'a mut Learned,
) -> Result<Decision, String> {
    let RequestContext { policy, head, path, .. } = request;
    let kind = kind_for(style_of(policy, head, path), head, path);
    let refusal = RefusalContext { reason, cause: None, request, learned };
    let sign_in = policy
        .and_then(|policy| policy.sign_in.as_ref())
        .filter(|_| reason != Reason::RedirectLoop);
    let form = Form::of(reason, kind, sign_in.is_some() && path.is_some());
    let (Form::SignIn | Form::ActionSignIn, Some(sign_in), Some(path)) = (form, sign_in, path)
    else {
        return refusal.decision(form);
    };
    Ok(match sign_in::way(sign_in, head, kind, path) {
        Some(way) if form == Form::ActionSignIn => {
            Decision::Redirect(refusal.action_redirection(&way.target, path))
        }
        Some(way) => {
            refusal.learned.set_cookies.extend(way.set_cookie);
            Decision::Redirect(refusal.redirection(way.target))
        }
        None => {
            let refusal =
                RefusalContext { reason: Reason::RedirectLoop, cause: Some(reason), ..refusal };
            return refusal.decision(Form::of(Reason::RedirectLoop, kind, false));
        }
    })
}

/// The format that the strictest of the matching rules asks for.
fn style_of(
    policy: Option<&Policy>,
    head: &RequestHead<'_>,
    path: Option<&Path<'_>>,
) -> RefusalFormat {
    let matched = policy.zip(path).and_then(|(policy, path)| policy.matched_rules(path, head));
    matched.map_or(RefusalFormat::Auto, |rules| rules.strictest.answer)
}

/// The kind of request that the refusal is made for.
fn kind_for(style: RefusalFormat, head: &RequestHead<'_>, path: Option<&Path<'_>>) -> RequestKind {
    match (style, kind_of(head, path)) {
        (RefusalFormat::Api, _) => RequestKind::Fetch,
        // A script in a browser sends that header.
        (RefusalFormat::Page, RequestKind::Fetch) if head.header("sec-fetch-mode").is_none() => {
            RequestKind::Document
        }
        (_, kind) => kind,
    }
}

/// The kind of request by its target, or else by its headers.
pub(crate) fn kind_of(head: &RequestHead<'_>, path: Option<&Path<'_>>) -> RequestKind {
    match RequestKind::of(head) {
        RequestKind::Document | RequestKind::Fetch => {
            path.and_then(Path::transport).unwrap_or_else(|| RequestKind::of(head))
        }
        kind => kind,
    }
}

impl RefusalContext<'_> {
    /// A refusal in this form. Where a page of the application stands in for the gate's own, it is
    /// shown in place, or the browser is redirected to it: by what the host can do.
    ///
    /// # Errors
    /// That page has to be fetched first.
    fn decision(self, form: Form) -> Result<Decision, String> {
        let own_page = self.request.policy.filter(|_| form == Form::Page).and_then(|policy| {
            let page = policy.pages.own(self.reason.status())?;
            // A page that is itself refused would be redirected to itself.
            let is_here = self.request.path.is_some_and(|path| path.segments() == page.segments);
            (!is_here && self.learned.page.is_none()).then_some((policy, page))
        });
        let Some((policy, page)) = own_page else {
            return Ok(Decision::Reject(self.rejection(form)));
        };
        let came_from = self
            .request
            .path
            .and_then(|path| sign_in::return_path(self.request.head, RequestKind::Document, path));
        let came_from = came_from.map_or_else(String::new, |came_from| {
            ["&from=", &percent::query_component(&came_from)].concat()
        });
        let target = [&page.path, "?reason=", self.reason.code(), &came_from].concat();
        if !policy.capabilities.fetches_pages() {
            return Ok(Decision::Redirect(self.redirection(target)));
        }
        let rules = policy.rules_of_page(page);
        let upstream = rules.as_ref().and_then(MatchedRules::upstream).unwrap_or_default();
        Err([upstream, &target].concat())
    }

    fn redirection(self, target: String) -> Refusal {
        // 307 keeps GET and HEAD as they are; 303 makes a GET of everything else (RFC 9110 sections
        // 15.4.4 and 15.4.8).
        let status = if matches!(self.request.head.method, "GET" | "HEAD") { 307 } else { 303 };
        self.redirect(status, ("location".to_owned(), target))
    }

    /// What the client of Next.js reads after a server action (next 16.4.5,
    /// `dist/client/components/router-reducer/reducers/` `server-action-reducer.js`; the same since
    /// 14): `x-action-redirect: <url>;push` without a body that is `text/x-component` rejects the
    /// action's promise as a redirect and goes there by a hard navigation. Up to 15 it throws for
    /// any status from 400 on, so the status is Next's own 303; without `Location`, because `fetch`
    /// would follow that.
    ///
    /// The URL is relative to the page, from its root: the client puts the app's base path before
    /// one that begins with `/` (`dist/client/assign-location.js`), and the sign-in path has it
    /// already.
    fn action_redirection(self, target: &str, path: &Path<'_>) -> Refusal {
        let up = "../".repeat(path.segments().len().saturating_add(1));
        let location = ["./", &up, target.trim_start_matches('/'), ";push"].concat();
        self.redirect(303, ("x-action-redirect".to_owned(), location))
    }

    fn redirect(self, status: u16, way: (String, String)) -> Refusal {
        let log = self.log_line("redirect", status);
        let mut headers = self.common_headers("redirect");
        headers.push(way);
        Refusal { reason: self.reason, status, headers, body: String::new(), log: Some(log) }
    }

    fn rejection(self, form: Form) -> Refusal {
        let status = self.reason.status();
        let log = self.log_line("reject", status);
        let findings = Some(log.as_str()).filter(|_| self.shows_findings());
        let mut headers = self.common_headers("reject");
        headers.extend(
            challenge(self.reason).map(|challenge| ("www-authenticate".to_owned(), challenge)),
        );
        if status >= 500 {
            headers.push(("retry-after".to_owned(), RETRY_AFTER_SECONDS.to_owned()));
        }
        let body = self.written(form, findings, &mut headers);
        let body = if self.request.head.method == "HEAD" { String::new() } else { body };
        Refusal { reason: self.reason, status, headers, body, log: Some(log) }
    }

    /// The body in this form; adds the headers that describe it.
    fn written(
        &self,
        form: Form,
        findings: Option<&str>,
        headers: &mut Vec<(String, String)>,
    ) -> String {
        let (content_type, body) = match form {
            Form::Page => {
                if let Some(Ok(page)) = &self.learned.page {
                    headers.extend(page.headers.iter().cloned());
                    return page.body.clone();
                }
                let (body, content_security_policy) = self.page(findings);
                headers.push(("content-security-policy".to_owned(), content_security_policy));
                ("text/html; charset=utf-8", body)
            }
            // Exactly this: with a charset, the client of Next.js does not show it.
            Form::Text => ("text/plain", problem::line(self.reason)),
            Form::Problem | Form::SignIn | Form::ActionSignIn => (
                "application/problem+json",
                problem::document(self.reason, self.cause, self.docs_url(), findings),
            ),
        };
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        body
    }

    fn common_headers(&self, decision: &str) -> Vec<(String, String)> {
        let mut headers = vec![
            ("cache-control".to_owned(), "private, no-store".to_owned()),
            ("vary".to_owned(), self.vary()),
        ];
        headers.extend(self.cors());
        let RequestContext { policy, now, .. } = self.request;
        let timing =
            policy.and_then(|policy| response::server_timing(policy, self.learned.arrived, now));
        headers.extend(timing);
        if self.shows_decision() {
            let cause =
                self.cause.map_or_else(String::new, |cause| ["; cause=", cause.code()].concat());
            headers.push((
                "doorward-decision".to_owned(),
                [decision, "; reason=", self.reason.code(), &cause].concat(),
            ));
        }
        headers.extend(
            self.learned.set_cookies.iter().map(|line| ("set-cookie".to_owned(), line.clone())),
        );
        headers
    }

    fn shows_decision(&self) -> bool {
        self.request.policy.is_some_and(|policy| policy.debug_header)
    }

    /// Whether the client may see what the log says: whoever develops on this machine, and
    /// everybody where `debug` is on.
    fn shows_findings(&self) -> bool {
        let RequestContext { policy, head, .. } = self.request;
        policy.is_some_and(|policy| policy.debug || policy.is_development && head.is_own_machine())
    }

    /// With the headers that may hold an issuer's tokens, and the one that a page of the
    /// application is fetched with.
    fn vary(&self) -> String {
        let mut vary = VARY.to_owned();
        if let Some(Ok(_)) = self.learned.page {
            vary.push_str(", Accept-Language");
        }
        for place in self
            .request
            .policy
            .iter()
            .flat_map(|policy| &policy.issuers)
            .flat_map(|issuer| &issuer.places)
        {
            if let TokenLocation::Header(name) = place {
                vary.push_str(", ");
                vary.push_str(name);
            }
        }
        vary
    }

    /// Lets a page of a listed origin read the reason (Fetch standard, "CORS protocol").
    fn cors(&self) -> Vec<(String, String)> {
        let Some(cors) = self.request.policy.map(|policy| &policy.cors) else {
            return Vec::new();
        };
        let Some(origin) = self
            .request
            .head
            .only("origin")
            .filter(|origin| cors.origins.iter().any(|listed| listed == origin))
        else {
            return Vec::new();
        };
        let exposed = if self.shows_decision() { ", doorward-decision" } else { "" };
        let mut headers = vec![
            ("access-control-allow-origin".to_owned(), origin.to_owned()),
            (
                "access-control-expose-headers".to_owned(),
                ["www-authenticate, retry-after", exposed].concat(),
            ),
        ];
        if cors.credentials {
            headers.push(("access-control-allow-credentials".to_owned(), "true".to_owned()));
        }
        headers
    }

    fn log_line(&self, decision: &str, status: u16) -> String {
        let Self { reason, cause, request, ref learned } = *self;
        LoggedRequest { reason, cause, request, learned }.log_line(decision, status)
    }

    fn docs_url(&self) -> Option<String> {
        self.request
            .policy?
            .docs_url
            .as_ref()
            .map(|docs_url| [docs_url, self.reason.code()].concat())
    }

    /// The page, and its `Content-Security-Policy`.
    fn page(&self, findings: Option<&str>) -> (String, String) {
        let unconfigured = Pages::NONE;
        let pages = self.request.policy.map_or(&unconfigured, |policy| &policy.pages);
        let is_here = |target: &str| self.request.path.is_some_and(|path| path.spelled() == target);
        let sign_in = self.request.policy.and_then(|policy| policy.sign_in.as_ref());
        let sign_in = sign_in.map(|sign_in| sign_in.path.as_str());
        Page {
            reason: self.reason,
            cause: self.cause,
            pages,
            home: Some(pages.home.as_ref()).filter(|home| !is_here(home)),
            // Without a return path, so that it is not counted as a round of a redirect loop.
            sign_in: sign_in.filter(|sign_in| !is_here(sign_in)),
            docs: self.docs_url(),
            findings,
        }
        .render()
    }
}

/// RFC 6750 section 3: no error code where no credential was sent.
fn challenge(reason: Reason) -> Option<String> {
    match reason {
        Reason::NoCredential | Reason::RedirectLoop => Some("Bearer".to_owned()),
        Reason::Forbidden => Some("Bearer error=\"insufficient_scope\"".to_owned()),
        // `error_description` must not contain quotation marks (RFC 6750 section 3).
        _ if reason.status() == 401 => Some(
            [
                "Bearer error=\"invalid_token\", error_description=\"",
                &reason.sentence().replace('"', "'"),
                "\"",
            ]
            .concat(),
        ),
        _ => None,
    }
}
