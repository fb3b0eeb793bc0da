//! What are cookies worth, and is the session in the store?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Hides, Rule};
use crate::facts::{Facts, PastedData, SessionAnswer, SignIn, TokenForm};
use crate::plan::Plan;

pub(super) const RULES: &[Rule] = &[
    (Cause::TwoFactorPending, two_factor_pending),
    (Cause::EmailNotVerified, email_not_verified),
    (Cause::NoSessionCookie, no_session_cookie),
    (Cause::DuplicateCookies, duplicate_cookies),
    (Cause::CookieDoubleEncoded, cookie_double_encoded),
    (Cause::CookieCut, cookie_cut),
    (Cause::StrategyChanged, strategy_changed),
    (Cause::SecondaryStorageBroken, secondary_storage_broken),
    (Cause::StoreHiddenByCache, store_hidden_by_cache),
    (Cause::KvEventual, kv_eventual),
    (Cause::TimezoneColumns, timezone_columns),
    (Cause::SessionNotInStore, session_not_in_store),
    (Cause::ChunkMissing, chunk_missing),
    (Cause::StrategyDiffers, strategy_differs),
    (Cause::CacheVersion, cache_version),
    (Cause::RememberMeFalse, remember_me_false),
    (Cause::CookieCacheNotRenewed, cookie_cache_not_renewed),
    (Cause::SessionShort, session_short),
    (Cause::CookieCacheOff, cookie_cache_off),
    (Cause::BearerPluginMissing, bearer_plugin_missing),
];

const PASTED: &[&str] = &["pasted", "pasted.store"];
const SIGNED_IN: &[&str] = &["sign-in", "sign-in.session"];

fn two_factor_pending(facts: &Facts, _: &Plan) -> Option<Finding> {
    if facts.sign_in.needs_second_factor {
        let seen =
            "the sign-in was answered with twoFactorRedirect: the second factor is outstanding";
        return Some(Finding::proof(Cause::TwoFactorPending, seen).by(SIGNED_IN));
    }
    let pasted = &facts.pasted;
    if !pasted.has_two_factor || pasted.token.is_some() {
        return None;
    }
    let seen = "the pasted header has a two_factor cookie and no session cookie";
    Some(
        Finding::proof(Cause::TwoFactorPending, seen)
            .hides(Hides::These(&[Cause::NoSessionCookie])),
    )
}

fn email_not_verified(facts: &Facts, _: &Plan) -> Option<Finding> {
    let sign_in = &facts.sign_in;
    if sign_in.code.as_deref() == Some("EMAIL_NOT_VERIFIED") {
        let seen = "the sign-in was refused with EMAIL_NOT_VERIFIED";
        return Some(Finding::proof(Cause::EmailNotVerified, seen).by(SIGNED_IN));
    }
    let no_session = sign_in.status == Some(200) && !sign_in.has_cookie && !sign_in.has_body_token;
    if !no_session || sign_in.needs_second_factor {
        return None;
    }
    let seen = "the sign-up was answered with 200 and neither token nor cookie";
    Some(Finding::proof(Cause::EmailNotVerified, seen).by(SIGNED_IN))
}

fn no_session_cookie(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let pasted = &facts.pasted;
    if !pasted.is_given || pasted.token.is_some() {
        return None;
    }
    let count = pasted.cookie_count;
    let wanted = facts.names.session_token.clone().unwrap_or_else(|| plan.expected_token_name());
    let seen = match &pasted.other_name {
        Some(other) => format!("the pasted header has {other}, and no {wanted}"),
        None => format!("the pasted header has {count} cookie(s), and no {wanted}"),
    };
    Some(Finding::proof(Cause::NoSessionCookie, seen))
}

fn duplicate_cookies(facts: &Facts, _: &Plan) -> Option<Finding> {
    let (count, differ) = facts.pasted.duplicates?;
    if !differ {
        return None;
    }
    let name = &facts.pasted.token.as_ref()?.name;
    let seen = format!("the pasted header has {count} cookies {name} with different values");
    Some(
        Finding::proof(Cause::DuplicateCookies, seen)
            .by(PASTED)
            .hides(Hides::These(&[Cause::SessionNotInStore, Cause::StoreHiddenByCache])),
    )
}

fn of_form(facts: &Facts, form: TokenForm) -> Option<&str> {
    let token = facts.pasted.token.as_ref()?;
    (token.form == form).then_some(token.name.as_str())
}

fn cookie_double_encoded(facts: &Facts, _: &Plan) -> Option<Finding> {
    let name = of_form(facts, TokenForm::DoubleEncoded)?;
    let seen = format!("the value of {name} is percent-encoded twice (`%25`)");
    Some(Finding::proof(Cause::CookieDoubleEncoded, seen).by(PASTED))
}

fn cookie_cut(facts: &Facts, _: &Plan) -> Option<Finding> {
    let name = of_form(facts, TokenForm::Cut)?;
    let seen = format!("the value of {name} has no whole signature: 44 characters behind a dot");
    Some(Finding::proof(Cause::CookieCut, seen).by(PASTED))
}

fn data(facts: &Facts) -> Option<&PastedData> {
    facts.pasted.data.as_ref()
}

/// Only a service that reads the compact strategy fails over another's dots.
fn strategy_changed(facts: &Facts, _: &Plan) -> Option<Finding> {
    let pasted = facts
        .pasted
        .error
        .as_ref()
        .is_some_and(|error| error.code.as_deref() == Some("FAILED_TO_GET_SESSION"));
    let is_dotted =
        data(facts).and_then(|data| data.format).is_some_and(|format| format != "compact");
    let holds_without = facts.pasted.session_in_store == Some(SessionAnswer::Session);
    if pasted && is_dotted {
        let format = data(facts)?.format?;
        let seen = format!(
            "the service fails (FAILED_TO_GET_SESSION) over a session_data cookie in the strategy \
             {format}{}",
            if holds_without { ", and answers well without it" } else { "" }
        );
        let unless = "the store may fail at the same time";
        return Some(
            Finding::strong(Cause::StrategyChanged, seen, unless)
                .by(PASTED)
                .hides(Hides::These(&[Cause::SecondaryStorageBroken])),
        );
    }
    None
}

fn secondary_storage_broken(facts: &Facts, _: &Plan) -> Option<Finding> {
    let pasted = facts.pasted.error.as_ref();
    let error = pasted.or(facts.sign_in.error.as_ref())?;
    let lookups_hold = facts.oracle.knows == Some(true) || facts.reach.session.is_some();
    if error.code.as_deref() != Some("FAILED_TO_GET_SESSION") || !lookups_hold {
        return None;
    }
    let seen = "a session that is not there is looked up well, and one that is makes the service \
                fail (FAILED_TO_GET_SESSION)";
    let unless = "another error of the store looks the same; the service's log says which";
    Some(Finding::strong(Cause::SecondaryStorageBroken, seen, unless).by(PASTED).by(SIGNED_IN))
}

fn store_hidden_by_cache(facts: &Facts, _: &Plan) -> Option<Finding> {
    let sign_in = &facts.sign_in;
    let course = Course::of(sign_in);
    if facts.pasted.varies || course.rises > 0 {
        return None;
    }
    let pasted = facts.pasted.session == Some(SessionAnswer::Session)
        && is_null(facts.pasted.session_in_store);
    // A session of seconds may have ended between the two.
    let may_have_ended = sign_in.max_age.is_some_and(|age| age < 60);
    let by_cache = sign_in.tries.last().copied().flatten() == Some(SessionAnswer::Session);
    let signed_in =
        !may_have_ended && by_cache && sign_in.stored.first().copied().is_some_and(is_null);
    if !pasted && !signed_in {
        return None;
    }
    let seen = "/get-session knows the session by the cookie cache, and past it \
                (disableCookieCache) there is none";
    // A store may show late what was written, or be one of several: one answer does not tell.
    let finding = if pasted || sign_in.stored.len() > CONFIRMED {
        Finding::proof(Cause::StoreHiddenByCache, seen)
    } else {
        let unless = "the store may show late what was written (kv-eventual)";
        Finding::strong(Cause::StoreHiddenByCache, seen, unless)
    };
    Some(
        finding
            .by(PASTED)
            .by(&["sign-in.session", "sign-in.store", "sign-in.later"])
            .hides(Hides::These(&[Cause::SessionNotInStore])),
    )
}

/// So many answers alike, one after the other, are not those of stores that are asked at random.
const CONFIRMED: usize = 4;

/// How the answers about a new session change.
#[derive(Debug, Default, PartialEq, Eq)]
struct Course {
    /// It was not found, and then it was.
    rises: usize,
    /// It was found, and then it was not.
    falls: usize,
    /// Answers since the last change.
    since: usize,
}

impl Course {
    fn of(sign_in: &SignIn) -> Self {
        let mut course = Self::default();
        let mut last = None;
        let tries = sign_in.tries.iter().flatten().map(|own| (own, sign_in.has_cache));
        let stored = sign_in.stored.iter().flatten().map(|own| (own, false));
        for (answer, is_of_cache) in tries.chain(stored) {
            let change = match (last, answer) {
                (Some((SessionAnswer::Null, _)), SessionAnswer::Session) => &mut course.rises,
                // What the cookie cache knows may never have been in the store.
                (Some((SessionAnswer::Session, was_of_cache)), SessionAnswer::Null)
                    if was_of_cache == is_of_cache =>
                {
                    &mut course.falls
                }
                _ => {
                    course.since = course.since.saturating_add(1);
                    last = Some((*answer, is_of_cache));
                    continue;
                }
            };
            *change = change.saturating_add(1);
            course.since = 1;
            last = Some((*answer, is_of_cache));
        }
        course
    }

    /// It comes and goes: a store that is late does not lose, and a session that has ended does not
    /// come back.
    const fn is_by_turns(&self) -> bool {
        self.rises.saturating_add(self.falls) > 1
    }
}

fn is_null(answer: Option<SessionAnswer>) -> bool {
    answer == Some(SessionAnswer::Null)
}

fn was_signed_in(sign_in: &SignIn) -> bool {
    sign_in.status == Some(200) && sign_in.has_cookie
}

fn all_null(sign_in: &SignIn) -> bool {
    let mut all = sign_in.tries.iter().chain(&sign_in.stored);
    !sign_in.tries.is_empty() && all.all(|answer| is_null(*answer))
}

fn kv_eventual(facts: &Facts, _: &Plan) -> Option<Finding> {
    let sign_in = &facts.sign_in;
    let course = Course::of(sign_in);
    if !was_signed_in(sign_in) || course.rises != 1 || course.is_by_turns() {
        return None;
    }
    let seen = "the session was not found right after the sign-in, and was some time later";
    let finding = if course.since >= CONFIRMED {
        let seen = format!("{seen}, {} times in a row", course.since);
        Finding::strong(Cause::KvEventual, seen, "a replica of the database may be behind")
    } else {
        Finding::hint(Cause::KvEventual, seen)
    };
    let hidden = &[Cause::TimezoneColumns, Cause::SessionNotInStore];
    Some(finding.by(SIGNED_IN).by(&["sign-in.store", "sign-in.later"]).hides(Hides::These(hidden)))
}

fn timezone_columns(facts: &Facts, _: &Plan) -> Option<Finding> {
    let sign_in = &facts.sign_in;
    if !was_signed_in(sign_in) || !all_null(sign_in) || sign_in.max_age.unwrap_or(0) < 3600 {
        return None;
    }
    let days = sign_in.max_age.unwrap_or(0).checked_div(86_400).unwrap_or(0);
    let seen = format!(
        "a session that should live for {days} day(s) is answered with null in every try right \
         after the sign-in"
    );
    let unless = "the store may lose what is written (session-not-in-store)";
    Some(
        Finding::strong(Cause::TimezoneColumns, seen, unless)
            .by(SIGNED_IN)
            .hides(Hides::These(&[Cause::SessionNotInStore])),
    )
}

fn session_not_in_store(facts: &Facts, _: &Plan) -> Option<Finding> {
    if facts.keys.other_kids.is_some() {
        let seen = "two requests for the key set give different keys: two instances with stores of \
                    their own answer";
        return Some(
            Finding::proof(Cause::SessionNotInStore, seen)
                .by(&["jwks", "jwks.python"])
                .hides(Hides::These(&[Cause::KidNotInJwks])),
        );
    }
    // One change alone may be the end of a session.
    let course = Course::of(&facts.sign_in);
    if facts.pasted.varies || course.is_by_turns() {
        let seen = "the same session is known in some tries and not in others: instances have \
                    stores of their own";
        return Some(
            Finding::proof(Cause::SessionNotInStore, seen)
                .by(PASTED)
                .by(SIGNED_IN)
                .by(&["sign-in.store", "sign-in.later"])
                .hides(Hides::These(&[Cause::KidNotInJwks])),
        );
    }
    let lives_long = facts.sign_in.max_age.is_some_and(|age| age >= 3_600);
    if course.falls == 1 && lives_long {
        let seen = "the session that was just made is known in some tries and not in others";
        let unless = "something may have ended the session in between";
        return Some(Finding::strong(Cause::SessionNotInStore, seen, unless).by(SIGNED_IN));
    }
    let pasted = &facts.pasted;
    let is_signed = pasted
        .token
        .as_ref()
        .is_some_and(|token| token.form == TokenForm::Whole && token.is_signed != Some(false));
    if !is_signed || !is_null(pasted.session) || !pasted.is_deleted {
        return None;
    }
    let seen = "the service recognises the signature of the pasted cookie, finds no session and \
                deletes the cookies";
    let unless = "the user may have signed out, or the session has expired";
    Some(Finding::strong(Cause::SessionNotInStore, seen, unless).by(PASTED))
}

fn chunk_missing(facts: &Facts, _: &Plan) -> Option<Finding> {
    let data = data(facts)?;
    if data.has_gap {
        let seen = format!("session_data has {} chunks, and not one for each number", data.chunks);
        return Some(Finding::proof(Cause::ChunkMissing, seen));
    }
    if !data.is_cut {
        return None;
    }
    let seen = format!("the {} chunk(s) of session_data make no whole value", data.chunks);
    let unless = "the value may have been written in a form that nobody knows here";
    Some(Finding::strong(Cause::ChunkMissing, seen, unless))
}

/// What the service writes, by a self-made cache or a pasted one, against what is expected.
fn strategy_differs(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let expected = plan.expected.strategy.as_ref()?;
    let known = ["compact", "jwt", "jwe"];
    if !known.contains(&expected.value.as_str()) {
        return None;
    }
    let answered = facts.deep.answered.first().copied();
    let real = answered.or_else(|| data(facts).and_then(|data| data.format))?;
    if real == expected.value {
        return None;
    }
    let seen = format!(
        "the service uses the strategy {real}, and {} is {}",
        expected.source, expected.value
    );
    Some(Finding::proof(Cause::StrategyDiffers, seen).by(&["deep"]))
}

/// Every strategy was tried.
fn all_tried(facts: &Facts) -> bool {
    ["compact", "jwt", "jwe"].iter().all(|strategy| facts.deep.tried.contains(strategy))
}

/// A service that reads the compact strategy fails over the dots of another. Where it does, and has
/// not answered a compact cache that is signed with its own secret, that had another version.
fn cache_version(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let reads_compact = facts.deep.failed.iter().any(|(strategy, _, code)| {
        *strategy != "compact" && code.as_deref() == Some("FAILED_TO_GET_SESSION")
    });
    if all_tried(facts) && facts.deep.answered.is_empty() && reads_compact {
        let seen = "the service reads session_data in the strategy compact, and ignores one of \
                    version 1 that is signed with its own secret";
        let is_expected = plan.expected.strategy.is_some() || plan.expected.cache_version.is_some();
        return Some(if is_expected {
            let unless = "the cache may be refused for another of its members";
            Finding::strong(Cause::CacheVersion, seen, unless).by(&["deep"])
        } else {
            Finding::hint(Cause::CacheVersion, seen).by(&["deep"])
        });
    }
    let expected = plan.expected.cache_version.as_ref();
    let pasted = data(facts).and_then(|data| data.version.as_ref());
    if let (Some(expected), Some(version)) = (expected, pasted)
        && expected.value != *version
    {
        let seen = format!("session_data has another version than {}", expected.source);
        let unless = "the version may be a function of the session";
        return Some(Finding::strong(Cause::CacheVersion, seen, unless));
    }
    None
}

fn remember_me_false(facts: &Facts, _: &Plan) -> Option<Finding> {
    let pasted = &facts.pasted;
    if !pasted.has_dont_remember || pasted.token.is_none() {
        return None;
    }
    let seen =
        "the pasted header has a dont_remember cookie: session_data is written once, for a minute";
    Some(Finding::hint(Cause::RememberMeFalse, seen))
}

fn cookie_cache_not_renewed(facts: &Facts, _: &Plan) -> Option<Finding> {
    let pasted = &facts.pasted;
    let is_gone = match &pasted.data {
        None => true,
        Some(data) => data.is_expired == Some(true),
    };
    if !pasted.is_given || !is_gone || !pasted.is_renewed || pasted.has_dont_remember {
        return None;
    }
    let seen = "the service writes a new session_data for the pasted session, and the browser has \
                none that is still good: nobody renews it";
    let unless = "the header may be from just before a renewal";
    Some(Finding::strong(Cause::CookieCacheNotRenewed, seen, unless).by(PASTED))
}

fn session_short(facts: &Facts, _: &Plan) -> Option<Finding> {
    const LEAST_SECONDS: i64 = 900;
    let life = facts.sign_in.max_age.or(facts.pasted.life_seconds)?;
    if facts.sign_in.is_asked && !facts.sign_in.has_cookie {
        return None;
    }
    // Years come of milliseconds that were taken for seconds, minutes of seconds for milliseconds.
    let is_long = life > 86_400 * 400;
    if (LEAST_SECONDS..=86_400 * 400).contains(&life) || life <= 0 {
        return None;
    }
    let seen =
        format!("a session lives for {life} s: {}", if is_long { "years" } else { "minutes" });
    let unless = "short sessions may be what is wanted";
    Some(Finding::strong(Cause::SessionShort, seen, unless).by(SIGNED_IN))
}

fn cookie_cache_off(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let deep = &facts.deep;
    if !all_tried(facts) || !deep.answered.is_empty() || !deep.failed.is_empty() {
        return None;
    }
    let seen = "no self-made session_data was answered, in any strategy";
    let counts_on_it = plan
        .expected
        .strategy
        .as_ref()
        .filter(|stated| !matches!(stated.value.as_str(), "auto" | "off"));
    Some(match counts_on_it {
        Some(stated) => {
            let seen = format!("{seen}, and {} is {}", stated.source, stated.value);
            let unless = "the cookie cache may have a version that nobody here knows";
            Finding::strong(Cause::CookieCacheOff, seen, unless).by(&["deep"])
        }
        None => Finding::hint(Cause::CookieCacheOff, seen).by(&["deep"]),
    })
}

/// The service's own bearer plugin, where the configuration counts on it.
fn bearer_plugin_missing(facts: &Facts, _: &Plan) -> Option<Finding> {
    let is_session_token =
        facts.token.as_ref().and_then(|token| token.not_a_jwt) == Some("session-token");
    if facts.arrival.bearer != Some(false) || !is_session_token {
        return None;
    }
    let seen = "a made-up token that is signed with the service's secret is ignored as \
                `Authorization: Bearer`, and recognised as a cookie";
    let unless = "a proxy may remove Authorization";
    Some(Finding::strong(Cause::BearerPluginMissing, seen, unless).by(&["bearer"]))
}
