//! A service without a session store, as two replicas behind a balancer: `replicas PORT ISSUER CLIENT_ID API_URL`, with the
//! sealing key in `SEALING_KEY` (`openssl rand -base64 32`). The login waits in the user's browser, sealed, so that one replica can
//! begin it and the other one finish it.
//!
//! Browsers keep a `__Host-` cookie only for https. Some make an exception for this machine; the service itself belongs behind
//! https.

use axum::extract::State;
use axum::http::header::{CONNECTION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, middleware, routing::get};
use getrandom::SysRng;
use proofkey_reqwest::proofkey_core::{self, ClientBuf, Pending};
use proofkey_reqwest::{Http, http::Request};
use proofkey_store::{Keys, Seal, SealingKey};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use zeroize::Zeroizing;

struct App {
    replica: usize,
    http: Http,
    client: ClientBuf,
    api: String,
    seal: Seal,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, port, issuer, client_id, api] = args.as_slice() else {
        return Err("usage: replicas PORT ISSUER CLIENT_ID API_URL".into());
    };
    let keys = Keys::new(SealingKey::from_base64(&std::env::var("SEALING_KEY")?)?);
    let http = Http::new()?;
    let client = http.discover(issuer, client_id, &format!("http://127.0.0.1:{port}/callback")).await?;
    let mut replicas = Vec::new();
    for replica in 1..=2 {
        let seal = Seal::new(keys.clone(), "__Host-login");
        let app = App { replica, http: http.clone(), client: client.clone(), api: api.clone(), seal };
        replicas.push(start(app).await?);
    }
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    println!("http://{}/", listener.local_addr()?);
    balance(listener, &replicas).await
}

/// Starts a replica.
async fn start(app: App) -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    // Each answer ends its connection, so that the next request goes to the other replica.
    let routes = Router::new().route("/", get(sign_in)).route("/callback", get(callback));
    let routes = routes.layer(middleware::map_response(async |mut response: Response| {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }));
    tokio::spawn(async move { axum::serve(listener, routes.with_state(Arc::new(app))).await });
    Ok(address)
}

/// The balancer: each connection goes to the next replica.
async fn balance(listener: TcpListener, replicas: &[SocketAddr]) -> Result<(), Box<dyn Error>> {
    for replica in replicas.iter().copied().cycle() {
        let (mut browser, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut replica = TcpStream::connect(replica).await?;
            copy_bidirectional(&mut browser, &mut replica).await
        });
    }
    Ok(())
}

async fn sign_in(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let (url, pending) = app.client.as_client().authorize(&["itwin-platform"], &mut SysRng)?;
    let value = app.seal.close(&Zeroizing::new(serde_json::to_vec(&pending)?), now()?)?;
    println!("replica {} begins a login", app.replica);
    let cookie = set_cookie(&app.seal, &value, app.seal.max_age());
    Ok(([(SET_COOKIE, cookie)], Redirect::to(&url.to_string())).into_response())
}

async fn callback(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    // Whatever comes of it, the login waits no longer.
    ([(SET_COOKIE, set_cookie(&app.seal, "", 0))], finish(&app, &headers, &uri).await).into_response()
}

async fn finish(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<String, Failure> {
    let value = cookie(headers, app.seal.name()).ok_or("no login waits in this browser")?;
    let pending: Pending = serde_json::from_slice(&app.seal.open(value, now()?)?)?;
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let request = pending.accept(app.client.as_client(), proofkey_core::Redirect::Target(target))?;
    let tokens = app.http.exchange(request).await?;
    println!("replica {} finishes a login", app.replica);
    let answer = app.http.call(Request::get(&app.api).body(Vec::new())?, tokens.access_token()).await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

/// Lax: the browser comes back from another site.
fn set_cookie(seal: &Seal, value: &str, max_age: u32) -> String {
    format!("{}={value}; Max-Age={max_age}; Path=/; Secure; HttpOnly; SameSite=Lax", seal.name())
}

/// The cookie of this name, if it has a value.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all("cookie").iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split("; ")).filter_map(|pair| pair.split_once('='));
    pairs.filter(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| value).next()
}

fn now() -> Result<u64, Failure> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// Any error, shown to the user in one line.
struct Failure(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.0.to_string()).into_response()
    }
}
