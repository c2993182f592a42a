//! Rounds: so many at a time, and each does some one after another.

use crate::memory::{self, Count};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{self, Runtime};
use tokio::task::LocalSet;

/// Who does something, and how.
pub struct Contender {
    /// Whose way it is.
    pub name: &'static str,
    run: Box<Run>,
}

/// How many at a time, and how many each of these does.
type Run = dyn Fn(usize, usize) -> Done;

/// The time of each, and how many bytes what one gave holds.
struct Done {
    times: Vec<Duration>,
    held: isize,
}

/// What is measured of one contender.
#[derive(Default)]
pub struct Figures {
    /// How many a second, round by round.
    pub rates: Vec<f64>,
    /// The time of each, in no order.
    pub times: Vec<Duration>,
    /// What one allocates, and the most that all at a time have.
    pub count: Count,
    /// How many bytes the result of one holds.
    pub held: isize,
}

impl Contender {
    /// On one thread of tokio. What `once` gives is what its caller would hold.
    pub fn of_tokio<T: 'static>(name: &'static str, once: impl AsyncFn() -> T + 'static) -> Self {
        let runtime = runtime();
        let once = Rc::new(once);
        let run = move |at_a_time: usize, each: usize| {
            let worker = || {
                let once = Rc::clone(&once);
                async move {
                    let mut worker = Worker::new(each);
                    for _ in 0..each {
                        let begun = Instant::now();
                        worker.done(begun, once().await);
                    }
                    worker
                }
            };
            let all = async {
                let workers: Vec<_> = (0..at_a_time).map(|_| tokio::task::spawn_local(worker())).collect();
                let mut done = Vec::with_capacity(at_a_time);
                for worker in workers {
                    done.push(worker.await.expect("no panic"));
                }
                done
            };
            Worker::all(LocalSet::new().block_on(&runtime, all))
        };
        Self { name, run: Box::new(run) }
    }

    /// On so many threads.
    pub fn blocking<T: Send>(name: &'static str, once: impl Fn() -> T + Sync + 'static) -> Self {
        let run = move |at_a_time: usize, each: usize| {
            let work = || {
                let mut worker = Worker::new(each);
                for _ in 0..each {
                    let begun = Instant::now();
                    worker.done(begun, once());
                }
                worker
            };
            Worker::all(thread::scope(|scope| {
                let workers: Vec<_> = (0..at_a_time).map(|_| scope.spawn(work)).collect();
                workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
            }))
        };
        Self { name, run: Box::new(run) }
    }

    fn round(&self, at_a_time: usize, each: usize, figures: &mut Figures) {
        let begun = Instant::now();
        let Done { times, .. } = (self.run)(at_a_time, each);
        figures.rates.push(times.len() as f64 / begun.elapsed().as_secs_f64());
        figures.times.extend(times);
    }

    /// What one allocates is what sixteen more allocate.
    fn memory(&self, at_a_time: usize, figures: &mut Figures) {
        let counted = |at_a_time, each| {
            memory::begin();
            let Done { held, .. } = (self.run)(at_a_time, each);
            let count = memory::so_far();
            memory::end();
            (count, held)
        };
        let ((few, _), (many, _)) = (counted(1, 16), counted(1, 32));
        let (all, held) = counted(at_a_time, 1);
        figures.count = Count {
            allocations: (many.allocations - few.allocations) / 16,
            bytes: (many.bytes - few.bytes) / 16,
            peak: all.peak,
            ..all
        };
        figures.held = held;
    }
}

/// Measures all, in turns.
pub fn measure(contenders: &[Contender], at_a_time: usize, each: usize, rounds: usize) -> Vec<Figures> {
    let mut figures: Vec<Figures> = contenders.iter().map(|_| Figures::default()).collect();
    for (contender, figures) in contenders.iter().zip(&mut figures) {
        contender.round(at_a_time, 2, &mut Figures::default());
        contender.memory(at_a_time, figures);
    }
    for round in 0..rounds {
        // Nobody always comes first.
        for turn in 0..contenders.len() {
            let who = (round + turn) % contenders.len();
            contenders[who].round(at_a_time, each, &mut figures[who]);
        }
    }
    figures
}

/// One of so many at a time.
struct Worker<T> {
    times: Vec<Duration>,
    given: Vec<T>,
}

impl<T> Worker<T> {
    fn new(each: usize) -> Self {
        Self { times: Vec::with_capacity(each), given: Vec::with_capacity(each) }
    }

    fn done(&mut self, begun: Instant, given: T) {
        self.times.push(begun.elapsed());
        self.given.push(given);
    }

    fn all(workers: Vec<Self>) -> Done {
        let (times, given): (Vec<_>, Vec<_>) = workers.into_iter().map(|worker| (worker.times, worker.given)).unzip();
        let mut given: Vec<T> = given.into_iter().flatten().collect();
        let (number, live) = (given.len(), memory::so_far().live);
        given.clear();
        let held = live - memory::so_far().live + (number * size_of::<T>()) as isize;
        Done { times: times.concat(), held: held / number as isize }
    }
}

/// One thread of tokio.
///
/// # Panics
/// If the system cannot wait on sockets.
#[must_use]
pub fn runtime() -> Runtime {
    runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}
