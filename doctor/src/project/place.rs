//! Where something stands in a file.

use std::fmt;

/// A place in a file; lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Relative to where the command was started.
    pub(crate) file: String,
    /// 0 where it is about the whole file.
    pub(crate) line: usize,
    /// 0 where it is about the whole line.
    pub(crate) column: usize,
}

impl Place {
    /// The whole file.
    pub(crate) fn file(file: &str) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0 }
    }

    /// A line.
    pub(crate) fn line(file: &str, line: usize) -> Self {
        Self { file: file.to_owned(), line, column: 0 }
    }

    /// A byte of the file's text.
    pub(crate) fn at(file: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count().saturating_add(1),
            column: column.saturating_add(1),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_and_by_characters() {
        let text = "a\nbé c\n";
        let cases = [(0, "f:1:1"), (2, "f:2:1"), (6, "f:2:4"), (99, "f:3:1")];
        for (offset, expected) in cases {
            assert_eq!(Place::at("f", text, offset).to_string(), expected, "{offset}");
        }
        assert_eq!(Place::file("f").to_string(), "f");
        assert_eq!(Place::line("f", 3).to_string(), "f:3");
    }
}
