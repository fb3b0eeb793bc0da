//! Does the auth service have the same secret?
//!
//! `GET /get-session` with a made-up session token that is signed with the secret at hand: a
//! service with the same secret looks the token up, finds no session and deletes the cookies; one
//! with another ignores it. The token exists nowhere, so it opens nothing.
//!
//! A negative answer has more than one explanation: a cookie that does not arrive, a cache, or a
//! `customSession` of older versions, which drops the deletions. So it is asked again without a
//! cookie: `GET /verify-email` with a JWT that ended in 2001. A service with the same secret says
//! TOKEN_EXPIRED, one with another INVALID_TOKEN. Near misses are tried by that question, too.
//!
//! No statement rests on an answer that could be an earlier one: each question has a query of its
//! own.

use crate::facts::Hit;
use crate::plan::Stated;
use crate::probes::{Run, Stop, names};
use crate::secret::{self, Difference, Secret};

/// At most so many near misses are tried live.
const MAX_VARIANTS: usize = 8;

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
    // A cookie that does not arrive is no question.
    let by_cookie =
        if run.facts.arrival.cookie == Some(false) || run.facts.names.session_token.is_none() {
            Verdict::Unclear
        } else {
            ask_by_cookie(run, "oracle.plain", &secret.value).await
        };
    if by_cookie == Verdict::Known {
        run.facts.oracle.knows = Some(true);
        run.facts.arrival.cookie = Some(true);
        at_usual_address(run, &secret.value).await;
        return;
    }
    if run.facts.oracle.wall.is_some() {
        return;
    }
    match ask_by_token(run, "oracle.token", &secret.value).await {
        Verdict::Known => {
            run.facts.oracle.knows = Some(true);
            if by_cookie == Verdict::Unknown && is_known_everywhere(run, &secret.value).await {
                why_not_by_cookie(run, &secret.value).await;
            }
        }
        Verdict::Unknown => {
            run.facts.oracle.knows = Some(false);
            run.facts.oracle.is_confirmed = true;
            try_variants(run, &secret, Question::Token).await;
        }
        Verdict::Unclear if by_cookie == Verdict::Unknown => {
            run.facts.oracle.knows = Some(false);
            if confirm(run, &secret.value).await {
                try_variants(run, &secret, Question::Cookie).await;
            }
        }
        Verdict::Unclear => {}
    }
}

/// By what a service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Cookie,
    Token,
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
    if facts.oracle.wall.is_some() || facts.reach.wall.is_some() {
        return Some("something in front of the service answers in its place");
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
    if ask_by_token(run, "oracle.default", &default).await == Verdict::Known {
        run.facts.oracle.hit = Some(Hit {
            difference: Difference::Default,
            words: "the published default".to_owned(),
        });
    }
    run.facts.oracle.tried = 1;
}

/// One made-up session token, at an address that nobody has asked for.
async fn ask_by_cookie(run: &mut Run<'_>, id: &'static str, secret: &Secret) -> Verdict {
    let query = run.fresh_query().await;
    let ask = run.get(id, "/get-session").query(query);
    send(run, ask, secret).await
}

/// One JWT that ended in 2001.
async fn ask_by_token(run: &mut Run<'_>, id: &'static str, secret: &Secret) -> Verdict {
    const ENDED: i64 = 1_000_000_000;
    let nobody = run.random_text(12).await.to_ascii_lowercase();
    let claims = format!(
        r#"{{"email":"{nobody}@doorward-probe.invalid","iat":{},"exp":{ENDED}}}"#,
        ENDED.saturating_sub(60)
    );
    let query = format!("token={}", secret.probe().jwt(&claims));
    match run.send_past_walls(run.get(id, "/verify-email").query(query).fresh()).await {
        Ok(answer) => match answer.code() {
            Some("TOKEN_EXPIRED") => Verdict::Known,
            Some("INVALID_TOKEN") => Verdict::Unknown,
            _ => Verdict::Unclear,
        },
        Err(Stop::Wall(wall)) => {
            run.facts.oracle.wall = Some(wall);
            Verdict::Unclear
        }
        Err(Stop::Failure(_)) => Verdict::Unclear,
    }
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
/// It gives the same answer again; another instance does not, or not to tokens either.
async fn at_usual_address(run: &mut Run<'_>, secret: &Secret) {
    let first = run.get("oracle.usual-address", "/get-session");
    let first = send(run, first, secret).await;
    if !is_known_everywhere(run, secret).await || first != Verdict::Unknown {
        return;
    }
    let second = run.get("oracle.usual-address", "/get-session").fresh();
    let second = send(run, second, secret).await;
    for _ in 0..2 {
        names::again(run).await;
    }
    let is_one = run.facts.names.other_session_token.is_none();
    run.facts.cache.differs_from_fresh = second == Verdict::Unknown && is_one;
}

/// Asks twice more, over connections of their own: do all instances know the secret?
async fn is_known_everywhere(run: &mut Run<'_>, secret: &Secret) -> bool {
    for _ in 0..2 {
        if run.left() <= run.reserve {
            return true;
        }
        if ask_by_token(run, "oracle.again", secret).await == Verdict::Unknown {
            run.facts.oracle.varies = true;
            return false;
        }
    }
    true
}

/// The secret is right, and `/get-session` did not recognise the cookie. `/list-sessions` looks the
/// session up as well; since 1.6 its refusal carries the deletions. Where it does not, an answer
/// whose date stands still is an earlier one.
async fn why_not_by_cookie(run: &mut Run<'_>, secret: &Secret) {
    const STEP_MILLIS: u64 = 1_500;
    let query = run.fresh_query().await;
    let ask = run.get("oracle.list-sessions", "/list-sessions").query(query);
    if send(run, ask, secret).await == Verdict::Known {
        run.facts.arrival.cookie = Some(true);
        run.facts.cache.differs_from_fresh = is_never_known(run, secret).await;
        return;
    }
    let first = date(run).await;
    run.io.sleep(STEP_MILLIS).await;
    let second = date(run).await;
    if let (Some(first), Some(second)) = (first, second)
        && first == second
    {
        run.facts.cache.stands_still = true;
        return;
    }
    // Better Auth has no HEAD; caches answer it from what they keep of GET.
    let path = [&run.base, "/get-session"].concat();
    let head = run.ask("get-session.head", "HEAD", &path);
    if let Ok(answer) = run.send_past_walls(head).await {
        run.facts.cache.answers_head = answer.status() == 200;
    }
}

/// `/get-session` does not recognise it twice more either, which one of two instances would.
async fn is_never_known(run: &mut Run<'_>, secret: &Secret) -> bool {
    for _ in 0..2 {
        if ask_by_cookie(run, "oracle.plain", secret).await != Verdict::Unknown {
            return false;
        }
    }
    true
}

async fn date(run: &mut Run<'_>) -> Option<i64> {
    let ask = run.get("get-session.date", "/get-session");
    run.send_past_walls(ask).await.ok()?.date_millis()
}

/// Without a second kind of question: `/list-sessions` looks the session up as well, and since 1.6
/// its refusal carries the deletions. Whether the variants are worth trying.
async fn confirm(run: &mut Run<'_>, secret: &Secret) -> bool {
    let query = run.fresh_query().await;
    let ask = run.get("oracle.list-sessions", "/list-sessions").query(query);
    match send(run, ask, secret).await {
        Verdict::Known => {
            // The secret is right: what `/get-session` said was no answer to this cookie.
            run.facts.oracle.knows = Some(true);
            run.facts.arrival.cookie = Some(true);
            run.facts.cache.differs_from_fresh = is_never_known(run, secret).await;
            false
        }
        verdict => {
            let is_modern = run.facts.requests.last().is_some_and(|exchange| {
                exchange.status == Some(401) && exchange.summary.contains("UNAUTHORIZED")
            });
            run.facts.oracle.is_confirmed =
                verdict == Verdict::Unknown && is_modern && run.facts.arrival.cookie == Some(true);
            true
        }
    }
}

async fn try_variants(run: &mut Run<'_>, secret: &Stated<Secret>, question: Question) {
    let others = run.plan.expected.other_secrets.clone();
    let other = |stated: Stated<Secret>| (stated.value, Difference::Other, stated.source);
    let misses = secret::near_misses(&secret.value);
    let miss = |miss: secret::NearMiss| (miss.secret, miss.difference, miss.words.to_owned());
    let mut candidates: Vec<_> = others.into_iter().take(3).map(other).collect();
    candidates.extend(misses.into_iter().map(miss));
    for (candidate, difference, words) in candidates.into_iter().take(MAX_VARIANTS) {
        if run.left() <= run.reserve || run.facts.limit.is_some() {
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
        let verdict = match question {
            Question::Cookie => ask_by_cookie(run, id, &candidate).await,
            Question::Token => ask_by_token(run, id, &candidate).await,
        };
        if verdict == Verdict::Known {
            run.facts.oracle.hit = Some(Hit { difference, words });
            if question == Question::Token {
                hit_by_cookie(run, &candidate).await;
            }
            return;
        }
    }
}

/// The service's secret is found: a cache before `/get-session` is a second mistake.
async fn hit_by_cookie(run: &mut Run<'_>, secret: &Secret) {
    let can_ask = run.facts.arrival.cookie != Some(false)
        && run.facts.names.session_token.is_some()
        && run.left() > run.reserve.saturating_add(3);
    if can_ask && ask_by_cookie(run, "oracle.plain", secret).await == Verdict::Unknown {
        why_not_by_cookie(run, secret).await;
    }
}
