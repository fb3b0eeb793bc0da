//! Time as the host gives it: the core never reads a clock.

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
///
/// Better Auth's cookies count milliseconds, JWTs count seconds (`NumericDate`, RFC 7519 section
/// 2); seconds are widened when they enter, so one type is compared everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The moment `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment `seconds` after the epoch, or nothing where that does not fit.
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(1000) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `millis` later, staying at the end of time instead of wrapping.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// `duration` later.
    pub const fn plus(self, duration: Seconds) -> Self {
        self.plus_millis(duration.as_millis())
    }

    /// How many milliseconds from `earlier` to here; never negative, so a clock that steps back
    /// counts as no time.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        let millis = self.0.saturating_sub(earlier.0);
        if millis < 0 { 0 } else { millis }
    }
}

/// From when until when a credential is good: the first moment, and the first moment at which it is
/// no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: UnixTime,
    pub(crate) until: UnixTime,
}

impl Window {
    /// All moments before this one.
    pub(crate) const fn up_to(until: UnixTime) -> Self {
        Self { from: UnixTime(i64::MIN), until }
    }

    /// Whether a moment lies inside.
    pub(crate) fn contains(self, moment: UnixTime) -> bool {
        self.from <= moment && moment < self.until
    }
}

/// A duration in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Seconds(u32);

impl Seconds {
    /// A duration of `seconds`.
    pub const fn new(seconds: u32) -> Self {
        Self(seconds)
    }

    /// The number of seconds.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The same in milliseconds.
    #[allow(clippy::as_conversions, clippy::arithmetic_side_effects)] // u32 times 1000 fits i64; `From` is not const
    pub const fn as_millis(self) -> i64 {
        self.0 as i64 * 1000
    }
}

/// Reads the instant that JavaScript's `Date.prototype.toISOString` writes:
/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, years 0 to 9999.
pub(crate) fn from_iso(text: &str) -> Option<UnixTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (clock, millis) = time.split_once('.')?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let millis = number(millis, 3)?;
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let (next_year, next_month) =
        if month == 12 { (year.checked_add(1)?, 1) } else { (year, month.checked_add(1)?) };
    let days = days_from_civil(year, month, day)?;
    // No month has a day that lies in the next one.
    if days >= days_from_civil(next_year, next_month, 1)? {
        return None;
    }
    let seconds = days.checked_mul(86_400)?.checked_add(hour.checked_mul(3600)?)?;
    let seconds = seconds.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    UnixTime::from_seconds(seconds).map(|moment| moment.plus_millis(millis))
}

/// The instant as JavaScript's `Date.prototype.toISOString` writes it, where its year is one of 0
/// to 9999.
#[allow(clippy::arithmetic_side_effects)] // the days of four-digit years stay far inside i64
#[cold]
#[inline(never)]
pub(crate) fn to_iso(moment: UnixTime) -> Option<String> {
    let seconds = moment.as_seconds();
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    if !(-719_528..2_932_897).contains(&days) {
        return None;
    }
    // `days_from_civil`, the other way round.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let mut text = String::new();
    for (number, width, after) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (of_day / 3600, 2, ':'),
        (of_day / 60 % 60, 2, ':'),
        (of_day % 60, 2, '.'),
        (moment.as_millis().rem_euclid(1000), 3, 'Z'),
    ] {
        let digits = number.to_string();
        text.extend(std::iter::repeat_n('0', digits.len().abs_diff(width)));
        text.push_str(&digits);
        text.push(after);
    }
    Some(text)
}

/// Reads a date of HTTP in the form that is sent: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section
/// 5.6.7).
#[cold]
#[inline(never)]
pub(crate) fn from_http_date(text: &str) -> Option<UnixTime> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut parts = text.split_once(", ")?.1.split(' ');
    let [day, month, year, clock] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let month = MONTHS.find(month).filter(|at| at % 3 == 0 && month.len() == 3)?;
    let month = month.checked_div(3)?.checked_add(1)?.to_string();
    let zero = if month.len() == 1 { "0" } else { "" };
    from_iso(&[year, "-", zero, &month, "-", day, "T", clock, ".000Z"].concat())
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let [first, second, third] = widths;
    let found = [
        number(parts.next()?, first)?,
        number(parts.next()?, second)?,
        number(parts.next()?, third)?,
    ];
    if parts.next().is_some() { None } else { Some(found) }
}

fn number(text: &str, width: usize) -> Option<i64> {
    if text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Days since the epoch of a day in the proleptic Gregorian calendar, counting years from March so
/// that the leap day is last.
#[allow(clippy::arithmetic_side_effects)] // four-digit years stay far inside i64
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_instants_are_read_as_javascript_wrote_them() {
        // Each pair was printed by `new Date(millis).toISOString()`.
        for (text, millis) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2026-11-23T03:00:00.250Z", 1_795_402_800_250),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-03-01T00:00:00.000Z", 951_868_800_000),
            ("2026-12-31T00:00:00.000Z", 1_798_675_200_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(from_iso(text), Some(UnixTime::from_millis(millis)), "{text}");
            assert_eq!(to_iso(UnixTime::from_millis(millis)).as_deref(), Some(text), "{millis}");
        }
    }

    #[test]
    fn dates_of_http_are_read_in_the_form_that_is_sent() {
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 00:00:00 GMT", Some(1_709_164_800)),
            ("Sun, 06 anF 1994 08:49:37 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("", None),
        ] {
            assert_eq!(from_http_date(text), seconds.and_then(UnixTime::from_seconds), "{text}");
        }
    }

    #[test]
    fn other_spellings_of_instants_are_refused() {
        for text in [
            "2026-11-23T03:00:00Z",
            "2026-11-23",
            "2026-11-23T03:00:00.250",
            "2026-13-01T00:00:00.000Z",
            "2027-02-29T00:00:00.000Z",
            "2027-02-30T00:00:00.000Z",
            "2027-04-31T00:00:00.000Z",
            "x",
            "",
            "+26-11-23T03:00:00.250Z",
        ] {
            assert_eq!(from_iso(text), None, "{text}");
        }
    }
}
