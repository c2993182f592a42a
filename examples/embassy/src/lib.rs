//! A device that signs in with a code that its user confirms elsewhere, and calls an API: the core over embassy-net, and
//! embedded-tls. docs/guide/embedded.md explains it.
//!
//! All of it is for a board without an operating system; `host/main.rs` runs it on this machine.

#![no_std]

mod http;
mod tls;

pub use http::{Buffers, HttpError, Net};
pub use tls::set_clock;

use core::fmt::{self, Write};
use embassy_time::{Instant, Timer};
use proofkey_core::{Client, ConfigError, Flow, ResponseError, Step, Tokens};

/// Signs in, and asks the API who has signed in. What the user must know goes to the screen.
///
/// # Errors
/// [`Failure`].
pub async fn run(net: &mut Net<'_>, client: Client<'_>, api: &str, screen: &mut dyn Write) -> Result<(), Failure> {
    let (mut first, mut answer) = ([0; 2048], [0; 4096]);
    let tokens = sign_in(net, client, screen, &mut first, &mut answer).await?;
    // The device code is used up, so the first buffer is free.
    let request = tokens.access_token().get(api)?;
    let received = net.send(request.request(), &mut first).await?;
    let status = received.status();
    let body = request.read(received.response(&mut first)).map_err(|_| Failure::Api(status))?;
    writeln!(screen, "{}", str::from_utf8(body).unwrap_or_default())?;
    Ok(())
}

/// Shows the code, and polls until the user has confirmed it. The tokens are in `answer`.
async fn sign_in<'b>(
    net: &mut Net<'_>,
    client: Client<'_>,
    screen: &mut dyn Write,
    first: &mut [u8],
    answer: &'b mut [u8],
) -> Result<Tokens<'b>, Failure> {
    let request = client.device(&["itwin-platform", "offline_access"])?;
    let received = net.send(request.request(), first).await?;
    let (prompt, mut poll) = request.read(received.response(first), seconds())?;
    writeln!(screen, "{prompt}")?;
    let received = loop {
        match poll.step(seconds()) {
            Step::Send(request) => match net.send(request, answer).await {
                Ok(received) if poll.hear(&received.response(answer), seconds()) => break received,
                Ok(_) => {}
                // No network for a moment: the user may still confirm.
                Err(error) if poll.unanswered(error.why(), seconds()) => writeln!(screen, "no answer: {error}")?,
                Err(error) => return Err(error.into()),
            },
            Step::Wait(seconds) => Timer::after_secs(seconds.into()).await,
            _ => return Err(Failure::Expired),
        }
    };
    Ok(poll.read(received.response(answer))?)
}

/// Seconds since the start of the board: the core needs no other clock.
fn seconds() -> u64 {
    Instant::now().as_secs()
}

/// Why the device is not signed in.
#[derive(Debug)]
pub enum Failure {
    /// The API refused the call, with this status.
    Api(u16),
    /// The client, the server or the API's address is wrong.
    Config(ConfigError),
    /// Nobody confirmed the code in time.
    Expired,
    /// A request was not answered.
    Http(HttpError),
    /// The server refused, or its answer cannot be used.
    Response(ResponseError),
    /// The screen is broken.
    Screen,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(status) => write!(f, "the API refused the call with status {status}"),
            Self::Config(error) => error.fmt(f),
            Self::Expired => f.write_str("the code expired before the sign-in was confirmed"),
            Self::Http(error) => error.fmt(f),
            Self::Response(error) => error.fmt(f),
            Self::Screen => f.write_str("the screen is broken"),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<fmt::Error> for Failure {
    fn from(_: fmt::Error) -> Self {
        Self::Screen
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<ResponseError> for Failure {
    fn from(error: ResponseError) -> Self {
        Self::Response(error)
    }
}
