//! Header names as origins read them, and header pairs as one text and its cuts: who it is, is told
//! with each request, and so it is put together once.

use std::fmt;
use std::sync::Arc;

/// Header pairs in their order. Copies share one text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderPairs {
    joined: Option<Arc<Joined>>,
}

#[derive(PartialEq, Eq)]
struct Joined {
    text: String,
    lengths: Vec<u32>,
}

impl HeaderPairs {
    /// All names and values, one after the other: name, value, name, value, …
    pub fn text(&self) -> &str {
        self.joined.as_ref().map_or("", |joined| &joined.text)
    }

    /// How many bytes each name and each value has, in that order.
    pub fn lengths(&self) -> &[u32] {
        self.joined.as_ref().map_or(&[], |joined| &joined.lengths)
    }

    /// The same pairs and one more: a name in two parts, and its value.
    pub(crate) fn and(&self, name: [&str; 2], value: &str) -> Self {
        let mut joining = Joining::new();
        for (name, value) in self.iter() {
            joining.add([name, ""], |text| text.push_str(value));
        }
        joining.add(name, |text| text.push_str(value));
        joining.done()
    }

    /// The pairs: name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let (pairs, _) = self.lengths().as_chunks::<2>();
        let mut rest = self.text();
        let mut cut = move |length: u32| {
            let (text, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            rest = behind;
            Some(text)
        };
        pairs.iter().map_while(move |[name, value]| Some((cut(*name)?, cut(*value)?)))
    }
}

/// Header pairs that are being put together.
pub(crate) struct Joining {
    joined: Joined,
}

/// Room for what nearly every identity says: bytes, and lengths.
const USUAL_BYTES: usize = 256;
const USUAL_LENGTHS: usize = 14;

impl Joining {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            joined: Joined {
                text: String::with_capacity(USUAL_BYTES),
                lengths: Vec::with_capacity(USUAL_LENGTHS),
            },
        }
    }

    /// One more: a name in two parts, and what writes its value behind it.
    pub(crate) fn add(&mut self, [prefix, name]: [&str; 2], write_value: impl FnOnce(&mut String)) {
        let Joined { text, lengths } = &mut self.joined;
        text.push_str(prefix);
        text.push_str(name);
        let before = text.len();
        write_value(text);
        let value = text.len().saturating_sub(before);
        lengths.extend(
            [prefix.len().saturating_add(name.len()), value]
                .map(|length| u32::try_from(length).unwrap_or(u32::MAX)),
        );
    }

    /// All of them.
    pub(crate) fn done(self) -> HeaderPairs {
        HeaderPairs { joined: Some(Arc::new(self.joined)) }
    }
}

impl FromIterator<(String, String)> for HeaderPairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut joining = Joining::new();
        for (name, value) in pairs {
            joining.add([&name, ""], |text| text.push_str(&value));
        }
        joining.done()
    }
}

impl fmt::Debug for HeaderPairs {
    /// Values stay out: an assertion, a token for the origin and somebody's e-mail address may be
    /// among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// Whether a name begins so, as an origin may read it. `prefix` is in lower case with dashes.
pub(crate) fn begins_with(name: &str, prefix: &str) -> bool {
    name.len() >= prefix.len()
        && name.bytes().map(folded).zip(prefix.bytes()).all(|(own, wanted)| own == wanted)
}

/// Whether an origin may read this name for that one, which is in lower case with dashes.
pub(crate) fn is_spelled(name: &str, known: &str) -> bool {
    name.len() == known.len() && begins_with(name, known)
}

/// CGI and WSGI know no case and take `-` for `_`; lighttpd makes `_` of every other character as
/// well, and PHP of `.`.
pub(crate) const fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_out_as_they_went_in() {
        let pairs = [("a", "ü"), ("b", ""), ("a", "x y")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let joined = pairs.iter().cloned().collect::<HeaderPairs>();
        assert_eq!(
            joined
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect::<Vec<_>>(),
            pairs
        );
        assert_eq!((joined.text(), joined.lengths()), ("aübax y", &[1, 2, 1, 0, 1, 3][..]));
        assert_eq!(HeaderPairs::default().iter().count(), 0);
    }
}
