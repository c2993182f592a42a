//! What the HTTP adapters of [`proofkey_core`] share. Programs use one of them: `proofkey-ureq` or `proofkey-reqwest`.
//!
//! To send with any other HTTP client, use [`drive`] or [`drive_async`]: it asks for one request after the other, and
//! [`read_tokens`], [`read_signed_in`], [`read_userinfo`], [`read_revocation`], [`read_push`] and [`ClientDiscovery`] read what came of them.

mod answer;
mod device;
mod drive;
mod error;
mod identity;
mod listen;
mod login;
mod nonces;
mod prover;
mod proxy;
mod read;
mod reuse;
mod secure;
mod send;
#[cfg(feature = "session")]
pub mod session;
mod settings;
mod signer;
#[cfg(feature = "dpop")]
mod signing_key;
mod tls;

pub use answer::{API_BODY_MAX, Answer, OAUTH_BODY_MAX, head};
pub use device::DeviceLogin;
pub use drive::{DriveError, drive, drive_async, drive_async_with, drive_with};
pub use error::{DiscoverError, ExchangeError, LoginError, TransportError, TransportKind};
pub use identity::{SignedIn, StepUp, read_userinfo};
pub use listen::{Bound, ListenError, bind};
pub use login::{Login, Push, Start};
pub use prover::{Calling, Prover};
pub use proxy::{Proxies, Proxy, ProxyError, ProxyFault};
pub use read::{ClientDiscovery, read_push, read_revocation, read_signed_in, read_tokens};
pub use reuse::Reuse;
pub use secure::{address, is_localhost, is_secure};
pub use send::{Received, to_http};
pub use settings::{Settings, USER_AGENT};
pub use signer::{SignError, Signer};
#[cfg(feature = "dpop")]
pub use signing_key::SigningKey;
