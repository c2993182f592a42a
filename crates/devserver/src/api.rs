//! The protected API (RFC 6750), to be called with a token.

use crate::app::App;
use crate::oidc::{SECOND_FACTOR, now};
use crate::state::Grant;
use crate::token::with_fault;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/me", get(me))
        .route("/api/itwins", get(itwins).post(new_itwin))
        .route("/api/admin", get(admin))
        .route("/api/forbidden", get(forbidden))
        .route("/api/payments", get(payments))
}

async fn me(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap) -> Response {
    guarded(state, query, headers, "itwin-platform", |grant| {
        let user = &grant.user;
        ok(&json!({"user": {"id": user, "displayName": user, "email": format!("{user}@example.test")}, "scope": grant.scope}))
    })
    .await
}

async fn itwins(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap) -> Response {
    guarded(state, query, headers, "itwin-platform", |_| {
        ok(&json!({"iTwins": [
            {"id": "0b4a4c1e-1f0f-4a6c-9d0e-6c1f2a6f7a11", "displayName": "Harbour bridge", "status": "Active"},
            {"id": "7d3b6c0a-3c56-4f0e-8f43-0d9c5a1c2b22", "displayName": "North tunnel", "status": "Active"},
        ]}))
    })
    .await
}

async fn new_itwin(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap, body: String) -> Response {
    guarded(state, query, headers, "itwin-platform", |_| match serde_json::from_str::<Value>(&body) {
        Ok(sent) => (StatusCode::CREATED, JSON, json!({"iTwin": sent}).to_string()).into_response(),
        Err(_) => (StatusCode::BAD_REQUEST, JSON, json!({"error": "the body is not JSON"}).to_string()).into_response(),
    })
    .await
}

async fn admin(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap) -> Response {
    guarded(state, query, headers, "admin", |_| ok(&json!({"admin": true}))).await
}

/// The token is sufficient, but the user lacks a permission.
async fn forbidden(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap) -> Response {
    guarded(state, query, headers, "itwin-platform", |_| {
        let error =
            json!({"error": {"code": "InsufficientPermissions", "message": "The user has no permission for this."}});
        (StatusCode::FORBIDDEN, JSON, error.to_string()).into_response()
    })
    .await
}

/// The token is sufficient, but the user must have signed in with a second factor, within five minutes (RFC 9470 section 3).
async fn payments(state: State<Arc<App>>, query: RawQuery, headers: HeaderMap) -> Response {
    guarded(state, query, headers, "itwin-platform", |grant| {
        let (acr, auth_time) = (&grant.sign_in.acr, grant.sign_in.auth_time);
        if acr == SECOND_FACTOR && now().saturating_sub(auth_time) <= 300 {
            return ok(&json!({"payments": []}));
        }
        let challenge =
            format!("error=\"insufficient_user_authentication\", acr_values=\"{SECOND_FACTOR}\", max_age=\"300\"");
        refused(StatusCode::UNAUTHORIZED, &challenge)
    })
    .await
}

async fn guarded(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    scope: &str,
    work: impl FnOnce(&Grant) -> Response,
) -> Response {
    with_fault(app.faults().api, || match grant_of(&app, query.as_deref(), &headers) {
        Ok(grant) if grant.has(scope) => work(&grant),
        Ok(_) => refused(StatusCode::FORBIDDEN, &format!("error=\"insufficient_scope\", scope=\"{scope}\"")),
        Err(refused) => refused,
    })
    .await
}

/// RFC 6750 section 2.1 is the only way to present a token; section 3.1 tells the refusals apart.
pub(crate) fn grant_of(app: &App, query: Option<&str>, headers: &HeaderMap) -> Result<Arc<Grant>, Response> {
    if form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "access_token") {
        let description = "error=\"invalid_request\", error_description=\"a token must not be in the URL\"";
        return Err(refused(StatusCode::BAD_REQUEST, description));
    }
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (values.next(), values.next()) {
        (None, _) => return Err(refused(StatusCode::UNAUTHORIZED, "realm=\"devserver\"")),
        (Some(value), None) => value.to_str().ok().and_then(|value| value.split_once(' ')),
        (Some(_), Some(_)) => None,
    };
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token);
    token.and_then(|token| app.grants().access(token)).ok_or_else(|| {
        let description = "error=\"invalid_token\", error_description=\"the token is unknown, expired or revoked\"";
        refused(StatusCode::UNAUTHORIZED, description)
    })
}

pub(crate) fn ok(document: &Value) -> Response {
    (JSON, document.to_string()).into_response()
}

pub(crate) fn refused(status: StatusCode, challenge: &str) -> Response {
    (status, [(header::WWW_AUTHENTICATE, format!("Bearer {challenge}"))]).into_response()
}

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
