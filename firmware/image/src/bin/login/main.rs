//! Signs in the user at the console, and does what its features name: reads the server's metadata, calls the API, renews tokens
//! that are due, signs out. `size` measures each of them.
//!
//! A session begins with a line: the authorization endpoint, the token endpoint and the issuer, perhaps also the endpoints for
//! revocation, pushed requests, userinfo and signing out; or the issuer alone, whose metadata is then asked for. The image
//! shows the URL to visit, and the next line is the URL that the browser ended at. If the line begins with the word `device`,
//! its first address is the device authorization endpoint, and the image shows a code and polls until the user has confirmed
//! it. If something is refused, the image says so in a word or two, and another session may begin. An empty line ends the run.

#![no_std]
#![no_main]

mod device;
mod failure;
mod link;
mod push;
mod user;

use chacha20::ChaCha20Rng;
use core::fmt::Write;
use cortex_m_rt::entry;
use failure::Failure;
use heapless::String;
use link::{Link, Signer};
use proofkey_core::session::{
    self, ClaimId, Event, LoginId, Need, Now, Outcome, Pair, Pass, Policy, Renewal, Seen, Version,
};
use proofkey_core::{
    ApiError, Client, Discovery, Endpoint, Feature, Flow, Lifetime, Pending, Redirect, Refusal, Revocable, Server,
    Step, TokenRequest, Tokens, Unanswered,
};
use proofkey_firmware::host::{Console, now};
use proofkey_firmware::http::{HttpError, Line};
use proofkey_firmware::{clock, exit, generator, stack, uart::Uart};

#[entry]
fn main() -> ! {
    static mut BUFFERS: Buffers = Buffers {
        server: [0; 256],
        metadata: [0; 2048],
        redirect: [0; 512],
        tokens: [0; 3072],
        renewed: [0; 3072],
        answer: [0; 1024],
    };
    let (Some(mut console), Some(mut rng)) = (Console::open(), generator()) else { exit(false) };
    let mut uart = Uart::new();
    clock::start();
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
    metadata: [u8; 2048],
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
    let words = console.read_line(&mut buffers.server).ok_or(Failure::Console)?;
    if words.is_empty() {
        return Ok(Next::End);
    }
    let (words, is_device) = match words.strip_prefix("device ") {
        Some(words) if cfg!(feature = "device") => (words, true),
        _ => (words, false),
    };
    let line = Line::new(uart, words)?;
    let signer = cfg!(feature = "dpop").then(|| Signer::new(rng));
    let mut link = Link { line, rng, signer: signer.as_ref() };
    let server = match named(words, is_device) {
        Some(server) => server,
        None if cfg!(feature = "discovery") => discover(&mut link, words, &mut buffers.metadata)?,
        None => return Err(Failure::Console),
    };
    let client = if is_device {
        Client::without_redirect(CLIENT_ID, server)?
    } else {
        Client::new(CLIENT_ID, REDIRECT_URI, server)?
    };
    let client = match &signer {
        Some(signer) => client.bound_to(signer.public())?,
        None => client,
    };
    let (mut tokens, rules, sent_at) = if is_device {
        let tokens = device::sign_in(console, &mut link, client, &mut buffers.answer, &mut buffers.tokens)?;
        (tokens, client.id_token_rules(), now())
    } else {
        let pending = if cfg!(feature = "push") && server.endpoint(Endpoint::PushedAuthorization).is_some() {
            push::begin(console, &mut link, client, &mut buffers.answer)?
        } else {
            begin(console, client, link.rng)?
        };
        let redirect = console.read_line(&mut buffers.redirect).ok_or(Failure::Console)?;
        let request = finish(pending, client, redirect)?;
        let (rules, sent_at) = (request.id_token_rules(), now());
        (exchange(&mut link, request, &mut buffers.tokens)?, rules, sent_at)
    };
    let id_token = tokens.id_token().filter(|_| cfg!(feature = "oidc"));
    if let Some(token) = id_token {
        let user = user::check(console, token, &rules, &mut buffers.answer)?;
        if cfg!(feature = "userinfo") && server.endpoint(Endpoint::UserInfo).is_some() {
            user::ask(console, &mut link, client, tokens, user.sub(), &mut buffers.renewed)?;
        }
    }
    writeln!(console, "signed in")?;
    if cfg!(feature = "api") {
        call(console, &mut link, client, tokens, &mut buffers.answer)?;
    }
    let renewed = if cfg!(feature = "session") {
        renew(&mut link, client, tokens, sent_at, &mut buffers.renewed)?
    } else if cfg!(feature = "refresh") {
        refresh(&mut link, client, tokens, sent_at, &mut buffers.renewed)?
    } else {
        None
    };
    if let Some(new) = renewed {
        tokens = new;
        if let Some(token) = tokens.id_token().filter(|_| cfg!(feature = "oidc")) {
            user::check(console, token, &client.id_token_rules(), &mut buffers.answer)?;
        }
        writeln!(console, "renewed")?;
        if cfg!(feature = "api") {
            call(console, &mut link, client, tokens, &mut buffers.answer)?;
        }
    }
    if cfg!(feature = "revocation") && server.endpoint(Endpoint::Revocation).is_some() {
        sign_out(console, &mut link, client, tokens, &mut buffers.answer)?;
    }
    if cfg!(feature = "end_session")
        && server.endpoint(Endpoint::EndSession).is_some()
        && let Some(token) = id_token
    {
        user::sign_out(console, link.rng, client, token, &mut buffers.answer)?;
    }
    Ok(Next::Session)
}

/// The server whose endpoints are in the line.
fn named(words: &str, is_device: bool) -> Option<Server<'_>> {
    let mut words = words.split(' ');
    let (first, token, issuer) = (words.next()?, words.next()?, words.next()?);
    let server = if is_device {
        Server::device(first, token).with_issuer(issuer)
    } else {
        Server::new(first, token).with_issuer(issuer).with_feature(Feature::IssParameter)
    };
    let (revocation, push, userinfo, end_session) = (words.next(), words.next(), words.next(), words.next());
    let server = match revocation {
        Some(url) if cfg!(feature = "revocation") => server.with(Endpoint::Revocation, url),
        _ => server,
    };
    let server = match push {
        Some(url) if cfg!(feature = "push") => server.with(Endpoint::PushedAuthorization, url),
        _ => server,
    };
    let server = match userinfo {
        Some(url) if cfg!(feature = "userinfo") => server.with(Endpoint::UserInfo, url),
        _ => server,
    };
    match end_session {
        Some(url) if cfg!(feature = "end_session") => Some(server.with(Endpoint::EndSession, url)),
        _ => Some(server),
    }
}

// The steps stay out of line, so that the stack holds one of them at a time.

#[inline(never)]
fn discover<'a>(link: &mut Link<'_>, issuer: &'a str, buffer: &'a mut [u8]) -> Result<Server<'a>, Failure> {
    let mut discovery = Discovery::new(issuer)?;
    let answer = loop {
        let Step::Send(request) = discovery.step(now()) else { return Err(Failure::Metadata) };
        let answer = link.line.send(request, buffer)?;
        if discovery.hear(&answer.response(buffer), now()) {
            break answer;
        }
    };
    Ok(discovery.read(answer.response(buffer))?.server())
}

#[inline(never)]
fn begin(console: &mut Console, client: Client<'_>, rng: &mut ChaCha20Rng) -> Result<Pending, Failure> {
    let (url, pending) = client.authorize(SCOPE, rng)?;
    writeln!(console, "visit {url}")?;
    Ok(pending)
}

#[inline(never)]
fn finish<'a>(pending: Pending, client: Client<'a>, redirect: &'a str) -> Result<TokenRequest<'a>, Failure> {
    Ok(pending.accept(client, Redirect::Url(redirect))?)
}

#[inline(never)]
fn exchange<'a>(link: &mut Link<'_>, request: TokenRequest<'a>, buffer: &'a mut [u8]) -> Result<Tokens<'a>, Failure> {
    let answer = link.send(request.request(), buffer)?;
    Ok(request.read(answer.response(buffer))?)
}

/// New tokens, if these are due.
#[inline(never)]
fn refresh<'a>(
    link: &mut Link<'_>,
    client: Client<'a>,
    tokens: Tokens<'a>,
    sent_at: u64,
    buffer: &'a mut [u8],
) -> Result<Option<Tokens<'a>>, Failure> {
    match tokens.refresh_token() {
        Some(token) if Lifetime::new(sent_at, tokens.expires_in()).is_due(now()) => {
            exchange(link, client.refresh(token), buffer).map(Some)
        }
        _ => Ok(None),
    }
}

/// New tokens, if these are due: the pass of a session decides. Nobody else shares this login, and it ends with the power.
#[inline(never)]
fn renew<'a>(
    link: &mut Link<'_>,
    client: Client<'a>,
    tokens: Tokens<'a>,
    sent_at: u64,
    buffer: &'a mut [u8],
) -> Result<Option<Tokens<'a>>, Failure> {
    let clock = || Now::new(now().saturating_mul(1000), now().saturating_mul(1000));
    let pair = |version, tokens: Tokens<'_>, sent_at| {
        let renewal = if tokens.refresh_token().is_some() { Renewal::Possible } else { Renewal::NoRefreshToken };
        Pair::new(version, Lifetime::new(sent_at, tokens.expires_in()), renewal, clock())
    };
    let mut held = pair(Version::first(LoginId::new(sent_at, None, 0)), tokens, sent_at);
    let (mut new, mut buffer) = (None, Some(buffer));
    let (mut pass, mut step) = Pass::begin(Some(held), Need::Valid, &Policy::new(), ClaimId([0; 16]), clock());
    loop {
        let event = match step {
            session::Step::Done(Outcome::Use(_)) => return Ok(new),
            session::Step::Done(Outcome::Fail(_)) => return Err(Failure::Session),
            session::Step::Load => Event::Row(Seen::new(held, u32::MAX, 0)),
            session::Step::Claim { .. } => Event::Claimed(Seen::new(held, u32::MAX, 0)),
            session::Step::Send { .. } => match (tokens.refresh_token(), buffer.take()) {
                (Some(token), Some(buffer)) => {
                    let sent_at = now();
                    match ask(link, client.refresh(token), buffer) {
                        Ok(granted) => {
                            held = pair(pass.next_version(), granted, sent_at);
                            new = Some(granted);
                            Event::Granted(held)
                        }
                        Err(event) => event,
                    }
                }
                _ => Event::Unanswered(Unanswered::Lost),
            },
            _ => Event::Done,
        };
        step = pass.step(event, clock());
    }
}

/// The tokens of a refresh, or what the pass is told in their place.
#[inline(never)]
fn ask<'a>(link: &mut Link<'_>, request: TokenRequest<'a>, buffer: &'a mut [u8]) -> Result<Tokens<'a>, Event> {
    let Ok(answer) = link.send(request.request(), buffer) else { return Err(Event::Unanswered(Unanswered::Lost)) };
    request.read(answer.response(buffer)).map_err(|error| Event::of_response(&error))
}

/// Asks the API who has signed in.
#[inline(never)]
fn call(
    console: &mut Console,
    link: &mut Link<'_>,
    client: Client<'_>,
    tokens: Tokens<'_>,
    buffer: &mut [u8],
) -> Result<(), Failure> {
    let mut url = String::<URL_MAX>::new();
    write!(url, "{}{API}", client.server().issuer().unwrap_or_default()).map_err(|_| HttpError::TooLong)?;
    let request = tokens.access_token().get(&url)?;
    let answer = link.send(request.request(), buffer)?;
    let outcome = match request.read(answer.response(buffer)) {
        Err(ApiError::Refused(Refusal::InsufficientScope { .. })) => " insufficient scope",
        Err(ApiError::Refused(Refusal::InvalidRequest)) => " invalid request",
        Err(ApiError::Refused(Refusal::InvalidToken)) => " invalid token",
        Err(ApiError::Refused(Refusal::Forbidden)) => " forbidden",
        Err(ApiError::Refused(_)) => " other scheme",
        Ok(_) | Err(_) => "",
    };
    writeln!(console, "called {}{outcome}", answer.status())?;
    Ok(())
}

/// Ends the login at the server.
#[inline(never)]
fn sign_out(
    console: &mut Console,
    link: &mut Link<'_>,
    client: Client<'_>,
    tokens: Tokens<'_>,
    buffer: &mut [u8],
) -> Result<(), Failure> {
    let token = tokens.refresh_token().map_or(Revocable::Access(tokens.access_token()), Revocable::Refresh);
    let request = client.revoke(token)?;
    let answer = link.send(request.request(), buffer)?;
    request.read(answer.response(buffer))?;
    writeln!(console, "signed out")?;
    Ok(())
}

const API: &str = "/api/me";
const CLIENT_ID: &str = "demo-native";
const REDIRECT_URI: &str = "https://app.example/paste";
const SCOPE: &[&str] = if cfg!(feature = "userinfo") {
    &["openid", "profile", "itwin-platform", "offline_access"]
} else if cfg!(feature = "oidc") {
    &["openid", "itwin-platform", "offline_access"]
} else {
    &["itwin-platform", "offline_access"]
};
const URL_MAX: usize = 256;
