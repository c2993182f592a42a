//! OAuth 2.0 for public clients: the Authorization Code flow with PKCE as a state machine without I/O.
//!
//! A state is a small value; a step consumes it, so that only the next legal step can follow:
//!
//! ```text
//!  Client ──authorize(scope, rng)──▶ AuthorizationUrl ─ ─ ─▶ the user's browser
//!    │                        └────▶ Pending                        ┊
//!    │                                  │                           ┊ redirect
//!    │                 accept(client, redirect) ◀─ ─ ─ ─ ─ ─ ─ ─ ─ ─┘
//!    │                                  ▼
//!    ├──refresh(refresh_token)──▶ TokenRequest ──request()──▶ Request ─ ─ ▶ an adapter
//!    │                                  │                                      ┊
//!    │                           read(response) ◀─ ─ ─ ─ ─ ─ ─ Response ◀─ ─ ─ ┘
//!    │                                  ▼
//!    │                               Tokens ──access_token()──▶ AccessToken ──authorization()──▶ the API
//!    ├──revoke(token)──▶ RevocationRequest: request(), read()
//!    └──device(scope)──▶ DeviceRequest: request(), read() ──▶ Prompt, for the user, and Poll: step(), hear(), read() ──▶ Tokens
//!
//!  Client ──push(scope, rng)──▶ PushRequest: request(), read() ──▶ PushedUrl ─ ─ ▶ the user's browser, and Pending
//!
//!  Discovery: request(), read() ──▶ Metadata ──server()──▶ Server ──Client::new──▶ Client
//! ```
//!
//! # In scope
//! Building requests and reading answers for public clients (RFC 6749, 6750, 7009, 7636, 8252, 8414, 8628, 9126, 9207, 9449,
//! 9470, 9700, OpenID Connect Core 1.0), in buffers of the caller, without allocator, clock, randomness or global state of its
//! own.
//!
//! # Out of scope
//! Sockets, TLS and HTTP (the adapters `proofkey-ureq` and `proofkey-reqwest` do them), client secrets, the implicit and
//! password grants, the `plain` challenge method, and signatures of ID tokens.
//!
//! # Example
//! ```
//! use proofkey_core::{Client, Redirect, Response, Server};
//! # use getrandom::SysRng;
//! let client = Client::new("my-app", "http://127.0.0.1:49152/callback", Server::ITWIN)?;
//! let (url, pending) = client.authorize(&["itwin-platform", "offline_access"], &mut SysRng)?;
//! assert!(url.to_string().starts_with("https://ims.bentley.com/connect/authorize?response_type=code&client_id=my-app"));
//!
//! // The browser comes back to the redirect URI:
//! let target = format!("/callback?code=SplxlOBeZQQYbYS6WxSbIA&state={}", pending.state().expose());
//! let token_request = pending.accept(client, Redirect::Target(&target))?;
//!
//! // Send `token_request.request()` with any HTTP client, and read what it answers:
//! let mut body = *br#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}"#;
//! let response = Response::new(200, &mut body).with_header("content-type", "application/json");
//! let tokens = token_request.read(response)?;
//! assert_eq!(tokens.expires_in(), Some(3600));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]
#![deny(clippy::alloc_instead_of_core, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod check;
mod client;
#[cfg(feature = "defmt")]
mod defmt;
mod endpoint;
mod error;
mod flow;
mod lifetime;
pub mod loopback;
mod message;
mod oidc;
#[cfg(feature = "alloc")]
mod owned;
mod proof;
mod provider;
mod server;
pub mod session;
mod wire;

pub use client::Client;
pub use endpoint::{Endpoint, Feature, Quirk};
pub use error::{
    Advice, AuthorizeError, CallbackError, ConfigError, Excerpt, IdTokenError, ParameterFault, ResponseError,
    ServerError, UriFault,
};
pub use flow::{
    ApiError, ApiRequest, AuthorizationUrl, CodeExpired, DeviceRequest, Discovery, EndSessionUrl, Ending, Flow,
    Metadata, MetadataRequest, NoMetadata, NoRoom, Pending, Poll, Prompt, PushRequest, PushedUrl, Redirect,
    RefreshToken, Revocable, RevocationRequest, Scope, ScopeChange, Step, TokenRequest, Tokens, TokensArray,
    Unanswered, UserInfoError, UserInfoRequest, WellKnown,
};
pub use lifetime::Lifetime;
pub use message::{
    AccessToken, Authorization, Challenge, Challenges, Header, Method, Param, Received, Refusal, Request, Response,
    Thumbprint, Url, challenges,
};
pub use oidc::{Claims, IdToken, IdTokenRules};
pub use proof::{CodeChallenge, CodeVerifier, Proof, Provable, PublicKey, State, Unsigned};
pub use server::Server;

#[cfg(feature = "alloc")]
pub use owned::{ClaimsBuf, ClientBuf, PushedUrlBuf, RefreshTokenBuf, ResponseBuf, TokensBuf};
