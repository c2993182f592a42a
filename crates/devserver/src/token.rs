//! The token endpoint (RFC 6749 section 3.2) and the revocation endpoint (RFC 7009).

use crate::app::{App, TOKEN};
use crate::dpop::{self, At};
use crate::log::{cut, hangup};
use crate::oidc;
use crate::options::{Alteration, ClientRegistration, EndpointFault, ProofFault};
use crate::params::Params;
use crate::state::Grant;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn token(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    app.grants().counts.token_requests += 1;
    let fault = match grant_type(&body).as_deref() {
        Some("refresh_token") => app.refresh_fault(),
        Some(DEVICE_GRANT) => {
            app.grants().counts.polls += 1;
            app.poll_fault()
        }
        _ => None,
    };
    let fault = fault.or_else(|| app.faults().token);
    let work = async move { with_fault(fault, || granted(&app, &headers, &body)).await };
    // On a task of its own, so that a client that hangs up does not take back what it sent.
    tokio::spawn(work).await.unwrap_or_else(|_| hangup())
}

pub(crate) async fn revoke(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let revoke = |params: &Params| {
        let client = client(&app, params)?;
        let token = params.find("token").ok_or(("invalid_request", "token is missing"))?;
        app.grants().revoke(token, &client.client_id);
        Ok(json!({}))
    };
    with_fault(app.faults().revocation, || answer(&headers, &body, revoke)).await
}

/// Runs the endpoint's work with a fault.
pub(crate) async fn with_fault(fault: Option<EndpointFault>, work: impl FnOnce() -> Response) -> Response {
    match fault {
        None => work(),
        Some(EndpointFault::Alter(alteration)) => alter(work(), &alteration).await,
        Some(EndpointFault::Delay { millis }) => {
            let response = work();
            tokio::time::sleep(Duration::from_millis(millis)).await;
            response
        }
        Some(EndpointFault::Hangup) => {
            drop(work());
            hangup()
        }
        Some(EndpointFault::HangupBefore) => hangup(),
        Some(EndpointFault::Respond { status, headers, body }) => {
            let mut response = (StatusCode::from_u16(status).unwrap_or_default(), body).into_response();
            response.headers_mut().remove(header::CONTENT_TYPE);
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    response.headers_mut().append(name, value);
                }
            }
            response
        }
        Some(EndpointFault::Stall { millis }) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            work()
        }
    }
}

async fn alter(response: Response, alteration: &Alteration) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if !parts.status.is_success() {
        return Response::from_parts(parts, Body::from(body));
    }
    let body = alteration.body.clone().unwrap_or_else(|| with_members(&body, &alteration.members));
    let mut response = match alteration.cut_before.as_ref().and_then(|text| body.split_once(text.as_str())) {
        Some((start, _)) => cut(start),
        None => body.into_response(),
    };
    *response.status_mut() = StatusCode::from_u16(alteration.status).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&alteration.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// A JSON object as text, with some members changed.
fn with_members(body: &[u8], members: &[(String, Option<String>)]) -> String {
    let mut object: BTreeMap<String, String> = serde_json::from_slice::<BTreeMap<String, serde_json::Value>>(body)
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name, value.to_string()))
        .collect();
    for (name, value) in members {
        match value {
            Some(value) => object.insert(name.clone(), value.clone()),
            None => object.remove(name),
        };
    }
    let members: Vec<_> = object.into_iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}

/// An error code and a description (RFC 6749 section 5.2).
pub(crate) type Refused = (&'static str, &'static str);

pub(crate) fn answer(
    headers: &HeaderMap,
    body: &str,
    work: impl FnOnce(&Params) -> Result<serde_json::Value, Refused>,
) -> Response {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let params = Params::parse(body).map_err(|_| ("invalid_request", "a parameter was sent twice"));
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let result = match params {
        _ if !form => Err(("invalid_request", "the body is not a form")),
        Ok(mut params) => authorization
            .map_or(Ok(()), |value| params.identify(value).map_err(|why| ("invalid_client", why)))
            .and_then(|()| work(&params)),
        Err(refused) => Err(refused),
    };
    let (status, document) = match result {
        Ok(document) => (StatusCode::OK, document),
        Err((code, description)) => (StatusCode::BAD_REQUEST, json!({"error": code, "error_description": description})),
    };
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response();
    if form && authorization.is_some() && document["error"] == "invalid_client" {
        // RFC 6749 section 5.2: a client that authenticates with a header is refused with one.
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = HeaderValue::from_static("Basic realm=\"devserver\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn granted(app: &App, headers: &HeaderMap, body: &str) -> Response {
    let proof = dpop::check(app, At::Token, "POST", TOKEN, headers, None);
    let response = answer(headers, body, |params| grant(app, params, proof.key.clone()?));
    proof.answer(app, response)
}

/// Tokens that are bound to `key`, if there is one.
fn grant(app: &App, params: &Params, key: Option<String>) -> Result<serde_json::Value, Refused> {
    let client = client(app, params)?;
    let required = |name, description| params.find(name).ok_or(("invalid_request", description));
    let mut grants = app.grants();
    let faults = app.faults();
    let is_ignored = faults.proof == Some(ProofFault::BearerAnswer);
    let issued = match params.text("grant_type") {
        "authorization_code" => {
            let code = required("code", "code is missing")?;
            let redirect_uri = required("redirect_uri", "redirect_uri is missing")?;
            let verifier = required("code_verifier", "code_verifier is missing")?;
            if !is_verifier(verifier) {
                return Err(("invalid_request", "the code_verifier is not 43 to 128 unreserved characters"));
            }
            let grant = grants.use_code(code, &client.client_id, redirect_uri, verifier);
            let grant = grant.map_err(|why| ("invalid_grant", why))?;
            if grant.key.is_some() && grant.key != key {
                return Err(("invalid_grant", "the code is bound to another key"));
            }
            grants.start(Grant { key: key.filter(|_| !is_ignored), ..grant })
        }
        "refresh_token" => {
            let token = required("refresh_token", "refresh_token is missing")?;
            let presented = grants.present(token, &client.client_id).map_err(|why| ("invalid_grant", why))?;
            if presented.grant.key.is_some() && presented.grant.key != key {
                return Err(("invalid_grant", "the refresh token is bound to another key"));
            }
            let mut scope = narrowed(&presented.grant, params)?;
            scope.key = scope.key.filter(|_| !is_ignored);
            grants.refresh(presented, scope, faults.keep_refresh_token)
        }
        DEVICE_GRANT => {
            let code = required("device_code", "device_code is missing")?;
            let polled = grants.devices.poll(code, &client.client_id, app.options.unforgiving_polls);
            grants.counts.early_polls += u64::from(polled.is_early);
            grants.start(Grant { key: key.filter(|_| !is_ignored), ..polled.granted? })
        }
        "" => return Err(("invalid_request", "grant_type is missing")),
        _ => {
            return Err((
                "unsupported_grant_type",
                "only authorization_code, refresh_token and device_code are supported",
            ));
        }
    };
    let mut document = json!({
        "token_type": if issued.access.grant.key.is_some() { "DPoP" } else { "Bearer" },
        "expires_in": faults.expires_in.map_or(issued.expires_in, u64::from),
        "scope": issued.access.grant.scope.join(" "),
        "access_token": issued.access.token,
    });
    if let Some(token) = oidc::id_token(app, &issued.access.grant, params.text("grant_type") == "refresh_token") {
        document["id_token"] = json!(token);
    }
    if let Some(token) = issued.refresh_token {
        document["refresh_token"] = json!(token);
    }
    Ok(document)
}

/// A refresh can ask for less, never for more. Only the new access token has less (RFC 6749 section 6).
fn narrowed(grant: &Grant, params: &Params) -> Result<Grant, Refused> {
    let mut access = grant.clone();
    if let Some(scope) = params.find("scope") {
        access.scope = scope.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    }
    if access.scope.iter().all(|wanted| grant.has(wanted)) {
        Ok(access)
    } else {
        Err(("invalid_scope", "the scope is wider than what was granted"))
    }
}

pub(crate) fn client<'a>(app: &'a App, params: &Params) -> Result<&'a ClientRegistration, Refused> {
    let id = params.find("client_id").ok_or(("invalid_request", "client_id is missing"))?;
    let client = app.options.clients.iter().find(|client| client.client_id == id);
    let client = client.ok_or(("invalid_client", "the client is unknown"))?;
    match (params.find("client_secret"), client.embedded_secret.as_deref()) {
        (None, None) if !params.are_identified() => Ok(client),
        (Some(given), Some(wanted)) if given == wanted && params.are_identified() == client.secret_in_header => {
            Ok(client)
        }
        (_, None) => Err(("invalid_client", "a public client has no secret")),
        (_, Some(_)) => Err(("invalid_client", "client_secret is missing or wrong")),
    }
}

fn grant_type(body: &str) -> Option<Cow<'_, str>> {
    form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "grant_type").map(|(_, value)| value)
}

/// RFC 7636 section 4.1.
fn is_verifier(verifier: &str) -> bool {
    let unreserved = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    (43..=128).contains(&verifier.len()) && verifier.chars().all(unreserved)
}

/// RFC 8628 section 3.4.
pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
