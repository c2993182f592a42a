//! [`Memory`].

use crate::error::StoreError;
use crate::key::Key;
use crate::op::{Answer, AsyncStore, BoxFuture, Op, Store};
use crate::rules::{self, State};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A store in the memory of this process, for tests and for logins that need not outlive it. Share it in an
/// [`Arc`](std::sync::Arc). It is a [`Store`] and an [`AsyncStore`], and it never fails.
///
/// ```
/// use proofkey_store::{Answer, Key, LoginId, Memory, Op, Store, Version};
///
/// let store = Memory::new();
/// let key = Key::new("https://issuer.example", "my-app", "default");
/// assert_eq!(Store::run(&store, &key, Op::Load)?, Answer::Absent);
///
/// let version = Version::first(LoginId::new(1_700_000_000, None, 7));
/// Store::run(&store, &key, Op::Write { expect: None, version, value: Some(b"value") })?;
/// assert!(matches!(Store::run(&store, &key, Op::Load)?, Answer::Row(row) if *row.value == b"value"));
/// # Ok::<(), proofkey_store::StoreError>(())
/// ```
pub struct Memory {
    rows: Mutex<Rows>,
    start: Instant,
}

#[derive(Default)]
struct Rows {
    states: HashMap<Key, State>,
    /// Where tombstones were written, oldest first. Without this they would stay for users who never come back.
    tombstones: VecDeque<(u64, Key)>,
    /// How far the clock was moved.
    ahead: Duration,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { rows: Mutex::default(), start: Instant::now() }
    }

    /// Moves the store's clock forward, so that a test need not wait.
    #[cfg(any(test, feature = "testing"))]
    pub fn advance(&self, time: Duration) {
        let mut rows = self.rows();
        rows.ahead = rows.ahead.saturating_add(time);
    }

    fn apply(&self, key: &Key, op: Op<'_>) -> Answer {
        let mut rows = self.rows();
        let now = self.start.elapsed().saturating_add(rows.ahead);
        rows.apply(key, op, u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }

    /// A thread that panicked left the rows as they were before its operation or after it.
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        Ok(self.apply(key, op))
    }
}

impl AsyncStore for Memory {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move { Ok(self.apply(key, op)) })
    }
}

impl Rows {
    fn apply(&mut self, key: &Key, op: Op<'_>, now: u64) -> Answer {
        self.forget_tombstones(now);
        let (kept, mut state) = self.states.remove_entry(key).unzip();
        let answer = rules::apply(&mut state, op, now);
        if let Some(state) = state {
            if matches!(op, Op::Write { .. }) && state.value.is_none() && state.written_at == now {
                self.tombstones.push_back((now, key.clone()));
            }
            self.states.insert(kept.unwrap_or_else(|| key.clone()), state);
        }
        answer
    }

    fn forget_tombstones(&mut self, now: u64) {
        while let Some((_, key)) = self.tombstones.front().filter(|(at, _)| rules::is_over(*at, now)) {
            if self.states.get(key).is_some_and(|state| state.has_expired(now)) {
                self.states.remove(key);
            }
            self.tombstones.pop_front();
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofkey_core::session::{LoginId, Version};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_tombstone_is_kept_for_a_day_and_then_forgotten() {
        let store = Memory::new();
        let sign_out = Op::Write { expect: None, version: version(1), value: None };
        let day = u64::from(Op::TOMBSTONE_SECONDS);
        assert_eq!(store.apply(&key("a"), sign_out), Answer::Done);
        store.advance(Duration::from_secs(day - 60));
        assert_eq!(store.apply(&key("a"), Op::Load), Answer::SignedOut { version: version(1) });
        store.advance(Duration::from_secs(60));
        // Also if nobody asks for it again.
        assert_eq!(store.apply(&key("b"), Op::Load), Answer::Absent);
        assert!(store.rows().states.is_empty() && store.rows().tombstones.is_empty());
        assert_eq!(store.apply(&key("a"), Op::Load), Answer::Absent);
    }

    #[test]
    fn a_login_over_a_tombstone_is_kept() {
        let store = Memory::new();
        store.apply(&key("a"), Op::Write { expect: None, version: version(1), value: None });
        let day = Duration::from_secs(Op::TOMBSTONE_SECONDS.into());
        store.advance(day / 2);
        store.apply(&key("a"), Op::Write { expect: None, version: version(2), value: Some(b"value") });
        store.advance(day);
        assert!(matches!(store.apply(&key("a"), Op::Load), Answer::Row(row) if row.version == version(2)));
        store.apply(&key("a"), Op::Write { expect: None, version: version(3), value: None });
        store.advance(day / 2);
        assert_eq!(store.apply(&key("a"), Op::Load), Answer::SignedOut { version: version(3) });
    }

    #[test]
    fn a_panic_of_another_thread_does_not_end_the_store() {
        let store = Memory::new();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _rows = store.rows();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err() && store.rows.is_poisoned());
        assert_eq!(store.apply(&key("a"), Op::Load), Answer::Absent);
        store.advance(Duration::MAX);
        assert_eq!(store.apply(&key("a"), Op::Load), Answer::Absent);
    }

    fn key(account: &str) -> Key {
        Key::new("https://issuer.example", "my-app", account)
    }

    const fn version(since: u64) -> Version {
        Version::first(LoginId::new(since, None, 7))
    }
}
