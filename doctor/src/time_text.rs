//! Moments as text (RFC 3339), in UTC.

/// Milliseconds since 1970 of `2026-11-30T14:42:56.123Z`; also with a blank in place of `T`, without
/// a fraction, or with an offset.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut numbers = date.split('-').map(|number| number.parse::<i64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let split = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, offset) = time.split_at_checked(split)?;
    let mut numbers = clock.split(':');
    let hour: i64 = numbers.next()?.parse().ok()?;
    let minute: i64 = numbers.next()?.parse().ok()?;
    let seconds = numbers.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let second: i64 = second.parse().ok()?;
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let is_real = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute);
    if !is_real {
        return None;
    }
    let minutes = days(year, month, day)?
        .checked_mul(24)?
        .checked_add(hour)?
        .checked_mul(60)?
        .checked_add(minute)?
        .checked_sub(offset_minutes(offset)?)?;
    minutes
        .checked_mul(60)?
        .checked_add(second)?
        .checked_mul(1000)?
        .checked_add(thousandths.parse().ok()?)
}

fn offset_minutes(offset: &str) -> Option<i64> {
    let Some(sign) = offset.chars().next().filter(|sign| matches!(sign, '+' | '-')) else {
        return Some(0);
    };
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..4)?.parse().ok()?;
    let whole = hours.checked_mul(60)?.checked_add(minutes)?;
    Some(if sign == '-' { whole.checked_neg()? } else { whole })
}

/// Days from 1970 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    // The year begins in March, so that a leap day is its last.
    let year = if month < 3 { year.checked_sub(1)? } else { year };
    let month = if month < 3 { month.checked_add(9)? } else { month.checked_sub(3)? };
    let of_years = year
        .checked_mul(365)?
        .checked_add(year.div_euclid(4))?
        .checked_sub(year.div_euclid(100))?
        .checked_add(year.div_euclid(400))?;
    let of_months = month.checked_mul(153)?.checked_add(2)?.div_euclid(5);
    of_years.checked_add(of_months)?.checked_add(day)?.checked_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::millis;

    /// By `date -d … +%s`.
    #[test]
    fn moments_are_read() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-30T14:42:56.123Z", Some(1_796_049_776_123)),
            ("2024-02-29 12:00:00", Some(1_709_208_000_000)),
            ("2026-11-30T15:42:56+01:00", Some(1_796_049_776_000)),
            ("2026-13-01T00:00:00Z", None),
            ("yesterday", None),
        ];
        for (text, expected) in cases {
            assert_eq!(millis(text), expected, "{text}");
        }
    }
}
