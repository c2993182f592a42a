//! The login by hand: the user carries the redirect's URL from the browser to us.

use crate::failure::{Failure, Kind};
use crate::interrupt::{self, INTERRUPTED};
use proofkey_core::{Client, Pending, Redirect};
use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Reads lines from the standard input until one is the redirect of this login.
///
/// `again` tells the user what was wrong with a line, and how many tries are left.
///
/// # Errors
/// [`Kind::Refused`] after the last try or at the end of the input, [`Kind::TimedOut`], [`Kind::Interrupted`].
pub fn redirect(
    pending: &Pending,
    client: Client<'_>,
    timeout: Duration,
    mut again: impl FnMut(&str, usize) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let lines = lines();
    let end = Instant::now() + timeout;
    for left in (0..TRIES).rev() {
        let line = next(&lines, end)?;
        let text = line.trim();
        match fault(text, pending, client) {
            None => return Ok(text.to_owned()),
            Some(fault) => again(&fault, left)?,
        }
    }
    Err(Kind::Refused.because(format_args!("no redirect of this login in {TRIES} tries")).advise(AGAIN))
}

fn next(lines: &Receiver<io::Result<String>>, end: Instant) -> Result<String, Failure> {
    loop {
        match lines.recv_timeout(PAUSE) {
            Ok(line) => return line.map_err(|error| Kind::Unexpected.because(format_args!("standard input: {error}"))),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Kind::Refused.because("the input ended before a redirect was pasted").advise(AGAIN));
            }
            Err(RecvTimeoutError::Timeout) if INTERRUPTED.load(Ordering::SeqCst) => return Err(interrupt::failure()),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= end => {
                return Err(Kind::TimedOut.because("no redirect was pasted in time").advise(AGAIN));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// What is wrong with the pasted text, in words for whoever pasted it.
fn fault(text: &str, pending: &Pending, client: Client<'_>) -> Option<String> {
    if pending.matches(client, Redirect::Url(text)) {
        return None;
    }
    let registered = client.redirect_uri().split('?').next().unwrap_or_default();
    Some(if text.is_empty() {
        "nothing was pasted".to_owned()
    } else if !text.starts_with(registered) {
        format!(
            "this is not the whole address: copy all of it from the browser's address bar; it begins with {registered}"
        )
    } else if text.len() >= TERMINAL_MAX && io::stdin().is_terminal() {
        format!(
            "the terminal cut the address off after {TERMINAL_MAX} characters: end this with Ctrl-C, run `stty -icanon`, and try again"
        )
    } else if !text.contains("state=") {
        "this address carries no answer or is cut off: copy all of it, after you have signed in".to_owned()
    } else {
        "this is the answer to another login: use the address that the browser shows after this one".to_owned()
    })
}

/// The lines of the standard input, as they come.
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

const AGAIN: &str = "start again with `proofkey login --paste`";
const LINE_MAX: u64 = 64 * 1024;
const PAUSE: Duration = Duration::from_millis(50);
/// What Linux keeps of a line that is typed.
const TERMINAL_MAX: usize = 4095;
const TRIES: usize = 5;
