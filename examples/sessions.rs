//! A service whose users stay signed in: `sessions PORT ISSUER CLIENT_ID API_URL [STORE]`.
//!
//! STORE is where the logins are kept: `redis://HOST:PORT`, `postgres://USER@HOST:PORT/DATABASE`, or nothing for this process's
//! memory. The service is the same with each of them.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, http::StatusCode, http::Uri, routing::get};
use proofkey_postgres::Postgres;
use proofkey_redis::Redis;
use proofkey_reqwest::proofkey_core::{self, Advice, ClientBuf, Pending};
use proofkey_reqwest::{AsyncStore, CallError, Http, Memory, Sessions, SysRng, http::Request};
use std::error::Error;
use std::sync::Arc;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, cookie::SameSite};

struct App {
    http: Http,
    client: ClientBuf,
    sessions: Sessions,
    api: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let args: Vec<String> = std::env::args().collect();
    let (port, issuer, client_id, api, place) = match args.as_slice() {
        [_, port, issuer, client_id, api] => (port, issuer, client_id, api, ""),
        [_, port, issuer, client_id, api, place] => (port, issuer, client_id, api, place.as_str()),
        _ => return Err("usage: sessions PORT ISSUER CLIENT_ID API_URL [STORE]".into()),
    };
    let http = Http::new()?;
    let client = http.discover(issuer, client_id, &format!("http://127.0.0.1:{port}/callback")).await?;
    let sessions = Sessions::new(&http, client.as_client(), store(place).await?);
    let app = App { http, client, sessions: sessions.clone(), api: api.clone() };
    // Lax: the browser comes back from another site. Over https leave out `with_secure(false)`.
    let cookies = SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Lax).with_secure(false);
    let routes = Router::new()
        .route("/", get(show))
        .route("/login", get(sign_in))
        .route("/callback", get(callback))
        .route("/logout", get(sign_out))
        .layer(cookies);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, routes.with_state(Arc::new(app))).with_graceful_shutdown(stopped()).await?;
    // A refresh that is under way is finished and saved first.
    Ok(sessions.settle().await?)
}

/// The one place that knows where logins are kept.
async fn store(place: &str) -> Result<Box<dyn AsyncStore>, Box<dyn Error + Send + Sync>> {
    if place.starts_with("redis://") {
        let client = redis::Client::open(place)?;
        return Ok(Box::new(Redis::new(client.get_multiplexed_async_connection().await?)));
    }
    if place.starts_with("postgres://") {
        let (client, connection) = tokio_postgres::connect(place, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let store = Postgres::new(Arc::new(client));
        store.create_table().await?;
        return Ok(Box::new(store));
    }
    Ok(Box::new(Memory::new()))
}

async fn show(State(app): State<Arc<App>>, cookie: Session) -> Result<Response, Failure> {
    let Some(user) = cookie.get::<String>("user").await? else { return Ok(Redirect::to("/login").into_response()) };
    match app.sessions.of(&user).call(Request::get(&app.api).body(Vec::new())?).await {
        Ok(answer) => Ok(String::from_utf8_lossy(&answer.body).into_owned().into_response()),
        Err(CallError::Session(error)) if error.advice() == Advice::Reauthorize => {
            Ok(Redirect::to("/login").into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn sign_in(State(app): State<Arc<App>>, cookie: Session) -> Result<Redirect, Failure> {
    let scope = ["itwin-platform", "offline_access"];
    let (url, pending) = app.client.as_client().authorize(&scope, &mut SysRng)?;
    cookie.insert("login", pending).await?;
    Ok(Redirect::to(&url.to_string()))
}

async fn callback(State(app): State<Arc<App>>, cookie: Session, uri: Uri) -> Result<Redirect, Failure> {
    let pending: Pending = cookie.remove("login").await?.ok_or("no login waits in this session")?;
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let request = pending.accept(app.client.as_client(), proofkey_core::Redirect::Target(target))?;
    let tokens = app.http.exchange(request).await?;
    // Your own id of the user; here there is none yet.
    let user = format!("{:016x}", getrandom::u64()?);
    app.sessions.of(&user).begin(&tokens.into()).await?;
    cookie.insert("user", user).await?;
    Ok(Redirect::to("/"))
}

async fn sign_out(State(app): State<Arc<App>>, cookie: Session) -> Result<&'static str, Failure> {
    if let Some(user) = cookie.remove::<String>("user").await? {
        app.sessions.of(&user).sign_out().await?;
    }
    Ok("signed out")
}

async fn stopped() {
    let _ = tokio::signal::ctrl_c().await;
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
        (StatusCode::BAD_GATEWAY, self.0.to_string()).into_response()
    }
}
