//! Sessions of both adapters against the development server.

mod asynchronous;
mod blocking;
mod crowd;
mod faulty;
mod lost;
mod renewal;
mod store_faults;
mod support;
