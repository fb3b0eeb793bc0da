//! The gate's own pages, for visitors: what happened in everyday words, a way on, and the code of
//! the reason for whoever they ask for help. Nothing of the request is repeated in them, but in
//! development and with `debug`, and they load nothing.

use crate::encoding::{base64, digest};
use crate::policy::pages::Pages;
use crate::reason::Reason;

/// Colors are the browser's own for text on a page, so that they follow its color scheme and its
/// contrast settings; only the button may have another one.
const STYLE: &str = ":root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}\
    body{max-width:32rem;margin:15vh auto;padding:0 1.5rem;overflow-wrap:anywhere}\
    h1{line-height:1.2}\
    nav{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:center;margin:2rem 0}\
    a{color:inherit}\
    a:focus-visible{outline:3px solid CanvasText;outline-offset:3px}\
    nav a:first-child{padding:.6rem 1.2rem;border-radius:.5rem;text-decoration:none;";
const STYLE_END: &str = "}footer{font-size:.875rem}";
/// Where there are findings.
const STYLE_OF_FINDINGS: &str = "pre{white-space:pre-wrap}";

/// A page about one refusal.
pub(crate) struct Page<'a> {
    pub(crate) reason: Reason,
    /// Why each round of a redirect loop ended without a session.
    pub(crate) cause: Option<Reason>,
    pub(crate) pages: &'a Pages,
    /// Where to start again; none where the request was for it.
    pub(crate) home: Option<&'a str>,
    /// The sign-in page; none where the request was for it.
    pub(crate) sign_in: Option<&'a str>,
    /// The documentation of the reason.
    pub(crate) docs: Option<String>,
    /// The line of the log, where whoever sees the page may read it.
    pub(crate) findings: Option<&'a str>,
}

impl Page<'_> {
    /// The HTML document, and the policy by which a browser applies its style and nothing else.
    pub(crate) fn render(&self) -> (String, String) {
        let (title, sentence) = words(self.reason);
        let name = self.pages.name.as_deref().map(escaped).unwrap_or_default();
        let (of_name, header) = match name.as_str() {
            "" => (String::new(), String::new()),
            name => ([" · ", name].concat(), ["<header><b>", name, "</b></header>"].concat()),
        };
        let code = match &self.docs {
            Some(docs) => link(docs, self.reason.code()),
            None => self.reason.code().to_owned(),
        };
        let cause = self.cause.map(|cause| [" (", cause.code(), ")"].concat()).unwrap_or_default();
        // A member a line, as far as commas tell.
        let lines = |line: &str| escaped(&line.replace(",\"", ",\n\""));
        let findings = self
            .findings
            .map(lines)
            .map_or_else(String::new, |findings| ["<pre>", &findings, "</pre>"].concat());
        let of_findings = self.findings.map_or("", |_| STYLE_OF_FINDINGS);
        let style = [STYLE, &self.pages.button(), STYLE_END, of_findings].concat();
        let body = [
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">",
            "<meta name=\"viewport\" content=\"width=device-width\">",
            "<meta name=\"robots\" content=\"noindex\"><title>",
            title,
            &of_name,
            "</title><style>",
            &style,
            "</style></head><body><main>",
            &header,
            "<h1>",
            title,
            "</h1><p>",
            sentence,
            "</p><nav>",
            &self.ways_on(),
            "</nav><footer>Code: ",
            &code,
            &cause,
            "</footer>",
            &findings,
            "</main></body></html>\n",
        ];
        (body.concat(), content_security_policy(&style))
    }

    /// Links, the most useful one first. An empty link is the page's own URL.
    fn ways_on(&self) -> String {
        let home = self.home.map(|home| (home, "Home page"));
        let sign_in = |label| self.sign_in.map(|sign_in| (sign_in, label));
        let again = Some(("", "Try again"));
        let ways = match (self.reason, self.reason.status()) {
            (Reason::RedirectLoop, _) => [sign_in("Sign in"), home],
            (Reason::Forbidden, _) => [home, sign_in("Sign in with another account")],
            (_, 401) => [home, again],
            (_, 400..=499) => [home, None],
            _ => [again, None],
        };
        let links: String =
            ways.iter().flatten().map(|(target, label)| link(target, label)).collect();
        if links.is_empty() { link("", "Try again") } else { links }
    }
}

/// Heading and sentence, for visitors.
const fn words(reason: Reason) -> (&'static str, &'static str) {
    let check = "Check the address, or start again from the home page.";
    let wait = "Please try again in a few seconds.";
    match (reason, reason.status()) {
        (Reason::NoCredential, _) => {
            ("Please sign in", "You have to be signed in to see this page.")
        }
        (Reason::RedirectLoop, _) => (
            "Sign-in did not work",
            "This site still cannot tell who you are. Allow cookies for it in your browser, then \
             sign in again. If that does not help, please tell the people who run this site.",
        ),
        (Reason::CredentialAmbiguous, _) | (_, 401) => {
            ("Please sign in again", "You have to be signed in to see this page.")
        }
        (Reason::Forbidden, _) => (
            "You do not have access",
            "Your account may not open this page. Use another account, or ask the people who run \
             this site for access.",
        ),
        (Reason::CrossSiteRequest, _) => (
            "This request was blocked",
            "It came from another site. Open the page on this site and try again.",
        ),
        (_, 400) => ("This link does not work", check),
        (_, 403) => ("This page is not available", check),
        (_, 502 | 504) => ("This site does not respond", wait),
        (Reason::NotStarted, _) => ("Temporarily unavailable", wait),
        _ => (
            "Temporarily unavailable",
            "Your sign-in cannot be checked at the moment. You have not been signed out. Please \
             try again in a few seconds.",
        ),
    }
}

/// The style by its hash; nothing else is loaded, sent or framed elsewhere.
fn content_security_policy(style: &str) -> String {
    let hash =
        base64::url_encoded(&digest::of(style.as_bytes())).replace('-', "+").replace('_', "/");
    let hash = ["'sha256-", &hash, "='"].concat();
    let rest = "; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
    ["default-src 'none'; style-src ", &hash, rest].concat()
}

fn link(target: &str, label: &str) -> String {
    ["<a href=\"", &escaped(target), "\">", label, "</a>"].concat()
}

/// For HTML, in text and between quotation marks.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
