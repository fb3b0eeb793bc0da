//! The head of a request, read once and kept for as long as the request is undecided.

use doorward::RequestHead;
use doorward_host::LendHead;
use web_sys::Request;

use crate::platform::write_head;

/// Room for the heads of nearly all requests, in bytes.
const USUAL_BYTES: usize = 4096;

/// Everything that the engine is shown of a request.
pub(crate) struct Head {
    /// Lines, as `worker/shim/message.js` writes them.
    text: String,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// How much of the URL is its origin.
    origin: usize,
    /// What clients see in its place.
    public_origin: Option<String>,
}

/// Which line says what; behind these come name and value of each header.
const COUNT: usize = 0;
const METHOD: usize = 1;
const URL: usize = 2;
const HEADERS: usize = 3;

impl Head {
    /// The head of this request, or nothing if its URL is not a URL of a server. Clients see
    /// `public_origin` in place of the URL's own origin.
    pub(crate) fn of(request: &Request, public_origin: Option<&str>) -> Option<Self> {
        Self::read(text(request)?, public_origin.map(str::to_owned))
    }

    /// The head from its lines. They are looked for once: it is asked for its headers several
    /// times.
    fn read(text: String, public_origin: Option<String>) -> Option<Self> {
        let ends = text.match_indices('\n').map(|(place, _)| place).collect();
        let mut head = Self { text, ends, origin: 0, public_origin };
        head.origin = origin_of(head.line(URL))?;
        let is_whole =
            head.ends.last().is_some_and(|end| end.checked_add(1) == Some(head.text.len()));
        let count: usize = head.line(COUNT).parse().ok()?;
        // A line feed within a line would make a header of what is none.
        let lines = count.checked_mul(2)?.checked_add(HEADERS)?;
        (is_whole && head.ends.len() == lines).then_some(head)
    }

    /// The line of this number; nothing in it where there is none.
    fn line(&self, number: usize) -> &str {
        let begin = number
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .map_or(0, |end| end.saturating_add(1));
        self.ends.get(number).and_then(|end| self.text.get(begin..*end)).unwrap_or_default()
    }

    pub(crate) fn public_origin(&self) -> &str {
        self.public_origin
            .as_deref()
            .unwrap_or_else(|| self.line(URL).get(..self.origin).unwrap_or_default())
    }

    /// The platform writes this header itself, over whatever the client has sent under its name.
    pub(crate) fn client_address(&self) -> Option<&str> {
        self.headers().find(|(name, _)| *name == "cf-connecting-ip").map(|(_, address)| address)
    }

    /// Header pairs as a Fetch `Headers` lists them: names lower case and sorted.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        (HEADERS..self.ends.len())
            .step_by(2)
            .map(|name| (self.line(name), self.line(name.saturating_add(1))))
    }

    /// Whether the answer must have no body (RFC 9110 section 9.3.2).
    pub(crate) fn is_head(&self) -> bool {
        self.line(METHOD) == "HEAD"
    }
}

impl LendHead for Head {
    fn lend<R>(&self, work: impl FnOnce(&RequestHead<'_>) -> R) -> R {
        #[cfg(feature = "conformance")]
        if let Some(odd) = crate::conformance::odd_head() {
            return odd.lend(work);
        }
        let headers: Vec<_> = self.headers().collect();
        let (_, target) = self.line(URL).split_at_checked(self.origin).unwrap_or_default();
        work(&RequestHead {
            method: self.line(METHOD),
            target: if target.is_empty() { "/" } else { target },
            headers: &headers,
            public_origin: self.public_origin(),
            client_address: self.client_address(),
        })
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

/// How long the origin of a request's URL is, without reading the rest: what the platform left as
/// it came stays as it came.
fn origin_of(url: &str) -> Option<usize> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    scheme.len().checked_add("://".len())?.checked_add(authority)
}

#[cfg(test)]
mod tests {
    use doorward_host::LendHead as _;

    use super::Head;

    fn seen(text: &str) -> Option<String> {
        let head = Head::read(text.to_owned(), None)?;
        Some(head.lend(|head| {
            format!("{} {} {} {:?}", head.method, head.public_origin, head.target, head.headers)
        }))
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let expected = r#"GET https://app.test /a?b=c [("accept", "*/*"), ("cookie", "")]"#;
        assert_eq!(
            seen("2\nGET\nhttps://app.test/a?b=c\naccept\n*/*\ncookie\n\n").as_deref(),
            Some(expected)
        );
        assert_eq!(
            seen("0\nHEAD\nhttp://app.test:8080\n").as_deref(),
            Some("HEAD http://app.test:8080 / []")
        );
    }

    #[test]
    fn a_line_feed_within_a_value_makes_no_header() {
        assert_eq!(
            seen("1\nGET\nhttps://app.test/\naccept\n*/*\nx-doorward-subject\nroot\n"),
            None
        );
        assert_eq!(seen("1\nGET\nhttps://app.test/\naccept\n*/*\nx\n"), None);
        assert_eq!(seen("1\nGET\nhttps://app.test/\naccept\n"), None);
        assert_eq!(seen("\nGET\nhttps://app.test/\n"), None);
        assert_eq!(seen("1\nGET\nhttps://app.test/\naccept\n*/*\nx"), None);
        assert_eq!(seen("1\nGET\nhttps://app.test/\naccept\n*/*"), None);
        assert_eq!(seen("0\nGET\nhttps://app.test"), None);
    }
}
