//! Points in time and spans, as the wire counts them: unsigned milliseconds since the Unix epoch.
//!
//! The core never asks what time it is; `now` comes in as a value.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Milliseconds in a day of UTC (leap seconds do not exist in Unix time).
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Time(u64);

impl Time {
    /// Reads a moment with its offset from UTC (RFC 3339), or a day, which begins at midnight UTC.
    pub fn parse(text: &str) -> Option<Time> {
        let text = text.trim();
        let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp());
        let is_day = text.len() == "2026-11-22".len();
        let moment = if is_day { day() } else { text.parse::<Timestamp>().ok() };
        u64::try_from(moment?.as_millisecond()).ok().and_then(Time::from_ms)
    }

    /// The latest time the wire can carry: 9999-12-31T23:59:59.999Z, the last that RFC 3339 can print.
    pub const MAX: Time = Time(253_402_300_799_999);

    /// RFC 3339, UTC, milliseconds. By way of the calendar, since jiff's own timestamps end a day before ours do.
    pub fn rfc3339(self) -> String {
        let since_epoch = SignedDuration::from_millis(i64::try_from(self.0).expect("times end with the year 9999"));
        let at = DateTime::constant(1970, 1, 1, 0, 0, 0, 0) + since_epoch;
        format!("{at:.3}Z")
    }

    /// A time from milliseconds since the epoch; `None` beyond the year 9999.
    pub const fn from_ms(ms: u64) -> Option<Time> {
        if ms <= Self::MAX.0 { Some(Time(ms)) } else { None }
    }

    /// Milliseconds since the epoch.
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// This time and `ms` milliseconds, held at the latest time there is.
    pub const fn plus_ms(self, ms: u64) -> Time {
        let sum = self.0.saturating_add(ms);
        if sum > Self::MAX.0 { Self::MAX } else { Time(sum) }
    }

    /// This time and `days` days, held at the latest time there is.
    pub const fn plus_days(self, days: u32) -> Time {
        self.plus_ms(days as u64 * DAY_MS)
    }

    /// This time less `ms` milliseconds, held at the epoch.
    pub const fn minus_ms(self, ms: u64) -> Time {
        Time(self.0.saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to this time, 0 where it is not earlier.
    pub const fn since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The number of the UTC day, counted from the epoch; quotas are kept per such day.
    pub const fn day(self) -> u64 {
        self.0 / DAY_MS
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
