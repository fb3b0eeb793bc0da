//! Files of variables, as dotenv reads them: `.env` and its kin, `.dev.vars`, `vercel env pull`.

use std::fmt;

/// One variable of a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Its value, without the quotes that dotenv takes away.
    pub(crate) value: String,
    /// The line that it stands in, from 1.
    pub(crate) line: usize,
    /// The quotes that it stands in.
    pub(crate) quote: Option<char>,
    /// Whether the value as it stands there has white space at an end that dotenv takes away.
    pub(crate) is_trimmed: bool,
}

// A value may be a secret.
impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The variables of a file, in order; of two with one name the last counts, as for dotenv.
pub(crate) fn parse(text: &str) -> Vec<Variable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut variables = Vec::new();
    let mut lines = text.split('\n').enumerate();
    while let Some((number, line)) = lines.next() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let Some((name, rest)) = assignment(line) else { continue };
        let raw = rest.trim_start_matches([' ', '\t']);
        let quote = raw.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'));
        let mut spelled = raw.to_owned();
        if let Some(quote) = quote {
            // A quoted value may go on over lines.
            while closing(&spelled, quote).is_none() {
                let Some((_, next)) = lines.next() else { break };
                spelled.push('\n');
                spelled.push_str(next);
            }
        }
        let quoted = quote.and_then(|quote| Some((quote, closing(&spelled, quote)?)));
        let (value, quote, is_trimmed) = match quoted {
            Some((quote, end)) => {
                (unescaped(spelled.get(1..end).unwrap_or_default(), quote), Some(quote), false)
            }
            None => {
                let plain = without_comment(raw);
                (plain.trim().to_owned(), None, plain.trim() != plain && !has_comment(raw))
            }
        };
        variables.push(Variable {
            name: name.to_owned(),
            value,
            line: number.saturating_add(1),
            quote,
            is_trimmed,
        });
    }
    variables
}

/// The last value of this name.
pub(crate) fn last<'a>(variables: &'a [Variable], name: &str) -> Option<&'a Variable> {
    variables.iter().rev().find(|variable| variable.name == name)
}

/// `NAME=…` or `export NAME=…`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, rest) = line.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    is_name.then_some((name, rest))
}

/// Where the closing quote is.
fn closing(spelled: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (index, character) in spelled.char_indices().skip(1) {
        if character == quote && !escaped {
            return Some(index);
        }
        escaped = character == '\\' && !escaped && quote == '"';
    }
    None
}

/// Only within double quotes, and only line ends: as dotenv does.
fn unescaped(text: &str, quote: char) -> String {
    if quote == '"' { text.replace("\\n", "\n").replace("\\r", "\r") } else { text.to_owned() }
}

fn without_comment(raw: &str) -> &str {
    raw.split_once('#').map_or(raw, |(value, _)| value)
}

fn has_comment(raw: &str) -> bool {
    raw.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `dotenv` 16 makes of the same lines.
    #[test]
    fn lines_are_read_as_dotenv_does() {
        let cases: [(&str, &[(&str, &str)]); 12] = [
            ("A=b", &[("A", "b")]),
            ("export A=b\r\nC = d \n", &[("A", "b"), ("C", "d")]),
            ("# A=b\n\nB=", &[("B", "")]),
            ("A=\"b c\"", &[("A", "b c")]),
            ("A='b\\nc'", &[("A", "b\\nc")]),
            ("A=\"b\\nc\"", &[("A", "b\nc")]),
            ("A=b # comment", &[("A", "b")]),
            ("A=\"b # no comment\" # comment", &[("A", "b # no comment")]),
            ("A=\"b\nc\"\nD=e", &[("A", "b\nc"), ("D", "e")]),
            ("A=b=c==", &[("A", "b=c==")]),
            ("A=\"b", &[("A", "\"b")]),
            ("no assignment\n=x\nA B=c", &[]),
        ];
        for (text, expected) in cases {
            let found = parse(text);
            let found: Vec<_> =
                found.iter().map(|found| (found.name.as_str(), found.value.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_value_does_not_show_itself() {
        assert_eq!(format!("{:?}", parse("A=hush")), "[Variable { name: \"A\", .. }]");
    }
}
