//! Pasted cookies and tokens: files of a `Cookie` header, of a `curl` command, or of a token alone.

use crate::effects::Io;

const MAX_BYTES: usize = 256 * 1024;

/// The value of a `Cookie` header, from whatever was pasted.
///
/// # Errors
/// The file is not there, or has no cookie in it.
pub(crate) async fn read(io: &Io, file: &str) -> Result<String, String> {
    let text = self::text(io, file).await?;
    let cookies = header(&text).unwrap_or_default();
    if cookies.contains('=') {
        Ok(cookies)
    } else {
        Err(format!("{file} has no cookie in it: paste a `Cookie` header, or a curl command"))
    }
}

/// A token, from whatever was pasted; white space at its ends is left out.
///
/// # Errors
/// The file is not there or empty.
pub(crate) async fn read_token(io: &Io, file: &str) -> Result<String, String> {
    let text = self::text(io, file).await?;
    let token = text.trim();
    let lower = token.to_ascii_lowercase();
    let token = match lower.strip_prefix("authorization:") {
        // A whole header line is no mistake of whoever sends the token.
        Some(_) => {
            let value = token.split_once(':').map_or(token, |(_, value)| value.trim());
            value.split_once(' ').map_or(value, |(_, token)| token.trim())
        }
        None => token,
    };
    if token.is_empty() { Err(format!("{file} is empty")) } else { Ok(token.to_owned()) }
}

pub(crate) async fn text(io: &Io, file: &str) -> Result<String, String> {
    match io.read_text(file, MAX_BYTES).await {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(format!("{file} does not exist")),
        Err(message) => Err(format!("{file}: {message}")),
    }
}

/// The cookies of a header line, of a `curl` command (`-H 'cookie: …'`, `-b '…'`), of a Netscape
/// cookie file, or of the value alone.
pub(crate) fn header(text: &str) -> Option<String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("curl ") {
        return of_curl(text, &lower);
    }
    let tabbed = |line: &&str| line.split('\t').count() == 7;
    if text.lines().any(|line| tabbed(&line)) {
        let pairs =
            text.lines().map(|line| line.strip_prefix("#HttpOnly_").unwrap_or(line)).filter(tabbed);
        let pairs = pairs.filter_map(|line| {
            let mut columns = line.split('\t').skip(5);
            Some([columns.next()?, "=", columns.next()?.trim_end()].concat())
        });
        return Some(pairs.collect::<Vec<_>>().join("; "));
    }
    // Of a request's headers, the lines that are cookies.
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.to_ascii_lowercase().starts_with("cookie:"))
        .filter_map(|line| line.split_once(':').map(|(_, value)| value.trim()))
        .collect();
    if !lines.is_empty() {
        return Some(lines.join("; "));
    }
    Some(text.lines().map(str::trim).collect::<Vec<_>>().join(""))
}

fn of_curl(text: &str, lower: &str) -> Option<String> {
    for mark in ["'cookie: ", "\"cookie: ", "-b '", "-b \"", "--cookie '", "--cookie \""] {
        let Some(at) = lower.find(mark) else { continue };
        let quote = if mark.contains('\'') { '\'' } else { '"' };
        let rest = text.get(at.saturating_add(mark.len())..)?;
        let end = rest.find(quote)?;
        return rest.get(..end).map(str::to_owned);
    }
    None
}

/// The cookies of a header, in order, as they stand there.
pub(crate) fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = value.trim();
        let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Some((name.trim(), quoted.unwrap_or(value)))
    })
}

/// Decodes percent-encoding once; what cannot be decoded stays as it is.
pub(crate) fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| behind.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_in_what_is_pasted() {
        let cases = [
            ("a=b; c=d", "a=b; c=d"),
            ("Cookie: a=b; c=d\n", "a=b; c=d"),
            ("GET / HTTP/1.1\nHost: x\ncookie: a=b\nCookie: c=d\n", "a=b; c=d"),
            ("curl 'https://x/' -H 'accept: */*' -H 'Cookie: a=b; c=d' --compressed", "a=b; c=d"),
            ("curl https://x/ -b 'a=b'", "a=b"),
            (
                "x.example\tFALSE\t/\tTRUE\t0\ta\tb\n#HttpOnly_x.example\tFALSE\t/\tTRUE\t0\tc\td\n",
                "a=b; c=d",
            ),
            ("a=b;\n c=d", "a=b;c=d"),
        ];
        for (text, expected) in cases {
            assert_eq!(header(text).as_deref(), Some(expected), "{text}");
        }
        let pairs: Vec<_> = pairs("a=\"b\"; c=d=e; f").collect();
        assert_eq!(pairs, [("a", "b"), ("c", "d=e")]);
        assert_eq!(decoded("a%2Fb%3D%zz"), "a/b=%zz");
    }
}
