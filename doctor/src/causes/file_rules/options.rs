//! Better Auth's options, where they are written out: hints, because a value may be computed.

use crate::causes::Cause;
use crate::causes::file_finding::{FileFinding, FileRule};
use crate::project::Project;
use crate::project::auth_options::AuthOptions;
use crate::project::javascript::Literal;

pub(super) const RULES: &[FileRule] = &[
    (&[Cause::OriginCheckOff], origin_check_off),
    (&[Cause::ExpIsADate], exp_is_a_date),
    (&[Cause::SessionShort], session_short),
    (&[Cause::StatelessByAccident], stateless),
    (&[Cause::DisableCookieCacheFalse], disable_cookie_cache_false),
    (&[Cause::NextCookiesMissing], next_cookies_last),
    (&[Cause::JwtPluginMissing], jwt_missing),
    (
        &[
            Cause::CookieNameDiffers,
            Cause::StrategyDiffers,
            Cause::BasePathDiffers,
            Cause::CacheVersion,
        ],
        against_configuration,
    ),
    (&[Cause::CookieCacheOff], cookie_cache_off),
];

fn auth(project: &Project) -> impl Iterator<Item = &AuthOptions> {
    project.auth.iter()
}

fn origin_check_off(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for auth in auth(project) {
        for path in ["advanced.disableCSRFCheck", "advanced.disableOriginCheck"] {
            if auth.options.is_word(path, "true") {
                let seen = format!("{path} is true: the auth service takes requests of any site");
                found.push(FileFinding::hint(Cause::OriginCheckOff, seen).at(auth.place(path)));
            }
        }
    }
    found
}

/// `jwt({ jwt: { expirationTime: 3600 } })` is one hour after 1970.
fn exp_is_a_date(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for auth in auth(project) {
        for (at, _, arguments) in
            auth.plugins().unwrap_or_default().into_iter().filter(|(_, name, _)| *name == "jwt")
        {
            let member = arguments.first().and_then(|options| options.member("jwt.expirationTime"));
            let Some(member) = member else { continue };
            if let Literal::Number(number) = &member.value {
                let seen = format!(
                    "jwt.expirationTime is the number {number}: that is a moment (seconds since 1970), not a duration"
                );
                found.push(
                    FileFinding::hint(Cause::ExpIsADate, seen)
                        .at(auth.file.place(member.at.max(at)))
                        .fix("write a text: \"15m\""),
                );
            }
        }
    }
    found
}

fn session_short(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for auth in auth(project) {
        let path = "session.expiresIn";
        let Some(Literal::Number(number)) = auth.options.member(path).map(|member| &member.value)
        else {
            continue;
        };
        let Ok(seconds) = number.replace('_', "").parse::<u64>() else { continue };
        if !(3_600..=34_560_000).contains(&seconds) {
            let seen = format!("session.expiresIn is {seconds} seconds");
            found.push(FileFinding::hint(Cause::SessionShort, seen).at(auth.place(path)));
        }
    }
    found
}

fn stateless(project: &Project) -> Vec<FileFinding> {
    let is_stored = |auth: &&AuthOptions| {
        let Literal::Object(members) = &auth.options else { return true };
        members.iter().any(|member| matches!(member.name.as_str(), "database" | "secondaryStorage"))
            // What a spread brings is not seen.
            || auth.file.text.contains("...")
    };
    auth(project)
        .filter(|auth| !is_stored(auth))
        .map(|auth| {
            let seen = "betterAuth has no `database` and no `secondaryStorage`: sessions live in cookies alone, and none can be revoked";
            FileFinding::hint(Cause::StatelessByAccident, seen).at(auth.file.place(auth.at))
        })
        .collect()
}

fn disable_cookie_cache_false(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for auth in auth(project) {
        for (at, options) in auth.source.calls("getSession") {
            if options.is_word("query.disableCookieCache", "false") {
                let seen = "`disableCookieCache: false` is sent as text, and any text means true";
                found.push(
                    FileFinding::hint(Cause::DisableCookieCacheFalse, seen).at(auth.file.place(at)),
                );
            }
        }
    }
    found
}

fn next_cookies_last(project: &Project) -> Vec<FileFinding> {
    let mut found = Vec::new();
    for auth in auth(project) {
        let plugins = auth.plugins().unwrap_or_default();
        let place = plugins.iter().position(|(_, name, _)| *name == "nextCookies");
        if let Some((at, ..)) = place.and_then(|place| plugins.get(place))
            && place.is_some_and(|place| place.saturating_add(1) < plugins.len())
        {
            let seen = "nextCookies() is not the last plugin: cookies of plugins behind it are lost in server actions";
            found.push(FileFinding::hint(Cause::NextCookiesMissing, seen).at(auth.file.place(*at)));
        }
    }
    found
}

/// A configuration with `token_exchange` needs tokens.
fn jwt_missing(project: &Project) -> Vec<FileFinding> {
    let wants =
        project.config.file.as_ref().is_some_and(|file| file.text.contains("\"token_exchange\""));
    let lacks = |auth: &&AuthOptions| {
        auth.plugins().is_some_and(|plugins| plugins.iter().all(|(_, name, _)| *name != "jwt"))
    };
    auth(project)
        .filter(|auth| wants && lacks(auth))
        .map(|auth| {
            let seen = "the gate's configuration has a `token_exchange`, and jwt() is not among the plugins";
            FileFinding::hint(Cause::JwtPluginMissing, seen).at(auth.place("plugins"))
        })
        .collect()
}

/// What the gate's configuration says of the service, and what the service's options say.
fn against_configuration(project: &Project) -> Vec<FileFinding> {
    let Some(file) = project.config.file.as_ref() else { return Vec::new() };
    let Ok(document) = serde_json::from_str::<serde_json::Value>(&file.text) else {
        return Vec::new();
    };
    let issuers = document.get("issuers");
    let issuer = issuers.and_then(|own| own.get(0)).or(issuers);
    let written = |name: &str| issuer?.get(name)?.as_str().map(str::to_owned);
    let pairs = [
        ("advanced.cookiePrefix", "cookie_prefix", "better-auth", Cause::CookieNameDiffers),
        (
            "advanced.cookies.session_token.name",
            "session_token_cookie",
            "",
            Cause::CookieNameDiffers,
        ),
        ("session.cookieCache.strategy", "cookie_cache", "", Cause::StrategyDiffers),
        ("session.cookieCache.version", "cookie_cache_version", "1", Cause::CacheVersion),
        ("basePath", "base_path", "/api/auth", Cause::BasePathDiffers),
    ];
    let mut found = Vec::new();
    for auth in auth(project) {
        for (option, member, usual, cause) in pairs {
            let Some(own) = auth.options.text(option) else { continue };
            let expected = written(member).unwrap_or_else(|| usual.to_owned());
            // The gate recognises the strategy by itself unless it is told one.
            let is_known = own == expected
                || expected == "auto"
                || (expected.is_empty() && cause == Cause::StrategyDiffers);
            if is_known {
                continue;
            }
            let expected = if expected.is_empty() { "nothing of it" } else { &expected };
            let seen = format!(
                "{option} is \"{own}\", and the gate's configuration says \"{expected}\" ({member})"
            );
            let also = project.config.place("issuers").map(|(place, _)| place);
            found.push(
                FileFinding::hint(cause, seen)
                    .at(auth.place(option))
                    .also(also)
                    .fix(format!("write \"{member}\": \"{own}\" for that issuer")),
            );
        }
    }
    found
}

fn cookie_cache_off(project: &Project) -> Vec<FileFinding> {
    let is_off = |auth: &&AuthOptions| match auth.options.member("session") {
        None => matches!(auth.options, Literal::Object(_)) && !auth.file.text.contains("..."),
        Some(member) => match &member.value {
            Literal::Object(_) => {
                auth.options.member("session.cookieCache").is_none()
                    || auth.options.is_word("session.cookieCache.enabled", "false")
            }
            _ => false,
        },
    };
    auth(project)
        .filter(|auth| project.has_gate && is_off(auth))
        .map(|auth| {
            let seen = "session.cookieCache is off: the gate asks the auth service about each session that it has not asked about lately";
            FileFinding::hint(Cause::CookieCacheOff, seen).at(auth.place("session"))
        })
        .collect()
}
