//! Ctrl-C, and the stretches in which it has to wait: a rotated refresh token must be written down before we go.

use crate::failure::{Failure, Kind};
use crate::output;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether an interrupt came while it had to wait.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Does `work` to its end although an interrupt comes; a second one ends the process all the same.
///
/// # Errors
/// That of `work`, or [`Kind::Interrupted`] where one came.
pub fn deferred<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    watch();
    DEFERRING.fetch_add(1, Ordering::SeqCst);
    let result = work();
    DEFERRING.fetch_sub(1, Ordering::SeqCst);
    if INTERRUPTED.load(Ordering::SeqCst) { Err(failure()) } else { result }
}

/// [`deferred`] for an exchange with a server: whoever interrupts is told what it waits for.
///
/// # Errors
/// As [`deferred`].
pub fn deferred_exchange<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    EXCHANGING.store(true, Ordering::SeqCst);
    let result = deferred(work);
    EXCHANGING.store(false, Ordering::SeqCst);
    result
}

/// That an interrupt came.
pub fn failure() -> Failure {
    Kind::Interrupted.because("interrupted")
}

/// Takes Ctrl-C and the signals that end a process, unless whoever started us has them ignored.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = ctrlc::try_set_handler(|| {
            let again = INTERRUPTED.swap(true, Ordering::SeqCst);
            if again || DEFERRING.load(Ordering::SeqCst) == 0 {
                std::process::exit(Kind::Interrupted.exit().into());
            }
            if EXCHANGING.load(Ordering::SeqCst) {
                output::note("waiting for the server, so that no token is lost; interrupt again to end at once");
            }
        });
    });
}

static DEFERRING: AtomicUsize = AtomicUsize::new(0);
static EXCHANGING: AtomicBool = AtomicBool::new(false);
