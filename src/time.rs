//! Time as the host gives it: the core never reads a clock.

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
///
/// Better Auth's cookies count milliseconds, JWTs count seconds (`NumericDate`, RFC 7519 section 2);
/// seconds are widened when they enter, so one type is compared everywhere.
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

    /// How many milliseconds from `earlier` to here; never negative, so a clock that steps back counts as no time.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        let millis = self.0.saturating_sub(earlier.0);
        if millis < 0 { 0 } else { millis }
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
