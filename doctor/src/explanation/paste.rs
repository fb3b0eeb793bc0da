//! What somebody pastes (a `Cookie` or `Authorization` header, a curl command, an entry of a HAR
//! file, a request's head, a cookie file, a token), and the request that it stands for.

use serde_json::Value;

use crate::cookie_file;

/// A request, as far as what was pasted tells it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Paste {
    /// What it is, in words: `a curl command`.
    pub(crate) kind: &'static str,
    pub(crate) method: Option<String>,
    /// Scheme, host and port.
    pub(crate) origin: Option<String>,
    /// Path and query.
    pub(crate) target: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Paste {
    /// Finds out what a text is.
    ///
    /// # Errors
    /// There is nothing in it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("there is nothing to explain".to_owned());
        }
        if text.starts_with(['{', '[']) {
            return of_har(text)
                .ok_or_else(|| "this JSON is no HAR: it has no request with headers".to_owned());
        }
        if text.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("curl ")) {
            return Ok(of_curl(text));
        }
        Ok(of_head(text).unwrap_or_else(|| of_value(text)))
    }

    /// A request with these cookies.
    pub(crate) fn of_cookies(cookies: String) -> Self {
        let headers = vec![("cookie".to_owned(), cookies)];
        Self { kind: "a Cookie header", headers, ..Self::default() }
    }

    /// A request with this token.
    pub(crate) fn of_token(token: &str) -> Self {
        let headers = vec![("authorization".to_owned(), format!("Bearer {token}"))];
        Self { kind: "a token", headers, ..Self::default() }
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    /// All values of a header, as cookies are joined (RFC 9113 section 8.2.3).
    pub(crate) fn joined(&self, name: &str) -> Option<String> {
        let own = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let values: Vec<&str> = own.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join("; "))
    }

    /// The token of `Authorization`; a scheme other than `Bearer` is none of the gate's.
    pub(crate) fn token(&self) -> Option<String> {
        let value = self.joined("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    }
}

/// An entry of a HAR file, its request alone, or of a whole file the last that was refused and has
/// a credential.
fn of_har(text: &str) -> Option<Paste> {
    let har: Value = serde_json::from_str(text).ok()?;
    let entries = har.pointer("/log/entries").or(Some(&har)).and_then(Value::as_array);
    let entry = match entries {
        Some(entries) => last_refused(entries)?,
        None => &har,
    };
    let request = entry.get("request").unwrap_or(entry);
    let member = |name: &str| request.get(name).and_then(Value::as_str);
    let header = |own: &Value| {
        let text = |name: &str| own.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((text("name")?, text("value")?))
    };
    let headers = request.get("headers")?.as_array()?.iter().filter_map(header);
    // HTTP/2 has the request line as headers.
    let headers = headers.filter(|(name, _)| {
        !matches!(name.as_str(), ":method" | ":path" | ":scheme" | ":authority")
    });
    let (origin, target) = member("url").and_then(split).unzip();
    let method = member("method").map(str::to_owned);
    Some(Paste { kind: "a HAR entry", method, origin, target, headers: headers.collect() })
}

fn last_refused(entries: &[Value]) -> Option<&Value> {
    let has_credential = |entry: &Value| {
        let headers = entry.pointer("/request/headers").and_then(Value::as_array);
        headers.into_iter().flatten().any(|header| {
            let name = header.get("name").and_then(Value::as_str).unwrap_or_default();
            ["cookie", "authorization"].iter().any(|own| name.eq_ignore_ascii_case(own))
        })
    };
    let is_refused = |entry: &Value| {
        let status = entry.pointer("/response/status").and_then(Value::as_u64);
        status.is_some_and(|status| (400..600).contains(&status))
    };
    let last = |wanted: &dyn Fn(&Value) -> bool| entries.iter().rev().find(|entry| wanted(entry));
    last(&|entry| is_refused(entry) && has_credential(entry))
        .or_else(|| last(&has_credential))
        .or_else(|| last(&is_refused))
        .or_else(|| entries.last())
}

/// Origin and target of a URL, as they stand there.
fn split(url: &str) -> Option<(String, String)> {
    let scheme = url.find("://")?;
    let authority = url.get(scheme.saturating_add(3)..)?;
    let length = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    let (origin, target) = url.split_at_checked(scheme.saturating_add(3).saturating_add(length))?;
    let slash = if target.starts_with('/') { "" } else { "/" };
    Some((origin.to_ascii_lowercase(), [slash, target].concat()))
}

/// A command, as browsers copy one ("Copy as cURL") and people write one.
fn of_curl(text: &str) -> Paste {
    let mut paste = Paste { kind: "a curl command", ..Paste::default() };
    let mut words = words(text).into_iter().skip(1);
    let mut has_body = false;
    while let Some(word) = words.next() {
        let (name, glued) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => {
                (name.to_owned(), Some(value.to_owned()))
            }
            _ => (word.clone(), None),
        };
        let mut value = || glued.clone().or_else(|| words.next()).unwrap_or_default();
        match name.as_str() {
            "-H" | "--header" => {
                if let Some((name, value)) = value().split_once(':') {
                    paste.headers.push((name.trim().to_owned(), value.trim().to_owned()));
                }
            }
            "-b" | "--cookie" => paste.headers.push(("cookie".to_owned(), value())),
            "--oauth2-bearer" => {
                paste.headers.push(("authorization".to_owned(), format!("Bearer {}", value())));
            }
            "-X" | "--request" => paste.method = Some(value()),
            "-I" | "--head" => paste.method = Some("HEAD".to_owned()),
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--data-urlencode" | "--json"
            | "-F" | "--form" => {
                has_body = true;
                let _ = value();
            }
            "-A" | "--user-agent" | "-e" | "--referer" | "-o" | "--output" | "-u" | "--user"
            | "--connect-to" | "--resolve" | "--cacert" | "-m" | "--max-time" | "-w"
            | "--write-out" | "-x" | "--proxy" => drop(value()),
            "--url" => (paste.origin, paste.target) = split(&value()).unzip(),
            other if !other.starts_with('-') && paste.target.is_none() => {
                (paste.origin, paste.target) = split(other).unzip();
            }
            _ => {}
        }
    }
    if paste.method.is_none() {
        paste.method = Some(if has_body { "POST" } else { "GET" }.to_owned());
    }
    paste
}

/// Words as a shell takes them apart: blanks, both quotes, `$'…'`, and backslashes, also those of
/// line ends.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some('\'' | '$'), '\'') | (Some('"'), '"') => quote = None,
            (Some('"' | '$'), '\\') | (None, '\\' | '^') => match letters.next() {
                Some('\n') | None => {}
                Some(next) => word.get_or_insert_default().push(next),
            },
            (Some(_), letter) => word.get_or_insert_default().push(letter),
            (None, '$') if letters.peek() == Some(&'\'') => {
                letters.next();
                quote = Some('$');
                word.get_or_insert_default();
            }
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, letter) if letter.is_whitespace() => found.extend(word.take()),
            (None, letter) => word.get_or_insert_default().push(letter),
        }
    }
    found.extend(word);
    found
}

/// The head of a request, or some of its lines.
fn of_head(text: &str) -> Option<Paste> {
    let mut paste = Paste::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let parts: Vec<&str> = line.split(' ').collect();
        if let (0, [method, target, version]) = (number, parts.as_slice())
            && version.starts_with("HTTP/")
        {
            (paste.method, paste.target) = (Some((*method).to_owned()), Some((*target).to_owned()));
            continue;
        }
        let (name, value) = line.split_once(':')?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            return None;
        }
        paste.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let host = paste.joined("host");
    paste.origin = host.filter(|_| paste.target.is_some()).map(|host| format!("https://{host}"));
    paste.kind = match (paste.target.is_some(), paste.has("cookie"), paste.has("authorization")) {
        (true, ..) => "a request's head",
        (_, true, _) => "a Cookie header",
        (_, _, true) => "an Authorization header",
        _ => return None,
    };
    Some(paste)
}

/// A value alone.
fn of_value(text: &str) -> Paste {
    if text.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case("bearer ")) {
        let headers = vec![("authorization".to_owned(), text.to_owned())];
        return Paste { kind: "an Authorization header", headers, ..Paste::default() };
    }
    // A token may end with `=`, and no token has a name before one.
    let name = text.split('=').next().unwrap_or_default();
    let is_cookie = name.len() < text.trim_end_matches('=').len() && !name.contains(' ');
    if is_cookie || text.contains('\t') {
        let cookies = cookie_file::header(text).unwrap_or_default();
        let kind = if text.contains('\t') { "a cookie file" } else { "a Cookie header" };
        return Paste { kind, ..Paste::of_cookies(cookies) };
    }
    Paste::of_token(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_recognised() {
        let cases = [
            ("a.session_token=x; b=c", "a Cookie header", None, "cookie", "a.session_token=x; b=c"),
            ("Cookie: a=b", "a Cookie header", None, "cookie", "a=b"),
            ("x.example\tFALSE\t/\tTRUE\t0\ta\tb", "a cookie file", None, "cookie", "a=b"),
            (
                "Authorization: Bearer a.b.c",
                "an Authorization header",
                None,
                "authorization",
                "Bearer a.b.c",
            ),
            ("bearer a.b.c", "an Authorization header", None, "authorization", "bearer a.b.c"),
            ("a.b.c", "a token", None, "authorization", "Bearer a.b.c"),
            ("QUJD.eA==", "a token", None, "authorization", "Bearer QUJD.eA=="),
            (
                "POST /x?y HTTP/1.1\r\nHost: a.example\r\nCookie: a=b\r\n\r\nbody: no",
                "a request's head",
                Some("POST https://a.example /x?y"),
                "cookie",
                "a=b",
            ),
            (
                "curl 'https://A.example/x y' \\\n  -H 'cookie: a=b; c=d' --compressed",
                "a curl command",
                Some("GET https://a.example /x y"),
                "cookie",
                "a=b; c=d",
            ),
            (
                "curl -b $'a=it\\'s' --data-raw '{}' https://a.example",
                "a curl command",
                Some("POST https://a.example /"),
                "cookie",
                "a=it's",
            ),
            (
                r#"{"request":{"method":"PUT","url":"https://a.example/x","headers":[{"name":":path","value":"/x"},{"name":"Cookie","value":"a=b"}]}}"#,
                "a HAR entry",
                Some("PUT https://a.example /x"),
                "cookie",
                "a=b",
            ),
            (
                r#"{"log":{"entries":[{"request":{"method":"GET","url":"https://a.example/1","headers":[{"name":"cookie","value":"a=1"}]},"response":{"status":401}},{"request":{"method":"GET","url":"https://a.example/2","headers":[{"name":"cookie","value":"a=2"}]},"response":{"status":200}}]}}"#,
                "a HAR entry",
                Some("GET https://a.example /1"),
                "cookie",
                "a=1",
            ),
        ];
        println!("{} pasted texts", cases.len());
        for (text, kind, line, name, value) in cases {
            let paste = Paste::read(text).unwrap_or_default();
            assert_eq!(paste.kind, kind, "{text}");
            assert_eq!(paste.joined(name).as_deref(), Some(value), "{text}");
            let (method, origin) = (paste.method.clone(), paste.origin.clone());
            let found = paste.target.as_ref().map(|target| {
                format!("{} {} {target}", method.unwrap_or_default(), origin.unwrap_or_default())
            });
            assert_eq!(found.as_deref(), line, "{text}");
        }
        assert!(Paste::read(" \n").is_err() && Paste::read("{}").is_err());
    }
}
