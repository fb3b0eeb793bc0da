//! Forwards a request to the origin and hands its response back. Bodies are streams that pass
//! through, in both directions.

use doorward::{ConnectionLimits, Forward, Onward, PendingEffect, Reason, UnixTime};
use doorward_host::{Host as _, alongside, finish, onward, receive, refuse, response_headers};
use js_sys::Promise;
use js_sys::futures::JsFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Request, Response, Url};

use crate::answer::give;
use crate::conformance;
use crate::head::Head;
use crate::host::WorkerHost;
use crate::lines::Lines;
use crate::platform::{add_headers, ending_with, promised, send};
use crate::stream::pairs;

/// Sends a `Forward` on: the promise of a response. Nothing if it cannot be sent as it
/// says.
pub(crate) fn forward(
    host: &WorkerHost,
    request: &Request,
    head: &Head,
    mut forward: Forward,
) -> Option<JsValue> {
    let settings = &host.settings;
    if let Some(pending) = forward.after.take() {
        // Begun now, and not waited for: the engine has told the other requests that somebody is on
        // the way.
        let after = host.clone();
        host.in_background(async move { receive(&after, pending).await });
    }
    let origin = forward.upstream.as_deref().unwrap_or(&settings.origin);
    if !keeps_path(origin, &forward.target) {
        return give(&refuse(host, head, Reason::PathRefused), head.is_head()).ok();
    }
    let mut lines = Lines::new();
    lines.push(&[origin, &forward.target]);
    lines.push(&[head.public_origin()]);
    let elsewhere = settings.resolve_override.as_deref().filter(|_| forward.upstream.is_none());
    lines.push(&[elsewhere.unwrap_or_default()]);
    let onward = onward(host, head, &forward)?;
    conformance::sends_on(&onward);
    let Onward { remove, set } = onward;
    let removed = lines.names(remove.iter().map(String::as_str));
    let set = lines.pairs(set.iter());
    // Cookies wait for the response where there is something to wait for: whether they still count
    // then, `finish` says.
    let is_held =
        |(name, _): &(String, String)| forward.alongside.is_some() && name == "set-cookie";
    let (held, at_once) =
        std::mem::take(&mut forward.response_headers).into_iter().partition::<Vec<_>, _>(is_held);
    let added = lines.pairs(texts(&at_once));
    let response = send(request, lines.as_str(), removed, set, added).ok()?;
    let response = match forward.connection {
        ConnectionLimits { until: None, recheck_after_ms: None } => response,
        ConnectionLimits { until, recheck_after_ms } => {
            let lives = until.map(|until| lives(until, host.now()));
            ending_with(request, &response, lives, recheck_after_ms).ok()?
        }
    };
    Some(match forward.alongside {
        None => response,
        Some(pending) => {
            promised(finished(host.clone(), response.clone(), pending, held), Some(&response))
        }
    })
}

/// The origin's response, which is on its way already, with what comes of the effect alongside and
/// the cookies that have waited for it. If the client goes away the platform drops all of this, and
/// the effect with it.
async fn finished(
    host: WorkerHost,
    response: JsValue,
    pending: PendingEffect,
    held: Vec<(String, String)>,
) -> Result<JsValue, JsValue> {
    let origin = JsFuture::from(Promise::resolve(&response));
    let (response, performed) = alongside(&host, Some(pending), origin).await?;
    let response: Response = response.dyn_into()?;
    let headers = pairs(&response.headers());
    let set_cookies: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, line)| line.as_str())
        .collect();
    let finish = finish(&host, performed, &set_cookies);
    conformance::finished(&finish);
    let mut lines = Lines::new();
    let added: Vec<_> = response_headers(held, finish).collect();
    let count = lines.pairs(texts(&added));
    add_headers(&response, lines.as_str(), count)
}

/// Whether the platform sends this path as it was decided about. It reads a URL before it sends it,
/// and would take `/a/../b` or a backslash for something else.
fn keeps_path(origin: &str, target: &str) -> bool {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    is_plain(target, path) || is_kept(origin, target, path)
}

/// Whether a reader of URLs has nothing to do: no character that it writes in another way or leaves
/// out (URL standard section 4.4), no `.` or `..` in any spelling for a segment, no fragment.
fn is_plain(target: &str, path: &str) -> bool {
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~!$&'()*+,;=:@.%".contains(&byte);
    path.starts_with('/')
        && path.bytes().all(stays)
        && !["/.", "/%2e", "/%2E"].iter().any(|dot| path.contains(dot))
        && !target.contains('#')
}

/// Whether the platform's own reader of URLs leaves the path as it is.
fn is_kept(origin: &str, target: &str, path: &str) -> bool {
    let url = [origin, target].concat();
    Url::new(&url)
        .is_ok_and(|url| url.origin() == origin && url.pathname() == path && url.hash().is_empty())
}

/// How many milliseconds there are up to then.
#[allow(clippy::as_conversions)] // far below 2^53
fn lives(until: UnixTime, now: UnixTime) -> f64 {
    until.millis_since(now).max(0) as f64
}

fn texts(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    fn plain(target: &str) -> bool {
        is_plain(target, target.split_once('?').map_or(target, |(path, _)| path))
    }

    #[test]
    fn what_a_reader_of_urls_would_change_is_not_plain() {
        for target in
            ["/", "/api/items?page=2", "/a.b/c..d/~e", "/%C3%A9/@x:y;z,(1)*'", "/a/?q=/../", "//a"]
        {
            assert!(plain(target), "{target}");
        }
        for target in [
            "",
            "a",
            "/a/../b",
            "/.",
            "/a/.",
            "/%2e",
            "/a/%2E%2e/b",
            "/.%2e/a",
            "/a\\b",
            "/a b",
            "/a\tb",
            "/é",
            "/a#b",
            "/a?b#c",
        ] {
            assert!(!plain(target), "{target}");
        }
    }
}
