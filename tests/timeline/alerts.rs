//! Faults in virtual time, as Prometheus would have seen them: the series of `docs/alerts/tests.yml`,
//! on which promtool tries the alerts. Which alert has to fire in which story is written here by
//! hand; that nothing else fires is expected as well.
//!
//! `DOORWARD_WRITE=1 cargo test --test timeline alerts` writes the file anew.

use std::collections::BTreeMap;

use doorward::{
    Capabilities, Config, Decision, Effect, EffectResult, Engine, PendingEffect, RequestHead,
    UnixTime, prometheus_without_engine,
};
use serde_json::json;

use crate::service::{Answer, Fault, Service, TOKEN};
use crate::support::{ORIGIN, measuring_engine_of};
use crate::world::START;

const FILE: &str = "docs/alerts/tests.yml";
const RULES: &str = include_str!("../../docs/alerts/prometheus.yml");
const MINUTE: i64 = 60_000;
const LIST: &str = "https://lists.example.com/revoked";
/// How often a request of each kind comes, in milliseconds; of a story that goes on for a day, less
/// often.
const EVERY: i64 = 11_000;
const SELDOM: i64 = 55_000;

/// What goes wrong, from a minute on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// The auth service does not answer.
    AuthService,
    /// Its key set cannot be fetched.
    KeySet,
    /// It signs with a key that its key set does not have.
    Rotation,
    /// The same, and its key set has it: a rotation as it should be.
    GoodRotation,
    /// The deny-list cannot be fetched.
    DenyList,
    /// It has another secret than the gate.
    Secret,
    /// The configuration has mistakes.
    Configuration,
    /// Nothing is there to be scraped.
    Scrape,
    /// Nobody sends a request.
    Idle,
    /// Some client sends tokens with a `kid` that never was, all the time.
    Scanner,
    /// One request in twenty has a forged cookie.
    Forger,
}
use Wrong::*;

/// A story: how it is called, what goes wrong and from which minute on, members of the deny-list,
/// and what fires in which minute.
struct Story {
    name: &'static str,
    wrong: Wrong,
    from: i64,
    max_stale: u32,
    at: &'static [(i64, &'static [(&'static str, &'static str)])],
}

const ISSUER: &str = "issuer: better-auth";
const STORIES: &[Story] = &[
    Story {
        name: "nothing is wrong",
        wrong: Nothing,
        from: 0,
        max_stale: 300,
        at: &[(20, &[]), (100, &[])],
    },
    Story {
        name: "nobody sends a request for hours",
        wrong: Idle,
        from: 10,
        max_stale: 300,
        at: &[(20, &[]), (150, &[])],
    },
    Story {
        name: "the configuration has mistakes",
        wrong: Configuration,
        from: 10,
        max_stale: 300,
        at: &[(9, &[]), (13, &[("DoorwardNotStarted", "instance: gate")])],
    },
    Story {
        name: "there is nothing to scrape",
        wrong: Scrape,
        from: 10,
        max_stale: 300,
        at: &[(9, &[]), (18, &[("DoorwardNotStarted", "")])],
    },
    Story {
        name: "the auth service does not answer",
        wrong: AuthService,
        from: 20,
        max_stale: 300,
        at: &[(20, &[]), (35, &[("DoorwardAuthServiceUnavailable", "")])],
    },
    Story {
        name: "the key set cannot be fetched",
        wrong: KeySet,
        from: 20,
        max_stale: 300,
        at: &[(20, &[]), (70, &[]), (100, &[("DoorwardKeysGettingOld", ISSUER)])],
    },
    Story {
        name: "the issuer signs with a key that is not in its set",
        wrong: Rotation,
        from: 20,
        max_stale: 300,
        at: &[(20, &[]), (45, &[("DoorwardRotationMissed", ISSUER)])],
    },
    Story {
        name: "the issuer rotates its key",
        wrong: GoodRotation,
        from: 20,
        max_stale: 300,
        at: &[(20, &[]), (45, &[])],
    },
    Story {
        name: "a client sends tokens of no key all the time",
        wrong: Scanner,
        from: 0,
        max_stale: 300,
        at: &[(1530, &[])],
    },
    Story {
        name: "the deny-list cannot be fetched, and old ones do for a day",
        wrong: DenyList,
        from: 20,
        max_stale: 86_400,
        at: &[(20, &[]), (29, &[]), (45, &[("DoorwardRevocationLate", "")])],
    },
    Story {
        name: "the deny-list cannot be fetched, and old ones do for five minutes",
        wrong: DenyList,
        from: 20,
        max_stale: 300,
        at: &[(20, &[]), (40, &[("DoorwardRevocationLate", "")])],
    },
    Story {
        name: "the auth service has another secret",
        wrong: Secret,
        from: 20,
        max_stale: 300,
        at: &[(20, &[]), (45, &[("DoorwardMisconfiguredSecret", "")])],
    },
    Story {
        name: "one cookie in twenty is forged",
        wrong: Forger,
        from: 20,
        max_stale: 300,
        at: &[(20, &[]), (45, &[])],
    },
];

#[test]
fn the_series_that_alerts_are_tried_on_are_those_of_real_faults() {
    let written = file();
    if std::env::var_os("DOORWARD_WRITE").is_some() {
        std::fs::write(FILE, &written).unwrap_or_else(|error| panic!("{FILE}: {error}"));
    }
    let kept = std::fs::read_to_string(FILE).unwrap_or_else(|error| panic!("{FILE}: {error}"));
    println!("{} stories, {} bytes", STORIES.len(), written.len());
    assert!(kept == written, "{FILE} is not what the stories give: DOORWARD_WRITE=1 writes it");
}

/// Each alert of the rules fires in some story, and stays silent in some.
#[test]
fn every_alert_has_a_fault_and_a_section_that_says_what_to_do() {
    let page = include_str!("../../docs/alerts/README.md");
    let alerts = alerts();
    assert_eq!(alerts.len(), 6);
    for (alert, _) in alerts {
        let fires =
            |(_, firing): &(i64, &[(&str, &str)])| firing.iter().any(|(own, _)| *own == alert);
        assert!(STORIES.iter().any(|story| story.at.iter().any(fires)), "{alert} has no fault");
        let section = page.split("\n## ").find_map(|section| section.strip_prefix(alert));
        assert!(
            section.is_some_and(|section| section.contains("**Do:**")),
            "{alert} has no section"
        );
    }
}

/// The rules' names, with what is written under each.
fn alerts() -> Vec<(&'static str, &'static str)> {
    let rules = RULES.split("- alert: ").skip(1);
    rules.filter_map(|rule| rule.split_once('\n')).collect()
}

/// The file for promtool.
fn file() -> String {
    let mut text = "# Made by tests/timeline/alerts.rs: what a gate counts while something goes wrong, in virtual\n\
        # time, and which alerts have to fire by it. All others have to be silent.\n\
        rule_files: [prometheus.yml]\nevaluation_interval: 1m\ntests:\n"
        .to_owned();
    for story in STORIES {
        text.push_str(&format!(
            "  - name: {:?}\n    interval: 1m\n    input_series:\n",
            story.name
        ));
        for (series, values) in told(story) {
            text.push_str(&format!(
                "      - series: '{series}'\n        values: '{}'\n",
                runs(&values)
            ));
        }
        text.push_str("    alert_rule_test:\n");
        for (minute, firing) in story.at {
            for (alert, rule) in alerts() {
                let labels = firing.iter().find(|(own, _)| *own == alert).map(|(_, labels)| labels);
                text.push_str(&format!(
                    "      - {{ eval_time: {minute}m, alertname: {alert}, exp_alerts: ["
                ));
                if let Some(labels) = labels {
                    let of_rule = |start: &str| {
                        let line =
                            rule.lines().map(str::trim).find_map(|line| line.strip_prefix(start));
                        line.unwrap_or_else(|| panic!("{alert} has no {start}"))
                    };
                    let severity = of_rule("labels: { ").trim_end_matches(" }");
                    let comma = if labels.is_empty() { "" } else { ", " };
                    let summary = of_rule("summary: ");
                    text.push_str(&format!("{{ exp_labels: {{ {severity}{comma}{labels} }}, exp_annotations: {{ summary: {summary} }} }}"));
                }
                text.push_str("] }\n");
            }
        }
    }
    text
}

/// What Prometheus has scraped, each minute, of the names that alerts use.
fn told(story: &Story) -> BTreeMap<String, Vec<Option<i64>>> {
    let last = story.at.iter().map(|(minute, _)| *minute).max().unwrap_or(0);
    let mut site = Site::new(story.max_stale);
    let mut series: BTreeMap<String, Vec<Option<i64>>> = BTreeMap::new();
    for minute in 0..=last {
        let is_wrong = minute > story.from;
        site.minute(START + (minute - 1) * MINUTE, if is_wrong { story.wrong } else { Nothing });
        let text = match story.wrong {
            Scrape if is_wrong => String::new(),
            Configuration if is_wrong => without_engine(),
            _ => site.engine.prometheus("test", UnixTime::from_millis(START + minute * MINUTE)),
        };
        let length = usize::try_from(minute).unwrap_or(0);
        for line in text.lines() {
            let Some((name, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            let (family, labels) = name.split_once('{').unwrap_or((name, "}"));
            if !RULES.contains(family) {
                continue;
            }
            let comma = if labels == "}" { "" } else { "," };
            let named = format!("{family}{{instance=\"gate\",job=\"doorward\"{comma}{labels}");
            let values = series.entry(named).or_default();
            values.resize(length, None);
            values.push(value.parse().ok());
        }
    }
    series
}

/// The text of a gate whose configuration does not compile.
fn without_engine() -> String {
    let document = json!({ "issuers": [{ "type": "better-auth" }], "rules": [{ "path": "app" }] });
    let config = Config::parse(&document.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let errors = config.compile(&BTreeMap::new(), &Capabilities::none()).err().unwrap_or_default();
    assert!(errors.len() > 1, "{errors:?}");
    prometheus_without_engine("test", u32::try_from(errors.len()).unwrap_or(0))
}

/// Values in promtool's notation: `a+bxn` is `a` and `n` more, each by `b` larger; `_` is none.
fn runs(values: &[Option<i64>]) -> String {
    let mut parts = Vec::new();
    let mut rest = values;
    while let Some(first) = rest.first() {
        let step = match (first, rest.get(1)) {
            (Some(first), Some(Some(second))) => second - first,
            _ => 0,
        };
        let follows = |pair: &&[Option<i64>]| match (pair[0], pair[1]) {
            (Some(one), Some(next)) => next - one == step,
            (one, next) => one == next,
        };
        let more = rest.windows(2).take_while(follows).count();
        parts.push(match first {
            Some(first) if more == 0 => first.to_string(),
            Some(first) => format!("{first}{step:+}x{more}"),
            None if more == 0 => "_".to_owned(),
            None => format!("_x{}", more + 1),
        });
        rest = &rest[more + 1..];
    }
    parts.join(" ")
}

/// A gate, an auth service and those who send requests.
struct Site {
    engine: Engine,
    service: Service,
    cookie: String,
    requests: i64,
    /// What does not answer.
    away: Wrong,
    has_good_keys: bool,
}

impl Site {
    fn new(max_stale: u32) -> Self {
        let deny_list = json!({ "url": LIST, "max_stale_seconds": max_stale });
        let mut service = Service::new();
        service.writes_cache = false;
        let lines = service.sign_in("ada", START);
        let line = lines
            .iter()
            .find_map(|line| line.split(';').next().filter(|pair| pair.starts_with(TOKEN)));
        Self {
            engine: measuring_engine_of(
                json!({ "secret": { "env": "SECRET" } }),
                json!({ "deny_list": deny_list }),
            ),
            service,
            cookie: line.unwrap_or_default().to_owned(),
            requests: 0,
            away: Nothing,
            has_good_keys: true,
        }
    }

    /// A minute of requests: by a session, and by a JWT.
    fn minute(&mut self, from: i64, wrong: Wrong) {
        if wrong == Idle || from < START {
            return;
        }
        self.away = wrong;
        self.service.fault = if wrong == AuthService { |_| Fault::Down } else { |_| Fault::None };
        // The key that signs, and whether the set has it.
        self.service.key = usize::from(matches!(wrong, Rotation | GoodRotation));
        self.has_good_keys = wrong != Rotation;
        let every = if wrong == Scanner { SELDOM } else { EVERY };
        for at in (from..from + MINUTE).step_by(usize::try_from(every).unwrap_or(1)) {
            self.requests += 1;
            let is_forged = wrong == Secret || wrong == Forger && self.requests % 20 == 0;
            let cookie = if is_forged { self.forged() } else { self.cookie.clone() };
            self.request(&[("cookie", &cookie), ("accept", "text/html")], at);
            let claims = json!({ "sub": "ada", "iat": at / 1000, "exp": at / 1000 + 900, "iss": ORIGIN, "aud": ORIGIN });
            let bearer = format!("Bearer {}", self.service.jwt(&claims));
            self.request(&[("authorization", &bearer)], at + 1);
            if wrong == Scanner {
                let key = std::mem::replace(&mut self.service.key, 1);
                let bearer = format!("Bearer {}", self.service.jwt(&claims));
                self.service.key = key;
                self.request(&[("authorization", &bearer)], at + 2);
            }
        }
    }

    /// The session cookie by another secret.
    fn forged(&self) -> String {
        let mut other = Service::new();
        other.secret = "another-environment-s-secret-0123456789".to_owned();
        let lines = other.sign_in("ada", START);
        lines
            .iter()
            .find_map(|line| line.split(';').next().filter(|pair| pair.starts_with(TOKEN)))
            .unwrap_or_default()
            .to_owned()
    }

    fn request(&mut self, headers: &[(&str, &str)], mut at: i64) {
        let head = RequestHead {
            method: "GET",
            target: "/app",
            headers,
            public_origin: ORIGIN,
            client_address: None,
        };
        let mut decision = self.engine.decide(&head, UnixTime::from_millis(at));
        while let Decision::Perform(pending) = decision {
            decision = self.with_result(pending, &mut at, |engine, pending, result, now| {
                engine.resume(&head, pending, result, now)
            });
        }
        let Decision::Forward(forward) = decision else { return };
        if let Some(pending) = forward.alongside {
            let _ = self.with_result(pending, &mut at, |engine, pending, result, now| {
                engine.finish(pending, result, &[], now)
            });
        }
        if let Some(pending) = forward.after {
            self.with_result(pending, &mut at, |engine, pending, result, now| {
                engine.receive(pending, result, now)
            });
        }
    }

    fn with_result<T>(
        &mut self,
        pending: PendingEffect,
        at: &mut i64,
        take: impl FnOnce(&mut Engine, PendingEffect, EffectResult<'_>, UnixTime) -> T,
    ) -> T {
        let answer = match pending.effect() {
            Effect::Wait { millis } => {
                *at += i64::from(*millis);
                return take(
                    &mut self.engine,
                    pending,
                    EffectResult::Waited,
                    UnixTime::from_millis(*at),
                );
            }
            Effect::Fetch(fetch) => match fetch.purpose {
                "keys" => self.keys(),
                "deny-list" => {
                    (self.away != DenyList).then(|| json!({ "sessions": [] }).to_string())
                }
                _ => self.session(&fetch.url, *at).map(|answer| answer.body),
            },
            other => panic!("{other:?} is none of this site's"),
        };
        let now = UnixTime::from_millis(*at);
        match &answer {
            Some(body) => {
                let result =
                    EffectResult::Answered { status: 200, headers: &[], body: body.as_bytes() };
                take(&mut self.engine, pending, result, now)
            }
            None => take(&mut self.engine, pending, EffectResult::Unreachable("ECONNREFUSED"), now),
        }
    }

    fn keys(&mut self) -> Option<String> {
        let key = self.service.key;
        self.service.key = if self.has_good_keys { key } else { 0 };
        let set = self.service.key_set().body;
        self.service.key = key;
        (self.away != KeySet).then_some(set)
    }

    fn session(&mut self, url: &str, at: i64) -> Option<Answer> {
        let (name, value) = self.cookie.split_once('=')?;
        let cookies = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        self.service.get_session(url, &cookies, at)
    }
}
