//! A local OAuth 2.0 authorization server and protected API, to develop and to test against.
//!
//! It does what a good server does (RFC 6749, 6750, 7009, 7636, 8252, 8414, 8628, 9126, 9207, 9449, 9700): real sign-in and
//! consent pages,
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
//! # Refresh tokens
//!
//! Each refresh token can be used once. A second use revokes its whole family, access tokens included, unless it falls
//! into a grace ([`Options::refresh_grace`], [`Successor`]). [`Faults::refresh`] cuts or delays some refreshes, and
//! [`DevServer::counts`] says what came of them. Here an answer is lost, and the grace saves the login:
//!
//! ```
//! use proofkey_devserver::{DevServer, EndpointFault, Faults, Options, RefreshFault, Successor, When};
//!
//! let lost = RefreshFault { when: When::Next(1), fault: EndpointFault::Hangup };
//! let options = Options { refresh_grace: 30, successor: Successor::Same, ..Options::default() };
//! let server = DevServer::start(options)?;
//! server.set_faults(Faults { refresh: vec![lost], ..Faults::default() });
//! // The client logs in, refreshes, gets no answer, and sends the same refresh token again.
//! assert_eq!(server.counts().reuses, 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A login takes the same memory after any number of refreshes: a refresh token says itself which family it belongs to, so
//! spent ones need not be stored, and expired access tokens are removed.
//!
//! It shares no code with the client that it tests, so that a fault in one does not hide a fault in the other.

mod api;
mod app;
mod authorize;
mod cors;
mod counts;
mod device;
mod dpop;
mod family;
mod log;
mod metadata;
mod oidc;
mod options;
mod pages;
mod params;
mod push;
mod running;
mod server;
mod site;
mod state;
mod token;
#[cfg(feature = "user-agent")]
pub mod user_agent;

pub use counts::Counts;
pub use log::Entry;
pub use options::{
    Alteration, CallbackFault, ClientRegistration, EndpointFault, Faults, IdTokenFault, MetadataFault, Options,
    ProofFault, ProofRules, RefreshFault, Successor, When,
};
pub use server::DevServer;
pub use site::{File, Site};
