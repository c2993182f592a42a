//! Who hands out a token, and rounds in which all take turns.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Who hands out a token, and how.
pub struct Contender {
    /// Whose way it is.
    pub name: &'static str,
    run: Box<Run>,
    /// How many calls one thread makes in a round.
    calls: usize,
}

/// So many calls on one thread, once all threads are at the barrier: when they began and ended.
type Run = dyn Fn(usize, &Barrier) -> (Instant, Instant) + Send + Sync;

impl Contender {
    /// Whose call returns at once. It is told the number of the call, and what it returns is dropped within the time.
    pub fn blocking<T>(name: &'static str, call: impl Fn(usize) -> T + Send + Sync + 'static) -> Self {
        Self::new(name, move |calls, barrier| {
            barrier.wait();
            let begun = Instant::now();
            for number in 0..calls {
                black_box(call(black_box(number)));
            }
            (begun, Instant::now())
        })
    }

    /// Whose call is a future: each thread drives its own, on a runtime of tokio.
    pub fn future<T>(name: &'static str, call: impl AsyncFn(usize) -> T + Send + Sync + 'static) -> Self {
        Self::new(name, move |calls, barrier| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                barrier.wait();
                let begun = Instant::now();
                for number in 0..calls {
                    black_box(call(black_box(number)).await);
                }
                (begun, Instant::now())
            })
        })
    }

    fn new(name: &'static str, run: impl Fn(usize, &Barrier) -> (Instant, Instant) + Send + Sync + 'static) -> Self {
        let mut contender = Self { name, run: Box::new(run), calls: TRIED };
        let time = (0..3).map(|_| contender.round(1)).min().unwrap_or_default();
        let calls = TRIED as u128 * ROUND.as_nanos() / time.as_nanos().max(1);
        contender.calls = usize::try_from(calls).unwrap_or(TRIED).max(1);
        contender
    }

    /// The time from the first call of any thread to the end of the last.
    fn round(&self, threads: usize) -> Duration {
        let barrier = Barrier::new(threads);
        let spans: Vec<_> = thread::scope(|scope| {
            let work = || (self.run)(self.calls, &barrier);
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
        });
        let begun = spans.iter().map(|(begun, _)| *begun).min();
        let ended = spans.iter().map(|(_, ended)| *ended).max();
        begun.zip(ended).map(|(begun, ended)| ended - begun).unwrap_or_default()
    }
}

/// The time of a call in ns, round by round, for each contender: of the whole program, so with more threads than processors
/// it is that of one call of all.
pub fn measure(contenders: &[Contender], threads: usize, rounds: usize) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        // Nobody always comes first.
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            let calls = contenders[who].calls * threads;
            times[who].push(contenders[who].round(threads).as_nanos() as f64 / calls as f64);
        }
    }
    times
}

/// How many calls tell how many make up a round.
const TRIED: usize = 2_000;
/// About what one thread's part of a round takes alone.
const ROUND: Duration = Duration::from_millis(3);
