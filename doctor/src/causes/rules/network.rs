//! Does the service answer, and nothing else in its place?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::effects::Phase;
use crate::facts::{Exchange, Facts, SessionAnswer};
use crate::plan::Plan;
use crate::probes::failure_words;
use crate::wall::Wall;

pub(super) const RULES: &[Rule] = &[
    (Cause::RateLimited, rate_limited),
    (Cause::DeploymentProtection, deployment_protection),
    (Cause::BotChallenge, bot_challenge),
    (Cause::HeaderTooLarge, header_too_large),
    (Cause::EdgeRuntimeNodeImport, edge_runtime_node_import),
    (Cause::AllowedHosts, allowed_hosts),
    (Cause::Unreachable, unreachable),
    (Cause::WwwApex, www_apex),
    (Cause::BaseUrlRedirects, base_url_redirects),
    (Cause::HtmlInsteadOfAuth, html_instead_of_auth),
    (Cause::BasePathDiffers, base_path_differs),
    (Cause::GetSessionCached, get_session_cached),
    (Cause::DatabaseUnreachable, database_unreachable),
];

/// The wall that ended the run, wherever it came up.
fn wall(facts: &Facts) -> Option<&Wall> {
    let Facts { reach, oracle, keys, pasted, .. } = facts;
    let walls = [&reach.wall, &oracle.wall, &keys.wall, &pasted.wall];
    walls.into_iter().find_map(Option::as_ref)
}

/// The request that met it.
const WALLED: &[&str] = &["ok", "get-session", "sign-out", "jwks"];

fn rate_limited(facts: &Facts, _: &Plan) -> Option<Finding> {
    let Some(limit) = facts.limit.as_ref() else { return limited_with_503(facts) };
    let who =
        if limit.by_service { "the auth service" } else { "something in front of the service" };
    let wait = limit.retry_after.as_ref().map(|wait| format!(", for {wait} s")).unwrap_or_default();
    let path = &limit.path;
    // Requests of this run that were answered well before it may be what the limit has counted.
    if limit.answered_before > 2 {
        let count = limit.answered_before;
        let seen = format!("{who} answered 429 to {path} after {count} requests of this run{wait}");
        return Some(Finding::hint(Cause::RateLimited, seen));
    }
    let seen = format!("{who} answered 429 to one of the first requests of this run, {path}{wait}");
    Some(
        Finding::proof(Cause::RateLimited, seen)
            .by(&["ok", "get-session", "sign-out", "jwks"])
            .hides(Hides::Later),
    )
}

/// nginx says 503 where its limit of requests is reached.
fn limited_with_503(facts: &Facts) -> Option<Finding> {
    let by_turns = facts.reach.gateway_by_turns.is_some();
    if by_turns || !matches!(wall(facts)?, Wall::Gateway { status: 503 }) {
        return None;
    }
    let walled = facts.requests.iter().find(|exchange| exchange.status == Some(503))?;
    let path = &walled.path;
    let is_good = |exchange: &&Exchange| {
        exchange.path == *path && exchange.status.is_some_and(|status| status < 500)
    };
    facts.requests.iter().take_while(|exchange| exchange.status != Some(503)).find(is_good)?;
    let seen = format!(
        "{path} was answered well in this run, and then a proxy answers 503: nginx does so where \
         its limit of requests (`limit_req`) is reached"
    );
    let unless = "the service may have gone away in between";
    Some(Finding::strong(Cause::RateLimited, seen, unless).by(WALLED).hides(Hides::Later))
}

fn deployment_protection(facts: &Facts, _: &Plan) -> Option<Finding> {
    if facts.reach.wall.is_none() {
        return part_is_protected(facts);
    }
    match facts.reach.wall.as_ref()? {
        Wall::Protection { by } => {
            let seen = format!("{by} answered in place of the auth service");
            Some(Finding::proof(Cause::DeploymentProtection, seen).by(WALLED).hides(Hides::Later))
        }
        Wall::Forbidden { status } => {
            let seen = format!(
                "something in front of the auth service answers {status} to every request, also to \
                 a browser's user agent"
            );
            let unless = "a firewall may refuse this machine's address and no other";
            Some(
                Finding::strong(Cause::DeploymentProtection, seen, unless)
                    .by(WALLED)
                    .hides(Hides::Later),
            )
        }
        _ => None,
    }
}

/// Some paths are answered by the service, and others by something in front of it.
fn part_is_protected(facts: &Facts) -> Option<Finding> {
    let (wall, what) = match (&facts.oracle.wall, &facts.keys.wall, &facts.pasted.wall) {
        (Some(wall), ..) => (wall, "requests with a cookie or by POST"),
        (None, Some(wall @ Wall::Protection { .. }), _) => (wall, "/jwks"),
        (None, _, Some(wall)) => (wall, "one with the pasted header"),
        (None, ..) => return None,
    };
    let by = match wall {
        Wall::Protection { by } => by.clone(),
        Wall::Forbidden { status } => {
            format!("something in front of the service ({status})")
        }
        Wall::Refused { status } if facts.oracle.wall.is_some() => {
            format!("something in front of the service ({status})")
        }
        _ => return None,
    };
    let seen = format!("/ok is answered by the auth service, and {what} by {by}");
    let unless = "the service itself may answer so";
    let evidence =
        ["ok", "sign-out", "sign-out.origin", "sign-out.no-origin", "jwks", "oracle.plain"];
    Some(Finding::strong(Cause::DeploymentProtection, seen, unless).by(&evidence))
}

fn bot_challenge(facts: &Facts, _: &Plan) -> Option<Finding> {
    if let Some(wall) = &facts.reach.walled_by_agent {
        let by = match wall {
            Wall::Challenge { by } => by,
            _ => "something in front of the service",
        };
        let seen = format!("{by} refuses a program's user agent and lets a browser's through");
        return Some(Finding::proof(Cause::BotChallenge, seen).by(&["ok", "ok.browser"]));
    }
    if let Some((agent, status)) = facts.keys.refused_agent {
        let seen = format!(
            "the key set is fetched well by this program, and with the user agent {agent} it is \
             refused ({status})"
        );
        return Some(Finding::proof(Cause::BotChallenge, seen).by(&["jwks", "jwks.python"]));
    }
    if let (Some(Wall::Forbidden { status }), None) = (&facts.oracle.wall, &facts.reach.wall) {
        let seen = format!(
            "the service answers GET /ok, and something in front of it refuses another request of \
             this run with {status}"
        );
        let unless = "a firewall may refuse only what this program sends: POST without a body";
        return Some(Finding::strong(Cause::BotChallenge, seen, unless).by(WALLED));
    }
    let Wall::Challenge { by } = wall(facts)? else { return None };
    let seen = format!("{by} answered with a challenge in place of the auth service");
    Some(Finding::proof(Cause::BotChallenge, seen).by(WALLED).hides(Hides::Later))
}

fn header_too_large(facts: &Facts, _: &Plan) -> Option<Finding> {
    if let Some((bytes, status)) = facts.reach.refused_cookie_bytes {
        let seen = format!(
            "a `Cookie` header of {bytes} bytes was refused with {status}; without it the service \
             answers"
        );
        if status < 500 {
            return Some(Finding::proof(Cause::HeaderTooLarge, seen).by(&["large-cookie"]));
        }
        if facts.reach.gateway_by_turns.is_some() {
            return None;
        }
        let unless = "the service may have been away at that moment";
        return Some(Finding::strong(Cause::HeaderTooLarge, seen, unless).by(&["large-cookie"]));
    }
    if let Some(finding) = pasted_too_large(facts) {
        return Some(finding);
    }
    let is_overflow = |phase| phase == Phase::Headers;
    if facts.reach.failure.as_ref().is_some_and(|failure| is_overflow(failure.phase)) {
        let seen = "the response has more than 64 KB of headers";
        return Some(Finding::proof(Cause::HeaderTooLarge, seen).by(&["ok"]).hides(Hides::Later));
    }
    let Wall::Refused { status } = facts.reach.wall.as_ref()? else { return None };
    if !matches!(status, 431 | 494) {
        return None;
    }
    let seen = format!("a small request was refused with {status}");
    Some(Finding::proof(Cause::HeaderTooLarge, seen).by(WALLED).hides(Hides::Later))
}

/// The pasted header goes no further than to a proxy, or its answer comes no further than to one.
fn pasted_too_large(facts: &Facts) -> Option<Finding> {
    /// Less is below every limit that is usual.
    const LARGE: usize = 3_500;
    let bytes = facts.pasted.bytes;
    let finding = match facts.pasted.wall.as_ref()? {
        Wall::Refused { status: status @ (413 | 431 | 494) } => {
            let seen = format!("the pasted header of {bytes} bytes was refused with {status}");
            Finding::proof(Cause::HeaderTooLarge, seen)
        }
        Wall::Refused { status } if bytes > LARGE => {
            let seen = format!(
                "the pasted header of {bytes} bytes was refused with {status}; without it the \
                 service answers"
            );
            let unless = "the header may be malformed";
            Finding::strong(Cause::HeaderTooLarge, seen, unless)
        }
        Wall::Gateway { status } if bytes > LARGE => {
            let seen = format!(
                "with the pasted header of {bytes} bytes a proxy answers {status}, and without it \
                 the service answers: the answer's own cookies are as large"
            );
            let unless = "the service may end over this session for another reason";
            Finding::strong(Cause::HeaderTooLarge, seen, unless)
        }
        _ => return None,
    };
    Some(finding.by(&["pasted", "pasted.store"]))
}

fn edge_runtime_node_import(facts: &Facts, _: &Plan) -> Option<Finding> {
    let of_service = facts.reach.service_error.as_ref().and_then(|error| error.platform.clone());
    let of_gate = facts.gate.anonymous.as_ref().and_then(|answer| answer.platform.clone());
    let platform = of_service.or(of_gate)?;
    if !platform.contains("INVOCATION_FAILED") {
        return None;
    }
    let seen = format!("the platform says {platform}: the function ends before it answers");
    let unless = "another error at its start ends it in the same way; the platform's log has it";
    Some(Finding::strong(Cause::EdgeRuntimeNodeImport, seen, unless).by(&["ok", "gate.anonymous"]))
}

fn allowed_hosts(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let reach = &facts.reach;
    let broke = reach.failure.as_ref().is_some_and(|failure| failure.phase == Phase::Http);
    let failed = reach.service_error.as_ref().is_some_and(|error| error.path == "/ok");
    if let Some(host) = &reach.good_at_host
        && (broke || failed)
    {
        let seen = format!(
            "/ok fails for the host {}, and the same server answers it well for {host}",
            plan.target.host
        );
        let unless = "a proxy may route the two names to different services";
        return Some(
            Finding::strong(Cause::AllowedHosts, seen, unless)
                .by(&["ok", "other-host"])
                .hides(Hides::Later),
        );
    }
    let error = reach.service_error.as_ref()?;
    if error.path != "/ok" || error.platform.is_some() {
        return None;
    }
    let seen = format!(
        "/ok, which needs neither cookie nor database, is answered with {} for the host {}",
        error.status, plan.target.host
    );
    let unless = "the service may fail at its start for another reason; its log says which";
    Some(Finding::strong(Cause::AllowedHosts, seen, unless).by(&["ok"]).hides(Hides::Later))
}

fn unreachable(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let reach = &facts.reach;
    if let Some(status) = reach.gateway_by_turns {
        let seen = format!(
            "/ok is answered with {status} by a proxy in one try, and by the service in the next: \
             not every instance behind the proxy answers it"
        );
        let unless = "the service may just have been started";
        return Some(Finding::strong(Cause::Unreachable, seen, unless).by(&["ok"]));
    }
    if let Some(Wall::Gateway { status }) = wall(facts) {
        let seen =
            format!("a proxy answers {status}: it gets no answer from the service behind it");
        // The rule on headers looks at what comes of a pasted one.
        if facts.pasted.wall.is_some() {
            return None;
        }
        if reach.base.is_some() {
            let seen = format!("{seen}, which has answered other requests of this run");
            let unless = "a proxy may answer so where it has had too many requests";
            return Some(
                Finding::strong(Cause::Unreachable, seen, unless).by(WALLED).hides(Hides::Later),
            );
        }
        return Some(Finding::proof(Cause::Unreachable, seen).by(WALLED).hides(Hides::Later));
    }
    if let Some(Wall::Refused { status }) = &reach.wall {
        let seen = format!("a proxy answers {status} to a plain request");
        let unless = "the service may answer so itself";
        return Some(
            Finding::strong(Cause::Unreachable, seen, unless).by(WALLED).hides(Hides::Later),
        );
    }
    let crash = reach.service_error.as_ref().and_then(|error| error.platform.as_ref());
    if let Some(platform) = crash {
        let seen = format!("the platform says {platform} in place of the auth service");
        return Some(Finding::proof(Cause::Unreachable, seen).by(WALLED).hides(Hides::Later));
    }
    let failure = reach.failure.as_ref()?;
    if matches!(failure.phase, Phase::Network | Phase::Interrupted) {
        return None;
    }
    let words = failure_words(failure);
    let seen = format!("{}: {words}, phase {}", plan.target.origin(), failure.phase.word());
    let finding = if failure.kind == "temporary" {
        let unless = "this machine's own name server may be what fails";
        Finding::strong(Cause::Unreachable, seen, unless)
    } else {
        Finding::proof(Cause::Unreachable, seen)
    };
    Some(finding.by(&["ok"]).hides(Hides::Later))
}

fn www_apex(facts: &Facts, _: &Plan) -> Option<Finding> {
    let redirect = facts.reach.redirect.as_ref()?;
    let (from, to) = (redirect.from.host.as_str(), redirect.to.host.as_str());
    let differs_by_www =
        from.strip_prefix("www.") == Some(to) || to.strip_prefix("www.") == Some(from);
    if !differs_by_www {
        return None;
    }
    let seen = format!("{from} redirects the auth service's paths to {to} ({})", redirect.status);
    Some(
        Finding::strong(Cause::WwwApex, seen, "nobody may use the name that redirects")
            .by(&["ok"])
            .fix(format!(
                "Use {} everywhere: as the base URL of the auth service, in the gate's `url` and \
                 in the application.",
                redirect.to.origin()
            ))
            .hides(Hides::Later),
    )
}

fn base_url_redirects(facts: &Facts, _: &Plan) -> Option<Finding> {
    let redirect = facts.reach.redirect.as_ref()?;
    let seen = format!("{} redirects to {} ({})", redirect.from, redirect.to, redirect.status);
    Some(
        Finding::proof(Cause::BaseUrlRedirects, seen)
            .by(&["ok", "get-session"])
            .hides(Hides::Later),
    )
}

fn html_instead_of_auth(facts: &Facts, plan: &Plan) -> Option<Finding> {
    if !facts.reach.is_html {
        return pages_in_between(facts);
    }
    let base = &plan.base.value;
    let seen = format!("{base}/ok is answered with a page (200, HTML): no auth service is there");
    Some(
        Finding::proof(Cause::HtmlInsteadOfAuth, seen)
            .by(&["ok", "get-session"])
            .hides(Hides::Later),
    )
}

/// The service answers, and to some of its requests a page comes.
fn pages_in_between(facts: &Facts) -> Option<Finding> {
    let pages = &facts.reach.pages;
    let is_plain = |id: &&&str| matches!(**id, "get-session" | "sign-out");
    // What the service itself refuses is what a proxy's page may stand in place of.
    let is_other = |id: &&&str| !matches!(**id, "jwks" | "jwks.python" | "token");
    pages.iter().find(is_other)?;
    let hides = Hides::These(&[Cause::JwksNotJson]);
    if let Some(plain) = pages.iter().find(is_plain) {
        let seen = format!("/ok is answered by the auth service, and /{plain} with a page (200)");
        let finding = Finding::proof(Cause::HtmlInsteadOfAuth, seen);
        return Some(finding.by(&["ok", "get-session", "sign-out"]).hides(hides));
    }
    let seen = "what the service refuses is answered with a page and 200: a proxy puts it in place \
                of errors";
    let unless = "the application may answer these paths itself";
    let finding = Finding::strong(Cause::HtmlInsteadOfAuth, seen, unless);
    Some(finding.by(&["ok", "sign-out.no-origin", "oracle.token"]).hides(hides).fix(
        "Let the proxy pass the auth service's own statuses and bodies on (nginx: no \
         `proxy_intercept_errors` there).",
    ))
}

fn base_path_differs(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let absent = facts.reach.absent_at.as_ref()?;
    let expected = &plan.base.source;
    let Some(base) = &facts.reach.base else {
        if facts.reach.is_html {
            return None;
        }
        let seen =
            format!("no auth service answers below {absent} ({expected}) or another usual path");
        let unless = "there may be no auth service at this host";
        return Some(
            Finding::strong(Cause::BasePathDiffers, seen, unless)
                .by(&["ok", "get-session", "base"])
                .hides(Hides::Later),
        );
    };
    let shown = if base.is_empty() { "/" } else { base };
    let seen =
        format!("the auth service answers below {shown}, and not below {absent} ({expected})");
    Some(Finding::proof(Cause::BasePathDiffers, seen).by(&["ok", "base"]).fix(format!(
        "Set `base_path` to {shown} in the gate's configuration and the same in the client, or \
         mount the handler below {absent}."
    )))
}

fn get_session_cached(facts: &Facts, _: &Plan) -> Option<Finding> {
    let cache = &facts.cache;
    let proof = |seen: String| {
        Finding::proof(Cause::GetSessionCached, seen).by(&[
            "get-session",
            "oracle.plain",
            "oracle.usual-address",
            "oracle.list-sessions",
        ])
    };
    if facts.reach.session == Some(SessionAnswer::Session) {
        return Some(proof(
            "/get-session answers a request without any cookie with somebody's session".to_owned(),
        ));
    }
    if let Some((name, value)) = &cache.hit {
        return Some(proof(format!("/get-session comes from a cache ({name}: {value})")));
    }
    if cache.differs_from_fresh {
        return Some(proof(
            "a cookie that the service recognises at an address that nobody asked for before is \
             not recognised at /get-session: a cache answers there"
                .to_owned(),
        ));
    }
    if cache.stands_still {
        return Some(proof(
            "two answers of /get-session have the same date, and more than a second is between \
             them: a cache answers there"
                .to_owned(),
        ));
    }
    if cache.answers_head {
        let seen = "the secret is the service's, /get-session does not recognise a cookie that is \
                    signed with it, and answers HEAD, which the service does not: a cache may answer there";
        let unless = "the framework may answer HEAD as GET, and `customSession` of Better Auth \
                      before 1.6 may hide that the cookie was recognised";
        return Some(Finding::strong(Cause::GetSessionCached, seen, unless).by(&[
            "oracle.plain",
            "oracle.token",
            "get-session.head",
        ]));
    }
    let value = cache.is_storable.as_ref()?;
    let seen = format!("/get-session says `{value}`: any cache on the way may keep it");
    let unless = "there may be no cache on the way";
    Some(Finding::strong(Cause::GetSessionCached, seen, unless).by(&["get-session"]))
}

/// A cookie-free request to a path that needs no session fails, or the lookup of a session does.
fn database_unreachable(facts: &Facts, _: &Plan) -> Option<Finding> {
    let unless = "another error of the service looks the same from outside; its log says which";
    let lookup = facts.oracle.lookup_error.as_ref();
    let session = facts.reach.service_error.as_ref().filter(|error| error.path != "/ok");
    let sign_in = facts.sign_in.error.as_ref();
    if let Some(error) = lookup.or(session).or(sign_in) {
        let code = error.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        let seen = format!(
            "/ok answers, and {} fails as it looks a session up ({}{code})",
            error.path, error.status
        );
        return Some(
            Finding::strong(Cause::DatabaseUnreachable, seen, unless)
                .by(&["ok", "get-session", "oracle.plain"])
                .hides(Hides::These(&[Cause::SchemaNotMigrated, Cause::SecondaryStorageBroken])),
        );
    }
    let keys_fail = facts.keys.status.is_some_and(|status| status >= 500);
    let lookups_hold = facts.oracle.knows == Some(true);
    if !keys_fail || lookups_hold || facts.reach.base.is_none() {
        return None;
    }
    let seen = "/ok answers, and /jwks, which reads the store, fails".to_owned();
    let unless = "the table of keys may be missing (schema-not-migrated)";
    Some(Finding::strong(Cause::DatabaseUnreachable, seen, unless).by(&["ok", "jwks"]))
}
