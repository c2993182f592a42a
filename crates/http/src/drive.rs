//! The one loop that drives every [`Flow`], blocking and async.

use crate::error::{ExchangeError, TransportError};
use crate::prover::{Prover, Sending};
use crate::send::{Received, now};
use proofkey_core::{Advice, Flow, Step, Unanswered};
use std::future::Future;
use std::time::Duration;
use std::{error, fmt};
use zeroize::Zeroizing;

/// A flow that ended without an answer to read.
#[derive(Clone, Debug)]
pub enum DriveError {
    /// Nothing is left to do, or the caller did not go on. The flow itself tells what was tried; here is why its last request
    /// got no answer, if that is so.
    Over(Option<TransportError>),
    /// A request got no answer.
    Transport(TransportError),
}

/// Drives a flow to its last answer, which the flow's own `read` then reads. `sleep` waits.
///
/// `send` has the duties of an adapter. It follows no redirect, and sends a request once. Every status is an answer. It asks for no
/// content coding ([`Request`](proofkey_core::Request) says so), caps the body, also after decoding
/// ([`Answer::push`](crate::Answer::push)), and keeps one deadline. It speaks https, or plain http to this machine
/// ([`is_secure`](crate::is_secure)). It says that a request was not sent only if that is certain ([`TransportError::new`]).
///
/// A client that is bound to a key needs [`drive_with`].
///
/// # Errors
/// [`DriveError`].
///
/// # Example
/// ```
/// use proofkey_core::{Client, RefreshToken, Server};
/// use proofkey_http::{Answer, drive, read_tokens};
/// use std::thread;
///
/// let server = Server::new("https://as.example/authorize", "https://as.example/token");
/// let client = Client::new("my-client-id", "http://127.0.0.1/callback", server)?;
/// let mut request = client.refresh(RefreshToken::new("refresh-token")?);
/// let driven = drive(
///     &mut request,
///     |request| {
///         // Your client sends `request` here, and gives back the status, the header fields and the body.
///         assert_eq!(request.uri(), "https://as.example/token");
///         let mut answer = Answer::new(200, http::HeaderMap::new());
///         assert!(answer.push(br#"{"access_token":"a","token_type":"Bearer"}"#, 1024 * 1024));
///         Ok((answer, Ok(())))
///     },
///     thread::sleep,
/// );
/// let (_new_refresh_token, tokens) = read_tokens(request, driven);
/// assert_eq!(tokens?.access_token().expose(), "a");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn drive(
    flow: &mut dyn Flow,
    send: impl FnMut(http::Request<Zeroizing<Vec<u8>>>) -> Result<Received, TransportError>,
    mut sleep: impl FnMut(Duration),
) -> Result<Received, DriveError> {
    drive_with(None, flow, send, |time| {
        sleep(time);
        true
    })
}

/// [`drive`] with a key: each request of a client that is bound to it gets a proof (RFC 9449). If a server asks for a nonce, the
/// request is sent once more, with another proof. `sleep` says whether to go on.
///
/// # Errors
/// [`DriveError`].
pub fn drive_with(
    prover: Option<&Prover>,
    flow: &mut dyn Flow,
    mut send: impl FnMut(http::Request<Zeroizing<Vec<u8>>>) -> Result<Received, TransportError>,
    mut sleep: impl FnMut(Duration) -> bool,
) -> Result<Received, DriveError> {
    let mut last = None;
    loop {
        let sent = match flow.step(now()) {
            Step::Send(request) => {
                let mut sending = Sending::new(request, prover);
                loop {
                    let mut sent = sending.request().and_then(&mut send);
                    if !sending.is_again(&mut sent) {
                        break sent;
                    }
                }
            }
            Step::Wait(seconds) if sleep(Duration::from_secs(seconds.into())) => continue,
            _ => return Err(DriveError::Over(last)),
        };
        if let Some(end) = hear(flow, sent, &mut last) {
            return end.map_err(DriveError::Transport);
        }
    }
}

/// [`drive`] for asynchronous transports. To stop, drop the future: a request that is under way may still arrive then.
///
/// # Errors
/// [`DriveError`].
pub async fn drive_async<S, P>(
    flow: &mut (dyn Flow + Send),
    send: impl FnMut(http::Request<Zeroizing<Vec<u8>>>) -> S,
    mut sleep: impl FnMut(Duration) -> P,
) -> Result<Received, DriveError>
where
    S: Future<Output = Result<Received, TransportError>>,
    P: Future<Output = ()>,
{
    let sleep = |time| {
        let sleep = sleep(time);
        async {
            sleep.await;
            true
        }
    };
    drive_async_with(None, flow, send, sleep).await
}

/// [`drive_with`] for asynchronous transports.
///
/// # Errors
/// [`DriveError`].
pub async fn drive_async_with<S, P>(
    prover: Option<&Prover>,
    flow: &mut (dyn Flow + Send),
    mut send: impl FnMut(http::Request<Zeroizing<Vec<u8>>>) -> S,
    mut sleep: impl FnMut(Duration) -> P,
) -> Result<Received, DriveError>
where
    S: Future<Output = Result<Received, TransportError>>,
    P: Future<Output = bool>,
{
    let mut last = None;
    loop {
        let sent = match flow.step(now()) {
            Step::Send(request) => {
                let mut sending = Sending::new(request, prover);
                loop {
                    let mut sent = match sending.request() {
                        Ok(request) => send(request).await,
                        Err(error) => Err(error),
                    };
                    if !sending.is_again(&mut sent) {
                        break sent;
                    }
                }
            }
            Step::Wait(seconds) if sleep(Duration::from_secs(seconds.into())).await => continue,
            _ => return Err(DriveError::Over(last)),
        };
        if let Some(end) = hear(flow, sent, &mut last) {
            return end.map_err(DriveError::Transport);
        }
    }
}

/// Tells the flow what came of a request. None if it goes on; `last` is then why there was no answer.
fn hear(
    flow: &mut dyn Flow,
    sent: Result<Received, TransportError>,
    last: &mut Option<TransportError>,
) -> Option<Result<Received, TransportError>> {
    let error = match sent {
        Ok((mut answer, whole)) => {
            let response = answer.as_response();
            let is_last = match &whole {
                Ok(()) => flow.hear(&response, now()),
                Err(_) => flow.hear(&response.cut_off(), now()),
            };
            match whole {
                _ if is_last => return Some(Ok((answer, whole))),
                Ok(()) => None,
                Err(error) if error.why() == Unanswered::Closed => Some(error),
                Err(error) if flow.unanswered(error.why(), now()) => Some(error),
                Err(error) => return Some(Err(error)),
            }
        }
        // What has to be fixed first gets no better while a flow waits.
        Err(error) if !flow.unanswered(error.why(), now()) || error.advice() == Some(Advice::Fix) => {
            return Some(Err(error));
        }
        Err(error) => Some(error),
    };
    *last = error;
    None
}

impl From<DriveError> for ExchangeError {
    fn from(error: DriveError) -> Self {
        match error {
            DriveError::Over(_) => Self::Spent,
            DriveError::Transport(error) => Self::Transport(error),
        }
    }
}

impl fmt::Display for DriveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over(None) => f.write_str("the flow ended without an answer"),
            Self::Over(Some(error)) => write!(f, "the flow ended without an answer: {error}"),
            Self::Transport(error) => error.fmt(f),
        }
    }
}

impl error::Error for DriveError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Over(None) => None,
            Self::Over(Some(error)) | Self::Transport(error) => error.source(),
        }
    }
}
