//! Sessions of both adapters against the development server.

mod clocks;
mod crowd;
mod dropped;
mod errors;
mod faulty;
mod lost;
mod renewal;
mod store_faults;
mod support;
