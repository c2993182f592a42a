//! The async adapter of [`proofkey_core`], over [`reqwest`] and tokio: log a user in, serve many, call an API.
//!
//! # A native app
//! ```no_run
//! use proofkey_reqwest::proofkey_core::{Client, Server};
//! use proofkey_reqwest::{Http, Login};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let http = Http::new()?;
//! let client = Client::new("my-client-id", "http://127.0.0.1/callback", Server::ITWIN)?;
//! let login = Login::new(client, &["itwin-platform", "offline_access"]);
//! let tokens = http.login(login, |url| Ok(println!("Open {url}"))).await?.tokens;
//! let request = http::Request::get("https://api.bentley.com/itwins/").body(Vec::new())?;
//! let answer = http.call(request, tokens.access_token()).await?;
//! println!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
//! # Ok(())
//! # }
//! ```
//!
//! # A service
//! It has routes of its own, so it takes the two halves of a login: park the [`Pending`](proofkey_core::Pending) in the
//! user's session between them.
//! ```
//! use proofkey_reqwest::proofkey_core::{ClientBuf, Pending, Redirect, TokensBuf};
//! use proofkey_reqwest::{Http, SysRng};
//!
//! struct App {
//!     http: Http,
//!     client: ClientBuf,
//! }
//!
//! type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
//!
//! impl App {
//!     async fn discover() -> Result<Self> {
//!         let http = Http::new()?;
//!         let client = http.discover("https://as.example", "my-client-id", "https://app.example/callback").await?;
//!         Ok(Self { http, client })
//!     }
//!
//!     /// `GET /login`: redirect to the URL.
//!     fn begin(&self) -> Result<(String, Pending)> {
//!         let (url, pending) = self.client.as_client().authorize(&["profile"], &mut SysRng)?;
//!         Ok((url.to_string(), pending))
//!     }
//!
//!     /// `GET /callback`: with its path and query, and what [`begin`](Self::begin) parked.
//!     async fn finish(&self, pending: Pending, target: &str) -> Result<TokensBuf> {
//!         let request = pending.accept(self.client.as_client(), Redirect::Target(target))?;
//!         Ok(self.http.exchange(request).await?)
//!     }
//! }
//! ```
//!
//! [`Http::send`] is the adapter itself: a [`Request`](proofkey_core::Request) in, a
//! [`ResponseBuf`](proofkey_core::ResponseBuf) out. It follows no redirect, sends nothing twice, keeps no cookie, asks for the
//! content coding `identity`, caps the body, keeps one overall deadline, and speaks plain http to loopback addresses only. A
//! coded body that a server sends all the same is an error of its own. Proxies are those of the environment, the certificate
//! authorities those of the system: [`Settings`] changes both, and [`Http::from_builder`] sends with a client of your own.
//!
//! Every future is `Send`, and needs a tokio runtime of any flavour with I/O and time enabled. Dropping a future closes its
//! connection, but a request that is under way may arrive all the same: each method says what that means.
//!
//! A program needs this crate alone: it re-exports [`proofkey_core`] and [`http`]. To keep a
//! [`Pending`](proofkey_core::Pending) in a session, turn on the feature `serde`.

mod adapter;
mod body;
mod client;
mod device;
mod error;
mod identity;
#[cfg(feature = "session")]
mod lifted;
mod listener;
mod login;
#[cfg(feature = "session")]
mod session;
#[cfg(feature = "session")]
mod sessions;
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
    lifted::Blocking,
    proofkey_core::session::{End, Grace, Policy},
    proofkey_http::session::{CallError, Revocation, SessionError, SignedOut, Token, is_stale},
    proofkey_store::{self, AsyncStore, Key, Memory, Record, Store, StoreError, User},
    session::Session,
    sessions::Sessions,
};
