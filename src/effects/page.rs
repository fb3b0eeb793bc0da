//! A page of the application that is shown in place of the gate's own, under the refusal's status.

use crate::better_auth::session_record::LookupFailure;
use crate::effect::{Effect, EffectResult, Fetch};
use crate::http::request::RequestHead;
use crate::reason::Reason;

use super::learned::ShownPage;
use super::{Begun, Context, Continuation, Purpose};

/// What logs call it.
const NAME: &str = "page";
/// The visitor has waited for the decision already.
const TIMEOUT_MILLIS: u32 = 1000;
/// It is kept in memory while it is passed on.
const MAX_PAGE_BYTES: u32 = 512 * 1024;
/// What the page says about itself. Whatever else its response says (cookies, how long it may be
/// kept) is not passed on.
const HEADERS: [&str; 8] = [
    "content-type",
    "content-language",
    "content-security-policy",
    "link",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
];

/// Why the page is not shown where there is no time left to fetch it.
pub(crate) const TOO_LATE: &str = "too_late";

/// The page to fetch.
pub(crate) struct PageToShow {
    /// Why the request is refused.
    pub(crate) reason: Reason,
    /// Its path and query, after scheme, host and port where it is not at the host's own origin.
    pub(crate) url: String,
}

/// A refusal that waits for its page.
#[derive(Default)]
pub(crate) struct Memory {
    /// Why the request is refused: it stays so, whatever happens meanwhile.
    pub(crate) refused: Option<Reason>,
}

impl super::Memory for Memory {}

impl Purpose for PageToShow {
    type Pending = ();
    type Memory = Memory;

    fn reason(&self) -> Reason {
        self.reason
    }

    /// Without anything that could name the visitor: the page is the same for everybody.
    fn begin(
        self,
        head: &RequestHead<'_>,
        context: &mut Context<'_>,
    ) -> Result<Begun, LookupFailure> {
        context.progress.memory.page.refused = Some(self.reason);
        let (scheme, host) = head.public_origin.split_once("://").unwrap_or_default();
        let headers = [
            ("accept", "text/html"),
            ("accept-encoding", "identity"),
            ("accept-language", head.only("accept-language").unwrap_or_default()),
            ("x-forwarded-host", host),
            ("x-forwarded-proto", scheme),
        ];
        let is_said = |(_, value): &(&str, &str)| !value.is_empty();
        let headers = headers.into_iter().filter(is_said);
        let effect = Effect::Fetch(Fetch {
            purpose: NAME,
            method: "GET",
            url: self.url,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            timeout_ms: TIMEOUT_MILLIS,
            max_bytes: MAX_PAGE_BYTES,
            copy: None,
        });
        Ok((effect, Continuation::Page(())))
    }

    fn learn((): (), _: Effect, result: &EffectResult<'_>, context: &mut Context<'_>) {
        context.progress.learned.page = Some(shown(result).map(Box::new));
    }
}

/// The page, or why this is none that can be shown.
fn shown(result: &EffectResult<'_>) -> Result<ShownPage, &'static str> {
    let (headers, body) = match result {
        EffectResult::Answered { status: 200, headers, body } => (headers, body),
        EffectResult::Answered { status: 300..=399, .. } => return Err("redirect"),
        EffectResult::Answered { .. } => return Err("status"),
        EffectResult::TooLarge => return Err("too_large"),
        _ => return Err("unreachable"),
    };
    let of_name = |name: &'static str| {
        let lines = headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let lines: Vec<&str> = lines.map(|(_, value)| *value).filter(|it| it.is_ascii()).collect();
        (!lines.is_empty()).then(|| (name.to_owned(), lines.join(", ")))
    };
    let headers: Vec<(String, String)> = HEADERS.into_iter().filter_map(of_name).collect();
    let is_html = headers.first().is_some_and(|(name, value)| {
        let essence = value.split(';').next().unwrap_or_default().trim_end();
        name == "content-type" && essence.eq_ignore_ascii_case("text/html")
    });
    let text = std::str::from_utf8(body).ok().filter(|_| is_html);
    text.map(|body| ShownPage { headers, body: body.to_owned() }).ok_or("not_html")
}
