//! The request log that tests read.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A request and the status of its answer ([`DevServer::log`](crate::DevServer::log)). It holds secrets that the client sent: do not log it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without `?`.
    pub query: String,
    /// The header fields, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
}

#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<VecDeque<Entry>>);

impl Log {
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn add(&self, entry: Entry) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
    }
}

pub(crate) async fn record(State(log): State<Arc<Log>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        log.add(entry(&parts, &[], 413));
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut entry = entry(&parts, &body, 0);
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    entry.status = if response.extensions().get::<Hangup>().is_some() { 0 } else { response.status().as_u16() };
    log.add(entry);
    response
}

/// An answer that breaks off in its body and closes the connection.
pub(crate) fn hangup() -> Response {
    let mut response = cut("");
    response.extensions_mut().insert(Hangup);
    response
}

/// An answer whose body breaks off after `start`.
pub(crate) fn cut(start: &str) -> Response {
    Body::new(Broken(Bytes::copy_from_slice(start.as_bytes()), false)).into_response()
}

#[derive(Clone)]
struct Hangup;

/// A body that breaks off after these bytes.
struct Broken(Bytes, bool);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Self::Data>>>> {
        let start = std::mem::take(&mut self.0);
        if !start.is_empty() {
            self.1 = true;
            return Poll::Ready(Some(Ok(Frame::data(start))));
        }
        // Yields once, so that the bytes are sent before the connection breaks.
        if std::mem::take(&mut self.1) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}

fn entry(parts: &Parts, body: &[u8], status: u16) -> Entry {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Entry {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body: text(body),
        status,
    }
}

const BODY_MAX: usize = 1024 * 1024;
const ENTRIES_MAX: usize = 10_000;
