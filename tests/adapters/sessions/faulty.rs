//! A store that fails when it is told to.

use proofkey_store::{Answer, AsyncStore, BoxFuture, ClaimId, Op, StoreError, StoreFault};
use proofkey_ureq::{Key, Memory, Record, Store};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Faulty {
    memory: Memory,
    plan: Mutex<Vec<(Kind, Fault, u32)>>,
    seen: Mutex<VecDeque<Kind>>,
    is_down: AtomicBool,
    /// Before the next answer, in milliseconds.
    wait: AtomicU64,
    /// The account that is never answered, and whether it has asked.
    hangs: Mutex<Option<String>>,
    is_hanging: AtomicBool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Claim,
    Load,
    /// A login or a sign-out.
    Put,
    Release,
    /// What a refresh brought.
    Save,
}

#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is done, and the answer is lost.
    After,
    /// It is not done.
    Before,
    /// This is answered, and nothing done.
    Say(Answer),
}

impl Faulty {
    /// The next `times` operations of this kind have this fault.
    pub(crate) fn fail(&self, kind: Kind, fault: Fault, times: u32) {
        self.plan.lock().unwrap().push((kind, fault, times));
    }

    /// Whether it can be reached at all.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// The next operation takes this long.
    pub(crate) fn answer_after(&self, time: Duration) {
        self.wait.store(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// This account is never answered.
    pub(crate) fn hang(&self, account: &str) {
        *self.hangs.lock().unwrap() = Some(account.to_owned());
    }

    pub(crate) fn is_hanging(&self) -> bool {
        self.is_hanging.load(Ordering::SeqCst)
    }

    pub(crate) fn works(&self) {
        self.set_down(false);
        self.plan.lock().unwrap().clear();
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.memory.advance(Duration::from_secs(seconds));
    }

    /// The operations since this was asked last.
    pub(crate) fn take_seen(&self) -> Vec<Kind> {
        self.seen().drain(..).collect()
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, VecDeque<Kind>> {
        self.seen.lock().unwrap()
    }

    pub(crate) fn record(&self, key: &Key) -> Option<Record> {
        match self.answer(key, Op::Load) {
            Answer::Row(row) => Some(Record::from_bytes(&row.value).unwrap()),
            _ => None,
        }
    }

    pub(crate) fn has_mark(&self, key: &Key) -> bool {
        let Answer::Row(row) = self.answer(key, Op::Load) else { return false };
        let id = ClaimId([0xEE; 16]);
        let claim = Op::Claim { version: row.version, id, seconds: 1, over: None };
        match self.answer(key, claim) {
            Answer::Claimed(_) => {
                self.answer(key, Op::Release { id, pause: 0 });
                false
            }
            _ => true,
        }
    }

    /// Without a fault.
    pub(crate) fn answer(&self, key: &Key, op: Op<'_>) -> Answer {
        Store::run(&self.memory, key, op).unwrap()
    }

    fn apply(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let kind = match op {
            Op::Claim { .. } => Kind::Claim,
            Op::Release { .. } => Kind::Release,
            Op::Write { expect: Some(_), .. } => Kind::Save,
            Op::Write { .. } => Kind::Put,
            _ => Kind::Load,
        };
        self.seen().push_back(kind);
        let failed = Err(StoreError::new(StoreFault::Unavailable));
        if self.is_down.load(Ordering::SeqCst) {
            return failed;
        }
        match self.next(kind) {
            None => Ok(self.answer(key, op)),
            Some(Fault::Before) => failed,
            Some(Fault::After) => {
                self.answer(key, op);
                failed
            }
            Some(Fault::Say(answer)) => Ok(answer),
        }
    }

    fn time(&self) -> Duration {
        Duration::from_millis(self.wait.swap(0, Ordering::SeqCst))
    }

    fn next(&self, kind: Kind) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let (_, fault, times) = plan.iter_mut().find(|(of, _, times)| *of == kind && *times > 0)?;
        *times -= 1;
        Some(fault.clone())
    }
}

impl Store for Faulty {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        std::thread::sleep(self.time());
        self.apply(key, op)
    }
}

impl AsyncStore for Faulty {
    fn run<'a>(&'a self, key: &'a Key, op: Op<'a>) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            // As a network does, it makes its caller wait on either side of the work.
            tokio::task::yield_now().await;
            let time = self.time();
            if !time.is_zero() {
                tokio::time::sleep(time).await;
            }
            if self.hangs.lock().unwrap().as_ref() == Some(&key.account) {
                self.is_hanging.store(true, Ordering::SeqCst);
                std::future::pending::<()>().await;
            }
            let answer = self.apply(key, op);
            tokio::task::yield_now().await;
            answer
        })
    }
}
