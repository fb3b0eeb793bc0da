//! Header pairs as one text and its cuts: who it is, is told with each request, and so it is put together once.

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

impl FromIterator<(String, String)> for HeaderPairs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut joined = Joined { text: String::new(), lengths: Vec::new() };
        for part in pairs.into_iter().flat_map(|(name, value)| [name, value]) {
            joined.text.push_str(&part);
            joined.lengths.push(u32::try_from(part.len()).unwrap_or(u32::MAX));
        }
        Self { joined: Some(Arc::new(joined)) }
    }
}

impl fmt::Debug for HeaderPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_out_as_they_went_in() {
        let pairs = [("a", "ü"), ("b", ""), ("a", "x y")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let joined = pairs.iter().cloned().collect::<HeaderPairs>();
        assert_eq!(joined.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>(), pairs);
        assert_eq!((joined.text(), joined.lengths()), ("aübax y", &[1, 2, 1, 0, 1, 3][..]));
        assert_eq!(HeaderPairs::default().iter().count(), 0);
    }
}
