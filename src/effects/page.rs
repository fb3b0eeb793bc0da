//! A page of the application that is shown in place of the gate's own, under the refusal's status.

use crate::better_auth::session_record::LookupFailure;
use crate::cache::shared;
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
/// What the page says about itself beside its type. Whatever else its response says (cookies, how
/// long it may be kept) is not passed on.
const HEADERS: [&str; 7] = [
    "content-language",
    "content-security-policy",
    "link",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
];

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
            ("accept-language", head.only("accept-language").unwrap_or("*")),
            ("x-forwarded-host", host),
            ("x-forwarded-proto", scheme),
        ];
        let effect = Effect::Fetch(Fetch {
            purpose: NAME,
            method: "GET",
            url: self.url,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
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
#[cold]
#[inline(never)]
fn shown(result: &EffectResult<'_>) -> Result<ShownPage, &'static str> {
    let (headers, body) = match result {
        EffectResult::Answered { status: 200, headers, body } => (headers, body),
        EffectResult::Answered { status: 300..=399, .. } => return Err("redirect"),
        EffectResult::Answered { .. } => return Err("status"),
        EffectResult::TooLarge => return Err("too_large"),
        _ => return Err("unreachable"),
    };
    let content_type = shared::value(headers, "content-type");
    let essence = content_type.split(';').next().unwrap_or_default().trim_end();
    if !essence.eq_ignore_ascii_case("text/html") {
        return Err("not_html");
    }
    let body = std::str::from_utf8(body).map_err(|_| "not_html")?;
    let is_passed_on = |(name, value): &&(&str, &str)| {
        value.is_ascii() && HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name))
    };
    let of_type = [("content-type", content_type)];
    let passed_on = of_type.iter().chain(headers.iter().filter(is_passed_on));
    let headers = passed_on.map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()));
    Ok(ShownPage { headers: headers.collect(), body: body.to_owned() })
}
