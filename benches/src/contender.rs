//! What is measured, and how.

use crate::counter::{self, Count};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// One path through the core, and all who go it.
pub struct Path {
    /// What is done, in a few words.
    pub name: &'static str,
    /// How many calls are timed together: the more, the less the clock costs; the fewer, the less memory they need.
    pub batch: usize,
    /// Proofkey first, the code written by hand last.
    pub contenders: Vec<Contender>,
    /// The floors that proofkey is held to.
    pub target: Target,
    /// What proofkey does on it.
    pub note: &'static str,
    /// Who does something else, and what: less of what proofkey does, or something besides.
    pub others: &'static [(Name, &'static str)],
}

/// The floors of a path: below them something is wrong, not slow for a moment. What is reached is in `docs/speed.md`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target {
    /// At least this many times as fast as `oauth2`.
    pub oauth2: Option<f64>,
    /// At most this many times the time of the code written by hand.
    pub by_hand: Option<f64>,
    /// Exactly this many allocations.
    pub allocations: usize,
}

/// Who goes a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Written by hand for this very input, as an expert would, with no more checks than it takes to find the parts. The limit.
    ByHand,
    /// `form_urlencoded`, and nothing else of `url`.
    FormUrlencoded,
    /// `io-oauth`.
    IoOauth,
    /// `oauth2`.
    Oauth2,
    /// `openidconnect`, which is built on `oauth2`.
    Openidconnect,
    /// The core.
    Proofkey,
    /// `serde_json`, into types that borrow.
    SerdeJson,
}

impl Name {
    /// The name of the crate.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by hand",
            Self::FormUrlencoded => "form_urlencoded",
            Self::IoOauth => "io-oauth",
            Self::Oauth2 => "oauth2",
            Self::Openidconnect => "openidconnect",
            Self::Proofkey => "proofkey",
            Self::SerdeJson => "serde_json",
        }
    }
}

/// One way to go a path.
pub struct Contender {
    /// Whose way it is.
    pub name: Name,
    run: Box<Run>,
}

/// Prepares so many inputs, then hands over the loop that uses them up.
type Run = dyn FnMut(usize, &mut dyn FnMut(&mut dyn FnMut()));

impl Contender {
    /// `step` is measured, and with it the drop of what it returns. What `prepare` does is not.
    pub fn new<I, O>(
        name: Name,
        mut prepare: impl FnMut() -> I + 'static,
        mut step: impl FnMut(&mut I) -> O + 'static,
    ) -> Self {
        let run = move |calls: usize, measure: &mut dyn FnMut(&mut dyn FnMut())| {
            let mut inputs: Vec<I> = (0..calls).map(|_| prepare()).collect();
            measure(&mut || {
                for input in &mut inputs {
                    black_box(step(black_box(input)));
                }
            });
        };
        Self { name, run: Box::new(run) }
    }

    /// The same for a `step` that uses up its input.
    pub fn consuming<I, O>(
        name: Name,
        mut prepare: impl FnMut() -> I + 'static,
        mut step: impl FnMut(I) -> O + 'static,
    ) -> Self {
        Self::new(name, move || Some(prepare()), move |input| input.take().map(&mut step))
    }

    /// The same for a `step` that writes to the end of an empty string, which has room enough.
    pub fn writing<I>(
        name: Name,
        prepare: impl FnMut() -> I + 'static,
        mut step: impl FnMut(&mut I, &mut String) + 'static,
    ) -> Self {
        let mut out = String::with_capacity(1024);
        Self::new(name, prepare, move |input| {
            out.clear();
            step(input, &mut out);
            black_box(&out);
        })
    }

    /// The time that so many calls take.
    pub fn time(&mut self, calls: usize) -> Duration {
        let mut time = Duration::ZERO;
        (self.run)(calls, &mut |steps| {
            let begun = Instant::now();
            steps();
            time = begun.elapsed();
        });
        time
    }

    /// What one call allocates. It needs the [`Counting`](counter::Counting) allocator.
    pub fn allocations(&mut self) -> Count {
        let mut count = Count::default();
        self.once(&mut |steps| count = counter::count(steps));
        count
    }

    /// Hands one call over to `measure`.
    pub fn once(&mut self, measure: &mut dyn FnMut(&mut dyn FnMut())) {
        (self.run)(1, measure);
    }
}
