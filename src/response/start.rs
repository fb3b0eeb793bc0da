//! What the log says when a gate starts: by what it has been configured, what is doubtful about
//! that, or why it does not start.

use crate::encoding::json;
use crate::encoding::members::{Members, list};
use crate::policy::Policy;
use crate::policy::config_error::ConfigError;
use crate::policy::issuer::Issuer;
use crate::response::log::line_of;
use crate::time::UnixTime;

/// The lines of a gate that starts: where its configuration comes from, the issuers, and of each
/// secret the variable, the class of its length and a fingerprint; then each warning.
///
/// `source` is what the host says of where the configuration stands, like `variable DOORWARD`.
#[cold]
#[inline(never)]
pub(crate) fn start_lines(policy: &Policy, source: &str, now: UnixTime) -> Vec<String> {
    let mut line = line_of("start", now);
    line.text("configuration", source);
    let issuers: Vec<String> =
        policy.issuers.iter().map(|issuer| about_issuer(policy, issuer)).collect();
    line.add("issuers", list(&issuers));
    line.number("rules", i64::try_from(policy.rules.len()).unwrap_or(i64::MAX));
    line.add("secrets", list(&policy.secrets));
    line.text("version", env!("CARGO_PKG_VERSION"));
    for (name, is_on) in [("debug", policy.debug), ("development", policy.is_development)] {
        if is_on {
            line.add(name, "true".to_owned());
        }
    }
    let warnings =
        policy.warnings.iter().map(|warning| about_error("config_warning", warning, now));
    [line.written()].into_iter().chain(warnings).collect()
}

/// The line about a mistake of the configuration, for which the gate does not start.
pub fn config_error_line(error: &ConfigError, now: UnixTime) -> String {
    about_error("config_error", error, now)
}

#[cold]
#[inline(never)]
fn about_error(event: &str, error: &ConfigError, now: UnixTime) -> String {
    let mut line = line_of(event, now);
    line.text("path", &error.path);
    line.text("problem", &error.problem);
    line.text("hint", &error.hint);
    line.written()
}

/// An issuer: its name, whose tokens it accepts, and how its cookies are called.
#[cold]
#[inline(never)]
fn about_issuer(policy: &Policy, issuer: &Issuer) -> String {
    let mut about = Members::default();
    about.text("name", &issuer.name);
    about.text("iss", &issuer.expectations.issuer);
    if let Some(service) = policy.service_of(issuer) {
        let asked_url = service.get_session_url.split('?').next().unwrap_or_default();
        about.text("session_url", asked_url);
        about.text("session_cookie", &service.cookies.session_token);
    }
    if let Some(url) = &issuer.jwks_url {
        about.add("jwks_url", json::quoted(url.split('?').next().unwrap_or_default()));
    }
    about.written()
}
