//! The server as a client sees it. PKCE is computed here, by other means than the client's.
#![allow(unreachable_pub, reason = "a test has no public API; `pub` says that other modules use it")]

mod api;
mod authorize;
mod client;
mod device;
mod dpop;
mod faults;
mod oidc;
mod push;
mod refreshes;
mod rotation;
mod token;
