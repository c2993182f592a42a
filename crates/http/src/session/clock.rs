//! The time on both clocks. On Linux from the coarse ones, which cost a tenth and are exact to some milliseconds.

use proofkey_core::session::Now;

pub use system::uptime;
pub(super) use system::{now, tick};

#[cfg(target_os = "linux")]
mod system {
    use super::Now;
    use rustix::time::{ClockId, clock_gettime};

    pub(in super::super) fn now() -> Now {
        Now::new(milliseconds(ClockId::RealtimeCoarse), milliseconds(ClockId::MonotonicCoarse))
    }

    /// Another number as soon as a clock has gone on: the coarse ones go on together.
    pub(in super::super) fn tick() -> u64 {
        let time = clock_gettime(ClockId::MonotonicCoarse);
        // Nanoseconds take 30 bits.
        number(time.tv_sec) << 30 | number(time.tv_nsec)
    }

    /// Seconds on a clock that is never set.
    #[must_use]
    pub fn uptime() -> u64 {
        number(clock_gettime(ClockId::MonotonicCoarse).tv_sec)
    }

    fn milliseconds(clock: ClockId) -> u64 {
        let time = clock_gettime(clock);
        number(time.tv_sec).saturating_mul(1_000).saturating_add(number(time.tv_nsec) / 1_000_000)
    }

    fn number(number: impl TryInto<u64>) -> u64 {
        number.try_into().unwrap_or_default()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Now;
    use std::sync::OnceLock;
    use std::time::{Duration, Instant, SystemTime};

    pub(in super::super) fn now() -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now::new(milliseconds(wall), tick())
    }

    /// The milliseconds of uptime: another number as soon as a millisecond has passed.
    pub(in super::super) fn tick() -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        milliseconds(START.get_or_init(Instant::now).elapsed())
    }

    /// Seconds on a clock that is never set.
    #[must_use]
    pub fn uptime() -> u64 {
        tick() / 1_000
    }

    fn milliseconds(time: Duration) -> u64 {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::{Duration, SystemTime};

    #[test]
    fn both_clocks_go_on() {
        let system = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let before = now();
        assert!(before.seconds().abs_diff(system) <= 1);
        thread::sleep(Duration::from_millis(50));
        assert_ne!(now(), before);
    }
}
