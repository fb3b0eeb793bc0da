//! `Set-Cookie` lines (RFC 6265 section 5.2), as far as a diagnosis needs them: never the value.

/// One `Set-Cookie` line without its value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CookieLine {
    pub(crate) name: String,
    pub(crate) is_empty: bool,
    /// Bytes of the whole line.
    pub(crate) bytes: usize,
    pub(crate) max_age: Option<i64>,
    pub(crate) domain: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) same_site: Option<String>,
    pub(crate) is_secure: bool,
    pub(crate) is_http_only: bool,
    pub(crate) is_partitioned: bool,
    /// Further cookies that stand in the same line behind a comma: their names.
    pub(crate) joined: Vec<String>,
}

impl CookieLine {
    /// Reads a line; nothing where it is none.
    #[cfg(test)]
    fn parse(line: &str) -> Option<Self> {
        let mut parts = joined_parts(line).into_iter();
        let mut cookie = Self::one(parts.next()?)?;
        cookie.joined = parts.filter_map(|part| Self::one(part).map(|other| other.name)).collect();
        cookie.bytes = line.len();
        Some(cookie)
    }

    /// Every cookie of a line, those behind commas included.
    pub(crate) fn parse_all(line: &str) -> Vec<Self> {
        joined_parts(line).into_iter().filter_map(Self::one).collect()
    }

    /// Whether it deletes the cookie.
    pub(crate) fn is_deletion(&self) -> bool {
        self.is_empty && self.max_age.is_some_and(|age| age <= 0)
    }

    fn one(line: &str) -> Option<Self> {
        let mut pieces = line.split(';');
        let (name, value) = pieces.next()?.split_once('=')?;
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        let mut cookie = Self {
            name: name.to_owned(),
            is_empty: value.trim().trim_matches('"').is_empty(),
            bytes: line.len(),
            ..Self::default()
        };
        for piece in pieces {
            let (attribute, value) = piece.split_once('=').unwrap_or((piece, ""));
            let value = value.trim();
            match attribute.trim().to_ascii_lowercase().as_str() {
                "max-age" => cookie.max_age = value.parse().ok(),
                // A date of the past deletes as well (RFC 6265 section 5.3).
                "expires" if value.contains("1970") => {
                    cookie.max_age = cookie.max_age.or(Some(0));
                }
                "domain" => cookie.domain = Some(value.to_ascii_lowercase()),
                "path" => cookie.path = Some(value.to_owned()),
                "samesite" => cookie.same_site = Some(value.to_ascii_lowercase()),
                "secure" => cookie.is_secure = true,
                "httponly" => cookie.is_http_only = true,
                "partitioned" => cookie.is_partitioned = true,
                _ => {}
            }
        }
        Some(cookie)
    }
}

/// The cookies of a line that somebody has joined with commas. A comma within a date
/// (`Expires=Thu, 01 Jan 1970`) has no `name=` behind it.
fn joined_parts(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in line.match_indices(',') {
        let behind = line.get(at.saturating_add(1)..).unwrap_or_default();
        let name_end =
            behind.find(['=', ';', ',']).filter(|end| behind.as_bytes().get(*end) == Some(&b'='));
        let is_name = name_end.is_some_and(|end| {
            let name = behind.get(..end).unwrap_or_default().trim();
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
        });
        if is_name {
            parts.push(line.get(start..at).unwrap_or_default());
            start = at.saturating_add(1);
        }
    }
    parts.push(line.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let line = "__Secure-a.session_token=; Max-Age=0; Domain=.Example.com; Path=/; HttpOnly; Secure; SameSite=Lax";
        let cookie = CookieLine::parse(line).unwrap_or_default();
        assert!(cookie.is_deletion() && cookie.is_secure && cookie.is_http_only);
        assert_eq!(cookie.domain.as_deref(), Some(".example.com"));
        assert_eq!(cookie.same_site.as_deref(), Some("lax"));
        assert!(cookie.joined.is_empty());
        let balancer =
            CookieLine::parse("AWSALB=abc; Expires=Thu, 03 Dec 2026 10:00:00 GMT; Path=/");
        assert!(balancer.is_some_and(|cookie| !cookie.is_deletion() && cookie.joined.is_empty()));
        assert!(
            CookieLine::parse("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
                .is_some_and(|cookie| cookie.is_deletion())
        );
    }

    #[test]
    fn joined_lines_are_taken_apart() {
        let line = "a.session_token=; Max-Age=0; Path=/, a.session_data=; Max-Age=0, a.dont_remember=; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        let all = CookieLine::parse_all(line);
        let names: Vec<_> = all.iter().map(|cookie| cookie.name.as_str()).collect();
        assert_eq!(names, ["a.session_token", "a.session_data", "a.dont_remember"]);
        assert!(all.iter().all(CookieLine::is_deletion));
    }
}
