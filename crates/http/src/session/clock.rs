//! The time on both clocks. On Linux from the coarse ones, which cost a tenth and are exact to some milliseconds.

use proofkey_core::session::Now;

pub(super) use system::now;

#[cfg(target_os = "linux")]
mod system {
    use super::Now;
    use rustix::time::{ClockId, clock_gettime};

    pub(in super::super) fn now() -> Now {
        Now::new(milliseconds(ClockId::RealtimeCoarse), milliseconds(ClockId::MonotonicCoarse))
    }

    fn milliseconds(clock: ClockId) -> u64 {
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let rest = u64::try_from(time.tv_nsec).unwrap_or_default() / 1_000_000;
        seconds.saturating_mul(1_000).saturating_add(rest)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Now;
    use std::sync::OnceLock;
    use std::time::{Duration, Instant, SystemTime};

    pub(in super::super) fn now() -> Now {
        static START: OnceLock<Instant> = OnceLock::new();
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now::new(milliseconds(wall), milliseconds(START.get_or_init(Instant::now).elapsed()))
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
