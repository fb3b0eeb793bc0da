//! Counters: what has been decided, verified and asked for, as numbers by labels. Data only: a host
//! drains them or writes them out, where it has asked for them
//! ([`crate::Capabilities::and_measuring`]). `docs/reference/metrics.md` has every name and label.
//!
//! Rules of this file:
//! - a label has few values: a word of this code, a rule, or an issuer. Nothing that a client writes
//!   becomes one;
//! - the number of series is bounded: what would be one more is only counted as dropped;
//! - there is no clock: how long something took, the host says.

use crate::encoding::json;

/// More labels than that no family has.
const MOST_LABELS: usize = 6;
/// So many series are kept, about a hundred bytes each.
const MAX_SERIES: usize = 2048;
/// So many rules and issuers have series of their own; the others share `other`.
pub(crate) const MAX_NAMED: usize = 64;
/// The upper bounds of the classes of durations, in microseconds, as labels in seconds.
const BOUNDS: [(u64, &str); 11] = [
    (25, "0.000025"),
    (100, "0.0001"),
    (250, "0.00025"),
    (1_000, "0.001"),
    (5_000, "0.005"),
    (25_000, "0.025"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (3_000_000, "3"),
    (u64::MAX, "+Inf"),
];

macro_rules! families {
    ($($(#[$doc:meta])* $Name:ident $kind:ident $name:literal $labels:expr;)*) => {
        /// What is measured together: one name, with a series for each combination of labels.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Family {
            $($(#[$doc])* $Name,)*
        }

        impl Family {
            /// Every family, in the table's order.
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$Name),*];

            const ABOUT: &'static [(&'static str, Kind, &'static [&'static str])] =
                &[$(($name, Kind::$kind, &$labels)),*];

            /// Its name, and those of its labels.
            #[allow(clippy::as_conversions)] // the number of a family is its place in the table
            pub(crate) fn about(self) -> (&'static str, Kind, &'static [&'static str]) {
                Self::ABOUT.get(self as usize).copied().unwrap_or(("", Kind::Gauge, &[]))
            }
        }
    };
}

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows.
    Counter,
    /// It is what holds now.
    Gauge,
    /// How many durations were at most so long: the first part of a histogram.
    Buckets,
    /// The sum of the durations, in microseconds.
    Sum,
    /// How many there were.
    Count,
}

families! {
    /// Requests that were decided, and those that failed after they were forwarded.
    Decisions Counter "doorward_decisions_total" ["outcome", "reason", "kind", "rule", "issuer", "mode"];
    /// Credentials of decided requests.
    Credentials Counter "doorward_credentials_total" ["credential", "verdict", "issuer"];
    /// Requests that would have been refused without report mode.
    WouldRefuse Counter "doorward_would_refuse_total" ["reason", "rule"];
    /// Redirect loops, by why each round ended without a session.
    Loops Counter "doorward_loops_total" ["cause"];
    /// Requests whose path was refused, by what stands out in it.
    PathsRefused Counter "doorward_paths_refused_total" ["family"];
    /// Effects that were performed.
    Effects Counter "doorward_effects_total" ["purpose", "outcome"];
    /// What a request found when it first looked into a cache.
    CacheLookups Counter "doorward_cache_lookups_total" ["cache", "result"];
    /// Fetches of a key set for a `kid` that it did not have.
    UnknownKid Counter "doorward_unknown_kid_total" ["issuer"];
    /// Renewals of cookies.
    Renewals Counter "doorward_renewals_total" ["outcome"];
    DecisionBuckets Buckets "doorward_decision_duration_seconds_bucket" ["via", "le"];
    DecisionSum Sum "doorward_decision_duration_seconds_sum" ["via"];
    DecisionCount Count "doorward_decision_duration_seconds_count" ["via"];
    EffectBuckets Buckets "doorward_effect_duration_seconds_bucket" ["purpose", "le"];
    EffectSum Sum "doorward_effect_duration_seconds_sum" ["purpose"];
    EffectCount Count "doorward_effect_duration_seconds_count" ["purpose"];
    /// What was not counted, because there are too many series.
    Dropped Counter "doorward_series_dropped_total" [];
    /// How old the key set in use is.
    KeysAge Gauge "doorward_keys_age_seconds" ["issuer"];
    /// Usable keys.
    Keys Gauge "doorward_keys" ["issuer"];
    /// Keys of the set in use that are not used, by the rule of docs/strictness.md.
    KeysIgnored Gauge "doorward_keys_ignored" ["issuer", "rule"];
    /// Fetches of the key set that have failed since one succeeded.
    KeysFailures Gauge "doorward_keys_failed_fetches" ["issuer"];
    DenyListAge Gauge "doorward_deny_list_age_seconds" [];
    DenyListEntries Gauge "doorward_deny_list_entries" [];
    DenyListFailures Gauge "doorward_deny_list_failed_fetches" [];
    /// How far the clock of whoever answered last is ahead.
    ClockDifference Gauge "doorward_clock_difference_seconds" [];
    /// Mistakes in the configuration, for which the gate does not start.
    ConfigErrors Gauge "doorward_config_errors" [];
    /// Whether there is an engine.
    Started Gauge "doorward_started" [];
    BuildInfo Gauge "doorward_build_info" ["host", "version"];
}

/// The value of a label: one of few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    /// A word of this code. An empty one is none.
    Word(&'static str),
    /// The name of the rule with this number.
    Rule(usize),
    /// The name of the issuer at this place.
    Issuer(usize),
    /// The name of the host.
    Host,
    /// The upper bound of a class of durations.
    Bound(usize),
}

impl Label {
    const NONE: Self = Self::Word("");
    const OTHER: Self = Self::Word("other");

    pub(crate) fn rule(number: Option<usize>) -> Self {
        number.map_or(
            Self::NONE,
            |number| if number < MAX_NAMED { Self::Rule(number) } else { Self::OTHER },
        )
    }

    /// What it says, where that is a word of this code.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Bound(place) => BOUNDS.get(place).map(|(_, le)| *le),
            Self::Rule(_) | Self::Issuer(_) | Self::Host => None,
        }
    }

    pub(crate) fn issuer(place: Option<usize>) -> Self {
        place.map_or(
            Self::NONE,
            |place| if place < MAX_NAMED { Self::Issuer(place) } else { Self::OTHER },
        )
    }
}

/// One series of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    pub(crate) family: Family,
    labels: [Label; MOST_LABELS],
}

impl Series {
    /// With these labels, in the family's order; those that are left out are none.
    #[inline(never)] // it is large, and counting is rare beside deciding
    pub(crate) fn of(family: Family, given: &[Label]) -> Self {
        let mut labels = [Label::NONE; MOST_LABELS];
        labels.iter_mut().zip(given).for_each(|(label, given)| *label = *given);
        Self { family, labels }
    }

    /// Of words alone.
    #[inline(never)]
    pub(crate) fn words(family: Family, words: [&'static str; 2]) -> Self {
        Self::of(family, &words.map(Label::Word))
    }

    /// Names and values of its labels, without those that are none.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&'static str, Label)> {
        self.all_labels().filter(|(_, label)| *label != Label::NONE)
    }

    /// Names and values of its labels.
    pub(crate) fn all_labels(&self) -> impl Iterator<Item = (&'static str, Label)> {
        let (_, _, names) = self.family.about();
        names.iter().copied().zip(self.labels)
    }

    fn is_about_same(&self, other: &Self) -> bool {
        self.family == other.family && self.labels.first() == other.labels.first()
    }
}

/// A series and its number, in microseconds where the family is a [`Kind::Sum`].
pub(crate) type Sample = (Series, i64);

/// What one request is counted for when it is decided. It goes through the same steps again after
/// each effect.
#[derive(Debug, Default)]
pub(crate) struct Tally(Vec<Series>);

impl Tally {
    pub(crate) fn note(&mut self, family: Family, labels: &[Label]) {
        self.0.push(Series::of(family, labels));
    }

    /// The credentials are looked at once more: what came of them before does not count.
    pub(crate) fn forget_credentials(&mut self) {
        self.0.retain(|series| series.family != Family::Credentials);
    }

    /// Takes what came of one more step. Of lookups in one cache the first counts.
    pub(crate) fn take(&mut self, step: Self) {
        for series in step.0 {
            let is_first = || !self.0.iter().any(|before| before.is_about_same(&series));
            if series.family == Family::Credentials || is_first() {
                self.0.push(series);
            }
        }
    }
}

/// All counters of an engine, in the order of their series.
#[derive(Debug, Default)]
pub(crate) struct Counters(Vec<Counted>);

#[derive(Debug)]
struct Counted {
    series: Series,
    total: u64,
    drained: u64,
}

impl Counters {
    /// Counts one more.
    pub(crate) fn count(&mut self, series: Series) {
        self.add(series, 1);
    }

    /// Counts what a request has come to.
    pub(crate) fn take(&mut self, tally: Tally) {
        tally.0.into_iter().for_each(|series| self.count(series));
    }

    /// Counts a duration, in each class that it belongs to.
    pub(crate) fn time(
        &mut self,
        [buckets, sum, count]: [Family; 3],
        of: &'static str,
        micros: u64,
    ) {
        for (place, (bound, _)) in BOUNDS.into_iter().enumerate() {
            // One with nothing in it is there as well: a histogram has all of them.
            let labels = [Label::Word(of), Label::Bound(place)];
            self.add(Series::of(buckets, &labels), u64::from(micros <= bound));
        }
        self.add(Series::of(sum, &[Label::Word(of)]), micros);
        self.count(Series::of(count, &[Label::Word(of)]));
    }

    fn add(&mut self, series: Series, more: u64) {
        let place = match self.0.binary_search_by(|counted| counted.series.cmp(&series)) {
            Ok(place) => place,
            Err(place) if self.0.len() < MAX_SERIES || series.family == Family::Dropped => {
                self.0.insert(place, Counted { series, total: 0, drained: 0 });
                place
            }
            Err(_) => return self.add(Series::of(Family::Dropped, &[]), more),
        };
        if let Some(counted) = self.0.get_mut(place) {
            counted.total = counted.total.saturating_add(more);
        }
    }

    /// Everything since the beginning, in order.
    pub(crate) fn totals(&self) -> Vec<Sample> {
        self.0.iter().map(|counted| (counted.series, number(counted.total))).collect()
    }

    /// What was added since this was asked last.
    pub(crate) fn drain(&mut self) -> Vec<Sample> {
        let mut drained = Vec::new();
        for counted in &mut self.0 {
            let more = counted.total.saturating_sub(counted.drained);
            counted.drained = counted.total;
            if more > 0 {
                drained.push((counted.series, number(more)));
            }
        }
        drained
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The text format of Prometheus (exposition formats, version 0.0.4) of samples that are in order,
/// with what `name` says a label's value is.
#[inline(never)]
pub(crate) fn prometheus(samples: &[Sample], name: &dyn Fn(Label) -> String) -> String {
    let mut text = String::new();
    let mut last = None;
    for (series, value) in samples {
        let (family, kind, _) = series.family.about();
        if last != Some(series.family) {
            last = Some(series.family);
            let of_type = match kind {
                Kind::Counter => Some((family, " counter\n")),
                Kind::Gauge => Some((family, " gauge\n")),
                Kind::Buckets => family.strip_suffix("_bucket").map(|of| (of, " histogram\n")),
                Kind::Sum | Kind::Count => None,
            };
            if let Some((of, kind)) = of_type {
                text.extend(["# TYPE ", of, kind]);
            }
        }
        text.push_str(family);
        let mut before = "{";
        for (label, value) in series.labels() {
            // JSON escapes as Prometheus does, but for control characters, which are in no name.
            let value = json::quoted(&value.word().map_or_else(|| name(value), str::to_owned));
            text.extend([before, label, "=", &value]);
            before = ",";
        }
        if before == "," {
            text.push('}');
        }
        let value = if kind == Kind::Sum { in_seconds(*value) } else { value.to_string() };
        text.extend([" ", &value, "\n"]);
    }
    text
}

/// Microseconds as seconds, in decimal.
fn in_seconds(micros: i64) -> String {
    const MILLION: i64 = 1_000_000;
    let (whole, rest) = (micros / MILLION, micros % MILLION);
    let digits = rest.saturating_add(MILLION).to_string();
    [&whole.to_string(), ".", digits.get(1..).unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(counters: &Counters) -> String {
        prometheus(&counters.totals(), &|_| "/a \"b\"\\\n".to_owned())
    }

    #[test]
    fn names_are_those_of_prometheus_and_come_once() {
        let mut names = std::collections::BTreeSet::new();
        for family in Family::ALL {
            let (name, kind, labels) = family.about();
            assert!(names.insert(name), "{name} comes twice");
            assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert!(labels.len() <= MOST_LABELS, "{name}");
        }
        assert_eq!(names.len(), 27);
    }

    /// The page has every family with its labels, and no other.
    #[test]
    fn the_page_on_metrics_has_every_family_with_its_labels() {
        let page = include_str!("../docs/reference/metrics.md");
        let cells = |line: &str| {
            let mut cells = line.split('|').skip(1).map(|cell| cell.trim().replace('`', ""));
            (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
        };
        let rows = page.lines().filter(|line| line.starts_with("| `doorward_"));
        let documented: std::collections::BTreeSet<(String, String)> =
            rows.map(cells).filter(|(name, _)| name != "doorward_not_started_total").collect();
        let families = Family::ALL.iter().map(|family| family.about());
        let written = families.filter(|(_, kind, _)| !matches!(kind, Kind::Sum | Kind::Count)).map(
            |(name, _, labels)| {
                let labels: Vec<&str> =
                    labels.iter().copied().filter(|label| *label != "le").collect();
                (name.trim_end_matches("_bucket").to_owned(), labels.join(", "))
            },
        );
        assert_eq!(written.collect::<std::collections::BTreeSet<_>>(), documented);
    }

    #[test]
    fn the_text_is_that_of_prometheus() {
        let mut counters = Counters::default();
        counters
            .count(Series::of(Family::WouldRefuse, &[Label::Word("forbidden"), Label::Rule(0)]));
        counters.count(Series::words(Family::Effects, ["keys", "ok"]));
        counters.count(Series::words(Family::Effects, ["keys", "ok"]));
        counters.count(Series::of(Family::Dropped, &[]));
        let expected = "# TYPE doorward_would_refuse_total counter\n\
            doorward_would_refuse_total{reason=\"forbidden\",rule=\"/a \\\"b\\\"\\\\\\n\"} 1\n\
            # TYPE doorward_effects_total counter\n\
            doorward_effects_total{purpose=\"keys\",outcome=\"ok\"} 2\n\
            # TYPE doorward_series_dropped_total counter\n\
            doorward_series_dropped_total 1\n";
        assert_eq!(text(&counters), expected);
    }

    /// Classes are cumulative, and that of `+Inf` is the count (Prometheus, "Metric types").
    #[test]
    fn a_duration_is_in_its_class_and_in_all_above_it() {
        let mut counters = Counters::default();
        let families = [Family::EffectBuckets, Family::EffectSum, Family::EffectCount];
        for micros in [20, 24_000, 9_000_000] {
            counters.time(families, "keys", micros);
        }
        let text = text(&counters);
        for line in [
            "# TYPE doorward_effect_duration_seconds histogram",
            "doorward_effect_duration_seconds_bucket{purpose=\"keys\",le=\"0.000025\"} 1",
            "doorward_effect_duration_seconds_bucket{purpose=\"keys\",le=\"0.005\"} 1",
            "doorward_effect_duration_seconds_bucket{purpose=\"keys\",le=\"0.025\"} 2",
            "doorward_effect_duration_seconds_bucket{purpose=\"keys\",le=\"3\"} 2",
            "doorward_effect_duration_seconds_bucket{purpose=\"keys\",le=\"+Inf\"} 3",
            "doorward_effect_duration_seconds_sum{purpose=\"keys\"} 9.024020",
            "doorward_effect_duration_seconds_count{purpose=\"keys\"} 3",
        ] {
            assert!(text.lines().any(|own| own == line), "{line} is not in\n{text}");
        }
        assert_eq!(text.matches("# TYPE").count(), 1);
        assert_eq!(
            [in_seconds(0), in_seconds(20), in_seconds(1_000_001)],
            ["0.000000", "0.000020", "1.000001"]
        );
    }

    #[test]
    fn what_is_drained_is_not_drained_again_and_stays_in_the_total() {
        let mut counters = Counters::default();
        let series = Series::words(Family::Effects, ["keys", "ok"]);
        counters.count(series);
        assert_eq!(counters.drain(), [(series, 1)]);
        assert_eq!(counters.drain(), []);
        counters.count(series);
        counters.count(series);
        assert_eq!(counters.drain(), [(series, 2)]);
        assert_eq!(counters.totals(), [(series, 3)]);
    }

    #[test]
    fn series_are_bounded_and_what_is_dropped_is_counted() {
        let mut counters = Counters::default();
        for number in 0..MAX_SERIES * 2 {
            counters
                .count(Series::of(Family::WouldRefuse, &[Label::Word("x"), Label::Rule(number)]));
        }
        assert_eq!(counters.0.len(), MAX_SERIES + 1);
        let dropped =
            counters.totals().into_iter().find(|(series, _)| series.family == Family::Dropped);
        let total: i64 = counters.totals().iter().map(|(_, value)| value).sum();
        assert_eq!(total, i64::try_from(MAX_SERIES * 2).unwrap_or_default());
        assert!(dropped.is_some_and(|(_, value)| value > 0));
        assert_eq!(Label::rule(Some(MAX_NAMED)), Label::OTHER);
        assert_eq!(Label::issuer(Some(MAX_NAMED)), Label::OTHER);
    }

    #[test]
    fn of_the_steps_of_a_request_the_last_credentials_count_and_the_first_lookups() {
        let [miss, hit] = ["miss", "hit"].map(|result| [Label::Word("keys"), Label::Word(result)]);
        let [bad, good] =
            ["token_expired", "good"].map(|verdict| [Label::Word("jwt"), Label::Word(verdict)]);
        let mut tally = Tally::default();
        for (lookup, verdict) in [(miss, bad), (hit, good)] {
            let mut step = Tally::default();
            step.note(Family::CacheLookups, &lookup);
            step.note(Family::Credentials, &verdict);
            tally.forget_credentials();
            tally.take(step);
        }
        let expected =
            [Series::of(Family::CacheLookups, &miss), Series::of(Family::Credentials, &good)];
        assert_eq!(tally.0, expected);
    }
}
