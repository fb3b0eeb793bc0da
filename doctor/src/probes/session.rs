//! `GET /get-session` with nothing: does the service answer `null`, and is it the service's own
//! answer of this moment?

use crate::answer::Answer;
use crate::probes::{Run, Stop};

/// Headers by which caches say that they answered, and what they say then.
const HITS: [(&str, &[&str]); 7] = [
    ("cf-cache-status", &["hit", "stale", "updating", "revalidated"]),
    ("x-vercel-cache", &["hit", "stale", "prerender"]),
    ("x-nextjs-cache", &["hit", "stale"]),
    ("x-cache", &["hit"]),
    ("x-cache-status", &["hit", "stale", "updating"]),
    ("x-proxy-cache", &["hit"]),
    ("cache-status", &["; hit"]),
];

/// Asks for a session without a cookie.
pub(crate) async fn run(run: &mut Run<'_>) {
    if run.facts.reach.session.is_some() {
        return;
    }
    match run.send_past_walls(run.get("get-session", "/get-session")).await {
        Ok(answer) => {
            look_at_cache(run, &answer);
            run.facts.reach.session = answer.session();
            run.facts.reach.service_error = answer.service_error("/get-session");
        }
        Err(Stop::Wall(wall)) => run.facts.reach.wall = Some(wall),
        Err(Stop::Failure(failure)) => run.facts.reach.failure = Some(failure),
    }
}

/// Looks for signs of a cache at an answer of `/get-session`.
pub(crate) fn look_at_cache(run: &mut Run<'_>, answer: &Answer) {
    run.facts.reach.forbids_storing |= answer.header_has("cache-control", "no-store");
    if let Some(hit) = cache_hit(answer) {
        run.facts.cache.hit = Some(hit);
    }
    if let Some(value) = storable(answer) {
        run.facts.cache.is_storable = Some(value);
    }
}

/// The header by which a cache says that it answered.
pub(crate) fn cache_hit(answer: &Answer) -> Option<(String, String)> {
    for (name, values) in HITS {
        let Some(value) = answer.header(name) else { continue };
        let lower = value.to_ascii_lowercase();
        if let Some(word) = values.iter().find(|word| lower.contains(*word)) {
            return Some((name.to_owned(), word.trim_start_matches("; ").to_ascii_uppercase()));
        }
    }
    let age = answer.header("age").and_then(|age| age.trim().parse::<u64>().ok())?;
    (age > 0).then(|| ("age".to_owned(), age.to_string()))
}

/// What allows shared caches to store it (RFC 9111 section 3).
pub(crate) fn storable(answer: &Answer) -> Option<String> {
    let names = ["cdn-cache-control", "surrogate-control", "cache-control"];
    let (_, value) =
        names.iter().find_map(|name| answer.header(name).map(|value| (*name, value)))?;
    let lower = value.to_ascii_lowercase();
    if ["no-store", "private", "no-cache"].iter().any(|word| lower.contains(word)) {
        return None;
    }
    let lives = lower.split(',').map(str::trim).find(|directive| {
        let age =
            directive.strip_prefix("s-maxage=").or_else(|| directive.strip_prefix("max-age="));
        age.is_some_and(|age| age.parse::<u64>().is_ok_and(|age| age > 0))
    })?;
    Some(lives.to_owned())
}
