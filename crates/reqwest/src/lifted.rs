//! [`Blocking`]: a store that blocks, for tasks.

use proofkey_store::{Answer, AsyncStore, BoxFuture, Key, Op, Store, StoreError, StoreFault};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

/// Makes an [`AsyncStore`] of a store that blocks, such as files: it runs on tokio's threads for blocking work.
///
/// ```
/// use proofkey_reqwest::{Blocking, Memory};
///
/// let store = Blocking::new(Memory::new());
/// ```
#[derive(Debug)]
pub struct Blocking<S>(Arc<S>);

impl<S: Store + 'static> Blocking<S> {
    /// Lifts a store.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self(Arc::new(store))
    }
}

impl<S: Store + 'static> AsyncStore for Blocking<S> {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        let (store, key) = (Arc::clone(&self.0), key.clone());
        let (fixed, value) = match op {
            Op::Write { expect, version, value } => {
                let write = Op::Write { expect, version, value: None };
                (write, value.map(|value| Zeroizing::new(value.to_vec())))
            }
            Op::Load => (Op::Load, None),
            Op::Claim { version, id, seconds, over } => (Op::Claim { version, id, seconds, over }, None),
            Op::Release { id, pause } => (Op::Release { id, pause }, None),
            _ => return Box::pin(async { Err(StoreError::new(StoreFault::Setup)) }),
        };
        Box::pin(async move {
            let work = move || match fixed {
                Op::Write { expect, version, .. } => {
                    store.run(&key, Op::Write { expect, version, value: value.as_ref().map(|value| value.as_slice()) })
                }
                op => store.run(&key, op),
            };
            spawn_blocking(work).await.unwrap_or_else(|_| Err(StoreError::new(StoreFault::Unavailable)))
        })
    }
}
