//! Which cause a line of a gate's log speaks for: by its reason and its findings
//! (docs/reference/log.md).

use serde_json::Value;

use crate::causes::{Cause, Certainty};

/// What a line speaks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogFinding {
    pub(crate) cause: Cause,
    pub(crate) certainty: Certainty,
    /// What of the line says so: `cookies.near: secure-prefix`.
    pub(crate) because: String,
}

impl LogFinding {
    fn new(cause: Cause, certainty: Certainty, because: impl Into<String>) -> Self {
        Self { cause, certainty, because: because.into() }
    }
}

/// The cause that a line speaks for, if it does for one.
pub(crate) fn cause(line: &Value) -> Option<LogFinding> {
    let reason = line.get("reason")?.as_str()?;
    // In a redirect loop the last round says why.
    let reason = match reason {
        "redirect_loop" => line.get("cause").and_then(Value::as_str).unwrap_or(reason),
        own => own,
    };
    by_lookup(reason, line)
        .or_else(|| by_clock(reason, line))
        .or_else(|| by_secret(reason, line))
        .or_else(|| by_issuer(reason, line))
        .or_else(|| by_cookie(reason, line))
        .or_else(|| by_reason(reason, line))
}

fn by_lookup(reason: &str, line: &Value) -> Option<LogFinding> {
    use Certainty::{Hint, Proof, Strong};
    let failure = line.get("lookup_failure")?.as_str()?;
    let is_keys = reason == "keys_unavailable";
    let lookup = line.get("lookup");
    let network = lookup.and_then(|own| own.get("network_error")?.as_str());
    let because = match network {
        Some(error) => format!("lookup_failure: {failure} ({error})"),
        None => format!("lookup_failure: {failure}"),
    };
    let (cause, certainty) = match failure {
        "no-response" | "deadline-exceeded" => (Cause::Unreachable, Proof),
        "redirect" => (Cause::BaseUrlRedirects, Proof),
        "unauthorized" => (Cause::DeploymentProtection, Strong),
        "rate-limited" => (Cause::RateLimited, Proof),
        "server-error" if is_keys => (Cause::SchemaNotMigrated, Hint),
        "server-error" => (Cause::DatabaseUnreachable, Hint),
        "not-found" if is_keys => (Cause::JwtPluginMissing, Strong),
        "not-found" | "unexpected-status" => (Cause::BasePathDiffers, Strong),
        "unexpected-body" if is_keys => (Cause::JwksNotJson, Proof),
        "unexpected-body" => (Cause::HtmlInsteadOfAuth, Strong),
        "headers-too-large" | "too-large" => (Cause::HeaderTooLarge, Proof),
        "other-session" => (Cause::GetSessionCached, Strong),
        "no-jwt-plugin" => (Cause::JwtPluginMissing, Proof),
        "request-limit" | "waited-too-long" => (Cause::GateDoubt, Proof),
        _ => return None,
    };
    Some(LogFinding::new(cause, certainty, because))
}

fn by_clock(reason: &str, line: &Value) -> Option<LogFinding> {
    let is_date = matches!(reason, "token_expired" | "token_not_yet_valid" | "token_too_old");
    let difference = line.get("clock_difference_seconds")?.as_i64().filter(|_| is_date)?;
    let certainty = if difference.abs() > 30 { Certainty::Strong } else { Certainty::Hint };
    let because = format!("clock_difference_seconds: {difference}");
    Some(LogFinding::new(Cause::ClockSkew, certainty, because))
}

fn by_secret(reason: &str, line: &Value) -> Option<LogFinding> {
    if reason != "signature_invalid" {
        return None;
    }
    let has = line.get("secret").and_then(|own| own.get("service_has")?.as_str());
    let cause = match has {
        Some("without-quotes" | "with-quotes") => Cause::SecretQuoted,
        Some("with-line-end" | "with-space") => Cause::SecretWhitespace,
        Some("retired") => Cause::SecretRetired,
        Some("published-default") => Cause::SecretDefault,
        _ => return None,
    };
    let because = format!("secret.service_has: {}", has.unwrap_or_default());
    Some(LogFinding::new(cause, Certainty::Proof, because))
}

fn by_issuer(reason: &str, line: &Value) -> Option<LogFinding> {
    if reason != "issuer_unknown" {
        return None;
    }
    let differs = line.get("iss").and_then(|own| own.get("differs_in")?.as_str())?;
    let cause = match differs {
        "trailing slash" => Cause::IssuerTrailingSlash,
        "path" | "case" => Cause::IssuerPath,
        "scheme" => Cause::IssuerScheme,
        "host" | "port" | "public host" => Cause::IssuerHost,
        _ => return None,
    };
    Some(LogFinding::new(cause, Certainty::Proof, format!("iss.differs_in: {differs}")))
}

fn by_cookie(reason: &str, line: &Value) -> Option<LogFinding> {
    let near = line.get("cookies")?.get("near")?.as_array()?;
    let problem = near.iter().find_map(|own| own.get("problem")?.as_str())?;
    let is_missing = reason == "no_credential";
    let (cause, certainty) = match problem {
        "secure-prefix" if is_missing => (Cause::SecurePrefixDiffers, Certainty::Proof),
        "prefix" | "name" | "case" if is_missing => (Cause::CookieNameDiffers, Certainty::Strong),
        "repeated" => (Cause::DuplicateCookies, Certainty::Proof),
        "chunk-missing" => (Cause::ChunkMissing, Certainty::Proof),
        "empty" | "unsigned" | "cut" => (Cause::CookieCut, Certainty::Proof),
        "encoded-twice" => (Cause::CookieDoubleEncoded, Certainty::Proof),
        _ => return None,
    };
    Some(LogFinding::new(cause, certainty, format!("cookies.near: {problem}")))
}

/// What the reason alone speaks for.
fn by_reason(reason: &str, line: &Value) -> Option<LogFinding> {
    use Certainty::{Hint, Proof, Strong};
    let deleted = line.get("cookies_deleted").and_then(Value::as_bool);
    let (cause, certainty) = match reason {
        "no_credential" => (Cause::NoSessionCookie, Hint),
        "signature_invalid" => (Cause::SecretDiffers, Strong),
        "cookie_incomplete" => (Cause::ChunkMissing, Strong),
        "credential_malformed" => (Cause::CookieCut, Strong),
        "session_ended" if deleted == Some(false) => (Cause::SecretDiffers, Hint),
        "session_ended" => (Cause::SessionNotInStore, Hint),
        "session_version" => (Cause::CacheVersion, Strong),
        "session_unavailable" => (Cause::GateDoubt, Hint),
        "keys_unavailable" if line.get("left_out_keys").is_some() => (Cause::JwksEmpty, Strong),
        "key_not_found" => (Cause::KidNotInJwks, Strong),
        "alg_not_allowed" => (Cause::StrategyDiffers, Hint),
        "audience_mismatch" => (Cause::AudienceDiffers, Proof),
        "token_malformed" => (Cause::WrongTokenSent, Hint),
        "token_expired" => (Cause::TokenExpiredNoRefresh, Hint),
        "token_not_yet_valid" => (Cause::ClockSkew, Hint),
        "token_exchange_unavailable" => (Cause::JwtPluginMissing, Hint),
        "route_denied" | "forbidden" => (Cause::GateRouteDenied, Hint),
        "cross_site_request" => (Cause::OriginNotTrusted, Hint),
        _ => return None,
    };
    Some(LogFinding::new(cause, certainty, format!("reason: {reason}")))
}
