//! The line that counts down while the program waits for the user.

use crate::output;
use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A line with the time left, removed on drop. If standard error is not a terminal, it is written once.
#[derive(Debug)]
pub struct Countdown {
    live: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Countdown {
    /// Counts down from `length`. On a terminal the hint comes a little later: most users do not need it.
    pub fn start(length: Duration, awaited: &'static str, mut hint: Option<String>) -> Self {
        if !output::is_live() {
            output::note(format_args!("waiting for {awaited}, at most {}", clock(length)));
            hint.iter().for_each(output::note);
            return Self { live: None };
        }
        let (stop, stopped) = mpsc::channel();
        let end = Instant::now() + length;
        let ticker = thread::spawn(move || {
            loop {
                let left = end.saturating_duration_since(Instant::now());
                if length.saturating_sub(left) >= HINT_AFTER
                    && let Some(hint) = hint.take()
                {
                    write(&format!("{hint}\n"));
                }
                write(&format!("waiting for {awaited}, {} left (press Ctrl-C to cancel)", clock(left)));
                if stopped.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
                    return write("");
                }
            }
        });
        Self { live: Some((stop, ticker)) }
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        if let Some((stop, ticker)) = self.live.take() {
            drop(stop);
            let _ = ticker.join();
        }
    }
}

/// Minutes and seconds, rounded up.
fn clock(left: Duration) -> String {
    let seconds = left.as_millis().div_ceil(1_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Writes over the line.
fn write(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "\r\x1b[2K{text}").and_then(|()| err.flush());
}

const HINT_AFTER: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_rounded_up() {
        for (millis, text) in [(0, "0:00"), (1, "0:01"), (59_001, "1:00"), (300_000, "5:00"), (3_600_000, "60:00")] {
            assert_eq!(clock(Duration::from_millis(millis)), text);
        }
    }
}
