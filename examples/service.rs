//! A web service whose users sign in: `service PORT ISSUER CLIENT_ID API_URL`. The login waits in the user's session.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Router, routing::get};
use getrandom::SysRng;
use proofkey_core::{ClientBuf, Pending};
use proofkey_reqwest::Http;
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex};

struct App {
    http: Http,
    client: ClientBuf,
    api: String,
    sessions: Mutex<HashMap<String, Pending>>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, port, issuer, client_id, api] = args.as_slice() else {
        return Err("usage: service PORT ISSUER CLIENT_ID API_URL".into());
    };
    let http = Http::new()?;
    let client = http.discover(issuer, client_id, &format!("http://127.0.0.1:{port}/callback")).await?;
    let app = Arc::new(App { http, client, api: api.clone(), sessions: Mutex::default() });
    let routes = Router::new().route("/", get(sign_in)).route("/callback", get(callback)).with_state(app);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    println!("http://{}/", listener.local_addr()?);
    Ok(axum::serve(listener, routes).await?)
}

async fn sign_in(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let (url, pending) = app.client.as_client().authorize(&["itwin-platform"], &mut SysRng)?;
    let session = pending.state().expose().to_owned();
    let cookie = format!("session={session}; HttpOnly; SameSite=Lax; Path=/; Max-Age=600");
    let answer = ([(header::SET_COOKIE, cookie)], Redirect::to(&url.to_string())).into_response();
    app.sessions.lock().map_err(|_| "the sessions are lost")?.insert(session, pending);
    Ok(answer)
}

async fn callback(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<String, Failure> {
    let cookie = headers.get(header::COOKIE).and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
    let session = cookie.split("; ").find_map(|cookie| cookie.strip_prefix("session=")).ok_or("no session")?;
    let pending = app.sessions.lock().map_err(|_| "the sessions are lost")?.remove(session).ok_or("no login waits")?;
    let query = query.unwrap_or_default();
    let request = pending.accept(app.client.as_client(), proofkey_core::Redirect::Query(&query))?;
    let tokens = app.http.exchange(request).await?;
    let answer = app.http.call(http::Request::get(&app.api).body(Vec::new())?, tokens.access_token()).await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

/// Whatever went wrong, told to the user in one line.
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
