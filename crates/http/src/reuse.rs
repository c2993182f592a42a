//! [`Reuse`]: whether requests may use kept connections.

use crate::error::TransportError;
use crate::settings::Settings;
use proofkey_core::Unanswered;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Decides whether a request may use a kept connection ([`Settings::with_kept_connections`]), and learns from failures.
#[derive(Debug)]
pub struct Reuse {
    is_asked_for: bool,
    off_until: Mutex<Option<Instant>>,
}

impl Reuse {
    /// As the settings say.
    #[must_use]
    pub const fn new(settings: &Settings) -> Self {
        Self { is_asked_for: settings.kept_connections().is_some(), off_until: Mutex::new(None) }
    }

    /// Whether the next request may use a kept connection.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.is_asked_for && self.lock().is_none_or(|until| Instant::now() >= until)
    }

    /// Tells what came of a request. A failure after it was sent and before it was answered turns reuse off for a while.
    pub fn ended<T>(&self, result: &Result<T, TransportError>) {
        if let Err(error) = result
            && self.is_asked_for
            && error.why() != Unanswered::Unsent
        {
            *self.lock() = Instant::now().checked_add(OFF);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.off_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const OFF: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::TransportKind;

    #[test]
    fn connections_are_kept_only_if_that_is_asked_for_and_until_one_fails() {
        assert!(!Reuse::new(&Settings::new()).is_allowed());
        let reuse = Reuse::new(&Settings::new().with_kept_connections(Duration::from_secs(5)));
        assert!(reuse.is_allowed());
        for (kind, sent, allowed) in [
            (None, false, true),
            (Some(TransportKind::Connect), false, true),
            (Some(TransportKind::Closed), true, false),
        ] {
            reuse.ended(&kind.map_or(Ok(()), |kind| Err(TransportError::new(kind, sent))));
            assert_eq!(reuse.is_allowed(), allowed, "{kind:?}");
        }
        *reuse.lock() = Some(Instant::now());
        assert!(reuse.is_allowed());
    }
}
