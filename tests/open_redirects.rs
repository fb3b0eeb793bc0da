//! Does any way back leave the site? Hostile return URLs, generated: families × hosts × encodings,
//! as request targets, inside queries and in a `Referer`. The judge is another parser, that of the
//! WHATWG (crate `url`): what a browser would make of `Location`, and of the way back once the
//! sign-in page follows it.

#![allow(clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that panics has found something

mod support;

use std::collections::BTreeSet;

use doorward::{Decision, Refusal, RequestHead, UnixTime};
use support::ORIGIN;
use url::Url;

/// What stands before the host, so that something takes it for one.
const BEFORE: &[&str] = &[
    "//",
    "///",
    "////",
    "/\\",
    "\\\\",
    "\\/",
    "/\\/",
    "\\",
    "/\\\\",
    "//\\",
    "/./",
    "/.//",
    "/././/",
    "/..//",
    "/../..//",
    "/a/..//",
    "/a/../..//",
    "/.\\",
    "/..\\",
    "/.;//",
    "/..;//",
    "/;//",
    ";//",
    "/ //",
    " //",
    "/\t/",
    "\t//",
    "/\n/",
    "/\r\n/",
    "/\u{b}/",
    "/\u{c}/",
    "/\0/",
    "/?//",
    "/#//",
    "#//",
    "?//",
    "/:/",
    ":/",
    "://",
    "http:",
    "http:/",
    "http://",
    "https:",
    "https:/",
    "https://",
    "HtTpS://",
    "https:\\\\",
    "https:///",
    "http:;//",
    "ftp://",
    "javascript:",
    "javascript://",
    "data:text/html,",
    "/https://",
    "/http:/",
    "//user@",
    "//@",
    "/@",
    "@",
    "//app@",
    "//localhost:3000@",
    "http://localhost:3000@",
    ".",
    "/.",
    "-",
    "//.",
    "/..",
    "/app//",
    "/app/..//",
    "/app\\..\\\\",
    "/%2e",
    "/。",
    "/／/",
    "//／",
    "/⁄/",
    "/\u{feff}/",
    "/\u{2028}/",
    "/\u{a0}/",
    "/〱",
    "〵",
    "//[::1]@",
    "//0x7f.",
    "/index.rsc/",
    "/..rsc//",
    "/...rsc//",
];
const HOSTS: &[&str] = &[
    "evil.example",
    "evil.example/app",
    "evil.example%2f..",
    "evil.example?",
    "evil.example#",
    "evil。example",
    "[::ffff:203.0.113.7]",
    "evil.example/...rsc",
    "evil.example/.rsc",
    "evil.example.prefetch.rsc",
    "_next/data/b/evil.example/...json",
    "localhost:3000.evil.example",
    "localhost:3000@evil.example",
    "localhost:3000\\.evil.example",
];

/// How the same text may be written.
const ENCODINGS: &[fn(&str) -> String] = &[
    |text| text.to_owned(),
    |text| encoded(text, |byte| b"/\\".contains(&byte)),
    |text| encoded(text, |byte| b"\\".contains(&byte)),
    |text| encoded(text, |byte| byte == b'.'),
    |text| encoded(text, |byte| !byte.is_ascii_graphic()),
    |text| encoded(text, |byte| !byte.is_ascii_alphanumeric()),
    |text| encoded(text, |byte| !byte.is_ascii_alphanumeric() && byte != b'/'),
    |text| encoded(text, |_| true),
    |text| encoded(text, |byte| b"/\\.".contains(&byte)).replace('%', "%25"),
    |text| text.replace('/', "%252f"),
    |text| text.replace('.', "%2E"),
    |text| text.replace('/', "%c0%af"),
    |text| text.replace('/', "%ef%bc%8f"),
    |text| text.replacen('/', "/%09", 1),
    |text| text.replacen('/', "/%0d%0a", 1),
];

fn encoded(text: &str, wants: impl Fn(u8) -> bool) -> String {
    let one =
        |byte: u8| if wants(byte) { format!("%{byte:02x}") } else { char::from(byte).to_string() };
    text.bytes()
        .map(|byte| if byte.is_ascii() || wants(byte) { one(byte) } else { format!("%{byte:02X}") })
        .collect()
}

fn corpus() -> BTreeSet<String> {
    let plain =
        BEFORE.iter().flat_map(|before| HOSTS.iter().map(move |host| [*before, *host].concat()));
    // The raw bytes as well: what is no ASCII is refused before anything is made of it.
    plain
        .flat_map(|text| {
            ENCODINGS.iter().map(|encode| encode(&text)).chain([text.clone()]).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn no_way_back_leaves_the_site() {
    let corpus = corpus();
    assert!(corpus.len() >= 500);
    let (mut refused, mut sent, mut with_way_back, mut rounds) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    // Nobody here has a credential, so no request leaves anything for the next.
    let mut engine = support::engine();
    for hostile in &corpus {
        let in_query = ["/app?next=", hostile].concat();
        let as_query = ["/app?", hostile].concat();
        let below = ["/app", hostile].concat();
        let referer = [ORIGIN, "/sign-in?callbackURL=", hostile, "&attempt=1"].concat();
        for (target, referer) in [
            (hostile, None),
            (&in_query, None),
            (&as_query, None),
            (&below, None),
            (&"/app".to_owned(), Some(&referer)),
        ] {
            for (method, kind) in [
                ("GET", ("sec-fetch-mode", "navigate")),
                ("POST", ("next-action", "7f")),
                ("POST", ("sec-fetch-mode", "navigate")),
            ] {
                // A form has no way back, wherever it is sent.
                if method == "POST" && kind.0 == "sec-fetch-mode" && target != hostile {
                    continue;
                }
                let mut headers = vec![
                    kind,
                    ("x-forwarded-host", "evil.example"),
                    ("x-forwarded-uri", hostile.as_str()),
                    ("x-original-url", hostile.as_str()),
                ];
                headers.extend(referer.map(|referer| ("referer", referer.as_str())));
                let head = RequestHead {
                    method,
                    target,
                    headers: &headers,
                    public_origin: ORIGIN,
                    client_address: None,
                };
                match engine.decide(&head, UnixTime::from_millis(1_800_000_000_000)) {
                    Decision::Redirect(answer) => {
                        sent += 1;
                        match leaves(&answer, target) {
                            Ok(has_way_back) => with_way_back += usize::from(has_way_back),
                            Err(problem) => wrong.push(format!("{method} {target:?}: {problem}")),
                        }
                    }
                    Decision::Reject(answer) => {
                        refused += 1;
                        rounds += usize::from(answer.reason.code() == "redirect_loop");
                        let leads = ["location", "x-action-redirect", "refresh"]
                            .map(|name| header(&answer, name).is_some());
                        if leads.contains(&true) || answer.body.contains("evil") {
                            wrong.push(format!("{method} {target:?}: a refusal leads elsewhere"));
                        }
                    }
                    Decision::Forward(_) => {}
                    Decision::Perform(_) => wrong.push(format!("{method} {target:?}: asks")),
                    Decision::Respond(_) => wrong.push(format!("{method} {target:?}: is served")),
                }
            }
        }
    }
    println!(
        "hostile return URLs: {}; refused {refused}, sent to sign in {sent}, with a way back {with_way_back}",
        corpus.len()
    );
    assert!(
        wrong.is_empty(),
        "{} leave the site:\n{}",
        wrong.len(),
        wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(
        with_way_back >= 500 && refused >= 500,
        "the corpus tries too little: {with_way_back}, {refused}"
    );
    assert_eq!(rounds, 0, "a foreign way back was taken for this one");
}

/// The test's own eyes: it sees what it is there to see.
#[test]
fn a_way_back_that_leaves_is_seen() {
    for away in [
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "https:evil.example",
        "https://evil.example/",
        "/..//evil.example",
        "\\\\evil.example",
    ] {
        assert!(!stays(away), "{away:?}");
    }
    assert!(stays("/app?next=//evil.example") && stays("/@evil.example"));
}

/// Whether the answer has a way back; an error where it or the answer leads away.
fn leaves(answer: &Refusal, target: &str) -> Result<bool, String> {
    let site = Url::parse(ORIGIN).unwrap_or_else(|error| panic!("{error}"));
    let location = match (header(answer, "location"), header(answer, "x-action-redirect")) {
        (Some(location), None) => location.to_owned(),
        (None, Some(action)) => {
            action.strip_suffix(";push").ok_or("no kind of navigation")?.to_owned()
        }
        other => return Err(format!("leads to {other:?}")),
    };
    // A browser resolves it against the address of the request, as far as that is one of the site.
    let base = site
        .join(target)
        .ok()
        .filter(|base| base.origin() == site.origin())
        .unwrap_or_else(|| site.clone());
    let sign_in = base.join(&location).map_err(|error| format!("{location:?}: {error}"))?;
    if sign_in.origin() != site.origin() || sign_in.path() != "/sign-in" {
        return Err(format!("{location:?} is {sign_in}"));
    }
    let mut has_way_back = false;
    for (name, way_back) in sign_in.query_pairs() {
        match name.as_ref() {
            "callbackURL" => has_way_back = true,
            "attempt" => continue,
            other => return Err(format!("the parameter {other:?} was smuggled in")),
        }
        let again = Url::parse(&format!("http://x/?{}", way_back.replace('&', "%26")))
            .map_err(|error| error.to_string())?;
        // A page that decodes once more than it should, and one that puts it behind the origin.
        let twice: String = again
            .query_pairs()
            .map(
                |(name, value)| {
                    if value.is_empty() { name.into_owned() } else { format!("{name}={value}") }
                },
            )
            .collect();
        let path_twice = twice.split('?').next().unwrap_or_default().to_owned();
        if !stays(&way_back) || !stays(&path_twice) || !stays(&[ORIGIN, way_back.as_ref()].concat())
        {
            return Err(format!("the way back {way_back:?} leaves"));
        }
        // Resolved and taken apart again, as `new URL(…).pathname` is.
        let resolved = site.join(&way_back).map_err(|error| error.to_string())?;
        if !stays(resolved.path()) {
            return Err(format!("the path of {way_back:?} leaves"));
        }
    }
    Ok(has_way_back)
}

fn stays(reference: &str) -> bool {
    let site = Url::parse(ORIGIN).unwrap_or_else(|error| panic!("{error}"));
    // A reference that cannot be resolved leads nowhere.
    site.join(reference)
        .is_ok_and(|url| url.origin() == site.origin() && !url.path().starts_with("//"))
}

fn header<'a>(answer: &'a Refusal, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
}
