//! Pasted cookies: their forms, duplicates, chunks and signatures without a request, then what the
//! service says to them.

use doorward::probe::{SessionDataFormat, session_data_format};
use serde_json::Value;

use crate::cookie_file::{decoded, pairs};
use crate::explanation::moments;
use crate::facts::{PastedData, PastedToken, SessionAnswer, TokenForm};
use crate::order;
use crate::probes::{Run, names, token};
use crate::secret::{self, Difference, Secret};

/// `token.` and 44 characters of base64 that end with `=`.
const SIGNATURE_CHARS: usize = 44;

/// A session that is not in the store is looked for so many times more: one of several stores that
/// are asked at random has it by turns.
const AGAIN: usize = 5;

/// Looks at what was pasted; sends nothing.
pub(crate) fn look(run: &mut Run<'_>, cookies: Option<&str>, now: i64) {
    let Some(header) = cookies else { return };
    let wanted = run.facts.names.session_token.clone();
    let is_known = wanted.is_some() || run.plan.expected.service.is_some();
    let mut wanted = wanted.unwrap_or_else(|| run.plan.expected_token_name());
    let all: Vec<(&str, &str)> = pairs(header).collect();
    // Where nothing says whether the site is https, the cookie's own name does.
    let alike = all.iter().find(|(name, _)| names::bare(name) == names::bare(&wanted));
    if let Some((name, _)) = alike.filter(|_| !is_known) {
        wanted = (*name).to_owned();
    }
    let own: Vec<&(&str, &str)> = all.iter().filter(|(name, _)| *name == wanted).collect();
    let like = all.iter().find(|(name, _)| {
        *name != wanted
            && (names::bare(name) == names::bare(&wanted) || name.ends_with("session_token"))
    });
    let facts = &mut run.facts.pasted;
    facts.is_given = true;
    facts.bytes = header.len();
    facts.cookie_count = all.len();
    facts.has_dont_remember = all.iter().any(|(name, _)| name.ends_with("dont_remember"));
    facts.has_two_factor = all.iter().any(|(name, _)| name.ends_with("two_factor"));
    facts.other_name = like.map(|(name, _)| (*name).to_owned());
    // The service reads the first of two with one name.
    let differ = own.windows(2).any(|pair| matches!(pair, [one, other] if one.1 != other.1));
    facts.duplicates = (own.len() > 1).then_some((own.len(), differ));
    let secret = run.plan.expected.secret.as_ref().map(|stated| stated.value.clone());
    let others: Vec<Secret> =
        run.plan.expected.other_secrets.iter().map(|stated| stated.value.clone()).collect();
    if let Some((name, value)) = own.first() {
        run.facts.pasted.token = Some(session_token(name, value, secret.as_ref(), &others));
    }
    let data_name = run.facts.names.session_data.clone().unwrap_or_else(|| data_name(&wanted));
    run.facts.pasted.data = session_data(&all, &data_name, secret.as_ref(), now);
}

/// `session_data` beside this session cookie, where the service has not named it.
fn data_name(token: &str) -> String {
    match token.strip_suffix("session_token") {
        Some(prefix) => format!("{prefix}session_data"),
        None => "better-auth.session_data".to_owned(),
    }
}

fn session_token(name: &str, raw: &str, secret: Option<&Secret>, others: &[Secret]) -> PastedToken {
    let value = decoded(raw);
    let form = form(raw, &value);
    let mut found = PastedToken { name: name.to_owned(), form, is_signed: None, signed_by: None };
    if form != TokenForm::Whole {
        return found;
    }
    let default = Secret::new(secret::DEFAULT);
    let signs = |secret: &Secret| secret.probe().verify_cookie(&value).is_ok();
    if let Some(secret) = secret {
        found.is_signed = Some(signs(secret));
    }
    if found.is_signed == Some(true) {
        return found;
    }
    // Offline every near miss is tried.
    let misses = secret.map(secret::near_misses).unwrap_or_default();
    let miss = misses.iter().find(|miss| signs(&miss.secret));
    found.signed_by = if let Some(miss) = miss {
        Some((miss.difference, miss.words.to_owned()))
    } else if others.iter().any(signs) {
        Some((Difference::Other, "another value that is at hand".to_owned()))
    } else if signs(&default) {
        Some((Difference::Default, "the published default".to_owned()))
    } else {
        None
    };
    found
}

fn form(raw: &str, value: &str) -> TokenForm {
    let is_encoded = ["%2B", "%2F", "%3D", "%2E"].iter().any(|escape| value.contains(escape));
    if raw.contains("%25") && is_encoded {
        return TokenForm::DoubleEncoded;
    }
    let signature = value.rsplit_once('.').map(|(_, signature)| signature);
    let is_whole = signature.is_some_and(|signature| {
        signature.len() == SIGNATURE_CHARS
            && signature.ends_with('=')
            && signature.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    });
    if is_whole { TokenForm::Whole } else { TokenForm::Cut }
}

fn session_data(
    all: &[(&str, &str)],
    name: &str,
    secret: Option<&Secret>,
    now: i64,
) -> Option<PastedData> {
    let whole = all.iter().find(|(own, value)| *own == name && !value.is_empty());
    let mut chunks: Vec<(usize, &str)> = all
        .iter()
        .filter_map(|(own, value)| {
            let number = own.strip_prefix(name)?.strip_prefix('.')?;
            Some((number.parse().ok()?, *value))
        })
        .collect();
    order::sort_by(&mut chunks, |(one, _), (other, _)| one.cmp(other));
    if whole.is_none() && chunks.is_empty() {
        return None;
    }
    let has_gap =
        whole.is_none() && chunks.iter().enumerate().any(|(place, (number, _))| place != *number);
    let value = match whole {
        Some((_, value)) => decoded(value),
        None => chunks.iter().map(|(_, value)| decoded(value)).collect(),
    };
    let mut found = PastedData { chunks: chunks.len(), has_gap, ..PastedData::default() };
    if has_gap {
        return Some(found);
    }
    match session_data_format(&value) {
        Ok(format) => found.format = Some(format_word(format)),
        Err(_) => found.is_cut = true,
    }
    if let Some(opened) = secret.and_then(|secret| secret.probe().open_session_data(&value).ok()) {
        found.is_signed = Some(true);
        let content: Value = serde_json::from_slice(&opened.content).unwrap_or_default();
        found.dates = moments::dates(&content);
        let version = content.get("version").and_then(Value::as_str).unwrap_or("1");
        found.version = Some(version.to_owned());
        let millis = content.get("expiresAt").and_then(Value::as_i64);
        let seconds = content.get("exp").and_then(Value::as_i64);
        let ends = millis.or_else(|| seconds.map(|seconds| seconds.saturating_mul(1000)));
        found.is_expired = ends.map(|ends| ends < now);
    } else if secret.is_some() && found.format.is_some() && found.format != Some("jwt-jwks") {
        found.is_signed = Some(false);
        // A chunk that is missing at the end leaves no gap: the whole does not verify.
        found.is_cut |= found.chunks > 0;
    }
    Some(found)
}

const fn format_word(format: SessionDataFormat) -> &'static str {
    match format {
        SessionDataFormat::Compact => "compact",
        SessionDataFormat::Jwt => "jwt",
        SessionDataFormat::Jwe => "jwe",
        _ => "jwt-jwks",
    }
}

/// Sends the pasted cookies to the service: as they are, past the cookie cache, and for a token.
pub(crate) async fn ask(run: &mut Run<'_>, cookies: &str) {
    let first = session(run, "pasted", cookies, "").await;
    run.facts.pasted.session = first;
    if run.facts.pasted.session.is_none() && run.facts.pasted.error.is_none() {
        return;
    }
    let stored = session(run, "pasted.store", cookies, "disableCookieCache=true&").await;
    run.facts.pasted.session_in_store = stored;
    if stored == Some(SessionAnswer::Null) || first == Some(SessionAnswer::Null) {
        for number in 0..AGAIN {
            if number >= 3 && run.left() <= run.reserve {
                break;
            }
            let again = session(run, "pasted.store", cookies, "disableCookieCache=true&").await;
            if again.is_some() && again != stored {
                run.facts.pasted.varies = true;
                break;
            }
        }
    }
    if run.facts.token.is_none() && first == Some(SessionAnswer::Session) {
        let ask = run.get("pasted.token", "/token").header("cookie", cookies);
        if let Ok(answer) = run.send_past_walls(ask).await {
            run.facts.pasted.error =
                run.facts.pasted.error.take().or_else(|| answer.service_error("/token"));
            if let Some(text) = answer.member("token").and_then(Value::as_str) {
                token::look(run, text, true).await;
            }
        }
    }
}

async fn session(
    run: &mut Run<'_>,
    id: &'static str,
    cookies: &str,
    query: &str,
) -> Option<SessionAnswer> {
    let query = format!("{query}{}", run.fresh_query().await);
    let ask = run.get(id, "/get-session").query(query).header("cookie", cookies).fresh();
    let answer = match run.send_past_walls(ask).await {
        Ok(answer) => answer,
        Err(stop) => {
            run.facts.pasted.wall = stop.wall();
            return None;
        }
    };
    if run.facts.pasted.error.is_none() {
        run.facts.pasted.error = answer.service_error("/get-session");
    }
    let name = run.facts.names.session_token.clone().unwrap_or_default();
    let data = run.facts.names.session_data.clone().unwrap_or_default();
    let session = answer.session();
    let facts = &mut run.facts.pasted;
    facts.is_deleted |= session == Some(SessionAnswer::Null) && answer.deletes(&name);
    let cookies = answer.cookies();
    facts.is_renewed |= cookies.iter().any(|line| {
        !line.is_empty
            && (line.name == data
                || line.name.strip_prefix(&data).is_some_and(|rest| rest.starts_with('.')))
    });
    if let Some(text) = answer.header("set-auth-jwt").map(str::to_owned) {
        token::look(run, &text, true).await;
    }
    session
}
