//! Labelled paragraphs, wrapped at 100.

/// A label and a text behind it; the following lines stand below the text.
pub(crate) fn labelled(indent: usize, label: &str, width: usize, text: &str) -> String {
    let begin = indent.saturating_add(width).saturating_add(1);
    let mut out = format!("{:indent$}{label:width$} ", "");
    let mut column = begin;
    for word in text.split(' ') {
        let wide = word.chars().count().saturating_add(1);
        if column.saturating_add(wide) > 101 && column > begin {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.push_str(&" ".repeat(begin));
            column = begin;
        }
        out.push_str(word);
        out.push(' ');
        column = column.saturating_add(wide);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::labelled;

    #[test]
    fn long_texts_go_on_below_their_beginning() {
        let text = "word ".repeat(30);
        let lines = labelled(2, "seen", 6, text.trim());
        assert!(lines.lines().all(|line| line.len() <= 100));
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.lines().nth(1).is_some_and(|line| line.starts_with("         word")));
    }
}
