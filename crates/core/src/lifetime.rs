//! When to refresh: arithmetic on a time that the caller gives.

/// When an access token ends, and when to refresh it (RFC 6749 section 5.1, `expires_in`).
///
/// All times are seconds on one clock of the caller's choice. The lifetime counts from the moment the request was
/// *sent*, so that a slow answer never makes it too long.
///
/// ```
/// use proofkey_core::Lifetime;
///
/// let lifetime = Lifetime::new(1_000, Some(3_600));
/// assert_eq!(lifetime.remaining(2_000), Some(2_600));
/// assert!(!lifetime.is_due(4_539) && lifetime.is_due(4_540), "it is refreshed a minute early");
/// assert!(lifetime.is_expired(4_600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    requested_at: u64,
    expires_in: Option<u32>,
}

impl Lifetime {
    /// `expires_in` seconds from `requested_at` on; none if the server did not say.
    #[must_use]
    pub const fn new(requested_at: u64, expires_in: Option<u32>) -> Self {
        Self { requested_at, expires_in }
    }

    /// The first second at which the token has ended, at most `u64::MAX`.
    #[must_use]
    pub const fn expires_at(self) -> Option<u64> {
        match self.expires_in {
            Some(seconds) => Some(self.requested_at.saturating_add(seconds as u64)),
            None => None,
        }
    }

    /// The seconds left, never more than the server gave.
    #[must_use]
    pub const fn remaining(self, now: u64) -> Option<u32> {
        let (Some(given), Some(end)) = (self.expires_in, self.expires_at()) else { return None };
        let left = end.saturating_sub(now);
        Some(if left < given as u64 { left as u32 } else { given })
    }

    /// Whether the token has ended. A token of unknown lifetime never has: use it until a 401.
    ///
    /// A lifetime of 0 has ended from the start: such a token serves the one call it was fetched for.
    #[must_use]
    pub const fn is_expired(self, now: u64) -> bool {
        matches!(self.remaining(now), Some(0))
    }

    /// Whether to refresh now: a tenth of the lifetime is left, 60 seconds at most, or none at all.
    ///
    /// Also if `now` is before the request: the clock was set back, and the lifetime can no longer be trusted.
    #[must_use]
    pub const fn is_due(self, now: u64) -> bool {
        match (self.expires_in, self.remaining(now)) {
            (Some(given), Some(left)) => now < self.requested_at || left <= early(given),
            _ => false,
        }
    }

    /// How long before its end it is due, in milliseconds.
    pub(crate) const fn early(self) -> u64 {
        match self.expires_in {
            Some(given) => (early(given) as u64).saturating_mul(1000),
            None => 0,
        }
    }
}

const fn early(lifetime: u32) -> u32 {
    let tenth = lifetime / 10;
    if tenth < EARLY_AT_MOST { tenth } else { EARLY_AT_MOST }
}

const EARLY_AT_MOST: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_refreshed_a_minute_early() {
        let lifetime = Lifetime::new(1_000, Some(3_600));
        assert_eq!(lifetime.expires_at(), Some(4_600));
        for (now, left, due, expired) in [
            (0, 3_600, true, false),
            (999, 3_600, true, false),
            (1_000, 3_600, false, false),
            (4_539, 61, false, false),
            (4_540, 60, true, false),
            (4_599, 1, true, false),
            (4_600, 0, true, true),
            (u64::MAX, 0, true, true),
        ] {
            assert_eq!(lifetime.remaining(now), Some(left), "{now}");
            assert_eq!((lifetime.is_due(now), lifetime.is_expired(now)), (due, expired), "{now}");
        }
    }

    #[test]
    fn a_short_lifetime_is_refreshed_at_its_last_tenth() {
        for (expires_in, early) in [(0, 0), (1, 0), (9, 0), (10, 1), (100, 10), (599, 59), (600, 60), (u32::MAX, 60)] {
            let lifetime = Lifetime::new(7, Some(expires_in));
            let due_from = 7 + u64::from(expires_in) - early;
            assert!(lifetime.is_due(due_from), "{expires_in}");
            assert_eq!(lifetime.is_due(due_from - 1), expires_in == 0, "{expires_in}");
        }
    }

    #[test]
    fn zero_is_over_from_the_start() {
        let lifetime = Lifetime::new(50, Some(0));
        for now in [0, 49, 50, 51, u64::MAX] {
            assert!(lifetime.is_due(now) && lifetime.is_expired(now), "{now}");
            assert_eq!(lifetime.remaining(now), Some(0), "{now}");
        }
    }

    #[test]
    fn an_unknown_lifetime_never_ends() {
        let lifetime = Lifetime::new(50, None);
        assert_eq!(lifetime.expires_at(), None);
        for now in [0, 49, 50, u64::MAX] {
            assert_eq!(lifetime.remaining(now), None, "{now}");
            assert!(!lifetime.is_due(now) && !lifetime.is_expired(now), "{now}");
        }
    }

    #[test]
    fn the_end_of_time_saturates() {
        for requested_at in [u64::MAX - u64::from(u32::MAX) - 1, u64::MAX - 10, u64::MAX] {
            let lifetime = Lifetime::new(requested_at, Some(u32::MAX));
            let end = requested_at.saturating_add(u32::MAX.into());
            assert_eq!(lifetime.expires_at(), Some(end));
            assert!(lifetime.is_expired(u64::MAX) && lifetime.is_due(u64::MAX) && !lifetime.is_expired(end - 1));
            assert_eq!(lifetime.remaining(0), Some(u32::MAX));
        }
        assert_eq!(Lifetime::new(0, Some(u32::MAX)).expires_at(), Some(u32::MAX.into()));
    }
}
