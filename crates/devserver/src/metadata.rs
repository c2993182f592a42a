//! Authorization server metadata (RFC 8414, OpenID Connect Discovery).

use crate::app::{AUTHORIZE, App, DEVICE, PUSH, REVOCATION, TOKEN};
use crate::oidc;
use crate::options::{ClientRegistration, MetadataFault};
use crate::token::DEVICE_GRANT;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) async fn metadata(State(app): State<Arc<App>>) -> Response {
    let scopes: BTreeSet<&String> = app.options.clients.iter().flat_map(|client| &client.scopes).collect();
    let methods: BTreeSet<&str> = app.options.clients.iter().map(ClientRegistration::method).collect();
    let mut document = json!({
        "issuer": app.issuer,
        "authorization_endpoint": app.at(AUTHORIZE),
        "token_endpoint": app.at(TOKEN),
        "revocation_endpoint": app.at(REVOCATION),
        "device_authorization_endpoint": app.at(DEVICE),
        "pushed_authorization_request_endpoint": app.at(PUSH),
        "require_pushed_authorization_requests": app.options.require_push,
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_GRANT],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "dpop_signing_alg_values_supported": ["ES256"],
    });
    oidc::describe(&app, &mut document);
    match app.faults().metadata {
        Some(MetadataFault::IssuerMismatch) => document["issuer"] = json!(app.at("/")),
        Some(MetadataFault::NoAuthorization) => document["authorization_endpoint"] = json!(null),
        Some(MetadataFault::NoIss) => document["authorization_response_iss_parameter_supported"] = json!(false),
        Some(MetadataFault::NoRevocation) => document["revocation_endpoint"] = json!(null),
        Some(MetadataFault::NoS256) => document["code_challenge_methods_supported"] = json!(["plain"]),
        Some(MetadataFault::PlainHttpTokenEndpoint) => document["token_endpoint"] = json!("http://as.example/token"),
        None => {}
    }
    ([("content-type", "application/json")], document.to_string()).into_response()
}
