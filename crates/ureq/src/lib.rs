//! The blocking adapter of [`proofkey_core`], over [`ureq`]: log a user in, call an API.
//!
//! ```no_run
//! use proofkey_ureq::proofkey_core::{Client, Server};
//! use proofkey_ureq::{Http, Login};
//!
//! let http = Http::new();
//! let client = Client::new("my-client-id", "http://127.0.0.1/callback", Server::ITWIN)?;
//! let login = Login::new(client, &["itwin-platform", "offline_access"]);
//! let tokens = http.login(login, |url| Ok(println!("Open {url}")))?.tokens;
//! let request = http::Request::get("https://api.bentley.com/itwins/").body(Vec::new())?;
//! let answer = http.call(request, tokens.access_token())?;
//! println!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Http::send`] is the adapter itself: a [`Request`](proofkey_core::Request) in, a
//! [`ResponseBuf`](proofkey_core::ResponseBuf) out. It follows no redirect, sends nothing twice, keeps no cookie, asks for
//! the content coding `identity`, caps the body, keeps one overall deadline, and speaks plain http to loopback addresses only.
//! A coded body that a server sends all the same is an error of its own, unless another crate of the program turns on `ureq`'s
//! decoder for it: the cap is then that of the decoded body. Proxies are those of the environment, the certificate
//! authorities those of the system: [`Settings`] changes both, and [`Http::with_agent`] sends with an agent of your own.
//!
//! Below `ureq`, the target `ureq_proto::util` of the [`log`](https://docs.rs/log) crate writes down each byte that is sent and
//! received, secrets too, at the level `trace` alone. Give no logger that target at that level; no other target has a secret.
//!
//! A program needs this crate alone: it re-exports [`proofkey_core`] and [`http`]. To keep a
//! [`Pending`](proofkey_core::Pending) in a session, turn on the feature `serde`.

mod adapter;
mod agent;
mod connect;
mod device;
mod error;
mod identity;
mod listener;
mod login;
#[cfg(feature = "session")]
mod session;
mod streamed;

pub use adapter::Http;
/// The random generator of the operating system, for [`Client::authorize`](proofkey_core::Client::authorize).
pub use getrandom::SysRng;
#[cfg(feature = "dpop")]
pub use proofkey_http::SigningKey;
pub use proofkey_http::{
    DeviceLogin, DiscoverError, ExchangeError, ListenError, Login, LoginError, Proxies, Proxy, ProxyError, ProxyFault,
    Settings, SignError, SignedIn, Signer, StepUp, TransportError, TransportKind,
};
pub use streamed::Streamed;
pub use {http, proofkey_core};
#[cfg(feature = "session")]
pub use {
    proofkey_core::session::{End, Grace, Policy},
    proofkey_http::session::{CallError, Revocation, SessionError, SignedOut, Token, is_stale},
    proofkey_store::{self, Key, Memory, Record, Store, StoreError, User},
    session::Session,
};
