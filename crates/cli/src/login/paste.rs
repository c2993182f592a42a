//! The login by hand: the user pastes the URL of the redirect.

use super::sent::Sent;
use crate::failure::{Failure, Kind};
use crate::interrupt::{self, INTERRUPTED};
use proofkey_core::{Client, Pending, Redirect};
use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Reads lines from standard input until one is the redirect of this login.
///
/// `again` tells the user what is wrong with a line, and how many tries are left.
///
/// # Errors
/// [`Kind::Refused`] after the last try or at the end of the input, [`Kind::TimedOut`], [`Kind::Interrupted`].
pub fn redirect(
    pending: &Pending,
    client: Client<'_>,
    sent: Sent<'_>,
    timeout: Duration,
    mut again: impl FnMut(&str, usize) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let lines = lines();
    let end = Instant::now() + timeout;
    for left in (0..TRIES).rev() {
        let line = next(&lines, end, sent)?;
        let text = line.trim();
        match fault(text, pending, client) {
            None => return Ok(text.to_owned()),
            Some(fault) => again(&fault, left)?,
        }
    }
    Err(again_from_the_start(&format!("none of the {TRIES} pasted texts was the redirect of this login")))
}

fn again_from_the_start(message: &str) -> Failure {
    Kind::Refused.because(message).advise_command("start again with", "login --paste")
}

fn next(lines: &Receiver<io::Result<String>>, end: Instant, sent: Sent<'_>) -> Result<String, Failure> {
    loop {
        match lines.recv_timeout(PAUSE) {
            Ok(line) => {
                return line
                    .map_err(|error| Kind::Unexpected.because(format_args!("cannot read standard input: {error}")));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(again_from_the_start("standard input ended before the redirect was pasted"));
            }
            Err(RecvTimeoutError::Timeout) if INTERRUPTED.load(Ordering::SeqCst) => return Err(interrupt::failure()),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= end => {
                return Err(sent.timed_out("the redirect was not pasted in time"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Describes the problem of the pasted text.
fn fault(text: &str, pending: &Pending, client: Client<'_>) -> Option<String> {
    if pending.matches(client, Redirect::Url(text)) {
        return None;
    }
    let registered = client.redirect_uri().split('?').next().unwrap_or_default();
    Some(if text.is_empty() {
        "nothing was pasted".to_owned()
    } else if !is_at(text, registered) {
        format!(
            "this is not the whole address of the page where you ended up: it must begin with {registered}{}; copy all of \
             it from the browser's address bar",
            place(text).map_or_else(String::new, |place| format!(", but begins with {place}"))
        )
    } else if text.len() >= TERMINAL_MAX && io::stdin().is_terminal() {
        format!(
            "the terminal cut the address off after {TERMINAL_MAX} characters: press Ctrl-C, run `stty -icanon`, and try again"
        )
    } else if !text.contains("state=") {
        "this address has no answer from the server, or is cut off: copy all of it, after you have signed in".to_owned()
    } else {
        "this is the answer to another login: use the address that the browser shows after this one".to_owned()
    })
}

/// Whether the text is the redirect URI up to its query.
fn is_at(text: &str, registered: &str) -> bool {
    text.strip_prefix(registered).is_some_and(|rest| rest.is_empty() || rest.starts_with(['?', '#']))
}

/// Scheme, host, port and path of a pasted URL. The rest may be secret.
fn place(text: &str) -> Option<String> {
    let place = text.split(['?', '#']).next().filter(|place| place.contains("://") && !place.contains('@'))?;
    Some(place.chars().take(PLACE_MAX).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect())
}

/// The lines of standard input, as they come.
fn lines() -> Receiver<io::Result<String>> {
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = input.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
            let line = match read {
                Ok(0) => return,
                Ok(_) => Ok(String::from_utf8_lossy(&line).into_owned()),
                Err(error) => Err(error),
            };
            if send.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

const LINE_MAX: u64 = 64 * 1024;
const PLACE_MAX: usize = 200;
const PAUSE: Duration = Duration::from_millis(50);
/// The longest line that Linux keeps of what is typed.
const TERMINAL_MAX: usize = 4095;
const TRIES: usize = 5;
