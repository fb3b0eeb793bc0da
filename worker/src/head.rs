//! The head of a request, read once and kept for as long as the request is undecided.

use std::iter;

use doorward::RequestHead;
use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::{Headers, Request};

use crate::platform::write_head;
use crate::start::Settings;

/// Room for the heads of nearly all requests, in bytes.
const USUAL_BYTES: usize = 4096;

/// Everything that the engine is shown of a request.
pub(crate) struct Head {
    method: String,
    target: String,
    /// Name and value of each header, a line each.
    headers: String,
    public_origin: String,
}

impl Head {
    /// The head of this request, or nothing if its URL is not a URL of a server.
    pub(crate) fn of(request: &Request, settings: &Settings) -> Option<Self> {
        Self::read(&text(request)?, settings.public_origin.as_deref())
    }

    /// The head from its lines, as `worker/shim/message.js` writes them.
    fn read(text: &str, public_origin: Option<&str>) -> Option<Self> {
        let (count, rest) = text.split_once('\n')?;
        let (method, rest) = rest.split_once('\n')?;
        let (url, headers) = rest.split_once('\n')?;
        let (origin, target) = split(url)?;
        // A line feed within a line would make a header of what is none.
        if Some(headers.matches('\n').count()) != count.parse().ok().and_then(|count: usize| count.checked_mul(2)) {
            return None;
        }
        Some(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.to_owned(),
            public_origin: public_origin.unwrap_or(origin).to_owned(),
        })
    }

    /// Shows the head to the engine.
    pub(crate) fn lend<R>(&self, work: impl FnOnce(&RequestHead<'_>) -> R) -> R {
        let headers: Vec<_> = self.headers().collect();
        work(&RequestHead {
            method: &self.method,
            target: &self.target,
            headers: &headers,
            public_origin: &self.public_origin,
            client_address: self.client_address(),
        })
    }

    pub(crate) fn public_origin(&self) -> &str {
        &self.public_origin
    }

    /// The platform writes this header itself, over whatever the client has sent under its name.
    pub(crate) fn client_address(&self) -> Option<&str> {
        self.headers().find(|(name, _)| *name == "cf-connecting-ip").map(|(_, address)| address)
    }

    /// Header pairs as a Fetch `Headers` lists them: names lower case and sorted.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut lines = self.headers.split_terminator('\n');
        iter::from_fn(move || Some((lines.next()?, lines.next()?)))
    }

    /// Whether the answer must have no body (RFC 9110 section 9.3.2).
    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

fn text(request: &Request) -> Option<String> {
    let mut bytes = vec![0; USUAL_BYTES];
    loop {
        let length = usize::try_from(write_head(request, &mut bytes).ok()?).ok()?;
        if length <= bytes.len() {
            bytes.truncate(length);
            return String::from_utf8(bytes).ok();
        }
        bytes.resize(length, 0);
    }
}

/// Origin and target of a request's URL, without reading either: what the platform left as it came stays as it came.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (origin, target) = url.split_at_checked(scheme.len().checked_add("://".len())?.checked_add(authority)?)?;
    Some((origin, if target.is_empty() { "/" } else { target }))
}

/// The pairs of a Fetch `Headers`: names lower case and sorted, `Set-Cookie` once per line.
pub(crate) fn pairs(headers: &Headers) -> Vec<(String, String)> {
    headers
        .entries()
        .into_iter()
        .filter_map(|entry| {
            let pair: Array = entry.ok()?.dyn_into().ok()?;
            Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
        })
        .collect()
}

/// The same pairs, borrowed.
pub(crate) fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::Head;

    fn seen(text: &str) -> Option<String> {
        let head = Head::read(text, None)?;
        Some(head.lend(|head| format!("{} {} {} {:?}", head.method, head.public_origin, head.target, head.headers)))
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let expected = r#"GET https://app.test /a?b=c [("accept", "*/*"), ("cookie", "")]"#;
        assert_eq!(seen("2\nGET\nhttps://app.test/a?b=c\naccept\n*/*\ncookie\n\n").as_deref(), Some(expected));
        assert_eq!(seen("0\nHEAD\nhttp://app.test:8080\n").as_deref(), Some("HEAD http://app.test:8080 / []"));
    }

    #[test]
    fn a_line_feed_within_a_value_makes_no_header() {
        assert_eq!(seen("1\nGET\nhttps://app.test/\naccept\n*/*\nx-doorward-subject\nroot\n"), None);
        assert_eq!(seen("1\nGET\nhttps://app.test/\naccept\n*/*\nx\n"), None);
        assert_eq!(seen("1\nGET\nhttps://app.test/\naccept\n"), None);
        assert_eq!(seen("\nGET\nhttps://app.test/\n"), None);
    }
}
