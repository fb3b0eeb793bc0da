//! The messages at the border, as `WIRE.md` describes them: heads and replies are read, decisions
//! are written.

use doorward::{
    CacheWrite, Effect, EffectResult, Finish, Forward, HashFunction, HeaderPairs, Onward, Reason,
    Refusal, RequestHead, Served, SignatureScheme, UnixTime,
};

type Pair<'a> = (&'a str, &'a str);

/// Reads a head and hands it to `look`; nothing if the message is not a head.
pub(crate) fn with_head<T>(message: &[u8], look: impl FnOnce(&RequestHead<'_>) -> T) -> Option<T> {
    let Reader { mut numbers, rest } = Reader::of(message)?;
    // All of it is text, so it is looked at once: each cut then only has to leave characters whole.
    let mut texts = std::str::from_utf8(rest).ok()?;
    let mut text = |length: u32| {
        let (text, rest) = texts.split_at_checked(usize::try_from(length).ok()?)?;
        texts = rest;
        Some(text)
    };
    let method = text(number(&mut numbers)?)?;
    let target = text(number(&mut numbers)?)?;
    let public_origin = text(number(&mut numbers)?)?;
    let client_address = Some(text(number(&mut numbers)?)?).filter(|address| !address.is_empty());
    let count = usize::try_from(number(&mut numbers)?).ok()?;
    let (lengths, []) = numbers.as_chunks::<2>() else {
        return None;
    };
    if lengths.len() != count {
        return None;
    }
    let mut headers = Vec::with_capacity(count);
    for [name, value] in lengths {
        headers.push((text(u32::from_le_bytes(*name))?, text(u32::from_le_bytes(*value))?));
    }
    if !texts.is_empty() {
        return None;
    }
    Some(look(&RequestHead { method, target, headers: &headers, public_origin, client_address }))
}

/// Reads a reply and hands it to `take`. A message that is not a reply is an effect that failed.
pub(crate) fn with_result<T>(message: &[u8], take: impl FnOnce(EffectResult<'_>) -> T) -> T {
    let mut headers = Vec::new();
    let result = read_result(message, &mut headers).unwrap_or(EffectResult::Failed);
    take(result)
}

fn read_result<'a>(message: &'a [u8], headers: &'a mut Vec<Pair<'a>>) -> Option<EffectResult<'a>> {
    let mut reader = Reader::of(message)?;
    let result = match reader.number()? {
        0 => {
            let status = u16::try_from(reader.number()?).ok()?;
            *headers = reader.pairs()?;
            let body = reader.bytes()?;
            EffectResult::Answered { status, headers, body }
        }
        1 => EffectResult::Checked(match reader.number()? {
            0 => false,
            1 => true,
            _ => return None,
        }),
        2 => EffectResult::Waited,
        3 => EffectResult::Failed,
        4 => EffectResult::Unsupported,
        5 => EffectResult::Signed(reader.bytes()?),
        6 => EffectResult::TooLarge,
        10 => EffectResult::HeadTooLarge,
        11 => EffectResult::Unreachable(reader.text()?),
        7 => EffectResult::Copied(reader.bytes()?),
        8 => EffectResult::Found(reader.bytes()?),
        9 => EffectResult::Absent,
        _ => return None,
    };
    reader.end()?;
    Some(result)
}

/// Writes decisions, one over the other: a message lasts until the next one.
#[derive(Default)]
pub(crate) struct Writer {
    /// Both lengths, then the numbers.
    numbers: Vec<[u8; 4]>,
    bytes: Vec<u8>,
    message: Vec<u8>,
}

/// A connection without an end, and one whose end is more than seven weeks away.
const FOR_EVER: u32 = u32::MAX;

/// A message that was larger than this does not keep its memory.
const KEEP_BYTES: usize = 64 * 1024;

impl Writer {
    /// A decision to carry this effect first.
    pub(crate) fn perform(&mut self, id: u32, effect: &Effect) -> &[u8] {
        self.begin(0, None, None);
        self.pending(id, effect);
        self.finish()
    }

    /// A decision to send the request on; `effects` are what to do after the response and alongside
    /// the origin, with their numbers; `onward` are the edits for another connection.
    pub(crate) fn forward(
        &mut self,
        forward: &Forward,
        pending: [Option<(u32, &Effect)>; 2],
        onward: Option<&Onward>,
        now: UnixTime,
    ) -> &[u8] {
        self.begin(1, forward.log.as_deref(), None);
        self.text(&forward.target);
        self.text(forward.upstream.as_deref().unwrap_or_default());
        self.text(forward.identity.as_deref().unwrap_or_default());
        self.names(&forward.remove);
        self.joined(&forward.set);
        self.pairs(&forward.response_headers);
        for pending in pending {
            self.number(u32::from(pending.is_some()));
            if let Some((id, effect)) = pending {
                self.pending(id, effect);
            }
        }
        self.number(u32::from(onward.is_some()));
        if let Some(onward) = onward {
            self.names(&onward.remove);
            self.joined(&onward.set);
        }
        let lives = forward
            .connection
            .until
            .map(|until| u32::try_from(until.millis_since(now).max(0)).unwrap_or(FOR_EVER));
        self.number(lives.unwrap_or(FOR_EVER));
        self.number(forward.connection.recheck_after_ms.unwrap_or(0));
        self.finish()
    }

    /// Whether a connection stays open; the reason why not.
    pub(crate) fn status(&mut self, over: Option<Reason>) -> &[u8] {
        self.begin(5, None, over.map(Reason::code));
        self.finish()
    }

    /// What a response gets besides.
    pub(crate) fn finished(&mut self, finish: &Finish) -> &[u8] {
        self.begin(3, finish.log.as_deref(), None);
        self.pairs(&finish.headers);
        self.number(u32::from(finish.withdraws_cookies));
        self.finish()
    }

    /// What is to be put into the shared cache.
    pub(crate) fn cache_writes(&mut self, cache_writes: &[CacheWrite]) -> &[u8] {
        self.begin(4, None, None);
        self.count(cache_writes.len());
        for CacheWrite { key, text, seconds } in cache_writes {
            self.text(key);
            self.text(text);
            self.number(*seconds);
        }
        self.finish()
    }

    /// A decision to answer here and now.
    pub(crate) fn answer(&mut self, answer: &Refusal) -> &[u8] {
        self.begin(2, answer.log.as_deref(), Some(answer.reason.code()));
        self.number(u32::from(answer.status));
        self.pairs(&answer.headers);
        self.text(&answer.body);
        self.finish()
    }

    /// Something that the gate serves: an answer without a reason.
    pub(crate) fn served(&mut self, served: &Served) -> &[u8] {
        self.begin(2, None, None);
        self.number(u32::from(served.status));
        self.pairs(&served.headers);
        self.text(&served.body);
        self.finish()
    }

    fn begin(&mut self, tag: u32, log: Option<&str>, reason: Option<&str>) {
        if self.message.capacity() > KEEP_BYTES {
            *self = Self::default();
        }
        self.numbers.clear();
        self.bytes.clear();
        self.numbers.extend([[0; 4]; 2]);
        self.number(tag);
        self.text(log.unwrap_or_default());
        self.text(reason.unwrap_or_default());
    }

    /// Puts both lengths in front and the bytes behind.
    fn finish(&mut self) -> &[u8] {
        let counts = [self.numbers.len().saturating_sub(2), self.bytes.len()];
        for (place, count) in self.numbers.iter_mut().zip(counts) {
            *place = length_as_number(count).to_le_bytes();
        }
        self.message.clear();
        self.message.reserve(self.numbers.as_flattened().len().saturating_add(self.bytes.len()));
        self.message.extend_from_slice(self.numbers.as_flattened());
        self.message.extend_from_slice(&self.bytes);
        &self.message
    }

    #[inline]
    fn number(&mut self, value: u32) {
        self.numbers.push(value.to_le_bytes());
    }

    fn count(&mut self, length: usize) {
        self.number(length_as_number(length));
    }

    fn bytes(&mut self, value: &[u8]) {
        self.count(value.len());
        // WebAssembly calls out of itself to copy, even nothing.
        if !value.is_empty() {
            self.bytes.extend_from_slice(value);
        }
    }

    fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    fn names(&mut self, names: &[String]) {
        self.count(names.len());
        for name in names {
            self.text(name);
        }
    }

    fn pairs(&mut self, pairs: &[(String, String)]) {
        self.count(pairs.len());
        for (name, value) in pairs {
            self.text(name);
            self.text(value);
        }
    }

    /// Pairs that are one text already: copied at once.
    fn joined(&mut self, pairs: &HeaderPairs) {
        let lengths = pairs.lengths();
        self.count(lengths.len() / 2);
        self.numbers.reserve(lengths.len());
        for length in lengths {
            self.number(*length);
        }
        self.bytes.extend_from_slice(pairs.text().as_bytes());
    }

    fn scheme(&mut self, scheme: SignatureScheme) {
        self.number(scheme.salt_bytes().unwrap_or_default());
        self.text(scheme.kind());
        self.text(scheme.curve().unwrap_or_default());
        self.text(scheme.hash().map_or("", HashFunction::name));
    }

    fn pending(&mut self, id: u32, effect: &Effect) {
        self.number(id);
        match effect {
            Effect::Fetch(fetch) => {
                self.number(0);
                self.text(fetch.purpose);
                self.text(fetch.method);
                self.text(&fetch.url);
                self.pairs(&fetch.headers);
                self.number(fetch.timeout_ms);
                self.number(fetch.max_bytes);
                self.text(fetch.copy.as_deref().unwrap_or_default());
            }
            Effect::Check(check) => {
                self.number(1);
                self.scheme(check.scheme);
                self.text(&check.thumbprint);
                self.text(&check.key);
                self.bytes(&check.signing_input);
                self.bytes(&check.signature);
            }
            Effect::Sign(request) => {
                self.number(3);
                self.scheme(request.scheme);
                self.text(&request.kid);
                self.text(&request.key);
                self.bytes(&request.input);
            }
            Effect::Read(read) => {
                self.number(4);
                self.text(&read.store);
                self.text(&read.key);
                self.number(read.timeout_ms);
                self.number(read.max_bytes);
            }
            Effect::Wait { millis } => {
                self.number(2);
                self.number(*millis);
            }
        }
    }
}

/// What this program makes never comes near four billion; the host refuses what does not add up.
fn length_as_number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Reads numbers and bytes from the front; gives nothing as soon as something does not add up.
struct Reader<'a> {
    numbers: &'a [[u8; 4]],
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The two parts of a message. It says how long they are, so one that is cut short or goes on
    /// is none.
    fn of(message: &'a [u8]) -> Option<Self> {
        let (mut lengths, rest) = message
            .split_at_checked(8)
            .map(|(lengths, rest)| (lengths.as_chunks::<4>().0, rest))?;
        let numbers = usize::try_from(number(&mut lengths)?).ok()?;
        let bytes = usize::try_from(number(&mut lengths)?).ok()?;
        let (numbers, rest) = rest.split_at_checked(numbers.checked_mul(4)?)?;
        if rest.len() == bytes {
            Some(Self { numbers: numbers.as_chunks::<4>().0, rest })
        } else {
            None
        }
    }

    fn number(&mut self) -> Option<u32> {
        number(&mut self.numbers)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn pairs(&mut self) -> Option<Vec<Pair<'a>>> {
        let count = usize::try_from(self.number()?).ok()?;
        // A pair takes two numbers: a count that lies reserves no more than what is there.
        let mut pairs = Vec::with_capacity(count.min(self.numbers.len() / 2));
        for _ in 0..count {
            pairs.push((self.text()?, self.text()?));
        }
        Some(pairs)
    }

    fn end(&self) -> Option<()> {
        (self.numbers.is_empty() && self.rest.is_empty()).then_some(())
    }
}

/// The next number.
fn number(numbers: &mut &[[u8; 4]]) -> Option<u32> {
    let (first, rest) = numbers.split_first()?;
    *numbers = rest;
    Some(u32::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use doorward::{Decision, EffectResult, Reason, Refusal, RequestHead};

    use super::{Writer, with_head, with_result};

    fn head(headers: &[(String, String)]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.numbers.extend([[0; 4]; 2]);
        for text in ["GET", "/a?b", "https://app.test", ""] {
            writer.text(text);
        }
        writer.pairs(headers);
        // In a head the lengths are the only numbers behind the count.
        writer.finish().to_vec()
    }

    fn result(numbers: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.numbers.extend([[0; 4]; 2]);
        numbers.iter().for_each(|number| writer.number(*number));
        writer.bytes.extend_from_slice(bytes);
        writer.finish().to_vec()
    }

    fn reject() -> Decision {
        let (reason, status, headers, body, log) =
            (Reason::NotStarted, 503, Vec::new(), String::new(), None);
        Decision::Reject(Refusal { reason, status, headers, body, log })
    }

    fn is_head(message: &[u8]) -> bool {
        with_head(message, |_| reject()).is_some()
    }

    fn see(head: &RequestHead<'_>) -> String {
        format!(
            "{} {} {} {:?} {:?}",
            head.method, head.target, head.public_origin, head.client_address, head.headers
        )
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let message =
            head(&[("cookie".to_owned(), "a=ü".to_owned()), ("cookie".to_owned(), String::new())]);
        let mut seen = String::new();
        let decision = with_head(&message, |head| {
            seen = see(head);
            reject()
        });
        assert!(decision.is_some());
        assert_eq!(seen, r#"GET /a?b https://app.test None [("cookie", "a=ü"), ("cookie", "")]"#);
    }

    #[test]
    fn a_head_that_is_cut_short_or_goes_on_is_none() {
        let message = head(&[("a".to_owned(), "b".to_owned())]);
        for length in 0..message.len() {
            assert!(!is_head(message.get(..length).unwrap_or_default()), "{length}");
        }
        assert!(!is_head(&[message.as_slice(), &[0]].concat()));
    }

    #[test]
    fn a_head_with_a_number_that_lies_is_none() {
        let message = head(&[("a".to_owned(), "b".to_owned()), ("c".to_owned(), "d".to_owned())]);
        // Both lengths, those of four texts, the count, and the lengths of four texts more.
        for place in 0..11_usize {
            for lie in [0, 1, 2, 5, 77, u32::MAX] {
                let mut lying = message.clone();
                let number =
                    lying.as_chunks_mut::<4>().0.get_mut(place).unwrap_or_else(|| unreachable!());
                if *number != lie.to_le_bytes() {
                    *number = lie.to_le_bytes();
                    assert!(!is_head(&lying), "{place} {lie}");
                }
            }
        }
    }

    #[test]
    fn a_head_in_other_bytes_than_utf8_or_with_half_a_character_is_none() {
        let umlaut = head(&[("a".to_owned(), "üü".to_owned())]);
        assert!(is_head(&umlaut));
        let mut half = umlaut.clone();
        let lengths = half.as_chunks_mut::<4>().0.get_mut(7..9).unwrap_or_default();
        lengths.iter_mut().zip([2_u32, 3]).for_each(|(number, lie)| *number = lie.to_le_bytes());
        assert!(!is_head(&half));
        let mut broken = umlaut;
        broken.pop();
        broken.push(b'x');
        assert!(!is_head(&broken));
    }

    #[test]
    fn messages_that_are_no_reply_are_a_failed_errand() {
        let failed =
            |message: &[u8]| with_result(message, |result| matches!(result, EffectResult::Failed));
        for (numbers, bytes) in [
            (&[][..], &b""[..]),
            (&[11], b""),
            (&[12], b""),
            (&[9, 0], b""),
            (&[8, 2], b"x"),
            (&[1], b""),
            (&[1, 2], b""),
            (&[2, 0], b""),
            (&[2], b"x"),
            (&[0, 200], b""),
            (&[0, 70_000, 0, 0], b""),
            (&[0, 200, u32::MAX, 0], b""),
            (&[0, 200, 0, 2], b"x"),
        ] {
            assert!(failed(&result(numbers, bytes)), "{numbers:?}");
        }
        assert!(failed(&[]));
        assert!(failed(&[0; 7]));
        assert!(with_result(&result(&[1, 1], b""), |result| matches!(
            result,
            EffectResult::Checked(true)
        )));
        assert!(with_result(&result(&[1, 0], b""), |result| matches!(
            result,
            EffectResult::Checked(false)
        )));
        assert!(with_result(&result(&[4], b""), |result| matches!(
            result,
            EffectResult::Unsupported
        )));
        assert!(with_result(&result(&[7, 3], b"abc"), |result| matches!(
            result,
            EffectResult::Copied(b"abc")
        )));
        assert!(with_result(&result(&[8, 3], b"abc"), |result| matches!(
            result,
            EffectResult::Found(b"abc")
        )));
        assert!(with_result(&result(&[9], b""), |result| matches!(result, EffectResult::Absent)));
        let answered = result(&[0, 200, 1, 1, 2, 3], b"abcdef");
        assert!(with_result(&answered, |result| matches!(
            result,
            EffectResult::Answered { status: 200, headers: [("a", "bc")], body: b"def" }
        )));
    }
}
