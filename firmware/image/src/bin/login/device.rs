//! A login that the user confirms on another device (RFC 8628). Time is that of the board's own clock.

use crate::SCOPE;
use crate::failure::Failure;
use crate::link::Link;
use core::fmt::Write;
use proofkey_core::{Client, DeviceRequest, Flow, Poll, Step, Tokens, Unanswered};
use proofkey_firmware::clock::{seconds, wait};
use proofkey_firmware::host::Console;
use proofkey_firmware::http::HttpError;

/// The device code stays in the buffer of the first answer while the polls use the other.
pub(crate) fn sign_in<'a>(
    console: &mut Console,
    link: &mut Link<'_>,
    client: Client<'_>,
    first: &mut [u8],
    buffer: &'a mut [u8],
) -> Result<Tokens<'a>, Failure> {
    let poll = ask(console, link, client.device(SCOPE)?, first)?;
    confirmed(console, link, poll, buffer)
}

// The steps stay out of line, so that the stack holds one of them at a time.

#[inline(never)]
fn ask<'c, 'b>(
    console: &mut Console,
    link: &mut Link<'_>,
    request: DeviceRequest<'c>,
    buffer: &'b mut [u8],
) -> Result<Poll<'c, 'b>, Failure> {
    let answer = link.send(request.request(), buffer)?;
    let (prompt, poll) = request.read(answer.response(buffer), seconds())?;
    writeln!(console, "{prompt}")?;
    Ok(poll)
}

#[inline(never)]
fn confirmed<'a>(
    console: &mut Console,
    link: &mut Link<'_>,
    mut poll: Poll<'_, '_>,
    buffer: &'a mut [u8],
) -> Result<Tokens<'a>, Failure> {
    let answer = loop {
        match poll.step(seconds()) {
            Step::Send(request) => match link.send(request, buffer) {
                Ok(answer) if poll.hear(&answer.response(buffer), seconds()) => break answer,
                Ok(_) => writeln!(console, "not yet")?,
                Err(HttpError::Silent) if poll.unanswered(Unanswered::Lost, seconds()) => {
                    writeln!(console, "no answer")?;
                }
                Err(error) => return Err(error.into()),
            },
            Step::Wait(seconds) => wait(seconds),
            _ => return Err(Failure::Expired),
        }
    };
    Ok(poll.read(answer.response(buffer))?)
}
