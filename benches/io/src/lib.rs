//! How fast the adapters are, over loopback sockets: whole logins, what a service does, and what an adapter allocates itself.
//!
//! The program `io` measures all in one run, in turns, against one [`Server`](server::Server) that answers everybody with the
//! same bytes.

pub mod http;
pub mod login;
pub mod measure;
pub mod memory;
pub mod own;
pub mod server;
pub mod service;
