//! What is measured: a decision is counted once, when it is final; hosts drain the counters or have
//! them written out.

use crate::decision::Decision;
use crate::effects::learned::Learned;
use crate::http::path::{self, Path};
use crate::http::request::RequestHead;
use crate::metrics::{Family, Kind, Label, MAX_NAMED, Sample, Series, prometheus};
use crate::policy::Policy;
use crate::policy::issuer::IssuerId;
use crate::reason::Reason;
use crate::response::refusal;
use crate::time::UnixTime;

use super::Engine;
use super::admission::{Counted, Leniency};

/// What a decision can have waited for, as labels.
const VIA: [&str; 3] = ["memory", "signature", "lookup"];
/// What effects are for, as labels.
const PURPOSES: [&str; 8] =
    ["keys", "storage", "session", "token", "deny_list", "signature", "assertion", "page"];

/// Something measured: since it was asked for last, or of this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The name of what is measured, as Prometheus has it.
    pub name: &'static str,
    /// Names and values of its labels, all of its family; the value of one that does not apply is
    /// empty.
    pub labels: Vec<(&'static str, String)>,
    /// By how much a counter has grown, or what a gauge says.
    pub value: f64,
    /// Whether it is what holds now, and no growth.
    pub is_gauge: bool,
}

/// What took some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duration<'a> {
    /// A decision, by what it has waited for: `memory` (nothing), `signature` or `lookup`.
    Decision(&'a str),
    /// An effect, by its purpose: `keys`, `storage`, `session`, `token`, `deny_list`, `signature`,
    /// `assertion` or `page`.
    Effect(&'a str),
}

/// The request that a decision is about.
type Request<'a> = (&'a RequestHead<'a>, Option<&'a Path<'a>>);

impl Engine {
    /// What was counted since this was asked last, and the gauges of this moment, by the host of
    /// this name. Nothing where the host does not measure ([`crate::Capabilities::and_measuring`]).
    pub fn measurements(&mut self, host: &str, now: UnixTime) -> Vec<Measurement> {
        let Some(counters) = &mut self.effects.counters else { return Vec::new() };
        let mut samples = counters.drain();
        samples.extend(self.gauges(now));
        let name = |label| name_of(&self.policy, host, label);
        samples.iter().map(|(series, value)| measurement(series, *value, &name)).collect()
    }

    /// Everything since the engine began and the gauges of this moment, in the text format of
    /// Prometheus.
    pub fn prometheus(&self, host: &str, now: UnixTime) -> String {
        let counters = self.effects.counters.as_ref();
        let mut samples = counters.map(|counters| counters.totals()).unwrap_or_default();
        samples.extend(self.gauges(now));
        prometheus(&samples, &|label| name_of(&self.policy, host, label))
    }

    /// Takes how long something took, in microseconds, from a host whose clock runs. A word that is
    /// none of those of [`Duration`] is not counted.
    pub fn took(&mut self, what: Duration<'_>, micros: u64) {
        let (families, words, word): (_, &[&'static str], _) = match what {
            Duration::Decision(via) => {
                ([Family::DecisionBuckets, Family::DecisionSum, Family::DecisionCount], &VIA, via)
            }
            Duration::Effect(purpose) => (
                [Family::EffectBuckets, Family::EffectSum, Family::EffectCount],
                &PURPOSES,
                purpose,
            ),
        };
        if let (Some(counters), Some(word)) =
            (&mut self.effects.counters, words.iter().find(|own| **own == word))
        {
            counters.time(families, word, micros);
        }
    }

    /// Counts a refusal that a host makes without the engine, because it could not read the head.
    pub fn note_refusal(&mut self, reason: Reason) {
        let labels = ["refuse", reason.code()];
        self.effects.count(|| Series::words(Family::Decisions, labels));
    }

    /// Counts a request that is forwarded: in spite of a reason, and why that is not enforced,
    /// perhaps.
    pub(super) fn count_forward(
        &mut self,
        request: Request<'_>,
        in_spite_of: Option<(Reason, Leniency)>,
        counted: Counted,
    ) {
        let (reason, mode) =
            in_spite_of.map_or(("", "enforce"), |(reason, mode)| (reason.code(), mode));
        let labels = self.count(["forward", reason, mode], request, counted);
        if let (Some([_, reason, _, rule, ..]), "report") = (labels, mode) {
            self.effects.count(|| Series::of(Family::WouldRefuse, &[reason, rule]));
        }
    }

    /// Counts a refusal: why, and what it has become.
    pub(super) fn count_refusal(
        &mut self,
        reason: Reason,
        request: Request<'_>,
        decision: &Decision,
        counted: Counted,
    ) {
        let (outcome, told) = match decision {
            // Also where a page of the application says so.
            Decision::Redirect(refusal) | Decision::Reject(refusal)
                if refusal.reason.status() == 503 =>
            {
                ("unavailable", refusal.reason)
            }
            Decision::Redirect(refusal) => ("redirect", refusal.reason),
            Decision::Reject(refusal) => ("refuse", refusal.reason),
            _ => return,
        };
        self.count([outcome, told.code(), "enforce"], request, counted);
        if told == Reason::RedirectLoop {
            let labels = [Label::Word(reason.code())];
            self.effects.count(|| Series::of(Family::Loops, &labels));
        }
        if told == Reason::PathRefused {
            let target = request.0.target;
            let family = || [Label::Word(path::family(target))];
            self.effects.count(|| Series::of(Family::PathsRefused, &family()));
        }
    }

    /// Counts a request that was forwarded, and has failed since.
    pub(super) fn count_failure(&mut self, reason: Reason, request: Request<'_>) {
        self.count(["failed", reason.code(), "enforce"], request, Counted::default());
    }

    /// Counts a renewal of cookies.
    pub(super) fn count_renewal(&mut self, learned: &Learned) {
        let outcome = match (learned.failure, learned.set_cookies.is_empty()) {
            (Some(_), _) => "failed",
            (None, true) => "unchanged",
            (None, false) => "renewed",
        };
        self.effects.count(|| Series::of(Family::Renewals, &[Label::Word(outcome)]));
    }

    /// Counts something that the gate itself has served.
    pub(super) fn count_served(&mut self, request: Request<'_>) {
        self.count(["serve", "", "enforce"], request, Counted::default());
    }

    /// Counts a final decision, and what the request was counted for. Gives the labels.
    fn count(
        &mut self,
        [outcome, reason, mode]: [&'static str; 3],
        (head, path): Request<'_>,
        counted: Counted,
    ) -> Option<[Label; 6]> {
        let counters = self.effects.counters.as_mut()?;
        counters.take(counted.tally);
        let strictest = || Some(self.policy.matched_rules(path?, head)?.strictest);
        let (rule, rules) = (counted.rule.or_else(strictest), &self.policy.rules);
        // Rules of one name are one series.
        let rule = rule.and_then(|rule| rules.iter().position(|own| own.name == rule.name));
        let kind = refusal::kind_of(head, path).name();
        let [outcome, reason, kind, mode] = [outcome, reason, kind, mode].map(Label::Word);
        let labels =
            [outcome, reason, kind, Label::rule(rule), Label::issuer(counted.issuer), mode];
        counters.count(Series::of(Family::Decisions, &labels));
        Some(labels)
    }

    /// What holds now, family by family.
    fn gauges(&self, now: UnixTime) -> Vec<Sample> {
        let since = |at: UnixTime| now.millis_since(at).max(0) / 1000;
        let mut gauges = Vec::new();
        for family in [Family::KeysAge, Family::Keys, Family::KeysIgnored, Family::KeysFailures] {
            let issuers = self.policy.issuers.iter().take(MAX_NAMED);
            for issuer in issuers.filter(|issuer| issuer.jwks_url.is_some()) {
                self.gauge_of_keys(family, issuer.id, now, &mut gauges);
            }
        }
        let mut add = |family, value| gauges.push((Series::of(family, &[]), value));
        if let Some(list) = &self.effects.deny_list {
            let in_use = list.in_use();
            if let Some((_, asked)) = in_use {
                add(Family::DenyListAge, since(asked));
            }
            if let Some((entries, _)) = in_use {
                add(Family::DenyListEntries, count(entries));
            }
            add(Family::DenyListFailures, list.failures().into());
        }
        add(Family::ClockDifference, self.effects.clock_difference);
        add(Family::ConfigErrors, 0);
        add(Family::Started, 1);
        gauges.push(build_info());
        gauges
    }

    /// What one family says of the keys of an issuer.
    #[inline(never)]
    fn gauge_of_keys(
        &self,
        family: Family,
        issuer: IssuerId,
        now: UnixTime,
        gauges: &mut Vec<Sample>,
    ) {
        let keys = &self.effects.keys;
        let label = Label::issuer(Some(issuer.place()));
        let (usable, fetched) = keys.in_use(issuer, now);
        let value = match family {
            Family::KeysAge => fetched.map(|fetched| now.millis_since(fetched).max(0) / 1000),
            Family::Keys => Some(count(usable)),
            Family::KeysFailures => Some(keys.failures(issuer).into()),
            _ => None,
        };
        gauges.extend(value.map(|value| (Series::of(family, &[label]), value)));
        if family != Family::KeysIgnored {
            return;
        }
        for rule in keys.ignored(issuer, now) {
            let series = Series::of(family, &[label, Label::Word(rule.name())]);
            match gauges.iter_mut().find(|(own, _)| *own == series) {
                Some((_, keys)) => *keys = keys.saturating_add(1),
                None => gauges.push((series, 1)),
            }
        }
    }
}

fn build_info() -> Sample {
    let version = Label::Word(env!("CARGO_PKG_VERSION"));
    (Series::of(Family::BuildInfo, &[Label::Host, version]), 1)
}

/// The same where there is no engine: with so many mistakes in the configuration, by the host of
/// this name.
pub fn prometheus_without_engine(host: &str, config_errors: u32) -> String {
    let gauges = [
        (Series::of(Family::ConfigErrors, &[]), config_errors.into()),
        (Series::of(Family::Started, &[]), 0),
        build_info(),
    ];
    prometheus(&gauges, &|_| host.to_owned())
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss)] // exact below 2^53
fn measurement(series: &Series, value: i64, name_of: &dyn Fn(Label) -> String) -> Measurement {
    let (name, kind, _) = series.family.about();
    let value = value as f64;
    Measurement {
        name,
        labels: series.all_labels().map(|(label, value)| (label, name_of(value))).collect(),
        value: if kind == Kind::Sum { value / 1e6 } else { value },
        is_gauge: kind == Kind::Gauge,
    }
}

/// What a label says.
fn name_of(policy: &Policy, host: &str, label: Label) -> String {
    let name = match label {
        Label::Rule(number) => policy.rules.get(number).map(|rule| rule.name.as_str()),
        Label::Issuer(place) => policy.issuers.get(place).map(|issuer| issuer.name.as_str()),
        Label::Host => Some(host),
        Label::Word(_) | Label::Bound(_) => label.word(),
    };
    name.unwrap_or_default().to_owned()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
