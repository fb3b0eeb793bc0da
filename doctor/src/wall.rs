//! Walls: what stands in front of an auth service and answers in its place.

use crate::answer::{Answer, Body};
use crate::url::Url;

/// What answers instead of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wall {
    /// Too many requests (429).
    RateLimit {
        /// Better Auth itself says so, not a proxy.
        by_service: bool,
        retry_after: Option<String>,
    },
    /// A page or a redirect that wants a person to sign in first.
    Protection {
        /// Whose: `Vercel`, `Cloudflare Access`, `basic auth`, `a sign-in of …`.
        by: String,
    },
    /// A challenge for machines.
    Challenge { by: &'static str },
    /// Forbidden, and nothing says by whom.
    Forbidden { status: u16 },
    /// A proxy does not take the request: too large, malformed.
    Refused { status: u16 },
    /// A proxy that gets no answer from the service.
    Gateway { status: u16 },
}

impl Wall {
    /// What in front of the service this response is of, if it is not the service's own.
    pub(crate) fn of(answer: &Answer, asked: &Url) -> Option<Self> {
        let status = answer.status();
        if status == 429 {
            let by_service = answer
                .member("message")
                .and_then(serde_json::Value::as_str)
                .is_some_and(|message| message.starts_with("Too many requests"));
            let retry_after =
                answer.header("x-retry-after").or_else(|| answer.header("retry-after"));
            let retry_after = retry_after
                .filter(|value| value.len() < 10 && value.bytes().all(|byte| byte.is_ascii_digit()))
                .map(str::to_owned);
            return Some(Self::RateLimit { by_service, retry_after });
        }
        if let Some(by) = challenge(answer) {
            return Some(Self::Challenge { by });
        }
        if let Some(by) = protection(answer, asked) {
            return Some(Self::Protection { by });
        }
        let is_service_json = answer.code().is_some()
            || answer.member("success").is_some()
            || answer.header_has("content-type", "application/problem+json");
        match status {
            400 | 413 | 414 | 431 | 494 if !is_service_json && answer.body() != Body::Json => {
                Some(Self::Refused { status })
            }
            401 | 403 | 406 | 451 if !is_service_json && answer.body() != Body::Empty => {
                Some(Self::Forbidden { status })
            }
            403 if !is_service_json => Some(Self::Forbidden { status }),
            // 520 to 530 are Cloudflare's for a service that does not answer it.
            502 | 504 | 520..=530 => Some(Self::Gateway { status }),
            503 if answer.body() == Body::Html => Some(Self::Gateway { status }),
            _ => None,
        }
    }
}

fn challenge(answer: &Answer) -> Option<&'static str> {
    let status = answer.status();
    if answer.header_has("cf-mitigated", "challenge") {
        return Some("Cloudflare");
    }
    if answer.header("x-amzn-waf-action").is_some() {
        return Some("AWS WAF");
    }
    if answer.header_has("x-vercel-mitigated", "challenge")
        || answer.header_has("x-vercel-mitigated", "deny")
    {
        return Some("the Vercel firewall");
    }
    if answer.header("x-datadome").is_some() && matches!(status, 403 | 405) {
        return Some("DataDome");
    }
    if !matches!(status, 200 | 202 | 403 | 405 | 406 | 429 | 503) || answer.body() != Body::Html {
        return None;
    }
    let text = answer.text().to_ascii_lowercase();
    let marks = [
        ("just a moment...", "Cloudflare"),
        ("challenge-platform", "Cloudflare"),
        ("cf-chl", "Cloudflare"),
        ("attention required! | cloudflare", "Cloudflare"),
        ("vercel security checkpoint", "the Vercel firewall"),
        ("_incapsula_resource", "Imperva"),
        ("captcha", "a bot check"),
        ("please enable js and disable any ad blocker", "DataDome"),
        ("making sure you&#39;re not a bot", "Anubis"),
        ("making sure you're not a bot", "Anubis"),
    ];
    marks.iter().find(|(mark, _)| text.contains(mark)).map(|(_, by)| *by)
}

fn protection(answer: &Answer, asked: &Url) -> Option<String> {
    let sets_nonce = answer.cookies().iter().any(|cookie| cookie.name == "_vercel_sso_nonce");
    if sets_nonce {
        return Some("Vercel deployment protection".to_owned());
    }
    if answer.status() == 401 {
        let scheme = answer.header("www-authenticate").unwrap_or_default();
        let scheme = scheme.split([' ', ',']).next().unwrap_or_default().to_ascii_lowercase();
        if matches!(scheme.as_str(), "basic" | "digest" | "negotiate") {
            return Some(format!("HTTP authentication ({scheme})"));
        }
        return (answer.body() == Body::Html).then(|| "a page that wants a sign-in".to_owned());
    }
    if answer.is_redirect() {
        return sign_in_elsewhere(answer.header("location")?, asked);
    }
    None
}

/// A redirect to a sign-in that is no part of the service.
fn sign_in_elsewhere(location: &str, asked: &Url) -> Option<String> {
    let to = asked.join(location)?;
    if to.host.ends_with(".cloudflareaccess.com") {
        return Some("Cloudflare Access".to_owned());
    }
    if to.host == "vercel.com" {
        return Some("Vercel deployment protection".to_owned());
    }
    let path = to.path.to_ascii_lowercase();
    let is_sign_in =
        ["login", "signin", "sign-in", "sign_in", "oauth2", "authorize", "sso", "saml"]
            .iter()
            .any(|word| path.contains(word));
    let is_proxy_path = path.starts_with("/oauth2/") || path.starts_with("/.auth/");
    let keeps_path = path.trim_end_matches('/') == asked.path.trim_end_matches('/');
    if is_sign_in && !keeps_path && (to.host != asked.host || is_proxy_path) {
        return Some(format!("a sign-in at {}", to.host));
    }
    None
}
