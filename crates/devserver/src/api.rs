//! The protected API (RFC 6750, RFC 9449), to be called with a token.

use crate::app::App;
use crate::dpop::{self, At, Checked};
use crate::oidc::{SECOND_FACTOR, now};
use crate::options::EndpointFault;
use crate::state::Grant;
use crate::token::with_fault;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
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

async fn me(state: State<Arc<App>>, method: Method, url: Uri, headers: HeaderMap) -> Response {
    guarded(state, method, url, headers, "itwin-platform", |grant| {
        let user = &grant.user;
        ok(&json!({"user": {"id": user, "displayName": user, "email": format!("{user}@example.test")}, "scope": grant.scope}))
    })
    .await
}

async fn itwins(state: State<Arc<App>>, method: Method, url: Uri, headers: HeaderMap) -> Response {
    guarded(state, method, url, headers, "itwin-platform", |_| {
        ok(&json!({"iTwins": [
            {"id": "0b4a4c1e-1f0f-4a6c-9d0e-6c1f2a6f7a11", "displayName": "Harbour bridge", "status": "Active"},
            {"id": "7d3b6c0a-3c56-4f0e-8f43-0d9c5a1c2b22", "displayName": "North tunnel", "status": "Active"},
        ]}))
    })
    .await
}

async fn new_itwin(state: State<Arc<App>>, method: Method, url: Uri, headers: HeaderMap, body: String) -> Response {
    guarded(state, method, url, headers, "itwin-platform", |_| match serde_json::from_str::<Value>(&body) {
        Ok(sent) => (StatusCode::CREATED, JSON, json!({"iTwin": sent}).to_string()).into_response(),
        Err(_) => (StatusCode::BAD_REQUEST, JSON, json!({"error": "the body is not JSON"}).to_string()).into_response(),
    })
    .await
}

async fn admin(state: State<Arc<App>>, method: Method, url: Uri, headers: HeaderMap) -> Response {
    guarded(state, method, url, headers, "admin", |_| ok(&json!({"admin": true}))).await
}

/// The token is sufficient, but the user lacks a permission.
async fn forbidden(state: State<Arc<App>>, method: Method, url: Uri, headers: HeaderMap) -> Response {
    guarded(state, method, url, headers, "itwin-platform", |_| {
        let error =
            json!({"error": {"code": "InsufficientPermissions", "message": "The user has no permission for this."}});
        (StatusCode::FORBIDDEN, JSON, error.to_string()).into_response()
    })
    .await
}

/// The token is sufficient, but the user must have signed in with a second factor, within five minutes (RFC 9470 section 3).
async fn payments(state: State<Arc<App>>, method: Method, url: Uri, headers: HeaderMap) -> Response {
    guarded(state, method, url, headers, "itwin-platform", |grant| {
        let (acr, auth_time) = (&grant.sign_in.acr, grant.sign_in.auth_time);
        if acr == SECOND_FACTOR && now().saturating_sub(auth_time) <= 300 {
            return ok(&json!({"payments": []}));
        }
        let challenge =
            format!("error=\"insufficient_user_authentication\", acr_values=\"{SECOND_FACTOR}\", max_age=\"300\"");
        refused(grant.key.is_some(), StatusCode::UNAUTHORIZED, &challenge)
    })
    .await
}

async fn guarded(
    State(app): State<Arc<App>>,
    method: Method,
    url: Uri,
    headers: HeaderMap,
    scope: &str,
    work: impl FnOnce(&Grant) -> Response,
) -> Response {
    let fault = app.faults().api;
    guarded_with(&app, fault, method, url, headers, scope, work).await
}

/// Does the work for a token that has the scope.
pub(crate) async fn guarded_with(
    app: &App,
    fault: Option<EndpointFault>,
    method: Method,
    url: Uri,
    headers: HeaderMap,
    scope: &str,
    work: impl FnOnce(&Grant) -> Response,
) -> Response {
    with_fault(fault, || {
        let presented = Presented::of(app, &method, &url, &headers);
        let response = match presented.grant(app, url.query()) {
            Ok(grant) if grant.has(scope) => work(&grant),
            Ok(_) => {
                presented.refuse(StatusCode::FORBIDDEN, &format!("error=\"insufficient_scope\", scope=\"{scope}\""))
            }
            Err(refused) => refused,
        };
        presented.proof.answer(app, response)
    })
    .await
}

/// A token as it was presented: RFC 6750 section 2.1 and RFC 9449 section 7.1 are the only ways.
struct Presented<'h> {
    /// The scheme and the token.
    token: Option<(&'h str, &'h str)>,
    is_absent: bool,
    proof: Checked,
}

impl<'h> Presented<'h> {
    fn of(app: &App, method: &Method, url: &Uri, headers: &'h HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (first, second) = (values.next(), values.next());
        let token = first.filter(|_| second.is_none()).and_then(|value| value.to_str().ok()?.split_once(' '));
        let proof = dpop::check(app, At::Api, method.as_str(), url.path(), headers, token.map(|(_, token)| token));
        Self { token, is_absent: first.is_none(), proof }
    }

    /// RFC 6750 section 3.1 tells the refusals apart.
    fn grant(&self, app: &App, query: Option<&str>) -> Result<Arc<Grant>, Response> {
        let unauthorized = |why: &str| self.refuse(StatusCode::UNAUTHORIZED, why);
        if form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "access_token") {
            let description = "error=\"invalid_request\", error_description=\"a token must not be in the URL\"";
            return Err(self.refuse(StatusCode::BAD_REQUEST, description));
        }
        if self.is_absent {
            return Err(unauthorized("realm=\"devserver\""));
        }
        let found = self.token.and_then(|(scheme, token)| Some((scheme, app.grants().access(token)?)));
        let (scheme, grant) = found.ok_or_else(|| unauthorized(UNKNOWN))?;
        let wanted = if grant.key.is_some() { "dpop" } else { "bearer" };
        if !scheme.eq_ignore_ascii_case(wanted) {
            return Err(unauthorized("error=\"invalid_token\", error_description=\"the token is of another type\""));
        }
        match &self.proof.key {
            _ if grant.key.is_none() => Ok(grant),
            Err((code, why)) => Err(unauthorized(&format!("error=\"{code}\", error_description=\"{why}\""))),
            Ok(key) if *key == grant.key => Ok(grant),
            Ok(_) => {
                let description = "error=\"invalid_dpop_proof\", error_description=\"no proof of the token's key\"";
                Err(unauthorized(description))
            }
        }
    }

    /// In the scheme in which the token was presented.
    fn refuse(&self, status: StatusCode, challenge: &str) -> Response {
        let is_proof = self.token.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("dpop"));
        refused(is_proof, status, challenge)
    }
}

fn refused(is_proof: bool, status: StatusCode, challenge: &str) -> Response {
    let scheme = if is_proof { "DPoP algs=\"ES256\"," } else { "Bearer" };
    (status, [(header::WWW_AUTHENTICATE, format!("{scheme} {challenge}"))]).into_response()
}

pub(crate) fn ok(document: &Value) -> Response {
    (JSON, document.to_string()).into_response()
}

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];
const UNKNOWN: &str = "error=\"invalid_token\", error_description=\"the token is unknown, expired or revoked\"";
