//! [`Reuse`]: which requests may use a kept connection.

use crate::error::TransportError;
use crate::settings::Settings;
use http::Method;
use proofkey_core::Unanswered;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Decides whether a request to an authorization server may use a kept connection, and learns from failures.
#[derive(Debug)]
pub struct Reuse {
    kept: Option<Duration>,
    off_until: Mutex<Option<Instant>>,
}

impl Reuse {
    /// As the settings say.
    #[must_use]
    pub const fn new(settings: &Settings) -> Self {
        Self { kept: settings.kept_connections(), off_until: Mutex::new(None) }
    }

    /// How long an idle connection is kept.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.kept.unwrap_or(BRIEFLY)
    }

    /// Whether a request of this method may use a kept connection. What a GET asks for can be asked for once more.
    #[must_use]
    pub fn allows(&self, method: &Method) -> bool {
        method.is_safe() || (self.kept.is_some() && self.lock().is_none_or(|until| Instant::now() >= until))
    }

    /// Tells what came of a request. A failure after it was sent and before it was answered turns reuse off for a while.
    pub fn ended<T>(&self, result: &Result<T, TransportError>) {
        if let Err(error) = result
            && self.kept.is_some()
            && error.why() != Unanswered::Unsent
        {
            *self.lock() = Instant::now().checked_add(OFF);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.off_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const BRIEFLY: Duration = Duration::from_secs(1);
const OFF: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::TransportKind;

    #[test]
    fn what_spends_a_token_is_kept_only_if_that_is_asked_for_and_until_it_fails() {
        let reuse = Reuse::new(&Settings::new());
        assert!(reuse.allows(&Method::GET) && !reuse.allows(&Method::POST));
        let reuse = Reuse::new(&Settings::new().with_kept_connections(Duration::from_secs(5)));
        assert!(reuse.allows(&Method::POST));
        for (kind, sent, allowed) in [
            (None, false, true),
            (Some(TransportKind::Connect), false, true),
            (Some(TransportKind::Closed), true, false),
        ] {
            reuse.ended(&kind.map_or(Ok(()), |kind| Err(TransportError::new(kind, sent))));
            assert_eq!(reuse.allows(&Method::POST), allowed, "{kind:?}");
        }
        assert!(reuse.allows(&Method::GET));
        *reuse.lock() = Some(Instant::now());
        assert!(reuse.allows(&Method::POST));
    }
}
