//! What goes to the platform in one call: texts of lines, and how many there are
//! (`worker/shim/message.js` reads them).

/// Room for what nearly every message says, in bytes.
const USUAL_BYTES: usize = 1024;

/// Lines, each with its end.
pub(crate) struct Lines {
    text: String,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { text: String::with_capacity(USUAL_BYTES) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// One line of these parts.
    pub(crate) fn push(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.text.push_str(part));
        self.text.push('\n');
    }

    /// A line for each name. How many there were.
    pub(crate) fn names<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> u32 {
        names.into_iter().map(|name| self.push(&[name])).map(|()| 1).sum()
    }

    /// Two lines for each pair. How many pairs there were.
    pub(crate) fn pairs<'a>(&mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> u32 {
        let line = |(name, value): (&str, &str)| {
            self.push(&[name]);
            self.push(&[value]);
            1
        };
        pairs.into_iter().map(line).sum()
    }
}
