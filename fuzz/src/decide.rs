//! Requests in a row to one engine, with a configuration, and with a host that comes back with
//! anything.
//!
//! ```text
//! {…}                  the configuration, in one line
//! > GET /app 1000      a request: method, target, milliseconds after the first
//! name: value          its headers, as many as there are
//! < 200 body           what comes of its effects, in order: an answer, or one of
//! < truth              the host checks the signature (as it does when nothing is said), waits, and fails to fetch
//! < true | < false | < waited | < failed | < unsupported
//! ```

use doorward::{Decision, Effect, Fetch, LayerVerdict, RequestHead, UnixTime};
use serde_json::Value;

use super::world::{End, NOW, Outcome, as_header, configured, latin1, number, perform, play_with};

/// The moment of the decision vectors.
const VECTORS_NOW: i64 = 1_800_000_000_000;
/// Whom the vectors know, as they stand in headers.
const SUBJECTS: [&str; 12] = [
    "user-1",
    "user-2",
    "ada",
    "ada%00",
    "100%2541",
    "%20a%20b%20",
    "ada%0D%0Ax-admin:%201",
    "%C3%A4%0D%0A",
    "Zo%C3%AB%20%F0%9F%98%80",
    "a%E2%80%A8b%E2%80%A9",
    "%01%09%7F%C2%80",
    "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~",
];
/// More requests would only take longer.
const MAX_REQUESTS: usize = 6;

#[derive(Default)]
struct Request {
    method: String,
    target: String,
    after: i64,
    headers: Vec<(String, String)>,
    outcomes: Vec<Option<Outcome>>,
}

pub fn run(input: &[u8]) -> End {
    let mut lines = input.split(|byte| *byte == b'\n');
    let document = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let requests = requests(lines);
    let Some(mut engine) = configured(&document) else {
        return End::Anonymous;
    };
    let prefix = serde_json::from_str(&document)
        .ok()
        .and_then(|document: Value| {
            Some(document.get("header_prefix")?.as_str()?.to_ascii_lowercase())
        })
        .unwrap_or_else(|| "x-doorward-".to_owned());

    let mut last = End::Anonymous;
    let mut has_fetched = false;
    let mut host_vouched = false;
    for request in &requests {
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let head = RequestHead {
            method: &request.method,
            target: &request.target,
            headers: &headers,
            public_origin: "https://app.example.com",
            client_address: Some("192.0.2.7"),
        };
        let now =
            if document.contains("//localhost:3000") { NOW } else { VECTORS_NOW } + request.after;
        let moment = UnixTime::from_millis(now);
        let explanation = engine.explain(&head, moment);
        let mut outcomes = request.outcomes.iter();
        let (end, pending) = play_with(&mut engine, &head, now, &prefix, &mut |pending| {
            let is_fetch = matches!(pending.effect(), Effect::Fetch(_));
            has_fetched |= is_fetch;
            let mut truth = |_: &Fetch| Outcome::Failed;
            let Some(Some(outcome)) = outcomes.next() else {
                return perform(pending, &mut truth);
            };
            let is_word_of_host = match (pending.effect(), outcome) {
                (Effect::Check(_), Outcome::Checked(true)) => true,
                (Effect::Fetch(fetch), Outcome::Answered(..)) => fetch.purpose == "session",
                _ => false,
            };
            host_vouched |= is_word_of_host;
            outcome.clone()
        });
        if let Some(subject) = end.subject() {
            let is_known = SUBJECTS.contains(&subject) || is_of_better_auth(subject);
            assert!(host_vouched || is_known, "{subject:?} is invented");
            let explained = explanation.credentials.iter().any(|credential| {
                matches!(&credential.verdict, LayerVerdict::Authenticated { subject: explained } if as_header(explained) == *subject)
            });
            assert!(pending > 0 || explained, "{subject:?} was not explained: {explanation:?}");
        }
        if !has_fetched && pending == 0 {
            // Nothing has been learned from outside, so an engine that has seen nothing must decide
            // alike.
            let mut cold = configured(&document)
                .unwrap_or_else(|| panic!("a configuration compiles once and not twice"));
            if !matches!(cold.decide(&head, moment), Decision::Perform(_)) {
                let mut nothing = |_: &doorward::PendingEffect| Outcome::Failed;
                let (cold_end, _) = play_with(&mut cold, &head, now, &prefix, &mut nothing);
                assert_eq!(end, cold_end, "a warm engine differs from a cold one");
            }
        }
        if matches!(end, End::Identity(_)) || last == End::Anonymous {
            last = end;
        }
    }
    last
}

fn is_of_better_auth(subject: &str) -> bool {
    subject.len() == 32
        && include_str!("../../tests/vectors/better-auth/vectors.json").contains(subject)
}

fn requests<'i>(lines: impl Iterator<Item = &'i [u8]>) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for line in lines {
        let text = latin1(line);
        if let Some(rest) = text.strip_prefix("> ") {
            if requests.len() == MAX_REQUESTS {
                break;
            }
            let mut words = rest.split(' ');
            let (method, target) =
                (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let request = Request {
                method: method.to_owned(),
                target: target.to_owned(),
                after: number(words.next()),
                ..Request::default()
            };
            requests.push(request);
        } else if let Some(request) = requests.last_mut() {
            if let Some(result) = line.strip_prefix(b"< ") {
                request.outcomes.push(outcome(result));
            } else if let Some((name, value)) = text.split_once(": ") {
                request.headers.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    requests
}

fn outcome(result: &[u8]) -> Option<Outcome> {
    match result {
        b"true" => Some(Outcome::Checked(true)),
        b"false" => Some(Outcome::Checked(false)),
        b"waited" => Some(Outcome::Waited),
        b"failed" => Some(Outcome::Failed),
        b"unsupported" => Some(Outcome::Unsupported),
        b"truth" => None,
        _ => {
            let text = latin1(result);
            let status =
                text.split(' ').next().and_then(|status| status.parse().ok()).unwrap_or(200);
            let body = result
                .iter()
                .position(|byte| *byte == b' ')
                .map_or(&[][..], |end| &result[end + 1..]);
            Some(Outcome::Answered(status, body.to_vec()))
        }
    }
}
