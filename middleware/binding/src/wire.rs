//! The bytes at the border, as `WIRE.md` describes them: heads and replies are read, decisions are written.

use doorward::{Answer, Decision, Errand, Forward, Reply, RequestHead, Work};

type Pair<'a> = (&'a str, &'a str);

/// Reads a head and asks `decide` about it; nothing if the bytes are not a head.
pub(crate) fn with_head(bytes: &[u8], decide: impl FnOnce(&RequestHead<'_>) -> Decision) -> Option<Decision> {
    let mut reader = Reader { rest: bytes };
    let method = reader.text()?;
    let target = reader.text()?;
    let public_origin = reader.text()?;
    let client_address = Some(reader.text()?).filter(|address| !address.is_empty());
    let headers = reader.pairs()?;
    reader.end()?;
    Some(decide(&RequestHead { method, target, headers: &headers, public_origin, client_address }))
}

/// Reads a reply and hands it to `take`. Bytes that are not a reply are an errand that failed.
pub(crate) fn with_reply<T>(bytes: &[u8], take: impl FnOnce(Reply<'_>) -> T) -> T {
    let mut headers = Vec::new();
    let reply = read_reply(bytes, &mut headers).unwrap_or(Reply::Failed);
    take(reply)
}

fn read_reply<'a>(bytes: &'a [u8], headers: &'a mut Vec<Pair<'a>>) -> Option<Reply<'a>> {
    let mut reader = Reader { rest: bytes };
    let reply = match reader.u8()? {
        0 => {
            let status = u16::try_from(reader.u32()?).ok()?;
            *headers = reader.pairs()?;
            let body = reader.bytes()?;
            Reply::Answered { status, headers, body }
        }
        1 => Reply::Checked(match reader.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        }),
        2 => Reply::Waited,
        3 => Reply::Failed,
        4 => Reply::Unsupported,
        _ => return None,
    };
    reader.end()?;
    Some(reply)
}

/// A decision to send the request on; `after` is the errand to carry after the response, and its number.
pub(crate) fn forward(forward: &Forward, after: Option<(u32, Ask)>) -> Vec<u8> {
    let mut writer = Writer::decision(1, forward.log.as_deref(), None);
    writer.text(&forward.target);
    writer.count(forward.remove.len());
    for name in &forward.remove {
        writer.text(name);
    }
    writer.pairs(&forward.set);
    writer.pairs(&forward.response_headers);
    match after {
        Some((id, ask)) => {
            writer.u8(1);
            writer.errand(id, &ask);
        }
        None => writer.u8(0),
    }
    writer.bytes
}

/// A decision to answer here and now.
pub(crate) fn answer(answer: &Answer) -> Vec<u8> {
    let mut writer = Writer::decision(2, answer.log.as_deref(), Some(answer.reason.code()));
    writer.u32(u32::from(answer.status));
    writer.pairs(&answer.headers);
    writer.text(&answer.body);
    writer.bytes
}

/// An errand, written but for its number: that is known only once the errand itself has been put away.
pub(crate) struct Ask {
    work: Vec<u8>,
}

impl Ask {
    /// Writes down what the host is to do.
    pub(crate) fn of(errand: &Errand) -> Self {
        let mut writer = Writer { bytes: Vec::with_capacity(256) };
        match errand.work() {
            Work::Fetch(fetch) => {
                writer.u8(0);
                writer.text(fetch.purpose.name());
                writer.text(fetch.method);
                writer.text(&fetch.url);
                writer.pairs(&fetch.headers);
                writer.u32(fetch.timeout_ms);
                writer.u32(fetch.max_bytes);
                writer.u32(fetch.max_copy_age_seconds);
            }
            Work::Check(check) => {
                writer.u8(1);
                writer.text(check.algorithm.name());
                writer.text(&check.thumbprint);
                writer.text(&check.key);
                writer.bytes(&check.signing_input);
                writer.bytes(&check.signature);
            }
            Work::Wait { millis } => {
                writer.u8(2);
                writer.u32(*millis);
            }
        }
        Self { work: writer.bytes }
    }

    /// The decision to ask for this errand under this number.
    pub(crate) fn numbered(&self, id: u32) -> Vec<u8> {
        let mut writer = Writer::decision(0, None, None);
        writer.errand(id, self);
        writer.bytes
    }
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn decision(tag: u8, log: Option<&str>, reason: Option<&str>) -> Self {
        let mut writer = Self { bytes: Vec::with_capacity(512) };
        writer.u8(tag);
        writer.text(log.unwrap_or_default());
        writer.text(reason.unwrap_or_default());
        writer
    }

    fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A length. What this program makes never comes near four billion; the host refuses what does not add up.
    fn count(&mut self, length: usize) {
        self.u32(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn bytes(&mut self, value: &[u8]) {
        self.count(value.len());
        self.bytes.extend_from_slice(value);
    }

    fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    fn pairs(&mut self, pairs: &[(String, String)]) {
        self.count(pairs.len());
        for (name, value) in pairs {
            self.text(name);
            self.text(value);
        }
    }

    fn errand(&mut self, id: u32, ask: &Ask) {
        self.u32(id);
        self.bytes.extend_from_slice(&ask.work);
    }
}

/// Reads from the front; gives nothing as soon as something does not add up.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn u32(&mut self) -> Option<u32> {
        let (number, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_le_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn pairs(&mut self) -> Option<Vec<Pair<'a>>> {
        let count = usize::try_from(self.u32()?).ok()?;
        // A pair takes eight bytes at least: a count that lies reserves no more than what is there.
        let mut pairs = Vec::with_capacity(count.min(self.rest.len() / 8));
        for _ in 0..count {
            pairs.push((self.text()?, self.text()?));
        }
        Some(pairs)
    }

    fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use doorward::{Answer, Decision, Reason, Reply, RequestHead};

    use super::{Writer, with_head, with_reply};

    fn head(headers: &[(String, String)]) -> Vec<u8> {
        let mut writer = Writer { bytes: Vec::new() };
        for text in ["GET", "/a?b", "https://app.test", ""] {
            writer.text(text);
        }
        writer.pairs(headers);
        writer.bytes
    }

    fn reject() -> Decision {
        let (reason, status, headers, body, log) = (Reason::NotStarted, 503, Vec::new(), String::new(), None);
        Decision::Reject(Answer { reason, status, headers, body, log })
    }

    fn see(head: &RequestHead<'_>) -> String {
        format!("{} {} {} {:?} {:?}", head.method, head.target, head.public_origin, head.client_address, head.headers)
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let bytes = head(&[("cookie".to_owned(), "a=ü".to_owned()), ("cookie".to_owned(), String::new())]);
        let mut seen = String::new();
        let decision = with_head(&bytes, |head| {
            seen = see(head);
            reject()
        });
        assert!(decision.is_some());
        assert_eq!(seen, r#"GET /a?b https://app.test None [("cookie", "a=ü"), ("cookie", "")]"#);
    }

    #[test]
    fn a_head_that_is_cut_short_or_goes_on_is_none() {
        let bytes = head(&[("a".to_owned(), "b".to_owned())]);
        for length in 0..bytes.len() {
            assert!(with_head(bytes.get(..length).unwrap_or_default(), |_| reject()).is_none(), "{length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(with_head(&longer, |_| reject()).is_none());
    }

    #[test]
    fn a_count_that_lies_reserves_no_memory() {
        let mut bytes = head(&[]);
        bytes.truncate(bytes.len().saturating_sub(4));
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        assert!(with_head(&bytes, |_| reject()).is_none());
    }

    #[test]
    fn bytes_that_are_no_reply_are_a_failed_errand() {
        for bytes in [&[][..], &[9], &[1], &[1, 2], &[2, 0], &[0, 200, 0, 0, 0], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(with_reply(bytes, |reply| matches!(reply, Reply::Failed)), "{bytes:?}");
        }
        assert!(with_reply(&[1, 1], |reply| matches!(reply, Reply::Checked(true))));
        assert!(with_reply(&[1, 0], |reply| matches!(reply, Reply::Checked(false))));
        assert!(with_reply(&[4], |reply| matches!(reply, Reply::Unsupported)));
    }
}
