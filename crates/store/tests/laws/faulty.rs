//! Stores to be held to the laws.

use proofkey_store::rules::{self, State};
use proofkey_store::{Answer, AsyncStore, BoxFuture, Key, Memory, Op, Store, StoreError, StoreFault};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

type Rule = dyn Fn(&mut Option<State>, Op<'_>, u64) -> Answer + Send + Sync;

/// A store that applies a rule of its own, under a key of its own.
pub(crate) struct Faulty {
    rows: Mutex<(HashMap<Key, Option<State>>, Duration)>,
    rule: Box<Rule>,
    name: fn(&Key) -> Key,
}

impl Faulty {
    pub(crate) fn none() -> Self {
        Self::rule(rules::apply)
    }

    pub(crate) fn rule(rule: impl Fn(&mut Option<State>, Op<'_>, u64) -> Answer + Send + Sync + 'static) -> Self {
        Self { rows: Mutex::default(), rule: Box::new(rule), name: Key::clone }
    }

    pub(crate) fn key(name: fn(&Key) -> Key) -> Self {
        Self { name, ..Self::none() }
    }

    pub(crate) fn until_the_process_ends() -> Self {
        Self::rule(|state, op, now| {
            let answer = rules::apply(state, op, now);
            if let Some(claim) = state.as_mut().and_then(|state| state.claim.as_mut()) {
                claim.until = None;
            }
            answer
        })
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.rows.lock().unwrap().1 += time;
    }
}

impl Store for Faulty {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let mut rows = self.rows.lock().unwrap();
        let now = u64::try_from(rows.1.as_millis()).unwrap();
        Ok((self.rule)(rows.0.entry((self.name)(key)).or_default(), op, now))
    }
}

/// A store that loads, decides and writes, with nothing to hold others off between the two.
#[derive(Default)]
pub(crate) struct Hasty(pub(crate) Memory);

/// How many operations a law runs at once.
const AT_ONCE: usize = 16;

impl Hasty {
    /// Whether the law about operations at once runs it.
    fn is_raced(op: &Op<'_>) -> bool {
        match op {
            Op::Claim { id, .. } => id.0.iter().all(|byte| usize::from(*byte) <= AT_ONCE),
            Op::Write { value, .. } => *value == Some(b"at once"),
            _ => false,
        }
    }

    /// It acts on what it found, whatever has come in between.
    fn act(&self, key: &Key, op: Op<'_>, found: Answer) -> Answer {
        match found {
            Answer::Row(row) => Answer::Claimed(row),
            _ => {
                Store::run(&self.0, key, op).unwrap();
                Answer::Done
            }
        }
    }
}

impl Store for Hasty {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        static ALL: Barrier = Barrier::new(AT_ONCE);
        if !Self::is_raced(&op) {
            return Store::run(&self.0, key, op);
        }
        let found = Store::run(&self.0, key, Op::Load)?;
        ALL.wait();
        Ok(self.act(key, op, found))
    }
}

impl AsyncStore for Hasty {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            if !Self::is_raced(&op) {
                return Store::run(&self.0, key, op);
            }
            let found = Store::run(&self.0, key, Op::Load)?;
            yield_once().await;
            Ok(self.act(key, op, found))
        })
    }
}

/// A store that others may come in between before each operation.
pub(crate) struct Yielding(pub(crate) Memory);

impl AsyncStore for Yielding {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            yield_once().await;
            AsyncStore::run(&self.0, key, op).await
        })
    }
}

/// A store that is not there.
pub(crate) struct Missing;

impl Store for Missing {
    fn run(&self, _: &Key, _: Op<'_>) -> Result<Answer, StoreError> {
        Err(StoreError::new(StoreFault::Unavailable))
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
