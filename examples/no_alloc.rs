//! The core alone, as a device uses it: fixed buffers, and a socket of bytes. docs/guide/embedded.md explains it.
//!
//! `no_alloc ISSUER CLIENT_ID API_URL` prints the URL to visit, reads the URL that the browser ended at from standard input, calls
//! the API, refreshes the tokens and calls it again. It has no TLS, so the servers must be on this machine.

use proofkey_core::session::{
    ClaimId, Event, LoginId, Need, Now, Outcome, Pair, Pass, Policy, Renewal, Seen, Step, Version,
};
use proofkey_core::{
    AccessToken, Client, Discovery, Flow, Lifetime, Pending, Received, Redirect, Request, Server, Tokens, TokensArray,
    Unanswered,
};
use rand_core::{TryCryptoRng, TryRng};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};
use std::{env, error, fmt, io, thread};

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

/// Tokens that own their parts: 2 KiB for an access token, a refresh token and a scope.
type Kept = TokensArray<2048>;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    let [_, issuer, client_id, api] = args.as_slice() else {
        return Err("usage: no_alloc ISSUER CLIENT_ID API_URL".into());
    };
    let (mut metadata, mut buffer) = ([0; 4096], [0; 4096]);
    let server = discover(issuer, &mut metadata)?;
    let client = Client::new(client_id, "https://app.example/paste", server)?;
    let pending = begin(client)?;
    let mut pasted = String::new();
    io::stdin().read_line(&mut pasted)?;
    let requested_at = now().seconds();
    let kept = finish(client, pending, pasted.trim(), &mut buffer)?;
    let login = LoginId::new(requested_at, None, u64::from_le_bytes(random()?));
    let mut flash = Flash { version: Version::first(login), kept, requested_at, claim: None };
    call(api, flash.kept.as_tokens().access_token(), &mut buffer)?;
    renew(client, &mut flash, Need::New, &mut buffer)?;
    call(api, flash.kept.as_tokens().access_token(), &mut buffer)
}

fn begin(client: Client<'_>) -> Result<Pending> {
    let (url, pending) = client.authorize(&["itwin-platform", "offline_access"], &mut Trng)?;
    println!("{url}");
    Ok(pending)
}

fn finish(client: Client<'_>, pending: Pending, pasted: &str, buffer: &mut [u8]) -> Result<Kept> {
    let request = pending.accept(client, Redirect::Url(pasted))?;
    let answer = send(request.request(), buffer)?;
    let tokens = request.read(answer.response(buffer))?;
    Ok(Kept::try_from(tokens)?)
}

/// The device's flash: one login, and the mark that its refresh token may be spent.
struct Flash {
    version: Version,
    kept: Kept,
    requested_at: u64,
    claim: Option<ClaimId>,
}

/// Gets a token that fits the need, and writes it to the flash before it counts. The `Pass` decides, the device does.
fn renew(client: Client<'_>, flash: &mut Flash, need: Need, buffer: &mut [u8]) -> Result<()> {
    let mut held = flash.kept.clone();
    let mut requested_at = flash.requested_at;
    let (mut pass, mut step) = Pass::begin(Some(flash.pair()), need, &Policy::new(), ClaimId(random()?), now());
    loop {
        let event = match step {
            Step::Done(Outcome::Use(_)) => return Ok(()),
            Step::Done(Outcome::Fail(trouble)) => return Err(format!("{trouble:?}").into()),
            Step::Load => Event::Row(Seen::new(flash.pair(), u32::MAX, 0)),
            // Nobody else shares the flash: a claim that is there was left by a crash.
            Step::Claim { id, over, .. } => match flash.claim {
                Some(left) if left != id && over != Some(left) => {
                    Event::Lapsed { id: left, age: 0, row: Seen::new(flash.pair(), u32::MAX, 0) }
                }
                _ => {
                    flash.claim = Some(id);
                    Event::Claimed(Seen::new(flash.pair(), u32::MAX, 0))
                }
            },
            Step::Send { .. } => {
                requested_at = now().seconds();
                let request = client.refresh(held.as_tokens().refresh_token().ok_or("sign in again")?);
                match send(request.request(), buffer) {
                    Ok(answer) => match request.read_keeping(answer.response(buffer)) {
                        (_, Ok(tokens)) => {
                            let pair = pair_of(pass.next_version(), tokens, requested_at);
                            held = Kept::try_from(tokens)?;
                            Event::Granted(pair)
                        }
                        // The server may have retired the old refresh token, whatever else is wrong with its answer.
                        (Some(new), Err(_)) => {
                            held = Kept::try_from(flash.kept.as_tokens().with_refresh_token(new))?;
                            requested_at = flash.requested_at;
                            Event::Kept(flash.pair())
                        }
                        (None, Err(error)) => Event::of_response(&error),
                    },
                    Err(_) => Event::Unanswered(Unanswered::Lost),
                }
            }
            Step::Save { version, .. } => {
                *flash = Flash { version, kept: held.clone(), requested_at, claim: None };
                Event::Done
            }
            Step::Release { .. } => {
                flash.claim = None;
                Event::Done
            }
            Step::Wait { milliseconds } => {
                thread::sleep(Duration::from_millis(milliseconds.into()));
                Event::Done
            }
            _ => Event::Done,
        };
        step = pass.step(event, now());
    }
}

impl Flash {
    /// What the `Pass` knows of the tokens: no secret.
    fn pair(&self) -> Pair {
        pair_of(self.version, self.kept.as_tokens(), self.requested_at)
    }
}

fn pair_of(version: Version, tokens: Tokens<'_>, requested_at: u64) -> Pair {
    let renewal = if tokens.refresh_token().is_some() { Renewal::Possible } else { Renewal::NoRefreshToken };
    Pair::new(version, Lifetime::new(requested_at, tokens.expires_in()), renewal, now())
}

/// A device with one clock gives it twice.
fn now() -> Now {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Now::new(milliseconds, milliseconds)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    Trng.try_fill_bytes(&mut bytes)?;
    Ok(bytes)
}

fn call(url: &str, token: AccessToken<'_>, buffer: &mut [u8]) -> Result<()> {
    let request = token.get(url)?;
    let answer = send(request.request(), buffer)?;
    let body = request.read(answer.response(buffer)).map_err(|error| error.to_string())?;
    println!("{}", String::from_utf8_lossy(body));
    Ok(())
}

fn discover<'b>(issuer: &'b str, buffer: &'b mut [u8]) -> Result<Server<'b>> {
    let mut discovery = Discovery::new(issuer)?;
    // It never waits, so it needs no clock.
    let answer = loop {
        let proofkey_core::Step::Send(request) = discovery.step(0) else {
            return Err("the issuer has no metadata".into());
        };
        let answer = send(request, buffer)?;
        if discovery.hear(&answer.response(buffer), 0) {
            break answer;
        }
    };
    Ok(discovery.read(answer.response(buffer))?.server())
}

/// Sends a request, and receives the response until the server closes the connection.
fn send(request: Request<'_>, buffer: &mut [u8]) -> Result<Received> {
    let mut sent = Text { bytes: [0; 4096], used: 0 };
    request.write_head(&mut sent)?;
    request.write_body(&mut sent)?;
    let url = request.url();
    if url.is_https() {
        return Err("this example has no TLS".into());
    }
    let mut socket = TcpStream::connect((url.host(), url.port()))?;
    socket.write_all(&sent.bytes[..sent.used])?;
    let mut length = 0;
    while let Some(free @ [_, ..]) = buffer.get_mut(length..) {
        match socket.read(free)? {
            0 => return Received::of(&buffer[..length]).ok_or_else(|| "this is not a whole response of HTTP/1".into()),
            read => length += read,
        }
    }
    Err("the response is too long".into())
}

/// Text in a buffer of fixed size.
struct Text {
    bytes: [u8; 4096],
    used: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.used + text.len();
        self.bytes.get_mut(self.used..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.used = end;
        Ok(())
    }
}

/// The device's true random number generator: here that of the operating system.
struct Trng;

impl TryRng for Trng {
    type Error = getrandom::Error;

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Self::Error> {
        getrandom::fill(bytes)
    }

    fn try_next_u32(&mut self) -> std::result::Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }
}

impl TryCryptoRng for Trng {}
