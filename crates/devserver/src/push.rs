//! Pushed authorization requests (RFC 9126).

use crate::app::{App, PUSH};
use crate::authorize::AuthorizationRequest;
use crate::dpop::{self, At};
use crate::params::Params;
use crate::state::random;
use crate::token::{answer, client, with_fault};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) async fn push(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let proof = dpop::check(&app, At::Token, "POST", PUSH, &headers, None);
    let keep = |params: &Params| {
        let client = client(&app, params)?;
        match (proof.key.clone()?, params.find("dpop_jkt")) {
            (Some(key), Some(named)) if key != named => {
                return Err(("invalid_dpop_proof", "dpop_jkt is another key's thumbprint"));
            }
            _ => {}
        }
        if params.find("request_uri").is_some() {
            return Err(("invalid_request", "request_uri cannot be pushed"));
        }
        let request = AuthorizationRequest::parse(&app, &body);
        let request = request.map_err(|_| ("invalid_request", "redirect_uri is not registered"))?;
        request.fault().map_or(Ok(()), Err)?;
        let ttl = app.options.push_ttl;
        let request_uri = app.grants().pushes.keep(&client.client_id, &body, ttl);
        Ok(json!({"request_uri": request_uri, "expires_in": ttl}))
    };
    with_fault(app.faults().push, || proof.answer(&app, created(answer(&headers, &body, keep)))).await
}

fn created(mut response: Response) -> Response {
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::CREATED;
    }
    response
}

/// The requests that were pushed.
#[derive(Debug, Default)]
pub(crate) struct Pushes(HashMap<String, Pushed>);

#[derive(Debug)]
struct Pushed {
    client_id: String,
    query: String,
    until: Instant,
    opened: bool,
}

impl Pushes {
    fn keep(&mut self, client_id: &str, query: &str, ttl: u32) -> String {
        let now = Instant::now();
        self.0.retain(|_, pushed| pushed.until + FORGOTTEN > now);
        let request_uri = format!("urn:ietf:params:oauth:request_uri:{}", random());
        let until = now + Duration::from_secs(ttl.into());
        let (client_id, query) = (client_id.to_owned(), query.to_owned());
        self.0.insert(request_uri.clone(), Pushed { client_id, query, until, opened: false });
        request_uri
    }

    /// Opens a request in a browser: once, and before it expires (section 4).
    fn open(&mut self, request_uri: &str) -> Result<(), &'static str> {
        let pushed = self.0.get_mut(request_uri).ok_or(UNKNOWN)?;
        if std::mem::replace(&mut pushed.opened, true) {
            return Err("This request was opened before. Start again in the application.");
        }
        if pushed.until <= Instant::now() {
            return Err("This request has expired. Start again in the application.");
        }
        Ok(())
    }
}

/// Opens the request that a query refers to, if it refers to one.
pub(crate) fn open(app: &App, query: &str) -> Result<(), &'static str> {
    let params = Params::parse(query).unwrap_or_default();
    params.find("request_uri").map_or(Ok(()), |request_uri| app.grants().pushes.open(request_uri))
}

/// The parameters that a query refers to; none if it has them itself.
pub(crate) fn find(app: &App, query: &str) -> Result<Option<String>, &'static str> {
    let params = Params::parse(query).unwrap_or_default();
    let Some(request_uri) = params.find("request_uri") else {
        let refused = Err("This server only takes requests that were pushed to it.");
        return if app.options.require_push { refused } else { Ok(None) };
    };
    let grants = app.grants();
    let pushed = grants.pushes.0.get(request_uri).filter(|pushed| pushed.client_id == params.text("client_id"));
    pushed.map(|pushed| Some(pushed.query.clone())).ok_or(UNKNOWN)
}

const FORGOTTEN: Duration = Duration::from_secs(3600);
const UNKNOWN: &str = "This request is unknown, or another application's.";
