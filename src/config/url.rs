//! URLs and names, as far as the configuration has to tell them apart.
//!
//! A reader of our own, because the one that browsers have (`url`, 2 MB of tables for names in
//! other scripts) is too large to be downloaded. It reads less: what it takes, browsers take, and
//! with the same origin; the tests below hold it to that. What it leaves out nobody means: a user's
//! name, a host in percent-encoding or other scripts (write it in Punycode), IPv4 addresses that
//! are no four decimal numbers, ports that are none.

use std::net::{Ipv4Addr, Ipv6Addr};

/// DNS has no longer names (RFC 1035 section 2.3.4).
const MAX_HOST_BYTES: usize = 253;
/// Nor longer labels.
const MAX_LABEL_BYTES: usize = 63;

/// An absolute http(s) URL, taken apart.
pub(super) struct Url<'u> {
    /// Scheme, host and port as a browser writes an origin: small letters, no usual port.
    pub(super) origin: String,
    /// Everything behind that, as it is spelled: nothing, or from the first `/`, `?` or `#` on.
    pub(super) rest: &'u str,
}

impl<'u> Url<'u> {
    /// Reads an absolute http(s) URL.
    pub(super) fn read(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme =
            ["https", "http"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
        let usual_port = if scheme == "https" { 443 } else { 80 };
        let (authority, rest) =
            rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
        let (host, port) = host_and_port(authority)?;
        let port = port
            .filter(|port| *port != usual_port)
            .map_or_else(String::new, |port| [":", &port.to_string()].concat());
        Some(Self { origin: [scheme, "://", &host, &port].concat(), rest })
    }
}

/// Host and port of an authority without a user.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, behind) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (address, behind) = inner.split_once(']')?;
            // As both Rust and browsers write it; the forms with dots they write differently.
            let address = address.parse::<Ipv6Addr>().ok()?.to_string();
            (["[", &address, "]"].concat(), behind)
        }
        None => {
            let (name, behind) =
                authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?;
            (name.to_ascii_lowercase(), behind)
        }
    };
    let is_address = host.starts_with('[') && !host.contains('.');
    let port = match behind.strip_prefix(':') {
        None if behind.is_empty() => None,
        None => return None,
        Some(digits) => Some(port(digits)?),
    };
    (is_address || is_name(&host)).then_some((host, port))
}

/// A port that something can listen at: decimal, without a zero before it.
fn port(digits: &str) -> Option<u16> {
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if is_plain { digits.parse().ok() } else { None }
}

/// Whether this is the name of a host in small letters, or an IPv4 address of four decimal numbers.
fn is_name(host: &str) -> bool {
    let labels = || host.strip_suffix('.').unwrap_or(host).split('.');
    let is_label = |label: &str| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
            })
            && label.strip_prefix("xn--").is_none_or(is_punycode)
    };
    // A browser takes a name whose last label is a number for an address, in whatever form.
    let is_number = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_digit())
            || label
                .strip_prefix("0x")
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    host.len() <= MAX_HOST_BYTES
        && labels().all(is_label)
        && (!labels().next_back().is_some_and(is_number) || host.parse::<Ipv4Addr>().is_ok())
}

/// Whether a label, behind `xn--`, is Punycode of something that needs it (RFC 3492 section 6.2).
/// Which characters may stand in a name is not looked at: a platform that does so fetches nothing.
fn is_punycode(label: &str) -> bool {
    const BASE: u32 = 36;
    let (basic, mut digits) = match label.rsplit_once('-') {
        Some((basic, rest)) => (basic.len(), rest.bytes().peekable()),
        None => (0, label.bytes().peekable()),
    };
    let (mut code_point, mut place, mut bias) = (128_u32, 0_u32, 72_u32);
    let Ok(mut length) = u32::try_from(basic) else { return false };
    let is_extended = digits.peek().is_some();
    let mut decode = || -> Option<()> {
        while digits.peek().is_some() {
            let (before, mut weight, mut threshold_at) = (place, 1_u32, BASE);
            loop {
                let digit = char::from(digits.next()?).to_digit(36)?;
                // Letters come first in Punycode.
                let digit =
                    if digit < 10 { digit.checked_add(26)? } else { digit.checked_sub(10)? };
                place = place.checked_add(digit.checked_mul(weight)?)?;
                let threshold = threshold_at.saturating_sub(bias).clamp(1, 26);
                if digit < threshold {
                    break;
                }
                weight = weight.checked_mul(BASE.checked_sub(threshold)?)?;
                threshold_at = threshold_at.checked_add(BASE)?;
            }
            length = length.checked_add(1)?;
            bias = adapted(place.checked_sub(before)?, length, before == 0)?;
            code_point = code_point.checked_add(place.checked_div(length)?)?;
            char::from_u32(code_point).filter(|decoded| !decoded.is_control())?;
            place = place.checked_rem(length)?.checked_add(1)?;
        }
        Some(())
    };
    is_extended && decode().is_some()
}

/// The bias of the next number (RFC 3492 section 6.1).
fn adapted(delta: u32, length: u32, is_first: bool) -> Option<u32> {
    let mut delta = delta.checked_div(if is_first { 700 } else { 2 })?;
    delta = delta.checked_add(delta.checked_div(length)?)?;
    let mut bias = 0_u32;
    while delta > 455 {
        delta = delta.checked_div(35)?;
        bias = bias.checked_add(36)?;
    }
    bias.checked_add(delta.checked_mul(36)?.checked_div(delta.checked_add(38)?)?)
}

/// Scheme, host and port of an absolute http(s) URL, as a browser writes an origin.
pub(super) fn origin_of(url: &str) -> Option<String> {
    Url::read(url).map(|url| url.origin)
}

/// The origin that is written here, as a client sends it in `Origin`: of a site, or of an app or
/// extension with a scheme of its own (`capacitor://localhost`).
pub(super) fn as_origin(text: &str) -> Option<String> {
    if let Some(url) = Url::read(text) {
        return url.rest.is_empty().then_some(url.origin);
    }
    let (scheme, authority) = text.split_once("://")?;
    let is_scheme = !matches!(scheme, "http" | "https")
        && scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        });
    let (host, behind) =
        authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?;
    let is_host = !host.is_empty()
        && host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte)
        });
    let is_port = behind.is_empty() || behind.strip_prefix(':').and_then(port).is_some();
    (is_scheme && is_host && is_port).then(|| text.to_owned())
}

/// Host and port of a URL, or the whole text where it is none.
pub(super) fn host_of(url: &str) -> String {
    origin_of(url)
        .and_then(|origin| origin.split_once("://").map(|(_, host)| host.to_owned()))
        .unwrap_or_else(|| url.to_owned())
}

/// Whether this begins like a URL of the web, and is none.
pub(super) fn is_broken(text: &str) -> bool {
    let begins = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    (begins("https:") || begins("http:")) && Url::read(text).is_none()
}

/// Whether the gate may fetch from here: https, or http to this machine.
pub(super) fn is_fetchable(url: &str) -> bool {
    let Some(Url { origin, rest }) = Url::read(url) else {
        return false;
    };
    let clean = rest.bytes().all(|byte| byte.is_ascii_graphic()) && !rest.contains('#');
    let is_loopback = || {
        let host = host_of(&origin);
        let name = if host.starts_with('[') {
            host.split(']').next().unwrap_or("")
        } else {
            host.split(':').next().unwrap_or("")
        };
        matches!(name, "localhost" | "[::1")
            || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    };
    clean && (origin.starts_with("https://") || is_loopback())
}

/// A token of RFC 9110 section 5.6.2: names of headers, cookies, methods.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As browsers have it; nothing where it is no URL of the web.
    fn by_browsers(text: &str) -> Option<String> {
        let url = url::Url::parse(text).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
    }

    fn agrees(text: &str) -> Result<bool, String> {
        match (Url::read(text), by_browsers(text)) {
            (None, _) => Ok(false),
            (Some(own), Some(other)) if own.origin == other => Ok(true),
            (Some(own), other) => Err(format!("{text:?}: {} here, {other:?} there", own.origin)),
        }
    }

    /// Whether the only thing that browsers have against it is a character that may not stand in a
    /// name.
    fn has_punycode(text: &str) -> bool {
        text.to_ascii_lowercase().contains("xn--")
    }

    #[test]
    fn what_no_browser_reads_is_no_url() {
        for wrong in [
            "https://a.test:port",
            "https://a:1:2",
            "https://a.test:99999",
            "https://a.test:65536",
            "https://[::1",
            "https://[zz]",
            "https://1.2.3.4.5",
            "https://1.2.3.256",
            "https://a.1.2.3.4.5",
            "https://0x",
            "https://a.0x1f4",
            "https://",
            "https:///",
            "https://:443",
            "https://?x",
            "https://a b",
            "https://a%zz",
            "https://[::1]x",
            "https://[::1]:x",
            "https://[1:2:3:4:5:6:7:8:9]",
            "https://[fe80::1%25eth0]",
            "https://xn--",
            "https://xn--a.test",
            "https://xn--999999999.test",
            "https://a^b",
            "https://a|b",
            "https://a<b",
            "https://[::1]:99999",
            "https://a.test:-1",
            "https://a.test:+1",
            "ftp://a.test",
            "//a.test",
            "a.test",
            "",
        ] {
            assert!(Url::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_browsers_read_otherwise_than_it_is_written_is_none_either() {
        for odd in [
            "https://user@a.test",
            "https://user:password@a.test",
            "https://a.test@evil.test",
            "https://a.test\\@evil.test",
            "https:\\\\a.test",
            "https:a.test",
            "https:/a.test",
            "https:///a.test",
            " https://a.test",
            "https://a.test ",
            "https://a.te\nst",
            "ht\ttps://a.test",
            "https://a%2etest",
            "https://b\u{fc}cher.test",
            "https://\u{ff41}.test",
            "https://127.1",
            "https://2130706433",
            "https://0x7f.1",
            "https://0177.0.0.1",
            "https://1.2.3.4.",
            "https://a.test:",
            "https://a.test:0443",
            "https://a.test:0",
            "https://a..test",
            "https://.a.test",
            "https://[::ffff:1.2.3.4]",
            "https://[::ffff:102:304]",
        ] {
            assert!(Url::read(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn what_is_taken_has_the_origin_that_browsers_say() {
        for (text, origin, rest) in [
            ("https://a.test", "https://a.test", ""),
            ("HTTPS://A.Test/X", "https://a.test", "/X"),
            ("https://a.test:443/x?y#z", "https://a.test", "/x?y#z"),
            ("http://a.test:80", "http://a.test", ""),
            ("http://a.test:443?x", "http://a.test:443", "?x"),
            ("https://a.test:8443#x", "https://a.test:8443", "#x"),
            ("https://a_b.test", "https://a_b.test", ""),
            ("https://-a-.test.", "https://-a-.test.", ""),
            ("https://1.2.3.4:65535/", "https://1.2.3.4:65535", "/"),
            ("https://1.2.3.4a", "https://1.2.3.4a", ""),
            ("https://4.test", "https://4.test", ""),
            ("https://[0:0:0:0:0:0:0:1]:3000", "https://[::1]:3000", ""),
            ("https://[2001:DB8::0:1]/", "https://[2001:db8::1]", "/"),
            ("https://xn--bcher-kva.test", "https://xn--bcher-kva.test", ""),
            ("https://XN--BCHER-KVA.test", "https://xn--bcher-kva.test", ""),
            ("https://xn--fiqs8s", "https://xn--fiqs8s", ""),
        ] {
            let read = Url::read(text).map(|url| (url.origin, url.rest));
            assert_eq!(read, Some((origin.to_owned(), rest)), "{text}");
            assert_eq!(agrees(text), Ok(true));
        }
    }

    #[test]
    fn origins_of_apps_have_a_host_and_perhaps_a_port() {
        for good in [
            "capacitor://localhost",
            "chrome-extension://abcdefghijklmnop",
            "tauri://localhost:1420",
            "https://a.test:8443",
        ] {
            assert_eq!(as_origin(good).as_deref(), Some(good));
        }
        assert_eq!(as_origin("https://A.test:443").as_deref(), Some("https://a.test"));
        for wrong in [
            "capacitor://",
            "capacitor://localhost:port",
            "capacitor://localhost:99999",
            "capacitor://a:1:2",
            "app://[::1",
            "app://a/",
            "https://a.test/",
            "null",
            "https://a.test?x",
        ] {
            assert_eq!(as_origin(wrong), None, "{wrong}");
        }
    }

    /// A URL of pieces that readers disagree about.
    fn urls() -> impl Strategy<Value = String> {
        let pick = |words: &'static [&'static str]| proptest::sample::select(words);
        let scheme = pick(&[
            "https://",
            "http://",
            "HTTPS://",
            "https:/",
            "https:",
            "https:\\\\",
            "https:///",
            "ftp://",
            " https://",
            "https\t://",
        ]);
        let label = pick(&[
            "a",
            "test",
            "A",
            "example",
            "localhost",
            "1",
            "255",
            "256",
            "0x7f",
            "0x",
            "0xg",
            "08",
            "00",
            "4294967296",
            "xn--bcher-kva",
            "xn--fiqs8s",
            "xn--",
            "xn--a",
            "xn--zz",
            "xn--99999",
            "b\u{fc}cher",
            "\u{3002}",
            "\u{ff0e}",
            "\u{ad}",
            "-",
            "--",
            "_",
            "a-",
            "%61",
            "%2e",
            "%",
            "",
            "@",
            "user@",
            "\\",
            "[",
            "]",
            "[::1]",
            "[::",
            "[1:2:3:4:5:6:7:8]",
            "[::ffff:1.2.3.4]",
            "[::1%1]",
            "[0:0:1:0:0:0:1:0]",
            "^",
            "|",
            "<",
            " ",
            "\n",
            "\t",
            "*",
            "a*b",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ]);
        let between = pick(&[".", ".", ".", "", "..", "-", ":"]);
        let port = pick(&[
            "", "", "", ":443", ":80", ":8443", ":", ":0", ":0443", ":port", ":99999", ":65535",
            ":65536", ":1:2", ":-1", ":+1", ":1a", ":\u{664}",
        ]);
        let rest = pick(&[
            "", "", "/", "/a", "?x", "#x", "\\x", "/a/../b", "//", "/ ", "/\n", "/@b.test", ":1",
            "@b.test",
        ]);
        let host = (label.clone(), proptest::collection::vec((between, label), 0..5));
        (scheme, host, port, rest).prop_map(|(scheme, (first, more), port, rest)| {
            let more: String =
                more.into_iter().map(|(between, label)| [between, label].concat()).collect();
            [scheme, first, &more, port, rest].concat()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_url_is_taken_that_browsers_refuse_or_read_otherwise(text in urls()) {
            let agreement = agrees(&text);
            prop_assert!(agreement.is_ok() || has_punycode(&text), "{agreement:?}");
        }

        #[test]
        fn nor_any_text(text in "https?://[ -~\u{e9}\u{2028}\u{3002}\t\n]{0,20}") {
            let agreement = agrees(&text);
            prop_assert!(agreement.is_ok() || has_punycode(&text), "{agreement:?}");
        }

        #[test]
        fn names_in_other_scripts_are_taken_in_punycode(name in "[\u{e0}-\u{f6}\u{3b1}-\u{3c9}\u{430}-\u{44f}\u{4e00}-\u{4fff}a-z]{1,12}") {
            let text = format!("https://{name}.test/");
            // Letters of two directions or a mapped one: browsers refuse some, and write others.
            if let Some(origin) = by_browsers(&text) {
                prop_assert_eq!(agrees(&origin), Ok(true));
            }
        }

        #[test]
        fn what_browsers_write_is_taken(host in "[a-z][a-z0-9-]{0,10}(\\.[a-z][a-z0-9]{0,10}){0,3}", port in 1_u16..) {
            let text = format!("https://{host}:{port}/");
            prop_assume!(!has_punycode(&text));
            prop_assert_eq!(agrees(&text), Ok(true));
        }
    }
}
