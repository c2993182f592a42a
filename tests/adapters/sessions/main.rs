//! Sessions of both adapters against the development server.

mod bound;
mod clocks;
mod crowd;
mod dropped;
mod errors;
mod faulty;
mod identity;
mod lost;
mod renewal;
mod steps;
mod store_faults;
mod support;
