//! URLs that contradict each other: schemes, hosts, paths and slashes.

use crate::causes::Cause;
use crate::causes::file_finding::{FileFinding, FileRule, Level};
use crate::project::environment::{Environment, Variable};
use crate::project::{APP_URLS, ISSUERS, KEY_SETS, Project, SERVICE_URLS};
use crate::url::Url;

pub(super) const RULES: &[FileRule] = &[
    (&[], malformed),
    (&[Cause::UrlContradiction], service_urls),
    (
        &[Cause::TrailingSlashEnv, Cause::HttpBaseUrlBehindTls, Cause::SecureCookieOnHttp],
        service_url,
    ),
    (
        &[
            Cause::WwwApex,
            Cause::LocalhostVs127,
            Cause::HostOnlyCookie,
            Cause::SamesiteLaxCrossSite,
        ],
        app_url,
    ),
    (
        &[Cause::IssuerTrailingSlash, Cause::IssuerPath, Cause::IssuerScheme, Cause::IssuerHost],
        issuers,
    ),
    (&[Cause::KidNotInJwks, Cause::ApiCannotFetchJwks], key_sets),
    (&[Cause::CookieDomainForeign, Cause::CookieDomainPublicSuffix], cookie_domains),
];

/// A URL of an environment.
struct Named<'e> {
    name: &'static str,
    variable: &'e Variable,
    url: Url,
}

/// The URLs under these names.
fn urls<'e>(environment: &'e Environment, names: &[&'static str]) -> Vec<Named<'e>> {
    names
        .iter()
        .filter_map(|name| {
            let variable = environment.get(name)?;
            Some(Named { name, variable, url: Url::parse(variable.value.text())? })
        })
        .collect()
}

fn service(environment: &Environment) -> Option<Named<'_>> {
    urls(environment, &["BETTER_AUTH_URL", "BETTER_AUTH_BASE_URL"]).into_iter().next()
}

fn malformed(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        for name in SERVICE_URLS.iter().chain(&APP_URLS).chain(&ISSUERS).chain(&KEY_SETS) {
            let Some(variable) = environment.get(name) else { continue };
            let text = variable.value.text();
            let is_padded = text.trim() != text;
            let is_quoted = text.starts_with(['"', '\'']) && text.len() > 1;
            if Url::parse(text).is_some() && !is_padded {
                continue;
            }
            // An issuer may be any text.
            if ISSUERS.contains(name) && !is_padded && !is_quoted {
                continue;
            }
            let what = if is_quoted {
                "quotes belong to its value"
            } else if is_padded {
                "it has white space at an end"
            } else {
                "it is no absolute http or https URL"
            };
            found.push(
                FileFinding::other("variable", Level::Error, format!("{name}: {what}"))
                    .at(variable.place.clone())
                    .fix("write scheme, host and port, like https://app.example.com"),
            );
        }
    }
    found
}

/// What browsers and servers take for the auth service has to be one origin.
fn service_urls(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        let Some(own) = service(environment) else { continue };
        for other in urls(environment, SERVICE_URLS.get(1..6).unwrap_or_default()) {
            if other.url.origin() == own.url.origin() {
                continue;
            }
            let seen = format!(
                "{} is {} and {} is {}: {}",
                own.name,
                own.url.origin(),
                other.name,
                other.url.origin(),
                difference(&own.url, &other.url)
            );
            found.push(
                FileFinding::strong(Cause::UrlContradiction, seen)
                    .at(other.variable.place.clone())
                    .also(own.variable.place.clone())
                    .fix(format!(
                        "give both the public origin of the auth service: {}",
                        own.url.origin()
                    )),
            );
        }
    }
    found
}

fn difference(one: &Url, other: &Url) -> &'static str {
    if one.host != other.host {
        "another host"
    } else if one.is_https != other.is_https {
        "another scheme"
    } else {
        "another port"
    }
}

fn service_url(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        let Some(own) = service(environment) else { continue };
        let name = own.name;
        let place = || own.variable.place.clone();
        let is_production = environment.is_production(own.variable);
        let is_development = place().is_some_and(|place| place.file.contains(".env.development"));
        if is_production && own.url.is_loopback() {
            let seen = format!("{name} is {} in an environment of production", own.url.origin());
            found.push(
                FileFinding::strong(Cause::UrlContradiction, seen)
                    .at(place())
                    .fix("set the public https URL of the auth service there"),
            );
        } else if !own.url.is_https && !own.url.is_loopback() && !is_development {
            let seen = format!("{name} is {}: http, and not of this machine", own.url.origin());
            found.push(FileFinding::strong(Cause::HttpBaseUrlBehindTls, seen).at(place()));
        } else if is_development && own.url.is_https && !own.url.is_loopback() {
            let seen = format!(
                "{name} is {} in development: its cookies are `Secure`, and a page on http://localhost does not get them",
                own.url.origin()
            );
            found.push(FileFinding::hint(Cause::SecureCookieOnHttp, seen).at(place()));
        }
        let base = own.url.base();
        if base.matches("/api/auth").count() > 1 {
            let seen = format!("{name} has the path {base}: the base path stands there twice");
            found.push(FileFinding::strong(Cause::TrailingSlashEnv, seen).at(place()));
        } else if own.url.path != "/" && own.url.path.ends_with('/') {
            let seen = format!("{name} ends with a slash behind its path {}", own.url.path);
            found.push(FileFinding::hint(Cause::TrailingSlashEnv, seen).at(place()));
        }
    }
    found
}

/// The application beside the service.
fn app_url(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        let Some(own) = service(environment) else { continue };
        for app in urls(environment, &APP_URLS) {
            let (one, other) = (&own.url, &app.url);
            if one.origin() == other.origin() {
                continue;
            }
            let seen =
                format!("{} is {} and {} is {}", own.name, one.origin(), app.name, other.origin());
            let without_www = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
            let finding = if one.host == other.host && one.is_https != other.is_https {
                FileFinding::strong(Cause::UrlContradiction, format!("{seen}: another scheme"))
            } else if one.host == other.host {
                continue;
            } else if one.is_loopback() && other.is_loopback() {
                FileFinding::proof(Cause::LocalhostVs127, format!("{seen}: two hosts to a browser"))
            } else if without_www(&one.host) == without_www(&other.host) {
                FileFinding::strong(Cause::WwwApex, format!("{seen}: one with www, one without"))
            } else if one.is_loopback() != other.is_loopback() {
                FileFinding::strong(Cause::UrlContradiction, format!("{seen}: one is this machine"))
            } else if project.suffixes.registrable(&one.host)
                == project.suffixes.registrable(&other.host)
            {
                if has_domain(project, environment) {
                    continue;
                }
                FileFinding::hint(
                    Cause::HostOnlyCookie,
                    format!("{seen}: the cookies need a Domain"),
                )
            } else {
                FileFinding::hint(Cause::SamesiteLaxCrossSite, format!("{seen}: two sites"))
            };
            found.push(finding.at(app.variable.place.clone()).also(own.variable.place.clone()));
        }
    }
    found
}

/// Whether cookies get a `Domain`, as far as options and variables say.
fn has_domain(project: &Project, environment: &Environment) -> bool {
    environment.get("COOKIE_DOMAIN").is_some()
        || environment.get("BETTER_AUTH_COOKIE_DOMAIN").is_some()
        || project.auth.as_ref().is_some_and(|auth| {
            auth.options.member("advanced.crossSubDomainCookies").is_some()
                || !auth.options.member("advanced").is_none_or(|own| {
                    matches!(own.value, crate::project::javascript::Literal::Object(_))
                })
        })
}

/// What is expected as `iss`: Better Auth writes the origin of its URL.
fn issuers(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        let Some(own) = service(environment) else { continue };
        for other in urls(environment, &ISSUERS) {
            let written = other.variable.value.text().trim();
            let usual = own.url.origin();
            let is_set =
                project.auth.as_ref().is_some_and(|auth| auth.source.word("issuer").is_some());
            // Where the service is told its issuer, it is what it is told.
            if written == usual || is_set {
                continue;
            }
            let seen = format!(
                "{} is {written}, and Better Auth writes the origin of {}: {usual}",
                other.name, own.name
            );
            let same_host = own.url.host == other.url.host && own.url.port == other.url.port;
            let finding = if same_host && own.url.is_https != other.url.is_https {
                FileFinding::strong(Cause::IssuerScheme, seen)
            } else if !same_host {
                FileFinding::hint(Cause::IssuerHost, seen)
            } else if other.url.base().is_empty() {
                FileFinding::strong(Cause::IssuerTrailingSlash, seen)
            } else {
                FileFinding::strong(Cause::IssuerPath, seen)
            };
            let fix =
                format!("write {usual}, or set `jwt({{ jwt: {{ issuer }} }})` to the same text");
            found.push(
                finding.at(other.variable.place.clone()).also(own.variable.place.clone()).fix(fix),
            );
        }
    }
    found
}

/// Where keys are fetched from.
fn key_sets(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for environment in &project.environments {
        let Some(own) = service(environment) else { continue };
        for other in urls(environment, &KEY_SETS) {
            let place = other.variable.place.clone();
            if environment.is_production(other.variable) && other.url.is_loopback() {
                let seen = format!(
                    "{} is {}: in a container that is the container itself",
                    other.name, other.url
                );
                found.push(FileFinding::hint(Cause::ApiCannotFetchJwks, seen).at(place));
            } else if other.url.host != own.url.host
                && own.url.is_https
                && other.url.is_https
                && project.suffixes.registrable(&other.url.host)
                    != project.suffixes.registrable(&own.url.host)
            {
                let seen = format!(
                    "{} is of {}, and {} is of {}",
                    other.name, other.url.host, own.name, own.url.host
                );
                found.push(
                    FileFinding::hint(Cause::KidNotInJwks, seen)
                        .at(place)
                        .also(own.variable.place.clone()),
                );
            }
        }
    }
    found
}

/// A cookie's `Domain` has to cover the service's host.
fn cookie_domains(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    let option = "advanced.crossSubDomainCookies.domain";
    for environment in &project.environments {
        let Some(own) = service(environment) else { continue };
        let mut domains = Vec::new();
        for name in ["COOKIE_DOMAIN", "BETTER_AUTH_COOKIE_DOMAIN"] {
            if let Some(variable) = environment.get(name) {
                domains.push((name, variable.value.text().to_owned(), variable.place.clone()));
            }
        }
        if let Some((auth, text)) =
            project.auth.as_ref().and_then(|auth| Some((auth, auth.options.text(option)?)))
        {
            domains.push((
                "crossSubDomainCookies.domain",
                text.to_owned(),
                Some(auth.place(option)),
            ));
        }
        for (name, domain, place) in domains {
            let bare = domain.trim().trim_start_matches('.').to_ascii_lowercase();
            let is_suffix = project.suffixes.is_public_suffix(&bare) && bare.contains('.');
            let covers = own.url.host == bare || own.url.host.ends_with(&format!(".{bare}"));
            let finding = if is_suffix {
                let seen =
                    format!("{name} is {domain}, a public suffix: browsers take no cookie for it");
                FileFinding::proof(Cause::CookieDomainPublicSuffix, seen)
            } else if !covers && !own.url.is_loopback() {
                let seen = format!(
                    "{name} is {domain}, which does not cover {}, the host of {}",
                    own.url.host, own.name
                );
                FileFinding::proof(Cause::CookieDomainForeign, seen)
            } else {
                continue;
            };
            found.push(finding.at(place).also(own.variable.place.clone()));
        }
    }
    found
}
