//! Times in words.

use jiff::{Timestamp, tz::Offset};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The seconds since 1970.
pub fn now() -> u64 {
    since_1970(SystemTime::now())
}

/// A time in seconds since 1970.
pub fn since_1970(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Seconds since 1970 as a date: `2026-11-24 13:05:10 UTC`.
#[derive(Clone, Copy, Debug)]
pub struct Utc(pub u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX).min(Timestamp::MAX.as_second());
        let time = Offset::UTC.to_datetime(Timestamp::from_second(seconds).unwrap_or_default());
        write!(f, "{} {} UTC", time.date(), time.time())
    }
}

/// A number of seconds in its two largest units: `58 minutes`, `2 days 3 hours`.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = |f: &mut fmt::Formatter<'_>, count: u64, name: &str| {
            write!(f, "{count} {name}{}", if count == 1 { "" } else { "s" })
        };
        let units = [(DAY, "day", 3_600, "hour"), (3_600, "hour", 60, "minute"), (60, "minute", 1, "second")];
        let Some((large, name, small, small_name)) = units.into_iter().find(|(large, ..)| self.0 >= *large) else {
            return unit(f, self.0, "second");
        };
        unit(f, self.0 / large, name)?;
        match self.0 % large / small {
            // Minutes are exact enough from five on.
            0 => Ok(()),
            _ if large == 60 && self.0 >= 300 => Ok(()),
            rest => f.write_str(" ").and_then(|()| unit(f, rest, small_name)),
        }
    }
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (1_735_689_600, "2025-01-01 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(Utc(seconds).to_string(), text);
        }
        for end in [253_402_300_800, u64::MAX] {
            assert_eq!(Utc(end).to_string(), "9999-12-30 22:00:00 UTC", "the last one that has a date everywhere");
        }
    }

    #[test]
    fn spans_have_two_units() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (61, "1 minute 1 second"),
            (3_599, "59 minutes"),
            (3_600, "1 hour"),
            (3_661, "1 hour 1 minute"),
            (90_000, "1 day 1 hour"),
            (172_801, "2 days"),
        ] {
            assert_eq!(Span(seconds).to_string(), text);
        }
    }
}
