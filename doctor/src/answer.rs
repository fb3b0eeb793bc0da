//! A response of an auth service, a gate or an API, with the questions that probes put to it.

use serde_json::Value;

use crate::cookie_line::CookieLine;
use crate::effects::HttpResponse;

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: HttpResponse,
    json: Option<Value>,
}

/// A 5xx of the service itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    /// The path below the base: `/ok`.
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    /// Better Auth's code, where it gives one.
    pub(crate) code: Option<String>,
    /// A header by which a platform says what failed.
    pub(crate) platform: Option<String>,
}

/// What `/get-session` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionAnswer {
    /// `null`.
    Null,
    /// A session.
    Session,
}

/// What a body is, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Empty,
    Null,
    Json,
    Html,
    Text,
}

impl Answer {
    pub(crate) fn new(response: HttpResponse) -> Self {
        let json = serde_json::from_slice(&response.body).ok();
        Self { response, json }
    }

    pub(crate) const fn status(&self) -> u16 {
        self.response.status
    }

    pub(crate) const fn is_redirect(&self) -> bool {
        matches!(self.response.status, 301 | 302 | 303 | 307 | 308)
    }

    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Whether a header of this name has this text in it, in whatever case.
    pub(crate) fn header_has(&self, name: &str, part: &str) -> bool {
        let mut lines = self.response.headers.iter().filter(|(own, _)| own == name);
        lines.any(|(_, value)| value.to_ascii_lowercase().contains(part))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.response.body).into_owned()
    }

    /// A member of the JSON body.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.json.as_ref()?.get(name)
    }

    /// Better Auth's error code.
    pub(crate) fn code(&self) -> Option<&str> {
        self.member("code").and_then(Value::as_str)
    }

    pub(crate) fn body(&self) -> Body {
        let text = self.text();
        let begin = text.trim_start().to_ascii_lowercase();
        if begin.is_empty() {
            Body::Empty
        } else if begin.trim_end() == "null" {
            Body::Null
        } else if self.json.is_some() {
            Body::Json
        } else if begin.starts_with('<') || self.header_has("content-type", "text/html") {
            Body::Html
        } else {
            Body::Text
        }
    }

    /// Better Auth's `/ok`.
    pub(crate) fn is_ok(&self) -> bool {
        self.status() == 200 && self.member("ok") == Some(&Value::Bool(true))
    }

    /// Better Auth's `{"success":true}`.
    pub(crate) fn is_success(&self) -> bool {
        self.status() == 200 && self.member("success") == Some(&Value::Bool(true))
    }

    /// Better Auth's `/get-session`.
    pub(crate) fn session(&self) -> Option<SessionAnswer> {
        if self.status() != 200 {
            return None;
        }
        match self.body() {
            Body::Null => Some(SessionAnswer::Null),
            Body::Json => {
                let has = |name| self.member(name).is_some_and(Value::is_object);
                (has("session") || has("user")).then_some(SessionAnswer::Session)
            }
            _ => None,
        }
    }

    /// Every `Set-Cookie`, those included that somebody has joined.
    pub(crate) fn cookies(&self) -> Vec<CookieLine> {
        self.cookie_headers().flat_map(CookieLine::parse_all).collect()
    }

    /// How many `Set-Cookie` lines hold more than one cookie.
    pub(crate) fn joined_lines(&self) -> usize {
        self.cookie_headers().filter(|line| CookieLine::parse_all(line).len() > 1).count()
    }

    fn cookie_headers(&self) -> impl Iterator<Item = &str> {
        let lines = self.response.headers.iter().filter(|(name, _)| name == "set-cookie");
        lines.map(|(_, value)| value.as_str())
    }

    /// Whether it deletes the cookie of this name, or a chunk of it.
    pub(crate) fn deletes(&self, name: &str) -> bool {
        self.cookies().iter().any(|cookie| cookie.name == name && cookie.is_deletion())
    }

    /// How many cookies it deletes.
    pub(crate) fn deletion_count(&self) -> usize {
        self.cookies().iter().filter(|cookie| cookie.is_deletion()).count()
    }

    /// A 5xx of the service itself: without a page, as Better Auth writes it, or with the header of
    /// the platform that ran it.
    pub(crate) fn service_error(&self, path: &'static str) -> Option<ServiceError> {
        (self.status() >= 500).then(|| ServiceError {
            path,
            status: self.status(),
            code: self.code().map(str::to_owned),
            platform: self.platform_error(),
        })
    }

    /// What a platform says about a crash of what it runs.
    pub(crate) fn platform_error(&self) -> Option<String> {
        let word = |text: &str| {
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            text.bytes().take(60).all(is_word).then(|| text.to_owned())
        };
        self.header("x-vercel-error").and_then(word)
    }

    /// The service's clock minus ours, in milliseconds; the header counts whole seconds.
    pub(crate) fn clock_millis(&self) -> Option<i64> {
        let date = http_date_millis(self.header("date")?)?;
        let middle = self
            .response
            .started_millis
            .saturating_add(self.response.ended_millis)
            .checked_div(2)?;
        Some(date.saturating_add(500).saturating_sub(middle))
    }

    /// When the service says that it answered, in milliseconds.
    pub(crate) fn date_millis(&self) -> Option<i64> {
        http_date_millis(self.header("date")?)
    }

    /// In a few words, without any content: `200 null, 3 deletions`.
    pub(crate) fn summary(&self) -> String {
        let status = self.status();
        let body = match (self.code(), self.body()) {
            (Some(code), _) if is_word(code) => format!(" {code}"),
            (_, Body::Empty) => " empty".to_owned(),
            (_, Body::Null) => " null".to_owned(),
            (_, Body::Html) => " a page".to_owned(),
            (_, Body::Json) if self.is_ok() => " {\"ok\":true}".to_owned(),
            (_, Body::Json) if self.member("success").is_some() => " {\"success\":true}".to_owned(),
            (_, Body::Json) if self.session().is_some() => " a session".to_owned(),
            (_, Body::Json) => " JSON".to_owned(),
            (_, Body::Text) => " text".to_owned(),
        };
        let cookies = match (self.cookies().len(), self.deletion_count()) {
            (0, _) => ", no Set-Cookie".to_owned(),
            (_, 1) => ", 1 deletion".to_owned(),
            (_, deletions) if deletions > 0 => format!(", {deletions} deletions"),
            (count, _) => format!(", {count} Set-Cookie"),
        };
        let cookies = if self.is_redirect() { String::new() } else { cookies };
        format!("{status}{body}{cookies}")
    }
}

/// A code, and nothing that a stranger could have written at length.
pub(crate) fn is_word(text: &str) -> bool {
    text.len() <= 60
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// `Mon, 30 Nov 2026 14:16:48 GMT` (RFC 9110 section 5.6.7) in milliseconds since 1970.
pub(crate) fn http_date_millis(text: &str) -> Option<i64> {
    let mut words = text.split_whitespace().skip(1);
    let day: i64 = words.next()?.parse().ok()?;
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let name = words.next()?;
    let month = i64::try_from(months.iter().position(|month| *month == name)?).ok()?;
    let year: i64 = words.next()?.parse().ok()?;
    let time: Vec<i64> = words.next()?.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [hours, minutes, seconds] = time.try_into().ok()?;
    let days = days_since_1970(year, month.checked_add(1)?, day)?;
    let hours = days.checked_mul(24)?.checked_add(hours)?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    minutes.checked_mul(60)?.checked_add(seconds)?.checked_mul(1000)
}

/// Days of the Gregorian calendar from 1 January 1970.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The year begins in March, so that the leap day is the last.
    let shifted = if month <= 2 { year.checked_sub(1)? } else { year };
    let month = (month.checked_add(9)?).checked_rem(12)?;
    let of_month = month.checked_mul(153)?.checked_add(2)?.checked_div(5)?;
    let leaps = shifted.checked_div(4)?.checked_sub(shifted.checked_div(100)?)?;
    let leaps = leaps.checked_add(shifted.checked_div(400)?)?;
    shifted
        .checked_mul(365)?
        .checked_add(leaps)?
        .checked_add(of_month)?
        .checked_add(day)?
        .checked_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `date -u -d … +%s`.
    #[test]
    fn dates_of_responses_are_read() {
        let cases = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777_000)),
            ("Mon, 30 Nov 2026 14:16:48 GMT", Some(1_796_048_208_000)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199_000)),
            ("yesterday", None),
            ("Mon, 99 Nov 2026 14:16:48 GMT", None),
        ];
        for (text, expected) in cases {
            assert_eq!(http_date_millis(text), expected, "{text}");
        }
    }
}
