//! Signs in whoever sits at the console, calls the API, and renews the tokens where that is due.
//!
//! A session begins with a line that names the authorization endpoint, the token endpoint and the issuer. The image shows
//! the URL to visit, and the next line is the URL that the browser ended at. What is refused is told in a word or two, and
//! another session may begin. An empty line ends the run.

#![no_std]
#![no_main]

use chacha20::ChaCha20Rng;
use core::convert::Infallible;
use core::fmt::{self, Write};
use cortex_m_rt::entry;
use heapless::String;
use proofkey_core::{AuthorizeError, CallbackError, Client, ConfigError, Lifetime, Method, Pending, Redirect, Refusal, Request, Response, ResponseError, Server, TokenRequest, Tokens, Feature};
use proofkey_firmware::host::{Console, now};
use proofkey_firmware::http::{HttpError, Line};
use proofkey_firmware::{exit, generator, stack, uart::Uart};

#[entry]
fn main() -> ! {
    static mut BUFFERS: Buffers =
        Buffers { server: [0; 256], redirect: [0; 512], tokens: [0; 3072], renewed: [0; 3072], answer: [0; 1024] };
    let (Some(mut console), Some(mut rng)) = (Console::open(), generator()) else { exit(false) };
    let mut uart = Uart::new();
    let well = loop {
        let told = match session(&mut console, &mut uart, &mut rng, BUFFERS) {
            Ok(Next::End) => break writeln!(console, "stack {}", stack::depth()).is_ok(),
            Ok(Next::Session) => writeln!(console, "done"),
            Err(failure) => writeln!(console, "refused: {failure}").and_then(|()| failure.go_on()),
        };
        if told.is_err() {
            break false;
        }
    };
    exit(well)
}

/// What is read stays where it was read: the tokens of a session borrow from these.
struct Buffers {
    server: [u8; 256],
    redirect: [u8; 512],
    tokens: [u8; 3072],
    renewed: [u8; 3072],
    answer: [u8; 1024],
}

enum Next {
    End,
    Session,
}

fn session(
    console: &mut Console,
    uart: &mut Uart,
    rng: &mut ChaCha20Rng,
    buffers: &mut Buffers,
) -> Result<Next, Failure> {
    let server = console.read_line(&mut buffers.server).ok_or(Failure::Console)?;
    if server.is_empty() {
        return Ok(Next::End);
    }
    let mut words = server.split(' ');
    let (Some(authorization_endpoint), Some(token_endpoint), Some(issuer)) = (words.next(), words.next(), words.next())
    else {
        return Err(Failure::Console);
    };
    let server = Server::new(authorization_endpoint, token_endpoint).with_issuer(issuer).with_feature(Feature::IssParameter);
    let client = Client::new(CLIENT_ID, REDIRECT_URI, server)?;
    let mut line = Line::new(uart, token_endpoint)?;

    let pending = begin(console, client, rng)?;
    let redirect = console.read_line(&mut buffers.redirect).ok_or(Failure::Console)?;
    let request = finish(pending, client, redirect)?;
    let sent_at = now();
    let tokens = exchange(&mut line, request, &mut buffers.tokens)?;
    writeln!(console, "signed in")?;
    call(console, &mut line, issuer, &tokens, &mut buffers.answer)?;

    if let Some(token) = tokens.refresh_token()
        && Lifetime::new(sent_at, tokens.expires_in()).is_due(now())
    {
        let tokens = exchange(&mut line, client.refresh(token), &mut buffers.renewed)?;
        writeln!(console, "renewed")?;
        call(console, &mut line, issuer, &tokens, &mut buffers.answer)?;
    }
    Ok(Next::Session)
}

// The steps stay out of line, so that the stack holds one of them at a time.

#[inline(never)]
fn begin(console: &mut Console, client: Client<'_>, rng: &mut ChaCha20Rng) -> Result<Pending, Failure> {
    let (url, pending) = client.authorize(&SCOPE, rng)?;
    writeln!(console, "visit {url}")?;
    Ok(pending)
}

#[inline(never)]
fn finish<'a>(pending: Pending, client: Client<'a>, redirect: &'a str) -> Result<TokenRequest<'a>, Failure> {
    Ok(pending.accept(client, Redirect::Url(redirect))?)
}

#[inline(never)]
fn exchange<'a>(line: &mut Line<'_>, request: TokenRequest<'a>, buffer: &'a mut [u8]) -> Result<Tokens<'a>, Failure> {
    let response = send(line, request.request(), buffer)?;
    Ok(request.read(response)?)
}

fn send<'b>(line: &mut Line<'_>, request: Request<'_>, buffer: &'b mut [u8]) -> Result<Response<'b>, HttpError> {
    let mut url = String::<URL_MAX>::new();
    write!(url, "{}", request.url()).map_err(|_| HttpError::TooLong)?;
    let out = match request.method() {
        Method::Get => line.request("GET", &url)?,
        Method::Post => line.request("POST", &url)?,
    };
    for (name, value) in request.headers() {
        write!(out, "{name}: {value}\r\n")?;
    }
    if request.method() == Method::Post {
        write!(out, "content-length: {}\r\n", request.body_len())?;
    }
    out.write_str("\r\n")?;
    request.write_body(out)?;
    let answer = line.receive(buffer)?;
    Ok(answer.into_response())
}

/// Asks the API who has signed in.
fn call(
    console: &mut Console,
    line: &mut Line<'_>,
    issuer: &str,
    tokens: &Tokens<'_>,
    buffer: &mut [u8],
) -> Result<(), Failure> {
    let mut url = String::<URL_MAX>::new();
    write!(url, "{issuer}{API}").map_err(|_| HttpError::TooLong)?;
    let out = line.request("GET", &url)?;
    out.write_str("authorization: ")?;
    tokens.access_token().authorization().write(out)?;
    out.write_str("\r\n\r\n")?;
    let answer = line.receive(buffer)?;
    let refusal = match Refusal::of(answer.status, answer.fields("www-authenticate")) {
        None => "",
        Some(Refusal::InsufficientScope { .. }) => " insufficient scope",
        Some(Refusal::InvalidRequest) => " invalid request",
        Some(Refusal::InvalidToken) => " invalid token",
        Some(Refusal::Forbidden) => " forbidden",
        Some(Refusal::OtherScheme) => " other scheme",
    };
    writeln!(console, "called {}{refusal}", answer.status)?;
    Ok(())
}

/// Why a session ends early.
enum Failure {
    Authorize,
    Callback(CallbackError),
    Config,
    Console,
    Http(HttpError),
    Response(ResponseError),
}

impl Failure {
    /// Whether there still is something to begin another session with.
    fn go_on(&self) -> fmt::Result {
        match self {
            Self::Console | Self::Http(HttpError::Garbled | HttpError::Silent) => Err(fmt::Error),
            _ => Ok(()),
        }
    }
}

/// The core's errors say more about themselves than a small screen has room for: their texts would take 4 KiB of flash.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, which) = match self {
            Self::Authorize => ("random generator", ""),
            Self::Callback(CallbackError::Issuer { .. }) => ("issuer", ""),
            Self::Callback(CallbackError::Server(error)) => ("server ", error.code()),
            Self::Callback(CallbackError::State) => ("state", ""),
            Self::Callback(_) => ("redirect", ""),
            Self::Config => ("configuration", ""),
            Self::Console => ("console", ""),
            Self::Http(error) => (error.word(), ""),
            Self::Response(ResponseError::Duplicate(member)) => ("twice ", *member),
            Self::Response(ResponseError::Json(_)) => ("json", ""),
            Self::Response(ResponseError::Malformed(member)) => ("malformed ", *member),
            Self::Response(ResponseError::Missing(member)) => ("missing ", *member),
            Self::Response(ResponseError::Redirect(_)) => ("redirected", ""),
            Self::Response(ResponseError::Server { error, .. }) => ("server ", error.code()),
            Self::Response(ResponseError::TokenType(_)) => ("token type", ""),
            Self::Response(_) => ("response", ""),
        };
        write!(f, "{what}{which}")
    }
}

impl From<AuthorizeError<Infallible>> for Failure {
    fn from(_: AuthorizeError<Infallible>) -> Self {
        Self::Authorize
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        Self::Callback(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(_: ConfigError) -> Self {
        Self::Config
    }
}

impl From<fmt::Error> for Failure {
    fn from(_: fmt::Error) -> Self {
        Self::Console
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

const API: &str = "/api/me";
const CLIENT_ID: &str = "demo-native";
const REDIRECT_URI: &str = "https://app.example/paste";
const SCOPE: [&str; 2] = ["itwin-platform", "offline_access"];
const URL_MAX: usize = 256;
