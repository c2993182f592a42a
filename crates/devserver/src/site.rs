//! [`Site`]: the files of a single-page app, at an origin of their own.

use crate::running::{Running, bind};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use std::borrow::Cow;
use std::io;
use std::sync::Arc;

/// A file of a [`Site`].
#[derive(Clone, Debug)]
pub struct File {
    /// The path that it is served at, such as `/app.js`.
    pub path: String,
    /// Its media type, such as `text/javascript`.
    pub media_type: &'static str,
    /// Its bytes.
    pub body: Cow<'static, [u8]>,
}

/// A running site. It stops when it is dropped.
///
/// ```
/// use proofkey_devserver::{DevServer, File, Options, Site};
///
/// let server = DevServer::start(Options::default())?;
/// let page = File { path: "/".to_owned(), media_type: "text/html", body: (&b"<title>My app</title>"[..]).into() };
/// let site = Site::start(0, &server.url(), vec![page])?;
/// println!("{}", site.url());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Site {
    url: String,
    _running: Running,
}

impl Site {
    /// Serves files on 127.0.0.1 (port 0 for any free port). Their Content-Security-Policy lets them run their own
    /// scripts and WebAssembly, and call themselves and `server`.
    ///
    /// # Errors
    /// If the port is taken, or `server` cannot be in a header.
    pub fn start(port: u16, server: &str, files: Vec<File>) -> io::Result<Self> {
        let policy =
            HeaderValue::try_from(format!("{POLICY}; connect-src 'self' {server}")).map_err(io::Error::other)?;
        let listener = bind(port)?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(serve).with_state(Arc::new(files)).layer(map_response(
            move |mut response: Response| {
                let policy = policy.clone();
                async move {
                    let headers = response.headers_mut();
                    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
                    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
                    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
                    response
                }
            },
        ));
        Ok(Self { url, _running: Running::start(listener, router)? })
    }

    /// The site's URL, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn serve(State(files): State<Arc<Vec<File>>>, uri: Uri) -> Response {
    match files.iter().find(|file| file.path == uri.path()) {
        Some(file) => ([(header::CONTENT_TYPE, file.media_type)], file.body.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types proofkey";
