//! Does the auth service have the same secret?
//!
//! `GET /get-session` with a made-up session token that is signed with the secret at hand: a service
//! with the same secret looks the token up, finds no session and deletes the cookies; one with
//! another ignores it. The token exists nowhere, so it opens nothing.
//!
//! No statement rests on an answer that could be an earlier one: each question has a query of its
//! own, and where the service has another endpoint that answers alike, that one has to agree.

use crate::facts::Hit;
use crate::plan::Stated;
use crate::probes::{Run, Stop};
use crate::secret::{self, Difference, Secret};
use crate::wall::Wall;

/// At most so many near misses are tried live.
const MAX_VARIANTS: usize = 8;
/// Requests that are left for the probes behind this one.
const RESERVE: usize = 1;

/// What the service made of a made-up token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It deleted the cookies: the signature holds there.
    Known,
    /// It ignored them.
    Unknown,
    /// It failed, or something else answered.
    Unclear,
}

/// Puts the question.
pub(crate) async fn run(run: &mut Run<'_>) {
    describe(run);
    let secret = run.plan.expected.secret.clone();
    if let Some(why) = must_skip(run) {
        run.facts.oracle.skipped = Some(why);
        return;
    }
    let Some(secret) = secret else { return try_default(run).await };
    match ask(run, "oracle.plain", &secret.value).await {
        Verdict::Known => {
            run.facts.oracle.knows = Some(true);
            run.facts.arrival.cookie = Some(true);
            without_query(run, &secret.value).await;
        }
        Verdict::Unclear => {}
        Verdict::Unknown => {
            run.facts.oracle.knows = Some(false);
            if confirm(run, &secret.value).await {
                try_variants(run, &secret).await;
            }
        }
    }
}

/// What the secret at hand looks like. Nothing is sent.
pub(crate) fn describe(run: &mut Run<'_>) {
    let plan = run.plan;
    let secret = plan.expected.secret.as_ref();
    let facts = &mut run.facts.oracle;
    facts.is_missing = secret.is_none();
    if let Some(stated) = secret {
        facts.source = Some(stated.source.clone());
        facts.shown = Some(stated.value.shown());
        facts.fingerprint = stated.value.fingerprint();
        facts.length_class = Some(stated.value.length_class());
        facts.is_short = stated.value.is_short();
        facts.is_monotonous = stated.value.probe().is_monotonous();
        facts.is_default = stated.value.is_default();
    }
}

fn must_skip(run: &Run<'_>) -> Option<&'static str> {
    let facts = &run.facts;
    if facts.names.session_token.is_none() {
        return Some("the name of the session cookie is not known");
    }
    if facts.oracle.wall.is_some() || facts.reach.wall.is_some() {
        return Some("something in front of the service answers in its place");
    }
    if facts.arrival.cookie == Some(false) {
        return Some("cookies do not arrive at the service");
    }
    if facts.reach.service_error.is_some() {
        return Some("the service fails");
    }
    if facts.oracle.is_short {
        return Some(
            "the secret has fewer than 32 bytes, and message and MAC would allow to guess it",
        );
    }
    if !facts.oracle.is_missing {
        return run.plan.secret_must_stay();
    }
    None
}

/// Without a secret at hand there is one that everybody knows.
async fn try_default(run: &mut Run<'_>) {
    let default = Secret::new(secret::DEFAULT);
    if ask(run, "oracle.default", &default).await == Verdict::Known {
        run.facts.oracle.hit = Some(Hit {
            difference: Difference::Default,
            words: "the published default".to_owned(),
            shown: default.shown(),
        });
    }
    run.facts.oracle.tried = 1;
}

/// One made-up token, at an address that nobody has asked for.
async fn ask(run: &mut Run<'_>, id: &'static str, secret: &Secret) -> Verdict {
    let query = run.fresh_query().await;
    let ask = run.get(id, "/get-session").query(query);
    send(run, ask, secret).await
}

async fn send(run: &mut Run<'_>, ask: crate::probes::Ask, secret: &Secret) -> Verdict {
    let Some(name) = run.facts.names.session_token.clone() else { return Verdict::Unclear };
    let token = run.random_text(32).await;
    let cookie = format!("{name}={}", secret.probe().signed_cookie(&token));
    match run.send_past_walls(ask.header("cookie", cookie)).await {
        Ok(answer) => {
            if let Some(error) = answer.service_error("/get-session") {
                run.facts.oracle.lookup_error = Some(error);
                return Verdict::Unclear;
            }
            crate::probes::session::look_at_cache(run, &answer);
            if answer.deletes(&name) {
                Verdict::Known
            } else if matches!(answer.status(), 200 | 401) {
                Verdict::Unknown
            } else {
                Verdict::Unclear
            }
        }
        Err(Stop::Wall(wall)) => {
            run.facts.oracle.wall = Some(wall);
            Verdict::Unclear
        }
        Err(Stop::Failure(_)) => Verdict::Unclear,
    }
}

/// The same at the usual address: a cache before it would give an answer that somebody else got.
async fn without_query(run: &mut Run<'_>, secret: &Secret) {
    let ask = run.get("oracle.usual-address", "/get-session");
    if send(run, ask, secret).await == Verdict::Unknown {
        run.facts.cache.differs_from_fresh = true;
    }
}

/// A negative answer of `/get-session` has more than one explanation: a cache that ignores the
/// query, or `customSession` of older versions, which drops the deletions. `/list-sessions` looks
/// the session up as well; since 1.6 its refusal carries the deletions. Whether the variants are
/// worth trying.
async fn confirm(run: &mut Run<'_>, secret: &Secret) -> bool {
    let query = run.fresh_query().await;
    let ask = run.get("oracle.list-sessions", "/list-sessions").query(query);
    match send(run, ask, secret).await {
        Verdict::Known => {
            // The secret is right: what `/get-session` said was no answer to this cookie.
            run.facts.oracle.knows = Some(true);
            run.facts.oracle.is_confirmed = true;
            run.facts.cache.differs_from_fresh = true;
            run.facts.arrival.cookie = Some(true);
            false
        }
        verdict => {
            let is_modern = run.facts.requests.last().is_some_and(|exchange| {
                exchange.status == Some(401) && exchange.summary.contains("UNAUTHORIZED")
            });
            run.facts.oracle.is_confirmed = verdict == Verdict::Unknown && is_modern;
            true
        }
    }
}

async fn try_variants(run: &mut Run<'_>, secret: &Stated<Secret>) {
    let others = run.plan.expected.other_secrets.clone();
    let other = |stated: Stated<Secret>| (stated.value, Difference::Other, stated.source);
    let misses = secret::near_misses(&secret.value);
    let miss = |miss: secret::NearMiss| (miss.secret, miss.difference, miss.words.to_owned());
    let mut candidates: Vec<_> = others.into_iter().take(3).map(other).collect();
    candidates.extend(misses.into_iter().map(miss));
    for (candidate, difference, words) in candidates.into_iter().take(MAX_VARIANTS) {
        if run.left() <= RESERVE || matches!(run.facts.oracle.wall, Some(Wall::RateLimit { .. })) {
            return;
        }
        if candidate.is_short() {
            continue;
        }
        run.facts.oracle.tried = run.facts.oracle.tried.saturating_add(1);
        let id = match difference {
            Difference::Whitespace => "oracle.whitespace",
            Difference::Quotes => "oracle.quotes",
            Difference::Encoding => "oracle.encoding",
            Difference::Other => "oracle.other",
            Difference::Default => "oracle.default",
        };
        if ask(run, id, &candidate).await == Verdict::Known {
            let shown = candidate.shown();
            run.facts.oracle.hit = Some(Hit { difference, words, shown });
            return;
        }
    }
}
