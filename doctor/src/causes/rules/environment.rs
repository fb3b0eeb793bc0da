//! Is the secret at hand the service's?

use crate::causes::Cause;
use crate::causes::finding::{Finding, Rule};
use crate::facts::{Facts, Hit};
use crate::plan::Plan;
use crate::secret::Difference;
use crate::url::{self, Url};

pub(super) const RULES: &[Rule] = &[
    (Cause::SecretDefault, secret_default),
    (Cause::SecretWhitespace, secret_whitespace),
    (Cause::SecretQuoted, secret_quoted),
    (Cause::SecretRetired, secret_retired),
    (Cause::SecretDiffers, secret_differs),
    (Cause::SecretShort, secret_short),
    (Cause::UrlContradiction, url_contradiction),
    (Cause::TrailingSlashEnv, trailing_slash_env),
];

const QUESTIONS: &[&str] = &[
    "oracle.plain",
    "oracle.token",
    "oracle.list-sessions",
    "oracle.whitespace",
    "oracle.quotes",
    "oracle.encoding",
    "oracle.other",
    "oracle.default",
];

/// The near miss that was recognised, by the service or by the signature of a pasted cookie.
fn hit(facts: &Facts, difference: Difference) -> Option<String> {
    let live = facts.oracle.hit.as_ref().filter(|hit| hit.difference == difference);
    if let Some(Hit { words, .. }) = live {
        return Some(format!("the service recognises what is signed with {}", with(words)));
    }
    let (found, words) = facts.pasted.token.as_ref()?.signed_by.as_ref()?;
    (*found == difference).then(|| format!("the pasted cookie is signed with {}", with(words)))
}

fn with(words: &str) -> String {
    match words.split_whitespace().next() {
        Some("with" | "without" | "in" | "decoded") => format!("the secret {words}"),
        _ => words.to_owned(),
    }
}

fn here(facts: &Facts) -> String {
    match (&facts.oracle.source, &facts.oracle.shown) {
        (Some(source), Some(shown)) => format!(", and not with {source} ({shown})"),
        _ => String::new(),
    }
}

fn secret_default(facts: &Facts, _: &Plan) -> Option<Finding> {
    if facts.oracle.is_default && facts.oracle.knows == Some(true) {
        let seen = "the service's secret is Better Auth's published default: anybody can forge \
                    sessions";
        return Some(Finding::proof(Cause::SecretDefault, seen).by(&["oracle.plain"]));
    }
    let seen = hit(facts, Difference::Default)?;
    let seen = format!("{seen}{}: anybody can forge sessions", here(facts));
    Some(Finding::proof(Cause::SecretDefault, seen).by(QUESTIONS))
}

fn secret_whitespace(facts: &Facts, _: &Plan) -> Option<Finding> {
    let seen = hit(facts, Difference::Whitespace)?;
    Some(Finding::proof(Cause::SecretWhitespace, seen + &here(facts)).by(QUESTIONS))
}

fn secret_quoted(facts: &Facts, _: &Plan) -> Option<Finding> {
    let seen = hit(facts, Difference::Quotes)?;
    Some(Finding::proof(Cause::SecretQuoted, seen + &here(facts)).by(QUESTIONS))
}

/// Another value that is at hand: of a rotation, or of another file.
fn secret_retired(facts: &Facts, _: &Plan) -> Option<Finding> {
    let seen = hit(facts, Difference::Other)?;
    Some(Finding::proof(Cause::SecretRetired, seen + &here(facts)).by(QUESTIONS))
}

fn secret_differs(facts: &Facts, _: &Plan) -> Option<Finding> {
    let oracle = &facts.oracle;
    if let Some(seen) = hit(facts, Difference::Encoding) {
        return Some(Finding::proof(Cause::SecretDiffers, seen + &here(facts)).by(QUESTIONS));
    }
    if oracle.varies {
        let source = oracle.source.clone().unwrap_or_default();
        let seen = format!(
            "of tokens that are signed alike with {source} some are recognised and some are not: \
             instances of the service have different secrets"
        );
        return Some(
            Finding::proof(Cause::SecretDiffers, seen)
                .by(&["oracle.plain", "oracle.token", "oracle.again"])
                .fix("Give every instance of the auth service the same secret, and restart them."),
        );
    }
    let has_hit = oracle.hit.is_some()
        || facts.pasted.token.as_ref().is_some_and(|token| token.signed_by.is_some());
    if has_hit {
        return None;
    }
    let (source, shown) = (oracle.source.as_ref()?, oracle.shown.as_ref()?);
    if oracle.knows == Some(false) {
        let tried = oracle.tried;
        let seen = format!(
            "the service does not recognise what is signed with {source} ({shown}), nor with \
             {tried} near misses of it"
        );
        return Some(if oracle.is_confirmed {
            Finding::proof(Cause::SecretDiffers, seen).by(QUESTIONS)
        } else {
            let unless = "`customSession` of Better Auth before 1.6 gives the same answer to the \
                          right secret";
            Finding::strong(Cause::SecretDiffers, seen, unless).by(QUESTIONS)
        });
    }
    // A pasted cookie of the service, by its whole signature.
    let pasted = facts.pasted.token.as_ref()?;
    if pasted.is_signed != Some(false) {
        return None;
    }
    let seen = format!("the pasted {} is not signed with {source} ({shown})", pasted.name);
    if oracle.knows == Some(true) {
        let seen = format!("{seen}, which is the service's: another service has signed it");
        return Some(Finding::proof(Cause::SecretDiffers, seen).by(&["oracle.plain", "pasted"]));
    }
    Some(Finding::proof(Cause::SecretDiffers, seen))
}

fn secret_short(facts: &Facts, _: &Plan) -> Option<Finding> {
    let source = facts.oracle.source.as_ref()?;
    if facts.oracle.is_short {
        let seen = format!("{source} has fewer than 32 characters");
        return Some(Finding::proof(Cause::SecretShort, seen));
    }
    let seen = format!("{source} is long enough and too regular: Better Auth warns of it");
    facts.oracle.is_monotonous.then(|| Finding::hint(Cause::SecretShort, seen))
}

/// Two sites. A host below the same domain, and an address of the inside, are legal differences.
fn url_contradiction(facts: &Facts, plan: &Plan) -> Option<Finding> {
    let service = plan.expected.service.as_ref()?;
    let others = [&plan.expected.issuer, &plan.expected.jwks_url];
    let other = others.into_iter().flatten().find_map(|stated| {
        let url = Url::parse(&stated.value)?;
        let is_public = url.host.contains('.') && !url::is_address(&url.host);
        let suffixes = &plan.suffixes;
        let is_other = suffixes.registrable(&url.host) != suffixes.registrable(&service.value.host);
        (is_public && is_other && !service.value.is_loopback()).then_some((stated, url))
    });
    let (stated, url) = other?;
    // A token of the service that says the same ends the question.
    let iss = facts.token.as_ref().and_then(|token| token.iss.as_ref());
    if iss.is_some_and(|iss| Some(iss) == plan.expected.issuer.as_ref().map(|stated| &stated.value))
    {
        return None;
    }
    let (origin, other) = (service.value.origin(), url.origin());
    let seen = format!("{} is {origin}, and {} is {other}", service.source, stated.source);
    let unless = "the service may be told to issue tokens under that name";
    Some(Finding::strong(Cause::UrlContradiction, seen, unless))
}

/// Only what somebody compares with `iss` is wrong with a slash.
fn trailing_slash_env(_: &Facts, plan: &Plan) -> Option<Finding> {
    let text = plan.expected.service_text.as_ref()?;
    let service = plan.expected.service.as_ref()?;
    let text = text.trim();
    let after_host = text.splitn(4, '/').nth(3)?;
    if after_host.is_empty() || after_host.ends_with('/') {
        let seen = format!("{} ends with a slash", service.source);
        return Some(Finding::hint(Cause::TrailingSlashEnv, seen));
    }
    None
}
