//! The laws that every store must keep, to test a store of your own (feature `testing`).
//!
//! They cover each cell of the table of [`Op`], exclusion, fencing, claims that lapse, tombstones, values of any bytes, keys of any
//! text, and versions at the edges of their numbers. A tombstone's day is not waited for. The rows are written under new keys and
//! left there, so use a store for tests.
//!
//! ```
//! use proofkey_store::{Answer, Key, Memory, Op, Store, StoreError, laws::Laws};
//!
//! /// A store of your own; here it only wraps another one.
//! struct MyStore(Memory);
//!
//! impl Store for MyStore {
//!     fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
//!         Store::run(&self.0, key, op)
//!     }
//! }
//!
//! let store = MyStore(Memory::new());
//! // This one has a clock that can be moved. Most stores have not: give `std::thread::sleep`, which takes some seconds.
//! Laws::new().check(&store, |time| store.0.advance(time))?;
//! # Ok::<(), proofkey_store::laws::Broken>(())
//! ```
//!
//! For an [`AsyncStore`], in a test of tokio's: `Laws::new().check_async(&store, tokio::time::sleep).await?`.

mod table;
mod time;
mod values;
mod writes;

use crate::error::StoreError;
use crate::key::Key;
use crate::op::{Answer, AsyncStore, BoxFuture, Op, Store};
use proofkey_core::session::{ClaimId, LoginId, Version};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{error, fmt, thread};

/// Which laws a store is held to: all, unless it is told otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Laws {
    lapses_by_time: bool,
}

/// The laws that a store broke.
#[derive(Clone, Debug)]
pub struct Broken(Vec<(&'static str, String)>);

impl Laws {
    /// All laws.
    #[must_use]
    pub const fn new() -> Self {
        Self { lapses_by_time: true }
    }

    /// Whether claims lapse by time, as they do in a database. In a store on one machine they may end with their holder's process
    /// instead (it answers `Busy { left: None }`); then give `false`, and test by ending a process.
    #[must_use]
    pub const fn lapses_by_time(self, lapses_by_time: bool) -> Self {
        Self { lapses_by_time }
    }

    /// Checks a blocking store. `wait` waits, or moves the clock of the store forward; all calls together are some seconds.
    ///
    /// # Errors
    /// If a law is broken, or if an operation fails.
    pub fn check(self, store: &dyn Store, wait: impl Fn(Duration) + Sync) -> Result<(), Broken> {
        let trial = Blocking { store, wait };
        let mut check = pin!(self.check_all(&trial));
        loop {
            // Nothing in it waits for a waker.
            if let Poll::Ready(result) = check.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return result;
            }
        }
    }

    /// Checks an asynchronous store. `wait` waits, such as `tokio::time::sleep`, or moves the clock of the store forward.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub async fn check_async<W>(self, store: &dyn AsyncStore, wait: impl Fn(Duration) -> W + Sync) -> Result<(), Broken>
    where
        W: Future<Output = ()> + Send + 'static,
    {
        self.check_all(&Async { store, wait }).await
    }

    /// The name of each law.
    pub fn names() -> impl Iterator<Item = &'static str> {
        all(true).map(|(name, _)| *name)
    }

    async fn check_all(self, trial: &dyn Trial) -> Result<(), Broken> {
        let bench = Bench { trial, lapsed: Mutex::default() };
        let mut broken = Vec::new();
        for (name, law) in all(self.lapses_by_time) {
            if let Err(Got(text)) = law(&bench).await {
                broken.push((*name, text));
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(Broken(broken)) }
    }
}

impl Broken {
    /// The name of each law that was broken.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl Default for Laws {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store breaks {} of the laws", self.0.len())?;
        self.0.iter().try_for_each(|(name, text)| write!(f, "\n{name}: {text}"))
    }
}

impl error::Error for Broken {}

type Law = for<'a> fn(&'a Bench<'a>) -> BoxFuture<'a, Result<(), Got>>;

fn all(lapses_by_time: bool) -> impl Iterator<Item = &'static (&'static str, Law)> {
    let lapse = if lapses_by_time { time::LAPSE } else { &[] };
    [table::LAWS, writes::LAWS, values::LAWS, time::LAWS, lapse].into_iter().flatten()
}

/// What a law did and what it got.
struct Got(String);

/// A store on trial.
struct Bench<'a> {
    trial: &'a dyn Trial,
    /// Keys of logins with a lapsed claim of `A`, made together since they have to be waited for.
    lapsed: Mutex<Vec<Key>>,
}

/// One face for both traits.
trait Trial: Sync {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>>;
    fn at_once<'a>(&'a self, key: &'a Key, ops: &'a [Op<'a>]) -> BoxFuture<'a, Vec<Result<Answer, StoreError>>>;
    fn wait(&self, time: Duration) -> BoxFuture<'_, ()>;
}

struct Blocking<'s, W> {
    store: &'s dyn Store,
    wait: W,
}

impl<W: Fn(Duration) + Sync> Trial for Blocking<'_, W> {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move { self.store.run(key, op) })
    }

    fn at_once<'a>(&'a self, key: &'a Key, ops: &'a [Op<'a>]) -> BoxFuture<'a, Vec<Result<Answer, StoreError>>> {
        Box::pin(async move {
            let start = Barrier::new(ops.len());
            let one = |op| {
                start.wait();
                self.store.run(key, op)
            };
            thread::scope(|scope| {
                let running: Vec<_> = ops.iter().map(|op| scope.spawn(|| one(*op))).collect();
                running.into_iter().map(|thread| thread.join().unwrap_or(Ok(Answer::Absent))).collect()
            })
        })
    }

    fn wait(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { (self.wait)(time) })
    }
}

struct Async<'s, W> {
    store: &'s dyn AsyncStore,
    wait: W,
}

impl<W: Fn(Duration) -> F + Sync, F: Future<Output = ()> + Send + 'static> Trial for Async<'_, W> {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        self.store.run(key, op)
    }

    fn at_once<'a>(&'a self, key: &'a Key, ops: &'a [Op<'a>]) -> BoxFuture<'a, Vec<Result<Answer, StoreError>>> {
        let mut running: Vec<_> = ops.iter().map(|op| self.store.run(key, *op)).collect();
        let mut done: Vec<_> = ops.iter().map(|_| None).collect();
        Box::pin(poll_fn(move |context| {
            for (future, answer) in running.iter_mut().zip(&mut done).filter(|(_, answer)| answer.is_none()) {
                if let Poll::Ready(ready) = future.as_mut().poll(context) {
                    *answer = Some(ready);
                }
            }
            if done.iter().any(Option::is_none) {
                return Poll::Pending;
            }
            Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
        }))
    }

    fn wait(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin((self.wait)(time))
    }
}

/// One key of a store on trial.
struct Place<'a> {
    bench: &'a Bench<'a>,
    key: Key,
}

impl<'a> Place<'a> {
    /// A key that no run has used before.
    fn new(bench: &'a Bench<'a>) -> Result<Self, Got> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Got(error.to_string()))?;
        let account: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { bench, key: Key::new("https://issuer.example", "laws", account) })
    }

    /// A new key with a login.
    async fn with_login(bench: &'a Bench<'a>) -> Result<Self, Got> {
        let place = Self::new(bench)?;
        must!(place.write(None, FIRST, b"first"), Answer::Done);
        Ok(place)
    }

    /// A new key with a tombstone.
    async fn signed_out(bench: &'a Bench<'a>) -> Result<Self, Got> {
        let place = Self::with_login(bench).await?;
        must!(place.sign_out(LATER), Answer::Displaced(row) if row.version == FIRST);
        Ok(place)
    }

    async fn load(&self) -> Result<Answer, StoreError> {
        self.bench.trial.run(&self.key, Op::Load).await
    }

    async fn claim(&self, version: Version, id: ClaimId, seconds: u16) -> Result<Answer, StoreError> {
        self.bench.trial.run(&self.key, Op::Claim { version, id, seconds, over: None }).await
    }

    async fn claim_over(&self, id: ClaimId, over: ClaimId) -> Result<Answer, StoreError> {
        self.bench.trial.run(&self.key, Op::Claim { version: FIRST, id, seconds: LONG, over: Some(over) }).await
    }

    async fn release(&self, id: ClaimId, pause: u32) -> Result<Answer, StoreError> {
        self.bench.trial.run(&self.key, Op::Release { id, pause }).await
    }

    async fn write(
        &self,
        expect: Option<(Version, ClaimId)>,
        version: Version,
        value: &[u8],
    ) -> Result<Answer, StoreError> {
        self.bench.trial.run(&self.key, Op::Write { expect, version, value: Some(value) }).await
    }

    async fn sign_out(&self, version: Version) -> Result<Answer, StoreError> {
        self.bench.trial.run(&self.key, Op::Write { expect: None, version, value: None }).await
    }
}

/// Fails a law unless the store gives the answer that the pattern tells.
macro_rules! must {
    ($operation:expr, $pattern:pat $(if $guard:expr)?) => {
        match $operation.await {
            Ok($pattern) $(if $guard)? => {}
            other => {
                let expected = stringify!($pattern $(if $guard)?);
                return Err($crate::laws::Got(format!("`{}` gave {other:?} and not {expected}", stringify!($operation))));
            }
        }
    };
}

/// A table of laws, each named by what holds.
macro_rules! laws {
    ($visibility:vis $table:ident: $($name:literal $function:ident,)*) => {
        $visibility const $table: &[(&str, $crate::laws::Law)] = &[$(($name, |bench| Box::pin($function(bench))),)*];
    };
}

use {laws, must};

const fn login(since: u64) -> Version {
    Version::first(LoginId::new(since, None, 7))
}

const A: ClaimId = ClaimId(*b"the claim of A..");
const B: ClaimId = ClaimId(*b"the claim of B..");
const C: ClaimId = ClaimId(*b"the claim of C..");
const EARLIER: Version = login(1_699_999_999);
const FIRST: Version = login(1_700_000_000);
const LATER: Version = login(1_700_000_001);
/// Seconds of a claim that lives for longer than any run.
const LONG: u16 = 3_600;
