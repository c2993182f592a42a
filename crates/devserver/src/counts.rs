//! [`Counts`]: what the token endpoint did.

use crate::app::App;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// What the token endpoint did since the start of the server ([`DevServer::counts`](crate::DevServer::counts)). Setting faults does not reset it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Polls of a device before its interval was over. Those that a fault answered count not at all.
    pub early_polls: u64,
    /// Polls of a device, refused ones too.
    pub polls: u64,
    /// Refreshes with a current refresh token. Those with a lost answer count too.
    pub refreshes: u64,
    /// Refreshes with a spent refresh token in its grace.
    pub replays: u64,
    /// Refreshes with a spent refresh token after its grace. Each revoked a family.
    pub reuses: u64,
    /// All requests, refused and cut ones too.
    pub token_requests: u64,
}

pub(crate) async fn counts(State(app): State<Arc<App>>) -> Response {
    let Counts { early_polls, polls, refreshes, replays, reuses, token_requests } = app.grants().counts;
    let document = json!({
        "early_polls": early_polls,
        "polls": polls,
        "refreshes": refreshes,
        "replays": replays,
        "reuses": reuses,
        "token_requests": token_requests,
    });
    ([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}
