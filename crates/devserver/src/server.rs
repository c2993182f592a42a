//! [`DevServer`]: a server on a thread of its own.

use crate::app::{
    AUTHORIZE, App, CONSENT, COUNTS, DEVICE, END_SESSION, JWKS, LOGIN, PUSH, REVOCATION, TOKEN, USERINFO,
};
use crate::counts::{self, Counts};
use crate::log::Entry;
use crate::options::{Faults, Options};
use crate::running::{Running, bind};
use crate::{api, authorize, cors, device, dpop, log, metadata, oidc, pages, push, token};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use std::io;
use std::sync::Arc;

/// A running server. It stops when it is dropped.
///
/// ```
/// use proofkey_devserver::{DevServer, EndpointFault, Faults, Options};
///
/// let server = DevServer::start(Options::default())?;
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// server.set_faults(Faults { token: Some(EndpointFault::Hangup), ..Faults::default() });
/// // The client under test sends something, and then:
/// assert!(server.take_log().is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct DevServer {
    app: Arc<App>,
    _running: Running,
}

impl DevServer {
    /// Starts a server on 127.0.0.1, on a thread of its own.
    ///
    /// # Errors
    /// If the port is taken, or a redirect URI of a client is not a URL.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = bind(options.port)?;
        let app = Arc::new(App::new(options, listener.local_addr()?));
        let running = Running::start(listener, router(Arc::clone(&app))?)?;
        Ok(Self { app, _running: running })
    }

    /// The server's own URL, which is also its issuer: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.app.issuer.clone()
    }

    /// The issuer (RFC 8414 section 2).
    #[must_use]
    pub fn issuer(&self) -> String {
        self.url()
    }

    /// The authorization endpoint.
    #[must_use]
    pub fn authorization_endpoint(&self) -> String {
        self.app.at(AUTHORIZE)
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        self.app.at(TOKEN)
    }

    /// The device authorization endpoint (RFC 8628).
    #[must_use]
    pub fn device_endpoint(&self) -> String {
        self.app.at(DEVICE)
    }

    /// The endpoint for pushed authorization requests (RFC 9126).
    #[must_use]
    pub fn push_endpoint(&self) -> String {
        self.app.at(PUSH)
    }

    /// Where browsers are signed out (RP-Initiated Logout 1.0).
    #[must_use]
    pub fn end_session_endpoint(&self) -> String {
        self.app.at(END_SESSION)
    }

    /// The userinfo endpoint (OpenID Connect Core 1.0 section 5.3).
    #[must_use]
    pub fn userinfo_endpoint(&self) -> String {
        self.app.at(USERINFO)
    }

    /// The revocation endpoint.
    #[must_use]
    pub fn revocation_endpoint(&self) -> String {
        self.app.at(REVOCATION)
    }

    /// The URL of a path of the protected API, such as `/api/me`.
    #[must_use]
    pub fn api(&self, path: &str) -> String {
        self.app.at(path)
    }

    /// The URL of [`DevServer::counts`] as JSON.
    #[must_use]
    pub fn counts_url(&self) -> String {
        self.app.at(COUNTS)
    }

    /// What the token endpoint did since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.app.grants().counts
    }

    /// The last 10,000 requests, in the order in which they were answered.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.app.log.entries()
    }

    /// Takes the requests so far out of the log.
    #[must_use]
    pub fn take_log(&self) -> Vec<Entry> {
        self.app.log.take()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.app.log.clear();
    }

    /// Replaces the faults from now on. Refreshes and polls are counted anew for [`When`](crate::When).
    pub fn set_faults(&self, faults: Faults) {
        self.app.set_faults(faults);
    }
}

fn router(app: Arc<App>) -> io::Result<Router> {
    // The endpoints that a single-page app calls; the pages are for browsers alone.
    let called = Router::new()
        .route(TOKEN, post(token::token))
        .route(PUSH, post(push::push))
        .route(REVOCATION, post(token::revoke))
        .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
        .route("/.well-known/openid-configuration", get(metadata::metadata))
        .route(JWKS, get(oidc::jwks))
        .route(USERINFO, get(oidc::userinfo))
        .merge(device::called())
        .merge(api::routes())
        .layer(cors::layer(&app.options)?)
        .layer(from_fn_with_state(Arc::clone(&app), dpop::hide));
    Ok(Router::new()
        .route("/", get(pages::index))
        .route(COUNTS, get(counts::counts))
        .route(AUTHORIZE, get(authorize::authorize))
        .route(LOGIN, post(authorize::login))
        .route(END_SESSION, get(oidc::end_session))
        .route(CONSENT, get(authorize::consent).post(authorize::decide))
        .merge(device::pages())
        .merge(called)
        .layer(from_fn(no_store))
        .layer(from_fn_with_state(Arc::clone(&app.log), log::record))
        .with_state(app))
}

async fn no_store(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert("cache-control", axum::http::HeaderValue::from_static("no-store"));
    headers.insert("referrer-policy", axum::http::HeaderValue::from_static("no-referrer"));
    headers.insert("x-content-type-options", axum::http::HeaderValue::from_static("nosniff"));
    response
}
