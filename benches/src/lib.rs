//! How fast the core is: each path of it beside other crates and beside code written by hand, on the same bytes.
//!
//! A [`Path`] is what is measured, and a [`Contender`] is one way to go it. The benchmark `paths` measures them with criterion;
//! the program `table` measures them side by side, and holds the core to its targets; `instructions` counts instead of timing,
//! and `growth` measures the parsers with more and more input.

mod contender;
pub mod counter;
pub mod fixtures;
pub mod paths;
mod peers;

pub use contender::{Contender, Name, Path, Target};
