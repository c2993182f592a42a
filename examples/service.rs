//! A web service whose users sign in: `service PORT ISSUER CLIENT_ID API_URL`. The login waits in the user's session.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, http::StatusCode, http::Uri, routing::get};
use getrandom::SysRng;
use proofkey_reqwest::proofkey_core::{self, ClientBuf, Pending};
use proofkey_reqwest::{Http, http::Request};
use std::error::Error;
use std::sync::Arc;
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer, cookie::SameSite, cookie::time::Duration};

struct App {
    http: Http,
    client: ClientBuf,
    api: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, port, issuer, client_id, api] = args.as_slice() else {
        return Err("usage: service PORT ISSUER CLIENT_ID API_URL".into());
    };
    let http = Http::new()?;
    let client = http.discover(issuer, client_id, &format!("http://127.0.0.1:{port}/callback")).await?;
    let app = Arc::new(App { http, client, api: api.clone() });
    // Lax: the browser comes back from another site. Over https leave out `with_secure(false)`.
    let sessions = SessionManagerLayer::new(MemoryStore::default())
        .with_same_site(SameSite::Lax)
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::minutes(10)));
    let routes = Router::new().route("/", get(sign_in)).route("/callback", get(callback)).layer(sessions);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    println!("http://{}/", listener.local_addr()?);
    Ok(axum::serve(listener, routes.with_state(app)).await?)
}

async fn sign_in(State(app): State<Arc<App>>, session: Session) -> Result<Redirect, Failure> {
    let (url, pending) = app.client.as_client().authorize(&["itwin-platform"], &mut SysRng)?;
    session.insert("login", pending).await?;
    Ok(Redirect::to(&url.to_string()))
}

async fn callback(State(app): State<Arc<App>>, session: Session, uri: Uri) -> Result<String, Failure> {
    let pending: Pending = session.remove("login").await?.ok_or("no login waits in this session")?;
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let request = pending.accept(app.client.as_client(), proofkey_core::Redirect::Target(target))?;
    let tokens = app.http.exchange(request).await?;
    let answer = app.http.call(Request::get(&app.api).body(Vec::new())?, tokens.access_token()).await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
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
