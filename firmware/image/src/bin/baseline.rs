//! The I/O of `login` without the core, but for its reader of HTTP: the same lines, the same requests in number and shape, answers received and not read.

#![no_std]
#![no_main]

use chacha20::{ChaCha20Rng, rand_core::Rng};
use core::fmt::{self, Write};
use cortex_m_rt::entry;
use heapless::String;
use proofkey_core::Received;
use proofkey_firmware::host::{Console, now};
use proofkey_firmware::http::{HttpError, Line};
use proofkey_firmware::{exit, generator, stack, uart::Uart};

#[entry]
fn main() -> ! {
    static mut BUFFERS: Buffers = Buffers { server: [0; 256], redirect: [0; 512], answer: [0; 3072] };
    let (Some(mut console), Some(mut rng)) = (Console::open(), generator()) else { exit(false) };
    let mut uart = Uart::new();
    let well = loop {
        let told = match session(&mut console, &mut uart, &mut rng, BUFFERS) {
            Ok(Next::End) => break writeln!(console, "stack {}", stack::depth()).is_ok(),
            Ok(Next::Session) => writeln!(console, "done"),
            Err(failure) => writeln!(console, "refused: {}", failure.word()).and(Err(fmt::Error)),
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
    answer: [u8; 3072],
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
) -> Result<Next, HttpError> {
    let server = console.read_line(&mut buffers.server).ok_or(HttpError::Silent)?;
    if server.is_empty() {
        return Ok(Next::End);
    }
    let mut words = server.split(' ');
    let (Some(authorization_endpoint), Some(token_endpoint), Some(issuer)) = (words.next(), words.next(), words.next())
    else {
        return Err(HttpError::Garbled);
    };
    let mut line = Line::new(uart, token_endpoint)?;

    write!(console, "visit {authorization_endpoint}?")?;
    let mut random = [0; 64];
    rng.fill_bytes(&mut random);
    random.iter().try_for_each(|byte| console.write_char(char::from(b'a' + byte % 26)))?;
    writeln!(console)?;
    let redirect = console.read_line(&mut buffers.redirect).ok_or(HttpError::Silent)?;
    let sent_at = now();
    send(console, &mut line, token_endpoint, redirect, &mut buffers.answer)?;
    if cfg!(feature = "api") {
        call(console, &mut line, issuer, redirect, &mut buffers.answer)?;
    }
    if cfg!(feature = "refresh") && now() >= sent_at {
        send(console, &mut line, token_endpoint, redirect, &mut buffers.answer)?;
        call(console, &mut line, issuer, redirect, &mut buffers.answer)?;
    }
    Ok(Next::Session)
}

fn send(
    console: &mut Console,
    line: &mut Line<'_>,
    endpoint: &str,
    body: &str,
    buffer: &mut [u8],
) -> Result<(), HttpError> {
    let mut url = String::<URL_MAX>::new();
    write!(url, "{endpoint}").map_err(|_| HttpError::TooLong)?;
    let out = line.request("POST", &url)?;
    for (name, value) in FIELDS {
        write!(out, "{name}: {value}\r\n")?;
    }
    write!(out, "content-length: {}\r\n\r\n", body.len())?;
    out.write_str(body)?;
    tell(console, "sent", line.receive(buffer)?)
}

fn call(
    console: &mut Console,
    line: &mut Line<'_>,
    issuer: &str,
    token: &str,
    buffer: &mut [u8],
) -> Result<(), HttpError> {
    let mut url = String::<URL_MAX>::new();
    write!(url, "{issuer}{API}").map_err(|_| HttpError::TooLong)?;
    let out = line.request("GET", &url)?;
    out.write_str("authorization: Bearer ")?;
    out.write_str(token)?;
    out.write_str("\r\n\r\n")?;
    tell(console, "called", line.receive(buffer)?)
}

fn tell(console: &mut Console, what: &str, answer: Received) -> Result<(), HttpError> {
    writeln!(console, "{what} {} {}", answer.status(), answer.total().unwrap_or_default())?;
    Ok(())
}

const API: &str = "/api/me";
const FIELDS: [(&str, &str); 2] =
    [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
const URL_MAX: usize = 256;
