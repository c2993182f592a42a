//! A local OAuth 2.0 authorization server and protected API, to develop and to test against.
//!
//! It does what a good server does (RFC 6749, 6750, 7009, 7636, 8252, 8414, 9207, 9700): real sign-in and consent pages,
//! one-time codes, S256 only, rotation of refresh tokens with reuse detection, revocation, metadata. With [`Faults`] it
//! does what a bad one does. It listens on loopback only, accepts any password, and keeps nothing.
//!
//! ```
//! use proofkey_devserver::{DevServer, Options};
//!
//! let server = DevServer::start(Options::default())?;
//! println!("{} has metadata, sign-in pages, and an API at {}", server.issuer(), server.api("/api/me"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! It shares no code with the client that it tests, so that a fault in one does not hide a fault in the other.

mod api;
mod app;
mod authorize;
mod cors;
mod log;
mod metadata;
mod options;
mod pages;
mod params;
mod running;
mod server;
mod site;
mod state;
mod token;
#[cfg(feature = "user-agent")]
pub mod user_agent;

pub use log::Entry;
pub use options::{Alteration, CallbackFault, ClientRegistration, EndpointFault, Faults, MetadataFault, Options};
pub use server::DevServer;
pub use site::{File, Site};
