//! The line that a finding is about, with what it is about underlined. Text that may be a secret is
//! left out of it.

use crate::project::place::Place;

/// A longer line is cut: it was written by a program.
const MAX_WIDTH: usize = 100;
/// A string of so many characters that is no path and no URL may be a secret.
const MAY_BE_SECRET: usize = 16;

/// The lines of a snippet, without a line end at the end.
pub(crate) fn lines(text: &str, place: &Place, length: usize) -> Option<String> {
    let line = text.lines().nth(place.line.checked_sub(1)?)?;
    let start = place.column.checked_sub(1)?;
    let shown = without_secrets(line).replace('\t', " ");
    if shown.chars().count() > MAX_WIDTH {
        return None;
    }
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let width = line.chars().count().saturating_sub(start).max(1);
    let carets = "^".repeat(length.clamp(1, width));
    let indent = " ".repeat(start);
    Some(format!(" {margin} |\n {number} | {shown}\n {margin} | {indent}{carets}"))
}

/// The same line, as long, with dots in place of strings that may be secrets.
fn without_secrets(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (number, piece) in line.split('"').enumerate() {
        if number > 0 {
            out.push('"');
        }
        let is_string = !number.is_multiple_of(2);
        let is_plain = piece.len() < MAY_BE_SECRET
            || piece.starts_with(['/', '{'])
            || piece.starts_with("http")
            || piece.contains(' ')
            || piece.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            || piece.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_string && !is_plain {
            out.extend(std::iter::repeat_n('…', piece.chars().count()));
        } else {
            out.push_str(piece);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_underlines_and_shows_no_secret() {
        let text = "{\n  \"secret\": \"k7Q2vX9mB4tR8wZ1pL6nD3sF5hJ0yC\", \"url\": \"x\"\n}";
        let place = Place { file: "f".to_owned(), line: 2, column: 55 };
        let found = lines(text, &place, 3).unwrap_or_default();
        let (dots, blanks) = ("…".repeat(30), " ".repeat(54));
        let expected =
            format!("   |\n 2 |   \"secret\": \"{dots}\", \"url\": \"x\"\n   | {blanks}^^");
        assert_eq!(found, expected);
    }
}
