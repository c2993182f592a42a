//! One error for JavaScript: what happened, what to do now, and the server's own words.

use crate::pass::{CLOSED, ENDS, LOST, REFUSED};
use crate::random::OutOfBytes;
use proofkey_core::session::Event;
use proofkey_core::{Advice, AuthorizeError, CallbackError, ConfigError, ResponseError, ServerError, Unanswered};
use std::fmt;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(raw_module = "../error.js")]
extern "C" {
    /// The `Error` that the package throws.
    pub type ProofkeyError;

    #[wasm_bindgen(constructor)]
    fn new(code: &str, message: &str, advice: &str, retry_after: Option<u32>, error: Option<&str>) -> ProofkeyError;
}

/// Why a flow cannot begin, go on or be read.
#[derive(Debug)]
pub enum Failure {
    /// A login could not begin.
    Authorize(AuthorizeError<OutOfBytes>),
    /// The redirect cannot finish the login.
    Callback(CallbackError),
    /// Something is configured wrongly.
    Config(ConfigError),
    /// The flow ended without a response to read, for this reason.
    Over(String),
    /// The server refused, or its response cannot be used.
    Response(ResponseError),
    /// The saved login cannot be read.
    Stored,
}

impl Failure {
    /// The code for programs. It never changes.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Authorize(AuthorizeError::Config(_)) | Self::Config(_) => "config",
            Self::Authorize(_) => "random",
            Self::Callback(CallbackError::Server(_)) | Self::Response(ResponseError::Server { .. }) => "server",
            Self::Callback(CallbackError::State) => "state",
            Self::Callback(_) => "callback",
            Self::Response(ResponseError::Status { .. }) => "status",
            Self::Over(_) | Self::Response(_) => "response",
            Self::Stored => "storage",
        }
    }

    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Authorize(_) | Self::Config(_) | Self::Over(_) => Advice::Fix,
            Self::Callback(error) => error.advice(),
            Self::Response(error) => error.advice(),
            Self::Stored => Advice::Reauthorize,
        }
    }

    /// What this tells a [`Pass`](crate::Pass).
    pub(crate) fn event(&self) -> u32 {
        let Self::Response(error) = self else { return LOST };
        match Event::of_response(error) {
            Event::Refused { ends: true, .. } => ENDS,
            Event::Refused { pause, .. } => REFUSED | pause << 4,
            Event::Unanswered(Unanswered::Closed) => CLOSED,
            _ => LOST,
        }
    }

    /// The server's error code, if the server refused.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Callback(CallbackError::Server(error)) | Self::Response(ResponseError::Server { error, .. }) => {
                Some(ServerError::code(error))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorize(error) => error.fmt(f),
            Self::Callback(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Over(why) => f.write_str(why),
            Self::Response(error) => error.fmt(f),
            Self::Stored => f.write_str("the saved login cannot be read"),
        }
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        let (advice, retry_after) = match failure.advice() {
            Advice::Fix => ("fix", None),
            Advice::Reauthorize => ("reauthorize", None),
            Advice::Retry { after } => ("retry", after),
        };
        ProofkeyError::new(failure.code(), &failure.to_string(), advice, retry_after, failure.error()).into()
    }
}

impl From<AuthorizeError<OutOfBytes>> for Failure {
    fn from(error: AuthorizeError<OutOfBytes>) -> Self {
        Self::Authorize(error)
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        Self::Callback(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<ResponseError> for Failure {
    fn from(error: ResponseError) -> Self {
        Self::Response(error)
    }
}
