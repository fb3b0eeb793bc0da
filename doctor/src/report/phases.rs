//! The phases of a run: one line each, green, red or not looked at.

use crate::facts::{Facts, SessionAnswer};
use crate::plan::Plan;

/// A phase of the report.
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) state: State,
    pub(crate) words: String,
}

/// What came of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Good,
    Bad,
    Skipped,
}

impl State {
    /// A mark.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Good => "✔",
            Self::Bad => "✘",
            Self::Skipped => "–",
        }
    }
}

/// Every phase, in the order of a request's way.
pub(crate) fn phases(facts: &Facts, plan: &Plan) -> Vec<Phase> {
    let mut phases = vec![reach(facts, plan), cookies(facts, plan), keys(facts), secret(facts)];
    phases.extend(gate(facts));
    phases.extend(app(facts));
    phases.push(session(facts));
    phases.extend(token(facts));
    phases.extend(api(facts));
    phases
}

fn phase(name: &'static str, state: State, words: impl Into<String>) -> Phase {
    Phase { name, state, words: words.into() }
}

fn reach(facts: &Facts, plan: &Plan) -> Phase {
    let reach = &facts.reach;
    let scheme = plan.target.scheme();
    let is_broken = reach.service_error.is_some() || reach.session == Some(SessionAnswer::Session);
    match &reach.base {
        Some(base) if reach.wall.is_none() && !is_broken => {
            let state = if reach.absent_at.is_some() { State::Bad } else { State::Good };
            phase("reach", state, format!("{scheme}, the auth service answers below {base}"))
        }
        _ => phase("reach", State::Bad, "the auth service does not answer as it should"),
    }
}

fn cookies(facts: &Facts, plan: &Plan) -> Phase {
    let Some(line) = facts.names.token_line() else {
        return match facts.names.is_success {
            true => phase("cookies", State::Bad, "no cookie could be read"),
            false => phase("cookies", State::Skipped, "not looked at: the service does not answer"),
        };
    };
    let secure = if line.is_secure { ", Secure" } else { "" };
    let same_site = line.same_site.as_deref().unwrap_or("not set");
    let domain = line
        .domain
        .as_ref()
        .map_or_else(|| "no Domain".to_owned(), |domain| format!("Domain={domain}"));
    let arrive = match facts.arrival.cookie {
        Some(true) => "; arrive",
        Some(false) => "; do not arrive",
        None => "",
    };
    let own = facts.arrival.origins.get(&plan.app_origin());
    let trusted = match own {
        Some(true) => "; origin trusted",
        Some(false) => "; origin not trusted",
        None => "",
    };
    let is_bad = facts.arrival.cookie == Some(false) || own == Some(&false);
    let words = format!("{}{secure}, SameSite={same_site}, {domain}{arrive}{trusted}", line.name);
    phase("cookies", if is_bad { State::Bad } else { State::Good }, words)
}

fn keys(facts: &Facts) -> Phase {
    let keys = &facts.keys;
    match (&keys.keys, keys.status) {
        (Some(found), _) if !found.is_empty() => {
            let mut algorithms: Vec<&str> =
                found.iter().filter_map(|key| key.alg.as_deref()).collect();
            algorithms.dedup();
            let words = format!("{} key(s), {}", found.len(), algorithms.join(", "));
            phase("keys", State::Good, words)
        }
        (Some(_), _) => phase("keys", State::Bad, "no key"),
        (None, Some(404)) => {
            phase("keys", State::Skipped, "no key set: the jwt plugin is not there")
        }
        (None, Some(status)) => {
            phase("keys", State::Bad, format!("/jwks is answered with {status}"))
        }
        (None, None) => phase("keys", State::Skipped, "not looked at"),
    }
}

fn secret(facts: &Facts) -> Phase {
    let oracle = &facts.oracle;
    let source = oracle.source.as_deref().unwrap_or("the secret");
    let shown = oracle.shown.as_deref().unwrap_or_default();
    match (oracle.knows, oracle.skipped) {
        (Some(true), _) => {
            phase("secret", State::Good, format!("the service's is {source} ({shown})"))
        }
        (Some(false), _) => phase(
            "secret",
            State::Bad,
            format!("the service does not know what is signed with {source} ({shown})"),
        ),
        (None, Some(why)) => phase("secret", State::Skipped, format!("not asked: {why}")),
        (None, None) if oracle.is_missing => phase(
            "secret",
            if oracle.hit.is_some() { State::Bad } else { State::Skipped },
            "no BETTER_AUTH_SECRET at hand (--env-file names a file)",
        ),
        (None, None) => phase("secret", State::Skipped, "not looked at"),
    }
}

fn gate(facts: &Facts) -> Option<Phase> {
    let answer = facts.gate.signed.as_ref().or(facts.gate.anonymous.as_ref())?;
    let words = match &answer.reason {
        Some(reason) => format!("{} {reason}", answer.status),
        None => format!("{}, without a gate's reason", answer.status),
    };
    let is_good = matches!(
        answer.reason.as_deref(),
        Some("session_ended" | "no_credential" | "session_unavailable")
    );
    Some(phase("gate", if is_good { State::Good } else { State::Bad }, words))
}

fn app(facts: &Facts) -> Option<Phase> {
    let origin = facts.app.origin.as_ref()?;
    let words = match facts.app.relation? {
        crate::facts::Relation::SameOrigin => "the same origin".to_owned(),
        crate::facts::Relation::SameHost => format!("{}: the same host", origin.origin()),
        crate::facts::Relation::SameSite => format!("{}: the same site", origin.origin()),
        crate::facts::Relation::CrossSite => format!("{}: another site", origin.origin()),
    };
    Some(phase("app", State::Good, words))
}

fn session(facts: &Facts) -> Phase {
    let answer = facts.pasted.session.or_else(|| facts.sign_in.tries.last().copied().flatten());
    match answer {
        Some(SessionAnswer::Session) => {
            phase("session", State::Good, "the service knows the session")
        }
        Some(SessionAnswer::Null) => {
            phase("session", State::Bad, "the service does not know the session")
        }
        None => {
            phase("session", State::Skipped, "not looked at: no cookie (--cookie-file, --sign-in)")
        }
    }
}

fn token(facts: &Facts) -> Option<Phase> {
    let token = facts.token.as_ref()?;
    let words = match token.not_a_jwt {
        Some(_) => "no JWT".to_owned(),
        None => format!(
            "a JWT by {}{}",
            token.alg.as_deref().filter(|alg| crate::answer::is_word(alg)).unwrap_or("?"),
            if token.is_signed == Some(true) { ", good by the key set" } else { "" }
        ),
    };
    let is_bad = token.not_a_jwt.is_some() || token.is_signed == Some(false);
    Some(phase("token", if is_bad { State::Bad } else { State::Good }, words))
}

fn api(facts: &Facts) -> Option<Phase> {
    if !facts.api.is_asked {
        return None;
    }
    Some(match &facts.api.good {
        Some(good) if good.status < 400 => phase("api", State::Good, "accepts a good token"),
        Some(good) => phase("api", State::Bad, format!("answers {} to a good token", good.status)),
        None => phase("api", State::Skipped, "no good token to ask it with (--token-file, --deep)"),
    })
}
