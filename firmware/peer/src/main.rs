//! The steps of the image `login` with `io-oauth`: a URL, a redirect, the exchange, the API, a renewal, the API. It reads no
//! challenge of the API, and no `iss`.

#![no_std]
#![no_main]

extern crate alloc;

mod heap;

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use chacha20::{ChaCha20Rng, rand_core::Rng};
use core::fmt::{self, Write};
use cortex_m_rt::entry;
use heapless::String;
use io_http::rfc9110::request::HttpRequest;
use io_oauth::rfc6749::access_token_request::{
    Oauth20AccessTokenRequest, Oauth20AccessTokenRequestParams, Oauth20AccessTokenRequestResult,
};
use io_oauth::rfc6749::auth_request::Oauth20AuthRequestParams;
use io_oauth::rfc6749::auth_response::Oauth20AuthParams;
use io_oauth::rfc6749::issue_access_token::Oauth20AccessTokenSuccessParams;
use io_oauth::rfc6749::refresh_access_token::{
    Oauth20AccessTokenRefresh, Oauth20AccessTokenRefreshParams, Oauth20AccessTokenRefreshResult,
};
use io_oauth::rfc6749::state::Oauth20State;
use io_oauth::rfc7636::pkce::{Oauth20PkceCodeChallenge, Oauth20PkceCodeVerifier};
use proofkey_firmware::host::{Console, now};
use proofkey_firmware::http::Line;
use proofkey_firmware::{exit, generator, stack, uart::Uart};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};
use url::Url;

#[entry]
fn main() -> ! {
    static mut BUFFERS: Buffers = Buffers { server: [0; 256], redirect: [0; 512], answer: [0; 1024] };
    let (Some(mut console), Some(mut rng)) = (Console::open(), generator()) else { exit(false) };
    let mut uart = Uart::new();
    let well = loop {
        let told = match session(&mut console, &mut uart, &mut rng, BUFFERS) {
            Ok(true) => break writeln!(console, "stack {}", stack::depth()).is_ok(),
            Ok(false) => writeln!(console, "done"),
            Err(failure) => writeln!(console, "refused: {failure}"),
        };
        if told.is_err() {
            break false;
        }
    };
    exit(well)
}

struct Buffers {
    server: [u8; 256],
    redirect: [u8; 512],
    answer: [u8; 1024],
}

/// True where no other session follows.
fn session(
    console: &mut Console,
    uart: &mut Uart,
    rng: &mut ChaCha20Rng,
    buffers: &mut Buffers,
) -> Result<bool, Failure> {
    let server = console.read_line(&mut buffers.server).ok_or("console")?;
    if server.is_empty() {
        return Ok(true);
    }
    let mut words = server.split(' ');
    let (Some(authorization_endpoint), Some(token_endpoint), Some(issuer)) = (words.next(), words.next(), words.next())
    else {
        return Err("console");
    };
    let (authorization_url, token_url) = (url(authorization_endpoint)?, url(token_endpoint)?);

    let state = random(rng);
    let state = Oauth20State::deserialize(StrDeserializer::<Error>::new(&state)).map_err(|_| "state")?;
    let verifier: Oauth20PkceCodeVerifier = random(rng).parse().map_err(|_| "verifier")?;
    let challenge = Oauth20PkceCodeChallenge { method: Default::default(), verifier };
    let params = Oauth20AuthRequestParams {
        client_id: CLIENT_ID.into(),
        redirect_uri: Some(REDIRECT_URI.into()),
        scope: SCOPE.into_iter().map(Cow::Borrowed).collect(),
        state: Some(Cow::Borrowed(&state)),
        pkce_code_challenge: Some(Cow::Borrowed(&challenge)),
        extras: BTreeMap::new(),
    };
    writeln!(console, "visit {}", params.build_url(&authorization_url)).map_err(|_| "console")?;
    let redirect = url(console.read_line(&mut buffers.redirect).ok_or("console")?)?;
    let code = Oauth20AuthParams::from(&redirect).validate(Some(&state)).map_err(|_| "redirect")?;

    let sent_at = now();
    let params = Oauth20AccessTokenRequestParams {
        code,
        redirect_uri: Some(REDIRECT_URI.into()),
        client_id: CLIENT_ID.into(),
        client_secret: None,
        pkce_code_verifier: Some(Cow::Borrowed(&challenge.verifier)),
    };
    let tokens = exchange(uart, request(&token_url), params)?;
    writeln!(console, "signed in").map_err(|_| "console")?;
    call(console, uart, token_endpoint, issuer, &tokens, &mut buffers.answer)?;

    let due = tokens.expires_in.is_some_and(|seconds| sent_at + seconds as u64 <= now() + 60);
    if let Some(token) = tokens.refresh_token.as_ref().filter(|_| due) {
        let params = Oauth20AccessTokenRefreshParams::new(CLIENT_ID, token.expose_secret());
        let tokens = refresh(uart, request(&token_url), params)?;
        writeln!(console, "renewed").map_err(|_| "console")?;
        call(console, uart, token_endpoint, issuer, &tokens, &mut buffers.answer)?;
    }
    Ok(false)
}

#[inline(never)]
fn exchange(
    uart: &mut Uart,
    request: HttpRequest,
    params: Oauth20AccessTokenRequestParams<'_>,
) -> Result<Oauth20AccessTokenSuccessParams, Failure> {
    let mut exchange = Oauth20AccessTokenRequest::new(request, params);
    let mut received = None;
    loop {
        match exchange.resume(received.take().as_ref().map(<[u8; 1]>::as_slice)) {
            Oauth20AccessTokenRequestResult::Ok(tokens) => return tokens.map_err(|_| "server"),
            Oauth20AccessTokenRequestResult::WantsRead => received = Some(read(uart)?),
            Oauth20AccessTokenRequestResult::WantsWrite(bytes) => write(uart, &bytes)?,
            Oauth20AccessTokenRequestResult::Err(_) => return Err("response"),
        }
    }
}

#[inline(never)]
fn refresh(
    uart: &mut Uart,
    request: HttpRequest,
    params: Oauth20AccessTokenRefreshParams<'_>,
) -> Result<Oauth20AccessTokenSuccessParams, Failure> {
    let mut refresh = Oauth20AccessTokenRefresh::new(request, params);
    let mut received = None;
    loop {
        match refresh.resume(received.take().as_ref().map(<[u8; 1]>::as_slice)) {
            Oauth20AccessTokenRefreshResult::Ok(tokens) => return tokens.map_err(|_| "server"),
            Oauth20AccessTokenRefreshResult::WantsRead => received = Some(read(uart)?),
            Oauth20AccessTokenRefreshResult::WantsWrite(bytes) => write(uart, &bytes)?,
            Oauth20AccessTokenRefreshResult::Err(_) => return Err("response"),
        }
    }
}

/// Asks the API who has signed in, as the other images do.
fn call(
    console: &mut Console,
    uart: &mut Uart,
    endpoint: &str,
    issuer: &str,
    tokens: &Oauth20AccessTokenSuccessParams,
    buffer: &mut [u8],
) -> Result<(), Failure> {
    let mut url = String::<URL_MAX>::new();
    write!(url, "{issuer}{API}").map_err(|_| "too long")?;
    let mut line = Line::new(uart, endpoint).map_err(|error| error.word())?;
    let out = line.request("GET", &url).map_err(|error| error.word())?;
    write!(out, "authorization: Bearer {}\r\n\r\n", tokens.access_token.expose_secret()).map_err(|_| "silent")?;
    let answer = line.receive(buffer).map_err(|error| error.word())?;
    writeln!(console, "called {}", answer.status()).map_err(|_| "console")
}

fn request(url: &Url) -> HttpRequest {
    let request = HttpRequest { method: "POST".into(), url: url.clone(), headers: Vec::new(), body: Vec::new() };
    let port = url.port().unwrap_or(80);
    request
        .header("Host", format_args!("{}:{port}", url.host_str().unwrap_or_default()))
        .header("Accept", "application/json")
}

fn url(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|_| "url")
}

fn read(uart: &mut Uart) -> Result<[u8; 1], Failure> {
    let deadline = now() + SECONDS;
    loop {
        match uart.read() {
            Some(byte) => return Ok([byte]),
            None if now() >= deadline => return Err("silent"),
            None => {}
        }
    }
}

fn write(uart: &mut Uart, bytes: &[u8]) -> Result<(), Failure> {
    let text = str::from_utf8(bytes).map_err(|_| "request")?;
    uart.write_str(text).map_err(|fmt::Error| "silent")
}

/// 43 characters, which is what `io-oauth` makes where there is std.
fn random(rng: &mut ChaCha20Rng) -> String<43> {
    let mut bytes = [0; 43];
    rng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 64)])).collect()
}

/// Why a session ends early.
type Failure = &'static str;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const API: &str = "/api/me";
const CLIENT_ID: &str = "demo-native";
const REDIRECT_URI: &str = "https://app.example/paste";
const SCOPE: [&str; 2] = ["itwin-platform", "offline_access"];
const SECONDS: u64 = 10;
const URL_MAX: usize = 256;
