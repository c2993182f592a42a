//! Ctrl-C and the other signals that end a process. They are deferred during an exchange, because a rotated refresh token
//! must be stored first.

use crate::failure::{Failure, Kind};
use crate::output;
use std::fmt::{self, Display};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Set by an interrupt that was deferred.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Finishes an exchange with a server in spite of an interrupt, and tells the user what it waits for. A second interrupt ends the
/// process.
///
/// # Errors
/// The error of `work`, or [`Kind::Interrupted`] after an interrupt.
pub fn deferred<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    defer();
    finished(work().map_err(Unfinished))?.map_err(|Unfinished(failure)| failure)
}

/// Defers interrupts until what is under way is [`finished`].
pub fn defer() {
    watch();
    DEFERRING.store(true, Ordering::SeqCst);
}

/// Defers them no longer.
pub fn allow() {
    DEFERRING.store(false, Ordering::SeqCst);
}

/// Whether there was an interrupt.
pub fn is_pending() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// The result of what was under way.
///
/// # Errors
/// [`Kind::Interrupted`] after an interrupt.
pub fn finished<T, E: Display>(result: Result<T, E>) -> Result<Result<T, E>, Failure> {
    allow();
    if !is_pending() {
        return Ok(result);
    }
    Err(match result {
        Ok(_) => Kind::Interrupted.because("interrupted; what was under way was finished first"),
        Err(error) => match error.to_string() {
            text if text.is_empty() => failure(),
            text => Kind::Interrupted.because(format_args!("interrupted; {text}")),
        },
    })
}

/// A failure, which is empty if it is the interrupt itself.
struct Unfinished(Failure);

impl Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.kind == Kind::Interrupted { Ok(()) } else { f.write_str(&self.0.message) }
    }
}

/// An interrupt as a failure.
pub fn failure() -> Failure {
    Kind::Interrupted.because("interrupted")
}

/// Handles Ctrl-C and the signals that end a process, except those that our parent set to be ignored.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(system::watch);
}

fn interrupted() {
    let again = INTERRUPTED.swap(true, Ordering::SeqCst);
    if again || !DEFERRING.load(Ordering::SeqCst) {
        std::process::exit(Kind::Interrupted.exit().into());
    }
    // Most work ends sooner and needs no message. If no thread can be started, there is no message.
    let _ = thread::Builder::new().spawn(|| {
        thread::sleep(PATIENCE);
        if DEFERRING.load(Ordering::SeqCst) {
            output::note("waiting for the server, so that no token is lost; interrupt again to end at once");
        }
    });
}

#[cfg(unix)]
mod system {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use std::sync::mpsc;
    use std::thread;

    /// Registers each signal separately, so that an ignored one does not affect the others.
    pub(super) fn watch() {
        let (ready, is_ready) = mpsc::channel::<()>();
        let listen = move || {
            let Ok(mut signals) = Signals::new([] as [i32; 0]) else { return };
            let handle = signals.handle();
            for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal)) {
                let _ = handle.add_signal(signal);
            }
            // Exceeding the file size limit is then an error of the write, and does not end the process.
            let _ = handle.add_signal(SIGXFSZ);
            drop(ready);
            signals.forever().filter(|signal| *signal != SIGXFSZ).for_each(|_| super::interrupted());
        };
        if thread::Builder::new().spawn(listen).is_ok() {
            // It ends when the sender is gone.
            let _ = is_ready.recv();
        }
    }

    /// Whether our parent set a signal to be ignored, as `nohup` and a shell's `&` do.
    fn is_ignored(signal: i32) -> bool {
        listed_as_ignored(signal).unwrap_or_else(|| survived(signal))
    }

    /// The status of this process as Linux reports it.
    fn listed_as_ignored(signal: i32) -> Option<bool> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
        Some(mask & 1_u64.checked_shl(u32::try_from(signal).ok()?.checked_sub(1)?)? != 0)
    }

    /// Whether a child, which inherits ignored signals, survives.
    fn survived(signal: i32) -> bool {
        let script = format!("kill -{signal} $$");
        let status = std::process::Command::new("/bin/sh").args(["-c", &script]).status();
        status.is_ok_and(|status| status.success())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const CHILD: &str = "PROOFKEY_TEST_IGNORES_HUP";

        #[test]
        fn both_ways_to_see_an_ignored_signal_agree() {
            for signal in [SIGHUP, SIGINT, SIGTERM] {
                let ignored = survived(signal);
                assert!(listed_as_ignored(signal).is_none_or(|listed| listed == ignored), "{signal}");
            }
            if std::env::var_os(CHILD).is_some() {
                assert!(survived(SIGHUP));
            } else {
                let own = std::env::current_exe().unwrap();
                let mut command = std::process::Command::new("sh");
                command.args(["-c", "trap '' HUP; exec \"$0\" both_ways"]).arg(own).env(CHILD, "1");
                assert!(command.output().unwrap().status.success());
            }
        }
    }
}

/// Ctrl-C and Ctrl-Break. If the window is closed, Windows ends the process as soon as the handler of `ctrlc` returns, which is at once.
#[cfg(not(unix))]
mod system {
    pub(super) fn watch() {
        let _ = ctrlc::try_set_handler(super::interrupted);
    }
}

static DEFERRING: AtomicBool = AtomicBool::new(false);
const PATIENCE: Duration = Duration::from_secs(1);
